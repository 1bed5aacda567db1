//! Why an operator ends that should not.

use std::net::SocketAddr;
use std::time::Duration;

use kgents_source::SourceError;

use crate::once::Report;

/// Why an operator ends that should not.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The API server cannot be reached as it was said.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The label selector is none.
    #[error("the label selector cannot be read: {problem}")]
    Selector {
        /// What is wrong with it.
        problem: String,
    },
    /// Metrics and health cannot be served there.
    #[error("metrics and health cannot be served on {addr}: {problem}; choose another with --metrics-addr")]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system says.
        problem: String,
    },
    /// It was to converge, and did not in time.
    #[error("not converged within {} s: {}", limit.as_secs(), waiting.join("; "))]
    NotConverged {
        /// How long it tried.
        limit: Duration,
        /// What is not as it should be, a sentence each.
        waiting: Vec<String>,
        /// What it came to.
        report: Box<Report>,
    },
}
