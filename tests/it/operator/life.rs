//! From an Agent to pods and back.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::audit::Call;
use crate::support::case::{Case, cases};
use crate::support::garden::Garden;
use crate::support::objects::{agent, memory, object, umwelt};
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![
        an_agent_becomes_running_with_one_write_for_each_child,
        a_restarted_operator_writes_nothing,
        an_edit_flows_and_scale_goes_both_ways,
        a_deleted_agent_leaves_only_what_is_retained_and_a_new_one_takes_it_back,
        the_order_of_creation_does_not_matter,
        a_placeholder_a_dry_run_and_a_pause,
        a_pheromone_is_deleted_once_at_its_end,
        one_that_ended_while_nobody_looked_is_deleted_too,
        once_converges_reports_and_ends,
        a_dry_run_of_the_operator_writes_nothing,
    ]
}

/// Longer than anything that is held back is held back.
const REST: Duration = Duration::from_secs(7);

/// What an Agent with every default is made into, of which each is written once.
const CHILDREN: [&str; 8] = [
    "serviceaccounts",
    "configmaps",
    "umwelts",
    "memories",
    "networkpolicies",
    "services",
    "deployments",
    "persistentvolumeclaims",
];

fn an_agent_becomes_running_with_one_write_for_each_child(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let mark = garden.audit.end();
    garden.apply(&[agent("b-gent", "B")]);
    let agent = garden.phase("b-gent", "Running");
    assert_eq!(agent["status"]["observedGeneration"], agent["metadata"]["generation"]);
    assert_eq!(agent["status"]["readyReplicas"], 1);
    garden.condition("agent", "b-gent", "Ready", "True");
    garden.condition("memory", "b-gent-memory", "Ready", "True");
    garden.condition("umwelt", "b-gent-umwelt", "Ready", "True");
    let writes = garden.quiet(mark, REST);
    let count = |resource: &str| writes.iter().filter(|call| call.resource == resource).count();
    let all: Vec<String> = writes.iter().map(Call::short).collect();
    for child in CHILDREN {
        // The umwelt's ConfigMap is the second one.
        let wanted = if child == "configmaps" { 2 } else { 1 };
        assert_eq!(count(child), wanted, "{child}: {all:#?}");
    }
    assert!(count("agents/status") <= 2, "{all:#?}");
    assert!(count("memories/status") <= 2, "{all:#?}");
    assert!(count("umwelts/status") <= 1, "{all:#?}");
    assert!(writes.iter().all(|call| call.code < 300), "{all:#?}");
    assert_eq!(writes.len(), 9 + count("agents/status") + count("memories/status") + count("umwelts/status"));
    let reads: Vec<_> = garden.audit.since(mark).into_iter().filter(|call| call.agent.starts_with("kgents/")).collect();
    let reads: Vec<_> = reads
        .iter()
        .filter(|call| call.namespace == garden.namespace && call.verb == "get" && call.resource != "leases")
        .collect();
    assert!(reads.is_empty(), "{reads:#?}");
}

fn a_restarted_operator_writes_nothing(garden: &Garden) {
    let operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B"), agent("d-gent", "D")]);
    garden.phase("b-gent", "Running");
    garden.phase("d-gent", "Running");
    let mark = garden.audit.end();
    garden.quiet(mark, REST);
    operator.dies();
    let mark = garden.audit.end();
    let _operator = garden.operator(&[]);
    assert_eq!(garden.quiet(mark, REST), []);
}

fn an_edit_flows_and_scale_goes_both_ways(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[object("Agent", "b-gent", &json!({ "genus": "B", "config": { "queue": "ledger" } }))]);
    garden.phase("b-gent", "Running");
    garden.apply(&[object(
        "Agent",
        "b-gent",
        &json!({ "genus": "B", "config": { "queue": "till" }, "image": "example/b:2" }),
    )]);
    eventually(SOON, "the new image", || {
        let deployment = garden.get("deployment", "b-gent");
        let logic = &deployment["spec"]["template"]["spec"]["containers"][0];
        let env = logic["env"].to_string();
        if logic["image"] == "example/b:2" && env.contains("till") { Ok(()) } else { Err(logic.to_string()) }
    });
    let replicas = |wanted: i64| {
        eventually(SOON, &format!("{wanted} pods"), || {
            let agent = garden.get("agent", "b-gent");
            let status = &agent["status"];
            let there = status["replicas"].as_i64().unwrap_or(0) == wanted
                && status["readyReplicas"].as_i64().unwrap_or(0) == wanted;
            if there && status["phase"] == "Running" { Ok(()) } else { Err(status.to_string()) }
        });
    };
    garden.kubectl(&["scale", "agent/b-gent", "--replicas=0"]).ok();
    replicas(0);
    let ready = garden.condition("agent", "b-gent", "Ready", "True");
    assert_eq!(ready["reason"], "ScaledToZero");
    garden.kubectl(&["scale", "agent/b-gent", "--replicas=3"]).ok();
    replicas(3);
    assert!(garden.has("poddisruptionbudget", "b-gent"));
    garden.kubectl(&["scale", "agent/b-gent", "--replicas=1"]).ok();
    replicas(1);
    garden.gone("poddisruptionbudget", "b-gent");
}

fn a_deleted_agent_leaves_only_what_is_retained_and_a_new_one_takes_it_back(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    garden.condition("memory", "b-gent-memory", "Ready", "True");
    let claim = garden.get("pvc", "b-gent-memory");
    garden.kubectl(&["delete", "agent", "b-gent"]).ok();
    for (kind, name) in [
        ("deployment", "b-gent"),
        ("service", "b-gent"),
        ("networkpolicy", "b-gent"),
        ("serviceaccount", "b-gent"),
        ("configmap", "b-gent-spec"),
        ("umwelt", "b-gent-umwelt"),
    ] {
        garden.gone(kind, name);
    }
    assert_eq!(garden.get("pvc", "b-gent-memory")["metadata"]["uid"], claim["metadata"]["uid"]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    assert_eq!(garden.get("pvc", "b-gent-memory")["metadata"]["uid"], claim["metadata"]["uid"]);
}

fn the_order_of_creation_does_not_matter(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[object("Agent", "b-gent", &json!({ "genus": "B", "umwelt": "meadow", "memory": "ledger" }))]);
    eventually(SOON, "what it waits for", || {
        let ready = garden.condition("agent", "b-gent", "Ready", "False");
        let message = ready["message"].as_str().unwrap_or_default();
        if message.contains("meadow") || message.contains("ledger") { Ok(()) } else { Err(ready.to_string()) }
    });
    assert!(!garden.has("deployment", "b-gent"));
    garden.apply(&[umwelt("meadow", "b-gent")]);
    garden.apply(&[memory("ledger", "b-gent")]);
    garden.phase("b-gent", "Running");
    assert!(!garden.has("umwelt", "b-gent-umwelt"));
    assert!(!garden.has("memory", "b-gent-memory"));
}

fn a_placeholder_a_dry_run_and_a_pause(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[object("Agent", "p-gent", &json!({ "genus": "P", "mode": "PLACEHOLDER" }))]);
    garden.phase("p-gent", "Running");
    let deployment = garden.get("deployment", "p-gent");
    let logic = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(logic["args"], json!(["agent", "placeholder"]));
    garden.apply(&[object("Agent", "w-gent", &json!({ "genus": "W", "mode": "DRY_RUN" }))]);
    let told = eventually(SOON, "what would be made", || garden.said("w-gent", "DryRun").pop().ok_or_else(String::new));
    assert!(told.contains("Deployment w-gent"), "{told}");
    assert!(!garden.has("deployment", "w-gent"));
    garden.apply(&[object(
        "Agent",
        "p-gent",
        &json!({ "genus": "P", "mode": "PLACEHOLDER", "paused": true, "replicas": 2 }),
    )]);
    garden.condition("agent", "p-gent", "Paused", "True");
    assert_eq!(garden.get("deployment", "p-gent")["spec"]["replicas"], 1);
}

fn a_pheromone_is_deleted_once_at_its_end(garden: &Garden) {
    let _operator = garden.operator(&[]);
    let mark = garden.audit.end();
    let short = object("Pheromone", "short", &json!({ "type": "WARNING", "source": "o-gent", "ttlSeconds": 3 }));
    let long = object("Pheromone", "long", &json!({ "type": "WARNING", "source": "o-gent" }));
    garden.apply(&[short, long]);
    garden.gone("pheromone", "short");
    assert!(garden.has("pheromone", "long"));
    let writes: Vec<String> = garden.quiet(mark, Duration::from_secs(2)).iter().map(Call::short).collect();
    assert_eq!(writes, ["delete pheromones short (200)"]);
}

fn one_that_ended_while_nobody_looked_is_deleted_too(garden: &Garden) {
    let ago = Timestamp::now() - SignedDuration::from_hours(3);
    let spec = json!({ "type": "WARNING", "source": "o-gent", "emittedAt": ago.to_string() });
    garden.apply(&[object("Pheromone", "old", &spec)]);
    let _operator = garden.operator(&[]);
    garden.gone("pheromone", "old");
}

fn once_converges_reports_and_ends(garden: &Garden) {
    garden.apply(&[agent("b-gent", "B"), object("Agent", "x-gent", &json!({ "genus": "X", "image": "" }))]);
    let once = ["operator", "run", "--once", "-o", "json", "--metrics-addr", "none"];
    let with = |more: &[&'static str]| -> Vec<&str> {
        once.into_iter().chain(more.iter().copied()).chain(garden.flags()).collect()
    };
    let late = garden.kgents(&with(&["--timeout", "1ms"])).fails(1);
    assert!(late.contains("not converged within 1ms"), "{late}");
    let ran = garden.kgents(&with(&[]));
    assert_eq!(ran.code, Some(1), "x-gent cannot become well: {ran}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["kinds"]["agent"], json!({ "objects": 2, "healthy": 1, "stalled": 1 }), "{ran}");
    assert_eq!(report["stalled"][0]["key"], format!("agent {}/x-gent", garden.namespace), "{ran}");
    garden.phase("b-gent", "Running");
    garden.condition("agent", "x-gent", "Stalled", "True");
}

fn a_dry_run_of_the_operator_writes_nothing(garden: &Garden) {
    garden.apply(&[agent("b-gent", "B")]);
    let mark = garden.audit.end();
    let flags = garden.flags();
    let args: Vec<&str> =
        ["operator", "run", "--once", "--dry-run", "--metrics-addr", "none"].into_iter().chain(flags).collect();
    let said = garden.kgents(&args).ok();
    assert!(said.contains("Deployment"), "{said}");
    assert_eq!(garden.writes(mark), []);
}
