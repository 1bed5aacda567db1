//! A Cortex in this process that is fed by hand, so that neither an API server
//! nor its client is measured with the window.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kgents_store::Kind;
use kgents_store::bus::{self, Bus, Change, Novelty};
use kgents_store::timeline::StepChange;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;

use crate::it::support::user::User;
use crate::story;

/// How long it may take to listen, and a window to take in what it is sent.
const LIMIT: Duration = Duration::from_secs(60);

/// A Cortex that knows a thousand agents.
pub struct Cortex {
    bus: Bus,
    feeding: Runtime,
    cancel: CancellationToken,
    server: Option<JoinHandle<()>>,
    /// Someone whose windows ask it and nobody else.
    pub user: User,
}

impl Cortex {
    /// Starts it.
    pub fn start() -> Self {
        let user = User::new();
        let socket = user.path("cortex.sock");
        let user = user.var("KGENTS_CORTEX", format!("unix:{}", socket.display()));
        let (ready, listens) = sync_channel(1);
        let (bus, reader) = bus::new();
        let cancel = CancellationToken::new();
        let ends = cancel.clone();
        let server = std::thread::spawn(move || {
            let options = kgents_cortex::Options {
                listen: Vec::new(),
                socket: Some(socket),
                token: None,
                version: env!("CARGO_PKG_VERSION"),
                patience: LIMIT,
            };
            let serving = kgents_cortex::serve(reader, options, |_| ready.send(()).unwrap(), ends);
            runtime().block_on(serving).unwrap();
        });
        let cortex = Self { bus, feeding: runtime(), cancel, server: Some(server), user };
        cortex.feeding.block_on(async {
            let now = Timestamp::now();
            for control in story::beginning("story", now) {
                cortex.bus.control(control).await;
            }
            for i in 0..story::AGENTS {
                let agent = story::running(i, i + 1, now, "Running", 3);
                cortex.bus.state(story::change(Kind::Agent, &agent, Novelty::Initial)).await;
            }
        });
        listens.recv_timeout(LIMIT).expect("the Cortex listens");
        cortex
    }

    /// Tells of so many pheromones.
    pub fn pheromones(&self, count: u64) {
        self.feeding.block_on(async {
            let now = Timestamp::now();
            for i in 0..count {
                let pheromone = story::pheromone(i, story::AGENTS + i + 1, now);
                self.bus.state(story::change(Kind::Pheromone, &pheromone, Novelty::Initial)).await;
            }
        });
    }

    /// Tells these thoughts: no more at once than the bus and a reader who is
    /// slow keep, for what is dropped is not seen.
    pub fn thoughts(&self, numbers: Range<u64>) {
        for i in numbers {
            self.bus.thought(&story::thought(i, Timestamp::now()));
        }
    }

    /// Lets changes come, as many a second as the story has, until dropped.
    pub fn flow(&self) -> Flow {
        let (bus, stop) = (self.bus.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || runtime().block_on(pour(&bus, &stopped)));
        Flow { stop, thread: Some(thread) }
    }
}

/// Tells step after step, each at its time: never faster to catch up with
/// what was late than the clock demands.
async fn pour(bus: &Bus, stop: &AtomicBool) -> u64 {
    let (began, from) = (Instant::now(), Timestamp::now());
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = began.elapsed().as_millis() as u64 * story::RATE / 1_000;
        while number < due {
            let change = story::step(number, from).change;
            number += 1;
            match change {
                StepChange::Put { kind, object } => bus.state(story::change(kind, &object, Novelty::News)).await,
                StepChange::Gone { kind, key } => {
                    bus.state(Change { kind, key, now: None, novelty: Novelty::News }).await;
                }
                StepChange::Thought(thought) => bus.thought(&thought),
            }
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    number
}

/// Changes that come and come.
pub struct Flow {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<u64>>,
}

impl Flow {
    /// Stops them; answers how many came.
    pub fn stop(mut self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Drop for Cortex {
    fn drop(&mut self) {
        self.cancel.cancel();
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}
