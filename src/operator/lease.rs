//! Who writes: one replica at a time, by a Lease.
//!
//! The algorithm is that of client-go's `tools/leaderelection`: whether another
//! holder's time is over is judged by when *we* saw its record change last, on
//! a clock of ours that no one sets; every update carries the resource version
//! that it was made from. Beyond client-go, a standby watches the Lease, so that
//! one that is given back is taken at once, and whoever writes asks
//! [`Leadership::may_write`] first, so that a process that stood still while
//! its Lease ran out starts no write when it wakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

pub mod clock;
mod elector;
mod record;
mod session;

pub use clock::Clock;

/// Which Lease, and by what times.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are, unlike any other replica.
    pub identity: String,
    /// How long a holder that is not heard of any more keeps it. A holder that
    /// could not renew for two thirds of it stops leading by itself.
    pub duration: Duration,
    /// How often it is renewed or tried for.
    pub retry: Duration,
    /// How long one request may take.
    pub request_limit: Duration,
    /// Annotations that the holder writes beside it.
    pub notes: Vec<(String, String)>,
    /// The annotation among them in which all who wait for the Lease should
    /// agree, for the holder does the work of all of them.
    pub common: Option<String>,
}

impl Options {
    /// client-go's times: a Lease of 15 s, renewed every 2 s.
    pub const DURATION: Duration = Duration::from_secs(15);

    /// How long after its last renewal began a holder goes on.
    fn deadline(&self) -> Duration {
        self.duration * 2 / 3
    }
}

/// What others may know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    /// Counts each time that we begin to lead; odd while we do.
    term: u64,
    holder: Option<String>,
    problem: Option<String>,
}

impl State {
    const fn leads(&self) -> bool {
        self.term % 2 == 1
    }
}

/// What a replica knows of its leadership. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leadership {
    shared: Arc<Shared>,
    state: watch::Receiver<State>,
}

/// What the elector and those who ask share.
#[derive(Debug)]
struct Shared {
    clock: Arc<dyn Clock>,
    /// Until when we lead, in nanoseconds of the clock; 0 while we do not.
    until: AtomicU64,
    /// Kept, so that whoever waits for leadership that never changes waits on.
    say: watch::Sender<State>,
}

impl Leadership {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let (say, state) = watch::channel(State::default());
        Self { shared: Arc::new(Shared { clock, until: AtomicU64::new(0), say }), state }
    }

    /// That of one that writes without a Lease.
    pub fn always() -> Self {
        let this = Self::new(Arc::new(clock::System));
        this.shared.lead(Duration::from_nanos(u64::MAX));
        this
    }

    /// Whether a write may start now that may take `limit`: the Lease is ours
    /// and does not end before.
    pub fn may_write(&self, limit: Duration) -> bool {
        let until = self.shared.until.load(Ordering::Acquire);
        until > 0 && nanos(self.shared.clock.boot().saturating_add(limit)) < until
    }

    /// Whether we lead, as far as the elector knows. Only for show:
    /// [`Self::may_write`] decides.
    pub fn leads(&self) -> bool {
        self.shared.say.borrow().leads()
    }

    /// Waits until we lead.
    pub async fn led(&self) {
        let _ = self.state.clone().wait_for(State::leads).await;
    }

    /// Waits until the leadership that we have now is lost; at once if we have
    /// none.
    pub async fn lost(&self) {
        let mut state = self.state.clone();
        let term = state.borrow_and_update().term;
        let _ = state.wait_for(|state| !state.leads() || state.term != term).await;
    }

    /// The holder's identity, as far as it is known.
    pub fn holder(&self) -> Option<String> {
        self.shared.say.borrow().holder.clone()
    }

    /// Why the Lease cannot be had or renewed just now, in words; `None` while
    /// all is well, also for a standby.
    pub fn problem(&self) -> Option<String> {
        self.shared.say.borrow().problem.clone()
    }
}

impl Shared {
    fn lead(&self, until: Duration) {
        self.until.store(nanos(until).max(1), Ordering::Release);
        self.say.send_if_modified(|state| {
            let new = !state.leads();
            state.term += u64::from(new);
            new
        });
    }

    /// Gives whether we led.
    fn follow(&self) -> bool {
        self.until.store(0, Ordering::Release);
        self.say.send_if_modified(|state| {
            let led = state.leads();
            state.term += u64::from(led);
            led
        })
    }

    fn tell(&self, holder: Option<&str>, problem: Option<&str>) {
        self.say.send_if_modified(|state| {
            let new = state.holder.as_deref() != holder || state.problem.as_deref() != problem;
            if new {
                state.holder = holder.map(str::to_owned);
                state.problem = problem.map(str::to_owned);
            }
            new
        });
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// A name for this process that no other has: the host's (in a pod, the pod's)
/// and something random.
pub fn identity() -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = if host.is_empty() { kgents_api::OPERATOR } else { &host };
    format!("{host}_{:08x}", fastrand::u32(..))
}

/// Tries for the Lease, renews it, and gives it back (an empty holder) when
/// `cancel` fires: whoever writes must have ended before. The future ends once
/// it is given back, or could not be within the time of a request.
pub fn elect(
    client: kube::Client,
    options: Options,
    cancel: CancellationToken,
) -> (Leadership, impl Future<Output = ()> + Send) {
    elect_counted(client, options, Arc::default(), cancel)
}

/// The same as [`elect`], with its requests counted.
pub fn elect_counted(
    client: kube::Client,
    options: Options,
    metrics: Arc<Metrics>,
    cancel: CancellationToken,
) -> (Leadership, impl Future<Output = ()> + Send) {
    elect_by(Arc::new(clock::System), client, options, metrics, cancel)
}

/// The same by another clock.
pub fn elect_by(
    clock: Arc<dyn Clock>,
    client: kube::Client,
    options: Options,
    metrics: Arc<Metrics>,
    cancel: CancellationToken,
) -> (Leadership, impl Future<Output = ()> + Send) {
    let leadership = Leadership::new(clock);
    let session = session::Session::new(client, options, metrics, Arc::clone(&leadership.shared));
    (leadership, session.run(cancel))
}

#[cfg(test)]
mod tests;
