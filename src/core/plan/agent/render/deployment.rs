//! The Deployment of an agent.

use std::collections::BTreeSet;

use kgents_api::agent::PodTemplate;
use serde_json::{Map, Value, json};

use super::super::super::Resource;
use super::super::About;
use super::super::mounts::{Lives, State};
use super::super::problems::Checked;
use super::{labels, object, pod, selector};

pub(super) fn body(about: About<'_>, checked: &Checked, state: &State, lives: &Lives) -> Value {
    let is_alone = matches!(state, State::Claim { alone: true, .. });
    let mut spec = pod::spec(about, checked, state, lives);
    if is_alone {
        // All pods go where the volume is.
        let term = object! {
            "labelSelector": object! { "matchLabels": selector(about) },
            "topologyKey": "kubernetes.io/hostname",
        };
        spec["affinity"] = object! {
            "podAffinity": object! { "requiredDuringSchedulingIgnoredDuringExecution": [term] },
        };
    }
    let mut metadata = object! { "labels": labels(about) };
    if let Some(template) = &about.agent.spec.pod_template {
        lay_over(template, &mut metadata, &mut spec);
    }
    let mut body = object(about, Resource::Deployment);
    body["spec"] = object! {
        "replicas": about.agent.spec.replicas,
        "selector": object! { "matchLabels": selector(about) },
        "strategy": strategy(is_alone),
        "template": object! { "metadata": metadata, "spec": spec },
    };
    body
}

/// In full either way: what the API server fills in for one type it refuses
/// with the other.
fn strategy(is_alone: bool) -> Value {
    if is_alone {
        object! { "type": "Recreate" }
    } else {
        object! {
            "type": "RollingUpdate",
            "rollingUpdate": object! { "maxSurge": "25%", "maxUnavailable": 0 },
        }
    }
}

/// Lays what people say over the pods. Our own labels stay: the selector, the
/// the policies and the budget of pods find the pods by them.
fn lay_over(template: &PodTemplate, metadata: &mut Value, spec: &mut Value) {
    let PodTemplate { image_pull_secrets, node_selector, tolerations, annotations, labels, priority_class_name } =
        template;
    for (name, value) in labels {
        if metadata["labels"].get(name).is_none() {
            metadata["labels"][name] = json!(value);
        }
    }
    if !annotations.is_empty() {
        metadata["annotations"] = json!(annotations);
    }
    // A keyed list: the same name twice would be refused.
    let secrets: BTreeSet<&str> = image_pull_secrets.iter().map(|secret| secret.name.as_str()).collect();
    let secrets: Vec<Value> =
        secrets.into_iter().filter(|name| !name.is_empty()).map(|name| json!({ "name": name })).collect();
    if !secrets.is_empty() {
        spec["imagePullSecrets"] = json!(secrets);
    }
    if !node_selector.is_empty() {
        spec["nodeSelector"] = json!(node_selector);
    }
    if !tolerations.is_empty() {
        spec["tolerations"] = tolerations.iter().map(|toleration| without_blanks(json!(toleration))).collect();
    }
    if let Some(class) = priority_class_name {
        spec["priorityClassName"] = json!(class);
    }
}

/// Without the fields that the API server drops because they are empty.
fn without_blanks(value: Value) -> Value {
    let Value::Object(fields) = value else { return value };
    let is_said = |value: &Value| !value.is_null() && value.as_str() != Some("");
    fields.into_iter().filter(|(_, value)| is_said(value)).collect::<Map<_, _>>().into()
}
