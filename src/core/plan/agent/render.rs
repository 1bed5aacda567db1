//! The children of an agent, as they should be. The same spec makes the same
//! bytes, and nothing is rendered that the API server would drop: what is
//! empty or false where that is the default would differ for ever.

use kgents_api::{LABEL_AGENT, LABEL_GENUS};
use serde_json::Value;

use super::super::{Child, Resource, single};
use super::About;
use super::mounts;
use super::problems::Checked;
use super::walk::{Stand, Want, What, stand};

mod deployment;
mod network_policy;
mod pod;

use pod::SPEC_FILE;

/// Where agents are spoken to over HTTP.
const HTTP: i32 = 8080;
/// Where agents are spoken to over gRPC.
const GRPC: i32 = 50052;

pub(super) fn wants(about: About<'_>, checked: &Checked) -> Vec<Want> {
    let (keeps, lives) = (mounts::memory(about), mounts::umwelt(about));
    let what = |resource| match resource {
        Resource::ServiceAccount => What::Body(service_account(about)),
        Resource::ConfigMap => What::Body(config_map(about, checked)),
        Resource::Umwelt if lives.is_automatic => What::Body(umwelt(about)),
        Resource::Umwelt => What::Gone("spec.umwelt names another"),
        Resource::Memory => memory(about, &keeps),
        Resource::NetworkPolicy => What::Body(network_policy::body(about, checked)),
        Resource::Service => What::Body(service(about)),
        Resource::PodDisruptionBudget if about.agent.spec.replicas > 1 => What::Body(disruption_budget(about)),
        Resource::PodDisruptionBudget => What::Gone("one pod needs none: it would keep its node from being drained"),
        _ => match lives.waits.as_ref().or(keeps.waits.as_ref()) {
            Some(block) => What::Waits(block.clone()),
            None => What::Body(deployment::body(about, checked, &keeps.state, &lives)),
        },
    };
    super::ORDER.into_iter().map(|resource| Want { child: about.child(resource), what: what(resource) }).collect()
}

/// What all children begin with: their name, our labels, and the agent as the
/// owner that they go with.
fn object(about: About<'_>, resource: Resource) -> Value {
    let Child { resource: _, namespace, name } = about.child(resource);
    let mut metadata = object! { "name": name, "namespace": namespace, "labels": labels(about) };
    if let Some(mut owners) = single::owners("Agent", &about.agent.metadata) {
        // A foreground deletion of the agent waits for its pods. Where
        // OwnerReferencesPermissionEnforcement is on, who sets this needs the
        // right to update agents/finalizers.
        owners[0]["blockOwnerDeletion"] = true.into();
        metadata["ownerReferences"] = owners;
    }
    object! { "apiVersion": resource.api_version(), "kind": resource.kind(), "metadata": metadata }
}

fn labels(about: About<'_>) -> Value {
    let mut labels = single::labels(about.name());
    labels.insert(LABEL_GENUS.to_owned(), about.agent.spec.genus.as_str().into());
    labels.into()
}

/// What finds the pods of an agent, whatever else changes.
fn selector(about: About<'_>) -> Value {
    object! { LABEL_AGENT: about.name() }
}

fn service_account(about: About<'_>) -> Value {
    let mut body = object(about, Resource::ServiceAccount);
    body["automountServiceAccountToken"] = false.into();
    body
}

fn config_map(about: About<'_>, checked: &Checked) -> Value {
    let mut body = object(about, Resource::ConfigMap);
    body["data"] = object! { SPEC_FILE: checked.spec.as_str() };
    body
}

/// Only whose it is: all else is for people to change.
fn umwelt(about: About<'_>) -> Value {
    let mut body = object(about, Resource::Umwelt);
    body["spec"] = object! { "agent": about.name() };
    body
}

/// Only whose it is and of what type. It goes with the agent only if its own
/// policy says so.
fn memory_body(about: About<'_>, goes: bool) -> Value {
    let mut body = object(about, Resource::Memory);
    if let Some(metadata) = body["metadata"].as_object_mut()
        && !goes
    {
        metadata.remove("ownerReferences");
    }
    body["spec"] = object! { "owner": about.name(), "type": "BICAMERAL" };
    body
}

fn memory(about: About<'_>, keeps: &mounts::Keeps) -> What {
    if keeps.is_automatic {
        return What::Body(memory_body(about, keeps.goes));
    }
    let child = about.child(Resource::Memory);
    if keeps.name.as_ref() == Some(&child.name) {
        return What::Leave(format!("{child} is named by the agent and was not made for it: it is used as it is"));
    }
    let Stand::Ours(live) = stand(about, &child) else {
        let why = match (&keeps.name, &about.agent.spec.memory) {
            (None, Some(named)) => format!("Memory {named} is not used: the sidecar that keeps state is off"),
            _ => format!("{child} is not needed"),
        };
        return What::Leave(why);
    };
    let deletes = matches!(&live.facts, super::super::Facts::Memory { retention } if retention == "DELETE");
    match (about.controls(live), deletes) {
        (true, true) => What::Gone("the agent does not use it, and its retentionPolicy is DELETE"),
        // Its policy was changed: it must not go with the agent any more.
        (true, false) => What::Body(memory_body(about, false)),
        (false, _) => What::Leave(format!("{child} is not used and is kept, as its retentionPolicy says")),
    }
}

fn service(about: About<'_>) -> Value {
    let mut body = object(about, Resource::Service);
    // The target is a number: a PLACEHOLDER declares no port by name.
    let port = |name: &str, port: i32| object! { "name": name, "port": port, "targetPort": port, "protocol": "TCP" };
    body["spec"] = object! {
        "type": "ClusterIP",
        "selector": selector(about),
        "ports": [port("http", HTTP), port("grpc", GRPC)],
    };
    body
}

fn disruption_budget(about: About<'_>) -> Value {
    let mut body = object(about, Resource::PodDisruptionBudget);
    body["spec"] = object! { "maxUnavailable": 1, "selector": object! { "matchLabels": selector(about) } };
    body
}
