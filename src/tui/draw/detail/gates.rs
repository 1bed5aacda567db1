//! What stands between a proposal and its merge, and who said what.

use jiff::Timestamp;
use kgents_api::Proposal;
use kgents_api::proposal::{Decision, ProposalStatus, RiskLevel};
use kgents_core::{approval, attention};
use kgents_store::{Kind, view};
use serde_json::Value;

use super::super::counted;
use super::{Page, reasoned};
use crate::overlay::{Facts, Loaded};
use crate::text;
use crate::theme::Role;

/// Where the sentences begin.
const SAID: usize = 18;

/// How a gate stands.
#[derive(Clone, Copy)]
enum Gate {
    Open,
    Shut,
    Waits,
    Quiet,
}

fn gate(page: &mut Page<'_>, gate: Gate, name: &str, said: &str) {
    let glyphs = page.theme.glyphs;
    let (glyph, role, ink) = match gate {
        Gate::Open => (glyphs.check, Role::Moss, Role::Soft),
        Gate::Shut => (glyphs.cross, Role::Coral, Role::Text),
        Gate::Waits => (glyphs.waits, Role::Amber, Role::Text),
        Gate::Quiet => (glyphs.risk_empty, Role::Mute, Role::Soft),
    };
    let begins = vec![page.bold(role, format!("  {glyph} ")), page.span(Role::Text, super::pad(name, SAID - 5))];
    page.entry(begins, SAID, said, ink);
}

/// What still has to be so before it merges.
pub(super) fn gates(page: &mut Page<'_>, proposal: &Proposal, level: RiskLevel, facts: &Facts) {
    let before = page.lines.len();
    page.head("gates");
    let head = page.lines.len();
    tried(page, facts);
    let status = proposal.status.clone().unwrap_or_default();
    checks(page, &status);
    if view::phase(proposal).is_open() {
        approvals(page, proposal, &status, level);
        review(page, proposal);
        expiry(page, proposal);
    }
    if page.lines.len() == head {
        page.lines.truncate(before);
    }
}

fn tried(page: &mut Page<'_>, facts: &Facts) {
    match &facts.dry_run {
        Loaded::Here(run) => {
            let age = page.age(run.at);
            gate(page, Gate::Open, "dry run", &format!("the API server would take it, it said {age} ago"));
        }
        Loaded::Failed(_) if page.is_memory(Kind::Proposal) => {
            gate(page, Gate::Quiet, "dry run", "only an API server can make one");
        }
        Loaded::Failed(_) => gate(page, Gate::Shut, "dry run", "not taken; why stands above"),
        Loaded::Asked(_) => gate(page, Gate::Waits, "dry run", "asked for"),
        Loaded::Not => {}
    }
}

/// What the operator found.
fn checks(page: &mut Page<'_>, status: &ProposalStatus) {
    for condition in &status.conditions {
        let (shut, open) = (view::is_bad(condition), condition.status == "True");
        let state = if shut {
            Gate::Shut
        } else if open {
            Gate::Open
        } else {
            Gate::Waits
        };
        let age = page.age(condition.last_transition_time.0);
        let said = match condition.message.trim() {
            "" => words(&condition.reason),
            _ => reasoned(&condition.reason, &condition.message),
        };
        gate(page, state, &condition.type_.to_lowercase(), &format!("{said}, {age} ago"));
    }
    let validated = status.conditions.iter().any(|condition| condition.type_ == "Validated");
    for (name, value) in status.validation.iter().flatten() {
        // When and what a condition tells already is not told twice.
        if name == "checkedAt" || (name == "dryRun" && validated) {
            continue;
        }
        let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        gate(page, Gate::Quiet, name, &text::one_line(&said));
    }
}

/// A reason as words: `DryRunAccepted` is "dry run accepted". Letters that are
/// capitals together stay so.
fn words(reason: &str) -> String {
    let mut said = String::new();
    let mut letters = reason.chars().peekable();
    let mut before = '\0';
    while let Some(letter) = letters.next() {
        if letter.is_uppercase() && before.is_lowercase() {
            said.push(' ');
        }
        if before.is_uppercase() || letters.peek().is_some_and(|next| next.is_uppercase()) {
            said.push(letter);
        } else {
            said.extend(letter.to_lowercase());
        }
        before = letter;
    }
    said
}

fn approvals(page: &mut Page<'_>, proposal: &Proposal, status: &ProposalStatus, level: RiskLevel) {
    let missing = approval::missing(proposal, level);
    let given = match status.approvals.len() {
        0 => "nobody has approved yet".to_owned(),
        count => format!("{} given", counted(count, "approval", "approvals")),
    };
    if let Some(no) = status.rejections.first() {
        gate(page, Gate::Shut, "approval", &format!("rejected by {}", no.approver));
    } else if missing.is_nothing() {
        let said = if status.approvals.is_empty() { "needs none".to_owned() } else { given };
        gate(page, Gate::Open, "approval", &said);
    } else {
        gate(page, Gate::Waits, "approval", &format!("{missing}; {given}"));
    }
}

/// What its author set for the review.
fn review(page: &mut Page<'_>, proposal: &Proposal) {
    let review = &proposal.spec.review;
    let mut said =
        vec![if review.auto_merge { "merges by itself if it is LOW" } else { "never merges by itself" }.to_owned()];
    if review.required_approvers > 0 {
        let more = counted(review.required_approvers as usize, "approver", "approvers");
        said.push(format!("{more} beside what the risk asks for"));
    }
    if !review.required_reviewers.is_empty() {
        said.push(format!("{} among them", review.required_reviewers.join(", ")));
    }
    if review.t_gent_validation {
        said.push("t-gent looks at it".to_owned());
    }
    gate(page, Gate::Quiet, "review", &said.join("; "));
}

fn expiry(page: &mut Page<'_>, proposal: &Proposal) {
    let Some(end) = attention::expires_at(proposal) else { return };
    if end <= page.now {
        let age = page.age(end);
        gate(page, Gate::Shut, "expiry", &format!("expired {age} ago"));
    } else {
        let left = page.left(end);
        gate(page, Gate::Quiet, "expiry", &format!("in {left}, unless somebody decides before"));
    }
}

/// What would come of an approval, as far as it can be told from here.
pub(super) fn approving(page: &mut Page<'_>, proposal: &Proposal, level: RiskLevel, facts: &Facts) {
    let now = approval::missing(proposal, level);
    // Who we are is asked when a dialog opens; before that we are somebody.
    let user = page.app.desk.user.clone();
    let name = user.clone().unwrap_or_else(|| "somebody".to_owned());
    let mut with = proposal.clone();
    let status = with.status.get_or_insert_with(ProposalStatus::default);
    status.approvals.retain(|decision| decision.approver != name);
    status.approvals.push(Decision { approver: name, at: None, reason: None });
    let then = approval::missing(&with, level);
    let whose = user.map_or_else(|| "your name".to_owned(), |user| format!("your name, {user}"));
    let target = &proposal.spec.target;
    let applies = if proposal.spec.change_type.deletes_target() {
        format!("an operator, where one runs, deletes {} {} as kgents-operator/proposal", target.kind, target.name)
    } else {
        "an operator, where one runs, applies the patch as kgents-operator/proposal and keeps its inverse, so that it \
         can be rolled back"
            .to_owned()
    };
    let said = if now.is_nothing() {
        format!("It lacks no approval; yours would be added under {whose}. Then {applies}.")
    } else if then.is_nothing() {
        format!("Your approval, under {whose}, is the last that it needs: {applies}.")
    } else if then.approvers < now.approvers {
        format!("Your approval is written to its status under {whose}. It then still {then}; nothing is applied yet.")
    } else {
        format!("An approval under {whose} would not bring it nearer: it {now}.")
    };
    page.head("if you approve");
    page.entry(Vec::new(), 2, &said, Role::Text);
    if matches!(facts.dry_run, Loaded::Failed(_)) && !page.is_memory(Kind::Proposal) {
        page.entry(Vec::new(), 2, "The dry run did not succeed, so the operator's change may not either.", Role::Amber);
    }
}

/// Who agreed and who refused: who, when, why.
pub(super) fn decisions(page: &mut Page<'_>, status: &ProposalStatus) {
    let glyphs = page.theme.glyphs;
    for (title, decisions, glyph, role) in [
        ("approvals", &status.approvals, glyphs.check, Role::Moss),
        ("rejections", &status.rejections, glyphs.cross, Role::Coral),
    ] {
        if decisions.is_empty() {
            continue;
        }
        page.head(title);
        for decision in decisions {
            let age = decision.at.as_ref().and_then(|at| at.parse::<Timestamp>().ok()).map(|at| page.age(at));
            let age = age.map(|age| page.span(Role::Mute, format!("{age} ago")));
            let left = vec![
                page.bold(role, format!("  {glyph} ")),
                page.span(page.theme.accent(&decision.approver), decision.approver.clone()),
            ];
            page.row(left, age.into_iter().collect());
            match decision.reason.as_deref().map(str::trim) {
                Some(reason) if !reason.is_empty() => {
                    page.entry(Vec::new(), 4, &format!("“{reason}”"), Role::Text);
                }
                _ => page.entry(Vec::new(), 4, "without a reason", Role::Mute),
            }
        }
    }
}

/// What was done for it.
pub(super) fn done(page: &mut Page<'_>, status: &ProposalStatus) {
    let Some(execution) = &status.execution else { return };
    page.head("what was done");
    if let Some(at) = &execution.applied_at {
        match at.parse::<Timestamp>() {
            Ok(at) => {
                let (clock, age) = (page.clock(at), page.age(at));
                page.fact("  applied", &format!("{clock}, {age} ago"), Role::Text);
            }
            Err(_) => page.fact("  applied", at, Role::Text),
        }
    }
    page.maybe("  it says", execution.message.as_deref());
    if execution.inverse_patch.as_ref().is_some_and(|patch| *patch != Value::Null) {
        page.fact("  inverse", "kept: it can be rolled back", Role::Soft);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_reason_is_said_in_words() {
        assert_eq!(super::words("DryRunAccepted"), "dry run accepted");
        assert_eq!(super::words("OOMKilled"), "OOMKilled");
    }
}
