//! A limit on how often one thing is written for one reason, so that a fight
//! with somebody else, or a mistake of ours, is never a storm.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// How many writes come without a pause.
const BURST: u32 = 5;
/// Writes that are further apart have nothing to do with each other.
const QUIET: Duration = Duration::from_secs(60);
/// How many things are remembered before those that are quiet are dropped.
const MANY: usize = 4_096;

/// How often things were written.
#[derive(Debug)]
pub(crate) struct Pace<T> {
    longest: Duration,
    written: HashMap<T, Written>,
}

#[derive(Debug)]
struct Written {
    last: Instant,
    generation: i64,
    row: u32,
}

impl<T: Hash + Eq> Pace<T> {
    /// A pause is at most `longest`.
    pub(crate) fn new(longest: Duration) -> Self {
        Self { longest, written: HashMap::new() }
    }

    /// How long until it may be written for this generation of its subject.
    pub(crate) fn wait(&self, what: &T, generation: i64, now: Instant) -> Duration {
        let Some(written) = self.written.get(what).filter(|written| written.generation == generation) else {
            return Duration::ZERO;
        };
        (written.last + self.pause(written.row)).saturating_duration_since(now)
    }

    /// It was written.
    pub(crate) fn wrote(&mut self, what: T, generation: i64, now: Instant) {
        if self.written.len() >= MANY {
            let longest = self.longest;
            self.written.retain(|_, written| now.saturating_duration_since(written.last) < QUIET + longest);
        }
        let pause = self.written.get(&what).map_or(Duration::ZERO, |written| self.pause(written.row));
        let written = self.written.entry(what).or_insert(Written { last: now, generation, row: 0 });
        let is_near = now.saturating_duration_since(written.last) < QUIET + pause;
        let row = if is_near && written.generation == generation { written.row.saturating_add(1) } else { 1 };
        *written = Written { last: now, generation, row };
    }

    fn pause(&self, row: u32) -> Duration {
        match row.checked_sub(BURST) {
            None => Duration::ZERO,
            Some(over) => Duration::from_secs(1_u64.checked_shl(over).unwrap_or(u64::MAX)).min(self.longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_fight_slows_down_and_peace_or_a_new_wish_forgets_it() {
        let (mut pace, mut now) = (Pace::new(Duration::from_secs(300)), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..16 {
            let wait = pace.wait(&"a", 1, now);
            pauses.push(wait.as_secs());
            now += wait;
            pace.wrote("a", 1, now);
        }
        assert_eq!(pauses, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pace.wait(&"a", 2, now), Duration::ZERO);
        assert_eq!(pace.wait(&"b", 1, now), Duration::ZERO);
        now += Duration::from_secs(360);
        assert_eq!(pace.wait(&"a", 1, now), Duration::ZERO);
        pace.wrote("a", 1, now);
        assert_eq!(pace.wait(&"a", 1, now), Duration::ZERO);
    }
}
