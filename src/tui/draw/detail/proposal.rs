//! A proposal: what would change, what it risks, what it waits for.

use kgents_api::Proposal;
use kgents_api::proposal::ProposalPhase;
use kgents_core::attention::Need;
use kgents_store::{Key, Kind, view};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use serde_json::Value;

use super::super::sheet::{Sheet, broken, width};
use super::super::{counted, proposals, yaml};
use super::{Page, diff, events, gates, gone, json, risk};
use crate::action::Action;
use crate::app::App;
use crate::overlay::Page as Shown;
use crate::text;
use crate::theme::{ColourLevel, Role};

pub(in crate::draw) fn proposal(app: &App, shown: &Shown, key: &Key, width: usize) -> Sheet {
    let Some(held) = app.terrarium.proposals().get(key) else { return gone(app, Kind::Proposal, key, width) };
    let object = &*held.object;
    let phase = view::phase(object);
    let mut page = Page::new(app, width);
    let mut foot = Vec::new();
    match shown.tab_name() {
        "yaml" => page.lines = yaml::lines(page.theme, object),
        "events" => events::events(&mut page, Kind::Proposal, &shown.facts),
        _ => {
            status(&mut page, shown, key, object);
            if phase.is_open() {
                foot = keys(&page);
            }
        }
    }
    let right = format!("{phase} · {} · esc back", page.origin(Kind::Proposal));
    Sheet { foot, ..page.done(key.name().to_owned(), right) }
}

fn status(page: &mut Page<'_>, shown: &Shown, key: &Key, object: &Proposal) {
    let status = object.status.clone().unwrap_or_default();
    let (level, open) = {
        let (risk, _) = view::risk_of(&page.app.terrarium, key, object, page.now);
        (risk.level, view::phase(object).is_open())
    };
    opening(page, key, object);
    diff::change(page, key, object, &shown.facts);
    risk::risk(page, key, object);
    gates::gates(page, object, level, &shown.facts);
    if open {
        gates::approving(page, object, level, &shown.facts);
    }
    gates::done(page, &status);
    gates::decisions(page, &status);
    if let Some(evidence) = object.spec.evidence.as_ref().filter(|evidence| !evidence.is_empty()) {
        page.head("evidence");
        let lines = json::pretty(page.theme, &Value::Object(evidence.clone()), page.width);
        page.lines.extend(lines);
    }
}

/// Why, then who asks for what, and where it stands.
fn opening(page: &mut Page<'_>, key: &Key, object: &Proposal) {
    let spec = &object.spec;
    if let Some(reason) = spec.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        let style = page.theme.fg(Role::Text).add_modifier(Modifier::ITALIC);
        for line in text::wrap(&format!("“{}”", text::one_line(reason)), page.width) {
            page.push(vec![Span::styled(line, style)]);
        }
    }
    let created = object.metadata.creation_timestamp.as_ref().map(|time| page.age(time.0));
    let created = created.map_or_else(|| " asks".to_owned(), |age| format!(" asked {age} ago"));
    let place = spec.target.namespace.as_deref().filter(|place| *place != key.namespace());
    let place = place.map(|place| format!(" in {place}")).unwrap_or_default();
    let asks = format!("{created} for {} of {} {}{place}", spec.change_type, spec.target.kind, spec.target.name);
    let mut parts = vec![
        vec![page.span(page.theme.accent(&spec.proposer), spec.proposer.clone()), page.span(Role::Soft, asks)],
        vec![page.span(Role::Soft, format!("urgency {}", spec.urgency))],
    ];
    for (count, word) in [(spec.tests.added, "more"), (spec.tests.removed, "fewer")] {
        if count > 0 {
            parts.push(vec![page.span(Role::Soft, format!("{} {word}", counted(count as usize, "test", "tests")))]);
        }
    }
    page.parts(parts);
    let row = page.app.views.proposals.all().iter().find(|row| row.key == *key);
    match row {
        Some(row) if row.bid.need != Need::None => {
            let flag = page.bold(Role::Amber, page.theme.glyphs.flag);
            page.entry(vec![flag], 2, &row.bid.reason, Role::Amber);
        }
        Some(row) if row.phase != ProposalPhase::Pending => {
            page.text(proposals::phase_role(row.phase), &super::sentence(&row.bid.reason));
        }
        _ => {}
    }
}

/// The keys that decide, as caps; dim, and why, where they do nothing.
fn keys(page: &Page<'_>) -> Vec<Line<'static>> {
    let barred = page.app.barred();
    let mut line = Vec::new();
    for (action, role, said) in [
        (Action::Approve, Role::Moss, "approve"),
        (Action::Reject, Role::Coral, "reject with a reason"),
        (Action::DryRun, Role::Sky, "dry run again"),
    ] {
        let row = action.row();
        let key = page.app.look.keymap.shown(row);
        let key = if key.is_empty() { format!(":{}", row.name) } else { key };
        let dim = row.changes && barred.is_some();
        let cap = match (dim, page.theme.level()) {
            (false, _) => page.theme.cap(role),
            // Without surfaces a cap that is dim would look like one that is not.
            (true, level) if level <= ColourLevel::Ansi16 => page.theme.fg(Role::Mute),
            (true, _) => page.theme.cap(Role::Line).fg(page.theme.color(Role::Mute)),
        };
        line.push(Span::styled(format!(" {key} "), cap));
        line.push(page.span(if dim { Role::Mute } else { Role::Text }, format!(" {said}   ")));
    }
    let why = barred.map(|(said, hint)| if hint.is_empty() { said.to_owned() } else { format!("{said} {hint}.") });
    let why = why.map(|why| page.span(Role::Mute, why));
    let room = page.width.saturating_sub(width(&line));
    match why {
        Some(why) if why.width() <= room => {
            line.push(Span::raw(" ".repeat(room - why.width())));
            line.push(why);
            vec![Line::default(), Line::from(line)]
        }
        Some(why) => {
            let below = broken(vec![why], page.width, 0).into_iter().map(Line::from);
            [Line::default(), Line::from(line)].into_iter().chain(below).collect()
        }
        None => vec![Line::default(), Line::from(line)],
    }
}
