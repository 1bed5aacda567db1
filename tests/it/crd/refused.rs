//! What the API server refuses, with words that help.

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, object, proposal};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![bad_objects_are_refused_with_words_that_help, a_proposal_cannot_be_edited]
}

fn bad_objects_are_refused_with_words_that_help(place: &Place) {
    let pheromone = |field: &str, value: Value| {
        let mut object = object("Pheromone", "bad", &json!({ "type": "WARNING", "source": "o-gent" }));
        object["spec"][field] = value;
        object
    };
    let agent_with = |field: &str, value: Value| {
        let mut object = agent("bad", "B");
        object["spec"][field] = value;
        object
    };
    let dns_1035 = "an agent's name is a DNS-1035 label";
    let cases: &[(Value, &[&str])] = &[
        (agent("bad", "ZZ"), &["spec.genus", "\"ZZ\"", "\"Psi\", \"Omega\""]),
        (agent_with("genus", json!(false)), &["spec.genus", "must be of type string"]),
        (agent_with("replicas", json!(101)), &["spec.replicas", "less than or equal to 100"]),
        (agent_with("replicas", json!(-1)), &["spec.replicas", "greater than or equal to 0"]),
        (agent_with("resources", json!({ "cpu": "lots" })), &["spec.resources.cpu", "lots"]),
        (agent_with("health", json!({ "probeInterval": "soon" })), &["spec.health.probeInterval", "soon"]),
        (agent_with("mode", json!("HALF")), &["spec.mode", "\"FULL\", \"PLACEHOLDER\", \"DRY_RUN\""]),
        (agent_with("replcas", json!(1)), &["unknown field \"spec.replcas\""]),
        (agent("Bad_Name", "B"), &["Bad_Name", "lower case"]),
        (agent(&"x".repeat(64), "B"), &[dns_1035, "at most 63"]),
        (agent("7up", "B"), &[dns_1035, "starts with a letter"]),
        (agent("a.b", "B"), &[dns_1035]),
        (pheromone("halfLifeMinutes", json!(-5)), &["spec.halfLifeMinutes", "must be greater than 0"]),
        (pheromone("halfLifeMinutes", json!(0)), &["spec.halfLifeMinutes", "must be greater than 0"]),
        (pheromone("initialIntensity", json!(2)), &["spec.initialIntensity", "less than or equal to 1"]),
        (pheromone("type", json!("WARN")), &["spec.type", "\"WARNING\""]),
        (pheromone("emittedAt", json!("yesterday")), &["spec.emittedAt", "date-time"]),
        (pheromone("ttlSeconds", json!(-1)), &["spec.ttlSeconds", "greater than or equal to 0"]),
        (object("Memory", "bad", &json!({ "type": "VECTOR" })), &["spec.owner", "Required"]),
        (
            object("Umwelt", "bad", &json!({ "agent": "x", "slopBudget": 1.5 })),
            &["spec.slopBudget", "less than or equal to 1"],
        ),
        (
            object("Proposal", "bad", &json!({ "changeType": "AGENT_SCALE" })),
            &["spec.target", "spec.patch", "Required"],
        ),
    ];
    for (object, words) in cases {
        let refused = place.apply_text(&object.to_string());
        let stderr = refused.fails(1);
        for word in *words {
            assert!(stderr.contains(word), "{object}: {word:?} is not in {stderr}");
        }
    }
    let left = place.kubectl(&["get", "kgents", "-o", "name"]).ok();
    assert_eq!(left, "", "something bad was let in");
}

fn a_proposal_cannot_be_edited(place: &Place) {
    place.apply(&[proposal("grow", "b-gent")]);
    let before = place.get("proposal", "grow");
    for edit in [
        json!({ "reason": "another" }),
        json!({ "urgency": "CRITICAL" }),
        json!({ "evidence": { "load": 0.9 } }),
        json!({ "target": { "name": "c-gent" } }),
        json!({ "patch": { "content": { "spec": { "replicas": 9 } } } }),
        json!({ "patch": { "content": { "spec": { "image": "evil" } } } }),
        json!({ "patch": { "content": null } }),
    ] {
        let patch = json!({ "spec": edit }).to_string();
        let ran = place.kubectl(&["patch", "proposal", "grow", "--type=merge", "-p", &patch]);
        let stderr = ran.fails(1);
        assert!(stderr.contains("cannot be edited") && stderr.contains("create a new one"), "{patch}: {stderr}");
    }
    // Its labels and its status are not what was proposed.
    place.kubectl(&["label", "proposal", "grow", "seen=yes"]).ok();
    place.set_status("proposal", "grow", &json!({ "phase": "Reviewing" }));
    let after = place.get("proposal", "grow");
    assert_eq!(before["spec"], after["spec"]);
    assert_eq!((&after["metadata"]["labels"]["seen"], &after["status"]["phase"]), (&json!("yes"), &json!("Reviewing")));
}
