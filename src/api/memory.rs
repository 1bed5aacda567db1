//! Memory: an agent's durable state.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::common::{Amount, words};
use crate::schema;

/// What an agent remembers, where, and for how long.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Serialize, Deserialize)]
#[kube(
    group = "kgents.io",
    version = "v1",
    kind = "Memory",
    plural = "memories",
    namespaced,
    shortname = "mem",
    category = "kgents",
    status = "MemoryStatus",
    derive = "PartialEq",
    doc = "The durable state of an agent, on a volume of the same name.",
    label("app.kubernetes.io/part-of", "kgents"),
    printcolumn(name = "Owner", type_ = "string", json_path = ".spec.owner"),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type"),
    printcolumn(name = "Size", type_ = "string", json_path = ".spec.size"),
    printcolumn(name = "Retention", type_ = "string", json_path = ".spec.retentionPolicy"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Class", type_ = "string", json_path = ".spec.storageClass", priority = 1),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct MemorySpec {
    /// The agent whose memory this is.
    #[schemars(length(min = 1, max = 63))]
    pub owner: String,
    /// What sort of memory this is. EPHEMERAL has no volume.
    #[serde(rename = "type")]
    pub type_: MemoryType,
    /// Size of the volume.
    #[serde(default = "default_size")]
    pub size: Amount,
    /// Storage class of the volume; the cluster's default where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// How many nodes may mount the volume, and how.
    #[serde(default = "default_access_mode")]
    pub access_mode: AccessMode,
    /// Agents that may read it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared_with: Vec<String>,
    /// Agents that may write it, beside the owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub write_access: Vec<String>,
    /// What becomes of the volume when the owner is gone: DELETE removes it, RETAIN keeps it, COMPOST keeps it until it is swept.
    #[serde(default = "default_retention")]
    pub retention_policy: RetentionPolicy,
    /// When a backup is made, as a cron expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_schedule: Option<String>,
}

fn default_size() -> Amount {
    "256Mi".into()
}
fn default_access_mode() -> AccessMode {
    AccessMode::ReadWriteOnce
}
fn default_retention() -> RetentionPolicy {
    RetentionPolicy::Retain
}

words! {
    /// What sort of memory it is.
    MemoryType {
        Relational = "RELATIONAL", Vector = "VECTOR", Bicameral = "BICAMERAL", Ephemeral = "EPHEMERAL",
    }
}

words! {
    /// How a volume may be mounted.
    AccessMode {
        ReadWriteOnce = "ReadWriteOnce", ReadOnlyMany = "ReadOnlyMany",
        ReadWriteMany = "ReadWriteMany", ReadWriteOncePod = "ReadWriteOncePod",
    }
}

words! {
    /// What becomes of a volume when its owner is gone.
    RetentionPolicy { Delete = "DELETE", Retain = "RETAIN", Compost = "COMPOST" }
}

/// What a memory is, as the operator saw it last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemoryStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Name of the volume claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_name: Option<String>,
    /// Size that the volume really has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Amount>,
    /// Standard conditions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::conditions")]
    pub conditions: Vec<Condition>,
}
