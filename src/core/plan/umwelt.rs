//! Umwelt: a ConfigMap of its name, in which the agent reads it.

use jiff::Timestamp;
use kgents_api::{Umwelt, UmweltStatus, yaml};
use serde_json::{Value, json};

use super::single::{self, Failed, State};
use super::{Apply, Cause, Child, Config, Expect, Live, Observed, Plan, Resource};

/// The key of the ConfigMap.
const KEY: &str = "umwelt.yaml";

/// The most bytes that the values of a ConfigMap may have.
///
/// Source: `MaxSecretSize` in `k8s.io/kubernetes/pkg/apis/core`.
const MOST_BYTES: usize = 1 << 20;

pub(super) fn children(umwelt: &Umwelt) -> Vec<Child> {
    vec![config_map(umwelt)]
}

fn config_map(umwelt: &Umwelt) -> Child {
    single::child(Resource::ConfigMap, &umwelt.metadata)
}

pub(super) fn plan(umwelt: &Umwelt, observed: &Observed, now: Timestamp, _config: &Config) -> Plan {
    let mut plan = Plan::default();
    let metadata = &umwelt.metadata;
    if metadata.deletion_timestamp.is_some() {
        plan.why.push("the umwelt is being deleted: nothing is done for it any more".to_owned());
        return plan;
    }
    let child = config_map(umwelt);
    let failed = Failed::of(&child, observed, metadata.generation.unwrap_or(0), now, &mut plan);
    let present = observed.children.get(&(child.resource, child.name.clone())).map(AsRef::as_ref);
    let (state, has_map) = match present {
        Some(live) if !metadata.uid.as_ref().is_some_and(|uid| live.is_controlled_by(uid)) => {
            let message = taken(&child, live);
            plan.wake(single::look_again(now));
            plan.why.push(message.clone());
            (Some(State::stuck(Cause::Stranger.reason(), message)), false)
        }
        Some(live) if live.deleting => {
            let message = format!("{child} is going; it is made anew then");
            plan.why.push(message.clone());
            (Some(State::Underway { reason: "ConfigMapGoing", message }), false)
        }
        _ => (write(umwelt, &child, present, failed, &mut plan), present.is_some()),
    };
    // What is written now may fail: how it went is said by the plan that sees it.
    let Some(state) = state.filter(|_| plan.apply.is_empty() || failed.is_some()) else { return plan };
    let before = umwelt.status.as_ref();
    let conditions = before.map(|status| status.conditions.as_slice()).unwrap_or_default();
    let next = UmweltStatus {
        observed_generation: metadata.generation,
        config_map_name: has_map.then(|| metadata.name.clone()).flatten(),
        conditions: state.conditions(Vec::new(), conditions, metadata.generation, now),
    };
    plan.status = single::status(&next, before);
    plan
}

/// Plans the ConfigMap. The state is none while it is not to be told.
fn write(
    umwelt: &Umwelt,
    child: &Child,
    present: Option<&Live>,
    failed: Option<Failed<'_>>,
    plan: &mut Plan,
) -> Option<State> {
    let text = match yaml::to_string(&umwelt.spec) {
        Ok(text) if text.len() <= MOST_BYTES => text,
        Ok(text) => {
            let message = format!("it is {} bytes long: a ConfigMap holds {MOST_BYTES} at most", text.len());
            plan.why.push(message.clone());
            return Some(State::Stalled { usable: present.is_some(), reason: "TooLarge".to_owned(), message });
        }
        Err(error) => {
            plan.why.push(error.clone());
            return Some(State::Stalled { usable: present.is_some(), reason: "Unreadable".to_owned(), message: error });
        }
    };
    if !failed.is_some_and(|failed| failed.blocks) {
        let body = body(umwelt, child, &text);
        let changes = present.map(|live| live.changes(&body)).unwrap_or_default();
        let why = match present {
            None => "the umwelt has no ConfigMap yet",
            Some(_) => "the ConfigMap differs from what the umwelt says",
        };
        if present.is_none() || !changes.is_empty() {
            plan.why.push(why.to_owned());
            let is_seen =
                umwelt.status.as_ref().and_then(|status| status.observed_generation) == umwelt.metadata.generation;
            let expect = match present {
                Some(live) => {
                    plan.events.extend(single::put_back(child, live, &changes, is_seen));
                    Expect::Present { uid: live.uid.clone() }
                }
                None => Expect::Absent,
            };
            plan.apply.push(Apply { child: child.clone(), expect, body, changes, why: why.to_owned() });
        }
    }
    match failed {
        Some(failed) if failed.is_told => {
            Some(State::Stalled { usable: present.is_some(), reason: failed.reason(), message: failed.message() })
        }
        Some(_) => None,
        None => Some(State::Ready { reason: "Written", message: format!("{child} says what the umwelt says") }),
    }
}

fn body(umwelt: &Umwelt, child: &Child, text: &str) -> Value {
    json!({
        "apiVersion": child.resource.api_version(), "kind": child.resource.kind(),
        "metadata": {
            "name": child.name, "namespace": child.namespace,
            "labels": single::labels(&umwelt.spec.agent),
            "ownerReferences": single::owners("Umwelt", &umwelt.metadata),
        },
        "data": { KEY: text },
    })
}

fn taken(child: &Child, live: &Live) -> String {
    match &live.controller {
        Some(owner) if owner.kind == "Umwelt" && owner.name == child.name => {
            format!("{child} belongs to a former umwelt of this name and goes with it; it is made anew then")
        }
        Some(owner) => format!("{child} belongs to {} {}: it is left alone", owner.kind, owner.name),
        None => format!("{child} is somebody else's: it is left alone; delete or rename it"),
    }
}

#[cfg(test)]
mod tests;
