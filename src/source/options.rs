//! What a person may say about where to look.

use std::path::PathBuf;
use std::time::Duration;

/// How long one request may take unless somebody says otherwise.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to look, and as whom. The default is what kubectl would do, but for
/// all namespaces that may be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The kubeconfig to read, instead of `$KUBECONFIG` or `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// The context to use, instead of the current one.
    pub context: Option<String>,
    /// The one namespace to read.
    pub namespace: Option<String>,
    /// Read every namespace, even if the context names one.
    pub all_namespaces: bool,
    /// The user to impersonate.
    pub as_user: Option<String>,
    /// The groups to impersonate. The API server wants a user with them.
    pub as_groups: Vec<String>,
    /// How long one request of a [`crate::Client`] may take; [`REQUEST_TIMEOUT`] if `None`, no
    /// limit if zero.
    pub request_timeout: Option<Duration>,
}

impl Options {
    /// How long one request may take. As for kubectl, zero is no limit: a day.
    pub fn timeout(&self) -> Duration {
        match self.request_timeout {
            Some(Duration::ZERO) => Duration::from_secs(24 * 60 * 60),
            Some(limit) => limit,
            None => REQUEST_TIMEOUT,
        }
    }
}
