//! A small terrarium for tests, made the way a source makes one.

use jiff::Timestamp;
use kgents_store::bus::{self, Control};
use kgents_store::object::decode;
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Change, Key, Kind, Layer, Novelty, Rung, Terrarium};
use serde_json::{Value, json};

/// 2026-03-14 14:02:31 UTC.
pub(crate) fn now() -> Timestamp {
    "2026-03-14T14:02:31Z".parse().unwrap()
}

/// A moment before [`now`].
pub(crate) fn ago(seconds: i64) -> String {
    Timestamp::from_second(now().as_second() - seconds).unwrap().to_string()
}

/// A change of one object, as a source sends it.
pub(crate) fn change(kind: Kind, name: &str, version: u32, body: Value, initial: bool) -> Change {
    let novelty = if initial { Novelty::Initial } else { Novelty::News };
    let mut object = json!({
        "apiVersion": "kgents.io/v1", "kind": kind.as_str(),
        "metadata": {
            "namespace": "kgents-agents", "name": name, "uid": format!("{kind}-{name}"),
            "resourceVersion": version.to_string(), "creationTimestamp": ago(7_200),
        },
    });
    merge(&mut object, body);
    let now = decode(kind, &object.to_string()).unwrap();
    Change { kind, key: now.key.clone(), now: Some(now), novelty }
}

pub(crate) fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

pub(crate) fn gone(kind: Kind, name: &str) -> Change {
    Change { kind, key: Key::new("kgents-agents", name), now: None, novelty: Novelty::News }
}

/// Sends changes and control through a bus and drains it once.
pub(crate) fn batch(changes: Vec<Change>, control: Vec<Control>) -> kgents_store::Batch {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (bus, mut reader) = bus::new();
        for change in changes {
            bus.state(change).await;
        }
        for control in control {
            bus.control(control).await;
        }
        reader.drain(usize::MAX)
    })
}

/// Word that everything is heard well.
pub(crate) fn live() -> Vec<Control> {
    let watch = Watch { state: WatchState::Live, as_of: Some(now()), refused: Vec::new() };
    let mut control = vec![
        Control::Scene(Scene {
            context: "kind-garden".into(),
            server: "https://127.0.0.1:6443".into(),
            namespace: Some("kgents-agents".into()),
        }),
        Control::Speaks(Some(Layer::Kube)),
        kube(Link::Up { version: "v1.36.3".into() }),
    ];
    control.extend(Kind::ALL.map(|kind| Control::Watch(kind, watch.clone())));
    control
}

/// How the API server stands.
pub(crate) fn kube(link: Link) -> Control {
    Control::Rung(Layer::Kube, Rung { address: "https://127.0.0.1:6443".into(), link, notes: Vec::new() })
}

fn agent(name: &str, genus: &str, phase: &str, rest: Value) -> Change {
    let ready = i32::from(phase == "Running");
    let mut body = json!({
        "spec": { "genus": genus, "image": format!("kgents/{name}:1.4.0") },
        "status": { "phase": phase, "readyReplicas": ready, "replicas": 1 },
    });
    merge(&mut body, rest);
    change(Kind::Agent, name, 1, body, true)
}

fn condition(type_: &str, status: &str, reason: &str, message: &str, seconds: i64) -> Value {
    json!({ "type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(seconds) })
}

fn signal(name: &str, type_: &str, source: &str, seconds: i64, strength: f64, payload: &str) -> Change {
    let body = json!({ "spec": {
        "type": type_, "source": source, "emittedAt": ago(seconds), "initialIntensity": strength, "payload": payload,
    }});
    change(Kind::Pheromone, name, 1, body, true)
}

fn proposal(name: &str, change_type: &str, target: &str, patch: &Value, reason: &str, status: &Value) -> Change {
    let body = json!({
        "spec": {
            "changeType": change_type, "proposer": "b-gent", "reason": reason, "urgency": "MEDIUM",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": target },
            "patch": { "type": "merge", "content": patch },
        },
        "status": status,
    });
    change(Kind::Proposal, name, 1, body, true)
}

/// Twelve agents with a story in them.
pub(crate) fn garden() -> Terrarium {
    let mut terrarium = Terrarium::default();
    let failed = json!({ "status": { "conditions": [condition("Ready", "False", "ImagePullBackOff", "Back-off pulling image “kgents/d:1.4.1”", 12)] } });
    let degraded = json!({ "status": { "cognitiveHealth": "DEGRADED", "conditions": [
        condition("Ready", "True", "MinimumReplicasAvailable", "Deployment has minimum availability", 172_800),
        condition("CognitiveHealth", "False", "WrongAnswer", "expected 5, got 6", 38),
    ] } });
    let risk = |base: f64, velocity: f64, cumulative: f64, level: &str| {
        json!({ "base": base, "velocity": velocity, "cumulative": cumulative, "total": base + velocity + cumulative, "level": level,
                "reasons": ["scale-up of 2.5x weighs .20, one leaf changed"] })
    };
    let none = || json!({});
    let initial = vec![
        agent(
            "b-gent",
            "B",
            "Running",
            json!({ "spec": { "replicas": 2, "budget": { "tokens": 30_000, "refillPerMinute": 500 } } }),
        ),
        agent("d-gent", "D", "Running", none()),
        agent("d-gent-2", "D", "Failed", failed),
        agent("f-gent", "F", "Running", none()),
        agent("i-gent", "I", "Running", none()),
        agent("k-gent", "K", "Running", none()),
        agent("l-gent", "L", "Running", none()),
        agent("n-gent", "N", "Running", none()),
        agent("o-gent", "O", "Degraded", degraded),
        agent("psi-gent", "Psi", "Running", none()),
        agent("q-gent", "Q", "Pending", none()),
        agent("t-gent", "T", "Running", none()),
        signal("disk", "WARNING", "o-gent", 20, 0.98, "disk at 91 %, 2 GB in the last 4 min"),
        signal("disk-1", "WARNING", "o-gent", 1_500, 0.6, "disk at 87 %"),
        signal("tokens", "SCARCITY", "b-gent", 300, 0.9, "tokens of k-gent end in 9 min"),
        signal("review", "REVIEW_REQUEST", "t-gent", 600, 0.75, "b-gent-scale is MEDIUM"),
        signal("cap", "CAPABILITY", "f-gent", 1_900, 0.8, "can forge ledgers"),
        signal("mem", "MEMORY", "l-gent", 1_400, 0.5, "312 notes"),
        signal("pattern", "DREAM", "psi-gent", 2_700, 0.8, "a WARNING precedes a SCARCITY by 11 min"),
        proposal(
            "b-gent-scale",
            "AGENT_SCALE",
            "b-gent",
            &json!({ "spec": { "replicas": 5 } }),
            "High load, queue 140 deep",
            &json!({ "phase": "Reviewing", "risk": risk(0.20, 0.09, 0.04, "MEDIUM") }),
        ),
        proposal(
            "ledger-v2",
            "AGENT_UPGRADE",
            "f-gent",
            &json!({ "spec": { "image": "kgents/f:2.0" } }),
            "New schema; tests +41",
            &json!({ "phase": "Pending", "risk": risk(0.46, 0.09, 0.04, "HIGH") }),
        ),
        proposal(
            "n-gent-verbosity",
            "CONFIG_UPDATE",
            "n-gent",
            &json!({ "spec": { "config": { "verbosity": "low" } } }),
            "Less chatter at night",
            &json!({ "phase": "Merged", "risk": risk(0.04, 0.02, 0.01, "LOW") }),
        ),
    ];
    terrarium.apply(batch(initial, Vec::new()), now());
    terrarium.apply(batch(Vec::new(), live()), now());
    // What happened since gives the thoughts.
    for (i, (name, genus, phase, reason)) in [
        ("b-gent", "B", "Running", "settled 3 holds, 412 tokens; 14 left of invoice-47"),
        ("l-gent", "L", "Running", "cluster “refund edge cases” split in two: 41 and 18 notes"),
        ("t-gent", "T", "Running", "b-gent-scale: rule replicas-doubling asks for a reviewer"),
        ("b-gent", "B", "Running", "high load: queue 140, drain 11/s, growth 14/s"),
        ("b-gent", "B", "Running", "proposing replicas 2 → 5"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = json!({ "spec": { "genus": genus }, "status": { "phase": phase, "readyReplicas": 1,
            "conditions": [condition("Working", "True", &format!("Step{i}"), reason, 0)] } });
        if name == "b-gent" {
            merge(
                &mut body,
                json!({ "spec": { "replicas": 2, "budget": { "tokens": 30_000, "refillPerMinute": 500 } } }),
            );
        }
        terrarium.apply(batch(vec![change(Kind::Agent, name, 2 + i as u32, body, false)], Vec::new()), now());
    }
    terrarium.tick(now());
    terrarium
}
