//! What stands around an object, as far as plans must know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::join_all;
use kgents_api::{Agent, LABEL_AGENT, LABEL_MEMORY, PheromoneType};
use kgents_core::plan::{self, Live, Observed, Pod, Resource, Subject};
use kgents_store::key::encoded;
use kgents_store::planned::Missing;
use kgents_store::{Key, Kind};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::error::SourceError;
use crate::kube::{Ask, PAGE, Wire, segment, words};

/// How many requests may be under way.
const AT_ONCE: usize = 8;
/// How many pages of a list are read. Nobody is made into more.
const MAX_PAGES: usize = 4;
/// How a peer is named that is no one agent but all of a genus.
const GENUS: &str = "genus:";

/// Objects as they came, by what identifies them in their namespace.
type Found = BTreeMap<(Resource, String), Value>;

/// Reads what stands around one object, side by side, and remembers what it
/// could not read.
pub(super) struct Around<'a> {
    wire: &'a Wire,
    key: &'a Key,
    turns: Semaphore,
    missing: Mutex<Vec<Missing>>,
}

impl<'a> Around<'a> {
    pub(super) fn new(wire: &'a Wire, key: &'a Key) -> Self {
        Self { wire, key, turns: Semaphore::new(AT_ONCE), missing: Mutex::default() }
    }

    /// What could not be read, in the order of the resources' names.
    pub(super) fn missing(&self) -> Vec<Missing> {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        missing.sort_by(|one, other| one.resource.cmp(&other.resource));
        missing
    }

    /// What a plan for the subject must know.
    pub(super) async fn observe(&self, subject: Subject<'_>) -> Observed {
        match subject {
            Subject::Agent(agent) => self.agent(subject, agent).await,
            Subject::Memory(memory) => {
                let labels = (LABEL_MEMORY, &[Resource::PersistentVolumeClaim][..]);
                self.child_of(subject, labels, &memory.spec.owner).await
            }
            Subject::Umwelt(umwelt) => self.child_of(subject, (LABEL_AGENT, &[]), &umwelt.spec.agent).await,
            Subject::Pheromone(pheromone) if pheromone.spec.type_ == PheromoneType::Chaos => {
                let target = pheromone.spec.target.as_deref();
                let labels = target.map_or_else(|| LABEL_AGENT.to_owned(), |name| format!("{LABEL_AGENT}={name}"));
                let pods = self.list(Resource::Pod, &labels).await;
                let pods = self.or_missing(Resource::Pod.plural(), pods, true).unwrap_or_default();
                Observed { pods: pods.iter().map(|pod| Arc::new(Pod::read(pod))).collect(), ..Observed::default() }
            }
            Subject::Pheromone(_) => Observed::default(),
        }
    }

    async fn agent(&self, subject: Subject<'_>, agent: &Agent) -> Observed {
        let spec = &agent.spec;
        let peers = spec.network_policy.allowed_peers.iter().filter(|peer| !peer.starts_with(GENUS));
        let (found, pods, agents, memory, umwelt) = futures::join!(
            self.children(subject, (LABEL_AGENT, &Resource::CHILDREN)),
            self.labelled(Resource::Pod, LABEL_AGENT),
            self.agents(peers.map(String::as_str).collect()),
            self.named(Resource::Memory, spec.memory.as_deref()),
            self.named(Resource::Umwelt, spec.umwelt.as_deref()),
        );
        let pods = self.or_missing(Resource::Pod.plural(), pods, true).unwrap_or_default();
        // What is named nowhere is the automatic one.
        let own = |resource: Resource| {
            let child = plan::children(subject).into_iter().find(|child| child.resource == resource)?;
            found.get(&(resource, child.name)).cloned()
        };
        let memory = if spec.memory.is_some() { memory } else { own(Resource::Memory) };
        let umwelt = if spec.umwelt.is_some() { umwelt } else { own(Resource::Umwelt) };
        Observed {
            memory: self.typed(Resource::Memory, memory),
            umwelt: self.typed(Resource::Umwelt, umwelt),
            pods: pods.iter().map(|pod| Arc::new(Pod::read(pod))).collect(),
            children: self.lives(found),
            agents,
            ..Observed::default()
        }
    }

    /// What is made for a Memory or an Umwelt, and whether its agent is there.
    async fn child_of(&self, subject: Subject<'_>, labels: (&str, &[Resource]), agent: &str) -> Observed {
        let agents = if agent.is_empty() { BTreeSet::new() } else { BTreeSet::from([agent]) };
        let (found, agents) = futures::join!(self.children(subject, labels), self.agents(agents));
        Observed { children: self.lives(found), agents, ..Observed::default() }
    }

    /// What carries the subject's label, of each of these resources, and what
    /// bears the name of one of its children.
    async fn children(&self, subject: Subject<'_>, (label, resources): (&str, &[Resource])) -> Found {
        let lists = join_all(resources.iter().map(|resource| self.labelled(*resource, label))).await;
        let (mut found, mut unlisted) = (Found::new(), BTreeMap::new());
        for (resource, list) in resources.iter().zip(lists) {
            match list {
                Ok(items) => {
                    let named = |item: Value| {
                        let name = item.pointer("/metadata/name")?.as_str()?.to_owned();
                        Some(((*resource, name), item))
                    };
                    found.extend(items.into_iter().filter_map(named));
                }
                Err(error) => drop(unlisted.insert(*resource, error)),
            }
        }
        let names = plan::children(subject).into_iter().map(|child| (child.resource, child.name));
        let names: Vec<(Resource, String)> = names.filter(|name| !found.contains_key(name)).collect();
        let objects = join_all(names.iter().map(|(resource, name)| self.get(*resource, name))).await;
        for (name, object) in names.into_iter().zip(objects) {
            let resource = name.0;
            match object {
                Ok(Some(object)) => drop(found.insert(name, object)),
                Ok(None) => {}
                Err(error) => {
                    unlisted.remove(&resource);
                    self.lack(resource.plural(), &error, true);
                }
            }
        }
        // Those that have a name of their own are known; that there are no
        // others is not.
        for (resource, error) in unlisted {
            self.lack(resource.plural(), &error, false);
        }
        found
    }

    fn lives(&self, found: Found) -> BTreeMap<(Resource, String), Arc<Live>> {
        let live = |(name, object): ((Resource, String), Value)| match Live::read(name.0, &object) {
            Ok(live) => Some((name, Arc::new(live))),
            Err(problem) => {
                self.unreadable(name.0, &name.1, &problem);
                None
            }
        };
        found.into_iter().filter_map(live).collect()
    }

    /// Those of these names that are agents here.
    async fn agents(&self, names: BTreeSet<&str>) -> BTreeSet<String> {
        let answers = join_all(names.iter().map(|name| async {
            // What cannot be a name is nobody's.
            if segment("name", name).is_err() {
                return Ok(false);
            }
            let _turn = self.turns.acquire().await;
            self.wire.get(Kind::Agent, self.key.namespace(), name).await.map(|_| true)
        }))
        .await;
        let mut there = BTreeSet::new();
        for (name, answer) in names.into_iter().zip(answers) {
            match answer {
                Ok(true) => drop(there.insert(name.to_owned())),
                Ok(false) | Err(SourceError::NotFound { .. }) => {}
                Err(error) => self.lack(Kind::Agent.plural(), &error, true),
            }
        }
        there
    }

    /// The object that a spec names, if it names one and there is one.
    async fn named(&self, resource: Resource, name: Option<&str>) -> Option<Value> {
        let answer = self.get(resource, name?).await;
        self.or_missing(resource.plural(), answer, true).flatten()
    }

    fn typed<T: DeserializeOwned>(&self, resource: Resource, object: Option<Value>) -> Option<Arc<T>> {
        let mut object = object?;
        // A list says this once, for all that stands in it.
        for (name, word) in [("apiVersion", resource.api_version()), ("kind", resource.kind())] {
            if object.get(name).is_none() {
                object[name] = word.into();
            }
        }
        let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned();
        match serde_json::from_value(object) {
            Ok(typed) => Some(Arc::new(typed)),
            Err(error) => {
                self.unreadable(resource, &name, &error.to_string());
                None
            }
        }
    }

    async fn get(&self, resource: Resource, name: &str) -> Result<Option<Value>, SourceError> {
        let (namespace, name) = (self.key.namespace(), segment("name", name)?);
        let ask = self.ask("get", resource).named(name);
        let _turn = self.turns.acquire().await;
        match self.wire.json(&ask, &resource.path(namespace, name)).await {
            Ok(object) => Ok(Some(object)),
            Err(SourceError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All of a resource that carry a label with the subject's name.
    async fn labelled(&self, resource: Resource, label: &str) -> Result<Vec<Value>, SourceError> {
        self.list(resource, &format!("{label}={}", self.key.name())).await
    }

    /// All of a resource that a label selector selects.
    async fn list(&self, resource: Resource, labels: &str) -> Result<Vec<Value>, SourceError> {
        let namespace = self.key.namespace();
        let (ask, labels) = (self.ask("list", resource), encoded(labels));
        let (mut items, mut next) = (Vec::new(), String::new());
        let _turn = self.turns.acquire().await;
        for _ in 0..MAX_PAGES {
            let collection = resource.collection(Some(namespace));
            let after = if next.is_empty() { String::new() } else { format!("&continue={}", encoded(&next)) };
            let path = format!("{collection}?limit={PAGE}&labelSelector={labels}{after}");
            let mut page = self.wire.json(&ask, &path).await?;
            page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().clone_into(&mut next);
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            if next.is_empty() {
                break;
            }
        }
        Ok(items)
    }

    fn ask(&self, verb: &'static str, resource: Resource) -> Ask {
        let name = match resource.group() {
            "" => resource.plural().to_owned(),
            group => format!("{}.{group}", resource.plural()),
        };
        Ask { namespace: Some(self.key.namespace().to_owned()), ..Ask::new(verb, &name) }
    }

    fn or_missing<T>(&self, resource: &str, answer: Result<T, SourceError>, is_guess: bool) -> Option<T> {
        answer.map_err(|error| self.lack(resource, &error, is_guess)).ok()
    }

    fn lack(&self, resource: &str, error: &SourceError, is_guess: bool) {
        self.note(Missing { resource: resource.to_owned(), said: error.to_string(), is_guess, hint: error.hint() });
    }

    fn unreadable(&self, resource: Resource, name: &str, problem: &str) {
        let said = format!("{} {} cannot be read: {}", resource.kind(), words::clean(name), words::clean(problem));
        self.note(Missing { resource: resource.plural().to_owned(), said, is_guess: true, hint: None });
    }

    /// Notes what is missing, once for each resource.
    fn note(&self, new: Missing) {
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        match missing.iter_mut().find(|known| known.resource == new.resource) {
            Some(known) if known.is_guess || !new.is_guess => {}
            Some(known) => *known = new,
            None => missing.push(new),
        }
    }
}
