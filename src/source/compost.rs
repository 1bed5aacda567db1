//! What agents left behind to be composted, and its sweeping.
//!
//! What may go is decided by [`kgents_core::plan`]; here it is read so that
//! nothing is taken for left behind that is not: first what may go, then the
//! agents, and before each deletion once more its own agent.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kgents_api::memory::RetentionPolicy;
use kgents_api::{LABEL_AGENT, LABEL_MEMORY, LABEL_RETENTION, Memory};
use kgents_core::plan::{Facts, Live, Resource, is_compost, sweepable};
use kgents_store::Kind;
use kgents_store::key::encoded;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::SourceError;
use crate::kube::{Ask, PAGE, Wire, segment, words};

/// Something that an agent left behind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leftover {
    /// Memory, or `PersistentVolumeClaim`.
    #[serde(rename = "kind")]
    pub resource: Resource,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: what is swept is this one, and no other of its name.
    pub uid: String,
    /// The agent that is gone.
    pub agent: String,
    /// Its size, as Kubernetes writes it.
    pub size: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    #[serde(skip)]
    version: String,
}

/// What was left behind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compost {
    /// Memories first: a claim whose Memory stays would be made again.
    pub items: Vec<Leftover>,
    /// What could not be looked at, a sentence each: nothing of it is in `items`.
    pub problems: Vec<String>,
}

/// How the sweeping of one thing ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    /// It is deleted, or on its way.
    Deleted,
    /// It was gone already.
    Gone,
    /// It is not what it was when it was listed, or its agent has come back: it
    /// is left alone.
    Changed,
}

pub(crate) async fn find(wire: &Wire, namespace: Option<&str>) -> Result<Compost, SourceError> {
    let label = format!("{LABEL_RETENTION}={}", RetentionPolicy::Compost.as_str());
    let claims = list(wire, Resource::PersistentVolumeClaim, namespace, Some(&label));
    let memories = list(wire, Resource::Memory, namespace, None);
    let (claims, memories) = futures::try_join!(claims, memories)?;
    // Last: an agent that comes meanwhile is seen.
    let agents = agents(wire, namespace).await?;
    let mut all = judge(&claims, memories, &agents);
    let place = |item: &Leftover| (item.resource != Resource::Memory, item.namespace.clone(), item.name.clone());
    all.items.sort_by_key(place);
    Ok(all)
}

/// What of this may go.
fn judge(claims: &[Value], memories: Vec<Value>, agents: &BTreeSet<(String, String)>) -> Compost {
    let mut all = Compost::default();
    let lives = |namespace: &str, agent: &str| agents.contains(&(namespace.to_owned(), agent.to_owned()));
    // Of each Memory that is there, whether it goes too.
    let mut goes: BTreeMap<(String, String), bool> = BTreeMap::new();
    for json in memories {
        let Some((namespace, name)) = place(&json) else { continue };
        let mut going = false;
        match serde_json::from_value::<Memory>(json) {
            Ok(memory) if is_compost(&memory, lives(&namespace, &memory.spec.owner)) => {
                going = true;
                all.items.push(of_memory(&namespace, &name, memory));
            }
            Ok(_) => {}
            Err(error) => all.problems.push(unreadable("Memory", &namespace, &name, &error.to_string())),
        }
        goes.insert((namespace, name), going);
    }
    for json in claims {
        let Some((namespace, name)) = place(json) else { continue };
        let live = match Live::read(Resource::PersistentVolumeClaim, json) {
            Ok(live) => live,
            Err(problem) => {
                all.problems.push(unreadable("PersistentVolumeClaim", &namespace, &name, &problem));
                continue;
            }
        };
        let label = |key: &str| live.labels.get(key).cloned().unwrap_or_default();
        let agent = label(LABEL_AGENT);
        // The label of a long name is no whole name; but a claim has its Memory's.
        let is_wanted = |memory: String| goes.get(&(namespace.clone(), memory)) == Some(&false);
        // A claim that names no agent may be anybody's.
        let stays = agent.is_empty() || is_wanted(label(LABEL_MEMORY)) || is_wanted(name.clone());
        if !stays && sweepable(&live, lives(&namespace, &agent)) {
            all.items.push(of_claim(namespace, name, agent, live));
        }
    }
    all
}

fn of_memory(namespace: &str, name: &str, memory: Memory) -> Leftover {
    let metadata = memory.metadata;
    Leftover {
        resource: Resource::Memory,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: metadata.uid.unwrap_or_default(),
        agent: memory.spec.owner,
        size: Some(memory.spec.size.to_string()),
        created: metadata.creation_timestamp.map(|time| time.0),
        version: metadata.resource_version.unwrap_or_default(),
    }
}

fn of_claim(namespace: String, name: String, agent: String, live: Live) -> Leftover {
    let size = match live.facts {
        Facts::Claim(claim) => claim.capacity.or(claim.requested),
        _ => None,
    };
    Leftover {
        resource: Resource::PersistentVolumeClaim,
        namespace,
        name,
        uid: live.uid,
        agent,
        size,
        created: live.created,
        version: live.resource_version,
    }
}

fn place(json: &Value) -> Option<(String, String)> {
    let text = |pointer: &str| json.pointer(pointer)?.as_str().map(str::to_owned);
    Some((text("/metadata/namespace")?, text("/metadata/name")?))
}

fn unreadable(kind: &str, namespace: &str, name: &str, problem: &str) -> String {
    format!("{kind} {}/{} cannot be read: {}", words::clean(namespace), words::clean(name), words::clean(problem))
}

/// The agents by namespace and name, also those that cannot be decoded.
async fn agents(wire: &Wire, namespace: Option<&str>) -> Result<BTreeSet<(String, String)>, SourceError> {
    let (mut all, mut next) = (BTreeSet::new(), None);
    loop {
        let page = wire.page(Kind::Agent, namespace, None, None, next).await?;
        all.extend(page.items.iter().map(|agent| (agent.key.namespace().to_owned(), agent.key.name().to_owned())));
        next = page.next;
        if next.is_none() {
            return Ok(all);
        }
    }
}

async fn list(
    wire: &Wire,
    resource: Resource,
    namespace: Option<&str>,
    labels: Option<&str>,
) -> Result<Vec<Value>, SourceError> {
    let namespace = namespace.map(|namespace| segment("namespace", namespace)).transpose()?;
    let ask = Ask { namespace: namespace.map(str::to_owned), ..Ask::new("list", &named(resource)) };
    let labels = encoded(labels.unwrap_or_default());
    let (mut items, mut next) = (Vec::new(), String::new());
    loop {
        let collection = resource.collection(namespace);
        let path = format!("{collection}?limit={PAGE}&labelSelector={labels}&continue={}", encoded(&next));
        let mut page = wire.json(&ask, &path).await?;
        page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().clone_into(&mut next);
        if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
            items.extend(found.into_iter().map(|item| whole(resource, item)));
        }
        if next.is_empty() {
            return Ok(items);
        }
    }
}

/// A list says once what kind all that stands in it is.
fn whole(resource: Resource, mut item: Value) -> Value {
    for (name, word) in [("apiVersion", resource.api_version()), ("kind", resource.kind())] {
        if item.get(name).is_none() {
            item[name] = word.into();
        }
    }
    item
}

pub(crate) async fn sweep(wire: &Wire, item: &Leftover) -> Result<Swept, SourceError> {
    let (namespace, name) = (segment("namespace", &item.namespace)?, segment("name", &item.name)?);
    if segment("name", &item.agent).is_ok() {
        match wire.get(Kind::Agent, namespace, &item.agent).await {
            Err(SourceError::NotFound { .. }) => {}
            Ok(_) => return Ok(Swept::Changed),
            Err(error) => return Err(error),
        }
    }
    let ask = Ask { namespace: Some(namespace.to_owned()), ..Ask::new("delete", &named(item.resource)).named(name) };
    // Also its version: what was kept meanwhile is not lost.
    let body = json!({
        "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        "preconditions": { "uid": item.uid, "resourceVersion": item.version },
    });
    match wire.delete(&ask, &item.resource.path(namespace, name), &body).await {
        Ok(()) => Ok(Swept::Deleted),
        Err(SourceError::NotFound { .. }) => Ok(Swept::Gone),
        Err(SourceError::Conflict { .. }) => Ok(Swept::Changed),
        Err(error) => Err(error),
    }
}

/// The resource as RBAC names it.
fn named(resource: Resource) -> String {
    match resource.group() {
        "" => resource.plural().to_owned(),
        group => format!("{}.{group}", resource.plural()),
    }
}

#[cfg(test)]
mod tests;
