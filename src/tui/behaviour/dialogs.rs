//! A change before it is sent: in a window of any size all of it can be seen.

use crossterm::event::{KeyModifiers, MouseEvent, MouseEventKind};
use insta::assert_snapshot;
use kgents_store::act;
use kgents_store::request::{Answer, Ask};
use proptest::prelude::*;

use super::{keys, press};
use crate::app::App;
use crate::draw::dialog_room;
use crate::frames::pages::{asked, page, reply};
use crate::frames::{frame, look};
use crate::msg::{Msg, Update};
use crate::overlay::{Dialog, Draft, Overlay};
use crate::testing::{garden, now};

/// A name that no row of a small window holds.
const USER: &str = "system:serviceaccount:kgents-agents:a-gardener-whose-name-is-long-and-ends-in-z";

/// A window where changes are allowed, after keys; the API server has said who
/// one is.
fn after(words: &str, size: (u16, u16)) -> App {
    let mut look = look();
    look.write = true;
    let mut app = App::over(garden(), look, size, now());
    let update = words.split_whitespace().fold(Update::default(), |mut all, word| {
        all.effects.extend(app.update(Msg::Key(press(word)), now()).effects);
        all
    });
    for (id, ask) in asked(&update) {
        if ask == Ask::WhoAmI {
            reply(&mut app, id, Answer::You(USER.to_owned()));
        }
    }
    app
}

fn write(app: &mut App, text: &str) {
    app.update(Msg::Paste(text.to_owned()), now());
}

fn resize(app: &mut App, size: (u16, u16)) {
    app.update(Msg::Resize(size.0, size.1), now());
}

fn wheel(app: &mut App, kind: MouseEventKind) {
    app.update(Msg::Mouse(MouseEvent { kind, column: 9, row: 9, modifiers: KeyModifiers::NONE }), now());
}

fn dialog(app: &App) -> &Dialog {
    match app.overlays.last() {
        Some(Overlay::Dialog(dialog)) => dialog,
        other => panic!("{other:?}"),
    }
}

/// The letters of a text, without what layout puts between them.
fn letters(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// What the dialog would send.
fn wanted(app: &App) -> String {
    let act = dialog(app).act(Some(USER)).unwrap();
    letters(&act::wire(&act, USER, now()).lines().join(" "))
}

/// The rows of the dialog between its frame and its keys.
fn rows(app: &mut App) -> Vec<String> {
    let shown = page(app, app.size);
    let mut rows: Vec<String> = shown.lines().skip(1).map(|row| row.trim_matches(['│', ' ']).to_owned()).collect();
    rows.truncate(rows.len() - 2);
    rows
}

/// All that can be read from the top to the end, page by page.
fn read(app: &mut App) -> String {
    let mut all: Vec<String> = Vec::new();
    loop {
        let (far, shown) = dialog_room(app).unwrap();
        let mut rows = rows(app);
        if far == 0 {
            return letters(&rows.join(" "));
        }
        let first = dialog(app).scroll;
        let more = if first < far { "pgdn" } else { "pgup" };
        let mark = rows.pop().unwrap();
        assert!(mark.starts_with(&format!("{}–{} ", first + 1, first + shown)), "{mark}");
        assert!(mark.contains(more), "{mark}");
        // Pages may overlap, but leave nothing out.
        assert!(first <= all.len());
        all.truncate(first);
        all.extend(rows.split_off(rows.len() - shown));
        if first == far {
            return letters(&all.join(" "));
        }
        keys(app, "<pgdn>");
    }
}

const SIZES: &[(u16, u16)] = &[(160, 45), (80, 24), (60, 20), (60, 12), (40, 12), (24, 10), (20, 9)];

#[test]
fn all_of_what_would_be_sent_can_be_read_in_any_size() {
    let reason = "The queue is 140 deep and grows by 14 a second; ".repeat(4) + "the last word";
    for size in SIZES {
        for (words, typed) in [
            ("3 a", ""),
            ("3 a", reason.as_str()),
            ("3 r", reason.as_str()),
            ("2 e", ""),
            ("2 e <tab>", reason.as_str()),
            ("S", ""),
            ("c-d", "d-gent-2"),
        ] {
            let mut app = after(words, *size);
            write(&mut app, typed);
            let (wanted, read) = (wanted(&app), read(&mut app));
            assert!(read.contains(&wanted), "{words} {size:?}\n{wanted}\n{read}\n{}", frame(&mut app));
            let frame = frame(&mut app);
            assert!(frame.contains("⏎ send") && frame.contains("esc "), "{words} {size:?}\n{frame}");
        }
    }
}

#[test]
fn what_is_empty_yields_before_anything_scrolls() {
    let mut app = after("S", (80, 24));
    let gaps = |app: &mut App| rows(app).iter().filter(|row| row.is_empty()).count();
    assert_eq!(gaps(&mut app), 5);
    for (height, left) in [(16, 5), (15, 4), (13, 2), (11, 0)] {
        resize(&mut app, (120, height));
        assert_eq!((gaps(&mut app), dialog_room(&app)), (left, Some((0, 0))), "{}", frame(&mut app));
    }
    resize(&mut app, (120, 10));
    assert!(dialog_room(&app).unwrap().0 > 0);
}

#[test]
fn pages_and_the_wheel_scroll_and_stop_at_the_ends() {
    let mut app = after("3 a", (60, 20));
    let (far, _) = dialog_room(&app).unwrap();
    assert!(far > 3);
    let scroll = |app: &App| dialog(app).scroll;
    keys(&mut app, "<pgup>");
    assert_eq!(scroll(&app), 0);
    wheel(&mut app, MouseEventKind::ScrollDown);
    assert_eq!(scroll(&app), 3);
    keys(&mut app, "<pgdn> <pgdn> <pgdn>");
    assert_eq!(scroll(&app), far);
    assert!(frame(&mut app).contains("at: \"2026-03-14T14:02:31Z\""));
    wheel(&mut app, MouseEventKind::ScrollUp);
    assert_eq!(scroll(&app), far - 3);
    // It never stands behind the end of what shows now.
    keys(&mut app, "<pgdn>");
    resize(&mut app, (60, 22));
    keys(&mut app, "<pgup>");
    assert_eq!(scroll(&app), 0);
    keys(&mut app, "<pgdn> <pgdn>");
    resize(&mut app, (160, 45));
    assert!(wanted(&app).ends_with("\"2026-03-14T14:02:31Z\"") && read(&mut app).contains(&wanted(&app)));
}

#[test]
fn one_types_while_it_is_scrolled() {
    let mut app = after("3 a", (60, 20));
    keys(&mut app, "<pgdn> n o w <up> <down>");
    let far = dialog(&app).scroll;
    assert!(far > 0, "arrows belong to the fields");
    assert_eq!(dialog(&app).fields[0].edit.text(), "now");
    keys(&mut app, "<pgdn>");
    assert!(frame(&mut app).contains("reason: now"), "{}", frame(&mut app));
    let mut app = after("2 e <pgdn> <down>", (40, 12));
    assert_eq!(dialog(&app).field, 1);
    keys(&mut app, "d i s k");
    let frame = frame(&mut app);
    assert!(frame.contains("payload   ❯ disk"), "the line that is typed stays\n{frame}");
}

#[test]
fn arrows_scroll_where_nothing_is_typed() {
    let mut app = after(": w r i t e <cr> : w r i t e <cr>", (20, 9));
    assert_eq!(dialog(&app).draft, Draft::WriteMode);
    keys(&mut app, "<down> <down> <up>");
    assert_eq!(dialog(&app).scroll, 1);
}

#[test]
fn a_message_hides_nothing_of_it() {
    let mut app = after(": w r i t e <cr> : w r i t e <cr> <cr> 3 a", (80, 20));
    let frame = frame(&mut app);
    assert!(frame.contains("▌ Changes from this window are allowed."), "{frame}");
    assert!(frame.contains(" · pgdn") && frame.contains("⏎ send, once   esc send nothing"), "{frame}");
}

#[test]
fn why_it_is_not_sent_is_seen_at_once() {
    for size in SIZES {
        let mut app = after("2 e <tab> <tab> <tab> x <pgdn> <pgdn> <pgdn> <pgdn>", *size);
        keys(&mut app, "<cr>");
        assert!(frame(&mut app).contains("Not sent: a"), "{}", frame(&mut app));
    }
}

#[test]
fn what_cannot_be_seen_is_not_sent() {
    for size in [(0, 0), (1, 1), (19, 30), (20, 5), (20, 6), (200, 7), (20, 8)] {
        let mut app = after("3 a", (80, 24));
        resize(&mut app, size);
        let update = keys(&mut app, "<cr> <pgdn> <down> <cr>");
        assert!(update.effects.is_empty(), "{size:?}");
        let small = frame(&mut app);
        assert!(size.1 < 6 || small.contains("too small"), "{small}");
        resize(&mut app, (80, 24));
        assert!(frame(&mut app).contains("Not sent: the window was too small to show what is sent."));
        let update = keys(&mut app, "<cr>");
        assert!(matches!(asked(&update).as_slice(), [(_, Ask::Act(_))]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_size_panics(
        words in prop::sample::select(vec!["3 a", "3 r", "2 e", "S", "c-d"]),
        typed in ".{0,60}",
        sizes in prop::collection::vec((0_u16..100, 0_u16..40), 1..6),
    ) {
        let mut app = after(words, (80, 24));
        write(&mut app, &typed);
        for size in sizes {
            resize(&mut app, size);
            keys(&mut app, "<pgdn> <pgdn>");
            frame(&mut app);
            keys(&mut app, "<pgup>");
            if let Some((far, shown)) = dialog_room(&app) {
                prop_assert!(dialog(&app).scroll <= far && (far == 0 || shown > 0));
            }
            frame(&mut app);
        }
    }
}

#[test]
fn the_dialog_of_an_approval() {
    for size in [(80, 24), (60, 20), (40, 12)] {
        let mut app = after("3 a", size);
        let top = page(&mut app, size);
        keys(&mut app, "<pgdn> <pgdn> <pgdn> <pgdn> <pgdn> <pgdn> <pgdn>");
        let end = page(&mut app, size);
        insta::with_settings!({ snapshot_path => "../snapshots" }, {
            assert_snapshot!(format!("dialog_approve_{}x{}", size.0, size.1), [top, end].join("\n"));
        });
    }
}
