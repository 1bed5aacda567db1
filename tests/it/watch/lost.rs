//! Streams whose API server goes away, and whose history is lost meanwhile.

use std::collections::BTreeSet;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{expect_live, is_live, listed, told};
use crate::support::case::{Case, cases};
use crate::support::cluster::Own;
use crate::support::objects::{agent, event, labelled, pheromone, proposal};
use crate::support::place::Place;
use crate::support::stream::Stream;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_restart_of_the_api_server_duplicates_and_loses_nothing,
        a_window_over_a_restart_keeps_what_it_knew,
        a_lost_history_under_a_watch_that_slept_loses_nothing,
        an_api_server_that_hangs_is_told_as_such,
    ]
}

/// Holds that no state of an object, and no thought, was told twice.
#[track_caller]
fn assert_told_once(stream: &Stream) {
    let values = stream.values();
    let is_state = |line: &&Value| line["change"] == "applied" && line["object"]["metadata"].is_object();
    let version = |line: &Value| line["object"]["metadata"]["resourceVersion"].to_string();
    let states =
        values.iter().filter(is_state).map(|line| format!("{} {} {}", line["kind"], line["key"], version(line)));
    let thoughts = values.iter().filter(|line| line["kind"] == "Thought").map(|line| {
        let thought = &line["thought"];
        format!("{} {} {} {}", thought["kind"], thought["key"], thought["at"], thought["text"])
    });
    let mut seen = BTreeSet::new();
    let twice: Vec<String> = states.chain(thoughts).filter(|told| !seen.insert(told.clone())).collect();
    assert!(twice.is_empty(), "told twice:\n{}\n{}", twice.join("\n"), stream.so_far());
}

/// How many lines have been told.
fn count(stream: &Stream) -> usize {
    stream.lines().len()
}

/// Waits for a line, after the first so many, that is as wanted.
#[track_caller]
fn expect_after(stream: &Stream, seen: usize, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(SOON * 2, what, || {
        stream.values().into_iter().skip(seen).find(|line| wanted(line)).ok_or_else(|| stream.so_far())
    })
}

fn is_down(line: &Value) -> bool {
    line["kind"] == "Source" && line["link"]["state"] == "down"
}

/// Waits until a stream has told exactly what the API server lists.
#[track_caller]
fn expect_agreement(stream: &Stream, place: &Place) {
    eventually(SOON * 2, "the state of the API server", || {
        let (told, listed) = (told(stream), listed(place));
        let differs = |(key, version): &(&String, &String)| listed.get(*key) != Some(*version);
        let missing: Vec<&String> = listed.keys().filter(|key| !told.contains_key(*key)).collect();
        let wrong: Vec<_> = told.iter().filter(differs).collect();
        if missing.is_empty() && wrong.is_empty() {
            Ok(())
        } else {
            Err(format!("missing {missing:?}\nwrong {wrong:?}"))
        }
    });
}

fn a_restart_of_the_api_server_duplicates_and_loses_nothing(own: Own) {
    let place = Place::on(own.start_with_crds(), "restart");
    let about = ["kgents.io/v1", "Agent", "b-gent"];
    let spoken = event(&place.namespace, "b-gent.1", about, "Spoke", "before the fall");
    place.apply(&[
        agent("b-gent", "B"),
        agent("c-gent", "B"),
        pheromone("p", "DREAM", 0),
        proposal("grow", "b-gent"),
        spoken,
    ]);
    let stream = place.follow(&["observe", "--json"]);
    expect_live(&stream);
    stream.expect_value("the Event", |line| line["thought"]["text"] == "Spoke: before the fall");

    for turn in ["one", "two"] {
        let seen = count(&stream);
        place.cluster.ask("kill kube-apiserver");
        let down = expect_after(&stream, seen, "word that nobody answers", is_down);
        assert!(down["link"]["hint"].as_str().unwrap().starts_with("kubectl get --raw /readyz"), "{down}");
        place.cluster.ask("start kube-apiserver");
        expect_after(&stream, seen, "word that all is followed again", is_live);
        let name = format!("turn-{turn}");
        place.apply(&[agent(&name, "N")]);
        place.kubectl(&["label", "agent", "b-gent", &format!("turn={turn}"), "--overwrite"]).ok();
        expect_after(&stream, seen, "what is new", |line| line["name"] == name.as_str());
    }
    place.kubectl(&["delete", "agent", "c-gent"]).ok();
    expect_agreement(&stream, &place);
    assert_told_once(&stream);
    let births = |line: &&Value| line["thought"]["text"] == "Spoke: before the fall";
    assert_eq!(stream.values().iter().filter(births).count(), 1, "{}", stream.so_far());
}

fn a_window_over_a_restart_keeps_what_it_knew(own: Own) {
    let place = Place::on(own.start_with_crds(), "window");
    place.apply(&[agent("b-gent", "B"), agent("c-gent", "B")]);
    let mut window = place.user.window((200, 50), &["observe"]);
    window.expect("c-gent");
    // So that the selection is on the second row.
    window.key("down");
    place.cluster.ask("kill kube-apiserver");
    window.expect("Silent since ");
    window.expect("kubectl get --raw /readyz");
    assert!(window.screen().contains("b-gent") && window.screen().contains("c-gent"), "{}", window.screen());
    assert!(!window.screen().contains("● K8S"), "it is not called live:\n{}", window.screen());

    place.kgents(&["status"]).fails(4);
    let waiting = place.follow(&["status", "--json", "--wait=60s"]);
    place.cluster.ask("start kube-apiserver");
    let status = waiting.ended().json();
    assert_eq!((&status["counts"]["agents"], &status["freshness"]), (&json!(2), &json!("FRESH")), "{status}");

    window.refute("Silent since ");
    place.apply(&[agent("a-gent", "N")]);
    place.set_status("agent", "a-gent", &json!({ "phase": "Failed" }));
    window.expect("a-gent");
    window.expect("Failed");
    // A row came in above; the cursor is still on the same agent.
    window.key("enter");
    window.expect("╭─ c-gent ");
    window.key("esc");
    window.refute("╭─ c-gent ");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

/// How many objects of a kind there are before; a third of them each goes,
/// changes and stays.
const MANY: usize = 45;

/// What happened while it slept is no longer to be had as a history: a watch
/// that would go on from before is refused with 410 Gone, and only a new list
/// can tell.
fn a_lost_history_under_a_watch_that_slept_loses_nothing(own: Own) {
    let place = Place::on(own.start_with_crds(), "lost");
    let named = |i: usize| format!("a-{i}");
    let many: Vec<Value> = (0..MANY)
        .map(|i| labelled(agent(&named(i), "B"), "third", &(i % 3).to_string()))
        .chain((0..MANY).map(|i| labelled(pheromone(&format!("p-{i}"), "DREAM", 0), "third", &(i % 3).to_string())))
        .collect();
    place.apply(&many);
    let stream = place.follow(&["observe", "--json"]);
    expect_live(&stream);
    expect_agreement(&stream, &place);
    let seen = count(&stream);

    stream.signal(Signal::STOP);
    // Else the kernel would keep for it what the API server goes on to send.
    place.cluster.ask("kill kube-apiserver");
    place.cluster.ask("start kube-apiserver");
    place.kubectl(&["delete", "agents,pheromones", "-l", "third=0", "--wait=false"]).ok();
    place.kubectl(&["label", "agents,pheromones", "-l", "third=1", "changed=yes"]).ok();
    // The same names, other objects.
    place.kubectl(&["delete", "agent", &named(2), &named(5)]).ok();
    let new: Vec<Value> = (0..10).map(|i| agent(&format!("new-{i}"), "N")).collect();
    place.apply(&[new, vec![agent(&named(2), "T"), agent(&named(5), "T")]].concat());
    place.cluster.ask("kill kube-apiserver");
    place.cluster.ask("compact");
    place.cluster.ask("start kube-apiserver");
    // Newer than what was compacted, so that nobody can go on from before.
    place.apply(&[agent("last", "N")]);
    stream.signal(Signal::CONT);

    expect_after(&stream, seen, "the last change", |line| line["name"] == "last");
    expect_agreement(&stream, &place);
    assert_told_once(&stream);
    // And from here on it follows as before.
    place.apply(&[agent("later", "N")]);
    place.kubectl(&["delete", "agent", "last"]).ok();
    expect_agreement(&stream, &place);
    let state = told(&stream);
    let count = |kind: &str| state.keys().filter(|key| key.starts_with(kind)).count();
    assert_eq!((count("Agent "), count("Pheromone ")), (MANY / 3 * 2 + 10 + 1, MANY / 3 * 2), "{state:?}");
}

fn an_api_server_that_hangs_is_told_as_such(own: Own) {
    let place = Place::on(own.start_with_crds(), "hangs");
    place.apply(&[agent("b-gent", "B")]);
    let stream = place.follow(&["observe", "--json"]);
    expect_live(&stream);
    let seen = count(&stream);
    place.cluster.ask("pause kube-apiserver");
    let down = expect_after(&stream, seen, "word that nobody answers", is_down);
    let error = down["link"]["error"].as_str().unwrap();
    assert!(error.contains("did not answer") || error.contains("in time"), "it is there, and silent: {error}");
    let agents = down["kinds"].as_array().unwrap().iter().find(|kind| kind["kind"] == "Agent").unwrap();
    assert_ne!(agents["as_of"], Value::Null, "it still says how old what it knows is: {down}");
    place.cluster.ask("resume kube-apiserver");
    expect_after(&stream, seen, "word that all is followed again", is_live);
    place.set_status("agent", "b-gent", &json!({ "phase": "Running" }));
    expect_after(&stream, seen, "what is new", |line| line["object"]["status"]["phase"] == "Running");
    assert_told_once(&stream);
}
