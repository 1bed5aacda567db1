//! The laws themselves.

use super::history::{Act, history};
use super::*;

/// How many histories are tried: `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

fn live(acts: &[Act]) -> World {
    let mut world = World::new();
    for act in acts {
        world.act(act);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), max_shrink_iters: 300, ..config() })]

    #[test]
    fn every_history_ends_where_nothing_is_to_be_done(acts in history()) {
        let mut world = live(&acts);
        world.settle();
        // Whatever refused has long stopped refusing, and is asked again.
        world.wait(3 * 3600);
        world.settle();
        world.hold_to_outcome();
        // Who starts anew finds nothing to do either.
        let before = world.server.objects.clone();
        world.operator.restart(&world.server);
        world.rest();
        prop_assert_eq!(before, world.server.objects);
    }
}

fn spec(kind: &str) -> Value {
    match kind {
        "Agent" => json!({"genus": "B", "replicas": 1, "sidecar": {"enabled": true}, "paused": false, "mode": "FULL"}),
        "Memory" => json!({"owner": "a", "type": "VECTOR", "retentionPolicy": "DELETE"}),
        _ => json!({"agent": "a", "slopBudget": 0.1, "workload": "routine"}),
    }
}

/// The writes to a kind since the world began: creations, patches, deletes
/// and statuses.
fn writes(world: &World, kind: &str) -> [usize; 4] {
    ["create", "patch", "delete", "status"]
        .map(|verb| world.server.writes.get(&(verb, kind.to_owned())).copied().unwrap_or_default())
}

#[test]
fn what_is_new_and_well_costs_one_write_for_each_child_and_few_of_its_status() {
    for binds_late in [false, true] {
        let mut world = World::new();
        world.server.binds_late = binds_late;
        world.put("Agent", "a", &spec("Agent"));
        world.settle();
        world.hold_to_outcome();
        for kind in ["ServiceAccount", "ConfigMap", "NetworkPolicy", "Service", "PersistentVolumeClaim", "Deployment"] {
            // The agent's own ConfigMap, and that of its Umwelt.
            let children = if kind == "ConfigMap" { 2 } else { 1 };
            assert_eq!(writes(&world, kind), [children, 0, 0, 0], "{kind}");
        }
        assert_eq!(writes(&world, "Umwelt"), [1, 0, 0, 1]);
        let [made, patched, deleted, told] = writes(&world, "Memory");
        assert_eq!(([made, patched, deleted], told <= 2), ([1, 0, 0], true), "told {told} times");
        let [_, _, _, told] = writes(&world, "Agent");
        assert!(told <= 2, "told {told} times");
        // A day later, after a restart: nothing.
        let before = world.server.writes.clone();
        world.wait(86_400);
        world.operator.restart(&world.server);
        world.settle();
        assert_eq!(world.server.writes, before);
    }
}

#[test]
fn the_order_in_which_objects_come_does_not_matter() {
    let objects = [("Agent", "a"), ("Memory", "m"), ("Umwelt", "u")];
    let mut ends = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut world = World::new();
        for index in order {
            let (kind, name) = objects[index];
            let mut spec = spec(kind);
            if kind == "Agent" {
                json_patch::merge(&mut spec, &json!({"memory": "m", "umwelt": "u"}));
            }
            world.put(kind, name, &spec);
            world.settle();
        }
        world.hold_to_outcome();
        let words = |object: &Value| {
            let mut words = json!({"kind": object["kind"], "name": object["metadata"]["name"], "labels": object["metadata"]["labels"], "spec": object["spec"], "data": object["data"]});
            if object["kind"] == "Pod" {
                words = json!({"kind": "Pod", "spec": object["spec"]});
            }
            let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
            words["said"] =
                conditions.map(|said| json!([said["type"], said["status"], said["reason"], said["message"]])).collect();
            words
        };
        ends.push(world.server.objects.values().map(words).collect::<Vec<Value>>());
    }
    for end in &ends[1..] {
        assert_eq!(end, &ends[0]);
    }
}

#[test]
fn a_thousand_pheromones_cost_one_delete_each_and_no_other_write() {
    let mut world = World::new();
    let day = SignedDuration::from_hours(24);
    let types = ["WARNING", "DREAM", "REVIEW_REQUEST", "STATE", "CHAOS"];
    for index in 0..1000_i64 {
        let emitted = noon() + day * index as i32 / 1000;
        let mut spec =
            json!({"type": types[index as usize % types.len()], "source": "a", "emittedAt": emitted.to_string()});
        if index % 3 == 0 {
            spec["ttlSeconds"] = (index * 7).into();
        }
        world.put("Pheromone", &format!("p{index}"), &spec);
    }
    world.operator.sync(&world.server);
    let keys = world.operator.subjects();
    let end = noon() + day * 3;
    // As a queue does: each is planned for when it asked to be.
    let mut queue: BTreeMap<Timestamp, Vec<Key>> = BTreeMap::from([(noon(), keys)]);
    let (mut plans, mut slept) = (0, false);
    while let Some((at, due)) = queue.pop_first().filter(|(at, _)| *at < end) {
        world.server.now = world.server.now.max(at);
        // Once it sleeps for ten hours, past the end of many.
        if !slept && at > noon() + day / 2 {
            slept = true;
            world.server.now += SignedDuration::from_hours(10);
        }
        let now = world.server.now;
        for key in due {
            plans += 1;
            let wake = world.operator.plan(&key, now).requeue_at;
            let done = world.operator.reconcile(&mut world.server, &key, usize::MAX);
            assert_ne!(done, wake.is_some(), "{key:?}");
            if let Some(wake) = wake {
                assert!(wake > now);
                queue.entry(wake).or_default().push(key);
            }
        }
    }
    assert!(slept && queue.is_empty());
    // Each when it was first seen and when it was gone; the first was gone when seen.
    assert_eq!(plans, 1999);
    assert_eq!(writes(&world, "Pheromone"), [1000, 0, 1000, 0]);
    assert!(world.server.objects.is_empty());
}

#[test]
fn a_pheromone_that_is_refreshed_at_the_last_moment_is_kept() {
    let mut world = World::new();
    let spec = |emitted: &str| json!({"type": "WARNING", "source": "a", "emittedAt": emitted, "ttlSeconds": 60});
    world.put("Pheromone", "p", &spec("2026-01-01T12:00:00Z"));
    world.operator.sync(&world.server);
    world.wait(60);
    // The operator has not seen it yet.
    world.put("Pheromone", "p", &spec("2026-01-01T12:01:00Z"));
    let key: Key = ("Pheromone".to_owned(), "p".to_owned());
    assert!(world.operator.reconcile(&mut world.server, &key, usize::MAX));
    assert!(world.server.objects.contains_key(&key));
    assert!(!world.operator.reconcile(&mut world.server, &key, usize::MAX));
}
