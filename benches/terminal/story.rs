//! A made-up terrarium and two thousand changes a second in it. The same number
//! gives the same change on every machine, so that two runs can be compared.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kgents_store::bus::{Batch, Change, Control, Novelty, Rung};
use kgents_store::object::decode;
use kgents_store::thought::{Origin, Severity};
use kgents_store::timeline::{Step, StepChange};
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Key, Kind, Layer, Terrarium, Thought};
use serde_json::{Value, json};

use crate::it::support::objects::object;

/// Changes in a second.
pub const RATE: u64 = 2_000;
/// Agents in the terrarium.
pub const AGENTS: u64 = 1_000;
/// How many pheromones the changes keep alive: each is emitted anew and again.
const PHEROMONES: u64 = 500;
const NAMESPACE: &str = "kgents-agents";
const GENERA: [&str; 10] = ["B", "D", "F", "I", "K", "L", "N", "O", "Q", "T"];
const TYPES: [&str; 6] = ["WARNING", "STATE", "OPPORTUNITY", "MEMORY", "DREAM", "CAPABILITY"];

/// When a recording begins; it is moved to now when it is played.
fn recorded() -> Timestamp {
    "2026-01-15T14:30:00Z".parse().unwrap()
}

/// A number that looks like chance and is none (splitmix64).
fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The name of an agent.
pub fn agent_name(i: u64) -> String {
    let i = i % AGENTS;
    format!("{}-gent-{i:03}", GENERA[(i % GENERA.len() as u64) as usize].to_lowercase())
}

/// An agent as a person would apply it.
pub fn agent(i: u64) -> Value {
    let genus = GENERA[(i % GENERA.len() as u64) as usize];
    object("Agent", &agent_name(i), &json!({ "genus": genus, "image": "kgents/agent:1", "replicas": 1 + i % 3 }))
}

/// What an API server adds.
fn stored(mut object: Value, version: u64, born: Timestamp) -> Value {
    let name = object["metadata"]["name"].clone();
    object["metadata"] = json!({
        "namespace": NAMESPACE, "name": name, "uid": name, "resourceVersion": version.to_string(),
        "creationTimestamp": born.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    object
}

/// An agent at work, as an API server stores it.
pub fn running(i: u64, version: u64, born: Timestamp, phase: &str, ready: u64) -> Value {
    let mut agent = stored(agent(i), version, born);
    let replicas = 1 + i % 3;
    agent["status"] = json!({
        "phase": phase, "replicas": replicas, "readyReplicas": ready.min(replicas), "observedGeneration": 1,
    });
    agent
}

/// A pheromone, as an API server stores it.
pub fn pheromone(i: u64, version: u64, emitted: Timestamp) -> Value {
    let spec = json!({
        "type": TYPES[(i % TYPES.len() as u64) as usize], "source": agent_name(i), "emittedAt": emitted.to_string(),
        "initialIntensity": 0.3 + (i % 7) as f64 / 10.0, "halfLifeMinutes": 5 + i % 60,
        "payload": format!("disk at {} %, 2 GB in the last 4 min", version % 100),
    });
    stored(object("Pheromone", &format!("p-{i}"), &spec), version, emitted)
}

/// A thought of an agent.
pub fn thought(i: u64, at: Timestamp) -> Thought {
    let name = agent_name(mix(i));
    Thought {
        seq: 0,
        at,
        who: name.as_str().into(),
        kind: Kind::Agent,
        key: Key::new(NAMESPACE, &name),
        about: None,
        origin: Origin::Event,
        severity: Severity::Info,
        text: format!("settled hold {i}: 23.35 €, 412 tokens, {} wait", i % 97).into(),
    }
}

/// The change of this number, `number / RATE` seconds after a moment: four
/// agents, three pheromones emitted, one gone and two thoughts of ten.
pub fn step(number: u64, from: Timestamp) -> Step {
    let offset_ms = number * 1_000 / RATE;
    let at = from + SignedDuration::from_millis(offset_ms as i64);
    let (dice, version) = (mix(number), number + AGENTS + 1);
    let change = match number % 10 {
        0..4 => {
            let i = dice % AGENTS;
            let phase = if (dice >> 32).is_multiple_of(16) { "Degraded" } else { "Running" };
            StepChange::Put { kind: Kind::Agent, object: running(i, version, from, phase, dice >> 40 & 3) }
        }
        4..7 => StepChange::Put { kind: Kind::Pheromone, object: pheromone(dice % PHEROMONES, version, at) },
        7 => StepChange::Gone { kind: Kind::Pheromone, key: Key::new(NAMESPACE, &format!("p-{}", dice % PHEROMONES)) },
        _ => StepChange::Thought(thought(number, at)),
    };
    Step { offset_ms, change }
}

/// An object as it is told on a bus.
pub fn change(kind: Kind, object: &Value, novelty: Novelty) -> Change {
    let decoded = decode(kind, &object.to_string()).unwrap();
    Change { kind, key: decoded.key.clone(), now: Some(decoded), novelty }
}

/// How a source begins: who speaks and what it heard of each kind.
pub fn beginning(context: &str, now: Timestamp) -> Vec<Control> {
    let rung = Rung { address: String::new(), link: Link::Up { version: "v1.36.3".into() }, notes: Vec::new() };
    let scene = Scene { context: context.to_owned(), ..Scene::default() };
    let live = Watch { state: WatchState::Live, as_of: Some(now), refused: Vec::new() };
    let mut control = vec![Control::Scene(scene), Control::Rung(Layer::Kube, rung), Control::Speaks(Some(Layer::Kube))];
    control.extend(Kind::ALL.map(|kind| Control::Watch(kind, live.clone())));
    control
}

/// A terrarium of agents at work, as it is now.
pub fn terrarium(context: &str, now: Timestamp) -> Terrarium {
    let agents = (0..AGENTS).map(|i| change(Kind::Agent, &running(i, i + 1, now, "Running", 3), Novelty::Initial));
    let mut terrarium = Terrarium::default();
    let batch = Batch { control: beginning(context, now), changes: agents.collect(), ..Batch::default() };
    terrarium.apply(batch, now);
    terrarium
}

/// Writes a recording: a thousand agents, then so long two thousand changes a
/// second. The same length gives the same bytes.
pub fn record(folder: &std::path::Path, length: Duration) {
    let from = recorded();
    let lines: String =
        (0..RATE * length.as_secs()).map(|number| serde_json::to_string(&step(number, from)).unwrap() + "\n").collect();
    kgents_source::ghost::write_recording(folder, &terrarium("story", from), from, &lines, true).unwrap();
}
