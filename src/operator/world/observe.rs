//! What plans see of the world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use kgents_api::{Agent, Memory, PheromoneType, Umwelt};
use kgents_core::plan::{self, Child, Live, Observed, Resource};

use super::{Inner, Place, Tie, World};
use crate::intake::{Content, Unreadable};
use crate::key::{Controller, Key, Kind, Subject};

/// A custom resource with what is known around it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The resource, or why it cannot be read.
    pub subject: Result<Subject, Arc<Unreadable>>,
    /// Its uid.
    pub uid: String,
    /// What plans are made from.
    pub observed: Observed,
    /// Objects of which no watch tells, each with the moment from which on it
    /// has to be asked for again.
    pub unwatched: Vec<(Child, Timestamp)>,
}

/// The name of the Memory that an agent keeps.
pub(super) fn memory_of(agent: &Agent) -> String {
    agent.spec.memory.clone().unwrap_or_else(|| format!("{}-memory", name(agent)))
}

/// The name of the Umwelt that an agent lives in.
pub(super) fn umwelt_of(agent: &Agent) -> String {
    agent.spec.umwelt.clone().unwrap_or_else(|| format!("{}-umwelt", name(agent)))
}

fn name(agent: &Agent) -> &str {
    agent.metadata.name.as_deref().unwrap_or_default()
}

/// The agents that an agent names as its peers.
pub(super) fn peers_of(agent: &Agent) -> impl Iterator<Item = &str> {
    agent.spec.network_policy.allowed_peers.iter().map(String::as_str).filter(|peer| !peer.contains(':'))
}

impl World {
    /// What is known of a key and around it; `None` when there is no such
    /// object, or it is not ours to look after.
    pub fn observe(&self, key: &Key) -> Option<Seen> {
        let inner = self.lock();
        let place = (key.namespace.clone(), key.name.clone());
        let slot = inner.shelves.get(&Kind::from(key.controller))?.get(&place)?;
        if !inner.is_ours(key, self.selector.as_ref()) {
            return None;
        }
        let Content::Subject(subject, ..) = &slot.content else { return None };
        let mut unwatched = Vec::new();
        let mut observed = match subject {
            Ok(subject) => inner.around(subject, &place, &slot.uid, &mut unwatched),
            Err(_) => Observed::default(),
        };
        let faults = inner.faults.get(key).into_iter().flatten();
        observed.faults = faults.map(|(_, (fault, _))| fault.clone()).collect();
        observed.faults.sort_by(|one, two| one.child.cmp(&two.child));
        Some(Seen { subject: subject.clone(), uid: slot.uid.clone(), observed, unwatched })
    }
}

impl Inner {
    fn around(&self, subject: &Subject, place: &Place, uid: &str, unwatched: &mut Vec<(Child, Timestamp)>) -> Observed {
        let namespace = &place.0;
        let mut children: BTreeMap<(Resource, String), Arc<Live>> = BTreeMap::new();
        let mut add = |resource: Resource, name: &str| {
            let at = (namespace.clone(), name.to_owned());
            let Some(slot) = self.shelves.get(&Kind::Of(resource)).and_then(|shelf| shelf.get(&at)) else { return };
            let Some(live) = slot.content.live() else { return };
            if children.insert((resource, name.to_owned()), Arc::clone(live)).is_none()
                && let Some(until) = slot.until
            {
                unwatched.push((Child { resource, namespace: namespace.clone(), name: name.to_owned() }, until));
            }
        };
        for child in plan::children(subject.plan()) {
            add(child.resource, &child.name);
        }
        let label = match subject {
            Subject::Agent(_) => Some(Tie::Agent(place.clone())),
            Subject::Memory(_) => Some(Tie::Memory(place.clone())),
            Subject::Umwelt(_) | Subject::Pheromone(_) => None,
        };
        for tie in label.into_iter().chain([Tie::Controller(uid.to_owned())]) {
            for (resource, at) in self.tied.get(&tie).into_iter().flatten().filter(|(_, at)| at.0 == *namespace) {
                add(*resource, &at.1);
            }
        }
        let mut observed = Observed { children, ..Observed::default() };
        match subject {
            Subject::Agent(agent) => {
                observed.pods = self.pods_of(place);
                observed.memory = self.memory(namespace, &memory_of(agent));
                observed.umwelt = self.umwelt(namespace, &umwelt_of(agent));
                observed.agents = self.agents(namespace, peers_of(agent));
            }
            Subject::Memory(memory) => observed.agents = self.agents(namespace, [memory.spec.owner.as_str()]),
            Subject::Umwelt(umwelt) => observed.agents = self.agents(namespace, [umwelt.spec.agent.as_str()]),
            Subject::Pheromone(pheromone) if pheromone.spec.type_ == PheromoneType::Chaos => {
                observed.pods = match &pheromone.spec.target {
                    Some(agent) => self.pods_of(&(namespace.clone(), agent.clone())),
                    None => self.all_pods(namespace),
                };
            }
            Subject::Pheromone(_) => {}
        }
        observed
    }

    fn pods_of(&self, agent: &Place) -> Vec<Arc<plan::Pod>> {
        let Some(pods) = self.shelves.get(&Kind::Of(Resource::Pod)) else { return Vec::new() };
        let names = self.pods.get(agent).into_iter().flatten();
        let pod = |name: &String| match &pods.get(&(agent.0.clone(), name.clone()))?.content {
            Content::Pod(pod, _) => Some(Arc::clone(pod)),
            _ => None,
        };
        names.filter_map(pod).collect()
    }

    /// The pods of all agents of a namespace.
    fn all_pods(&self, namespace: &str) -> Vec<Arc<plan::Pod>> {
        let agents = self.pods.keys().filter(|(of, agent)| of == namespace && !agent.is_empty());
        agents.flat_map(|agent| self.pods_of(agent)).collect()
    }

    fn memory(&self, namespace: &str, name: &str) -> Option<Arc<Memory>> {
        match self.subject(Controller::Memory, &(namespace.to_owned(), name.to_owned()))? {
            Subject::Memory(memory) => Some(Arc::clone(memory)),
            _ => None,
        }
    }

    fn umwelt(&self, namespace: &str, name: &str) -> Option<Arc<Umwelt>> {
        match self.subject(Controller::Umwelt, &(namespace.to_owned(), name.to_owned()))? {
            Subject::Umwelt(umwelt) => Some(Arc::clone(umwelt)),
            _ => None,
        }
    }

    /// Those of the names that are agents of this namespace, readable or not.
    fn agents<'a>(&self, namespace: &str, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
        let Some(agents) = self.shelves.get(&Kind::Agent) else { return BTreeSet::new() };
        let is_there = |name: &&str| agents.get(&(namespace.to_owned(), (*name).to_owned())).is_some();
        names.into_iter().filter(is_there).map(str::to_owned).collect()
    }
}
