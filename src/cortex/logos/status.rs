//! `GetStatus`: how the terrarium and the daemon stand.
//!
//! Health is how well the daemon hears the cluster, not how its agents fare:
//! - `DOWN`: the API server does not answer, or has not yet;
//! - `DEGRADED`: it answers, but one of our own kinds is not followed;
//! - `HEALTHY`: it answers, and all five are.

use std::collections::HashMap;

use jiff::Timestamp;
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Terrarium, WatchState, view};
use kgents_wire::logos as wire;
use tonic::Status;

use crate::state::{Shared, State};
use crate::{clock, convert, nearest};

/// The namespace whose agents are called by their name alone.
const HOME: &str = "kgents-agents";
/// The component that is the connection to the API server.
const KUBE: &str = "kube";

/// The answer. Agents and pheromones are always in it, because clients that
/// exist read them without asking for `verbose`.
pub(super) fn of(shared: &Shared, request: &wire::StatusRequest) -> Result<wire::StatusResponse, Status> {
    let known: Vec<&str> = [KUBE].into_iter().chain(Kind::ALL.map(Kind::plural)).collect();
    if let Some(word) = request.components.iter().find(|word| !known.contains(&word.as_str())) {
        return Err(nearest::unknown("component", word, &known));
    }
    let now = clock::now();
    let state = shared.state();
    let terrarium = state.terrarium();
    let mut components = components(terrarium);
    if !request.components.is_empty() {
        components.retain(|component| request.components.contains(&component.name));
    }
    Ok(wire::StatusResponse {
        health: health(terrarium).to_owned(),
        agents: agents(&state),
        pheromone_levels: levels(terrarium, now),
        // Nothing measures it yet.
        metabolic_pressure: 0.0,
        instance_id: shared.instance.clone(),
        timestamp: Some(convert::stamp(now)),
        components,
    })
}

fn health(terrarium: &Terrarium) -> &'static str {
    let followed = || Kind::CUSTOM.into_iter().all(|kind| terrarium.watch(kind).state.is_live());
    match terrarium.link() {
        Link::Up { .. } if followed() => "HEALTHY",
        Link::Up { .. } => "DEGRADED",
        Link::Connecting | Link::Down { .. } => "DOWN",
    }
}

fn components(terrarium: &Terrarium) -> Vec<wire::ComponentHealth> {
    let (healthy, message) = match terrarium.link() {
        Link::Connecting => (false, "nothing has answered yet".to_owned()),
        Link::Up { version } => (true, format!("the API server answers ({version})")),
        Link::Down { error, hint, .. } if hint.is_empty() => (false, error.clone()),
        Link::Down { error, hint, .. } => (false, format!("{error}; {hint}")),
    };
    let kube = wire::ComponentHealth { name: KUBE.to_owned(), healthy, message };
    [kube].into_iter().chain(Kind::ALL.map(|kind| component(terrarium, kind))).collect()
}

fn component(terrarium: &Terrarium, kind: Kind) -> wire::ComponentHealth {
    let watch = terrarium.watch(kind);
    let healthy = watch.state.is_live();
    let mut message = match watch.state {
        WatchState::Waiting => "not asked yet".to_owned(),
        WatchState::Listing => "the first list is under way".to_owned(),
        WatchState::Live => "followed".to_owned(),
        WatchState::Missing => format!("the API server does not know {}", kind.resource()),
        WatchState::Forbidden { verb, resource, namespace } => {
            let place = namespace.map_or("the cluster".to_owned(), |namespace| format!("namespace {namespace}"));
            format!("may not {verb} {resource} in {place}")
        }
        WatchState::Failing { error, .. } => error,
    };
    if !watch.refused.is_empty() {
        message = format!("{message}; may not read {}", watch.refused.join(", "));
    }
    wire::ComponentHealth { name: kind.plural().to_owned(), healthy, message }
}

fn agents(state: &State) -> Vec<wire::AgentStatus> {
    let mut active: HashMap<Key, Timestamp> = HashMap::new();
    for thought in state.thoughts_after(None).rev() {
        active.entry(Key::new(thought.key.namespace(), &thought.who)).or_insert(thought.at);
    }
    let agents = state.terrarium().agents().iter();
    agents
        .map(|(key, agent)| {
            let agent = &agent.held;
            let phase = agent.object.status.as_ref().and_then(|status| status.phase);
            wire::AgentStatus {
                name: if key.namespace() == HOME { key.name().to_owned() } else { key.to_string() },
                genus: agent.object.spec.genus.to_string(),
                // No operator has said anything yet.
                status: phase.map_or("Unknown", |phase| phase.as_str()).to_owned(),
                last_active: active.get(key).copied().max(agent.changed).map(convert::stamp),
            }
        })
        .collect()
}

/// The strongest intensity now, by type.
fn levels(terrarium: &Terrarium, now: Timestamp) -> HashMap<String, f32> {
    let mut levels: HashMap<String, f32> = HashMap::new();
    for pheromone in terrarium.pheromones().values() {
        let Some(strength) = view::strength(pheromone, now) else { continue };
        let level = levels.entry(pheromone.held.object.spec.type_.to_string()).or_default();
        *level = level.max(strength as f32);
    }
    levels
}
