//! How much was heard over the last ten minutes.

use jiff::Timestamp;

/// Seconds that are remembered.
pub const SPAN: i64 = 600;
/// Seconds of one bucket: fine enough for a window 200 columns wide.
const STEP: i64 = 3;
const BUCKETS: usize = (SPAN / STEP) as usize;

/// Counts of what was heard, by time; older than ten minutes is forgotten.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Counts by bucket number modulo the length.
    buckets: [u16; BUCKETS],
    /// Number of the newest bucket (seconds since 1970 by `STEP`).
    newest: i64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { buckets: [0; BUCKETS], newest: i64::MIN / 2 }
    }
}

impl Heartbeat {
    /// Counts one thing heard at a time. What is older than the span is ignored.
    pub fn record(&mut self, at: Timestamp) {
        let bucket = at.as_second().div_euclid(STEP);
        if bucket > self.newest {
            for skipped in (self.newest + 1).max(bucket - BUCKETS as i64 + 1)..=bucket {
                self.buckets[slot(skipped)] = 0;
            }
            self.newest = bucket;
        }
        if self.newest - bucket < BUCKETS as i64 {
            let count = &mut self.buckets[slot(bucket)];
            *count = count.saturating_add(1);
        }
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
