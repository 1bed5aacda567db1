//! The Ghost: the last known state of a cluster on disk, so that the terminal
//! is never blind.
//!
//! A [`Ghost`] is the tree of one context. [`Ghost::read`] reads it whole and
//! never fails: what cannot be read is a [`Problem`], and the rest stands.
//! [`keep`] keeps it current from a tap of the bus, [`write_once`] writes what
//! a terrarium knows, and [`changes`] tells when somebody wrote.
//!
//! The layout is for people as well, with cat, grep and jq:
//!
//! ```text
//! agents/_index.json            which agents there are
//! agents/<name>.json            one agent; <namespace>.<name>.json outside kgents-agents
//! pheromones/active.json        what can be sensed, by_type/<TYPE>.json the same by type
//! proposals/pending.json        what somebody may still decide; merged.json and
//! proposals/rejected.json       rejected.json hold the others
//! cluster/status.json           Deployments, Pods, Memories, Umwelts
//! thoughts/recent.jsonl         one thought a line, the newest last
//! _meta/sync.json               whose tree it is, and when each area was written
//! _meta/stability_score.json    how calm each area is
//! _meta/lock                    the pid of who writes
//! _meta/timeline.jsonl          of a recording, what happens then; see [`write_recording`]
//! ```
//!
//! Every file is written beside its place, synced and renamed, so each is
//! whole at any moment. The order of the renames keeps the tree whole: agents
//! before the index that names them, the index before agents go.

mod changes;
mod disk;
mod envelope;
mod error;
mod keep;
mod layout;
mod ledger;
mod lock;
mod name;
mod open;
mod read;
mod recording;
mod render;
mod snapshot;
mod status;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use changes::changes;
pub use error::GhostError;
pub use keep::{Keep, Kept, keep};
pub(crate) use name::stem;
pub use read::{Memory, Problem, Remembered};
pub use recording::write_recording;
pub(crate) use recording::{HEAD_FILE, Recorded, TIMELINE_FILE};
pub use status::{AreaStatus, Status};
pub use tree::{Ghost, folder};
pub use write::{AreaWritten, Written, write_once};
