//! The queue with a clock and a bell.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kgents_source::clock;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::key::{Controller, Key};
use crate::metrics::Metrics;
use crate::queue::{End, Queue};

/// How many of the keys that wait are shown.
const SHOWN: usize = 20;

/// The queue with a clock and a bell.
#[derive(Debug)]
pub struct Schedule {
    queue: Mutex<Queue>,
    bell: Notify,
    metrics: Arc<Metrics>,
}

impl Schedule {
    /// An empty one.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { queue: Mutex::default(), bell: Notify::new(), metrics }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Its invariants hold between any two statements that could panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for keys.
    pub fn add(&self, keys: impl IntoIterator<Item = Key>) {
        let now = Instant::now();
        let mut rings = false;
        let mut queue = self.lock();
        for key in keys {
            let controller = key.controller;
            if queue.add(key, now) {
                rings = true;
                self.metrics.queued(controller.word(), queue.depth(controller));
            }
        }
        drop(queue);
        if rings {
            self.bell.notify_one();
        }
    }

    /// Waits for a key to work on. One at a time may wait; dropping it loses
    /// nothing.
    pub async fn next(&self) -> Key {
        loop {
            let pause = {
                let mut queue = self.lock();
                let (now, wall) = (Instant::now(), clock::now());
                for key in queue.wake(now, wall) {
                    self.metrics.queued(key.controller.word(), queue.depth(key.controller));
                }
                if let Some((key, waited)) = queue.take(now) {
                    self.metrics.taken(key.controller.word(), queue.depth(key.controller), waited);
                    return key;
                }
                queue.sleep(now, wall)
            };
            let timer = async {
                match pause {
                    Some(pause) => sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.bell.notified() => {}
                () = timer => {}
            }
        }
    }

    /// Work on a key ended.
    pub fn done(&self, key: &Key, end: End) {
        let delay = self.lock().done(key, end, Instant::now(), fastrand::u64(..));
        if delay.is_some() {
            self.metrics.retried(key.controller.word());
        }
        self.bell.notify_one();
    }

    /// Whether nothing is worked on, waits to be, or is tried again after a failure.
    pub fn is_idle(&self) -> bool {
        self.lock().is_idle()
    }

    /// How it stands, for people.
    pub fn snapshot(&self) -> Value {
        let queue = self.lock();
        let depths: serde_json::Map<String, Value> =
            Controller::ALL.iter().map(|one| (one.word().to_owned(), json!(queue.depth(*one)))).collect();
        let (delayed, timed) = queue.waiting();
        let delays = queue.delays(Instant::now()).take(SHOWN);
        let delays: Vec<Value> =
            delays.map(|(wait, key)| json!({ "key": key, "seconds": wait.as_secs_f64() })).collect();
        let moments = queue.moments().take(SHOWN);
        let moments: Vec<Value> = moments.map(|(at, key)| json!({ "key": key, "at": at })).collect();
        json!({
            "ready": depths, "working": queue.working(), "backingOff": delayed, "timed": timed,
            "nextRetries": delays, "nextMoments": moments,
        })
    }
}
