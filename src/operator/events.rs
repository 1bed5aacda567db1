//! Events on the object that a person looks at: aggregated, not repeated, and
//! never so many that they become a load.
//!
//! As client-go's recorder of `events.k8s.io/v1` does it: what is said again
//! about the same object becomes a series of the Event that is there, and each
//! object has a bucket of tokens.

use std::sync::Arc;
use std::time::Duration;

use kgents_core::plan;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::lease::Leadership;
use crate::metrics::Metrics;

mod book;
mod scribe;

/// How many wait to be written. What comes beyond is dropped and counted.
const WAITING: usize = 1024;

/// The object that an Event is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct About {
    /// `kgents.io/v1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// Something to say.
#[derive(Clone, Debug)]
struct Said {
    about: About,
    event: plan::Event,
}

/// Says Events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recorder {
    waiting: mpsc::Sender<Said>,
    metrics: Arc<Metrics>,
}

impl Recorder {
    /// One that says, and the future that does the saying: it ends, once
    /// `cancel` has fired, when all is said or the time of one request is
    /// over. Each request may take `limit`; none starts that
    /// [`Leadership::may_write`] forbids.
    pub fn start(
        client: kube::Client,
        metrics: Arc<Metrics>,
        limit: Duration,
        leadership: Leadership,
        cancel: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (waiting, reader) = mpsc::channel(WAITING);
        let scribe = scribe::Scribe::new(client, Arc::clone(&metrics), limit, leadership);
        (Self { waiting, metrics }, scribe.run(reader, cancel))
    }

    /// Says one; returns once it is handed over. What cannot be said is
    /// counted and logged, never an error.
    pub fn say(&self, about: &About, event: &plan::Event) {
        let said = Said { about: about.clone(), event: event.clone() };
        if self.waiting.try_send(said).is_err() {
            self.metrics.event_dropped();
            let About { kind, namespace, name, .. } = about;
            tracing::warn!(%kind, %namespace, %name, reason = event.reason, "too many events wait: one is dropped");
        }
    }
}

#[cfg(test)]
mod tests;
