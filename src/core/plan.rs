//! The reconcile core: what has to be done so that the cluster is what a
//! custom resource says.
//!
//! [`plan`] is a pure function. The operator executes what it says, `kgents
//! explain` prints it, the window previews it: there is no second opinion.
//! Its laws, each a test in `laws`:
//! - planning the world that a plan has made gives an empty plan;
//! - the same input gives the same bytes;
//! - the order in which objects come to be does not matter;
//! - until [`Plan::requeue_at`], time that only passes changes nothing;
//! - a crash between any two writes still converges;
//! - nothing that is not owned is ever touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use kgents_api::{Agent, Memory, Pheromone, Umwelt};
use serde::Serialize;
use serde_json::{Value, json};

#[macro_use]
mod object;

mod agent;
mod conditions;
mod config;
mod fault;
#[cfg(test)]
mod laws;
mod live;
mod memory;
pub mod network;
mod owned;
mod pheromone;
mod pod;
mod resource;
mod single;
mod umwelt;

pub use config::{Config, Dns};
pub use fault::{Cause, Fault};
pub use live::{ClaimFacts, DeploymentFacts, Facts, Live, Other, Owner};
pub use memory::{is_compost, sweepable};
pub use owned::{Change, at};
pub use pod::{Pod, Trouble};
pub use resource::Resource;

/// How long a state that will pass by itself must last before it is written
/// into a status.
pub const TRANSIENT: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

/// What is planned for.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub enum Subject<'a> {
    Agent(&'a Agent),
    Memory(&'a Memory),
    Umwelt(&'a Umwelt),
    Pheromone(&'a Pheromone),
}

/// What is known of the cluster around a subject. Whoever plans fills in what
/// its subject needs, and leaves the rest empty.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// What stands in the subject's namespace that is the subject's by its
    /// labels, or bears the name of one of its children.
    pub children: BTreeMap<(Resource, String), Arc<Live>>,
    /// Agent: its pods. Pheromone of type CHAOS: those of the agent that is its
    /// target, else of all agents of its namespace.
    pub pods: Vec<Arc<Pod>>,
    /// Agent: the Memory that it names, else the automatic one, if there is one.
    pub memory: Option<Arc<Memory>>,
    /// Agent: the Umwelt that it names, else the automatic one, if there is one.
    pub umwelt: Option<Arc<Umwelt>>,
    /// Agent: those of its peers' names that are Agents of its namespace.
    /// Memory, Umwelt: their agent's name, if there is such an Agent.
    pub agents: BTreeSet<String>,
    /// The writes that failed and have not been well since.
    pub faults: Vec<Fault>,
    /// Pheromone of type CHAOS: when a pod was deleted last by any of them;
    /// where that is not known, when the operator started.
    pub last_chaos: Option<Timestamp>,
}

/// An object that a plan writes, by what identifies it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Child {
    /// Its kind.
    pub resource: Resource,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for Child {
    /// As in `Deployment b-gent`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.resource, self.name)
    }
}

/// What has to be done. An empty one ([`Plan::is_empty`]) says that all is as
/// it should be.
///
/// It is executed in the order `apply`, `delete`, `status`, `events`; a write
/// that fails stops the later ones of `apply` and `delete`, becomes a
/// [`Fault`], and is planned with again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Objects to write, in this order.
    pub apply: Vec<Apply>,
    /// Objects to delete, in this order.
    pub delete: Vec<Delete>,
    /// The subject's status, if it is not what it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What to say on the subject, once each time that it is planned.
    pub events: Vec<Event>,
    /// When to plan again although nothing changed; until then nothing is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requeue_at: Option<Timestamp>,
    /// What was seen and decided, a sentence each, for people.
    pub why: Vec<String>,
}

impl Plan {
    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        let Self { apply, delete, status, events, requeue_at: _, why: _ } = self;
        apply.is_empty() && delete.is_empty() && status.is_none() && events.is_empty()
    }

    /// Makes sure that it is planned again at `at` at the latest.
    pub(crate) fn wake(&mut self, at: Timestamp) {
        self.requeue_at = Some(self.requeue_at.map_or(at, |earlier| earlier.min(at)));
    }
}

/// An object to write by server-side apply.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Apply {
    /// Which object.
    pub child: Child,
    /// What is known of the present one.
    pub expect: Expect,
    /// All that we want of it and nothing else, `apiVersion`, `kind` and
    /// `metadata` included.
    pub body: Value,
    /// What differs from what stands there; empty for a new object.
    pub changes: Vec<Change>,
    /// Why, in a sentence.
    pub why: String,
}

/// What a write expects to find.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Expect {
    /// No object of this name. An object that is there after all is not
    /// touched: the API server refuses with a conflict.
    Absent,
    /// The object of this uid, in whatever version.
    Present {
        /// The uid.
        uid: String,
    },
}

impl Apply {
    /// The field manager: one per kind of object, so that no two places of the
    /// code revert each other.
    pub fn manager(&self) -> &'static str {
        self.child.resource.manager()
    }

    /// The body as it is sent, with what makes the API server hold us to
    /// [`Expect`]. A resource version in an apply is ignored where an object
    /// is made, and refused with a conflict where there is one of another
    /// version: `1` is none that an object ever has.
    pub fn wire(&self) -> Value {
        let mut body = self.body.clone();
        match &self.expect {
            Expect::Absent => body["metadata"]["resourceVersion"] = json!("1"),
            Expect::Present { uid } => body["metadata"]["uid"] = json!(uid),
        }
        body
    }
}

/// An object to delete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delete {
    /// Which object.
    pub child: Child,
    /// Its uid, a precondition: another object of its name is left alone.
    pub uid: String,
    /// Its version, a precondition too where it is named: an object that was
    /// changed since is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_version: Option<String>,
    /// Why, in a sentence.
    pub why: String,
}

/// A status to write, under [`Resource::STATUS_MANAGER`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// The whole status.
    pub body: Value,
    /// What differs from the one that stands there.
    pub changes: Vec<Change>,
}

/// Something to say on the subject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Whether it is a warning.
    pub warning: bool,
    /// A word in CamelCase.
    pub reason: &'static str,
    /// What was done or tried, a word in CamelCase.
    pub action: &'static str,
    /// A sentence, at most 1,024 bytes.
    pub message: String,
}

/// Every object that a plan for `subject` may ever write or delete, by the
/// names that it would have, in the order of writing. Whoever observes looks
/// at these and at what carries the subject's labels.
pub fn children(subject: Subject<'_>) -> Vec<Child> {
    match subject {
        Subject::Agent(agent) => agent::children(agent),
        Subject::Memory(memory) => memory::children(memory),
        Subject::Umwelt(umwelt) => umwelt::children(umwelt),
        Subject::Pheromone(_) => Vec::new(),
    }
}

/// The one function that decides: what has to be done so that the cluster is
/// what `subject` says. It is total: whatever it is given, it answers.
pub fn plan(subject: Subject<'_>, observed: &Observed, now: Timestamp, config: &Config) -> Plan {
    match subject {
        Subject::Agent(agent) => agent::plan(agent, observed, now, config),
        Subject::Memory(memory) => memory::plan(memory, observed, now, config),
        Subject::Umwelt(umwelt) => umwelt::plan(umwelt, observed, now, config),
        Subject::Pheromone(pheromone) => pheromone::plan(pheromone, observed, now, config),
    }
}
