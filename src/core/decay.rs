//! Decay: how strong a pheromone is at a moment, and when it is gone.
//!
//! Strength is computed when it is read; nothing is ever written to fade.

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Pheromone, PheromoneType};
use thiserror::Error;

/// A pheromone weaker than this is gone.
pub const GONE_BELOW: f64 = 0.01;

/// The strength of a pheromone that names none.
const DEFAULT_INTENSITY: f64 = 1.0;

const SECONDS_PER_MINUTE: f64 = 60.0;

/// The minutes in which a pheromone of this type loses half its strength when
/// its spec names no half-life.
pub fn default_half_life_minutes(t: PheromoneType) -> f64 {
    match t {
        PheromoneType::Warning => 5.0,
        PheromoneType::Scarcity => 15.0,
        PheromoneType::ReviewRequest => 60.0,
        PheromoneType::Dream => 120.0,
        _ => 10.0,
    }
}

/// Everything needed to know a pheromone's strength at any time.
///
/// A moment before the emission counts as the emission: clocks differ, and a
/// stamp from the future must not make a signal stronger than it began.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fade {
    initial: f64,
    half_life_minutes: f64,
    emitted: Timestamp,
    /// The first moment at which it is gone; `None` beyond the end of time.
    gone: Option<Timestamp>,
}

/// Why a pheromone's strength cannot be known: the field, its value, and what
/// would be right.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum FadeError {
    /// The strength is no number from 0 to 1.
    #[error("initialIntensity is {0:?}: it must be a number from 0 to 1")]
    Intensity(f64),
    /// The half-life is no positive number.
    #[error("halfLifeMinutes is {0:?}: it must be a number greater than 0")]
    HalfLife(f64),
    /// The time to live is negative.
    #[error("ttlSeconds is {0}: it must not be negative")]
    Ttl(i64),
    /// The time of emission cannot be read.
    #[error("emittedAt is {0:?}: it must be a time with its offset, such as 2026-01-01T12:00:00Z")]
    EmittedAt(String),
    /// Nothing says when it was emitted.
    #[error("emittedAt and metadata.creationTimestamp are missing: one must say when it began")]
    NoStamp,
}

impl Fade {
    /// Reads a pheromone: what its spec says, else the defaults; emitted when
    /// it was created unless it says otherwise.
    pub fn of(pheromone: &Pheromone) -> Result<Self, FadeError> {
        let spec = &pheromone.spec;
        let emitted = match (&spec.emitted_at, &pheromone.metadata.creation_timestamp) {
            (Some(text), _) => text.parse().map_err(|_| FadeError::EmittedAt(text.clone()))?,
            (None, Some(created)) => created.0,
            (None, None) => return Err(FadeError::NoStamp),
        };
        Self::new(
            spec.initial_intensity.unwrap_or(DEFAULT_INTENSITY),
            spec.half_life_minutes.unwrap_or_else(|| default_half_life_minutes(spec.type_)),
            emitted,
            spec.ttl_seconds,
        )
    }

    /// A fade from `initial` (0 to 1) that halves each `half_life_minutes`
    /// and ends after `ttl_seconds` at the latest.
    pub fn new(
        initial: f64,
        half_life_minutes: f64,
        emitted: Timestamp,
        ttl_seconds: Option<i64>,
    ) -> Result<Self, FadeError> {
        if !(0.0..=1.0).contains(&initial) {
            return Err(FadeError::Intensity(initial));
        }
        if !(half_life_minutes.is_finite() && half_life_minutes > 0.0) {
            return Err(FadeError::HalfLife(half_life_minutes));
        }
        if let Some(ttl) = ttl_seconds.filter(|ttl| *ttl < 0) {
            return Err(FadeError::Ttl(ttl));
        }
        let mut fade = Self { initial, half_life_minutes, emitted, gone: None };
        let ended = ttl_seconds.and_then(|ttl| emitted.checked_add(SignedDuration::from_secs(ttl)).ok());
        fade.gone = [fade.decays_to(GONE_BELOW), ended].into_iter().flatten().min();
        Ok(fade)
    }

    /// The strength at the emission, 0 to 1.
    pub fn initial(&self) -> f64 {
        self.initial
    }

    /// The minutes in which it loses half its strength.
    pub fn half_life_minutes(&self) -> f64 {
        self.half_life_minutes
    }

    /// When it was emitted.
    pub fn emitted(&self) -> Timestamp {
        self.emitted
    }

    /// The strength at `now`, 0 to 1: `I0 * 0.5 ^ (minutes since emission /
    /// half-life)`, and 0 once it is gone.
    ///
    /// Source: the law of exponential decay, written with the half-life.
    pub fn intensity(&self, now: Timestamp) -> f64 {
        if self.is_gone(now) {
            return 0.0;
        }
        let elapsed = now.duration_since(self.emitted);
        // Rounding must not take it below the limit before it is gone.
        (self.initial * share_left(elapsed, self.half_life_seconds())).max(GONE_BELOW)
    }

    /// Whether it has faded below [`GONE_BELOW`] or its time to live is over.
    pub fn is_gone(&self, now: Timestamp) -> bool {
        let now = now.max(self.emitted);
        self.gone.is_some_and(|gone| now >= gone)
    }

    /// The first moment at which it is gone: `emitted + half-life * log2(I0 /
    /// 0.01)` or the end of its time to live, whichever comes first. The end
    /// of time when it outlives that; the emission when it never was there.
    pub fn gone_at(&self) -> Timestamp {
        self.gone.unwrap_or(Timestamp::MAX)
    }

    /// The first moment at which the strength is `level` or less; `None` when
    /// that never happens. What is read then is never above `level`, so a
    /// sleeper that wakes at this moment need not ask again.
    pub fn falls_to(&self, level: f64) -> Option<Timestamp> {
        if level.is_nan() || level < 0.0 {
            return None;
        }
        if self.initial <= level {
            return Some(self.emitted);
        }
        // Below the limit there is only 0, and it is 0 from `gone` on.
        if level < GONE_BELOW {
            return self.gone;
        }
        [self.decays_to(level), self.gone].into_iter().flatten().min()
    }

    /// When decay alone has brought it below `level`; the emission if it never
    /// was as strong.
    fn decays_to(&self, level: f64) -> Option<Timestamp> {
        if self.initial < level {
            return Some(self.emitted);
        }
        let wait = time_to(level / self.initial, self.half_life_seconds())?;
        self.emitted.checked_add(wait).ok()
    }

    fn half_life_seconds(&self) -> f64 {
        self.half_life_minutes * SECONDS_PER_MINUTE
    }
}

/// The share that is left after `elapsed`: `0.5 ^ (elapsed / half-life)`.
/// Time that runs backwards counts as none.
pub(crate) fn share_left(elapsed: SignedDuration, half_life_seconds: f64) -> f64 {
    (-elapsed.as_secs_f64().max(0.0) / half_life_seconds).exp2()
}

/// The time until at most `share` (up to 1) is left: `half-life * log2(1 /
/// share)`. `None` when no duration is that long: nothing decays to 0.
///
/// It is lengthened by what both formulas may round away (1e-15 half-lives and
/// a nanosecond), so that [`share_left`] after it is never above `share`.
pub(crate) fn time_to(share: f64, half_life_seconds: f64) -> Option<SignedDuration> {
    const ROUNDING: f64 = 4.0 * f64::EPSILON;
    let half_lives = -share.log2();
    let half_lives = half_lives + ROUNDING * (1.0 + half_lives);
    SignedDuration::try_from_secs_f64(half_life_seconds * half_lives).ok()?.checked_add(SignedDuration::from_nanos(1))
}

#[cfg(test)]
mod tests;
