//! A node that runs real pods: containerd and a kubelet, started by
//! `tests/cluster/up` in namespaces of their own, which leave nothing behind.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::cluster::{self, Cluster};
use super::place::Place;
use super::user::KGENTS;
use super::wait::{SOON, eventually};

/// What says that real pods are wanted: they take a minute, and root.
const VARIABLE: &str = "KGENTS_TEST_PODS";

/// What is started.
const WITH: [&str; 2] = ["--with", "controller-manager,scheduler,kubelet,kube-proxy"];

/// The image of the binary under test; its entrypoint is `kgents`.
pub const IMAGE: &str = "localhost/kgents:test";

/// A namespace in which only restricted pods may run, on a cluster that runs
/// real ones. This machine reaches their addresses.
pub struct Node {
    /// The namespace.
    pub place: Place,
}

/// Why no real pods can be had here, with what to do about it; `None` if they
/// can.
pub fn lack() -> Option<String> {
    match std::env::var_os(VARIABLE) {
        Some(value) if value == "1" => cluster::lack_with(&WITH),
        _ => Some(format!("real pods: set {VARIABLE}=1")),
    }
}

/// The cluster that tests share, with our CRDs and our image.
fn shared() -> Arc<Cluster> {
    static SHARED: OnceLock<Result<Arc<Cluster>, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| {
        let cluster = Cluster::start(&WITH)?;
        cluster.ask(&format!("image {IMAGE} {KGENTS}"));
        cluster.install_crds();
        Ok(Arc::new(cluster))
    });
    match started {
        Ok(cluster) => cluster.clone(),
        Err(error) => panic!("{error}"),
    }
}

impl Node {
    /// A new namespace; `name` says whose.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        let place = Place::on(shared(), name);
        let level = "pod-security.kubernetes.io/enforce=restricted";
        place.kubectl(&["label", "namespace", &place.namespace, level]).ok();
        Self { place }
    }

    /// The pods with a label, those that are being deleted too.
    #[track_caller]
    pub fn pods(&self, label: &str) -> Vec<Value> {
        let list = self.place.kubectl(&["get", "pods", "-l", label, "-o", "json"]).json();
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until exactly one pod has a label, and is ready.
    #[track_caller]
    pub fn ready_pod(&self, label: &str) -> Value {
        eventually(SOON * 2, &format!("one ready pod with {label}"), || match self.pods(label).as_slice() {
            [pod] if is_ready(pod) => Ok(pod.clone()),
            pods => Err(self.state_of(pods)),
        })
    }

    /// Waits until no pod has a label.
    #[track_caller]
    pub fn no_pod(&self, label: &str) {
        eventually(SOON * 2, &format!("no pod with {label}"), || match self.pods(label).as_slice() {
            [] => Ok(()),
            pods => Err(self.state_of(pods)),
        });
    }

    /// What there is to say of pods that are not as they should be.
    fn state_of(&self, pods: &[Value]) -> String {
        let status = |pod: &Value| format!("{} {}", pod["metadata"]["name"], pod["status"]);
        let pods: Vec<String> = pods.iter().map(status).collect();
        let events = self.place.kubectl(&["get", "events", "--sort-by=.lastTimestamp"]);
        format!("{}\n{events}", pods.join("\n"))
    }
}

/// Whether a pod is ready, and is to stay.
fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let is_ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    pod["metadata"]["deletionTimestamp"].is_null() && conditions.is_some_and(|all| all.iter().any(is_ready))
}
