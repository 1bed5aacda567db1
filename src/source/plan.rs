//! What an operator would do about one object, without one: what it would see
//! is read once, and [`kgents_core::plan`] decides, as it does for it.
//!
//! What cannot be read is told, and planned for as if nothing stood there.

use std::collections::BTreeMap;

mod around;
mod lease;

use kgents_api::agent::Mode;
use kgents_api::{Agent, LABEL_MANAGED_BY, Memory, OPERATOR, Pheromone, Umwelt};
use kgents_core::plan::{self, Plan, Subject};
use kgents_store::object::{Object, decode};
use kgents_store::planned::{Scope, reason};
use kgents_store::{Key, Kind, Planned};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(crate) use lease::operator;

use crate::clock;
use crate::error::SourceError;
use crate::kube::{Ask, Wire, segment, words};
use around::{Around, Found};

/// What is planned for.
enum Own {
    Agent(Box<Agent>),
    Memory(Box<Memory>),
    Umwelt(Box<Umwelt>),
    Pheromone(Box<Pheromone>),
}

impl Own {
    /// Reads an object, not cleaned: what is planned is applied as it is.
    fn read(kind: Kind, object: &Value) -> Result<Self, SourceError> {
        fn of<T: DeserializeOwned>(kind: Kind, object: &Value) -> Result<Box<T>, SourceError> {
            serde_json::from_value(object.clone()).map(Box::new).map_err(|error| {
                // An object that our types cannot read says where.
                let problem = match decode(kind, &object.to_string()).map(|decoded| decoded.object) {
                    Ok(Object::Unreadable(object)) => object.error.clone(),
                    _ => words::clean(&error.to_string()),
                };
                SourceError::Unreadable { what: kind.resource(), problem }
            })
        }
        match kind {
            Kind::Agent => of(kind, object).map(Self::Agent),
            Kind::Memory => of(kind, object).map(Self::Memory),
            Kind::Umwelt => of(kind, object).map(Self::Umwelt),
            Kind::Pheromone => of(kind, object).map(Self::Pheromone),
            Kind::Proposal | Kind::Deployment | Kind::Pod | Kind::Event => {
                Err(SourceError::Invalid { message: format!("the operator plans nothing for a {kind}") })
            }
        }
    }

    /// An agent for which nothing is done, as if its mode were FULL.
    fn in_earnest(&self) -> Option<Self> {
        let Self::Agent(agent) = self else { return None };
        let mut agent = agent.clone();
        (std::mem::replace(&mut agent.spec.mode, Mode::Full) == Mode::DryRun).then_some(Self::Agent(agent))
    }

    fn subject(&self) -> Subject<'_> {
        match self {
            Self::Agent(agent) => Subject::Agent(agent),
            Self::Memory(memory) => Subject::Memory(memory),
            Self::Umwelt(umwelt) => Subject::Umwelt(umwelt),
            Self::Pheromone(pheromone) => Subject::Pheromone(pheromone),
        }
    }
}

/// What would be done about an object of the API server. The operator is looked
/// for by its Lease in `lease`, else where it is by convention.
///
/// # Errors
/// When the object itself cannot be read.
pub(crate) async fn planned(wire: &Wire, kind: Kind, key: &Key, lease: Option<&str>) -> Result<Planned, SourceError> {
    let object = get(wire, kind, key).await?;
    plan_of(wire, kind, key, &object, lease).await
}

/// What would be done about an object once it was applied: the API server's own
/// may have another spec, or may not be there yet.
///
/// # Errors
/// When the object cannot be read, or the API server does not say whether it
/// has it.
pub(crate) async fn drafted(
    wire: &Wire,
    kind: Kind,
    key: &Key,
    draft: &Value,
    lease: Option<&str>,
) -> Result<Planned, SourceError> {
    let live = match get(wire, kind, key).await {
        Ok(object) => object,
        // Without the CRD no object can be there either.
        Err(SourceError::NotFound { .. } | SourceError::Missing { .. }) => Value::Null,
        Err(error) => return Err(error),
    };
    plan_of(wire, kind, key, &applied(draft, key, &live), lease).await
}

async fn get(wire: &Wire, kind: Kind, key: &Key) -> Result<Value, SourceError> {
    segment("namespace", key.namespace())?;
    let text = wire.get(kind, key.namespace(), key.name()).await?;
    wire.read(&Ask::of("get", kind, Some(key.namespace())).named(key.name()), &text)
}

/// A draft as it would stand there: what the API server keeps of an object is
/// that of the live one.
fn applied(draft: &Value, key: &Key, live: &Value) -> Value {
    let mut object = draft.clone();
    let meta = &mut object["metadata"];
    if !meta.is_object() {
        *meta = json!({});
    }
    (meta["namespace"], meta["name"]) = (key.namespace().into(), key.name().into());
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
    let same = live.get("spec") == draft.get("spec");
    meta["generation"] = if same { generation } else { generation + 1 }.into();
    for name in ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "ownerReferences"] {
        if let Some(value) = live.pointer("/metadata").and_then(|meta| meta.get(name)) {
            meta[name] = value.clone();
        }
    }
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
        fields.extend(live.get("status").map(|status| ("status".to_owned(), status.clone())));
    }
    object
}

async fn plan_of(
    wire: &Wire,
    kind: Kind,
    key: &Key,
    object: &Value,
    lease: Option<&str>,
) -> Result<Planned, SourceError> {
    let own = Own::read(kind, object)?;
    let around = Around::new(wire, key);
    let at = clock::now();
    let ((observed, found), mut operator) =
        futures::join!(Box::pin(around.observe(own.subject())), operator(wire, lease));
    operator.passes_over = (!holds(&operator.scope, key, object)).then(|| key.namespace().to_owned());
    let (now, config) = (clock::now(), operator.config_or_default());
    let plan_for = |own: &Own| {
        let mut plan = plan::plan(own.subject(), &observed, now, &config);
        tell(&mut plan, &found);
        plan
    };
    let plan = plan_for(&own);
    let would = own.in_earnest().as_ref().map(plan_for);
    Ok(Planned { kind, key: key.clone(), plan, would, operator, missing: around.missing(), at })
}

/// Whether an operator looks after an object. What was made for an agent goes
/// with that agent, whatever its own labels are.
fn holds(scope: &Scope, key: &Key, object: &Value) -> bool {
    let labels = object.pointer("/metadata/labels").and_then(|labels| serde_json::from_value(labels.clone()).ok());
    let labels: BTreeMap<String, String> = labels.unwrap_or_default();
    let is_made = labels.get(LABEL_MANAGED_BY).is_some_and(|by| by == OPERATOR);
    let selector = scope.selector.clone().filter(|_| !is_made);
    Scope { selector, ..scope.clone() }.holds(key.namespace(), Some(&labels))
}

/// Where a plan tells only that nothing of ours stands, tells what does:
/// whoever changed a field has taken it from us, and people want to know what
/// they made of it.
fn tell(plan: &mut Plan, found: &Found) {
    for apply in &mut plan.apply {
        apply.why = reason(apply).to_owned();
        let Some(live) = found.get(&(apply.child.resource, apply.child.name.clone())) else { continue };
        for change in apply.changes.iter_mut().filter(|change| change.from.is_none() && !change.path.is_empty()) {
            change.from = plan::at(live, &change.path).cloned();
        }
    }
}

#[cfg(test)]
mod tests;
