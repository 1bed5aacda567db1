//! A crowd: five hundred agents in twenty namespaces, and a burst of changes.
//! Its objects are as small as an API server may hold them, so that the tree
//! stays small.

use kgents_api::proposal::ChangeType;
use kgents_api::{Genus, LABEL_AGENT, LABEL_GENUS, NAMESPACE_AGENTS, PheromoneType};
use kgents_store::thought::Severity;
use kgents_store::{Key, Kind};
use serde_json::{Value, json};

use crate::stage::Stage;
use crate::{NOW, World};

const SEED: u64 = 0x4d06e;
const SECOND: i64 = 1_000;
const HOUR: i64 = 60 * 60 * SECOND;
/// Nobody listened until now: only the thoughts that are made here are heard.
const OPENING: i64 = 0;

const NAMESPACES: u64 = 20;
const AGENTS: u64 = 500;
const PHEROMONES: u64 = 2_500;
const PROPOSALS: u64 = 250;

/// When the burst comes, and how many changes it has.
pub(crate) const BURST_MS: i64 = 20 * SECOND;
pub(crate) const BURST: u64 = 1_000;
/// Changes in a calm second.
const CALM: u64 = 6;
/// How long the timeline is.
const LENGTH_MS: i64 = 60 * SECOND;

/// What an agent says, with a figure for `#`.
const SAYINGS: [&str; 10] = [
    "settled # holds",
    "# notes embedded",
    "replayed day # of the ledger, no difference",
    "queue at #",
    "slice # read",
    "# of 412 cases pass",
    "state synced, # keys",
    "waiting for # peers",
    "budget: # tokens left",
    "nothing to do for # s",
];

pub(crate) fn world() -> World {
    let mut stage = Stage::new("huge", NOW, SEED, OPENING);
    for i in 0..AGENTS {
        stage.until(-40 * HOUR + i as i64 * 90 * SECOND);
        appear(&mut stage, i);
    }
    for i in 0..PROPOSALS {
        stage.until(-11 * HOUR + i as i64 * 70 * SECOND);
        propose(&mut stage, i);
    }
    for i in 0..PHEROMONES {
        // Half a second apart: the oldest is 21 minutes old.
        stage.until(-(PHEROMONES as i64 - i as i64) * 500);
        signal(&mut stage);
        // Two thoughts for five pheromones; the last one is said below.
        if i % 5 > 2 && i + 1 < PHEROMONES {
            think(&mut stage);
        }
    }
    stage.until(0);
    // The newest stamp of the world.
    stage.think(&agent(0), None, Severity::Info, "five hundred of us, and all is well");
    follow(&mut stage);
    stage.finish()
}

fn namespace(i: u64) -> String {
    match i % NAMESPACES {
        0 => NAMESPACE_AGENTS.to_owned(),
        team => format!("team-{team:02}"),
    }
}

fn genus(i: u64) -> Genus {
    Genus::ALL.get((i % Genus::ALL.len() as u64) as usize).copied().unwrap_or(Genus::A)
}

fn agent(i: u64) -> Key {
    Key::new(&namespace(i), &format!("{}-{i:03}", genus(i).as_str().to_lowercase()))
}

fn anybody(stage: &mut Stage) -> Key {
    agent(stage.rng.below(AGENTS))
}

fn appear(stage: &mut Stage, i: u64) {
    let key = agent(i);
    let genus = genus(i).as_str();
    let replicas = 1 + stage.rng.below(3);
    let phase = match stage.rng.below(50) {
        0 => "Failed",
        1 | 2 => "Degraded",
        3 => "Pending",
        _ => "Running",
    };
    let body = json!({
        "spec": { "genus": genus, "replicas": replicas },
        "status": status(phase, replicas, &stage.stamp()),
    });
    stage.make(Kind::Agent, &key, &json!({ LABEL_AGENT: key.name(), LABEL_GENUS: genus }), body);
}

fn status(phase: &str, replicas: u64, since: &str) -> Value {
    let (ready, well, reason) = match phase {
        "Running" => (replicas, "True", "Available"),
        "Pending" => (0, "False", "RollingOut"),
        _ => (0, "False", "CrashLoopBackOff"),
    };
    json!({
        "observedGeneration": 1,
        "phase": phase,
        "replicas": replicas,
        "readyReplicas": ready,
        "conditions": [{
            "type": "Ready", "status": well, "reason": reason, "message": "", "lastTransitionTime": since,
        }],
    })
}

fn propose(stage: &mut Stage, i: u64) {
    let proposer = anybody(stage);
    let change = ChangeType::ALL.get((i % ChangeType::ALL.len() as u64) as usize).copied();
    let change = change.unwrap_or(ChangeType::CodePatch);
    let base = kgents_core::risk::weight(change);
    let velocity = stage.rng.below(500) as f64 / 1_000.0;
    // In thousandths, so that every machine writes the same figure.
    let total = ((base + velocity).min(1.0) * 1_000.0).round() / 1_000.0;
    let level = kgents_core::risk::RiskConfig::default().level(total);
    let phase = ["Pending", "Reviewing", "Merged", "Rejected", "Expired"][(i % 5) as usize];
    let key = Key::new(proposer.namespace(), &format!("change-{i:03}"));
    let replicas = 1 + i % 9;
    stage.make(
        Kind::Proposal,
        &key,
        &json!({}),
        json!({
            "spec": {
                "changeType": change,
                "target": { "apiVersion": kgents_api::API_VERSION, "kind": "Agent", "name": proposer.name() },
                "patch": { "type": "merge", "content": { "spec": { "replicas": replicas } } },
                "proposer": proposer.name(),
                "reason": format!("reason {i} of {PROPOSALS}"),
            },
            "status": {
                "phase": phase,
                "risk": { "base": base, "velocity": velocity, "cumulative": 0.0, "total": total, "level": level },
            },
        }),
    );
}

/// One more pheromone. All live longer than the timeline is, so that there are
/// as many as stated.
fn signal(stage: &mut Stage) {
    let source = anybody(stage);
    let type_ = stage.rng.pick(PheromoneType::ALL).copied().unwrap_or(PheromoneType::State);
    let spec = json!({
        "type": type_,
        "source": source.name(),
        "emittedAt": stage.stamp(),
        "initialIntensity": (30 + stage.rng.below(71)) as f64 / 100.0,
        "halfLifeMinutes": 15 + stage.rng.below(46),
        "payload": format!("figure {}", stage.rng.below(10_000)),
    });
    let name = format!("p-{}", stage.rng.letters(9));
    stage.make(Kind::Pheromone, &Key::new(source.namespace(), &name), &json!({}), json!({ "spec": spec }));
}

fn think(stage: &mut Stage) {
    let who = anybody(stage);
    let figure = stage.rng.below(5_000).to_string();
    let saying = stage.rng.pick(&SAYINGS).copied().unwrap_or_default();
    stage.think(&who, None, Severity::Info, &saying.replace('#', &figure));
}

/// A minute of ordinary life, with a burst in it.
fn follow(stage: &mut Stage) {
    for second in 0..LENGTH_MS / SECOND {
        let at = second * SECOND;
        if at == BURST_MS {
            for i in 0..BURST {
                // Two seconds for all of them.
                stage.until(at + (i * 2 * SECOND as u64 / BURST) as i64);
                happen(stage);
            }
        }
        for i in 0..CALM {
            stage.until(at + 80 + (i * SECOND as u64 / CALM) as i64);
            happen(stage);
        }
    }
}

/// One change, whichever.
fn happen(stage: &mut Stage) {
    match stage.rng.below(10) {
        0..=3 => {
            let key = anybody(stage);
            let stamp = stage.stamp();
            stage.edit(Kind::Agent, &key, |agent| {
                let replicas = agent["spec"]["replicas"].as_u64().unwrap_or(1);
                let phase = if agent["status"]["phase"] == "Running" { "Degraded" } else { "Running" };
                agent["status"] = status(phase, replicas, &stamp);
            });
        }
        4 | 5 => signal(stage),
        6 => {
            let count = stage.all(Kind::Pheromone).count() as u64;
            let place = stage.rng.below(count) as usize;
            let key = stage.all(Kind::Pheromone).nth(place).map(|(key, _)| key.clone());
            if let Some(key) = key {
                stage.remove(Kind::Pheromone, &key);
            }
        }
        _ => think(stage),
    }
}
