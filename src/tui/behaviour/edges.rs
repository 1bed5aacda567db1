//! Dividers under the mouse and under keys.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::SignedDuration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::keys;
use crate::app::App;
use crate::frames::{draw, look};
use crate::layout::{Divider, Edge, Pane};
use crate::msg::Msg;
use crate::testing::{garden, now};

fn app(size: (u16, u16)) -> App {
    let mut app = App::over(garden(), look(), size, now());
    show(&mut app);
    app
}

/// Draws, so that the mouse knows where things are.
fn show(app: &mut App) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    let hits = draw(app, &mut buffer);
    app.drawn(hits);
}

fn mouse(app: &mut App, kind: MouseEventKind, (column, row): (u16, u16), after: i64) -> bool {
    let event = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
    let update = app.update(Msg::Mouse(event), now() + SignedDuration::from_millis(after));
    show(app);
    update.redraw
}

const DOWN: MouseEventKind = MouseEventKind::Down(MouseButton::Left);
const DRAG: MouseEventKind = MouseEventKind::Drag(MouseButton::Left);
const UP: MouseEventKind = MouseEventKind::Up(MouseButton::Left);

fn edge(app: &App, divider: Divider) -> Option<Edge> {
    app.layout().unwrap().edges.into_iter().find(|edge| edge.divider == divider)
}

#[test]
fn each_divider_follows_the_mouse_and_stops_before_a_pane_is_gone() {
    for (size, focus, dividers) in [
        ((160, 45), "1", vec![Divider::Agents, Divider::Upper, Divider::Proposals, Divider::Chat]),
        ((120, 40), "5", vec![Divider::Agents, Divider::Upper, Divider::Proposals, Divider::Talk]),
        ((80, 24), "1", vec![Divider::Stack]),
        ((80, 24), "5", vec![Divider::Stack]),
    ] {
        for divider in dividers {
            for side in 0..2 {
                let mut app = app(size);
                keys(&mut app, focus);
                show(&mut app);
                let before = edge(&app, divider).unwrap();
                // Where the title does not stand, at the line's far end.
                let line = before.lines[side];
                let grip = (line.right() - 1, line.bottom() - 1);
                let grip = if before.upright { (grip.0, line.y + 3) } else { (line.x + 5, grip.1) };
                mouse(&mut app, DOWN, grip, 0);
                let moved = if before.upright { (grip.0 - 2, grip.1) } else { (grip.0, grip.1 - 1) };
                assert!(mouse(&mut app, DRAG, moved, 50), "{divider:?} {size:?}");
                let after = edge(&app, divider).unwrap();
                let by = if before.upright { 2 } else { 1 };
                assert_eq!(after.size, before.size - by, "{divider:?} {size:?}");
                mouse(&mut app, DRAG, (0, 0), 60);
                mouse(&mut app, UP, (0, 0), 70);
                let end = edge(&app, divider).unwrap();
                assert!(end.size >= 3 && end.size <= after.size, "{divider:?}: {end:?}");
                assert!(!mouse(&mut app, DRAG, (50, 20), 80), "it is let go");
            }
        }
    }
}

#[test]
fn a_double_click_puts_a_divider_back_and_a_click_focuses_its_pane() {
    let mut app = app((160, 45));
    let start = edge(&app, Divider::Upper).unwrap();
    let grip = (5, start.lines[1].y);
    for (kind, at) in [(DOWN, grip), (DRAG, (5, grip.1 + 4)), (UP, (5, grip.1 + 4))] {
        mouse(&mut app, kind, at, 0);
    }
    let grip = (5, grip.1 + 4);
    assert_eq!(edge(&app, Divider::Upper).unwrap().size, start.size + 4);
    mouse(&mut app, DOWN, grip, 1_000);
    mouse(&mut app, UP, grip, 1_050);
    assert_eq!(app.focus, Pane::Proposals);
    mouse(&mut app, DOWN, grip, 1_500);
    assert_eq!(edge(&app, Divider::Upper).unwrap().size, start.size + 4, "too late for a double click");
    mouse(&mut app, UP, grip, 1_510);
    mouse(&mut app, DOWN, grip, 1_600);
    assert_eq!(edge(&app, Divider::Upper).unwrap(), start);
}

#[test]
fn keys_make_the_focused_pane_larger_and_smaller_wherever_there_is_an_edge() {
    for (size, panes) in [((160, 45), "1 2 3 4 5"), ((120, 40), "1 2 3 4 5"), ((80, 24), "1 2 3 4 5")] {
        for word in panes.split_whitespace() {
            let mut app = app(size);
            keys(&mut app, word);
            let area = |app: &App| {
                let panes = app.layout().unwrap().panes;
                panes.into_iter().find(|(pane, ..)| *pane == app.focus).unwrap().1.area()
            };
            let before = area(&app);
            keys(&mut app, ">");
            assert!(area(&app) > before, "{word} at {size:?}");
            keys(&mut app, "< <");
            assert!(area(&app) < before, "{word} at {size:?}");
        }
    }
    let mut app = app((160, 45));
    keys(&mut app, "z >");
    assert!(app.toast.as_ref().is_some_and(|toast| toast.said.contains("no edge")));
}
