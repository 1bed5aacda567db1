//! The objects of an agent as the operator should make them, written by hand.

use serde_json::{Value, json};

use super::Gardener;
use crate::support::node::{IMAGE, Node};

/// Somebody with kubectl.
pub struct ByHand;

impl Gardener for ByHand {
    fn plant(&self, node: &Node, name: &str, changes: &Value) {
        let logic = match changes["entrypoint"].as_str() {
            Some(command) => json!({ "command": ["/bin/sh", "-c", command] }),
            None => json!({ "args": ["agent", "run"] }),
        };
        let memory = changes["resources"]["memory"].as_str().unwrap_or("256Mi");
        node.place.apply(&[
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": name },
                "automountServiceAccountToken": false,
            }),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": format!("{name}-spec") },
                "data": { "spec.yaml": "genus: \"B\"\n" },
            }),
            json!({
                "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": format!("{name}-memory") },
                "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "256Mi" } } },
            }),
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
                "spec": {
                    "selector": { "kgents.io/agent": name },
                    "ports": [{ "name": "http", "port": 8080 }, { "name": "grpc", "port": 50052 }],
                },
            }),
            deployment(name, logic, memory),
        ]);
    }

    fn scale(&self, node: &Node, name: &str, replicas: u32) {
        node.place.kubectl(&["scale", "deployment", name, &format!("--replicas={replicas}")]).ok();
    }
}

fn deployment(name: &str, mut logic: Value, memory: &str) -> Value {
    let labels = json!({ "kgents.io/agent": name, "kgents.io/genus": "B" });
    logic["name"] = "logic".into();
    logic["env"] = json!([
        { "name": "KGENTS_AGENT", "value": name },
        { "name": "KGENTS_GENUS", "value": "B" },
        { "name": "KGENTS_STATE_PATH", "value": "/state" },
        { "name": "CORTEX_URL", "value": "http://cortex:50051" },
    ]);
    logic["ports"] = json!([{ "name": "http", "containerPort": 8080 }, { "name": "grpc", "containerPort": 50052 }]);
    logic["volumeMounts"] = json!([
        { "name": "state", "mountPath": "/state" },
        { "name": "tmp", "mountPath": "/tmp" },
        { "name": "spec", "mountPath": "/etc/kgents", "readOnly": true },
    ]);
    let d_gent = json!({
        "name": "d-gent", "args": ["agent", "d-gent"], "restartPolicy": "Always",
        "env": [{ "name": "KGENTS_STATE_PATH", "value": "/state" }],
        "ports": [{ "name": "state", "containerPort": 8081 }],
        "volumeMounts": [{ "name": "state", "mountPath": "/state" }],
    });
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "labels": labels },
        "spec": {
            "replicas": 1, "strategy": { "type": "Recreate" },
            "selector": { "matchLabels": { "kgents.io/agent": name } },
            "template": { "metadata": { "labels": labels }, "spec": {
                "serviceAccountName": name, "automountServiceAccountToken": false, "enableServiceLinks": false,
                "securityContext": {
                    "runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000,
                    "fsGroup": 1000, "fsGroupChangePolicy": "OnRootMismatch",
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
                "initContainers": [restricted(d_gent, "/readyz", 8081, "64Mi")],
                "containers": [restricted(logic, "/healthz", 8080, memory)],
                "volumes": [
                    { "name": "state", "persistentVolumeClaim": { "claimName": format!("{name}-memory") } },
                    { "name": "tmp", "emptyDir": { "sizeLimit": "64Mi" } },
                    { "name": "spec", "configMap": { "name": format!("{name}-spec"), "optional": true } },
                ],
            } },
        },
    })
}

/// A container with everything that the level *restricted* asks for, limits and probes.
fn restricted(mut container: Value, started: &str, port: u16, memory: &str) -> Value {
    let probe = |path: &str, seconds: u32, failures: u32| json!({ "httpGet": { "path": path, "port": port }, "periodSeconds": seconds, "failureThreshold": failures });
    container["image"] = IMAGE.into();
    container["imagePullPolicy"] = "Never".into();
    container["securityContext"] = json!({
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
    });
    container["resources"] = json!({
        "limits": { "cpu": "500m", "memory": memory }, "requests": { "cpu": "10m", "memory": "16Mi" },
    });
    container["startupProbe"] = probe(started, 1, 60);
    container["readinessProbe"] = probe("/readyz", 5, 3);
    container["livenessProbe"] = probe("/healthz", 30, 3);
    container
}
