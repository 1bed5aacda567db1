//! What kubectl makes of our resources.

use kgents_api::{Agent, AgentSpec, Genus, yaml};
use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, condition, memory, object, pheromone, proposal, umwelt};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        every_field_is_explained,
        agents_of_genus_n_and_y_are_created_from_yaml,
        what_is_printed_as_yaml_can_be_applied_again,
        columns_tell_what_matters,
        an_agent_can_be_scaled,
        a_number_is_an_amount_too,
    ]
}

fn every_field_is_explained(place: &Place) {
    for path in [
        "agent",
        "agent.spec",
        "agent.spec.health",
        "agent.spec.budget",
        "agent.status",
        "pheromone.spec",
        "memory.spec",
        "umwelt.spec",
        "proposal.spec",
        "proposal.spec.patch",
        "proposal.spec.review",
        "proposal.status",
        "proposal.status.risk",
    ] {
        let text = place.kubectl(&["explain", path]).ok();
        assert!(text.contains("DESCRIPTION:") && text.contains("FIELDS:"), "{path}: {text}");
        assert!(!text.contains("<no description>"), "{path}: {text}");
    }
    let agent = place.kubectl(&["explain", "agent.spec"]).ok();
    assert!(agent.contains("genus") && agent.contains("-required-") && agent.contains("N narrator"), "{agent}");
    let health = place.kubectl(&["explain", "agents.spec.health"]).ok();
    assert!(health.contains("enum: HTTP, COGNITIVE_PROBE"), "{health}");
}

/// A bare `N` is `false` to kubectl, which reads YAML 1.1.
fn agents_of_genus_n_and_y_are_created_from_yaml(place: &Place) {
    for genus in [Genus::N, Genus::Y] {
        let name = format!("{}-gent", genus.as_str().to_lowercase());
        let text = yaml::to_string(&Agent::new(&name, AgentSpec::of(genus))).unwrap();
        place.apply_text(&text).ok();
        assert_eq!(place.get("agent", &name)["spec"]["genus"], genus.as_str(), "{text}");
    }
}

fn what_is_printed_as_yaml_can_be_applied_again(place: &Place) {
    let spec = json!({ "genus": "N", "config": { "on": "no", "y": "12:30" }, "instructions": "tell\nall" });
    place.apply(&[object("Agent", "n-gent", &spec), agent("y-gent", "Y")]);
    let printed = place.kgents(&["agents", "-o", "yaml"]).ok();
    let objects = objects_of(&printed);
    assert_eq!(objects.len(), 2, "{printed}");
    let before = ["n-gent", "y-gent"].map(|name| place.get("agent", name));
    for object in objects {
        place.apply_text(&object).ok();
    }
    let after = ["n-gent", "y-gent"].map(|name| place.get("agent", name));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before["spec"], after["spec"], "{printed}");
        assert_eq!(before["metadata"]["generation"], after["metadata"]["generation"], "{printed}");
    }
    // What was deleted is made anew from what was printed of it.
    place.kubectl(&["delete", "agent", "n-gent"]).ok();
    let n_gent = objects_of(&printed).into_iter().find(|object| object.contains("n-gent")).unwrap();
    place.apply_text(&without_identity(&n_gent)).ok();
    assert_eq!(place.get("agent", "n-gent")["spec"], before[0]["spec"]);
}

/// The objects in a printed list, each as the YAML that it is there: they are
/// not read and written anew, because how they are quoted is what is tested.
fn objects_of(list: &str) -> Vec<String> {
    let mut objects: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for line in list.lines() {
        let indent = line.len() - line.trim_start_matches([' ', '-']).len();
        if line.trim_start_matches([' ', '-']) == "object:" {
            objects.push((indent, String::new()));
            inside = true;
        } else if let Some((outer, text)) = objects.last_mut() {
            inside &= line.trim().is_empty() || indent > *outer;
            if inside {
                text.push_str(line.get(*outer..).unwrap_or_default());
                text.push('\n');
            }
        }
    }
    objects.into_iter().map(|(_, text)| text).collect()
}

/// An object's YAML without the fields that belong to the one that is gone.
fn without_identity(yaml: &str) -> String {
    let is_identity =
        |line: &&str| !["uid:", "resourceVersion:"].iter().any(|field| line.trim_start().starts_with(field));
    yaml.lines().filter(is_identity).flat_map(|line| [line, "\n"]).collect()
}

fn columns_tell_what_matters(place: &Place) {
    place.apply(&[
        agent("b-gent", "B"),
        pheromone("low-disk", "WARNING", 0),
        memory("b-gent-memory", "b-gent"),
        umwelt("b-gent-umwelt", "b-gent"),
        proposal("b-gent-scale", "b-gent"),
    ]);
    let ready = condition("Ready", "False", "ImagePullBackOff");
    let status =
        json!({ "phase": "Degraded", "readyReplicas": 0, "cognitiveHealth": "UNKNOWN", "conditions": [ready] });
    place.set_status("agent", "b-gent", &status);
    let risk = json!({ "base": 0.1, "velocity": 0.2, "cumulative": 0.0, "total": 0.3, "level": "MEDIUM" });
    place.set_status("proposal", "b-gent-scale", &json!({ "phase": "Reviewing", "risk": risk }));

    let printed = place.kubectl(&["get", "ag,ph,mem,uw,prop"]).ok();
    let tables: Vec<Vec<&str>> = printed.split("\n\n").map(|table| table.lines().collect()).collect();
    assert_eq!(tables.len(), 5, "{printed}");
    for (kind, head, row) in [
        ("agent", "GENUS PHASE READY REPLICAS MIND WHY AGE", "B Degraded 0 1 UNKNOWN ImagePullBackOff"),
        ("pheromone", "TYPE SOURCE TARGET INITIAL HALF-LIFE EMITTED AGE", "WARNING o-gent"),
        ("memory", "OWNER TYPE SIZE RETENTION READY AGE", "b-gent VECTOR 256Mi RETAIN"),
        ("umwelt", "AGENT WORKLOAD TOKENS SLOP AGE", "b-gent routine 5000 0.1"),
        (
            "proposal",
            "CHANGE TARGET PHASE RISK LEVEL URGENCY PROPOSER AGE",
            "AGENT_SCALE b-gent Reviewing 0.3 MEDIUM MEDIUM o-gent",
        ),
    ] {
        let prefix = format!("{kind}.kgents.io/");
        let table =
            tables.iter().find(|table| table[1].starts_with(&prefix)).unwrap_or_else(|| panic!("{kind}: {printed}"));
        assert_eq!(words(table[0]), format!("NAME {head}"), "{printed}");
        assert!(words(table[1]).split_once(' ').unwrap().1.starts_with(row), "{kind}: {printed}");
    }
    // The category names all of them at once.
    let names = place.kubectl(&["get", "kgents", "-o", "name"]).ok();
    assert_eq!(names.lines().count(), 5, "{names}");
}

/// The words of a line, with one space between two.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn an_agent_can_be_scaled(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    place.kubectl(&["scale", "ag/b-gent", "--replicas=3"]).ok();
    assert_eq!(place.get("agent", "b-gent")["spec"]["replicas"], 3);

    place.set_status("agent", "b-gent", &json!({ "replicas": 2, "selector": "kgents.io/agent=b-gent" }));
    let path = format!("/apis/kgents.io/v1/namespaces/{}/agents/b-gent/scale", place.namespace);
    let scale = place.kubectl(&["get", "--raw", &path]).json();
    assert_eq!(scale["spec"], json!({ "replicas": 3 }));
    assert_eq!(scale["status"], json!({ "replicas": 2, "selector": "kgents.io/agent=b-gent" }));

    let refused = place.kubectl(&["scale", "ag/b-gent", "--replicas=101"]).fails(1);
    assert!(refused.contains("less than or equal to 100"), "{refused}");
}

fn a_number_is_an_amount_too(place: &Place) {
    place.apply(&[object("Agent", "b-gent", &json!({ "genus": "B", "resources": { "cpu": 1, "memory": "1Gi" } }))]);
    assert_eq!(place.get("agent", "b-gent")["spec"]["resources"]["cpu"], 1, "the API server keeps it a number");
    let list = place.kgents(&["agents", "--json"]).json();
    let resources: &Value = &list["items"][0]["object"]["spec"]["resources"];
    assert_eq!(*resources, json!({ "cpu": "1", "memory": "1Gi" }), "{list}");
    let page = place.kgents(&["agents", "describe", "b-gent"]).ok();
    assert!(page.contains("1 CPU, 1Gi memory"), "{page}");
}
