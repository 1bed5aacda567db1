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

/// That the API server keeps us waiting.
pub(crate) fn late(options: &Options, limit: Duration) -> SourceError {
    let Scene { server, context, .. } = scene(options).unwrap_or_default();
    SourceError::Timeout { origin: Arc::new(Origin { server, context }), limit }
}
