//! How an operator stands, for `/debug/state`, `/readyz` and `/healthz`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kgents_source::clock;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::execute::Executor;
use crate::key::{Controller, Key};
use crate::lease::Leadership;
use crate::schedule::Schedule;
use crate::watch::Board;
use crate::world::World;

/// How long the loop may not have gone round. It does so at least each minute.
const LOOP_LIMIT: Duration = Duration::from_secs(180);

/// How an operator stands. Shared by an `Arc`.
pub struct State {
    pub(crate) world: Arc<World>,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) board: Arc<Board>,
    pub(crate) executor: Arc<Executor>,
    pub(crate) leadership: Leadership,
    pub(crate) progress: Progress,
    /// How long work on one key may take before it counts as hanging.
    pub(crate) work_limit: Duration,
}

/// What moves.
#[derive(Debug)]
pub(crate) struct Progress {
    inner: Mutex<Moving>,
}

#[derive(Debug)]
struct Moving {
    beat: Instant,
    leads: bool,
    working: HashMap<Key, Instant>,
}

impl Default for Progress {
    fn default() -> Self {
        let moving = Moving { beat: Instant::now(), leads: false, working: HashMap::new() };
        Self { inner: Mutex::new(moving) }
    }
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Moving> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loop goes round.
    pub(crate) fn beat(&self, leads: bool) {
        let mut moving = self.lock();
        (moving.beat, moving.leads) = (Instant::now(), leads);
    }

    /// Work on a key begins. Says how many of its kind are worked on.
    pub(crate) fn begin(&self, key: &Key) -> usize {
        let mut moving = self.lock();
        moving.working.insert(key.clone(), Instant::now());
        moving.busy(key.controller)
    }

    /// Work on a key ended. Says how many of its kind are worked on.
    pub(crate) fn end(&self, key: &Key) -> usize {
        let mut moving = self.lock();
        moving.working.remove(key);
        moving.busy(key.controller)
    }
}

impl Moving {
    fn busy(&self, controller: Controller) -> usize {
        self.working.keys().filter(|key| key.controller == controller).count()
    }
}

impl State {
    /// Whether everything that is watched is known. A standby is ready, too.
    ///
    /// # Errors
    /// With what is missing.
    pub fn ready(&self) -> Result<(), String> {
        if self.world.is_synced() { Ok(()) } else { Err("not everything that is watched is known yet".to_owned()) }
    }

    /// Whether work goes on.
    ///
    /// # Errors
    /// With what hangs.
    pub fn alive(&self) -> Result<(), String> {
        let moving = self.progress.lock();
        let silent = moving.beat.elapsed();
        if silent > LOOP_LIMIT {
            return Err(format!("the loop has not gone round for {} s", silent.as_secs()));
        }
        match moving.working.iter().find(|(_, since)| since.elapsed() > self.work_limit) {
            Some((key, since)) => Err(format!("{key} has been worked on for {} s", since.elapsed().as_secs())),
            None => Ok(()),
        }
    }

    /// All of it, for people. Holds names of objects: not for everybody.
    pub fn snapshot(&self) -> Value {
        let now = clock::now();
        let errors: Vec<Value> = self
            .executor
            .errors()
            .into_iter()
            .map(|(at, key, error)| json!({ "at": at, "key": key, "error": error }))
            .collect();
        let faults = self.world.faults().into_iter().map(|(key, fault)| {
            json!({
                "key": key, "child": fault.child, "reason": fault.cause.reason(), "said": fault.said,
                "since": fault.since, "retryAt": fault.retry_at,
            })
        });
        let objects: serde_json::Map<String, Value> =
            self.world.counts().into_iter().map(|(kind, count)| (kind.plural().to_owned(), json!(count))).collect();
        let (working, leads) = {
            let moving = self.progress.lock();
            let one = |(key, since): (&Key, &Instant)| json!({ "key": key, "seconds": since.elapsed().as_secs_f64() });
            (moving.working.iter().map(one).collect::<Vec<_>>(), moving.leads)
        };
        json!({
            "now": now,
            "synced": self.world.is_synced(),
            "lease": { "leads": leads, "holder": self.leadership.holder() },
            "queue": self.schedule.snapshot(),
            "working": working,
            "watches": self.board.snapshot(now),
            "objects": objects,
            "faults": faults.collect::<Vec<_>>(),
            "errors": errors,
        })
    }
}
