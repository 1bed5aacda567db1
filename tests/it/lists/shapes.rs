//! The shapes of JSON that are a contract.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, condition, memory, object, pheromone, proposal, umwelt};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_list_says_where_it_comes_from_and_holds_the_objects,
        yaml_says_the_same_as_json,
        status_counts_and_says_what_needs_a_person,
        status_waits_for_an_answer_only_when_told_to,
        version_tells_ours_and_the_servers,
    ]
}

/// The keys of a JSON object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().map(String::as_str).collect()
}

/// Holds that a value says from which layer it comes, as of when, and how
/// fresh it is.
fn assert_provenance(value: &Value) {
    assert_eq!(value["layer"], "kube", "{value}");
    assert_eq!(value["freshness"], "FRESH", "{value}");
    let as_of: Timestamp = value["as_of"].as_str().unwrap().parse().unwrap();
    let age = Timestamp::now().duration_since(as_of);
    assert!(age.as_secs() < 60 && !age.is_negative(), "{value}");
}

fn a_list_says_where_it_comes_from_and_holds_the_objects(place: &Place) {
    place.apply(&[
        agent("b-gent", "B"),
        pheromone("low", "WARNING", 0),
        proposal("grow", "b-gent"),
        memory("m", "b-gent"),
        umwelt("u", "b-gent"),
    ]);
    for (command, kind) in [
        ("agents", "Agent"),
        ("pheromones", "Pheromone"),
        ("proposals", "Proposal"),
        ("memories", "Memory"),
        ("umwelts", "Umwelt"),
    ] {
        let list = place.kgents(&[command, "-o", "json"]).json();
        assert_eq!(keys(&list), ["as_of", "freshness", "items", "layer"], "{list}");
        assert_provenance(&list);
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len(), 1, "{list}");
        let item = &items[0];
        // How strong a pheromone is now stands beside it, for it is no field of the object.
        let expected: &[&str] = match kind {
            "Pheromone" => &["as_of", "freshness", "intensity", "layer", "object"],
            _ => &["as_of", "freshness", "layer", "object"],
        };
        assert_eq!(keys(item), expected, "{item}");
        assert_provenance(item);

        let printed = &item["object"];
        let name = printed["metadata"]["name"].as_str().unwrap();
        assert_eq!((&printed["apiVersion"], &printed["kind"]), (&json!("kgents.io/v1"), &json!(kind)));
        let real = place.get(command, name);
        assert_eq!(printed["spec"], real["spec"], "{command}");
        for field in ["namespace", "uid", "resourceVersion", "creationTimestamp"] {
            assert_eq!(printed["metadata"][field], real["metadata"][field], "{command}: {field}");
        }
        assert_eq!(printed["metadata"]["managedFields"], Value::Null);
    }
}

fn yaml_says_the_same_as_json(place: &Place) {
    place.apply(&[object("Agent", "n-gent", &json!({ "genus": "N", "config": { "y": "on" } }))]);
    let timeless = |mut list: Value| {
        list["as_of"] = Value::Null;
        list["items"][0]["as_of"] = Value::Null;
        list
    };
    let printed = place.kgents(&["agents", "-o", "yaml"]).ok();
    let from_yaml: Value = serde_saphyr::from_str(&printed).unwrap();
    let from_json = place.kgents(&["agents", "-o", "json"]).json();
    assert_eq!(timeless(from_yaml), timeless(from_json));
    for quoted in ["genus: \"N\"", "\"y\": \"on\""] {
        assert!(printed.contains(quoted), "a reader of YAML 1.1 would take {quoted} for a boolean:\n{printed}");
    }
}

fn status_counts_and_says_what_needs_a_person(place: &Place) {
    place.apply(&[
        agent("a-gent", "B"),
        agent("b-gent", "B"),
        pheromone("low", "WARNING", 0),
        pheromone("faded", "WARNING", 600),
        proposal("grow", "a-gent"),
        memory("m", "b-gent"),
    ]);
    let ready = condition("Ready", "False", "CrashLoopBackOff");
    place.set_status("agent", "b-gent", &json!({ "phase": "Failed", "conditions": [ready] }));
    let risk = json!({ "base": 0.9, "velocity": 0.0, "cumulative": 0.0, "total": 0.9, "level": "CRITICAL" });
    place.set_status("proposal", "grow", &json!({ "phase": "Reviewing", "risk": risk }));

    let status = place.kgents(&["status", "--json"]).json();
    assert_eq!(keys(&status), ["as_of", "attention", "counts", "freshness", "layer", "layers"], "{status}");
    assert_provenance(&status);
    let counts = &status["counts"];
    for (what, expected) in [
        ("agents", json!(2)),
        ("agents_by_phase", json!({ "Failed": 1, "None": 1 })),
        ("pheromones", json!(1)),
        ("proposals", json!(1)),
        ("proposals_open", json!(1)),
        ("proposals_by_phase", json!({ "Reviewing": 1 })),
        ("memories", json!(1)),
        ("umwelts", json!(0)),
        ("unreadable", json!(0)),
    ] {
        assert_eq!(counts[what], expected, "{what}: {counts}");
    }
    let attention: Vec<(&str, &str, &str)> = status["attention"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["kind"].as_str().unwrap(), item["name"].as_str().unwrap(), item["need"].as_str().unwrap()))
        .collect();
    assert_eq!(attention[..2], [("Proposal", "grow", "decide"), ("Agent", "b-gent", "broken")], "{status}");
    let reason = status["attention"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("CrashLoopBackOff"), "{reason}");

    let layer = crate::support::layer(&status, "kube");
    assert_eq!((&layer["layer"], &layer["up"], &layer["error"]), (&json!("kube"), &json!(true), &Value::Null));
    assert_eq!(layer["namespace"], place.namespace.as_str());

    let page = place.kgents(&["status"]).ok();
    for words in ["Needs you", "Proposal", "grow", "b-gent", "CrashLoopBackOff", &place.namespace] {
        assert!(page.contains(words), "{words} is not in\n{page}");
    }
}

fn status_waits_for_an_answer_only_when_told_to(place: &Place) {
    // It answers at once, so there is nothing to wait for.
    let waited = place.kgents(&["status", "--json", "--wait"]).json();
    assert_eq!(crate::support::layer(&waited, "kube")["up"], true, "{waited}");
}

fn version_tells_ours_and_the_servers(place: &Place) {
    let theirs = place.kubectl(&["version", "-o", "json"]).json()["serverVersion"]["gitVersion"].clone();
    let version = place.kgents(&["version", "--json"]).json();
    assert_eq!(version, json!({ "client": { "version": env!("CARGO_PKG_VERSION") }, "server": { "version": theirs } }));
    let text = place.kgents(&["version"]).ok();
    assert_eq!(text, format!("kgents {}\nKubernetes {}\n", env!("CARGO_PKG_VERSION"), theirs.as_str().unwrap()));
}
