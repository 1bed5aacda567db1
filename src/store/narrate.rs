//! Turns changes into thoughts: what happened, in a sentence.

use kgents_api::agent::{AgentPhase, CognitiveHealth};
use kgents_api::proposal::ProposalPhase;
use kgents_api::{Agent, Condition, Pheromone, PheromoneType, Proposal};
use serde_json::Value;

use crate::key::Kind;
use crate::object::{EventFacts, Unreadable};
use crate::thought::{Origin, Severity};

/// A thought before it has a place and a time.
pub(crate) struct Line {
    pub(crate) origin: Origin,
    pub(crate) severity: Severity,
    pub(crate) who: String,
    pub(crate) text: String,
}

impl Line {
    fn new(origin: Origin, severity: Severity, who: impl Into<String>, text: impl Into<String>) -> Self {
        Self { origin, severity, who: who.into(), text: text.into() }
    }
}

fn name(meta: &kgents_api::ObjectMeta) -> &str {
    meta.name.as_deref().unwrap_or_default()
}

/// What changed about an agent; with no former one it has just appeared.
pub(crate) fn agent(old: Option<&Agent>, new: &Agent) -> Vec<Line> {
    let who = name(&new.metadata);
    let Some(old) = old else {
        let spec = &new.spec;
        let role = spec.genus.role().map(|role| format!(" ({role})")).unwrap_or_default();
        let text = format!("appears: genus {}{role}, {}", spec.genus, plural(spec.replicas.into(), "replica"));
        return vec![Line::new(Origin::Birth, Severity::Info, who, text)];
    };
    let mut lines = Vec::new();
    let status = |agent: &Agent| agent.status.clone().unwrap_or_default();
    let (before, after) = (status(old), status(new));
    if before.phase != after.phase {
        let severity = match after.phase {
            Some(AgentPhase::Failed) => Severity::Error,
            Some(AgentPhase::Degraded) => Severity::Warn,
            _ => Severity::Info,
        };
        let text = moved("phase", before.phase.map(AgentPhase::as_str), after.phase.map(AgentPhase::as_str));
        lines.push(Line::new(Origin::Phase, severity, who, text));
    }
    if before.cognitive_health != after.cognitive_health {
        let severity = match after.cognitive_health {
            Some(CognitiveHealth::Unresponsive) => Severity::Error,
            Some(CognitiveHealth::Degraded) => Severity::Warn,
            _ => Severity::Info,
        };
        let word = |health: Option<CognitiveHealth>| health.map(CognitiveHealth::as_str);
        let text = moved("mind", word(before.cognitive_health), word(after.cognitive_health));
        lines.push(Line::new(Origin::Health, severity, who, text));
    }
    lines.extend(conditions(who, &before.conditions, &after.conditions));
    if old.spec.replicas != new.spec.replicas {
        let text = format!("replicas {} → {}", old.spec.replicas, new.spec.replicas);
        lines.push(Line::new(Origin::Phase, Severity::Info, who, text));
    }
    if old.metadata.deletion_timestamp.is_none() && new.metadata.deletion_timestamp.is_some() {
        lines.push(Line::new(Origin::Death, Severity::Info, who, "is being deleted"));
    }
    lines
}

pub(crate) fn agent_gone(agent: &Agent) -> Line {
    Line::new(Origin::Death, Severity::Info, name(&agent.metadata), "is gone")
}

/// One line for each condition that is new or whose status or reason changed.
fn conditions(who: &str, before: &[Condition], after: &[Condition]) -> Vec<Line> {
    let changed = |now: &&Condition| {
        let was = before.iter().find(|was| was.type_ == now.type_);
        was.is_none_or(|was| was.status != now.status || was.reason != now.reason)
    };
    after
        .iter()
        .filter(changed)
        .map(|now| {
            let bad = is_bad(now);
            let severity = if bad { Severity::Warn } else { Severity::Info };
            let mut text = format!("{} is {}", now.type_, now.status);
            for part in [&now.reason, &now.message] {
                if !part.is_empty() {
                    text.push_str(": ");
                    text.push_str(part);
                }
            }
            Line::new(Origin::Condition, severity, who, text)
        })
        .collect()
}

/// Whether a condition says that something is wrong. `Ready`-like types are
/// bad when false, `Stalled`-like ones when true.
pub fn is_bad(condition: &Condition) -> bool {
    let negative = matches!(condition.type_.as_str(), "Stalled" | "Conflict" | "NotImplemented")
        || condition.type_.ends_with("Failed")
        || condition.type_.ends_with("Failure");
    match condition.status.as_str() {
        "True" => negative,
        "False" => !negative && condition.type_ != "Progressing",
        _ => false,
    }
}

/// The names of the agents that a pheromone concerns.
pub(crate) fn concerns(pheromone: &Pheromone) -> impl Iterator<Item = &str> {
    let source = pheromone.spec.source.as_str();
    let target = pheromone.spec.target.as_deref().filter(move |target| *target != source);
    std::iter::once(source).chain(target)
}

/// A pheromone that was just emitted; `strength` is its intensity, or what is
/// wrong with it.
pub(crate) fn emitted(pheromone: &Pheromone, strength: Result<f64, String>) -> Line {
    let spec = &pheromone.spec;
    let to = spec.target.as_deref().map(|target| format!(" to {target}")).unwrap_or_default();
    let (severity, strength) = match strength {
        Ok(strength) => {
            let loud = matches!(spec.type_, PheromoneType::Warning | PheromoneType::Scarcity | PheromoneType::Chaos);
            let asks = spec.type_ == PheromoneType::ReviewRequest;
            let severity = if loud {
                Severity::Warn
            } else if asks {
                Severity::Asks
            } else {
                Severity::Info
            };
            (severity, format!(" {strength:.2}"))
        }
        Err(error) => (Severity::Warn, format!(" that cannot fade: {error}")),
    };
    let payload = spec.payload.as_ref().map(|payload| format!(": {}", said(payload))).unwrap_or_default();
    Line::new(Origin::Birth, severity, &spec.source, format!("emits {}{strength}{to}{payload}", spec.type_))
}

/// A pheromone that has faded.
pub(crate) fn faded(pheromone: &Pheromone) -> Line {
    ended(pheromone, "has faded")
}

/// A pheromone that was deleted while it could still be sensed.
pub(crate) fn withdrawn(pheromone: &Pheromone) -> Line {
    ended(pheromone, "was taken away")
}

fn ended(pheromone: &Pheromone, how: &str) -> Line {
    let spec = &pheromone.spec;
    Line::new(Origin::Death, Severity::Info, &spec.source, format!("its {} {how}", spec.type_))
}

/// What a payload says: text as it is, anything else as compact JSON.
pub fn said(payload: &Value) -> String {
    match payload {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// What changed about a proposal; with no former one it was just made.
pub(crate) fn proposal(old: Option<&Proposal>, new: &Proposal) -> Vec<Line> {
    let (who, title) = (&new.spec.proposer, name(&new.metadata));
    let Some(old) = old else {
        let reason = new.spec.reason.as_deref().map(|reason| format!(" “{reason}”")).unwrap_or_default();
        let target = &new.spec.target;
        let text = format!("proposes {title}: {} of {} {}{reason}", new.spec.change_type, target.kind, target.name);
        return vec![Line::new(Origin::Proposal, Severity::Asks, who, text)];
    };
    let status = |proposal: &Proposal| proposal.status.clone().unwrap_or_default();
    let (before, after) = (status(old), status(new));
    let mut lines = Vec::new();
    if before.phase != after.phase {
        let severity = match after.phase {
            Some(ProposalPhase::Failed | ProposalPhase::RolledBack) => Severity::Error,
            Some(phase) if phase.is_open() => Severity::Asks,
            _ => Severity::Info,
        };
        let word = |phase: Option<ProposalPhase>| phase.map(ProposalPhase::as_str);
        let risk = after.risk.as_ref().map(|risk| format!(", risk {:.2} {}", risk.total, risk.level));
        let text = format!("{title}: {}{}", moved("", word(before.phase), word(after.phase)), risk.unwrap_or_default());
        lines.push(Line::new(Origin::Proposal, severity, who, text));
    }
    for (verb, before, after) in
        [("approves", &before.approvals, &after.approvals), ("rejects", &before.rejections, &after.rejections)]
    {
        for decision in after.iter().filter(|now| before.iter().all(|was| was.approver != now.approver)) {
            let reason = decision.reason.as_deref().map(|reason| format!(" “{reason}”")).unwrap_or_default();
            let text = format!("{verb} {title}{reason}");
            lines.push(Line::new(Origin::Proposal, Severity::Info, &decision.approver, text));
        }
    }
    lines
}

pub(crate) fn proposal_gone(proposal: &Proposal) -> Line {
    let text = format!("{} was taken away", name(&proposal.metadata));
    Line::new(Origin::Proposal, Severity::Info, &proposal.spec.proposer, text)
}

/// An object that our types cannot read.
pub(crate) fn unreadable(object: &Unreadable) -> Line {
    let text = format!("cannot be read as {}: {}", object.kind, object.error);
    Line::new(Origin::Condition, Severity::Error, object.key.name(), text)
}

/// What an Event says.
pub(crate) fn event(event: &EventFacts, who: String) -> Line {
    let severity = if event.warning { Severity::Warn } else { Severity::Info };
    let mut text = match (event.reason.is_empty(), event.message.is_empty()) {
        (false, false) => format!("{}: {}", event.reason, event.message.trim_end()),
        (false, true) => event.reason.clone(),
        _ => event.message.trim_end().to_owned(),
    };
    if event.count > 1 {
        text = format!("{text} (×{})", event.count);
    }
    Line::new(Origin::Event, severity, who, text)
}

/// The kind that an Event's object is shown as.
pub(crate) fn kind_of_event(event: &EventFacts) -> Kind {
    Kind::ALL.into_iter().find(|kind| kind.as_str() == event.about_kind).unwrap_or(Kind::Event)
}

fn moved(what: &str, from: Option<&str>, to: Option<&str>) -> String {
    let what = if what.is_empty() { String::new() } else { format!("{what} ") };
    match (from, to) {
        (Some(from), Some(to)) => format!("{what}{from} → {to}"),
        (None, Some(to)) => format!("{what}{to}"),
        (_, None) => format!("{what}is no longer told"),
    }
}

fn plural(count: i64, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}
