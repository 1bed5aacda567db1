//! The pure core alone: how many plans one core makes.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kgents_api::Agent;
use kgents_core::plan::{Config, Live, Observed, Plan, Pod, Resource, Subject, plan};
use serde_json::{Value, json};

use crate::report::{Budget, Unit};
use crate::{Bench, OURS, agents};

/// How often it is measured, and how long each time.
const SAMPLES: usize = 10;
const SAMPLE: Duration = Duration::from_millis(500);
/// Plans after which an agent of which nothing is refused must be at rest.
const ROUNDS: usize = 10;
const NAMESPACE: &str = "kgents-agents";

pub fn plans(bench: &mut Bench) {
    let config = Config::default();
    let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
    let new: Agent = agents::read(&agents::stored(agents::agent(0), NAMESPACE));
    let nothing = Observed::default();
    let group = "plans of an agent, one core";
    bench.put((group, "a new one", OURS), Unit::Rate, Ok(rates(&new, &nothing, now, &config)), Budget::NONE);
    let first = plan(Subject::Agent(&new), &nothing, now, &config);
    let rested = rest(agents::stored(agents::agent(0), NAMESPACE), now, &config);
    let seen = rested.map(|(agent, observed, now)| rates(&agent, &observed, now, &config));
    bench.put((group, "one at rest", OURS), Unit::Rate, seen, Budget::NONE);
    let bytes = |value: &dyn Fn() -> Vec<usize>| Ok(vec![value().into_iter().sum::<usize>() as f64]);
    let whole = bytes(&|| vec![serde_json::to_vec(&first).unwrap().len()]);
    bench.put((group, "the plan of a new one", OURS), Unit::Bytes, whole, Budget::NONE);
    let sent = bytes(&|| first.apply.iter().map(|apply| apply.wire().to_string().len()).collect());
    bench.put((group, "what is sent of it", OURS), Unit::Bytes, sent, Budget::NONE);
}

/// Plans a second.
fn rates(agent: &Agent, observed: &Observed, now: Timestamp, config: &Config) -> Vec<f64> {
    let sample = |_| {
        let (began, mut count) = (Instant::now(), 0_u32);
        while began.elapsed() < SAMPLE {
            for _ in 0..16 {
                black_box(plan(Subject::Agent(black_box(agent)), black_box(observed), now, config));
            }
            count += 16;
        }
        f64::from(count) / began.elapsed().as_secs_f64()
    };
    (0..SAMPLES).map(sample).collect()
}

/// An agent of which all is as its plans want it, whose pod runs.
///
/// # Errors
/// With the plan that is still not empty.
fn rest(mut agent: Value, now: Timestamp, config: &Config) -> Result<(Agent, Observed, Timestamp), String> {
    let mut observed = Observed { pods: vec![Arc::new(Pod::read(&pod()))], ..Observed::default() };
    let mut last = Plan::default();
    for round in 0..ROUNDS {
        let now = now + SignedDuration::from_secs(10) * round as i32;
        let read: Agent = agents::read(&agent);
        observed.agents = BTreeSet::from([read.metadata.name.clone().unwrap_or_default()]);
        last = plan(Subject::Agent(&read), &observed, now, config);
        if last.is_empty() {
            return Ok((read, observed, now));
        }
        for apply in &last.apply {
            let object = live(apply.child.resource, apply.manager(), apply.body.clone());
            match apply.child.resource {
                Resource::Memory => observed.memory = Some(Arc::new(agents::read(&object))),
                Resource::Umwelt => observed.umwelt = Some(Arc::new(agents::read(&object))),
                _ => {}
            }
            let read = Live::read(apply.child.resource, &object)?;
            observed.children.insert((apply.child.resource, apply.child.name.clone()), Arc::new(read));
        }
        if let Some(status) = &last.status {
            agent["status"] = status.body.clone();
        }
    }
    Err(format!("it does not come to rest: {}", last.why.join(" / ")))
}

/// A child as an API server would send it.
fn live(resource: Resource, manager: &str, body: Value) -> Value {
    let mut owned = body.clone();
    for (within, names) in [("", ["apiVersion", "kind"]), ("/metadata", ["name", "namespace"])] {
        if let Some(map) = owned.pointer_mut(within).and_then(Value::as_object_mut) {
            map.retain(|name, _| !names.contains(&name.as_str()));
        }
    }
    let fields = fields(&owned);
    let mut object = agents::stored(body, NAMESPACE);
    object["metadata"]["managedFields"] =
        json!([{ "manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields }]);
    if resource == Resource::Deployment {
        let condition = |type_: &str, reason: &str| json!({ "type": type_, "status": "True", "reason": reason });
        object["status"] = json!({
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
            "conditions": [
                condition("Available", "MinimumReplicasAvailable"),
                condition("Progressing", "NewReplicaSetAvailable"),
            ],
        });
    }
    object
}

/// All fields of a value as managedFields name them. A list is owned whole.
fn fields(value: &Value) -> Value {
    let inner = |(name, value): (&String, &Value)| (format!("f:{name}"), fields(value));
    Value::Object(value.as_object().into_iter().flatten().map(inner).collect())
}

fn pod() -> Value {
    json!({
        "metadata": { "name": "agent-00000-1", "uid": "p", "creationTimestamp": "2026-01-01T00:00:30Z" },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] },
    })
}
