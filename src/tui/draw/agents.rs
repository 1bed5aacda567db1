//! The agents, by attention, then activity, with a reason for each row.

use kgents_api::agent::AgentPhase;
use kgents_core::activity::AgentState;
use kgents_core::attention::Need;
use kgents_store::view::AgentRow;
use kgents_store::{Key, Kind};
use ratatui::layout::Rect;

use super::{Pen, counted, motion, shown_of};
use crate::app::App;
use crate::layout::Pane;
use crate::text;
use crate::theme::Role;
use crate::view::Sort;

/// Cells of an activity bar, each with two steps.
const BAR: u16 = 6;
/// Cells that what it does, for how long and its pods have at least beside a bar.
const ROOM: u16 = 22;

pub(super) fn count(app: &App) -> String {
    if !super::is_known(app, Kind::Agent) {
        return String::new();
    }
    let unreadable = app.terrarium.unreadable(Kind::Agent).count();
    let order = app.sort_of(Pane::Agents).map_or("", Sort::said);
    let mut said = format!("{} · {order}", shown_of(&app.views.agents));
    if unreadable > 0 {
        said = format!("{said} · {unreadable} unreadable");
    }
    if app.terrarium.beyond(Kind::Agent) > 0 {
        said = format!("{said} · more not kept");
    }
    said
}

/// How an agent's state is said, drawn and coloured.
pub(super) fn state(app: &App, row: &AgentRow) -> (&'static str, &'static str, Role) {
    let glyphs = app.look.theme.glyphs;
    let phase = app
        .terrarium
        .agents()
        .get(&row.key)
        .and_then(|agent| agent.held.object.status.as_ref())
        .and_then(|status| status.phase);
    match (row.state, phase) {
        (AgentState::Waiting, _) => (glyphs.flag, "waiting", Role::Amber),
        (_, Some(AgentPhase::Failed)) => (glyphs.cross, "failed", Role::Coral),
        (_, Some(AgentPhase::Terminating)) => (glyphs.ring, "ending", Role::Mute),
        (AgentState::Down, _) => (glyphs.cross, "down", Role::Coral),
        (_, Some(AgentPhase::Degraded)) => (glyphs.alarm, "degraded", Role::Coral),
        (_, Some(AgentPhase::Pending)) => (glyphs.ring, "pending", Role::Sky),
        (AgentState::Busy, _) => (glyphs.dot, "busy", Role::Moss),
        (AgentState::Active, _) => (glyphs.half, "active", Role::Leaf),
        (AgentState::Dream, _) => (glyphs.moon, "dream", Role::Plum),
        (AgentState::Idle, _) => (glyphs.ring, "idle", Role::Mute),
    }
}

/// A name; with its namespace where more than one is read.
pub(super) fn label(app: &App, key: &Key) -> String {
    if app.terrarium.scene().namespace.is_none() && spans_namespaces(app) {
        key.to_string()
    } else {
        key.name().to_owned()
    }
}

fn spans_namespaces(app: &App) -> bool {
    let mut keys = app.terrarium.agents().keys().map(Key::namespace);
    let first = keys.next();
    // Keys are sorted by namespace, so the last differs when any does.
    keys.next_back().is_some_and(|last| Some(last) != first)
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let rows = &app.views.agents;
    if rows.is_empty() {
        let said = match app.terrarium.watch(Kind::Agent).state {
            _ if !rows.all().is_empty() => "No agent matches the filter.",
            // What is remembered is known as well.
            state if state.is_live() || !state.is_settled() && super::is_known(app, Kind::Agent) => {
                "No agent lives here yet."
            }
            state if !state.is_settled() => "listening…",
            _ => "",
        };
        pen.put(area.x + 2, area.y, area.right(), said, pen.theme.fg(Role::Mute));
        return;
    }
    let first = app.agents.offset();
    let shown: Vec<&AgentRow> = rows.from(first).take(usize::from(area.height)).collect();
    let name_width = shown.iter().map(|row| text::width(&label(app, &row.key))).max().unwrap_or(0);
    // Up to 20 cells a name is never cut; beyond, it yields to what it does.
    let roomy = usize::from(area.width) * 2 / 5;
    let name_width = name_width.min(roomy.max(20)) as u16;
    for (i, row) in shown.iter().enumerate() {
        let place = first + i;
        let line = Rect { y: area.y + i as u16, height: 1, ..area };
        let changed = app.terrarium.agents().get(&row.key).and_then(|agent| agent.held.changed);
        motion::glow(pen, line, state(app, row).2, changed);
        pen.row(Pane::Agents, place, line, place == app.agents.place());
        draw_row(pen, line, row, name_width);
    }
    if shown.len() + 1 < usize::from(area.height) {
        why(pen, Rect { y: area.bottom() - 1, height: 1, ..area });
    }
}

/// Why the chosen agent stands where it stands, or the first, in full.
fn why(pen: &mut Pen<'_>, line: Rect) {
    let app = pen.app;
    let Some(row) = app.views.agents.get(app.agents.place()).filter(|row| row.bid.need != Need::None) else { return };
    let name = if app.agents.place() == 0 { "why first: ".to_owned() } else { format!("{}: ", row.key.name()) };
    let x = pen.put(line.x + 2, line.y, line.right(), &name, pen.theme.fg(Role::Mute));
    pen.put(x, line.y, line.right().saturating_sub(1), &text::one_line(&row.bid.reason), pen.theme.fg(Role::Soft));
}

fn draw_row(pen: &mut Pen<'_>, line: Rect, row: &AgentRow, name_width: u16) {
    let app = pen.app;
    let y = line.y;
    let (glyph, word, role) = state(app, row);
    let pressing = row.bid.need.needs_person();
    let quiet = matches!(row.state, AgentState::Idle | AgentState::Dream) && !pressing;
    let name_style =
        if pressing { pen.theme.bold(Role::Text) } else { pen.theme.fg(if quiet { Role::Soft } else { Role::Text }) };
    let mut x = line.x + 2;
    pen.put(x, y, line.right(), glyph, pen.theme.fg(role));
    x += 2;
    pen.put(x, y, (x + name_width).min(line.right()), &label(app, &row.key), name_style);
    x += name_width + 1;
    pen.put(x, y, line.right(), word, pen.theme.fg(role));
    x += 9;
    // What it does is worth more than how much of it.
    let room = line.right().saturating_sub(x + BAR + 2);
    if line.width >= 56 && room >= ROOM {
        bar(pen, x, y, line.right(), row, if word == "idle" { Role::Mute } else { role });
        x += BAR + 2;
    }
    let agent = app.terrarium.agents().get(&row.key);
    let pods = agent.map(|agent| {
        let object = &agent.held.object;
        let ready = object.status.as_ref().and_then(|status| status.ready_replicas);
        // What nobody has counted is not a number.
        let ready = ready.map_or("—".to_owned(), |ready| ready.to_string());
        format!("{ready}/{}", object.spec.replicas)
    });
    let right = line.right().saturating_sub(1);
    let mut limit = right;
    if let Some(pods) = pods.filter(|_| line.width >= 40) {
        limit = pen.put_right(x + 8, y, right, &pods, pen.theme.fg(Role::Mute)).saturating_sub(1);
    }
    if pressing && line.width >= 56 {
        // For how long it has been so, in one column before the pods.
        let since = pen.age(row.bid.since);
        let end = limit.min(right.saturating_sub(4));
        pen.put_right(x + 8, y, end, &since, pen.theme.fg(role));
        limit = end.saturating_sub(6);
    }
    let last = agent.and_then(|agent| agent.last.as_deref()).filter(|_| !pressing);
    let said = match (row.bid.need, last) {
        (Need::None, Some(last)) => last,
        // That nothing is the matter says the state already.
        (Need::None, None) if row.bid.reason == word => "",
        _ => row.bid.reason.as_str(),
    };
    let style = pen.theme.fg(if pressing { Role::Text } else { Role::Soft });
    pen.put(x, y, limit, &text::one_line(said), style);
}

/// Activity as a thin line; it wakes when it is a half cell shorter.
fn bar(pen: &mut Pen<'_>, x: u16, y: u16, limit: u16, row: &AgentRow, role: Role) {
    let glyphs = pen.theme.glyphs;
    let steps = (row.level.clamp(0.0, 1.0) * f64::from(BAR * 2)).round() as u16;
    for i in 0..BAR {
        pen.put(x + i, y, limit, glyphs.bar_empty, pen.theme.fg(Role::Line));
    }
    for i in 0..steps / 2 {
        let color = pen.theme.mix(role, Role::Bg, 0.5 - 0.5 * f64::from(i + 1) / f64::from(BAR));
        pen.put(x + i, y, limit, glyphs.bar_full, pen.theme.fg(role).fg(color));
    }
    if steps % 2 == 1 {
        pen.put(x + steps / 2, y, limit, glyphs.bar_half, pen.theme.fg(role));
    }
    let Some(agent) = pen.app.terrarium.agents().get(&row.key).filter(|_| steps > 0) else { return };
    let next = (f64::from(steps) - 0.5) / f64::from(BAR * 2);
    // The word changes at .5 and .2, between two steps of the bar.
    for level in [next, 0.5, 0.2] {
        if let Some(at) = agent.meter.falls_to(level).filter(|at| *at > pen.app.now) {
            pen.hits.wake(at);
        }
    }
}

pub(super) fn folded(pen: &mut Pen<'_>, area: Rect) {
    let x = pen.fold(Pane::Agents, area);
    let rows = &pen.app.views.agents;
    let broken = rows.all().iter().filter(|row| row.bid.need == Need::Broken).count();
    let mut said = counted(rows.all().len(), "agent", "agents");
    if broken > 0 {
        said = format!("{said}, {broken} in trouble");
    }
    let role = if broken > 0 { Role::Coral } else { Role::Soft };
    pen.put(x, area.y, area.right(), &said, pen.theme.fg(role));
}
