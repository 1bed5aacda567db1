//! Which fields an object has and who owns them, as server-side apply sees it:
//! just enough of structured-merge-diff and of the schemas of our kinds.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// Where a field stands: `f:name` in a map, `k:{…}` in a keyed list, and `.`
/// for an element of a list itself.
pub(in crate::plan) type Path = Vec<String>;
pub(in crate::plan) type Set = BTreeSet<Path>;

/// How the schema treats a value.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// One field, whatever is in it.
    Atom,
    /// A map whose parts are fields of their own.
    Map,
    /// A list whose elements are found by these keys.
    Keyed(&'static [&'static str]),
}

/// The shape of the value of this name, in an object of this kind.
fn shape(kind: &str, name: &str, value: &Value) -> Shape {
    let custom = matches!(kind, "Agent" | "Memory" | "Umwelt" | "Pheromone");
    match value {
        Value::Array(_) if name == "ownerReferences" => Shape::Keyed(&["uid"]),
        Value::Array(_) if name == "conditions" => Shape::Keyed(&["type"]),
        Value::Array(_) if custom || kind == "NetworkPolicy" => Shape::Atom,
        Value::Array(_) => match (kind, name) {
            (_, "containers" | "initContainers" | "volumes" | "env" | "imagePullSecrets") => Shape::Keyed(&["name"]),
            (_, "volumeMounts") => Shape::Keyed(&["mountPath"]),
            ("Service", "ports") => Shape::Keyed(&["port", "protocol"]),
            (_, "ports") => Shape::Keyed(&["containerPort", "protocol"]),
            _ => Shape::Atom,
        },
        Value::Object(_)
            if matches!(
                name,
                "selector"
                    | "nodeSelector"
                    | "podSelector"
                    | "namespaceSelector"
                    | "labelSelector"
                    | "fieldRef"
                    | "secretKeyRef"
                    | "configMapKeyRef"
                    | "resourceFieldRef"
            ) && !custom =>
        {
            Shape::Atom
        }
        Value::Object(_) => Shape::Map,
        _ => Shape::Atom,
    }
}

/// Every field of an object with its value, without what identifies it and
/// what only the server writes.
pub(in crate::plan) fn leaves(object: &Value) -> BTreeMap<Path, Value> {
    let mut found = BTreeMap::new();
    let kind = object["kind"].as_str().unwrap_or_default();
    for (name, value) in object.as_object().into_iter().flatten() {
        match name.as_str() {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => {
                for name in ["labels", "annotations", "ownerReferences", "finalizers"] {
                    if let Some(value) = value.get(name) {
                        walk(kind, name, value, vec!["f:metadata".to_owned(), format!("f:{name}")], &mut found);
                    }
                }
            }
            name => walk(kind, name, value, vec![format!("f:{name}")], &mut found),
        }
    }
    found
}

fn walk(kind: &str, name: &str, value: &Value, path: Path, found: &mut BTreeMap<Path, Value>) {
    let below = |part: String| path.iter().cloned().chain([part]).collect::<Path>();
    match (shape(kind, name, value), value) {
        (Shape::Map, Value::Object(map)) if !map.is_empty() => {
            for (name, value) in map {
                walk(kind, name, value, below(format!("f:{name}")), found);
            }
        }
        (Shape::Keyed(keys), Value::Array(list)) if !list.is_empty() => {
            for item in list {
                let element = below(key(keys, item));
                if name == "ownerReferences" {
                    found.insert(element, item.clone());
                    continue;
                }
                found.insert(element.iter().cloned().chain([".".to_owned()]).collect(), Value::Null);
                for (name, value) in item.as_object().into_iter().flatten() {
                    let inner = element.iter().cloned().chain([format!("f:{name}")]).collect();
                    walk(kind, name, value, inner, found);
                }
            }
        }
        (_, value) => {
            found.insert(path, value.clone());
        }
    }
}

fn key(keys: &[&str], item: &Value) -> String {
    let default = |key: &str| if key == "protocol" { Value::from("TCP") } else { Value::Null };
    let map: Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), item.get(key).cloned().unwrap_or_else(|| default(key)))).collect();
    format!("k:{}", Value::Object(map))
}

/// The fields of an apply body.
pub(in crate::plan) fn set_of(body: &Value) -> Set {
    leaves(body).into_keys().collect()
}

/// A set as `FieldsV1`.
pub(in crate::plan) fn to_json(set: &Set) -> Value {
    let mut root = Map::new();
    for path in set {
        let mut at = &mut root;
        for part in path {
            at = at.entry(part.clone()).or_insert_with(|| Value::Object(Map::new())).as_object_mut().unwrap();
        }
    }
    Value::Object(root)
}

/// `FieldsV1` as a set: its leaves.
pub(super) fn from_json(fields: &Value) -> Set {
    fn walk(value: &Value, path: &mut Path, found: &mut Set) {
        let map = value.as_object().unwrap();
        if map.is_empty() && !path.is_empty() {
            found.insert(path.clone());
        }
        for (part, value) in map {
            path.push(part.clone());
            walk(value, path, found);
            path.pop();
        }
    }
    let mut found = Set::new();
    walk(fields, &mut Path::new(), &mut found);
    found
}

/// Lays an apply body over an object.
pub(super) fn merge(object: &mut Value, body: &Value) {
    let kind = body["kind"].as_str().unwrap_or_default().to_owned();
    merge_named(&kind, "", object, body);
}

fn merge_named(kind: &str, name: &str, into: &mut Value, from: &Value) {
    match (shape(kind, name, from), from) {
        (Shape::Map, Value::Object(from)) => {
            if !into.is_object() {
                *into = Value::Object(Map::new());
            }
            let into = into.as_object_mut().unwrap();
            for (name, value) in from {
                merge_named(kind, name, into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (Shape::Keyed(keys), Value::Array(from)) => {
            if !into.is_array() {
                *into = Value::Array(Vec::new());
            }
            let into = into.as_array_mut().unwrap();
            for item in from {
                let wanted = key(keys, item);
                match into.iter_mut().find(|item| key(keys, item) == wanted) {
                    Some(there) if name == "ownerReferences" => *there = item.clone(),
                    Some(there) => merge_named(kind, "", there, item),
                    None => into.push(item.clone()),
                }
            }
        }
        (_, from) => *into = from.clone(),
    }
}

/// Takes a field out of an object, and what is empty without it. `.` takes
/// the element.
pub(super) fn remove(object: &mut Value, path: &[String]) {
    let Some((part, rest)) = path.split_first() else { return };
    let is_end = rest.is_empty() || rest.iter().all(|part| part == ".");
    if let Some(name) = part.strip_prefix("f:") {
        let Some(map) = object.as_object_mut() else { return };
        if is_end {
            map.remove(name);
        } else if let Some(value) = map.get_mut(name) {
            remove(value, rest);
            let is_empty = value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty);
            if is_empty {
                map.remove(name);
            }
        }
    } else if let Some(keys) = part.strip_prefix("k:") {
        let keys: Map<String, Value> = serde_json::from_str(keys).unwrap();
        let Some(list) = object.as_array_mut() else { return };
        let names: Vec<&str> = keys.keys().map(String::as_str).collect();
        if is_end {
            list.retain(|item| key(&names, item) != *part);
        } else if let Some(item) = list.iter_mut().find(|item| key(&names, item) == *part) {
            remove(item, rest);
        }
    }
}
