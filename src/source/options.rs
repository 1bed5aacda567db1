//! What a person may say about where to look.

use std::path::PathBuf;
use std::time::Duration;

use kgents_store::Layer;

use crate::grpc::Address;

/// How long one request may take unless somebody says otherwise.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// Where to look, and as whom. The default is what kubectl would do, but for
/// all namespaces that may be read.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// The only layer to ask; all three if `None`.
    pub layer: Option<Layer>,
    /// Where the Cortex is. If `None`, the socket and the port where one listens that was told nothing else.
    pub cortex: Option<Address>,
    /// The token that the Cortex asks for.
    pub cortex_token: Option<String>,
    /// The Ghost's folder; none is read or kept if `None`.
    pub ghost: Option<PathBuf>,
    /// Keep the Ghost current while something live speaks.
    pub keep_ghost: bool,
    /// Play this recorded tree instead of asking anybody.
    pub fixture: Option<Fixture>,
}

/// A recorded tree to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixture {
    /// Its folder.
    pub path: PathBuf,
    /// How fast: 1 is as fast as it happened, 0 shows only how it begins.
    pub speed: f64,
}

impl Options {
    /// Whether a layer is asked at all.
    pub fn asks(&self, layer: Layer) -> bool {
        self.layer.is_none_or(|pinned| pinned == layer)
    }

    /// Whether something may be remembered: there is a Ghost, or something to
    /// play.
    pub fn remembers(&self) -> bool {
        let ghost = self.ghost.as_ref().filter(|_| self.asks(Layer::Ghost));
        self.fixture.is_some() || ghost.is_some_and(|folder| folder.join("_meta/sync.json").exists())
    }

    /// How long one request may take. As for kubectl, zero is no limit: a day.
    pub fn timeout(&self) -> Duration {
        match self.request_timeout {
            Some(Duration::ZERO) => Duration::from_secs(24 * 60 * 60),
            Some(limit) => limit,
            None => REQUEST_TIMEOUT,
        }
    }
}
