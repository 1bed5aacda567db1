//! The dividers: dragged by the mouse, nudged by keys.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp};

use super::App;
use crate::hit::Hit;
use crate::layout::{Divider, Edge, Pane, Splits};
use crate::theme::Role;

/// Two clicks within this time are one double click.
const DOUBLE: SignedDuration = SignedDuration::from_millis(400);
/// Columns and rows that a key moves a divider by.
const STEP: (i32, i32) = (4, 1);

/// Where the dividers stand, and which is moved.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    pub(crate) splits: Splits,
    /// The one that is gripped.
    grip: Option<Grip>,
    /// The one that was clicked last, and when.
    clicked: Option<(Divider, Timestamp)>,
}

/// A divider between the press and the release of the button.
#[derive(Debug)]
struct Grip {
    edge: Edge,
    /// Where it was gripped: its size then is that of the edge.
    at: (u16, u16),
    moved: bool,
}

impl App {
    /// Takes what the mouse does to a divider: whether to draw, or `None`
    /// where it does something else.
    pub(super) fn drag(&mut self, event: MouseEvent, hit: Option<Hit>) -> Option<bool> {
        let at = (event.column, event.row);
        match (event.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Divider(divider))) if self.overlays.is_empty() => {
                let again = self.edges.clicked.is_some_and(|(other, when)| {
                    other == divider && when <= self.clock && self.clock.duration_since(when) <= DOUBLE
                });
                if again {
                    self.edges.clicked = None;
                    self.edges.grip = None;
                    self.edges.splits.set(divider, None);
                    return Some(true);
                }
                self.edges.clicked = Some((divider, self.clock));
                self.edges.grip = self.edge(divider).map(|edge| Grip { edge, at, moved: false });
                Some(false)
            }
            (MouseEventKind::Drag(MouseButton::Left), _) => {
                let grip = self.edges.grip.as_mut()?;
                let by = if grip.edge.upright {
                    i32::from(at.0) - i32::from(grip.at.0)
                } else {
                    i32::from(at.1) - i32::from(grip.at.1)
                };
                grip.moved |= by != 0;
                let edge = grip.edge;
                if by != 0 {
                    // What was dragged is no first half of a double click.
                    self.edges.clicked = None;
                }
                Some(self.move_edge(&edge, by))
            }
            (MouseEventKind::Up(MouseButton::Left), _) => {
                let grip = self.edges.grip.take()?;
                if grip.moved {
                    return Some(false);
                }
                // The line belongs to a pane, and nothing else was meant by a click.
                let pane = self.layout()?.panes.into_iter().find(|(_, area, _)| area.contains(grip.at.into()));
                self.focus = pane.map_or(self.focus, |(pane, ..)| pane);
                Some(true)
            }
            // A button that was released elsewhere is released all the same.
            (MouseEventKind::Down(_), _) => {
                self.edges.grip = None;
                None
            }
            _ => None,
        }
    }

    /// Makes the focused pane larger (1) or smaller (-1).
    pub(super) fn nudge(&mut self, by: i32) {
        let (divider, sign) = match self.focus {
            Pane::Agents => (Divider::Agents, 1),
            Pane::Pheromones => (Divider::Agents, -1),
            Pane::Proposals => (Divider::Proposals, 1),
            Pane::Thoughts => (Divider::Upper, -1),
            Pane::Chat => (Divider::Chat, -1),
        };
        let found = self.edge(divider).map(|edge| (edge, sign));
        let talk = || self.edge(Divider::Talk).filter(|_| self.focus == Pane::Chat).map(|edge| (edge, -1));
        let stack = || {
            // The first of the two open panes is the one above.
            let panes = self.layout()?.panes;
            let first = panes.iter().find(|(_, area, _)| area.height > 1)?.0;
            Some((self.edge(Divider::Stack)?, if first == self.focus { 1 } else { -1 }))
        };
        let Some((edge, sign)) = found.or_else(talk).or_else(stack) else {
            return self.tell(Role::Amber, "This pane has no edge to move here.", "");
        };
        let step = if edge.upright { STEP.0 } else { STEP.1 };
        self.move_edge(&edge, by * sign * step);
    }

    /// A divider as it stands now, if it shows.
    fn edge(&self, divider: Divider) -> Option<Edge> {
        self.layout()?.edges.into_iter().find(|edge| edge.divider == divider)
    }

    /// Moves a divider by so many cells from where it stood; false where it
    /// stays, at its bound or because it stands there already.
    fn move_edge(&mut self, edge: &Edge, by: i32) -> bool {
        let before = self.edge(edge.divider).map(|edge| edge.size);
        let wanted = (i32::from(edge.size) + by).clamp(1, i32::from(edge.whole));
        let was = self.edges.splits;
        self.edges.splits.set(edge.divider, Some(edge.share(u16::try_from(wanted).unwrap_or(edge.size))));
        let Some(now) = self.edge(edge.divider).map(|edge| edge.size) else { return false };
        if Some(now) == before {
            // Neither is a share kept that was never seen.
            self.edges.splits = was;
            return false;
        }
        self.edges.splits.set(edge.divider, Some(edge.share(now)));
        true
    }
}
