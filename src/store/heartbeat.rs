//! How much was heard over the last ten minutes.

use jiff::Timestamp;

/// Seconds that are remembered.
pub const SPAN: i64 = 600;
/// Seconds of one bucket: fine enough for a window 200 columns wide.
const STEP: i64 = 3;
const BUCKETS: usize = (SPAN / STEP) as usize;
// A slot is kept in a byte.
const _: () = assert!(BUCKETS <= 256);

/// Counts of what was heard, by time; older than ten minutes is forgotten.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Counts by bucket number modulo the length.
    buckets: [u16; BUCKETS],
    /// Number of the newest bucket (seconds since 1970 by `STEP`).
    newest: i64,
}

/// Counts as they were before they changed, each once.
#[derive(Clone, Debug)]
pub(crate) struct Pulse {
    newest: i64,
    counts: Vec<(u8, u16)>,
}

impl Pulse {
    /// The earliest word about a slot is what stood there before everything.
    fn add(&mut self, slot: usize, was: u16) {
        let slot = slot as u8;
        if self.counts.iter().all(|(known, _)| *known != slot) {
            self.counts.push((slot, was));
        }
    }

    /// Takes in what came after.
    pub(crate) fn merge(&mut self, later: &Self) {
        for (slot, was) in &later.counts {
            self.add(usize::from(*slot), *was);
        }
    }

    /// How many counts it holds.
    pub(crate) fn len(&self) -> usize {
        self.counts.len()
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], newest: i64::MIN / 2 }
    }
}

impl Heartbeat {
    /// Counts one thing heard at a time. What is older than the span is ignored.
    pub fn record(&mut self, at: Timestamp) {
        self.count(at, |_, _, _| {});
    }

    /// The same, and adds to `pulse` what undoes it.
    pub(crate) fn record_undoably(&mut self, at: Timestamp, pulse: &mut Option<Pulse>) {
        self.count(at, |newest, slot, was| {
            let pulse = pulse.get_or_insert_with(|| Pulse { newest, counts: Vec::new() });
            pulse.add(slot, was);
        });
    }

    /// Calls `before` with the newest bucket, a slot and its count before the
    /// count changes.
    fn count(&mut self, at: Timestamp, mut before: impl FnMut(i64, usize, u16)) {
        let bucket = at.as_second().div_euclid(STEP);
        let newest = self.newest;
        if bucket > newest {
            for skipped in (newest + 1).max(bucket - BUCKETS as i64 + 1)..=bucket {
                let slot = slot(skipped);
                if self.buckets[slot] != 0 {
                    before(newest, slot, self.buckets[slot]);
                }
                self.buckets[slot] = 0;
            }
            self.newest = bucket;
        }
        if self.newest - bucket < BUCKETS as i64 {
            let slot = slot(bucket);
            before(newest, slot, self.buckets[slot]);
            self.buckets[slot] = self.buckets[slot].saturating_add(1);
        }
    }

    /// Puts back what was; returns what puts back what is now.
    pub(crate) fn swap(&mut self, pulse: &Pulse) -> Pulse {
        let mut back = Pulse { newest: std::mem::replace(&mut self.newest, pulse.newest), counts: Vec::new() };
        for (slot, was) in &pulse.counts {
            if let Some(count) = self.buckets.get_mut(usize::from(*slot)) {
                back.counts.push((*slot, std::mem::replace(count, *was)));
            }
        }
        back
    }

    /// When something was last heard, to the bucket; `None` if never.
    pub fn last(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.newest.checked_mul(STEP)?).ok()
    }

    /// Whether nothing was heard in the ten minutes before `end`.
    pub fn is_flat(&self, end: Timestamp) -> bool {
        end.as_second().div_euclid(STEP) - self.newest >= BUCKETS as i64
    }

    /// How much was heard, in `width` equal parts of the ten minutes that end
    /// at `end`, oldest first.
    pub fn columns(&self, end: Timestamp, width: usize) -> Vec<u32> {
        let end = end.as_second().div_euclid(STEP);
        let mut columns = vec![0_u32; width];
        for back in 0..BUCKETS as i64 {
            let bucket = end - back;
            if bucket > self.newest || self.newest - bucket >= BUCKETS as i64 {
                continue;
            }
            let place = (BUCKETS as i64 - 1 - back) as usize;
            let from = place * width / BUCKETS;
            let to = ((place + 1) * width / BUCKETS).max(from + 1).min(width);
            for column in columns.get_mut(from..to).into_iter().flatten() {
                *column += u32::from(self.buckets[slot(bucket)]);
            }
        }
        columns
    }
}

fn slot(bucket: i64) -> usize {
    bucket.rem_euclid(BUCKETS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_newest_is_at_the_right_and_the_old_falls_off() {
        let mut heartbeat = Heartbeat::default();
        assert!(heartbeat.is_flat(at(0)));
        heartbeat.record(at(1_000));
        heartbeat.record(at(1_590));
        assert_eq!(heartbeat.columns(at(1_590), 10).last(), Some(&1));
        assert_eq!(heartbeat.columns(at(1_590), 10).iter().sum::<u32>(), 2);
        assert_eq!(heartbeat.columns(at(1_700), 10).iter().sum::<u32>(), 1);
        assert!(heartbeat.is_flat(at(2_300)) && !heartbeat.is_flat(at(2_100)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_clock_is_survived(times in prop::collection::vec(-1_000_000_000_i64..4_000_000_000, 0..50), width in 0_usize..300, end in -1_000_000_000_i64..4_000_000_000) {
            let mut heartbeat = Heartbeat::default();
            for time in times { heartbeat.record(at(time)); }
            prop_assert_eq!(heartbeat.columns(at(end), width).len(), width);
        }
    }
}
