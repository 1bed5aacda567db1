//! Specs that are wrong, and agents that are left as they are.

use super::*;

#[test]
fn a_spec_that_is_wrong_makes_nothing_and_says_why() {
    let big = "x".repeat(500 * 1024);
    for (spec, reason, word) in [
        (json!({ "image": "" }), "InvalidSpec", "spec.image is blank"),
        (json!({ "image": "  " }), "InvalidSpec", "spec.image is blank"),
        (json!({ "memory": "" }), "InvalidSpec", "spec.memory is blank"),
        (json!({ "entrypoint": "a 'b" }), "InvalidSpec", "quote"),
        (json!({ "config": { "log-level": "1", "log.level": "2" } }), "ConfigKeysCollide", "KGENTS_LOG_LEVEL"),
        (json!({ "config": { "agent": "x" } }), "ConfigKeyReserved", "KGENTS_AGENT"),
        (json!({ "config": { "SafeMode": "x" } }), "ConfigKeyReserved", "KGENTS_SAFEMODE"),
        (json!({ "config": { "schlüssel": "x" } }), "ConfigKeyInvalid", "schlüssel"),
        (json!({ "config": { "--": "x" } }), "ConfigKeyInvalid", "--"),
        (json!({ "config": { "": "x" } }), "ConfigKeyInvalid", "\"\""),
        (json!({ "config": { "big": big } }), "ConfigTooLarge", "131072"),
        (json!({ "instructions": "y".repeat(1_100_000) }), "InvalidSpec", "ConfigMap"),
        (json!({ "resources": { "cpu": "ten" } }), "InvalidSpec", "spec.resources.cpu"),
        (json!({ "resources": { "memory": "100E" } }), "InvalidSpec", "spec.resources.memory"),
        (json!({ "health": { "probeInterval": "soon" } }), "InvalidSpec", "probeInterval"),
        (json!({ "networkPolicy": { "allowedPeers": ["genus:Banker"] } }), "InvalidSpec", "genus:Banker"),
        (json!({ "image": "", "config": { "agent": "x" } }), "InvalidSpec", "spec.image is blank"),
    ] {
        let mut world = World::new(with(&spec));
        let plan = world.step();
        assert_eq!(resources(&plan), [], "{word}");
        assert_eq!(world.condition("Stalled").unwrap(), format!("True {reason}"), "{word}");
        assert!(world.message("Ready").contains(word), "{}", world.message("Ready"));
        assert_eq!(world.phase(), "Failed");
        assert!(world.plan().is_empty());
    }
}

#[test]
fn what_runs_goes_on_when_the_spec_becomes_wrong() {
    let mut world = World::running(with(&json!({})));
    let before = world.objects.clone();
    world.spec(&json!({ "image": "" }));
    world.settle();
    assert_eq!(world.objects, before);
    assert_eq!((world.phase().as_str(), world.condition("Stalled").unwrap().as_str()), ("Running", "True InvalidSpec"));
    assert_eq!(world.agent.status.as_ref().unwrap().deployment_name.as_deref(), Some("b-gent"));
}

#[test]
fn settings_become_variables_with_the_value_as_it_was_written() {
    let plan = first(&json!({ "config": { "logLevel": "3", "a-b.c/d": "", "path": "$(HOME)/$x", "url": "a$b" } }));
    let env = &body(&plan, Resource::Deployment)["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(
        *env,
        json!([
            { "name": "KGENTS_AGENT", "value": "b-gent" },
            { "name": "KGENTS_GENUS", "value": "B" },
            { "name": "KGENTS_STATE_PATH", "value": "/state" },
            { "name": "CORTEX_URL", "value": "http://cortex.kgents-system:50051" },
            { "name": "KGENTS_A_B_C_D" },
            { "name": "KGENTS_LOGLEVEL", "value": "3" },
            { "name": "KGENTS_PATH", "value": "$$(HOME)/$$x" },
            { "name": "KGENTS_URL", "value": "a$b" },
        ])
    );
}

#[test]
fn a_volume_of_one_node_is_never_mounted_twice() {
    for (mode, strategy, has_affinity) in [
        ("ReadWriteOnce", json!({ "type": "Recreate" }), true),
        ("ReadWriteOncePod", json!({ "type": "Recreate" }), true),
        (
            "ReadWriteMany",
            json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 0 } }),
            false,
        ),
    ] {
        let mut world = World::new(with(&json!({ "memory": "m" })));
        world.memory = Some(memory("m", &json!({ "accessMode": mode })));
        let deployment = body(&world.plan(), Resource::Deployment);
        assert_eq!(deployment["spec"]["strategy"], strategy, "{mode}");
        assert_eq!(deployment["spec"]["template"]["spec"]["affinity"].is_object(), has_affinity, "{mode}");
    }
}

#[test]
fn what_is_laid_over_the_pods_does_not_lose_them() {
    let plan = first(&json!({ "podTemplate": {
        "labels": { "kgents.io/agent": "other", "kgents.io/genus": "Z", "team": "bank" },
        "annotations": { "note": "x" },
        "tolerations": [{ "key": "gpu", "operator": "Exists", "effect": "", "value": "" }],
        "imagePullSecrets": [{ "name": "b" }, { "name": "a" }, { "name": "b" }, { "name": "" }],
        "nodeSelector": { "disk": "ssd" }, "priorityClassName": "high",
    } }));
    let template = &body(&plan, Resource::Deployment)["spec"]["template"];
    assert_eq!(template["metadata"]["labels"]["kgents.io/agent"], "b-gent");
    assert_eq!(template["metadata"]["labels"]["kgents.io/genus"], "B");
    assert_eq!(template["metadata"]["labels"]["team"], "bank");
    assert_eq!(template["spec"]["tolerations"], json!([{ "key": "gpu", "operator": "Exists" }]));
    assert_eq!(template["spec"]["imagePullSecrets"], json!([{ "name": "a" }, { "name": "b" }]));
}

#[test]
fn an_image_without_a_fixed_tag_is_asked_for_each_time() {
    for (image, wanted) in [
        ("bank", "Always"),
        ("bank:latest", "Always"),
        ("reg:5000/bank", "Always"),
        ("reg:5000/bank:1", "IfNotPresent"),
        ("bank@sha256:0", "IfNotPresent"),
    ] {
        let plan = first(&json!({ "image": image }));
        let pod = &body(&plan, Resource::Deployment)["spec"]["template"]["spec"];
        assert_eq!(pod["containers"][0]["imagePullPolicy"], wanted, "{image}");
    }
}

#[test]
fn a_paused_agent_is_left_as_it_is() {
    let mut world = World::running(with(&json!({})));
    let before = world.objects.clone();
    world.spec(&json!({ "paused": true }));
    world.settle();
    assert_eq!(world.condition("Paused").unwrap(), "True Paused");
    assert_eq!((world.phase().as_str(), world.condition("Ready").unwrap().as_str()), ("Running", "True Available"));
    assert_eq!(world.agent.status.as_ref().unwrap().observed_generation, Some(2), "it changed nothing but the pause");
    world.spec(&json!({ "replicas": 5 }));
    world.settle();
    assert_eq!(world.objects, before);
    assert_eq!(world.agent.status.as_ref().unwrap().observed_generation, Some(2), "generation 3 is not what runs");
    world.spec(&json!({ "paused": false }));
    world.settle();
    world.run();
    world.settle();
    assert_eq!((world.condition("Paused"), world.phase().as_str()), (None, "Running"));
    assert_eq!(world.agent.status.as_ref().unwrap().ready_replicas, Some(5));
    // Before anything was made.
    let mut world = World::new(with(&json!({ "paused": true })));
    world.settle();
    assert_eq!((world.objects.len(), world.phase().as_str()), (0, "Pending"));
    assert_eq!(world.condition("Ready").unwrap(), "False Paused");
}

#[test]
fn a_dry_run_makes_nothing_and_tells_its_plan_once_for_each_generation() {
    let mut world = World::new(with(&json!({ "mode": "DRY_RUN" })));
    let plan = world.step();
    assert!(plan.apply.is_empty() && plan.delete.is_empty());
    assert_eq!(
        said(&plan),
        ["DryRun: would make ServiceAccount b-gent, make ConfigMap b-gent-spec, make Umwelt b-gent-umwelt, \
             make Memory b-gent-memory, make NetworkPolicy b-gent, make Service b-gent, make Deployment b-gent"]
    );
    assert!(plan.why.iter().any(|why| why.contains("makes Deployment b-gent")));
    assert_eq!(world.condition("DryRun").unwrap(), "True DryRun");
    assert!(world.plan().is_empty());
    // What runs is left as it is.
    let mut world = World::running(with(&json!({})));
    let before = world.objects.clone();
    world.spec(&json!({ "mode": "DRY_RUN", "replicas": 3 }));
    let plan = world.step();
    assert_eq!(plan.events.len(), 1);
    assert!(said(&plan)[0].contains("change Deployment b-gent: spec.replicas"), "{:?}", said(&plan));
    world.settle();
    assert_eq!((world.objects, world.agent.status.unwrap().replicas), (before, Some(1)));
}

#[test]
fn a_stand_in_runs_our_own_image_without_probes_and_state() {
    let plan = first(&json!({
        "mode": "PLACEHOLDER", "image": "bank:1", "entrypoint": "bank", "replicas": 2, "memory": "absent", "umwelt": "absent",
    }));
    let pod = &body(&plan, Resource::Deployment)["spec"]["template"]["spec"];
    let logic = &pod["containers"][0];
    assert_eq!(logic["args"], json!(["agent", "placeholder"]));
    assert!(logic["image"].as_str().unwrap().starts_with("ghcr.io/kgents/kgents:"));
    for absent in ["startupProbe", "readinessProbe", "livenessProbe", "command"] {
        assert!(logic[absent].is_null(), "{absent}");
    }
    assert!(pod["initContainers"].is_null() && !pod.to_string().contains("persistentVolumeClaim"));
}

#[test]
fn an_agent_that_is_deleted_gets_nothing_more() {
    let mut world = World::running(with(&json!({})));
    let mut half: World = World::new(with(&json!({})));
    half.objects = world.objects.clone();
    half.objects.remove(&name(Resource::Deployment));
    for world in [&mut world, &mut half] {
        world.agent.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T12:00:09Z")).unwrap();
        let plan = world.step();
        assert!(plan.apply.is_empty() && plan.delete.is_empty());
        assert_eq!(world.phase(), "Terminating");
        world.objects.clear();
        assert!(world.plan().is_empty(), "its pods are not counted down");
    }
}
