//! The dividers between panes: how much each side has.

use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

/// A line between panes that can be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Divider {
    /// Agents on the left, pheromones on the right.
    Agents,
    /// Agents and pheromones above the rest.
    Upper,
    /// The proposals above the thoughts.
    Proposals,
    /// All else on the left, the chat on the right.
    Chat,
    /// Thoughts on the left, the chat that opens beside them on the right.
    Talk,
    /// The two open panes of one column.
    Stack,
}

impl Divider {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Agents, Self::Upper, Self::Proposals, Self::Chat, Self::Talk, Self::Stack];
}

/// The shares of the dividers in thousandths; `None` where nobody moved one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Splits {
    #[serde(skip_serializing_if = "Option::is_none")]
    agents: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proposals: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    talk: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<u16>,
}

/// No pane is dragged narrower than this.
const NARROWEST: u16 = 24;
/// No pane is dragged lower than this: a box with one line in it.
const LOWEST: u16 = 3;
/// The upper panes keep a row and the field's axis.
const LOWEST_UPPER: u16 = 5;
/// What stands left of the chat keeps two panes side by side.
const NARROWEST_LEFT: u16 = 2 * NARROWEST + 12;

impl Splits {
    /// Sets the share of a divider, in thousandths; `None` puts it back.
    pub fn set(&mut self, divider: Divider, share: Option<u16>) {
        *self.slot(divider) = share;
    }

    fn slot(&mut self, divider: Divider) -> &mut Option<u16> {
        match divider {
            Divider::Agents => &mut self.agents,
            Divider::Upper => &mut self.upper,
            Divider::Proposals => &mut self.proposals,
            Divider::Chat => &mut self.chat,
            Divider::Talk => &mut self.talk,
            Divider::Stack => &mut self.stack,
        }
    }

    /// Columns on the left of an upright divider, of `whole`.
    pub(crate) fn columns(&self, divider: Divider, whole: u16) -> u16 {
        let (share, usual, least) = match divider {
            Divider::Chat => (self.chat, whole - (whole / 4).clamp(38, 60), NARROWEST_LEFT),
            Divider::Talk => (self.talk, whole - part(whole, 2, 5), NARROWEST),
            _ => (self.agents, part(whole, 4, 7), NARROWEST),
        };
        share.map_or(usual, |share| held(part(whole, share, 1_000), least, whole.saturating_sub(NARROWEST)))
    }

    /// Rows of the upper panes and of the proposals, of `whole`.
    pub(crate) fn heights(&self, whole: u16) -> (u16, u16) {
        let most = whole.saturating_sub(2 * LOWEST);
        let top = match self.upper {
            Some(share) => held(part(whole, share, 1_000), LOWEST_UPPER, most),
            None => part(whole, 2, 5).clamp(6, 24),
        };
        let usual = (whole / 6).clamp(4, 12);
        let proposals = self.proposals.map_or(usual, |share| part(whole, share, 1_000));
        (top, held(proposals, LOWEST, whole.saturating_sub(top + LOWEST)))
    }

    /// Rows of the first of two open panes, of `whole`.
    pub(crate) fn first(&self, whole: u16) -> u16 {
        let first = |share| held(part(whole, share, 1_000), LOWEST, whole.saturating_sub(LOWEST));
        self.stack.map_or(part(whole, 11, 20), first)
    }
}

/// `whole` times `share` of `of`, but never more than `whole`.
fn part(whole: u16, share: u16, of: u16) -> u16 {
    let part = u32::from(whole) * u32::from(share) / u32::from(of);
    u16::try_from(part).unwrap_or(whole).min(whole)
}

/// Within both bounds; the upper one counts where they cross.
fn held(size: u16, least: u16, most: u16) -> u16 {
    size.max(least).min(most.max(1))
}

/// A divider as it stands on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Which one.
    pub divider: Divider,
    /// The cells on its two sides that can be gripped.
    pub lines: [Rect; 2],
    /// It moves left and right, else up and down.
    pub upright: bool,
    /// Cells of what it makes larger when it moves right or down.
    pub size: u16,
    /// The cells that are shared.
    pub whole: u16,
}

impl Edge {
    /// One that has `size` columns of an area on its left.
    pub(crate) const fn upright(divider: Divider, area: Rect, size: u16) -> Self {
        let line = Rect { x: area.x + size - 1, width: 1, ..area };
        let lines = [line, Rect { x: area.x + size, ..line }];
        Self { divider, lines, upright: true, size, whole: area.width }
    }

    /// One under the first `size` rows of an area, which has them of `whole`.
    pub(crate) const fn level(divider: Divider, area: Rect, size: u16, whole: u16) -> Self {
        let line = Rect { y: area.y + size - 1, height: 1, ..area };
        let lines = [line, Rect { y: area.y + size, ..line }];
        Self { divider, lines, upright: false, size, whole }
    }

    /// The share that gives `size` cells.
    pub fn share(&self, size: u16) -> u16 {
        let share = (u32::from(size) * 1_000).div_ceil(u32::from(self.whole.max(1)));
        u16::try_from(share).unwrap_or(1_000).min(1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_divider_stays_within_its_bounds_and_goes_back() {
        let mut splits = Splits::default();
        assert_eq!((splits.columns(Divider::Agents, 119), splits.heights(42)), (68, (16, 7)));
        for (share, columns, rows) in [(0, 24, 5), (500, 59, 21), (1_000, 95, 36), (u16::MAX, 95, 36)] {
            splits.set(Divider::Agents, Some(share));
            splits.set(Divider::Upper, Some(share));
            assert_eq!((splits.columns(Divider::Agents, 119), splits.heights(42).0), (columns, rows), "{share}");
        }
        splits.set(Divider::Agents, None);
        splits.set(Divider::Upper, None);
        assert_eq!(splits, Splits::default());
    }
}
