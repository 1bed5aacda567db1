//! What the panes show, worked out once per change: rows in the order and of
//! the choice that a person wants.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Index;

use jiff::Timestamp;
use kgents_api::PheromoneType;
use kgents_core::attention::Need;
use kgents_store::thought::Thoughts;
use kgents_store::view::{self, AgentRow, ProposalRow};
use kgents_store::{Key, Kind, Terrarium, Thought};
use serde::{Deserialize, Serialize};

use crate::filter::{Fields, Filter};
use crate::layout::Pane;

/// Rows, and which of them show in which order.
#[derive(Clone, Debug)]
pub struct Rows<T> {
    all: Vec<T>,
    /// Places in `all`; every row in its own order if `None`.
    shown: Option<Vec<usize>>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { all: Vec::new(), shown: None }
    }
}

impl<T> Rows<T> {
    /// How many show.
    pub fn len(&self) -> usize {
        self.shown.as_ref().map_or(self.all.len(), Vec::len)
    }

    /// Whether none shows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every row, shown or not, in its own order.
    pub fn all(&self) -> &[T] {
        &self.all
    }

    /// The row that shows at a place.
    pub fn get(&self, place: usize) -> Option<&T> {
        match &self.shown {
            Some(shown) => self.all.get(*shown.get(place)?),
            None => self.all.get(place),
        }
    }

    /// The rows that show, from a place on.
    pub fn from(&self, first: usize) -> impl Iterator<Item = &T> {
        (first..self.len()).filter_map(|place| self.get(place))
    }

    /// Chooses the rows that show.
    fn choose(
        &mut self,
        filter: &Filter,
        keeps: impl Fn(&T) -> bool,
        order: Option<impl Fn(&T, &T) -> std::cmp::Ordering>,
    ) {
        if filter.is_empty() && order.is_none() {
            self.shown = None;
            return;
        }
        let mut shown: Vec<usize> = (0..self.all.len()).filter(|i| filter.is_empty() || keeps(&self.all[*i])).collect();
        if let Some(order) = order {
            // Ties keep the order that the rows have by themselves.
            shown.sort_by(|a, b| order(&self.all[*a], &self.all[*b]));
        }
        self.shown = Some(shown);
    }
}

impl<T> Index<usize> for Rows<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        match &self.shown {
            Some(shown) => &self.all[shown[place]],
            None => &self.all[place],
        }
    }
}

/// An order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Sort {
    Attention,
    Name,
    Activity,
    State,
    Risk,
    Newest,
    Strength,
    Type,
    Source,
}

impl Sort {
    /// The orders that a pane has, its own first.
    pub const fn of(pane: Pane) -> &'static [Self] {
        match pane {
            Pane::Agents => &[Self::Attention, Self::Name, Self::Activity, Self::State, Self::Newest],
            Pane::Pheromones => &[Self::Strength, Self::Newest, Self::Type, Self::Source],
            Pane::Proposals => &[Self::Attention, Self::Risk, Self::Newest, Self::Name],
            Pane::Thoughts | Pane::Chat => &[],
        }
    }

    /// As it stands in a title.
    pub const fn said(self) -> &'static str {
        match self {
            Self::Attention => "by attention",
            Self::Name => "by name",
            Self::Activity => "by activity",
            Self::State => "by state",
            Self::Risk => "by risk",
            Self::Newest => "newest first",
            Self::Strength => "strongest first",
            Self::Type => "by type",
            Self::Source => "by source",
        }
    }
}

/// The keys that a pane's filter knows.
pub const fn keys(pane: Pane) -> &'static [&'static str] {
    match pane {
        Pane::Agents => &["name", "namespace", "genus", "phase", "state", "mind", "image", "replicas", "activity"],
        Pane::Pheromones => &["name", "namespace", "type", "from", "to", "payload", "strength"],
        Pane::Proposals => &["name", "namespace", "phase", "risk", "level", "by", "target", "change", "urgency"],
        Pane::Thoughts => &["who", "namespace", "kind", "from", "severity", "text"],
        Pane::Chat => &[],
    }
}

/// What the panes show.
#[derive(Debug, Default)]
pub struct Views {
    /// Agents.
    pub agents: Rows<AgentRow>,
    /// Proposals.
    pub proposals: Rows<ProposalRow>,
    /// Pheromones that can be sensed, with their strengths.
    pub alive: Rows<(Key, f64)>,
    /// The thoughts that show, by their numbers; all if `None`.
    pub thoughts: Option<Vec<u64>>,
    /// When a pheromone of a type landed last while we looked.
    pub landed: BTreeMap<PheromoneType, Timestamp>,
    /// How many agents and proposals need a person.
    pub needs: usize,
    /// How stable the agents are, 0..1.
    pub stability: f64,
    agents_of: Basis,
    proposals_of: Basis,
    /// The filter of the thoughts that show, and how many were heard then.
    thoughts_of: (u64, u64),
}

/// What a view was worked out from: revision, thoughts heard, minute.
type Basis = Option<(u64, u64, Timestamp)>;

/// The wishes of a person: filter and order of each pane, by its place.
pub(crate) struct Wishes<'a> {
    pub(crate) filters: [&'a Filter; 4],
    pub(crate) sorts: [Sort; 3],
}

#[cfg(test)]
impl Default for Wishes<'_> {
    fn default() -> Self {
        static NONE: std::sync::LazyLock<Filter> = std::sync::LazyLock::new(Filter::default);
        Self {
            filters: [&NONE; 4],
            sorts: [Pane::Agents, Pane::Pheromones, Pane::Proposals].map(|pane| Sort::of(pane)[0]),
        }
    }
}

impl Views {
    /// Works everything out anew that may be another.
    pub(crate) fn refresh(&mut self, terrarium: &Terrarium, now: Timestamp, wishes: &Wishes<'_>) {
        // Who needs a person depends on what is known and on ages, which are
        // looked at by the minute. A wake that only dims a cell costs neither.
        let of = |kinds: &[Kind]| {
            let newest = kinds.iter().map(|kind| terrarium.revision_of(*kind)).max().unwrap_or(0);
            Some((newest, terrarium.thoughts().heard(), minute(now)))
        };
        let next = of(&[Kind::Agent, Kind::Proposal]).map(|(revision, _, minute)| (revision, 0, minute));
        if next != self.proposals_of {
            self.proposals.all = view::proposals(terrarium, now);
            self.proposals_of = next;
        }
        let next = of(&[Kind::Agent, Kind::Proposal, Kind::Pheromone]);
        // What is busy grows quiet by itself.
        let calm = self.agents.all.iter().all(|row| row.level <= 0.0);
        if next != self.agents_of || !calm {
            self.agents.all = view::agents(terrarium, &self.proposals.all, now);
            self.agents_of = next;
        }
        let alive = view::alive(terrarium, now);
        self.landed.clear();
        for (_, signal, _) in &alive {
            if let Some(changed) = signal.held.changed {
                let landed = self.landed.entry(signal.held.object.spec.type_).or_insert(changed);
                *landed = changed.max(*landed);
            }
        }
        self.alive.all = alive.into_iter().map(|(key, _, strength)| (key.clone(), strength)).collect();
        // By what is said of them: two that cross unseen must not change places.
        let said = |strength: f64| (strength * 10.0).round() as u8;
        self.alive.all.sort_by(|a, b| said(b.1).cmp(&said(a.1)).then_with(|| a.0.cmp(&b.0)));
        self.needs = view::needs(&self.agents.all, &self.proposals.all);
        // By the minute: it moves with the clock, and never between.
        self.stability = terrarium.stability(Kind::Agent, minute(now));
        self.choose(terrarium, wishes);
    }

    /// Forgets what was worked out: the terrarium is another.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Another moment is shown: everything is worked out anew.
    pub(crate) fn travelled(&mut self) {
        (self.agents_of, self.proposals_of, self.thoughts_of) = (None, None, (0, 0));
    }

    fn choose(&mut self, terrarium: &Terrarium, wishes: &Wishes<'_>) {
        let [agents, alive, proposals, thoughts] = wishes.filters;
        let [by_agent, by_signal, by_proposal] = wishes.sorts;
        let created = |key: &Key, kind: Kind| created(terrarium, kind, key);
        self.agents.choose(
            agents,
            |row| agents.keeps(&AgentFields(terrarium, row)),
            (by_agent != Sort::Attention).then_some(|a: &AgentRow, b: &AgentRow| match by_agent {
                Sort::Name => (a.key.name(), &a.key).cmp(&(b.key.name(), &b.key)),
                Sort::Activity => b.level.total_cmp(&a.level),
                Sort::State => a.state.as_str().cmp(b.state.as_str()),
                _ => created(&b.key, Kind::Agent).cmp(&created(&a.key, Kind::Agent)),
            }),
        );
        let type_of = |key: &Key| terrarium.pheromones().get(key).map(|held| &held.held.object.spec);
        self.alive.choose(
            alive,
            |row| alive.keeps(&SignalFields(terrarium, row)),
            (by_signal != Sort::Strength).then_some(|a: &(Key, f64), b: &(Key, f64)| match by_signal {
                Sort::Type => {
                    type_of(&a.0).map(|spec| spec.type_.as_str()).cmp(&type_of(&b.0).map(|spec| spec.type_.as_str()))
                }
                Sort::Source => type_of(&a.0).map(|spec| &spec.source).cmp(&type_of(&b.0).map(|spec| &spec.source)),
                _ => created(&b.0, Kind::Pheromone).cmp(&created(&a.0, Kind::Pheromone)),
            }),
        );
        self.proposals.choose(
            proposals,
            |row| proposals.keeps(&ProposalFields(terrarium, row)),
            (by_proposal != Sort::Attention).then_some(|a: &ProposalRow, b: &ProposalRow| match by_proposal {
                Sort::Risk => b.risk.total.total_cmp(&a.risk.total),
                Sort::Name => a.key.name().cmp(b.key.name()),
                _ => created(&b.key, Kind::Proposal).cmp(&created(&a.key, Kind::Proposal)),
            }),
        );
        self.choose_thoughts(terrarium.thoughts(), thoughts);
    }

    /// Brings the thoughts that show up to date: those that were heard since,
    /// in most cases, for there may be thousands a second.
    fn choose_thoughts(&mut self, all: &Thoughts, filter: &Filter) {
        let known = std::mem::replace(&mut self.thoughts_of, (filter.id(), all.heard()));
        if filter.is_empty() {
            self.thoughts = None;
            return;
        }
        let keeps = |thought: &&Thought| filter.keeps(&ThoughtFields(thought));
        let news = all.heard().checked_sub(known.1).filter(|_| known.0 == filter.id());
        let (Some(shown), Some(news)) = (&mut self.thoughts, news) else {
            self.thoughts = Some(all.iter().filter(keeps).map(|thought| thought.seq).collect());
            return;
        };
        // What is new stands at the end, unless it came late.
        let news = usize::try_from(news).unwrap_or(usize::MAX).min(all.len());
        let tail = all.len() - news;
        if all.iter().skip(tail).any(|thought| thought.seq <= known.1) {
            *shown = all.iter().filter(keeps).map(|thought| thought.seq).collect();
            return;
        }
        shown.extend(all.iter().skip(tail).filter(keeps).map(|thought| thought.seq));
        let forgotten = shown.iter().take_while(|seq| all.of(**seq).is_none()).count();
        shown.drain(..forgotten);
    }
}

/// When an object was made.
fn created(terrarium: &Terrarium, kind: Kind, key: &Key) -> Option<Timestamp> {
    let meta = match kind {
        Kind::Agent => &terrarium.agents().get(key)?.held.object.metadata,
        Kind::Pheromone => &terrarium.pheromones().get(key)?.held.object.metadata,
        _ => &terrarium.proposals().get(key)?.object.metadata,
    };
    meta.creation_timestamp.as_ref().map(|time| time.0)
}

struct AgentFields<'a>(&'a Terrarium, &'a AgentRow);

impl Fields for AgentFields<'_> {
    fn name(&self) -> Cow<'_, str> {
        self.1.key.name().into()
    }

    fn text(&self) -> Cow<'_, str> {
        let last = self.0.agents().get(&self.1.key).and_then(|agent| agent.last.as_deref()).unwrap_or_default();
        let reason = if self.1.bid.need == Need::None { last } else { &self.1.bid.reason };
        format!("{} {} {reason}", self.1.key, self.1.state.as_str()).into()
    }

    fn field(&self, key: &str) -> Option<Cow<'_, str>> {
        let agent = &*self.0.agents().get(&self.1.key)?.held.object;
        let status = agent.status.as_ref();
        Some(match key {
            "name" => self.1.key.name().into(),
            "namespace" => self.1.key.namespace().into(),
            "genus" => agent.spec.genus.to_string().into(),
            "phase" => status?.phase?.as_str().into(),
            "state" => self.1.state.as_str().into(),
            "mind" => status?.cognitive_health?.as_str().into(),
            "image" => agent.spec.image.as_deref()?.into(),
            "replicas" => agent.spec.replicas.to_string().into(),
            "activity" => self.1.level.to_string().into(),
            _ => return None,
        })
    }
}

struct SignalFields<'a>(&'a Terrarium, &'a (Key, f64));

impl Fields for SignalFields<'_> {
    fn name(&self) -> Cow<'_, str> {
        self.1.0.name().into()
    }

    fn text(&self) -> Cow<'_, str> {
        let part = |key| self.field(key).unwrap_or_default().into_owned();
        format!("{} {} {} {} {}", self.1.0, part("type"), part("from"), part("to"), part("payload")).into()
    }

    fn field(&self, key: &str) -> Option<Cow<'_, str>> {
        let spec = &self.0.pheromones().get(&self.1.0)?.held.object.spec;
        Some(match key {
            "name" => self.1.0.name().into(),
            "namespace" => self.1.0.namespace().into(),
            "type" => spec.type_.as_str().into(),
            "from" => spec.source.as_str().into(),
            "to" => spec.target.as_deref().unwrap_or("everyone").into(),
            "payload" => view::said(spec.payload.as_ref()?).into(),
            "strength" => self.1.1.to_string().into(),
            _ => return None,
        })
    }
}

struct ProposalFields<'a>(&'a Terrarium, &'a ProposalRow);

impl Fields for ProposalFields<'_> {
    fn name(&self) -> Cow<'_, str> {
        self.1.key.name().into()
    }

    fn text(&self) -> Cow<'_, str> {
        let reason = self.0.proposals().get(&self.1.key).and_then(|held| held.object.spec.reason.as_deref());
        let row = self.1;
        format!("{} {} {} {} {}", row.key, row.phase, row.risk.level, row.bid.reason, reason.unwrap_or_default()).into()
    }

    fn field(&self, key: &str) -> Option<Cow<'_, str>> {
        let spec = &self.0.proposals().get(&self.1.key)?.object.spec;
        Some(match key {
            "name" => self.1.key.name().into(),
            "namespace" => self.1.key.namespace().into(),
            "phase" => self.1.phase.as_str().into(),
            "risk" => self.1.risk.total.to_string().into(),
            "level" => self.1.risk.level.as_str().into(),
            "by" => spec.proposer.as_str().into(),
            "target" => spec.target.name.as_str().into(),
            "change" => spec.change_type.as_str().into(),
            "urgency" => spec.urgency.as_str().into(),
            _ => return None,
        })
    }
}

struct ThoughtFields<'a>(&'a Thought);

impl Fields for ThoughtFields<'_> {
    fn name(&self) -> Cow<'_, str> {
        (&*self.0.who).into()
    }

    fn text(&self) -> Cow<'_, str> {
        format!("{} {}", self.0.who, self.0.text).into()
    }

    fn field(&self, key: &str) -> Option<Cow<'_, str>> {
        use kgents_store::thought::Severity;
        Some(match key {
            "who" => (&*self.0.who).into(),
            "namespace" => self.0.key.namespace().into(),
            "kind" => self.0.kind.as_str().into(),
            "from" => self.0.origin.as_str().into(),
            "severity" => match self.0.severity {
                Severity::Info => "info",
                Severity::Asks => "asks",
                Severity::Warn => "warn",
                Severity::Error => "error",
            }
            .into(),
            "text" => (&*self.0.text).into(),
            _ => return None,
        })
    }
}

/// The minute that a moment lies in.
pub(crate) fn minute(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use kgents_store::Kind;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::testing::{batch, change, now};

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]
        /// What is filtered as it comes is what would be filtered at once.
        #[test]
        fn thoughts_that_come_are_filtered_as_all_would_be(batches in prop::collection::vec(prop::collection::vec((0_usize..3, -4_i64..4), 0..6), 1..12)) {
            let filter = Filter::parse("who:a", keys(Pane::Thoughts)).unwrap();
            let mut terrarium = Terrarium::keeping(20);
            let mut views = Views::default();
            let (mut version, mut at) = (0, now());
            for names in batches {
                for (name, seconds) in names {
                    version += 1;
                    // Clocks go back as well: what comes late is sorted in.
                    at = at.checked_add(SignedDuration::from_secs(seconds)).unwrap();
                    let phase = if version % 2 == 0 { "Failed" } else { "Running" };
                    let body = json!({ "spec": { "genus": "B" }, "status": { "phase": phase } });
                    let change = change(Kind::Agent, ["a", "b", "ab"][name], version, body, false);
                    terrarium.apply(batch(vec![change], Vec::new()), at);
                }
                views.choose_thoughts(terrarium.thoughts(), &filter);
                let expected: Vec<u64> = terrarium.thoughts().iter().filter(|thought| thought.who.contains('a')).map(|thought| thought.seq).collect();
                prop_assert_eq!(views.thoughts.as_ref(), Some(&expected));
            }
        }
    }
}
