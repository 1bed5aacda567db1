//! Proposal: a requested change with a payload and a risk.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use schemars::{Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::common::{Urgency, words};
use crate::schema;

/// What should change, who asks for it and why.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "kgents.io",
    version = "v1",
    kind = "Proposal",
    namespaced,
    shortname = "prop",
    category = "kgents",
    status = "ProposalStatus",
    derive = "PartialEq",
    doc = "A requested change with a payload and a risk. It cannot be edited: supersede it with a new one.",
    label("app.kubernetes.io/part-of", "kgents"),
    printcolumn(name = "Change", type_ = "string", json_path = ".spec.changeType"),
    printcolumn(name = "Target", type_ = "string", json_path = ".spec.target.name"),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.phase"),
    printcolumn(name = "Risk", type_ = "number", json_path = ".status.risk.total"),
    printcolumn(name = "Level", type_ = "string", json_path = ".status.risk.level"),
    printcolumn(name = "Urgency", type_ = "string", json_path = ".spec.urgency"),
    printcolumn(name = "Proposer", type_ = "string", json_path = ".spec.proposer"),
    printcolumn(name = "Reason", type_ = "string", json_path = ".spec.reason", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[x_kube(validation = Rule::new("self == oldSelf")
    .message("a proposal cannot be edited after it was made: create a new one, which supersedes it")
    .reason(Reason::FieldValueForbidden))]
#[serde(rename_all = "camelCase")]
pub struct ProposalSpec {
    /// What sort of change this is.
    pub change_type: ChangeType,
    /// The object that would change.
    pub target: Target,
    /// The change itself.
    pub patch: ProposedPatch,
    /// Who asks: an agent's name, or a person's.
    #[schemars(length(min = 1, max = 253))]
    pub proposer: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How much it presses.
    #[serde(default = "default_urgency")]
    pub urgency: Urgency,
    /// What speaks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::open_object")]
    pub evidence: Option<Map<String, Value>>,
    /// How many tests come and go with it.
    #[serde(default)]
    pub tests: TestChange,
    /// Who has to agree.
    #[serde(default)]
    pub review: Review,
    /// Seconds after which it expires when nobody decided.
    #[serde(default = "default_ttl")]
    #[schemars(range(min = 1))]
    pub ttl_seconds: i64,
}

fn default_urgency() -> Urgency {
    Urgency::Medium
}
fn default_ttl() -> i64 {
    86_400
}
fn yes() -> bool {
    true
}

words! {
    /// What sort of change is asked for. Each has a weight in the risk.
    ChangeType {
        CodePatch = "CODE_PATCH", AgentScale = "AGENT_SCALE", ConfigUpdate = "CONFIG_UPDATE",
        CodeFeature = "CODE_FEATURE", AgentDeploy = "AGENT_DEPLOY", MemoryCompact = "MEMORY_COMPACT",
        CodeRefactor = "CODE_REFACTOR", AgentUpgrade = "AGENT_UPGRADE", CodeDelete = "CODE_DELETE",
        PolicyUpdate = "POLICY_UPDATE", ConfigSecret = "CONFIG_SECRET",
        MemoryMigrate = "MEMORY_MIGRATE", AgentDelete = "AGENT_DELETE",
        MemoryDelete = "MEMORY_DELETE", RiskOverride = "RISK_OVERRIDE",
    }
}

impl ChangeType {
    /// Whether the target itself is to go, whatever the patch says.
    pub const fn deletes_target(self) -> bool {
        matches!(self, Self::AgentDelete | Self::MemoryDelete)
    }
}

words! {
    /// How a patch is to be applied.
    PatchType { Merge = "merge", Json = "json", Apply = "apply" }
}

words! {
    /// Where a proposal is in its life.
    ProposalPhase {
        Pending = "Pending", Reviewing = "Reviewing", Approved = "Approved", Rejected = "Rejected",
        Merged = "Merged", Failed = "Failed", Expired = "Expired", Superseded = "Superseded",
        RolledBack = "RolledBack",
    }
}

impl ProposalPhase {
    /// Whether somebody may still decide about it.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Reviewing)
    }
}

words! {
    /// How risky a change is.
    RiskLevel { Low = "LOW", Medium = "MEDIUM", High = "HIGH", Critical = "CRITICAL" }
}

/// The object that would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Its API version, for example kgents.io/v1.
    #[schemars(length(min = 1))]
    pub api_version: String,
    /// Its kind, for example Agent.
    #[schemars(length(min = 1))]
    pub kind: String,
    /// Its name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Its namespace; the proposal's own where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// The change itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProposedPatch {
    /// How the content is to be applied: merge (RFC 7386), json (RFC 6902) or apply (server-side apply).
    #[serde(rename = "type")]
    pub type_: PatchType,
    /// The patch: any JSON.
    #[schemars(schema_with = "schema::any")]
    #[serde(default)]
    pub content: Value,
}

/// How many tests come and go with a change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TestChange {
    /// Tests that are new.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub added: i64,
    /// Tests that are gone.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub removed: i64,
}

/// Who has to agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// Merges by itself when the risk is LOW.
    #[serde(default = "yes")]
    pub auto_merge: bool,
    /// Approvers that are needed beside what the risk asks for.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    pub required_approvers: i32,
    /// People who must be among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_reviewers: Vec<String>,
    /// T-gent looks at it.
    #[serde(default = "yes", rename = "tGentValidation")]
    pub t_gent_validation: bool,
}

impl Default for Review {
    fn default() -> Self {
        Self { auto_merge: true, required_approvers: 0, required_reviewers: Vec::new(), t_gent_validation: true }
    }
}

/// Where a proposal stands, as the operator and the approvers wrote it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposalStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Where the proposal is in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<ProposalPhase>,
    /// How risky the change is, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<RiskStatus>,
    /// Who agreed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "decisions")]
    pub approvals: Vec<Decision>,
    /// Who refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "decisions")]
    pub rejections: Vec<Decision>,
    /// What the checks said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::open_object")]
    pub validation: Option<Map<String, Value>>,
    /// What was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<Execution>,
    /// Standard conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}

fn decisions(generator: &mut SchemaGenerator) -> Schema {
    schema::list_map::<Decision>(generator, "approver")
}

/// The risk of a proposal, by its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RiskStatus {
    /// What the change itself weighs.
    pub base: f64,
    /// What the haste of the last hour adds.
    pub velocity: f64,
    /// What the last day's merged changes add.
    pub cumulative: f64,
    /// The sum, 0 to 1.
    pub total: f64,
    /// The sum in a word.
    pub level: RiskLevel,
    /// Why it is what it is, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
}

/// One person's word on a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Who, as the API server knows them.
    #[schemars(length(min = 1))]
    pub approver: String,
    /// When (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub at: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What was done for a proposal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    /// When the patch was applied (RFC 3339).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("format" = "date-time"))]
    pub applied_at: Option<String>,
    /// The patch that undoes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::any")]
    pub inverse_patch: Option<Value>,
    /// How it ended, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}
