//! Worlds to look at and to test with: a busy day, an empty cluster, an old
//! memory, a damaged one, every script there is, and a crowd.
//!
//! A world is what an API server would hold at one moment, what was thought
//! before it, and what happens after it. Each comes from a stated seed and a
//! fixed clock, so it is the same byte for byte on every machine. No IO.

mod busy;
mod cast;
#[cfg(test)]
mod check;
mod cluster;
mod corrupt;
mod cues;
mod huge;
mod petition;
mod rng;
mod script;
mod stage;
mod stale;
mod tear;
mod timeline;
mod unicode;

use jiff::Timestamp;
use kgents_store::{Key, Kind, Thought};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use tear::{TEARS, Tear, TearKind, tear};
pub use timeline::{MAX_OFFSET_MS, step};

/// The moment at which the worlds stand: 2026-01-15T14:30:00Z.
const NOW: Timestamp = Timestamp::constant(1_768_487_400, 0);

/// A world at one moment, and what happens after it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// busy, empty, stale, corrupt, wide-unicode or huge.
    pub name: &'static str,
    /// The newest stamp in it.
    pub now: Timestamp,
    /// Whole objects, as an API server has them, by kind, namespace and name.
    pub objects: Vec<(Kind, Value)>,
    /// What was thought before `now`, oldest first: what a terrarium that
    /// listened all the while has heard.
    pub thoughts: Vec<Thought>,
    /// What happens after `now`, in order.
    pub timeline: Vec<Step>,
}

/// One thing that happens after a world's `now`: a line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "timeline::Line", try_from = "timeline::Line")]
pub struct Step {
    /// When: milliseconds after `now`.
    pub offset_ms: u64,
    /// What.
    pub change: StepChange,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum StepChange {
    /// An object is made or changed. It is news: the terrarium that hears it
    /// finds the words, so no thought of the timeline says it again.
    Put {
        /// Its kind.
        kind: Kind,
        /// The whole object.
        object: Value,
    },
    /// An object is gone.
    Gone {
        /// Its kind.
        kind: Kind,
        /// Its key.
        key: Key,
    },
    /// A thought that no object tells, such as an Event.
    Thought(Thought),
}

/// All six worlds.
pub fn worlds() -> Vec<World> {
    MAKERS.iter().map(|(_, make)| make()).collect()
}

/// The world of this name.
pub fn world(name: &str) -> Option<World> {
    MAKERS.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
}

/// A world's name, and who makes it.
type Maker = (&'static str, fn() -> World);

const MAKERS: [Maker; 6] = [
    ("busy", busy::world),
    ("empty", empty),
    ("stale", stale::world),
    ("corrupt", corrupt::world),
    ("wide-unicode", unicode::world),
    ("huge", huge::world),
];

/// A cluster that knows our kinds and holds nothing of them.
fn empty() -> World {
    World { name: "empty", now: NOW, objects: Vec::new(), thoughts: Vec::new(), timeline: Vec::new() }
}
