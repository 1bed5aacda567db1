//! The JSON shapes that are part of the contract: each answer says which layer
//! it comes from, as of when, and how far it can be trusted.

use jiff::{SignedDuration, Timestamp};
use kgents_core::freshness::{Area, Freshness, freshness};
use kgents_store::{Key, Kind, Layer, Terrarium, view};
use serde::Serialize;
use serde_json::Value;

use crate::object;

/// Where an answer comes from.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Provenance {
    layer: Option<Layer>,
    as_of: Option<Timestamp>,
    freshness: Option<Freshness>,
}

impl Provenance {
    /// Where what is known of a kind comes from.
    pub(crate) fn of(terrarium: &Terrarium, kind: Kind, now: Timestamp) -> Self {
        Self {
            layer: terrarium.layer_of(kind),
            as_of: terrarium.as_of(kind, now),
            freshness: terrarium.freshness(kind, now),
        }
    }

    /// Where a change comes from that was heard just now, even while the first
    /// list of its kind is not complete. What comes from memory is as old as
    /// that is.
    pub(crate) fn heard(terrarium: &Terrarium, kind: Kind, now: Timestamp) -> Self {
        if !terrarium.is_live() {
            return Self::of(terrarium, kind, now);
        }
        let stability = terrarium.stability(kind, now);
        Self {
            layer: terrarium.layer(),
            as_of: Some(now),
            freshness: Some(freshness(kind.area(), SignedDuration::ZERO, stability)),
        }
    }
}

/// When the oldest of what is shown was verified, and how far all of it can
/// be trusted. `None` when nobody answered.
pub(crate) fn trust(terrarium: &Terrarium, now: Timestamp) -> Option<(Timestamp, Freshness)> {
    terrarium.layer()?;
    let read = Kind::ALL.into_iter().filter(|kind| terrarium.watch(*kind).as_of.is_some());
    let as_of = read.clone().filter_map(|kind| terrarium.as_of(kind, now)).min().unwrap_or(now);
    let worst = read.filter_map(|kind| terrarium.freshness(kind, now)).max();
    Some((as_of, worst.unwrap_or_else(|| freshness(Area::Cluster, SignedDuration::ZERO, 0.0))))
}

/// A list: `{layer, as_of, freshness, items}`.
#[derive(Debug, Serialize)]
pub(crate) struct List {
    #[serde(flatten)]
    provenance: Provenance,
    items: Vec<Item>,
}

/// One object: `{layer, as_of, freshness, object}`.
#[derive(Debug, Serialize)]
pub(crate) struct Item {
    #[serde(flatten)]
    provenance: Provenance,
    /// How strong a pheromone is.
    #[serde(skip_serializing_if = "Option::is_none")]
    intensity: Option<f64>,
    /// Why our types cannot read the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    object: Value,
}

impl Item {
    /// An object of the terrarium; `None` when it is not there.
    pub(crate) fn of(terrarium: &Terrarium, kind: Kind, key: &Key, now: Timestamp) -> Option<Self> {
        let intensity =
            (kind == Kind::Pheromone).then(|| view::strength(terrarium.pheromones().get(key)?, now)).flatten();
        let object = object::json(terrarium, kind, key)?;
        let unreadable = terrarium.unreadable(kind).find(|object| object.key == *key);
        let error = unreadable.map(|object| object.error.clone());
        Some(Self { provenance: Provenance::of(terrarium, kind, now), intensity, error, object })
    }
}

impl List {
    /// The objects of a kind, in the order of the keys.
    pub(crate) fn of(terrarium: &Terrarium, kind: Kind, keys: &[Key], now: Timestamp) -> Self {
        Self {
            provenance: Provenance::of(terrarium, kind, now),
            items: keys.iter().filter_map(|key| Item::of(terrarium, kind, key, now)).collect(),
        }
    }
}
