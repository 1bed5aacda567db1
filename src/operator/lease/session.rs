//! The IO of an election.

use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube::api::PostParams;
use kube::runtime::{WatchStreamExt, watcher};
use tokio_util::sync::CancellationToken;

use super::elector::{Answer, Ask, Elector, Next};
use super::{Options, Shared};
use crate::metrics::Metrics;

/// The words of the one reason for which requests about a Lease are made.
const REASON: &str = "lease";
const LEASES: &str = "leases";

pub(super) struct Session {
    api: Api<Lease>,
    options: Options,
    metrics: Arc<Metrics>,
    shared: Arc<Shared>,
    elector: Elector,
    /// What stands in the way, as it was said last.
    problem: Option<String>,
    /// In what the holder differs from us, as it was said last.
    dissent: Option<String>,
}

impl Session {
    pub(super) fn new(client: kube::Client, options: Options, metrics: Arc<Metrics>, shared: Arc<Shared>) -> Self {
        let api = Api::namespaced(client, &options.namespace);
        let elector = Elector::new(options.clone(), fastrand::Rng::new());
        Self { api, options, metrics, shared, elector, problem: None, dissent: None }
    }

    pub(super) async fn run(mut self, cancel: CancellationToken) {
        let mut changes = std::pin::pin!(changes(&self.api, &self.options.name));
        loop {
            let next = self.elector.next(self.shared.clock.boot(), self.shared.clock.wall());
            self.publish();
            match next {
                Next::Ask(ask) => {
                    // A write is not left in the air: what it did decides what is given back.
                    tokio::select! {
                        () = cancel.cancelled(), if ask == Ask::Get => break,
                        () = self.ask(&ask) => {}
                    }
                    self.publish();
                    if cancel.is_cancelled() {
                        break;
                    }
                }
                Next::Wait(pause) => tokio::select! {
                    () = cancel.cancelled() => break,
                    () = tokio::time::sleep(pause) => {}
                    change = changes.next() => self.heard(change),
                },
            }
        }
        self.release().await;
    }

    fn heard(&mut self, change: Option<watcher::Result<Option<Lease>>>) {
        let now = self.shared.clock.boot();
        match change {
            Some(Ok(lease)) => self.elector.heard(lease, now),
            Some(Err(error)) => {
                tracing::debug!(error = %error, "the watch of the Lease broke");
                self.metrics.watch_broke(LEASES);
                self.elector.deaf(now);
            }
            None => self.elector.deaf(now),
        }
    }

    async fn ask(&mut self, ask: &Ask) {
        let started = self.shared.clock.boot();
        let limit = self.elector.patience(started);
        let name = self.options.name.as_str();
        let params = PostParams::default();
        let (verb, sent) = match ask {
            Ask::Get => ("get", within(limit, self.api.get(name)).await),
            Ask::Create(lease) => ("create", within(limit, self.api.create(&params, lease)).await),
            Ask::Update(lease) => ("update", within(limit, self.api.replace(name, &params, lease)).await),
        };
        let now = self.shared.clock.boot();
        self.metrics.called(verb, LEASES, REASON, code(verb, &sent), now.saturating_sub(started));
        let (answer, problem) = read(verb, sent, &self.options);
        // Whether one can be made that is not there, its making will tell.
        let problem = if matches!(answer, Answer::Missing) { self.problem.clone() } else { problem };
        if problem != self.problem {
            if let Some(problem) = &problem {
                tracing::warn!(lease = %self.title(), "{problem}");
            } else {
                tracing::info!(lease = %self.title(), "the API server answers about the Lease again");
            }
            self.problem = problem;
        }
        self.elector.answered(ask, started, answer, now);
    }

    /// Says once that the holder does not do what we are here for.
    fn compare(&mut self) {
        let dissent = self.elector.dissent().map(str::to_owned);
        if dissent == self.dissent {
            return;
        }
        if let Some(theirs) = &dissent {
            let holder = self.elector.holder().unwrap_or_default();
            let common = self.options.common.as_deref().unwrap_or_default();
            tracing::warn!(
                lease = %self.title(), holder, theirs,
                "who leads was started with another {common}: what is only ours to do is done by nobody; \
                 start this one with a --lease-namespace of its own"
            );
        }
        self.dissent = dissent;
    }

    /// Lets others know how it stands.
    fn publish(&mut self) {
        self.compare();
        let holder = self.elector.holder();
        let leads = self.shared.say.borrow().leads();
        match self.elector.until() {
            Some(until) => {
                self.shared.lead(until);
                if !leads {
                    tracing::info!(lease = %self.title(), identity = self.options.identity, "this replica leads now");
                }
            }
            None => {
                if self.shared.follow() {
                    let holder = holder.unwrap_or("nobody");
                    tracing::warn!(lease = %self.title(), holder, "this replica leads no more");
                }
            }
        }
        self.metrics.leads(self.elector.until().is_some());
        self.shared.tell(holder, self.problem.as_deref());
    }

    /// Gives the Lease back, so that the next one need not wait for its end.
    async fn release(mut self) {
        let clock = Arc::clone(&self.shared.clock);
        let limit = self.elector.patience(clock.boot());
        self.shared.follow();
        self.metrics.leads(false);
        for _ in 0..2 {
            let Some(lease) = self.elector.release(clock.boot(), clock.wall()) else { break };
            let started = clock.boot();
            let sent = within(limit, self.api.replace(&self.options.name, &PostParams::default(), &lease)).await;
            let now = clock.boot();
            self.metrics.called("update", LEASES, REASON, code("update", &sent), now.saturating_sub(started));
            match sent {
                Ok(lease) => {
                    self.elector.answered(&Ask::Get, started, Answer::Lease(lease), now);
                    tracing::info!(lease = %self.title(), "the Lease is given back");
                }
                Err(Some(kube::Error::Api(status))) if status.code == 409 => {
                    // Somebody wrote beside it: once more from what stands there.
                    self.ask(&Ask::Get).await;
                    continue;
                }
                Err(error) => {
                    let error = error.map_or_else(|| "no answer".to_owned(), |error| short(&error));
                    tracing::warn!(lease = %self.title(), error, "the Lease cannot be given back: it will run out");
                }
            }
            break;
        }
        self.shared.tell(self.elector.holder(), None);
    }

    fn title(&self) -> String {
        format!("{}/{}", self.options.namespace, self.options.name)
    }
}

/// What happens to the Lease, for ever.
fn changes(api: &Api<Lease>, name: &str) -> impl Stream<Item = watcher::Result<Option<Lease>>> + Send + use<> {
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let events = watcher(api.clone(), config).default_backoff();
    events
        .scan(false, |seen, event| {
            use watcher::Event;
            let told = match event {
                Ok(Event::Init) => {
                    *seen = false;
                    None
                }
                Ok(Event::InitApply(lease)) => {
                    *seen = true;
                    Some(Ok(Some(lease)))
                }
                Ok(Event::Apply(lease)) => Some(Ok(Some(lease))),
                Ok(Event::Delete(_)) => Some(Ok(None)),
                Ok(Event::InitDone) => (!*seen).then_some(Ok(None)),
                Err(error) => Some(Err(error)),
            };
            futures::future::ready(Some(told))
        })
        .filter_map(futures::future::ready)
}

/// The answer to a request; an error without one says that none came in time.
type Sent = Result<Lease, Option<kube::Error>>;

async fn within(limit: Duration, request: impl Future<Output = kube::Result<Lease>>) -> Sent {
    match tokio::time::timeout(limit, request).await {
        Ok(sent) => sent.map_err(Some),
        Err(_) => Err(None),
    }
}

/// The HTTP status, or 0.
fn code(verb: &str, sent: &Sent) -> u16 {
    match sent {
        Ok(_) if verb == "create" => 201,
        Ok(_) => 200,
        Err(Some(kube::Error::Api(status))) => status.code,
        Err(_) => 0,
    }
}

/// What an answer means for the election, and what stands in its way.
fn read(verb: &str, sent: Sent, options: &Options) -> (Answer, Option<String>) {
    let Options { namespace, .. } = options;
    let error = match sent {
        Ok(lease) => return (Answer::Lease(lease), None),
        Err(None) => return (Answer::Failed, Some("the API server does not answer in time".to_owned())),
        Err(Some(error)) => error,
    };
    let kube::Error::Api(status) = &error else {
        return (Answer::Failed, Some(format!("the API server cannot be asked: {}", short(&error))));
    };
    let kind = status.details.as_ref().map(|details| details.kind.as_str()).unwrap_or_default();
    match status.code {
        404 if kind == "namespaces" => {
            let words = format!("namespace {namespace} does not exist: kubectl create namespace {namespace}");
            (Answer::Failed, Some(words))
        }
        404 => (Answer::Missing, None),
        409 => (Answer::Conflict, None),
        403 => {
            let words = format!(
                "not allowed to {verb} leases in namespace {namespace}: kgents operator rbac | kubectl apply -f - ({})",
                status.message
            );
            (Answer::Failed, Some(words))
        }
        code => (Answer::Failed, Some(format!("the API server answers {code}: {}", status.message))),
    }
}

fn short(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}
