//! What has to be written to the children, one step after the other: who
//! cannot take one step does not take the next.

use kgents_api::agent::Mode;
use serde_json::Value;

use super::super::fault::Fault;
use super::super::live::{Live, Other};
use super::super::owned::Change;
use super::super::{Apply, Child, Delete, Expect, Resource, single};
use super::About;
use super::mounts;
use super::problems::Problem;
use jiff::Timestamp;

/// What is wanted of a child.
pub(super) struct Want {
    pub(super) child: Child,
    pub(super) what: What,
}

pub(super) enum What {
    /// That it is like this.
    Body(Value),
    /// That it is like this, once something else is there.
    Waits(Block),
    /// That it is not there any more, and why.
    Gone(&'static str),
    /// Nothing, and why.
    Leave(String),
}

/// Why a step cannot be taken.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// A word in CamelCase.
    pub(super) reason: String,
    /// A sentence that stays the same while the cause does.
    pub(super) message: String,
    /// Somebody has to do something about it.
    pub(super) stalled: bool,
    /// Since when, if it may pass by itself: it is told once it lasts.
    pub(super) since: Option<Timestamp>,
    /// When to try again.
    pub(super) retry_at: Option<Timestamp>,
}

impl Block {
    /// Somebody has to do something about it.
    pub(super) fn stalled(reason: &str, message: String) -> Self {
        Self { reason: reason.to_owned(), message, stalled: true, since: None, retry_at: None }
    }

    /// Something that the agent names is not there; it may come with the next
    /// object of the same file.
    pub(super) fn absent(about: About<'_>, reason: &str, message: String) -> Self {
        Self { stalled: false, since: about.created(), ..Self::stalled(reason, message) }
    }

    /// What was found wrong with the spec.
    pub(super) fn problem(found: &[Problem]) -> Self {
        let mut reasons = found.iter().map(|problem| problem.reason);
        let first = reasons.next().unwrap_or("InvalidSpec");
        let reason = if reasons.all(|reason| reason == first) { first } else { "InvalidSpec" };
        let messages: Vec<&str> = found.iter().map(|problem| problem.message.as_str()).collect();
        Self::stalled(reason, messages.join("; "))
    }

    fn fault(fault: &Fault) -> Self {
        let Fault { child, cause, said, generation: _, since, retry_at } = fault;
        Self {
            reason: cause.reason().to_owned(),
            message: format!("{child}: {said}"),
            stalled: true,
            since: cause.is_transient().then_some(*since),
            retry_at: Some(*retry_at),
        }
    }
}

/// What has to be written, as far as it can be.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) apply: Vec<Apply>,
    pub(super) delete: Vec<Delete>,
    pub(super) blocked: Option<Block>,
    /// Whether nothing could be rendered at all.
    pub(super) is_stopped: bool,
    /// Among the writes is one that failed before.
    pub(super) retries: bool,
    /// Who else had changed what is written, for each of [`Self::apply`].
    pub(super) others: Vec<Option<Other>>,
    pub(super) why: Vec<String>,
}

impl Walk {
    pub(super) fn stopped(block: Block) -> Self {
        Self { blocked: Some(block), is_stopped: true, ..Self::default() }
    }

    /// Whether the Deployment is written.
    pub(super) fn deploys(&self) -> bool {
        self.apply.iter().any(|apply| apply.child.resource == Resource::Deployment)
    }

    /// Whether anything is not as it should be.
    pub(super) fn is_behind(&self) -> bool {
        self.blocked.is_some() || !self.apply.is_empty() || !self.delete.is_empty()
    }
}

/// Who stands where a child should stand.
pub(super) enum Stand<'a> {
    Nobody,
    /// The agent's own.
    Ours(&'a Live),
    /// The agent's own, or that of an earlier agent of its name, on its way out.
    Going,
    /// Somebody else's.
    Stranger(&'a Live),
}

pub(super) fn stand<'a>(about: About<'a>, child: &Child) -> Stand<'a> {
    let Some(live) = about.live(child) else { return Stand::Nobody };
    let is_ours = about.controls(live) || (child.resource == Resource::Memory && mounts::is_retained(about, live));
    // Left by an agent of this name that was deleted: the garbage collector comes for it.
    let is_left = live.controller.as_ref().is_some_and(|owner| {
        owner.kind == "Agent" && owner.name == about.name() && !about.uid().is_empty() && owner.uid != about.uid()
    });
    match (is_ours, live.deleting) {
        (true, false) => Stand::Ours(live),
        (true, true) => Stand::Going,
        (false, _) if is_left => Stand::Going,
        (false, _) => Stand::Stranger(live),
    }
}

pub(super) fn walk(about: About<'_>, wants: &[Want]) -> Walk {
    let mut walk = Walk::default();
    for want in wants {
        if let Err(block) = step(about, want, &mut walk) {
            walk.why.push(format!("{} and what comes after it waits: {}", want.child, block.message));
            walk.blocked = Some(block);
            // What is deleted is deleted when all is in place.
            walk.delete.clear();
            break;
        }
    }
    walk
}

fn step(about: About<'_>, want: &Want, walk: &mut Walk) -> Result<(), Block> {
    let Want { child, what } = want;
    let stand = stand(about, child);
    let body = match what {
        What::Leave(why) => {
            walk.why.push(why.clone());
            return Ok(());
        }
        What::Gone(why) => {
            if let Stand::Ours(live) = stand
                && about.controls(live)
            {
                let (uid, why) = (live.uid.clone(), (*why).to_owned());
                walk.retries |= may_write(about, child)?;
                walk.why.push(format!("deletes {child}: {why}"));
                walk.delete.push(Delete { child: child.clone(), uid, resource_version: None, why });
            }
            return Ok(());
        }
        What::Waits(block) => return Err(block.clone()),
        What::Body(body) => body,
    };
    let (expect, changes, other, why) = match stand {
        Stand::Nobody => (Expect::Absent, Vec::new(), None, purpose(child.resource).to_owned()),
        Stand::Ours(live) => {
            let changes = live.changes(body);
            if changes.is_empty() {
                return Ok(());
            }
            let why = changed(about, live, &changes);
            (Expect::Present { uid: live.uid.clone() }, changes, foreign(about, live), why)
        }
        Stand::Going => {
            let message = format!("{child} of before is still being deleted; it is made again when it is gone");
            return Err(Block {
                since: about.created(),
                stalled: false,
                ..Block::stalled("ChildTerminating", message)
            });
        }
        Stand::Stranger(live) => {
            let whose = match &live.controller {
                Some(owner) => format!("belongs to {} {}", owner.kind, owner.name),
                None => "was made by somebody else".to_owned(),
            };
            let message = format!("{child} is there already and {whose}; it is left as it is");
            let retry_at = Some(single::look_again(about.now));
            return Err(Block { retry_at, ..Block::stalled("NameTaken", message) });
        }
    };
    walk.retries |= may_write(about, child)?;
    let verb = if expect == Expect::Absent { "makes" } else { "changes" };
    walk.why.push(format!("{verb} {child}: {why}"));
    walk.others.push(other);
    walk.apply.push(Apply { child: child.clone(), expect, body: body.clone(), changes, why });
    Ok(())
}

/// Whether a write that failed is tried again; an error when it must not be yet.
fn may_write(about: About<'_>, child: &Child) -> Result<bool, Block> {
    let mut faults = about.observed.faults.iter().filter(|fault| fault.child == *child);
    match faults.clone().find(|fault| fault.stands(about.generation(), about.now)) {
        Some(fault) => Err(Block::fault(fault)),
        None => Ok(faults.next().is_some()),
    }
}

/// Who changed what is ours and was as it should be. A difference that comes
/// from a new spec, or before the first roll-out has begun, is nobody's doing.
fn foreign(about: About<'_>, live: &Live) -> Option<Other> {
    let status = about.agent.status.as_ref()?;
    let seen = status.observed_generation == about.agent.metadata.generation;
    let begun = status.phase.is_some_and(|phase| phase != kgents_api::agent::AgentPhase::Pending);
    let done = seen && begun && about.agent.spec.mode != Mode::DryRun;
    live.other.clone().filter(|_| done)
}

fn changed(about: About<'_>, live: &Live, changes: &[Change]) -> String {
    let fields: Vec<String> = changes.iter().map(ToString::to_string).collect();
    match foreign(about, live) {
        Some(other) => format!("{} changed what is ours: {}", other.manager, fields.join(", ")),
        None => format!("it is not as it should be: {}", fields.join(", ")),
    }
}

/// What a child is for.
fn purpose(resource: Resource) -> &'static str {
    match resource {
        Resource::ServiceAccount => "the pods run as it, without a token",
        Resource::ConfigMap => "the agent reads in it what it is",
        Resource::Umwelt => "the agent names no Umwelt",
        Resource::Memory => "the agent names no Memory",
        Resource::NetworkPolicy => "nobody reaches the agent, and it reaches nobody, who is not named",
        Resource::Service => "the agent is reached by its name",
        Resource::PodDisruptionBudget => "of several pods one may go at a time",
        Resource::Deployment => "it runs the pods",
        Resource::PersistentVolumeClaim | Resource::Pod | Resource::Pheromone => "it belongs to the agent",
    }
}
