//! What an operator is started with.

use std::net::SocketAddr;
use std::time::Duration;

use kgents_core::plan::Config;

use crate::lease;

/// What an operator is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the API server is reached.
    pub source: kgents_source::Options,
    /// The one namespace that it looks after; `None` is all.
    pub namespace: Option<String>,
    /// Only custom resources with these labels, as kubectl takes them.
    pub selector: Option<String>,
    /// How many keys are worked on at once.
    pub concurrency: usize,
    /// The Lease that it takes before it writes; `None` writes without one.
    pub lease: Option<lease::Options>,
    /// Where metrics and health are served; `None` serves none.
    pub metrics_addr: Option<SocketAddr>,
    /// What plans depend on.
    pub config: Config,
    /// Converge, report and end.
    pub once: bool,
    /// Write nothing; say what would be written.
    pub dry_run: bool,
    /// How long it may take to come to its end, where it has one.
    pub limit: Duration,
}
