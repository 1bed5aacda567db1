//! What the operator was started with, as far as plans depend on it.

use serde::{Deserialize, Serialize};

/// What the operator was started with, as far as plans depend on it. The
/// leader writes it beside its Lease, so that whoever else plans plans with
/// the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// The image of agents that name none, and of our own sidecars.
    pub agent_image: String,
    /// Where agents find Cortex (`CORTEX_URL`).
    pub cortex_url: String,
    /// The namespace of what serves all agents: Cortex, gateway, operator.
    pub system_namespace: String,
    /// Where names are resolved.
    pub dns: Dns,
    /// Whether CHAOS pheromones do anything.
    pub allow_chaos: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            agent_image: concat!("ghcr.io/kgents/kgents:", env!("CARGO_PKG_VERSION")).to_owned(),
            cortex_url: "http://cortex.kgents-system:50051".to_owned(),
            system_namespace: kgents_api::NAMESPACE_SYSTEM.to_owned(),
            dns: Dns::default(),
            allow_chaos: false,
        }
    }
}

/// Where the names of a cluster are resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dns {
    /// The namespace of the DNS pods.
    pub namespace: String,
    /// A label of the DNS pods, with its value.
    pub label: (String, String),
    /// The address of a cache on each node, as a CIDR.
    pub node_local: Option<String>,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            namespace: "kube-system".to_owned(),
            label: ("k8s-app".to_owned(), "kube-dns".to_owned()),
            node_local: Some("169.254.20.10/32".to_owned()),
        }
    }
}
