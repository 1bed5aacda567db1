//! What a container writes. Only the rows that show are made, however many
//! lines there are.

use kgents_store::{Key, Kind};
use ratatui::text::{Line, Span};

use super::super::sheet::{Body, Part, Room, Sheet, broken, thousands, width};
use super::Page;
use crate::overlay::{LogView, Page as Shown, SINCE};
use crate::text;
use crate::theme::{Role, Theme};

mod parts;

/// The head, the rows that show, and the end of the lines.
pub(super) fn logs(page: &Page<'_>, shown: &Shown, key: &Key, room: Room, title: String, right: String) -> Sheet {
    let logs = &shown.facts.logs;
    let mut end = Page::new(page.app, page.width);
    if page.app.terrarium.pods_of(key).next().is_none() {
        super::pods::no_pods(&mut end);
        return Sheet { wake_at: page.wake_at, ..Sheet::new(title, right, end.lines) };
    }
    if let Some(problem) = &logs.problem {
        end.problem(Kind::Pod, problem);
    } else if let Some(why) = &logs.end {
        end.text(Role::Mute, &format!("— {why}"));
    } else if logs.lines.is_empty() {
        end.text(Role::Mute, "listening…");
    }
    let rows = room.height.saturating_sub(HEAD).max(1);
    let part = part(page, logs, &end.lines, shown.scroll, rows);
    let below = part.total.saturating_sub(part.rows.last().map_or(0, |(place, _)| place + 1));
    let head = head(page, logs, key, below);
    Sheet { head, body: Body::Part(part), wake_at: page.wake_at, ..Sheet::new(title, right, Vec::new()) }
}

/// Rows of the head.
const HEAD: usize = 2;

/// The rows that show, from where the page is scrolled to.
fn part(page: &Page<'_>, logs: &LogView, end: &[Line<'static>], scroll: usize, height: usize) -> Part {
    let total = logs.lines.len() + end.len();
    let rows_of = |place: usize| -> Vec<Line<'static>> {
        match logs.lines.get(place) {
            Some(line) => rows(page.theme, line, page.width, logs.wraps, height),
            None => end.get(place - logs.lines.len()).cloned().into_iter().collect(),
        }
    };
    let mut room = total.saturating_sub(height);
    if logs.wraps {
        // The first of the lines that fill the page up to the last one.
        let mut filled = 0;
        room = total;
        while room > 0 {
            filled += rows_of(room - 1).len();
            if filled > height {
                break;
            }
            room -= 1;
        }
        room = room.min(total.saturating_sub(1));
    }
    let mut rows = Vec::with_capacity(height);
    for place in scroll.min(room)..total {
        if rows.len() >= height {
            break;
        }
        rows.extend(rows_of(place).into_iter().map(|line| (place, line)));
    }
    rows.truncate(height);
    Part { total, room, rows }
}

/// A line as it shows: broken into rows, or one that the pen cuts.
fn rows(theme: &Theme, line: &str, cells: usize, wraps: bool, height: usize) -> Vec<Line<'static>> {
    // No more than can show is looked at: a line may be very long.
    let most = if wraps { cells * height.max(1) } else { cells } * 4 + 64;
    let mut most = most.min(line.len());
    while !line.is_char_boundary(most) {
        most -= 1;
    }
    let (near, far) = line.split_at(most);
    let mut spans = parts::dress(theme, &text::spaced(near));
    if !far.is_empty() {
        spans.push(super::span(theme, Role::Mute, "…"));
    }
    if !wraps {
        return vec![Line::from(spans)];
    }
    // No row of blanks alone for what ends at the edge.
    if let Some(last) = spans.last_mut() {
        last.content = last.content.trim_end().to_owned().into();
    }
    let rows: Vec<Line<'static>> = broken(spans, cells, 2).into_iter().map(Line::from).collect();
    if rows.is_empty() { vec![Line::default()] } else { rows }
}

/// Which lines these are, and whether they still come.
fn head(page: &Page<'_>, logs: &LogView, key: &Key, below: usize) -> Vec<Line<'static>> {
    let pods: Vec<_> = page.app.terrarium.pods_of(key).collect();
    let place = logs.pod % pods.len().max(1);
    let mut left = Vec::new();
    if let Some((pod, facts)) = pods.get(place) {
        left.push(page.bold(Role::Text, pod.name()));
        if pods.len() > 1 {
            left.push(page.span(Role::Mute, format!("  pod {} of {}", place + 1, pods.len())));
        }
        let names = &facts.container_names;
        let chosen = logs.container.as_ref().or(names.first());
        if let Some(name) = chosen {
            left.push(page.span(Role::Sky, format!("  {name}")));
            let place = names.iter().position(|other| other == name).filter(|_| names.len() > 1);
            left.extend(place.map(|place| page.span(Role::Mute, format!(" ({} of {})", place + 1, names.len()))));
        }
    }
    let mut which = Vec::new();
    if logs.previous {
        which.push(page.span(Role::Plum, "  the run before"));
    }
    if let Some(seconds) = SINCE.get(logs.since).copied().flatten() {
        which.push(page.span(Role::Soft, format!("  {}", since(seconds))));
    }
    let glyphs = page.theme.glyphs;
    let state = match (logs.request, logs.stays) {
        (Some(_), _) if logs.previous => page.span(Role::Mute, "reading…"),
        (Some(_), true) => page.span(Role::Moss, format!("{} following", glyphs.dot)),
        (Some(_), false) => {
            page.span(Role::Amber, format!("{} frozen, {} newer", glyphs.ring, thousands(below as i64)))
        }
        (None, _) if logs.problem.is_some() => page.span(Role::Soft, format!("{} no lines", glyphs.cross)),
        (None, _) => page.span(Role::Mute, "ended"),
    };
    let mut end = vec![state];
    if !logs.lines.is_empty() {
        end.push(page.span(Role::Mute, format!("  {}", counted(logs.lines.len()))));
    }
    if logs.dropped > 0 {
        end.push(page.span(Role::Mute, format!(", {} before are gone", thousands(logs.dropped as i64))));
    }
    // Both in one line where they have room, else one under the other.
    if width(&left) + width(&which) + width(&end) + 2 <= page.width {
        left.extend(which);
        left.push(Span::raw(" ".repeat(page.width - width(&left) - width(&end))));
        left.extend(end);
        vec![Line::from(left), Line::default()]
    } else {
        end.extend(which);
        vec![Line::from(left), Line::from(end)]
    }
}

fn counted(lines: usize) -> String {
    if lines == 1 { "1 line".to_owned() } else { format!("{} lines", thousands(lines as i64)) }
}

fn since(seconds: i64) -> String {
    match seconds {
        ..3_600 => format!("last {} min", seconds / 60),
        3_600..86_400 => format!("last {} h", seconds / 3_600),
        _ => format!("last {} d", seconds / 86_400),
    }
}
