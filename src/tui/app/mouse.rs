//! The mouse: clicks, the wheel.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::App;
use crate::hit::Hit;
use crate::layout::Pane;
use crate::msg::Update;
use crate::overlay::Overlay;

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent, update: &mut Update) -> bool {
        let hit = self.hits.at(event.column, event.row);
        if let Some(redraw) = self.drag(event, hit) {
            return redraw;
        }
        match event.kind {
            MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
                if let (true, Some(Hit::Pane(pane) | Hit::Row(pane, _))) = (self.overlays.is_empty(), hit) {
                    self.focus = pane;
                }
                self.step(if event.kind == MouseEventKind::ScrollDown { 3 } else { -3 });
                true
            }
            MouseEventKind::Down(MouseButton::Left) => self.click(hit, event.column, update),
            _ => false,
        }
    }

    fn click(&mut self, hit: Option<Hit>, x: u16, update: &mut Update) -> bool {
        if self.overlays.is_empty() {
            match hit {
                Some(Hit::Pane(pane)) => self.focus = pane,
                Some(Hit::Cells(type_, first)) => {
                    self.focus = Pane::Pheromones;
                    let columns = self.field.rows.first().map_or(1, |row| row.cells.len());
                    let back = columns.saturating_sub(usize::from(x.saturating_sub(first)) + 1);
                    let again = self.cell == Some((type_, back));
                    self.cell = Some((type_, back));
                    if again {
                        self.open(update);
                    }
                }
                Some(Hit::Row(pane, place)) => {
                    self.cell = None;
                    let again = self.focus == pane && self.cursor(pane) == Some(place);
                    self.choose(pane, place);
                    if again {
                        self.open(update);
                    }
                }
                _ => return false,
            }
            return true;
        }
        match (hit, self.overlays.last_mut()) {
            (Some(Hit::Tab(tab)), Some(Overlay::Page(page))) => {
                let by = isize::try_from(tab).unwrap_or(0) - isize::try_from(page.tab).unwrap_or(0);
                self.turn(by, update);
            }
            (Some(Hit::Entry(place)), Some(Overlay::Palette(palette))) => {
                palette.place = place;
                self.go(update);
            }
            (Some(Hit::Overlay | Hit::Entry(_) | Hit::Tab(_)), _) => {}
            // A click beside an overlay closes it.
            _ => {
                if let Some(overlay) = self.overlays.pop() {
                    self.close(&overlay, update);
                }
            }
        }
        true
    }
}
