use serde_json::json;

use super::*;
use crate::plan::laws::fields;
use crate::plan::{Subject, plan as plan_of};
use crate::testing::noon;

fn umwelt(over: &Value) -> Umwelt {
    let mut base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Umwelt",
        "metadata": {"name": "u", "namespace": "kgents-agents", "uid": "u-1", "generation": 3},
        "spec": {
            "agent": "a", "workload": "urgent", "affordances": ["world.**"],
            "context": {"z": "on", "a": [1, null]}, "persona": {"warmth": 0.5},
        },
    });
    json_patch::merge(&mut base, over);
    serde_json::from_value(base).unwrap()
}

fn run(umwelt: &Umwelt, observed: &Observed) -> Plan {
    plan_of(Subject::Umwelt(umwelt), observed, noon(), &Config::default())
}

fn seen(body: &Value, over: &Value) -> Observed {
    let mut map = body.clone();
    let fields = fields::to_json(&fields::set_of(body));
    map["metadata"]["uid"] = "m-1".into();
    map["metadata"]["managedFields"] =
        json!([{"manager": Resource::ConfigMap.manager(), "operation": "Apply", "fieldsV1": fields}]);
    json_patch::merge(&mut map, over);
    let mut observed = Observed::default();
    let live = Live::read(Resource::ConfigMap, &map).unwrap();
    observed.children.insert((Resource::ConfigMap, "u".to_owned()), live.into());
    observed
}

#[test]
fn the_agent_reads_it_as_yaml_and_it_is_told_of_in_one_write() {
    let umwelt = umwelt(&json!({}));
    let first = run(&umwelt, &Observed::default());
    assert_eq!((first.apply.len(), &first.status), (1, &None));
    assert_eq!(
        first.apply[0].body["data"]["umwelt.yaml"],
        r#"agent: a
persona:
  warmth: 0.5
affordances:
- world.**
context:
  a:
  - 1
  - null
  z: "on"
slopBudget: 0.1
workload: urgent
"#
    );
    let owner = &first.apply[0].body["metadata"]["ownerReferences"];
    assert_eq!(
        *owner,
        json!([{"apiVersion": "kgents.io/v1", "kind": "Umwelt", "name": "u", "uid": "u-1", "controller": true}])
    );
    let second = run(&umwelt, &seen(&first.apply[0].body, &json!({})));
    assert_eq!(second.apply, []);
    let status = second.status.unwrap().body;
    assert_eq!((&status["configMapName"], &status["observedGeneration"]), (&json!("u"), &json!(3)));
    assert_eq!(status["conditions"][0]["status"], "True");
}

#[test]
fn what_is_somebody_elses_is_left_and_what_is_too_long_is_said() {
    let small = umwelt(&json!({}));
    let body = run(&small, &Observed::default()).apply.remove(0).body;
    for foreign in [
        json!({"metadata": {"ownerReferences": null}}),
        json!({"metadata": {"ownerReferences": [{"kind": "Agent", "name": "a", "uid": "x", "controller": true}]}}),
    ] {
        let plan = run(&small, &seen(&body, &foreign));
        assert_eq!(plan.apply, []);
        assert_eq!(plan.status.unwrap().body["conditions"][2]["reason"], "NameTaken");
    }
    let long = umwelt(&json!({"spec": {"context": {"long": "x".repeat(MOST_BYTES)}}}));
    let plan = run(&long, &Observed::default());
    assert_eq!(plan.apply, []);
    assert_eq!(plan.status.unwrap().body["conditions"][2]["reason"], "TooLarge");
}

#[test]
fn one_that_goes_is_left_alone() {
    let going = umwelt(&json!({"metadata": {"deletionTimestamp": "2026-01-01T11:30:00Z"}}));
    assert!(run(&going, &Observed::default()).is_empty());
    let there = umwelt(&json!({}));
    let body = run(&there, &Observed::default()).apply.remove(0).body;
    let plan = run(&there, &seen(&body, &json!({"metadata": {"deletionTimestamp": "2026-01-01T11:30:00Z"}})));
    assert_eq!(plan.apply, []);
    assert_eq!(plan.status.unwrap().body["conditions"][1]["reason"], "ConfigMapGoing");
}
