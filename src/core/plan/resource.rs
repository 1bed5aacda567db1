//! The kinds of objects that plans read and write.

use serde::{Serialize, Serializer};

/// A kind of object that a plan writes or deletes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Resource {
    ServiceAccount,
    ConfigMap,
    Umwelt,
    Memory,
    NetworkPolicy,
    Service,
    PodDisruptionBudget,
    PersistentVolumeClaim,
    Deployment,
    Pod,
    Pheromone,
}

impl Resource {
    /// What becomes a child of an Agent, Memory or Umwelt.
    pub const CHILDREN: [Self; 9] = [
        Self::ServiceAccount,
        Self::ConfigMap,
        Self::Umwelt,
        Self::Memory,
        Self::NetworkPolicy,
        Self::Service,
        Self::PodDisruptionBudget,
        Self::PersistentVolumeClaim,
        Self::Deployment,
    ];

    /// The field manager of every status that the operator writes.
    pub const STATUS_MANAGER: &str = "kgents-operator/status";

    /// The kind, as it stands in `kind:`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::ServiceAccount => "ServiceAccount",
            Self::ConfigMap => "ConfigMap",
            Self::Umwelt => "Umwelt",
            Self::Memory => "Memory",
            Self::NetworkPolicy => "NetworkPolicy",
            Self::Service => "Service",
            Self::PodDisruptionBudget => "PodDisruptionBudget",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::Deployment => "Deployment",
            Self::Pod => "Pod",
            Self::Pheromone => "Pheromone",
        }
    }

    /// The group and version, as they stand in `apiVersion:`.
    pub const fn api_version(self) -> &'static str {
        match self {
            Self::ServiceAccount | Self::ConfigMap | Self::Service | Self::PersistentVolumeClaim | Self::Pod => "v1",
            Self::NetworkPolicy => "networking.k8s.io/v1",
            Self::PodDisruptionBudget => "policy/v1",
            Self::Deployment => "apps/v1",
            Self::Umwelt | Self::Memory | Self::Pheromone => kgents_api::API_VERSION,
        }
    }

    /// The API group; empty for the core group.
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// The resource as it stands in a URL and in RBAC rules.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::ServiceAccount => "serviceaccounts",
            Self::ConfigMap => "configmaps",
            Self::Umwelt => "umwelts",
            Self::Memory => "memories",
            Self::NetworkPolicy => "networkpolicies",
            Self::Service => "services",
            Self::PodDisruptionBudget => "poddisruptionbudgets",
            Self::PersistentVolumeClaim => "persistentvolumeclaims",
            Self::Deployment => "deployments",
            Self::Pod => "pods",
            Self::Pheromone => "pheromones",
        }
    }

    /// The field manager under which the operator applies it.
    pub const fn manager(self) -> &'static str {
        match self {
            Self::ServiceAccount => "kgents-operator/serviceaccount",
            Self::ConfigMap => "kgents-operator/configmap",
            Self::Umwelt => "kgents-operator/umwelt",
            Self::Memory => "kgents-operator/memory",
            Self::NetworkPolicy => "kgents-operator/networkpolicy",
            Self::Service => "kgents-operator/service",
            Self::PodDisruptionBudget => "kgents-operator/poddisruptionbudget",
            Self::PersistentVolumeClaim => "kgents-operator/persistentvolumeclaim",
            Self::Deployment => "kgents-operator/deployment",
            Self::Pod => "kgents-operator/pod",
            Self::Pheromone => "kgents-operator/pheromone",
        }
    }

    /// The path of one on an API server.
    pub fn path(self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(Some(namespace)))
    }

    /// The path of the collection on an API server; `None` is all namespaces.
    pub fn collection(self, namespace: Option<&str>) -> String {
        let root = if self.group().is_empty() { "api" } else { "apis" };
        let within = namespace.map(|namespace| format!("/namespaces/{namespace}")).unwrap_or_default();
        format!("/{root}/{}{within}/{}", self.api_version(), self.plural())
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.kind())
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.kind())
    }
}
