//! Where everything stands, from the size of the terminal and the dividers.

use ratatui::layout::Rect;
use serde::{Deserialize, Serialize};

pub use crate::splits::{Divider, Edge, Splits};

/// One of the five panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Pane {
    Agents,
    Pheromones,
    Proposals,
    Thoughts,
    Chat,
}

impl Pane {
    /// All panes; a pane's number is its place, from 1.
    pub const ALL: [Self; 5] = [Self::Agents, Self::Pheromones, Self::Proposals, Self::Thoughts, Self::Chat];

    /// The title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Pheromones => "pheromones",
            Self::Proposals => "proposals",
            Self::Thoughts => "thoughts",
            Self::Chat => "chat",
        }
    }

    /// The digit that focuses the pane.
    pub const fn number(self) -> usize {
        self as usize + 1
    }
}

/// How a pane is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A box with its content.
    Open,
    /// One line that sums it up.
    Folded,
    /// Content without a box, under tabs.
    Bare,
}

/// Where everything stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// First line: where and how.
    pub header: Rect,
    /// Second line: the heartbeat; empty where there is no room.
    pub heartbeat: Rect,
    /// Tabs of the compact layout; empty elsewhere.
    pub tabs: Rect,
    /// The panes that show, in reading order.
    pub panes: Vec<(Pane, Rect, Shape)>,
    /// The lines between them.
    pub edges: Vec<Edge>,
    /// Last line: the keys.
    pub footer: Rect,
}

/// Which of the layouts, and of which pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The pane that has the focus.
    pub focus: Pane,
    /// It has the whole screen.
    pub zoom: bool,
    /// The compact layout, whatever the size.
    pub compact: bool,
}

/// Below this nothing but a sentence fits.
pub const MIN: (u16, u16) = (20, 5);

/// Lays out a terminal of `width` by `height` cells; `None` when it is too small.
pub fn layout(width: u16, height: u16, view: View, splits: &Splits) -> Option<Layout> {
    if width < MIN.0 || height < MIN.1 {
        return None;
    }
    let row = |y: u16, h: u16| Rect::new(0, y, width, h);
    let compact = view.compact || width < 60 || height < 16;
    let focus = view.focus;
    let body = row(2, height - 3);
    let (panes, edges) = if compact {
        (vec![(focus, body, Shape::Bare)], Vec::new())
    } else if view.zoom {
        (vec![(focus, body, Shape::Open)], Vec::new())
    } else if width >= 160 {
        wide(body, splits)
    } else if width >= 100 {
        medium(body, focus, splits)
    } else {
        stacked(body, focus, splits)
    };
    Some(Layout {
        header: row(0, 1),
        heartbeat: if compact { Rect::default() } else { row(1, 1) },
        tabs: if compact { row(1, 1) } else { Rect::default() },
        panes,
        edges,
        footer: row(height - 1, 1),
    })
}

/// Panes, and the lines between them.
type Parts = (Vec<(Pane, Rect, Shape)>, Vec<Edge>);

/// The panes on the left, or in all the width: agents and pheromones above,
/// then the proposals, then what is left.
fn rows(body: Rect, splits: &Splits) -> (Parts, Rect) {
    let (top, proposals) = splits.heights(body.height);
    let upper = Rect { height: top, ..body };
    let agents = splits.columns(Divider::Agents, body.width);
    let middle = Rect { y: body.y + top, height: proposals, ..body };
    let used = top + proposals;
    let rest = Rect { y: body.y + used, height: body.height - used, ..body };
    let panes = vec![
        (Pane::Agents, Rect { width: agents, ..upper }, Shape::Open),
        (Pane::Pheromones, Rect { x: body.x + agents, width: body.width - agents, ..upper }, Shape::Open),
        (Pane::Proposals, middle, Shape::Open),
    ];
    let edges = vec![
        Edge::upright(Divider::Agents, upper, agents),
        Edge::level(Divider::Upper, body, top, body.height),
        Edge::level(Divider::Proposals, middle, proposals, body.height),
    ];
    ((panes, edges), rest)
}

fn wide(body: Rect, splits: &Splits) -> Parts {
    let left = splits.columns(Divider::Chat, body.width);
    let ((mut panes, mut edges), rest) = rows(Rect { width: left, ..body }, splits);
    panes.push((Pane::Thoughts, rest, Shape::Open));
    panes.push((Pane::Chat, Rect { x: body.x + left, width: body.width - left, ..body }, Shape::Open));
    edges.push(Edge::upright(Divider::Chat, body, left));
    (panes, edges)
}

fn medium(body: Rect, focus: Pane, splits: &Splits) -> Parts {
    let ((mut panes, mut edges), rest) = rows(body, splits);
    // Chat opens beside the thoughts, and closes when the focus leaves it.
    if focus == Pane::Chat {
        let thoughts = splits.columns(Divider::Talk, rest.width);
        panes.push((Pane::Thoughts, Rect { width: thoughts, ..rest }, Shape::Open));
        panes.push((Pane::Chat, Rect { x: rest.x + thoughts, width: rest.width - thoughts, ..rest }, Shape::Open));
        edges.push(Edge::upright(Divider::Talk, rest, thoughts));
    } else {
        panes.push((Pane::Thoughts, rest, Shape::Open));
    }
    (panes, edges)
}

/// One column: the focused pane and one more are open, the others fold to a line.
fn stacked(body: Rect, focus: Pane, splits: &Splits) -> Parts {
    let other = if focus == Pane::Thoughts { Pane::Agents } else { Pane::Thoughts };
    let listed: Vec<Pane> = Pane::ALL.into_iter().filter(|pane| *pane != Pane::Chat || focus == Pane::Chat).collect();
    let folded = (listed.len() - 2) as u16;
    let room = body.height - folded;
    let first = splits.first(room);
    let mut y = body.y;
    let mut opened: Vec<Rect> = Vec::new();
    let panes = listed
        .into_iter()
        .map(|pane| {
            let open = pane == focus || pane == other;
            let height = match (open, opened.len()) {
                (false, _) => 1,
                (true, 0) => first,
                (true, _) => room - first,
            };
            let area = Rect { y, height, ..body };
            if open {
                opened.push(area);
            }
            y += height;
            (pane, area, if open { Shape::Open } else { Shape::Folded })
        })
        .collect();
    let edges = match opened.as_slice() {
        [above, below] => vec![Edge {
            lines: [Rect { y: above.bottom() - 1, height: 1, ..*above }, Rect { height: 1, ..*below }],
            ..Edge::level(Divider::Stack, *above, first, room)
        }],
        _ => Vec::new(),
    };
    (panes, edges)
}

#[cfg(test)]
mod tests {
    use super::Shape::{Bare, Folded, Open};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_size_has_its_layout() {
        let shapes = |w, h, focus| {
            let view = View { focus, zoom: false, compact: false };
            layout(w, h, view, &Splits::default())
                .map(|l| l.panes.iter().map(|p| (p.0.number(), p.2)).collect::<Vec<_>>())
        };
        assert_eq!(shapes(19, 5, Pane::Agents), None);
        assert_eq!(shapes(20, 4, Pane::Agents), None);
        assert_eq!(shapes(20, 5, Pane::Chat).unwrap(), [(5, Bare)]);
        assert_eq!(shapes(60, 15, Pane::Agents).unwrap(), [(1, Bare)]);
        assert_eq!(shapes(80, 24, Pane::Agents).unwrap(), [(1, Open), (2, Folded), (3, Folded), (4, Open)]);
        assert_eq!(shapes(80, 24, Pane::Thoughts).unwrap(), [(1, Open), (2, Folded), (3, Folded), (4, Open)]);
        assert_eq!(shapes(80, 24, Pane::Chat).unwrap(), [(1, Folded), (2, Folded), (3, Folded), (4, Open), (5, Open)]);
        assert_eq!(shapes(120, 40, Pane::Agents).unwrap().len(), 4);
        assert_eq!(shapes(120, 40, Pane::Chat).unwrap().len(), 5);
        assert_eq!(shapes(160, 45, Pane::Agents).unwrap().len(), 5);
    }

    #[test]
    fn compact_is_compact_at_any_size() {
        let view = View { focus: Pane::Thoughts, zoom: true, compact: true };
        let layout = layout(200, 60, view, &Splits::default()).unwrap();
        assert_eq!(layout.panes, [(Pane::Thoughts, Rect::new(0, 2, 200, 57), Bare)]);
        assert!(layout.heartbeat.is_empty() && layout.edges.is_empty() && layout.tabs.width == 200);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn panes_fill_the_body_and_never_overlap(w in 1_u16..600, h in 1_u16..300, focus in 0_usize..5, zoom in any::<bool>(), compact in any::<bool>(), shares in any::<[Option<u16>; 6]>()) {
            let focus = Pane::ALL[focus];
            let mut splits = Splits::default();
            for (divider, share) in Divider::ALL.into_iter().zip(shares) {
                splits.set(divider, share);
            }
            let Some(layout) = layout(w, h, View { focus, zoom, compact }, &splits) else {
                prop_assert!(w < 20 || h < 5);
                return Ok(());
            };
            let mut area = 0;
            for (i, (_, a, shape)) in layout.panes.iter().enumerate() {
                prop_assert!(*shape != Shape::Open || zoom || (a.width >= 24 && a.height >= 3), "{a:?}");
                prop_assert!(a.right() <= w && a.bottom() < h && a.y >= 2 && a.width > 0 && a.height > 0);
                area += a.area();
                for (_, b, _) in &layout.panes[i + 1..] {
                    prop_assert!(a.intersection(*b).is_empty());
                }
            }
            prop_assert_eq!(area, u32::from(w) * u32::from(h - 3));
            prop_assert!(layout.panes.iter().any(|(pane, _, _)| *pane == focus));
            for edge in &layout.edges {
                prop_assert!(edge.size > 0 && edge.size < edge.whole);
                let mut again = splits;
                again.set(edge.divider, Some(edge.share(edge.size)));
                let moved = super::layout(w, h, View { focus, zoom, compact }, &again);
                prop_assert_eq!(moved.map(|moved| moved.panes), Some(layout.panes.clone()), "{:?}", edge);
            }
        }
    }
}
