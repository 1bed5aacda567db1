//! The pages that rows open: what is known of one thing, in sentences.

use jiff::{SignedDuration, Timestamp};
use kgents_api::agent::AgentPhase;
use kgents_api::{Condition, PheromoneType};
use kgents_core::attention::Need;
use kgents_core::decay::Fade;
use kgents_store::object::LastEnd;
use kgents_store::request::Problem;
use kgents_store::view::{self, said};
use kgents_store::{Key, Kind, Thought};
use ratatui::text::{Line, Span};

use super::{Sheet, age_of, bold, counted, left_of, origin, proposals, span, thoughts, yaml};
use crate::app::App;
use crate::overlay::{Facts, Loaded, LogView, Page as Shown};
use crate::text;
use crate::theme::{Role, Theme};

/// Gathers the lines of a page and when one of them changes by itself.
struct Page<'a> {
    theme: &'a Theme,
    now: Timestamp,
    width: usize,
    lines: Vec<Line<'static>>,
    wake_at: Option<Timestamp>,
}

/// Cells of the column of names.
const NAMES: usize = 16;

impl<'a> Page<'a> {
    fn new(app: &'a App, width: usize) -> Self {
        Self { theme: &app.look.theme, now: app.now, width, lines: Vec::new(), wake_at: None }
    }

    fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |other| other.min(at)));
    }

    fn age(&mut self, since: Timestamp) -> String {
        let (said, wake) = age_of(self.now, since);
        self.wake(wake);
        said
    }

    fn left(&mut self, end: Timestamp) -> String {
        let (said, wake) = left_of(self.now, end);
        self.wake(wake);
        said
    }

    fn head(&mut self, title: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::from(bold(self.theme, Role::Soft, title)));
    }

    /// A name and what it is; a long text goes on under itself.
    fn fact(&mut self, name: &str, what: &str, role: Role) {
        let room = self.width.saturating_sub(NAMES).max(10);
        for (i, line) in text::wrap(what, room).into_iter().enumerate() {
            let name = if i == 0 { name } else { "" };
            let name = format!("{name}{}", " ".repeat(NAMES.saturating_sub(text::width(name))));
            self.lines.push(Line::from(vec![span(self.theme, Role::Mute, name), span(self.theme, role, line)]));
        }
    }

    /// A fact that may not be known: without a source the row is absent.
    fn maybe(&mut self, name: &str, what: Option<&str>) {
        if let Some(what) = what.filter(|what| !what.is_empty()) {
            self.fact(name, what, Role::Text);
        }
    }

    fn problem(&mut self, problem: &Problem) {
        self.fact("", &problem.said, Role::Coral);
        if let Some(hint) = &problem.hint {
            self.fact("", hint, Role::Mute);
        }
    }

    fn conditions(&mut self, conditions: &[Condition]) {
        if conditions.is_empty() {
            return;
        }
        self.head("conditions");
        for condition in conditions {
            let bad = view::is_bad(condition);
            let role = if bad {
                Role::Coral
            } else if condition.status == "Unknown" {
                Role::Mute
            } else {
                Role::Moss
            };
            let age = self.age(condition.last_transition_time.0);
            let pad = |text: &str, cells: usize| {
                format!("{text}{}", " ".repeat(cells.saturating_sub(text::width(text)).max(1)))
            };
            let glyph = if bad { self.theme.glyphs.cross } else { self.theme.glyphs.dot };
            let mut said = condition.reason.clone();
            if !condition.message.is_empty() {
                said = format!("{said}: {}", text::one_line(&condition.message));
            }
            let room = self.width.saturating_sub(38);
            self.lines.push(Line::from(vec![
                span(self.theme, role, format!("{glyph} ")),
                span(self.theme, Role::Text, pad(&condition.type_, 20)),
                span(self.theme, role, pad(&condition.status, 9)),
                span(self.theme, Role::Mute, pad(&age, 6)),
                span(self.theme, Role::Soft, text::fit(&said, room).into_owned()),
            ]));
        }
    }

    fn thought(&mut self, app: &App, thought: &Thought) {
        let time = thought.at.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string();
        let role = thoughts::severity_role(thought.severity).unwrap_or(Role::Text);
        let room = self.width.saturating_sub(21);
        self.lines.push(Line::from(vec![
            span(self.theme, Role::Mute, format!("{time}  ")),
            span(self.theme, Role::Mute, format!("{:<10} ", thought.origin.as_str())),
            span(self.theme, role, text::fit(&text::one_line(&thought.text), room).into_owned()),
        ]));
    }

    /// A strength as a falling edge over the time that is left.
    fn fade(&mut self, fade: &Fade, cells: usize) -> Vec<Span<'static>> {
        let end = fade.gone_at();
        let left = end.duration_since(self.now).max(SignedDuration::ZERO);
        let blocks = self.theme.glyphs.blocks;
        (0..cells)
            .map(|i| {
                let at = self.now.checked_add(left.checked_div(cells as i32).unwrap_or_default() * i as i32);
                let strength = at.map_or(0.0, |at| fade.intensity(at));
                let glyph = blocks[((strength * 7.0).round() as usize).min(7)];
                let style = self.theme.bold(Role::Amber).fg(self.theme.ramp(strength.max(0.15), 1.0));
                Span::styled(glyph, style)
            })
            .collect()
    }

    fn signal(&mut self, type_: &str, fade: &Fade, payload: &str) {
        let strength = fade.intensity(self.now);
        let mut line = vec![
            Span::styled(format!("{strength:.2}  "), self.theme.bold(Role::Amber)),
            span(self.theme, Role::Text, format!("{type_:<15} ")),
        ];
        line.extend(self.fade(fade, 20));
        let left = self.left(fade.gone_at());
        line.push(span(self.theme, Role::Mute, format!("  gone in {left}  ")));
        let room = self.width.saturating_sub(60);
        line.push(span(self.theme, Role::Soft, text::fit(&text::one_line(payload), room).into_owned()));
        if let Some(at) = fade.falls_to(strength - 0.01).filter(|at| *at > self.now) {
            self.wake(at);
        }
        self.lines.push(Line::from(line));
    }

    /// Where what is told of a kind comes from.
    fn origin(&mut self, app: &App, kind: Kind) -> String {
        let (text, wake_at) = origin::text(app, kind);
        self.wake_at = self.wake_at.into_iter().chain(wake_at).min();
        text
    }

    fn done(self, title: String, right: String) -> Sheet {
        Sheet { title, right, lines: self.lines, wake_at: self.wake_at }
    }
}

/// The page of something that is no longer there.
fn gone(app: &App, kind: Kind, key: &Key, width: usize) -> Sheet {
    let mut page = Page::new(app, width);
    page.fact("", &format!("This {} is gone; its thoughts remain below.", kind.as_str().to_lowercase()), Role::Soft);
    recent(&mut page, app, kind, key, 12);
    page.done(key.name().to_owned(), "gone · esc back".to_owned())
}

/// The newest thoughts about an object, the newest last.
fn recent(page: &mut Page<'_>, app: &App, kind: Kind, key: &Key, count: usize) -> usize {
    let mine = |thought: &&Thought| {
        (thought.kind == kind && thought.key == *key)
            || (kind == Kind::Agent && *thought.who == *key.name() && thought.key.namespace() == key.namespace())
    };
    let mut found: Vec<&Thought> = app.terrarium.thoughts().iter().rev().filter(mine).take(count).collect();
    found.reverse();
    for thought in &found {
        page.thought(app, thought);
    }
    found.len()
}

pub(super) fn agent(app: &App, shown: &Shown, key: &Key, width: usize) -> Sheet {
    let Some(agent) = app.terrarium.agents().get(key) else { return gone(app, Kind::Agent, key, width) };
    let object = &*agent.held.object;
    let (spec, status) = (&object.spec, object.status.clone().unwrap_or_default());
    let mut page = Page::new(app, width);
    let theme = page.theme;
    match shown.tab_name() {
        "thoughts" => {
            if recent(&mut page, app, Kind::Agent, key, 500) == 0 {
                page.fact("", "Nothing was heard of it yet.", Role::Soft);
            }
        }
        "pods" => pods(&mut page, app, key),
        "events" => events(&mut page, app, &shown.facts),
        "logs" => logs(&mut page, app, key, &shown.facts.logs),
        "yaml" => page.lines = yaml::lines(theme, object),
        _ => {
            let row = app.views.agents.all().iter().find(|row| row.key == *key);
            match status.phase {
                Some(phase) => page.fact("phase", phase.as_str(), phase_role(phase)),
                None => page.fact("phase", "not told: no operator has looked at this agent", Role::Soft),
            }
            if let Some(row) = row.filter(|row| row.bid.need != Need::None) {
                page.fact("why first", &row.bid.reason, Role::Text);
            }
            if let Some(health) = status.cognitive_health {
                page.fact("mind", health.as_str(), Role::Text);
            }
            let role = spec.genus.role().map(|role| format!(", the {role}")).unwrap_or_default();
            page.fact("genus", &format!("{}{role}", spec.genus), Role::Text);
            let ready = status.ready_replicas.map_or("—".to_owned(), |ready| ready.to_string());
            let mut pods = format!("{ready} of {} ready", spec.replicas);
            let restarts: i64 = app.terrarium.pods_of(key).map(|(_, pod)| pod.restarts).sum();
            if restarts > 0 {
                pods = format!("{pods} · {}", counted(restarts as usize, "restart", "restarts"));
            }
            page.fact("pods", &pods, Role::Text);
            page.maybe("image", spec.image.as_deref());
            page.fact("limits", &format!("cpu {} · memory {}", spec.resources.cpu, spec.resources.memory), Role::Text);
            if let Some(budget) = &spec.budget {
                let said = format!(
                    "{} tokens · refills {} a minute",
                    thousands(budget.tokens),
                    thousands(budget.refill_per_minute)
                );
                page.fact("budget", &said, Role::Text);
            }
            page.maybe("umwelt", spec.umwelt.as_deref().or(status.umwelt_name.as_deref()));
            page.maybe("memory", spec.memory.as_deref().or(status.memory_name.as_deref()));
            if spec.paused {
                page.fact("paused", "yes: nothing of this agent is reconciled", Role::Amber);
            }
            if let Some(age) = object.metadata.creation_timestamp.as_ref().map(|time| time.0) {
                let age = page.age(age);
                page.fact("age", &age, Role::Text);
            }
            page.maybe("instructions", spec.instructions.as_deref());
            page.conditions(&status.conditions);
            let children = [
                ("Deployment", &status.deployment_name),
                ("Service", &status.service_name),
                ("NetworkPolicy", &status.network_policy_name),
                ("ServiceAccount", &status.service_account_name),
                ("ConfigMap", &status.config_map_name),
            ];
            if children.iter().any(|(_, name)| name.is_some()) {
                page.head("children");
                for (kind, name) in children {
                    page.maybe(kind, name.as_deref());
                }
            }
            signals(&mut page, app, key);
            if !app.terrarium.thoughts().is_empty() {
                page.head("last thoughts");
                if recent(&mut page, app, Kind::Agent, key, 5) == 0 {
                    page.lines.truncate(page.lines.len() - 2);
                }
            }
        }
    }
    let state = app.views.agents.all().iter().find(|row| row.key == *key).map(|row| super::agents::state(app, row).1);
    let right = format!("{} · {} · esc back", state.unwrap_or_default(), page.origin(app, Kind::Agent));
    page.done(super::agents::label(app, key), right)
}

const fn phase_role(phase: AgentPhase) -> Role {
    match phase {
        AgentPhase::Running => Role::Moss,
        AgentPhase::Pending => Role::Sky,
        AgentPhase::Degraded | AgentPhase::Failed => Role::Coral,
        AgentPhase::Terminating => Role::Mute,
    }
}

/// A number with its thousands told apart.
fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut said = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    if number < 0 { format!("-{said}") } else { said }
}

fn pods(page: &mut Page<'_>, app: &App, key: &Key) {
    let mut any = false;
    for (pod, facts) in app.terrarium.pods_of(key) {
        any = true;
        page.head(pod.name());
        let trouble = facts.trouble.is_some();
        page.fact("phase", &facts.phase, if trouble { Role::Coral } else { Role::Text });
        page.maybe("why", facts.trouble.as_deref());
        page.fact("containers", &format!("{} of {} ready", facts.ready, facts.containers), Role::Text);
        if facts.restarts > 0 {
            let last = facts.last_end.as_ref().map(|LastEnd { reason, at }| {
                let age = at.map(|at| format!(" {} ago", page.age(at))).unwrap_or_default();
                format!(" · last {reason}{age}")
            });
            page.fact("restarts", &format!("{}{}", facts.restarts, last.unwrap_or_default()), Role::Text);
        }
        page.maybe("image", facts.image.as_deref());
        page.maybe("node", facts.node.as_deref());
    }
    if !any {
        page.fact("", "No pod of this agent is known.", Role::Soft);
    }
    if let Some(deployment) = app.terrarium.deployment(key) {
        page.head("deployment");
        page.fact("ready", &format!("{} of {}", deployment.ready, deployment.wanted), Role::Text);
        page.maybe("why", deployment.trouble.as_deref());
    }
}

/// The Events about an object, as the API server has them.
fn events(page: &mut Page<'_>, app: &App, facts: &Facts) {
    match &facts.events {
        Loaded::Not | Loaded::Asked(_) => page.fact("", "listening…", Role::Mute),
        Loaded::Failed(problem) => page.problem(problem),
        Loaded::Here(events) if events.is_empty() => page.fact("", "No Event is about it.", Role::Soft),
        Loaded::Here(events) => {
            for event in events {
                let time = event.at.map(|at| at.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string());
                let role = if event.warning { Role::Amber } else { Role::Text };
                let times = if event.count > 1 { format!(" ×{}", event.count) } else { String::new() };
                let said = format!("{}: {}{times}", event.reason, text::one_line(&event.message));
                page.fact(&time.unwrap_or_else(|| "—".to_owned()), &said, role);
            }
        }
    }
}

/// What a container writes.
fn logs(page: &mut Page<'_>, app: &App, key: &Key, logs: &LogView) {
    if app.terrarium.pods_of(key).next().is_none() {
        return page.fact("", "No pod of this agent is known.", Role::Soft);
    }
    if logs.dropped > 0 {
        page.lines.push(Line::from(span(page.theme, Role::Mute, format!("{} lines before are gone", logs.dropped))));
    }
    for line in &logs.lines {
        page.lines.push(Line::from(span(page.theme, Role::Text, text::one_line(line).into_owned())));
    }
    if let Some(problem) = &logs.problem {
        page.problem(problem);
    } else if let Some(end) = &logs.end {
        page.lines.push(Line::from(span(page.theme, Role::Mute, format!("— {end}"))));
    } else if logs.lines.is_empty() {
        page.fact("", "listening…", Role::Mute);
    }
}

/// The signals that an agent emitted, and those meant for it.
fn signals(page: &mut Page<'_>, app: &App, key: &Key) {
    let now = app.now;
    for (title, own) in [("pheromones it emitted", true), ("pheromones meant for it", false)] {
        let mut found: Vec<_> = app
            .terrarium
            .signals_of(key)
            .filter(|(_, signal)| (signal.held.object.spec.source == key.name()) == own)
            .filter_map(|(_, signal)| Some((&signal.held.object.spec, signal.fade.as_ref().ok()?)))
            .filter(|(_, fade)| !fade.is_gone(now))
            .collect();
        found.sort_by(|a, b| b.1.intensity(now).total_cmp(&a.1.intensity(now)));
        if found.is_empty() {
            continue;
        }
        page.head(title);
        for (spec, fade) in found.into_iter().take(8) {
            let payload = spec.payload.as_ref().map(said).unwrap_or_default();
            page.signal(spec.type_.as_str(), fade, &payload);
        }
    }
}

pub(super) fn pheromone(app: &App, shown: &Shown, key: &Key, width: usize) -> Sheet {
    let Some(held) = app.terrarium.pheromones().get(key) else { return gone(app, Kind::Pheromone, key, width) };
    let spec = &held.held.object.spec;
    let mut page = Page::new(app, width);
    if shown.tab_name() == "yaml" {
        page.lines = yaml::lines(page.theme, &*held.held.object);
        return page.done(key.name().to_owned(), "esc back".to_owned());
    }
    page.fact("type", spec.type_.as_str(), Role::Text);
    page.fact("from", &spec.source, page.theme.accent(&spec.source));
    page.fact("to", spec.target.as_deref().unwrap_or("everyone"), Role::Text);
    match &held.fade {
        Ok(fade) if fade.is_gone(app.now) => {
            let age = page.age(fade.gone_at());
            page.fact("strength", &format!("gone for {age}; the object is still there"), Role::Mute);
        }
        Ok(fade) => {
            let strength = fade.intensity(app.now);
            page.fact("strength", &format!("{strength:.2}, of {:.2} when it was emitted", fade.initial()), Role::Amber);
            if let Some(at) = fade.falls_to(strength - 0.01).filter(|at| *at > app.now) {
                page.wake(at);
            }
            page.fact("half-life", &format!("{} min", fade.half_life_minutes()), Role::Text);
            let age = page.age(fade.emitted());
            page.fact("emitted", &format!("{age} ago"), Role::Text);
            let left = page.left(fade.gone_at());
            page.fact("gone in", &left, Role::Text);
            let cells = width.saturating_sub(NAMES).min(60);
            let mut line = vec![span(page.theme, Role::Mute, format!("{:<NAMES$}", "fade"))];
            line.extend(page.fade(fade, cells));
            page.lines.push(Line::default());
            page.lines.push(Line::from(line));
        }
        Err(error) => page.fact("wrong", error, Role::Coral),
    }
    if let Some(payload) = &spec.payload {
        page.head("payload");
        let said =
            payload.as_str().map_or_else(|| serde_json::to_string_pretty(payload).unwrap_or_default(), str::to_owned);
        for line in text::wrap(&said, width) {
            page.lines.push(Line::from(span(page.theme, Role::Text, line)));
        }
    }
    page.done(key.name().to_owned(), "esc back".to_owned())
}

/// What was in the air of one type within a piece of time.
pub(super) fn cell(app: &App, type_: PheromoneType, from: Timestamp, to: Timestamp, width: usize) -> Sheet {
    let mut page = Page::new(app, width);
    let clock = |at: Timestamp| at.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string();
    // As strong as it was at its strongest within the cell.
    let then = |fade: &Fade| fade.intensity(fade.emitted().max(from));
    let within = |fade: &Fade, end: Timestamp| fade.emitted() < to && end > from;
    let mut found: Vec<_> = app
        .terrarium
        .pheromones()
        .values()
        .filter(|held| held.held.object.spec.type_ == type_)
        .filter_map(|held| Some((&held.held.object.spec, held.fade.as_ref().ok()?)))
        .filter(|(_, fade)| within(fade, fade.gone_at()))
        .collect();
    found.sort_by(|a, b| then(b.1).total_cmp(&then(a.1)));
    for (spec, fade) in &found {
        let payload = spec.payload.as_ref().map(said).unwrap_or_default();
        let to = spec.target.as_deref().map(|target| format!(" → {target}")).unwrap_or_default();
        page.lines.push(Line::from(vec![
            bold(page.theme, Role::Amber, format!("{:.2}  ", then(fade))),
            span(page.theme, page.theme.accent(&spec.source), format!("{}{to}  ", spec.source)),
            span(page.theme, Role::Mute, format!("emitted {}  ", clock(fade.emitted()))),
            span(page.theme, Role::Text, text::one_line(&payload).into_owned()),
        ]));
    }
    let mut gone: Vec<_> =
        app.terrarium.gone().filter(|gone| gone.type_ == type_ && within(&gone.fade, gone.died)).collect();
    gone.sort_by(|a, b| then(&b.fade).total_cmp(&then(&a.fade)));
    if !gone.is_empty() {
        page.head("gone since");
        for gone in gone {
            page.lines.push(Line::from(vec![
                bold(page.theme, Role::Amber, format!("{:.2}  ", then(&gone.fade))),
                span(
                    page.theme,
                    Role::Mute,
                    format!("emitted {}, gone {}", clock(gone.fade.emitted()), clock(gone.died)),
                ),
            ]));
        }
    }
    if page.lines.is_empty() {
        page.fact("", "Nothing of this type was in the air.", Role::Soft);
    }
    page.done(format!("{type_} · {} to {}", clock(from), clock(to)), "esc back".to_owned())
}

pub(super) fn proposal(app: &App, shown: &Shown, key: &Key, width: usize) -> Sheet {
    let Some(held) = app.terrarium.proposals().get(key) else { return gone(app, Kind::Proposal, key, width) };
    let object = &*held.object;
    let (spec, status) = (&object.spec, object.status.clone().unwrap_or_default());
    let mut page = Page::new(app, width);
    if shown.tab_name() == "yaml" {
        page.lines = yaml::lines(page.theme, object);
        return page.done(key.name().to_owned(), "esc back".to_owned());
    }
    let row = app.views.proposals.all().iter().find(|row| row.key == *key);
    if let Some(reason) = &spec.reason {
        for line in text::wrap(&format!("“{reason}”"), width) {
            page.lines.push(Line::from(span(page.theme, Role::Text, line)));
        }
        page.lines.push(Line::default());
    }
    let phase = view::phase(object);
    page.fact("phase", phase.as_str(), proposals::phase_role(phase));
    if let Some(row) = row.filter(|row| row.bid.need != Need::None) {
        page.fact("asks", &row.bid.reason, Role::Amber);
    }
    page.fact("change", spec.change_type.as_str(), Role::Text);
    let place = spec.target.namespace.as_deref().unwrap_or(key.namespace());
    page.fact("target", &format!("{} {} in {place}", spec.target.kind, spec.target.name), Role::Text);
    page.fact("what", &proposals::what(&app.terrarium, key, object), Role::Text);
    page.fact("proposer", &spec.proposer, page.theme.accent(&spec.proposer));
    page.fact("urgency", spec.urgency.as_str(), Role::Text);
    if let Some(end) = kgents_core::attention::expires_at(object).filter(|_| phase.is_open()) {
        let left = page.left(end);
        page.fact("expires in", &left, Role::Text);
    }
    let (risk, estimated) = view::risk_of(&app.terrarium, key, object, app.now);
    page.head("risk");
    let mut line = vec![
        bold(page.theme, proposals::level_role(risk.level), format!("{:.2} {}", risk.total, risk.level)),
        span(page.theme, Role::Mute, if estimated { " est.  " } else { "  " }),
    ];
    line.extend(proposals::risk_bar(page.theme, &risk, 40.min(width.saturating_sub(24))));
    page.lines.push(Line::from(line));
    for (name, value, role) in [
        ("base", risk.base, Role::Amber),
        ("velocity", risk.velocity, Role::Coral),
        ("cumulative", risk.cumulative, Role::Plum),
    ] {
        page.lines.push(Line::from(vec![
            span(page.theme, role, format!("{} ", page.theme.glyphs.risk)),
            span(page.theme, Role::Text, format!("{name:<12}")),
            bold(page.theme, Role::Text, format!("{value:.2}")),
        ]));
    }
    for reason in &risk.reasons {
        for line in text::wrap(reason, width.saturating_sub(2)) {
            page.lines.push(Line::from(span(page.theme, Role::Soft, format!("  {line}"))));
        }
    }
    for (title, decisions) in [("approvals", &status.approvals), ("rejections", &status.rejections)] {
        if decisions.is_empty() {
            continue;
        }
        page.head(title);
        for decision in decisions {
            page.fact(&decision.approver, decision.reason.as_deref().unwrap_or("without a reason"), Role::Text);
        }
    }
    page.head("patch");
    let patch = yaml::lines(page.theme, &spec.patch.content);
    page.lines.extend(patch);
    page.conditions(&status.conditions);
    let right = format!("{phase} · {} · esc back", page.origin(app, Kind::Proposal));
    page.done(key.name().to_owned(), right)
}

pub(super) fn thought(app: &App, thought: &Thought, width: usize) -> Sheet {
    let mut page = Page::new(app, width);
    for line in text::wrap(&thought.text, width) {
        page.lines.push(Line::from(span(page.theme, Role::Text, line)));
    }
    page.lines.push(Line::default());
    let time = thought.at.to_zoned(app.look.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    page.fact("when", &time, Role::Text);
    page.fact("about", &format!("{} {}", thought.kind, thought.key), Role::Text);
    page.fact("heard from", thought.origin.as_str(), Role::Text);
    page.head("around it");
    let all = app.terrarium.thoughts();
    let place = all.iter().position(|other| other.seq == thought.seq).unwrap_or_else(|| all.len().saturating_sub(1));
    for other in (place.saturating_sub(4)..place + 5).filter_map(|place| all.get(place)) {
        page.thought(app, other);
    }
    page.done((*thought.who).to_owned(), "esc back".to_owned())
}
