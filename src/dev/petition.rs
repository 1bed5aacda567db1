//! Proposals, from the asking to the end.

use kgents_api::proposal::{ChangeType, ProposedPatch, RiskStatus};
use kgents_api::{API_VERSION, Proposal};
use kgents_core::patch;
use kgents_core::risk::{self, RiskConfig};
use kgents_store::{Key, Kind, Object, object};
use serde_json::{Map, Value, json};

use crate::cast::{condition, written};
use crate::cluster;
use crate::stage::Stage;

/// What somebody asks for. The rest of the spec is `more`, laid over it.
pub(crate) struct Ask<'a> {
    pub(crate) name: &'a str,
    pub(crate) change: ChangeType,
    /// Kind and name of the object that would change.
    pub(crate) target: (Kind, &'a str),
    pub(crate) patch: Value,
    pub(crate) proposer: &'a str,
    pub(crate) reason: &'a str,
    pub(crate) more: Value,
}

impl Ask<'_> {
    /// Makes the proposal, in the namespace of `agent`.
    pub(crate) fn put(&self, stage: &mut Stage, namespace: &str) {
        let (kind, name) = self.target;
        let mut spec = json!({
            "changeType": self.change,
            "target": { "apiVersion": API_VERSION, "kind": kind.as_str(), "name": name, "namespace": namespace },
            "patch": self.patch,
            "proposer": self.proposer,
            "reason": self.reason,
            "urgency": "MEDIUM",
            "tests": { "added": 0, "removed": 0 },
            "review": { "autoMerge": true, "requiredApprovers": 0, "tGentValidation": true },
            "ttlSeconds": 86_400,
        });
        if let (Some(spec), Some(more)) = (spec.as_object_mut(), self.more.as_object()) {
            spec.extend(more.clone());
        }
        let labels = json!({ "app.kubernetes.io/part-of": "kgents", "kgents.io/agent": self.proposer });
        stage.make(Kind::Proposal, &Key::new(namespace, self.name), &labels, json!({ "spec": spec }));
    }
}

/// The operator weighs the proposal: its risk is written down, and T-gent is
/// asked.
pub(crate) fn weigh(stage: &mut Stage, key: &Key) {
    let Some(risk) = risk_of(stage, key) else { return };
    let stamp = stage.stamp();
    let level = risk["level"].as_str().unwrap_or_default().to_owned();
    let phase = if level == "LOW" { "Pending" } else { "Reviewing" };
    stage.edit(Kind::Proposal, key, |proposal| {
        let mut status = proposal["status"].take();
        status["observedGeneration"] = json!(1);
        status["phase"] = json!(phase);
        status["risk"] = risk;
        status["validation"] = json!({ "dryRun": "accepted", "checkedAt": stamp });
        status["conditions"] = json!([condition("Validated", "True", "DryRunAccepted", "", &stamp, 1)]);
        proposal["status"] = status;
    });
}

/// The risk as the operator computes it, to three decimals: that is what is
/// shown, and no machine rounds it otherwise.
fn risk_of(stage: &Stage, key: &Key) -> Option<Value> {
    let read = |object: &Value| match object::decode(Kind::Proposal, &object.to_string()).ok()?.object {
        Object::Proposal(proposal) => Some(Proposal::clone(&proposal)),
        _ => None,
    };
    let proposal = read(stage.get(Kind::Proposal, key)?)?;
    let target = target(&proposal)?;
    let others: Vec<Proposal> =
        stage.all(Kind::Proposal).filter(|(other, _)| *other != key).filter_map(|(_, other)| read(other)).collect();
    let others: Vec<&Proposal> = others.iter().collect();
    // What the API server does not have is known not to be there.
    let before = stage.get(target.0, &target.1).unwrap_or(&Value::Null);
    let found = risk::estimate(&proposal, Some(before), &others, stage.clock(), &RiskConfig::default());
    let mut risk = RiskStatus::from(found);
    for part in [&mut risk.base, &mut risk.velocity, &mut risk.cumulative, &mut risk.total] {
        *part = (*part * 1_000.0).round() / 1_000.0;
    }
    Some(written(&risk))
}

fn target(proposal: &Proposal) -> Option<(Kind, Key)> {
    let target = &proposal.spec.target;
    let own = proposal.metadata.namespace.as_deref().unwrap_or_default();
    Some((Kind::named(&target.kind)?, Key::new(target.namespace.as_deref().unwrap_or(own), &target.name)))
}

/// Somebody agrees.
pub(crate) fn approve(stage: &mut Stage, key: &Key, who: &str, reason: &str) {
    decide(stage, key, "approvals", who, reason);
}

/// Somebody refuses, which settles it.
pub(crate) fn reject(stage: &mut Stage, key: &Key, who: &str, reason: &str) {
    decide(stage, key, "rejections", who, reason);
    phase(stage, key, "Rejected");
}

fn decide(stage: &mut Stage, key: &Key, list: &str, who: &str, reason: &str) {
    let stamp = stage.stamp();
    stage.edit(Kind::Proposal, key, |proposal| {
        let decisions = &mut proposal["status"][list];
        if !decisions.is_array() {
            *decisions = json!([]);
        }
        if let Some(decisions) = decisions.as_array_mut() {
            decisions.push(json!({ "approver": who, "at": stamp, "reason": reason }));
        }
    });
}

/// The proposal moves to another phase.
pub(crate) fn phase(stage: &mut Stage, key: &Key, phase: &str) {
    stage.edit(Kind::Proposal, key, |proposal| proposal["status"]["phase"] = json!(phase));
}

/// Why the operator does not apply the proposal yet.
pub(crate) fn hold(stage: &mut Stage, key: &Key, message: &str) {
    let stamp = stage.stamp();
    stage.edit(Kind::Proposal, key, |proposal| {
        cluster::say(proposal, "Applied", "False", "TargetPaused", message, &stamp);
    });
}

/// The operator applies the patch and says so.
pub(crate) fn merge(stage: &mut Stage, key: &Key, message: &str) {
    let Some(proposal) = stage.get(Kind::Proposal, key).cloned() else { return };
    let target = &proposal["spec"]["target"];
    let text = |field: &str| target[field].as_str().unwrap_or_default();
    let Some(kind) = Kind::named(text("kind")) else { return };
    let target = Key::new(text("namespace"), text("name"));
    let Ok(patch) = serde_json::from_value::<ProposedPatch>(proposal["spec"]["patch"].clone()) else { return };
    let mut inverse = None;
    if let Some(before) = stage.get(kind, &target).cloned()
        && let Ok(after) = patch::apply(&patch, &before)
    {
        inverse = difference(&after["spec"], &before["spec"]).map(|spec| json!({ "spec": spec }));
        stage.edit(kind, &target, |object| object["spec"] = after["spec"].clone());
        seen(stage, kind, &target);
    }
    let stamp = stage.stamp();
    stage.edit(Kind::Proposal, key, |proposal| {
        let status = &mut proposal["status"];
        status["phase"] = json!("Merged");
        status["execution"] = json!({ "appliedAt": stamp, "message": message });
        if let Some(inverse) = inverse {
            status["execution"]["inversePatch"] = inverse;
        }
        cluster::say(proposal, "Applied", "True", "Merged", message, &stamp);
    });
}

/// The operator has seen the newest spec of an object.
fn seen(stage: &mut Stage, kind: Kind, key: &Key) {
    if kind == Kind::Agent {
        cluster::observe(stage, key);
    } else {
        stage.edit(kind, key, |object| {
            object["status"]["observedGeneration"] = object["metadata"]["generation"].clone();
        });
    }
}

/// What was merged is taken back.
pub(crate) fn roll_back(stage: &mut Stage, key: &Key, message: &str) {
    let Some(proposal) = stage.get(Kind::Proposal, key).cloned() else { return };
    let target = &proposal["spec"]["target"];
    let target =
        Key::new(target["namespace"].as_str().unwrap_or_default(), target["name"].as_str().unwrap_or_default());
    let inverse = proposal["status"]["execution"]["inversePatch"].clone();
    if let Ok(undo) = serde_json::from_value::<ProposedPatch>(json!({ "type": "merge", "content": inverse })) {
        stage.edit(Kind::Agent, &target, |agent| {
            if let Ok(after) = patch::apply(&undo, agent) {
                *agent = after;
            }
        });
        seen(stage, Kind::Agent, &target);
    }
    let stamp = stage.stamp();
    stage.edit(Kind::Proposal, key, |proposal| {
        proposal["status"]["phase"] = json!("RolledBack");
        proposal["status"]["execution"]["message"] = json!(message);
        cluster::say(proposal, "Applied", "False", "RolledBack", message, &stamp);
    });
}

/// The merge patch that makes `to` of `from`; `None` when they are equal.
fn difference(from: &Value, to: &Value) -> Option<Value> {
    if from == to {
        return None;
    }
    let (Some(old), Some(new)) = (from.as_object(), to.as_object()) else { return Some(to.clone()) };
    let mut patch = Map::new();
    for field in old.keys().chain(new.keys()) {
        let null = Value::Null;
        let (was, is) = (old.get(field).unwrap_or(&null), new.get(field).unwrap_or(&null));
        if let Some(part) = difference(was, is) {
            patch.insert(field.clone(), part);
        }
    }
    Some(Value::Object(patch))
}
