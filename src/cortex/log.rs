//! The change log: what happened lately, by revision.

use std::collections::VecDeque;
use std::sync::Arc;

use kgents_store::{Key, Kind, Thought};

/// How many events are kept; a reader further behind gets a snapshot.
pub(crate) const LENGTH: usize = 10_000;

/// One event. Objects are named, not held: a reader is sent the object as it
/// is by then, so that old versions cost nothing.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    Put(Kind, Key),
    Gone(Kind, Key),
    Thought(Arc<Thought>),
}

/// The last [`LENGTH`] events; each has the next revision, from 1.
#[derive(Debug, Default)]
pub(crate) struct Log {
    ring: VecDeque<Event>,
    revision: u64,
}

impl Log {
    /// Adds an event; its revision.
    pub(crate) fn push(&mut self, event: Event) -> u64 {
        if self.ring.len() >= LENGTH {
            self.ring.pop_front();
        }
        self.ring.push_back(event);
        self.revision += 1;
        self.revision
    }

    /// The revision of the newest event; 0 before the first.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Forgets the events, so that whoever knew them, even all of them, starts
    /// anew.
    pub(crate) fn forget(&mut self) {
        self.ring.clear();
        self.revision += 1;
    }

    /// The oldest revision from which one can go on.
    pub(crate) fn reach(&self) -> u64 {
        self.revision - self.ring.len() as u64
    }

    /// The events after a revision, oldest first; `None` if some of them are
    /// no longer kept, or if the revision is none of ours.
    pub(crate) fn after(&self, revision: u64) -> Option<impl Iterator<Item = (u64, &Event)>> {
        let reach = self.reach();
        if !(reach..=self.revision).contains(&revision) {
            return None;
        }
        let skip = (revision - reach) as usize;
        Some(self.ring.range(skip..).zip(revision + 1..).map(|(event, revision)| (revision, event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_can_go_on_from_what_is_kept_and_from_nowhere_else() {
        let mut log = Log::default();
        assert_eq!(log.after(0).map(Iterator::count), Some(0));
        for _ in 0..LENGTH + 5 {
            log.push(Event::Gone(Kind::Agent, Key::new("n", "a")));
        }
        let newest = log.revision();
        assert_eq!(newest, LENGTH as u64 + 5);
        assert!(log.after(4).is_none() && log.after(newest + 1).is_none());
        assert_eq!(log.after(5).and_then(|mut rest| rest.next()).map(|(revision, _)| revision), Some(6));
        assert_eq!(log.after(newest - 3).map(Iterator::count), Some(3));
        log.forget();
        assert!(log.after(newest).is_none() && log.after(newest + 1).is_some());
    }
}
