//! A namespace of one test.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::cluster::{self, Cluster};
use super::credentials;
use super::operator::Operator;
use super::process::Ran;
use super::stream::Stream;
use super::user::User;
use super::wait::{SOON, eventually};

/// A namespace, and a user whose context points to it.
pub struct Place {
    /// The API server.
    pub cluster: Arc<Cluster>,
    /// The name of the namespace.
    pub namespace: String,
    /// An administrator whose context has this namespace.
    pub user: User,
    kubeconfig: PathBuf,
}

impl Place {
    /// A new namespace on the API server that all share; `name` says whose.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        Self::on(cluster::shared(), name)
    }

    /// A new namespace on an API server.
    #[track_caller]
    pub fn on(cluster: Arc<Cluster>, name: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name: String = name.replace('_', "-").chars().take(40).collect();
        let namespace = format!("it{count}-{}", name.trim_end_matches('-'));
        cluster.kubectl(&["create", "namespace", &namespace]).ok();
        let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
        let user = User::new();
        let kubeconfig = user.file("kubeconfig", &credentials::in_namespace(&text, &namespace));
        let user = user.var("KUBECONFIG", &kubeconfig);
        Self { cluster, namespace, user, kubeconfig }
    }

    /// Runs kgents in this namespace.
    #[track_caller]
    pub fn kgents(&self, args: &[&str]) -> Ran {
        self.user.kgents(args)
    }

    /// Runs kgents in this namespace without waiting for its end.
    #[track_caller]
    pub fn follow(&self, args: &[&str]) -> Stream {
        self.user.follow(args)
    }

    /// Runs kubectl in this namespace.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> Ran {
        self.cluster.kubectl_as(&self.kubeconfig, args, "")
    }

    /// Applies what this text holds, YAML or JSON.
    #[track_caller]
    pub fn apply_text(&self, text: &str) -> Ran {
        self.cluster.kubectl_as(&self.kubeconfig, &["apply", "-f", "-"], text)
    }

    /// Applies objects, which the API server must accept.
    #[track_caller]
    pub fn apply(&self, objects: &[Value]) {
        self.apply_text(&list(objects)).ok();
    }

    /// Applies an object server-side as one field manager, here to its status.
    #[track_caller]
    pub fn apply_status_as(&self, manager: &str, object: &Value) {
        let manager = format!("--field-manager={manager}");
        let args = ["apply", "--server-side", "--subresource=status", &manager, "-f", "-"];
        self.cluster.kubectl_as(&self.kubeconfig, &args, &object.to_string()).ok();
    }

    /// Merges this into the status of an object.
    #[track_caller]
    pub fn set_status(&self, kind: &str, name: &str, status: &Value) {
        let patch = serde_json::json!({ "status": status }).to_string();
        self.kubectl(&["patch", kind, name, "--subresource=status", "--type=merge", "-p", &patch]).ok();
    }

    /// An object as the API server has it.
    #[track_caller]
    pub fn get(&self, kind: &str, name: &str) -> Value {
        self.kubectl(&["get", kind, name, "-o", "json"]).json()
    }

    /// What an operator of this namespace alone is started with.
    pub fn flags(&self) -> [&str; 4] {
        ["-n", &self.namespace, "--lease-namespace", &self.namespace]
    }

    /// An operator of this namespace alone that leads.
    #[track_caller]
    pub fn operator(&self, more: &[&str]) -> Operator {
        let args: Vec<&str> = self.flags().into_iter().chain(more.iter().copied()).collect();
        let mut operator = Operator::ready(&self.user, &args);
        operator.leads();
        operator
    }

    /// Waits until the status of a condition is this, and gives the condition.
    #[track_caller]
    pub fn condition(&self, kind: &str, name: &str, type_: &str, status: &str) -> Value {
        eventually(SOON, &format!("{type_}={status} on {kind} {name}"), || {
            let object = self.get(kind, name);
            let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
            let found = conditions.iter().find(|condition| condition["type"] == type_ && condition["status"] == status);
            found.cloned().ok_or_else(|| object["status"].to_string())
        })
    }

    /// Waits until an Agent is in this phase, and gives it.
    #[track_caller]
    pub fn phase(&self, agent: &str, phase: &str) -> Value {
        eventually(SOON, &format!("{agent} is {phase}"), || {
            let object = self.get("agent", agent);
            if object["status"]["phase"] == phase { Ok(object) } else { Err(object["status"].to_string()) }
        })
    }

    /// Whether there is such an object.
    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.kubectl(&["get", kind, name]).code == Some(0)
    }

    /// Waits until there is no such object. The garbage collector looks for new
    /// kinds only every 30 s.
    #[track_caller]
    pub fn gone(&self, kind: &str, name: &str) {
        eventually(SOON * 3, &format!("no {kind} {name}"), || {
            if self.has(kind, name) { Err("there is".into()) } else { Ok(()) }
        });
    }

    /// The messages of the Events about an object with this reason.
    pub fn said(&self, name: &str, reason: &str) -> Vec<String> {
        let field = format!("--field-selector=regarding.name={name},reason={reason}");
        let events = self.kubectl(&["get", "events.v1.events.k8s.io", &field, "-o", "json"]).json();
        let items = events["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|event| event["note"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The kubeconfig of [`Place::user`].
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }
}

/// Objects as one document that kubectl takes.
fn list(objects: &[Value]) -> String {
    serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string()
}
