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

/// Where agents live unless somebody says otherwise.
pub const NAMESPACE_AGENTS: &str = "kgents-agents";
/// The namespaces that are ours by convention.
pub const NAMESPACES: [&str; 3] = [NAMESPACE_AGENTS, "kgents-ephemeral", "kgents-system"];
