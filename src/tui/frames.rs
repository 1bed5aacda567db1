//! Frames as they are drawn, at the sizes that matter.

pub(crate) mod pages;
pub(crate) mod plans;

use std::sync::Arc;

use insta::assert_snapshot;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use kgents_store::bus::Control;
use kgents_store::watch::{Link, Watch, WatchState};
use kgents_store::{Kind, Layer, Terrarium};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::json;

use crate::app::{App, Look};
use crate::hit::HitMap;
use crate::keymap::Keymap;
use crate::snapshot::plain;
use crate::testing::{batch, change, garden, kube, live, now};
use crate::theme::{ColourLevel, NAMES, Palette, Theme};

pub(crate) fn look() -> Look {
    Look {
        theme: Theme::new(ColourLevel::True, false),
        zone: TimeZone::UTC,
        keymap: Keymap::default(),
        write: false,
        motion: true,
        compact: false,
    }
}

/// Draws as the runtime does: the views first, then the cells.
pub(crate) fn draw(app: &mut App, buffer: &mut Buffer) -> HitMap {
    app.settle();
    crate::draw::draw(app, buffer)
}

pub(crate) fn frame(app: &mut App) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    draw(app, &mut buffer);
    plain(&buffer)
}

fn of(terrarium: Terrarium, size: (u16, u16)) -> String {
    frame(&mut App::over(terrarium, look(), size, now()))
}

#[test]
fn the_garden_at_every_size() {
    for (w, h) in [(200, 60), (160, 45), (120, 40), (80, 24), (60, 20), (40, 12), (20, 5), (1, 1)] {
        assert_snapshot!(format!("garden_{w}x{h}"), of(garden(), (w, h)));
    }
}

#[test]
fn pages_for_when_there_is_nothing_to_show() {
    let watches = |state: WatchState| {
        Kind::ALL
            .map(|kind| Control::Watch(kind, Watch { state: state.clone(), as_of: None, refused: Vec::new() }))
            .to_vec()
    };
    let scene = live().remove(0);
    let up = kube(Link::Up { version: "v1.36.3".into() });
    let speaks = Control::Speaks(Some(Layer::Kube));
    let down = kube(Link::Down {
        since: now(),
        error: "https://127.0.0.1:6443 refuses the connection".into(),
        hint: "kubectl config get-contexts".into(),
    });
    let forbidden = WatchState::Forbidden { verb: "list".into(), resource: "agents.kgents.io".into(), namespace: None };
    for (name, control) in [
        ("connecting", vec![]),
        ("empty", live()),
        ("down", vec![scene.clone(), down]),
        ("missing", [vec![scene.clone(), speaks.clone(), up.clone()], watches(WatchState::Missing)].concat()),
        ("forbidden", [vec![scene, speaks, up], watches(forbidden)].concat()),
    ] {
        let mut terrarium = Terrarium::default();
        terrarium.apply(batch(Vec::new(), control), now());
        assert_snapshot!(name, of(terrarium, (100, 30)));
    }
}

#[test]
fn a_silent_server_keeps_what_it_said_last() {
    let mut terrarium = garden();
    let down = Link::Down {
        since: now() - SignedDuration::from_mins(3),
        error: "https://127.0.0.1:6443 refuses the connection".into(),
        hint: "kubectl cluster-info".into(),
    };
    terrarium.apply(batch(Vec::new(), vec![kube(down), Control::Speaks(Some(Layer::Ghost))]), now());
    assert_snapshot!("silent", of(terrarium, (120, 30)));
}

#[test]
fn what_may_not_be_read_is_said_with_what_to_type() {
    let tell = |watch: Watch| {
        let mut terrarium = garden();
        terrarium.apply(batch(Vec::new(), vec![Control::Watch(Kind::Event, watch)]), now());
        of(terrarium, (160, 45))
    };
    let state = WatchState::Forbidden { verb: "list".into(), resource: "events".into(), namespace: None };
    let frame = tell(Watch { state, as_of: None, refused: Vec::new() });
    assert!(frame.contains("You may not list events in the cluster.  kubectl auth can-i list events"), "{frame}");
    let refused = vec!["vault".to_owned(), "payroll".to_owned()];
    let frame = tell(Watch { state: WatchState::Live, as_of: Some(now()), refused });
    let said = "You may not read the events of vault, payroll.  kubectl auth can-i list events -n vault";
    assert!(frame.contains(said), "{frame}");
}

#[test]
fn hostile_and_wide_text_stays_in_its_cells() {
    let mut terrarium = garden();
    let reason = "مرحبا بالعالم \u{202e}evil\u{1b}[31m 日本語のとても長いメッセージです 👩‍👩‍👧 e\u{301}\n\nnext line";
    let body = json!({ "spec": { "genus": "A" }, "status": { "phase": "Failed", "conditions": [
        { "type": "Ready", "status": "False", "reason": "Bad", "message": reason, "lastTransitionTime": "2026-03-14T14:00:00Z" } ] } });
    let many = (0..3).map(|i| change(Kind::Agent, &format!("wide-{i}"), 1, body.clone(), false)).collect();
    terrarium.apply(batch(many, Vec::new()), now());
    let text = of(terrarium, (120, 40));
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
    for line in text.lines() {
        assert!(crate::text::width(line) <= 120, "{line}");
    }
    assert_snapshot!("hostile", text);
}

#[test]
fn colours_are_a_luxury() {
    for (name, level, ascii) in [("ansi16", ColourLevel::Ansi16, false), ("none_ascii", ColourLevel::None, true)] {
        let look = Look { theme: Theme::new(level, ascii), ..look() };
        let mut app = App::over(garden(), look, (80, 24), now());
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        draw(&mut app, &mut buffer);
        if ascii {
            let text = plain(&buffer);
            assert!(text.chars().all(|c| c.is_ascii() || "…·—“”→⏎⇥←⇧␣".contains(c)), "{text}");
        }
        assert_snapshot!(format!("level_{name}"), format!("{buffer:?}"));
    }
}

/// The colours of a frame: each pair of ink and ground with how many cells
/// have it, the commonest first.
fn pairs(buffer: &Buffer) -> String {
    let mut counts = std::collections::BTreeMap::new();
    for cell in &buffer.content {
        *counts.entry(format!("{:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier)).or_insert(0) += 1;
    }
    let mut lines: Vec<(i32, String)> = counts.into_iter().map(|(pair, count)| (-count, pair)).collect();
    lines.sort();
    let lines: Vec<String> = lines.into_iter().map(|(count, pair)| format!("{:>4}  {pair}", -count)).collect();
    lines.join("\n")
}

#[test]
fn each_theme_has_its_colours() {
    for name in NAMES {
        let palette = Arc::new(Palette::named(name).unwrap());
        let look = Look { theme: Theme::of(palette, ColourLevel::Ansi256, false), ..look() };
        let mut app = App::over(garden(), look, (60, 20), now());
        let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 20));
        draw(&mut app, &mut buffer);
        assert_snapshot!(format!("theme_{name}"), pairs(&buffer));
    }
}
