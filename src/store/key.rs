//! What an object is called.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use kgents_core::freshness::Area;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The kinds of objects that the terrarium is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Kind {
    Agent,
    Pheromone,
    Proposal,
    Memory,
    Umwelt,
    Deployment,
    Pod,
    Event,
}

impl Kind {
    /// Every kind, custom resources first.
    pub const ALL: [Self; 8] = [
        Self::Agent,
        Self::Pheromone,
        Self::Proposal,
        Self::Memory,
        Self::Umwelt,
        Self::Deployment,
        Self::Pod,
        Self::Event,
    ];
    /// The kinds of our own API group.
    pub const CUSTOM: [Self; 5] = [Self::Agent, Self::Pheromone, Self::Proposal, Self::Memory, Self::Umwelt];

    /// The kind as it stands in `kind:`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "Agent",
            Self::Pheromone => "Pheromone",
            Self::Proposal => "Proposal",
            Self::Memory => "Memory",
            Self::Umwelt => "Umwelt",
            Self::Deployment => "Deployment",
            Self::Pod => "Pod",
            Self::Event => "Event",
        }
    }

    /// The kind of this name, as it stands in `kind:`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// The resource as it stands in a URL and in RBAC rules.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Agent => "agents",
            Self::Pheromone => "pheromones",
            Self::Proposal => "proposals",
            Self::Memory => "memories",
            Self::Umwelt => "umwelts",
            Self::Deployment => "deployments",
            Self::Pod => "pods",
            Self::Event => "events",
        }
    }

    /// The API group; empty for the core group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Deployment => "apps",
            Self::Pod | Self::Event => "",
            _ => kgents_api::GROUP,
        }
    }

    /// The resource with its group, as RBAC and kubectl name it.
    pub fn resource(self) -> String {
        match self.group() {
            "" => self.plural().to_owned(),
            group => format!("{}.{group}", self.plural()),
        }
    }

    /// The path of the collection on an API server; `None` is all namespaces.
    /// A namespace is one piece of it, whatever stands in it.
    pub fn path(self, namespace: Option<&str>) -> String {
        let group = match self.group() {
            "" => "/api/v1".to_owned(),
            group => format!("/apis/{group}/v1"),
        };
        match namespace {
            Some(namespace) => format!("{group}/namespaces/{}/{}", encoded(namespace), self.plural()),
            None => format!("{group}/{}", self.plural()),
        }
    }

    /// The area whose freshness limits hold for this kind.
    pub const fn area(self) -> Area {
        match self {
            Self::Pheromone => Area::Pheromones,
            Self::Proposal => Area::Proposals,
            Self::Event => Area::Thoughts,
            Self::Deployment | Self::Pod => Area::Cluster,
            Self::Agent | Self::Memory | Self::Umwelt => Area::Agents,
        }
    }

    /// Whether the kind is one of our custom resources.
    pub fn is_custom(self) -> bool {
        Self::CUSTOM.contains(&self)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom(format!("no such kind: {name}")))
    }
}

/// A word as one piece of a path or of a query: what is not plain is
/// percent-encoded.
pub fn encoded(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    for byte in word.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Namespace and name: an object's identity within its kind. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    namespace: Arc<str>,
    name: Arc<str>,
}

impl Key {
    /// A key of an object in a namespace.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name within the namespace.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (namespace, name) =
            text.split_once('/').ok_or_else(|| serde::de::Error::custom("a key is written NAMESPACE/NAME"))?;
        Ok(Self::new(namespace, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_named_as_kubectl_names_them() {
        assert_eq!(Kind::Agent.resource(), "agents.kgents.io");
        assert_eq!(Kind::Deployment.resource(), "deployments.apps");
        assert_eq!(Kind::Pod.resource(), "pods");
    }

    #[test]
    fn a_path_has_as_many_pieces_as_it_should() {
        assert_eq!(Kind::Agent.path(None), "/apis/kgents.io/v1/agents");
        assert_eq!(Kind::Pod.path(Some("n")), "/api/v1/namespaces/n/pods");
        assert_eq!(Kind::Deployment.path(Some("a/b?c")), "/apis/apps/v1/namespaces/a%2Fb%3Fc/deployments");
        assert_eq!(encoded("kgents-approval/ä b"), "kgents-approval%2F%C3%A4%20b");
    }
}
