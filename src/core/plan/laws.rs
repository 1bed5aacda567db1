//! The laws of plans, in a world in memory: any history of people, crashes,
//! stale caches and refusals ends in a world in which nothing is to be done.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::Cause;
use crate::testing::{config, noon};

mod controllers;
pub(super) mod fields;
mod history;
mod operator;
mod properties;
mod server;
mod speed;

use controllers::Controller;
use operator::Operator;
use server::{Key, Server};

/// A cluster with an operator.
#[derive(Debug)]
struct World {
    server: Server,
    operator: Operator,
    /// What is nobody's but its maker's: it has to stay as it is.
    strangers: BTreeMap<Key, Value>,
}

/// How often all subjects may be planned for until nothing is left to do.
const ROUNDS: usize = 80;

impl World {
    fn new() -> Self {
        Self { server: Server::new(noon()), operator: Operator::new(), strangers: BTreeMap::new() }
    }

    /// Plans for each subject and does it. Whether there was anything to do.
    fn round(&mut self) -> bool {
        let mut any = false;
        for key in self.operator.subjects() {
            any |= self.operator.reconcile(&mut self.server, &key, usize::MAX);
            self.hold_to_strangers();
        }
        any
    }

    fn hold_to_strangers(&self) {
        for (key, object) in &self.strangers {
            let mut there = self.server.objects[key].clone();
            // The cluster goes on working on it.
            there.as_object_mut().unwrap().remove("status");
            assert_eq!(there, *object, "a stranger was touched");
        }
    }

    /// Lets everything happen that happens now.
    fn rest(&mut self) {
        for _ in 0..ROUNDS {
            let moved = self.server.control_all();
            self.operator.sync(&self.server);
            let done = self.round();
            if !moved && !done {
                return;
            }
        }
        let open: Vec<_> =
            self.operator.subjects().into_iter().map(|key| (self.operator.plan(&key, self.server.now), key)).collect();
        panic!("it finds no end: {open:#?}");
    }

    /// When the operator looks again by itself.
    fn next_wake(&self) -> Option<Timestamp> {
        let wakes =
            self.operator.subjects().into_iter().map(|key| self.operator.plan(&key, self.server.now).requeue_at);
        wakes.flatten().min()
    }

    /// Lets everything happen until nothing is left, however long it takes,
    /// and holds time to its law on the way.
    fn settle(&mut self) {
        let mut idle = 0;
        for _ in 0..ROUNDS {
            let before = self.server.objects.clone();
            self.rest();
            idle = if self.server.objects == before { idle + 1 } else { 0 };
            let Some(wake) = self.next_wake().filter(|_| idle < 3) else { return };
            assert!(wake > self.server.now, "it wakes in the past");
            let wait = wake.duration_since(self.server.now);
            let now = self.server.now;
            let times = [now + wait / 3, wake - SignedDuration::from_nanos(1)];
            for key in self.operator.subjects() {
                for plan in self.operator.plans(&key, times).unwrap() {
                    assert!(plan.is_empty(), "time alone, from {now} to {wake}: {plan:#?}");
                }
            }
            self.server.now = wake;
            self.operator.forget();
        }
        panic!("it has always something to do: {:#?}", self.server.objects);
    }

    /// What all is well means, once nothing is broken any more.
    fn hold_to_outcome(&self) {
        for memory in self.server.list("Memory").filter(|memory| memory["spec"]["type"] != "EPHEMERAL") {
            let claim = self.server.get("PersistentVolumeClaim", memory["metadata"]["name"].as_str().unwrap());
            let claim = claim.unwrap_or_else(|| panic!("no claim of {memory:#}"));
            let ready = condition(memory, "Ready");
            let uid = &memory["metadata"]["uid"];
            let is_stranger = condition(memory, "Stalled")["reason"] == "NameTaken";
            assert_eq!(memory["status"]["observedGeneration"], memory["metadata"]["generation"]);
            if !is_stranger {
                let dies = claim["metadata"]["ownerReferences"][0]["uid"] == *uid;
                assert_eq!(dies, memory["spec"]["retentionPolicy"] == "DELETE", "{claim:#}");
                assert_eq!(claim["metadata"]["labels"]["kgents.io/memory"], memory["metadata"]["name"]);
                assert_eq!(claim["metadata"]["labels"]["kgents.io/retention"], memory["spec"]["retentionPolicy"]);
                assert_eq!(ready["status"] == "True", claim["status"]["phase"] == "Bound", "{memory:#}");
            }
        }
        for agent in self.server.list("Agent").filter(|agent| agent["spec"]["paused"] == false) {
            let stalled = condition(agent, "Stalled")["status"] == "True";
            let spec = &agent["spec"];
            let name = agent["metadata"]["name"].as_str().unwrap();
            let is_there = |kind: &str| {
                let named = spec.get(kind.to_lowercase()).and_then(Value::as_str);
                let object = self.server.get(kind, named.unwrap_or(&format!("{name}-{}", kind.to_lowercase())));
                let whose = if kind == "Memory" { "owner" } else { "agent" };
                let is_made = |object: &Value| object["metadata"]["labels"]["app.kubernetes.io/managed-by"].is_string();
                object
                    .is_some_and(|object| if named.is_some() { object["spec"][whose] == name } else { is_made(object) })
            };
            if spec["mode"] == "DRY_RUN" {
                continue;
            }
            assert_eq!(agent["status"]["observedGeneration"], agent["metadata"]["generation"], "{agent:#}");
            let taken = self.strangers.keys().any(|(kind, taken)| {
                // Of the kinds that an agent makes itself.
                kind != "PersistentVolumeClaim" && (taken == name || *taken == format!("{name}-spec"))
            });
            let broken = taken || !is_there("Memory") || !is_there("Umwelt") || spec["config"]["b.c"].is_string();
            if !broken {
                assert!(!stalled, "{agent:#}");
                if self.strangers.is_empty() {
                    assert_eq!(agent["status"]["phase"], "Running", "{agent:#}");
                    assert_eq!(agent["status"]["readyReplicas"], spec["replicas"], "{agent:#}");
                    assert_eq!(condition(agent, "Ready")["status"], "True", "{agent:#}");
                }
            } else if condition(agent, "Ready")["status"] == "True" {
                // What ran before goes on.
                let running = self.server.get("Deployment", name).unwrap();
                assert_eq!(running["metadata"]["ownerReferences"][0]["uid"], agent["metadata"]["uid"], "{agent:#}");
            }
        }
        for umwelt in self.server.list("Umwelt") {
            let is_stranger = condition(umwelt, "Stalled")["reason"] == "NameTaken";
            assert_eq!(umwelt["status"]["observedGeneration"], umwelt["metadata"]["generation"]);
            assert_eq!(condition(umwelt, "Ready")["status"] == "True", !is_stranger);
            let map = self.server.get("ConfigMap", umwelt["metadata"]["name"].as_str().unwrap()).unwrap();
            assert_ne!(map["metadata"]["ownerReferences"][0]["uid"] == umwelt["metadata"]["uid"], is_stranger);
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.server.now += SignedDuration::from_secs(seconds);
        self.operator.forget();
    }

    /// Somebody writes one of our objects.
    fn put(&mut self, kind: &str, name: &str, spec: &Value) {
        let mut object = server::custom(kind, name, spec);
        if let Some(live) = self.server.get(kind, name) {
            let spec = object["spec"].take();
            object = live.clone();
            object["spec"] = spec;
        }
        self.server.update("kubectl", &object).unwrap();
    }
}

fn condition<'a>(object: &'a Value, type_: &str) -> &'a Value {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions.into_iter().find(|condition| condition["type"] == type_).unwrap_or(&Value::Null)
}

impl PartialEq for World {
    fn eq(&self, other: &Self) -> bool {
        self.server.objects == other.server.objects
    }
}
