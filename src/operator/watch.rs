//! Follows one kind for ever: list, then watch, into the world.
//!
//! Not kube's watcher, as in `kgents_source`: that one has no limit on the
//! time of a list (a black hole would hang it), keeps the version of the list
//! to itself, which [`World::listed`] needs, and comes back to a version that
//! another etcd never had again and again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use kgents_source::{backoff, clock};
use kube::api::{ListParams, WatchParams};
use kube::core::{Request as Builder, WatchEvent};
use kube::{Client, Error};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use crate::call::Failure;
use crate::intake;
use crate::key::Kind;
use crate::metrics::Metrics;
use crate::schedule::Schedule;
use crate::world::{Source, World};

/// How many objects one page of a list holds.
const PAGE: u32 = 500;
/// How long a page may take, or the beginning of a watch.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long the API server is asked to keep a watch open, in seconds. Below
/// the five minutes after which many proxies cut a connection.
const WATCH_SECONDS: u32 = 290;
/// How long a watch may be silent. API servers send a bookmark about every
/// minute; who says nothing for longer may have been cut off without a word.
const SILENCE: Duration = Duration::from_secs(90);
/// The longest delay after a first failure.
const BASE: Duration = Duration::from_millis(100);
/// The longest delay of all.
const CAP: Duration = Duration::from_secs(30);
/// A watch that stands for so long has nothing to do with failures before it.
const STEADY: Duration = Duration::from_secs(5);
/// After how many watches in a row that ended soon it is listed anew: one that
/// is cut off within an event would never come past it.
const UNSTEADY: u32 = 2;

/// Within which time all come back once one of them has reached the API server.
const TOGETHER: Duration = Duration::from_secs(1);

/// How a watch stands that tells.
const LIVE: &str = "live";
/// How a watch stands that does not.
const BROKEN: &str = "broken";

/// After how many failures in a row a kind that is not there is believed not
/// to be there.
const SURELY_MISSING: u32 = 3;

/// How the watches stand, for people.
#[derive(Debug, Default)]
pub struct Board {
    lines: Mutex<BTreeMap<Kind, Line>>,
    /// Rings when somebody reaches the API server again.
    reached: Notify,
}

#[derive(Clone, Debug, Default)]
struct Line {
    state: &'static str,
    heard: Option<Timestamp>,
    lists: u64,
    breaks: u64,
    error: Option<(Timestamp, String)>,
}

impl Board {
    fn note(&self, kind: Kind, change: impl FnOnce(&mut Line)) {
        change(self.lines.lock().unwrap_or_else(PoisonError::into_inner).entry(kind).or_default());
    }

    /// How the watches stand.
    pub fn snapshot(&self, now: Timestamp) -> Value {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(kind, line): (&Kind, &Line)| {
            let error = line.error.as_ref().map(|(at, error)| json!({ "at": at, "error": error }));
            let silent = line.heard.map(|at| now.duration_since(at).as_secs_f64());
            let line = json!({
                "state": line.state, "secondsSinceHeard": silent, "lists": line.lists, "breaks": line.breaks,
                "lastError": error,
            });
            (kind.plural().to_owned(), line)
        };
        lines.iter().map(line).collect::<serde_json::Map<_, _>>().into()
    }
}

/// What follows one kind.
#[derive(Clone)]
pub(crate) struct Follower {
    pub(crate) client: Client,
    pub(crate) kind: Kind,
    pub(crate) namespace: Option<String>,
    pub(crate) world: Arc<World>,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) board: Arc<Board>,
    pub(crate) metrics: Arc<Metrics>,
}

/// Why a watch ended.
enum End {
    /// As it should, or without a word: it can go on where it was.
    Closed,
    /// What we last heard is no place to go on from.
    Gone(Failure),
    /// Something else: it can go on where it was.
    Failed(Failure),
}

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    #[serde(default)]
    items: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    r#continue: Option<String>,
}

impl Follower {
    /// Follows for ever.
    pub(crate) async fn run(self) {
        let mut version = None;
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            let end = self.once(&mut version).await;
            if begun.elapsed() >= STEADY && version.is_some() {
                failures = 0;
            }
            let mut is_away = false;
            let (failure, gone) = match end {
                End::Closed => (None, false),
                End::Gone(failure) => (Some(failure), true),
                End::Failed(failure) => (Some(failure), false),
            };
            // Where a watch cannot be held, lists have to tell.
            if gone || failures >= UNSTEADY {
                version = None;
            }
            if let Some(failure) = failure {
                is_away = matches!(failure.code(), 0 | 429 | 500..);
                self.broke(&failure);
                // An API server that starts knows some kinds late.
                if failure.code() == 404 && failures >= SURELY_MISSING {
                    self.world.missing(self.kind);
                }
            }
            let pause = backoff::jitter(backoff::ceiling(BASE, CAP, failures), fastrand::u64(..));
            failures = failures.saturating_add(1);
            tokio::select! {
                () = sleep(pause) => {}
                // Another one reached the API server: no use to wait for long,
                // nor to come all at once.
                () = self.board.reached.notified(), if is_away => {
                    sleep(backoff::jitter(TOGETHER.min(pause), fastrand::u64(..))).await;
                }
            }
        }
    }

    fn broke(&self, failure: &Failure) {
        let (resource, now) = (self.kind.plural(), clock::now());
        self.metrics.watch_broke(resource);
        tracing::debug!(resource, %failure, "a watch broke");
        let is_new = &mut false;
        self.board.note(self.kind, |line| {
            line.state = if failure.code() == 404 { "missing" } else { BROKEN };
            line.breaks += 1;
            let said = failure.to_string();
            *is_new = line.error.as_ref().is_none_or(|(_, before)| *before != said);
            line.error = Some((now, said));
        });
        if *is_new {
            tracing::warn!(resource, %failure, "what is watched cannot be followed; it is tried again");
        }
    }

    /// Lists if there is nothing to go on from, then watches until that ends.
    async fn once(&self, version: &mut Option<String>) -> End {
        let at = match version.take() {
            Some(version) => version,
            None => match self.list().await {
                Ok(version) => version,
                Err(failure) => return End::Gone(failure),
            },
        };
        let at = version.insert(at);
        let params = WatchParams {
            label_selector: self.kind.labels().map(str::to_owned),
            timeout: Some(WATCH_SECONDS),
            bookmarks: true,
            ..WatchParams::default()
        };
        let request = match Builder::new(self.kind.collection(self.namespace.as_deref())).watch(&params, at) {
            Ok(request) => request,
            Err(error) => return End::Gone(Failure::Unheard(error.to_string())),
        };
        let begun = Instant::now();
        let opened = timeout(ANSWER_LIMIT, self.client.request_events::<Value>(request)).await;
        let opened = opened.map_err(|_| late()).and_then(|opened| opened.map_err(heard_badly));
        self.count("watch", &opened, begun);
        let events = match opened {
            Ok(events) => events,
            Err(failure) => return ended(failure),
        };
        let was_broken = &mut false;
        self.board.note(self.kind, |line| *was_broken = std::mem::replace(&mut line.state, LIVE) == BROKEN);
        if *was_broken {
            self.board.reached.notify_waiters();
        }
        let mut events = std::pin::pin!(events);
        loop {
            match timeout(SILENCE, events.next()).await {
                Ok(Some(Ok(event))) => {
                    if let Err(failure) = self.heard(event, at) {
                        return ended(failure);
                    }
                }
                Ok(Some(Err(error))) => return ended(heard_badly(error)),
                Ok(None) | Err(_) => return End::Closed,
            }
        }
    }

    /// Lists all pages into the world. Returns the version to watch from.
    async fn list(&self) -> Result<String, Failure> {
        self.board.note(self.kind, |line| {
            // One that is broken is so until it tells again.
            if line.state != BROKEN {
                line.state = "listing";
            }
        });
        let builder = Builder::new(self.kind.collection(self.namespace.as_deref()));
        let mut next: Option<String> = None;
        let mut is_first = true;
        loop {
            let params = ListParams {
                label_selector: self.kind.labels().map(str::to_owned),
                limit: Some(PAGE),
                continue_token: next.take(),
                ..ListParams::default()
            };
            let request = builder.list(&params).map_err(|error| Failure::Unheard(error.to_string()))?;
            if is_first {
                // Before it is asked: what we write from now on may not be in it.
                self.world.listing(self.kind);
                is_first = false;
            }
            let begun = Instant::now();
            let page = timeout(ANSWER_LIMIT, self.client.request::<Page>(request)).await;
            let page = page.map_err(|_| late()).and_then(|page| page.map_err(heard_badly));
            self.count("list", &page, begun);
            let page = page?;
            for object in page.items.into_iter().flatten() {
                self.take(object, Source::Listed);
            }
            next = page.metadata.r#continue.filter(|token| !token.is_empty());
            if next.is_none() {
                let version = page.metadata.resource_version;
                self.schedule.add(self.world.listed(self.kind, version.parse().ok()));
                self.board.note(self.kind, |line| {
                    line.lists += 1;
                    line.heard = Some(clock::now());
                    line.error = None;
                });
                return Ok(version);
            }
        }
    }

    fn take(&self, object: Value, source: Source) {
        match intake::read(self.kind, object) {
            Ok(object) => self.schedule.add(self.world.put(self.kind, object, source)),
            Err(problem) => tracing::warn!(resource = self.kind.plural(), problem, "an object is left out"),
        }
    }

    fn heard(&self, event: WatchEvent<Value>, at: &mut String) -> Result<(), Failure> {
        let mut advance = |object: &Value| {
            if let Some(version) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
                version.clone_into(at);
            }
        };
        match event {
            WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                advance(&object);
                self.take(object, Source::Heard);
            }
            WatchEvent::Deleted(object) => {
                advance(&object);
                match intake::read(self.kind, object) {
                    Ok(object) => self.schedule.add(self.world.remove(self.kind, &object)),
                    Err(problem) => {
                        tracing::warn!(resource = self.kind.plural(), problem, "an object is left out");
                    }
                }
            }
            WatchEvent::Bookmark(bookmark) => bookmark.metadata.resource_version.clone_into(at),
            WatchEvent::Error(status) => return Err(Failure::Refused(status)),
        }
        self.board.note(self.kind, |line| line.heard = Some(clock::now()));
        Ok(())
    }

    fn count<T>(&self, verb: &'static str, answer: &Result<T, Failure>, begun: Instant) {
        let code = answer.as_ref().map_or_else(Failure::code, |_| 200);
        self.metrics.called(verb, self.kind.plural(), "watch", code, begun.elapsed());
    }
}

fn late() -> Failure {
    Failure::Unheard(format!("no answer within {ANSWER_LIMIT:?}"))
}

fn heard_badly(error: Error) -> Failure {
    match error {
        Error::Api(status) => Failure::Refused(status),
        error => Failure::Unheard(crate::classify::clean(&error.to_string())),
    }
}

/// Whether it can go on where it was. An API server that refuses may not know
/// our version (410; 504 for one that is still to come), or not the kind any
/// more: then it is listed anew.
fn ended(failure: Failure) -> End {
    match failure.code() {
        0 | 429 | 500 | 502 | 503 => End::Failed(failure),
        _ => End::Gone(failure),
    }
}
