//! Where everything stands, from the size of the terminal alone.

use ratatui::layout::Rect;

/// One of the five panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Last line: the keys.
    pub footer: Rect,
}

/// Below this nothing but a sentence fits.
pub const MIN: (u16, u16) = (20, 5);

/// Lays out a terminal of `width` by `height` cells; `None` when it is too small.
pub fn layout(width: u16, height: u16, focus: Pane, zoom: bool) -> Option<Layout> {
    if width < MIN.0 || height < MIN.1 {
        return None;
    }
    let row = |y: u16, h: u16| Rect::new(0, y, width, h);
    let compact = width < 60 || height < 16;
    let mut layout = Layout {
        header: row(0, 1),
        heartbeat: if compact { Rect::default() } else { row(1, 1) },
        tabs: if compact { row(1, 1) } else { Rect::default() },
        panes: Vec::new(),
        footer: row(height - 1, 1),
    };
    let body = row(2, height - 3);
    layout.panes = if compact {
        vec![(focus, body, Shape::Bare)]
    } else if zoom {
        vec![(focus, body, Shape::Open)]
    } else if width >= 160 {
        wide(body)
    } else if width >= 100 {
        medium(body, focus)
    } else {
        stacked(body, focus)
    };
    Some(layout)
}

/// Height of the upper panes and of the proposals, in a body of this height.
fn shares(height: u16) -> (u16, u16) {
    let top = (height * 2 / 5).clamp(6, 24);
    let proposals = (height / 6).clamp(4, 12);
    (top, proposals)
}

fn wide(body: Rect) -> Vec<(Pane, Rect, Shape)> {
    let chat = (body.width / 4).clamp(38, 60);
    let (top, proposals) = shares(body.height);
    let left = Rect { width: body.width - chat, ..body };
    let mut panes = upper(Rect { height: top, ..left });
    panes.push((Pane::Proposals, Rect { y: left.y + top, height: proposals, ..left }, Shape::Open));
    let used = top + proposals;
    let thoughts = Rect { y: left.y + used, height: left.height - used, ..left };
    panes.push((Pane::Thoughts, thoughts, Shape::Open));
    let chat = Rect { x: left.width, width: chat, ..body };
    panes.push((Pane::Chat, chat, Shape::Open));
    panes
}

fn medium(body: Rect, focus: Pane) -> Vec<(Pane, Rect, Shape)> {
    let (top, proposals) = shares(body.height);
    let mut panes = upper(Rect { height: top, ..body });
    panes.push((Pane::Proposals, Rect { y: body.y + top, height: proposals, ..body }, Shape::Open));
    let used = top + proposals;
    let rest = Rect { y: body.y + used, height: body.height - used, ..body };
    // Chat opens beside the thoughts, and closes when the focus leaves it.
    if focus == Pane::Chat {
        let chat = rest.width * 2 / 5;
        panes.push((Pane::Thoughts, Rect { width: rest.width - chat, ..rest }, Shape::Open));
        panes.push((Pane::Chat, Rect { x: rest.x + rest.width - chat, width: chat, ..rest }, Shape::Open));
    } else {
        panes.push((Pane::Thoughts, rest, Shape::Open));
    }
    panes
}

fn upper(area: Rect) -> Vec<(Pane, Rect, Shape)> {
    let agents = area.width * 4 / 7;
    vec![
        (Pane::Agents, Rect { width: agents, ..area }, Shape::Open),
        (Pane::Pheromones, Rect { x: area.x + agents, width: area.width - agents, ..area }, Shape::Open),
    ]
}

/// One column: the focused pane and one more are open, the others fold to a line.
fn stacked(body: Rect, focus: Pane) -> Vec<(Pane, Rect, Shape)> {
    let other = if focus == Pane::Thoughts { Pane::Agents } else { Pane::Thoughts };
    let listed: Vec<Pane> = Pane::ALL.into_iter().filter(|pane| *pane != Pane::Chat || focus == Pane::Chat).collect();
    let folded = (listed.len() - 2) as u16;
    let room = body.height - folded;
    let first = room * 11 / 20;
    let mut y = body.y;
    let mut opened = 0;
    listed
        .into_iter()
        .map(|pane| {
            let open = pane == focus || pane == other;
            let height = match (open, opened) {
                (false, _) => 1,
                (true, 0) => first,
                (true, _) => room - first,
            };
            opened += u16::from(open);
            let area = Rect { y, height, ..body };
            y += height;
            (pane, area, if open { Shape::Open } else { Shape::Folded })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Shape::{Bare, Folded, Open};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_size_has_its_layout() {
        let shapes = |w, h, focus| {
            layout(w, h, focus, false).map(|l| l.panes.iter().map(|p| (p.0.number(), p.2)).collect::<Vec<_>>())
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

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn panes_fill_the_body_and_never_overlap(w in 1_u16..600, h in 1_u16..300, focus in 0_usize..5, zoom in any::<bool>()) {
            let focus = Pane::ALL[focus];
            let Some(layout) = layout(w, h, focus, zoom) else {
                prop_assert!(w < 20 || h < 5);
                return Ok(());
            };
            let mut area = 0;
            for (i, (_, a, _)) in layout.panes.iter().enumerate() {
                prop_assert!(a.right() <= w && a.bottom() < h && a.y >= 2 && a.width > 0 && a.height > 0);
                area += a.area();
                for (_, b, _) in &layout.panes[i + 1..] {
                    prop_assert!(a.intersection(*b).is_empty());
                }
            }
            prop_assert_eq!(area, u32::from(w) * u32::from(h - 3));
            prop_assert!(layout.panes.iter().any(|(pane, _, _)| *pane == focus));
        }
    }
}
