//! From the JSON of the API server to what is kept of it.
//!
//! An object that cannot be read is an object with an error, not a broken
//! watch.

use std::collections::BTreeMap;
use std::sync::Arc;

use kgents_api::{LABEL_AGENT, ObjectMeta};
use kgents_core::plan::{Live, Pod, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::key::{Kind, Subject};

/// An object as it is kept.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resource version, where that is a number, as it is on every API
    /// server there is; versions of one kind can then be compared.
    pub version: Option<u64>,
    /// What is kept of it.
    pub content: Content,
}

/// What is kept of an object.
#[derive(Clone, Debug)]
pub enum Content {
    /// A custom resource, and the same as a child of another where its kind
    /// may be one.
    Subject(Result<Subject, Arc<Unreadable>>, BTreeMap<String, String>, Option<Arc<Live>>),
    /// What plans write.
    Child(Arc<Live>),
    /// A pod and the agent that it belongs to by its label.
    Pod(Arc<Pod>, String),
}

impl Content {
    /// The object as a child.
    pub fn live(&self) -> Option<&Arc<Live>> {
        match self {
            Self::Subject(_, _, live) => live.as_ref(),
            Self::Child(live) => Some(live),
            Self::Pod(..) => None,
        }
    }

    /// Whether nothing changed but the resource version.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Subject(one, labels, live), Self::Subject(two, others, alive)) => {
                one == two
                    && labels == others
                    && match (live, alive) {
                        (Some(live), Some(alive)) => same(live, alive),
                        (None, None) => true,
                        _ => false,
                    }
            }
            (Self::Child(live), Self::Child(alive)) => same(live, alive),
            (Self::Pod(pod, agent), Self::Pod(other, of)) => pod == other && agent == of,
            _ => false,
        }
    }
}

fn same(one: &Live, two: &Live) -> bool {
    let mut one = one.clone();
    one.resource_version.clone_from(&two.resource_version);
    one == *two
}

/// A custom resource that cannot be read as what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its uid.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// Where it cannot be read, and why.
    pub problem: String,
    /// The message of its condition that says so already, with the generation
    /// that it speaks of.
    pub told: Option<(String, i64)>,
    /// When that condition became true.
    pub since: Option<String>,
    /// The status as it stands.
    pub status: Value,
}

/// Reads an object.
///
/// # Errors
/// With what is missing, when nobody could even say which object it is.
pub fn read(kind: Kind, object: Value) -> Result<Object, String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (namespace, name, uid) = (text("/metadata/namespace"), text("/metadata/name"), text("/metadata/uid"));
    for (field, value) in [("namespace", &namespace), ("name", &name), ("uid", &uid)] {
        if value.is_empty() {
            return Err(format!("an object without metadata.{field}"));
        }
    }
    let version = text("/metadata/resourceVersion").parse().ok();
    let content = match kind {
        Kind::Agent | Kind::Of(Resource::Memory | Resource::Umwelt | Resource::Pheromone) => subject(kind, object)?,
        Kind::Of(Resource::Pod) => {
            let agent = labels(&object).remove(LABEL_AGENT).unwrap_or_default();
            Content::Pod(Arc::new(Pod::read(&object)), agent)
        }
        Kind::Of(resource) => Content::Child(Arc::new(Live::read(resource, &object)?)),
    };
    Ok(Object { namespace, name, uid, version, content })
}

fn labels(object: &Value) -> BTreeMap<String, String> {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object);
    let pair = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    labels.into_iter().flatten().filter_map(pair).collect()
}

fn subject(kind: Kind, object: Value) -> Result<Content, String> {
    let live = match kind {
        Kind::Of(resource @ (Resource::Memory | Resource::Umwelt)) => Some(Arc::new(Live::read(resource, &object)?)),
        _ => None,
    };
    let labels = labels(&object);
    let facts = unreadable(&object);
    // Only what is deleted by version needs its version; without it, two are
    // equal when nothing changed that matters.
    let subject = match kind {
        Kind::Agent => typed(object, |agent: &mut kgents_api::Agent| &mut agent.metadata).map(|mut agent| {
            agent.metadata.resource_version = None;
            Subject::Agent(Arc::new(agent))
        }),
        Kind::Of(Resource::Memory) => {
            typed(object, |memory: &mut kgents_api::Memory| &mut memory.metadata).map(|mut memory| {
                memory.metadata.resource_version = None;
                Subject::Memory(Arc::new(memory))
            })
        }
        Kind::Of(Resource::Umwelt) => {
            typed(object, |umwelt: &mut kgents_api::Umwelt| &mut umwelt.metadata).map(|mut umwelt| {
                umwelt.metadata.resource_version = None;
                Subject::Umwelt(Arc::new(umwelt))
            })
        }
        Kind::Of(_) => typed(object, |signal: &mut kgents_api::Pheromone| &mut signal.metadata)
            .map(|signal| Subject::Pheromone(Arc::new(signal))),
    };
    Ok(Content::Subject(subject.map_err(|problem| Arc::new(Unreadable { problem, ..facts })), labels, live))
}

fn typed<T: DeserializeOwned>(object: Value, metadata: fn(&mut T) -> &mut ObjectMeta) -> Result<T, String> {
    let mut typed: T = serde_path_to_error::deserialize(object).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner().to_string());
        let sentence = if path == "." { inner } else { format!("{path}: {inner}") };
        crate::classify::clean(&sentence)
    })?;
    metadata(&mut typed).managed_fields = None;
    Ok(typed)
}

/// The reason of the condition on an object that cannot be read.
pub(crate) const UNREADABLE: &str = "Undecodable";

fn unreadable(object: &Value) -> Unreadable {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let ours = |condition: &&Value| {
        condition["type"] == "Stalled" && condition["status"] == "True" && condition["reason"] == UNREADABLE
    };
    let told = conditions.into_iter().find(ours);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Unreadable {
        uid: object.pointer("/metadata/uid").map(text).unwrap_or_default(),
        generation: object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0),
        problem: String::new(),
        told: told.map(|told| (text(&told["message"]), told["observedGeneration"].as_i64().unwrap_or(0))),
        since: told.map(|told| text(&told["lastTransitionTime"])),
        status: object.get("status").cloned().unwrap_or(Value::Null),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn agent(spec: &Value) -> Value {
        json!({
            "apiVersion": "kgents.io/v1", "kind": "Agent", "spec": spec,
            "metadata": { "namespace": "n", "name": "a", "uid": "u", "resourceVersion": "7", "generation": 3,
                "managedFields": [{ "manager": "kubectl" }] },
        })
    }

    #[test]
    fn a_subject_is_kept_without_what_changes_by_itself() {
        let read = read(Kind::Agent, agent(&json!({ "genus": "B" }))).unwrap();
        assert_eq!((read.version, read.uid.as_str()), (Some(7), "u"));
        let Content::Subject(Ok(Subject::Agent(agent)), ..) = read.content else { panic!("no agent") };
        assert_eq!((&agent.metadata.managed_fields, &agent.metadata.resource_version), (&None, &None));
        assert_eq!(agent.metadata.generation, Some(3));
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (spec, said) in [
            (json!({}), "spec: missing field `genus`"),
            (json!({ "genus": "B", "replicas": "many" }), "spec.replicas: invalid type: string"),
            (json!({ "genus": "AA" }), "spec.genus: unknown variant `AA`"),
        ] {
            let Content::Subject(Err(problem), ..) = read(Kind::Agent, agent(&spec)).unwrap().content else {
                panic!("it was read: {spec}")
            };
            assert!(problem.problem.starts_with(said), "{}", problem.problem);
            assert_eq!((problem.generation, problem.uid.as_str(), &problem.told), (3, "u", &None));
        }
        assert!(read(Kind::Agent, json!({ "metadata": { "name": "a" } })).is_err());
        assert!(read(Kind::Agent, json!([1])).is_err());
    }

    #[test]
    fn only_a_new_version_is_no_change() {
        let (one, mut two) = (agent(&json!({ "genus": "B" })), agent(&json!({ "genus": "B" })));
        two["metadata"]["resourceVersion"] = json!("8");
        let content = |object: &Value| read(Kind::Agent, object.clone()).unwrap().content;
        assert!(content(&one).is_same(&content(&two)));
        two["metadata"]["labels"] = json!({ "a": "b" });
        assert!(!content(&one).is_same(&content(&two)));
        let service = |version: &str, label: &str| {
            let metadata = json!({ "namespace": "n", "name": "a", "uid": "u", "resourceVersion": version,
                "labels": { "l": label } });
            read(Kind::Of(Resource::Service), json!({ "metadata": metadata })).unwrap().content
        };
        assert!(service("1", "x").is_same(&service("2", "x")));
        assert!(!service("1", "x").is_same(&service("2", "y")));
    }
}
