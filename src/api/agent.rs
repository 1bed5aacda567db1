//! Agent: a running worker of one genus.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LocalObjectReference, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::common::{Amount, Genus, words};
use crate::schema;

/// What an agent should be.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "kgents.io",
    version = "v1",
    kind = "Agent",
    namespaced,
    shortname = "ag",
    category = "kgents",
    status = "AgentStatus",
    derive = "PartialEq",
    doc = "A running worker of one genus. Its name within its namespace is its identity.",
    label("app.kubernetes.io/part-of", "kgents"),
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(name = "Genus", type_ = "string", json_path = ".spec.genus"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Ready", type_ = "integer", json_path = ".status.readyReplicas"),
    printcolumn(name = "Replicas", type_ = "integer", json_path = ".spec.replicas"),
    printcolumn(name = "Mind", type_ = "string", json_path = ".status.cognitiveHealth"),
    printcolumn(name = "Why", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].reason"),
    printcolumn(name = "Mode", type_ = "string", json_path = ".spec.mode", priority = 1),
    printcolumn(name = "Image", type_ = "string", json_path = ".spec.image", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    validation = Rule::new("size(self.metadata.name) <= 63 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')")
        .message("an agent's name is a DNS-1035 label: it starts with a letter, holds only a-z, 0-9 and '-', and has at most 63 characters")
)]
#[serde(rename_all = "camelCase")]
pub struct AgentSpec {
    /// What sort of worker this is: A to Z, Psi or Omega. B banker, D data, F forge, I interface, K persona, L librarian, N narrator, O observer, Q quartermaster, T tester, Psi metaphor, Omega orchestrator.
    pub genus: Genus,
    /// Container image of the agent's logic. Without one the operator's own agent image runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How many pods run this agent, 0 to 100.
    #[serde(default = "defaults::replicas")]
    #[schemars(range(min = 0, max = 100))]
    pub replicas: i32,
    /// The limits of the logic container. The requests are half of them.
    #[serde(default)]
    pub resources: Resources,
    /// The d-gent sidecar that keeps the agent's state.
    #[serde(default)]
    pub sidecar: Sidecar,
    /// The k-gent sidecar that gives the agent a persona.
    #[serde(default)]
    pub identity: Identity,
    /// What the logic container runs, where the image leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<String>,
    /// Settings of the agent, each handed to it as the environment variable KGENTS_<KEY>.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, String>,
    /// Whom the agent may talk to.
    #[serde(default)]
    pub network_policy: NetworkPolicy,
    /// How the agent's health is judged.
    #[serde(default)]
    pub health: Health,
    /// Name of the Umwelt the agent lives in. Without one the operator makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umwelt: Option<String>,
    /// What the agent is told to do, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The tokens that the agent may spend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Name of the Memory the agent keeps. Without one the operator makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Leaves everything as it is: nothing of this agent is reconciled while true.
    #[serde(default)]
    pub paused: bool,
    /// What is laid over the agent's pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_template: Option<PodTemplate>,
    /// How the operator may go about its work on this agent.
    #[serde(default)]
    pub reconciliation: Reconciliation,
    /// FULL runs the agent, PLACEHOLDER runs an empty stand-in, DRY_RUN only reports what would be made.
    #[serde(default = "defaults::mode")]
    pub mode: Mode,
}

mod defaults {
    pub(super) fn replicas() -> i32 {
        1
    }
    pub(super) fn mode() -> super::Mode {
        super::Mode::Full
    }
    pub(super) fn yes() -> bool {
        true
    }
    pub(super) fn cpu() -> super::Amount {
        "100m".into()
    }
    pub(super) fn memory() -> super::Amount {
        "256Mi".into()
    }
    pub(super) fn health_type() -> super::HealthType {
        super::HealthType::Http
    }
    pub(super) fn probe_interval() -> String {
        "30s".to_owned()
    }
    pub(super) fn unhealthy_threshold() -> i32 {
        3
    }
}

impl AgentSpec {
    /// An agent of `genus` with every default.
    pub fn of(genus: Genus) -> Self {
        Self {
            genus,
            image: None,
            replicas: defaults::replicas(),
            resources: Resources::default(),
            sidecar: Sidecar::default(),
            identity: Identity::default(),
            entrypoint: None,
            config: BTreeMap::new(),
            network_policy: NetworkPolicy::default(),
            health: Health::default(),
            umwelt: None,
            instructions: None,
            budget: None,
            memory: None,
            paused: false,
            pod_template: None,
            reconciliation: Reconciliation::default(),
            mode: defaults::mode(),
        }
    }
}

words! {
    /// How far an agent is run.
    Mode { Full = "FULL", Placeholder = "PLACEHOLDER", DryRun = "DRY_RUN" }
}

words! {
    /// How health is asked for.
    HealthType { Http = "HTTP", CognitiveProbe = "COGNITIVE_PROBE" }
}

words! {
    /// Where an agent is in its life.
    AgentPhase {
        Pending = "Pending", Running = "Running", Degraded = "Degraded", Failed = "Failed",
        Terminating = "Terminating",
    }
}

words! {
    /// What the probes of an agent's mind say.
    CognitiveHealth {
        Healthy = "HEALTHY", Degraded = "DEGRADED", Unresponsive = "UNRESPONSIVE", Unknown = "UNKNOWN",
    }
}

/// The limits of a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// CPU limit, for example 100m.
    #[serde(default = "defaults::cpu")]
    pub cpu: Amount,
    /// Memory limit, for example 256Mi.
    #[serde(default = "defaults::memory")]
    pub memory: Amount,
}

impl Default for Resources {
    fn default() -> Self {
        Self { cpu: defaults::cpu(), memory: defaults::memory() }
    }
}

/// The sidecar that keeps state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sidecar {
    /// Whether the sidecar runs.
    #[serde(default = "defaults::yes")]
    pub enabled: bool,
    /// Image of the sidecar; the operator's own where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}

impl Default for Sidecar {
    fn default() -> Self {
        Self { enabled: true, image: None }
    }
}

/// The sidecar that gives a persona.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Whether the sidecar runs.
    #[serde(default)]
    pub enabled: bool,
}

/// Whom an agent may talk to. Both sides must name each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicy {
    /// Lets the agent reach public addresses.
    #[serde(default)]
    pub allow_egress: bool,
    /// Agents by name, or by genus as genus:X.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_peers: Vec<String>,
}

/// How an agent's health is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// HTTP asks the agent's endpoint, COGNITIVE_PROBE asks its mind.
    #[serde(default = "defaults::health_type", rename = "type")]
    pub type_: HealthType,
    /// Path of the HTTP probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Port of the HTTP probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub port: Option<i32>,
    /// Time between two probes, for example 30s or 2m.
    #[serde(default = "defaults::probe_interval")]
    #[schemars(regex(pattern = r"^([0-9]+(ms|s|m|h))+$"))]
    pub probe_interval: String,
    /// Failures in a row that make the agent unhealthy.
    #[serde(default = "defaults::unhealthy_threshold")]
    #[schemars(range(min = 1, max = 100))]
    pub unhealthy_threshold: i32,
    /// An unhealthy agent goes on in safe mode instead of being restarted.
    #[serde(default = "defaults::yes")]
    pub degrade_to_safemode: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            type_: defaults::health_type(),
            path: None,
            port: None,
            probe_interval: defaults::probe_interval(),
            unhealthy_threshold: defaults::unhealthy_threshold(),
            degrade_to_safemode: true,
        }
    }
}

/// The tokens that an agent may spend: one bucket that refills.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// How many tokens the bucket holds when it is full.
    #[schemars(range(min = 0))]
    pub tokens: i64,
    /// How many tokens flow in each minute.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub refill_per_minute: i64,
}

/// What is laid over an agent's pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodTemplate {
    /// Secrets that pull the images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<LocalObjectReference>,
    /// Labels that a node must carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_selector: BTreeMap<String, String>,
    /// Taints that the pods tolerate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Annotations of the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Labels of the pods, beside our own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Priority class of the pods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_class_name: Option<String>,
}

/// How the operator may go about its work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reconciliation {
    /// One step at a time.
    #[serde(default = "defaults::yes")]
    pub sequential: bool,
    /// Steps may safely be tried again.
    #[serde(default = "defaults::yes")]
    pub idempotent: bool,
}

impl Default for Reconciliation {
    fn default() -> Self {
        Self { sequential: true, idempotent: true }
    }
}

/// What an agent is, as the operator saw it last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the agent is in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<AgentPhase>,
    /// Pods that exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<i32>,
    /// Pods that are ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_replicas: Option<i32>,
    /// Label selector of the agent's pods, for the scale subresource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// What the probes of the agent's mind say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cognitive_health: Option<CognitiveHealth>,
    /// Name of the Deployment that runs the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_name: Option<String>,
    /// Name of the Service that reaches the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// Name of the NetworkPolicy that isolates the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_policy_name: Option<String>,
    /// Name of the ServiceAccount that the agent runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_name: Option<String>,
    /// Name of the ConfigMap in which the agent reads what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_name: Option<String>,
    /// Name of the Memory that the agent keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_name: Option<String>,
    /// Name of the Umwelt that the agent lives in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umwelt_name: Option<String>,
    /// Standard conditions: Ready, Progressing, Stalled and what is special.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}
