//! The cluster as last known: what the watches told, with our own writes laid
//! over it until the watches have caught up.
//!
//! No IO and no clock in here. One lock, never held across an await.
//!
//! What holds:
//! - a watch that breaks takes nothing away: what stood stays until a list is
//!   complete, then what did not come again goes;
//! - an answer to a write of ours is not undone by an older event, and what we
//!   deleted is not brought back by a late one;
//! - whoever looks at an object (by its name, its labels, its owner, or because
//!   its spec names it) is asked to plan again when that changes.

mod graves;
mod observe;
mod shelf;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kgents_api::{LABEL_AGENT, LABEL_MANAGED_BY, LABEL_MEMORY, OPERATOR};
use kgents_core::plan::{self, Cause, Child, Fault, Live, Resource};
use kgents_core::selector::Selector;

pub use observe::Seen;
use tokio::sync::watch;

use crate::intake::{Content, Object};
use crate::key::{Controller, Key, Kind, Subject};
use shelf::{Put, Shelf, Slot};

/// Where an object comes from, as far as it decides what is newer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Source {
    /// From a list that is not complete yet.
    Listed,
    /// From a watch.
    Heard,
    /// The API server's answer to a request of ours.
    Answered {
        /// Until when it is believed if no watch tells of it.
        until: Timestamp,
    },
}

/// Namespace and name.
type Place = (String, String);

/// What ties a child to its owner.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Tie {
    /// The label of an agent in a namespace.
    Agent(Place),
    /// The label of a Memory in a namespace.
    Memory(Place),
    /// The uid of the controller.
    Controller(String),
}

/// The cluster as last known. Shared by reference; every method locks.
#[derive(Debug)]
pub struct World {
    selector: Option<Selector>,
    inner: Mutex<Inner>,
    synced: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Inner {
    shelves: HashMap<Kind, Shelf>,
    /// Who looks at an object by its name, whether it is there or not.
    lookers: HashMap<(Kind, Place), BTreeSet<Key>>,
    /// The other way round, to take it back.
    looks: HashMap<Key, BTreeSet<(Kind, Place)>>,
    tied: HashMap<Tie, BTreeSet<(Resource, Place)>>,
    pods: HashMap<Place, BTreeSet<String>>,
    faults: HashMap<Key, HashMap<Child, (Fault, u32)>>,
}

impl World {
    /// An empty one, in which only what has these labels is planned for.
    pub fn new(selector: Option<Selector>) -> Self {
        Self { selector, inner: Mutex::default(), synced: watch::Sender::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked did so between two whole changes: plain maps.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A list of this kind begins.
    pub fn listing(&self, kind: Kind) {
        self.lock().shelves.entry(kind).or_default().begin();
    }

    /// The list of this kind is complete as of this version: what it did not
    /// hold is gone. Returns who has to plan again.
    pub fn listed(&self, kind: Kind, version: Option<u64>) -> Vec<Key> {
        let mut inner = self.lock();
        let gone = inner.shelves.entry(kind).or_default().end(version);
        let mut keys = BTreeSet::new();
        for (place, slot) in gone {
            inner.left(kind, &place, &slot, &mut keys);
        }
        // The kind is there: who could not write one may try at once.
        inner.faults.retain(|key, faults| {
            let is_of_it =
                |child: &Child, fault: &Fault| Kind::Of(child.resource) == kind && fault.cause == Cause::Missing;
            if faults.extract_if(|child, (fault, _)| is_of_it(child, fault)).count() > 0 {
                keys.insert(key.clone());
            }
            !faults.is_empty()
        });
        self.note_synced(&inner);
        keys.into_iter().collect()
    }

    /// The API server does not have this kind. What stood stays: it may only
    /// be starting.
    pub fn missing(&self, kind: Kind) {
        let mut inner = self.lock();
        inner.shelves.entry(kind).or_default().wait_no_more();
        self.note_synced(&inner);
    }

    fn note_synced(&self, inner: &Inner) {
        let is_synced = Kind::ALL.iter().all(|kind| inner.shelves.get(kind).is_some_and(Shelf::is_synced));
        self.synced.send_if_modified(|synced| std::mem::replace(synced, is_synced) != is_synced);
    }

    /// Whether each kind has been listed once, or is known not to be there.
    pub fn is_synced(&self) -> bool {
        *self.synced.borrow()
    }

    /// Waits for that.
    pub async fn synced(&self) {
        // The sender is ours: it cannot be gone.
        let _ = self.synced.subscribe().wait_for(|synced| *synced).await;
    }

    /// An object as it is now. Returns who has to plan again.
    pub fn put(&self, kind: Kind, object: Object, source: Source) -> Vec<Key> {
        let mut inner = self.lock();
        let mut keys = BTreeSet::new();
        let place = (object.namespace.clone(), object.name.clone());
        match inner.shelves.entry(kind).or_default().put(object, source, |content| is_watched(kind, content)) {
            Put::Ignored | Put::Same => {}
            Put::New => inner.came(kind, &place, &mut keys, true),
            Put::Changed(before) => {
                let other = inner
                    .shelves
                    .get(&kind)
                    .and_then(|shelf| shelf.get(&place))
                    .is_some_and(|now| now.uid != before.uid);
                inner.unlink(kind, &place, &before);
                inner.touch(kind, &place, &before, &mut keys, other);
                inner.came(kind, &place, &mut keys, other);
            }
        }
        keys.into_iter().collect()
    }

    /// A watch says that an object is gone, or that the watch does not concern
    /// it any more, as of this version. Returns who has to plan again.
    pub fn remove(&self, kind: Kind, object: &Object) -> Vec<Key> {
        let place = (object.namespace.clone(), object.name.clone());
        let mut inner = self.lock();
        let gone = inner.shelves.entry(kind).or_default().remove(&place, object.version);
        inner.lost(kind, &place, gone)
    }

    /// The API server says that no object of this uid is there. It never comes
    /// back: no uid is given twice. Returns who has to plan again.
    pub fn bury(&self, kind: Kind, namespace: &str, name: &str, uid: &str) -> Vec<Key> {
        let place = (namespace.to_owned(), name.to_owned());
        let mut inner = self.lock();
        let gone = inner.shelves.entry(kind).or_default().bury(&place, uid);
        inner.lost(kind, &place, gone)
    }

    /// The uid of an object.
    pub fn uid(&self, kind: Kind, namespace: &str, name: &str) -> Option<String> {
        let place = (namespace.to_owned(), name.to_owned());
        self.lock().shelves.get(&kind)?.get(&place).map(|slot| slot.uid.clone())
    }

    /// Everything that there is to plan for.
    pub fn keys(&self) -> Vec<Key> {
        let inner = self.lock();
        let of = |controller: Controller| {
            let subjects = inner.shelves.get(&Kind::from(controller));
            let places = subjects.into_iter().flat_map(Shelf::places);
            places.map(move |(namespace, name)| Key::new(controller, namespace, name))
        };
        Controller::ALL.into_iter().flat_map(of).filter(|key| inner.is_ours(key, self.selector.as_ref())).collect()
    }

    /// How many objects of each kind are known.
    pub fn counts(&self) -> Vec<(Kind, usize)> {
        let inner = self.lock();
        Kind::ALL.iter().map(|kind| (*kind, inner.shelves.get(kind).map_or(0, Shelf::len))).collect()
    }

    /// Remembers that a write failed; `retry` says when it may be tried again,
    /// from how often in a row it failed before.
    pub fn fail(&self, key: &Key, mut fault: Fault, retry: impl FnOnce(u32) -> Timestamp) -> Fault {
        let mut inner = self.lock();
        let faults = inner.faults.entry(key.clone()).or_default();
        let before = faults.get(&fault.child);
        let row = before.map_or(0, |(before, row)| {
            fault.since = before.since;
            // An API server in trouble says now this, now that: what is told of
            // it does not change with each try.
            if fault.cause.is_transient() && matches!(before.cause, Cause::Throttled | Cause::Unavailable) {
                fault.cause = before.cause;
                fault.said.clone_from(&before.said);
            }
            if before.generation == fault.generation && before.cause == fault.cause { row + 1 } else { 0 }
        });
        fault.retry_at = retry(row);
        faults.insert(fault.child.clone(), (fault.clone(), row));
        fault
    }

    /// A write went well.
    pub fn well(&self, key: &Key, child: &Child) {
        let mut inner = self.lock();
        if let Some(faults) = inner.faults.get_mut(key) {
            faults.remove(child);
            if faults.is_empty() {
                inner.faults.remove(key);
            }
        }
    }

    /// Forgets the faults of children that a plan no longer wants.
    pub fn forgive(&self, key: &Key, wanted: impl Fn(&Child) -> bool) {
        let mut inner = self.lock();
        if let Some(faults) = inner.faults.get_mut(key) {
            faults.retain(|child, _| wanted(child));
            if faults.is_empty() {
                inner.faults.remove(key);
            }
        }
    }

    /// The faults of all keys, for people.
    pub fn faults(&self) -> Vec<(Key, Fault)> {
        let inner = self.lock();
        let of = |(key, faults): (&Key, &HashMap<Child, (Fault, u32)>)| {
            faults.values().map(|(fault, _)| (key.clone(), fault.clone())).collect::<Vec<_>>()
        };
        inner.faults.iter().flat_map(of).collect()
    }
}

/// Whether the watch of this kind tells of such an object.
fn is_watched(kind: Kind, content: &Content) -> bool {
    match (kind.labels(), content) {
        (None, _) => true,
        (Some(_), Content::Pod(_, agent)) => !agent.is_empty(),
        (Some(_), content) => {
            let label = content.live().and_then(|live| live.labels.get(LABEL_MANAGED_BY));
            label.is_some_and(|by| by == OPERATOR)
        }
    }
}

impl Inner {
    /// An object came to be, or changed.
    fn came(&mut self, kind: Kind, place: &Place, keys: &mut BTreeSet<Key>, is_new: bool) {
        let Some(slot) = self.shelves.get(&kind).and_then(|shelf| shelf.get(place)) else { return };
        let slot = slot.clone();
        self.link(kind, place, &slot);
        self.touch(kind, place, &slot, keys, is_new);
    }

    fn lost(&mut self, kind: Kind, place: &Place, gone: Option<Slot>) -> Vec<Key> {
        let mut keys = BTreeSet::new();
        if let Some(slot) = gone {
            self.left(kind, place, &slot, &mut keys);
        }
        keys.into_iter().collect()
    }

    /// An object is gone.
    fn left(&mut self, kind: Kind, place: &Place, slot: &Slot, keys: &mut BTreeSet<Key>) {
        self.unlink(kind, place, slot);
        self.touch(kind, place, slot, keys, true);
        if let Some(controller) = kind.controller() {
            self.faults.remove(&Key::new(controller, &place.0, &place.1));
        }
    }

    /// Who has to plan again because this object came, went or changed.
    fn touch(&self, kind: Kind, place: &Place, slot: &Slot, keys: &mut BTreeSet<Key>, comes_or_goes: bool) {
        if let Some(controller) = kind.controller() {
            keys.insert(Key::new(controller, &place.0, &place.1));
        }
        // Whoever names an agent only wants to know whether there is one.
        if comes_or_goes || kind != Kind::Agent {
            keys.extend(self.lookers.get(&(kind, place.clone())).into_iter().flatten().cloned());
        }
        match &slot.content {
            Content::Pod(_, agent) => {
                keys.insert(Key::new(Controller::Agent, &place.0, agent));
            }
            content => keys.extend(content.live().into_iter().flat_map(|live| owners(&place.0, live))),
        }
    }

    fn link(&mut self, kind: Kind, place: &Place, slot: &Slot) {
        match &slot.content {
            Content::Subject(subject, _, live) => {
                if let (Some(controller), Ok(subject)) = (kind.controller(), subject) {
                    self.look(Key::new(controller, &place.0, &place.1), looked_at(subject, &place.0));
                }
                if let (Some(live), Kind::Of(resource)) = (live, kind) {
                    self.tie(resource, place, live);
                }
            }
            Content::Child(live) => {
                if let Kind::Of(resource) = kind {
                    self.tie(resource, place, live);
                }
            }
            Content::Pod(_, agent) => {
                self.pods.entry((place.0.clone(), agent.clone())).or_default().insert(place.1.clone());
            }
        }
    }

    fn unlink(&mut self, kind: Kind, place: &Place, slot: &Slot) {
        if let Some(controller) = kind.controller() {
            self.look(Key::new(controller, &place.0, &place.1), BTreeSet::new());
        }
        if let (Some(live), Kind::Of(resource)) = (slot.content.live(), kind) {
            for tie in ties(place, live) {
                take(&mut self.tied, &tie, &(resource, place.clone()));
            }
        }
        if let Content::Pod(_, agent) = &slot.content {
            take(&mut self.pods, &(place.0.clone(), agent.clone()), &place.1);
        }
    }

    fn tie(&mut self, resource: Resource, place: &Place, live: &Live) {
        for tie in ties(place, live) {
            self.tied.entry(tie).or_default().insert((resource, place.clone()));
        }
    }

    /// From now on this key looks at these objects, and at no others.
    fn look(&mut self, key: Key, at: BTreeSet<(Kind, Place)>) {
        for before in self.looks.remove(&key).unwrap_or_default() {
            take(&mut self.lookers, &before, &key);
        }
        if !at.is_empty() {
            for object in &at {
                self.lookers.entry(object.clone()).or_default().insert(key.clone());
            }
            self.looks.insert(key, at);
        }
    }

    fn subject(&self, controller: Controller, place: &Place) -> Option<&Subject> {
        match &self.shelves.get(&Kind::from(controller))?.get(place)?.content {
            Content::Subject(Ok(subject), ..) => Some(subject),
            _ => None,
        }
    }

    /// Whether the key is one that we look after: it has the labels, or it was
    /// made for an agent that has them.
    fn is_ours(&self, key: &Key, selector: Option<&Selector>) -> bool {
        let Some(selector) = selector else { return true };
        let place = (key.namespace.clone(), key.name.clone());
        let slot = self.shelves.get(&Kind::from(key.controller)).and_then(|shelf| shelf.get(&place));
        let Some(Content::Subject(_, labels, _)) = slot.map(|slot| &slot.content) else { return false };
        if selector.matches(Some(labels)) {
            return true;
        }
        let agent = labels.get(LABEL_AGENT).filter(|_| labels.get(LABEL_MANAGED_BY).is_some_and(|by| by == OPERATOR));
        let is_made = matches!(key.controller, Controller::Memory | Controller::Umwelt);
        agent.is_some_and(|agent| {
            is_made && self.is_ours(&Key::new(Controller::Agent, &key.namespace, agent), Some(selector))
        })
    }
}

/// Takes one of a set, and the set when it is empty.
fn take<K: std::hash::Hash + Eq, V: Ord>(sets: &mut HashMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(set) = sets.get_mut(key) {
        set.remove(value);
        if set.is_empty() {
            sets.remove(key);
        }
    }
}

fn ties(place: &Place, live: &Live) -> Vec<Tie> {
    let label = |label: &str| live.labels.get(label).map(|value| (place.0.clone(), value.clone()));
    let controller = live.controller.as_ref().map(|owner| Tie::Controller(owner.uid.clone()));
    let (agent, memory) = (label(LABEL_AGENT).map(Tie::Agent), label(LABEL_MEMORY).map(Tie::Memory));
    agent.into_iter().chain(memory).chain(controller).collect()
}

/// Whose child it is, by its labels and its controller.
fn owners(namespace: &str, live: &Live) -> Vec<Key> {
    let label =
        |label: &str, controller: Controller| live.labels.get(label).map(|name| Key::new(controller, namespace, name));
    let controller = live.controller.as_ref().and_then(|owner| {
        let controller = Controller::ALL.into_iter().find(|controller| controller.kind() == owner.kind)?;
        Some(Key::new(controller, namespace, &owner.name))
    });
    let labelled = label(LABEL_AGENT, Controller::Agent).into_iter().chain(label(LABEL_MEMORY, Controller::Memory));
    labelled.chain(controller).collect()
}

/// What a subject looks at by name: what it would make, and what its spec names.
fn looked_at(subject: &Subject, namespace: &str) -> BTreeSet<(Kind, Place)> {
    let at = |kind: Kind, name: &str| (kind, (namespace.to_owned(), name.to_owned()));
    let children = plan::children(subject.plan());
    let mut all: BTreeSet<_> = children.iter().map(|child| at(Kind::Of(child.resource), &child.name)).collect();
    match subject {
        Subject::Agent(agent) => {
            all.insert(at(Kind::Of(Resource::Memory), &observe::memory_of(agent)));
            all.insert(at(Kind::Of(Resource::Umwelt), &observe::umwelt_of(agent)));
            all.extend(observe::peers_of(agent).map(|peer| at(Kind::Agent, peer)));
        }
        Subject::Memory(memory) => {
            all.insert(at(Kind::Agent, &memory.spec.owner));
        }
        Subject::Umwelt(umwelt) => {
            all.insert(at(Kind::Agent, &umwelt.spec.agent));
        }
        Subject::Pheromone(_) => {}
    }
    all
}

#[cfg(test)]
mod tests;
