//! What can be asked of the terrarium.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Memory, Proposal, Umwelt};
use kgents_core::freshness::{self, Freshness};

use super::{Gone, Held, HeldAgent, HeldPheromone, Terrarium};
use crate::bus::Rung;
use crate::heartbeat::Heartbeat;
use crate::key::{Key, Kind};
use crate::object::{DeploymentFacts, PodFacts, Unreadable};
use crate::thought::Thoughts;
use crate::watch::{Layer, Link, Scene, Watch};

/// How far back a change counts against a kind's stability.
const RECENT: SignedDuration = SignedDuration::from_mins(5);

impl Terrarium {
    /// How many objects of a kind are held, readable or not.
    pub fn count(&self, kind: Kind) -> usize {
        let readable = match kind {
            Kind::Agent => self.agents.len(),
            Kind::Pheromone => self.pheromones.len(),
            Kind::Proposal => self.proposals.len(),
            Kind::Memory => self.memories.len(),
            Kind::Umwelt => self.umwelts.len(),
            Kind::Deployment => self.deployments.len(),
            Kind::Pod => self.pods.len(),
            Kind::Event => 0,
        };
        readable + self.unreadable(kind).count()
    }

    /// Agents by key.
    pub fn agents(&self) -> &BTreeMap<Key, HeldAgent> {
        &self.agents
    }

    /// Pheromones by key, the faded ones too.
    pub fn pheromones(&self) -> &BTreeMap<Key, HeldPheromone> {
        &self.pheromones
    }

    /// Proposals by key.
    pub fn proposals(&self) -> &BTreeMap<Key, Held<Proposal>> {
        &self.proposals
    }

    /// Memories by key.
    pub fn memories(&self) -> &BTreeMap<Key, Held<Memory>> {
        &self.memories
    }

    /// Umwelts by key.
    pub fn umwelts(&self) -> &BTreeMap<Key, Held<Umwelt>> {
        &self.umwelts
    }

    /// A Deployment.
    pub fn deployment(&self, key: &Key) -> Option<&DeploymentFacts> {
        self.deployments.get(key).map(AsRef::as_ref)
    }

    /// Deployments by key.
    pub fn deployments(&self) -> &BTreeMap<Key, Arc<DeploymentFacts>> {
        &self.deployments
    }

    /// Pods by key.
    pub fn pods(&self) -> &BTreeMap<Key, Arc<PodFacts>> {
        &self.pods
    }

    /// The pods that run an agent.
    pub fn pods_of(&self, agent: &Key) -> impl Iterator<Item = (&Key, &PodFacts)> {
        let keys = self.pods_of.get(agent).into_iter().flatten();
        keys.filter_map(|key| self.pods.get_key_value(key)).map(|(key, pod)| (key, &**pod))
    }

    /// Pheromones that an agent emitted or that are meant for it, the faded ones too.
    pub fn signals_of(&self, agent: &Key) -> impl Iterator<Item = (&Key, &HeldPheromone)> {
        let keys = self.signals_of.get(agent).into_iter().flatten();
        keys.filter_map(|key| self.pheromones.get_key_value(key))
    }

    /// Objects of a kind that our types cannot read.
    pub fn unreadable(&self, kind: Kind) -> impl Iterator<Item = &Arc<Unreadable>> {
        let low = (kind, Key::new("", ""));
        self.unreadable.range(low..).take_while(move |((k, _), _)| *k == kind).map(|(_, object)| object)
    }

    /// Pheromones that are gone, oldest first.
    pub fn gone(&self) -> impl Iterator<Item = &Gone> {
        self.gone.iter()
    }

    /// What was heard, oldest first.
    pub fn thoughts(&self) -> &Thoughts {
        &self.thoughts
    }

    /// Events that were dropped before they could be read.
    pub fn events_dropped(&self) -> u64 {
        self.events_dropped
    }

    /// What was heard over the last ten minutes.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// What is looked at.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// How the connection stands: that of the live layer that speaks. Where
    /// none does, that of the layer of which most is expected, the Kubernetes
    /// API, or else of the one that there is.
    pub fn link(&self) -> &Link {
        let speaks = self.speaks.filter(|layer| *layer != Layer::Ghost);
        let rung = speaks.and_then(|layer| self.rungs.get(&layer));
        let expected = || [Layer::Kube, Layer::Grpc, Layer::Ghost].iter().find_map(|layer| self.rungs.get(layer));
        rung.or_else(expected).map_or(&Link::Connecting, |rung| &rung.link)
    }

    /// How one layer stands; `None` if it is not asked.
    pub fn rung(&self, layer: Layer) -> Option<&Rung> {
        self.rungs.get(&layer)
    }

    /// Whether what is followed is followed live: somebody answers, and it is
    /// not a memory.
    pub fn is_live(&self) -> bool {
        self.speaks.is_some_and(Layer::is_live) && matches!(self.link(), Link::Up { .. })
    }

    /// How a kind is heard.
    pub fn watch(&self, kind: Kind) -> Watch {
        self.watches.get(&kind).cloned().unwrap_or_default()
    }

    /// Which layer speaks: whom what is shown comes from. `None` while nobody
    /// has said anything.
    pub fn layer(&self) -> Option<Layer> {
        self.speaks
    }

    /// Which layer what is known of a kind comes from: the one that speaks
    /// while the kind is followed, else memory. `None` if nothing is known.
    pub fn layer_of(&self, kind: Kind) -> Option<Layer> {
        let watch = self.watches.get(&kind)?;
        match self.speaks {
            Some(Layer::Fixture) => self.speaks,
            Some(layer) if layer.is_live() && watch.state.is_live() => self.speaks,
            _ => watch.as_of.map(|_| Layer::Ghost),
        }
    }

    /// The task of ours that ended last although it should not have: its name
    /// and what it said.
    pub fn death(&self) -> Option<&(String, String)> {
        self.death.as_ref()
    }

    /// How often a task of ours ended although it should not have.
    pub fn died(&self) -> u64 {
        self.died
    }

    /// Objects of a kind that were seen but not kept, because there are too many.
    pub fn beyond(&self, kind: Kind) -> u64 {
        self.beyond.get(&kind).copied().unwrap_or(0)
    }

    /// The revision of the whole store; it rises with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision at which a kind changed last.
    pub fn revision_of(&self, kind: Kind) -> u64 {
        self.revisions.get(&kind).copied().unwrap_or(0)
    }

    /// When a live answer about a kind was last verified. A kind that is
    /// followed is as of now.
    pub fn as_of(&self, kind: Kind, now: Timestamp) -> Option<Timestamp> {
        let watch = self.watches.get(&kind)?;
        if watch.state.is_live() && self.is_live() { Some(now) } else { watch.as_of }
    }

    /// How stable a kind is, 0..1 (`core::freshness`).
    pub fn stability(&self, kind: Kind, now: Timestamp) -> f64 {
        let syncs: Vec<bool> = self.syncs.get(&kind).into_iter().flatten().copied().collect();
        let recent = |changed: Option<Timestamp>| changed.is_some_and(|at| now.duration_since(at) < RECENT);
        let changed = match kind {
            Kind::Agent => self.agents.values().filter(|agent| recent(agent.held.changed)).count(),
            Kind::Pheromone => self.pheromones.values().filter(|pheromone| recent(pheromone.held.changed)).count(),
            Kind::Proposal => self.proposals.values().filter(|held| recent(held.changed)).count(),
            Kind::Memory => self.memories.values().filter(|held| recent(held.changed)).count(),
            Kind::Umwelt => self.umwelts.values().filter(|held| recent(held.changed)).count(),
            Kind::Deployment | Kind::Pod | Kind::Event => 0,
        };
        freshness::stability(&syncs, changed as f64 / self.count(kind).max(1) as f64)
    }

    /// How fresh a kind is; `None` if it was never heard.
    pub fn freshness(&self, kind: Kind, now: Timestamp) -> Option<Freshness> {
        let age = now.duration_since(self.as_of(kind, now)?);
        Some(freshness::freshness(kind.area(), age, self.stability(kind, now)))
    }
}
