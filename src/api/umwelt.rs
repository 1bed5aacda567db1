//! Umwelt: what an agent may sense and do.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::common::words;
use crate::pheromone::PheromoneType;
use crate::schema;

/// The world as one agent meets it.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "kgents.io",
    version = "v1",
    kind = "Umwelt",
    plural = "umwelts",
    namespaced,
    shortname = "uw",
    category = "kgents",
    status = "UmweltStatus",
    derive = "PartialEq",
    doc = "What an agent may sense and do.",
    label("app.kubernetes.io/part-of", "kgents"),
    printcolumn(name = "Agent", type_ = "string", json_path = ".spec.agent"),
    printcolumn(name = "Workload", type_ = "string", json_path = ".spec.workload"),
    printcolumn(name = "Tokens", type_ = "integer", json_path = ".spec.constraints.tokenBudget"),
    printcolumn(name = "Slop", type_ = "number", json_path = ".spec.slopBudget"),
    printcolumn(name = "Affordances", type_ = "string", json_path = ".spec.affordances", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct UmweltSpec {
    /// The agent that lives in it.
    #[schemars(length(min = 1, max = 63))]
    pub agent: String,
    /// How the agent speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<Persona>,
    /// What the agent may do, as globs over AGENTESE paths (world.**, void.pheromone.*).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affordances: Vec<String>,
    /// What the agent may use up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// What the agent is told about where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::open_object")]
    pub context: Option<Map<String, Value>>,
    /// Name of a Secret whose keys become environment variables of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<String>,
    /// Which signals the agent senses and may emit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pheromone_sensitivity: Option<Sensitivity>,
    /// The share of effort that may go into play, 0 to 1.
    #[serde(default = "default_slop")]
    #[schemars(range(min = 0, max = 1))]
    pub slop_budget: f64,
    /// What sort of work is at hand.
    #[serde(default = "default_workload")]
    pub workload: Workload,
}

fn default_slop() -> f64 {
    0.1
}
fn default_workload() -> Workload {
    Workload::Routine
}

words! {
    /// What sort of work is at hand.
    Workload { Routine = "routine", Exploration = "exploration", Urgent = "urgent" }
}

/// How an agent speaks; each from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Persona {
    /// From cool to warm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub warmth: Option<f64>,
    /// From careful to blunt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub directness: Option<f64>,
    /// From earnest to playful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub humor: Option<f64>,
    /// From terse to wordy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub verbosity: Option<f64>,
}

/// What an agent may use up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Constraints {
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub token_budget: Option<i64>,
    /// Memory in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub memory_budget_mb: Option<i64>,
    /// CPU in thousandths of a core.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub cpu_budget_millicores: Option<i64>,
    /// Calls per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub rate_limit_per_minute: Option<i64>,
}

/// Which signals reach an agent, and which it may send.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sensitivity {
    /// Types that the agent senses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sense: Vec<PheromoneType>,
    /// Types that the agent may emit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emit: Vec<PheromoneType>,
}

/// What an umwelt is, as the operator saw it last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UmweltStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Name of the ConfigMap that carries the umwelt into the agent's pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_name: Option<String>,
    /// Standard conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}
