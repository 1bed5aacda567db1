//! The window in a terminal: what it shows, how it takes keys and sizes, and
//! how it leaves.

mod own;

use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, pheromone, proposal};
use crate::support::place::Place;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    let mut all = cases![
        it_shows_what_is_there_and_follows_changes,
        keys_open_and_close_and_quit,
        any_size_is_survived,
        no_key_is_lost_in_a_storm_of_sizes,
        it_is_suspended_and_comes_back,
        a_signal_ends_it_and_the_terminal_is_as_before,
        without_a_cluster_it_opens_and_says_what_to_do,
        nothing_is_written_while_nothing_happens,
        a_dumb_terminal_gets_lines,
        a_snapshot_is_one_frame,
        settings_are_read_again_and_a_bad_file_is_told,
        auto_follows_the_answer_of_the_terminal_and_no_key_is_lost,
        a_theme_is_changed_while_the_window_is_open,
        a_bad_theme_is_told_and_the_window_opens,
    ];
    all.extend(own::cases());
    all
}

/// Columns and rows of a terminal as most have it.
const SIZE: (u16, u16) = (120, 40);

fn it_shows_what_is_there_and_follows_changes(place: &Place) {
    place.apply(&[agent("b-gent", "B"), pheromone("low", "WARNING", 0), proposal("grow", "b-gent")]);
    let window = place.user.window(SIZE, &["observe"]);
    for text in ["b-gent", "WARNING", "grow", "K8S"] {
        window.expect(text);
    }
    place.apply(&[agent("newcomer", "N")]);
    window.expect("newcomer");
    place.set_status("agent", "newcomer", &json!({ "phase": "Failed" }));
    window.expect("Failed");
    place.kubectl(&["delete", "agent", "newcomer"]).ok();
    place.kubectl(&["delete", "proposal", "grow"]).ok();
    window.refute("proposes grow");
}

fn keys_open_and_close_and_quit(place: &Place) {
    place.apply(&[agent("a-gent", "B"), agent("b-gent", "T")]);
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("b-gent");
    window.key("?");
    window.expect("go to the next agent or proposal that needs a person");
    window.key("esc");
    window.refute("go to the next agent or proposal that needs a person");
    window.key("1");
    window.key("G");
    window.key("enter");
    window.expect("tester");
    window.key("esc");
    window.refute("tester");
    window.key("tab");
    window.key("down");
    window.key("up");
    window.types("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn any_size_is_survived(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("b-gent");
    for (columns, rows) in [(1, 1), (2, 50), (200, 1), (20, 5), (500, 200), (60, 20), (19, 4)] {
        window.resize(columns, rows);
    }
    window.resize(80, 24);
    window.expect("b-gent");
    window.key("ctrl-c");
    assert_eq!(window.ended().is_restored().code, 0);

    let tiny = place.user.window((1, 1), &["observe"]);
    tiny.resize(100, 30);
    tiny.expect("b-gent");
}

fn no_key_is_lost_in_a_storm_of_sizes() {
    let user = User::new();
    let mut window = user.window(SIZE, &["observe"]);
    window.expect("no kubeconfig");
    let help = "draw the whole screen anew";
    for round in 0..40 {
        // The size and the key arrive together.
        window.resize(100 + round % 2, 30);
        window.key("?");
        if round % 2 == 0 { window.expect(help) } else { window.refute(help) }
    }
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn it_is_suspended_and_comes_back(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("b-gent");
    window.key("ctrl-z");
    window.expect_screen("the shell's screen", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    place.apply(&[agent("meanwhile", "N")]);
    window.signal(Signal::CONT);
    window.expect_screen("the window's screen", vt100::Screen::alternate_screen);
    window.expect("meanwhile");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn a_signal_ends_it_and_the_terminal_is_as_before(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let window = place.user.window(SIZE, &["observe"]);
        window.expect("b-gent");
        window.signal(signal);
        assert_eq!(window.ended().is_restored().code, 0, "{signal:?}");
    }
}

fn without_a_cluster_it_opens_and_says_what_to_do() {
    for size in [SIZE, (80, 24), (60, 16)] {
        let user = User::new();
        let mut window = user.window(size, &["observe"]);
        window.expect("no kubeconfig");
        window.expect("kgents observe");
        window.key("q");
        assert_eq!(window.ended().is_restored().code, 0);
    }
}

fn nothing_is_written_while_nothing_happens(place: &Place) {
    // An agent has no age on the screen, and nothing else here has a clock.
    place.apply(&[agent("b-gent", "B")]);
    let window = place.user.window(SIZE, &["observe"]);
    window.expect("b-gent");
    let before = window.wait_quiet(Duration::from_secs(2));
    place.set_status("agent", "b-gent", &json!({ "phase": "Running", "readyReplicas": 1 }));
    window.expect_screen("the change", |_| window.bytes_written() > before);
}

fn a_dumb_terminal_gets_lines(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let user = User::with(place.kubeconfig()).var("TERM", "dumb");
    let window = user.window(SIZE, &["observe"]);
    window.expect("Source kube connected");
    window.expect("b-gent");
    window.expect_screen("no window", |screen| !screen.alternate_screen() && !screen.hide_cursor());
    window.signal(Signal::TERM);
    assert_eq!(window.ended().is_restored().code, 0);
}

fn a_snapshot_is_one_frame(place: &Place) {
    place.apply(&[agent("b-gent", "B"), proposal("grow", "b-gent")]);
    for (size, columns, rows) in [("160x45", 160, 45), ("80x24", 80, 24), ("40x12", 40, 12), ("1x1", 1, 1)] {
        let frame = place.kgents(&["observe", "--snapshot", "--size", size]).ok();
        assert!(!frame.contains('\u{1b}'), "{frame:?}");
        assert!(frame.lines().count() <= rows, "{size}:\n{frame}");
        assert!(frame.lines().all(|line| line.chars().count() <= columns), "{size}:\n{frame}");
        assert!(columns < 40 || frame.contains("b-gent"), "{size}:\n{frame}");
    }
}

fn settings_are_read_again_and_a_bad_file_is_told() {
    let user = User::new();
    let file = user.path("config.toml");
    std::fs::write(&file, "").unwrap();
    let mut window = user.window((120, 40), &["observe", "--config", file.to_str().unwrap()]);
    window.expect("no kubeconfig");
    window.expect("▁▁▁");
    std::fs::write(&file, "[window]\nascii = true\n").unwrap();
    window.refute("▁▁▁");
    // What was good stays.
    std::fs::write(&file, "[window]\nascii = true\nutf = true\n").unwrap();
    window.expect("unknown key `window.utf`");
    window.expect("kgents config check");
    window.refute("▁▁▁");
    std::fs::write(&file, "").unwrap();
    window.refute("unknown key");
    window.expect("▁▁▁");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

/// What is behind the first cell.
fn ground(screen: &vt100::Screen) -> vt100::Color {
    screen.cell(0, 0).map_or(vt100::Color::Default, vt100::Cell::bgcolor)
}

/// The surfaces of the dark and of the light theme with 256 colours.
const DARK: vt100::Color = vt100::Color::Idx(233);
const LIGHT: vt100::Color = vt100::Color::Idx(255);

fn auto_follows_the_answer_of_the_terminal_and_no_key_is_lost() {
    let help = "draw the whole screen anew";
    for answer in ["\u{1b}]11;rgb:f6f6/f4f4/ecec\u{7}", "\u{1b}]11;rgb:ff/ff/ff\u{1b}\\"] {
        let user = User::new();
        let mut window = user.window(SIZE, &["observe"]);
        window.expect("no kubeconfig");
        window.expect_screen("the dark theme", |screen| ground(screen) == DARK);
        // A key in the same breath, before and after.
        window.types(&format!("?{answer}"));
        window.expect_screen("the light theme", |screen| ground(screen) == LIGHT);
        window.expect(help);
        window.key("esc");
        window.refute(help);
        window.key("q");
        assert_eq!(window.ended().is_restored().code, 0);
    }
    // What the environment says is not asked for.
    let window = User::new().var("COLORFGBG", "0;15").window(SIZE, &["observe"]);
    window.expect_screen("the light theme", |screen| ground(screen) == LIGHT);
    let window = User::new().var("COLORFGBG", "0;15").window(SIZE, &["observe", "--theme", "dark"]);
    window.expect_screen("the dark theme", |screen| ground(screen) == DARK);
}

fn a_theme_is_changed_while_the_window_is_open() {
    let user = User::new();
    let file = user.path("config.toml");
    std::fs::write(&file, "[window]\ntheme = 'light'\n").unwrap();
    std::fs::create_dir_all(user.path(".config/kgents/themes")).unwrap();
    let mine = user.path(".config/kgents/themes/mine.toml");
    let mut window = user.window(SIZE, &["observe", "--config", file.to_str().unwrap()]);
    window.expect_screen("the light theme", |screen| ground(screen) == LIGHT);
    std::fs::write(&file, "[window]\ntheme = 'dark'\n").unwrap();
    window.expect_screen("the dark theme", |screen| ground(screen) == DARK);
    // Unknown, until its file is there.
    std::fs::write(&file, "[window]\ntheme = 'mine'\n").unwrap();
    window.expect("config.toml:2: window.theme: there is no theme \"mine\"");
    std::fs::write(&mine, "base = 'dark'\n[roles]\nbg = '#0000ff'\n").unwrap();
    window.expect_screen("its own ground", |screen| ground(screen) == vt100::Color::Idx(21));
    window.refute("there is no theme");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn a_bad_theme_is_told_and_the_window_opens() {
    let user = User::new();
    std::fs::create_dir_all(user.path(".config/kgents/themes")).unwrap();
    std::fs::write(user.path(".config/kgents/themes/mine.toml"), "base = 'dark'\n[roles]\nmos = '#fff'\n").unwrap();
    let mut window = user.window((160, 40), &["observe", "--theme", "mine"]);
    window.expect("mine.toml:3:1: unknown key `roles.mos`; did you mean `roles.moss`?");
    window.expect("no kubeconfig");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
    let frame = user.kgents(&["observe", "--snapshot", "--theme", "mine"]);
    assert!(
        frame.stderr.contains("warning: ") && frame.stderr.contains("mine.toml:3:1: unknown key"),
        "{}",
        frame.stderr
    );
    let unknown = user.kgents(&["observe", "--theme", "drak"]);
    assert_eq!(unknown.code, Some(2));
    assert!(
        unknown.stderr.contains("auto, dark, light, high-contrast, colour-blind, mono and mine"),
        "{}",
        unknown.stderr
    );
}
