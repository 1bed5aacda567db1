//! How many bytes a step of the past is taken to have.
//!
//! An object counts with twice the length of its JSON: as Rust types it takes
//! between one and two times that (each string has a header, each map its
//! nodes). JSON is walked because the walk knows every field that there will
//! ever be, and writes nowhere: it counts.

use std::io;

use serde::Serialize;

use super::Step;
use crate::heartbeat::Pulse;
use crate::key::{Key, Kind};
use crate::terrarium::undo::{Undo, Was};
use crate::terrarium::{Gone, Held};

/// What a step takes by itself.
pub(super) const STEP: usize = size_of::<Step>();
/// What any entry takes: itself, its place in the list of what was seen, and
/// the headers of the strings behind it.
const ENTRY: usize = size_of::<Was>() + 2 * size_of::<(Kind, Key)>() + 64;

/// The bytes of one thing as it was.
pub(super) fn of(was: &Was) -> usize {
    let inner = match was {
        Was::Agent(_, Some(agent)) => held(&agent.held) + agent.last.as_ref().map_or(0, |last| last.len()),
        Was::Heard(_, _, last) => last.as_ref().map_or(0, |last| last.len()),
        Was::Pheromone(_, Some(pheromone)) => {
            held(&pheromone.held) + pheromone.fade.as_ref().err().map_or(0, String::len)
        }
        Was::Proposal(_, Some(object)) => held(object),
        Was::Memory(_, Some(object)) => held(object),
        Was::Umwelt(_, Some(object)) => held(object),
        Was::Deployment(_, Some(facts)) => json(&**facts),
        Was::Pod(_, Some(facts)) => json(&**facts),
        Was::Unreadable(_, _, Some(object)) => json(&object.raw) + object.error.len(),
        _ => 0,
    };
    let (_, key, _) = super::part(was);
    ENTRY + key.namespace().len() + key.name().len() + inner
}

/// The bytes of what is not about single objects.
pub(super) fn of_figures(undo: &Undo) -> usize {
    undo.pulse.as_ref().map_or(0, |pulse| pulse.len() * 4 + size_of::<Pulse>())
        + undo.oldest_gone.len() * size_of::<Gone>()
        + (undo.counters.revisions.len() + undo.counters.beyond.len()) * size_of::<(Kind, Option<u64>)>()
}

fn held<T: Serialize>(held: &Held<T>) -> usize {
    json(&*held.object) + held.uid.len() + held.resource_version.len()
}

fn json<T: Serialize>(object: &T) -> usize {
    let mut counter = Counter(0);
    // A counter refuses nothing; what cannot be serialised is counted as far
    // as it went.
    let _ = serde_json::to_writer(&mut counter, object);
    2 * counter.0
}

/// Counts what is written, and keeps none of it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
