//! The estimate that stands where no operator has written a risk.

use jiff::{SignedDuration, Timestamp};
use kgents_api::proposal::ProposalPhase;
use kgents_api::{ObjectMeta, Proposal};
use serde_json::Value;

use super::{DAY, Risk, RiskConfig, RiskInput, risk};
use crate::attention::expires_at;
use crate::patch::{self, PatchError};

/// The risk of a proposal on which no operator has written `status.risk`:
/// its patch applied to the target as it is, the velocity from the creation of
/// the other proposals, the cumulative risk from those that were applied.
///
/// `target` is `Null` when it is known not to be there, `None` when it cannot
/// be read. `others` may hold the proposal itself; it does not count.
pub fn estimate(
    proposal: &Proposal,
    target: Option<&Value>,
    others: &[&Proposal],
    now: Timestamp,
    config: &RiskConfig,
) -> Risk {
    let others: Vec<&Proposal> =
        others.iter().copied().filter(|other| !same(&other.metadata, &proposal.metadata)).collect();
    // One without a stamp is only being made.
    let ages: Vec<SignedDuration> = others
        .iter()
        .map(|other| match &other.metadata.creation_timestamp {
            Some(created) => now.duration_since(created.0),
            None => SignedDuration::ZERO,
        })
        .collect();
    let after = target.map(|target| outcome(proposal, target));
    let merged = merged_base(&others, now);

    let mut risk = risk(
        &RiskInput {
            change_type: proposal.spec.change_type,
            before: target,
            after: after.as_ref().and_then(|after| after.as_ref().ok()),
            tests: &proposal.spec.tests,
            others: Some(&ages),
            merged_base_24h: merged.as_ref().ok().copied(),
        },
        config,
    );
    if let Some(Err(error)) = after {
        risk.reasons.push(error.to_string());
    }
    if let Err(unknown) = merged {
        risk.reasons.push(unknown);
    }
    risk
}

/// What a proposal makes of its target. To delete, it needs no patch.
fn outcome(proposal: &Proposal, target: &Value) -> Result<Value, PatchError> {
    if proposal.spec.change_type.deletes_target() {
        return Ok(Value::Null);
    }
    patch::apply(&proposal.spec.patch, target)
}

/// The base risk applied in the last 24 hours, rolled back or not; an error
/// that names the proposal whose base nobody wrote down.
fn merged_base(others: &[&Proposal], now: Timestamp) -> Result<f64, String> {
    let mut sum = 0.0;
    for other in others {
        if applied_at(other, now).is_none_or(|at| now.duration_since(at) >= DAY) {
            continue;
        }
        let risk = other.status.as_ref().and_then(|status| status.risk.as_ref());
        let Some(base) = risk.map(|risk| risk.base).filter(|base| base.is_finite()) else {
            let name = other.metadata.name.as_deref().unwrap_or("one without a name");
            return Err(format!("{name} was merged without a base risk"));
        };
        sum += base.max(0.0);
    }
    Ok(sum)
}

/// When a proposal was applied, if it was. Where the stamp is missing or
/// cannot be read, the last moment at which it can have been: its expiry.
fn applied_at(proposal: &Proposal, now: Timestamp) -> Option<Timestamp> {
    let status = proposal.status.as_ref()?;
    let stamp = status.execution.as_ref().and_then(|execution| execution.applied_at.as_ref());
    let applied = stamp.is_some() || matches!(status.phase, Some(ProposalPhase::Merged | ProposalPhase::RolledBack));
    applied.then(|| stamp.and_then(|stamp| stamp.parse().ok()).or_else(|| expires_at(proposal)).unwrap_or(now))
}

/// Whether two are one object.
fn same(a: &ObjectMeta, b: &ObjectMeta) -> bool {
    match (&a.uid, &b.uid) {
        (Some(a), Some(b)) => a == b,
        _ => a.name == b.name && a.namespace == b.namespace,
    }
}

#[cfg(test)]
mod tests;
