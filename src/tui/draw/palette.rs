//! The palette and the pickers: what was typed, and what matches.

use ratatui::layout::Rect;

use super::{Pen, overlay_area};
use crate::hit::Hit;
use crate::overlay::Loaded;
use crate::palette::{Entry, Offer, Palette};
use crate::text;
use crate::theme::Role;

/// Cells of a palette, where there are so many.
const WIDTH: u16 = 108;
/// Entries that show, where there is room.
const ENTRIES: usize = 16;

pub(super) fn draw(pen: &mut Pen<'_>, palette: &Palette) {
    // As high as all of it would need, so that it stays where it is while one types.
    let area = overlay_area(pen.app.size, WIDTH, palette.all.clamp(3, ENTRIES) + 5);
    pen.hits.add(area, Hit::Overlay);
    pen.clear(area, Role::Raised);
    pen.frame(area, true);
    let counted = format!("{} of {}", palette.entries.len(), palette.all);
    pen.titles(area, None, palette.title(), &counted, true);
    let (left, right) = (area.x + 2, area.right().saturating_sub(2));
    let x = pen.put(left, area.y + 1, right, "❯ ", pen.theme.bold(Role::Moss));
    pen.edit_line(x, area.y + 1, right, &palette.edit, true);
    let line = pen.theme.glyphs.horizontal.repeat(usize::from(right.saturating_sub(left)));
    pen.put(left, area.y + 2, right, &line, pen.theme.fg(Role::Line));
    let list = Rect { y: area.y + 3, height: area.height.saturating_sub(5), ..area };
    let room = usize::from(list.height);
    let first = palette.place.saturating_sub(room.saturating_sub(1));
    let shown: Vec<&Entry> = palette.entries.iter().skip(first).take(room).collect();
    let sort_width = shown.iter().map(|entry| text::width(entry.sort)).max().unwrap_or(0) as u16;
    let said_width = (list.width / 2).saturating_sub(sort_width);
    let name_width = shown.iter().map(|entry| text::width(&entry.name)).max().unwrap_or(0);
    let most = usize::from(list.width.saturating_sub(sort_width + 10));
    // A name yields to what is said of it only beyond half of the width.
    let has_said = shown.iter().any(|entry| !entry.said.is_empty());
    let name_width =
        name_width.min(if has_said { most.saturating_sub(usize::from(said_width)).max(20) } else { most }) as u16;
    for (i, entry) in shown.iter().enumerate() {
        let place = first + i;
        let row = Rect { x: list.x + 1, y: list.y + i as u16, width: list.width.saturating_sub(2), height: 1 };
        pen.hits.add(row, Hit::Entry(place));
        if place == palette.place {
            pen.tint(row, pen.theme.selected(true));
            pen.put(row.x, row.y, row.right(), pen.theme.glyphs.cursor, pen.theme.fg(Role::Focus));
        }
        pen.put(row.x + 1, row.y, right, entry.sort, pen.theme.fg(Role::Mute));
        let x = row.x + sort_width + 3;
        name(pen, x, row.y, (x + name_width).min(right), entry);
        pen.put(x + name_width + 2, row.y, right, &text::one_line(&entry.said), pen.theme.fg(Role::Soft));
    }
    if shown.is_empty() {
        let (said, role) = match (&palette.offer, palette.problem()) {
            (_, Some(problem)) => (problem.said.clone(), Role::Coral),
            (Offer::Contexts(Loaded::Asked(_)) | Offer::Namespaces(Loaded::Asked(_)), None) => {
                ("listening…".to_owned(), Role::Mute)
            }
            _ => ("Nothing is called like that.".to_owned(), Role::Mute),
        };
        for (line, y) in text::wrap(&said, usize::from(right - left)).iter().zip(list.y..list.bottom()) {
            pen.put(left, y, right, line, pen.theme.fg(role));
        }
    }
    pen.keys(left, area.bottom().saturating_sub(2), right, &[("⏎", "go"), ("↑ ↓", "choose"), ("esc", "back")]);
}

/// A name with the letters marked that were matched; of a long one the piece
/// around them.
fn name(pen: &mut Pen<'_>, x: u16, y: u16, limit: u16, entry: &Entry) {
    let room = usize::from(limit.saturating_sub(x));
    let first = entry.marks.first().map_or(0, |first| *first as usize);
    let skipped = if first + 12 > room { first.saturating_sub(10) } else { 0 };
    let rest: String = entry.name.chars().skip(skipped).collect();
    let mut at = x;
    if skipped > 0 {
        at = pen.put(at, y, limit, "…", pen.theme.fg(Role::Mute));
    }
    let fitted = text::fit(&rest, room.saturating_sub(usize::from(at - x))).into_owned();
    for (place, c) in fitted.chars().enumerate() {
        let marked = u32::try_from(place + skipped).is_ok_and(|place| entry.marks.binary_search(&place).is_ok());
        let style = if marked { pen.theme.bold(Role::Amber) } else { pen.theme.fg(Role::Text) };
        at = pen.put(at, y, limit, c.encode_utf8(&mut [0; 4]), style);
    }
}
