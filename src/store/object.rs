//! Raw JSON of an object, cleaned and read. The one place where text from
//! outside becomes something that we hold.

use std::sync::Arc;

use jiff::Timestamp;
use kgents_api::{Agent, LABEL_AGENT, Memory, Pheromone, Proposal, Umwelt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::key::{Key, Kind};
use crate::sanitize;

/// An object as it is held.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Object {
    Agent(Arc<Agent>),
    Pheromone(Arc<Pheromone>),
    Proposal(Arc<Proposal>),
    Memory(Arc<Memory>),
    Umwelt(Arc<Umwelt>),
    Deployment(Arc<DeploymentFacts>),
    Pod(Arc<PodFacts>),
    Event(Arc<EventFacts>),
    /// Our types cannot read it. It is shown as such and stops nothing.
    Unreadable(Arc<Unreadable>),
}

/// An object that our types cannot read.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What it claims to be.
    pub kind: Kind,
    /// Its key.
    pub key: Key,
    /// What is wrong with it, with the field where the reader knows it.
    pub error: String,
    /// The object itself, cleaned, without managedFields.
    pub raw: Value,
}

/// What we need of a Deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeploymentFacts {
    /// The agent that it runs, by our label.
    pub agent: Option<String>,
    /// Pods that are wanted.
    pub wanted: i64,
    /// Pods that are ready.
    pub ready: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// The first condition that is not as it should be, as `reason: message`.
    pub trouble: Option<String>,
}

/// What we need of a Pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodFacts {
    /// The agent that it runs, by our label.
    pub agent: Option<String>,
    /// Its phase, as the kubelet says it.
    pub phase: String,
    /// Containers that are ready.
    pub ready: usize,
    /// Containers that there are.
    pub containers: usize,
    /// Their names, those that start before them last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub container_names: Vec<String>,
    /// Restarts of all containers.
    pub restarts: i64,
    /// Why it is not ready, in the kubelet's words.
    pub trouble: Option<String>,
    /// How a container ended last.
    pub last_end: Option<LastEnd>,
    /// Image of the first container.
    pub image: Option<String>,
    /// The node that it runs on.
    pub node: Option<String>,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastEnd {
    /// Why, in a word.
    pub reason: String,
    /// When.
    pub at: Option<Timestamp>,
}

/// What we need of an Event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFacts {
    /// The Event's own key: the same Event can be heard again, counted up.
    pub key: Key,
    /// Kind of the object that it is about.
    pub about_kind: String,
    /// API version of the object that it is about.
    pub about_version: String,
    /// The object that it is about.
    pub about: Key,
    /// A word in CamelCase.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// How often it happened.
    pub count: i64,
    /// When it happened last.
    pub at: Option<Timestamp>,
    /// Who says so.
    pub component: String,
}

/// An object read from JSON, with what its identity needs.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Namespace and name.
    pub key: Key,
    /// The uid: another object of the same name has another.
    pub uid: String,
    /// The resource version, opaque.
    pub resource_version: String,
    /// The object.
    pub object: Object,
}

#[derive(Deserialize)]
struct Head {
    metadata: Meta,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    #[serde(default)]
    namespace: String,
    name: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    labels: Option<std::collections::BTreeMap<String, String>>,
}

/// Reads one object from the JSON of an API server, a file or a stream.
///
/// Text is cleaned (see [`sanitize`]) and managedFields are dropped on the
/// way. An object that our types cannot read comes back as
/// [`Object::Unreadable`], so that it can be shown.
///
/// # Errors
/// Only when not even a name can be found.
pub fn decode(kind: Kind, json: &str) -> Result<Decoded, String> {
    if sanitize::is_suspicious(json) {
        let mut value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        sanitize::value(&mut value);
        return decode_clean(kind, &value.to_string());
    }
    decode_clean(kind, json)
}

fn decode_clean(kind: Kind, json: &str) -> Result<Decoded, String> {
    let Head { metadata } =
        serde_json::from_str(json).map_err(|error| format!("{kind} without a readable name: {error}"))?;
    let key = Key::new(&metadata.namespace, &metadata.name);
    let agent = || metadata.labels.as_ref().and_then(|labels| labels.get(LABEL_AGENT).cloned());
    let object = match kind {
        Kind::Agent => custom::<Agent>(json).map(Object::Agent),
        Kind::Pheromone => custom::<Pheromone>(json).map(Object::Pheromone),
        Kind::Proposal => custom::<Proposal>(json).map(Object::Proposal),
        Kind::Memory => custom::<Memory>(json).map(Object::Memory),
        Kind::Umwelt => custom::<Umwelt>(json).map(Object::Umwelt),
        Kind::Deployment => facts::deployment(json, agent()).map(Object::Deployment),
        Kind::Pod => facts::pod(json, agent()).map(Object::Pod),
        Kind::Event => facts::event(json, key.clone()).map(Object::Event),
    };
    let object = object.unwrap_or_else(|error| {
        let mut raw: Value = serde_json::from_str(json).unwrap_or_default();
        if let Some(meta) = raw.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            meta.remove("managedFields");
        }
        Object::Unreadable(Arc::new(Unreadable { kind, key: key.clone(), error, raw }))
    });
    Ok(Decoded { key, uid: metadata.uid, resource_version: metadata.resource_version, object })
}

impl Object {
    /// The object as JSON: a custom resource as the API server has it, without
    /// managedFields; of Kubernetes' own kinds the few facts that we keep; one
    /// that our types cannot read as it was sent.
    pub fn to_json(&self) -> Value {
        fn of<T: Serialize>(object: &T) -> Value {
            serde_json::to_value(object).unwrap_or_default()
        }
        match self {
            Self::Agent(object) => of(&**object),
            Self::Pheromone(object) => of(&**object),
            Self::Proposal(object) => of(&**object),
            Self::Memory(object) => of(&**object),
            Self::Umwelt(object) => of(&**object),
            Self::Deployment(facts) => of(&**facts),
            Self::Pod(facts) => of(&**facts),
            Self::Event(facts) => serde_json::json!({ "reason": facts.reason, "message": facts.message }),
            Self::Unreadable(object) => object.raw.clone(),
        }
    }
}

/// Reads back what [`Object::to_json`] made of an object that somebody else
/// keeps: a Cortex, or a file. Text is cleaned as in [`decode`].
///
/// Facts carry no identity of their own, so `key`, `uid` and
/// `resource_version` say it; a custom resource says its own.
///
/// # Errors
/// When not even a name, or none of the facts, can be found.
pub fn restore(kind: Kind, key: &Key, uid: &str, resource_version: &str, json: &str) -> Result<Decoded, String> {
    fn facts<T: DeserializeOwned>(json: &str) -> Result<Arc<T>, String> {
        let mut value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        sanitize::value(&mut value);
        serde_json::from_value(value).map(Arc::new).map_err(|error| error.to_string())
    }
    let object = match kind {
        Kind::Deployment => Object::Deployment(facts(json)?),
        Kind::Pod => Object::Pod(facts(json)?),
        _ => return decode(kind, json),
    };
    let key = Key::new(&sanitize::text(key.namespace()), &sanitize::text(key.name()));
    Ok(Decoded { key, uid: uid.to_owned(), resource_version: resource_version.to_owned(), object })
}

fn custom<T>(json: &str) -> Result<Arc<T>, String>
where
    T: DeserializeOwned + Managed,
{
    let mut object: T = serde_json::from_str(json).map_err(|error| error.to_string())?;
    object.drop_managed_fields();
    Ok(Arc::new(object))
}

/// Objects whose managedFields can be dropped.
trait Managed {
    fn drop_managed_fields(&mut self);
}

macro_rules! managed {
    ($($kind:ty),+) => { $(impl Managed for $kind {
        fn drop_managed_fields(&mut self) { self.metadata.managed_fields = None; }
    })+ };
}
managed!(Agent, Pheromone, Proposal, Memory, Umwelt);

mod facts {
    //! The few fields that we need of Kubernetes' own kinds.

    use super::{Arc, DeploymentFacts, Deserialize, EventFacts, Key, LastEnd, PodFacts, Timestamp};

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[derive(Deserialize, Default)]
    #[serde(rename_all = "camelCase", default)]
    struct Condition {
        r#type: String,
        status: String,
        reason: String,
        message: String,
    }

    fn said(reason: &str, message: &str) -> String {
        match (reason.is_empty(), message.is_empty()) {
            (false, false) => format!("{reason}: {message}"),
            (false, true) => reason.to_owned(),
            _ => message.to_owned(),
        }
    }

    pub(super) fn deployment(json: &str, agent: Option<String>) -> Result<Arc<DeploymentFacts>, String> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Raw {
            spec: Spec,
            status: Status,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Spec {
            replicas: Option<i64>,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Status {
            ready_replicas: i64,
            updated_replicas: i64,
            conditions: Vec<Condition>,
        }
        let Raw { spec, status } = read(json)?;
        let trouble = status.conditions.iter().find_map(|condition| {
            let wrong = match condition.r#type.as_str() {
                "ReplicaFailure" => condition.status == "True",
                _ => condition.status == "False",
            };
            wrong.then(|| said(&condition.reason, &condition.message))
        });
        Ok(Arc::new(DeploymentFacts {
            agent,
            wanted: spec.replicas.unwrap_or(1),
            ready: status.ready_replicas,
            updated: status.updated_replicas,
            trouble,
        }))
    }

    pub(super) fn pod(json: &str, agent: Option<String>) -> Result<Arc<PodFacts>, String> {
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Raw {
            spec: Spec,
            status: Status,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Spec {
            node_name: Option<String>,
            containers: Vec<Container>,
            init_containers: Vec<Container>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Container {
            name: String,
            image: Option<String>,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Status {
            phase: String,
            reason: String,
            message: String,
            conditions: Vec<Condition>,
            init_container_statuses: Vec<ContainerStatus>,
            container_statuses: Vec<ContainerStatus>,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct ContainerStatus {
            ready: bool,
            restart_count: i64,
            state: State,
            last_state: State,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct State {
            waiting: Option<Ended>,
            terminated: Option<Ended>,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Ended {
            reason: String,
            message: String,
            finished_at: Option<Timestamp>,
        }
        let Raw { spec, status } = read(json)?;
        let containers = || status.init_container_statuses.iter().chain(&status.container_statuses);
        let waiting = containers().find_map(|container| {
            let waiting = container.state.waiting.as_ref()?;
            let ordinary = matches!(waiting.reason.as_str(), "" | "ContainerCreating" | "PodInitializing");
            (!ordinary).then(|| said(&waiting.reason, &waiting.message))
        });
        let condition = || {
            status
                .conditions
                .iter()
                .find(|condition| condition.r#type == "PodScheduled" && condition.status == "False")
                .map(|condition| said(&condition.reason, &condition.message))
        };
        let own = || {
            let text = said(&status.reason, &status.message);
            (!text.is_empty()).then_some(text)
        };
        Ok(Arc::new(PodFacts {
            agent,
            ready: status.container_statuses.iter().filter(|container| container.ready).count(),
            containers: spec.containers.len(),
            container_names: spec.containers.iter().chain(&spec.init_containers).map(|c| c.name.clone()).collect(),
            restarts: containers().map(|container| container.restart_count).sum(),
            trouble: waiting.or_else(condition).or_else(own),
            last_end: containers().find_map(|container| {
                let end = container.last_state.terminated.as_ref()?;
                Some(LastEnd { reason: end.reason.clone(), at: end.finished_at })
            }),
            image: spec.containers.first().and_then(|container| container.image.clone()),
            node: spec.node_name,
            phase: status.phase,
        }))
    }

    pub(super) fn event(json: &str, key: Key) -> Result<Arc<EventFacts>, String> {
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Raw {
            involved_object: Reference,
            reason: Option<String>,
            message: Option<String>,
            r#type: Option<String>,
            count: Option<i64>,
            series: Option<Series>,
            event_time: Option<Timestamp>,
            first_timestamp: Option<Timestamp>,
            last_timestamp: Option<Timestamp>,
            reporting_component: Option<String>,
            source: Source,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Reference {
            api_version: String,
            kind: String,
            namespace: String,
            name: String,
        }
        #[derive(Deserialize, Default)]
        #[serde(rename_all = "camelCase", default)]
        struct Series {
            count: i64,
            last_observed_time: Option<Timestamp>,
        }
        #[derive(Deserialize, Default)]
        #[serde(default)]
        struct Source {
            component: Option<String>,
        }
        let raw: Raw = read(json)?;
        let series = raw.series.unwrap_or_default();
        Ok(Arc::new(EventFacts {
            key,
            about: Key::new(&raw.involved_object.namespace, &raw.involved_object.name),
            about_kind: raw.involved_object.kind,
            about_version: raw.involved_object.api_version,
            reason: raw.reason.unwrap_or_default(),
            message: raw.message.unwrap_or_default(),
            warning: raw.r#type.as_deref() == Some("Warning"),
            count: raw.count.unwrap_or(0).max(series.count).max(1),
            at: series.last_observed_time.or(raw.last_timestamp).or(raw.event_time).or(raw.first_timestamp),
            component: raw
                .reporting_component
                .filter(|component| !component.is_empty())
                .or(raw.source.component)
                .unwrap_or_default(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn agent(spec: &Value) -> String {
        json!({
            "apiVersion": "kgents.io/v1", "kind": "Agent",
            "metadata": {
                "namespace": "kgents-agents", "name": "b-gent", "uid": "u", "resourceVersion": "7",
                "managedFields": [{ "manager": "kubectl", "operation": "Apply" }],
            },
            "spec": spec,
        })
        .to_string()
    }

    #[test]
    fn managed_fields_are_dropped_and_text_is_cleaned() {
        let decoded = decode(Kind::Agent, &agent(&json!({ "genus": "B", "instructions": "\u{1b}[2J" }))).unwrap();
        let Object::Agent(agent) = decoded.object else { panic!("{:?}", decoded.object) };
        assert_eq!(agent.metadata.managed_fields, None);
        assert_eq!(agent.spec.instructions.as_deref(), Some("␛[2J"));
        assert_eq!(
            (decoded.key.to_string().as_str(), decoded.resource_version.as_str()),
            ("kgents-agents/b-gent", "7")
        );
    }

    #[test]
    fn an_unreadable_object_keeps_its_name_and_says_what_is_wrong() {
        let decoded = decode(Kind::Agent, &agent(&json!({ "genus": "ZZ\u{7}" }))).unwrap();
        let Object::Unreadable(unreadable) = decoded.object else { panic!("{:?}", decoded.object) };
        assert!(unreadable.error.contains("unknown variant `ZZ␇`"), "{}", unreadable.error);
        assert_eq!(unreadable.raw.pointer("/metadata/managedFields"), None);
        assert!(decode(Kind::Agent, "{}").is_err());
        assert!(decode(Kind::Agent, "<html>").is_err());
    }

    #[test]
    fn a_pod_tells_why_it_is_not_ready() {
        let json = json!({
            "metadata": { "namespace": "n", "name": "p", "labels": { "kgents.io/agent": "b-gent" } },
            "spec": { "containers": [{ "image": "kgents/b:1" }], "nodeName": "garden-1" },
            "status": { "phase": "Pending", "containerStatuses": [{
                "ready": false, "restartCount": 3,
                "state": { "waiting": { "reason": "ImagePullBackOff", "message": "no such image" } },
                "lastState": { "terminated": { "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z" } },
            }] },
        });
        let Object::Pod(pod) = decode(Kind::Pod, &json.to_string()).unwrap().object else { panic!() };
        assert_eq!(pod.trouble.as_deref(), Some("ImagePullBackOff: no such image"));
        assert_eq!((pod.ready, pod.restarts, pod.agent.as_deref()), (0, 3, Some("b-gent")));
        assert_eq!(pod.last_end.as_ref().map(|end| end.reason.as_str()), Some("OOMKilled"));
        let kept = Object::Pod(pod.clone()).to_json().to_string();
        let restored = restore(Kind::Pod, &Key::new("n", "p"), "u", "7", &kept).unwrap();
        let Object::Pod(again) = restored.object else { panic!() };
        assert_eq!((again, restored.resource_version.as_str()), (pod, "7"));
    }

    #[test]
    fn an_event_says_when_and_how_often() {
        let json = json!({
            "metadata": { "namespace": "n", "name": "e.1" },
            "involvedObject": { "apiVersion": "v1", "kind": "Pod", "namespace": "n", "name": "p" },
            "reason": "BackOff", "message": "Back-off", "type": "Warning",
            "count": 2, "firstTimestamp": null, "lastTimestamp": "2026-01-01T00:00:00Z",
            "source": { "component": "kubelet" }, "reportingComponent": "",
        });
        let Object::Event(event) = decode(Kind::Event, &json.to_string()).unwrap().object else { panic!() };
        assert_eq!((event.count, event.warning, event.component.as_str()), (2, true, "kubelet"));
        assert_eq!(event.at, Some("2026-01-01T00:00:00Z".parse().unwrap()));
    }
}
