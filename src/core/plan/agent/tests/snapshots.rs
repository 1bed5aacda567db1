//! Whole plans, as a person reads them.

use super::*;

fn shown(name: &str, world: &World) {
    insta::assert_snapshot!(name, kgents_api::yaml::to_string(&world.plan()).unwrap());
}

fn new(name: &str, spec: &Value) {
    shown(name, &World::new(with(spec)));
}

#[test]
fn plans() {
    new("minimal", &json!({}));
    new(
        "image",
        &json!({ "genus": "N", "image": "bank:2", "entrypoint": "bank serve --port 8080", "resources": { "cpu": 1, "memory": "1Gi" } }),
    );
    new(
        "config",
        &json!({
            "config": { "log-level": "debug", "limit": "10" }, "instructions": "Keep the books.\nSpend nothing.\n",
            "budget": { "tokens": 10000, "refillPerMinute": 100 },
            "health": { "path": "/alive", "port": 9000, "probeInterval": "1500ms", "unhealthyThreshold": 5 },
        }),
    );
    new("no_sidecar", &json!({ "sidecar": { "enabled": false } }));
    new("peers", &json!({ "networkPolicy": { "allowedPeers": ["d-gent", "genus:F"] } }));
    new("egress", &json!({ "networkPolicy": { "allowEgress": true } }));
    new("replicas", &json!({ "replicas": 3 }));
    new("placeholder", &json!({ "mode": "PLACEHOLDER" }));
    new("dry_run", &json!({ "mode": "DRY_RUN" }));
    new("paused", &json!({ "paused": true }));
    new("wrong", &json!({ "image": "", "config": { "a b": "", "a-b": "" } }));
    new(
        "pod_template",
        &json!({ "podTemplate": {
        "imagePullSecrets": [{ "name": "registry" }], "nodeSelector": { "disk": "ssd" },
        "tolerations": [{ "key": "gpu", "operator": "Exists", "effect": "NoSchedule" }],
        "annotations": { "prometheus.io/scrape": "true" }, "labels": { "team": "bank" }, "priorityClassName": "high",
    } }),
    );
}

#[test]
fn plans_by_what_is_there() {
    let mut world = World::new(with(&json!({ "memory": "shared", "umwelt": "lab", "replicas": 2 })));
    world.memory = Some(memory("shared", &json!({ "accessMode": "ReadWriteMany" })));
    world.umwelt = Some(umwelt("lab", &json!({ "secretRef": "keys" })));
    shown("shared_memory", &world);

    let mut world = World::new(with(&json!({ "memory": "fleeting" })));
    world.memory = Some(memory("fleeting", &json!({ "type": "EPHEMERAL", "size": "64Mi" })));
    shown("ephemeral_memory", &world);

    let mut world = World::running(with(&json!({})));
    shown("running", &world);
    world.spec(&json!({ "replicas": 2, "image": "bank:2" }));
    shown("changed", &world);

    let mut world = World::new(with(&json!({})));
    world.fault(Resource::Service, Cause::QuotaExceeded, "services \"b-gent\" is forbidden: exceeded quota: few");
    shown("fault", &world);

    let mut world = World::new(with(&json!({})));
    world.stranger(Resource::NetworkPolicy);
    shown("stranger", &world);
}
