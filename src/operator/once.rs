//! Whether all is as it should be, and what an operator came to.

use std::collections::BTreeMap;

use kgents_api::Condition;
use kgents_api::agent::Mode;
use kgents_core::plan::Plan;
use serde::Serialize;

use crate::key::{Controller, Key, Subject};
use crate::world::World;

/// What an operator came to.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// By kind.
    pub kinds: BTreeMap<&'static str, Tally>,
    /// Objects that are not as they should be, and will not be by themselves.
    pub stalled: Vec<Stalled>,
    /// Writes that were answered well, by verb and resource (`patch deployments`).
    pub writes: BTreeMap<String, u64>,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What would be written, where nothing is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plans: Vec<Planned>,
}

/// How the objects of a kind stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How many there are.
    pub objects: u64,
    /// How many are as they should be.
    pub healthy: u64,
    /// How many are not, and will not be by themselves.
    pub stalled: u64,
}

/// An object that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stalled {
    /// Which.
    pub key: Key,
    /// A word.
    pub reason: String,
    /// A sentence.
    pub message: String,
}

/// What would be written for an object.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// Which object.
    pub key: Key,
    /// What.
    pub plan: Plan,
}

/// Where an object is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// It is as it should be.
    Healthy,
    /// It is not, and will not be by itself.
    Stalled { reason: String, message: String },
    /// It may still become so.
    Waiting(String),
}

/// What the objects say of themselves: the tally, and those on their way.
pub(crate) fn take_stock(world: &World) -> (Report, Vec<String>) {
    let (mut report, mut waiting) = (Report::default(), Vec::new());
    for controller in Controller::ALL {
        report.kinds.insert(controller.word(), Tally::default());
    }
    let mut keys = world.keys();
    keys.sort();
    for key in keys {
        let Some(seen) = world.observe(&key) else { continue };
        let tally = report.kinds.entry(key.controller.word()).or_default();
        tally.objects += 1;
        let way = match &seen.subject {
            Ok(subject) => way(subject),
            Err(problem) => {
                Way::Stalled { reason: crate::intake::UNREADABLE.to_owned(), message: problem.problem.clone() }
            }
        };
        match way {
            Way::Healthy => tally.healthy += 1,
            Way::Stalled { reason, message } => {
                tally.stalled += 1;
                report.stalled.push(Stalled { key, reason, message });
            }
            Way::Waiting(why) => waiting.push(format!("{key}: {why}")),
        }
    }
    (report, waiting)
}

fn way(subject: &Subject) -> Way {
    let generation = subject.metadata().generation;
    let (observed, conditions): (_, &[Condition]) = match subject {
        // Nobody works on it, by its own wish.
        Subject::Agent(agent) if agent.spec.paused || agent.spec.mode == Mode::DryRun => return Way::Healthy,
        Subject::Agent(agent) => {
            let status = agent.status.as_ref();
            (status.and_then(|status| status.observed_generation), status.map_or(&[], |status| &status.conditions))
        }
        Subject::Memory(memory) => {
            let status = memory.status.as_ref();
            (status.and_then(|status| status.observed_generation), status.map_or(&[], |status| &status.conditions))
        }
        Subject::Umwelt(umwelt) => {
            let status = umwelt.status.as_ref();
            (status.and_then(|status| status.observed_generation), status.map_or(&[], |status| &status.conditions))
        }
        Subject::Pheromone(_) => return Way::Healthy,
    };
    if observed != generation {
        return Way::Waiting("its spec has not been seen to".to_owned());
    }
    let find = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
    if let Some(stalled) = find("Stalled").filter(|stalled| stalled.status == "True") {
        return Way::Stalled { reason: stalled.reason.clone(), message: stalled.message.clone() };
    }
    match find("Ready") {
        Some(ready) if ready.status == "True" => Way::Healthy,
        // A claim that is bound only once a pod wants it is no reason to wait:
        // the agent waits for it, if there is one.
        _ if !matches!(subject, Subject::Agent(_)) => Way::Healthy,
        Some(ready) => Way::Waiting(format!("{}: {}", ready.reason, ready.message)),
        None => Way::Waiting("it has no condition Ready".to_owned()),
    }
}
