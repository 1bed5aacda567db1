//! The Ghost by hand: where it is, how it stands, bringing it up to date.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, pheromone};
use crate::support::place::Place;
use crate::support::servers;
use crate::support::user::User;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_daemon_keeps_it_current_and_others_leave_it_alone,
        what_is_live_is_written_and_can_be_read,
        a_server_that_never_answers_hides_nothing,
        what_is_torn_is_named,
        without_anything_it_says_how_to_begin,
        only_what_is_live_and_whole_is_written,
        a_daemon_without_a_cluster_waits,
    ]
}

fn path_of(user: &User) -> PathBuf {
    user.kgents(&["ghost", "path"]).ok().trim_end().into()
}

fn without_anything_it_says_how_to_begin() {
    let user = User::new();
    let path = user.kgents(&["ghost", "path", "--json"]).json();
    assert_eq!((&path["exists"], &path["context"]), (&Value::Bool(false), &Value::Null), "{path}");
    let ran = user.kgents(&["ghost", "path"]);
    assert!(ran.stderr.contains("nothing was written"), "{ran}");
    assert!(ran.ok().ends_with(".kgents/ghost\n"));
    let said = user.kgents(&["ghost", "status"]).fails(4);
    assert!(said.contains("remembers nothing") && said.contains("hint: kgents ghost sync"), "{said}");
    let ran = user.kgents(&["ghost", "status", "--json"]);
    assert!(ran.code == Some(4) && ran.stdout.contains("\"exists\": false"), "{ran}");
}

fn only_what_is_live_and_whole_is_written() {
    let user = User::new();
    let said = user.kgents(&["ghost", "sync", "-n", "team"]).fails(2);
    assert!(said.contains("all namespaces"), "{said}");
    let said = user.kgents(&["ghost", "sync", "--layer", "ghost"]).fails(2);
    assert!(said.contains("only what is live"), "{said}");
    let said = user.kgents(&["ghost", "sync"]).fails(4);
    assert!(said.contains("no kubeconfig") && said.contains("stays as it is"), "{said}");
    assert!(!path_of(&user).exists(), "nothing was written");
}

fn what_is_live_is_written_and_can_be_read(place: &Place) {
    place.apply(&[agent("b-gent", "B"), pheromone("low", "WARNING", 0)]);
    let synced = place.kgents(&["ghost", "sync", "--json"]).json();
    assert_eq!((&synced["layer"], &synced["held_by"]), (&"kube".into(), &Value::Null), "{synced}");
    let areas: Vec<&str> =
        synced["areas"].as_array().unwrap().iter().map(|area| area["area"].as_str().unwrap()).collect();
    assert_eq!(areas, ["agents", "pheromones", "proposals", "cluster", "thoughts"], "{synced}");
    // All namespaces, although the context has one.
    let file = format!("agents/{}.b-gent.json", place.namespace);
    assert!(path_of(&place.user).join(&file).is_file(), "there is no {file}");
    let page = place.kgents(&["ghost", "sync"]).ok();
    assert!(page.contains("as kube has it") && page.contains("AREA"), "{page}");
    let status = place.kgents(&["ghost", "status"]).ok();
    for words in ["Last sync", "Writer      nobody", "agents", "FRESH", "kube"] {
        assert!(status.contains(words), "{words:?} is not in\n{status}");
    }
    let status = place.kgents(&["ghost", "status", "--json"]).json();
    assert!(status["areas"].as_array().unwrap().iter().all(|area| area["exists"] == true), "{status}");
}

/// What is remembered shows at once, however the start of a list that never
/// comes and the reading of the Ghost fall together.
fn a_server_that_never_answers_hides_nothing(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    place.kgents(&["ghost", "sync"]).ok();
    let config = std::fs::read_to_string(place.kubeconfig()).unwrap();
    let server = config.split(['"', ' ', '\n']).find(|word| word.starts_with("https://127.0.0.1:")).unwrap();
    place.user.file("kubeconfig", &config.replace(server, &servers::silent()));
    for _ in 0..20 {
        let mut window = place.user.window((100, 30), &["observe"]);
        window.expect("b-gent");
        window.expect("GHOST");
        window.key("q");
        assert_eq!(window.ended().is_restored().code, 0);
    }
}

fn what_is_torn_is_named(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    place.kgents(&["ghost", "sync"]).ok();
    std::fs::write(path_of(&place.user).join("proposals/merged.json"), "{\"schema\": 1, ").unwrap();
    let ran = place.kgents(&["ghost", "status"]);
    assert!(ran.code == Some(1) && ran.stdout.contains("proposals/merged.json: torn"), "{ran}");
    // A sync mends it.
    place.kgents(&["ghost", "sync"]).ok();
    place.kgents(&["ghost", "status"]).ok();
}

fn a_daemon_keeps_it_current_and_others_leave_it_alone(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let daemon = place.follow(&["ghost", "sync", "--daemon", "--interval", "1s"]);
    daemon.expect_words(&["keeps", ".kgents/ghost", "current"]);
    place.apply(&[agent("newcomer", "N")]);
    let file = path_of(&place.user).join(format!("agents/{}.newcomer.json", place.namespace));
    eventually(SOON, "the file of the newcomer", || file.is_file().then_some(()).ok_or_else(|| daemon.so_far()));
    let said = place.kgents(&["ghost", "sync"]).ok();
    assert!(said.contains("keeps") && said.contains("pid "), "{said}");
    let held = place.kgents(&["ghost", "sync", "--json"]).json();
    assert!(held["held_by"].is_u64() && held["current"] == true, "{held}");
    let second = place.follow(&["ghost", "sync", "--daemon", "--json"]);
    second.expect_value("that another keeps it", |line| line["state"] == "held" && line["pid"] == held["held_by"]);
    second.end().ok();
    place.kubectl(&["delete", "agent", "newcomer"]).ok();
    let ended = daemon.end();
    assert!(ended.code == Some(0), "{ended}");
    place.kgents(&["ghost", "sync"]).ok();
    assert!(!file.exists(), "an agent that is gone has no file");
}

fn a_daemon_without_a_cluster_waits() {
    let user = User::new();
    let daemon = user.follow(&["ghost", "sync", "--daemon"]);
    daemon.expect_words(&["nothing live answers", "no kubeconfig"]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let ended = daemon.end();
    assert_eq!(ended.code, Some(0), "{ended}");
    assert_eq!(ended.stdout.lines().count(), 1, "it is said once\n{ended}");
    assert!(!path_of(&user).exists());
}
