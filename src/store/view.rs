//! Questions that more than one face asks of the terrarium: what needs a
//! person, what is alive, how much there is.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kgents_api::proposal::{ProposalPhase, RiskLevel};
use kgents_api::{PheromoneType, Proposal};
use kgents_core::activity::{self, AgentState};
use kgents_core::attention::{self, Bid, Need};
use kgents_core::risk::{self, Risk, RiskConfig};
use serde::Serialize;

use crate::key::{Key, Kind};
pub use crate::narrate::{is_bad, said};
use crate::terrarium::{HeldAgent, HeldPheromone, Terrarium};

/// An agent with what it is doing and why it stands where it stands.
#[derive(Clone, Debug)]
pub struct AgentRow {
    /// Its key.
    pub key: Key,
    /// Its activity, 0..1.
    pub level: f64,
    /// Its state.
    pub state: AgentState,
    /// Why it stands where it stands.
    pub bid: Bid,
}

/// All agents, the one that needs a person most first, then the busiest.
///
/// `proposals` are the rows of [`proposals`], for what is asked of a person.
pub fn agents(terrarium: &Terrarium, proposals: &[ProposalRow], now: Timestamp) -> Vec<AgentRow> {
    let asks = asks(terrarium, proposals);
    let mut rows: Vec<AgentRow> =
        terrarium.agents().iter().map(|(key, agent)| agent_row(terrarium, key, agent, &asks, now)).collect();
    rows.sort_by(|a, b| {
        attention::order(&a.bid, &b.bid).then_with(|| b.level.total_cmp(&a.level)).then_with(|| a.key.cmp(&b.key))
    });
    rows
}

/// One agent, as [`agents`] has it. `proposals` may be those alone that it
/// made or that would change it.
pub fn agent(terrarium: &Terrarium, key: &Key, proposals: &[ProposalRow], now: Timestamp) -> Option<AgentRow> {
    let held = terrarium.agents().get(key)?;
    Some(agent_row(terrarium, key, held, &asks(terrarium, proposals), now))
}

fn agent_row(
    terrarium: &Terrarium,
    key: &Key,
    agent: &HeldAgent,
    asks: &BTreeMap<Key, Vec<(&Proposal, RiskLevel)>>,
    now: Timestamp,
) -> AgentRow {
    let level = agent.meter.level(now);
    let signals: Vec<_> = terrarium
        .signals_of(key)
        .filter(|(_, signal)| is_alarm(signal.held.object.spec.type_))
        .filter_map(|(_, signal)| Some((&*signal.held.object, strength(signal, now)?)))
        .collect();
    let asked = asks.get(key).map(Vec::as_slice).unwrap_or_default();
    let bid = attention::agent_bid(&agent.held.object, level, &signals, asked, now);
    let dreaming = terrarium.signals_of(key).any(|(_, signal)| {
        signal.held.object.spec.type_ == PheromoneType::Dream
            && signal.held.object.spec.source == key.name()
            && strength(signal, now).is_some()
    });
    let waiting = bid.need.is_asked();
    let state = activity::state(&agent.held.object, level, waiting, dreaming);
    AgentRow { key: key.clone(), level, state, bid }
}

/// Open proposals, with the level of their risk, by the agents that made them
/// or that they would change.
fn asks<'a>(terrarium: &'a Terrarium, rows: &[ProposalRow]) -> BTreeMap<Key, Vec<(&'a Proposal, RiskLevel)>> {
    let mut asks: BTreeMap<Key, Vec<(&Proposal, RiskLevel)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.phase.is_open()) {
        let Some(held) = terrarium.proposals().get(&row.key) else { continue };
        let (spec, own) = (&held.object.spec, row.key.namespace());
        let proposer = Key::new(own, &spec.proposer);
        let target = target_agent(&row.key, &held.object).filter(|target| *target != proposer);
        for agent in std::iter::once(proposer).chain(target) {
            asks.entry(agent).or_default().push((&held.object, row.risk.level));
        }
    }
    asks
}

fn is_alarm(type_: PheromoneType) -> bool {
    matches!(type_, PheromoneType::Warning | PheromoneType::Scarcity)
}

/// The strength of a pheromone; `None` when it is gone or cannot fade.
pub fn strength(pheromone: &HeldPheromone, now: Timestamp) -> Option<f64> {
    let fade = pheromone.fade.as_ref().ok()?;
    (!fade.is_gone(now)).then(|| fade.intensity(now))
}

/// Pheromones that can be sensed, the strongest first.
pub fn alive(terrarium: &Terrarium, now: Timestamp) -> Vec<(&Key, &HeldPheromone, f64)> {
    strongest_first(terrarium.pheromones().iter(), now)
}

/// Those of them that an agent emitted or that are meant for it.
pub fn signals_of<'a>(terrarium: &'a Terrarium, agent: &Key, now: Timestamp) -> Vec<(&'a Key, &'a HeldPheromone, f64)> {
    strongest_first(terrarium.signals_of(agent), now)
}

fn strongest_first<'a>(
    pheromones: impl Iterator<Item = (&'a Key, &'a HeldPheromone)>,
    now: Timestamp,
) -> Vec<(&'a Key, &'a HeldPheromone, f64)> {
    let sensed = |(key, pheromone)| Some((key, pheromone, strength(pheromone, now)?));
    let mut found: Vec<_> = pheromones.filter_map(sensed).collect();
    found.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| a.0.cmp(b.0)));
    found
}

/// The phase of a proposal; one that no operator has seen is Pending.
pub fn phase(proposal: &Proposal) -> ProposalPhase {
    proposal.status.as_ref().and_then(|status| status.phase).unwrap_or(ProposalPhase::Pending)
}

/// A proposal's risk, and whether it is our own estimate because no operator
/// wrote one.
pub fn risk_of(terrarium: &Terrarium, key: &Key, proposal: &Proposal, now: Timestamp) -> (Risk, bool) {
    if let Some(risk) = proposal.status.as_ref().and_then(|status| status.risk.as_ref()) {
        return (risk.clone().into(), false);
    }
    let spec = &proposal.spec;
    let target = Key::new(spec.target.namespace.as_deref().unwrap_or(key.namespace()), &spec.target.name);
    let before = (spec.target.kind == "Agent")
        .then(|| terrarium.agents().get(&target))
        .flatten()
        .and_then(|agent| serde_json::to_value(&*agent.held.object).ok());
    let others: Vec<&Proposal> =
        terrarium.proposals().iter().filter(|(other, _)| *other != key).map(|(_, held)| &*held.object).collect();
    (risk::estimate(proposal, before.as_ref(), &others, now, &RiskConfig::default()), true)
}

/// A proposal with its risk and what it asks of a person.
#[derive(Clone, Debug)]
pub struct ProposalRow {
    /// Its key.
    pub key: Key,
    /// Its phase.
    pub phase: ProposalPhase,
    /// Its risk.
    pub risk: Risk,
    /// The risk is our own estimate.
    pub estimated: bool,
    /// What it asks of a person.
    pub bid: Bid,
}

/// All proposals: the open ones first, what needs a person most at the top,
/// then the newest.
pub fn proposals(terrarium: &Terrarium, now: Timestamp) -> Vec<ProposalRow> {
    let mut rows: Vec<ProposalRow> =
        terrarium.proposals().iter().map(|(key, held)| proposal_row(terrarium, key, &held.object, now)).collect();
    sort(terrarium, &mut rows);
    rows
}

fn sort(terrarium: &Terrarium, rows: &mut [ProposalRow]) {
    let created = |key: &Key| {
        let held = terrarium.proposals().get(key)?;
        held.object.metadata.creation_timestamp.as_ref().map(|time| time.0)
    };
    rows.sort_by(|a, b| {
        let open = |row: &ProposalRow| row.phase.is_open();
        open(b)
            .cmp(&open(a))
            .then_with(|| attention::order(&a.bid, &b.bid))
            .then_with(|| created(&b.key).cmp(&created(&a.key)))
            .then_with(|| a.key.cmp(&b.key))
    });
}

fn proposal_row(terrarium: &Terrarium, key: &Key, proposal: &Proposal, now: Timestamp) -> ProposalRow {
    let (risk, estimated) = risk_of(terrarium, key, proposal, now);
    let bid = attention::proposal_bid(proposal, risk.level, now);
    ProposalRow { key: key.clone(), phase: phase(proposal), risk, estimated, bid }
}

/// The agent that a proposal would change, if it would change one.
pub fn target_agent(key: &Key, proposal: &Proposal) -> Option<Key> {
    let target = &proposal.spec.target;
    (target.kind == "Agent").then(|| Key::new(target.namespace.as_deref().unwrap_or(key.namespace()), &target.name))
}

/// The proposals that an agent made or that would change it, in the order of
/// [`proposals`].
pub fn proposals_of(terrarium: &Terrarium, agent: &Key, now: Timestamp) -> Vec<ProposalRow> {
    let concerns = |key: &Key, proposal: &Proposal| {
        (proposal.spec.proposer == agent.name() && key.namespace() == agent.namespace())
            || target_agent(key, proposal).is_some_and(|target| target == *agent)
    };
    let mut rows: Vec<ProposalRow> = terrarium
        .proposals()
        .iter()
        .filter(|(key, held)| concerns(key, &held.object))
        .map(|(key, held)| proposal_row(terrarium, key, &held.object, now))
        .collect();
    sort(terrarium, &mut rows);
    rows
}

/// One thing that needs a person, as `status` tells it.
#[derive(Clone, Debug, Serialize)]
pub struct Attention {
    /// Kind of the object.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Which of the classes it stands in: `decide`, `broken`, `ask` or `signal`.
    pub need: &'static str,
    /// Why, in a sentence.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// The word for a class of need; `None` for what needs nobody.
pub const fn need_word(need: Need) -> Option<&'static str> {
    match need {
        Need::Decide => Some("decide"),
        Need::Broken => Some("broken"),
        Need::Ask => Some("ask"),
        Need::Signal => Some("signal"),
        Need::None => None,
    }
}

/// Everything that needs a person, most first: proposals and agents in one
/// order. An agent that stands high only because of a proposal in this list
/// is not told a second time.
pub fn attention(terrarium: &Terrarium, now: Timestamp) -> Vec<Attention> {
    let rows = proposals(terrarium, now);
    let of_agents = agents(terrarium, &rows, now)
        .into_iter()
        .filter(|row| !row.bid.need.is_asked())
        .map(|row| (Kind::Agent, row.key, row.bid));
    let of_proposals = rows.into_iter().map(|row| (Kind::Proposal, row.key, row.bid));
    let mut all: Vec<_> = of_proposals.chain(of_agents).filter(|(_, _, bid)| bid.need != Need::None).collect();
    all.sort_by(|a, b| attention::order(&a.2, &b.2).then_with(|| a.1.cmp(&b.1)));
    all.into_iter()
        .filter_map(|(kind, key, bid)| {
            Some(Attention {
                kind,
                namespace: key.namespace().to_owned(),
                name: key.name().to_owned(),
                need: need_word(bid.need)?,
                reason: bid.reason,
                since: bid.since,
            })
        })
        .collect()
}

/// How much there is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Counts {
    /// Agents.
    pub agents: usize,
    /// Agents by phase; `None` where no operator has written one.
    pub agents_by_phase: BTreeMap<String, usize>,
    /// Pheromones that can be sensed.
    pub pheromones: usize,
    /// Those by type.
    pub pheromones_by_type: BTreeMap<String, usize>,
    /// Proposals.
    pub proposals: usize,
    /// Proposals about which somebody may still decide.
    pub proposals_open: usize,
    /// Proposals by phase.
    pub proposals_by_phase: BTreeMap<String, usize>,
    /// Memories.
    pub memories: usize,
    /// Umwelts.
    pub umwelts: usize,
    /// Objects of any kind that our types cannot read.
    pub unreadable: usize,
}

/// Counts what there is.
pub fn counts(terrarium: &Terrarium, now: Timestamp) -> Counts {
    let mut counts = Counts {
        agents: terrarium.agents().len(),
        proposals: terrarium.proposals().len(),
        memories: terrarium.memories().len(),
        umwelts: terrarium.umwelts().len(),
        unreadable: Kind::ALL.into_iter().map(|kind| terrarium.unreadable(kind).count()).sum(),
        ..Counts::default()
    };
    for agent in terrarium.agents().values() {
        let phase = agent.held.object.status.as_ref().and_then(|status| status.phase);
        let word = phase.map_or("None", |phase| phase.as_str());
        *counts.agents_by_phase.entry(word.to_owned()).or_default() += 1;
    }
    for pheromone in terrarium.pheromones().values().filter(|pheromone| strength(pheromone, now).is_some()) {
        counts.pheromones += 1;
        *counts.pheromones_by_type.entry(pheromone.held.object.spec.type_.to_string()).or_default() += 1;
    }
    for held in terrarium.proposals().values() {
        let phase = phase(&held.object);
        counts.proposals_open += usize::from(phase.is_open());
        *counts.proposals_by_phase.entry(phase.to_string()).or_default() += 1;
    }
    counts
}

/// How many proposals and agents need a person now: an agent for which a
/// proposal asks is counted by the proposal.
pub fn needs(agents: &[AgentRow], proposals: &[ProposalRow]) -> usize {
    agents.iter().filter(|row| row.bid.need == Need::Broken).count()
        + proposals.iter().filter(|row| row.bid.need.needs_person()).count()
}

/// How long an object has existed.
pub fn age(meta: &kgents_api::ObjectMeta, now: Timestamp) -> Option<SignedDuration> {
    meta.creation_timestamp.as_ref().map(|time| now.duration_since(time.0))
}
