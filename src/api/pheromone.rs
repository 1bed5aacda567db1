//! Pheromone: a signal that fades.

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::common::words;
use crate::schema;

/// What is signalled, how strongly, and how fast it fades.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "kgents.io",
    version = "v1",
    kind = "Pheromone",
    namespaced,
    shortname = "ph",
    category = "kgents",
    derive = "PartialEq",
    doc = "A signal that fades: its strength halves each half-life, and it is gone below 0.01.",
    label("app.kubernetes.io/part-of", "kgents"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Source", type_ = "string", json_path = ".spec.source"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.target"),
    printcolumn(name = "Initial", type_ = "number", json_path = ".spec.initialIntensity"),
    printcolumn(name = "Half-life", type_ = "number", json_path = ".spec.halfLifeMinutes", description = "minutes"),
    printcolumn(name = "Emitted", type_ = "date", json_path = ".spec.emittedAt"),
    printcolumn(name = "Payload", type_ = "string", json_path = ".spec.payload", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct PheromoneSpec {
    /// What sort of signal this is.
    #[serde(rename = "type")]
    pub type_: PheromoneType,
    /// Who emitted it: an agent's name, or who else spoke.
    #[schemars(length(min = 1, max = 253))]
    pub source: String,
    /// When it was emitted (RFC 3339). Without it, when the object was created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub emitted_at: Option<String>,
    /// Its strength when it was emitted, 0 to 1. Without it, 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1))]
    pub initial_intensity: Option<f64>,
    /// The minutes in which it loses half its strength. Without it, by type: WARNING 5, SCARCITY 15, REVIEW_REQUEST 60, DREAM 120, any other 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self > 0.0").message("halfLifeMinutes must be greater than 0: it is the minutes in which the signal loses half its strength"))]
    pub half_life_minutes: Option<f64>,
    /// Seconds after which it is gone however strong it still is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub ttl_seconds: Option<i64>,
    /// The agent it is meant for. Without it, everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What it says: text, or any JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub payload: Option<serde_json::Value>,
    /// Where it is, for those who keep a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
}

words! {
    /// What sort of signal a pheromone is.
    PheromoneType {
        Metaphor = "METAPHOR", Warning = "WARNING", Memory = "MEMORY", Narrative = "NARRATIVE",
        Opportunity = "OPPORTUNITY", Scarcity = "SCARCITY", Capability = "CAPABILITY",
        State = "STATE", Test = "TEST", Intent = "INTENT", Dream = "DREAM", Chaos = "CHAOS",
        ReviewRequest = "REVIEW_REQUEST",
    }
}

/// A place in the map of meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Position {
    /// First axis.
    pub x: f64,
    /// Second axis.
    pub y: f64,
    /// Third axis.
    #[serde(default)]
    pub z: f64,
}
