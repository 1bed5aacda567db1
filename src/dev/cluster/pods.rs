//! Pods as the kubelet reports them.

use kgents_store::{Key, Kind};
use serde_json::{Value, json};

use super::owner;
use crate::rng::{Rng, fnv};
use crate::stage::Stage;

const NODES: [&str; 3] = ["garden-1", "garden-2", "garden-3"];
/// What keeps an agent's state beside it.
const STATE_IMAGE: &str = "ghcr.io/kgents/d-gent:1.4.2";

/// The volume claim of an agent's memory, if it has one that lasts.
fn claim<'a>(stage: &Stage, agent: &'a Value) -> Option<&'a str> {
    let name = agent["spec"]["memory"].as_str()?;
    let namespace = agent["metadata"]["namespace"].as_str().unwrap_or_default();
    let memory = stage.get(Kind::Memory, &Key::new(namespace, name))?;
    (memory["spec"]["type"] != "EPHEMERAL").then_some(name)
}

/// What the pods of an agent run.
pub(super) fn spec(stage: &Stage, agent: &Value) -> Value {
    let name = agent["metadata"]["name"].as_str().unwrap_or_default();
    let spec = &agent["spec"];
    let mut env = vec![
        json!({ "name": "KGENTS_AGENT", "value": name }),
        json!({ "name": "KGENTS_GENUS", "value": spec["genus"] }),
        json!({ "name": "KGENTS_STATE_PATH", "value": "/state" }),
    ];
    for (key, value) in spec["config"].as_object().into_iter().flatten() {
        env.push(json!({ "name": format!("KGENTS_{key}"), "value": value }));
    }
    let secured = json!({
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": { "drop": ["ALL"] },
    });
    let limits = json!({ "cpu": spec["resources"]["cpu"], "memory": spec["resources"]["memory"] });
    let mut body = json!({
        "serviceAccountName": name,
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": 1000,
            "fsGroup": 1000,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": "logic",
            "image": spec["image"],
            "env": env,
            "ports": [{ "name": "http", "containerPort": 8080 }, { "name": "grpc", "containerPort": 50052 }],
            "resources": { "limits": limits },
            "securityContext": secured.clone(),
            "volumeMounts": [{ "name": "state", "mountPath": "/state" }, { "name": "tmp", "mountPath": "/tmp" }],
        }],
        "volumes": [{ "name": "tmp", "emptyDir": {} }, { "name": "state", "emptyDir": { "sizeLimit": "64Mi" } }],
        "restartPolicy": "Always",
    });
    if spec["sidecar"]["enabled"] == true {
        body["initContainers"] = json!([{
            "name": "d-gent",
            "image": STATE_IMAGE,
            "restartPolicy": "Always",
            "ports": [{ "name": "state", "containerPort": 8081 }],
            "securityContext": secured.clone(),
            "volumeMounts": [{ "name": "state", "mountPath": "/state" }],
        }]);
    }
    if let Some(claim) = claim(stage, agent) {
        body["volumes"][1] = json!({ "name": "state", "persistentVolumeClaim": { "claimName": claim } });
    }
    if spec["identity"]["enabled"] == true
        && let Some(containers) = body["containers"].as_array_mut()
    {
        containers.push(json!({
            "name": "k-gent", "image": "ghcr.io/kgents/k-gent:1.4.2", "securityContext": secured,
        }));
    }
    body
}

/// A new pod of an agent, of which nothing runs yet.
pub(super) fn make(stage: &mut Stage, agent: &Key) {
    let (Some(object), Some(deployment)) =
        (stage.get(Kind::Agent, agent).cloned(), stage.get(Kind::Deployment, agent).cloned())
    else {
        return;
    };
    // The hash of the template, as the Deployment puts it into the names.
    let template = deployment["spec"]["template"].to_string();
    let set = format!("{}-{}", agent.name(), Rng::seeded(fnv(&template)).letters(10));
    let key = Key::new(agent.namespace(), &format!("{set}-{}", stage.rng.letters(5)));
    let mut place = Rng::seeded(fnv(key.name()));
    let node = place.below(NODES.len() as u64);
    let mut spec = spec(stage, &object);
    spec["nodeName"] = json!(NODES.get(node as usize));
    let stamp = stage.stamp();
    let waiting = json!({ "waiting": { "reason": "ContainerCreating" } });
    let status = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "ready": false, "started": false,
            "restartCount": 0, "state": waiting.clone(),
        })
    };
    let statuses = |list: &Value| list.as_array().into_iter().flatten().map(status).collect::<Vec<Value>>();
    let mut body = json!({
        "metadata": {
            "generateName": format!("{set}-"),
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set, "controller": true,
                "blockOwnerDeletion": true, "uid": Rng::seeded(fnv(&format!("{}{set}", owner(&object)["uid"]))).uid(),
            }],
        },
        "status": {
            "phase": "Pending",
            "qosClass": "Burstable",
            "startTime": stamp,
            "hostIP": format!("192.168.7.{}", 11 + node),
            "podIP": format!("10.42.{node}.{}", 10 + place.below(240)),
            "conditions": [
                { "type": "PodScheduled", "status": "True", "lastTransitionTime": stamp },
                { "type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastTransitionTime": stamp },
            ],
            "containerStatuses": statuses(&spec["containers"]),
        },
    });
    if spec["initContainers"].is_array() {
        body["status"]["initContainerStatuses"] = json!(statuses(&spec["initContainers"]));
    }
    body["spec"] = spec;
    stage.make(Kind::Pod, &key, &object["metadata"]["labels"], body);
}

/// Every container of the pod.
fn containers(pod: &mut Value) -> impl Iterator<Item = &mut Value> {
    let Value::Object(status) = &mut pod["status"] else { return Vec::new().into_iter() };
    let both = status.iter_mut().filter(|(name, _)| name.ends_with("ontainerStatuses"));
    both.filter_map(|(_, list)| list.as_array_mut()).flatten().collect::<Vec<_>>().into_iter()
}

/// The pod runs and is ready.
pub(crate) fn ready(stage: &mut Stage, pod: &Key) {
    let stamp = stage.stamp();
    stage.edit(Kind::Pod, pod, |pod| {
        pod["status"]["phase"] = json!("Running");
        pod["status"]["conditions"][1] = json!({ "type": "Ready", "status": "True", "lastTransitionTime": stamp });
        for container in containers(pod) {
            container["ready"] = json!(true);
            container["started"] = json!(true);
            if container["state"]["running"].is_null() {
                container["state"] = json!({ "running": { "startedAt": stamp } });
            }
        }
    });
}

/// The logic of the pod ended and is not started again at once.
pub(crate) fn crash(stage: &mut Stage, pod: &Key, reason: &str, code: i64) {
    let (stamp, agent) = (stage.stamp(), agent_of(stage, pod));
    stage.edit(Kind::Pod, pod, |pod| {
        let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        pod["status"]["conditions"][1] = json!({
            "type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastTransitionTime": stamp,
        });
        let logic = &mut pod["status"]["containerStatuses"][0];
        let restarts = logic["restartCount"].as_u64().unwrap_or(0);
        // The kubelet doubles its patience: 10 s, 20 s, up to 5 min.
        let patience = (10_u64 << restarts.min(5)).min(300);
        let wait = if patience < 60 { format!("{patience}s") } else { format!("{}m{}s", patience / 60, patience % 60) };
        let started = logic["state"]["running"]["startedAt"].clone();
        logic["ready"] = json!(false);
        logic["started"] = json!(false);
        logic["lastState"] = json!({
            "terminated": { "reason": reason, "exitCode": code, "startedAt": started, "finishedAt": stamp },
        });
        logic["state"] = json!({ "waiting": {
            "reason": "CrashLoopBackOff",
            "message": format!("back-off {wait} restarting failed container=logic pod={name}"),
        } });
    });
    super::observe(stage, &agent);
}

/// The logic of the pod is started once more. Whether it will last is not
/// known, so the operator says nothing yet.
pub(crate) fn restart(stage: &mut Stage, pod: &Key) {
    let stamp = stage.stamp();
    stage.edit(Kind::Pod, pod, |pod| {
        let logic = &mut pod["status"]["containerStatuses"][0];
        logic["restartCount"] = json!(logic["restartCount"].as_u64().unwrap_or(0) + 1);
        logic["state"] = json!({ "running": { "startedAt": stamp } });
    });
}

fn agent_of(stage: &Stage, pod: &Key) -> Key {
    let name = stage.get(Kind::Pod, pod).and_then(|pod| pod["metadata"]["labels"][kgents_api::LABEL_AGENT].as_str());
    Key::new(pod.namespace(), name.unwrap_or_default())
}

/// Whether all containers of the pod are ready.
pub(super) fn is_ready(pod: &Value) -> bool {
    pod["status"]["containerStatuses"].as_array().into_iter().flatten().all(|container| container["ready"] == true)
}

/// Why the pod does not run, as `reason` and `message`.
pub(super) fn trouble(pod: &Value) -> Option<(String, String)> {
    let mut containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let container = containers.find(|container| {
        let waiting = &container["state"]["waiting"];
        !waiting.is_null() && waiting["reason"] != "ContainerCreating"
    })?;
    let waiting = &container["state"]["waiting"];
    // In words that stay the same however often it happens.
    let message = match container["lastState"]["terminated"]["reason"].as_str() {
        Some(end) => format!("the logic ends with {end} each time"),
        None => waiting["message"].as_str().unwrap_or_default().to_owned(),
    };
    Some((waiting["reason"].as_str().unwrap_or_default().to_owned(), message))
}
