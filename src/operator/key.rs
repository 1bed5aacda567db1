//! What is worked on: one custom resource, by what identifies it.

use std::fmt;
use std::sync::Arc;

use kgents_api::{API_VERSION, Agent, Memory, Pheromone, Umwelt};
use kgents_core::plan::{self, Resource};
use serde::{Serialize, Serializer};

use crate::events::About;

/// Which kind of custom resource is looked after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Controller {
    Agent,
    Memory,
    Umwelt,
    Pheromone,
}

impl Controller {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Agent, Self::Memory, Self::Umwelt, Self::Pheromone];

    /// As metrics and spans name it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Memory => "memory",
            Self::Umwelt => "umwelt",
            Self::Pheromone => "pheromone",
        }
    }

    /// The kind, as it stands in `kind:`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::Memory => "Memory",
            Self::Umwelt => "Umwelt",
            Self::Pheromone => "Pheromone",
        }
    }

    /// Whether the kind has a status.
    pub const fn has_status(self) -> bool {
        !matches!(self, Self::Pheromone)
    }
}

/// One custom resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Its kind.
    pub controller: Controller,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of this object.
    pub fn new(controller: Controller, namespace: &str, name: &str) -> Self {
        Self { controller, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The object, as an Event is about it.
    pub(crate) fn about(&self, uid: &str) -> About {
        About {
            api_version: API_VERSION.to_owned(),
            kind: self.controller.kind().to_owned(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            uid: uid.to_owned(),
        }
    }
}

impl fmt::Display for Key {
    /// As in `agent kgents-agents/b-gent`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.controller.word(), self.namespace, self.name)
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A kind of object that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Agents.
    Agent,
    /// What plans read and write.
    Of(Resource),
}

impl Kind {
    /// All that are watched.
    pub const ALL: [Self; 12] = [
        Self::Agent,
        Self::Of(Resource::Memory),
        Self::Of(Resource::Umwelt),
        Self::Of(Resource::Pheromone),
        Self::Of(Resource::ServiceAccount),
        Self::Of(Resource::ConfigMap),
        Self::Of(Resource::NetworkPolicy),
        Self::Of(Resource::Service),
        Self::Of(Resource::PodDisruptionBudget),
        Self::Of(Resource::PersistentVolumeClaim),
        Self::Of(Resource::Deployment),
        Self::Of(Resource::Pod),
    ];

    /// The controller whose subjects these are.
    pub const fn controller(self) -> Option<Controller> {
        match self {
            Self::Agent => Some(Controller::Agent),
            Self::Of(Resource::Memory) => Some(Controller::Memory),
            Self::Of(Resource::Umwelt) => Some(Controller::Umwelt),
            Self::Of(Resource::Pheromone) => Some(Controller::Pheromone),
            Self::Of(_) => None,
        }
    }

    /// The resource, as it stands in a URL and in RBAC rules.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Agent => "agents",
            Self::Of(resource) => resource.plural(),
        }
    }

    /// The path of the collection; `None` is all namespaces.
    pub fn collection(self, namespace: Option<&str>) -> String {
        match self {
            // The same group and version: only the last word differs.
            Self::Agent => {
                let memories = Resource::Memory.collection(namespace);
                let root = memories.strip_suffix(Resource::Memory.plural()).unwrap_or(&memories);
                format!("{root}agents")
            }
            Self::Of(resource) => resource.collection(namespace),
        }
    }

    /// The labels to which a watch is limited.
    pub const fn labels(self) -> Option<&'static str> {
        match self {
            Self::Agent | Self::Of(Resource::Memory | Resource::Umwelt | Resource::Pheromone) => None,
            Self::Of(Resource::Pod) => Some(kgents_api::LABEL_AGENT),
            Self::Of(_) => Some("app.kubernetes.io/managed-by=kgents-operator"),
        }
    }
}

impl From<Controller> for Kind {
    fn from(controller: Controller) -> Self {
        match controller {
            Controller::Agent => Self::Agent,
            Controller::Memory => Self::Of(Resource::Memory),
            Controller::Umwelt => Self::Of(Resource::Umwelt),
            Controller::Pheromone => Self::Of(Resource::Pheromone),
        }
    }
}

/// A custom resource that could be read. Without managedFields and, but for
/// Pheromones, without its version: two are equal when nothing changed that
/// matters.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Subject {
    Agent(Arc<Agent>),
    Memory(Arc<Memory>),
    Umwelt(Arc<Umwelt>),
    Pheromone(Arc<Pheromone>),
}

impl Subject {
    /// As plans take it.
    pub fn plan(&self) -> plan::Subject<'_> {
        match self {
            Self::Agent(agent) => plan::Subject::Agent(agent),
            Self::Memory(memory) => plan::Subject::Memory(memory),
            Self::Umwelt(umwelt) => plan::Subject::Umwelt(umwelt),
            Self::Pheromone(pheromone) => plan::Subject::Pheromone(pheromone),
        }
    }

    /// Its metadata.
    pub fn metadata(&self) -> &kgents_api::ObjectMeta {
        match self {
            Self::Agent(agent) => &agent.metadata,
            Self::Memory(memory) => &memory.metadata,
            Self::Umwelt(umwelt) => &umwelt.metadata,
            Self::Pheromone(pheromone) => &pheromone.metadata,
        }
    }

    /// Its generation; 0 where it has none.
    pub fn generation(&self) -> i64 {
        self.metadata().generation.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api_server() {
        assert_eq!(Kind::Agent.collection(None), "/apis/kgents.io/v1/agents");
        assert_eq!(Kind::Agent.collection(Some("a")), "/apis/kgents.io/v1/namespaces/a/agents");
        assert_eq!(Kind::from(Controller::Memory).collection(Some("a")), "/apis/kgents.io/v1/namespaces/a/memories");
        let managed = format!("{}={}", kgents_api::LABEL_MANAGED_BY, kgents_api::OPERATOR);
        assert_eq!(Kind::Of(Resource::Service).labels(), Some(managed.as_str()));
    }

    #[test]
    fn every_kind_that_plans_write_is_watched() {
        for resource in Resource::CHILDREN.into_iter().chain([Resource::Pod, Resource::Pheromone]) {
            assert!(Kind::ALL.contains(&Kind::Of(resource)), "{resource}");
        }
        for controller in Controller::ALL {
            assert_eq!(Kind::from(controller).controller(), Some(controller));
        }
    }
}
