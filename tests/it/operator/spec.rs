//! Specs that cannot be: what an Agent is told, and that the others go on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::garden::Garden;
use crate::support::objects::{agent, object};

pub fn cases() -> Vec<Case> {
    cases![
        what_cannot_be_rendered_is_a_condition,
        a_name_of_63_characters_works,
        peers_that_do_not_exist_are_named,
        what_the_pod_says_is_told,
        a_memory_grows_and_never_shrinks,
        what_is_not_there_yet_says_so,
    ]
}

fn what_cannot_be_rendered_is_a_condition(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let big = "x".repeat(200 * 1024);
    let bad: [(&str, Value, &str); 5] = [
        ("no-image", json!({ "genus": "B", "image": "" }), "image"),
        ("bad-key", json!({ "genus": "B", "config": { "": "x" } }), "config"),
        ("twins", json!({ "genus": "B", "config": { "a-b": "1", "a_b": "2" } }), "KGENTS_A_B"),
        ("reserved", json!({ "genus": "B", "config": { "agent": "me" } }), "KGENTS_AGENT"),
        ("too-much", json!({ "genus": "B", "config": { "text": big } }), "128"),
    ];
    for (name, spec, _) in &bad {
        // An apply of kubectl's would keep a copy that is too big for an annotation.
        let text = object("Agent", name, spec).to_string();
        garden.cluster.kubectl_as(garden.kubeconfig(), &["create", "-f", "-"], &text).ok();
    }
    garden.apply(&[agent("good", "G")]);
    let mark = garden.audit.end();
    for (name, _, word) in &bad {
        let stalled = garden.condition("agent", name, "Stalled", "True");
        assert!(stalled["message"].as_str().unwrap().contains(word), "{name}: {stalled}");
        assert!(stalled["message"].as_str().unwrap().len() < 2_000, "{name}");
        assert!(!garden.has("deployment", name), "{name}");
        assert_eq!(garden.get("agent", name)["status"]["observedGeneration"], 1);
    }
    garden.phase("good", "Running");
    let writes = garden.quiet(mark, Duration::from_secs(3));
    for (name, _, _) in &bad {
        let own = writes.iter().filter(|call| call.name == *name).count();
        assert!(own <= 2, "{name}: {writes:#?}");
    }
    // Mended, it runs.
    garden.apply(&[object("Agent", "no-image", &json!({ "genus": "B", "image": "example/b:1" }))]);
    garden.phase("no-image", "Running");
}

fn a_name_of_63_characters_works(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let name = format!("a{}z", "b".repeat(61));
    garden.apply(&[agent(&name, "B")]);
    garden.phase(&name, "Running");
}

fn peers_that_do_not_exist_are_named(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let spec = json!({ "genus": "B", "networkPolicy": { "allowedPeers": ["nobody", "genus:D"] } });
    garden.apply(&[object("Agent", "b-gent", &spec)]);
    let peers = garden.condition("agent", "b-gent", "PeersResolved", "False");
    assert!(peers["message"].as_str().unwrap().contains("nobody"), "{peers}");
    garden.phase("b-gent", "Running");
    garden.apply(&[agent("nobody", "N")]);
    garden.condition("agent", "b-gent", "PeersResolved", "True");
}

fn what_the_pod_says_is_told(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.kubectl(&["create", "quota", "none", "--hard=pods=0"]).ok();
    garden.apply(&[agent("b-gent", "B")]);
    let ready = garden.condition("agent", "b-gent", "Ready", "False");
    let said = super::super::support::wait::eventually(super::super::support::wait::SOON, "the quota's words", || {
        let ready = garden.condition("agent", "b-gent", "Ready", "False");
        let message = ready["message"].as_str().unwrap_or_default().to_owned();
        if message.contains("quota") { Ok(message) } else { Err(ready.to_string()) }
    });
    assert!(said.contains("none"), "{said} {ready}");
    garden.kubectl(&["delete", "quota", "none"]).ok();
}

fn a_memory_grows_and_never_shrinks(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let sized = |size: &str| object("Memory", "ledger", &json!({ "owner": "b-gent", "type": "VECTOR", "size": size }));
    garden.apply(&[sized("1Gi")]);
    garden.condition("memory", "ledger", "Ready", "True");
    garden.apply(&[sized("2Gi")]);
    let requested =
        || garden.get("pvc", "ledger")["spec"]["resources"]["requests"]["storage"].as_str().unwrap().to_owned();
    super::super::support::wait::eventually(super::super::support::wait::SOON, "2Gi", || {
        let now = requested();
        if now == "2Gi" { Ok(()) } else { Err(now) }
    });
    garden.apply(&[sized("1024Mi")]);
    let mark = garden.audit.end();
    garden.quiet(mark, Duration::from_secs(2));
    assert_eq!(requested(), "2Gi");
    let conditions = garden.get("memory", "ledger")["status"]["conditions"].to_string();
    assert!(conditions.contains("hrink"), "{conditions}");
}

fn what_is_not_there_yet_says_so(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let spec = json!({ "owner": "b-gent", "type": "VECTOR", "backupSchedule": "0 3 * * *", "sharedWith": ["d-gent"] });
    garden.apply(&[object("Memory", "ledger", &spec)]);
    garden.condition("memory", "ledger", "Ready", "True");
    let conditions = garden.get("memory", "ledger")["status"]["conditions"].to_string();
    assert_eq!(conditions.matches("NotImplemented").count(), 2, "{conditions}");
}
