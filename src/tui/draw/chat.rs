//! Chat: what was said with an agent, and the composer.

use kgents_store::answer::topics;
use kgents_store::request::ChatLine;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Pen, bold, span};
use crate::app::App;
use crate::layout::Pane;
use crate::text;
use crate::theme::Role;

pub(super) fn count(app: &App) -> String {
    match &app.chat.agent {
        Some(agent) => super::agents::label(app, agent),
        None => "nobody chosen".to_owned(),
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let Some(agent) = app.chat.agent.clone() else {
        let width = usize::from(area.width.saturating_sub(5));
        let said = "Talk to an agent: t on its row, or 5 for the one that is selected.";
        let mut lines: Vec<Line<'static>> =
            text::wrap(said, width).into_iter().map(|line| Line::from(span(pen.theme, Role::Soft, line))).collect();
        lines.push(Line::default());
        examples(pen, width, &mut lines);
        for (line, y) in lines.iter().zip(area.y + u16::from(area.height > 8)..area.bottom()) {
            pen.line(area.x + 2, y, area.right(), line);
        }
        return;
    };
    let composer = composer_rows(pen, area);
    let talk = Rect { height: area.height.saturating_sub(composer + 1), ..area };
    let width = usize::from(area.width.saturating_sub(5));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for line in app.chat.lines() {
        said(pen, line, width, &mut lines);
    }
    if lines.is_empty() {
        welcome(pen, agent.name(), width, &mut lines);
    }
    let room = usize::from(talk.height);
    let back = app.chat.back.min(lines.len().saturating_sub(room));
    let end = lines.len() - back;
    let first = end.saturating_sub(room);
    // What is new stands at the bottom, above the composer.
    for (line, y) in lines[first..end].iter().zip(talk.y..talk.bottom()) {
        pen.line(area.x + 2, y, area.right().saturating_sub(1), line);
    }
    compose(pen, Rect { y: talk.bottom(), height: composer + 1, ..area });
}

/// One line of talk: who and when, what, and what an answer was read from.
fn said(pen: &Pen<'_>, line: &ChatLine, width: usize, lines: &mut Vec<Line<'static>>) {
    let theme = pen.theme;
    if !lines.is_empty() {
        lines.push(Line::default());
    }
    let own = line.who == "you";
    let role = if own { Role::Sky } else { theme.accent(&line.who) };
    let time = line.at.to_zoned(pen.app.look.zone.clone()).strftime("%H:%M").to_string();
    let gap = (width + 2).saturating_sub(text::width(&line.who) + 5);
    lines.push(Line::from(vec![
        bold(theme, role, line.who.clone()),
        span(theme, Role::Mute, " ".repeat(gap)),
        span(theme, Role::Mute, time),
    ]));
    let margin = if own { " " } else { theme.glyphs.vertical };
    for text in text::wrap(&line.text, width) {
        let role = if own { Role::Text } else { Role::Soft };
        lines.push(Line::from(vec![span(theme, Role::Line, format!("{margin} ")), span(theme, role, text)]));
    }
    if !line.read.is_empty() {
        let read = format!("from {}", line.read.join(", "));
        for text in text::wrap(&read, width) {
            let style = theme.fg(Role::Mute).add_modifier(ratatui::style::Modifier::ITALIC);
            lines.push(Line::from(vec![Span::raw("  "), Span::styled(text, style)]));
        }
    }
}

/// What an agent can be asked, before anything was said.
fn welcome(pen: &Pen<'_>, agent: &str, width: usize, lines: &mut Vec<Line<'static>>) {
    let theme = pen.theme;
    let said = format!("Ask {agent} about itself. It answers from what is known of it here; no model is asked.");
    lines.extend(text::wrap(&said, width).into_iter().map(|line| Line::from(span(theme, Role::Soft, line))));
    lines.push(Line::default());
    examples(pen, width, lines);
}

/// What can be asked.
fn examples(pen: &Pen<'_>, width: usize, lines: &mut Vec<Line<'static>>) {
    let theme = pen.theme;
    for topic in topics() {
        lines.push(Line::from(vec![
            span(theme, Role::Moss, "❯ "),
            span(theme, Role::Mute, text::fit(topic.example, width).into_owned()),
        ]));
    }
}

/// Rows of text that the composer takes.
fn composer_rows(pen: &Pen<'_>, area: Rect) -> u16 {
    let rows = wrapped(pen, usize::from(area.width.saturating_sub(5))).0.len() as u16;
    rows.clamp(1, (area.height / 3).max(1))
}

/// The text of the composer in lines of so many cells, and where its cursor
/// stands: line and byte.
fn wrapped(pen: &Pen<'_>, width: usize) -> (Vec<String>, (usize, usize)) {
    use unicode_segmentation::UnicodeSegmentation;
    let (typed, (row, byte)) = pen.app.chat.edit.shown();
    let (mut lines, mut cursor) = (Vec::new(), (0, 0));
    for (i, text) in typed.iter().enumerate() {
        let (mut line, mut used) = (String::new(), 0);
        for (at, grapheme) in text.grapheme_indices(true) {
            let cells = text::width(grapheme);
            if used + cells > width.max(2) {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if i == row && at == byte {
                cursor = (lines.len(), line.len());
            }
            line.push_str(grapheme);
            used += cells;
        }
        if i == row && byte >= text.len() {
            cursor = (lines.len(), line.len());
        }
        lines.push(line);
    }
    (lines, cursor)
}

fn compose(pen: &mut Pen<'_>, area: Rect) {
    let focused = pen.app.focus == Pane::Chat && pen.app.overlays.is_empty();
    let typing = pen.app.chat.typing && focused;
    let (left, right) = (area.x + 1, area.right().saturating_sub(1));
    let line = pen.theme.glyphs.horizontal.repeat(usize::from(right.saturating_sub(left)));
    pen.put(left, area.y, right, &line, pen.theme.fg(Role::Line));
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let role = if typing { Role::Moss } else { Role::Mute };
    pen.put(left + 1, body.y, right, "❯ ", pen.theme.bold(role));
    if pen.app.chat.edit.is_empty() && !typing {
        let said = if focused { "⏎ to write" } else { "5 and ⏎ to write" };
        pen.put(left + 3, body.y, right, said, pen.theme.fg(Role::Mute));
        return;
    }
    let (lines, cursor) = wrapped(pen, usize::from(area.width.saturating_sub(5)));
    let first = (cursor.0 + 1).saturating_sub(usize::from(body.height));
    for (place, y) in (first..lines.len()).zip(body.y..body.bottom()) {
        pen.put(left + 3, y, right + 1, &lines[place], pen.theme.fg(Role::Text));
        if typing && place == cursor.0 {
            let (before, after) = lines[place].split_at(cursor.1);
            let x = left + 3 + text::width(before) as u16;
            let cells = after.chars().next().map_or(1, |c| text::width(c.encode_utf8(&mut [0; 4])).max(1)) as u16;
            if after.is_empty() {
                pen.put(x, y, right + 1, " ", pen.theme.cursor());
            } else {
                pen.tint(Rect::new(x, y, cells, 1), pen.theme.cursor());
            }
        }
    }
}
