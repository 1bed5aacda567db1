//! A timeline: what happens after a recorded moment. As text one JSON object a
//! line.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::{Key, Kind};
use crate::sanitize;
use crate::thought::Thought;

/// The latest moment that a timeline may speak of, in milliseconds: a day.
pub const MAX_OFFSET_MS: u64 = 24 * 60 * 60 * 1_000;

/// How many characters of an error are said; it may quote what it read.
const MAX_ERROR: usize = 300;

/// One thing that happens after the recorded moment: a line of a timeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "Line", try_from = "Line")]
pub struct Step {
    /// When: milliseconds after that moment.
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

/// A step as it is written.
#[derive(Serialize, Deserialize)]
struct Line {
    offset_ms: u64,
    change: Written,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum Written {
    Put { kind: Kind, object: Value },
    Gone { kind: Kind, namespace: String, name: String },
    Thought { thought: Thought },
}

impl From<Step> for Line {
    fn from(Step { offset_ms, change }: Step) -> Self {
        let change = match change {
            StepChange::Put { kind, object } => Written::Put { kind, object },
            StepChange::Gone { kind, key } => {
                Written::Gone { kind, namespace: key.namespace().to_owned(), name: key.name().to_owned() }
            }
            StepChange::Thought(thought) => Written::Thought { thought },
        };
        Self { offset_ms, change }
    }
}

impl TryFrom<Line> for Step {
    type Error = String;

    fn try_from(Line { offset_ms, change }: Line) -> Result<Self, String> {
        if offset_ms > MAX_OFFSET_MS {
            return Err(format!("offset_ms is {offset_ms}: a timeline ends after a day, at {MAX_OFFSET_MS}"));
        }
        let change = match change {
            Written::Put { kind, object } => {
                if object.pointer("/metadata/name").and_then(Value::as_str).is_none_or(str::is_empty) {
                    return Err(format!("the {kind} that is put has no metadata.name"));
                }
                StepChange::Put { kind, object }
            }
            Written::Gone { kind, namespace, name } => {
                StepChange::Gone { kind, key: Key::new(&sanitize::text(&namespace), &sanitize::text(&name)) }
            }
            Written::Thought { thought } => StepChange::Thought(thought),
        };
        Ok(Self { offset_ms, change })
    }
}

/// Reads one line of a timeline.
///
/// Objects and thoughts come out as they were written: the one is cleaned by
/// [`crate::object::decode`], the other by [`Thought::cleaned`], before
/// anything is done with them.
///
/// # Errors
/// What is wrong with the line, in words that may reach a terminal.
pub fn step(line: &str) -> Result<Step, String> {
    serde_json::from_str(line).map_err(|error| said(&error.to_string()))
}

/// An error that may quote hostile text.
fn said(error: &str) -> String {
    let clean: String = sanitize::text(error).chars().take(MAX_ERROR).collect();
    clean.replace(['\n', '\t'], " ")
}
