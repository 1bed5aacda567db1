//! The loop: watches fill the world, keys that changed are worked on while we
//! lead.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kgents_core::selector::Selector;
use kgents_source::clock;
use kube::Client;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::call::Caller;
use crate::error::OperatorError;
use crate::events::Recorder;
use crate::execute::Executor;
use crate::key::{Key, Kind};
use crate::lease::{self, Leadership};
use crate::metrics::{Metrics, Outcome};
use crate::once::{self, Planned, Report};
use crate::options::Options;
use crate::queue::End;
use crate::schedule::Schedule;
use crate::serve;
use crate::state::{Progress, State};
use crate::watch::{Board, Follower};
use crate::world::World;

/// How often the loop goes round although nothing happens.
const BEAT: Duration = Duration::from_secs(30);
/// How long until what died is started again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long nothing must have happened before `--once` believes that it is done.
const CALM: Duration = Duration::from_millis(500);
/// How many requests one key may cost at most, as far as liveness is concerned.
const REQUESTS: u32 = 60;

/// How an operator ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// All is as it should be, or will not become so by itself.
    Converged(Report),
}

/// Runs an operator until `cancel` fires, or until it has converged where it
/// was asked for that. Needs a tokio runtime with IO and time, and a rustls
/// provider.
///
/// # Errors
/// When the options cannot be used, or it was to converge and did not.
pub async fn run(options: Options, cancel: CancellationToken) -> Result<Ended, OperatorError> {
    let (client, scene) = kgents_source::open(&options.source).await?;
    tracing::info!(server = scene.server, context = scene.context, "an operator starts");
    run_with(client, options, cancel).await
}

/// The same with a client that is there already.
///
/// # Errors
/// As [`run`].
pub async fn run_with(client: Client, options: Options, cancel: CancellationToken) -> Result<Ended, OperatorError> {
    let selector = options.selector.as_deref().filter(|text| !text.trim().is_empty());
    let selector = selector.map(Selector::parse).transpose().map_err(|problem| OperatorError::Selector { problem })?;
    let listener = match options.metrics_addr {
        Some(addr) => {
            let bound = TcpListener::bind(addr).await;
            Some(bound.map_err(|error| OperatorError::Listen { addr, problem: error.to_string() })?)
        }
        None => None,
    };
    Operator::new(client, options, selector).run(listener, cancel).await
}

struct Operator {
    options: Options,
    client: Client,
    metrics: Arc<Metrics>,
    state: Arc<State>,
    limit: Duration,
    /// Fires when no write may start any more.
    closing: CancellationToken,
    /// Fires when nothing has to be said any more.
    saying: CancellationToken,
    /// Fires when the Lease has to be given back.
    holding: CancellationToken,
    /// Runs beside the loop to its own end, each within the time of a request.
    aside: Aside,
}

type Task = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

struct Aside {
    saying: Task,
    holding: Option<Task>,
}

impl Operator {
    fn new(client: Client, options: Options, selector: Option<Selector>) -> Self {
        let limit = options.source.timeout();
        let metrics = Arc::new(Metrics::default());
        let (closing, saying, holding) = (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let lease = options.lease.clone().filter(|_| !options.dry_run);
        let (leadership, held): (_, Option<Task>) = match lease {
            Some(lease) => {
                let (leadership, held) =
                    lease::elect_counted(client.clone(), lease, Arc::clone(&metrics), holding.clone());
                (leadership, Some(Box::pin(held)))
            }
            None => (Leadership::always(), None),
        };
        let (recorder, said) =
            Recorder::start(client.clone(), Arc::clone(&metrics), limit, leadership.clone(), saying.clone());
        let world = Arc::new(World::new(selector));
        let schedule = Arc::new(Schedule::new(Arc::clone(&metrics)));
        let caller = Caller::new(client.clone(), leadership.clone(), Arc::clone(&metrics), limit, closing.clone());
        let (config, shared) = (options.config.clone(), Arc::clone(&schedule));
        let executor = Executor::new(Arc::clone(&world), shared, caller, recorder, config);
        let state = State {
            world,
            schedule,
            board: Arc::new(Board::default()),
            executor: Arc::new(executor),
            leadership,
            progress: Progress::default(),
            work_limit: limit.saturating_mul(REQUESTS),
        };
        let aside = Aside { saying: Box::pin(said), holding: held };
        Self { options, client, metrics, state: Arc::new(state), limit, closing, saying, holding, aside }
    }

    async fn run(self, listener: Option<TcpListener>, cancel: CancellationToken) -> Result<Ended, OperatorError> {
        let Self { options, client, metrics, state, limit, closing, saying, holding, aside } = self;
        let begun = Instant::now();
        let mut beside = JoinSet::new();
        let serving = CancellationToken::new();
        if let Some(listener) = listener {
            beside.spawn(show(listener, Arc::clone(&metrics), Arc::clone(&state), serving.clone()));
        }
        for kind in Kind::ALL {
            let follower = Follower {
                client: client.clone(),
                kind,
                namespace: options.namespace.clone(),
                world: Arc::clone(&state.world),
                schedule: Arc::clone(&state.schedule),
                board: Arc::clone(&state.board),
                metrics: Arc::clone(&metrics),
            };
            beside.spawn(follow(follower));
        }
        let mut said = tokio::spawn(aside.saying);
        let mut held = aside.holding.map(tokio::spawn);

        let turns = Turns { options: &options, metrics: &metrics, state: &state, begun };
        let ended = turns.take(&cancel, &closing, limit).await;

        // In this order: an Event is a write, too, and none may start once the
        // Lease is given back.
        closing.cancel();
        saying.cancel();
        wait("events", &mut said, limit).await;
        holding.cancel();
        if let Some(held) = &mut held {
            wait("lease", held, limit).await;
        }
        serving.cancel();
        beside.shutdown().await;
        ended
    }
}

/// Waits for a task to end by itself; leaves it behind if it does not.
async fn wait(task: &str, handle: &mut tokio::task::JoinHandle<()>, limit: Duration) {
    match timeout(limit, &mut *handle).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::error!(task, %error, "a task died"),
        Err(_) => {
            tracing::warn!(task, "a task does not end; it is left behind");
            handle.abort();
        }
    }
}

/// Follows a kind for ever, whatever happens to the one that does.
async fn follow(follower: Follower) {
    loop {
        let run = AssertUnwindSafe(follower.clone().run()).catch_unwind().await;
        if run.is_err() {
            tracing::error!(resource = follower.kind.plural(), "what follows a kind died and is started again");
        }
        sleep(AGAIN).await;
    }
}

async fn show(listener: TcpListener, metrics: Arc<Metrics>, state: Arc<State>, cancel: CancellationToken) {
    let (ready, alive, debug) = (Arc::clone(&state), Arc::clone(&state), state);
    let served =
        serve::serve(listener, metrics, move || ready.ready(), move || alive.alive(), move || debug.snapshot(), cancel);
    if let Err(error) = served.await {
        tracing::error!(%error, "metrics and health are not served any more");
    }
}

/// The loop itself.
struct Turns<'a> {
    options: &'a Options,
    metrics: &'a Arc<Metrics>,
    state: &'a Arc<State>,
    begun: Instant,
}

/// Why the loop stopped leading.
enum Why {
    Cancelled,
    Lost,
    Ended(Result<Ended, OperatorError>),
}

impl Turns<'_> {
    async fn take(
        &self,
        cancel: &CancellationToken,
        closing: &CancellationToken,
        limit: Duration,
    ) -> Result<Ended, OperatorError> {
        let mut working = JoinSet::new();
        let ended = loop {
            let led = async {
                self.state.world.synced().await;
                self.state.leadership.led().await;
            };
            tokio::select! {
                biased;
                () = cancel.cancelled() => break Ok(Ended::Stopped),
                () = led => {}
                () = self.too_late() => break Err(self.not_converged()),
                () = self.beat(false) => {}
            }
            if self.options.dry_run {
                break Ok(Ended::Converged(self.dry_run()));
            }
            self.metrics.leads(true);
            self.state.executor.led().await;
            let keys = self.state.world.keys();
            tracing::info!(objects = keys.len(), "work begins");
            self.state.schedule.add(keys);
            let why = self.lead(cancel, &mut working).await;
            self.metrics.leads(false);
            match why {
                Why::Cancelled => break Ok(Ended::Stopped),
                Why::Ended(ended) => break ended,
                Why::Lost => tracing::info!("work stops; watching goes on"),
            }
        };
        closing.cancel();
        let finish = async { while working.join_next().await.is_some() {} };
        if timeout(limit, finish).await.is_err() {
            tracing::warn!("work in flight did not end in time; it is left behind");
        }
        ended
    }

    /// Goes round for ever, so that liveness is seen.
    async fn beat(&self, leads: bool) {
        loop {
            self.state.progress.beat(leads);
            sleep(BEAT).await;
        }
    }

    async fn lead(&self, cancel: &CancellationToken, working: &mut JoinSet<()>) -> Why {
        let most = self.options.concurrency.max(1);
        let mut beat = std::pin::pin!(self.beat(true));
        let mut lost = std::pin::pin!(self.state.leadership.lost());
        let mut too_late = std::pin::pin!(self.too_late());
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Why::Cancelled,
                () = &mut lost => return Why::Lost,
                () = &mut beat => {}
                Some(ended) = working.join_next(), if !working.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "work on a key died");
                    }
                }
                key = self.state.schedule.next(), if working.len() < most => {
                    working.spawn(work(key, Arc::clone(self.state), Arc::clone(self.metrics)));
                }
                () = &mut too_late => return Why::Ended(Err(self.not_converged())),
                report = self.converged(), if self.options.once => return Why::Ended(Ok(Ended::Converged(report))),
            }
        }
    }

    /// Comes back once all is as it should be, and stays so for a moment.
    async fn converged(&self) -> Report {
        loop {
            sleep(CALM).await;
            if !self.state.schedule.is_idle() {
                continue;
            }
            let (report, waiting) = once::take_stock(&self.state.world);
            if waiting.is_empty() {
                return self.complete(report);
            }
        }
    }

    async fn too_late(&self) {
        if self.options.once || self.options.dry_run {
            tokio::time::sleep_until(self.begun + self.options.limit).await;
        } else {
            std::future::pending::<()>().await;
        }
    }

    fn not_converged(&self) -> OperatorError {
        let (report, mut waiting) = once::take_stock(&self.state.world);
        if let Err(missing) = self.state.ready() {
            waiting.push(missing);
        }
        OperatorError::NotConverged { limit: self.options.limit, waiting, report: Box::new(self.complete(report)) }
    }

    fn complete(&self, report: Report) -> Report {
        let writes = self.state.executor.writes_made();
        Report { writes, seconds: self.begun.elapsed().as_secs_f64(), ..report }
    }

    /// What would be written.
    fn dry_run(&self) -> Report {
        let (report, _) = once::take_stock(&self.state.world);
        let mut keys = self.state.world.keys();
        keys.sort();
        let planned = |key: Key| {
            let seen = self.state.world.observe(&key)?;
            let plan = self.state.executor.plan(&key, &seen, clock::now());
            (!plan.is_empty()).then_some(Planned { key, plan })
        };
        let plans = keys.into_iter().filter_map(planned).collect();
        Report { plans, ..self.complete(report) }
    }
}

/// Works on a key, whatever happens.
async fn work(key: Key, state: Arc<State>, metrics: Arc<Metrics>) {
    let controller = key.controller.word();
    metrics.busy(controller, state.progress.begin(&key));
    let begun = Instant::now();
    let span = tracing::info_span!("reconcile", controller, namespace = key.namespace, name = key.name);
    let work = tracing::Instrument::instrument(state.executor.work(&key), span);
    let end = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(%key, "work on a key panicked; it is tried again later");
        End::Badly(None)
    });
    let outcome = match end {
        End::Well(None) => Outcome::Success,
        End::Well(Some(_)) => Outcome::RequeueAfter,
        End::Badly(_) => Outcome::Error,
    };
    metrics.reconciled(controller, outcome, begun.elapsed());
    metrics.busy(controller, state.progress.end(&key));
    state.schedule.done(&key, end);
}
