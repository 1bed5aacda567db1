//! Objects of the terrarium, by kind: which are shown, in which order, and as
//! what JSON.

use jiff::Timestamp;
use kgents_store::object::Object;
use kgents_store::{Key, Kind, Terrarium, view};
use serde::Serialize;
use serde_json::Value;

/// The objects of a kind that are shown: by namespace and name, but pheromones
/// the strongest first, then those that cannot fade. Faded ones are gone also
/// when they are read, so they are left out.
pub(crate) fn keys(terrarium: &Terrarium, kind: Kind, now: Timestamp) -> Vec<Key> {
    let unreadable = terrarium.unreadable(kind).map(|object| object.key.clone());
    if kind == Kind::Pheromone {
        let alive = view::alive(terrarium, now).into_iter().map(|(key, ..)| key.clone());
        let broken = terrarium.pheromones().iter().filter(|(_, held)| held.fade.is_err()).map(|(key, _)| key.clone());
        return alive.chain(broken).chain(unreadable).collect();
    }
    let mut keys: Vec<Key> = every_key(terrarium, kind).into_iter().chain(unreadable).collect();
    keys.sort();
    keys
}

/// The readable objects of a kind, the faded ones too.
pub(crate) fn every_key(terrarium: &Terrarium, kind: Kind) -> Vec<Key> {
    match kind {
        Kind::Agent => terrarium.agents().keys().cloned().collect(),
        Kind::Pheromone => terrarium.pheromones().keys().cloned().collect(),
        Kind::Proposal => terrarium.proposals().keys().cloned().collect(),
        Kind::Memory => terrarium.memories().keys().cloned().collect(),
        Kind::Umwelt => terrarium.umwelts().keys().cloned().collect(),
        Kind::Deployment | Kind::Pod | Kind::Event => Vec::new(),
    }
}

/// An object as JSON. One that our types cannot read is as it was sent.
pub(crate) fn json(terrarium: &Terrarium, kind: Kind, key: &Key) -> Option<Value> {
    fn of<T: Serialize>(object: &T) -> Option<Value> {
        serde_json::to_value(object).ok()
    }
    let readable = match kind {
        Kind::Agent => terrarium.agents().get(key).and_then(|agent| of(&*agent.held.object)),
        Kind::Pheromone => terrarium.pheromones().get(key).and_then(|pheromone| of(&*pheromone.held.object)),
        Kind::Proposal => terrarium.proposals().get(key).and_then(|held| of(&*held.object)),
        Kind::Memory => terrarium.memories().get(key).and_then(|held| of(&*held.object)),
        Kind::Umwelt => terrarium.umwelts().get(key).and_then(|held| of(&*held.object)),
        Kind::Deployment => terrarium.deployment(key).and_then(of),
        Kind::Pod | Kind::Event => None,
    };
    readable.or_else(|| {
        let unreadable = terrarium.unreadable(kind).find(|object| object.key == *key);
        unreadable.map(|object| object.raw.clone())
    })
}

/// The labels of a decoded object of ours.
pub(crate) fn labels(object: &Object) -> Option<std::collections::BTreeMap<String, String>> {
    match object {
        Object::Agent(object) => object.metadata.labels.clone(),
        Object::Pheromone(object) => object.metadata.labels.clone(),
        Object::Proposal(object) => object.metadata.labels.clone(),
        Object::Memory(object) => object.metadata.labels.clone(),
        Object::Umwelt(object) => object.metadata.labels.clone(),
        Object::Unreadable(object) => serde_json::from_value(object.raw.pointer("/metadata/labels")?.clone()).ok(),
        Object::Deployment(_) | Object::Pod(_) | Object::Event(_) => None,
    }
}

/// The name as kubectl prints it: `agent.kgents.io/x`.
pub(crate) fn name(kind: Kind, key: &Key) -> String {
    format!("{}.{}/{}", kind.as_str().to_lowercase(), kind.group(), key.name())
}
