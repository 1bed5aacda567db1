//! What is taken out of a terrarium to be written: only what is live.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use kgents_api::proposal::ProposalPhase;
use kgents_core::freshness::Area;
use kgents_store::object::{Decoded, Unreadable};
use kgents_store::terrarium::Held;
use kgents_store::view;
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Layer, Object, Terrarium, Thought, WatchState};

use super::layout;

/// Whether a kind may be written now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// It is live.
    Open,
    /// It is not known yet.
    NotYet,
    /// It is not live, and why.
    Shut(String),
}

/// What is to be written. Cheap to take: objects are shared.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) context: String,
    pub(super) server: String,
    /// What the API server says that it is.
    pub(super) version: String,
    /// Who says all this; `None` if nobody live does.
    pub(super) source: Option<Layer>,
    pub(super) at: Timestamp,
    /// The kinds that are live, each whole.
    pub(super) lists: BTreeMap<Kind, Vec<Decoded>>,
    pub(super) thoughts: Option<Vec<Thought>>,
    /// The areas that are left as they are.
    pub(super) left: Vec<Left>,
}

/// An area that is left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) area: Area,
    /// Why, in words.
    pub(super) why: String,
    /// It was asked for and there was no good answer.
    pub(super) failed: bool,
}

/// Why nothing of this terrarium may be written, whatever is live.
pub(super) fn barred(terrarium: &Terrarium) -> Option<String> {
    let scene = terrarium.scene();
    match &scene.namespace {
        Some(namespace) => Some(format!("only namespace {namespace} is looked at, and the Ghost holds all")),
        None if scene.context.is_empty() && scene.server.is_empty() => Some("no cluster is looked at yet".to_owned()),
        None => None,
    }
}

/// Whether a kind may be written now.
pub(super) fn gate(terrarium: &Terrarium, kind: Kind) -> Gate {
    if !terrarium.is_live() {
        return match terrarium.link() {
            Link::Down { error, .. } => Gate::Shut(error.clone()),
            Link::Connecting | Link::Up { .. } => Gate::NotYet,
        };
    }
    let own = state(terrarium, kind);
    match kind {
        // A Cortex sends thoughts, not Events; and where Events may not be
        // read there are still those that we have ourselves.
        Kind::Event
            if terrarium.layer() == Some(Layer::Grpc) || matches!(own, Gate::Shut(_)) && !fails(terrarium, kind) =>
        {
            let any = Kind::CUSTOM.into_iter().any(|kind| state(terrarium, kind) == Gate::Open);
            if any { Gate::Open } else { own }
        }
        _ => own,
    }
}

fn fails(terrarium: &Terrarium, kind: Kind) -> bool {
    matches!(terrarium.watch(kind).state, WatchState::Failing { .. })
}

fn state(terrarium: &Terrarium, kind: Kind) -> Gate {
    match terrarium.watch(kind).state {
        WatchState::Live => Gate::Open,
        WatchState::Waiting | WatchState::Listing => Gate::NotYet,
        WatchState::Missing => Gate::Shut(format!("the API server does not know {}", kind.resource())),
        WatchState::Forbidden { verb, resource, namespace } => {
            let place = namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
            Gate::Shut(format!("not allowed to {verb} {resource}{place}"))
        }
        WatchState::Failing { error, .. } => Gate::Shut(error),
    }
}

/// The kinds by which an area is known to be live.
fn heard_by(area: Area) -> &'static [Kind] {
    if area == Area::Thoughts { &[Kind::Event] } else { layout::kinds(area) }
}

impl Snapshot {
    /// Takes what is live of these areas. `trusted` says of which kinds the
    /// word counts at all.
    pub(super) fn take(
        terrarium: &Terrarium,
        areas: impl IntoIterator<Item = Area>,
        trusted: impl Fn(Kind) -> bool,
        at: Timestamp,
    ) -> Self {
        let scene = terrarium.scene();
        let version = match terrarium.link() {
            Link::Up { version } => version.clone(),
            Link::Connecting | Link::Down { .. } => String::new(),
        };
        let mut snapshot = Self {
            context: scene.context.clone(),
            server: scene.server.clone(),
            version,
            source: terrarium.layer().filter(|layer| layer.is_live()),
            // Whole milliseconds are enough for anybody.
            at: Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at),
            lists: BTreeMap::new(),
            thoughts: None,
            left: Vec::new(),
        };
        let barred = barred(terrarium);
        for area in areas {
            if let Some(why) = &barred {
                snapshot.left.push(Left { area, why: why.clone(), failed: false });
                continue;
            }
            let gates = heard_by(area).iter().map(|kind| {
                let gate = if trusted(*kind) { gate(terrarium, *kind) } else { Gate::NotYet };
                (*kind, gate)
            });
            let (mut live, mut why) = (false, None);
            for (kind, gate) in gates {
                match gate {
                    Gate::Open if area == Area::Thoughts => {
                        snapshot.thoughts = Some(terrarium.thoughts().iter().cloned().collect());
                        live = true;
                    }
                    Gate::Open => {
                        snapshot.lists.insert(kind, objects(terrarium, kind, at));
                        live = true;
                    }
                    Gate::Shut(error) => why = why.or(Some(error)),
                    Gate::NotYet => {}
                }
            }
            if !live {
                let failed = why.is_some();
                let why = why.unwrap_or_else(|| "no live answer yet".to_owned());
                snapshot.left.push(Left { area, why, failed });
            }
        }
        snapshot
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.thoughts.is_none()
    }

    /// Whether something of an area is to be written.
    pub(super) fn has(&self, area: Area) -> bool {
        match area {
            Area::Thoughts => self.thoughts.is_some(),
            _ => layout::kinds(area).iter().any(|kind| self.lists.contains_key(kind)),
        }
    }
}

/// Every object of a kind by key, those among it that our types cannot read.
fn objects(terrarium: &Terrarium, kind: Kind, at: Timestamp) -> Vec<Decoded> {
    let mut all: Vec<Decoded> = match kind {
        Kind::Agent => terrarium.agents().iter().map(|(key, agent)| held(key, &agent.held, Object::Agent)).collect(),
        Kind::Pheromone => terrarium
            .pheromones()
            .iter()
            .filter(|(_, signal)| {
                !signal.faded && signal.fade.as_ref().is_ok_and(|fade| fade.gone_at() > at) || signal.fade.is_err()
            })
            .map(|(key, signal)| held(key, &signal.held, Object::Pheromone))
            .collect(),
        Kind::Proposal => terrarium.proposals().iter().map(|(key, one)| held(key, one, Object::Proposal)).collect(),
        Kind::Memory => terrarium.memories().iter().map(|(key, one)| held(key, one, Object::Memory)).collect(),
        Kind::Umwelt => terrarium.umwelts().iter().map(|(key, one)| held(key, one, Object::Umwelt)).collect(),
        Kind::Deployment => terrarium
            .deployments()
            .iter()
            .map(|(key, facts)| nameless(key, Object::Deployment(facts.clone())))
            .collect(),
        Kind::Pod => terrarium.pods().iter().map(|(key, facts)| nameless(key, Object::Pod(facts.clone()))).collect(),
        Kind::Event => Vec::new(),
    };
    all.extend(terrarium.unreadable(kind).map(unreadable));
    all.sort_by(|a, b| a.key.cmp(&b.key));
    all
}

fn held<T>(key: &Key, held: &Held<T>, wrap: impl Fn(Arc<T>) -> Object) -> Decoded {
    Decoded {
        key: key.clone(),
        uid: held.uid.clone(),
        resource_version: held.resource_version.clone(),
        object: wrap(held.object.clone()),
    }
}

/// Facts carry no identity.
fn nameless(key: &Key, object: Object) -> Decoded {
    Decoded { key: key.clone(), uid: String::new(), resource_version: String::new(), object }
}

fn unreadable(object: &Arc<Unreadable>) -> Decoded {
    let text = |path| object.raw.pointer(path).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    Decoded {
        key: object.key.clone(),
        uid: text("/metadata/uid"),
        resource_version: text("/metadata/resourceVersion"),
        object: Object::Unreadable(object.clone()),
    }
}

/// Where a proposal stands. Of one that our types cannot read, what its JSON
/// says; one that nobody understands waits for somebody who does.
pub(super) fn phase(object: &Object) -> ProposalPhase {
    match object {
        Object::Proposal(proposal) => view::phase(proposal),
        Object::Unreadable(object) => {
            let said = object.raw.pointer("/status/phase").and_then(serde_json::Value::as_str);
            said.and_then(|phase| phase.parse().ok()).unwrap_or(ProposalPhase::Pending)
        }
        _ => ProposalPhase::Pending,
    }
}
