//! The operator: makes the cluster what the custom resources say.
//!
//! Ordinary kube-rs around [`kgents_core::plan`]: watches fill [`world`], a
//! change puts a key into [`queue`], a worker plans and [`execute`]s. Every
//! replica watches and plans; the one that holds the Lease ([`lease`]) writes.

pub mod events;
pub mod lease;
pub mod metrics;
pub mod options;
pub mod rbac;
pub mod serve;

pub use options::Options;
