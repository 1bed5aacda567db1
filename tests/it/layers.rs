//! The three layers together: which one answers, what is on the screen when
//! one goes, and who else can read what they hold.

mod climb;
mod foreign;
mod once;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::support::case::Case;
use crate::support::cluster::Cluster;
use crate::support::servers::Gate;
use crate::support::stream::Stream;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [climb::cases(), once::cases(), foreign::cases()].into_iter().flatten().collect()
}

/// Where agents live by convention.
const AGENTS: &str = "kgents-agents";

/// A cluster behind a gate, and a user who reaches it only through that and
/// knows where to look for a Cortex. The Cortex itself needs no gate.
struct Garden {
    cluster: Arc<Cluster>,
    gate: Gate,
    user: User,
}

impl Garden {
    fn new(cluster: Arc<Cluster>, agents: &[Value]) -> Self {
        let text = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
        let port = text.split("https://127.0.0.1:").nth(1).and_then(|rest| rest.split_whitespace().next()).unwrap();
        let gate = Gate::to(port.trim_matches('"').parse().unwrap());
        let gated = text.replace(&format!("127.0.0.1:{port}"), &format!("127.0.0.1:{}", gate.port()));
        let user = User::with_text(&gated);
        let socket = user.path("cortex.sock");
        let user = user.var("KGENTS_CORTEX", format!("unix:{}", socket.display()));
        cluster.kubectl(&["create", "namespace", AGENTS]).ok();
        let garden = Self { cluster, gate, user };
        garden.plant(agents);
        garden
    }

    fn plant(&self, objects: &[Value]) {
        let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
        let kubeconfig = self.cluster.kubeconfig();
        self.cluster.kubectl_as(kubeconfig, &["apply", "-n", AGENTS, "-f", "-"], &list).ok();
    }

    fn socket(&self) -> PathBuf {
        self.user.path("cortex.sock")
    }

    /// Starts a Cortex that reads the cluster itself, and waits until it listens.
    #[track_caller]
    fn cortex(&self) -> Stream {
        let socket = self.socket();
        let args = ["cortex", "serve", "--listen", "127.0.0.1:0", "--socket", socket.to_str().unwrap()];
        let mut command = self.user.command(crate::support::user::KGENTS, &args);
        command.env("KUBECONFIG", self.cluster.kubeconfig());
        let cortex = Stream::start(command);
        cortex.expect_words(&["The Cortex listens at"]);
        cortex
    }
}
