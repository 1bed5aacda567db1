//! What an agent was made into.

use futures::future::join_all;
use jiff::Timestamp;
use kgents_api::LABEL_AGENT;
use kgents_store::key::encoded;
use kgents_store::object::{DeploymentFacts, Object, PodFacts, decode};
use kgents_store::request::{Answer, Child};
use kgents_store::{Key, Kind, sanitize};
use serde_json::Value;

use super::desk::Line;
use super::failure::Failure;
use crate::error::SourceError;
use crate::kube::{Ask, PAGE, segment, words};

/// A kind of objects that agents are made into.
struct Sort {
    kind: &'static str,
    /// Where its group is served.
    root: &'static str,
    /// The resource with its group, as RBAC names it.
    resource: &'static str,
    /// How one stands; `None` where its name says all.
    say: Option<fn(&Value) -> Said>,
}

/// How an object stands, and whether something is wrong with it.
type Said = (String, bool);

/// In the order in which they are shown.
const SORTS: [Sort; 10] = [
    Sort { kind: "Deployment", root: "/apis/apps/v1", resource: "deployments.apps", say: Some(deployment) },
    Sort { kind: "Pod", root: "/api/v1", resource: "pods", say: Some(pod) },
    Sort { kind: "Service", root: "/api/v1", resource: "services", say: Some(service) },
    Sort { kind: "ServiceAccount", root: "/api/v1", resource: "serviceaccounts", say: None },
    Sort { kind: "ConfigMap", root: "/api/v1", resource: "configmaps", say: None },
    Sort {
        kind: "NetworkPolicy",
        root: "/apis/networking.k8s.io/v1",
        resource: "networkpolicies.networking.k8s.io",
        say: None,
    },
    Sort { kind: "PersistentVolumeClaim", root: "/api/v1", resource: "persistentvolumeclaims", say: Some(claim) },
    Sort {
        kind: "PodDisruptionBudget",
        root: "/apis/policy/v1",
        resource: "poddisruptionbudgets.policy",
        say: Some(disruption),
    },
    Sort { kind: "Memory", root: "/apis/kgents.io/v1", resource: "memories.kgents.io", say: Some(conditions) },
    Sort { kind: "Umwelt", root: "/apis/kgents.io/v1", resource: "umwelts.kgents.io", say: Some(conditions) },
];

/// Lists every sort of child side by side. One that may not be listed is told
/// as such, and the others are still shown.
pub(super) async fn children(line: &Line, agent: &Key) -> Result<Answer, Failure> {
    let (namespace, name) = (segment("namespace", agent.namespace())?, segment("name", agent.name())?);
    let lists = join_all(SORTS.iter().map(|sort| list(line, sort, namespace, name))).await;
    // Where nobody answers at all, that is the answer.
    if let Some(Err(error)) = lists.first()
        && lists.iter().all(|list| list.as_ref().is_err_and(SourceError::is_silence))
    {
        return Err(error.clone().into());
    }
    let mut children = Vec::new();
    for (sort, list) in SORTS.iter().zip(lists) {
        match list {
            Ok(found) => children.extend(found),
            Err(error) => children.push(Child {
                kind: sort.kind.to_owned(),
                name: String::new(),
                said: error.to_string(),
                trouble: true,
                made: None,
            }),
        }
    }
    Ok(Answer::Children(children))
}

async fn list(line: &Line, sort: &Sort, namespace: &str, agent: &str) -> Result<Vec<Child>, SourceError> {
    let ask = Ask { namespace: Some(namespace.to_owned()), ..Ask::new("list", sort.resource) };
    let plural = sort.resource.split('.').next().unwrap_or_default();
    let labels = encoded(&format!("{LABEL_AGENT}={agent}"));
    let path = format!("{}/namespaces/{namespace}/{plural}?limit={PAGE}&labelSelector={labels}", sort.root);
    let mut list = match sort.say {
        Some(_) => line.wire.json(&ask, &path).await?,
        None => line.wire.names(&ask, &path).await?,
    };
    sanitize::value(&mut list);
    let items = list.pointer("/items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut children: Vec<Child> = items.iter().map(|item| child(sort, item)).collect();
    if list.pointer("/metadata/continue").and_then(Value::as_str).is_some_and(|next| !next.is_empty()) {
        children.push(Child {
            kind: sort.kind.to_owned(),
            name: "…".to_owned(),
            said: format!("and more than these: kubectl get {} -n {namespace} -l {LABEL_AGENT}={agent}", sort.resource),
            trouble: false,
            made: None,
        });
    }
    Ok(children)
}

fn child(sort: &Sort, item: &Value) -> Child {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str);
    let (mut said, mut trouble) = sort.say.map(|say| say(item)).unwrap_or_default();
    if text("/metadata/deletionTimestamp").is_some() {
        // That something is not ready while it goes is no trouble.
        (said, trouble) = (joined(&["going", &said]), false);
    }
    Child {
        kind: sort.kind.to_owned(),
        name: text("/metadata/name").unwrap_or_default().to_owned(),
        said: words::clean(&said),
        trouble,
        made: text("/metadata/creationTimestamp").and_then(|at| at.parse::<Timestamp>().ok()),
    }
}

fn joined(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

fn deployment(item: &Value) -> Said {
    let Ok(Object::Deployment(facts)) = decode(Kind::Deployment, &item.to_string()).map(|decoded| decoded.object)
    else {
        return ("cannot be read".to_owned(), true);
    };
    let DeploymentFacts { wanted, ready, trouble, .. } = &*facts;
    let said = joined(&[&format!("{ready}/{wanted} ready"), trouble.as_deref().unwrap_or_default()]);
    (said, trouble.is_some())
}

fn pod(item: &Value) -> Said {
    let Ok(Object::Pod(facts)) = decode(Kind::Pod, &item.to_string()).map(|decoded| decoded.object) else {
        return ("cannot be read".to_owned(), true);
    };
    let PodFacts { phase, ready, containers, restarts, trouble, last_end, .. } = &*facts;
    let restarts = match restarts {
        0 => String::new(),
        1 => "1 restart".to_owned(),
        many => format!("{many} restarts"),
    };
    let ended = last_end.as_ref().map(|end| format!("last ended by {}", end.reason)).unwrap_or_default();
    let ready = format!("{ready}/{containers} ready");
    let said = joined(&[phase, &ready, &restarts, &ended, trouble.as_deref().unwrap_or_default()]);
    (said, trouble.is_some() || phase == "Failed")
}

fn service(item: &Value) -> Said {
    let type_ = item.pointer("/spec/type").and_then(Value::as_str).unwrap_or("ClusterIP");
    let ports = item.pointer("/spec/ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let port = |port: &Value| {
        let number = port.get("port").and_then(Value::as_i64)?;
        let name = port.get("name").and_then(Value::as_str).unwrap_or_default();
        Some(format!("{number} {name}").trim_end().to_owned())
    };
    let ports: Vec<String> = ports.iter().filter_map(port).collect();
    (joined(&[type_, &ports.join(", ")]), false)
}

fn claim(item: &Value) -> Said {
    let phase = item.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
    let has = item.pointer("/status/capacity/storage").or_else(|| item.pointer("/spec/resources/requests/storage"));
    // Pending is how a claim waits for the first pod that mounts it.
    (joined(&[phase, has.and_then(Value::as_str).unwrap_or_default()]), phase == "Lost")
}

fn disruption(item: &Value) -> Said {
    let number = |pointer: &str| item.pointer(pointer).and_then(Value::as_i64);
    match (number("/status/currentHealthy"), number("/status/desiredHealthy"), number("/status/disruptionsAllowed")) {
        (Some(now), Some(wanted), Some(allowed)) => {
            (format!("{now} healthy, {wanted} needed, {allowed} may go"), now < wanted)
        }
        _ => (String::new(), false),
    }
}

/// The first condition that is not as it should be.
fn conditions(item: &Value) -> Said {
    let phase = item.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
    let conditions = item.pointer("/status/conditions").and_then(Value::as_array).map(Vec::as_slice);
    let wrong = conditions.unwrap_or_default().iter().find(|condition| match condition["type"].as_str() {
        Some("Ready") => condition["status"] == "False",
        Some("Stalled") => condition["status"] == "True",
        _ => false,
    });
    match wrong {
        Some(condition) => {
            let text = |name: &str| condition.get(name).and_then(Value::as_str).unwrap_or_default();
            (joined(&[phase, text("reason"), text("message")]), true)
        }
        None => (phase.to_owned(), false),
    }
}

#[cfg(test)]
mod tests;
