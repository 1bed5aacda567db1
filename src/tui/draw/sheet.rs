//! Pages as they lie over the panes: their content, how far it scrolls, what
//! is found in it.

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use super::{Pen, detail, help, inner, overlay_area, overlay_bounds};
use crate::app::App;
use crate::hit::Hit;
use crate::overlay::{LOGS, Overlay, Page, Subject};
use crate::text;
use crate::theme::Role;

/// How much room the content of a page has at most, in cells and rows.
#[derive(Clone, Copy)]
pub(super) struct Room {
    pub(super) width: usize,
    pub(super) height: usize,
}

/// An overlay's content, laid out for its room.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) right: String,
    /// What stays on top while the rest scrolls.
    pub(super) head: Vec<Line<'static>>,
    pub(super) body: Body,
    /// What stays at the bottom.
    pub(super) foot: Vec<Line<'static>>,
    /// When a line changes by itself.
    pub(super) wake_at: Option<Timestamp>,
}

/// The lines that scroll.
pub(super) enum Body {
    /// All of them.
    Whole(Vec<Line<'static>>),
    /// Of very many only those that show.
    Part(Part),
}

/// The rows that show of very many lines.
pub(super) struct Part {
    /// How many lines there are.
    pub(super) total: usize,
    /// How far they can be scrolled.
    pub(super) room: usize,
    /// Rows with the places of their lines; a long line may have several.
    pub(super) rows: Vec<(usize, Line<'static>)>,
}

/// Below this height what stays at the bottom is left out: the footer of the
/// window names the same keys.
const FOOT_FROM: usize = 20;

impl Sheet {
    /// A sheet of lines that all scroll.
    pub(super) fn new(title: String, right: String, lines: Vec<Line<'static>>) -> Self {
        let body = Body::Whole(lines);
        Self { title, right, head: Vec::new(), body, foot: Vec::new(), wake_at: None }
    }

    fn total(&self) -> usize {
        match &self.body {
            Body::Whole(lines) => lines.len(),
            Body::Part(part) => part.total,
        }
    }

    /// How many rows there are for what scrolls.
    fn rows(&self, height: usize) -> usize {
        height.saturating_sub(self.head.len() + self.foot.len()).max(1)
    }

    /// How far it can be scrolled in a height.
    fn room(&self, height: usize) -> usize {
        match &self.body {
            Body::Whole(lines) => lines.len().saturating_sub(self.rows(height)),
            Body::Part(part) => part.room,
        }
    }
}

fn sheet(app: &App, page: &Page, room: Room) -> Sheet {
    let mut sheet = match &page.subject {
        Subject::Agent(key) => detail::agent(app, page, key, room),
        Subject::Pheromone(key) => detail::pheromone(app, page, key, room),
        Subject::Proposal(key) => detail::proposal(app, page, key, room.width),
        Subject::Thought(thought) => detail::thought(app, thought, room.width),
        Subject::Cell(type_, from, to) => detail::cell(app, *type_, *from, *to, room.width),
        Subject::Help(spot) => help::sheet(app, *spot, room.width),
    };
    if room.height < FOOT_FROM {
        sheet.foot.clear();
    }
    sheet
}

/// Lines of a page that are not content: its frame, and tabs if any.
fn page_frame(page: &Page) -> u16 {
    if page.subject.tabs().is_empty() { 2 } else { 4 }
}

/// The most room that the content of a page has.
fn room_of(app: &App, page: &Page) -> Room {
    let bounds = overlay_bounds(app.size);
    let height = bounds.height.saturating_sub(page_frame(page));
    Room { width: usize::from(bounds.width.saturating_sub(6)), height: usize::from(height) }
}

/// The page on top, if one is, as it is laid out in its room.
fn top_sheet(app: &App) -> Option<(&Page, Sheet, Room)> {
    let Some(Overlay::Page(page)) = app.overlays.last() else { return None };
    let room = room_of(app, page);
    Some((page, sheet(app, page, room), room))
}

/// Whether a page shows logs.
fn is_logs(page: &Page) -> bool {
    matches!(page.subject, Subject::Agent(_)) && page.tab == LOGS
}

/// The page on top as text: its title, its lines, its object. Of logs the
/// lines as they came, all that are kept.
pub(crate) fn page_text(app: &App) -> Option<(String, Vec<String>, Option<serde_json::Value>)> {
    let (page, sheet, _) = top_sheet(app)?;
    let lines = match &sheet.body {
        Body::Whole(lines) => sheet.head.iter().chain(lines).map(ToString::to_string).collect(),
        Body::Part(_) => page.facts.logs.lines.iter().map(ToString::to_string).collect(),
    };
    let object = page.subject.object().and_then(|(kind, key)| app.object(kind, key));
    Some((sheet.title, lines, object))
}

/// How far the page on top can be scrolled.
pub(crate) fn page_room(app: &App) -> usize {
    top_sheet(app).map_or(0, |(_, sheet, room)| sheet.room(room.height))
}

/// The lines of the page on top that hold what is searched for.
pub(crate) fn matches(app: &App) -> Vec<usize> {
    let Some((page, sheet, _)) = top_sheet(app) else { return Vec::new() };
    matches_of(page, &sheet)
}

/// The places of the lines that hold what is searched for, in order.
fn matches_of(page: &Page, sheet: &Sheet) -> Vec<usize> {
    let wanted = &page.search.text;
    if wanted.is_empty() {
        return Vec::new();
    }
    match &sheet.body {
        Body::Whole(lines) => {
            let holds = |line: &Line<'_>| text::holds(&line.to_string(), wanted);
            lines.iter().enumerate().filter(|(_, line)| holds(line)).map(|(place, _)| place).collect()
        }
        // Of very many the lines themselves are asked, as they came.
        Body::Part(_) if is_logs(page) => {
            let lines = page.facts.logs.lines.iter().enumerate();
            lines.filter(|(_, line)| text::holds(line, wanted)).map(|(place, _)| place).collect()
        }
        Body::Part(_) => Vec::new(),
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, page: &Page) {
    let (bounds, room) = (overlay_bounds(pen.app.size), room_of(pen.app, page));
    let sheet = sheet(pen.app, page, room);
    // Never larger than what it holds.
    let still = usize::from(page_frame(page)) + sheet.head.len() + sheet.foot.len();
    let area = overlay_area(pen.app.size, bounds.width, sheet.total().saturating_add(still).max(8));
    pen.hits.add(area, Hit::Overlay);
    pen.clear(area, Role::Raised);
    pen.frame(area, true);
    pen.titles(area, None, &sheet.title, &sheet.right, true);
    let body = tabs(pen, page, inner(area));
    let (left, right) = (body.x + 2, body.right().saturating_sub(2));
    let mut y = body.y;
    for line in &sheet.head {
        pen.line(left, y, right, line);
        y += 1;
    }
    let end = body.bottom().saturating_sub(sheet.foot.len() as u16);
    let scroll = page.scroll.min(sheet.room(room.height));
    let matches = matches_of(page, &sheet);
    let rows: Vec<(usize, &Line<'static>)> = match &sheet.body {
        Body::Whole(lines) => lines.iter().enumerate().skip(scroll).collect(),
        Body::Part(part) => part.rows.iter().map(|(place, line)| (*place, line)).collect(),
    };
    let mut last = scroll;
    for ((place, line), y) in rows.into_iter().zip(y..end) {
        pen.line(left, y, right, line);
        last = place;
        if matches.binary_search(&place).is_ok() {
            let here = matches.get(page.search.at) == Some(&place);
            pen.mark(Rect { y, height: 1, ..body }, &page.search.text, here);
        }
    }
    for (line, y) in sheet.foot.iter().zip(end..body.bottom()) {
        pen.line(left, y, right, line);
    }
    if sheet.room(room.height) > 0 {
        let shown = format!(" {}–{} of {} ", scroll + 1, last + 1, thousands(sheet.total() as i64));
        let x = area.right().saturating_sub(text::width(&shown) as u16 + 3);
        pen.put(x, area.bottom().saturating_sub(1), area.right(), &shown, pen.theme.fg(Role::Mute));
    }
    search_line(pen, page, area, matches.len());
    if let Some(at) = sheet.wake_at {
        pen.hits.wake(at);
    }
}

/// Draws the tabs, if there are any; answers what is left below them.
fn tabs(pen: &mut Pen<'_>, page: &Page, body: Rect) -> Rect {
    let tabs = page.subject.tabs();
    if tabs.is_empty() {
        return body;
    }
    let mut x = body.x + 1;
    for (place, name) in tabs.iter().enumerate() {
        let style = if place == page.tab { pen.theme.cap(Role::Moss) } else { pen.theme.fg(Role::Soft) };
        let start = x;
        x = pen.put(x, body.y, body.right(), &format!(" {name} "), style) + 1;
        pen.hits.add(Rect::new(start, body.y, x - start, 1), Hit::Tab(place));
    }
    Rect { y: body.y + 2, height: body.height.saturating_sub(2), ..body }
}

/// What is searched for, in the lower line of the page.
fn search_line(pen: &mut Pen<'_>, page: &Page, area: Rect, matches: usize) {
    if page.search.edit.is_none() && page.search.text.is_empty() {
        return;
    }
    let (y, limit) = (area.bottom().saturating_sub(1), area.right().saturating_sub(24));
    let mut x = pen.put(area.x + 2, y, limit, " /", pen.theme.bold(Role::Key));
    match &page.search.edit {
        Some(edit) => x = pen.edit_line(x, y, limit, edit, true),
        None => x = pen.put(x, y, limit, &page.search.text, pen.theme.fg(Role::Text)),
    }
    let said = match matches {
        0 => "  nothing here ".to_owned(),
        count => format!("  {} of {count} ", page.search.at.min(count - 1) + 1),
    };
    pen.put(x, y, limit, &said, pen.theme.fg(Role::Mute));
}

/// A number with its thousands told apart.
pub(super) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut said = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    if number < 0 { format!("-{said}") } else { said }
}

/// The cells that spans take.
pub(super) fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}

/// Spans in at most so many cells; what is cut ends in `…`.
pub(super) fn cut(spans: Vec<Span<'static>>, cells: usize) -> Vec<Span<'static>> {
    if width(&spans) <= cells {
        return spans;
    }
    let mut rows = broken(spans, cells.saturating_sub(1).max(1), 0);
    if rows.is_empty() || cells == 0 {
        return Vec::new();
    }
    let mut first = rows.swap_remove(0);
    if let Some(last) = first.last_mut() {
        *last = Span::styled(format!("{}…", last.content.trim_end()), last.style);
    }
    first
}

/// Spans broken into rows of at most so many cells, anywhere; rows after the
/// first are indented.
pub(super) fn broken(spans: Vec<Span<'static>>, cells: usize, indent: usize) -> Vec<Vec<Span<'static>>> {
    let cells = cells.max(indent + 1);
    let (mut rows, mut row, mut used) = (Vec::new(), Vec::new(), 0);
    for span in spans {
        if used + span.width() <= cells {
            used += span.width();
            row.push(span);
            continue;
        }
        let mut piece = String::new();
        for grapheme in span.content.graphemes(true) {
            let size = text::width(grapheme);
            if used + size > cells {
                if !piece.is_empty() {
                    row.push(Span::styled(std::mem::take(&mut piece), span.style));
                }
                rows.push(std::mem::take(&mut row));
                row.extend((indent > 0).then(|| Span::raw(" ".repeat(indent))));
                used = indent;
            }
            used += size;
            piece.push_str(grapheme);
        }
        if !piece.is_empty() {
            row.push(Span::styled(piece, span.style));
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(row: &[Span<'_>]) -> String {
        row.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn spans_are_cut_and_broken_by_cells() {
        let spans = || vec![Span::raw("日本"), Span::raw("語 and "), Span::raw("more")];
        assert_eq!(said(&cut(spans(), 40)), "日本語 and more");
        assert_eq!(said(&cut(spans(), 8)), "日本語…");
        assert_eq!(said(&cut(spans(), 0)), "");
        let rows: Vec<String> = broken(spans(), 6, 2).iter().map(|row| said(row)).collect();
        assert_eq!(rows, ["日本語", "   and", "   mor", "  e"]);
        assert!(broken(Vec::new(), 6, 2).is_empty());
    }

    #[test]
    fn numbers_have_their_thousands() {
        assert_eq!(thousands(1_234_567), "1,234,567");
        assert_eq!(thousands(-12), "-12");
        assert_eq!(thousands(100), "100");
    }
}
