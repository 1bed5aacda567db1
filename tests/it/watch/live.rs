//! Streams on an API server that is well.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{expect_live, listed, told};
use crate::support::case::{Case, cases};
use crate::support::objects::{agent, condition, event, labelled, pheromone, proposal};
use crate::support::place::Place;
use crate::support::process::run;
use crate::support::user::{KGENTS, User};
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        plain_lines_tell_births_changes_and_deaths,
        json_lines_make_up_the_state,
        events_about_our_objects_are_told_and_others_are_not,
        pods_and_deployments_that_carry_our_label_are_told,
        a_pheromone_is_told_when_it_fades,
        a_table_is_followed,
        what_leaves_a_selector_is_told_once_more,
        a_kubeconfig_that_comes_late_or_changes_is_followed,
        who_follows_ends_when_told_to_or_unread,
    ]
}

fn plain_lines_tell_births_changes_and_deaths(place: &Place) {
    place.apply(&[agent("old", "B")]);
    let stream = place.follow(&["observe", "--plain", "--utc"]);
    stream.expect_words(&["Source looking at ", &place.namespace]);
    stream.expect_words(&["Source kube connected: Kubernetes v"]);
    let key = |name: &str| format!("Agent {}/{name} ", place.namespace);
    stream.expect_words(&[&key("old")]);

    place.apply(&[agent("new", "N")]);
    stream.expect_words(&[&key("new"), "genus N"]);
    place.set_status("agent", "new", &json!({ "phase": "Running", "readyReplicas": 1 }));
    stream.expect_words(&[&key("new"), "Running"]);
    stream.expect("the change of phase as a thought", |line| line.contains(" new ") && line.contains("Running"));
    let ready = condition("Ready", "False", "CrashLoopBackOff");
    place.set_status("agent", "new", &json!({ "phase": "Failed", "conditions": [ready] }));
    stream.expect_words(&[&key("new"), "Failed"]);
    stream.expect_words(&["CrashLoopBackOff"]);
    place.kubectl(&["delete", "agent", "new"]).ok();
    stream.expect_words(&[&key("new"), "deleted"]);

    place.apply(&[proposal("grow", "old")]);
    stream.expect_words(&["Proposal", "/grow ", "AGENT_SCALE"]);
    place.set_status("proposal", "grow", &json!({ "phase": "Approved" }));
    stream.expect_words(&["o-gent ", "grow", "Approved"]);
    let ran = stream.end();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    let is_stamped = |line: &str| line.get(..8).is_some_and(|stamp| stamp.matches(':').count() == 2);
    assert!(ran.stdout.lines().all(is_stamped), "each line begins with a time: {ran}");
}

fn json_lines_make_up_the_state(place: &Place) {
    place.apply(&[agent("a", "B"), agent("b", "B"), pheromone("p", "DREAM", 0)]);
    let stream = place.follow(&["observe", "--json"]);
    expect_live(&stream);
    place.apply(&[agent("c", "B"), proposal("grow", "a")]);
    place.kubectl(&["delete", "agent", "b"]).ok();
    place.kubectl(&["label", "agent", "a", "seen=yes"]).ok();
    // Gone and made again under the same name, it is another.
    place.kubectl(&["delete", "pheromone", "p"]).ok();
    place.apply(&[pheromone("p", "STATE", 0)]);
    let expected = listed(place);
    eventually(SOON, "the state of the API server", || {
        let told = told(&stream);
        if told == expected { Ok(()) } else { Err(format!("{told:?}\n{expected:?}")) }
    });

    let values = stream.values();
    let changes = || values.iter().filter(|line| line["change"].is_string());
    for line in changes() {
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        let expected =
            ["as_of", "change", "freshness", "key", "kind", "layer", "name", "namespace", "object", "revision"];
        assert_eq!(keys, expected, "{line}");
        assert_eq!(line["object"].is_null(), line["change"] == "deleted", "{line}");
        assert_eq!(line["key"], format!("{}/{}", place.namespace, line["name"].as_str().unwrap()));
    }
    let revisions: Vec<u64> = changes().map(|line| line["revision"].as_u64().unwrap()).collect();
    assert!(revisions.is_sorted_by(|a, b| a < b), "each change has a revision of its own: {revisions:?}");
}

fn events_about_our_objects_are_told_and_others_are_not(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let stream = place.follow(&["observe", "--plain"]);
    stream.expect_words(&["Agent", "b-gent"]);
    let said = |name: &str, about: [&str; 3], message: &str| event(&place.namespace, name, about, "Spoke", message);
    place.apply(&[said("foreign.1", ["v1", "Pod", "stranger"], "of no concern")]);
    place.apply(&[said("ours.1", ["kgents.io/v1", "Agent", "b-gent"], "made a Deployment")]);
    stream.expect_words(&[" b-gent ", "Spoke: made a Deployment"]);
    // Counted up, it is news.
    place.kubectl(&["patch", "event", "ours.1", "--type=merge", "-p", r#"{"count": 2}"#]).ok();
    stream.expect_words(&[" b-gent ", "made a Deployment (×2)"]);
    let ran = stream.end();
    assert!(!ran.stdout.contains("of no concern"), "{ran}");
    assert_eq!(ran.stdout.matches("made a Deployment").count(), 2, "{ran}");
}

fn pods_and_deployments_that_carry_our_label_are_told(place: &Place) {
    let template = json!({
        "metadata": { "labels": { "kgents.io/agent": "b-gent" } },
        "spec": { "containers": [{ "name": "logic", "image": "kgents/b:1" }] },
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "b-gent" },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "kgents.io/agent": "b-gent" } }, "template": template },
    });
    let mut foreign = deployment.clone();
    foreign["metadata"]["name"] = "foreign".into();
    place.apply(&[agent("b-gent", "B"), foreign, labelled(deployment, "kgents.io/agent", "b-gent")]);
    let stream = place.follow(&["observe", "--json"]);
    let line =
        stream.expect_value("the Deployment", |line| line["kind"] == "Deployment" && line["change"] == "applied");
    assert_eq!((&line["name"], &line["object"]["agent"]), (&json!("b-gent"), &json!("b-gent")));
    assert_eq!(line["object"]["wanted"], 2);
    expect_live(&stream);
    let about = |line: &Value| line["kind"] == "Deployment" && line["name"] == "foreign";
    assert!(!stream.values().iter().any(about), "{}", stream.so_far());
    let page = place.kgents(&["agents", "describe", "b-gent"]).ok();
    assert!(page.contains("b-gent"), "{page}");
}

fn a_pheromone_is_told_when_it_fades(place: &Place) {
    let stream = place.follow(&["observe", "--json"]);
    expect_live(&stream);
    let mut brief = pheromone("brief", "WARNING", 0);
    brief["spec"]["ttlSeconds"] = json!(2);
    place.apply(&[pheromone("history", "WARNING", 600), brief]);
    let about = |line: &Value, change: &str| line["name"] == "brief" && line["change"] == change;
    stream.expect_value("the pheromone", |line| about(line, "applied"));
    stream.expect_value("its end", |line| about(line, "faded"));
    place.kubectl(&["delete", "pheromone", "brief"]).ok();
    stream.expect_value("that its object is gone", |line| about(line, "deleted"));
    // It had faded before anybody looked, so for us it was never there.
    assert!(!stream.values().iter().any(|line| line["name"] == "history"), "{}", stream.so_far());
}

fn a_table_is_followed(place: &Place) {
    place.apply(&[agent("first", "B"), agent("second", "T")]);
    let stream = place.follow(&["agents", "-w"]);
    stream.expect("the head of the table", |line| line.starts_with("CHANGE") && line.contains("GENUS"));
    stream.expect("what was there", |line| line.starts_with("listed") && line.contains("second"));
    place.apply(&[agent("third", "N")]);
    stream.expect("a birth", |line| line.starts_with("applied") && line.contains("third"));
    place.kubectl(&["delete", "agent", "first"]).ok();
    stream.expect("a death", |line| line.starts_with("deleted") && line.contains("first"));
    let ran = stream.end();
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("CHANGE")).count(), 1, "{ran}");
    assert_eq!(ran.stdout.lines().filter(|line| line.contains("third")).count(), 1, "{ran}");

    let stream = place.follow(&["agents", "-w", "-o", "json"]);
    stream.expect_value("what is there", |line| line["kind"] == "Agent" && line["name"] == "third");
    let stream = place.follow(&["agents", "-w", "-o", "name"]);
    stream.expect("a name", |line| line == "agent.kgents.io/second");
}

fn what_leaves_a_selector_is_told_once_more(place: &Place) {
    let tiered = |name: &str, tier: &str| labelled(agent(name, "B"), "tier", tier);
    place.apply(&[tiered("chosen", "gold"), tiered("other", "tin")]);
    let stream = place.follow(&["agents", "-w", "-o", "json", "-l", "tier=gold"]);
    stream.expect_value("what is chosen", |line| line["name"] == "chosen");
    place.kubectl(&["label", "agent", "chosen", "tier=tin", "--overwrite"]).ok();
    let left = |line: &Value| line["object"]["metadata"]["labels"]["tier"] == "tin";
    assert_eq!(stream.expect_value("that it no longer is", left)["name"], "chosen");
    place.kubectl(&["label", "agent", "other", "tier=gold", "--overwrite"]).ok();
    stream.expect_value("what is chosen now", |line| line["name"] == "other");
    assert_eq!(stream.values().iter().filter(|line| line["name"] == "chosen").count(), 2, "{}", stream.so_far());
}

fn a_kubeconfig_that_comes_late_or_changes_is_followed(place: &Place) {
    let other = Place::on(place.cluster.clone(), "other");
    place.apply(&[agent("here", "B")]);
    other.apply(&[agent("there", "B")]);
    let user = User::new();
    let path = user.file("late", "");
    std::fs::remove_file(&path).unwrap();
    let user = user.var("KUBECONFIG", &path);
    let stream = user.follow(&["observe", "--plain"]);
    stream.expect_words(&["Source kube down: there is no kubeconfig"]);
    std::fs::copy(place.kubeconfig(), &path).unwrap();
    stream.expect_words(&["Agent", "/here "]);
    // Half written it is no reason to forget what was good.
    std::fs::write(&path, "clusters: [").unwrap();
    place.apply(&[agent("newer", "N")]);
    stream.expect_words(&["Agent", "/newer "]);
    std::fs::copy(other.kubeconfig(), &path).unwrap();
    stream.expect_words(&["looking at", &other.namespace]);
    stream.expect_words(&["Agent", "/there "]);
    stream.expect_words(&["Agent", "/here deleted"]);
}

/// Without a terminal, `observe` is lines of text.
fn who_follows_ends_when_told_to_or_unread(place: &Place) {
    for args in [&["observe"][..], &["observe", "--json"], &["agents", "-w"]] {
        for signal in [Signal::INT, Signal::HUP, Signal::TERM] {
            let stream = place.follow(args);
            place.apply(&[agent("b-gent", "B")]);
            stream.expect("a line", |_| true);
            stream.signal(signal);
            let ran = stream.ended();
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{signal:?}: {ran}");
        }
        // `head` goes after the first line, and nothing is written any more.
        let line = format!("exec 2>&1; {KGENTS} {} | head -n 1", args.join(" "));
        let ran = run(place.user.command("sh", &["-c", &line]), "");
        assert_eq!(ran.ok().lines().count(), 1);
    }
}
