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

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

mod spelling;

use spelling::Key;
pub(super) use spelling::{canonical, wanted};

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

/// Maps whose entries may have different owners. Where a set names one of them
/// and nothing in it, it was applied empty, and what is in it is others'; any
/// other field that has nothing below it in a set is owned with all that is in it.
const SHARED: [&str; 7] = ["annotations", "data", "emptyDir", "labels", "limits", "requests", "resources"];

/// Cuts a live object down to the fields of a set.
pub(super) fn project(live: &Value, fields: &Value) -> Value {
    cut("", live, fields)
}

fn cut(name: &str, live: &Value, fields: &Value) -> Value {
    let Some(set) = fields.as_object().filter(|set| !set.is_empty()) else {
        return match live {
            Value::Object(_) if SHARED.contains(&name) => Value::Object(Map::new()),
            all => all.clone(),
        };
    };
    match live {
        Value::Object(live) => {
            let mut own = Map::new();
            for (name, inner) in set {
                if let Some(name) = name.strip_prefix("f:")
                    && let Some(value) = live.get(name)
                {
                    own.insert(name.to_owned(), cut(name, value, inner));
                }
            }
            Value::Object(own)
        }
        Value::Array(live) => {
            let mut own = Vec::new();
            for (element, inner) in set {
                if let Some(found) = find(live, element) {
                    own.push(cut("", found, inner));
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

/// Every field in which two values differ by their canonical texts, in the
/// order of their paths.
pub(super) fn changes(from: &str, to: &str) -> Vec<Change> {
    let mut found = Vec::new();
    if from != to {
        let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::Object(Map::new()));
        let (from, to) = (read(from), read(to));
        walk(String::new(), Some(&from), Some(&to), &mut found);
        if found.is_empty() {
            found.push(Change { path: String::new(), from: Some(from), to: Some(to) });
        }
    }
    found
}

fn walk(path: String, from: Option<&Value>, to: Option<&Value>, found: &mut Vec<Change>) {
    match (from, to) {
        (Some(from), Some(to)) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for name in names {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(inner, from.get(name), to.get(name), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => match (keyed(one), keyed(other)) {
            (Some(from), Some(to)) => {
                let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
                for key in keys {
                    walk(format!("{path}[{key}]"), from.get(key).copied(), to.get(key).copied(), found);
                }
            }
            _ => found.push(Change { path, from: Some(one.clone().into()), to: Some(other.clone().into()) }),
        },
        (from, to) => found.push(Change { path, from: from.cloned(), to: to.cloned() }),
    }
}

/// What stands in an object at the path of a [`Change`], whoever put it there.
pub fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let path = path.strip_prefix('.').unwrap_or(path);
    if path.is_empty() {
        return Some(object);
    }
    match object {
        Value::Object(map) => {
            // Names may hold points: the longest after which the rest is found is meant.
            let mut names: Vec<&String> = map.keys().filter(|name| path.starts_with(name.as_str())).collect();
            names.sort_by_key(|name| std::cmp::Reverse(name.len()));
            names.into_iter().find_map(|name| {
                let rest = path.strip_prefix(name.as_str())?;
                (rest.is_empty() || rest.starts_with(['.', '['])).then(|| at(map.get(name)?, rest)).flatten()
            })
        }
        Value::Array(list) => list.iter().find_map(|item| {
            let rest = path.strip_prefix('[')?.strip_prefix(Key::of(item)?.to_string().as_str())?.strip_prefix(']')?;
            at(item, rest)
        }),
        _ => None,
    }
}

/// A list by the keys of its elements, if each has one of its own.
fn keyed(list: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let found: BTreeMap<String, &Value> =
        list.iter().map(|item| Some((Key::of(item)?.to_string(), item))).collect::<Option<_>>()?;
    (found.len() == list.len()).then_some(found)
}

#[cfg(test)]
mod tests;
