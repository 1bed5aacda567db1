//! What the plans of subjects with one child share: whose the child is, what
//! a failed write means, and when a status is worth a write.

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Condition, LABEL_AGENT, LABEL_MANAGED_BY, LABEL_NAME, LABEL_PART_OF, OPERATOR, ObjectMeta, PART_OF};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::conditions::{Said, conditions};
use super::{Change, Child, Event, Fault, Live, Observed, Plan, Resource, Status, TRANSIENT, owned};

/// How long an object of somebody else that has our name is believed to stay:
/// what is not ours is not watched.
const STRANGER_STAYS: SignedDuration = SignedDuration::from_mins(10);

/// The most bytes that an Event may say.
const EVENT_BYTES: usize = 1024;
/// The most bytes of a server's words in a condition: a status has to stay small.
const WORDS_BYTES: usize = 512;

/// A name as the value of a label, which ends at 63 characters: one that is
/// longer keeps its beginning, and a hash tells it from others that begin alike.
pub(super) fn label_value(name: &str) -> String {
    const LONGEST: usize = 63;
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let begin: String = name.chars().take(LONGEST - 9).collect();
    format!("{}-{:08x}", begin.trim_end_matches(['-', '.']), hash(&[name]) as u32)
}

/// The hash FNV-1a of 64 bits, its bits mixed so that short texts differ in
/// all of them.
///
/// Source: draft-eastlake-fnv; the mix is the finalizer of `MurmurHash3`.
pub(super) fn hash(parts: &[&str]) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let mut hash = bytes.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    for by in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(by);
    }
    hash ^ (hash >> 33)
}

/// The labels of what is made for an agent of this name.
pub(super) fn labels(agent: &str) -> Map<String, Value> {
    [(LABEL_NAME, agent), (LABEL_PART_OF, PART_OF), (LABEL_MANAGED_BY, OPERATOR), (LABEL_AGENT, agent)]
        .into_iter()
        .map(|(label, value)| (label.to_owned(), value.into()))
        .collect()
}

/// The list of owners of a child: who controls it. An object that is not in a
/// cluster yet owns nothing.
pub(super) fn owners(kind: &str, metadata: &ObjectMeta) -> Option<Value> {
    let uid = metadata.uid.as_ref().filter(|uid| !uid.is_empty())?;
    let owner = object! {
        "apiVersion": kgents_api::API_VERSION,
        "kind": kind,
        "name": metadata.name.as_deref(),
        "uid": uid.as_str(),
        "controller": true,
    };
    Some(vec![owner].into())
}

/// The one child of an object: of its name, beside it.
pub(super) fn child(resource: Resource, metadata: &ObjectMeta) -> Child {
    Child {
        resource,
        namespace: metadata.namespace.as_deref().unwrap_or("default").to_owned(),
        name: metadata.name.clone().unwrap_or_default(),
    }
}

/// When to look at a stranger of our name again.
pub(super) fn look_again(now: Timestamp) -> Timestamp {
    now.saturating_add(STRANGER_STAYS).unwrap_or(Timestamp::MAX)
}

/// A text cut to at most this many bytes, between two characters.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let room = bytes.saturating_sub(ELLIPSIS.len());
    let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{ELLIPSIS}", text.get(..end).unwrap_or_default())
}

/// What is known of the writes of a child that failed, for a subject of one
/// generation. A failure of an earlier generation says nothing any more.
#[derive(Clone, Copy)]
pub(super) struct Failed<'a> {
    fault: &'a Fault,
    /// Whether the child must not be written now.
    pub(super) blocks: bool,
    /// Whether it is worth a status: it is no passing state, or has lasted.
    pub(super) is_told: bool,
}

impl<'a> Failed<'a> {
    /// The failure of a child, if there is one; `plan` wakes when it may be
    /// tried again, and when it is to be told.
    pub(super) fn of(
        child: &Child,
        observed: &'a Observed,
        generation: i64,
        now: Timestamp,
        plan: &mut Plan,
    ) -> Option<Self> {
        let mine = |fault: &&Fault| fault.child == *child && fault.generation == generation;
        // Of several the one that stands longest: it decides when to try again.
        let fault = observed.faults.iter().filter(mine).max_by_key(|fault| fault.retry_at)?;
        let blocks = fault.stands(generation, now);
        let told_at = fault.since.saturating_add(TRANSIENT).unwrap_or(now);
        let is_told = !fault.cause.is_transient() || now >= told_at;
        if blocks {
            plan.wake(fault.retry_at);
        }
        if !is_told {
            plan.wake(told_at);
        }
        plan.why.push(format!("{child} could not be written: {}", fault.said));
        Some(Self { fault, blocks, is_told })
    }

    /// The word for a condition.
    pub(super) fn reason(&self) -> String {
        self.fault.cause.reason().to_owned()
    }

    /// A sentence for a condition: the child and the server's words.
    pub(super) fn message(&self) -> String {
        cut(&format!("{} could not be written: {}", self.fault.child, self.fault.said), WORDS_BYTES)
    }
}

/// How a subject stands, in one word: its standard conditions follow from it.
pub(super) enum State {
    /// All is as it should be.
    Ready {
        /// Why, a word.
        reason: &'static str,
        /// Why, a sentence.
        message: String,
    },
    /// It is on its way.
    Underway {
        /// Why, a word.
        reason: &'static str,
        /// Why, a sentence.
        message: String,
    },
    /// It does not go on by itself; it may be of use all the same.
    Stalled {
        /// Whether what it is for works.
        usable: bool,
        /// Why, a word.
        reason: String,
        /// Why, a sentence.
        message: String,
    },
}

impl State {
    /// A state in which nothing goes on by itself and nothing works.
    pub(super) fn stuck(reason: &str, message: String) -> Self {
        Self::Stalled { usable: false, reason: reason.to_owned(), message }
    }

    /// `Ready`, `Progressing`, `Stalled` and then what is special.
    pub(super) fn conditions(
        self,
        special: Vec<Said>,
        present: &[Condition],
        generation: Option<i64>,
        now: Timestamp,
    ) -> Vec<Condition> {
        let quiet = String::new;
        let (ready, progressing, stalled, reason, message) = match self {
            Self::Ready { reason, message } => (true, false, false, reason.to_owned(), message),
            Self::Underway { reason, message } => (false, true, false, reason.to_owned(), message),
            Self::Stalled { usable, reason, message } => (usable, false, true, reason, message),
        };
        let said = |type_, holds, reason: &str, message| Said {
            type_,
            holds: Some(holds),
            reason: reason.to_owned(),
            message,
        };
        let mut all = vec![
            said("Ready", ready, &reason, message.clone()),
            said("Progressing", progressing, &reason, if progressing { message.clone() } else { quiet() }),
            said(
                "Stalled",
                stalled,
                if stalled { &reason } else { "NoTrouble" },
                if stalled { message } else { quiet() },
            ),
        ];
        all.extend(special);
        conditions(all, present, generation, now)
    }
}

/// The write that makes a status `next`, unless it is that already.
pub(super) fn status<T: Serialize + PartialEq>(next: &T, present: Option<&T>) -> Option<Status> {
    if present == Some(next) {
        return None;
    }
    let json = |status: &T| serde_json::to_value(status).unwrap_or_default();
    let body = json(next);
    let before = present.map_or_else(|| json!({}), json);
    let changes = owned::changes(&owned::canonical(&before), &owned::canonical(&body));
    // Conditions in another order say the same.
    (!changes.is_empty()).then_some(Status { body, changes })
}

/// What to say when a child is written although its subject did not change:
/// somebody else changed it.
pub(super) fn put_back(child: &Child, live: &Live, changes: &[Change], is_seen: bool) -> Option<Event> {
    let other = live.other.as_ref().filter(|_| is_seen && live.is_applied() && !changes.is_empty())?;
    let list: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let message = format!("{child} was changed by {} and is put back: {}", other.manager, list.join(", "));
    Some(Event { warning: false, reason: "Restored", action: "Restore", message: cut(&message, EVENT_BYTES) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdef", 5), "ab…");
        assert_eq!(cut("äöüäöü", 8), "äö…");
        assert_eq!(cut("äöü", 2), "…");
    }
}
