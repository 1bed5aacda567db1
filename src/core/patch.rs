//! Patches: what a proposal would make of its target, and how far that
//! differs from what is there.

use std::collections::BTreeSet;

use json_patch::PatchOperation;
use kgents_api::proposal::{PatchType, ProposedPatch};
use serde_json::Value;
use thiserror::Error;

/// How deep a patched object may be nested: no deeper than it can be read
/// back. An `add` or `copy` could else dig until the stack overflows.
const MAX_DEPTH: usize = 128;

/// How many bytes of JSON the `copy` operations of one patch may copy, or
/// twenty of them could fill the memory. The API server has this limit too.
const MAX_COPIED_BYTES: usize = 3 << 20;

/// What the API server keeps by itself: it differs without anybody's will.
const NOT_THE_CHANGE: [&str; 4] =
    ["/status", "/metadata/generation", "/metadata/managedFields", "/metadata/resourceVersion"];

/// Why a patch cannot be applied.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PatchError {
    /// A merge or apply patch that is no object.
    #[error("the content of a patch of type {patch} must be an object, not {found}")]
    NotAnObject {
        /// The type of the patch.
        patch: PatchType,
        /// What its content is.
        found: &'static str,
    },
    /// A json patch that is no list of operations.
    #[error("the content of a patch of type json must be a list of operations: {0}")]
    NotOperations(String),
    /// An operation that does not fit the target.
    #[error("operation {number} of the json patch, at '{path}': {why}")]
    Operation {
        /// Which one, counted from 1.
        number: usize,
        /// Where it would act.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A patch that leaves something else than an object.
    #[error("the patch would turn the object into {0}")]
    LeavesNoObject(&'static str),
}

/// What `target` is after the patch. `Null` as the target is an object that is
/// not there yet.
///
/// `merge` is RFC 7386, `json` is RFC 6902. `apply` is taken as a merge of the
/// fields that it names: a list replaces a list, so it never looks smaller
/// than what the API server will do with it.
pub fn apply(patch: &ProposedPatch, target: &Value) -> Result<Value, PatchError> {
    let mut object = target.clone();
    match patch.type_ {
        PatchType::Merge | PatchType::Apply => {
            if !patch.content.is_object() {
                return Err(PatchError::NotAnObject { patch: patch.type_, found: kind(&patch.content) });
            }
            json_patch::merge(&mut object, &patch.content);
        }
        PatchType::Json => operate(&mut object, &patch.content)?,
    }
    if object.is_object() { Ok(object) } else { Err(PatchError::LeavesNoObject(kind(&object))) }
}

/// Applies a list of RFC 6902 operations, one by one, within the limits.
fn operate(object: &mut Value, content: &Value) -> Result<(), PatchError> {
    let operations: json_patch::Patch =
        serde_json::from_value(content.clone()).map_err(|error| PatchError::NotOperations(error.to_string()))?;
    let mut copied = 0;
    for (index, operation) in operations.iter().enumerate() {
        within_limits(operation, object, &mut copied)
            .and_then(|()| {
                json_patch::patch_unsafe(object, std::slice::from_ref(operation))
                    .map_err(|error| error.kind.to_string())
            })
            .map_err(|why| PatchError::Operation { number: index + 1, path: operation.path().to_string(), why })?;
    }
    Ok(())
}

/// Whether an operation keeps the object small and shallow enough.
fn within_limits(operation: &PatchOperation, object: &Value, copied: &mut usize) -> Result<(), String> {
    let value = match operation {
        PatchOperation::Add(add) => Some(&add.value),
        PatchOperation::Replace(replace) => Some(&replace.value),
        PatchOperation::Move(operation) => object.pointer(operation.from.as_str()),
        PatchOperation::Copy(operation) => {
            let value = object.pointer(operation.from.as_str());
            *copied += value.map_or(0, |value| value.to_string().len());
            value
        }
        PatchOperation::Remove(_) | PatchOperation::Test(_) => None,
    };
    if *copied > MAX_COPIED_BYTES {
        return Err(format!("the patch copies more than {MAX_COPIED_BYTES} bytes"));
    }
    let place = operation.path().as_str().matches('/').count();
    if value.is_some_and(|value| place + depth(value) > MAX_DEPTH) {
        return Err(format!("the object would be nested deeper than {MAX_DEPTH}"));
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The JSON pointers (RFC 6901) of the leaves that differ, in order. A leaf is
/// a value without parts: a scalar or an empty container. Lists are compared
/// place by place. `Null` as a whole is an object that is not there.
///
/// What the API server keeps by itself does not count: `status` and the
/// `generation`, `managedFields` and `resourceVersion` of the metadata.
pub fn changed_leaves(before: &Value, after: &Value) -> Vec<String> {
    let mut changed = Vec::new();
    let there = |object: &&Value| !object.is_null();
    compare(Some(before).filter(there), Some(after).filter(there), &mut String::new(), &mut changed);
    changed
}

/// Appends the leaves at and below `path` that differ between two values,
/// either of which may be absent.
fn compare(before: Option<&Value>, after: Option<&Value>, path: &mut String, changed: &mut Vec<String>) {
    if before == after || NOT_THE_CHANGE.contains(&path.as_str()) {
        return;
    }
    let sides = [before, after];
    // An empty container that is filled or emptied stays one: only its new or
    // lost parts count.
    let same_container = sides.iter().all(|side| side.is_some_and(Value::is_array))
        || sides.iter().all(|side| side.is_some_and(Value::is_object));
    if !same_container && sides.into_iter().flatten().any(is_leaf) {
        changed.push(path.clone());
    }
    let present = || sides.into_iter().flatten();
    let items = present().filter_map(Value::as_array).map(Vec::len).max();
    for index in 0..items.unwrap_or(0) {
        let [before, after] = sides.map(|side| side?.get(index));
        below(path, &index.to_string(), |path| {
            compare(before, after, path, changed);
        });
    }
    // Sorted, whatever order the maps keep.
    let fields: BTreeSet<&String> = present().filter_map(Value::as_object).flat_map(|fields| fields.keys()).collect();
    for field in fields {
        let [before, after] = sides.map(|side| side?.get(field));
        let token = field.replace('~', "~0").replace('/', "~1");
        below(path, &token, |path| compare(before, after, path, changed));
    }
}

/// Lengthens `path` by a token for the time of `visit`.
fn below(path: &mut String, token: &str, visit: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push('/');
    path.push_str(token);
    visit(path);
    path.truncate(length);
}

/// Whether a value has no parts.
fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => true,
    }
}

/// What a value is, in a message.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests;
