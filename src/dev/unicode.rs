//! Every script there is: names are what Kubernetes demands of names, but what
//! is said is wide, joined, stacked, right to left, invisible or hostile. One
//! agent in each phase and state.

use kgents_api::PheromoneType;
use kgents_api::proposal::ChangeType;
use kgents_store::thought::Severity;
use kgents_store::{Key, Kind};
use serde::Deserialize;
use serde_json::json;

use crate::cast::Role;
use crate::petition::{self, Ask};
use crate::script::{Signal, emit};
use crate::stage::Stage;
use crate::{NOW, World, cluster};

const SEED: u64 = 0x17a2_b3c4;
const MINUTE: i64 = 60_000;
const OPENING: i64 = -50 * MINUTE;

/// Who speaks, and what they say.
const SPEAKERS: &str = include_str!("unicode/speakers.json");

#[derive(Deserialize)]
struct Speaker {
    name: String,
    genus: kgents_api::Genus,
    state: String,
    instructions: String,
    reason: String,
    thoughts: Vec<String>,
    payloads: Vec<String>,
}

impl Speaker {
    fn role(&self) -> Role<'_> {
        Role {
            instructions: &self.instructions,
            config: &[("GREETING", "¡Olé! — “ça va?”")],
            minded: true,
            ..Role::of(&self.name, self.genus, "ghcr.io/kgents/agent:1.4.2")
        }
    }
}

pub(crate) fn world() -> World {
    let mut stage = Stage::new("wide-unicode", NOW, SEED, OPENING);
    // The text is ours, and a test reads it.
    let speakers: Vec<Speaker> = serde_json::from_str(SPEAKERS).unwrap_or_default();
    stage.until(-26 * 60 * MINUTE);
    for speaker in &speakers {
        enter(&mut stage, speaker);
    }
    ask(&mut stage, &speakers);
    speak(&mut stage, &speakers);
    go_on(&mut stage, &speakers);
    stage.finish()
}

/// Makes an agent and brings it into its state.
fn enter(stage: &mut Stage, speaker: &Speaker) {
    let role = speaker.role();
    let key = role.key();
    if speaker.state == "untold" {
        // No operator has looked at it.
        role.appears(stage);
        return;
    }
    if speaker.state == "pending" {
        role.appears(stage);
        role.settles(stage);
        cluster::roll_out(stage, &key);
        unplaced(stage, &key, &speaker.reason);
        return;
    }
    role.lives(stage);
    match speaker.state.as_str() {
        "degraded" => {
            for pod in cluster::pods_of(stage, &key) {
                cluster::crash(stage, &pod, "OOMKilled", 137);
            }
        }
        "failed" => fail(stage, &key, &speaker.reason),
        "terminating" => cluster::terminate(stage, &key),
        "unresponsive" => cluster::mind(stage, &key, "UNRESPONSIVE", &speaker.reason),
        "asleep" => {
            cluster::scale(stage, &key, 0);
            stage.edit(Kind::Agent, &key, |agent| agent["spec"]["paused"] = json!(true));
            cluster::observe(stage, &key);
        }
        _ => {}
    }
}

/// The scheduler finds no node for the pods.
fn unplaced(stage: &mut Stage, agent: &Key, message: &str) {
    for pod in cluster::pods_of(stage, agent) {
        stage.edit(Kind::Pod, &pod, |pod| {
            let condition = &mut pod["status"]["conditions"][0];
            condition["status"] = json!("False");
            condition["reason"] = json!("Unschedulable");
            condition["message"] = json!(message);
            if let Some(spec) = pod["spec"].as_object_mut() {
                spec.remove("nodeName");
            }
        });
    }
}

fn fail(stage: &mut Stage, agent: &Key, message: &str) {
    let stamp = stage.stamp();
    for pod in cluster::pods_of(stage, agent) {
        stage.remove(Kind::Pod, &pod);
    }
    cluster::observe(stage, agent);
    stage.edit(Kind::Agent, agent, |agent| {
        agent["status"]["phase"] = json!("Failed");
        cluster::say(agent, "Ready", "False", "GivenUp", message, &stamp);
        cluster::say(agent, "Stalled", "True", "GivenUp", message, &stamp);
    });
}

/// Three ask for something; one of them within the hour.
fn ask(stage: &mut Stage, speakers: &[Speaker]) {
    stage.until(-48 * MINUTE);
    for speaker in speakers {
        let (name, ttl, patch) = match speaker.state.as_str() {
            "waiting" => ("control-egress", 3_600, json!({ "networkPolicy": { "allowEgress": true } })),
            "untold" => ("emoji-config", 86_400, json!({ "config": { "GREETING": speaker.reason } })),
            "running" => ("hanzi-budget", 86_400, json!({ "budget": { "tokens": 20_000 } })),
            _ => continue,
        };
        Ask {
            name,
            change: if speaker.state == "waiting" { ChangeType::PolicyUpdate } else { ChangeType::ConfigUpdate },
            target: (Kind::Agent, &speaker.name),
            patch: json!({ "type": "merge", "content": { "spec": patch } }),
            proposer: &speaker.name,
            reason: &speaker.reason,
            more: json!({ "ttlSeconds": ttl, "evidence": { "said": speaker.thoughts } }),
        }
        .put(stage, kgents_api::NAMESPACE_AGENTS);
        stage.wait(4_000);
        petition::weigh(stage, &Key::new(kgents_api::NAMESPACE_AGENTS, name));
        stage.wait(9_000);
    }
}

/// What was said until now: every thought once, and pheromones of every type.
fn speak(stage: &mut Stage, speakers: &[Speaker]) {
    let rounds = speakers.iter().map(|speaker| speaker.thoughts.len()).max().unwrap_or(0);
    let mut types = PheromoneType::ALL.iter().cycle();
    for round in 0..rounds {
        for speaker in speakers {
            let key = speaker.role().key();
            let ahead = (rounds - round) as i64 * 5 * MINUTE;
            let pause = 1_000 + stage.rng.below(20_000) as i64;
            stage.until((stage.offset() + pause).max(-ahead).min(-1));
            if let Some(text) = speaker.thoughts.get(round) {
                let severity = [Severity::Info, Severity::Info, Severity::Asks, Severity::Warn, Severity::Error];
                let drawn = stage.rng.pick(&severity).copied().unwrap_or(Severity::Info);
                stage.think(&key, None, drawn, text);
            }
            if let (Some(text), Some(type_)) = (speaker.payloads.get(round), types.next()) {
                let intensity = Some([1.0, 0.9, 0.75, 0.6][stage.rng.below(4) as usize]);
                let signal = Signal {
                    type_: type_.as_str(),
                    intensity,
                    half_life: Some(40.0),
                    target: None,
                    payload: Some(text),
                };
                emit(stage, &key, &signal);
            }
        }
    }
    misfits(stage);
    stage.until(0);
    if let Some(last) = speakers.first() {
        stage.think(&last.role().key(), None, Severity::Info, &last.instructions);
    }
}

/// Pheromones that our types can read but that cannot fade.
fn misfits(stage: &mut Stage) {
    let wrong = [
        ("no-half-life", json!({ "type": "WARNING", "source": "hanzi", "halfLifeMinutes": 0.0 })),
        ("too-strong", json!({ "type": "SCARCITY", "source": "hanzi", "initialIntensity": 7.5 })),
        ("no-such-day", json!({ "type": "MEMORY", "source": "hanzi", "emittedAt": "昨日" })),
    ];
    for (name, spec) in wrong {
        let key = Key::new(kgents_api::NAMESPACE_AGENTS, name);
        stage.make(Kind::Pheromone, &key, &json!({}), json!({ "spec": spec }));
    }
}

/// What happens then: a minute in which everybody speaks once more, one ends
/// and one comes up.
fn go_on(stage: &mut Stage, speakers: &[Speaker]) {
    for (turn, speaker) in speakers.iter().chain(speakers).enumerate() {
        let key = speaker.role().key();
        stage.until(1_500 + turn as i64 * 3_100);
        if let Some(text) = speaker.thoughts.get(turn % speaker.thoughts.len().max(1)) {
            stage.think(&key, None, Severity::Info, text);
        }
        match (speaker.state.as_str(), turn < speakers.len()) {
            ("pending", true) => cluster::all_ready(stage, &key),
            ("terminating", true) => cluster::vanish(stage, &key),
            ("degraded", false) => {
                for pod in cluster::pods_of(stage, &key) {
                    cluster::restart(stage, &pod);
                    cluster::ready(stage, &pod);
                }
                cluster::observe(stage, &key);
            }
            ("unresponsive", false) => cluster::mind(stage, &key, "HEALTHY", &speaker.reason),
            _ => {}
        }
    }
}
