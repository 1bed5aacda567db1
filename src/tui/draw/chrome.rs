//! What frames the panes: header, heartbeat, tabs, banner, footer.

use jiff::{SignedDuration, Timestamp};
use kgents_core::freshness::Freshness;
use kgents_store::watch::{Link, WatchState};
use kgents_store::{Kind, Layer};
use ratatui::layout::Rect;

use super::{Pen, age_of, origin};
use crate::action::{Action, Row, Spot, TABLE};
use crate::app::keys::Typing;
use crate::app::minute;
use crate::hit::Hit;
use crate::layout::Pane;
use crate::text;
use crate::theme::Role;
use crate::view;

/// A piece of the header's right half.
type Piece = Vec<(String, Role, bool)>;

/// Where we look, who answers, how it stands, what time it is.
pub(super) fn header(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let y = area.y;
    let mut x = area.x + u16::from(area.width > 40) + 1;
    for (i, c) in "terrarium".chars().enumerate() {
        let color = pen.theme.mix(Role::Moss, Role::Sky, i as f64 / 8.0);
        let style = pen.theme.bold(Role::Moss).fg(color);
        x = pen.put(x, y, area.right(), c.encode_utf8(&mut [0; 4]), style);
    }
    let left = right_half(pen, area, x + 2);
    let scene = app.terrarium.scene();
    if scene.context.is_empty() && scene.server.is_empty() {
        return;
    }
    let context = if scene.context.is_empty() { "in cluster" } else { &scene.context };
    let limit = left.saturating_sub(2);
    x = pen.put(x + 2, y, limit, context, pen.theme.fg(Role::Text));
    x = pen.put(x, y, limit, " / ", pen.theme.fg(Role::Mute));
    let namespace = scene.namespace.as_deref().unwrap_or("all namespaces");
    pen.put(x, y, limit, namespace, pen.theme.fg(Role::Soft));
}

/// When the clock shows another minute.
fn next_minute(now: Timestamp) -> Timestamp {
    minute(now).checked_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX)
}

/// Draws at the right what fits; answers where it begins.
fn right_half(pen: &mut Pen<'_>, area: Rect, from: u16) -> u16 {
    let app = pen.app;
    pen.hits.wake(next_minute(app.now));
    let clock = app.now.to_zoned(app.look.zone.clone()).strftime("%H:%M").to_string();
    // From left to right, each with its rank where there is too little room:
    // who answers matters most.
    let mut pieces: Vec<(u8, Piece)> = vec![(0, badge(pen))];
    if area.width >= 120 {
        pieces.push((3, stability(pen)));
        // Nothing measures pressure yet.
        pieces.push((4, vec![("pressure ".into(), Role::Mute, false), ("—".into(), Role::Mute, false)]));
    }
    if app.views.needs > 0 {
        let words = if app.views.needs == 1 { " needs you" } else { " need you" };
        let piece = vec![
            (format!("{} ", pen.theme.glyphs.flag), Role::Amber, false),
            (app.views.needs.to_string(), Role::Amber, true),
            (words.to_owned(), Role::Soft, false),
        ];
        pieces.push((1, piece));
    }
    pieces.push((2, vec![(clock, Role::Soft, false)]));
    let width = |piece: &Piece| piece.iter().map(|(part, _, _)| text::width(part)).sum::<usize>() as u16;
    let right = area.right().saturating_sub(2);
    let mut room = right.saturating_sub(from);
    for rank in 0..=4 {
        let Some(place) = pieces.iter().position(|(other, _)| *other == rank) else { continue };
        let needed = width(&pieces[place].1);
        if needed <= room {
            room = room.saturating_sub(needed + GAP);
        } else {
            pieces.remove(place);
        }
    }
    let whole: u16 = pieces.iter().map(|(_, piece)| width(piece) + GAP).sum();
    let start = (right + GAP).saturating_sub(whole);
    let mut x = start;
    for (_, piece) in pieces {
        for (part, role, bold) in piece {
            let style = if bold { pen.theme.bold(role) } else { pen.theme.fg(role) };
            x = pen.put(x, area.y, area.right(), &part, style);
        }
        x += GAP;
    }
    start
}

/// Cells between two pieces of the header.
const GAP: u16 = 3;

fn stability(pen: &Pen<'_>) -> Piece {
    let app = pen.app;
    let mut piece = vec![("stability ".to_owned(), Role::Mute, false)];
    if app.terrarium.watch(Kind::Agent).as_of.is_none() {
        piece.push(("—".into(), Role::Mute, false));
        return piece;
    }
    let full = (app.views.stability * 8.0).round() as usize;
    piece.push((pen.theme.glyphs.gauge_full.repeat(full), Role::Moss, false));
    piece.push((pen.theme.glyphs.gauge_empty.repeat(8_usize.saturating_sub(full)), Role::Line, false));
    piece.push((format!(" {:.2}", app.views.stability), Role::Text, false));
    piece
}

/// Which layer speaks, and how old its word is.
fn badge(pen: &mut Pen<'_>) -> Piece {
    let app = pen.app;
    let glyphs = pen.theme.glyphs;
    let said =
        |glyph: &str, role: Role, word: &str| vec![(format!("{glyph} "), role, false), (word.to_owned(), role, true)];
    if let Some(moment) = app.terrarium.moment() {
        let clock = moment.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string();
        let mut piece = said(glyphs.ghost, Role::Plum, "PAST");
        piece.push((format!(" {clock}"), Role::Text, false));
        piece.push((" · esc is now".to_owned(), Role::Mute, false));
        return piece;
    }
    match app.terrarium.layer() {
        Some(layer @ (Layer::Ghost | Layer::Fixture)) => {
            let (glyph, role) =
                if layer == Layer::Ghost { (glyphs.ghost, Role::Plum) } else { (glyphs.half, Role::Sky) };
            let Some(origin) = origin::memory(app) else {
                return match layer {
                    Layer::Fixture => said(glyph, role, layer.badge()),
                    _ => vec![(format!("{} connecting", glyphs.ring), Role::Soft, false)],
                };
            };
            pen.hits.wake_at = pen.hits.wake_at.into_iter().chain(origin.wake_at).min();
            let (word, age) = origin.text.split_once(' ').unwrap_or((&origin.text, ""));
            let mut piece = said(glyph, role, word);
            piece.push((
                format!(" {age}"),
                if origin.freshness == Freshness::Fresh { Role::Soft } else { Role::Amber },
                false,
            ));
            piece
        }
        Some(layer) => {
            let hurt = Kind::CUSTOM.iter().any(|kind| app.trouble(*kind).is_some());
            said(glyphs.dot, if hurt { Role::Amber } else { Role::Moss }, layer.badge())
        }
        None => match app.terrarium.link() {
            Link::Down { .. } => {
                // Only one layer is asked, and it is silent: it says how old it is.
                let as_of = Kind::ALL.iter().filter_map(|kind| app.terrarium.watch(*kind).as_of).min();
                let asked = Layer::ASKED.into_iter().filter(|layer| app.terrarium.rung(*layer).is_some()).max();
                match (as_of, asked) {
                    (Some(at), Some(layer)) => {
                        let mut piece = said(glyphs.cross, Role::Coral, layer.badge());
                        piece.push((format!(" {}", pen.age(at)), Role::Soft, false));
                        piece
                    }
                    _ => said(glyphs.cross, Role::Coral, "no answer"),
                }
            }
            _ => vec![(format!("{} connecting", glyphs.ring), Role::Soft, false)],
        },
    }
}

/// What was heard over the last ten minutes, older to the left and fainter.
pub(super) fn heartbeat(pen: &mut Pen<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let heartbeat = pen.app.terrarium.heartbeat();
    let now = pen.app.now;
    let minute = minute(now);
    // It shifts on events, else once a minute, until it is flat.
    let end = heartbeat.last().map_or(minute, |last| last.max(minute)).min(now);
    if !heartbeat.is_flat(end) {
        pen.hits.wake(next_minute(now));
    }
    let columns = heartbeat.columns(end, usize::from(area.width));
    let most = f64::from(columns.iter().copied().max().unwrap_or(0).max(8));
    for (i, count) in columns.into_iter().enumerate() {
        let place = i as f64 / f64::from(area.width);
        let level = f64::from(count).ln_1p() / most.ln_1p();
        let glyph = pen.theme.glyphs.blocks[if count == 0 { 0 } else { 1 + (level * 6.0).round() as usize }.min(7)];
        let style = if count == 0 {
            pen.theme.fg(Role::Line)
        } else {
            let role = if level > 0.8 { Role::Leaf } else { Role::Moss };
            pen.theme.fg(role).fg(pen.theme.mix(Role::Line, role, 0.35 + 0.65 * place))
        };
        pen.put(area.x + i as u16, area.y, area.right(), glyph, style);
    }
}

/// The panes by number, in the compact layout.
pub(super) fn tabs(pen: &mut Pen<'_>, area: Rect) {
    if area.is_empty() {
        return;
    }
    let mut x = area.x + 1;
    for pane in Pane::ALL {
        let focused = pen.app.focus == pane;
        let full: usize = Pane::ALL.iter().map(|pane| pane.title().len() + 4).sum();
        let name = if full <= usize::from(area.width) || focused { pane.title() } else { "" };
        let label = format!(" {} {name}", pane.number());
        let label = format!("{} ", label.trim_end());
        let style = if focused { pen.theme.cap(Role::Moss) } else { pen.theme.fg(Role::Soft) };
        let start = x;
        x = pen.put(x, area.y, area.right(), &label, style);
        pen.hits.add(Rect::new(start, area.y, x - start, 1), Hit::Pane(pane));
    }
}

/// Says above the footer what stands in the way, and what to type.
pub(super) fn banner(pen: &mut Pen<'_>, footer: Rect) {
    let Some((role, said, hint)) = trouble(pen) else { return };
    let (left, limit) = (footer.x + 4, footer.right().saturating_sub(2));
    let (said_width, hint_width) = (text::width(&said) as u16, text::width(&hint) as u16);
    // Both on one line where they fit or rows are few, else the command below.
    let fits = left + said_width + 2 + hint_width <= limit;
    let together = hint.is_empty() || fits || footer.y < 12;
    let height = if together { 1 } else { 2 };
    let area = Rect { y: footer.y.saturating_sub(height), height, ..footer };
    pen.clear(area, Role::Bg);
    for y in area.top()..area.bottom() {
        pen.put(footer.x + 2, y, limit, pen.theme.glyphs.cursor, pen.theme.fg(role));
    }
    let end = pen.put(left, area.y, limit, &said, pen.theme.fg(Role::Text));
    let x = if together { end + 2 } else { left };
    pen.put(x, area.bottom().saturating_sub(1), limit, &hint, pen.theme.fg(Role::Mute));
}

/// The worst thing that stands in the way, in words, with what to do.
fn trouble(pen: &mut Pen<'_>) -> Option<(Role, String, String)> {
    let app = pen.app;
    if let Some(problem) = &app.problem {
        return Some((Role::Amber, problem.clone(), "kgents config check".to_owned()));
    }
    let speaks = app.terrarium.layer();
    if let (Some(Layer::Ghost) | None, Link::Down { since, error, hint }) = (speaks, app.terrarium.link()) {
        let clock = since.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string();
        let said = format!("Silent since {clock}: {error}.");
        return Some((Role::Coral, said, format!("Still trying. {hint}")));
    }
    let mut missing = Vec::new();
    for kind in Kind::ALL {
        match app.trouble(kind) {
            Some(WatchState::Missing) => missing.push(kind.plural()),
            Some(WatchState::Forbidden { verb, resource, namespace }) => {
                let place = namespace.map_or("in the cluster".to_owned(), |ns| format!("in {ns}"));
                let hint = format!("kubectl auth can-i {verb} {resource}");
                return Some((Role::Amber, format!("You may not {verb} {resource} {place}."), hint));
            }
            Some(WatchState::Failing { since, error }) => {
                let (age, wake) = age_of(app.now, since);
                pen.hits.wake(wake);
                return Some((
                    Role::Coral,
                    format!("{} silent for {age}: {error}.", kind.plural()),
                    "Still trying.".into(),
                ));
            }
            _ => {}
        }
    }
    if !missing.is_empty() {
        let said = format!("The cluster does not know {}.", missing.join(", "));
        return Some((Role::Amber, said, "kgents crd install".into()));
    }
    for kind in Kind::ALL {
        let refused = app.terrarium.watch(kind).refused;
        if let Some(first) = refused.first() {
            let said = format!("You may not read the {} of {}.", kind.plural(), refused.join(", "));
            let hint = format!("kubectl auth can-i list {} -n {first}", kind.resource());
            return Some((Role::Amber, said, hint));
        }
    }
    if let Some(rung) = speaks.and_then(|layer| app.terrarium.rung(layer))
        && let Some(first) = rung.notes.first()
    {
        if speaks == Some(Layer::Fixture) {
            // Nobody mends a fixture, so it is enough to know which files lack.
            return Some((Role::Amber, format!("Not all can be read: {}", files(&rung.notes)), String::new()));
        }
        let more = match rung.notes.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        return Some((Role::Amber, format!("{first}{more}"), "kgents doctor".to_owned()));
    }
    let (task, error) = app.terrarium.death()?;
    Some((Role::Coral, format!("Part of this window failed and was restarted: {task}: {error}."), String::new()))
}

/// The files that notes begin with, as a shell would have them together:
/// `agents/{a,b}.json`.
fn files(notes: &[String]) -> String {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for file in notes.iter().filter_map(|note| Some(note.split_once(": ")?.0)) {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        match groups.iter_mut().find(|group| (group.0, group.1) == (folder, ending)) {
            Some((_, _, stems)) if stems.contains(&stem) => {}
            Some((_, _, stems)) => stems.push(stem),
            None => groups.push((folder, ending, vec![stem])),
        }
    }
    let group = |(folder, ending, stems): (&str, &str, Vec<&str>)| {
        let (slash, dot) = (if folder.is_empty() { "" } else { "/" }, if ending.is_empty() { "" } else { "." });
        let stems = if stems.len() == 1 { stems.concat() } else { format!("{{{}}}", stems.join(",")) };
        format!("{folder}{slash}{stems}{dot}{ending}")
    };
    groups.into_iter().map(group).collect::<Vec<_>>().join(", ")
}

/// What was said for a while, above the footer.
pub(super) fn toast(pen: &mut Pen<'_>, footer: Rect) {
    let Some(toast) = &pen.app.toast else { return };
    let (said, hint) = (text::one_line(&toast.said), text::one_line(&toast.hint));
    let gap = if hint.is_empty() { 0 } else { 2 };
    let width = text::width(&said) + gap + text::width(&hint) + 4;
    let width = (width as u16).min(footer.width.saturating_sub(4));
    let area = Rect { x: footer.x + 2, y: footer.y.saturating_sub(1), width, height: 1 };
    pen.clear(area, Role::Raised);
    pen.put(area.x, area.y, area.right(), pen.theme.glyphs.cursor, pen.theme.fg(toast.role));
    let end = pen.put(area.x + 2, area.y, area.right(), &said, pen.theme.fg(Role::Text));
    pen.put(end + 2, area.y, area.right(), &hint, pen.theme.fg(Role::Mute));
}

/// The keys that work now.
pub(super) fn footer(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let (right, role) = match (area.width < 40, app.write) {
        (true, _) => ("", Role::Mute),
        (false, true) => ("may write", Role::Amber),
        (false, false) => ("read only", Role::Mute),
    };
    let limit = pen.put_right(area.x, area.y, area.right().saturating_sub(2), right, pen.theme.fg(role));
    let limit = limit.saturating_sub(2);
    let x = area.x + 2;
    let typed: &[(&str, &str)] = match app.typing() {
        Some(Typing::Filter(pane)) => {
            let keys = view::keys(pane).iter().map(|key| format!("{key}:")).collect::<Vec<_>>().join(" ");
            let x = pen.keys(x, area.y, limit, &[("⏎", "keep"), ("esc", "show all"), ("!", "not")]);
            pen.put(x, area.y, limit, &keys, pen.theme.fg(Role::Mute));
            return;
        }
        Some(Typing::Search) => &[("⏎", "keep"), ("esc", "search nothing")],
        Some(Typing::Chat) => {
            &[("⏎", "send"), ("ctrl-j", "new line"), ("↑ ↓", "said before"), ("ctrl-_", "undo"), ("esc", "leave")]
        }
        Some(Typing::Palette | Typing::Dialog) => &[],
        None => {
            let spot = app.spot();
            // There is no time to go back to where nothing is shown yet.
            let idle =
                |row: &Row| spot == Spot::Bare && row.action == Action::Earlier && app.terrarium.moment().is_none();
            let rows = TABLE.iter().filter(|row| !row.short.is_empty() && row.works(spot) && !idle(row));
            // The keys of the place first: what works everywhere is known soonest.
            let (everywhere, here): (Vec<_>, Vec<_>) = rows.partition(|row| row.spots.len() > 8);
            let barred = app.barred().is_some();
            let mut x = x;
            for row in here.into_iter().chain(everywhere) {
                let shown = app.look.keymap.shown(row);
                let width = (text::width(&shown) + text::width(row.short) + 1) as u16;
                if shown.is_empty() || x + width > limit {
                    continue;
                }
                // What cannot be done now is dim; pressing it says why.
                let key = if row.changes && barred { Role::Mute } else { Role::Key };
                x = pen.put(x, area.y, limit, &shown, pen.theme.bold(key));
                x = pen.put(x + 1, area.y, limit, row.short, pen.theme.fg(Role::Mute)) + 3;
            }
            return;
        }
    };
    pen.keys(x, area.y, limit, typed);
}

/// The filter of a pane, in the lower line of its box.
pub(super) fn filter(pen: &mut Pen<'_>, pane: Pane, area: Rect) {
    let Some(filtering) = pen.app.filters.get(pane as usize) else { return };
    if filtering.edit.is_none() && filtering.text.is_empty() {
        return;
    }
    let (y, limit) = (area.bottom().saturating_sub(1), area.right().saturating_sub(2));
    let mut x = pen.put(area.x + 2, y, limit, " /", pen.theme.bold(Role::Key));
    x = match &filtering.edit {
        Some(edit) => pen.edit_line(x, y, limit, edit, pen.app.overlays.is_empty()),
        None => pen.put(x, y, limit, &filtering.text, pen.theme.fg(Role::Text)),
    };
    x = pen.put(x, y, limit, " ", pen.theme.fg(Role::Text));
    if let Some(problem) = &filtering.problem {
        pen.put(x, y, limit, &format!(" {problem} "), pen.theme.fg(Role::Coral));
    }
}
