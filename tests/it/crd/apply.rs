//! Lists that several writers share: each owns its item, and none undoes
//! another's.

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, condition, proposal};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![conditions_of_two_writers_stand_side_by_side, approvals_of_two_people_stand_side_by_side]
}

/// An object with nothing but its identity and a status, as one writer
/// applies it.
fn status(kind: &str, name: &str, status: &Value) -> Value {
    json!({ "apiVersion": "kgents.io/v1", "kind": kind, "metadata": { "name": name }, "status": status })
}

/// One field of the items of a list, sorted.
fn sorted<'a>(items: &'a Value, field: &str) -> Vec<&'a str> {
    let mut words: Vec<&str> = items.as_array().unwrap().iter().filter_map(|item| item[field].as_str()).collect();
    words.sort_unstable();
    words
}

fn conditions_of_two_writers_stand_side_by_side(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let with = |conditions: &[Value]| status("Agent", "b-gent", &json!({ "conditions": conditions }));
    place.apply_status_as(
        "deployer",
        &with(&[condition("Ready", "False", "Pulling"), condition("Progressing", "True", "New")]),
    );
    place.apply_status_as("prober", &with(&[condition("Mindful", "True", "Answers")]));
    let types = |place: &Place| {
        let agent = place.get("agent", "b-gent");
        sorted(&agent["status"]["conditions"], "type").join(" ")
    };
    assert_eq!(types(place), "Mindful Progressing Ready");

    // What a writer leaves out goes, if it is its own.
    place.apply_status_as("deployer", &with(&[condition("Ready", "True", "AllReady")]));
    assert_eq!(types(place), "Mindful Ready");
    let agent = place.get("agent", "b-gent");
    assert_eq!(sorted(&agent["status"]["conditions"], "reason"), ["AllReady", "Answers"]);
}

fn approvals_of_two_people_stand_side_by_side(place: &Place) {
    place.apply(&[proposal("grow", "b-gent")]);
    for list in ["approvals", "rejections"] {
        for person in ["ann", "bob"] {
            let decision =
                json!({ "approver": person, "at": "2026-01-01T00:00:00Z", "reason": format!("{person} says so") });
            let manager = format!("kgents-approval/{person}");
            place.apply_status_as(&manager, &status("Proposal", "grow", &json!({ list: [decision] })));
        }
        let proposal = place.get("proposal", "grow");
        assert_eq!(sorted(&proposal["status"][list], "approver"), ["ann", "bob"], "{list}");
        assert_eq!(sorted(&proposal["status"][list], "reason"), ["ann says so", "bob says so"], "{list}");
    }
}
