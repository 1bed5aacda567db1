//! What was drawn where, and when it changes by itself.

use jiff::Timestamp;
use kgents_api::PheromoneType;
use ratatui::layout::{Position, Rect};

use crate::layout::{Divider, Pane};

/// Something that can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// A pane.
    Pane(Pane),
    /// A row of a pane's list, by its place in the whole list.
    Row(Pane, usize),
    /// A row of the heatmap, whose cells begin at this column of the screen.
    Cells(PheromoneType, u16),
    /// A line between panes.
    Divider(Divider),
    /// A tab of the overlay.
    Tab(usize),
    /// An entry of the palette, by its place.
    Entry(usize),
    /// The overlay itself.
    Overlay,
}

/// What a frame holds for the mouse and the clock.
#[derive(Clone, Debug, Default)]
pub struct HitMap {
    regions: Vec<(Rect, Hit)>,
    /// When something that shows crosses a step (an age, a strength, the
    /// clock); `None` when nothing ever will by itself.
    pub wake_at: Option<Timestamp>,
}

impl HitMap {
    pub(crate) fn add(&mut self, area: Rect, hit: Hit) {
        self.regions.push((area, hit));
    }

    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |other| other.min(at)));
    }

    /// What lies at a cell; what was drawn last lies on top.
    pub fn at(&self, x: u16, y: u16) -> Option<Hit> {
        let position = Position::new(x, y);
        self.regions.iter().rev().find(|(area, _)| area.contains(position)).map(|(_, hit)| *hit)
    }
}
