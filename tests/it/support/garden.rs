//! A namespace in which objects come to life.

use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::audit::{Audit, Call};
use super::cluster::{self, Cluster};
use super::operator::Operator;
use super::place::Place;
use super::wait::{SOON, eventually};

/// A namespace on an API server with controllers, a scheduler and a node
/// whose pods run without containers, and with an audit log.
pub struct Garden {
    place: Place,
    /// The audit log of the API server.
    pub audit: Audit,
}

impl Deref for Garden {
    type Target = Place;
    fn deref(&self) -> &Place {
        &self.place
    }
}

impl Garden {
    /// A new namespace on the API server that all share; `name` says whose.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        Self::on(cluster::living(), name)
    }

    /// A new namespace on an API server that was started with [`cluster::LIVING`].
    #[track_caller]
    pub fn on(cluster: Arc<Cluster>, name: &str) -> Self {
        let audit = cluster.audit();
        Self { place: Place::on(cluster, name), audit }
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

    /// What kgents wrote in this namespace since `mark`, but for Events and Leases.
    pub fn writes(&self, mark: u64) -> Vec<Call> {
        self.audit.writes(mark).into_iter().filter(|call| call.namespace == self.namespace).collect()
    }

    /// Waits until nothing was written here for so long, which is what is
    /// watched for and no wait for something else, and gives what was written
    /// since `mark`.
    #[track_caller]
    pub fn quiet(&self, mark: u64, for_: Duration) -> Vec<Call> {
        let (mut count, mut since) = (usize::MAX, Instant::now());
        eventually(SOON * 2 + for_, "that nothing is written any more", || {
            let writes = self.writes(mark);
            if writes.len() != count {
                (count, since) = (writes.len(), Instant::now());
            }
            if since.elapsed() >= for_ { Ok(writes) } else { Err(format!("{:?}", writes.last().map(Call::short))) }
        })
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

    /// Waits until there is no such object.
    #[track_caller]
    pub fn gone(&self, kind: &str, name: &str) {
        eventually(SOON, &format!("no {kind} {name}"), || if self.has(kind, name) { Err("there is".into()) } else { Ok(()) });
    }

    /// The messages of the Events about an object with this reason, each with
    /// how often it was said.
    pub fn said(&self, name: &str, reason: &str) -> Vec<String> {
        let field = format!("--field-selector=regarding.name={name},reason={reason}");
        let events = self.kubectl(&["get", "events.v1.events.k8s.io", &field, "-o", "json"]).json();
        let items = events["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|event| event["note"].as_str().unwrap_or_default().to_owned()).collect()
    }
}
