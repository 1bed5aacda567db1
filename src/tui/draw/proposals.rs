//! The proposals: phase, what would change, risk by its parts, what it asks.

use kgents_api::Proposal;
use kgents_api::proposal::{PatchType, ProposalPhase, RiskLevel};
use kgents_core::attention::Need;
use kgents_core::risk::Risk;
use kgents_store::view::ProposalRow;
use kgents_store::{Key, Kind, Terrarium};
use ratatui::layout::Rect;
use ratatui::text::Span;
use serde_json::Value;

use super::{Pen, counted, motion, shown_of};
use crate::app::App;
use crate::layout::Pane;
use crate::text;
use crate::theme::{Role, Theme};
use crate::view::Sort;

pub(super) fn count(app: &App) -> String {
    if !super::is_known(app, Kind::Proposal) {
        return String::new();
    }
    let open = app.views.proposals.all().iter().filter(|row| row.phase.is_open()).count();
    let unreadable = app.terrarium.unreadable(Kind::Proposal).count();
    let said = {
        let order = app.sort_of(Pane::Proposals).filter(|sort| *sort != Sort::Attention);
        let order = order.map(|sort| format!(" · {}", sort.said())).unwrap_or_default();
        format!("{open} open · {} in all{order}", shown_of(&app.views.proposals))
    };
    if unreadable > 0 { format!("{said} · {unreadable} unreadable") } else { said }
}

pub(super) const fn phase_role(phase: ProposalPhase) -> Role {
    match phase {
        ProposalPhase::Pending => Role::Sky,
        ProposalPhase::Reviewing => Role::Amber,
        ProposalPhase::Approved | ProposalPhase::Merged => Role::Moss,
        ProposalPhase::Rejected | ProposalPhase::Failed => Role::Coral,
        ProposalPhase::RolledBack => Role::Plum,
        ProposalPhase::Expired | ProposalPhase::Superseded => Role::Mute,
    }
}

pub(super) const fn level_role(level: RiskLevel) -> Role {
    match level {
        RiskLevel::Low => Role::Moss,
        RiskLevel::Medium => Role::Amber,
        RiskLevel::High | RiskLevel::Critical => Role::Coral,
    }
}

/// The parts of a risk as stacked blocks, `cells` of them to 1.
pub(super) fn risk_bar(theme: &Theme, risk: &Risk, cells: usize) -> Vec<Span<'static>> {
    let glyphs = theme.glyphs;
    let cut = |sum: f64| (sum.clamp(0.0, 1.0) * cells as f64).round() as usize;
    let mut spans = Vec::new();
    let (mut sum, mut used) = (0.0, 0);
    for (part, role) in [(risk.base, Role::Amber), (risk.velocity, Role::Coral), (risk.cumulative, Role::Plum)] {
        sum += part;
        // A part that counts shows, however small.
        let blocks = (cut(sum).saturating_sub(used)).max(usize::from(part > 0.015)).min(cells - used);
        spans.push(Span::styled(glyphs.risk.repeat(blocks), theme.fg(role)));
        used += blocks;
    }
    spans.push(Span::styled(glyphs.risk_empty.repeat(cells - used), theme.fg(Role::Line)));
    spans
}

/// What a proposal would change, in a few words.
pub(super) fn what(terrarium: &Terrarium, key: &Key, proposal: &Proposal) -> String {
    let patch = &proposal.spec.patch;
    let mut leaves = Vec::new();
    match patch.type_ {
        PatchType::Merge | PatchType::Apply => collect(&patch.content, String::new(), &mut leaves),
        PatchType::Json => {
            for step in patch.content.as_array().into_iter().flatten() {
                let place = step.get("path").and_then(Value::as_str).unwrap_or_default();
                leaves.push((place.to_owned(), step.get("value").cloned().unwrap_or(Value::Null)));
            }
        }
    }
    leaves.retain(|(place, _)| {
        !matches!(place.as_str(), "/apiVersion" | "/kind") && !place.starts_with("/metadata/name")
    });
    match leaves.as_slice() {
        [] => proposal.spec.change_type.as_str().to_lowercase().replace('_', " "),
        [(place, value)] => {
            let name = place.rsplit('/').next().unwrap_or(place);
            let target = &proposal.spec.target;
            let target_key = Key::new(target.namespace.as_deref().unwrap_or(key.namespace()), &target.name);
            let before = (target.kind == "Agent")
                .then(|| terrarium.agents().get(&target_key))
                .flatten()
                .and_then(|agent| serde_json::to_value(&*agent.held.object).ok())
                .and_then(|object| object.pointer(place).cloned());
            let before = before.map(|before| format!("{} ", plain(&before))).unwrap_or_default();
            format!("{name} {before}→ {}", plain(value))
        }
        more => format!("{} fields", more.len()),
    }
}

fn collect(value: &Value, place: String, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(item, format!("{place}/{key}"), leaves);
            }
        }
        other => leaves.push((place, other.clone())),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(string) => string.clone(),
        Value::Null => "nothing".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    if app.views.proposals.is_empty() {
        let said = match app.terrarium.watch(Kind::Proposal).state {
            _ if !app.views.proposals.all().is_empty() => "No proposal matches the filter.",
            // What is remembered is known as well.
            state if state.is_live() || !state.is_settled() && super::is_known(app, Kind::Proposal) => {
                "Nobody asks for a change."
            }
            state if !state.is_settled() => "listening…",
            _ => "",
        };
        pen.put(area.x + 2, area.y, area.right(), said, pen.theme.fg(Role::Mute));
        return;
    }
    let focused = app.focus == Pane::Proposals;
    let first = app.proposals.offset();
    let rows = &app.views.proposals;
    let shown: Vec<&ProposalRow> = rows.from(first).take(usize::from(area.height)).collect();
    let name_width = shown.iter().map(|row| text::width(row.key.name())).max().unwrap_or(0);
    let name_width = name_width.min((usize::from(area.width) / 4).max(20)) as u16;
    for (i, row) in shown.iter().enumerate() {
        let place = first + i;
        let line = Rect { y: area.y + i as u16, height: 1, ..area };
        let changed = app.terrarium.proposals().get(&row.key).and_then(|held| held.changed);
        motion::glow(pen, line, phase_role(row.phase), changed);
        let selected = place == app.proposals.place() && (focused || app.proposals.is_chosen());
        pen.row(Pane::Proposals, place, line, selected);
        draw_row(pen, line, row, name_width);
    }
}

fn draw_row(pen: &mut Pen<'_>, line: Rect, row: &ProposalRow, name_width: u16) {
    let app = pen.app;
    let Some(held) = app.terrarium.proposals().get(&row.key) else { return };
    let (y, right) = (line.y, line.right().saturating_sub(1));
    let presses = row.bid.need != Need::None;
    pen.put(line.x + 2, y, right, row.phase.as_str(), pen.theme.fg(phase_role(row.phase)));
    let mut x = line.x + 13;
    let style = if row.phase.is_open() { pen.theme.bold(Role::Text) } else { pen.theme.fg(Role::Soft) };
    pen.put(x, y, (x + name_width).min(right), row.key.name(), style);
    x += name_width + 2;
    // What would change is told where there is room beside the risk.
    if line.width >= 100 {
        let room = if line.width >= 116 { 22 } else { 16 };
        pen.put(
            x,
            y,
            x + room,
            &text::one_line(&what(&app.terrarium, &row.key, &held.object)),
            pen.theme.fg(Role::Soft),
        );
        x += room + 1;
    }
    let cells = if line.width >= 110 {
        16
    } else if line.width >= 70 {
        10
    } else {
        0
    };
    for span in risk_bar(pen.theme, &row.risk, cells) {
        x = pen.put(x, y, right, &span.content, span.style);
    }
    x += u16::from(cells > 0);
    x = pen.put(x, y, right, &format!("{:.2}", row.risk.total), pen.theme.bold(Role::Text)) + 1;
    let level = pen.theme.bold(level_role(row.risk.level));
    let end = pen.put(x, y, right, row.risk.level.as_str(), level);
    if row.estimated {
        pen.put(end + 1, y, right, "est.", pen.theme.fg(Role::Mute));
    }
    // The widest is `CRITICAL est.`, so that what follows stands in one column.
    x += 14;
    let said = if presses || held.object.spec.reason.is_none() {
        row.bid.reason.clone()
    } else {
        format!("“{}”", held.object.spec.reason.as_deref().unwrap_or_default())
    };
    let role = if presses { Role::Amber } else { Role::Soft };
    pen.put(x, y, right, &text::one_line(&said), pen.theme.fg(role));
}

/// How many are open, by level, in one line.
pub(super) fn folded(pen: &mut Pen<'_>, area: Rect) {
    let x = pen.fold(Pane::Proposals, area);
    let open: Vec<&ProposalRow> = pen.app.views.proposals.all().iter().filter(|row| row.phase.is_open()).collect();
    let mut parts = Vec::new();
    for level in RiskLevel::ALL {
        let count = open.iter().filter(|row| row.risk.level == *level).count();
        if count > 0 {
            parts.push(format!("{count} {level}"));
        }
    }
    let needy = open.iter().filter(|row| row.bid.need.needs_person()).count();
    let mut said = counted(open.len(), "open", "open");
    if !parts.is_empty() {
        said = format!("{said}: {}", parts.join(", "));
    }
    if needy > 0 {
        said = format!("{said}; {needy} {} you", if needy == 1 { "needs" } else { "need" });
    }
    let role = if needy > 0 { Role::Amber } else { Role::Soft };
    pen.put(x, area.y, area.right(), &said, pen.theme.fg(role));
}
