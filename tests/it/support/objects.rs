//! Objects for the tests to apply.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// An object of ours.
pub fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({ "apiVersion": "kgents.io/v1", "kind": kind, "metadata": { "name": name }, "spec": spec })
}

/// The same object with a label.
pub fn labelled(mut object: Value, label: &str, value: &str) -> Value {
    object["metadata"]["labels"][label] = value.into();
    object
}

/// An Agent of a genus.
pub fn agent(name: &str, genus: &str) -> Value {
    object("Agent", name, &json!({ "genus": genus }))
}

/// A Pheromone of o-gent that was emitted some minutes ago.
pub fn pheromone(name: &str, type_: &str, minutes_ago: i64) -> Value {
    let emitted = Timestamp::now() - SignedDuration::from_mins(minutes_ago);
    object("Pheromone", name, &json!({ "type": type_, "source": "o-gent", "emittedAt": emitted.to_string() }))
}

/// A Proposal to scale an Agent.
pub fn proposal(name: &str, agent: &str) -> Value {
    let spec = json!({
        "changeType": "AGENT_SCALE", "proposer": "o-gent", "reason": "more work than hands",
        "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": agent },
        "patch": { "type": "merge", "content": { "spec": { "replicas": 2 } } },
    });
    object("Proposal", name, &spec)
}

/// A Memory of an agent.
pub fn memory(name: &str, owner: &str) -> Value {
    object("Memory", name, &json!({ "owner": owner, "type": "VECTOR" }))
}

/// An Umwelt of an agent.
pub fn umwelt(name: &str, agent: &str) -> Value {
    object("Umwelt", name, &json!({ "agent": agent, "constraints": { "tokenBudget": 5000 } }))
}

/// A standard condition.
pub fn condition(type_: &str, status: &str, reason: &str) -> Value {
    json!({
        "type": type_, "status": status, "reason": reason, "message": format!("{type_} says {reason}"),
        "lastTransitionTime": Timestamp::now().round(jiff::Unit::Second).unwrap().to_string(),
    })
}

/// An Event about an object, as a controller writes it. The object is given
/// as API version, kind and name.
pub fn event(namespace: &str, name: &str, about: [&str; 3], reason: &str, message: &str) -> Value {
    let [version, kind, object] = about;
    let now = Timestamp::now().round(jiff::Unit::Second).unwrap().to_string();
    json!({
        "apiVersion": "v1", "kind": "Event", "metadata": { "name": name, "namespace": namespace },
        "involvedObject": { "apiVersion": version, "kind": kind, "namespace": namespace, "name": object },
        "reason": reason, "message": message, "type": "Normal", "count": 1,
        "firstTimestamp": now, "lastTimestamp": now, "source": { "component": "tests" },
    })
}
