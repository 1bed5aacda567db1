//! Keeps a tree current from the bus.
//!
//! The bus is drained all the time; files are written on another thread, one
//! write at a time, with what changed meanwhile taken together. So a disk that
//! is slow or stuck never holds up those who send.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use kgents_core::freshness::Area;
use kgents_store::bus::{Reader, TURN};
use kgents_store::{Batch, Control, Kind, Terrarium, WatchState};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::error::GhostError;
use super::layout::{self, MAX_THOUGHTS};
use super::snapshot::{self, Gate, Left, Snapshot};
use super::write::{Writer, Written};
use crate::clock;

/// How many turns the last flush waits for the bus to be empty.
const LAST_TURNS: usize = 1_000;
/// The longest pause after something went wrong.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// How many bytes of one area are written a second, in the long run.
const PACE: u64 = 256 << 10;
/// How far the clock may run away from the time that passed before nothing is
/// believed: the machine slept, and who answered before it may be gone.
const SLEPT: Duration = Duration::from_secs(5);
/// How long after a sleep nothing is written, so that whoever watches can
/// notice that nobody answers.
const WAKING: Duration = Duration::from_secs(15);

/// How a tree is kept. Only what is live is written, and nothing at all while
/// only one namespace is looked at.
#[derive(Clone, Debug)]
pub struct Keep {
    /// How long between two writes of one area at least. A large area rests
    /// longer, so that no more than 256 KiB of it is written a second.
    pub every: Duration,
    /// How long until what is live and has not changed is written again, for
    /// its time.
    pub fresh: Duration,
    /// How long until the tree is asked for again that another process writes.
    pub retry: Duration,
    /// Who is told how it stands.
    pub told: Option<watch::Sender<Kept>>,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            fresh: Duration::from_secs(30),
            retry: Duration::from_secs(5),
            told: None,
        }
    }
}

/// How the keeping stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Kept {
    /// Nothing was live yet.
    #[default]
    Waiting,
    /// Nothing of this is ever written, and why.
    Barred(String),
    /// What was written last.
    Written(Written),
    /// Another process keeps the tree.
    Held {
        /// Its pid, where that can be read.
        pid: Option<u32>,
    },
    /// It cannot be written, and why.
    Failing(String),
}

/// Keeps the Ghost in `folder` current from a tap of the bus, for ever, until
/// cancelled; then once more what is live. Whoever cancels decides how long to
/// wait for that: a disk can be stuck.
pub async fn keep(reader: Reader, folder: PathBuf, options: Keep, cancel: CancellationToken) {
    let writer = Writer::new(&folder);
    keep_with(reader, writer, options, clock::now, cancel).await;
}

/// Where snapshots go.
pub(super) trait Sink: Send + 'static {
    fn write(&mut self, snapshot: &Snapshot) -> Result<Written, GhostError>;
}

impl Sink for Writer {
    fn write(&mut self, snapshot: &Snapshot) -> Result<Written, GhostError> {
        Self::write(self, snapshot)
    }
}

type Outcome = Result<Written, GhostError>;

async fn keep_with(
    mut reader: Reader,
    sink: impl Sink,
    options: Keep,
    now: impl Fn() -> Timestamp,
    cancel: CancellationToken,
) {
    let sink = Arc::new(Mutex::new(sink));
    let start = |snapshot: Snapshot| {
        let sink = sink.clone();
        tokio::task::spawn_blocking(move || sink.lock().unwrap_or_else(PoisonError::into_inner).write(&snapshot))
    };
    let mut keeper = Keeper::new(options, Instant::now(), now());
    let mut writing: Option<JoinHandle<Outcome>> = None;
    loop {
        let wake = keeper.wake(Instant::now());
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            result = async { writing.as_mut()?.await.ok() }, if writing.is_some() => {
                writing = None;
                keeper.finished(result, Instant::now());
            }
            () = reader.changed() => {
                let batch = reader.drain(TURN);
                keeper.hear(batch, now(), Instant::now());
                // Draining may go on for long, and others want to run.
                tokio::task::yield_now().await;
            }
            () = tokio::time::sleep_until(wake), if writing.is_none() => {}
        }
        keeper.pass(now(), Instant::now());
        if writing.is_none() {
            writing = keeper.due(Instant::now(), now()).map(start);
        }
    }
    if let Some(writing) = writing {
        keeper.finished(writing.await.ok(), Instant::now());
    }
    for _ in 0..LAST_TURNS {
        let batch = reader.drain(TURN);
        keeper.hear(batch, now(), Instant::now());
        if keeper.settled {
            break;
        }
    }
    keeper.pass(now(), Instant::now());
    if let Some(snapshot) = keeper.last(now()) {
        keeper.finished(start(snapshot).await.ok(), Instant::now());
    }
}

/// When what is written. It never waits and never touches a disk.
struct Keeper {
    options: Keep,
    terrarium: Terrarium,
    /// All that was sent was taken in: a list that is called complete is.
    settled: bool,
    /// Kinds that were said to be live since the scene was set.
    trusted: BTreeSet<Kind>,
    /// Kinds that are live.
    live: BTreeSet<Kind>,
    /// Areas of which something is not written yet.
    dirty: BTreeSet<Area>,
    /// When each area was written last.
    written: BTreeMap<Area, Instant>,
    /// Until when each area rests.
    rests: BTreeMap<Area, Instant>,
    /// Until when nothing is written.
    rest: Instant,
    /// The areas that are being written.
    pending: BTreeSet<Area>,
    /// Failures that were written down.
    noted: Vec<Left>,
    failures: u32,
    /// Sorts of errors that were logged.
    logged: BTreeSet<String>,
    /// What both clocks said last.
    clocks: (Instant, Timestamp),
}

impl Keeper {
    fn new(options: Keep, instant: Instant, now: Timestamp) -> Self {
        Self {
            options,
            terrarium: Terrarium::keeping(MAX_THOUGHTS),
            settled: false,
            trusted: BTreeSet::new(),
            live: BTreeSet::new(),
            dirty: BTreeSet::new(),
            written: BTreeMap::new(),
            rests: BTreeMap::new(),
            rest: instant,
            pending: BTreeSet::new(),
            noted: Vec::new(),
            failures: 0,
            logged: BTreeSet::new(),
            clocks: (instant, now),
        }
    }

    /// Takes in what was drained from the bus.
    fn hear(&mut self, batch: Batch, now: Timestamp, instant: Instant) {
        self.clock(now, instant);
        for control in &batch.control {
            match control {
                Control::Scene(scene) => {
                    let before = self.terrarium.scene();
                    if (&before.context, &before.server) != (&scene.context, &scene.server) {
                        // What was said of another cluster says nothing of this one.
                        self.trusted.clear();
                    }
                }
                Control::Watch(kind, watch) if watch.state == WatchState::Live => {
                    self.trusted.insert(*kind);
                }
                Control::Watch(..) | Control::Speaks(_) | Control::Rung(..) | Control::TaskDied { .. } => {}
            }
        }
        self.settled = !batch.more;
        let outcome = self.terrarium.apply(batch, now);
        self.dirty.extend(outcome.deltas.iter().map(|delta| layout::area(delta.kind)));
        if outcome.thoughts {
            self.dirty.insert(Area::Thoughts);
        }
        let live = Kind::ALL.into_iter().filter(|kind| self.is_live(*kind)).collect();
        let before = std::mem::replace(&mut self.live, live);
        // What comes back is as of now again, even if nothing changed.
        self.dirty.extend(self.live.difference(&before).map(|kind| layout::area(*kind)));
        if let Some(told) = &self.options.told
            && let Some(why) = snapshot::barred(&self.terrarium).filter(|_| !self.live.is_empty())
        {
            told.send_if_modified(|kept| {
                let now = Kept::Barred(why);
                std::mem::replace(kept, now.clone()) != now
            });
        }
    }

    fn is_live(&self, kind: Kind) -> bool {
        let trusted = match kind {
            // Thoughts may be heard although nobody watches Events.
            Kind::Event => !self.trusted.is_empty(),
            // These are found through the agents that they run.
            Kind::Deployment | Kind::Pod => self.trusted.contains(&kind) && self.trusted.contains(&Kind::Agent),
            _ => self.trusted.contains(&kind),
        };
        trusted && snapshot::gate(&self.terrarium, kind) == Gate::Open
    }

    /// Lets time pass.
    fn pass(&mut self, now: Timestamp, instant: Instant) {
        self.clock(now, instant);
        let outcome = self.terrarium.tick(now);
        self.dirty.extend(outcome.deltas.iter().map(|delta| layout::area(delta.kind)));
        if outcome.thoughts {
            self.dirty.insert(Area::Thoughts);
        }
    }

    /// After a sleep nobody is believed for a while.
    fn clock(&mut self, now: Timestamp, instant: Instant) {
        let (before, then) = std::mem::replace(&mut self.clocks, (instant, now));
        let passed = instant.saturating_duration_since(before);
        let said = Duration::try_from(now.duration_since(then)).unwrap_or_default();
        if said > passed + SLEPT {
            self.rest = self.rest.max(instant + WAKING);
        }
    }

    /// The areas of which something is live.
    fn areas(&self) -> impl Iterator<Item = Area> {
        let live: BTreeSet<Area> = self.live.iter().map(|kind| layout::area(*kind)).collect();
        live.into_iter()
    }

    /// When an area is to be written next.
    fn turn(&self, area: Area, instant: Instant) -> Instant {
        let rests = self.rests.get(&area).copied().unwrap_or(instant);
        let wanted = match self.written.get(&area) {
            Some(written) if !self.dirty.contains(&area) => *written + self.options.fresh,
            _ => instant,
        };
        wanted.max(rests).max(self.rest)
    }

    /// When something is to be done next, if nothing is heard.
    fn wake(&self, instant: Instant) -> Instant {
        let idle = instant + self.options.fresh;
        if !self.settled || snapshot::barred(&self.terrarium).is_some() {
            return idle;
        }
        let next = self.areas().map(|area| self.turn(area, instant)).min().unwrap_or(idle);
        let next = if self.failing().is_some() { next.min(self.rest.max(instant)) } else { next };
        let end = self.terrarium.next_end().map_or(idle, |end| {
            let left = Duration::try_from(end.duration_since(self.clocks.1)).unwrap_or_default();
            instant + left.min(self.options.fresh)
        });
        next.min(end).min(idle)
    }

    /// Failures that are not written down yet.
    fn failing(&self) -> Option<Vec<Left>> {
        let areas = Area::ALL.into_iter().filter(|area| self.written.contains_key(area));
        let dead: Vec<Area> = areas.filter(|area| !self.areas().any(|live| live == *area)).collect();
        if dead.is_empty() {
            return self.noted.first().map(|_| Vec::new());
        }
        let left = Snapshot::take(&self.terrarium, dead, |kind| self.trusted.contains(&kind), self.clocks.1).left;
        let failed: Vec<Left> = left.into_iter().filter(|left| left.failed).collect();
        (failed != self.noted).then_some(failed)
    }

    /// What is to be written now, if anything.
    fn due(&mut self, instant: Instant, now: Timestamp) -> Option<Snapshot> {
        if !self.settled || instant < self.rest || snapshot::barred(&self.terrarium).is_some() {
            return None;
        }
        let due: BTreeSet<Area> = self.areas().filter(|area| self.turn(*area, instant) <= instant).collect();
        let failing = self.failing();
        if due.is_empty() && failing.is_none() {
            return None;
        }
        if let Some(failing) = failing {
            self.noted = failing;
        }
        let mut snapshot = self.take(&due, now);
        snapshot.left.extend(self.noted.iter().cloned());
        for area in due.into_iter().filter(|area| !snapshot.has(*area)) {
            // Nothing came of it, so that it is not asked for again at once.
            self.written.insert(area, instant);
        }
        (!snapshot.is_empty() || !snapshot.left.is_empty()).then_some(snapshot)
    }

    fn take(&mut self, areas: &BTreeSet<Area>, now: Timestamp) -> Snapshot {
        self.pending.clone_from(areas);
        self.dirty.retain(|area| !areas.contains(area));
        let live = &self.live;
        Snapshot::take(&self.terrarium, areas.iter().copied(), |kind| live.contains(&kind), now)
    }

    /// What is to be written at the end: all that is live, for its time.
    fn last(&mut self, now: Timestamp) -> Option<Snapshot> {
        let areas: BTreeSet<Area> = self.areas().collect();
        if !self.settled || areas.is_empty() || snapshot::barred(&self.terrarium).is_some() {
            return None;
        }
        Some(self.take(&areas, now))
    }

    /// Takes in what came of a write; `None` if who wrote died.
    fn finished(&mut self, result: Option<Outcome>, instant: Instant) {
        let pending = std::mem::take(&mut self.pending);
        self.rest = instant + self.options.every;
        let kept = match result {
            Some(Ok(written)) => {
                self.failures = 0;
                self.logged.clear();
                for area in pending {
                    self.written.insert(area, instant);
                }
                for area in &written.areas {
                    let size = Duration::from_millis(area.bytes * 1_000 / PACE);
                    self.rests.insert(area.area, instant + size.max(self.options.every));
                }
                Kept::Written(written)
            }
            Some(Err(error)) => {
                self.dirty.extend(pending);
                let held = matches!(error, GhostError::Held { .. });
                let pause = self.options.every.saturating_mul(1 << self.failures.min(10)).min(MAX_BACKOFF);
                self.rest = instant + if held { self.options.retry } else { pause };
                self.failures = if held { 0 } else { self.failures + 1 };
                if self.logged.insert(error.sort()) {
                    if held {
                        tracing::info!(%error, "the Ghost is kept by another process");
                    } else {
                        tracing::warn!(%error, "the Ghost cannot be written; it is tried again");
                    }
                }
                match error {
                    GhostError::Held { pid, .. } => Kept::Held { pid },
                    error => Kept::Failing(error.to_string()),
                }
            }
            None => {
                self.dirty.extend(pending);
                self.rest = instant + MAX_BACKOFF;
                tracing::error!("the thread that writes the Ghost died");
                Kept::Failing("the thread that writes it died".to_owned())
            }
        };
        if let Some(told) = &self.options.told {
            told.send_replace(kept);
        }
    }
}

#[cfg(test)]
mod tests;
