//! An object as the API server has it, as far as plans must know.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::Resource;
use super::owned::{self, Change};

/// A child as the API server has it, cut down to what plans must know. Small
/// enough that thousands can be held: of the fields only those that are ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    /// Its uid.
    pub uid: String,
    /// Its resource version, opaque.
    pub resource_version: String,
    /// Its generation, where its kind has one.
    pub generation: Option<i64>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether it is going.
    pub deleting: bool,
    /// Its labels, whoever set them.
    pub labels: BTreeMap<String, String>,
    /// The owner that controls it.
    pub controller: Option<Owner>,
    /// Whoever else changed its spec or data last, by managedFields.
    pub other: Option<Other>,
    /// What the state of its owner depends on.
    pub facts: Facts,
    /// The fields that our manager applied, in canonical form as JSON text;
    /// empty if it applied none.
    ours: Box<str>,
}

/// The owner that controls an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// Somebody else who changed an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// The field manager, such as `kubectl-edit`.
    pub manager: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// What the state of an owner depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Facts {
    /// Nothing of this kind of object.
    #[default]
    None,
    /// Of a Deployment.
    Deployment(DeploymentFacts),
    /// Of a `PersistentVolumeClaim`.
    Claim(ClaimFacts),
    /// Of a Memory: its `retentionPolicy`, whoever set it.
    Memory {
        /// The policy's word; empty if there is none.
        retention: String,
    },
}

/// How a Deployment stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentFacts {
    /// The generation that its controller has seen.
    pub observed_generation: i64,
    /// Pods that are wanted.
    pub wanted: i64,
    /// Pods that exist.
    pub replicas: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Pods that are ready for long enough.
    pub available: i64,
    /// When its roll-out moved last.
    pub progressed: Option<Timestamp>,
    /// Its roll-out has taken longer than its deadline: the words of its controller.
    pub overdue: Option<String>,
    /// Its pods cannot be made: reason and message of its controller.
    pub refused: Option<(String, String)>,
}

/// How a `PersistentVolumeClaim` stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimFacts {
    /// Pending, Bound or Lost.
    pub phase: String,
    /// The size that is asked for.
    pub requested: Option<String>,
    /// The size that there is.
    pub capacity: Option<String>,
    /// The storage class that it has, named or by default.
    pub storage_class: Option<String>,
    /// How it may be mounted.
    pub access_modes: Vec<String>,
    /// Reason (else type) and message of the first condition that is true,
    /// such as a resize that waits.
    pub resizing: Option<(String, String)>,
}

impl Live {
    /// Reads an object as the API server sends it, managedFields included.
    ///
    /// # Errors
    /// With what is missing, when it has no uid.
    pub fn read(resource: Resource, object: &Value) -> Result<Self, String> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let uid = text("/metadata/uid").filter(|uid| !uid.is_empty()).ok_or("metadata.uid is missing")?;
        let ours = owned::fields_of(object, resource.manager())
            .map(|fields| owned::canonical(&owned::project(object, fields)));
        Ok(Self {
            uid: uid.to_owned(),
            resource_version: text("/metadata/resourceVersion").unwrap_or_default().to_owned(),
            generation: object.pointer("/metadata/generation").and_then(Value::as_i64),
            created: text("/metadata/creationTimestamp").and_then(|time| time.parse().ok()),
            deleting: object.pointer("/metadata/deletionTimestamp").is_some(),
            labels: labels(object),
            controller: controller(object),
            other: other(object, resource),
            facts: facts(resource, object),
            ours: ours.unwrap_or_default().into(),
        })
    }

    /// In what the object differs from this apply body: nothing, if applying
    /// it would change nothing of ours.
    pub fn changes(&self, body: &Value) -> Vec<Change> {
        owned::changes(&self.ours, &owned::wanted(body))
    }

    /// What our manager applied at a JSON pointer, if it did.
    pub fn applied(&self, pointer: &str) -> Option<Value> {
        serde_json::from_str::<Value>(&self.ours).ok()?.pointer(pointer).cloned()
    }

    /// Whether our manager has applied anything to it.
    pub fn is_applied(&self) -> bool {
        !self.ours.is_empty()
    }

    /// Whether the object of this uid controls it.
    pub fn is_controlled_by(&self, uid: &str) -> bool {
        self.controller.as_ref().is_some_and(|owner| owner.uid == uid)
    }
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    labels.into_iter().flatten().filter_map(pair).collect()
}

fn controller(object: &Value) -> Option<Owner> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner["controller"] == true)?;
    let word = |name: &str| owner[name].as_str().unwrap_or_default().to_owned();
    Some(Owner { kind: word("kind"), name: word("name"), uid: word("uid") })
}

/// The newest change by somebody else since we applied last. Who only notes
/// something in annotations, as the Deployment controller does with each
/// revision, or writes a status, has changed nothing that could be ours.
fn other(object: &Value, resource: Resource) -> Option<Other> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let time = |entry: &Value| entry["time"].as_str().unwrap_or_default().to_owned();
    let applied = entries.iter().find(|entry| entry["manager"] == resource.manager() && entry["operation"] == "Apply");
    let applied = applied.map(time).unwrap_or_default();
    let is_foreign = |entry: &&Value| {
        let manager = entry["manager"].as_str().unwrap_or_default();
        manager != resource.manager()
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
            && time(entry) >= applied
            && !only_annotates(&entry["fieldsV1"])
    };
    let newest = entries.iter().filter(is_foreign).max_by_key(|entry| entry["time"].as_str().unwrap_or_default())?;
    let at = newest["time"].as_str().and_then(|time| time.parse().ok());
    Some(Other { manager: newest["manager"].as_str()?.to_owned(), at })
}

fn only_annotates(fields: &Value) -> bool {
    let only = |fields: &Value, name: &str| {
        fields.as_object().is_some_and(|fields| fields.len() == 1 && fields.contains_key(name))
    };
    only(fields, "f:metadata") && only(&fields["f:metadata"], "f:annotations")
}

fn facts(resource: Resource, object: &Value) -> Facts {
    match resource {
        Resource::Deployment => Facts::Deployment(deployment(object)),
        Resource::PersistentVolumeClaim => Facts::Claim(claim(object)),
        Resource::Memory => {
            let retention = object.pointer("/spec/retentionPolicy").and_then(Value::as_str);
            Facts::Memory { retention: retention.unwrap_or_default().to_owned() }
        }
        _ => Facts::None,
    }
}

fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten()
}

fn words(condition: &Value) -> (String, String) {
    let word = |name: &str| condition[name].as_str().unwrap_or_default().to_owned();
    (word("reason"), word("message"))
}

fn deployment(object: &Value) -> DeploymentFacts {
    let count = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
    let condition = |type_: &str, status: &str| {
        conditions(object).find(|condition| condition["type"] == type_ && condition["status"] == status)
    };
    let progressing = conditions(object).find(|condition| condition["type"] == "Progressing");
    let progressed = progressing.and_then(|condition| condition["lastUpdateTime"].as_str()?.parse().ok());
    DeploymentFacts {
        observed_generation: count("/status/observedGeneration").unwrap_or(0),
        wanted: count("/spec/replicas").unwrap_or(1),
        replicas: count("/status/replicas").unwrap_or(0),
        updated: count("/status/updatedReplicas").unwrap_or(0),
        ready: count("/status/readyReplicas").unwrap_or(0),
        available: count("/status/availableReplicas").unwrap_or(0),
        progressed,
        overdue: condition("Progressing", "False").map(|condition| words(condition).1),
        refused: condition("ReplicaFailure", "True").map(words),
    }
}

fn claim(object: &Value) -> ClaimFacts {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let modes = object.pointer("/spec/accessModes").and_then(Value::as_array);
    ClaimFacts {
        phase: text("/status/phase").unwrap_or_default(),
        requested: text("/spec/resources/requests/storage"),
        capacity: text("/status/capacity/storage"),
        storage_class: text("/spec/storageClassName"),
        access_modes: modes.into_iter().flatten().filter_map(|mode| mode.as_str().map(str::to_owned)).collect(),
        resizing: conditions(object).find(|condition| condition["status"] == "True").map(|condition| {
            let (reason, message) = words(condition);
            let type_ = condition["type"].as_str().unwrap_or_default();
            (if reason.is_empty() { type_.to_owned() } else { reason }, message)
        }),
    }
}
