//! Acts: sent once, exactly as a confirmation showed them.

use jiff::Timestamp;
use kgents_store::request::{Act, Answer, Seen};
use kgents_store::{Key, Kind, act, sanitize};
use serde_json::Value;

use super::desk::Line;
use super::failure::Failure;
use crate::error::{SourceError, kubectl, quoted};
use crate::kube::{Ask, Undone, segment, words};

/// Does it, or says why not.
pub(super) async fn perform(line: &Line, act: &Act, now: Timestamp) -> Result<Answer, Failure> {
    check(act)?;
    let user = match act {
        Act::Decide { .. } => line.user().await?,
        _ => "",
    };
    let before = match act {
        Act::Scale { agent, .. } => replicas(line, agent).await?,
        _ => None,
    };
    let wire = act::wire(act, user, now);
    let ask = asked(act, &wire);
    match line.wire.perform(&ask, &wire).await {
        Ok(text) => Ok(Answer::Done(done(act, user, before, &text))),
        Err(undone) => Err(refused(act, undone, line)),
    }
}

/// What must not even be sent.
fn check(act: &Act) -> Result<(), Failure> {
    let (namespace, name, seen) = match act {
        Act::Decide { proposal, seen, .. } => (proposal.namespace(), Some(proposal.name()), Some((seen, true))),
        Act::Delete { key, seen, .. } => (key.namespace(), Some(key.name()), Some((seen, false))),
        Act::Scale { agent, .. } => (agent.namespace(), Some(agent.name()), None),
        Act::Emit { namespace, .. } => (namespace.as_str(), None, None),
    };
    segment("namespace", namespace)?;
    name.map(|name| segment("name", name)).transpose()?;
    // An API server takes an empty precondition as none.
    if let Some((Seen { uid, resource_version }, version_counts)) = seen
        && (uid.is_empty() || version_counts && resource_version.is_empty())
    {
        let what = act::sentence(act);
        return Err(Failure::new(format!("will not {what}: it is not known which version of it you looked at")));
    }
    Ok(())
}

/// What is asked, as RBAC names it.
fn asked(act: &Act, wire: &act::Wire) -> Ask {
    let verb = match wire.verb {
        "POST" => "create",
        "DELETE" => "delete",
        _ => "patch",
    };
    let (kind, key) = object(act);
    let ask = Ask::of(verb, kind, Some(key.namespace())).sub(wire.subresource);
    if key.name().is_empty() { ask } else { ask.named(key.name()) }
}

/// What an act is about; what is not there yet has no name.
fn object(act: &Act) -> (Kind, Key) {
    match act {
        Act::Decide { proposal, .. } => (Kind::Proposal, proposal.clone()),
        Act::Emit { namespace, .. } => (Kind::Pheromone, Key::new(namespace, "")),
        Act::Scale { agent, .. } => (Kind::Agent, agent.clone()),
        Act::Delete { kind, key, .. } => (*kind, key.clone()),
    }
}

/// How many pods an agent has by its spec, for the words afterwards. `None`
/// where that may not be read, which stops nobody from scaling.
async fn replicas(line: &Line, agent: &Key) -> Result<Option<i64>, Failure> {
    let ask = Ask::of("get", Kind::Agent, Some(agent.namespace())).named(agent.name()).sub(Some("scale"));
    let path = format!("{}/{}/scale", Kind::Agent.path(Some(agent.namespace())), agent.name());
    match line.wire.json(&ask, &path).await {
        Ok(scale) => Ok(scale.pointer("/spec/replicas").and_then(Value::as_i64)),
        Err(SourceError::Forbidden { .. }) => Ok(None),
        Err(error @ SourceError::NotFound { .. }) => {
            Err(refused_as(&Act::Scale { agent: agent.clone(), replicas: 0 }, error))
        }
        Err(error) => Err(error.into()),
    }
}

/// What the API server made of it, in words.
fn done(act: &Act, user: &str, before: Option<i64>, text: &str) -> String {
    // It was done, whatever the answer looks like.
    let answer: Value = serde_json::from_str(text).unwrap_or_default();
    let said = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or("unknown");
    let words = match act {
        Act::Decide { approve, .. } => {
            let version = said("/metadata/resourceVersion");
            format!("{} as {user}; resource version {version}", if *approve { "approved" } else { "rejected" })
        }
        Act::Emit { namespace, .. } => format!("emitted {} in {namespace}", said("/metadata/name")),
        Act::Scale { replicas, .. } => {
            let now = answer.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or_else(|| i64::from(*replicas));
            let was = before.map(|before| format!(", was {before}")).unwrap_or_default();
            format!("scaled to {now}{was}")
        }
        Act::Delete { kind, key, .. } => {
            let what = format!("{} {}", kind.as_str().to_ascii_lowercase(), key.name());
            match answer.pointer("/metadata/finalizers").and_then(Value::as_array) {
                Some(waits) if !waits.is_empty() => {
                    let waits: Vec<&str> = waits.iter().filter_map(Value::as_str).collect();
                    format!("{what} is going; it waits for {}", waits.join(", "))
                }
                _ if answer.pointer("/metadata/deletionTimestamp").is_some() => format!("{what} is going"),
                _ => format!("{what} deleted"),
            }
        }
    };
    words::clean(&words)
}

/// Why it was not done, or that nobody knows whether it was.
fn refused(act: &Act, undone: Undone, line: &Line) -> Failure {
    let Undone { error, perhaps_done } = undone;
    if perhaps_done {
        let what = act::sentence(act);
        let mut failure = Failure::from(error);
        let said = &failure.problem.said;
        failure.problem.said = format!("{said}: it is not known whether it was done ({what})");
        return failure.hint(kubectl(&look(act), line.wire.origin()));
    }
    refused_as(act, error)
}

/// A certain no, in the words of the act.
fn refused_as(act: &Act, error: SourceError) -> Failure {
    let (kind, key) = object(act);
    let what = format!("{} {}", kind.as_str().to_ascii_lowercase(), sanitize::text(key.name()));
    let said = match &error {
        SourceError::NotFound { resource, name, .. } if resource == "namespaces" => {
            Some(format!("there is no namespace {name}"))
        }
        SourceError::NotFound { .. } => Some(format!("{what} is gone from {}", sanitize::text(key.namespace()))),
        // Of several owners of one field, its own words say who the others are.
        SourceError::Conflict { message } if !message.contains("conflict with") => match act {
            Act::Decide { .. } => Some(format!("{what} was changed since you looked at it: {message}")),
            Act::Delete { .. } => Some(format!("another {what} stands there now than you looked at: {message}")),
            Act::Emit { .. } | Act::Scale { .. } => None,
        },
        _ => None,
    };
    let mut failure = Failure::from(error);
    if let Some(said) = said {
        failure.problem.said = said;
    }
    failure
}

/// How to see whether an act was done.
fn look(act: &Act) -> String {
    let (kind, key) = object(act);
    let namespace = quoted(key.namespace());
    match act {
        Act::Emit { .. } => format!("get {} -n {namespace} --sort-by=.metadata.creationTimestamp", kind.resource()),
        _ => format!("get {} {} -n {namespace} -o yaml", kind.resource(), quoted(key.name())),
    }
}
