//! Where the terrarium is read from.
//!
//! The only room that speaks to the Kubernetes API. [`watch`] tells everything
//! that it hears on the store's bus, for ever; a [`Client`] asks single
//! questions. kube's generics stay in here.
//!
//! Both need a rustls provider (`ring`) installed in the process, and a tokio
//! runtime with IO and time. Decoding costs real time: spawn [`watch`] on a
//! runtime with worker threads, so that the thread that draws never pays it.

pub mod backoff;
mod board;
pub mod checkup;
pub mod clock;
pub mod compost;
pub mod error;
mod fixture;
pub mod ghost;
pub mod grpc;
pub mod hands;
pub mod kube;
pub mod ladder;
mod look;
pub mod options;
mod plan;
mod recall;
pub mod redact;
mod rung;
mod stage;

pub use error::{Origin, SourceError};
pub use kube::{Client, Listed, open, scene};
pub use look::{Ask, Look, look};
pub use options::{Fixture, Options};
pub use recall::ghost_tree;
pub use stage::watch;

/// The Ghost's folder, where nobody said another: `$KGENTS_GHOST_DIR`, else
/// `~/.kgents/ghost`. `None` where there is no home.
pub fn ghost_folder() -> Option<std::path::PathBuf> {
    ghost::folder(|name| std::env::var_os(name))
}
