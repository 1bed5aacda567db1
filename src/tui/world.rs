//! The terrarium that is shown: as it is, or as it was.

use std::ops::Deref;

use jiff::Timestamp;
use kgents_store::Terrarium;
use kgents_store::bus::Batch;
use kgents_store::past::{Past, Then};

/// How many bytes of the past are kept.
const KEPT: usize = 8 << 20;

/// The terrarium as it is, and the moment of the past that is looked at, if
/// one is. It reads as the one that is shown.
#[derive(Debug)]
pub(crate) struct World {
    live: Terrarium,
    past: Past,
    then: Option<Then>,
}

impl Deref for World {
    type Target = Terrarium;

    fn deref(&self) -> &Terrarium {
        self.then.as_ref().map_or(&self.live, Then::terrarium)
    }
}

impl World {
    pub(crate) fn new(mut live: Terrarium) -> Self {
        live.record(true);
        Self { live, past: Past::with_cap(KEPT), then: None }
    }

    /// The terrarium as it is.
    pub(crate) const fn live(&self) -> &Terrarium {
        &self.live
    }

    /// Takes in what happened, whatever is shown; answers whether anything did.
    pub(crate) fn apply(&mut self, batch: Batch, now: Timestamp) -> bool {
        let mut outcome = self.live.apply(batch, now);
        let changed = !outcome.is_empty();
        self.past.record(std::mem::take(&mut outcome.undo), now);
        if changed {
            self.tick(now);
        }
        changed
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        let mut outcome = self.live.tick(now);
        self.past.record(std::mem::take(&mut outcome.undo), now);
    }

    /// The moment that is looked at; `None` is now.
    pub(crate) fn moment(&self) -> Option<Timestamp> {
        self.then.as_ref().map(Then::moment)
    }

    /// The earliest moment that can be looked at.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        self.past.oldest()
    }

    /// Goes back before the last change that is shown; false if there is no
    /// further back.
    pub(crate) fn earlier(&mut self, now: Timestamp) -> bool {
        let Some(when) = self.past.step_back(self.moment().unwrap_or(now)) else { return false };
        self.look(when)
    }

    /// Goes forward by one change, at last to now.
    pub(crate) fn later(&mut self) {
        let next = self.moment().and_then(|moment| self.past.step_forward(moment));
        match next {
            Some(when) => drop(self.look(when)),
            None => self.then = None,
        }
    }

    /// Stops at a moment.
    pub(crate) fn look(&mut self, when: Timestamp) -> bool {
        if let Some(then) = &mut self.then {
            return self.past.go(then, &self.live, when);
        }
        self.then = self.past.at(&self.live, when);
        self.then.is_some()
    }

    /// Shows what is, again.
    pub(crate) fn release(&mut self) {
        self.then = None;
    }
}
