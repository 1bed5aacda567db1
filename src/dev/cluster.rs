//! What Kubernetes and the operator make of an agent: the Deployment, its
//! pods, and what both say about them.

mod pods;

use kgents_api::LABEL_AGENT;
use kgents_store::{Key, Kind};
use serde_json::{Value, json};

use crate::cast::condition;
use crate::stage::Stage;
pub(crate) use pods::{crash, ready, restart};

/// The pods of an agent, by name.
pub(crate) fn pods_of(stage: &Stage, agent: &Key) -> Vec<Key> {
    let ours = |key: &Key, pod: &Value| {
        key.namespace() == agent.namespace() && pod["metadata"]["labels"][LABEL_AGENT] == agent.name()
    };
    stage.all(Kind::Pod).filter(|(key, pod)| ours(key, pod)).map(|(key, _)| key.clone()).collect()
}

/// The Deployment is made, or made anew: the old pods go, new ones come and
/// are not ready yet.
pub(crate) fn roll_out(stage: &mut Stage, agent: &Key) {
    let Some(object) = stage.get(Kind::Agent, agent).cloned() else { return };
    let labels = object["metadata"]["labels"].clone();
    let template = json!({ "metadata": { "labels": labels.clone() }, "spec": pods::spec(stage, &object) });
    let spec = json!({
        "replicas": object["spec"]["replicas"],
        "selector": { "matchLabels": { LABEL_AGENT: agent.name() } },
        "strategy": { "type": "Recreate" },
        "template": template,
    });
    for pod in pods_of(stage, agent) {
        stage.remove(Kind::Pod, &pod);
    }
    if stage.get(Kind::Deployment, agent).is_some() {
        stage.edit(Kind::Deployment, agent, |deployment| deployment["spec"] = spec);
    } else {
        let owner = json!({ "metadata": { "ownerReferences": [owner(&object)] }, "spec": spec });
        stage.make(Kind::Deployment, agent, &labels, owner);
    }
    fill(stage, agent);
    observe(stage, agent);
}

/// Makes the pods that are missing and takes away those that are too many.
fn fill(stage: &mut Stage, agent: &Key) {
    let wanted = stage.get(Kind::Agent, agent).and_then(|agent| agent["spec"]["replicas"].as_u64()).unwrap_or(1);
    let pods = pods_of(stage, agent);
    for _ in pods.len() as u64..wanted {
        pods::make(stage, agent);
    }
    for pod in pods.iter().skip(wanted as usize) {
        stage.remove(Kind::Pod, pod);
    }
}

/// Every pod of the agent becomes ready.
pub(crate) fn all_ready(stage: &mut Stage, agent: &Key) {
    for pod in pods_of(stage, agent) {
        pods::ready(stage, &pod);
    }
    observe(stage, agent);
}

/// Somebody scales the agent.
pub(crate) fn scale(stage: &mut Stage, agent: &Key, replicas: u64) {
    stage.edit(Kind::Agent, agent, |agent| agent["spec"]["replicas"] = json!(replicas));
    stage.edit(Kind::Deployment, agent, |deployment| deployment["spec"]["replicas"] = json!(replicas));
    fill(stage, agent);
    observe(stage, agent);
}

/// The operator looks at the pods and writes what it sees.
pub(crate) fn observe(stage: &mut Stage, agent: &Key) {
    let Some(object) = stage.get(Kind::Agent, agent).cloned() else { return };
    let pods: Vec<Value> = pods_of(stage, agent).iter().filter_map(|pod| stage.get(Kind::Pod, pod)).cloned().collect();
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1) as usize;
    let there = pods.iter().filter(|pod| pods::is_ready(pod)).count();
    let stamp = stage.stamp();
    stage.edit(Kind::Deployment, agent, |deployment| {
        let conditions = deployment_conditions(deployment, there, wanted, &stamp);
        let generation = deployment["metadata"]["generation"].clone();
        deployment["status"] = json!({
            "observedGeneration": generation,
            "replicas": pods.len(),
            "updatedReplicas": pods.len(),
            "readyReplicas": there,
            "availableReplicas": there,
            "unavailableReplicas": wanted.saturating_sub(there),
            "conditions": conditions,
        });
    });
    let trouble = pods.iter().find_map(pods::trouble);
    let paused = object["spec"]["paused"] == true;
    let counted = format!("{there} of {wanted} pods ready");
    let (phase, well, reason, message) = match &trouble {
        _ if !object["metadata"]["deletionTimestamp"].is_null() => ("Terminating", "False", "Deleting", counted),
        Some((reason, message)) => ("Degraded", "False", reason.as_str(), message.clone()),
        None if wanted == 0 => ("Running", "True", "ScaledToZero", "no pods are wanted".to_owned()),
        None if there < wanted => ("Pending", "False", "RollingOut", counted),
        None => ("Running", "True", "Available", counted),
    };
    // As a Deployment says it: False would mean that it is stuck.
    let moving = match phase {
        _ if paused => Some(("Unknown", "Paused")),
        "Pending" => Some(("True", "RollingOut")),
        "Running" => Some(("True", "Settled")),
        _ => None,
    };
    stage.edit(Kind::Agent, agent, |agent| {
        let seen = agent["metadata"]["generation"].as_u64().unwrap_or(1);
        let name = agent["metadata"]["name"].clone();
        let selector = format!("{LABEL_AGENT}={}", name.as_str().unwrap_or_default());
        let config = format!("{}-spec", name.as_str().unwrap_or_default());
        let mut status = json!({
            "observedGeneration": seen,
            "phase": phase,
            "replicas": pods.len(),
            "readyReplicas": there,
            "selector": selector,
            "deploymentName": name,
            "serviceName": name,
            "networkPolicyName": name,
            "serviceAccountName": name,
            "configMapName": config,
            "umweltName": agent["spec"]["umwelt"],
            "cognitiveHealth": if there > 0 { "HEALTHY" } else { "UNKNOWN" },
            "conditions": agent["status"]["conditions"],
        });
        if !agent["spec"]["memory"].is_null() {
            status["memoryName"] = agent["spec"]["memory"].clone();
        }
        // What was found about a mind stays until it is asked again.
        let mind = &agent["status"]["cognitiveHealth"];
        if mind.is_string() && *mind != "UNKNOWN" {
            status["cognitiveHealth"] = mind.clone();
        }
        agent["status"] = status;
        say(agent, "Ready", well, reason, &message, &stamp);
        if let Some((status, why)) = moving {
            say(agent, "Progressing", status, why, "", &stamp);
        }
        // That nothing is stuck needs no word where nothing ever was.
        let was =
            agent["status"]["conditions"].as_array().into_iter().flatten().any(|known| known["type"] == "Stalled");
        if trouble.is_some() {
            say(agent, "Stalled", "True", reason, &message, &stamp);
        } else if was {
            say(agent, "Stalled", "False", "Settled", "", &stamp);
        }
    });
}

/// Writes a condition; its time moves only when its status does.
pub(crate) fn say(object: &mut Value, type_: &str, status: &str, reason: &str, message: &str, stamp: &str) {
    let seen = object["metadata"]["generation"].as_u64().unwrap_or(1);
    let mut fresh = condition(type_, status, reason, message, stamp, seen);
    let conditions = &mut object["status"]["conditions"];
    if !conditions.is_array() {
        *conditions = json!([]);
    }
    let Some(conditions) = conditions.as_array_mut() else { return };
    match conditions.iter_mut().find(|known| known["type"] == type_) {
        Some(known) => {
            if known["status"] == status {
                fresh["lastTransitionTime"] = known["lastTransitionTime"].clone();
            }
            *known = fresh;
        }
        None => conditions.push(fresh),
    }
}

fn deployment_conditions(deployment: &Value, there: usize, wanted: usize, stamp: &str) -> Value {
    let enough = there >= wanted;
    let one = |type_: &str, status: &str, reason: &str, message: &str| {
        let known = deployment["status"]["conditions"].as_array().into_iter().flatten();
        let since = known
            .filter(|known| known["type"] == type_ && known["status"] == status)
            .find_map(|known| known["lastTransitionTime"].as_str())
            .unwrap_or(stamp);
        json!({ "type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": since })
    };
    if enough {
        json!([
            one("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            one("Progressing", "True", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
        ])
    } else {
        json!([
            one("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability."),
            one("Progressing", "True", "ReplicaSetUpdated", "ReplicaSet is progressing."),
        ])
    }
}

/// What the probes of the agent's mind found.
pub(crate) fn mind(stage: &mut Stage, agent: &Key, health: &str, message: &str) {
    let stamp = stage.stamp();
    stage.edit(Kind::Agent, agent, |agent| {
        agent["status"]["cognitiveHealth"] = json!(health);
        let (status, reason) = if health == "HEALTHY" { ("True", "RightAnswers") } else { ("False", "WrongAnswer") };
        say(agent, "CognitiveHealth", status, reason, message, &stamp);
    });
}

/// The agent is being deleted: its pods end first.
pub(crate) fn terminate(stage: &mut Stage, agent: &Key) {
    let stamp = stage.stamp();
    stage.edit(Kind::Agent, agent, |agent| {
        agent["metadata"]["deletionTimestamp"] = json!(stamp);
        agent["metadata"]["deletionGracePeriodSeconds"] = json!(0);
        agent["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    });
    observe(stage, agent);
}

/// The agent is gone with all that was made for it, but for its memory.
pub(crate) fn vanish(stage: &mut Stage, agent: &Key) {
    for pod in pods_of(stage, agent) {
        stage.remove(Kind::Pod, &pod);
    }
    stage.remove(Kind::Deployment, agent);
    stage.remove(Kind::Umwelt, &Key::new(agent.namespace(), &format!("{}-umwelt", agent.name())));
    stage.remove(Kind::Agent, agent);
}

/// Who an object belongs to.
fn owner(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "name": object["metadata"]["name"],
        "uid": object["metadata"]["uid"],
        "controller": true,
        "blockOwnerDeletion": true,
    })
}
