//! What undoes a change: the objects as they were before it, moved out of the
//! terrarium as they are replaced, so that recording copies nothing.

use std::sync::Arc;

use jiff::Timestamp;
use kgents_api::{Memory, Proposal, Umwelt};
use kgents_core::activity::Meter;

use super::{Gone, Held, HeldAgent, HeldPheromone, Terrarium};
use crate::heartbeat::Pulse;
use crate::key::{Key, Kind};
use crate::object::{DeploymentFacts, PodFacts, Unreadable};

/// One thing as it was; `None` where it was not there. Absolute, so that of
/// several in a row about one thing only the first matters.
#[derive(Clone, Debug)]
pub(crate) enum Was {
    /// A whole agent.
    Agent(Key, Option<HeldAgent>),
    /// What was heard of an agent, the object being the same.
    Heard(Key, Meter, Option<Box<str>>),
    Pheromone(Key, Option<HeldPheromone>),
    /// Whether a pheromone had faded, the object being the same.
    Faded(Key, bool),
    Proposal(Key, Option<Held<Proposal>>),
    Memory(Key, Option<Held<Memory>>),
    Umwelt(Key, Option<Held<Umwelt>>),
    Deployment(Key, Option<Arc<DeploymentFacts>>),
    Pod(Key, Option<Arc<PodFacts>>),
    Unreadable(Kind, Key, Option<Arc<Unreadable>>),
}

/// What undoes the changes of one batch, or of several one after the other.
/// [`crate::past::Past`] keeps it; empty where nothing is recorded.
#[derive(Clone, Debug, Default)]
pub struct Undo {
    pub(crate) objects: Vec<Was>,
    pub(crate) pulse: Option<Pulse>,
    /// Pheromones that were added to the gone, and those that fell out for them.
    pub(crate) buried: usize,
    pub(crate) oldest_gone: Vec<Gone>,
    pub(crate) counters: Counters,
}

/// Counts as they were, where they changed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) revision: Option<u64>,
    /// `None` is a kind that had none.
    pub(crate) revisions: Vec<(Kind, Option<u64>)>,
    pub(crate) beyond: Vec<(Kind, Option<u64>)>,
    pub(crate) dropped: Option<u64>,
}

/// What takes back an undo.
#[derive(Debug)]
pub(crate) struct Redo {
    undo: Undo,
    /// What an undo took off the gone. `undo.buried` counts those in front that
    /// fall out again.
    buried: Vec<Gone>,
}

impl Undo {
    /// Whether there is nothing to undo.
    pub fn is_empty(&self) -> bool {
        let Counters { revision, revisions, beyond, dropped } = &self.counters;
        self.objects.is_empty()
            && self.pulse.is_none()
            && self.buried == 0
            && (revision.is_none() && revisions.is_empty() && beyond.is_empty() && dropped.is_none())
    }

    pub(crate) fn push(&mut self, was: Was) {
        self.objects.push(was);
    }

    /// A pheromone was added to the gone, and perhaps the oldest fell out.
    pub(crate) fn buried(&mut self, oldest: Option<Gone>) {
        self.buried += 1;
        self.oldest_gone.extend(oldest);
    }

    /// Takes in all but the objects of what came after.
    pub(crate) fn merge_figures(&mut self, later: Self) {
        let Self { objects: _, pulse, buried, oldest_gone, counters } = later;
        match (&mut self.pulse, pulse) {
            (Some(first), Some(later)) => first.merge(&later),
            (first @ None, later) => *first = later,
            (Some(_), None) => {}
        }
        self.buried += buried;
        self.oldest_gone.extend(oldest_gone);
        let Counters { revision, revisions, beyond, dropped } = counters;
        let own = &mut self.counters;
        own.revision = own.revision.or(revision);
        own.dropped = own.dropped.or(dropped);
        for (kind, was) in revisions {
            first(&mut own.revisions, kind, was);
        }
        for (kind, was) in beyond {
            first(&mut own.beyond, kind, was);
        }
    }
}

/// Notes what was, unless something earlier is noted.
fn first(list: &mut Vec<(Kind, Option<u64>)>, kind: Kind, was: Option<u64>) {
    if list.iter().all(|(known, _)| *known != kind) {
        list.push((kind, was));
    }
}

impl Terrarium {
    /// From now on, or no longer, tells in each [`super::Outcome`] what undoes it.
    pub fn record(&mut self, on: bool) {
        self.undo = on.then(Undo::default);
    }

    pub(super) fn take_undo(&mut self) -> Undo {
        self.undo.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn remember(&mut self, was: impl FnOnce() -> Was) {
        if let Some(undo) = &mut self.undo {
            undo.objects.push(was());
        }
    }

    pub(super) fn remember_revision(&mut self, kind: Kind) {
        if let Some(Undo { counters, .. }) = &mut self.undo {
            counters.revision.get_or_insert(self.revision);
            first(&mut counters.revisions, kind, self.revisions.get(&kind).copied());
        }
    }

    pub(super) fn remember_beyond(&mut self, kind: Kind) {
        if let Some(Undo { counters, .. }) = &mut self.undo {
            first(&mut counters.beyond, kind, self.beyond.get(&kind).copied());
        }
    }

    pub(super) fn remember_drops(&mut self) {
        if let Some(Undo { counters, .. }) = &mut self.undo {
            counters.dropped.get_or_insert(self.events_dropped);
        }
    }

    /// Sets or forgets what is unreadable under a key; whether something was.
    pub(super) fn set_unreadable(&mut self, kind: Kind, key: &Key, now: Option<Arc<Unreadable>>) -> bool {
        let (place, is_new) = ((kind, key.clone()), now.is_some());
        let was = match now {
            Some(object) => self.unreadable.insert(place, object),
            None => self.unreadable.remove(&place),
        };
        let known = was.is_some();
        if known || is_new {
            self.remember(|| Was::Unreadable(kind, key.clone(), was));
        }
        known
    }

    /// A copy with the thoughts from before `end`. It records nothing.
    ///
    /// The objects themselves are shared; what is copied is where they stand.
    pub(crate) fn copy_until(&self, end: Timestamp) -> Self {
        Self {
            agents: self.agents.clone(),
            pheromones: self.pheromones.clone(),
            proposals: self.proposals.clone(),
            memories: self.memories.clone(),
            umwelts: self.umwelts.clone(),
            deployments: self.deployments.clone(),
            pods: self.pods.clone(),
            unreadable: self.unreadable.clone(),
            pods_of: self.pods_of.clone(),
            signals_of: self.signals_of.clone(),
            ends: self.ends.clone(),
            gone: self.gone.clone(),
            thoughts: self.thoughts.until(end),
            events_dropped: self.events_dropped,
            heartbeat: self.heartbeat.clone(),
            scene: self.scene.clone(),
            speaks: self.speaks,
            rungs: self.rungs.clone(),
            watches: self.watches.clone(),
            syncs: self.syncs.clone(),
            beyond: self.beyond.clone(),
            death: self.death.clone(),
            died: self.died,
            began: self.began,
            revision: self.revision,
            revisions: self.revisions.clone(),
            undo: None,
        }
    }

    /// Takes the thoughts of another from before `end`.
    pub(crate) fn take_thoughts(&mut self, from: &Self, end: Timestamp) {
        self.thoughts = from.thoughts.until(end);
    }

    /// Undoes; returns what takes that back.
    pub(crate) fn undo(&mut self, undo: &Undo) -> Redo {
        // The gone are a queue: put back what fell out in front, then take off
        // what was added behind, which may be the same.
        for gone in undo.oldest_gone.iter().rev() {
            self.gone.push_front(*gone);
        }
        let buried = self.gone.split_off(self.gone.len().saturating_sub(undo.buried)).into();
        let mut back = self.swap(undo);
        back.buried = undo.oldest_gone.len();
        Redo { undo: back, buried }
    }

    /// Takes back an undo.
    pub(crate) fn redo(&mut self, redo: &Redo) {
        self.gone.extend(redo.buried.iter().copied());
        self.gone.drain(..redo.undo.buried.min(self.gone.len()));
        self.swap(&redo.undo);
    }

    /// Puts back everything but the gone, the last first; returns what puts
    /// back what is now.
    fn swap(&mut self, undo: &Undo) -> Undo {
        let mut back = Undo::default();
        for was in undo.objects.iter().rev() {
            back.objects.extend(self.put_back(was.clone()));
        }
        back.pulse = undo.pulse.as_ref().map(|pulse| self.heartbeat.swap(pulse));
        let Counters { revision, revisions, beyond, dropped } = &undo.counters;
        back.counters.revision = revision.map(|was| std::mem::replace(&mut self.revision, was));
        back.counters.dropped = dropped.map(|was| std::mem::replace(&mut self.events_dropped, was));
        back.counters.revisions = swap_counts(&mut self.revisions, revisions);
        back.counters.beyond = swap_counts(&mut self.beyond, beyond);
        back
    }

    /// Puts one thing back; returns what is there now.
    fn put_back(&mut self, was: Was) -> Option<Was> {
        Some(match was {
            Was::Agent(key, was) => {
                let now = set(&mut self.agents, &key, was);
                Was::Agent(key, now)
            }
            Was::Heard(key, meter, last) => {
                let agent = self.agents.get_mut(&key)?;
                let now = (std::mem::replace(&mut agent.meter, meter), std::mem::replace(&mut agent.last, last));
                Was::Heard(key, now.0, now.1)
            }
            Was::Pheromone(key, was) => {
                let now = self.unlink_pheromone(&key);
                if let Some(was) = was {
                    self.link_pheromone(&key, was);
                }
                Was::Pheromone(key, now)
            }
            Was::Faded(key, faded) => {
                let pheromone = self.pheromones.get_mut(&key)?;
                let now = std::mem::replace(&mut pheromone.faded, faded);
                if let Ok(fade) = &pheromone.fade {
                    let end = (fade.gone_at(), key.clone());
                    if faded {
                        self.ends.remove(&end)
                    } else {
                        self.ends.insert(end)
                    };
                }
                Was::Faded(key, now)
            }
            Was::Proposal(key, was) => {
                let now = set(&mut self.proposals, &key, was);
                Was::Proposal(key, now)
            }
            Was::Memory(key, was) => {
                let now = set(&mut self.memories, &key, was);
                Was::Memory(key, now)
            }
            Was::Umwelt(key, was) => {
                let now = set(&mut self.umwelts, &key, was);
                Was::Umwelt(key, now)
            }
            Was::Deployment(key, was) => {
                let now = set(&mut self.deployments, &key, was);
                Was::Deployment(key, now)
            }
            Was::Pod(key, was) => {
                let now = self.unlink_pod(&key);
                if let Some(was) = was {
                    self.link_pod(&key, was);
                }
                Was::Pod(key, now)
            }
            Was::Unreadable(kind, key, was) => {
                let now = set(&mut self.unreadable, &(kind, key.clone()), was);
                Was::Unreadable(kind, key, now)
            }
        })
    }
}

/// Puts a value in a place, or takes it out; returns what was there.
fn set<K: Ord + Clone, V>(map: &mut std::collections::BTreeMap<K, V>, key: &K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key.clone(), value),
        None => map.remove(key),
    }
}

fn swap_counts(
    counts: &mut std::collections::BTreeMap<Kind, u64>,
    was: &[(Kind, Option<u64>)],
) -> Vec<(Kind, Option<u64>)> {
    was.iter().map(|(kind, was)| (*kind, set(counts, kind, *was))).collect()
}
