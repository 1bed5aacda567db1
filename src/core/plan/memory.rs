//! Memory: a claim of its name on a volume.
//!
//! Nothing here loses data by accident: a claim dies with its Memory only
//! while its owner reference says so, and is deleted by a plan only when it
//! has that reference and the spec says DELETE and EPHEMERAL.

use jiff::Timestamp;
use kgents_api::memory::{MemoryType, RetentionPolicy};
use kgents_api::{Amount, LABEL_MANAGED_BY, LABEL_MEMORY, LABEL_RETENTION, Memory, MemoryStatus, OPERATOR};
use serde_json::{Value, json};

use super::conditions::Said;
use super::single::{self, Failed, State};
use super::{
    Apply, Cause, Child, ClaimFacts, Config, Delete, Event, Expect, Facts, Live, Observed, Plan, Resource, TRANSIENT,
};
use crate::quantity::Quantity;

pub(super) fn children(memory: &Memory) -> Vec<Child> {
    vec![claim(memory)]
}

fn claim(memory: &Memory) -> Child {
    single::child(Resource::PersistentVolumeClaim, &memory.metadata)
}

/// Whose the claim of our name is.
enum Claim<'a> {
    None,
    /// Of this Memory: controlled by it, or kept for one of its name.
    Ours(&'a Live, &'a ClaimFacts),
    /// Of somebody else.
    Stranger(&'a Live),
}

static NO_FACTS: ClaimFacts = ClaimFacts {
    phase: String::new(),
    requested: None,
    capacity: None,
    storage_class: None,
    access_modes: Vec::new(),
    resizing: None,
};

impl<'a> Claim<'a> {
    fn of(memory: &Memory, child: &Child, observed: &'a Observed) -> Self {
        let Some(live) = observed.children.get(&(child.resource, child.name.clone())) else { return Self::None };
        if is_ours(memory, live) {
            let facts = if let Facts::Claim(facts) = &live.facts { facts } else { &NO_FACTS };
            Self::Ours(live, facts)
        } else {
            Self::Stranger(live)
        }
    }
}

fn is_ours(memory: &Memory, live: &Live) -> bool {
    if live.controller.is_some() {
        return is_controlled(memory, live);
    }
    let label = |name: &str| live.labels.get(name).map(String::as_str);
    label(LABEL_MANAGED_BY) == Some(OPERATOR)
        && label(LABEL_MEMORY) == memory.metadata.name.as_deref().map(single::label_value).as_deref()
}

fn is_controlled(memory: &Memory, live: &Live) -> bool {
    memory.metadata.uid.as_ref().is_some_and(|uid| live.is_controlled_by(uid))
}

/// Whether a claim may be swept: it was kept to be composted, nobody controls
/// it, and the agent that its label names is gone.
pub fn sweepable(claim: &Live, owner_lives: bool) -> bool {
    let label = |name: &str| claim.labels.get(name).map(String::as_str);
    !owner_lives
        && !claim.deleting
        && claim.controller.is_none()
        && label(LABEL_MANAGED_BY) == Some(OPERATOR)
        && label(LABEL_MEMORY).is_some()
        && label(LABEL_RETENTION) == Some(RetentionPolicy::Compost.as_str())
}

/// Whether a Memory may be swept, and its claim with it: it is for compost,
/// and its owner is gone. A claim that is swept alone would be made again.
pub fn is_compost(memory: &Memory, owner_lives: bool) -> bool {
    !owner_lives
        && memory.metadata.deletion_timestamp.is_none()
        && memory.spec.retention_policy == RetentionPolicy::Compost
}

pub(super) fn plan(memory: &Memory, observed: &Observed, now: Timestamp, _config: &Config) -> Plan {
    let mut plan = Plan::default();
    if memory.metadata.deletion_timestamp.is_some() {
        plan.why.push("the memory is being deleted: nothing is done for it any more".to_owned());
        return plan;
    }
    let child = claim(memory);
    let present = Claim::of(memory, &child, observed);
    let generation = memory.metadata.generation.unwrap_or(0);
    let failed = Failed::of(&child, observed, generation, now, &mut plan);
    let (state, special) = if memory.spec.type_ == MemoryType::Ephemeral {
        (ephemeral(memory, child, &present, failed, &mut plan), Vec::new())
    } else {
        durable(memory, child, &present, failed, now, &mut plan)
    };
    // What is written now may fail: how it went is said by the plan that sees it.
    let Some(state) = state.filter(|_| (plan.apply.is_empty() && plan.delete.is_empty()) || failed.is_some()) else {
        return plan;
    };
    let before = memory.status.as_ref();
    let conditions = before.map(|status| status.conditions.as_slice()).unwrap_or_default();
    let facts = if let Claim::Ours(_, facts) = present { Some(facts) } else { None };
    let facts = facts.filter(|_| memory.spec.type_ != MemoryType::Ephemeral);
    let next = MemoryStatus {
        observed_generation: memory.metadata.generation,
        claim_name: facts.and(memory.metadata.name.clone()),
        size: facts.and_then(|facts| facts.capacity.clone()).map(Amount),
        conditions: state.conditions(
            special.into_iter().chain(unbuilt(memory)).collect(),
            conditions,
            memory.metadata.generation,
            now,
        ),
    };
    plan.status = single::status(&next, before);
    plan
}

/// Without a volume. The state is none while it is not to be told.
fn ephemeral(
    memory: &Memory,
    child: Child,
    present: &Claim<'_>,
    failed: Option<Failed<'_>>,
    plan: &mut Plan,
) -> Option<State> {
    if let Claim::Ours(live, facts) = *present {
        let dies = memory.spec.retention_policy == RetentionPolicy::Delete;
        let controlled = is_controlled(memory, live);
        if live.deleting {
            plan.why.push(format!("{child} is going"));
        } else if controlled && failed.is_some_and(|failed| failed.blocks) {
            plan.why.push(format!("{child} is left until it may be tried again"));
        } else if controlled && dies {
            let why = "the memory is EPHEMERAL now and its retention is DELETE: its claim goes".to_owned();
            plan.why.push(why.clone());
            plan.delete.push(Delete { child, uid: live.uid.clone(), resource_version: None, why });
        } else if controlled {
            let body = body(memory, &child, Some((live, facts)));
            let changes = live.changes(&body);
            let why = "the memory is EPHEMERAL now and its claim is to be kept: it no longer dies with it".to_owned();
            plan.why.push(why.clone());
            let expect = Expect::Present { uid: live.uid.clone() };
            plan.apply.push(Apply { child, expect, body, changes, why });
        } else {
            plan.why.push(format!("{child} was kept and stays"));
        }
    }
    match failed {
        Some(failed) if failed.is_told && matches!(present, Claim::Ours(..)) => {
            Some(State::Stalled { usable: true, reason: failed.reason(), message: failed.message() })
        }
        Some(_) if matches!(present, Claim::Ours(..)) => None,
        _ => Some(State::Ready {
            reason: "Ephemeral",
            message: "it has no volume: it lasts as long as the agent's pod".to_owned(),
        }),
    }
}

/// On a volume. The state is none while it is not to be told.
fn durable(
    memory: &Memory,
    child: Child,
    present: &Claim<'_>,
    failed: Option<Failed<'_>>,
    now: Timestamp,
    plan: &mut Plan,
) -> (Option<State>, Vec<Said>) {
    let blocked = failed.is_some_and(|failed| failed.blocks);
    match *present {
        Claim::None => {
            if !blocked {
                let lost = memory.status.as_ref().is_some_and(|status| status.claim_name.is_some());
                let why = if lost { "its claim is gone: it is made anew" } else { "the memory has no claim yet" };
                if lost && failed.is_none() {
                    let message = format!("{child} was gone and is made anew: what it held is not in it");
                    plan.events.push(Event { warning: true, reason: "ClaimGone", action: "Apply", message });
                }
                plan.why.push(why.to_owned());
                let body = body(memory, &child, None);
                let why = why.to_owned();
                plan.apply.push(Apply { child, expect: Expect::Absent, body, changes: Vec::new(), why });
            }
            let state =
                failed.filter(|failed| failed.is_told).map(|failed| State::stuck(&failed.reason(), failed.message()));
            (state, Vec::new())
        }
        Claim::Stranger(live) => {
            let message = taken(&child, live);
            plan.wake(single::look_again(now));
            plan.why.push(message.clone());
            (Some(State::stuck(Cause::Stranger.reason(), message)), Vec::new())
        }
        Claim::Ours(live, _) if live.deleting => {
            let message = format!("{child} is going, once no pod uses it; it is made anew then");
            plan.why.push(message.clone());
            (Some(State::Underway { reason: "ClaimGoing", message }), Vec::new())
        }
        Claim::Ours(live, facts) => ours(memory, &child, live, facts, failed, now, plan),
    }
}

fn ours(
    memory: &Memory,
    child: &Child,
    live: &Live,
    facts: &ClaimFacts,
    failed: Option<Failed<'_>>,
    now: Timestamp,
    plan: &mut Plan,
) -> (Option<State>, Vec<Said>) {
    let size = Size::of(memory, facts);
    let special = differences(memory, facts, size, failed);
    if !failed.is_some_and(|failed| failed.blocks) {
        // Growing may be refused, and must not stand in the way of the rest:
        // a claim that is to be kept has to lose its owner first.
        let mut body = body(memory, child, Some((live, facts)));
        let mut changes = live.changes(&body);
        let mut why = "the claim differs from what the memory says".to_owned();
        if changes.is_empty() && size == Size::Grows {
            body["spec"]["resources"]["requests"]["storage"] = memory.spec.size.0.as_str().into();
            changes = live.changes(&body);
            why = format!("the volume grows to {}", memory.spec.size);
        } else if !changes.is_empty() {
            let seen = memory.status.as_ref().and_then(|status| status.observed_generation);
            plan.events.extend(single::put_back(child, live, &changes, seen == memory.metadata.generation));
        }
        if !changes.is_empty() {
            plan.why.push(why.clone());
            let expect = Expect::Present { uid: live.uid.clone() };
            plan.apply.push(Apply { child: child.clone(), expect, body, changes, why });
        }
    }
    let usable = facts.phase == "Bound";
    let state = match (failed, facts.phase.as_str()) {
        (Some(failed), _) if failed.is_told => {
            Some(State::Stalled { usable, reason: failed.reason(), message: failed.message() })
        }
        (Some(_), _) => None,
        (None, "Bound") => Some(State::Ready { reason: "Bound", message: format!("{child} is bound to a volume") }),
        (None, "Lost") => {
            Some(State::stuck("ClaimLost", format!("{child} has lost its volume: what it held may be lost")))
        }
        (None, _) => match young_until(live, now) {
            Some(until) => {
                plan.wake(until);
                plan.why.push(format!("{child} is new: it may still be bound at once"));
                None
            }
            None => Some(State::Underway {
                reason: "WaitingForBinding",
                message: format!(
                    "{child} waits for a volume; where the storage class binds at first use, until a pod uses it"
                ),
            }),
        },
    };
    (state, special)
}

/// Until when a claim is so new that its being unbound is not worth a word. A
/// stamp far in the future is a clock gone wrong, and not waited for.
fn young_until(live: &Live, now: Timestamp) -> Option<Timestamp> {
    let created = live.created?;
    let age = now.duration_since(created);
    (-TRANSIENT..TRANSIENT).contains(&age).then(|| created.saturating_add(TRANSIENT).unwrap_or(now))
}

fn taken(child: &Child, live: &Live) -> String {
    let name = &child.name;
    match &live.controller {
        Some(owner) if owner.kind == "Memory" && owner.name == *name => {
            format!("{child} belongs to a former memory of this name and goes with it; one is made anew then")
        }
        Some(owner) => format!("{child} belongs to {} {}: it is left alone", owner.kind, owner.name),
        None => format!(
            "{child} is somebody else's and left alone; to hand it over: kubectl label pvc {name} -n {} \
             {LABEL_MANAGED_BY}={OPERATOR} {LABEL_MEMORY}={}",
            child.namespace,
            single::label_value(name)
        ),
    }
}

/// What the size that is asked for means for the claim that is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    /// The claim says the same.
    Same,
    /// It can grow now.
    Grows,
    /// It is to grow once it is bound.
    GrowsLater,
    /// It would have to shrink, which no volume does.
    Shrinks,
}

impl Size {
    fn of(memory: &Memory, facts: &ClaimFacts) -> Self {
        let wanted = Quantity::parse(&memory.spec.size.0);
        let Some(there) = facts.requested.as_deref() else { return Self::Grows };
        match (wanted, Quantity::parse(there)) {
            (Some(wanted), Some(there)) if wanted == there => Self::Same,
            (Some(wanted), Some(there)) if wanted < there => Self::Shrinks,
            // What cannot be read is for the API server to judge, unless it stands there already.
            _ if memory.spec.size.0 == there => Self::Same,
            _ if facts.phase == "Bound" => Self::Grows,
            _ => Self::GrowsLater,
        }
    }
}

/// The claim as it should be: what cannot change any more is as it is, and
/// its size, that changes by itself alone, too.
fn body(memory: &Memory, child: &Child, present: Option<(&Live, &ClaimFacts)>) -> Value {
    let spec = &memory.spec;
    let mut labels = single::labels(&spec.owner);
    labels.insert(LABEL_MEMORY.to_owned(), single::label_value(&child.name).into());
    labels.insert(LABEL_RETENTION.to_owned(), spec.retention_policy.as_str().into());
    let mut metadata = json!({ "name": child.name, "namespace": child.namespace, "labels": labels });
    if spec.retention_policy == RetentionPolicy::Delete
        && let Some(owners) = single::owners("Memory", &memory.metadata)
    {
        metadata["ownerReferences"] = owners;
    }
    let there = present.and_then(|(_, facts)| facts.requested.as_deref());
    let size = there.unwrap_or(&spec.size.0);
    let modes = present.map(|(_, facts)| &facts.access_modes).filter(|modes| !modes.is_empty());
    let modes = modes.map_or_else(|| json!([spec.access_mode]), |modes| json!(modes));
    let mut claim = json!({ "accessModes": modes, "resources": { "requests": { "storage": size } } });
    if let Some(class) = class(memory, present) {
        claim["storageClassName"] = class.into();
    }
    json!({
        "apiVersion": child.resource.api_version(), "kind": child.resource.kind(),
        "metadata": metadata, "spec": claim,
    })
}

/// The storage class to name. A claim that has one keeps it; one that nobody
/// named has it from the cluster's default, and that is not ours to say.
fn class<'a>(memory: &'a Memory, present: Option<(&'a Live, &'a ClaimFacts)>) -> Option<&'a str> {
    let wanted = memory.spec.storage_class.as_deref();
    let Some((live, facts)) = present else { return wanted };
    match (wanted, facts.storage_class.as_deref()) {
        (Some(_), Some(there)) => Some(there),
        (None, Some(there)) => live.applied("/spec/storageClassName").is_some().then_some(there),
        (Some(wanted), None) => (facts.phase == "Pending").then_some(wanted),
        (None, None) => None,
    }
}

/// In what the claim is not what the memory says, and why it stays so.
fn differences(memory: &Memory, facts: &ClaimFacts, size: Size, failed: Option<Failed<'_>>) -> Vec<Said> {
    let spec = &memory.spec;
    let mut said = Vec::new();
    let no = |type_, reason: &str, message| Said { type_, holds: Some(false), reason: reason.to_owned(), message };
    let there = facts.requested.as_deref().unwrap_or_default();
    match (size, failed) {
        (Size::Grows, Some(failed)) if failed.is_told => said.push(no("Resized", &failed.reason(), failed.message())),
        (Size::Shrinks, _) => {
            let message =
                format!("the claim asks for {there} and the memory for {}: a volume never shrinks", spec.size);
            said.push(no("Resized", "ShrinkRefused", message));
        }
        (Size::GrowsLater, _) => {
            let message = format!("the claim asks for {there}; it grows to {} once it is bound", spec.size);
            said.push(no("Resized", "WaitingForBinding", message));
        }
        (Size::Same, _) => {
            let capacity = facts.capacity.as_deref().and_then(Quantity::parse);
            if let (Some(capacity), Some(asked)) = (capacity, Quantity::parse(there))
                && capacity < asked
            {
                said.push(no("Resized", "Resizing", resizing(facts, there)));
            }
        }
        (Size::Grows, _) => {}
    }
    let mut fixed = Vec::new();
    if let Some(wanted) = spec.storage_class.as_deref()
        && facts.storage_class.as_deref() != Some(wanted)
        && (facts.storage_class.is_some() || facts.phase != "Pending")
    {
        let there = facts.storage_class.as_deref().unwrap_or("none");
        fixed.push(format!("the storage class is {there}, not {wanted}"));
    }
    if !facts.access_modes.is_empty() && facts.access_modes != [spec.access_mode.as_str()] {
        fixed.push(format!("the access mode is {}, not {}", facts.access_modes.join(", "), spec.access_mode));
    }
    if !fixed.is_empty() {
        let message = format!("{}: that of a claim never changes, only a new one has another", fixed.join("; "));
        said.push(no("ClaimMatches", "ClaimImmutable", message));
    }
    said
}

/// What is said of a volume that grows. Only what waits or failed has words
/// that stay the same.
fn resizing(facts: &ClaimFacts, asked: &str) -> String {
    match &facts.resizing {
        Some((reason, words)) if reason.ends_with("Pending") || reason.ends_with("Error") => {
            single::cut(&format!("the volume is to grow to {asked}: {words}"), 512)
        }
        _ => format!("the volume is to grow to {asked}"),
    }
}

/// What the spec asks for and nothing does yet.
fn unbuilt(memory: &Memory) -> impl Iterator<Item = Said> {
    let no = |type_, what: &str| Said {
        type_,
        holds: Some(false),
        reason: "NotImplemented".to_owned(),
        message: format!("{what} has no effect yet"),
    };
    let backup = memory.spec.backup_schedule.is_some().then(|| no("BackupScheduled", "backupSchedule"));
    let shared = match (memory.spec.shared_with.is_empty(), memory.spec.write_access.is_empty()) {
        (true, true) => None,
        (false, true) => Some(no("Shared", "sharedWith")),
        (true, false) => Some(no("Shared", "writeAccess")),
        (false, false) => {
            Some(Said { message: "sharedWith and writeAccess have no effect yet".to_owned(), ..no("Shared", "") })
        }
    };
    backup.into_iter().chain(shared)
}

#[cfg(test)]
mod tests;
