//! The Kubernetes API as a source.

mod certificate;
mod checkup;
mod client;
mod connect;
mod events;
mod explain;
mod facts;
mod follow;
pub(crate) mod kubeconfig;
pub(crate) mod namespaces;
mod plugin;
mod probe;
mod proxy;
mod send;
mod session;
mod supervise;
#[cfg(test)]
pub(crate) mod testing;
mod wire;
pub(crate) mod words;

use std::sync::Arc;
use std::time::Duration;

use kgents_store::watch::Scene;

pub(crate) use checkup::{aim, examine};
pub use client::{Client, Listed};
pub(crate) use connect::{Patience, connect};
pub(crate) use explain::Ask;
pub(crate) use facts::Access;
pub(crate) use follow::state_of;
pub(crate) use send::Undone;
pub(crate) use supervise::Engine;
pub(crate) use wire::{PAGE, Wire, segment, warn_nameless};

use crate::error::{Origin, SourceError};
use crate::options::Options;

/// What would be looked at, from the kubeconfig alone: no network, no
/// credential plugin.
///
/// # Errors
/// When there is no kubeconfig, or it cannot be used, or has no such context.
pub fn scene(options: &Options) -> Result<Scene, SourceError> {
    Ok(words::scene(&kubeconfig::find(options, None)?.scene))
}

/// A client for one who works with the API server rather than looks at it:
/// nothing is retried, each request is the caller's to limit. Runs the
/// credential plugin if there is one, but asks the API server nothing yet.
///
/// # Errors
/// When the kubeconfig or its credentials cannot be used.
pub async fn open(options: &Options) -> Result<(::kube::Client, Scene), SourceError> {
    let target = kubeconfig::target(options, None)?;
    let (wire, _) = connect(&target, Patience::Watch(options.timeout())).await?;
    Ok((wire.client().clone(), words::scene(&target.scene)))
}

/// That the API server keeps us waiting.
pub(crate) fn late(options: &Options, limit: Duration) -> SourceError {
    let Scene { server, context, .. } = scene(options).unwrap_or_default();
    SourceError::Timeout { origin: Arc::new(Origin { server, context }), limit }
}
