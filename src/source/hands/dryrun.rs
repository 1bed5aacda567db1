//! What a proposal's patch would make of its target, as the API server says.

use kgents_api::Proposal;
use kgents_api::proposal::{ChangeType, PatchType};
use kgents_core::patch;
use kgents_store::act::Wire;
use kgents_store::object::{Object, decode};
use kgents_store::request::{Answer, DryRun};
use kgents_store::{Key, Kind, sanitize};
use serde_json::{Map, Value, json};

use super::desk::Line;
use super::failure::Failure;
use super::resolve::{Place, resolve};
use crate::clock;
use crate::error::SourceError;
use crate::kube::{Ask, segment, words};

/// Under which name the operator applies what was approved.
const MANAGER: &str = "kgents-operator/proposal";
/// What is in the metadata of every object, differs between any two versions,
/// and is no part of a change.
const BOOKKEEPING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// Reads a proposal and its target, and has the API server try the patch.
pub(super) async fn dry_run(line: &Line, key: &Key) -> Result<Answer, Failure> {
    let proposal = read(line, key).await?;
    let target = &proposal.spec.target;
    let namespace = target.namespace.as_deref().filter(|name| !name.is_empty()).unwrap_or(key.namespace());
    let place = resolve(line, &target.api_version, &target.kind, namespace, &target.name).await?;
    let before = match line.wire.json(&place.ask("get"), &place.path()).await {
        Ok(object) => object,
        Err(SourceError::NotFound { .. }) => Value::Null,
        Err(error) => return Err(error.into()),
    };
    let (wire, verb) = attempt(&proposal, &place, before.is_null());
    let tried = line.wire.perform(&place.ask(verb), &wire).await;
    // Nothing was changed, so there is nothing that may have been.
    let text = tried.map_err(|undone| in_words(undone.error, &proposal, &before))?;
    let after = if wire.verb == "DELETE" { Value::Null } else { line.wire.read(&place.ask(verb), &text)? };
    let target = format!("{} {} {}", target.api_version, target.kind, target.name);
    let (before, after) = shown(before, after);
    Ok(Answer::DryRun(Box::new(DryRun { target: words::clean(&target), before, after, at: clock::now() })))
}

async fn read(line: &Line, key: &Key) -> Result<Proposal, Failure> {
    segment("namespace", key.namespace())?;
    let json = line.wire.get(Kind::Proposal, key.namespace(), key.name()).await?;
    // Not cleaned: the patch is sent as it stands there.
    line.wire.read::<Proposal>(&Ask::of("get", Kind::Proposal, None), &json).map_err(|error| {
        // An object that our types cannot read says where.
        match decode(Kind::Proposal, &json).map(|decoded| decoded.object) {
            Ok(Object::Unreadable(object)) => Failure::new(format!("the proposal cannot be read: {}", object.error)),
            _ => error.into(),
        }
    })
}

/// Of a JSON patch that does not fit, an API server says only that it does
/// not: our own reading of it says where.
fn in_words(error: SourceError, proposal: &Proposal, before: &Value) -> SourceError {
    let patch = &proposal.spec.patch;
    match (error, patch::apply(patch, before)) {
        (SourceError::Invalid { .. }, Err(problem)) if patch.type_ == PatchType::Json => {
            SourceError::Invalid { message: words::clean(&problem.to_string()) }
        }
        (error, _) => error,
    }
}

/// The request that tries it, and its verb as RBAC names it.
fn attempt(proposal: &Proposal, place: &Place, is_missing: bool) -> (Wire, &'static str) {
    let (spec, patch) = (&proposal.spec, &proposal.spec.patch);
    let wire = |verb, path: String, content_type, body| Wire {
        verb,
        path,
        subresource: None,
        manager: Some(MANAGER.to_owned()),
        query: "dryRun=All",
        content_type,
        body: Some(body),
    };
    if spec.change_type.deletes_target() {
        // The body counts, not the query: without `dryRun` in it this would be no try.
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "dryRun": ["All"], "propagationPolicy": "Background",
        });
        let wire = wire("DELETE", place.path(), "application/json", options);
        return (Wire { manager: None, ..wire }, "delete");
    }
    let merges = patch.type_ == PatchType::Merge;
    if is_missing && merges && spec.change_type == ChangeType::AgentDeploy {
        // A merge into nothing is the content itself.
        return (wire("POST", place.collection.clone(), "application/json", whole(proposal, place)), "create");
    }
    let (content_type, body) = match patch.type_ {
        PatchType::Merge => ("application/merge-patch+json", patch.content.clone()),
        PatchType::Json => ("application/json-patch+json", patch.content.clone()),
        PatchType::Apply => ("application/apply-patch+yaml", whole(proposal, place)),
    };
    let wire = wire("PATCH", place.path(), content_type, body);
    // An approved change takes the fields that it names from whoever has them.
    let query = if patch.type_ == PatchType::Apply { "dryRun=All&force=true" } else { wire.query };
    (Wire { query, ..wire }, "patch")
}

/// The content of a patch as a whole object: what it does not say of its
/// identity, the target says.
fn whole(proposal: &Proposal, place: &Place) -> Value {
    let target = &proposal.spec.target;
    let mut object = match &proposal.spec.patch.content {
        Value::Object(content) => content.clone(),
        // The API server says best what is wrong with it.
        other => return other.clone(),
    };
    object.entry("apiVersion").or_insert_with(|| target.api_version.clone().into());
    object.entry("kind").or_insert_with(|| target.kind.clone().into());
    let metadata = object.entry("metadata").or_insert_with(|| Map::new().into());
    if let Value::Object(metadata) = metadata {
        metadata.entry("name").or_insert_with(|| place.name.clone().into());
        if let Some(namespace) = &place.namespace {
            metadata.entry("namespace").or_insert_with(|| namespace.clone().into());
        }
    }
    object.into()
}

/// Both sides as they are shown: cleaned, without bookkeeping, status and
/// secrets.
fn shown(mut before: Value, mut after: Value) -> (Value, Value) {
    hide(&mut before, &mut after);
    for side in [&mut before, &mut after] {
        if let Some(object) = side.as_object_mut() {
            object.remove("status");
        }
        if let Some(metadata) = side.pointer_mut("/metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| !BOOKKEEPING.contains(&name.as_str()));
        }
        sanitize::value(side);
    }
    (before, after)
}

/// Takes the values out of a Secret. Whether they differ can still be seen.
fn hide(before: &mut Value, after: &mut Value) {
    let is_secret = |side: &Value| side["kind"] == "Secret" && side["apiVersion"] == "v1";
    if !is_secret(before) && !is_secret(after) {
        return;
    }
    for part in ["/data", "/stringData"] {
        let (old, new) = (before.pointer(part).cloned(), after.pointer(part).cloned());
        for (side, other, word) in [(&mut *before, &new, "before"), (&mut *after, &old, "after")] {
            for (name, value) in side.pointer_mut(part).and_then(Value::as_object_mut).into_iter().flatten() {
                let same = other.as_ref().is_some_and(|other| other.get(name) == Some(&*value));
                *value = if same { "***".into() } else { format!("*** ({word})").into() };
            }
        }
    }
    // kubectl keeps a copy of all it applied.
    for side in [before, after] {
        if let Some(notes) = side.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut) {
            notes.remove("kubectl.kubernetes.io/last-applied-configuration");
        }
    }
}

#[cfg(test)]
mod tests;
