//! One reader of `Watch`: a cursor over the change log, moved as fast as the
//! reader reads.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::{FutureExt, Stream, stream};
use jiff::Timestamp;
use kgents_store::{Key, Kind, Thought};
use kgents_wire::cortex as wire;
use kgents_wire::cortex::watch_event::Event as Told;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Interval, MissedTickBehavior};
use tonic::Status;

use super::Wants;
use crate::log::Event;
use crate::state::{Held, Shared, State};
use crate::{clock, convert};

/// How many events are prepared ahead of the reader.
const AHEAD: usize = 64;
/// How much is looked at in one go, so that nobody waits long for the state.
const LOOK: usize = 1_024;

/// Opens a stream; from a revision if it can be gone on from.
pub(super) fn open(
    shared: Arc<Shared>,
    wants: Wants,
    since: Option<u64>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<wire::WatchEvent, Status>> + Send {
    let reader = reader(shared, wants, since, place);
    stream::unfold(reader, |mut reader| async move { reader.next().await.map(|event| (Ok(event), reader)) })
}

fn reader(shared: Arc<Shared>, wants: Wants, since: Option<u64>, place: OwnedSemaphorePermit) -> Reader {
    let mut beat = tokio::time::interval(shared.limits.heard);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Reader {
        news: shared.news(),
        shared,
        wants,
        stage: Stage::Begin(since.map_or(Begin::Fresh, Begin::Since)),
        revision: 0,
        thoughts: 0,
        scenes: 0,
        heard: 0,
        beat,
        overdue: false,
        ready: VecDeque::new(),
        _place: place,
    }
}

struct Reader {
    shared: Arc<Shared>,
    wants: Wants,
    stage: Stage,
    /// The revision up to which everything was told.
    revision: u64,
    /// The newest thought that belongs to the snapshot.
    thoughts: u64,
    /// Which cluster was looked at when the reader began.
    scenes: u64,
    /// Which hearing was told last.
    heard: u64,
    beat: Interval,
    /// It is time to tell how the cluster is heard.
    overdue: bool,
    /// At most [`AHEAD`], and what begins and ends a stage.
    ready: VecDeque<(u64, Item)>,
    news: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
}

/// How far a reader is.
#[derive(Clone)]
enum Stage {
    Begin(Begin),
    /// Objects of a snapshot: the place among the wanted kinds, and the last
    /// key that was told.
    Objects(usize, Option<Key>),
    /// Thoughts of a snapshot: the place of the last that was told.
    Thoughts(Option<(Timestamp, u64)>),
    /// Changes up to a revision, to catch up.
    CatchUp(u64),
    Live,
}

#[derive(Clone, Copy)]
enum Begin {
    Fresh,
    Since(u64),
    Behind,
}

/// What is to be told; written out when the reader takes it.
enum Item {
    Told(Told),
    Put(Kind, Key, Held),
    Thought(Arc<Thought>),
}

impl Item {
    fn written(self, revision: u64) -> wire::WatchEvent {
        let event = match self {
            Self::Told(event) => event,
            Self::Put(kind, key, held) => Told::Put(convert::object(kind, &key, &held)),
            Self::Thought(thought) => Told::Thought(convert::thought(&thought)),
        };
        wire::WatchEvent { revision, event: Some(event) }
    }
}

impl Reader {
    async fn next(&mut self) -> Option<wire::WatchEvent> {
        loop {
            if self.shared.cancel.is_cancelled() {
                return None;
            }
            if let Some((revision, item)) = self.ready.pop_front() {
                return Some(item.written(revision));
            }
            // A reader that always has something to read is due all the same.
            self.overdue |= self.beat.tick().now_or_never().is_some();
            // Marked before looking, so that nothing falls in between.
            self.news.borrow_and_update();
            while self.ready.is_empty() && self.step() {}
            if !self.ready.is_empty() {
                continue;
            }
            tokio::select! {
                biased;
                () = self.shared.cancel.cancelled() => return None,
                news = self.news.changed() => news.ok()?,
                _ = self.beat.tick() => self.overdue = true,
            }
        }
    }

    /// Prepares what comes next; false if there is nothing to prepare.
    fn step(&mut self) -> bool {
        let shared = self.shared.clone();
        let state = shared.state();
        if self.scenes != state.scenes() && !matches!(self.stage, Stage::Begin(_)) {
            self.stage = Stage::Begin(Begin::Fresh);
        }
        match self.stage.clone() {
            Stage::Begin(begin) => self.begin(begin, &state),
            Stage::Objects(place, after) => self.objects(place, after, &state),
            Stage::Thoughts(after) => self.thoughts(after, &state),
            Stage::CatchUp(until) => {
                if self.changes(until, &state) && self.revision >= until {
                    self.synced(&state);
                }
            }
            Stage::Live => {
                if self.overdue || self.heard != state.heard() {
                    self.hear(&state);
                }
                let newest = state.log().revision();
                let before = self.revision;
                if self.changes(newest, &state) {
                    return self.revision > before;
                }
            }
        }
        true
    }

    fn tell(&mut self, event: Told) {
        self.ready.push_back((self.revision, Item::Told(event)));
    }

    fn begin(&mut self, begin: Begin, state: &State) {
        let newest = state.log().revision();
        let since = match begin {
            Begin::Since(since) => state.log().after(since).map(|_| since),
            Begin::Fresh | Begin::Behind => None,
        };
        (self.revision, self.stage) = match since {
            Some(since) => (since, Stage::CatchUp(newest)),
            None => (newest, Stage::Objects(0, None)),
        };
        self.thoughts = state.terrarium().thoughts().heard();
        self.scenes = state.scenes();
        let scene = state.terrarium().scene();
        self.tell(Told::Begin(wire::Begin {
            instance_id: self.shared.instance.clone(),
            snapshot: since.is_none(),
            fell_behind: matches!(begin, Begin::Behind),
            context: scene.context.clone(),
            server: scene.server.clone(),
        }));
    }

    /// The objects are told as they are now, not as they were at the
    /// snapshot's revision: what changed meanwhile is in the log and follows.
    fn objects(&mut self, place: usize, mut after: Option<Key>, state: &State) {
        let Some(kind) = self.wants.kinds.get(place).copied() else {
            self.stage = Stage::Thoughts(None);
            return;
        };
        let mut looked = 0;
        for (key, held) in state.objects_after(kind, after.clone().as_ref()) {
            looked += 1;
            after = Some(key.clone());
            if self.wants.covers(key.namespace()) {
                self.ready.push_back((self.revision, Item::Put(kind, key.clone(), held.clone())));
            }
            if self.ready.len() >= AHEAD || looked >= LOOK {
                self.stage = Stage::Objects(place, after);
                return;
            }
        }
        self.stage = Stage::Objects(place + 1, None);
    }

    fn thoughts(&mut self, mut after: Option<(Timestamp, u64)>, state: &State) {
        let mut looked = 0;
        if self.wants.thoughts {
            for thought in state.thoughts_after(after) {
                looked += 1;
                after = Some((thought.at, thought.seq));
                // Newer ones are in the log.
                if thought.seq <= self.thoughts && self.wants.covers(thought.key.namespace()) {
                    self.ready.push_back((self.revision, Item::Thought(thought.clone())));
                }
                if self.ready.len() >= AHEAD || looked >= LOOK {
                    self.stage = Stage::Thoughts(after);
                    return;
                }
            }
        }
        self.synced(state);
    }

    fn synced(&mut self, state: &State) {
        self.stage = Stage::Live;
        self.tell(Told::Synced(wire::Synced {}));
        self.hear(state);
    }

    fn hear(&mut self, state: &State) {
        self.overdue = false;
        self.heard = state.heard();
        self.beat.reset();
        self.tell(Told::Heard(convert::heard(state.terrarium(), clock::now())));
    }

    /// Takes from the log, up to a revision. False if the reader fell behind
    /// the log and has to begin again.
    fn changes(&mut self, until: u64, state: &State) -> bool {
        let Some(log) = state.log().after(self.revision) else {
            self.stage = Stage::Begin(Begin::Behind);
            return false;
        };
        for (revision, event) in log.take(LOOK).take_while(|(revision, _)| *revision <= until) {
            self.revision = revision;
            if let Some(item) = self.item(revision, event, state) {
                self.ready.push_back((revision, item));
            }
            if self.ready.len() >= AHEAD {
                break;
            }
        }
        true
    }

    fn item(&self, revision: u64, event: &Event, state: &State) -> Option<Item> {
        let wants = |kind: Kind, key: &Key| self.wants.kinds.contains(&kind) && self.wants.covers(key.namespace());
        match event {
            Event::Put(kind, key) if wants(*kind, key) => {
                // One that changed again comes with its last change.
                let held = state.object(*kind, key).filter(|held| held.revision == revision)?;
                Some(Item::Put(*kind, key.clone(), held.clone()))
            }
            Event::Gone(kind, key) if wants(*kind, key) => Some(Item::Told(Told::Gone(convert::gone(*kind, key)))),
            Event::Thought(thought) if self.wants.thoughts && self.wants.covers(thought.key.namespace()) => {
                Some(Item::Thought(thought.clone()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
