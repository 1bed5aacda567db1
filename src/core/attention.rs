//! Attention: what needs a person comes first, and each row says why.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use kgents_api::agent::{AgentPhase, AgentStatus, CognitiveHealth};
use kgents_api::proposal::{ProposalPhase, RiskLevel};
use kgents_api::{Agent, Condition, ObjectMeta, Pheromone, PheromoneType, Proposal};
use serde_json::Value;

use crate::activity::AgentState;
use crate::decay::Fade;
use crate::{age, approval, unit};

/// A WARNING or SCARCITY at least this strong asks for attention.
pub const STRONG_FROM: f64 = 0.5;

/// A proposal that expires within this time asks for attention.
pub const EXPIRES_SOON: SignedDuration = SignedDuration::from_hours(1);

/// How much is believed of what may be out of date or is an estimate.
const UNSURE: f64 = 0.8;

/// What sort of attention something needs, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A person must decide, and soon: a CRITICAL or expiring approval, a semaphore.
    Decide,
    /// Something is broken.
    Broken,
    /// A person is asked, without haste.
    Ask,
    /// Somebody warns.
    Signal,
    /// None.
    None,
}

impl Need {
    /// Whether somebody waits for a person's answer.
    pub const fn is_asked(self) -> bool {
        matches!(self, Self::Decide | Self::Ask)
    }

    /// Whether it takes a person: an answer, or a repair.
    pub const fn needs_person(self) -> bool {
        matches!(self, Self::Decide | Self::Broken | Self::Ask)
    }
}

/// What something bids for a person's attention.
#[derive(Clone, Debug, PartialEq)]
pub struct Bid {
    /// The class of its need. It outweighs everything else.
    pub need: Need,
    /// How much it presses, 0 to 1.
    pub urgency: f64,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Since when it waits.
    pub since: Timestamp,
    /// Why it stands where it stands.
    pub reason: String,
}

impl Bid {
    /// `urgency * confidence`, each within 0 to 1, so that nobody can outbid
    /// the rest by naming a monstrous number.
    fn weight(&self) -> f64 {
        unit(self.urgency) * unit(self.confidence)
    }
}

/// The order of attention: by need, then the higher bid, then who has waited
/// longest. It is a total preorder for any numbers; callers settle ties, such
/// as by name.
pub fn order(a: &Bid, b: &Bid) -> Ordering {
    a.need.cmp(&b.need).then_with(|| b.weight().total_cmp(&a.weight())).then_with(|| a.since.cmp(&b.since))
}

/// Why an agent stands where it stands: the first, by [`order`], of what is
/// asked on its behalf, what is broken in it, what it is warned of, and what
/// it does.
///
/// `signals` are the living pheromones that it emitted or that target it, with
/// their intensity; `asks` are the open proposals that it made or that target
/// it, with the level of their risk. `level` is its activity; an agent that needs nothing bids with the step
/// of its activity (busy, active, idle), so that rows do not dance.
pub fn agent_bid(
    agent: &Agent,
    level: f64,
    signals: &[(&Pheromone, f64)],
    asks: &[(&Proposal, RiskLevel)],
    now: Timestamp,
) -> Bid {
    let asked = asks.iter().map(|(proposal, risk)| ask_bid(agent, proposal, *risk, now));
    let broken = broken_bid(agent, now);
    let warned = signals.iter().filter_map(|(pheromone, intensity)| signal_bid(agent, pheromone, *intensity, now));
    asked
        .filter(|bid| bid.need != Need::None)
        .chain(broken)
        .chain(warned)
        .min_by(order)
        .unwrap_or_else(|| quiet_bid(agent, level, now))
}

/// What a proposal asks of a person, if anything: approvals that its risk or
/// its review still lacks, or a look before it expires within the hour.
pub fn proposal_bid(proposal: &Proposal, level: RiskLevel, now: Timestamp) -> Bid {
    let mut bid = Bid {
        need: Need::None,
        urgency: 0.0,
        confidence: 1.0,
        since: created(&proposal.metadata).unwrap_or(now),
        reason: String::new(),
    };
    if let Some(settled) = settled(proposal, now) {
        bid.reason = settled;
        return bid;
    }
    let pressing = approval::pressing(proposal, level);
    let missing = approval::missing(proposal, level);
    let soon = expires_at(proposal).map(|end| end.duration_since(now)).filter(|left| *left <= EXPIRES_SOON);
    if missing.is_nothing() && soon.is_none() {
        bid.reason = if pressing == RiskLevel::Low && proposal.spec.review.auto_merge {
            "merges by itself".to_owned()
        } else {
            "has the approvals it needs".to_owned()
        };
        return bid;
    }
    bid.need = if pressing == RiskLevel::Critical || soon.is_some() { Need::Decide } else { Need::Ask };
    bid.urgency = match pressing {
        RiskLevel::Low => 0.2,
        RiskLevel::Medium => 0.4,
        RiskLevel::High => 0.7,
        RiskLevel::Critical => 1.0,
    };
    if assessed(proposal) != Some(level) {
        bid.confidence = UNSURE;
    }
    bid.reason = if missing.is_nothing() { "lacks nothing".to_owned() } else { missing.to_string() };
    if let Some(left) = soon {
        bid.urgency = bid.urgency.max(0.9);
        bid.reason.push_str(", expires in ");
        bid.reason.push_str(&age::until_text(left));
    }
    bid
}

/// When a proposal expires if nobody decides: its creation and
/// `spec.ttlSeconds`. `None` when it was not created yet, or when it outlives
/// the calendar.
pub fn expires_at(proposal: &Proposal) -> Option<Timestamp> {
    let ttl = SignedDuration::from_secs(proposal.spec.ttl_seconds.max(0));
    created(&proposal.metadata)?.checked_add(ttl).ok()
}

/// Why nobody can decide about a proposal any more; `None` while it is open.
fn settled(proposal: &Proposal, now: Timestamp) -> Option<String> {
    let status = proposal.status.as_ref();
    let phase = status.and_then(|status| status.phase).unwrap_or(ProposalPhase::Pending);
    let rejected = status
        .and_then(|status| status.rejections.first())
        .map(|no| said(&format!("rejected by {}", no.approver), no.reason.as_deref()));
    let outcome =
        status.and_then(|status| status.execution.as_ref()).and_then(|execution| execution.message.as_deref());
    let words = match phase {
        ProposalPhase::Pending | ProposalPhase::Reviewing => {
            let expired = expires_at(proposal).is_some_and(|end| end <= now);
            return rejected.or_else(|| expired.then(|| "expired".to_owned()));
        }
        ProposalPhase::Rejected => rejected.unwrap_or_else(|| "rejected".to_owned()),
        ProposalPhase::Approved => "approved, waits to be applied".to_owned(),
        ProposalPhase::Merged => said("merged", outcome),
        ProposalPhase::Failed => said("failed", outcome),
        ProposalPhase::RolledBack => said("rolled back", outcome),
        ProposalPhase::Expired => "expired".to_owned(),
        ProposalPhase::Superseded => "superseded by a newer proposal".to_owned(),
    };
    Some(words)
}

/// `word`, and what was said about it.
fn said(word: &str, what: Option<&str>) -> String {
    match what.map(str::trim) {
        None | Some("") => word.to_owned(),
        Some(what) => format!("{word}: {what}"),
    }
}

/// What a proposal asks, seen from the agent that made it or is its target.
fn ask_bid(agent: &Agent, proposal: &Proposal, level: RiskLevel, now: Timestamp) -> Bid {
    let mut bid = proposal_bid(proposal, level, now);
    let spec = &proposal.spec;
    let what = match spec.reason.as_deref().map(str::trim) {
        Some(reason) if !reason.is_empty() => reason.to_owned(),
        _ => format!("{} of {}", spec.change_type, spec.target.name),
    };
    let who = if Some(&spec.proposer) == agent.metadata.name.as_ref() {
        "asks".to_owned()
    } else {
        format!("{} wants to change it", spec.proposer)
    };
    bid.reason = format!("{who}: {what}; {}", bid.reason);
    bid
}

/// The bid of an agent that is Failed, Degraded or UNRESPONSIVE. What is being
/// deleted may be as broken as it likes.
fn broken_bid(agent: &Agent, now: Timestamp) -> Option<Bid> {
    let status = agent.status.as_ref()?;
    let (urgency, fallback) = match (status.phase, status.cognitive_health) {
        (Some(AgentPhase::Terminating), _) => return None,
        (Some(AgentPhase::Failed), _) => (1.0, "it failed"),
        (_, Some(CognitiveHealth::Unresponsive)) => (0.8, "its mind does not answer"),
        (Some(AgentPhase::Degraded), _) => (0.5, "it is degraded"),
        _ => return None,
    };
    let said = complaint(status);
    let current = status.observed_generation.is_none() || status.observed_generation == agent.metadata.generation;
    Some(Bid {
        need: Need::Broken,
        urgency,
        confidence: if current { 1.0 } else { UNSURE },
        since: said.map(|condition| condition.last_transition_time.0).or(created(&agent.metadata)).unwrap_or(now),
        reason: said.map_or_else(|| fallback.to_owned(), words),
    })
}

/// The condition that says best what is wrong: Stalled, else what is not
/// Ready, not Progressing, or else False.
fn complaint(status: &AgentStatus) -> Option<&Condition> {
    let is = |type_: &str, state: &str| {
        status.conditions.iter().find(|condition| condition.type_ == type_ && condition.status == state)
    };
    is("Stalled", "True").or_else(|| is("Ready", "False")).or_else(|| is("Progressing", "False")).or_else(|| {
        status.conditions.iter().find(|condition| condition.status == "False" && condition.type_ != "Stalled")
    })
}

/// A condition in its own words.
fn words(condition: &Condition) -> String {
    said(&condition.reason, Some(&condition.message))
}

/// The bid of a strong WARNING or SCARCITY. Its strength is no part of the
/// sentence: it changes all the time.
fn signal_bid(agent: &Agent, pheromone: &Pheromone, intensity: f64, now: Timestamp) -> Option<Bid> {
    let spec = &pheromone.spec;
    let alarming = matches!(spec.type_, PheromoneType::Warning | PheromoneType::Scarcity);
    if !alarming || intensity.is_nan() || intensity < STRONG_FROM {
        return None;
    }
    let mut reason = spec.type_.to_string();
    if Some(&spec.source) != agent.metadata.name.as_ref() {
        reason.push_str(" from ");
        reason.push_str(&spec.source);
    }
    if let Some(payload) = &spec.payload {
        reason.push_str(": ");
        reason.push_str(&payload_text(payload));
    }
    Some(Bid {
        need: Need::Signal,
        urgency: intensity,
        confidence: 1.0,
        since: Fade::of(pheromone).map_or(now, |fade| fade.emitted()),
        reason,
    })
}

fn payload_text(payload: &Value) -> String {
    payload.as_str().map_or_else(|| payload.to_string(), |text| text.trim().to_owned())
}

/// The bid of an agent that needs nobody.
fn quiet_bid(agent: &Agent, level: f64, now: Timestamp) -> Bid {
    let status = agent.status.as_ref();
    let phase = status.and_then(|status| status.phase);
    let state = AgentState::of_level(level);
    let reason = match phase {
        Some(AgentPhase::Terminating) => "being deleted".to_owned(),
        _ if agent.spec.paused => "paused".to_owned(),
        Some(AgentPhase::Pending) => status.and_then(complaint).map_or_else(|| "being made".to_owned(), words),
        _ => state.to_string(),
    };
    Bid {
        need: Need::None,
        urgency: match state {
            AgentState::Busy => 1.0,
            AgentState::Active => 0.5,
            _ => 0.0,
        },
        confidence: 1.0,
        since: created(&agent.metadata).unwrap_or(now),
        reason,
    }
}

/// The level that the operator wrote, if it did.
fn assessed(proposal: &Proposal) -> Option<RiskLevel> {
    Some(proposal.status.as_ref()?.risk.as_ref()?.level)
}

fn created(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.creation_timestamp.as_ref().map(|time| time.0)
}

#[cfg(test)]
mod tests;
