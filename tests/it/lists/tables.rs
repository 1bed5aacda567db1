//! Lists for people: tables, names, selectors.

use serde_json::json;

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, condition, labelled, memory, object, pheromone, proposal, umwelt};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        agents_that_need_a_person_come_first,
        each_kind_has_its_table,
        wide_tables_have_more_and_cut_nothing,
        names_are_those_of_kubectl,
        selectors_choose_as_kubectl_does,
        nothing_is_said_when_there_is_nothing,
    ]
}

/// The first word of each line but the first.
fn names(table: &str) -> Vec<&str> {
    table.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect()
}

/// The headings of a table.
fn head(table: &str) -> Vec<&str> {
    table.lines().next().unwrap_or_default().split("   ").map(str::trim).filter(|word| !word.is_empty()).collect()
}

fn agents_that_need_a_person_come_first(place: &Place) {
    place.apply(&[agent("a-gent", "B"), agent("b-gent", "N"), agent("c-gent", "T")]);
    place.set_status(
        "agent",
        "a-gent",
        &json!({ "phase": "Running", "readyReplicas": 1, "cognitiveHealth": "HEALTHY" }),
    );
    let ready = condition("Ready", "False", "ImagePullBackOff");
    place.set_status("agent", "c-gent", &json!({ "phase": "Failed", "readyReplicas": 0, "conditions": [ready] }));

    let table = place.kgents(&["agents"]).ok();
    assert_eq!(head(&table), ["NAME", "GENUS", "PHASE", "READY", "MIND", "WHY", "AGE"]);
    assert_eq!(names(&table), ["c-gent", "a-gent", "b-gent"], "{table}");
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap();
    for word in ["T", "Failed", "0/1", "ImagePullBackOff"] {
        assert!(row("c-gent").contains(word), "{table}");
    }
    for word in ["B", "Running", "1/1", "HEALTHY"] {
        assert!(row("a-gent").contains(word), "{table}");
    }
    assert!(row("b-gent").contains("—/1"), "no operator has spoken of it: {table}");
}

fn each_kind_has_its_table(place: &Place) {
    place.apply(&[
        pheromone("strong", "DREAM", 0),
        pheromone("weak", "DREAM", 240),
        proposal("b-gent-scale", "b-gent"),
        memory("b-gent-memory", "b-gent"),
        umwelt("b-gent-umwelt", "b-gent"),
    ]);
    for (command, headings, rows, words) in [
        (
            "pheromones",
            &["NAME", "TYPE", "INTENSITY", "HALF-LIFE", "GONE IN", "SOURCE", "TARGET", "PAYLOAD"][..],
            &["strong", "weak"][..],
            &["DREAM", "1.00", "0.25", "2h", "o-gent"][..],
        ),
        (
            "proposals",
            &["NAME", "PHASE", "CHANGE", "TARGET", "RISK", "NEEDS", "AGE"],
            &["b-gent-scale"],
            &["Pending", "AGENT_SCALE", "Agent b-gent", "est."],
        ),
        (
            "memories",
            &["NAME", "OWNER", "TYPE", "SIZE", "RETENTION", "READY", "AGE"],
            &["b-gent-memory"],
            &["b-gent", "VECTOR", "256Mi", "RETAIN"],
        ),
        (
            "umwelts",
            &["NAME", "AGENT", "WORKLOAD", "TOKENS", "SLOP", "AGE"],
            &["b-gent-umwelt"],
            &["b-gent", "routine", "5000", "0.1"],
        ),
    ] {
        let table = place.kgents(&[command]).ok();
        assert_eq!(head(&table), headings, "{table}");
        assert_eq!(names(&table), rows, "{table}");
        for word in words {
            assert!(table.contains(word), "{word} is not in\n{table}");
        }
    }
}

fn wide_tables_have_more_and_cut_nothing(place: &Place) {
    let reason = "because ".repeat(20);
    let mut long = proposal("grow", "b-gent");
    long["spec"]["reason"] = reason.as_str().into();
    place.apply(&[long, object("Agent", "b-gent", &json!({ "genus": "B", "image": "kgents/b:1" }))]);

    let agents = place.kgents(&["agents", "-o", "wide"]).ok();
    assert_eq!(head(&agents).split_off(7), ["MODE", "IMAGE"], "{agents}");
    assert!(agents.contains("FULL") && agents.contains("kgents/b:1"), "{agents}");
    let proposals = place.kgents(&["proposals", "-o", "wide"]).ok();
    assert_eq!(head(&proposals).split_off(7), ["URGENCY", "PROPOSER", "REASON"], "{proposals}");
    assert!(proposals.contains(reason.trim()), "{proposals}");
}

fn names_are_those_of_kubectl(place: &Place) {
    place.apply(&[agent("a-gent", "B"), agent("b-gent", "B"), proposal("grow", "b-gent"), memory("m", "b-gent")]);
    for (ours, theirs) in [("agents", "ag"), ("proposals", "prop"), ("memories", "mem"), ("umwelts", "uw")] {
        let printed = place.kgents(&[ours, "-o", "name"]).ok();
        assert_eq!(printed, place.kubectl(&["get", theirs, "-o", "name"]).ok(), "{ours}");
    }
    // Each alias is the same command.
    let expected = place.kgents(&["agents", "-o", "name"]).ok();
    for alias in [&["agent"][..], &["ag"], &["agents", "list"], &["ag", "ls"]] {
        assert_eq!(place.kgents(&[alias, &["-o", "name"]].concat()).ok(), expected, "{alias:?}");
    }
}

fn selectors_choose_as_kubectl_does(place: &Place) {
    let tiered = |name: &str, tier: &str| labelled(agent(name, "B"), "tier", tier);
    place.apply(&[tiered("gold", "gold"), tiered("silver", "silver"), agent("plain", "B")]);
    for selector in [
        "tier=gold",
        "tier!=gold",
        "tier",
        "!tier",
        "tier in (gold, silver)",
        "tier notin (gold)",
        "tier=gold,!x",
        "x=y",
    ] {
        let ours = place.kgents(&["agents", "-o", "name", "-l", selector]).ok();
        assert_eq!(ours, place.kubectl(&["get", "ag", "-o", "name", "-l", selector]).ok(), "{selector}");
    }
    let table = place.kgents(&["agents", "-l", "tier=gold"]).ok();
    assert_eq!(names(&table), ["gold"]);
}

fn nothing_is_said_when_there_is_nothing(place: &Place) {
    for kind in ["agents", "pheromones", "proposals", "memories", "umwelts"] {
        let ran = place.kgents(&[kind]);
        assert!(ran.stderr.contains("No ") && ran.stderr.contains(&place.namespace), "{ran}");
        assert_eq!(ran.ok(), "", "standard output is for objects");
        let list = place.kgents(&[kind, "--json"]).json();
        assert_eq!(list["items"], json!([]), "{list}");
    }
}
