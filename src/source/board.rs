//! What has been told of one kind, and how well the kind is heard.
//!
//! A board outlives connections and layers: what was told stays told, so that
//! after any gap, and from whomever the next word comes, only the difference
//! is sent.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use kgents_store::object::Decoded;
use kgents_store::watch::{Watch, WatchState};
use kgents_store::{Bus, Change, Control, Key, Kind, Novelty};
use tokio::sync::{RwLock, RwLockReadGuard, watch};

use crate::clock;
use crate::kube::warn_nameless;

/// A part of the cluster that one watch covers: a namespace, or `None` for all.
pub(crate) type Part = Option<String>;

/// How many different complaints about nameless objects are kept, so that each
/// is logged once.
const MAX_COMPLAINTS: usize = 100;

/// A number that differs for each state of each object: of its uid and
/// resource version. Collisions are as good as impossible among so few.
pub(crate) fn mark(object: &Decoded) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&object.uid, &object.resource_version).hash(&mut hasher);
    hasher.finish()
}

/// One kind.
pub(crate) struct Board {
    kind: Kind,
    bus: Bus,
    inner: Mutex<Inner>,
    /// What the bus was told last; held while the bus may make us wait.
    told: tokio::sync::Mutex<Option<Watch>>,
    /// Read by those who list, written by who remembers.
    turn: RwLock<()>,
    answered: watch::Sender<bool>,
}

#[derive(Default)]
struct Inner {
    objects: HashMap<Key, u64>,
    /// Parts whose first list is complete.
    listed: HashSet<Part>,
    parts: BTreeMap<Part, Heard>,
    refused: Vec<String>,
    complaints: HashSet<String>,
    /// When what is known was verified last, before this connection began.
    before: Option<Timestamp>,
}

struct Heard {
    state: WatchState,
    as_of: Option<Timestamp>,
}

impl Board {
    pub(crate) fn new(kind: Kind, bus: Bus) -> Self {
        Self {
            kind,
            bus,
            inner: Mutex::default(),
            told: tokio::sync::Mutex::default(),
            turn: RwLock::default(),
            answered: watch::Sender::new(false),
        }
    }

    /// Nothing that a panic could leave half done in here matters.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an object was told and not taken back.
    pub(crate) fn knows(&self, key: &Key) -> bool {
        self.inner().objects.contains_key(key)
    }

    /// Tells an object, unless this very state of it was told before.
    pub(crate) async fn apply(&self, object: Decoded, novelty: Novelty) {
        let (key, mark) = (object.key.clone(), mark(&object));
        if !object.resource_version.is_empty() && self.inner().objects.get(&key) == Some(&mark) {
            return;
        }
        self.bus.state(Change { kind: self.kind, key: key.clone(), now: Some(object), novelty }).await;
        // Only now: if we are stopped while the bus is full, it is told again.
        self.inner().objects.insert(key, mark);
    }

    /// Tells that an object is gone, if it was told.
    pub(crate) async fn delete(&self, key: &Key, novelty: Novelty) {
        if !self.knows(key) {
            return;
        }
        self.bus.state(Change { kind: self.kind, key: key.clone(), now: None, novelty }).await;
        self.inner().objects.remove(key);
    }

    /// Whether this part has been listed to the end before.
    pub(crate) fn was_listed(&self, part: &Part) -> bool {
        self.inner().listed.contains(part)
    }

    /// Keeps memories away while a list that has arrived is told. Not while it
    /// is waited for: a server that never answers must not hide what is
    /// remembered.
    pub(crate) async fn listing(&self) -> RwLockReadGuard<'_, ()> {
        self.turn.read().await
    }

    /// A list of this part is complete: what it does not hold is gone. What
    /// was there only from memory went before we looked.
    pub(crate) async fn listed(&self, part: &Part, seen: &HashSet<Key>, novelty: Novelty) {
        let covers = |key: &Key| part.as_deref().is_none_or(|namespace| namespace == key.namespace());
        let gone: Vec<Key> =
            self.inner().objects.keys().filter(|key| covers(key) && !seen.contains(*key)).cloned().collect();
        for key in gone {
            self.delete(&key, novelty).await;
        }
        self.inner().listed.insert(part.clone());
    }

    /// Takes in what is remembered of the whole kind as of a moment, unless
    /// the kind is heard live or was at that moment or later. Whether it did.
    ///
    /// Who is telling a list is let finish first: it knows better than any
    /// memory, unless it fails half-way.
    pub(crate) async fn recall(&self, objects: Vec<Decoded>, as_of: Timestamp) -> bool {
        let _turn = self.turn.write().await;
        {
            let inner = self.inner();
            let live = inner.parts.values().any(|heard| heard.state.is_live());
            if live || inner.as_of().is_some_and(|known| known >= as_of) {
                return false;
            }
        }
        let seen: HashSet<Key> = objects.iter().map(|object| object.key.clone()).collect();
        for object in objects {
            self.apply(object, Novelty::Initial).await;
        }
        let gone: Vec<Key> = self.inner().objects.keys().filter(|key| !seen.contains(*key)).cloned().collect();
        for key in gone {
            self.delete(&key, Novelty::Initial).await;
        }
        {
            let mut inner = self.inner();
            inner.before = Some(as_of);
            for heard in inner.parts.values_mut() {
                heard.as_of = heard.as_of.max(Some(as_of));
            }
        }
        self.tell().await;
        true
    }

    /// Logs that something has no name, once for each thing that is wrong.
    pub(crate) fn nameless(&self, problem: String) {
        let mut inner = self.inner();
        if inner.complaints.len() < MAX_COMPLAINTS && !inner.complaints.contains(&problem) {
            warn_nameless(self.kind, &problem);
            inner.complaints.insert(problem);
        }
    }

    /// A new connection begins. What lies outside the one namespace that it
    /// reads is no longer looked at, and how things were heard before says
    /// nothing now.
    pub(crate) async fn restart(&self, namespace: Option<&str>) {
        if let Some(namespace) = namespace {
            let outside: Vec<Key> =
                self.inner().objects.keys().filter(|key| key.namespace() != namespace).cloned().collect();
            for key in outside {
                self.delete(&key, Novelty::News).await;
            }
        }
        let mut inner = self.inner();
        inner.before = inner.as_of();
        inner.parts.clear();
        inner.refused.clear();
        self.answered.send_replace(false);
    }

    /// A part is going to be heard. A part that was heard since the
    /// connection began stays as it is.
    pub(crate) async fn begin(&self, part: &Part) {
        {
            let mut inner = self.inner();
            let as_of = inner.before;
            inner.parts.entry(part.clone()).or_insert(Heard { state: WatchState::Listing, as_of });
        }
        self.tell().await;
    }

    /// A part is followed.
    pub(crate) async fn live(&self, part: &Part) {
        self.put(part, WatchState::Live, Some(clock::now())).await;
    }

    /// A live answer came for a part.
    pub(crate) fn verified(&self, part: &Part) {
        if let Some(heard) = self.inner().parts.get_mut(part) {
            heard.as_of = Some(clock::now());
        }
    }

    /// How somebody else hears a part, who watches it for us.
    pub(crate) async fn heard(&self, part: &Part, watch: Watch) {
        self.inner().refused = watch.refused;
        self.put(part, watch.state, watch.as_of).await;
    }

    /// The API server says no, and will until somebody does something.
    pub(crate) async fn denied(&self, part: &Part, state: WatchState) {
        self.put(part, state, None).await;
    }

    /// A part is no longer heard. If it was, then up to the last good probe.
    pub(crate) async fn failing(&self, part: &Part, error: String, probed: Option<Timestamp>) {
        let (since, as_of) = match self.inner().parts.get(part) {
            Some(Heard { state: WatchState::Failing { since, .. }, .. }) => (*since, None),
            Some(Heard { state: WatchState::Live, as_of }) => (clock::now(), probed.max(*as_of)),
            _ => (clock::now(), None),
        };
        self.put(part, WatchState::Failing { since, error }, as_of).await;
    }

    /// Nobody hears this kind any more, in any part.
    pub(crate) async fn orphan(&self, error: &str) {
        let parts: Vec<Part> = self.inner().parts.keys().cloned().collect();
        for part in parts {
            self.failing(&part, error.to_owned(), None).await;
        }
    }

    /// A namespace may not be read, where others may.
    pub(crate) async fn refuse(&self, namespace: &str) {
        {
            let mut inner = self.inner();
            inner.parts.remove(&Some(namespace.to_owned()));
            if let Err(at) = inner.refused.binary_search_by(|other| other.as_str().cmp(namespace)) {
                inner.refused.insert(at, namespace.to_owned());
            }
        }
        self.tell().await;
    }

    /// The whole is not heard as one any more, or no longer in parts.
    pub(crate) fn divide(&self) {
        let mut inner = self.inner();
        inner.parts.clear();
        inner.refused.clear();
    }

    async fn put(&self, part: &Part, state: WatchState, as_of: Option<Timestamp>) {
        {
            let mut inner = self.inner();
            let known = inner.parts.get(part).and_then(|heard| heard.as_of);
            inner.parts.insert(part.clone(), Heard { state, as_of: as_of.or(known) });
        }
        self.tell().await;
    }

    /// Tells the bus how the kind is heard, if that changed.
    async fn tell(&self) {
        let mut told = self.told.lock().await;
        let watch = self.inner().summary();
        let same = told.as_ref().is_some_and(|told| {
            let listing = watch.state == WatchState::Listing;
            // When what is live was verified is known without being told.
            let aged = !watch.state.is_live() && told.as_of != watch.as_of;
            told.state == watch.state && !aged && (listing || told.refused == watch.refused)
        });
        if !same {
            *told = Some(watch.clone());
            let answered = matches!(watch.state, WatchState::Live | WatchState::Missing | WatchState::Forbidden { .. });
            self.answered.send_replace(answered);
            self.bus.control(Control::Watch(self.kind, watch)).await;
        }
    }

    /// Waits until the first question has had an answer of the API server,
    /// good or bad. Silence is none.
    pub(crate) async fn answered(&self) {
        // The sender lives as long as we do.
        let _ = self.answered.subscribe().wait_for(|answered| *answered).await;
    }
}

impl Inner {
    /// The worst of the parts, the oldest of the times. Without any part
    /// nothing was asked yet, but something may be remembered.
    fn summary(&self) -> Watch {
        let rank = |state: &WatchState| match state {
            WatchState::Failing { .. } => 4,
            WatchState::Forbidden { .. } => 3,
            WatchState::Missing => 2,
            WatchState::Listing | WatchState::Waiting => 1,
            WatchState::Live => 0,
        };
        let worst = self.parts.values().max_by_key(|heard| rank(&heard.state));
        let state = worst.map_or(WatchState::Waiting, |worst| worst.state.clone());
        Watch { state, as_of: self.as_of(), refused: self.refused.clone() }
    }

    /// When what is known was verified, to the oldest part of it.
    fn as_of(&self) -> Option<Timestamp> {
        if self.parts.is_empty() { self.before } else { self.parts.values().map(|heard| heard.as_of).min().flatten() }
    }
}

/// The boards of all kinds.
pub(crate) struct Boards([Board; Kind::ALL.len()]);

impl Boards {
    pub(crate) fn new(bus: &Bus) -> Self {
        Self(Kind::ALL.map(|kind| Board::new(kind, bus.clone())))
    }

    pub(crate) fn of(&self, kind: Kind) -> &Board {
        &self.0[kind as usize]
    }

    pub(crate) async fn restart(&self, namespace: Option<&str>) {
        for board in &self.0 {
            board.restart(namespace).await;
        }
    }
}

#[cfg(test)]
mod tests;
