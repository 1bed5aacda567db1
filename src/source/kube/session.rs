//! What all tasks of one connection share.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, OnceCell, Semaphore, watch};

use super::events::EventLog;
use super::kubeconfig::Scope;
use super::namespaces;
use super::wire::Wire;
use crate::board::Boards;
use crate::error::SourceError;
use crate::rung::Teller;

/// How many lists may run at once.
const LISTS: usize = 16;

/// How the API server was when it was last probed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health {
    /// Why it does not answer; `None` while it does, or before it was asked.
    pub down: Option<String>,
    /// When it last did.
    pub verified: Option<Timestamp>,
}

/// One connection: an API server, a scope, and what is known of them.
pub(crate) struct Session {
    /// The newest client. Credentials may be renewed under a running session.
    pub wire: watch::Sender<Wire>,
    /// How much is read.
    pub scope: Scope,
    /// The namespace of the context, or of the pod that we run in.
    pub own_namespace: Option<String>,
    /// How the API server is.
    pub health: watch::Sender<Health>,
    /// Asks for a probe now.
    pub nudge: Notify,
    /// Asks for new credentials.
    pub renew: Notify,
    /// Tells how the connection stands.
    pub link: Arc<Teller>,
    /// What was told.
    pub boards: Arc<Boards>,
    /// What was said.
    pub events: Arc<EventLog>,
    /// A turn to list.
    pub lists: Semaphore,
    namespaces: OnceCell<Vec<String>>,
}

impl Session {
    pub(crate) fn new(
        wire: Wire,
        scope: Scope,
        own_namespace: Option<String>,
        link: Arc<Teller>,
        boards: Arc<Boards>,
        events: Arc<EventLog>,
    ) -> Self {
        Self {
            wire: watch::Sender::new(wire),
            scope,
            own_namespace,
            health: watch::Sender::default(),
            nudge: Notify::new(),
            renew: Notify::new(),
            link,
            boards,
            events,
            lists: Semaphore::new(LISTS),
            namespaces: OnceCell::new(),
        }
    }

    /// The newest client.
    pub(crate) fn wire(&self) -> Wire {
        self.wire.borrow().clone()
    }

    /// The namespaces to try where the whole may not be read; asked once.
    pub(crate) async fn namespaces(&self) -> &[String] {
        self.namespaces
            .get_or_init(|| async { namespaces::candidates(&self.wire(), self.own_namespace.as_deref()).await })
            .await
    }

    /// The API server answered a probe.
    pub(crate) fn answers(&self, now: Timestamp) {
        // Only who waits for the end of a silence is woken, not all, each time.
        self.health.send_if_modified(|health| {
            health.verified = Some(now);
            health.down.take().is_some()
        });
    }

    /// The API server does not answer.
    pub(crate) fn silent(&self, error: &SourceError) {
        self.health.send_if_modified(|health| health.down.replace(error.to_string()).is_none());
    }

    /// Waits while the API server is known not to answer.
    pub(crate) async fn while_down(&self) {
        // The sender lives as long as we do.
        let _ = self.health.subscribe().wait_for(|health| health.down.is_none()).await;
    }

    /// Waits until the API server is known not to answer.
    pub(crate) async fn until_down(&self) {
        let _ = self.health.subscribe().wait_for(|health| health.down.is_some()).await;
    }

    /// Why the API server does not answer; `None` if it does, or was not asked yet.
    pub(crate) fn down(&self) -> Option<String> {
        self.health.borrow().down.clone()
    }

    /// When the API server last answered a probe.
    pub(crate) fn verified(&self) -> Option<Timestamp> {
        self.health.borrow().verified
    }
}
