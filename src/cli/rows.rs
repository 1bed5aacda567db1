//! The columns of each kind, and what stands in them.

use jiff::Timestamp;
use kgents_api::{Agent, ObjectMeta};
use kgents_core::activity::AgentState;
use kgents_core::age;
use kgents_core::attention::Need;
use kgents_core::decay::Fade;
use kgents_store::terrarium::HeldPheromone;
use kgents_store::view::{self, AgentRow, ProposalRow};
use kgents_store::{Key, Kind, Terrarium};

use crate::table::{NOTHING, Row, cut};
use crate::value;

/// Cells of a sentence in a table that is not wide.
const SENTENCE: usize = 60;

/// The columns of a kind.
pub(crate) fn columns(kind: Kind, namespaces: bool, wide: bool) -> Vec<&'static str> {
    let (narrow, more): (&[&str], &[&str]) = match kind {
        Kind::Agent => (&["NAME", "GENUS", "PHASE", "READY", "MIND", "WHY", "AGE"], &["MODE", "IMAGE"]),
        Kind::Pheromone => {
            (&["NAME", "TYPE", "INTENSITY", "HALF-LIFE", "GONE IN", "SOURCE", "TARGET", "PAYLOAD"], &["EMITTED"])
        }
        Kind::Proposal => {
            (&["NAME", "PHASE", "CHANGE", "TARGET", "RISK", "NEEDS", "AGE"], &["URGENCY", "PROPOSER", "REASON"])
        }
        Kind::Memory => (&["NAME", "OWNER", "TYPE", "SIZE", "RETENTION", "READY", "AGE"], &["CLASS", "CLAIM"]),
        Kind::Umwelt => (&["NAME", "AGENT", "WORKLOAD", "TOKENS", "SLOP", "AGE"], &["AFFORDANCES"]),
        Kind::Deployment | Kind::Pod | Kind::Event => (&["NAME"], &[]),
    };
    let namespace = namespaces.then_some("NAMESPACE");
    let more = if wide { more } else { &[] };
    namespace.into_iter().chain(narrow.iter().copied()).chain(more.iter().copied()).collect()
}

/// The rows of a kind in the order in which a person wants them, those that
/// our types cannot read at the end.
pub(crate) fn rows(terrarium: &Terrarium, kind: Kind, namespaces: bool, wide: bool, now: Timestamp) -> Vec<(Key, Row)> {
    let fit =
        |text: &str| if wide { text.to_owned() } else { cut(&crate::table::one_line(text), SENTENCE).into_owned() };
    let head = |key: &Key| -> Vec<String> {
        let namespace = namespaces.then(|| key.namespace().to_owned());
        namespace.into_iter().chain([key.name().to_owned()]).collect()
    };
    let row = |key: &Key, cells: Vec<String>| (key.clone(), Row::Cells([head(key), cells].concat()));
    let mut rows: Vec<(Key, Row)> = match kind {
        Kind::Agent => view::agents(terrarium, &view::proposals(terrarium, now), now)
            .iter()
            .filter_map(|agent| Some((agent, &*terrarium.agents().get(&agent.key)?.held.object)))
            .map(|(agent, object)| row(&agent.key, self::agent(agent, object, &fit, wide, now)))
            .collect(),
        Kind::Pheromone => pheromones(terrarium, now)
            .into_iter()
            .map(|(key, held, strength)| row(key, pheromone(held, strength, &fit, wide, now)))
            .collect(),
        Kind::Proposal => view::proposals(terrarium, now)
            .iter()
            .filter_map(|shown| Some(row(&shown.key, proposal(terrarium, shown, &fit, wide, now)?)))
            .collect(),
        Kind::Memory => {
            terrarium.memories().iter().map(|(key, held)| row(key, memory(&held.object, wide, now))).collect()
        }
        Kind::Umwelt => {
            terrarium.umwelts().iter().map(|(key, held)| row(key, umwelt(&held.object, wide, now))).collect()
        }
        Kind::Deployment | Kind::Pod | Kind::Event => Vec::new(),
    };
    rows.extend(terrarium.unreadable(kind).map(|object| {
        let note = fit(&format!("cannot be read: {}", object.error));
        (object.key.clone(), Row::Note(head(&object.key), note))
    }));
    rows
}

/// Those that can be sensed, the strongest first, then those that cannot fade.
fn pheromones(terrarium: &Terrarium, now: Timestamp) -> Vec<(&Key, &HeldPheromone, Option<f64>)> {
    let alive = view::alive(terrarium, now).into_iter().map(|(key, held, strength)| (key, held, Some(strength)));
    let broken =
        terrarium.pheromones().iter().filter(|(_, held)| held.fade.is_err()).map(|(key, held)| (key, held, None));
    alive.chain(broken).collect()
}

fn or_nothing<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| value.to_string())
}

fn aged(meta: &ObjectMeta, now: Timestamp) -> String {
    or_nothing(view::age(meta, now).map(age::text))
}

/// Why an agent stands where it stands: what it needs, else what its Ready
/// condition says.
pub(crate) fn why(row: &AgentRow, agent: &Agent) -> String {
    let status = agent.status.as_ref();
    let quiet = [AgentState::Busy, AgentState::Active, AgentState::Idle];
    let idle = row.bid.need == Need::None && quiet.iter().any(|state| row.bid.reason == state.as_str());
    if !idle {
        return row.bid.reason.clone();
    }
    let ready = status.and_then(|status| status.conditions.iter().find(|condition| condition.type_ == "Ready"));
    or_nothing(ready.map(|condition| condition.reason.clone()).filter(|reason| !reason.is_empty()))
}

/// Pods that are ready of those that are wanted.
pub(crate) fn ready(agent: &Agent) -> String {
    let ready = agent.status.as_ref().and_then(|status| status.ready_replicas);
    format!("{}/{}", or_nothing(ready), agent.spec.replicas)
}

fn agent(row: &AgentRow, object: &Agent, fit: &dyn Fn(&str) -> String, wide: bool, now: Timestamp) -> Vec<String> {
    let status = object.status.as_ref();
    let phase = status.and_then(|status| status.phase);
    let phase = if object.metadata.deletion_timestamp.is_some() { "Terminating".to_owned() } else { or_nothing(phase) };
    let mut cells = vec![
        object.spec.genus.to_string(),
        phase,
        ready(object),
        or_nothing(status.and_then(|status| status.cognitive_health)),
        fit(&why(row, object)),
        aged(&object.metadata, now),
    ];
    if wide {
        cells.push(object.spec.mode.to_string());
        cells.push(or_nothing(object.spec.image.as_ref()));
    }
    cells
}

fn pheromone(
    held: &HeldPheromone,
    strength: Option<f64>,
    fit: &dyn Fn(&str) -> String,
    wide: bool,
    now: Timestamp,
) -> Vec<String> {
    let spec = &held.held.object.spec;
    let mut cells = vec![spec.type_.to_string(), or_nothing(strength.map(|strength| format!("{strength:.2}")))];
    let said = match &held.fade {
        Ok(fade) => {
            cells.push(value::minutes(fade.half_life_minutes()));
            cells.push(value::until(fade.gone_at(), now));
            or_nothing(spec.payload.as_ref().map(view::said))
        }
        Err(error) => {
            cells.extend([NOTHING.to_owned(), NOTHING.to_owned()]);
            format!("cannot fade: {error}")
        }
    };
    cells.extend([spec.source.clone(), or_nothing(spec.target.as_ref()), fit(&said)]);
    if wide {
        cells.push(or_nothing(held.fade.as_ref().ok().map(Fade::emitted)));
    }
    cells
}

/// A risk in a cell: figure, level, and whether it is our own estimate.
pub(crate) fn risk(row: &ProposalRow) -> String {
    let estimated = if row.estimated { " est." } else { "" };
    format!("{:.2} {}{estimated}", row.risk.total, row.risk.level)
}

fn proposal(
    terrarium: &Terrarium,
    row: &ProposalRow,
    fit: &dyn Fn(&str) -> String,
    wide: bool,
    now: Timestamp,
) -> Option<Vec<String>> {
    let object = &terrarium.proposals().get(&row.key)?.object;
    let spec = &object.spec;
    let mut cells = vec![
        row.phase.to_string(),
        spec.change_type.to_string(),
        target(&row.key, &spec.target),
        risk(row),
        fit(row.bid.reason.strip_prefix("needs ").unwrap_or(&row.bid.reason)),
        aged(&object.metadata, now),
    ];
    if wide {
        cells.extend([spec.urgency.to_string(), spec.proposer.clone(), or_nothing(spec.reason.as_ref())]);
    }
    Some(cells)
}

/// What a proposal would change, with its namespace where it is another.
pub(crate) fn target(key: &Key, target: &kgents_api::proposal::Target) -> String {
    match target.namespace.as_deref().filter(|namespace| *namespace != key.namespace()) {
        Some(namespace) => format!("{} {namespace}/{}", target.kind, target.name),
        None => format!("{} {}", target.kind, target.name),
    }
}

fn memory(object: &kgents_api::Memory, wide: bool, now: Timestamp) -> Vec<String> {
    let (spec, status) = (&object.spec, object.status.as_ref());
    let ready = status.and_then(|status| status.conditions.iter().find(|condition| condition.type_ == "Ready"));
    let mut cells = vec![
        spec.owner.clone(),
        spec.type_.to_string(),
        status.and_then(|status| status.size.as_ref()).unwrap_or(&spec.size).to_string(),
        spec.retention_policy.to_string(),
        or_nothing(ready.map(|condition| condition.status.clone())),
        aged(&object.metadata, now),
    ];
    if wide {
        cells.push(or_nothing(spec.storage_class.as_ref()));
        cells.push(or_nothing(status.and_then(|status| status.claim_name.as_ref())));
    }
    cells
}

fn umwelt(object: &kgents_api::Umwelt, wide: bool, now: Timestamp) -> Vec<String> {
    let spec = &object.spec;
    let tokens = spec.constraints.as_ref().and_then(|constraints| constraints.token_budget);
    let mut cells = vec![
        spec.agent.clone(),
        spec.workload.to_string(),
        or_nothing(tokens),
        spec.slop_budget.to_string(),
        aged(&object.metadata, now),
    ];
    if wide {
        let affordances = spec.affordances.join(", ");
        cells.push(or_nothing(Some(affordances).filter(|text| !text.is_empty())));
    }
    cells
}
