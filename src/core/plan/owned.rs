//! What of an object is ours: the fields that our manager applied, by
//! `metadata.managedFields`.
//!
//! The live object is cut down to them and both it and what we want are
//! brought into one canonical form, in which equal objects are equal bytes:
//! maps and keyed lists in order, amounts by value. So a plan sees at once
//! what was changed, what somebody took from us, and what we own and no
//! longer want, and an API server that only respells costs no write.
//!
//! Source of the format: `sigs.k8s.io/structured-merge-diff`, fieldpath.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::quantity::Quantity;

/// A field that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Where, such as `spec.template.spec.containers[logic].image`.
    pub path: String,
    /// What stands there; `None` where nothing of ours does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What should stand there; `None` where nothing of ours should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl std::fmt::Display for Change {
    /// As in `spec.replicas 1 -> 3`; what is long is cut.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let side = |side: &Option<Value>| side.as_ref().map_or_else(|| "none".to_owned(), short);
        write!(f, "{} {} -> {}", self.path, side(&self.from), side(&self.to))
    }
}

fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// The field set that `manager` applied to the object itself (no
/// subresource), if it did.
pub(super) fn fields_of<'a>(object: &'a Value, manager: &str) -> Option<&'a Value> {
    let entries = object.pointer("/metadata/managedFields")?.as_array()?;
    let ours = entries.iter().find(|entry| {
        entry["manager"] == manager
            && entry["operation"] == "Apply"
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    })?;
    ours.get("fieldsV1")
}

/// Cuts a live object down to the fields of a set.
pub(super) fn project(live: &Value, fields: &Value) -> Value {
    let Some(set) = fields.as_object() else { return live.clone() };
    if set.is_empty() {
        return live.clone();
    }
    match live {
        Value::Object(live) => {
            let mut own = Map::new();
            for (name, inner) in set {
                if let Some(name) = name.strip_prefix("f:")
                    && let Some(value) = live.get(name)
                {
                    own.insert(name.to_owned(), project(value, inner));
                }
            }
            Value::Object(own)
        }
        Value::Array(live) => {
            let mut own = Vec::new();
            for (element, inner) in set {
                if let Some(found) = find(live, element) {
                    own.push(project(found, inner));
                }
            }
            Value::Array(own)
        }
        other => other.clone(),
    }
}

/// The element that `k:{…}`, `v:…` or `i:…` speaks of.
fn find<'a>(list: &'a [Value], element: &str) -> Option<&'a Value> {
    if let Some(keys) = element.strip_prefix("k:") {
        let keys: Map<String, Value> = serde_json::from_str(keys).ok()?;
        return list.iter().find(|item| keys.iter().all(|(key, value)| item.get(key) == Some(value)));
    }
    if let Some(value) = element.strip_prefix("v:") {
        let value: Value = serde_json::from_str(value).ok()?;
        return list.iter().find(|item| **item == value);
    }
    list.get(element.strip_prefix("i:")?.parse::<usize>().ok()?)
}

/// An apply body as its canonical form: without what identifies the object,
/// for managedFields do not hold that.
pub(super) fn wanted(body: &Value) -> Value {
    let mut value = body.clone();
    if let Some(object) = value.as_object_mut() {
        object.retain(|name, _| name != "apiVersion" && name != "kind");
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.retain(|name, _| name != "name" && name != "namespace");
        }
    }
    canonical(&value)
}

/// The canonical form: keys and keyed lists in order, amounts as the one
/// shortest spelling, nothing that is empty or null at the top of metadata.
pub(super) fn canonical(value: &Value) -> Value {
    spelled(value, Within::Else)
}

/// Where a value stands, as far as its spelling depends on it.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Amounts,
    Amount,
    Else,
}

fn spelled(value: &Value, within: Within) -> Value {
    match value {
        Value::Object(map) => {
            let mut names: Vec<&String> = map.keys().collect();
            names.sort();
            let inner = |name: &str| match (within, name) {
                (Within::Amounts, _) | (_, "sizeLimit") => Within::Amount,
                (_, "limits" | "requests") => Within::Amounts,
                _ => Within::Else,
            };
            names
                .into_iter()
                .filter(|name| map.get(*name).is_some_and(|value| !value.is_null()))
                .filter_map(|name| Some((name.clone(), spelled(map.get(name)?, inner(name)))))
                .collect::<Map<_, _>>()
                .into()
        }
        Value::Array(list) => {
            let mut list: Vec<Value> = list.iter().map(|item| spelled(item, within)).collect();
            if list.iter().all(|item| key(item).is_some()) {
                list.sort_by_cached_key(|item| key(item).unwrap_or_default());
            }
            list.into()
        }
        Value::String(text) if within == Within::Amount => {
            Quantity::parse(text).map_or_else(|| value.clone(), |amount| amount.to_string().into())
        }
        Value::Number(number) if within == Within::Amount => {
            Quantity::parse(&number.to_string()).map_or_else(|| value.clone(), |amount| amount.to_string().into())
        }
        other => other.clone(),
    }
}

/// What an element of a keyed list is found by.
fn key(item: &Value) -> Option<String> {
    let item = item.as_object()?;
    let text = |name: &str| item.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    if let Some(port) = text("containerPort").or_else(|| text("port")) {
        return Some(format!("{port}/{}", text("protocol").unwrap_or_default()));
    }
    text("mountPath").or_else(|| text("uid")).or_else(|| text("name")).or_else(|| text("type"))
}

/// Every field in which two canonical forms differ, in the order of their paths.
pub(super) fn changes(from: &Value, to: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    walk(String::new(), Some(from), Some(to), &mut found);
    found
}

fn walk(path: String, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Change>) {
    match (from, to) {
        (Some(from), Some(to)) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let names: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(inner, from.get(name), to.get(name), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other)))
            if one.iter().chain(other).all(|item| key(item).is_some()) =>
        {
            let by = |list: &'_ [Value], wanted: &str| {
                list.iter().find(|item| key(item).as_deref() == Some(wanted)).cloned()
            };
            let keys: std::collections::BTreeSet<String> = one.iter().chain(other).filter_map(key).collect();
            for name in keys {
                walk(format!("{path}[{name}]"), by(one, &name).as_ref(), by(other, &name).as_ref(), found);
            }
        }
        (from, to) => found.push(Change { path, from: from.cloned(), to: to.cloned() }),
    }
}

#[cfg(test)]
mod tests;
