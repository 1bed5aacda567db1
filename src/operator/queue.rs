//! Which key is worked on next. A state machine: time comes in.
//!
//! The controllers take turns, so that many keys of one do not hold up the few
//! of another: a fleet that is made does not keep the first agent's Memory from
//! its claim, nor do ten thousand pheromones that end keep agents waiting.
//!
//! A key is in it at most once. Whoever asks for a key that is being worked on
//! gets it queued again afterwards. A key may also wait: for a delay (by the
//! clock that only goes forward) or for a moment (by the clock on the wall,
//! which may jump); of two delays or two moments the earlier counts.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use kgents_source::backoff;
use tokio::time::Instant;

use crate::key::{Controller, Key};

/// The longest delay after a first failure.
const BASE: Duration = Duration::from_millis(5);
/// The longest delay of all.
const CAP: Duration = Duration::from_secs(5 * 60);
/// How long the queue sleeps at most while a key waits for a moment: the clock
/// on the wall may jump, and no clock goes forward while a laptop sleeps.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Which key is worked on next.
#[derive(Debug, Default)]
pub struct Queue {
    slots: HashMap<Key, Slot>,
    /// By controller, in the order of [`Controller::ALL`].
    ready: [VecDeque<Key>; Controller::ALL.len()],
    /// Whose turn it is.
    turn: usize,
    delays: BTreeSet<(Instant, Key)>,
    moments: BTreeSet<(Timestamp, Key)>,
    working: usize,
}

#[derive(Debug, Default)]
struct Slot {
    place: Place,
    delay: Option<Instant>,
    moment: Option<Timestamp>,
    failures: u32,
}

#[derive(Debug, Default, PartialEq)]
enum Place {
    #[default]
    Waiting,
    Ready {
        since: Instant,
    },
    Working {
        again: bool,
    },
}

/// How work on a key ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Well; to be done again at this moment, if any.
    Well(Option<Timestamp>),
    /// Badly: to be done again after a delay that grows with each failure in a
    /// row, or at this moment if that is earlier.
    Badly(Option<Timestamp>),
}

impl Queue {
    /// Asks for a key. Whether it was not asked for already.
    pub fn add(&mut self, key: Key, now: Instant) -> bool {
        let slot = match self.slots.entry(key.clone()) {
            Entry::Occupied(slot) => slot.into_mut(),
            Entry::Vacant(slot) => slot.insert(Slot::default()),
        };
        match slot.place {
            Place::Ready { .. } | Place::Working { again: true } => false,
            Place::Working { again: false } => {
                slot.place = Place::Working { again: true };
                true
            }
            Place::Waiting => {
                slot.place = Place::Ready { since: now };
                self.ready[key.controller as usize].push_back(key);
                true
            }
        }
    }

    /// Takes the key that waits longest of those of the next controller that
    /// has any, and says how long. What it waited for besides is forgotten: who
    /// works on it says anew. Until [`Self::done`], nobody else gets it.
    pub fn take(&mut self, now: Instant) -> Option<(Key, Duration)> {
        let all = self.ready.len();
        let next = (0..all).map(|by| (self.turn + by) % all).find(|place| !self.ready[*place].is_empty())?;
        self.turn = (next + 1) % all;
        let key = self.ready[next].pop_front()?;
        let slot = self.slots.get_mut(&key)?;
        let waited = match slot.place {
            Place::Ready { since } => now.saturating_duration_since(since),
            Place::Waiting | Place::Working { .. } => Duration::ZERO,
        };
        slot.place = Place::Working { again: false };
        self.working += 1;
        self.forget_times(&key);
        Some((key, waited))
    }

    /// Work on a key ended. `random` decides within the delay after a failure.
    /// Says how long it waits after one.
    pub fn done(&mut self, key: &Key, end: End, now: Instant, random: u64) -> Option<Duration> {
        let slot = self.slots.get_mut(key)?;
        let Place::Working { again } = slot.place else { return None };
        self.working -= 1;
        slot.place = Place::Waiting;
        let (moment, delay) = match end {
            End::Well(moment) => {
                slot.failures = 0;
                (moment, None)
            }
            End::Badly(moment) => {
                let delay = backoff::jitter(backoff::ceiling(BASE, CAP, slot.failures), random);
                slot.failures = slot.failures.saturating_add(1);
                (moment, Some(delay))
            }
        };
        if again {
            self.add(key.clone(), now);
        }
        if let Some(moment) = moment {
            self.at(key, moment);
        }
        if let Some(delay) = delay {
            self.after(key, now + delay);
        }
        self.tidy(key);
        delay
    }

    /// Puts in what is due. Says for which keys.
    pub fn wake(&mut self, now: Instant, wall: Timestamp) -> Vec<Key> {
        let mut due = Vec::new();
        while self.delays.first().is_some_and(|(at, _)| *at <= now) {
            due.extend(self.delays.pop_first().map(|(_, key)| key));
        }
        while self.moments.first().is_some_and(|(at, _)| *at <= wall) {
            due.extend(self.moments.pop_first().map(|(_, key)| key));
        }
        for key in &due {
            if let Some(slot) = self.slots.get_mut(key) {
                slot.delay = slot.delay.filter(|at| *at > now);
                slot.moment = slot.moment.filter(|at| *at > wall);
            }
            self.add(key.clone(), now);
        }
        due
    }

    /// How long until something is due, or may be by a clock that jumped.
    /// `None` is for ever.
    pub fn sleep(&self, now: Instant, wall: Timestamp) -> Option<Duration> {
        let delay = self.delays.first().map(|(at, _)| at.saturating_duration_since(now));
        let moment = self
            .moments
            .first()
            .map(|(at, _)| Duration::try_from(at.duration_since(wall)).unwrap_or(Duration::ZERO).min(LOOK_AGAIN));
        delay.into_iter().chain(moment).min()
    }

    /// Whether nothing is worked on, waits to be, or is tried again after a failure.
    pub fn is_idle(&self) -> bool {
        self.ready.iter().all(VecDeque::is_empty) && self.working == 0 && self.delays.is_empty()
    }

    /// How many keys of a controller are ready.
    pub fn depth(&self, controller: Controller) -> usize {
        self.ready[controller as usize].len()
    }

    /// How many keys are worked on.
    pub fn working(&self) -> usize {
        self.working
    }

    /// What waits for a delay, the shortest first.
    pub fn delays(&self, now: Instant) -> impl Iterator<Item = (Duration, &Key)> {
        self.delays.iter().map(move |(at, key)| (at.saturating_duration_since(now), key))
    }

    /// What waits for a moment, the earliest first.
    pub fn moments(&self) -> impl Iterator<Item = (Timestamp, &Key)> {
        self.moments.iter().map(|(at, key)| (*at, key))
    }

    /// How many keys wait for a delay, and how many for a moment.
    pub fn waiting(&self) -> (usize, usize) {
        (self.delays.len(), self.moments.len())
    }

    fn at(&mut self, key: &Key, moment: Timestamp) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Some(before) = slot.moment {
            if before <= moment {
                return;
            }
            self.moments.remove(&(before, key.clone()));
        }
        slot.moment = Some(moment);
        self.moments.insert((moment, key.clone()));
    }

    fn after(&mut self, key: &Key, at: Instant) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Some(before) = slot.delay {
            if before <= at {
                return;
            }
            self.delays.remove(&(before, key.clone()));
        }
        slot.delay = Some(at);
        self.delays.insert((at, key.clone()));
    }

    fn forget_times(&mut self, key: &Key) {
        let Some(slot) = self.slots.get_mut(key) else { return };
        if let Some(at) = slot.delay.take() {
            self.delays.remove(&(at, key.clone()));
        }
        if let Some(at) = slot.moment.take() {
            self.moments.remove(&(at, key.clone()));
        }
    }

    /// Forgets a key of which nothing has to be remembered.
    fn tidy(&mut self, key: &Key) {
        let is_idle = |slot: &Slot| {
            slot.place == Place::Waiting && slot.delay.is_none() && slot.moment.is_none() && slot.failures == 0
        };
        if self.slots.get(key).is_some_and(is_idle) {
            self.slots.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
