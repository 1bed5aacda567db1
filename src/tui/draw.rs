//! The window as cells. Reads the app, never changes it; says what can be
//! clicked and when something that shows changes by itself.

mod agents;
mod chat;
mod chrome;
mod detail;
mod dialog;
pub(crate) mod heat;
mod help;
mod motion;
mod origin;
mod page;
mod palette;
mod proposals;
mod sheet;
mod thoughts;
mod yaml;

use jiff::{SignedDuration, Timestamp};
use kgents_core::age;
use kgents_store::Kind;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;

use crate::app::App;
pub(crate) use crate::draw::dialog::dialog_room;
use crate::draw::origin::Origin;
use crate::draw::sheet::Sheet;
pub(crate) use crate::draw::sheet::{matches, page_room, page_text};
use crate::edit::Edit;
use crate::hit::{Hit, HitMap};
use crate::layout::{Pane, Shape};
use crate::overlay::Overlay;
use crate::text;
use crate::theme::{Role, Theme};
use crate::view::Rows;

/// Draws the window into `buffer`, whose area starts at the origin.
pub fn draw(app: &App, buffer: &mut Buffer) -> HitMap {
    let mut hits = HitMap::default();
    let area = buffer.area;
    let mut pen = Pen { buffer, hits: &mut hits, app, theme: &app.look.theme };
    pen.buffer.set_style(area, pen.theme.base());
    let Some(layout) = app.layout() else {
        page::too_small(&mut pen, area);
        return hits;
    };
    chrome::header(&mut pen, layout.header);
    chrome::heartbeat(&mut pen, layout.heartbeat);
    if app.is_bare() {
        let body = Rect { y: 2, height: area.height.saturating_sub(3), ..area };
        page::bare(&mut pen, body);
        if app.problem.is_some() {
            // The rest of what is wrong is what the page is about.
            chrome::banner(&mut pen, layout.footer);
        }
    } else {
        chrome::tabs(&mut pen, layout.tabs);
        for (pane, area, shape) in &layout.panes {
            pen.hits.add(*area, Hit::Pane(*pane));
            draw_pane(&mut pen, *pane, *area, *shape);
        }
        for edge in &layout.edges {
            edge.lines.iter().for_each(|line| pen.hits.add(*line, Hit::Divider(edge.divider)));
        }
        chrome::banner(&mut pen, layout.footer);
    }
    if let Some(overlay) = app.overlays.last() {
        pen.fade();
        match overlay {
            Overlay::Page(page) => sheet::draw(&mut pen, page),
            Overlay::Palette(palette) => palette::draw(&mut pen, palette),
            Overlay::Dialog(dialog) => dialog::draw(&mut pen, dialog),
        }
    }
    chrome::toast(&mut pen, layout.footer);
    chrome::footer(&mut pen, layout.footer);
    // A moment that is past already (two steps in one instant, a clock that
    // was set) must not make the window spin.
    if app.terrarium.moment().is_some() {
        // What was does not change.
        hits.wake_at = None;
    } else if let Some(at) = &mut hits.wake_at {
        *at = (*at).max(app.now.checked_add(SignedDuration::from_millis(100)).unwrap_or(Timestamp::MAX));
    }
    hits
}

fn draw_pane(pen: &mut Pen<'_>, pane: Pane, area: Rect, shape: Shape) {
    match shape {
        Shape::Folded => match pane {
            Pane::Agents => agents::folded(pen, area),
            Pane::Pheromones => heat::folded(pen, area),
            Pane::Proposals => proposals::folded(pen, area),
            Pane::Thoughts => thoughts::folded(pen, area),
            Pane::Chat => {}
        },
        Shape::Open | Shape::Bare => {
            let body = if shape == Shape::Open {
                let count = match pane {
                    Pane::Agents => agents::count(pen.app),
                    Pane::Pheromones => heat::count(pen.app),
                    Pane::Proposals => proposals::count(pen.app),
                    Pane::Thoughts => thoughts::count(pen.app),
                    Pane::Chat => chat::count(pen.app),
                };
                let origin = kind_of(pane).and_then(|kind| origin::of(pen.app, kind));
                pen.pane_box(pane, area, &count, origin.as_ref());
                inner(area)
            } else {
                area
            };
            match pane {
                Pane::Agents => agents::draw(pen, body),
                Pane::Pheromones => heat::draw(pen, body),
                Pane::Proposals => proposals::draw(pen, body),
                Pane::Thoughts => thoughts::draw(pen, body),
                Pane::Chat => chat::draw(pen, body),
            }
            if let Some(origin) = kind_of(pane).and_then(|kind| origin::of(pen.app, kind)) {
                origin::dim(pen, body, origin.freshness);
            }
            chrome::filter(pen, pane, area);
        }
    }
}

/// The kind whose origin is a pane's.
const fn kind_of(pane: Pane) -> Option<Kind> {
    match pane {
        Pane::Agents => Some(Kind::Agent),
        Pane::Pheromones => Some(Kind::Pheromone),
        Pane::Proposals => Some(Kind::Proposal),
        Pane::Thoughts => Some(Kind::Event),
        Pane::Chat => None,
    }
}

/// What is inside a box.
pub(crate) const fn inner(area: Rect) -> Rect {
    Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height.saturating_sub(2) }
}

/// The largest an overlay may be: it never covers header and footer.
fn overlay_bounds(size: (u16, u16)) -> Rect {
    let width = size.0.saturating_sub(if size.0 >= 80 { 8 } else { 0 }).min(124);
    let top = 2.min(size.1.saturating_sub(1));
    let height = size.1.saturating_sub(top + 1);
    Rect::new((size.0 - width) / 2, top, width, height)
}

/// An overlay as wide as it may be and as high as it needs to be.
fn overlay_area(size: (u16, u16), width: u16, rows: usize) -> Rect {
    let bounds = overlay_bounds(size);
    let (width, height) = (bounds.width.min(width), bounds.height.min(u16::try_from(rows).unwrap_or(u16::MAX)));
    Rect { x: (size.0 - width) / 2, y: bounds.y + (bounds.height - height) / 3, width, height }
}

/// The focused pane alone, over the whole of a buffer.
pub(crate) fn pane_alone(app: &App, buffer: &mut Buffer) {
    let mut hits = HitMap::default();
    let area = buffer.area;
    let mut pen = Pen { buffer, hits: &mut hits, app, theme: &app.look.theme };
    draw_pane(&mut pen, app.focus, area, Shape::Bare);
}

/// Takes away a wide character whose second half is about to be drawn over:
/// a terminal would show neither.
pub(crate) fn mend_left(buffer: &mut Buffer, x: u16, y: u16) {
    if let Some(cell) = x.checked_sub(1).and_then(|left| buffer.cell_mut((left, y)))
        && text::width(cell.symbol()) > 1
    {
        cell.set_symbol(" ");
    }
}

/// Writes cells, clipped to where they belong.
pub(crate) struct Pen<'a> {
    buffer: &'a mut Buffer,
    hits: &'a mut HitMap,
    app: &'a App,
    theme: &'a Theme,
}

impl Pen<'_> {
    /// Writes a text from `x` up to `limit`, cut with `…`; answers where it ended.
    fn put(&mut self, x: u16, y: u16, limit: u16, string: &str, style: Style) -> u16 {
        let limit = limit.min(self.buffer.area.right());
        if x >= limit || y >= self.buffer.area.bottom() {
            return x;
        }
        let room = usize::from(limit - x);
        self.buffer.set_stringn(x, y, text::fit(string, room), room, style).0
    }

    /// Writes a text that ends at `right`, if it fits after `left`; answers
    /// where it begins.
    fn put_right(&mut self, left: u16, y: u16, right: u16, string: &str, style: Style) -> u16 {
        let width = text::width(string) as u16;
        if right < left.saturating_add(width) {
            return right;
        }
        self.put(right - width, y, right, string, style);
        right - width
    }

    /// Writes keys with what they do; answers where they ended.
    fn keys(&mut self, x: u16, y: u16, limit: u16, keys: &[(&str, &str)]) -> u16 {
        let mut x = x;
        for (key, what) in keys {
            if x + (text::width(key) + text::width(what) + 1) as u16 <= limit {
                x = self.put(x, y, limit, key, self.theme.bold(Role::Key));
                x = self.put(x + 1, y, limit, what, self.theme.fg(Role::Mute)) + 3;
            }
        }
        x
    }

    /// Writes a line; one that is too long ends in `…`, wherever its spans end.
    fn line(&mut self, x: u16, y: u16, limit: u16, line: &Line<'_>) -> u16 {
        let mut at = x;
        let mut left = line.width();
        for span in line {
            let room = usize::from(limit.saturating_sub(at));
            left = left.saturating_sub(span.width());
            if left > 0 && span.width() >= room && room > 0 {
                // What follows has no room: this one is cut to say so.
                return self.put(at, y, limit, &format!("{}…", span.content), span.style);
            }
            at = self.put(at, y, limit, &span.content, span.style);
        }
        at
    }

    /// Takes the light from everything that was drawn: something lies over it.
    fn fade(&mut self) {
        for cell in &mut self.buffer.content {
            let faded = self.theme.faded(cell.style());
            cell.modifier = Modifier::empty();
            cell.set_style(faded);
        }
    }

    /// Writes a line that is typed, with its cursor, so that the cursor shows;
    /// answers where it ended.
    fn edit_line(&mut self, x: u16, y: u16, limit: u16, edit: &Edit, active: bool) -> u16 {
        let (lines, (row, byte)) = edit.shown();
        let line = lines.get(row).map_or("", String::as_str);
        let (before, after) = line.split_at(byte);
        let room = usize::from(limit.saturating_sub(x + 1));
        // What is far to the left of the cursor is not shown, and not measured.
        let mut width = 0;
        let near = before.grapheme_indices(true).rev().take_while(|(_, grapheme)| {
            width += text::width(grapheme);
            width <= room
        });
        let near = near.last().map_or("", |(start, _)| before.get(start..).unwrap_or_default());
        let mut at = self.put(x, y, limit, near, self.theme.fg(Role::Text));
        let mut graphemes = after.graphemes(true);
        let under = graphemes.next().filter(|_| active);
        if active {
            at = self.put(at, y, limit, under.unwrap_or(" "), self.theme.cursor());
            self.put(at, y, limit, graphemes.as_str(), self.theme.fg(Role::Text))
        } else {
            self.put(at, y, limit, after, self.theme.fg(Role::Text))
        }
    }

    /// Marks a text wherever it stands in a row.
    fn mark(&mut self, row: Rect, wanted: &str, here: bool) {
        let style = if here { self.theme.cap(Role::Amber) } else { self.theme.bold(Role::Amber) };
        let cells: Vec<u16> = (row.left()..row.right().min(self.buffer.area.right())).collect();
        let symbol = |x: &u16| self.buffer.cell((*x, row.y)).map_or(String::new(), |cell| cell.symbol().to_lowercase());
        let symbols: Vec<String> = cells.iter().map(symbol).collect();
        let mut first = 0;
        while first < symbols.len() {
            let mut found = String::new();
            let mut next = first;
            while next < symbols.len() && found.len() < wanted.len() {
                found.push_str(&symbols[next]);
                next += 1;
            }
            if found == wanted {
                self.tint(Rect { x: cells[first], width: (next - first) as u16, ..row }, style);
                first = next;
            } else {
                first += 1;
            }
        }
    }

    /// Lays a style over a piece of a row.
    fn tint(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area, style);
    }

    fn clear(&mut self, area: Rect, surface: Role) {
        let area = area.intersection(self.buffer.area);
        let style = Style::new().fg(self.theme.color(Role::Text)).bg(self.theme.color(surface));
        for y in area.top()..area.bottom() {
            mend_left(self.buffer, area.left(), y);
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    fn frame(&mut self, area: Rect, alive: bool) {
        if area.width < 2 || area.height < 2 {
            return;
        }
        let style = self.theme.fg(if alive { Role::Focus } else { Role::Line });
        let glyphs = self.theme.glyphs;
        let (left, right, top, bottom) = (area.x, area.right() - 1, area.y, area.bottom() - 1);
        for x in left + 1..right {
            self.put(x, top, right, glyphs.horizontal, style);
            self.put(x, bottom, right, glyphs.horizontal, style);
        }
        for y in top + 1..bottom {
            self.put(left, y, right, glyphs.vertical, style);
            self.put(right, y, right + 1, glyphs.vertical, style);
        }
        for ((x, y), corner) in
            [(left, top), (right, top), (left, bottom), (right, bottom)].into_iter().zip(glyphs.corners)
        {
            self.put(x, y, right + 1, corner, style);
        }
    }

    /// Writes what stands in the upper line of a box.
    fn titles(&mut self, area: Rect, number: Option<usize>, title: &str, right: &str, alive: bool) {
        let limit = area.right().saturating_sub(2);
        let mut x = self.put(area.x + 2, area.y, limit, " ", Style::new());
        if let Some(number) = number {
            x = self.put(x, area.y, limit, &format!("{number} "), self.theme.bold(Role::Key));
        }
        let style = self.theme.bold(if alive { Role::Text } else { Role::Soft });
        x = self.put(x, area.y, limit, title, style);
        x = self.put(x, area.y, limit, " ", Style::new());
        if !right.is_empty() {
            let room = usize::from(limit.saturating_sub(x + 3));
            if room > 4 {
                let right = format!(" {} ", text::fit(right, room));
                self.put_right(x + 1, area.y, limit, &right, self.theme.fg(Role::Mute));
            }
        }
    }

    fn pane_box(&mut self, pane: Pane, area: Rect, count: &str, origin: Option<&Origin>) {
        let focused = self.app.focus == pane && self.app.overlays.is_empty();
        self.frame(area, focused);
        // Who says so stands at the right end; what is counted yields to it.
        let mut titles = area;
        if let Some(origin) = origin {
            self.hits.wake_at = self.hits.wake_at.into_iter().chain(origin.wake_at).min();
            let needed = text::width(&origin.text) + text::width(pane.title()) + 12;
            if needed <= usize::from(area.width) {
                let said = format!(" {} ", origin.text);
                let right = area.right().saturating_sub(2);
                let left = self.put_right(area.x, area.y, right, &said, self.theme.fg(origin.role));
                titles.width = left.saturating_sub(area.x) + 1;
            }
        }
        self.titles(titles, Some(pane.number()), pane.title(), count, focused);
    }

    /// Marks the row under the cursor and makes the row clickable.
    fn row(&mut self, pane: Pane, place: usize, area: Rect, selected: bool) {
        self.hits.add(area, Hit::Row(pane, place));
        if selected {
            let focused = self.app.focus == pane;
            self.tint(area, self.theme.selected(focused));
            let role = if focused { Role::Focus } else { Role::Mute };
            self.put(area.x, area.y, area.right(), self.theme.glyphs.cursor, self.theme.fg(role));
        }
    }

    /// The head of a folded pane; answers where its sum may begin.
    fn fold(&mut self, pane: Pane, area: Rect) -> u16 {
        let focused = self.app.focus == pane;
        let x = self.put(area.x, area.y, area.right(), self.theme.glyphs.fold, self.theme.fg(Role::Line));
        let x = self.put(x + 1, area.y, area.right(), &pane.number().to_string(), self.theme.bold(Role::Key));
        let style = self.theme.bold(if focused { Role::Text } else { Role::Soft });
        self.put(x + 1, area.y, area.right(), pane.title(), style);
        area.x + 16
    }

    /// Says an age, and wakes when it is said otherwise.
    fn age(&mut self, since: Timestamp) -> String {
        let (said, wake) = age_of(self.app.now, since);
        self.hits.wake(wake);
        said
    }
}

/// An age in words, and when it will be said otherwise.
fn age_of(now: Timestamp, since: Timestamp) -> (String, Timestamp) {
    let age = now.duration_since(since);
    let wake = now.checked_add(age::next_step(age)).unwrap_or(Timestamp::MAX);
    (age::text(age), wake)
}

/// The time left in words, and when it will be said otherwise.
fn left_of(now: Timestamp, end: Timestamp) -> (String, Timestamp) {
    let left = end.duration_since(now);
    let wake = age::until_next_step(left).and_then(|step| now.checked_add(step).ok());
    (age::until_text(left), wake.unwrap_or(Timestamp::MAX))
}

/// A span of a role.
fn span(theme: &Theme, role: Role, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), theme.fg(role))
}

/// A bold span of a role.
fn bold(theme: &Theme, role: Role, text: impl Into<String>) -> Span<'static> {
    Span::styled(text.into(), theme.bold(role))
}

/// Whether a kind was ever heard: what was not counted has no number.
fn is_known(app: &App, kind: Kind) -> bool {
    app.terrarium.watch(kind).as_of.is_some()
}

/// How many rows show, and of how many where a filter hides some.
fn shown_of<T>(rows: &Rows<T>) -> String {
    let (shown, all) = (rows.len(), rows.all().len());
    if shown == all { all.to_string() } else { format!("{shown} of {all}") }
}

/// A count with its noun.
fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
