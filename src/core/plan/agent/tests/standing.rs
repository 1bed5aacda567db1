//! What the status says, and how often it is written.

use super::*;

/// A status of a Deployment in which so many pods are ready of so many.
fn figures(world: &World, ready: i64, replicas: i64, updated: i64) -> Value {
    let generation = &world.objects[&name(Resource::Deployment)]["metadata"]["generation"];
    json!({
        "observedGeneration": generation, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready,
        "conditions": [{"type": "Progressing", "status": "True", "lastUpdateTime": world.now.to_string()}],
    })
}

fn waiting(reason: &str) -> Value {
    json!({ "phase": "Pending", "containerStatuses": [
        { "name": "logic", "image": "bank:2", "ready": false, "state": { "waiting": { "reason": reason, "message": "Back-off 20s" } } },
    ] })
}

#[test]
fn a_new_agent_that_starts_well_costs_two_writes() {
    let mut world = World::new(with(&json!({ "replicas": 2 })));
    world.settle();
    assert_eq!((world.writes, world.phase().as_str()), (1, "Pending"));
    assert_eq!(world.condition("Ready").unwrap(), "False Deploying");
    assert_eq!(world.condition("Progressing").unwrap(), "True Deploying");
    for (ready, replicas) in [(0, 1), (0, 2), (1, 2)] {
        world.pass(1);
        world.deployment(&figures(&world, ready, replicas, replicas));
        world.pods = vec![pod("p0", world.now, &waiting("ContainerCreating"))];
        world.settle();
        assert_eq!(world.writes, 1, "a roll-out on its way is no news");
    }
    world.run();
    let plan = world.step();
    assert_eq!(said(&plan), ["Running: Available: all pods that are wanted are ready"]);
    world.settle();
    assert_eq!(world.writes, 2);
    assert_eq!((world.phase().as_str(), world.condition("Ready").unwrap().as_str()), ("Running", "True Available"));
    assert_eq!(
        (world.condition("Progressing").unwrap().as_str(), world.condition("Stalled").unwrap().as_str()),
        ("False Available", "False NoTrouble")
    );
    let status = world.agent.status.clone().unwrap();
    assert_eq!((status.replicas, status.ready_replicas, status.observed_generation), (Some(2), Some(2), Some(1)));
    assert_eq!(status.selector.as_deref(), Some("kgents.io/agent=b-gent"));
    world.pass(100_000);
    assert!(world.plan().is_empty() && world.plan().requeue_at.is_none());
}

#[test]
fn a_slow_start_is_told_once_it_lasts_five_seconds() {
    let mut world = World::new(with(&json!({})));
    world.settle();
    world.deployment(&figures(&world, 0, 1, 1));
    world.pods = vec![pod("p0", world.now, &waiting("ContainerCreating"))];
    world.settle();
    assert_eq!(world.plan().requeue_at, Some(world.now + secs(5)));
    world.pass(4);
    assert!(world.plan().is_empty());
    world.pass(1);
    let plan = world.step();
    assert_eq!(said(&plan), [""; 0]);
    assert_eq!(
        (world.phase().as_str(), world.condition("Ready").unwrap().as_str()),
        ("Pending", "False ContainerCreating")
    );
}

#[test]
fn a_pod_for_which_a_node_was_just_found_is_about_to_start() {
    let mut world = World::new(with(&json!({})));
    world.settle();
    world.deployment(&figures(&world, 0, 1, 1));
    let scheduled = |status: &str, at: jiff::Timestamp| {
        json!({ "phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": status, "reason": "Unschedulable", "lastTransitionTime": at.to_string(),
            "message": "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
        }] })
    };
    let born = world.now;
    world.pods = vec![pod("p0", born, &scheduled("False", born))];
    world.pass(6);
    world.settle();
    assert_eq!((world.writes, world.condition("Ready").unwrap().as_str()), (2, "False Unschedulable"));
    world.pods = vec![pod("p0", born, &scheduled("True", world.now))];
    world.settle();
    assert_eq!(world.writes, 2, "it is told once it lasts");
    world.pass(5);
    world.settle();
    assert_eq!((world.writes, world.condition("Ready").unwrap().as_str()), (3, "False Deploying"));
}

#[test]
fn a_stamp_from_the_future_holds_nothing_back() {
    for ahead in [1, 3600, 1_000_000_000] {
        let mut world = World::new(with(&json!({})));
        world.settle();
        let now = world.now;
        world.pass(ahead);
        world.deployment(&figures(&world, 0, 1, 1));
        world.pods = vec![pod("p0", world.now, &waiting("ImagePullBackOff"))];
        world.now = now + secs(11);
        world.settle();
        assert_eq!(world.phase(), "Failed", "{ahead}");
    }
}

#[test]
fn the_pods_own_reason_is_told() {
    for (reason, message) in [
        ("ImagePullBackOff", "the image bank:2 of container logic cannot be pulled"),
        ("CreateContainerConfigError", "container logic: Back-off 20s"),
    ] {
        let mut world = World::new(with(&json!({ "image": "bank:2" })));
        world.settle();
        world.deployment(&figures(&world, 0, 1, 1));
        world.pods = vec![pod("p0", world.now, &waiting(reason))];
        world.pass(5);
        let plan = world.step();
        assert_eq!(said(&plan), [format!("Failed: {reason}: {message}")]);
        assert!(plan.events[0].warning);
        assert_eq!((world.phase().as_str(), world.condition("Ready").unwrap()), ("Failed", format!("False {reason}")));
        world.settle();
        // It is well again.
        world.run();
        world.settle();
        assert_eq!(world.phase(), "Running");
    }
}

#[test]
fn a_roll_out_that_cannot_end_degrades_an_agent_that_is_available() {
    let mut world = World::new(with(&json!({ "replicas": 2, "memory": "shared" })));
    world.memory = Some(memory("shared", &json!({ "accessMode": "ReadWriteMany" })));
    world.settle();
    world.run();
    world.settle();
    world.spec(&json!({ "image": "bank:2" }));
    world.settle();
    assert_eq!((world.phase().as_str(), world.condition("Ready").unwrap().as_str()), ("Running", "False Deploying"));
    world.deployment(&figures(&world, 2, 3, 1));
    world.pods.push(pod("new", world.now, &waiting("ImagePullBackOff")));
    world.pass(5);
    let plan = world.step();
    assert_eq!(world.phase(), "Degraded");
    assert_eq!(said(&plan), ["Degraded: ImagePullBackOff: the image bank:2 of container logic cannot be pulled"]);
    let mut overdue = figures(&world, 2, 3, 1);
    overdue["conditions"] = json!([{ "type": "Progressing", "status": "False", "message": "ReplicaSet \"b-gent-1\" has timed out progressing." }]);
    world.deployment(&overdue);
    let plan = world.step();
    assert_eq!(world.condition("Stalled").unwrap(), "True ProgressDeadlineExceeded");
    assert_eq!(world.condition("Ready").unwrap(), "False ImagePullBackOff", "the pod's reason says more");
    assert_eq!(said(&plan), ["Stalled: ProgressDeadlineExceeded: the roll-out takes longer than its deadline"]);
}

#[test]
fn scaling_up_is_no_trouble_and_losing_a_pod_is() {
    let mut world = World::running(with(&json!({})));
    world.spec(&json!({ "replicas": 3 }));
    world.settle();
    world.deployment(&figures(&world, 1, 3, 3));
    world.pass(6);
    world.settle();
    assert_eq!(world.phase(), "Pending");
    world.run();
    world.settle();
    assert_eq!(world.phase(), "Running");
    world.pass(60);
    let mut lost = figures(&world, 2, 3, 3);
    lost["conditions"][0]["lastUpdateTime"] = json!(noon().to_string());
    world.deployment(&lost);
    world.pods[0] = pod("p9", world.now, &json!({ "phase": "Pending" }));
    world.settle();
    assert_eq!(world.phase(), "Running", "it may be back at once");
    world.pass(5);
    world.settle();
    assert_eq!((world.phase().as_str(), world.agent.status.as_ref().unwrap().ready_replicas), ("Degraded", Some(2)));
}

#[test]
fn without_pods_wanted_it_runs() {
    let mut world = World::running(with(&json!({ "replicas": 0 })));
    assert_eq!((world.phase().as_str(), world.condition("Ready").unwrap().as_str()), ("Running", "True ScaledToZero"));
    world.spec(&json!({ "replicas": 1 }));
    world.settle();
    assert_eq!((world.phase().as_str(), world.condition("Ready").unwrap().as_str()), ("Pending", "False Deploying"));
    world.run();
    world.settle();
    world.spec(&json!({ "replicas": 0 }));
    world.settle();
    world.run();
    world.settle();
    assert_eq!(world.condition("Ready").unwrap(), "True ScaledToZero");
}

#[test]
fn pods_that_cannot_be_made_are_told_without_what_differs_each_time() {
    let mut world = World::new(with(&json!({})));
    world.settle();
    let mut refused = figures(&world, 0, 0, 0);
    refused["conditions"].as_array_mut().unwrap().push(json!({
        "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
        "message": "pods \"b-gent-76d8-x2zzl\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=5, limited: pods=5",
    }));
    world.deployment(&refused);
    world.pass(5);
    world.settle();
    assert_eq!(world.condition("Stalled").unwrap(), "True FailedCreate");
    assert_eq!(world.message("Ready"), "pods is forbidden: exceeded quota: q, requested: pods=1, limited: pods=5");
    assert_eq!(world.phase(), "Failed");
}

#[test]
fn that_all_is_well_is_said_when_all_is_written() {
    let mut world = World::running(with(&json!({})));
    world.spec(&json!({ "networkPolicy": { "allowEgress": true } }));
    let plan = world.step();
    assert_eq!((resources(&plan).len(), plan.status), (2, None));
    world.settle();
    assert_eq!(world.agent.status.as_ref().unwrap().observed_generation, Some(2));
    // And not claimed when it could not be written.
    world.spec(&json!({ "networkPolicy": { "allowEgress": false } }));
    world.fault(Resource::NetworkPolicy, Cause::AdmissionDenied, "no");
    world.settle();
    assert_eq!(
        (world.condition("Ready").unwrap().as_str(), world.phase().as_str()),
        ("False AdmissionDenied", "Running")
    );
}

#[test]
fn what_others_write_into_the_status_stays_theirs() {
    let mut world = World::running(with(&json!({})));
    let status = world.agent.status.as_mut().unwrap();
    status.cognitive_health = Some(kgents_api::agent::CognitiveHealth::Degraded);
    status.conditions.push(kgents_api::Condition { type_: "Admitted".to_owned(), ..status.conditions[0].clone() });
    assert!(world.plan().is_empty());
    world.spec(&json!({ "replicas": 0 }));
    let plan = world.step();
    let body = plan.status.unwrap().body;
    assert!(body["cognitiveHealth"].is_null());
    let types: Vec<&str> =
        body["conditions"].as_array().unwrap().iter().map(|found| found["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["Ready", "Progressing", "Stalled"]);
}

#[test]
fn a_condition_keeps_the_time_of_its_turn() {
    let mut world = World::running(with(&json!({})));
    let time = |world: &World| world.agent.status.as_ref().unwrap().conditions[0].last_transition_time.0;
    let (before, then) = (time(&world), world.now);
    world.pass(100);
    world.spec(&json!({ "instructions": "be quick" }));
    world.settle();
    assert_eq!((before, time(&world)), (then, then));
}

#[test]
fn peers_that_are_not_there_are_named() {
    let spec = json!({ "networkPolicy": { "allowedPeers": ["z-gent", "genus:D", "a-gent", "billing"] } });
    let mut world = World::running(with(&spec));
    world.agents = vec!["billing"];
    assert_eq!(world.condition("PeersResolved"), None, "they may be the next objects of the same file");
    world.pass(5);
    world.settle();
    assert_eq!(world.condition("PeersResolved").unwrap(), "False PeerNotFound");
    assert_eq!(world.message("PeersResolved"), "there is no Agent a-gent, z-gent in namespace kgents-agents");
    assert_eq!(world.phase(), "Running");
    world.agents = vec!["billing", "a-gent", "z-gent"];
    world.settle();
    assert_eq!(world.condition("PeersResolved").unwrap(), "True PeersFound");
    world.spec(&json!({ "networkPolicy": { "allowedPeers": [] } }));
    world.settle();
    assert_eq!(world.condition("PeersResolved"), None);
}

#[test]
fn a_persona_that_there_is_no_program_for_is_said_and_not_faked() {
    let mut world = World::running(with(&json!({ "identity": { "enabled": true } })));
    assert_eq!(world.condition("IdentityAvailable").unwrap(), "False NotImplemented");
    assert_eq!(world.phase(), "Running");
    world.spec(&json!({ "identity": { "enabled": false } }));
    world.settle();
    assert_eq!(world.condition("IdentityAvailable"), None);
}
