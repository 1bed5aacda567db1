//! The page of a proposal.

use std::io;

use kgents_api::proposal::Decision;
use kgents_api::yaml;
use kgents_core::attention;
use kgents_store::{Kind, view};

use super::Scene;
use crate::page::Page;
use crate::table::Row;
use crate::{rows, value};

/// Writes the page.
pub(super) fn page(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(held) = scene.terrarium.proposals().get(scene.key) else { return Ok(()) };
    let proposal = &*held.object;
    let (spec, status) = (&proposal.spec, proposal.status.clone().unwrap_or_default());
    let Some(row) = view::proposals(scene.terrarium, scene.now).into_iter().find(|row| row.key == *scene.key) else {
        return Ok(());
    };
    let why = Some(&row.bid.reason).filter(|why| !why.eq_ignore_ascii_case(row.phase.as_str()));
    page.field(
        "Phase",
        [Some(row.phase.as_str()), why.map(String::as_str)].into_iter().flatten().collect::<Vec<_>>().join(": "),
    )?;
    page.field("Change", format!("{} of {}", spec.change_type, rows::target(scene.key, &spec.target)))?;
    page.some("Reason", spec.reason.as_ref())?;
    page.field("Proposer", &spec.proposer)?;
    page.field("Urgency", spec.urgency.as_str())?;
    let risk = &row.risk;
    let whose = if row.estimated { ", our own estimate: no operator has written one" } else { "" };
    page.field("Risk", format!("{:.2} {}{whose}", risk.total, risk.level))?;
    page.field(
        "",
        format!("base {:.2} + velocity {:.2} + cumulative {:.2}", risk.base, risk.velocity, risk.cumulative),
    )?;
    for reason in &risk.reasons {
        page.field("", reason)?;
    }
    if row.phase.is_open() {
        let end = attention::expires_at(proposal);
        page.some("Expires", end.map(|end| format!("{end:.0} (in {})", value::until(end, scene.now))))?;
    }
    page.field("Tests", format!("{} added, {} removed", spec.tests.added, spec.tests.removed))?;
    scene.meta(page, Kind::Proposal, &proposal.metadata)?;
    decisions(scene, page, "Approvals", &status.approvals)?;
    decisions(scene, page, "Rejections", &status.rejections)?;
    if let Some(execution) = &status.execution {
        let at = execution.applied_at.as_ref().map(|at| format!("applied at {at}"));
        let lines: Vec<String> = at.into_iter().chain(execution.message.clone()).collect();
        page.list("Execution", &lines)?;
    }
    scene.conditions(page, &status.conditions)?;
    let text = |value: &serde_json::Value| yaml::to_string(value).unwrap_or_else(|_| value.to_string());
    page.text(&format!("Patch ({})", spec.patch.type_), &text(&spec.patch.content))?;
    if let Some(evidence) = spec.evidence.clone() {
        page.text("Evidence", &text(&evidence.into()))?;
    }
    match status.validation {
        Some(validation) => page.text("Validation", &text(&validation.into())),
        None => Ok(()),
    }
}

fn decisions(scene: &Scene<'_>, page: &mut Page<'_>, title: &str, decisions: &[Decision]) -> io::Result<()> {
    let rows: Vec<Row> = decisions
        .iter()
        .map(|Decision { approver, at, reason }| {
            let at = at.as_deref().map(|at| at.parse().map_or_else(|_| at.to_owned(), |at| scene.ago(at)));
            Row::Cells(vec![approver.clone(), at.unwrap_or_default(), reason.clone().unwrap_or_default()])
        })
        .collect();
    page.table(title, &["WHO", "AGE", "REASON"], &rows)
}
