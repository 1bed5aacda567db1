//! Approvals: who still has to agree before a proposal may merge.

use std::collections::BTreeSet;
use std::fmt;

use kgents_api::proposal::RiskLevel;
use kgents_api::{Proposal, Urgency};

/// The agent that tests. It may approve what is no more than MEDIUM.
const TESTER: &str = "t-gent";

/// What a proposal still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// How many more must approve, the named reviewers among them.
    pub approvers: usize,
    /// The reviewers whom the proposal names and who have not approved.
    pub reviewers: Vec<String>,
    /// Whether T-gent may be one of the approvers.
    pub tester_may: bool,
    /// Who made the proposal, and so may not approve it.
    pub proposer: String,
}

impl Missing {
    /// Whether nothing is missing.
    pub fn is_nothing(&self) -> bool {
        self.approvers == 0
    }
}

/// The approvals that a proposal of this level still lacks.
///
/// LOW needs none if it may merge by itself, else one; MEDIUM one, which may
/// be T-gent's; HIGH one of a person; CRITICAL, or urgency CRITICAL, two of
/// persons. `review.requiredApprovers` come on top, `review.requiredReviewers`
/// must be among them. Nobody approves what they proposed.
pub fn missing(proposal: &Proposal, level: RiskLevel) -> Missing {
    let spec = &proposal.spec;
    let review = &spec.review;
    let level = pressing(proposal, level);
    let by_risk = match level {
        RiskLevel::Low => usize::from(!review.auto_merge),
        RiskLevel::Medium | RiskLevel::High => 1,
        RiskLevel::Critical => 2,
    };
    let needed = by_risk.saturating_add(usize::try_from(review.required_approvers).unwrap_or(0));
    let tester_may = level <= RiskLevel::Medium;

    let approvers: BTreeSet<&str> = proposal
        .status
        .iter()
        .flat_map(|status| &status.approvals)
        .map(|decision| decision.approver.as_str())
        .filter(|approver| agent_name(approver) != agent_name(&spec.proposer))
        .filter(|approver| tester_may || agent_name(approver) != TESTER)
        .collect();
    let reviewers: Vec<String> =
        review.required_reviewers.iter().filter(|reviewer| !approvers.contains(reviewer.as_str())).cloned().collect();
    Missing {
        approvers: needed.saturating_sub(approvers.len()).max(reviewers.len()),
        reviewers,
        tester_may,
        proposer: spec.proposer.clone(),
    }
}

/// The level by which a proposal is judged: CRITICAL urgency asks for as much
/// care as CRITICAL risk.
pub(crate) fn pressing(proposal: &Proposal, level: RiskLevel) -> RiskLevel {
    if proposal.spec.urgency == Urgency::Critical { RiskLevel::Critical } else { level }
}

/// The name of the agent behind a user name: agents come to the API server as
/// `system:serviceaccount:<namespace>:<agent>`, people by their own names.
fn agent_name(user: &str) -> &str {
    user.strip_prefix("system:serviceaccount:")
        .and_then(|account| account.split_once(':'))
        .map_or(user, |(_, name)| name)
}

/// "needs ann and 1 of t-gent, people", "needs 2 people, not b-gent", or
/// nothing.
impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_nothing() {
            return Ok(());
        }
        write!(f, "needs ")?;
        let named = self.reviewers.join(", ");
        let others = self.approvers.saturating_sub(self.reviewers.len());
        f.write_str(&named)?;
        if others == 0 {
            return Ok(());
        }
        if !named.is_empty() {
            write!(f, " and ")?;
        }
        match (self.tester_may, others) {
            (true, _) => write!(f, "{others} of {TESTER}, people"),
            (false, 1) => write!(f, "1 person, not {}", self.proposer),
            (false, _) => write!(f, "{others} people, not {}", self.proposer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::proposal;

    #[track_caller]
    fn lacks(over: &Value, level: RiskLevel, approvers: &[&str]) -> String {
        let mut proposal = proposal(over);
        let approvals: Vec<_> = approvers.iter().map(|name| json!({ "approver": name })).collect();
        proposal.status = serde_json::from_value(json!({ "approvals": approvals })).unwrap();
        missing(&proposal, level).to_string()
    }

    #[test]
    fn each_level_asks_for_its_approvals() {
        let by = |level, approvers: &[&str]| lacks(&json!({}), level, approvers);
        assert_eq!(by(RiskLevel::Low, &[]), "");
        assert_eq!(by(RiskLevel::Medium, &[]), "needs 1 of t-gent, people");
        assert_eq!(by(RiskLevel::Medium, &["t-gent"]), "");
        assert_eq!(by(RiskLevel::Medium, &["ann"]), "");
        assert_eq!(by(RiskLevel::High, &[]), "needs 1 person, not b-gent");
        assert_eq!(by(RiskLevel::High, &["ann"]), "");
        assert_eq!(by(RiskLevel::Critical, &[]), "needs 2 people, not b-gent");
        assert_eq!(by(RiskLevel::Critical, &["ann"]), "needs 1 person, not b-gent");
        assert_eq!(by(RiskLevel::Critical, &["ann", "ann"]), "needs 1 person, not b-gent");
        assert_eq!(by(RiskLevel::Critical, &["ann", "bob"]), "");
    }

    #[test]
    fn the_proposer_never_counts_and_t_gent_not_above_medium() {
        for name in ["b-gent", "system:serviceaccount:kgents-agents:b-gent"] {
            assert_eq!(lacks(&json!({}), RiskLevel::Medium, &[name]), "needs 1 of t-gent, people");
        }
        for name in ["t-gent", "system:serviceaccount:kgents-agents:t-gent"] {
            assert_eq!(lacks(&json!({}), RiskLevel::Medium, &[name]), "");
            assert_eq!(lacks(&json!({}), RiskLevel::High, &[name]), "needs 1 person, not b-gent");
        }
    }

    #[test]
    fn a_critical_urgency_asks_for_two_people_whatever_the_risk() {
        let urgent = json!({ "spec": { "urgency": "CRITICAL" } });
        assert_eq!(lacks(&urgent, RiskLevel::Low, &["ann"]), "needs 1 person, not b-gent");
    }

    #[test]
    fn the_review_can_ask_for_more() {
        let review = |review: Value| json!({ "spec": { "review": review } });
        let by_hand = review(json!({ "autoMerge": false }));
        assert_eq!(lacks(&by_hand, RiskLevel::Low, &[]), "needs 1 of t-gent, people");
        let one_more = review(json!({ "requiredApprovers": 1 }));
        assert_eq!(lacks(&one_more, RiskLevel::Low, &[]), "needs 1 of t-gent, people");
        assert_eq!(lacks(&one_more, RiskLevel::Medium, &["ann"]), "needs 1 of t-gent, people");
        let named = review(json!({ "requiredReviewers": ["ann", "bob"] }));
        assert_eq!(lacks(&named, RiskLevel::Low, &[]), "needs ann, bob");
        assert_eq!(lacks(&named, RiskLevel::High, &["ann", "eve"]), "needs bob");
        let both = review(json!({ "requiredReviewers": ["ann"], "requiredApprovers": 1 }));
        assert_eq!(lacks(&both, RiskLevel::Critical, &[]), "needs ann and 2 people, not b-gent");
        // Nonsense from outside adds nothing.
        assert_eq!(lacks(&review(json!({ "requiredApprovers": -5 })), RiskLevel::Low, &[]), "");
    }
}
