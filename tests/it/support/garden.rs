//! A namespace in which objects come to life.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::audit::{Audit, Call};
use super::cluster::{self, Cluster};
use super::place::Place;
use super::wait::{SOON, eventually};

/// A namespace on an API server with controllers, a scheduler and a node
/// whose pods run without containers, and with an audit log.
pub struct Garden {
    place: Place,
    /// The audit log of the API server.
    pub audit: Audit,
}

impl Deref for Garden {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Garden {
    /// A new namespace on the API server that all share; `name` says whose.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        Self::on(cluster::living(), name)
    }

    /// A new namespace on an API server that was started with [`cluster::LIVING`].
    #[track_caller]
    pub fn on(cluster: Arc<Cluster>, name: &str) -> Self {
        let audit = cluster.audit();
        Self { place: Place::on(cluster, name), audit }
    }

    /// What kgents wrote in this namespace since `mark`, but for Events and Leases.
    pub fn writes(&self, mark: u64) -> Vec<Call> {
        self.audit.writes(mark).into_iter().filter(|call| call.namespace == self.namespace).collect()
    }

    /// Waits until nothing was written here for so long, which is what is
    /// watched for and no wait for something else, and gives what was written
    /// since `mark`.
    #[track_caller]
    pub fn quiet(&self, mark: u64, for_: Duration) -> Vec<Call> {
        let (mut count, mut since) = (usize::MAX, Instant::now());
        eventually(SOON * 2 + for_, "that nothing is written any more", || {
            let writes = self.writes(mark);
            if writes.len() != count {
                (count, since) = (writes.len(), Instant::now());
            }
            if since.elapsed() >= for_ { Ok(writes) } else { Err(format!("{:?}", writes.last().map(Call::short))) }
        })
    }
}
