//! Follows one kind in one part of the cluster: list, then watch, for ever.
//!
//! kube's own watcher is not used: it does not say when a watch that broke is
//! open again, and keeps bookmarks to itself, so that "live" would be a guess.

use std::collections::HashSet;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::{BoxStream, FuturesUnordered};
use jiff::Timestamp;
use kgents_store::watch::WatchState;
use kgents_store::{Kind, Novelty};
use tokio::sync::RwLockReadGuard;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::kubeconfig::Scope;
use super::session::Session;
use super::wire::{Heard, labels_of};
use crate::backoff::Backoff;
use crate::board::{Board, Part};
use crate::clock;
use crate::error::SourceError;

/// How long until a resource that is not there is looked for again. Somebody
/// may be typing `kgents crd install`.
const MISSING_AGAIN: Duration = Duration::from_secs(2);
/// How long until something that was refused is asked for again.
const FORBIDDEN_AGAIN: Duration = Duration::from_secs(5);
/// The same, where many namespaces have to be asked.
const ALL_FORBIDDEN_AGAIN: Duration = Duration::from_secs(15);
/// How long a watch may be silent. API servers send a bookmark about every
/// minute; who says nothing for longer may have been cut off without a word.
const SILENCE: Duration = Duration::from_secs(90);
/// A watch that stands for so long has nothing to do with failures before it.
const STEADY: Duration = Duration::from_secs(5);
/// How long between two looks at Events whose object is not known yet.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long Events wait for Pods and Deployments once the API server answers.
const EVENTS_WAIT: Duration = Duration::from_secs(10);

/// Follows a kind for ever, wherever it may be read.
pub(crate) async fn run(session: &Session, kind: Kind) {
    if kind == Kind::Event {
        pods_first(session).await;
    }
    let board = session.boards.of(kind);
    loop {
        let part = match &session.scope {
            Scope::One(namespace) => Some(namespace.clone()),
            Scope::All => None,
        };
        let whole = part.is_none();
        let refusal = Follower::new(session, kind, part.clone(), whole).run().await;
        if whole {
            in_parts(session, kind).await;
            board.divide();
        }
        board.denied(&part, state_of(&refusal, clock::now())).await;
        sleep(ALL_FORBIDDEN_AGAIN).await;
    }
}

/// Follows a kind in each namespace that may be read, until none may.
async fn in_parts(session: &Session, kind: Kind) {
    let board = session.boards.of(kind);
    let names = session.namespaces().await;
    board.divide();
    for name in names {
        board.begin(&Some(name.clone())).await;
    }
    let mut parts: FuturesUnordered<_> = names
        .iter()
        .map(|name| async move {
            Follower::new(session, kind, Some(name.clone()), true).run().await;
            name
        })
        .collect();
    while let Some(name) = parts.next().await {
        board.refuse(name).await;
    }
}

/// Events are told by what they are about, so that has to be known first.
async fn pods_first(session: &Session) {
    let known = async {
        session.boards.of(Kind::Pod).answered().await;
        session.boards.of(Kind::Deployment).answered().await;
    };
    let tired = async {
        let mut health = session.health.subscribe();
        let _ = health.wait_for(|health| health.down.is_none() && health.verified.is_some()).await;
        sleep(EVENTS_WAIT).await;
    };
    tokio::select! {
        () = known => {}
        () = tired => {}
    }
}

/// Why a watch ended.
enum End {
    /// As it should, or without a word: it can go on where it was.
    Closed,
    /// What we last heard is too old to go on from.
    Gone,
    /// The probe says that nobody answers.
    Down,
    /// Something else.
    Failed(SourceError),
}

impl From<SourceError> for End {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Expired { .. } => Self::Gone,
            error => Self::Failed(error),
        }
    }
}

struct Follower<'a> {
    session: &'a Session,
    board: &'a Board,
    kind: Kind,
    part: Part,
    /// Give up if listing is forbidden, for somebody else to try otherwise.
    may_give_up: bool,
}

impl<'a> Follower<'a> {
    fn new(session: &'a Session, kind: Kind, part: Part, may_give_up: bool) -> Self {
        Self { session, board: session.boards.of(kind), kind, part, may_give_up }
    }

    /// Comes back only if it may give up, with the refusal.
    async fn run(&self) -> SourceError {
        let mut backoff = Backoff::default();
        let mut version = None;
        self.board.begin(&self.part).await;
        loop {
            let from = version.take();
            let end = tokio::select! {
                biased;
                () = self.session.until_down() => End::Down,
                end = self.once(from, &mut version, &mut backoff) => end,
            };
            let pause = match end {
                End::Closed => backoff.next_delay(),
                End::Gone => {
                    version = None;
                    backoff.next_delay()
                }
                End::Down => Duration::ZERO,
                End::Failed(error) => {
                    version = None;
                    match self.failed(error, &mut backoff).await {
                        Ok(pause) => pause,
                        Err(refusal) => return refusal,
                    }
                }
            };
            sleep(pause).await;
            // Nobody answers: wait, but say so first. Who answers after that may
            // be another one, with versions of its own: what was heard before
            // is no place to go on from.
            if let Some(error) = self.session.down() {
                version = None;
                self.board.failing(&self.part, error, self.session.verified()).await;
                self.session.while_down().await;
            }
        }
    }

    /// Tells of a failure and says how long to wait; an error to give up.
    async fn failed(&self, error: SourceError, backoff: &mut Backoff) -> Result<Duration, SourceError> {
        match &error {
            SourceError::Forbidden { verb, .. } if self.may_give_up && verb == "list" => Err(error),
            SourceError::Forbidden { .. } => {
                self.board.denied(&self.part, state_of(&error, clock::now())).await;
                Ok(FORBIDDEN_AGAIN)
            }
            SourceError::Missing { .. } => {
                self.board.denied(&self.part, WatchState::Missing).await;
                Ok(MISSING_AGAIN)
            }
            _ => {
                tracing::debug!(resource = self.kind.resource(), part = self.part, %error, "watch failed");
                self.session.nudge.notify_one();
                self.board.failing(&self.part, error.to_string(), self.session.verified()).await;
                Ok(backoff.next_delay())
            }
        }
    }

    /// Lists if there is nothing to go on from, then watches until that ends.
    async fn once(&self, from: Option<String>, version: &mut Option<String>, backoff: &mut Backoff) -> End {
        let (mut at, listing) = match from {
            Some(version) => (version, None),
            None => match self.list().await {
                Ok((version, listing)) => (version, Some(listing)),
                Err(error) => return error.into(),
            },
        };
        let labels = labels_of(self.kind).map(str::to_owned);
        let wire = self.session.wire();
        let events = match wire.open(self.kind, self.part.as_deref(), labels, &at).await {
            Ok(events) => events,
            Err(error) => return error.into(),
        };
        self.board.live(&self.part).await;
        drop(listing);
        let end = self.watch(events, &mut at, backoff).await;
        *version = Some(at);
        end
    }

    /// Lists all pages and tells the difference. Returns the version to watch
    /// from, and what keeps memories away until that watch stands.
    async fn list(&self) -> Result<(String, RwLockReadGuard<'_, ()>), SourceError> {
        // Never closed, so never refused.
        let _turn = self.session.lists.acquire().await;
        let wire = self.session.wire();
        let known = self.board.was_listed(&self.part);
        let novelty = if known { Novelty::News } else { Novelty::Initial };
        let mut seen = HashSet::new();
        let mut events = Vec::new();
        let mut next = None;
        let mut listing = None;
        loop {
            let labels = labels_of(self.kind).map(str::to_owned);
            let page = wire.page(self.kind, self.part.as_deref(), labels, None, next).await?;
            let turn = match listing.take() {
                Some(turn) => turn,
                None => self.board.listing().await,
            };
            for problem in page.nameless {
                self.board.nameless(problem);
            }
            for object in page.items {
                if self.kind == Kind::Event {
                    events.extend(Some(object).filter(|object| self.session.events.wants(object)));
                } else {
                    seen.insert(object.key.clone());
                    self.board.apply(object, novelty).await;
                }
            }
            next = page.next;
            if next.is_none() {
                self.session.events.listed(events);
                self.board.listed(&self.part, &seen, novelty).await;
                self.session.link.good();
                return Ok((page.version, turn));
            }
            listing = Some(turn);
        }
    }

    async fn watch(
        &self,
        mut events: BoxStream<'static, Result<Heard, SourceError>>,
        at: &mut String,
        backoff: &mut Backoff,
    ) -> End {
        let mut steady = std::pin::pin!(sleep(STEADY));
        let mut stands = false;
        let mut look = interval(LOOK_AGAIN);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = timeout(SILENCE, events.next()) => match event {
                    Ok(Some(Ok(event))) => self.heard(event, at).await,
                    Ok(Some(Err(error))) => return error.into(),
                    Ok(None) | Err(_) => return End::Closed,
                },
                () = &mut steady, if !stands => {
                    stands = true;
                    backoff.reset();
                }
                _ = look.tick(), if self.kind == Kind::Event && self.session.events.waits() => {
                    self.session.events.look_again();
                }
            }
        }
    }

    async fn heard(&self, event: Heard, at: &mut String) {
        match event {
            Heard::Applied(object) => {
                advance(at, &object.resource_version);
                if self.kind == Kind::Event {
                    self.session.events.heard(*object);
                } else {
                    self.board.apply(*object, Novelty::News).await;
                }
            }
            Heard::Deleted(object) => {
                advance(at, &object.resource_version);
                // That an Event is forgotten is no event.
                if self.kind != Kind::Event {
                    self.board.delete(&object.key, Novelty::News).await;
                }
            }
            Heard::Bookmark(version) => advance(at, &version),
            Heard::Nameless(problem) => self.board.nameless(problem),
        }
        self.board.verified(&self.part);
    }
}

/// Remembers how far the watch has come.
fn advance(at: &mut String, version: &str) {
    if !version.is_empty() {
        version.clone_into(at);
    }
}

/// How a kind is heard that answered with this error.
pub(crate) fn state_of(error: &SourceError, now: Timestamp) -> WatchState {
    match error {
        SourceError::Missing { .. } => WatchState::Missing,
        SourceError::Forbidden { verb, resource, namespace, .. } => {
            WatchState::Forbidden { verb: verb.clone(), resource: resource.clone(), namespace: namespace.clone() }
        }
        _ => WatchState::Failing { since: now, error: error.to_string() },
    }
}
