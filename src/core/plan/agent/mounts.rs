//! What the pods of an agent need that is made elsewhere: the Memory they keep
//! their state in, and the Umwelt they live in.

use kgents_api::agent::Mode;
use kgents_api::memory::{AccessMode, MemoryType, RetentionPolicy};

use super::super::live::{Facts, Live};
use super::super::{Child, Resource};
use super::About;
use super::walk::{Block, Stand, stand};

/// Where the state is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In a folder that goes with the pod.
    Scratch {
        /// How large it may become.
        limit: String,
    },
    /// On a volume.
    Claim {
        /// The name of the `PersistentVolumeClaim`, which is the Memory's.
        name: String,
        /// Only one node may mount it at a time.
        alone: bool,
        /// It cannot be written.
        read_only: bool,
    },
}

/// The Memory of an agent.
pub(super) struct Keeps {
    /// Its name; `None` without a sidecar, for then nothing keeps state.
    pub(super) name: Option<String>,
    /// Whether it is made by us.
    pub(super) is_automatic: bool,
    /// Whether it goes with the agent.
    pub(super) goes: bool,
    /// What the pods mount.
    pub(super) state: State,
    /// Why the pods cannot be made yet.
    pub(super) waits: Option<Block>,
}

/// The Umwelt of an agent.
pub(super) struct Lives {
    /// Its name, and that of its ConfigMap.
    pub(super) name: String,
    /// Whether it is made by us.
    pub(super) is_automatic: bool,
    /// The Secret whose keys become variables.
    pub(super) secret: Option<String>,
    /// Why the pods cannot be made yet.
    pub(super) waits: Option<Block>,
}

/// The size of a folder for state where no Memory says another: as much as a
/// Memory has by default.
const SCRATCH: &str = "256Mi";

pub(super) fn memory(about: About<'_>) -> Keeps {
    let spec = &about.agent.spec;
    let automatic = about.child(Resource::Memory);
    let memory = about.observed.memory.as_deref();
    let scratch = |limit: Option<&str>| State::Scratch { limit: limit.unwrap_or(SCRATCH).to_owned() };
    if !spec.sidecar.enabled {
        return Keeps { name: None, is_automatic: false, goes: false, state: scratch(None), waits: None };
    }
    let is_automatic = is_automatic(about, spec.memory.as_deref(), &automatic);
    let name = spec.memory.clone().unwrap_or_else(|| automatic.name.clone());
    // A stand-in keeps nothing, and needs nobody.
    let is_stand_in = spec.mode == Mode::Placeholder;
    let waits = match memory {
        _ if is_automatic || is_stand_in => None,
        None => Some(Block::absent(about, "MemoryNotFound", format!("there is no Memory {name}"))),
        Some(memory) if memory.spec.owner != about.name() => {
            let message = format!("Memory {name} belongs to agent {}, and is not shared yet", memory.spec.owner);
            Some(Block::stalled("MemoryOfAnother", message))
        }
        Some(_) => None,
    };
    let live = about.live(&automatic).map(|live| &live.facts);
    let goes = match (memory, live) {
        (Some(memory), _) => memory.spec.retention_policy == RetentionPolicy::Delete,
        (None, Some(Facts::Memory { retention })) => retention == RetentionPolicy::Delete.as_str(),
        (None, _) => false,
    };
    let state = match memory.map(|memory| &memory.spec) {
        _ if is_stand_in => scratch(None),
        Some(memory) if memory.type_ == MemoryType::Ephemeral => scratch(Some(&memory.size.0)),
        found => {
            let mode = found.map_or(AccessMode::ReadWriteOnce, |memory| memory.access_mode);
            State::Claim {
                name: name.clone(),
                alone: matches!(mode, AccessMode::ReadWriteOnce | AccessMode::ReadWriteOncePod),
                read_only: mode == AccessMode::ReadOnlyMany,
            }
        }
    };
    Keeps { name: Some(name), is_automatic, goes: is_automatic && goes, state, waits }
}

pub(super) fn umwelt(about: About<'_>) -> Lives {
    let automatic = about.child(Resource::Umwelt);
    let named = about.agent.spec.umwelt.as_deref();
    let umwelt = about.observed.umwelt.as_deref();
    let is_automatic = is_automatic(about, named, &automatic);
    let name = named.map_or_else(|| automatic.name.clone(), str::to_owned);
    let waits = match umwelt {
        _ if is_automatic || about.agent.spec.mode == Mode::Placeholder => None,
        None => Some(Block::absent(about, "UmweltNotFound", format!("there is no Umwelt {name}"))),
        // What an Umwelt allows, and the Secret it names, are for one agent.
        Some(umwelt) if umwelt.spec.agent != about.name() => {
            let message = format!("Umwelt {name} is that of agent {}", umwelt.spec.agent);
            Some(Block::stalled("UmweltOfAnother", message))
        }
        Some(_) => None,
    };
    let secret = umwelt.and_then(|umwelt| umwelt.spec.secret_ref.clone()).filter(|name| !name.is_empty());
    Lives { name, is_automatic, secret, waits }
}

/// Whether the automatic one is meant: none is named, or it is named itself
/// and was not made by somebody else.
fn is_automatic(about: About<'_>, named: Option<&str>, automatic: &Child) -> bool {
    match named {
        None => true,
        Some(name) => name == automatic.name && !matches!(stand(about, automatic), Stand::Stranger(_)),
    }
}

/// Whether a Memory that nobody controls was made by us for this agent and
/// outlived it, or will.
pub(super) fn is_retained(about: About<'_>, live: &Live) -> bool {
    let label = |name: &str, value: &str| live.labels.get(name).is_some_and(|found| found == value);
    let labelled =
        label(kgents_api::LABEL_AGENT, about.name()) && label(kgents_api::LABEL_MANAGED_BY, kgents_api::OPERATOR);
    let owned = || {
        let memory = about.observed.memory.as_deref();
        memory.is_some_and(|memory| {
            memory.metadata.uid.as_deref() == Some(live.uid.as_str()) && memory.spec.owner == about.name()
        })
    };
    live.controller.is_none() && (labelled || (live.is_applied() && owned()))
}
