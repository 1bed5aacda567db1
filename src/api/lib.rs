//! The custom resources of `kgents.io/v1` as Rust types.
//!
//! These types are the only source: the CRDs in `crds/` are generated from
//! them (see [`crd`]), and everything that reads or writes an object goes
//! through them. No IO, no clock.

#![allow(clippy::duplicated_attributes, reason = "each printer column names its type")]

pub mod agent;
pub mod common;
pub mod crd;
pub mod memory;
pub mod pheromone;
pub mod proposal;
mod schema;
pub mod umwelt;
pub mod yaml;

pub use agent::{Agent, AgentSpec, AgentStatus};
pub use common::{Amount, Genus, Urgency};
pub use memory::{Memory, MemorySpec, MemoryStatus};
pub use pheromone::{Pheromone, PheromoneSpec, PheromoneType};
pub use proposal::{Proposal, ProposalSpec, ProposalStatus};
pub use umwelt::{Umwelt, UmweltSpec, UmweltStatus};

pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};

/// The API group of every custom resource.
pub const GROUP: &str = "kgents.io";
/// The one served version.
pub const VERSION: &str = "v1";
/// `group/version` as it stands in `apiVersion`.
pub const API_VERSION: &str = "kgents.io/v1";

/// Label that names the agent an object belongs to.
pub const LABEL_AGENT: &str = "kgents.io/agent";
/// Label that names the genus of the agent an object belongs to.
pub const LABEL_GENUS: &str = "kgents.io/genus";

/// Label that names what an object is for; the agent's name on all that is made for one.
pub const LABEL_NAME: &str = "app.kubernetes.io/name";
/// Label that says that an object is part of us; its value is [`PART_OF`].
pub const LABEL_PART_OF: &str = "app.kubernetes.io/part-of";
/// The value of [`LABEL_PART_OF`].
pub const PART_OF: &str = "kgents";
/// Label that says who made an object; its value is [`OPERATOR`].
pub const LABEL_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The operator's name: the value of [`LABEL_MANAGED_BY`], the first part of
/// each of its field managers, and the reporter of its Events.
pub const OPERATOR: &str = "kgents-operator";
/// Label that names the Memory which a retained volume claim belongs to.
pub const LABEL_MEMORY: &str = "kgents.io/memory";
/// Label that says what becomes of a volume claim when its owner is gone.
pub const LABEL_RETENTION: &str = "kgents.io/retention";

/// Where agents live unless somebody says otherwise.
pub const NAMESPACE_AGENTS: &str = "kgents-agents";
/// The namespaces that are ours by convention.
pub const NAMESPACES: [&str; 3] = [NAMESPACE_AGENTS, "kgents-ephemeral", NAMESPACE_SYSTEM];
/// Where the operator and what serves all agents live.
pub const NAMESPACE_SYSTEM: &str = "kgents-system";
