//! An act as it goes over the wire, and as a person is asked about it.
//!
//! Pure: what a confirmation shows is made by the same function as what is
//! sent, so the two cannot differ but in the moment that a decision names.

use jiff::Timestamp;
use kgents_api::proposal::Decision;
use kgents_api::{API_VERSION, ObjectMeta, Pheromone, PheromoneSpec, yaml};
use serde_json::{Value, json};

use crate::key::{Key, Kind, encoded};
use crate::request::{Act, Seen};
use crate::sanitize;

/// The field manager of what a person changes.
pub const MANAGER: &str = "kgents";
/// What stands before a person's name in the field manager of their decisions.
const APPROVAL: &str = "kgents-approval/";
/// The longest name of a field manager, in bytes; the API server refuses more.
const MAX_MANAGER: usize = 128;

/// One request to the API server.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// `PATCH`, `POST` or `DELETE`.
    pub verb: &'static str,
    /// The path, with the subresource and without a query.
    pub path: String,
    /// The subresource that is changed, if it is not the object itself.
    pub subresource: Option<&'static str>,
    /// Under which name it is changed; a deletion has none.
    pub manager: Option<String>,
    /// What else stands in the query, such as `dryRun=All`; empty for an act.
    pub query: &'static str,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Option<Value>,
}

impl Wire {
    /// The path with its query, as it is sent.
    pub fn uri(&self) -> String {
        let manager = self.manager.as_ref().map(|manager| format!("fieldManager={}", encoded(manager)));
        let extra = Some(self.query.to_owned()).filter(|query| !query.is_empty());
        let query: Vec<String> = manager.into_iter().chain(extra).collect();
        if query.is_empty() { self.path.clone() } else { format!("{}?{}", self.path, query.join("&")) }
    }

    /// What a confirmation shows: verb, path and field manager, then the body
    /// as YAML. Clean for a terminal.
    pub fn lines(&self) -> Vec<String> {
        let manager = self.manager.as_ref().map(|manager| format!("  as {manager}")).unwrap_or_default();
        let mut lines = vec![format!("{} {}{manager}", self.verb, self.path)];
        if let Some(body) = &self.body {
            // JSON that YAML cannot hold does not exist; if it did, it is shown as JSON.
            let text = yaml::to_string(body).unwrap_or_else(|_| body.to_string());
            lines.extend(text.lines().map(str::to_owned));
        }
        lines.iter().map(|line| sanitize::text(line).into_owned()).collect()
    }
}

/// What an act is on the wire. `user` is as whom the API server knows us, and
/// `now` is when the decision is made; only [`Act::Decide`] needs them.
pub fn wire(act: &Act, user: &str, now: Timestamp) -> Wire {
    match act {
        Act::Decide { proposal, seen, approve, reason } => {
            let decision = Decision {
                approver: user.to_owned(),
                at: Some(format!("{now:.0}")),
                reason: reason.clone().filter(|reason| !reason.trim().is_empty()),
            };
            decide(proposal, seen, *approve, &decision)
        }
        Act::Emit { namespace, spec } => emit(namespace, &pheromone(None, (**spec).clone())),
        Act::Scale { agent, replicas } => Wire {
            verb: "PATCH",
            path: format!("{}/scale", object(Kind::Agent, agent)),
            subresource: Some("scale"),
            manager: Some(MANAGER.to_owned()),
            query: "",
            content_type: "application/merge-patch+json",
            body: Some(json!({ "spec": { "replicas": replicas } })),
        },
        Act::Delete { kind, key, seen } => Wire {
            verb: "DELETE",
            path: object(*kind, key),
            subresource: None,
            manager: None,
            query: "",
            content_type: "application/json",
            body: Some(json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": { "uid": seen.uid },
                "propagationPolicy": "Background",
            })),
        },
    }
}

/// What it takes to emit a pheromone.
pub fn emit(namespace: &str, pheromone: &Pheromone) -> Wire {
    Wire {
        verb: "POST",
        path: Kind::Pheromone.path(Some(namespace)),
        subresource: None,
        manager: Some(MANAGER.to_owned()),
        query: "",
        content_type: "application/json",
        body: Some(json!(pheromone)),
    }
}

/// Both lists belong to one field manager. The one that is left out loses what
/// the same person said before: nobody approves and rejects at once.
///
/// The version is what makes another state a conflict, and another object of
/// the same name too: no two states of a cluster share a version. API servers
/// do not compare the uid here; it says which object was meant.
fn decide(proposal: &Key, seen: &Seen, approve: bool, decision: &Decision) -> Wire {
    let list = if approve { "approvals" } else { "rejections" };
    Wire {
        verb: "PATCH",
        path: format!("{}/status", object(Kind::Proposal, proposal)),
        subresource: Some("status"),
        manager: Some(approval_manager(&decision.approver)),
        query: "",
        content_type: "application/apply-patch+yaml",
        body: Some(json!({
            "apiVersion": API_VERSION,
            "kind": Kind::Proposal,
            "metadata": {
                "name": proposal.name(),
                "namespace": proposal.namespace(),
                "uid": seen.uid,
                "resourceVersion": seen.resource_version,
            },
            "status": { list: [decision] },
        })),
    }
}

/// The field manager of a person's decisions: `kgents-approval/<user>`.
///
/// A manager has at most 128 bytes, all printable. What does not fit is
/// replaced or cut, and a hash of the whole name follows, so that two people
/// are still two managers.
pub fn approval_manager(user: &str) -> String {
    let fits = |c: char| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric();
    let room = MAX_MANAGER - APPROVAL.len();
    if user.len() <= room && user.chars().all(fits) {
        return format!("{APPROVAL}{user}");
    }
    let hash = format!("~{:016x}", hash(user.as_bytes()));
    let mut name = String::new();
    for c in user.chars().map(|c| if fits(c) { c } else { '_' }) {
        if name.len() + c.len_utf8() + hash.len() > room {
            break;
        }
        name.push(c);
    }
    format!("{APPROVAL}{name}{hash}")
}

/// FNV-1a: the same in every build, as a manager has to be.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A new pheromone. Without a name the API server makes one of its type, such
/// as `warning-x7k2p`.
pub fn pheromone(name: Option<&str>, spec: PheromoneSpec) -> Pheromone {
    let type_ = spec.type_.as_str().to_ascii_lowercase().replace('_', "-");
    let generate_name = name.is_none().then(|| format!("{type_}-"));
    let metadata = ObjectMeta { name: name.map(str::to_owned), generate_name, ..ObjectMeta::default() };
    Pheromone { metadata, spec }
}

/// The path of an object.
fn object(kind: Kind, key: &Key) -> String {
    format!("{}/{}", kind.path(Some(key.namespace())), encoded(key.name()))
}

/// What an act does, in a few words that complete "this will …".
pub fn sentence(act: &Act) -> String {
    let said = match act {
        Act::Decide { proposal, approve, .. } => {
            format!("{} proposal {}", if *approve { "approve" } else { "reject" }, proposal.name())
        }
        Act::Emit { namespace, spec } => format!("emit {} into {namespace}", spec.type_),
        Act::Scale { agent, replicas } => format!("scale agent {} to {replicas}", agent.name()),
        Act::Delete { kind, key, .. } => format!("delete {} {}", kind.as_str().to_ascii_lowercase(), key.name()),
    };
    sanitize::text(&said).into_owned()
}

#[cfg(test)]
mod tests;
