//! Freshness: how far an answer from a cache can be trusted.

use std::fmt;

use jiff::SignedDuration;
use serde::{Serialize, Serializer};

use crate::unit;

/// How many of the last syncs count.
const SYNCS: usize = 20;

/// A part of the terrarium that is cached as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The agents.
    Agents,
    /// The living pheromones.
    Pheromones,
    /// The proposals.
    Proposals,
    /// The cluster itself.
    Cluster,
    /// The last thoughts.
    Thoughts,
}

impl Area {
    /// Every area.
    pub const ALL: [Self; 5] = [Self::Agents, Self::Pheromones, Self::Proposals, Self::Cluster, Self::Thoughts];

    /// How old an answer may be and still be fresh when nothing is stable.
    pub fn base(self) -> SignedDuration {
        SignedDuration::from_secs(match self {
            Self::Pheromones => 30,
            Self::Agents | Self::Thoughts => 60,
            Self::Cluster => 120,
            Self::Proposals => 300,
        })
    }

    /// The word that stands in files and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agents => "agents",
            Self::Pheromones => "pheromones",
            Self::Proposals => "proposals",
            Self::Cluster => "cluster",
            Self::Thoughts => "thoughts",
        }
    }
}

/// How far a cached answer can be trusted, from most to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Freshness {
    /// Younger than its limit.
    Fresh,
    /// Younger than twice its limit.
    Stale,
    /// Older still. It is shown dimmed, and never called live.
    Old,
}

impl Freshness {
    /// The word that is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fresh => "FRESH",
            Self::Stale => "STALE",
            Self::Old => "OLD",
        }
    }
}

/// How calm an area is, 0 to 1: `s = successful / syncs * (1 - changed)` over
/// the last 20 syncs, where `changed` is the share of the entries that changed
/// in the last 5 minutes.
///
/// `recent_syncs` has the newest last. Without any sync it is 0, and so it is
/// when the share is no number.
pub fn stability(recent_syncs: &[bool], changed_share: f64) -> f64 {
    let recent = &recent_syncs[recent_syncs.len().saturating_sub(SYNCS)..];
    if recent.is_empty() {
        return 0.0;
    }
    let successful = recent.iter().filter(|success| **success).count();
    successful as f64 / recent.len() as f64 * unit(1.0 - changed_share)
}

/// The age below which an answer is fresh: `base * (1 + stability)`. What is
/// calm may be older.
pub fn limit(area: Area, stability: f64) -> SignedDuration {
    let millis = area.base().as_millis() as f64 * (1.0 + unit(stability));
    SignedDuration::from_millis(millis as i64)
}

/// FRESH below the [`limit`], STALE below twice the limit, else OLD.
pub fn freshness(area: Area, age: SignedDuration, stability: f64) -> Freshness {
    let limit = limit(area, stability);
    if age < limit {
        Freshness::Fresh
    } else if age < limit.saturating_add(limit) {
        Freshness::Stale
    } else {
        Freshness::Old
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Freshness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Area {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Freshness {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{any_duration, any_float, secs};

    fn any_area() -> impl Strategy<Value = Area> {
        prop::sample::select(&Area::ALL[..])
    }

    #[test]
    fn limits_grow_with_stability() {
        let cases = [
            (Area::Agents, 60),
            (Area::Pheromones, 30),
            (Area::Proposals, 300),
            (Area::Cluster, 120),
            (Area::Thoughts, 60),
        ];
        for (area, base) in cases {
            assert_eq!(limit(area, 0.0), secs(base));
            assert_eq!(limit(area, 0.5), secs(base + base / 2));
            assert_eq!(limit(area, 1.0), secs(2 * base));
            assert_eq!(limit(area, f64::NAN), secs(base));
            assert_eq!(limit(area, f64::INFINITY), secs(2 * base));
        }
    }

    #[test]
    fn freshness_by_age() {
        let cases = [(-5, "FRESH"), (0, "FRESH"), (59, "FRESH"), (60, "STALE"), (119, "STALE"), (120, "OLD")];
        for (age, expected) in cases {
            assert_eq!(freshness(Area::Agents, secs(age), 0.0).as_str(), expected);
        }
        assert_eq!(freshness(Area::Agents, secs(119), 1.0), Freshness::Fresh);
        assert_eq!(serde_json::to_value(Freshness::Stale).unwrap(), "STALE");
    }

    #[test]
    fn stability_by_syncs_and_change() {
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found}");
        close(stability(&[], 0.0), 0.0);
        close(stability(&[true], 0.0), 1.0);
        close(stability(&[true, false, true, true], 0.2), 0.75 * 0.8);
        close(stability(&[true], f64::NAN), 0.0);
        // What lies further back than 20 syncs is forgiven.
        let mut syncs = vec![false; 80];
        syncs.extend([true; 20]);
        close(stability(&syncs, 0.0), 1.0);
    }

    proptest! {
        #![proptest_config(crate::testing::config())]

        #[test]
        fn stability_is_a_share_and_moves_the_right_way(
            mut syncs: Vec<bool>,
            changed in any_float(),
            more in any_float(),
        ) {
            let before = stability(&syncs, changed);
            prop_assert!((0.0..=1.0).contains(&before));
            if more >= changed {
                prop_assert!(stability(&syncs, more) <= before);
            }
            if let Some(failed) = syncs.iter_mut().rev().find(|success| !**success) {
                *failed = true;
                prop_assert!(stability(&syncs, changed) >= before);
            }
        }

        #[test]
        fn freshness_only_ages(
            area in any_area(),
            a in any_duration(),
            b in any_duration(),
            stability in any_float(),
        ) {
            prop_assert!(freshness(area, a.min(b), stability) <= freshness(area, a.max(b), stability));
        }

        #[test]
        fn what_is_calmer_stays_fresh_longer(
            area in any_area(),
            age in any_duration(),
            a in 0.0..=1.0_f64,
            b in 0.0..=1.0_f64,
        ) {
            prop_assert!(freshness(area, age, a.max(b)) <= freshness(area, age, a.min(b)));
        }
    }
}
