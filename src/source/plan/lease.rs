//! Who makes the cluster what the custom resources say, by the Lease.

use jiff::{SignedDuration, Timestamp};
use kgents_api::{NAMESPACE_SYSTEM, OPERATOR};
use kgents_core::plan::Config;
use kgents_store::planned::{CONFIG, METRICS, Operator, SCOPE, Scope, VERSION};
use serde_json::Value;

use crate::error::SourceError;
use crate::kube::{Ask, Wire, segment, words};

/// Leases, as RBAC names them.
const LEASES: &str = "leases.coordination.k8s.io";
/// Where they are served.
const ROOT: &str = "/apis/coordination.k8s.io/v1";

/// What the Lease says. Where no namespace is named and the usual one has none,
/// it is looked for in all of them: an operator in a pod keeps it beside itself.
/// Nothing in here fails: what cannot be learned says why.
pub(crate) async fn operator(wire: &Wire, namespace: Option<&str>) -> Operator {
    let place = namespace.unwrap_or(NAMESPACE_SYSTEM);
    let found = match in_namespace(wire, place).await {
        // Who may not list all of them has seen the one place that is known.
        Ok(None) if namespace.is_none() => Ok(anywhere(wire).await.ok().flatten()),
        found => found,
    };
    let none = Operator { lease_namespace: words::clean(place), ..Operator::default() };
    match found {
        Ok(Some(lease)) => read(&lease, none),
        Ok(None) => none,
        Err(error) => Operator { is_unknown: true, problem: Some(error.to_string()), hint: error.hint(), ..none },
    }
}

async fn in_namespace(wire: &Wire, namespace: &str) -> Result<Option<Value>, SourceError> {
    let namespace = segment("namespace", namespace)?;
    let ask = Ask { namespace: Some(namespace.to_owned()), ..Ask::new("get", LEASES).named(OPERATOR) };
    match wire.json(&ask, &format!("{ROOT}/namespaces/{namespace}/leases/{OPERATOR}")).await {
        Ok(lease) => Ok(Some(lease)),
        Err(SourceError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The one of all namespaces that was renewed last.
async fn anywhere(wire: &Wire) -> Result<Option<Value>, SourceError> {
    let path = format!("{ROOT}/leases?limit=20&fieldSelector=metadata.name%3D{OPERATOR}");
    let list = wire.json(&Ask::new("list", LEASES), &path).await?;
    let items = list.pointer("/items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let renewed = |lease: &&Value| stamp(lease.pointer("/spec/renewTime"));
    Ok(items.iter().max_by_key(renewed).cloned())
}

fn stamp(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}

fn read(lease: &Value, unread: Operator) -> Operator {
    let text = |pointer: &str| lease.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let said = |name: &str| lease.pointer("/metadata/annotations")?.get(name)?.as_str().filter(|text| !text.is_empty());
    let config = said(CONFIG).map(serde_json::from_str::<Config>);
    let scope = said(SCOPE).map(serde_json::from_str::<Scope>);
    // Another version may know of more, or of less.
    let unreadable = |what: &str, error: &serde_json::Error| {
        format!("its {what} cannot be read by this version of kgents: {}", words::clean(&error.to_string()))
    };
    let problem = match (&config, &scope) {
        (Some(Err(error)), _) => Some(unreadable("configuration", error)),
        (_, Some(Err(error))) => Some(unreadable("scope", error)),
        _ => None,
    };
    let mut scope = scope.and_then(Result::ok).unwrap_or_default();
    for word in [&mut scope.namespace, &mut scope.selector].into_iter().flatten() {
        *word = words::clean(word);
    }
    Operator {
        lease_namespace: text("/metadata/namespace").map_or(unread.lease_namespace, words::clean),
        holder: text("/spec/holderIdentity").map(words::clean),
        version: said(VERSION).map(words::clean),
        acquired: stamp(lease.pointer("/spec/acquireTime")),
        transitions: lease.pointer("/spec/leaseTransitions").and_then(Value::as_i64),
        renewed: stamp(lease.pointer("/spec/renewTime")),
        duration: lease.pointer("/spec/leaseDurationSeconds").and_then(Value::as_i64).map(SignedDuration::from_secs),
        metrics: said(METRICS).map(words::clean),
        config: config.and_then(Result::ok),
        scope,
        passes_over: None,
        problem,
        hint: None,
        is_unknown: false,
    }
}
