//! The agents that are measured, and what has to be made of each.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kgents_api::{Agent, Memory, Umwelt};
use kgents_core::plan::{Apply, Config, Observed, Resource, Subject, plan};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::it::support::objects::object;

/// The name of the agent with this number.
pub fn name(i: usize) -> String {
    format!("agent-{i:05}")
}

/// An agent with the children that every agent has. All are alike but for
/// their names, so that a template can hold what is made of them.
pub fn agent(i: usize) -> Value {
    let spec = json!({
        "genus": "B", "image": "kgents/b:1.4.0", "replicas": 1,
        "config": { "queue": "ledger", "rate": "14" },
        "networkPolicy": { "allowedPeers": ["genus:L"] },
        "instructions": "Keep the ledger. Refuse what would overdraw it, and say why.",
    });
    object("Agent", &name(i), &spec)
}

/// One of our kinds, as the API server sent it.
pub fn read<T: DeserializeOwned>(object: &Value) -> T {
    serde_json::from_value(object.clone()).unwrap_or_else(|error| panic!("{error}: {object}"))
}

/// What an API server would have added to an object.
pub fn stored(mut object: Value, namespace: &str) -> Value {
    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let kind = object["kind"].as_str().unwrap_or_default().to_lowercase();
    let metadata = &mut object["metadata"];
    metadata["namespace"] = namespace.into();
    metadata["uid"] = format!("uid-of-{kind}-{name}").into();
    metadata["resourceVersion"] = "7".into();
    metadata["generation"] = 1.into();
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z".into();
    object
}

/// What is written for a new object that nothing stands beside.
pub fn new(subject: &Value) -> Vec<Apply> {
    let (now, config) = (Timestamp::now(), Config::default());
    let written = |subject: Subject<'_>, observed: &Observed| plan(subject, observed, now, &config).apply;
    // Its agent is there.
    let beside = |agent: &str| Observed { agents: BTreeSet::from([agent.to_owned()]), ..Observed::default() };
    match subject["kind"].as_str().unwrap_or_default() {
        "Agent" => written(Subject::Agent(&read::<Agent>(subject)), &Observed::default()),
        "Memory" => {
            let memory: Memory = read(subject);
            written(Subject::Memory(&memory), &beside(&memory.spec.owner))
        }
        "Umwelt" => {
            let umwelt: Umwelt = read(subject);
            written(Subject::Umwelt(&umwelt), &beside(&umwelt.spec.agent))
        }
        _ => Vec::new(),
    }
}

/// Whether something is made of this child in turn.
pub fn has_children(resource: Resource) -> bool {
    matches!(resource, Resource::Memory | Resource::Umwelt)
}

/// Every object that is made of one agent, in the order of making, as the
/// controller-runtime operator wants it: with stand-ins for the names.
pub fn template() -> Value {
    let mut agent = agent(0);
    agent["metadata"]["name"] = "template-agent".into();
    let mut bodies = Vec::new();
    for apply in new(&stored(agent, "template-namespace")) {
        let inner = if has_children(apply.child.resource) {
            new(&stored(defaulted(apply.body.clone()), "template-namespace"))
        } else {
            Vec::new()
        };
        bodies.push(apply.body);
        bodies.extend(inner.into_iter().map(|apply| apply.body));
    }
    Value::Array(bodies)
}

/// The resources of all that is made of one agent.
pub fn plurals() -> impl Iterator<Item = &'static str> {
    let kinds: Vec<String> = match template() {
        Value::Array(bodies) => bodies.iter().filter_map(|body| body["kind"].as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    };
    let resource = |kind: String| Resource::CHILDREN.into_iter().find(|resource| resource.kind() == kind);
    kinds.into_iter().filter_map(resource).map(Resource::plural)
}

/// With what our types have no default for and the schema does.
fn defaulted(mut object: Value) -> Value {
    if object["spec"].is_null() {
        object["spec"] = json!({});
    }
    object
}
