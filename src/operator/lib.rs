//! The operator: makes the cluster what the custom resources say.
//!
//! Ordinary kube-rs around [`kgents_core::plan`]: watches fill [`world`], a
//! change puts a key into [`queue`], a worker plans and executes. Every
//! replica watches and plans; the one that holds the Lease ([`lease`]) writes.

mod call;
mod classify;
pub mod error;
pub mod events;
mod execute;
pub mod intake;
pub mod key;
pub mod lease;
pub mod metrics;
pub mod once;
pub mod options;
mod pace;
pub mod queue;
pub mod rbac;
mod run;
mod schedule;
pub mod serve;
mod state;
mod unreadable;
mod watch;
pub mod world;

pub use error::OperatorError;
pub use key::{Controller, Key};
pub use once::Report;
pub use options::Options;
pub use run::{Ended, run, run_with};
