//! Thoughts: one line each of what the terrarium is doing.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key::{Key, Kind};
use crate::sanitize;

/// Where a thought was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Origin {
    Event,
    Phase,
    Health,
    Condition,
    Birth,
    Death,
    Proposal,
}

impl Origin {
    /// The word that is shown and serialised.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Phase => "phase",
            Self::Health => "health",
            Self::Condition => "condition",
            Self::Birth => "birth",
            Self::Death => "death",
            Self::Proposal => "proposal",
        }
    }
}

/// How much a thought matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Severity {
    Info,
    Asks,
    Warn,
    Error,
}

/// One line of what an agent, or something around it, is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thought {
    /// Position in the order of hearing, from 1; an identity, never reused.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// Who it is about, in one word: an agent's name where there is one.
    pub who: Arc<str>,
    /// The object it is about.
    pub kind: Kind,
    /// The key of that object.
    pub key: Key,
    /// The pod or the like that an Event names, where the thought is about
    /// its agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Key>,
    /// Where it was heard.
    pub origin: Origin,
    /// How much it matters.
    pub severity: Severity,
    /// What is said, cleaned, possibly over several lines.
    pub text: Box<str>,
}

impl Thought {
    /// The same thought with text that may reach a terminal, for one that
    /// comes from a file or over the wire.
    #[must_use]
    pub fn cleaned(self) -> Self {
        let clean = |key: &Key| Key::new(&sanitize::text(key.namespace()), &sanitize::text(key.name()));
        let (who, text) = (sanitize::text(&self.who), sanitize::text(&self.text));
        let (key, about) = (clean(&self.key), self.about.as_ref().map(clean));
        Self { who: who.as_ref().into(), text: text.as_ref().into(), key, about, ..self }
    }

    /// Whether two tell the same: heard twice, it is one thought.
    fn repeats(&self, other: &Self) -> bool {
        let what = |thought: &Self| (thought.at, thought.kind, thought.key.clone(), thought.about.clone());
        self.text == other.text && what(self) == what(other)
    }
}

/// The last thoughts, oldest first; bounded by number and by bytes.
#[derive(Debug)]
pub struct Thoughts {
    ring: VecDeque<Thought>,
    /// How many are kept.
    most: usize,
    bytes: usize,
    next: u64,
    forgotten: u64,
}

/// How many thoughts are kept, unless fewer are wanted.
pub const MAX_THOUGHTS: usize = 20_000;
/// How many bytes of text the kept thoughts may have.
pub const MAX_BYTES: usize = 8 << 20;
/// How many bytes one thought may have; the rest is cut.
pub const MAX_TEXT: usize = 4 << 10;
/// How far back a late thought is sorted in. Events carry the clock of their
/// sender and whole seconds, so they arrive slightly out of order.
const MAX_SORT: usize = 4_096;

impl Default for Thoughts {
    fn default() -> Self {
        Self::keeping(MAX_THOUGHTS)
    }
}

impl Thoughts {
    /// No thoughts yet, and room for so many.
    pub(crate) fn keeping(most: usize) -> Self {
        Self { ring: VecDeque::new(), most, bytes: 0, next: 0, forgotten: 0 }
    }

    /// Takes a thought in by its time and forgets the oldest past the bounds.
    /// One that is known already, as when two layers tell it, is left alone;
    /// false then.
    pub(crate) fn push(&mut self, mut thought: Thought) -> bool {
        let same_time = self.ring.partition_point(|other| other.at < thought.at);
        if self.ring.range(same_time..).take_while(|other| other.at == thought.at).any(|other| thought.repeats(other)) {
            return false;
        }
        self.next += 1;
        thought.seq = self.next;
        if thought.text.len() > MAX_TEXT {
            let end = (0..=MAX_TEXT).rev().find(|i| thought.text.is_char_boundary(*i)).unwrap_or(0);
            thought.text = format!("{}…", thought.text.get(..end).unwrap_or_default()).into();
        }
        self.bytes += thought.text.len();
        let mut place = self.ring.len();
        let floor = place.saturating_sub(MAX_SORT);
        while place > floor && self.ring.get(place - 1).is_some_and(|last| last.at > thought.at) {
            place -= 1;
        }
        self.ring.insert(place, thought);
        while self.ring.len() > self.most || self.bytes > MAX_BYTES {
            let Some(oldest) = self.ring.pop_front() else { break };
            self.bytes -= oldest.text.len();
            self.forgotten += 1;
        }
        true
    }

    /// Those that happened before `end`, as a ring of their own.
    pub(crate) fn until(&self, end: Timestamp) -> Self {
        let ring: VecDeque<Thought> = self.ring.iter().filter(|thought| thought.at < end).cloned().collect();
        let bytes = ring.iter().map(|thought| thought.text.len()).sum();
        let next = ring.iter().map(|thought| thought.seq).max().unwrap_or(self.forgotten);
        Self { ring, most: self.most, bytes, next, forgotten: self.forgotten }
    }

    /// Oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Thought> + ExactSizeIterator {
        self.ring.iter()
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// The thought at a place, 0 the oldest kept.
    pub fn get(&self, place: usize) -> Option<&Thought> {
        self.ring.get(place)
    }

    /// The thought with this number, if it is still kept.
    pub fn of(&self, seq: u64) -> Option<&Thought> {
        // Late ones are sorted in, so the numbers are only nearly in order.
        let near = self.ring.partition_point(|thought| thought.seq < seq);
        let here = self.ring.get(near).filter(|thought| thought.seq == seq);
        here.or_else(|| self.ring.iter().rev().find(|thought| thought.seq == seq))
    }

    /// How many have been heard since the start.
    pub fn heard(&self) -> u64 {
        self.next
    }

    /// How many were forgotten because the ring was full.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thought(second: i64, text: &str) -> Thought {
        Thought {
            seq: 0,
            at: Timestamp::from_second(second).unwrap(),
            who: "b-gent".into(),
            kind: Kind::Agent,
            key: Key::new("ns", "b-gent"),
            about: None,
            origin: Origin::Event,
            severity: Severity::Info,
            text: text.into(),
        }
    }

    #[test]
    fn late_thoughts_are_sorted_in_and_keep_their_number() {
        let mut thoughts = Thoughts::default();
        for (second, text) in [(5, "x"), (7, "x"), (6, "x"), (7, "y")] {
            assert!(thoughts.push(thought(second, text)));
        }
        assert!(!thoughts.push(thought(6, "x")), "the same thing heard twice is one thought");
        let order: Vec<_> = thoughts.iter().map(|t| (t.at.as_second(), t.seq)).collect();
        assert_eq!(order, [(5, 1), (6, 3), (7, 2), (7, 4)]);
    }

    #[test]
    fn the_ring_is_bounded_and_counts_what_it_forgets() {
        let mut thoughts = Thoughts::default();
        let long = "ü".repeat(MAX_TEXT);
        for second in 0..3_000 {
            thoughts.push(thought(second, &long));
        }
        assert!(thoughts.bytes <= MAX_BYTES);
        assert_eq!(thoughts.heard(), 3_000);
        assert_eq!(thoughts.forgotten() as usize + thoughts.len(), 3_000);
        assert!(thoughts.iter().all(|t| t.text.ends_with('…')));
    }
}
