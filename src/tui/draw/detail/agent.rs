//! An agent: how it stands and why, what it is made of, what is around it.

use jiff::{SignedDuration, Timestamp};
use kgents_api::Agent;
use kgents_api::agent::{AgentPhase, AgentStatus, CognitiveHealth, HealthType, Mode};
use kgents_core::attention::Need;
use kgents_store::object::LastEnd;
use kgents_store::view::{self, said};
use kgents_store::{Key, Kind};
use ratatui::text::Span;

use super::super::sheet::{Room, Sheet, thousands};
use super::super::{agents, counted, proposals, yaml};
use super::{Page, Told, children, events, gone, logs, plan, pods, recent};
use crate::app::App;
use crate::overlay::Page as Shown;
use crate::text;
use crate::theme::Role;

/// How many of its thoughts the first tab and the tab of thoughts tell.
const LAST: usize = 6;
const MANY: usize = 500;
/// How many signals, and how many proposals, are told of.
const MOST: usize = 8;

pub(in crate::draw) fn agent(app: &App, shown: &Shown, key: &Key, room: Room) -> Sheet {
    let Some(agent) = app.terrarium.agents().get(key) else { return gone(app, Kind::Agent, key, room.width) };
    let object = &*agent.held.object;
    let mut page = Page::new(app, room.width);
    let row = app.views.agents.all().iter().find(|row| row.key == *key);
    let state = row.map_or("", |row| agents::state(app, row).1);
    let title = agents::label(app, key);
    let role = object.spec.genus.role().map(|role| format!("{role} · ")).unwrap_or_default();
    let right = format!("{role}{state} · {} · esc back", page.origin(Kind::Agent));
    match shown.tab_name() {
        "thoughts" => {
            if recent(&mut page, Kind::Agent, key, MANY, Told::Origin) == 0 {
                page.text(Role::Soft, "Nothing was heard of it yet.");
            }
        }
        "pods" => pods::pods(&mut page, key),
        "events" => events::events(&mut page, Kind::Agent, &shown.facts),
        "logs" => return logs::logs(&page, shown, key, room, title, right),
        "yaml" => page.lines = yaml::lines(page.theme, object),
        _ => status(&mut page, shown, key, object),
    }
    page.done(title, right)
}

fn status(page: &mut Page<'_>, shown: &Shown, key: &Key, object: &Agent) {
    let status = object.status.clone().unwrap_or_default();
    stands(page, key, &status);
    made_of(page, key, object, &status);
    page.conditions(&status.conditions);
    plan::plan(page, key, &shown.facts.plan);
    hour(page, key);
    children::children(page, &status, &shown.facts);
    asked(page, key);
    signals(page, key);
    let before = page.lines.len();
    page.head("last thoughts");
    if recent(page, Kind::Agent, key, LAST, Told::Text) == 0 {
        page.lines.truncate(before);
    }
}

/// Its phase, why it stands where it stands, and its mind.
fn stands(page: &mut Page<'_>, key: &Key, status: &AgentStatus) {
    match status.phase {
        Some(phase) => page.fact("phase", phase.as_str(), phase_role(phase)),
        None => page.fact("phase", "not told: no operator has looked at this agent", Role::Soft),
    }
    let row = page.app.views.agents.all().iter().find(|row| row.key == *key);
    if let Some(row) = row.filter(|row| row.bid.need != Need::None) {
        let name = if row.bid.need.is_asked() { "needs you" } else { "why" };
        page.fact(name, &row.bid.reason, if row.bid.need.is_asked() { Role::Amber } else { Role::Text });
    }
    if let Some(health) = status.cognitive_health {
        let role = match health {
            CognitiveHealth::Healthy => Role::Moss,
            CognitiveHealth::Degraded | CognitiveHealth::Unresponsive => Role::Coral,
            CognitiveHealth::Unknown => Role::Mute,
        };
        page.fact("mind", health.as_str(), role);
    }
}

const fn phase_role(phase: AgentPhase) -> Role {
    match phase {
        AgentPhase::Running => Role::Moss,
        AgentPhase::Pending => Role::Sky,
        AgentPhase::Degraded | AgentPhase::Failed => Role::Coral,
        AgentPhase::Terminating => Role::Mute,
    }
}

/// What its spec says it is, and what of it runs.
fn made_of(page: &mut Page<'_>, key: &Key, object: &Agent, status: &AgentStatus) {
    let spec = &object.spec;
    let role = spec.genus.role().map(|role| format!(", the {role}")).unwrap_or_default();
    page.fact("genus", &format!("{}{role}", spec.genus), Role::Text);
    if spec.mode != Mode::Full {
        page.fact("mode", spec.mode.as_str(), Role::Amber);
    }
    if spec.paused {
        page.fact("paused", "yes: nothing of this agent is reconciled", Role::Amber);
    }
    running(page, key, object, status);
    page.maybe("image", spec.image.as_deref());
    page.fact("limits", &format!("cpu {} · memory {}", spec.resources.cpu, spec.resources.memory), Role::Text);
    let health = &spec.health;
    let asks = match health.type_ {
        HealthType::CognitiveProbe => "its mind is asked".to_owned(),
        HealthType::Http => {
            format!("its endpoint{} is asked", health.path.as_ref().map(|path| format!(" {path}")).unwrap_or_default())
        }
    };
    let misses = counted(health.unhealthy_threshold.max(0) as usize, "miss", "misses");
    page.fact("health", &format!("{asks} each {}; unhealthy after {misses}", health.probe_interval), Role::Text);
    if let Some(budget) = &spec.budget {
        let (tokens, refill) = (thousands(budget.tokens), thousands(budget.refill_per_minute));
        page.fact("budget", &format!("{tokens} tokens · refills {refill} a minute"), Role::Text);
    }
    let peers = &spec.network_policy;
    let outside = if peers.allow_egress { "public addresses" } else { "" };
    let all: Vec<&str> =
        peers.allowed_peers.iter().map(String::as_str).chain([outside]).filter(|one| !one.is_empty()).collect();
    page.maybe("may reach", Some(&all.join(", ")));
    umwelt(page, key, spec.umwelt.as_deref().or(status.umwelt_name.as_deref()));
    memory(page, key, spec.memory.as_deref().or(status.memory_name.as_deref()));
    if let Some(created) = object.metadata.creation_timestamp.as_ref().map(|time| time.0) {
        let age = page.age(created);
        page.fact("age", &age, Role::Text);
    }
    page.maybe("instructions", spec.instructions.as_deref());
}

/// How many of its pods run, and how often they fell.
fn running(page: &mut Page<'_>, key: &Key, object: &Agent, status: &AgentStatus) {
    let ready = status.ready_replicas.map_or("—".to_owned(), |ready| ready.to_string());
    let mut said = format!("{ready} of {} ready", object.spec.replicas);
    let (mut restarts, mut last): (i64, Option<&LastEnd>) = (0, None);
    for (_, pod) in page.app.terrarium.pods_of(key) {
        restarts += pod.restarts;
        last = later(last, pod.last_end.as_ref());
    }
    if restarts > 0 {
        said = format!("{said} · {}", counted(restarts as usize, "restart", "restarts"));
    }
    if let Some(LastEnd { reason, at }) = last {
        let age = at.map(|at| format!(" {} ago", page.age(at))).unwrap_or_default();
        said = format!("{said} · last {reason}{age}");
    }
    page.fact("pods", &said, Role::Text);
}

/// The later of two ends; of equals the first.
fn later<'a>(one: Option<&'a LastEnd>, other: Option<&'a LastEnd>) -> Option<&'a LastEnd> {
    let at = |end: Option<&LastEnd>| end.and_then(|end| end.at);
    if one.is_none() || at(other) > at(one) { other } else { one }
}

/// What it may do, and how it speaks.
fn umwelt(page: &mut Page<'_>, key: &Key, name: Option<&str>) {
    let Some(name) = name else { return };
    let mut said = name.to_owned();
    if let Some(held) = page.app.terrarium.umwelts().get(&Key::new(key.namespace(), name)) {
        let spec = &held.object.spec;
        if !spec.affordances.is_empty() {
            said = format!("{said} · may {}", spec.affordances.join(" "));
        }
        let persona = spec.persona.as_ref();
        for (word, value) in [
            ("warmth", persona.and_then(|persona| persona.warmth)),
            ("directness", persona.and_then(|persona| persona.directness)),
            ("humor", persona.and_then(|persona| persona.humor)),
            ("verbosity", persona.and_then(|persona| persona.verbosity)),
        ] {
            if let Some(value) = value {
                said = format!("{said} · {word} {value:.1}");
            }
        }
    }
    page.fact("umwelt", &said, Role::Text);
}

/// What it keeps, and what becomes of that.
fn memory(page: &mut Page<'_>, key: &Key, name: Option<&str>) {
    let Some(name) = name else { return };
    let mut said = name.to_owned();
    if let Some(held) = page.app.terrarium.memories().get(&Key::new(key.namespace(), name)) {
        let spec = &held.object.spec;
        said = format!("{said} · {} · {} · {}", spec.type_, spec.size, spec.retention_policy);
    }
    page.fact("memory", &said, Role::Text);
}

/// How much was heard of it, by the minute, older to the left.
fn hour(page: &mut Page<'_>, key: &Key) {
    let cells: i64 = if page.width >= page.names() + 60 + 8 { 60 } else { 30 };
    let step = 3_600 / cells;
    let last = page.now.as_second().div_euclid(step);
    let mut counts = vec![0_usize; cells as usize];
    for thought in page.app.terrarium.thoughts().iter().rev() {
        let back = last - thought.at.as_second().div_euclid(step);
        if back >= cells {
            break;
        }
        if *thought.who == *key.name() && thought.key.namespace() == key.namespace() {
            counts[(cells - 1 - back.clamp(0, cells - 1)) as usize] += 1;
        }
    }
    let (sum, most) = (counts.iter().sum::<usize>(), counts.iter().copied().max().unwrap_or(0).max(1));
    if sum == 0 {
        return;
    }
    page.wake(Timestamp::from_second((last + 1) * step).unwrap_or(page.now + SignedDuration::from_mins(1)));
    page.head("last hour");
    let blocks = page.theme.glyphs.blocks;
    let name = format!("{:<width$}", "thoughts", width = page.names());
    let mut line = vec![page.span(Role::Mute, name)];
    for (place, count) in counts.into_iter().enumerate() {
        let strength = count as f64 / most as f64;
        let age = 0.35 + 0.65 * place as f64 / cells as f64;
        let (glyph, role) =
            if count == 0 { (blocks[0], Role::Line) } else { (blocks[(strength * 7.0).ceil() as usize], Role::Moss) };
        let colour = if count == 0 { page.theme.color(role) } else { page.theme.mix(Role::Line, role, age) };
        line.push(Span::styled(glyph, page.theme.fg(role).fg(colour)));
    }
    line.push(page.span(Role::Text, format!("  {sum}")));
    page.push(line);
}

/// The proposals that it made or that would change it.
fn asked(page: &mut Page<'_>, key: &Key) {
    let rows = view::proposals_of(&page.app.terrarium, key, page.now);
    if rows.is_empty() {
        return;
    }
    page.head("proposals");
    let names = rows.iter().take(MOST).map(|row| text::width(row.key.name())).max().unwrap_or(0).min(30) + 2;
    for row in rows.iter().take(MOST) {
        let role = if row.bid.need == Need::None { Role::Soft } else { Role::Amber };
        let mut line = vec![
            page.span(proposals::phase_role(row.phase), format!("{:<12}", row.phase.as_str())),
            page.span(Role::Text, super::pad(row.key.name(), names)),
        ];
        if row.phase.is_open() {
            let figure = format!("{:.2} {}", row.risk.total, row.risk.level);
            line.push(page.bold(proposals::level_role(row.risk.level), super::pad(&figure, 15)));
        }
        line.push(page.span(role, text::one_line(&row.bid.reason)));
        page.row(line, Vec::new());
    }
    if rows.len() > MOST {
        page.text(Role::Mute, &format!("{} more", rows.len() - MOST));
    }
}

/// The signals that an agent emitted, and those meant for it.
fn signals(page: &mut Page<'_>, key: &Key) {
    let now = page.now;
    for (title, own) in [("pheromones it emitted", true), ("pheromones meant for it", false)] {
        let found: Vec<_> = view::signals_of(&page.app.terrarium, key, now)
            .into_iter()
            .filter(|(_, signal, _)| (signal.held.object.spec.source == key.name()) == own)
            .filter_map(|(_, signal, _)| Some((&signal.held.object.spec, signal.fade.as_ref().ok()?)))
            .collect();
        if found.is_empty() {
            continue;
        }
        page.head(title);
        let widest = found.iter().take(MOST).map(|(spec, _)| text::width(spec.type_.as_str())).max().unwrap_or(0);
        for (spec, fade) in found.iter().take(MOST) {
            let payload = spec.payload.as_ref().map(said).unwrap_or_default();
            page.signal(spec.type_.as_str(), widest + 2, fade, &payload);
        }
        if found.len() > MOST {
            page.text(Role::Mute, &format!("{} more", found.len() - MOST));
        }
    }
}
