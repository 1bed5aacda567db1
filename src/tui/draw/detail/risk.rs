//! The risk of a proposal: its parts on one bar, each with why.

use jiff::{SignedDuration, Timestamp};
use kgents_api::Proposal;
use kgents_api::proposal::RiskLevel;
use kgents_core::risk::{Risk, RiskConfig};
use kgents_store::{Key, view};
use ratatui::text::Span;

use super::super::counted;
use super::super::proposals::{level_role, risk_bar};
use super::Page;
use crate::text;
use crate::theme::Role;

/// The widest that the bar is.
const BAR: usize = 72;
/// Cells of the figure before the bar.
const FIGURE: usize = 22;
/// Where the sentences of the parts begin.
const WHY: usize = 24;

/// How long another proposal adds to the velocity, a merged one to the sum.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn risk(page: &mut Page<'_>, key: &Key, proposal: &Proposal) {
    let (risk, estimated) = view::risk_of(&page.app.terrarium, key, proposal, page.now);
    if estimated {
        let wake = changes_at(page, key, proposal, &risk);
        page.wake(wake);
    }
    page.blank();
    let cells = page.width.saturating_sub(FIGURE + 1).min(BAR);
    let figure = format!("{:.2} {}", risk.total, risk.level);
    let mut line =
        vec![page.bold(Role::Soft, "risk  "), page.bold(level_role(risk.level), super::pad(&figure, FIGURE - 6))];
    line.extend(risk_bar(page.theme, &risk, cells));
    page.push(line);
    thresholds(page, cells);
    let (others, merged) = around(page, key);
    let parts = [
        ("base", risk.base, Role::Amber, String::new()),
        ("velocity", risk.velocity, Role::Coral, format!("{}, counted here", haste(others))),
        ("cumulative", risk.cumulative, Role::Plum, format!("{}, counted here", day(merged))),
    ];
    // Three sentences or more: one of each part, then what is missing.
    let told = risk.reasons.len() >= parts.len();
    for (place, (name, value, role, ours)) in parts.into_iter().enumerate() {
        let why = risk.reasons.get(place).filter(|_| told || place == 0).unwrap_or(&ours);
        let begins = vec![
            page.span(role, format!("  {} ", page.theme.glyphs.risk)),
            page.span(Role::Text, super::pad(name, 12)),
            page.bold(Role::Text, format!("{value:.2}")),
        ];
        page.entry(begins, WHY, why, Role::Soft);
    }
    for reason in risk.reasons.iter().skip(if told { 3 } else { 1 }) {
        page.entry(Vec::new(), WHY, reason, Role::Amber);
    }
    if estimated {
        let said = "Estimated here: no operator has written a risk. It eases while nothing else is proposed.";
        page.entry(Vec::new(), 2, said, Role::Mute);
    } else if told {
        let said = format!("The operator's figures. Seen from here now: {}, {}.", haste(others), day(merged));
        page.entry(Vec::new(), 2, &said, Role::Mute);
    }
}

fn haste(others: usize) -> String {
    match others {
        0 => "no other proposal in the last hour".to_owned(),
        _ => format!("{} in the last hour", counted(others, "other proposal", "other proposals")),
    }
}

fn day(merged: f64) -> String {
    if merged > 0.0 { format!("{merged:.2} of base risk merged in 24 h") } else { "nothing merged in 24 h".to_owned() }
}

/// The levels that begin and end along the bar.
fn thresholds(page: &mut Page<'_>, cells: usize) {
    let limits = RiskConfig::default().thresholds;
    let mut line = Vec::new();
    let mut at = 0;
    for (place, limit) in limits.into_iter().enumerate() {
        let column = (limit * cells as f64).round() as usize;
        let next = limits.get(place + 1).map_or(cells, |next| (next * cells as f64).round() as usize);
        let number = format!("{limit:.1}").trim_start_matches('0').to_owned();
        let level = RiskLevel::ALL.get(place).map_or("", |level| level.as_str());
        let long = format!(" {level} {number}");
        let said = if text::width(&long) + 1 < next - column { long } else { format!(" {number}") };
        line.push(Span::raw(" ".repeat(column.saturating_sub(at))));
        line.push(page.span(Role::Soft, page.theme.glyphs.tick));
        at = column.max(at) + 1 + text::width(&said);
        line.push(page.span(Role::Mute, said));
    }
    line.insert(0, Span::raw(" ".repeat(FIGURE)));
    page.push(line);
}

/// The other proposals of the last hour, and the base risk merged in the last
/// day, as the terrarium has them; wakes when either is another.
fn around(page: &mut Page<'_>, key: &Key) -> (usize, f64) {
    let (now, mut wakes) = (page.now, Vec::new());
    let mut within = |at: Timestamp, span: SignedDuration| {
        let end = at.checked_add(span).unwrap_or(Timestamp::MAX);
        if now < end {
            wakes.push(end);
        }
        now < end
    };
    let (mut others, mut merged) = (0, 0.0);
    for (_, held) in page.app.terrarium.proposals().iter().filter(|(other, _)| *other != key) {
        let object = &*held.object;
        let created = object.metadata.creation_timestamp.as_ref().map(|time| time.0);
        others += usize::from(created.is_some_and(|created| within(created, HOUR)));
        let Some(status) = &object.status else { continue };
        let applied = status.execution.as_ref().and_then(|execution| execution.applied_at.as_ref()?.parse().ok());
        if let (Some(applied), Some(risk)) = (applied, &status.risk)
            && within(applied, DAY)
        {
            merged += risk.base.max(0.0);
        }
    }
    if let Some(first) = wakes.into_iter().min() {
        page.wake(first);
    }
    (others, merged)
}

/// When an estimate reads otherwise: it only falls while nothing happens. Not
/// later than in a minute.
fn changes_at(page: &Page<'_>, key: &Key, proposal: &Proposal, risk: &Risk) -> Timestamp {
    let read = |risk: &Risk| {
        format!("{:.2} {:.2} {:.2} {}", risk.velocity, risk.cumulative, risk.total, risk.reasons.join(" "))
    };
    let same = |wait: i64| {
        let at = page.now.checked_add(SignedDuration::from_millis(wait)).unwrap_or(Timestamp::MAX);
        read(&view::risk_of(&page.app.terrarium, key, proposal, at).0) == read(risk)
    };
    let (mut holds, mut ends) = (0, 60_000);
    if !same(ends) {
        while ends - holds > 1 {
            let middle = i64::midpoint(holds, ends);
            if same(middle) { holds = middle } else { ends = middle }
        }
    }
    page.now.checked_add(SignedDuration::from_millis(ends)).unwrap_or(Timestamp::MAX)
}
