//! How long to wait before the next try: capped exponential backoff with full
//! jitter.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

/// The longest first delay.
pub const BASE: Duration = Duration::from_millis(100);
/// The longest delay of all, while somebody watches.
pub const CAP: Duration = Duration::from_secs(5);

/// The longest that the delay after `attempt` failures in a row may be:
/// `min(base * 2^attempt, cap)`.
pub fn ceiling(base: Duration, cap: Duration, attempt: u32) -> Duration {
    base.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX)).min(cap)
}

/// Full jitter: anything from nothing to the ceiling, as `random` says. So
/// that many who fail together do not come back together.
pub fn jitter(ceiling: Duration, random: u64) -> Duration {
    ceiling.mul_f64(random as f64 / u64::MAX as f64)
}

/// Counts failures and says how long to wait after each.
#[derive(Clone, Debug)]
pub struct Backoff {
    cap: Duration,
    attempt: u32,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { cap: CAP, attempt: 0 }
    }
}

impl Backoff {
    /// The delay after one more failure.
    pub fn next_delay(&mut self) -> Duration {
        self.next_delay_within(self.cap)
    }

    /// The same, with a cap of the caller's for this once.
    pub fn next_delay_within(&mut self, cap: Duration) -> Duration {
        let ceiling = ceiling(BASE, cap.min(self.cap), self.attempt);
        self.attempt = self.attempt.saturating_add(1);
        jitter(ceiling, random())
    }

    /// Forgets the failures.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// A random number, from the seed that std draws for its hash maps.
fn random() -> u64 {
    RandomState::new().hash_one(0_u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_doubles_up_to_the_cap_and_stays_there() {
        let millis: Vec<u128> = (0..8).map(|n| ceiling(BASE, CAP, n).as_millis()).collect();
        assert_eq!(millis, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        for attempt in [31, 32, 33, 1_000, u32::MAX] {
            assert_eq!(ceiling(BASE, CAP, attempt), CAP);
        }
    }

    #[test]
    fn jitter_reaches_from_nothing_to_the_ceiling() {
        let top = Duration::from_millis(800);
        assert_eq!(jitter(top, 0), Duration::ZERO);
        assert_eq!(jitter(top, u64::MAX), top);
        let half = jitter(top, u64::MAX / 2);
        assert!(half > Duration::from_millis(399) && half < Duration::from_millis(401), "{half:?}");
    }

    #[test]
    fn delays_are_spread_and_never_above_the_ceiling() {
        let mut backoff = Backoff::default();
        let delays: Vec<Duration> = (0..64).map(|_| backoff.next_delay()).collect();
        for (n, delay) in delays.iter().enumerate() {
            assert!(*delay <= ceiling(BASE, CAP, u32::try_from(n).unwrap()), "{n}: {delay:?}");
        }
        let late = &delays[10..];
        assert!(late.iter().any(|d| *d < CAP / 2) && late.iter().any(|d| *d > CAP / 2), "{late:?}");
        backoff.reset();
        assert!(backoff.next_delay() <= BASE);
        assert!((0..64).all(|_| backoff.next_delay_within(BASE) <= BASE));
    }
}
