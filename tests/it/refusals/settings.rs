//! Settings that are wrong: told by place before anything else is done.

use super::USAGE;
use crate::support::case::{Case, cases};
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_bad_file_is_told_before_anybody_is_asked,
        the_window_does_not_open_on_a_bad_file,
        what_mends_a_bad_file_works_with_one,
        a_variable_is_told_by_its_name,
    ]
}

/// What is said of [`mistaken`].
const SAID: &str = "config.toml:2:7: window.utc: expected true or false, found \"yes\"\nhint: kgents config schema\n";

/// One whose file holds a mistake.
fn mistaken() -> User {
    let user = User::new();
    let path = user.file("config.toml", "[window]\nutc = \"yes\"\n");
    user.var("KGENTS_CONFIG", path)
}

fn a_bad_file_is_told_before_anybody_is_asked() {
    let user = mistaken();
    for command in
        super::ASKING.into_iter().chain([&["status"][..], &["version"], &["config"], &["observe", "--plain"]])
    {
        let ran = user.kgents(command);
        assert_eq!(ran.stdout, "", "{ran}");
        let stderr = ran.fails(USAGE);
        assert!(stderr.starts_with("error: /") && stderr.ends_with(SAID), "{stderr}");
    }
}

fn the_window_does_not_open_on_a_bad_file() {
    let user = mistaken();
    let window = user.window((120, 40), &["observe"]);
    window.expect("window.utc: expected true or false");
    window.refute("terrarium");
    let ended = window.ended();
    assert_eq!(ended.code, USAGE.unsigned_abs(), "{}", ended.screen.contents());
}

fn what_mends_a_bad_file_works_with_one() {
    let user = mistaken();
    assert!(user.kgents(&["config", "path"]).ok().ends_with("/config.toml\n"));
    assert!(user.kgents(&["config", "schema"]).ok().contains("\"utc\""));
    assert!(user.kgents(&["config", "check"]).fails(super::FAILED).ends_with(SAID));
    for command in
        [&["--version"][..], &["version", "--client"], &["crd", "print"][..], &["completions", "bash"], &["man"]]
    {
        user.kgents(command).ok();
    }
}

fn a_variable_is_told_by_its_name() {
    let user = User::new().var("KGENTS_LAYER", "cloud").var("KGENTS_WINDOW_UCT", "true");
    let stderr = user.kgents(&["status"]).fails(USAGE);
    assert!(stderr.starts_with("error: KGENTS_LAYER: expected grpc, ghost or kube, found \"cloud\"\n"), "{stderr}");
    let user = User::new().var("KGENTS_WINDOW_UCT", "true");
    let ran = user.kgents(&["config"]);
    assert!(ran.stderr.contains("warning: KGENTS_WINDOW_UCT means nothing; did you mean KGENTS_WINDOW_UTC?"), "{ran}");
    ran.ok();
}
