//! What a person makes of the window: keys of their own, dividers, what is
//! remembered, what is pasted and copied.

use crate::support::case::{Case, cases};
use crate::support::path;
use crate::support::pty::{Mouse, Pty};
use crate::support::user::User;

use super::SIZE;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        how_one_looks_is_remembered_and_forgotten,
        a_torn_memory_is_logged_and_nothing_else,
        bad_keys_are_told_with_both_places_and_the_window_works,
        a_keymap_is_changed_while_the_window_is_open,
        changes_may_be_allowed_from_the_start,
        compact_is_compact_at_any_size,
        a_divider_is_dragged,
        a_huge_paste_is_cut_and_told,
        a_name_is_copied_through_the_terminal,
    ]
}

/// Opens the window on the recording, which stands still, with these
/// arguments besides.
#[track_caller]
fn busy(user: &User, size: (u16, u16), more: &[&str]) -> Pty {
    let recording = path("ghost-fixtures/busy");
    let mut args = vec!["observe", "--fixture", recording.to_str().unwrap(), "--speed", "0", "-n", "kgents-agents"];
    args.extend(more);
    let window = user.window(size, &args);
    window.expect("FIXTURE");
    window
}

#[track_caller]
fn quit(mut window: Pty) {
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn memory(user: &User) -> std::path::PathBuf {
    user.path(".local/state/kgents/window.json")
}

fn how_one_looks_is_remembered_and_forgotten() {
    let user = User::new();
    let mut window = busy(&user, SIZE, &[]);
    window.expect("4 thoughts");
    window.types("3sz/phase:merged\r");
    window.refute("4 thoughts");
    window.expect("/phase:merged");
    window.expect("by risk");
    quit(window);
    let kept = std::fs::read_to_string(memory(&user)).unwrap();
    assert!(kept.contains("\"fixture/busy\"") && kept.contains("phase:merged"), "{kept}");

    let window = busy(&user, SIZE, &[]);
    window.expect("/phase:merged");
    window.expect("by risk");
    window.refute("4 thoughts");
    quit(window);
    // Where another world is looked at, nothing is known of this one.
    let empty = path("ghost-fixtures/quiet");
    if empty.exists() {
        let other = user.window(SIZE, &["observe", "--fixture", empty.to_str().unwrap(), "--speed", "0"]);
        other.expect("4 thoughts");
        quit(other);
    }

    let window = busy(&user, SIZE, &["--fresh"]);
    window.expect("4 thoughts");
    window.refute("/phase:merged");
    quit(window);
    let window = busy(&user, SIZE, &[]);
    window.expect("4 thoughts");
    window.refute("/phase:merged");
}

fn a_torn_memory_is_logged_and_nothing_else() {
    let user = User::new();
    std::fs::create_dir_all(memory(&user).parent().unwrap()).unwrap();
    std::fs::write(memory(&user), "{\"version\":1,\"cont").unwrap();
    let window = busy(&user, SIZE, &[]);
    window.expect("4 thoughts");
    quit(window);
    let logs = std::fs::read_dir(memory(&user).parent().unwrap()).unwrap();
    let logged: String = logs
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert!(logged.contains("window.json: EOF while parsing"), "{logged}");
    assert!(std::fs::read_to_string(memory(&user)).unwrap().contains("fixture/busy"), "it is written anew");
}

fn bad_keys_are_told_with_both_places_and_the_window_works() {
    let user = User::new();
    let file = user.file("config.toml", "[keys]\nzoom = 'x'\nsort = 'x'\n");
    let mut window = busy(&user, (200, 40), &["--config", file.to_str().unwrap()]);
    window.expect("config.toml:2: x means both `sort` (in [keys], line 3) and `zoom` (in [keys], line 2) in agents.");
    window.expect("The default keys hold meanwhile.");
    window.expect("kgents config check");
    window.key("z");
    window.refute("4 thoughts");
    window.key("z");
    window.expect("4 thoughts");
    let checked = user.kgents(&["config", "check", file.to_str().unwrap()]);
    assert_eq!(checked.code, Some(1));
    assert!(checked.stderr.contains("config.toml:3:1: x means both `sort`"), "{}", checked.stderr);
    // Mended, it counts at once.
    std::fs::write(&file, "[keys]\nzoom = 'x'\n").unwrap();
    window.refute("x means both");
    window.key("x");
    window.refute("4 thoughts");
    quit(window);
}

fn a_keymap_is_changed_while_the_window_is_open() {
    let user = User::new();
    let file = user.file("config.toml", "");
    let mut window = busy(&user, SIZE, &["--config", file.to_str().unwrap()]);
    window.expect("q quit");
    std::fs::write(&file, "[window]\nkeymap = 'k9s'\n").unwrap();
    window.expect("ctrl-c quit");
    window.key("y");
    window.expect("apiVersion: kgents.io/v1");
    window.key("ctrl-c");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn changes_may_be_allowed_from_the_start() {
    let user = User::new();
    let window = user.window(SIZE, &["observe", "--write"]);
    window.expect("may write");
    let window = user.window(SIZE, &["observe"]);
    window.expect("read only");
    let window = user.var("KGENTS_WINDOW_WRITE", "true").window(SIZE, &["observe"]);
    window.expect("may write");
}

fn compact_is_compact_at_any_size() {
    let user = User::new();
    let mut window = busy(&user, (160, 45), &["--compact"]);
    window.expect("1 agents");
    window.expect("5 chat");
    window.refute("─ 1 agents");
    window.key("4");
    window.expect_screen("the thoughts alone", |screen| !screen.contents().contains("idle"));
    quit(window);
    let recording = path("ghost-fixtures/busy");
    let recording = recording.to_str().unwrap();
    let frame = user.kgents(&["observe", "--fixture", recording, "--snapshot", "--compact", "--size", "120x40"]).ok();
    assert!(frame.contains("1 agents  2 pheromones") && !frame.contains('╭'), "{frame}");
    let refused = user.kgents(&["observe", "--compact", "--json"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}

fn a_divider_is_dragged() {
    let user = User::new();
    let mut window = busy(&user, SIZE, &[]);
    let corner =
        |column: u16| move |screen: &vt100::Screen| screen.cell(2, column).is_some_and(|cell| cell.contents() == "╭");
    window.expect_screen("agents in four sevenths", corner(68));
    window.mouse(Mouse::Press, 68, 8);
    window.mouse(Mouse::Drag, 60, 8);
    window.mouse(Mouse::Drag, 48, 9);
    window.mouse(Mouse::Release, 48, 9);
    window.expect_screen("the divider where it was let go", corner(48));
    // It is remembered.
    quit(window);
    let mut window = busy(&user, SIZE, &[]);
    window.expect_screen("the divider where it was", corner(48));
    for _ in 0..2 {
        window.mouse(Mouse::Press, 48, 9);
        window.mouse(Mouse::Release, 48, 9);
    }
    window.expect_screen("the divider put back", corner(68));
    // No pane is dragged to nothing.
    window.mouse(Mouse::Press, 68, 8);
    window.mouse(Mouse::Drag, 0, 8);
    window.mouse(Mouse::Release, 0, 8);
    window.expect_screen("a narrow pane", corner(24));
    quit(window);
}

fn a_huge_paste_is_cut_and_told() {
    let user = User::new();
    let mut window = busy(&user, SIZE, &[]);
    window.key("/");
    window.expect("show all");
    window.types(&format!("\u{1b}[200~{}\u{1b}[201~", "x".repeat(10 << 20)));
    window.expect("The paste was cut: 10420225 bytes more than the 64 KiB that fit.");
    for _ in 0..20 {
        window.key("y");
    }
    window.key("esc");
    window.refute("show all");
    window.key("?");
    window.expect("draw the whole screen anew");
    window.key("esc");
    quit(window);
}

fn a_name_is_copied_through_the_terminal() {
    let user = User::new();
    let mut window = busy(&user, SIZE, &[]);
    window.types("/name:omega\r");
    window.expect("1 of 12");
    window.key("y");
    window.expect("Copied “omega-gent”.");
    // omega-gent in base64.
    window.expect_bytes("\u{1b}]52;c;b21lZ2EtZ2VudA==");
    quit(window);
}
