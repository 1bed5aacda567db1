//! Back and forward in time over what this session has seen.
//!
//! While the window runs, each outcome of a [`Terrarium`] that records brings
//! along what undoes it: the objects as they were, moved and not copied. They
//! are kept by whole seconds, so that a burst is one step, and under a cap in
//! bytes: the oldest steps fall off and are counted. Who goes back gets one
//! copy of the terrarium ([`Then`]), on which steps are undone and redone.
//!
//! A moment is a whole second, shown as it was at its end. The moments at
//! which one stops are those just before something changed. What time alone
//! does (fading, ages, meters) is computed for the moment when it is read.
//!
//! Thoughts are those that are still kept, up to the moment. How the sources
//! stand (watches, rungs, scene) is as it is now: that one looks at the past
//! is for the caller to say.

mod size;

use std::collections::{HashSet, VecDeque};

use jiff::Timestamp;

use crate::key::{Key, Kind};
use crate::terrarium::Terrarium;
use crate::terrarium::undo::{Redo, Undo, Was};

/// How many bytes of the past are kept, unless another cap is wanted.
pub const MAX_BYTES: usize = 8 << 20;

/// What changed within one second.
#[derive(Debug)]
struct Step {
    /// The second, since 1970.
    second: i64,
    undo: Undo,
    bytes: usize,
    /// How many batches are in it.
    batches: u64,
}

/// The steps back that are kept.
#[derive(Debug)]
pub struct Past {
    steps: VecDeque<Step>,
    /// The number of the first step that is kept, counted from the start.
    first: u64,
    /// What the last step holds already. Of several changes of one thing within
    /// a second only what was before the first is kept.
    seen: HashSet<(Kind, Key, Part)>,
    cap: usize,
    bytes: usize,
    /// The earliest second whose end can be shown.
    since: Option<i64>,
}

/// Which part of a thing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Whole,
    Heard,
    Faded,
    Unreadable,
}

/// The terrarium as it was at a moment.
#[derive(Debug)]
pub struct Then {
    terrarium: Terrarium,
    moment: i64,
    /// The number of the first step that is not in it.
    next: u64,
    /// What takes back the steps that were undone, the earliest last.
    redo: Vec<Redo>,
    /// The last step when it was copied, and how many batches were in it: that
    /// one may have grown since.
    last: Option<(u64, u64)>,
}

impl Default for Past {
    fn default() -> Self {
        Self::with_cap(MAX_BYTES)
    }
}

impl Past {
    /// Nothing yet, and room for so many bytes.
    pub fn with_cap(bytes: usize) -> Self {
        Self { steps: VecDeque::new(), first: 0, seen: HashSet::new(), cap: bytes, bytes: 0, since: None }
    }

    /// Takes in what undoes an outcome of `now`. Every outcome must come here,
    /// in order; one that changed nothing costs nothing.
    ///
    /// A clock that steps back counts as one that stands still.
    pub fn record(&mut self, undo: Undo, now: Timestamp) {
        if undo.is_empty() {
            return;
        }
        let last = self.steps.back().map(|step| step.second);
        let second = last.map_or(now.as_second(), |last| last.max(now.as_second()));
        let since = *self.since.get_or_insert(second.saturating_sub(1));
        if second <= since {
            // A part of this second fell off, so its beginning cannot be shown.
            return;
        }
        if last != Some(second) {
            self.begin(second);
        }
        let Some(step) = self.steps.back_mut() else { return };
        let before = step.bytes;
        step.take(undo, &mut self.seen);
        self.bytes += step.bytes - before;
        while self.bytes > self.cap {
            let Some(step) = self.steps.pop_front() else { break };
            self.bytes -= step.bytes;
            self.first += 1;
            self.since = Some(step.second);
        }
    }

    fn begin(&mut self, second: i64) {
        if let Some(done) = self.steps.back_mut() {
            done.undo.objects.shrink_to_fit();
        }
        self.seen.clear();
        // What one burst needed is not held for ever.
        self.seen.shrink_to(1_024);
        self.bytes += size::STEP;
        self.steps.push_back(Step { second, undo: Undo::default(), bytes: size::STEP, batches: 0 });
    }

    /// The earliest moment that one can go back to; `None` if nothing changed yet.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.steps.front().map(Step::before).map(at)
    }

    /// The moment before the last change up to `from`; `None` if there is no
    /// further back.
    pub fn step_back(&self, from: Timestamp) -> Option<Timestamp> {
        let after = self.steps.partition_point(|step| step.second <= from.as_second());
        self.steps.get(after.checked_sub(1)?).map(Step::before).map(at)
    }

    /// The moment before the next change but one after `from`: with the next
    /// change in it, and nothing later. `None` is now.
    pub fn step_forward(&self, from: Timestamp) -> Option<Timestamp> {
        let next = self.steps.partition_point(|step| step.before() <= from.as_second());
        self.steps.get(next).map(Step::before).map(at)
    }

    /// The terrarium as it was at `when`; `now` is the one that was recorded.
    /// `None` if that is longer ago than is kept.
    pub fn at(&self, now: &Terrarium, when: Timestamp) -> Option<Then> {
        if self.since.is_some_and(|since| when.as_second() < since) {
            return None;
        }
        let moment = when.as_second();
        let mut then = Then {
            terrarium: now.copy_until(end(moment)),
            moment,
            next: self.first + self.steps.len() as u64,
            redo: Vec::new(),
            last: self.steps.back().map(|step| (self.number_of_last(), step.batches)),
        };
        self.walk(&mut then, self.target(moment));
        Some(then)
    }

    /// Goes on to another moment, from where `then` is. What was copied once is
    /// used again as far as it reaches. False, and nothing changes, if that is
    /// longer ago than is kept.
    pub fn go(&self, then: &mut Then, now: &Terrarium, when: Timestamp) -> bool {
        let moment = when.as_second();
        if self.since.is_some_and(|since| moment < since) {
            return false;
        }
        let target = self.target(moment);
        if !self.reaches(then, target) {
            let Some(fresh) = self.at(now, when) else { return false };
            *then = fresh;
            return true;
        }
        self.walk(then, target);
        then.moment = moment;
        then.terrarium.take_thoughts(now, end(moment));
        true
    }

    /// The number of the first step that a moment does not hold.
    fn target(&self, moment: i64) -> u64 {
        self.first + self.steps.partition_point(|step| step.second <= moment) as u64
    }

    fn number_of_last(&self) -> u64 {
        (self.first + self.steps.len() as u64).saturating_sub(1)
    }

    /// Whether a copy can be brought to hold exactly the steps before `target`.
    fn reaches(&self, then: &Then, target: u64) -> bool {
        // The last step of the copy may have grown since: then it is neither
        // wholly in the copy nor wholly in what redoes it.
        let Some((last, batches)) = then.last else { return false };
        let same = || self.step(last).is_some_and(|step| step.batches == batches);
        let (low, high) = (target.min(then.next), target.max(then.next));
        // What is walked must be kept, and be there already when it was copied.
        let walks = low == high || (low >= self.first && high <= last + 1);
        walks && (high <= last || same())
    }

    fn step(&self, number: u64) -> Option<&Step> {
        self.steps.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    fn walk(&self, then: &mut Then, target: u64) {
        while then.next > target {
            let Some(step) = self.step(then.next - 1) else { return };
            then.redo.push(then.terrarium.undo(&step.undo));
            then.next -= 1;
        }
        while then.next < target {
            let Some(redo) = then.redo.pop() else { return };
            then.terrarium.redo(&redo);
            then.next += 1;
        }
    }

    /// How many steps are kept.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// How many bytes the kept steps are taken to have; never above the cap.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many steps fell off because there were too many bytes.
    pub fn forgotten(&self) -> u64 {
        self.first
    }
}

impl Step {
    /// The moment before it.
    fn before(&self) -> i64 {
        self.second.saturating_sub(1)
    }

    fn take(&mut self, mut undo: Undo, seen: &mut HashSet<(Kind, Key, Part)>) {
        self.batches += 1;
        for was in std::mem::take(&mut undo.objects) {
            let (kind, key, part) = part(&was);
            // A whole object tells its parts too.
            let known = seen.contains(&(kind, key.clone(), part))
                || (matches!(part, Part::Heard | Part::Faded) && seen.contains(&(kind, key.clone(), Part::Whole)));
            if !known {
                seen.insert((kind, key.clone(), part));
                self.bytes += size::of(&was);
                self.undo.objects.push(was);
            }
        }
        let figures = size::of_figures(&self.undo);
        self.undo.merge_figures(undo);
        self.bytes += size::of_figures(&self.undo) - figures;
    }
}

/// What a thing of the past is about.
fn part(was: &Was) -> (Kind, &Key, Part) {
    match was {
        Was::Agent(key, _) => (Kind::Agent, key, Part::Whole),
        Was::Heard(key, ..) => (Kind::Agent, key, Part::Heard),
        Was::Pheromone(key, _) => (Kind::Pheromone, key, Part::Whole),
        Was::Faded(key, _) => (Kind::Pheromone, key, Part::Faded),
        Was::Proposal(key, _) => (Kind::Proposal, key, Part::Whole),
        Was::Memory(key, _) => (Kind::Memory, key, Part::Whole),
        Was::Umwelt(key, _) => (Kind::Umwelt, key, Part::Whole),
        Was::Deployment(key, _) => (Kind::Deployment, key, Part::Whole),
        Was::Pod(key, _) => (Kind::Pod, key, Part::Whole),
        Was::Unreadable(kind, key, _) => (*kind, key, Part::Unreadable),
    }
}

impl Then {
    /// The terrarium of that moment, to be read like any other.
    pub fn terrarium(&self) -> &Terrarium {
        &self.terrarium
    }

    /// The moment.
    pub fn moment(&self) -> Timestamp {
        at(self.moment)
    }
}

/// A second as a time. What no calendar holds is its end.
fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(if second < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// The end of a second: the first time that is not in it.
fn end(second: i64) -> Timestamp {
    at(second.saturating_add(1))
}

#[cfg(test)]
mod tests;
