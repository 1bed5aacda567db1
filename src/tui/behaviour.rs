//! Key sequences on the real app: what they do to its state.

mod actions;
mod dialogs;
mod edges;
mod pages;
mod plans;

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use jiff::{SignedDuration, Timestamp};
use kgents_store::{Key, Kind};
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::json;

use crate::action::{Spot, TABLE};
use crate::app::App;
use crate::frames::{draw, frame, look};
use crate::layout::Pane;
use crate::msg::{Effect, Msg, Update};
use crate::overlay::{Overlay, Page, Subject};
use crate::testing::{batch, change, garden, gone, now};

fn app() -> App {
    App::over(garden(), look(), (160, 45), now())
}

fn press(word: &str) -> KeyEvent {
    let (code, modifiers) = match word {
        "<cr>" => (KeyCode::Enter, KeyModifiers::NONE),
        "<esc>" => (KeyCode::Esc, KeyModifiers::NONE),
        "<tab>" => (KeyCode::Tab, KeyModifiers::NONE),
        "<s-tab>" => (KeyCode::BackTab, KeyModifiers::SHIFT),
        "<space>" => (KeyCode::Char(' '), KeyModifiers::NONE),
        "<down>" => (KeyCode::Down, KeyModifiers::NONE),
        "<up>" => (KeyCode::Up, KeyModifiers::NONE),
        "<left>" => (KeyCode::Left, KeyModifiers::NONE),
        "<right>" => (KeyCode::Right, KeyModifiers::NONE),
        "<pgdn>" => (KeyCode::PageDown, KeyModifiers::NONE),
        "<pgup>" => (KeyCode::PageUp, KeyModifiers::NONE),
        _ => match word.strip_prefix("c-") {
            Some(rest) => (KeyCode::Char(rest.chars().next().unwrap()), KeyModifiers::CONTROL),
            None => (KeyCode::Char(word.chars().next().unwrap()), KeyModifiers::NONE),
        },
    };
    KeyEvent::new(code, modifiers)
}

/// Presses keys, written as words with spaces between them; answers the last update.
pub(crate) fn keys(app: &mut App, words: &str) -> Update {
    let mut last = Update::default();
    for word in words.split_whitespace() {
        last = app.update(Msg::Key(press(word)), now());
    }
    last
}

/// The page on top.
fn page(app: &App) -> &Page {
    match app.overlays.last() {
        Some(Overlay::Page(page)) => page,
        other => panic!("{other:?}"),
    }
}

fn selected_agent(app: &App) -> String {
    app.views.agents[app.agents.place()].key.name().to_owned()
}

#[test]
fn numbers_and_tab_move_the_focus() {
    let mut app = app();
    for (word, pane) in ["2", "3", "4", "5", "1"].into_iter().zip([
        Pane::Pheromones,
        Pane::Proposals,
        Pane::Thoughts,
        Pane::Chat,
        Pane::Agents,
    ]) {
        keys(&mut app, word);
        assert_eq!(app.focus, pane);
    }
    keys(&mut app, "<tab> <tab>");
    assert_eq!(app.focus, Pane::Proposals);
    keys(&mut app, "<s-tab> <s-tab> <s-tab>");
    assert_eq!(app.focus, Pane::Chat);
}

#[test]
fn the_cursor_moves_and_stops_at_the_ends() {
    let mut app = app();
    keys(&mut app, "j j");
    assert_eq!(app.agents.place(), 2);
    keys(&mut app, "k k k");
    assert_eq!(app.agents.place(), 0);
    keys(&mut app, "G");
    assert_eq!(app.agents.place(), 11);
    keys(&mut app, "<down> <up> g <pgdn>");
    assert!(app.agents.place() > 8);
    keys(&mut app, "<pgup>");
    assert_eq!(app.agents.place(), 0);
}

#[test]
fn a_row_that_moves_takes_the_cursor_along_and_its_neighbour_takes_over() {
    let mut app = app();
    keys(&mut app, "G");
    let last = selected_agent(&app);
    let failed = json!({ "spec": { "genus": "Q" }, "status": { "phase": "Failed" } });
    app.update(Msg::Batch(batch(vec![change(Kind::Agent, &last, 9, failed, false)], Vec::new())), now());
    app.settle();
    assert_eq!(selected_agent(&app), last);
    assert!(app.agents.place() < 8, "a failed agent stands high");
    let place = app.agents.place();
    app.update(Msg::Batch(batch(vec![gone(Kind::Agent, &last)], Vec::new())), now());
    app.settle();
    assert_ne!(selected_agent(&app), last);
    assert_eq!(app.agents.place(), place);
}

#[test]
fn enter_opens_the_row_and_esc_comes_back() {
    let mut app = app();
    let name = selected_agent(&app);
    keys(&mut app, "<cr>");
    assert!(matches!(&page(&app).subject, Subject::Agent(key) if key.name() == name));
    assert!(frame(&mut app).contains(&format!("─ {name} ")));
    keys(&mut app, "<left>");
    assert_eq!(page(&app).tab_name(), "yaml");
    assert!(frame(&mut app).contains("apiVersion: kgents.io/v1"), "{}", frame(&mut app));
    keys(&mut app, "<right> <right> <right>");
    assert_eq!(page(&app).tab_name(), "pods");
    keys(&mut app, "<esc>");
    assert!(app.overlays.is_empty());
    for (words, title) in [("2 <cr>", "half-life"), ("3 <cr>", "velocity"), ("4 <cr>", "around it")] {
        keys(&mut app, words);
        assert!(frame(&mut app).contains(title), "{words}\n{}", frame(&mut app));
        keys(&mut app, "<esc>");
        assert!(app.overlays.is_empty());
    }
}

#[test]
fn a_page_scrolls_no_further_than_its_end() {
    let mut app = app();
    keys(&mut app, "<cr> <left> G");
    let end = page(&app).scroll;
    assert!(end > 0, "YAML is longer than a page");
    keys(&mut app, "j j j");
    assert_eq!(page(&app).scroll, end);
    keys(&mut app, "g");
    assert_eq!(page(&app).scroll, 0);
}

#[test]
fn n_goes_round_what_needs_a_person() {
    let mut app = app();
    let needs = app.views.needs;
    let mut seen = Vec::new();
    for _ in 0..10 {
        keys(&mut app, "n");
        let key: Key = match app.focus {
            Pane::Agents => app.views.agents[app.agents.place()].key.clone(),
            Pane::Proposals => app.views.proposals[app.proposals.place()].key.clone(),
            other => panic!("{other:?}"),
        };
        seen.push((app.focus, key));
    }
    let distinct: HashSet<_> = seen.iter().cloned().collect();
    assert!(distinct.len() >= needs && needs > 0, "{distinct:?}");
    assert!(
        seen[..distinct.len()].iter().collect::<HashSet<_>>().len() == distinct.len(),
        "each once before the first again"
    );
}

#[test]
fn thoughts_follow_until_a_person_looks_back() {
    let mut app = app();
    keys(&mut app, "4 k");
    assert!(app.frozen);
    let seq = |app: &App| app.terrarium.thoughts().get(app.thoughts.place()).unwrap().seq;
    let chosen = seq(&app);
    let news = json!({ "spec": { "genus": "B" }, "status": { "phase": "Degraded" } });
    app.update(Msg::Batch(batch(vec![change(Kind::Agent, "b-gent", 77, news, false)], Vec::new())), now());
    app.settle();
    assert_eq!(seq(&app), chosen, "what is read stays");
    assert!(frame(&mut app).contains("frozen"));
    keys(&mut app, "G");
    assert!(!app.frozen);
    keys(&mut app, "<space>");
    assert!(app.frozen);
    keys(&mut app, "<space>");
    assert!(!app.frozen);
}

#[test]
fn one_goes_back_in_time_and_comes_forward() {
    let mut app = app();
    let later = now() + SignedDuration::from_secs(10);
    let failed = json!({ "spec": { "genus": "Q" }, "status": { "phase": "Failed" } });
    app.update(Msg::Batch(batch(vec![change(Kind::Agent, "billing", 1, failed.clone(), false)], Vec::new())), later);
    let last = later + SignedDuration::from_secs(10);
    app.update(Msg::Batch(batch(vec![gone(Kind::Agent, "k-gent")], Vec::new())), last);
    let press = |app: &mut App, word: &str| {
        app.update(Msg::Key(press(word)), last);
        frame(app)
    };
    let has = |frame: &str| (frame.contains("billing"), frame.contains("○ k-gent"), frame.contains("PAST 14:02:"));
    let live = frame(&mut app);
    assert_eq!(has(&live), (true, false, false), "{live}");
    assert_eq!(has(&press(&mut app, "[")), (true, true, true));
    let first = press(&mut app, "[");
    assert_eq!(has(&first), (false, true, true), "{first}");
    // What happens meanwhile is not shown, and not lost.
    app.update(Msg::Batch(batch(vec![gone(Kind::Agent, "o-gent")], Vec::new())), last);
    assert_eq!(frame(&mut app), first);
    assert!(press(&mut app, "[").contains("No further back"));
    for word in ["<cr>", "l", "l", "l", "l", "<esc>"] {
        assert!(app.update(Msg::Key(self::press(word)), last).effects.is_empty(), "the past asks nobody");
    }
    assert_eq!(has(&press(&mut app, "]")), (true, true, true));
    let now_again = press(&mut app, "<esc>");
    assert_eq!(has(&now_again), (true, false, false));
    assert!(!now_again.contains("▲ o-gent"));
}

#[test]
fn a_filter_of_thoughts_holds_in_the_past_and_afterwards() {
    let mut app = app();
    let later = now() + SignedDuration::from_secs(10);
    keys(&mut app, "4 / k - g e n t <cr>");
    app.update(Msg::Batch(batch(vec![gone(Kind::Agent, "k-gent")], Vec::new())), later);
    assert!(frame(&mut app).contains("k-gent ▎ is gone"));
    app.update(Msg::Key(press("[")), later);
    assert!(!frame(&mut app).contains("▎ is gone"));
    app.update(Msg::Key(press("]")), later);
    assert!(frame(&mut app).contains("k-gent ▎ is gone"));
}

#[test]
fn freezing_stops_all_but_the_source() {
    let mut app = app();
    let still = {
        keys(&mut app, "<space>");
        frame(&mut app)
    };
    app.update(Msg::Batch(batch(vec![gone(Kind::Agent, "k-gent")], Vec::new())), now());
    assert_eq!(frame(&mut app), still);
    keys(&mut app, "<space>");
    assert!(!frame(&mut app).contains("○ k-gent"));
}

#[test]
fn esc_and_a_key_in_one_piece_are_both_heard() {
    let alt = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::ALT);
    let mut app = app();
    keys(&mut app, "<cr>");
    app.update(Msg::Key(alt('3')), now());
    assert!(app.overlays.is_empty());
    assert_eq!(app.focus, Pane::Proposals);
    keys(&mut app, "/ x");
    app.update(Msg::Key(alt('1')), now());
    assert_eq!((app.focus, app.filters[2].text.as_str()), (Pane::Agents, ""));
}

#[test]
fn zoom_gives_one_pane_the_screen() {
    let mut app = app();
    keys(&mut app, "3 z");
    assert_eq!(app.layout().unwrap().panes.len(), 1);
    keys(&mut app, "z");
    assert_eq!(app.layout().unwrap().panes.len(), 5);
}

#[test]
fn leaving_suspending_and_redrawing_are_effects() {
    for (word, effect) in
        [("q", Effect::Quit), ("c-c", Effect::Quit), ("c-z", Effect::Suspend), ("c-l", Effect::Repaint)]
    {
        assert_eq!(keys(&mut app(), word).effects, std::slice::from_ref(&effect));
        assert_eq!(keys(&mut app(), &format!("? {word}")).effects, [effect], "over a page too");
    }
    assert_eq!(keys(&mut app(), "x"), Update { wake_at: app().terrarium.next_end(), ..Update::default() });
}

#[test]
fn help_names_every_key_of_the_pane() {
    let mut app = app();
    keys(&mut app, "4 ?");
    let text = frame(&mut app);
    for row in TABLE.iter().filter(|row| !row.help.is_empty() && row.works(Spot::Thoughts)) {
        assert!(text.contains(row.help), "{}\n{text}", row.help);
    }
    keys(&mut app, "?");
    assert!(app.overlays.is_empty());
}

#[test]
fn a_click_selects_and_a_second_opens() {
    let mut app = app();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 45));
    let hits = draw(&mut app, &mut buffer);
    app.drawn(hits);
    let click = |app: &mut App, x, y| {
        let event = MouseEvent {
            kind: MouseEventKind::Down(MouseButton::Left),
            column: x,
            row: y,
            modifiers: KeyModifiers::NONE,
        };
        app.update(Msg::Mouse(event), now())
    };
    click(&mut app, 10, 5);
    assert_eq!(app.agents.place(), 2);
    click(&mut app, 10, 5);
    assert!(!app.overlays.is_empty());
    let hits = draw(&mut app, &mut buffer);
    app.drawn(hits);
    click(&mut app, 0, 44);
    assert!(app.overlays.is_empty(), "a click beside it closes it");
}

#[test]
fn what_shows_says_when_it_changes_and_silence_sleeps() {
    let mut app = app();
    let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 45));
    let wake = draw(&mut app, &mut buffer).wake_at.unwrap();
    assert!(wake > now() && wake <= now() + SignedDuration::from_secs(60));
    // A day later all has faded: only the minute of the clock is left.
    let later = now() + SignedDuration::from_hours(48);
    app.update(Msg::Wake, later);
    let first = frame(&mut app);
    let minute = |at: Timestamp| at.as_second().div_euclid(60);
    let wake = draw(&mut app, &mut buffer).wake_at.unwrap();
    assert_eq!(minute(wake), minute(later) + 1);
    app.update(Msg::Wake, later + SignedDuration::from_secs(20));
    assert_eq!(frame(&mut app), first, "nothing visible moved within the minute");
}

/// Each drawn value that depends on time must have asked to be woken: between
/// two wakes no cell changes. (Wakes are at least a tenth of a second apart.)
#[test]
fn between_two_wakes_no_cell_changes() {
    let mut app = app();
    let mut at = now();
    let area = Rect::new(0, 0, 160, 45);
    for _ in 0..200 {
        let update = app.update(Msg::Wake, at);
        let mut buffer = Buffer::empty(area);
        let frame = draw(&mut app, &mut buffer).wake_at;
        let wake = [update.wake_at, frame].into_iter().flatten().min().unwrap();
        let just_before = wake - SignedDuration::from_millis(1);
        if just_before > at + SignedDuration::from_millis(100) {
            app.update(Msg::Wake, just_before);
            let mut later = Buffer::empty(area);
            draw(&mut app, &mut later);
            let changes: Vec<_> =
                buffer.diff(&later).into_iter().map(|(x, y, cell)| (x, y, cell.symbol().to_owned())).collect();
            assert!(changes.is_empty(), "at {at}, before {wake}: {changes:?}");
        }
        at = wake;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_of_anything_panics(
        ops in prop::collection::vec((0_u8..6, 0_usize..24, any::<u16>(), any::<u16>()), 1..40),
        start in (0_u16..220, 0_u16..80),
        clock in prop::sample::select(vec![0_i64, 1, 60, 7_200, -90_000, 4_000_000_000]),
    ) {
        let words = ["1", "2", "3", "4", "5", "<tab>", "j", "k", "<pgdn>", "<pgup>", "g", "G", "<cr>", "<esc>", "z", "n", "?", "<right>", "<left>", "<space>", "c-l", "q", "x", "<s-tab>"];
        let mut app = App::over(garden(), look(), start, now());
        let mut at = now();
        for (op, word, a, b) in ops {
            match op {
                0 | 1 => { app.update(Msg::Key(press(words[word])), at); }
                2 => { app.update(Msg::Resize(a % 260, b % 90), at); }
                3 => {
                    let name = format!("b-gent{}", a % 4);
                    let change = if b % 3 == 0 { gone(Kind::Agent, &name) } else {
                        change(Kind::Agent, &name, u32::from(b), json!({ "spec": { "genus": "B" }, "status": { "phase": "Failed" } }), b % 2 == 0)
                    };
                    app.update(Msg::Batch(batch(vec![change], Vec::new())), at);
                }
                4 => {
                    let kind = [MouseEventKind::ScrollDown, MouseEventKind::ScrollUp, MouseEventKind::Down(MouseButton::Left)][word % 3];
                    app.update(Msg::Mouse(MouseEvent { kind, column: a % 200, row: b % 60, modifiers: KeyModifiers::NONE }), at);
                }
                _ => {
                    at = at.checked_add(SignedDuration::from_secs(clock)).unwrap_or(at);
                    app.update(Msg::Wake, at);
                }
            }
            let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
            let hits = draw(&mut app, &mut buffer);
            prop_assert!(hits.wake_at.is_none_or(|wake| wake > at));
            app.drawn(hits);
        }
    }
}
