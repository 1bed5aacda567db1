use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::plan::{Subject, plan as plan_of};
use crate::testing::{any_time, at, config, noon, pheromone};

fn run(over: &Value, observed: &Observed, now: Timestamp, chaos: bool) -> Plan {
    let mut base = json!({"metadata": {"uid": "p-1", "namespace": "kgents-agents", "resourceVersion": "7"}});
    json_patch::merge(&mut base, over);
    let config = Config { allow_chaos: chaos, ..Config::default() };
    plan_of(Subject::Pheromone(&pheromone(&base)), observed, now, &config)
}

fn quiet(over: &Value, now: Timestamp) -> Plan {
    run(over, &Observed::default(), now, true)
}

#[test]
fn it_is_left_until_it_is_gone_and_then_deleted_as_it_was_judged() {
    let over = json!({"spec": {"ttlSeconds": 60}});
    let end = noon() + SignedDuration::from_secs(60);
    let before = quiet(&over, end - SignedDuration::from_nanos(1));
    assert!(before.is_empty());
    assert_eq!(before.requeue_at, Some(end));
    for late in [end, end + SignedDuration::from_hours(24)] {
        let plan = quiet(&over, late);
        assert_eq!(plan.requeue_at, None);
        let delete = &plan.delete[0];
        assert_eq!((delete.uid.as_str(), delete.resource_version.as_deref()), ("p-1", Some("7")));
        assert_eq!(delete.why, "the pheromone was gone at 2026-01-01T12:01:00Z");
    }
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T13:00:00Z"}, "spec": {"ttlSeconds": 0}});
    assert_eq!(quiet(&going, end), Plan { why: vec!["the pheromone is being deleted".to_owned()], ..Plan::default() });
}

#[test]
fn what_cannot_be_read_is_said_and_kept() {
    let plan = quiet(&json!({"spec": {"emittedAt": "yesterday"}}), at("2030-01-01T00:00:00Z"));
    assert_eq!((plan.delete.len(), plan.events.len(), plan.requeue_at), (0, 1, None));
    assert!(plan.events[0].warning && plan.events[0].message.contains("yesterday"));
}

#[test]
fn one_that_outlives_time_is_never_looked_at_again() {
    let plan = quiet(&json!({"spec": {"halfLifeMinutes": 1e300}}), noon());
    assert!(plan.is_empty());
    assert_eq!(plan.requeue_at, None);
}

fn pods(count: usize) -> Vec<Arc<Pod>> {
    let pod =
        |index: usize| Pod { name: format!("pod-{index}"), uid: format!("uid-{index}"), ready: true, ..Pod::default() };
    (0..count).map(|index| Arc::new(pod(index))).collect()
}

fn chaos() -> Value {
    json!({"spec": {"type": "CHAOS"}})
}

#[test]
fn chaos_needs_leave_and_one_of_our_namespaces() {
    let observed = Observed { pods: pods(3), ..Observed::default() };
    assert!(run(&chaos(), &observed, noon(), false).is_empty());
    let mut elsewhere = chaos();
    elsewhere["metadata"] = json!({"namespace": "kube-system"});
    assert!(run(&elsewhere, &observed, noon(), true).is_empty());
    let plan = run(&chaos(), &observed, noon(), true);
    assert_eq!((plan.delete.len(), plan.events.len()), (1, 1));
    assert_eq!(plan.delete[0].child.resource, Resource::Pod);
    assert!(plan.events[0].message.contains(&plan.delete[0].child.name));
}

#[test]
fn chaos_takes_one_pod_a_minute_that_is_ready_in_whatever_order() {
    let mut observed = Observed { pods: pods(3), ..Observed::default() };
    let first = run(&chaos(), &observed, noon(), true);
    assert_eq!(first.requeue_at, Some(noon() + CHAOS_PAUSE));
    observed.pods.reverse();
    assert_eq!(run(&chaos(), &observed, noon(), true).delete, first.delete);
    observed.last_chaos = Some(noon());
    let soon = run(&chaos(), &observed, noon() + SignedDuration::from_secs(59), true);
    assert!(soon.is_empty());
    assert_eq!(soon.requeue_at, Some(noon() + CHAOS_PAUSE));
    assert_eq!(run(&chaos(), &observed, noon() + CHAOS_PAUSE, true).delete.len(), 1);
    // In the long run it hits each.
    let minutes = (0..60).map(|minute| noon() + SignedDuration::from_mins(minute) / 2);
    observed.last_chaos = None;
    let hit: BTreeSet<String> = minutes.map(|now| run(&chaos(), &observed, now, true).delete[0].uid.clone()).collect();
    assert_eq!(hit.len(), 3);
    let unready = |pod: &Arc<Pod>| Arc::new(Pod { ready: false, ..(**pod).clone() });
    observed.pods = observed.pods.iter().map(unready).collect();
    assert!(run(&chaos(), &observed, noon(), true).is_empty());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn at_any_time_it_waits_or_is_deleted_once(now in any_time(), half_life in 0.01..1e6_f64, ttl in prop::option::of(0..10_000_i64)) {
        let over = json!({"spec": {"halfLifeMinutes": half_life, "ttlSeconds": ttl}});
        let plan = quiet(&over, now);
        if let Some(wake) = plan.requeue_at {
                prop_assert!(plan.is_empty() && wake > now);
                prop_assert_eq!(quiet(&over, wake).delete.len(), 1);
            } else { prop_assert_eq!(plan.delete.len(), 1); }
    }
}
