use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Agent, Memory, Umwelt};
use serde_json::{Map, Value, json};

use super::super::network;
use super::super::{Apply, Cause, Config, Fault, Live, Observed, Plan, Pod, Resource, Subject, children, plan};
use crate::testing::{noon, secs};

mod any;
mod modes;
mod reach;
mod snapshots;
mod standing;
mod writes;

/// An Agent `b-gent` of uid `u`, made at noon, generation 1; `over` is laid on it.
fn agent(over: &Value) -> Agent {
    let mut base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent",
        "metadata": {
            "name": "b-gent", "namespace": "kgents-agents", "uid": "u", "generation": 1,
            "creationTimestamp": "2026-01-01T12:00:00Z",
        },
        "spec": { "genus": "B" },
    });
    json_patch::merge(&mut base, over);
    serde_json::from_value(base).unwrap()
}

/// The same with this spec.
fn with(spec: &Value) -> Agent {
    agent(&json!({ "spec": spec }))
}

/// A small cluster: an agent, and what was made for it.
struct World {
    agent: Agent,
    objects: BTreeMap<(Resource, String), Value>,
    pods: Vec<Value>,
    memory: Option<Memory>,
    umwelt: Option<Umwelt>,
    agents: Vec<&'static str>,
    faults: Vec<Fault>,
    now: Timestamp,
    /// How often the status was written.
    writes: usize,
    uids: usize,
}

impl World {
    fn new(agent: Agent) -> Self {
        Self {
            agent,
            objects: BTreeMap::new(),
            pods: Vec::new(),
            memory: None,
            umwelt: None,
            agents: Vec::new(),
            faults: Vec::new(),
            now: noon(),
            writes: 0,
            uids: 0,
        }
    }

    fn observed(&self) -> Observed {
        let child = |((resource, name), object): (&(Resource, String), &Value)| {
            ((*resource, name.clone()), Live::read(*resource, object).unwrap().into())
        };
        let automatic =
            |resource, named: &Option<String>| named.is_none().then(|| self.objects.get(&name(resource))).flatten();
        let read = |object: &Value| serde_json::from_value::<Memory>(object.clone()).ok();
        let memory =
            self.memory.clone().or_else(|| automatic(Resource::Memory, &self.agent.spec.memory).and_then(read));
        Observed {
            children: self.objects.iter().map(child).collect(),
            pods: self.pods.iter().map(|pod| Pod::read(pod).into()).collect(),
            memory: memory.map(Into::into),
            umwelt: self.umwelt.clone().map(Into::into),
            agents: self.agents.iter().map(|name| (*name).to_owned()).collect(),
            faults: self.faults.clone(),
            ..Observed::default()
        }
    }

    fn plan(&self) -> Plan {
        plan(Subject::Agent(&self.agent), &self.observed(), self.now, &Config::default())
    }

    /// Does what is planned; what was planned is handed back.
    fn step(&mut self) -> Plan {
        let plan = self.plan();
        for apply in &plan.apply {
            self.apply(apply);
        }
        for delete in &plan.delete {
            let key = (delete.child.resource, delete.child.name.clone());
            assert_eq!(self.objects[&key]["metadata"]["uid"], delete.uid);
            self.objects.remove(&key);
        }
        if let Some(status) = &plan.status {
            self.writes += 1;
            let mind = self.agent.status.as_ref().and_then(|status| status.cognitive_health);
            let mut status: kgents_api::AgentStatus = serde_json::from_value(status.body.clone()).unwrap();
            status.cognitive_health = mind;
            self.agent.status = Some(status);
        }
        plan
    }

    fn apply(&mut self, apply: &Apply) {
        let key = (apply.child.resource, apply.child.name.clone());
        self.uids += 1;
        let mut object = applied(apply.child.resource, &apply.body);
        object["metadata"]["uid"] = json!(format!("uid-{}", self.uids));
        object["metadata"]["generation"] = json!(1);
        if let Some(before) = self.objects.get(&key) {
            let ours = before["metadata"]["managedFields"][0]["fieldsV1"].clone();
            let generation = before["metadata"]["generation"].as_i64().unwrap() + 1;
            let mut live = before.clone();
            lay(&mut live, &ours, &object);
            live["metadata"]["generation"] = json!(generation);
            live["metadata"]["uid"] = before["metadata"]["uid"].clone();
            object = live;
        }
        self.objects.insert(key, object);
    }

    /// Plans until nothing is to be done.
    fn settle(&mut self) {
        for _ in 0..10 {
            if self.step().is_empty() {
                return;
            }
        }
        panic!("it does not converge: {:#?}", self.plan());
    }

    /// The Deployment's controller and the kubelet have done all their work.
    fn run(&mut self) {
        let (replicas, generation) = {
            let deployment = &self.objects[&name(Resource::Deployment)];
            (deployment["spec"]["replicas"].as_i64().unwrap(), deployment["metadata"]["generation"].clone())
        };
        self.deployment(&json!({
            "observedGeneration": generation, "replicas": replicas, "updatedReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas,
            "conditions": [{"type": "Progressing", "status": "True", "lastUpdateTime": self.now.to_string()}],
        }));
        self.pods = (0..replicas)
            .map(|n| {
                pod(
                    &format!("p{n}"),
                    self.now,
                    &json!({
                        "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
                    }),
                )
            })
            .collect();
    }

    /// A new agent that runs.
    fn running(agent: Agent) -> Self {
        let mut world = Self::new(agent);
        world.settle();
        world.run();
        world.settle();
        world
    }

    fn deployment(&mut self, status: &Value) {
        self.objects.get_mut(&name(Resource::Deployment)).unwrap()["status"] = status.clone();
    }

    fn pass(&mut self, seconds: i64) {
        self.now += secs(seconds);
    }

    fn spec(&mut self, over: &Value) {
        let mut value = serde_json::to_value(&self.agent).unwrap();
        json_patch::merge(&mut value, &json!({ "spec": over }));
        self.agent = serde_json::from_value(value).unwrap();
        *self.agent.metadata.generation.as_mut().unwrap() += 1;
    }

    fn phase(&self) -> String {
        self.agent.status.as_ref().and_then(|status| status.phase).map(|phase| phase.to_string()).unwrap_or_default()
    }

    /// A condition as `True Available`.
    fn condition(&self, type_: &str) -> Option<String> {
        let status = self.agent.status.as_ref()?;
        let condition = status.conditions.iter().find(|condition| condition.type_ == type_)?;
        Some(format!("{} {}", condition.status, condition.reason))
    }

    fn message(&self, type_: &str) -> String {
        let conditions = &self.agent.status.as_ref().unwrap().conditions;
        conditions.iter().find(|condition| condition.type_ == type_).unwrap().message.clone()
    }

    fn fault(&mut self, resource: Resource, cause: Cause, said: &str) {
        let child = super::child(&self.agent, resource);
        let generation = self.agent.metadata.generation.unwrap();
        self.faults.push(Fault {
            child,
            cause,
            said: said.to_owned(),
            generation,
            since: self.now,
            retry_at: self.now + secs(60),
        });
    }

    /// An object of somebody else in the place of a child.
    fn stranger(&mut self, resource: Resource) {
        let (resource, name) = name(resource);
        let object = json!({ "metadata": { "name": name, "uid": "stranger", "labels": {} }, "spec": {} });
        self.objects.insert((resource, name), object);
    }
}

fn name(resource: Resource) -> (Resource, String) {
    (resource, super::child(&agent(&json!({})), resource).name)
}

/// A pod of this status.
fn pod(name: &str, created: Timestamp, status: &Value) -> Value {
    json!({ "metadata": { "name": name, "uid": name, "creationTimestamp": created.to_string() }, "status": status })
}

/// An object as the API server has it after an apply, as far as [`Live`] looks.
fn applied(resource: Resource, body: &Value) -> Value {
    let mut own = body.clone();
    own.as_object_mut().unwrap().retain(|name, _| name != "apiVersion" && name != "kind");
    own["metadata"].as_object_mut().unwrap().retain(|name, _| name != "name" && name != "namespace");
    let mut object = body.clone();
    object["metadata"]["managedFields"] = json!([{
        "manager": resource.manager(), "operation": "Apply", "time": "2026-01-01T12:00:00Z", "fieldsV1": fields(&own),
    }]);
    object
}

/// Lays what was applied over what stands there, and takes away what was ours
/// before and is not any more; what others set stays.
fn lay(live: &mut Value, before: &Value, applied: &Value) {
    match (live, before, applied) {
        (Value::Object(live), Value::Object(before), Value::Object(applied)) if !before.is_empty() => {
            live.retain(|name, _| !before.contains_key(&format!("f:{name}")) || applied.contains_key(name));
            for (name, value) in applied {
                let inner = before.get(&format!("f:{name}")).cloned().unwrap_or_default();
                lay(live.entry(name.clone()).or_insert_with(|| value.clone()), &inner, value);
            }
        }
        (live, _, applied) => *live = applied.clone(),
    }
}

/// The field set of a value, without keyed lists: those are owned whole here.
fn fields(value: &Value) -> Value {
    match value {
        Value::Object(map) if !map.is_empty() => {
            map.iter().map(|(name, value)| (format!("f:{name}"), fields(value))).collect::<Map<_, _>>().into()
        }
        _ => json!({}),
    }
}

fn resources(plan: &Plan) -> Vec<Resource> {
    plan.apply.iter().map(|apply| apply.child.resource).collect()
}

fn said(plan: &Plan) -> Vec<String> {
    plan.events.iter().map(|event| format!("{}: {}", event.reason, event.message)).collect()
}

fn body(plan: &Plan, resource: Resource) -> Value {
    plan.apply.iter().find(|apply| apply.child.resource == resource).unwrap().body.clone()
}

/// The first plan for an agent of this spec.
fn first(spec: &Value) -> Plan {
    World::new(with(spec)).plan()
}

fn memory(name: &str, spec: &Value) -> Memory {
    let mut base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Memory",
        "metadata": { "name": name, "namespace": "kgents-agents", "uid": format!("uid-of-{name}") },
        "spec": { "owner": "b-gent", "type": "VECTOR" },
    });
    json_patch::merge(&mut base, &json!({ "spec": spec }));
    serde_json::from_value(base).unwrap()
}

fn umwelt(name: &str, spec: &Value) -> Umwelt {
    let mut base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Umwelt",
        "metadata": { "name": name, "namespace": "kgents-agents" },
        "spec": { "agent": "b-gent" },
    });
    json_patch::merge(&mut base, &json!({ "spec": spec }));
    serde_json::from_value(base).unwrap()
}
