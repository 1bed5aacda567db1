//! An API server in memory: server-side apply, preconditions, what is
//! immutable, what it fills in and respells.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{self, Set};
use crate::plan::Cause;
use crate::quantity::Quantity;

pub(super) const NAMESPACE: &str = "kgents-agents";

/// Kind and name; there is one namespace.
pub(super) type Key = (String, String);

pub(super) fn key_of(object: &Value) -> Key {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/kind"), text("/metadata/name"))
}

/// What is stored, and the clock.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) objects: BTreeMap<Key, Value>,
    pub(super) now: Timestamp,
    /// Whether volumes can grow.
    pub(super) expandable: bool,
    /// Whether the scheduler waits for a pod before a claim is bound.
    pub(super) binds_late: bool,
    version: u64,
    uids: u64,
    /// Writes that changed something, by verb and kind.
    pub(super) writes: BTreeMap<(&'static str, String), usize>,
}

impl Server {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            objects: BTreeMap::new(),
            now,
            expandable: true,
            binds_late: false,
            version: 100,
            uids: 0,
            writes: BTreeMap::new(),
        }
    }

    pub(super) fn get(&self, kind: &str, name: &str) -> Option<&Value> {
        self.objects.get(&(kind.to_owned(), name.to_owned()))
    }

    /// All of a kind.
    pub(super) fn list<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> + 'a {
        self.objects
            .range((kind.to_owned(), String::new())..)
            .take_while(move |((of, _), _)| of == kind)
            .map(|(_, object)| object)
    }

    /// A server-side apply with force, under a manager.
    pub(super) fn apply(&mut self, manager: &str, wire: &Value) -> Result<Value, Cause> {
        let key = key_of(wire);
        let mut body = wire.clone();
        let metadata = body["metadata"].as_object_mut().unwrap();
        let version = metadata.remove("resourceVersion");
        let uid = metadata.remove("uid");
        let live = self.objects.get(&key).cloned();
        match &live {
            Some(live) => {
                let differs = |name: &str, asked: &Option<Value>| {
                    asked.as_ref().is_some_and(|asked| *asked != live["metadata"][name])
                };
                if differs("resourceVersion", &version) || differs("uid", &uid) {
                    return Err(Cause::Conflict);
                }
            }
            None if uid.is_some() => return Err(Cause::Conflict),
            None => {}
        }
        let is_new = live.is_none();
        let before = live.unwrap_or_else(|| self.blank(&key));
        let mut after = before.clone();
        let wanted = fields::set_of(&body);
        let mut sets = managers(&before);
        let ours = (manager.to_owned(), "Apply".to_owned());
        let had = sets.remove(&ours).map(|(set, _)| set).unwrap_or_default();
        for path in had.difference(&wanted) {
            if !sets.values().any(|(set, _)| set.contains(path)) {
                fields::remove(&mut after, path);
            }
        }
        fields::merge(&mut after, &body);
        settle(&mut after);
        let (old, new) = (fields::leaves(&before), fields::leaves(&after));
        for (set, _) in sets.values_mut() {
            set.retain(|path| new.contains_key(path) && (!wanted.contains(path) || old.get(path) == new.get(path)));
        }
        if had == wanted && old == new && !is_new {
            return Ok(before);
        }
        sets.insert(ours, (wanted, self.now));
        self.store(is_new, &before, after, sets)
    }

    /// A change by somebody who sends the whole object.
    pub(super) fn update(&mut self, manager: &str, object: &Value) -> Result<Value, Cause> {
        let key = key_of(object);
        let (is_new, before) = match self.objects.get(&key) {
            Some(live) => (false, live.clone()),
            None => (true, self.blank(&key)),
        };
        let mut after = object.clone();
        settle(&mut after);
        if is_new {
            let mut object = before.clone();
            fields::merge(&mut object, &after);
            after = object;
        }
        let (old, new) = (fields::leaves(&before), fields::leaves(&after));
        let mut sets = managers(&before);
        let changed: Set =
            new.iter().filter(|(path, value)| old.get(*path) != Some(value)).map(|(path, _)| path.clone()).collect();
        for (set, _) in sets.values_mut() {
            set.retain(|path| new.contains_key(path) && !changed.contains(path));
        }
        if changed.is_empty() && old == new && !is_new {
            return Ok(before);
        }
        let mine = sets.entry((manager.to_owned(), "Update".to_owned())).or_insert_with(|| (Set::new(), self.now));
        mine.0.extend(changed);
        mine.1 = self.now;
        self.store(is_new, &before, after, sets)
    }

    /// Writes a status whole.
    pub(super) fn status(&mut self, key: &Key, status: &Value) -> Result<Value, Cause> {
        let object = self.objects.get_mut(key).ok_or(Cause::Missing)?;
        if object["status"] != *status {
            object["status"] = status.clone();
            self.version += 1;
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
            *self.writes.entry(("status", key.0.clone())).or_default() += 1;
        }
        Ok(object.clone())
    }

    /// Deletes; what a controller still protects is only marked.
    pub(super) fn delete(&mut self, key: &Key, uid: Option<&str>, version: Option<&str>) -> Result<(), Cause> {
        let Some(object) = self.objects.get_mut(key) else { return Ok(()) };
        let is = |name: &str, wanted: Option<&str>| wanted.is_none_or(|wanted| object["metadata"][name] == wanted);
        if !is("uid", uid) || !is("resourceVersion", version) {
            return Err(Cause::Conflict);
        }
        self.version += 1;
        *self.writes.entry(("delete", key.0.clone())).or_default() += 1;
        if key.0 == "PersistentVolumeClaim" && object["metadata"].get("deletionTimestamp").is_none() {
            object["metadata"]["deletionTimestamp"] = self.now.to_string().into();
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
        } else {
            self.objects.remove(key);
        }
        Ok(())
    }

    fn blank(&self, key: &Key) -> Value {
        json!({
            "kind": key.0,
            "metadata": {
                "name": key.1, "namespace": NAMESPACE, "uid": format!("uid-{}", self.uids + 1),
                "creationTimestamp": self.now.to_string(), "generation": 0,
            },
        })
    }

    fn store(
        &mut self,
        is_new: bool,
        before: &Value,
        mut after: Value,
        sets: BTreeMap<(String, String), (Set, Timestamp)>,
    ) -> Result<Value, Cause> {
        let key = key_of(&after);
        if !is_new {
            self.validate(&key.0, before, &after)?;
        }
        let has_generation =
            !matches!(key.0.as_str(), "ConfigMap" | "PersistentVolumeClaim" | "ServiceAccount" | "Service" | "Pod");
        if is_new || (has_generation && before["spec"] != after["spec"]) {
            let generation = before["metadata"]["generation"].as_i64().unwrap_or(0) + 1;
            after["metadata"]["generation"] = generation.into();
        }
        if is_new {
            self.uids += 1;
            if key.0 == "PersistentVolumeClaim" {
                after["status"] = json!({"phase": "Pending"});
            }
        }
        self.version += 1;
        after["metadata"]["resourceVersion"] = self.version.to_string().into();
        after["metadata"]["managedFields"] = sets
            .into_iter()
            .filter(|(_, (set, _))| !set.is_empty())
            .map(|((manager, operation), (set, time))| {
                json!({"manager": manager, "operation": operation, "time": time.to_string(), "fieldsType": "FieldsV1", "fieldsV1": fields::to_json(&set)})
            })
            .collect();
        *self.writes.entry((if is_new { "create" } else { "patch" }, key.0.clone())).or_default() += 1;
        self.objects.insert(key, after.clone());
        Ok(after)
    }

    fn validate(&self, kind: &str, before: &Value, after: &Value) -> Result<(), Cause> {
        if kind == "Deployment" && before["spec"]["selector"] != after["spec"]["selector"] {
            return Err(Cause::Invalid);
        }
        if kind != "PersistentVolumeClaim" || before["spec"] == after["spec"] {
            return Ok(());
        }
        let size = |object: &Value| {
            Quantity::parse(object["spec"]["resources"]["requests"]["storage"].as_str().unwrap_or_default())
        };
        let rest = |object: &Value| {
            let mut spec = object["spec"].clone();
            spec.as_object_mut().unwrap().remove("resources");
            spec
        };
        if rest(before) != rest(after) || size(after) < size(before) || before["status"]["phase"] != "Bound" {
            return Err(Cause::Invalid);
        }
        if self.expandable { Ok(()) } else { Err(Cause::AdmissionDenied) }
    }
}

/// The sets of an object, by manager and operation.
fn managers(object: &Value) -> BTreeMap<(String, String), (Set, Timestamp)> {
    let entries = object["metadata"]["managedFields"].as_array().into_iter().flatten();
    entries
        .map(|entry| {
            let word = |name: &str| entry[name].as_str().unwrap().to_owned();
            (
                (word("manager"), word("operation")),
                (fields::from_json(&entry["fieldsV1"]), word("time").parse().unwrap()),
            )
        })
        .collect()
}

/// What the server does to each object that is written: drops what its types
/// omit when empty, respells amounts, fills in defaults.
fn settle(object: &mut Value) {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if !matches!(kind.as_str(), "Memory" | "Umwelt" | "Agent" | "Pheromone") {
        omit(object, "");
    }
    let default = |at: &mut Value, name: &str, value: Value| {
        if let Some(map) = at.as_object_mut() {
            map.entry(name.to_owned()).or_insert(value);
        }
    };
    match kind.as_str() {
        "PersistentVolumeClaim" => {
            default(&mut object["spec"], "volumeMode", "Filesystem".into());
            default(&mut object["spec"], "storageClassName", "standard".into());
        }
        "Deployment" => {
            default(&mut object["spec"], "progressDeadlineSeconds", 600.into());
            default(&mut object["spec"], "revisionHistoryLimit", 10.into());
            let pod = &mut object["spec"]["template"]["spec"];
            default(pod, "dnsPolicy", "ClusterFirst".into());
            default(pod, "terminationGracePeriodSeconds", 30.into());
            for list in ["containers", "initContainers"] {
                for container in pod.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    default(container, "imagePullPolicy", "IfNotPresent".into());
                    default(container, "terminationMessagePath", "/dev/termination-log".into());
                }
            }
        }
        "Service" => {
            default(&mut object["spec"], "sessionAffinity", "None".into());
            default(&mut object["spec"], "clusterIP", "10.96.0.1".into());
        }
        "Memory" => {
            default(&mut object["spec"], "size", "256Mi".into());
            default(&mut object["spec"], "accessMode", "ReadWriteOnce".into());
            default(&mut object["spec"], "retentionPolicy", "RETAIN".into());
        }
        "Umwelt" => {
            default(&mut object["spec"], "slopBudget", json!(0.1));
            default(&mut object["spec"], "workload", "routine".into());
        }
        _ => {}
    }
}

fn omit(value: &mut Value, name: &str) {
    match value {
        Value::Object(map) => {
            let is_named = map.contains_key("name");
            map.retain(|name, value| {
                let is_map = matches!(name.as_str(), "labels" | "annotations" | "data" | "limits" | "requests");
                let is_empty = value.is_null()
                    || value.as_array().is_some_and(Vec::is_empty)
                    || (is_map && value.as_object().is_some_and(serde_json::Map::is_empty));
                let is_omitted = is_empty || (is_named && name == "value" && value == "");
                !is_omitted
            });
            let is_amounts = matches!(name, "limits" | "requests");
            for (name, value) in map.iter_mut() {
                if let (true, Some(amount)) =
                    (is_amounts || name == "sizeLimit", value.as_str().and_then(Quantity::parse))
                {
                    *value = amount.to_string().into();
                } else {
                    omit(value, name);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| omit(item, "")),
        _ => {}
    }
}

/// An object of one of our kinds, as somebody writes it.
pub(super) fn custom(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "kgents.io/v1", "kind": kind,
        "metadata": { "name": name, "namespace": NAMESPACE }, "spec": spec,
    })
}
