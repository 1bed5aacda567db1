//! How a CRD of the cluster differs from ours.
//!
//! The API server fills in what we leave open (listKind, the conversion
//! strategy, a version's defaults), so only what ours says is compared. But
//! what stands in a map whose keys are names (the properties of a schema) and
//! is not ours is a difference too: an older build had it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition as Crd;
use serde_json::{Map, Value};

/// One place in which two CRDs differ.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where: `spec.names.plural`.
    pub(super) path: String,
    /// What ours says.
    pub(super) ours: String,
    /// What that of the cluster says.
    pub(super) theirs: String,
}

impl Difference {
    /// Whether that of the cluster says nothing where ours says something.
    pub(super) fn is_lack(&self) -> bool {
        self.theirs == ABSENT && self.ours != ABSENT
    }
}

/// What stands where one side says nothing.
const ABSENT: &str = "(absent)";
/// Maps whose keys are names.
const BY_NAME: [&str; 1] = ["properties"];
/// Lists whose items are known by a field, and by which.
const BY_FIELD: [(&str, &str); 2] = [("versions", "name"), ("additionalPrinterColumns", "name")];

/// The differences of two CRDs' specs.
pub(super) fn specs(ours: &Crd, theirs: &Crd) -> Vec<Difference> {
    let json = |crd: &Crd| serde_json::to_value(&crd.spec).unwrap_or_default();
    let mut found = Vec::new();
    values("spec", &json(ours), &json(theirs), &mut found);
    found
}

fn values(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => maps(path, ours, theirs, found),
        (Value::Array(ours), Value::Array(theirs)) => lists(path, ours, theirs, found),
        (Value::Number(a), Value::Number(b)) if a.as_f64() == b.as_f64() => {}
        _ if ours == theirs => {}
        _ => differ(path, Some(ours), Some(theirs), found),
    }
}

fn maps(path: &str, ours: &Map<String, Value>, theirs: &Map<String, Value>, found: &mut Vec<Difference>) {
    for (key, value) in ours {
        let path = format!("{path}.{key}");
        match theirs.get(key) {
            Some(theirs) => values(&path, value, theirs, found),
            // What is empty is dropped by the API server.
            None if is_empty(value) => {}
            None => differ(&path, Some(value), None, found),
        }
    }
    if BY_NAME.iter().any(|name| path.rsplit('.').next() == Some(name)) {
        for (key, value) in theirs.iter().filter(|(key, _)| !ours.contains_key(*key)) {
            differ(&format!("{path}.{key}"), None, Some(value), found);
        }
    }
}

fn lists(path: &str, ours: &[Value], theirs: &[Value], found: &mut Vec<Difference>) {
    let by = BY_FIELD.iter().find(|(list, _)| path.rsplit('.').next() == Some(list)).map(|(_, field)| *field);
    if let Some(field) = by {
        let name = |item: &Value| item.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let find = |items: &[Value], wanted: &str| items.iter().find(|item| name(item) == wanted).cloned();
        for item in ours {
            let path = format!("{path}[{}]", name(item));
            match find(theirs, &name(item)) {
                Some(theirs) => values(&path, item, &theirs, found),
                None => differ(&path, Some(item), None, found),
            }
        }
        for item in theirs.iter().filter(|item| find(ours, &name(item)).is_none()) {
            differ(&format!("{path}[{}]", name(item)), None, Some(item), found);
        }
        return;
    }
    let whole = |items: Vec<Value>| (!items.is_empty()).then_some(Value::Array(items));
    if ours.iter().chain(theirs).all(|item| !item.is_object()) {
        if ours != theirs {
            // What both have says nothing, unless only the order differs.
            let without = |items: &[Value], others: &[Value]| -> Vec<Value> {
                items.iter().filter(|item| !others.contains(item)).cloned().collect()
            };
            let (more, less) = (whole(without(ours, theirs)), whole(without(theirs, ours)));
            match (&more, &less) {
                (None, None) => differ(path, whole(ours.to_vec()).as_ref(), whole(theirs.to_vec()).as_ref(), found),
                _ => differ(path, more.as_ref(), less.as_ref(), found),
            }
        }
        return;
    }
    if ours.len() != theirs.len() {
        return differ(path, whole(ours.to_vec()).as_ref(), whole(theirs.to_vec()).as_ref(), found);
    }
    for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        values(&format!("{path}[{i}]"), ours, theirs, found);
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn differ(path: &str, ours: Option<&Value>, theirs: Option<&Value>, found: &mut Vec<Difference>) {
    let said = |value: Option<&Value>| value.map_or_else(|| ABSENT.to_owned(), |value| short(&value.to_string()));
    found.push(Difference { path: path.to_owned(), ours: said(ours), theirs: said(theirs) });
}

fn short(text: &str) -> String {
    crate::table::cut(text, 80).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(ours: &Value, theirs: &Value) -> Vec<String> {
        let mut found = Vec::new();
        values("spec", ours, theirs, &mut found);
        found.iter().map(|Difference { path, ours, theirs }| format!("{path}: {ours} → {theirs}")).collect()
    }

    #[test]
    fn what_the_api_server_fills_in_is_no_difference() {
        for crd in kgents_api::crd::all() {
            let mut theirs = serde_json::to_value(&crd).unwrap();
            theirs["spec"]["conversion"] = json!({ "strategy": "None" });
            theirs["spec"]["names"]["listKind"] = json!("AgentList");
            theirs["spec"]["preserveUnknownFields"] = json!(false);
            let theirs: Crd = serde_json::from_value(theirs).unwrap();
            assert_eq!(specs(&crd, &theirs), []);
        }
        assert_eq!(lines(&json!({ "a": 1, "b": [], "c": null }), &json!({ "a": 1.0, "d": 2 })), [""; 0]);
    }

    #[test]
    fn each_difference_is_a_line_with_its_path() {
        let ours = json!({
            "names": { "plural": "agents", "shortNames": ["ag"] },
            "versions": [{ "name": "v1", "served": true, "schema": { "properties": { "a": { "type": "string" }, "b": {} } } }],
        });
        let theirs = json!({
            "names": { "plural": "agents", "shortNames": ["ag", "x"] },
            "versions": [
                { "name": "v0", "served": false },
                { "name": "v1", "served": true, "schema": { "properties": { "a": { "type": "integer" }, "c": {} } } },
            ],
        });
        let mut found = lines(&ours, &theirs);
        found.sort();
        assert_eq!(
            found,
            [
                r#"spec.names.shortNames: (absent) → ["x"]"#,
                r#"spec.versions[v0]: (absent) → {"name":"v0","served":false}"#,
                r#"spec.versions[v1].schema.properties.a.type: "string" → "integer""#,
                "spec.versions[v1].schema.properties.c: (absent) → {}",
            ]
        );
    }

    #[test]
    fn a_schema_that_lost_a_field_is_found() {
        let crd = kgents_api::crd::all().remove(0);
        let mut theirs = serde_json::to_value(&crd).unwrap();
        let properties =
            theirs.pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties").unwrap();
        properties.as_object_mut().unwrap().remove("genus").unwrap();
        let theirs: Crd = serde_json::from_value(theirs).unwrap();
        let found = specs(&crd, &theirs);
        assert_eq!(found.len(), 1);
        assert!(found[0].path.ends_with("spec.properties.genus") && found[0].theirs == ABSENT, "{found:?}");
    }
}
