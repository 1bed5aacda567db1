//! What every answer is made from: the terrarium, the objects as they are
//! sent, and the log of what changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kgents_store::bus::Batch;
use kgents_store::object::Decoded;
use kgents_store::terrarium::Fate;
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Object, Terrarium, Thought, WatchState};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::log::{self, Event, Log};

/// How many thoughts a snapshot holds.
const MAX_THOUGHTS: usize = 5_000;

/// The bounds of what is served.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// How many streams there may be at once.
    pub(crate) streams: usize,
    /// How often a stream says how it hears, at least.
    pub(crate) heard: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { streams: 256, heard: Duration::from_secs(10) }
    }
}

/// What all calls share.
pub(crate) struct Shared {
    pub(crate) version: &'static str,
    pub(crate) instance: String,
    pub(crate) cancel: CancellationToken,
    pub(crate) limits: Limits,
    state: Mutex<State>,
    news: watch::Sender<()>,
    streams: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn new(version: &'static str, limits: Limits, cancel: CancellationToken) -> Self {
        Self {
            version,
            instance: format!("{:032x}", fastrand::u128(..)),
            cancel,
            limits,
            state: Mutex::default(),
            news: watch::channel(()).0,
            streams: Arc::new(Semaphore::new(limits.streams)),
        }
    }

    /// The state, for a moment: never across an await. A panic while it was
    /// held leaves nothing half done that matters, so poison is ignored.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was drained from the bus, lets time pass, and wakes the
    /// streams.
    pub(crate) fn take(&self, batch: Batch, now: Timestamp) {
        self.state().take(batch, now);
        self.news.send_replace(());
    }

    /// Wakes when something may have changed.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Waits until every kind was listed or refused, or nobody answers.
    pub(crate) async fn until_heard(&self) {
        let mut news = self.news();
        loop {
            {
                let state = self.state();
                let terrarium = state.terrarium();
                let heard = match terrarium.link() {
                    Link::Up { .. } => Kind::ALL.into_iter().all(|kind| terrarium.watch(kind).state.is_settled()),
                    Link::Down { .. } => true,
                    Link::Connecting => false,
                };
                if heard {
                    return;
                }
            }
            // The sender lives as long as we do.
            if news.changed().await.is_err() {
                return;
            }
        }
    }

    /// A place for one more stream.
    pub(crate) fn place(&self) -> Result<OwnedSemaphorePermit, Status> {
        let full = |_| {
            let most = self.limits.streams;
            Status::resource_exhausted(format!("{most} streams are open, and that is all there may be: close one"))
        };
        self.streams.clone().try_acquire_owned().map_err(full)
    }
}

/// An object as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// The revision of its last change.
    pub(crate) revision: u64,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
    pub(crate) object: Object,
}

/// How the cluster is heard, without the moments that move all the time.
type Hearing = (Link, Vec<(WatchState, Vec<String>)>);

/// All that is known.
pub(crate) struct State {
    terrarium: Terrarium,
    /// The terrarium keeps no identity of facts and of what it cannot read,
    /// so the objects are held here as well; the insides are shared.
    objects: BTreeMap<Kind, BTreeMap<Key, Held>>,
    /// The last thoughts, by when they happened.
    thoughts: BTreeMap<(Timestamp, u64), Arc<Thought>>,
    log: Log,
    hearing: Option<Hearing>,
    heard: u64,
    scenes: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            // No reader can be told of more thoughts than the log holds.
            terrarium: Terrarium::keeping(log::LENGTH),
            objects: BTreeMap::new(),
            thoughts: BTreeMap::new(),
            log: Log::default(),
            hearing: None,
            heard: 0,
            scenes: 0,
        }
    }
}

impl State {
    /// The terrarium.
    pub(crate) fn terrarium(&self) -> &Terrarium {
        &self.terrarium
    }

    /// What happened lately.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Rises each time the cluster is heard otherwise than before.
    pub(crate) fn heard(&self) -> u64 {
        self.heard
    }

    /// Rises each time another cluster is looked at.
    pub(crate) fn scenes(&self) -> u64 {
        self.scenes
    }

    /// An object.
    pub(crate) fn object(&self, kind: Kind, key: &Key) -> Option<&Held> {
        self.objects.get(&kind)?.get(key)
    }

    /// The objects of a kind after a key, in order.
    pub(crate) fn objects_after(&self, kind: Kind, after: Option<&Key>) -> impl Iterator<Item = (&Key, &Held)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.objects.get(&kind).into_iter().flat_map(move |objects| objects.range::<Key, _>((from, Unbounded)))
    }

    /// The thoughts kept, oldest first, after a place in that order.
    pub(crate) fn thoughts_after(
        &self,
        after: Option<(Timestamp, u64)>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Thought>> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.thoughts.range((after.map_or(Unbounded, Excluded), Unbounded)).map(|(_, thought)| thought)
    }

    fn take(&mut self, batch: Batch, now: Timestamp) {
        let sent = |change: &kgents_store::Change| Some(((change.kind, change.key.clone()), change.now.clone()?));
        let mut sent: HashMap<(Kind, Key), Decoded> = batch.changes.iter().filter_map(sent).collect();
        let thoughts = self.terrarium.thoughts().heard();
        let scene = self.terrarium.scene().clone();
        let outcome = self.terrarium.apply(batch, now);
        self.terrarium.tick(now);
        for delta in outcome.deltas {
            match delta.fate {
                Fate::Applied => {
                    let id = (delta.kind, delta.key);
                    if let Some(decoded) = sent.remove(&id) {
                        self.put(id.0, &id.1, decoded);
                    }
                }
                Fate::Deleted => self.remove(delta.kind, delta.key),
                // Clients know how it fades; nothing changed about the object.
                Fate::Faded => {}
            }
        }
        self.think(thoughts);
        if *self.terrarium.scene() != scene {
            // What was told of the other cluster must not be built upon.
            self.scenes += 1;
            self.log.forget();
        }
        if outcome.sources {
            let hearing = self.hearing();
            if self.hearing.as_ref() != Some(&hearing) {
                self.hearing = Some(hearing);
                self.heard += 1;
            }
        }
    }

    fn put(&mut self, kind: Kind, key: &Key, decoded: Decoded) {
        if kind == Kind::Event || self.object(kind, key).is_some_and(|held| held.is(&decoded)) {
            return;
        }
        let revision = self.log.push(Event::Put(kind, key.clone()));
        let Decoded { uid, resource_version, object, .. } = decoded;
        let held = Held { revision, uid, resource_version, object };
        self.objects.entry(kind).or_default().insert(key.clone(), held);
    }

    fn remove(&mut self, kind: Kind, key: Key) {
        if self.objects.get_mut(&kind).and_then(|objects| objects.remove(&key)).is_some() {
            self.log.push(Event::Gone(kind, key));
        }
    }

    /// Logs the thoughts heard since there were so many.
    fn think(&mut self, before: u64) {
        let heard = self.terrarium.thoughts();
        let count = heard.heard() - before;
        // New ones are at the end or not far from it.
        let new = heard.iter().rev().filter(|thought| thought.seq > before).take(count as usize);
        let mut new: Vec<Arc<Thought>> = new.cloned().map(Arc::new).collect();
        new.sort_by_key(|thought| thought.seq);
        for thought in new {
            self.log.push(Event::Thought(thought.clone()));
            self.thoughts.insert((thought.at, thought.seq), thought);
        }
        while self.thoughts.len() > MAX_THOUGHTS {
            self.thoughts.pop_first();
        }
    }

    fn hearing(&self) -> Hearing {
        let watches = Kind::ALL.into_iter().map(|kind| self.terrarium.watch(kind));
        (self.terrarium.link().clone(), watches.map(|watch| (watch.state, watch.refused)).collect())
    }
}

impl Held {
    /// Whether this is what is held already. Kubernetes writes to a Pod far
    /// more often than anything that we keep of it changes.
    fn is(&self, decoded: &Decoded) -> bool {
        match (&self.object, &decoded.object) {
            (Object::Pod(held), Object::Pod(sent)) => held == sent,
            (Object::Deployment(held), Object::Deployment(sent)) => held == sent,
            _ => {
                !self.resource_version.is_empty()
                    && (&self.uid, &self.resource_version) == (&decoded.uid, &decoded.resource_version)
            }
        }
    }
}
