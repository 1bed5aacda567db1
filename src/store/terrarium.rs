//! The terrarium as last known: every object by key, what was heard lately,
//! and how well it is heard.

mod ask;
pub(crate) mod undo;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Agent, Memory, Pheromone, PheromoneType, Proposal, Umwelt};
use kgents_core::activity::Meter;
use kgents_core::decay::Fade;

use crate::bus::{Batch, Change, Control, Novelty, Rung};
use crate::heartbeat::Heartbeat;
use crate::key::{Key, Kind};
use crate::narrate::{self, Line};
use crate::object::{Decoded, DeploymentFacts, EventFacts, Object, PodFacts, Unreadable};
use crate::thought::{Thought, Thoughts};
use crate::watch::{Layer, Scene, Watch, WatchState};
pub use undo::Undo;
use undo::Was;

/// How many objects of one kind are kept; more are counted, not kept.
pub const MAX_OBJECTS: usize = 100_000;
/// How many pheromones that are gone are remembered, for the heatmap.
pub const MAX_GONE: usize = 10_000;
/// The longest that one who follows sleeps.
const LONGEST_NAP: Duration = Duration::from_secs(3_600);
/// How many syncs an area's stability looks at.
const SYNCS: usize = 20;

/// One object as it is held.
#[derive(Clone, Debug)]
pub struct Held<T> {
    /// The object.
    pub object: Arc<T>,
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// When we last saw it change; `None` if it has not changed since we look.
    pub changed: Option<Timestamp>,
}

/// An agent and what it has been doing lately.
#[derive(Clone, Debug)]
pub struct HeldAgent {
    /// The object.
    pub held: Held<Agent>,
    /// How much is heard of it.
    pub meter: Meter,
    /// What was heard of it last.
    pub last: Option<Box<str>>,
}

/// A pheromone and how it fades.
#[derive(Clone, Debug)]
pub struct HeldPheromone {
    /// The object.
    pub held: Held<Pheromone>,
    /// How it fades, or what is wrong with it.
    pub fade: Result<Fade, String>,
    /// It has faded; the object is still there until somebody deletes it.
    pub faded: bool,
}

/// A pheromone that is gone.
#[derive(Clone, Copy, Debug)]
pub struct Gone {
    /// What sort of signal it was.
    pub type_: PheromoneType,
    /// How it faded.
    pub fade: Fade,
    /// When it ended.
    pub died: Timestamp,
}

/// What one change did, for those who follow changes.
#[derive(Clone, Debug)]
pub struct Delta {
    /// Kind of the object.
    pub kind: Kind,
    /// Key of the object.
    pub key: Key,
    /// The store's revision after the change.
    pub revision: u64,
    /// What became of the object.
    pub fate: Fate,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Fate {
    Applied,
    Deleted,
    /// A pheromone fell below what can be sensed; the object still exists.
    Faded,
}

impl Fate {
    /// The word in a JSON stream.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Deleted => "deleted",
            Self::Faded => "faded",
        }
    }
}

/// What one batch did.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Objects that changed, in order.
    pub deltas: Vec<Delta>,
    /// Whether thoughts were added.
    pub thoughts: bool,
    /// Whether it is now otherwise known how the sources stand.
    pub sources: bool,
    /// What undoes it, if that is recorded ([`Terrarium::record`]).
    pub undo: Undo,
}

impl Outcome {
    /// Whether nothing at all changed.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty() && !self.thoughts && !self.sources
    }
}

/// The terrarium as last known.
#[derive(Debug, Default)]
pub struct Terrarium {
    agents: BTreeMap<Key, HeldAgent>,
    pheromones: BTreeMap<Key, HeldPheromone>,
    proposals: BTreeMap<Key, Held<Proposal>>,
    memories: BTreeMap<Key, Held<Memory>>,
    umwelts: BTreeMap<Key, Held<Umwelt>>,
    deployments: BTreeMap<Key, Arc<DeploymentFacts>>,
    pods: BTreeMap<Key, Arc<PodFacts>>,
    unreadable: BTreeMap<(Kind, Key), Arc<Unreadable>>,
    /// Pods by the agent that they run.
    pods_of: BTreeMap<Key, BTreeSet<Key>>,
    /// Pheromones by the agent that emitted them or that they are meant for.
    signals_of: BTreeMap<Key, BTreeSet<Key>>,
    /// Living pheromones by the moment at which they will be gone.
    ends: BTreeSet<(Timestamp, Key)>,
    gone: VecDeque<Gone>,
    thoughts: Thoughts,
    events_dropped: u64,
    heartbeat: Heartbeat,
    scene: Scene,
    speaks: Option<Layer>,
    rungs: BTreeMap<Layer, Rung>,
    watches: BTreeMap<Kind, Watch>,
    syncs: BTreeMap<Kind, VecDeque<bool>>,
    beyond: BTreeMap<Kind, u64>,
    death: Option<(String, String)>,
    died: u64,
    /// When we began to listen: what ended before is no news.
    began: Option<Timestamp>,
    revision: u64,
    revisions: BTreeMap<Kind, u64>,
    /// What undoes the changes since the last outcome; `None` if that is not recorded.
    undo: Option<Undo>,
}

impl Terrarium {
    /// An empty terrarium that keeps only so many thoughts.
    pub fn keeping(thoughts: usize) -> Self {
        Self { thoughts: Thoughts::keeping(thoughts), ..Self::default() }
    }

    /// Takes in what was drained from the bus.
    pub fn apply(&mut self, batch: Batch, now: Timestamp) -> Outcome {
        self.began.get_or_insert(now);
        let mut outcome = Outcome::default();
        let heard = self.thoughts.heard();
        for control in batch.control {
            outcome.sources |= self.control(control);
        }
        for change in batch.changes {
            self.change(change, now, &mut outcome);
        }
        for event in batch.events {
            self.event(&event, now);
        }
        for thought in batch.thoughts {
            self.hear(thought, now);
        }
        if batch.dropped > 0 {
            self.remember_drops();
            self.events_dropped += batch.dropped;
        }
        outcome.undo = self.take_undo();
        outcome.thoughts = self.thoughts.heard() != heard || batch.dropped > 0;
        outcome
    }

    /// Lets time pass: pheromones whose end has come are gone.
    pub fn tick(&mut self, now: Timestamp) -> Outcome {
        let mut outcome = Outcome::default();
        while let Some((end, key)) = self.ends.first().filter(|(end, _)| *end <= now).cloned() {
            self.ends.pop_first();
            let Some(pheromone) = self.pheromones.get_mut(&key) else { continue };
            pheromone.faded = true;
            if let Some(undo) = &mut self.undo {
                undo.push(Was::Faded(key.clone(), false));
            }
            let (type_, fade) = (pheromone.held.object.spec.type_, pheromone.fade.as_ref().ok().copied());
            let line = narrate::faded(&pheromone.held.object);
            let news = self.began.is_some_and(|began| end >= began);
            self.bury(type_, fade, end);
            if news {
                self.say(Kind::Pheromone, &key, line, now);
                outcome.thoughts = true;
            }
            self.touched(Kind::Pheromone, key, Fate::Faded, &mut outcome);
        }
        outcome.undo = self.take_undo();
        outcome
    }

    /// When the next pheromone will be gone.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.ends.first().map(|(end, _)| *end)
    }

    /// How long one who follows may sleep until time alone changes something.
    /// Never for longer than an hour: clocks are set.
    pub fn nap(&self, now: Timestamp) -> Duration {
        let Some(end) = self.next_end() else { return LONGEST_NAP };
        // A hair longer, so that the end has come by then.
        let left = end.duration_since(now).saturating_add(SignedDuration::from_millis(1));
        Duration::try_from(left).unwrap_or(Duration::ZERO).min(LONGEST_NAP)
    }

    fn control(&mut self, control: Control) -> bool {
        match control {
            Control::Scene(scene) => std::mem::replace(&mut self.scene, scene.clone()) != scene,
            Control::Speaks(layer) => std::mem::replace(&mut self.speaks, layer) != layer,
            Control::Rung(layer, rung) => self.rungs.insert(layer, rung.clone()).as_ref() != Some(&rung),
            Control::Watch(kind, watch) => {
                let was = self.watches.insert(kind, watch.clone());
                let same = was.as_ref().is_some_and(|was| was.state == watch.state);
                let sync = match watch.state {
                    WatchState::Live if !same => Some(true),
                    WatchState::Failing { .. } if !same => Some(false),
                    _ => None,
                };
                if let Some(sync) = sync {
                    let syncs = self.syncs.entry(kind).or_default();
                    syncs.push_back(sync);
                    while syncs.len() > SYNCS {
                        syncs.pop_front();
                    }
                }
                was.as_ref() != Some(&watch)
            }
            Control::TaskDied { task, error } => {
                self.death = Some((task, error));
                self.died += 1;
                true
            }
        }
    }

    fn change(&mut self, change: Change, now: Timestamp, outcome: &mut Outcome) {
        let Change { kind, key, now: decoded, novelty } = change;
        let Some(decoded) = decoded else {
            if self.remove(kind, &key, novelty, now) {
                self.touched(kind, key, Fate::Deleted, outcome);
            }
            return;
        };
        // Another uid is another object: the old one died unseen.
        if self.uid(kind, &key).is_some_and(|uid| uid != decoded.uid) {
            self.remove(kind, &key, novelty, now);
        }
        if self.version(kind, &key).is_some_and(|version| !version.is_empty() && version == decoded.resource_version) {
            return;
        }
        let known = self.uid(kind, &key).is_some();
        if !known && self.count(kind) >= MAX_OBJECTS {
            self.remember_beyond(kind);
            *self.beyond.entry(kind).or_default() += 1;
            return;
        }
        self.put(kind, &key, decoded, novelty, now);
        self.touched(kind, key, Fate::Applied, outcome);
    }

    fn touched(&mut self, kind: Kind, key: Key, fate: Fate, outcome: &mut Outcome) {
        self.remember_revision(kind);
        self.revision += 1;
        self.revisions.insert(kind, self.revision);
        outcome.deltas.push(Delta { kind, key, revision: self.revision, fate });
    }

    fn put(&mut self, kind: Kind, key: &Key, decoded: Decoded, novelty: Novelty, now: Timestamp) {
        let Decoded { uid, resource_version, object, .. } = decoded;
        if !matches!(object, Object::Unreadable(_)) {
            self.set_unreadable(kind, key, None);
        }
        let changed = (novelty != Novelty::Initial).then_some(now);
        let news = novelty == Novelty::News;
        let mut lines = Vec::new();
        match object {
            Object::Agent(object) => {
                let old = self.agents.get(key);
                if news {
                    lines = narrate::agent(old.map(|old| &*old.held.object), &object);
                }
                let (meter, last) = old.map(|old| (old.meter, old.last.clone())).unwrap_or_default();
                let held = Held { object, uid, resource_version, changed };
                let old = self.agents.insert(key.clone(), HeldAgent { held, meter, last });
                self.remember(|| Was::Agent(key.clone(), old));
            }
            Object::Pheromone(object) => {
                let old = self.unlink_pheromone(key);
                let fade = Fade::of(&object).map_err(|error| error.to_string());
                if old.is_none() && news {
                    let strength = fade.as_ref().map(|fade| fade.intensity(now)).map_err(Clone::clone);
                    lines.push(narrate::emitted(&object, strength));
                }
                let held = Held { object, uid, resource_version, changed };
                self.link_pheromone(key, HeldPheromone { held, fade, faded: false });
                self.remember(|| Was::Pheromone(key.clone(), old));
            }
            Object::Proposal(object) => {
                if news {
                    let old = self.proposals.get(key);
                    lines = narrate::proposal(old.map(|old| &*old.object), &object);
                }
                let old = self.proposals.insert(key.clone(), Held { object, uid, resource_version, changed });
                self.remember(|| Was::Proposal(key.clone(), old));
            }
            Object::Memory(object) => {
                let old = self.memories.insert(key.clone(), Held { object, uid, resource_version, changed });
                self.remember(|| Was::Memory(key.clone(), old));
            }
            Object::Umwelt(object) => {
                let old = self.umwelts.insert(key.clone(), Held { object, uid, resource_version, changed });
                self.remember(|| Was::Umwelt(key.clone(), old));
            }
            Object::Deployment(facts) => {
                let old = self.deployments.insert(key.clone(), facts);
                self.remember(|| Was::Deployment(key.clone(), old));
            }
            Object::Pod(facts) => {
                let old = self.unlink_pod(key);
                self.link_pod(key, facts);
                self.remember(|| Was::Pod(key.clone(), old));
            }
            Object::Event(facts) => self.event(&facts, now),
            Object::Unreadable(unreadable) => {
                // What it was before is no longer true, so it does not stay.
                self.unlink(kind, key);
                if novelty != Novelty::Told {
                    lines.push(narrate::unreadable(&unreadable));
                }
                self.set_unreadable(kind, key, Some(unreadable));
            }
        }
        for line in lines {
            self.say(kind, key, line, now);
        }
    }

    /// Forgets an object and says so if that is news; false if it was not known.
    fn remove(&mut self, kind: Kind, key: &Key, novelty: Novelty, now: Timestamp) -> bool {
        let line = match kind {
            _ if novelty != Novelty::News => None,
            Kind::Agent => self.agents.get(key).map(|agent| narrate::agent_gone(&agent.held.object)),
            Kind::Pheromone => self.pheromones.get(key).map(|pheromone| narrate::withdrawn(&pheromone.held.object)),
            Kind::Proposal => self.proposals.get(key).map(|proposal| narrate::proposal_gone(&proposal.object)),
            _ => None,
        };
        let faded = self.pheromones.get(key).is_some_and(|pheromone| pheromone.faded);
        let unreadable = self.set_unreadable(kind, key, None);
        if let Some(pheromone) = self.pheromones.get(key).filter(|_| kind == Kind::Pheromone && !faded) {
            self.bury(pheromone.held.object.spec.type_, pheromone.fade.as_ref().ok().copied(), now);
        }
        let known = self.unlink(kind, key) || unreadable;
        // A faded pheromone was told gone when it faded.
        if let Some(line) = line.filter(|_| known && !(kind == Kind::Pheromone && faded)) {
            self.say(kind, key, line, now);
        }
        known
    }

    fn unlink(&mut self, kind: Kind, key: &Key) -> bool {
        let was = match kind {
            Kind::Agent => self.agents.remove(key).map(|old| Was::Agent(key.clone(), Some(old))),
            Kind::Pheromone => self.unlink_pheromone(key).map(|old| Was::Pheromone(key.clone(), Some(old))),
            Kind::Proposal => self.proposals.remove(key).map(|old| Was::Proposal(key.clone(), Some(old))),
            Kind::Memory => self.memories.remove(key).map(|old| Was::Memory(key.clone(), Some(old))),
            Kind::Umwelt => self.umwelts.remove(key).map(|old| Was::Umwelt(key.clone(), Some(old))),
            Kind::Deployment => self.deployments.remove(key).map(|old| Was::Deployment(key.clone(), Some(old))),
            Kind::Pod => self.unlink_pod(key).map(|old| Was::Pod(key.clone(), Some(old))),
            Kind::Event => None,
        };
        let known = was.is_some();
        if let Some(was) = was {
            self.remember(|| was);
        }
        known
    }

    fn link_pheromone(&mut self, key: &Key, pheromone: HeldPheromone) {
        for agent in narrate::concerns(&pheromone.held.object) {
            let agent = Key::new(key.namespace(), agent);
            self.signals_of.entry(agent).or_default().insert(key.clone());
        }
        if let Some(fade) = pheromone.fade.as_ref().ok().filter(|_| !pheromone.faded) {
            self.ends.insert((fade.gone_at(), key.clone()));
        }
        self.pheromones.insert(key.clone(), pheromone);
    }

    fn unlink_pheromone(&mut self, key: &Key) -> Option<HeldPheromone> {
        let pheromone = self.pheromones.remove(key)?;
        if let Ok(fade) = &pheromone.fade {
            self.ends.remove(&(fade.gone_at(), key.clone()));
        }
        for agent in narrate::concerns(&pheromone.held.object) {
            unindex(&mut self.signals_of, &Key::new(key.namespace(), agent), key);
        }
        Some(pheromone)
    }

    fn link_pod(&mut self, key: &Key, facts: Arc<PodFacts>) {
        if let Some(agent) = &facts.agent {
            let agent = Key::new(key.namespace(), agent);
            self.pods_of.entry(agent).or_default().insert(key.clone());
        }
        self.pods.insert(key.clone(), facts);
    }

    fn unlink_pod(&mut self, key: &Key) -> Option<Arc<PodFacts>> {
        let pod = self.pods.remove(key)?;
        if let Some(agent) = &pod.agent {
            unindex(&mut self.pods_of, &Key::new(key.namespace(), agent), key);
        }
        Some(pod)
    }

    fn bury(&mut self, type_: PheromoneType, fade: Option<Fade>, died: Timestamp) {
        let Some(fade) = fade else { return };
        self.gone.push_back(Gone { type_, fade, died });
        let oldest = if self.gone.len() > MAX_GONE { self.gone.pop_front() } else { None };
        if let Some(undo) = &mut self.undo {
            undo.buried(oldest);
        }
    }

    fn event(&mut self, event: &EventFacts, now: Timestamp) {
        let agent = self.agent_of_event(event);
        let (kind, key) = match &agent {
            Some(agent) => (Kind::Agent, agent.clone()),
            None => (narrate::kind_of_event(event), event.about.clone()),
        };
        let who = agent.as_ref().unwrap_or(&event.about).name().to_owned();
        let at = event.at.unwrap_or(now).min(now);
        let about = (agent.is_some() && event.about_kind != "Agent").then(|| event.about.clone());
        self.think(kind, &key, about, narrate::event(event, who), at, now);
    }

    /// The agent that an Event is about, through the object that it names.
    fn agent_of_event(&self, event: &EventFacts) -> Option<Key> {
        let about = &event.about;
        let named = |name: &str| Some(Key::new(about.namespace(), name)).filter(|key| self.agents.contains_key(key));
        match event.about_kind.as_str() {
            "Pod" => self.pods.get(about)?.agent.as_deref().and_then(named),
            "Deployment" => self.deployments.get(about)?.agent.as_deref().and_then(named),
            "ReplicaSet" => {
                let (deployment, _) = about.name().rsplit_once('-')?;
                let key = Key::new(about.namespace(), deployment);
                self.deployments.get(&key)?.agent.as_deref().and_then(named)
            }
            "Agent" => named(about.name()),
            _ => None,
        }
    }

    fn say(&mut self, kind: Kind, key: &Key, line: Line, now: Timestamp) {
        self.think(kind, key, None, line, now, now);
    }

    fn think(&mut self, kind: Kind, key: &Key, about: Option<Key>, line: Line, at: Timestamp, now: Timestamp) {
        let Line { origin, severity, who, text } = line;
        let (who, text) = (who.into(), text.into());
        self.hear(Thought { seq: 0, at, who, kind, key: key.clone(), about, origin, severity, text }, now);
    }

    /// Takes in a thought, our own or somebody else's.
    fn hear(&mut self, thought: Thought, now: Timestamp) {
        let at = thought.at;
        let agent = Key::new(thought.key.namespace(), &thought.who);
        let last = self.agents.contains_key(&agent).then(|| thought.text.clone());
        if !self.thoughts.push(thought) {
            return;
        }
        match &mut self.undo {
            Some(undo) => self.heartbeat.record_undoably(at, &mut undo.pulse),
            None => self.heartbeat.record(at),
        }
        if let Some(held) = self.agents.get_mut(&agent) {
            let meter = held.meter;
            // What is older than the meter's memory says nothing about now.
            if now.duration_since(at) < SignedDuration::from_mins(1) {
                held.meter.record(now);
            }
            let was = std::mem::replace(&mut held.last, last);
            self.remember(|| Was::Heard(agent, meter, was));
        }
    }

    fn uid(&self, kind: Kind, key: &Key) -> Option<&str> {
        match kind {
            Kind::Agent => self.agents.get(key).map(|agent| agent.held.uid.as_str()),
            Kind::Pheromone => self.pheromones.get(key).map(|pheromone| pheromone.held.uid.as_str()),
            Kind::Proposal => self.proposals.get(key).map(|held| held.uid.as_str()),
            Kind::Memory => self.memories.get(key).map(|held| held.uid.as_str()),
            Kind::Umwelt => self.umwelts.get(key).map(|held| held.uid.as_str()),
            // Facts carry no identity: the newest is all that matters.
            Kind::Deployment | Kind::Pod | Kind::Event => None,
        }
    }

    fn version(&self, kind: Kind, key: &Key) -> Option<&str> {
        match kind {
            Kind::Agent => self.agents.get(key).map(|agent| agent.held.resource_version.as_str()),
            Kind::Pheromone => self.pheromones.get(key).map(|pheromone| pheromone.held.resource_version.as_str()),
            Kind::Proposal => self.proposals.get(key).map(|held| held.resource_version.as_str()),
            Kind::Memory => self.memories.get(key).map(|held| held.resource_version.as_str()),
            Kind::Umwelt => self.umwelts.get(key).map(|held| held.resource_version.as_str()),
            Kind::Deployment | Kind::Pod | Kind::Event => None,
        }
    }
}

fn unindex(index: &mut BTreeMap<Key, BTreeSet<Key>>, agent: &Key, key: &Key) {
    if let Some(keys) = index.get_mut(agent) {
        keys.remove(key);
        if keys.is_empty() {
            index.remove(agent);
        }
    }
}

#[cfg(test)]
mod tests;
