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
mod unicode;

use jiff::Timestamp;
use kgents_store::{Kind, Thought};
use serde_json::Value;

pub use kgents_store::timeline::{MAX_OFFSET_MS, Step, StepChange, step};
pub use tear::{TEARS, Tear, TearKind, tear};

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

impl World {
    /// The timeline as `_meta/timeline.jsonl` holds it: a line for each step.
    pub fn timeline_jsonl(&self) -> String {
        let mut text = String::new();
        for step in &self.timeline {
            // Strings, numbers and maps with string keys are always JSON.
            text.push_str(&serde_json::to_string(step).unwrap_or_default());
            text.push('\n');
        }
        text
    }
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
