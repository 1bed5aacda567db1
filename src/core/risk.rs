//! Risk: how dangerous a proposal is, from what it would really change.
//!
//! The weights and limits are kgents' own rule: a proposer's word on how small
//! a change is never counts, and what cannot be known makes it riskier.

mod effect;
mod estimate;

use std::borrow::Cow;

use jiff::SignedDuration;
use kgents_api::proposal::{ChangeType, RiskLevel, RiskStatus, TestChange};
use serde_json::Value;

use crate::patch::changed_leaves;
use crate::unit;
use effect::Effect;
pub use estimate::estimate;

/// How long another proposal adds to the velocity.
const HASTE: SignedDuration = SignedDuration::from_hours(1);
/// How long a merged change adds to the cumulative risk.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// The most that velocity can be.
const MAX_VELOCITY: f64 = 0.5;
/// The most that cumulative risk can be.
const MAX_CUMULATIVE: f64 = 0.3;

/// Up to which total a level reaches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RiskConfig {
    /// The greatest LOW, MEDIUM and HIGH; what is above is CRITICAL.
    pub thresholds: [f64; 3],
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self { thresholds: [0.2, 0.5, 0.8] }
    }
}

impl RiskConfig {
    /// The level of a total. It never falls when the total rises, whatever the
    /// thresholds are.
    pub fn level(&self, total: f64) -> RiskLevel {
        let [low, medium, high] = self.thresholds;
        if total <= low {
            RiskLevel::Low
        } else if total <= medium {
            RiskLevel::Medium
        } else if total <= high {
            RiskLevel::High
        } else {
            RiskLevel::Critical
        }
    }

    /// The least total that also reads as HIGH with two decimals.
    fn least_high(&self) -> f64 {
        unit(self.thresholds[1] + 0.01)
    }
}

/// What a proposal risks, by its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// What the change itself weighs; not negative, and above 1 for what is
    /// both heavy and large.
    pub base: f64,
    /// What the haste of the last hour adds, 0 to 0.5.
    pub velocity: f64,
    /// What the merged changes of the last day add, 0 to 0.3.
    pub cumulative: f64,
    /// The sum, 0 to 1, and at least HIGH where a figure is missing.
    pub total: f64,
    /// The sum in a word.
    pub level: RiskLevel,
    /// Why, a sentence each: the first speaks of the base, the second of the
    /// velocity, the third of the cumulative risk, the rest of what is missing.
    pub reasons: Vec<String>,
}

/// What a risk is computed from. `None` is what cannot be had.
#[derive(Clone, Copy, Debug)]
pub struct RiskInput<'a> {
    /// What the proposer calls the change.
    pub change_type: ChangeType,
    /// The target as it is; `Null` when it is not there.
    pub before: Option<&'a Value>,
    /// The target as it would be; `Null` when it would be gone.
    pub after: Option<&'a Value>,
    /// The tests that come and go with it.
    pub tests: &'a TestChange,
    /// The ages of the other proposals; those of the last hour count.
    pub others: Option<&'a [SignedDuration]>,
    /// The base risk that was merged in the last 24 hours, in all.
    pub merged_base_24h: Option<f64>,
}

/// How heavy a change of this type is, 0 to 1.
pub fn weight(change: ChangeType) -> f64 {
    match change {
        ChangeType::CodePatch | ChangeType::AgentScale => 0.10,
        ChangeType::ConfigUpdate => 0.20,
        ChangeType::CodeFeature | ChangeType::AgentDeploy | ChangeType::MemoryCompact => 0.30,
        ChangeType::CodeRefactor | ChangeType::AgentUpgrade => 0.40,
        ChangeType::CodeDelete | ChangeType::PolicyUpdate => 0.50,
        ChangeType::ConfigSecret | ChangeType::MemoryMigrate => 0.60,
        ChangeType::AgentDelete => 0.70,
        ChangeType::MemoryDelete => 0.80,
        ChangeType::RiskOverride => 0.90,
    }
}

/// How large a change is: `1 + 0.1 * log2(1 + changed leaves)`.
pub fn magnitude(changed_leaves: usize) -> f64 {
    1.0 + 0.1 * (1.0 + changed_leaves as f64).log2()
}

/// What tests do to the weight of a change. With `n` more than before `max(.5,
/// 1 - .05 log2(n + 1))`, with `n` fewer `min(1.5, 1 + .1 log2(n + 1))`.
/// Negative counts are none.
pub fn tests_factor(tests: &TestChange) -> f64 {
    let net = net_tests(tests);
    let doublings = (net.unsigned_abs() as f64 + 1.0).log2();
    if net >= 0 { (1.0 - 0.05 * doublings).max(0.5) } else { (1.0 + 0.1 * doublings).min(1.5) }
}

/// What haste adds: `min(.5, sum of .1 * (1 - age / 1 h))` over the other
/// proposals of the last hour. An age that is negative is none.
pub fn velocity(others: &[SignedDuration]) -> f64 {
    let hour = HASTE.as_secs_f64();
    others
        .iter()
        .map(|age| 0.1 * unit(1.0 - age.as_secs_f64() / hour))
        // An empty `sum()` of floats is -0.0, which would be shown.
        .fold(0.0, |sum, part| sum + part)
        .min(MAX_VELOCITY)
}

/// What the last day adds: `min(.3, .05 * base risk merged in the last 24 h)`;
/// the most when that is no number.
pub fn cumulative(merged_base: f64) -> f64 {
    if merged_base.is_nan() { MAX_CUMULATIVE } else { (0.05 * merged_base).clamp(0.0, MAX_CUMULATIVE) }
}

/// The risk of a change: `clamp01(base + velocity + cumulative)` with `base =
/// weight * magnitude * tests`, where the weight is that of the type or of the
/// heaviest thing that the change really does.
///
/// It fails closed. Velocity and cumulative risk that cannot be had count at
/// their most; a difference that cannot be had counts as one of secrets, the
/// heaviest that is known, though its size remains unknown. Either way the
/// risk is at least HIGH and says why.
pub fn risk(input: &RiskInput, config: &RiskConfig) -> Risk {
    let mut missing = Vec::new();

    let (effect, changed) = match (input.before, input.after) {
        (Some(before), Some(after)) => {
            let changed = changed_leaves(before, after);
            (Effect::of(before, after, &changed), Some(changed.len()))
        }
        (before, _) => {
            missing.push(match before {
                None => "the target could not be read",
                Some(_) => "the patch could not be applied",
            });
            (Some(Effect::UNKNOWN), None)
        }
    };
    let effect = effect.filter(|effect| effect.weight > weight(input.change_type));
    let heaviest = effect.as_ref().map_or(weight(input.change_type), |effect| effect.weight);
    let base = heaviest * magnitude(changed.unwrap_or(0)) * tests_factor(input.tests);

    let velocity = input.others.map_or_else(
        || {
            missing.push("the other proposals could not be read");
            MAX_VELOCITY
        },
        velocity,
    );
    let merged_base = input.merged_base_24h.filter(|base| !base.is_nan());
    let cumulative = merged_base.map_or_else(
        || {
            missing.push("what was merged in the last 24 hours is not known");
            MAX_CUMULATIVE
        },
        cumulative,
    );

    let mut total = unit(base + velocity + cumulative);
    let mut level = config.level(total);
    if !missing.is_empty() {
        total = total.max(config.least_high());
        level = config.level(total).max(RiskLevel::High);
    }

    let what = effect.map_or_else(|| Cow::from(input.change_type.as_str()), |effect| effect.what);
    let mut reasons = vec![
        base_reason(&what, heaviest, changed, input.tests),
        velocity_reason(input.others),
        cumulative_reason(merged_base),
    ];
    reasons.extend(missing.iter().map(|what| format!("at least HIGH: {what}")));
    Risk { base, velocity, cumulative, total, level, reasons }
}

/// Tests that a change adds, or takes away if negative.
fn net_tests(tests: &TestChange) -> i64 {
    tests.added.max(0) - tests.removed.max(0)
}

fn base_reason(what: &str, weight: f64, changed: Option<usize>, tests: &TestChange) -> String {
    let mut parts = vec![format!("{what} weighs {weight:.2}")];
    parts.extend(changed.map(|fields| match fields {
        0 => "nothing changes".to_owned(),
        1 => "1 field changes".to_owned(),
        _ => format!("{fields} fields change"),
    }));
    let net = net_tests(tests);
    if net != 0 {
        let count = net.unsigned_abs();
        let noun = if count == 1 { "test" } else { "tests" };
        let more = if net > 0 { "more" } else { "fewer" };
        parts.push(format!("{count} {noun} {more}"));
    }
    parts.join(", ")
}

fn velocity_reason(others: Option<&[SignedDuration]>) -> String {
    let recent = others.map(|others| others.iter().filter(|age| **age < HASTE).count());
    match recent {
        None => "the haste of the last hour counts at its most".to_owned(),
        Some(0) => "no other proposal in the last hour".to_owned(),
        Some(1) => "1 other proposal in the last hour".to_owned(),
        Some(others) => format!("{others} other proposals in the last hour"),
    }
}

fn cumulative_reason(merged_base: Option<f64>) -> String {
    match merged_base {
        None => "the last 24 hours count at their most".to_owned(),
        Some(base) if base > 0.0 => format!("{base:.2} of base risk merged in the last 24 hours"),
        Some(_) => "nothing merged in the last 24 hours".to_owned(),
    }
}

impl From<Risk> for RiskStatus {
    fn from(risk: Risk) -> Self {
        let Risk { base, velocity, cumulative, total, level, reasons } = risk;
        Self { base, velocity, cumulative, total, level, reasons }
    }
}

impl From<RiskStatus> for Risk {
    fn from(status: RiskStatus) -> Self {
        let RiskStatus { base, velocity, cumulative, total, level, reasons } = status;
        Self { base, velocity, cumulative, total, level, reasons }
    }
}

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
