//! An operator in memory: it sees the server through caches, executes plans,
//! remembers what failed, and can die between any two writes. Each plan that
//! it makes is held to the laws.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Agent, LABEL_AGENT, LABEL_MANAGED_BY, Memory, OPERATOR, Pheromone, Umwelt};
use serde_json::Value;

use super::server::{Key, NAMESPACE, Server, key_of};
use crate::plan::{Cause, Child, Config, Expect, Fault, Live, Observed, Plan, Pod, Resource, Subject, children, plan};

/// One of our kinds, read.
#[derive(Clone, Debug)]
pub(super) enum Ours {
    Agent(Box<Agent>),
    Memory(Box<Memory>),
    Umwelt(Box<Umwelt>),
    Pheromone(Box<Pheromone>),
}

impl Ours {
    fn read(object: &Value) -> Option<Self> {
        fn of<T: serde::de::DeserializeOwned>(object: &Value) -> T {
            serde_json::from_value(object.clone()).unwrap()
        }
        Some(match object["kind"].as_str()? {
            "Agent" => Self::Agent(Box::new(of(object))),
            "Memory" => Self::Memory(Box::new(of(object))),
            "Umwelt" => Self::Umwelt(Box::new(of(object))),
            "Pheromone" => Self::Pheromone(Box::new(of(object))),
            _ => return None,
        })
    }

    pub(super) fn subject(&self) -> Subject<'_> {
        match self {
            Self::Agent(agent) => Subject::Agent(agent),
            Self::Memory(memory) => Subject::Memory(memory),
            Self::Umwelt(umwelt) => Subject::Umwelt(umwelt),
            Self::Pheromone(pheromone) => Subject::Pheromone(pheromone),
        }
    }
}

/// Writes of a kind that fail until a moment.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) kind: &'static str,
    pub(super) cause: Cause,
    pub(super) until: Timestamp,
}

#[derive(Debug)]
pub(super) struct Operator {
    pub(super) config: Config,
    /// What its watches have told it.
    cache: BTreeMap<Key, Value>,
    /// What it asked for after a conflict.
    got: BTreeMap<Key, Value>,
    faults: BTreeMap<Key, Vec<Fault>>,
    pub(super) broken: Vec<Broken>,
    /// What it said: on what, and the reason.
    pub(super) said: Vec<(Key, &'static str)>,
    last_chaos: Option<Timestamp>,
}

fn resource(kind: &str) -> Option<Resource> {
    Resource::CHILDREN.into_iter().find(|resource| resource.kind() == kind)
}

impl Operator {
    pub(super) fn new() -> Self {
        Self {
            config: Config::default(),
            cache: BTreeMap::new(),
            got: BTreeMap::new(),
            faults: BTreeMap::new(),
            broken: Vec::new(),
            said: Vec::new(),
            last_chaos: None,
        }
    }

    /// Dies and starts again: it knows what it reads at its start.
    pub(super) fn restart(&mut self, server: &Server) {
        (self.got, self.faults, self.last_chaos) = (BTreeMap::new(), BTreeMap::new(), None);
        self.sync(server);
    }

    /// All watches catch up.
    pub(super) fn sync(&mut self, server: &Server) {
        self.cache.clear();
        for key in server.objects.keys() {
            self.see(server, key);
        }
    }

    /// The watch of one kind catches up.
    pub(super) fn sync_kind(&mut self, server: &Server, kind: &str) {
        self.cache.retain(|key, _| key.0 != kind);
        for key in server.objects.keys().filter(|key| key.0 == kind) {
            self.see(server, key);
        }
    }

    /// What the watches let through: all of our kinds and all pods of agents;
    /// of the rest what bears our label.
    fn see(&mut self, server: &Server, key: &Key) {
        let Some(object) = server.objects.get(key) else {
            self.cache.remove(key);
            return;
        };
        let labels = &object["metadata"]["labels"];
        let is_seen = match key.0.as_str() {
            "Agent" | "Memory" | "Umwelt" | "Pheromone" => true,
            "Pod" => labels.get(LABEL_AGENT).is_some(),
            _ => labels[LABEL_MANAGED_BY] == OPERATOR,
        };
        if is_seen {
            self.cache.insert(key.clone(), object.clone());
        } else {
            self.cache.remove(key);
        }
    }

    /// Forgets what it asked for, as each time that it plans for the clock's sake.
    pub(super) fn forget(&mut self) {
        self.got.clear();
    }

    pub(super) fn subjects(&self) -> Vec<Key> {
        let is_ours = |key: &&Key| matches!(key.0.as_str(), "Agent" | "Memory" | "Umwelt" | "Pheromone");
        self.cache.keys().filter(is_ours).cloned().collect()
    }

    fn known(&self, key: &Key) -> Option<&Value> {
        self.got.get(key).or_else(|| self.cache.get(key))
    }

    fn observe(&self, key: &Key, ours: &Ours) -> Observed {
        let mut observed = Observed {
            faults: self.faults.get(key).cloned().unwrap_or_default(),
            last_chaos: self.last_chaos,
            ..Observed::default()
        };
        let mut add = |object: &Value| {
            let (kind, name) = key_of(object);
            let Some(resource) = resource(&kind) else { return };
            let live = Live::read(resource, object).unwrap();
            observed.children.insert((resource, name), Arc::new(live));
        };
        for child in children(ours.subject()) {
            if let Some(object) = self.known(&(child.resource.kind().to_owned(), child.name)) {
                add(object);
            }
        }
        let agents = || self.cache.keys().filter(|key| key.0 == "Agent").map(|key| key.1.clone());
        let read = |kind: &str, name: &str| self.cache.get(&(kind.to_owned(), name.to_owned())).and_then(Ours::read);
        match ours {
            Ours::Agent(agent) => {
                let is_labelled = |object: &&Value| object["metadata"]["labels"][LABEL_AGENT] == key.1.as_str();
                self.cache.values().filter(is_labelled).for_each(&mut add);
                let pods = self.cache.values().filter(|object| object["kind"] == "Pod").filter(is_labelled);
                observed.pods = pods.map(|pod| Arc::new(Pod::read(pod))).collect();
                let name = |named: &Option<String>, suffix: &str| {
                    named.clone().unwrap_or_else(|| format!("{}-{suffix}", key.1))
                };
                if let Some(Ours::Memory(memory)) = read("Memory", &name(&agent.spec.memory, "memory")) {
                    observed.memory = Some(Arc::new(*memory));
                }
                if let Some(Ours::Umwelt(umwelt)) = read("Umwelt", &name(&agent.spec.umwelt, "umwelt")) {
                    observed.umwelt = Some(Arc::new(*umwelt));
                }
                let peers: BTreeSet<&String> = agent.spec.network_policy.allowed_peers.iter().collect();
                observed.agents = agents().filter(|name| peers.contains(name)).collect();
            }
            Ours::Memory(memory) => observed.agents = agents().filter(|name| *name == memory.spec.owner).collect(),
            Ours::Umwelt(umwelt) => observed.agents = agents().filter(|name| *name == umwelt.spec.agent).collect(),
            Ours::Pheromone(_) => {
                let pods = self.cache.values().filter(|object| object["kind"] == "Pod");
                observed.pods = pods.map(|pod| Arc::new(Pod::read(pod))).collect();
            }
        }
        observed
    }

    /// What it would do for a subject. The same input gives the same bytes.
    pub(super) fn plan(&self, key: &Key, now: Timestamp) -> Plan {
        let Some([first, second]) = self.plans(key, [now, now]) else { return Plan::default() };
        assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&second).unwrap());
        first
    }

    /// A subject and what is known around it.
    pub(super) fn seen(&self, key: &Key) -> Option<(Ours, Observed)> {
        let ours = self.cache.get(key).and_then(Ours::read)?;
        let observed = self.observe(key, &ours);
        Some((ours, observed))
    }

    /// What it would do for a subject at each of these times if nothing else changed.
    pub(super) fn plans<const N: usize>(&self, key: &Key, times: [Timestamp; N]) -> Option<[Plan; N]> {
        let (ours, observed) = self.seen(key)?;
        Some(times.map(|now| plan(ours.subject(), &observed, now, &self.config)))
    }

    /// Plans for a subject and does it; dies after `most` writes. Whether
    /// there was anything to do.
    pub(super) fn reconcile(&mut self, server: &mut Server, key: &Key, most: usize) -> bool {
        let plan = self.plan(key, server.now);
        if plan.is_empty() {
            return false;
        }
        let cached = self.cache[key].clone();
        let generation = cached["metadata"]["generation"].as_i64().unwrap_or(0);
        let uid = cached["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        let mut left = most;
        let mut dies = || {
            let dies = left == 0;
            left = left.saturating_sub(1);
            dies
        };
        let mut failed = false;
        for apply in &plan.apply {
            if dies() {
                self.restart(server);
                return true;
            }
            if !self.write(server, key, generation, &apply.child, |server| {
                server.apply(apply.manager(), &apply.wire()).map(|_| ())
            }) {
                assert!(matches!(apply.expect, Expect::Absent | Expect::Present { .. }));
                failed = true;
                break;
            }
        }
        for delete in plan.delete.iter().take_while(|_| !failed) {
            if dies() {
                self.restart(server);
                return true;
            }
            let target: Key = (delete.child.resource.kind().to_owned(), delete.child.name.clone());
            if let Some(object) =
                server.objects.get(&target).filter(|object| object["metadata"]["uid"] == delete.uid.as_str())
            {
                let controller = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
                let is_ours = target == *key
                    || target.0 == "Pod"
                    || controller.into_iter().any(|owner| owner["controller"] == true && owner["uid"] == uid.as_str());
                assert!(is_ours, "{delete:?} of what is not controlled by {key:?}");
            }
            let sent = delete.clone();
            if !self.write(server, key, generation, &delete.child, |server| {
                server.delete(&target, Some(&sent.uid), sent.resource_version.as_deref())
            }) {
                break;
            }
            if target.0 == "Pod" {
                self.last_chaos = Some(server.now);
            }
        }
        if let Some(status) = &plan.status {
            if dies() {
                self.restart(server);
                return true;
            }
            hold_to_status(&cached, &status.body, server.now);
            if server.objects.get(key).is_some_and(|object| object["metadata"]["uid"] == cached["metadata"]["uid"]) {
                server.status(key, &status.body).unwrap();
                self.see(server, key);
            }
        }
        self.said.extend(plan.events.iter().map(|event| {
            assert!(event.message.len() <= 1024 && !event.message.is_empty());
            (key.clone(), event.reason)
        }));
        true
    }

    /// One write, and what becomes of its failure. Whether it went well.
    fn write(
        &mut self,
        server: &mut Server,
        subject: &Key,
        generation: i64,
        child: &Child,
        send: impl FnOnce(&mut Server) -> Result<(), Cause>,
    ) -> bool {
        assert_eq!(child.namespace, NAMESPACE);
        let key: Key = (child.resource.kind().to_owned(), child.name.clone());
        let broken = self.broken.iter().find(|broken| broken.kind == key.0 && server.now < broken.until);
        let result = broken.map_or_else(|| send(server), |broken| Err(broken.cause));
        let faults = self.faults.entry(subject.clone()).or_default();
        let since = faults.iter().find(|fault| fault.child == *child).map_or(server.now, |fault| fault.since);
        faults.retain(|fault| fault.child != *child && fault.generation == generation);
        match result {
            Ok(()) => {
                self.got.remove(&key);
                self.see(server, &key);
                true
            }
            Err(Cause::Conflict) if broken.is_none() => {
                // It asks what is there, and plans again.
                self.see(server, &key);
                match server.objects.get(&key) {
                    Some(object) => drop(self.got.insert(key, object.clone())),
                    None => drop(self.got.remove(&key)),
                }
                false
            }
            Err(cause) => {
                let again =
                    if cause.is_transient() { SignedDuration::from_secs(2) } else { SignedDuration::from_mins(10) };
                let retry_at = server.now + again;
                let said = format!("{cause:?} says the server");
                faults.push(Fault { child: child.clone(), cause, said, generation, since, retry_at });
                false
            }
        }
    }
}

/// The laws of a status: it speaks of no generation that was not seen, and
/// its transition times move only with its words.
fn hold_to_status(cached: &Value, status: &Value, now: Timestamp) {
    let seen = cached["metadata"]["generation"].as_i64().unwrap_or(0);
    assert!(status["observedGeneration"].as_i64().unwrap_or(0) <= seen, "{status} of generation {seen}");
    assert_ne!(cached.get("status"), Some(status), "a status is written that stands there");
    assert!(status.to_string().len() < 16 << 10, "a status has to stay small: {status}");
    let mut types = BTreeSet::new();
    for condition in status["conditions"].as_array().into_iter().flatten() {
        assert!(types.insert(condition["type"].to_string()), "twice {condition}");
        assert_ne!(condition["reason"], "");
        let before = cached["status"]["conditions"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|before| before["type"] == condition["type"]);
        let time = |condition: &Value| condition["lastTransitionTime"].as_str().unwrap().parse::<Timestamp>().unwrap();
        match before {
            Some(before) if before["status"] == condition["status"] => assert_eq!(time(before), time(condition)),
            _ => assert_eq!(time(condition).as_second(), now.as_second()),
        }
    }
    for standard in ["Ready", "Progressing", "Stalled"] {
        let exists = types.contains(&format!("\"{standard}\""));
        assert!(exists || cached["kind"] == "Agent", "no {standard} in {status}");
    }
}
