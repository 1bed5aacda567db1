//! How an agent stands, by its Deployment and its pods.

use std::cmp::Reverse;

use kgents_api::AgentStatus;
use kgents_api::agent::AgentPhase;

use super::super::conditions::Said;
use super::super::{DeploymentFacts, Event, Pod, Trouble};
use super::status::{Flux, figures};
use super::walk::{Block, Walk};
use super::{About, cut, event};

/// How an agent stands.
pub(super) struct Judged {
    pub(super) phase: AgentPhase,
    pub(super) ready: Said,
    pub(super) progressing: Said,
    pub(super) stalled: Said,
    pub(super) replicas: i32,
    pub(super) ready_replicas: i32,
    /// Nothing moves, and nothing has to.
    pub(super) is_settled: bool,
}

fn said(type_: &'static str, holds: bool, reason: &str, message: &str) -> Said {
    Said { type_, holds: Some(holds), reason: reason.to_owned(), message: cut(message) }
}

/// Nothing stands in the way.
fn free() -> Said {
    said("Stalled", false, "NoTrouble", "nothing stands in the way")
}

const DEPLOYING: &str = "Deploying";
const STARTING: &str = "pods are being made, started or replaced";

/// How an agent stands that is reconciled, with the block that is to be told.
pub(super) fn judge(about: About<'_>, walk: &Walk, told: Option<&Block>, flux: &Flux) -> Judged {
    let deployment = about.deployment();
    let facts = deployment.map(|(_, facts)| facts);
    let is_held = walk.blocked.is_some();
    let wanted = match facts {
        // What cannot be written cannot be waited for.
        Some(facts) if is_held => facts.wanted,
        _ => i64::from(about.agent.spec.replicas),
    };
    if let Some(block) = told {
        return blocked(facts, wanted, block);
    }
    let is_written = !walk.deploys() && !is_held;
    let is_seen = deployment.is_some_and(|(live, facts)| facts.observed_generation >= live.generation.unwrap_or(0));
    match facts {
        Some(facts) if is_written && is_seen && is_complete(facts, wanted) => settled(facts, wanted),
        _ => moving(about, facts, wanted, flux),
    }
}

/// How an agent stands whose Deployment is not ours to bring forward, or is
/// not there: then `reason` and `message` say why.
pub(super) fn as_it_stands(about: About<'_>, flux: &Flux, reason: &str, message: &str) -> Judged {
    let Some((live, facts)) = about.deployment() else {
        return Judged {
            phase: AgentPhase::Pending,
            ready: said("Ready", false, reason, message),
            progressing: said("Progressing", false, reason, message),
            stalled: free(),
            replicas: 0,
            ready_replicas: 0,
            is_settled: true,
        };
    };
    let is_seen = facts.observed_generation >= live.generation.unwrap_or(0);
    if is_seen && is_complete(facts, facts.wanted) {
        return settled(facts, facts.wanted);
    }
    moving(about, Some(facts), facts.wanted, flux)
}

fn is_complete(facts: &DeploymentFacts, wanted: i64) -> bool {
    let DeploymentFacts { wanted: asked, replicas, updated, ready, .. } = facts;
    [asked, replicas, updated, ready].into_iter().all(|count| *count == wanted)
}

fn settled(facts: &DeploymentFacts, wanted: i64) -> Judged {
    let (reason, message) = match wanted {
        0 => ("ScaledToZero", "no pods are wanted, and there are none"),
        _ => ("Available", "all pods that are wanted are ready"),
    };
    let (replicas, ready_replicas) = figures(Some(facts));
    Judged {
        phase: AgentPhase::Running,
        ready: said("Ready", true, reason, message),
        progressing: said("Progressing", false, reason, message),
        stalled: free(),
        replicas,
        ready_replicas,
        is_settled: true,
    }
}

/// A step cannot be taken. What runs goes on.
fn blocked(facts: Option<&DeploymentFacts>, wanted: i64, block: &Block) -> Judged {
    let Block { reason, message, stalled, .. } = block;
    let (replicas, ready_replicas) = figures(facts);
    let ready = i64::from(ready_replicas);
    let phase = match facts {
        Some(_) if ready >= wanted => AgentPhase::Running,
        Some(_) if ready > 0 => AgentPhase::Degraded,
        _ if *stalled => AgentPhase::Failed,
        _ => AgentPhase::Pending,
    };
    Judged {
        phase,
        ready: said("Ready", false, reason, message),
        progressing: said("Progressing", !stalled, reason, message),
        stalled: if *stalled { said("Stalled", true, reason, message) } else { free() },
        replicas,
        ready_replicas,
        is_settled: false,
    }
}

fn moving(about: About<'_>, facts: Option<&DeploymentFacts>, wanted: i64, flux: &Flux) -> Judged {
    let (replicas, ready_replicas) = figures(facts);
    let is_fresh = flux.until.is_some();
    let trouble = worst(about).filter(|_| !is_fresh);
    let refused = facts.and_then(|facts| facts.refused.as_ref()).filter(|_| !is_fresh);
    let overdue = facts.and_then(|facts| facts.overdue.as_ref());
    // What the Deployment's controller says, if it is stuck.
    let stuck = match (refused, overdue) {
        (Some((reason, message)), _) => Some((reason.as_str(), refusal(message))),
        (None, Some(_)) => Some(("ProgressDeadlineExceeded", "the roll-out takes longer than its deadline".to_owned())),
        (None, None) => None,
    };
    let (reason, message) = match (&trouble, &stuck) {
        (_, Some((reason, message))) if refused.is_some() => (*reason, message.as_str()),
        (Some(trouble), _) => (trouble.reason.as_str(), trouble.message.as_str()),
        (None, Some((reason, message))) => (*reason, message.as_str()),
        (None, None) => (DEPLOYING, STARTING),
    };
    let lasts = stuck.is_some() || trouble.is_some_and(|trouble| !trouble.transient);
    let ready = i64::from(ready_replicas);
    let phase = match facts {
        // Who wants no pods starts none.
        _ if wanted == 0 => AgentPhase::Running,
        Some(_) if ready >= wanted && !lasts => AgentPhase::Running,
        Some(_) if ready > 0 && (lasts || (flux.was_reached && !is_fresh)) => AgentPhase::Degraded,
        _ if ready == 0 && lasts => AgentPhase::Failed,
        _ => AgentPhase::Pending,
    };
    let progressing = match &stuck {
        Some((reason, message)) => said("Progressing", false, reason, message),
        None if reason == DEPLOYING => said("Progressing", true, DEPLOYING, STARTING),
        None => said("Progressing", true, reason, message),
    };
    Judged {
        phase,
        ready: said("Ready", false, reason, message),
        progressing,
        stalled: stuck.map_or_else(free, |(reason, message)| said("Stalled", true, reason, &message)),
        replicas,
        ready_replicas,
        is_settled: false,
    }
}

/// The trouble that says most: what does not pass by itself before what does,
/// that of the newest pod first, for it is of the newest template.
fn worst<'a>(about: About<'a>) -> Option<&'a Trouble> {
    let pods = about.observed.pods.iter().filter(|pod| !pod.deleting && !pod.ready);
    let troubled = pods.filter_map(|pod: &'a std::sync::Arc<Pod>| Some((pod.created, pod.trouble.as_ref()?)));
    let first = troubled
        .min_by_key(|(created, trouble)| (trouble.transient, Reverse(*created), &trouble.reason, &trouble.message));
    first.map(|(_, trouble)| trouble)
}

/// Why no pod can be made, without what differs each time that it is tried:
/// the pod's name, and how much of a quota is used just now.
fn refusal(message: &str) -> String {
    let mut text = message.to_owned();
    if let Some((before, rest)) = message.split_once("pods \"")
        && let Some((_, after)) = rest.split_once('"')
    {
        text = format!("{before}pods{after}");
    }
    if let Some((before, rest)) = text.split_once(", used: ")
        && let Some((_, after)) = rest.split_once(", limited: ")
    {
        text = format!("{before}, limited: {after}");
    }
    text
}

impl Judged {
    /// Of an agent that is being deleted.
    pub(super) fn terminating(before: &AgentStatus) -> Self {
        let message = "the agent is being deleted";
        Self {
            phase: AgentPhase::Terminating,
            ready: said("Ready", false, "Terminating", message),
            progressing: said("Progressing", false, "Terminating", message),
            stalled: free(),
            replicas: before.replicas.unwrap_or(0),
            ready_replicas: before.ready_replicas.unwrap_or(0),
            is_settled: false,
        }
    }

    /// The conditions that each agent has.
    pub(super) fn conditions(&self) -> Vec<Said> {
        vec![self.ready.clone(), self.progressing.clone(), self.stalled.clone()]
    }

    /// What is to be said when an agent that stood like `before` stands like this.
    pub(super) fn turn(&self, before: &AgentStatus) -> Option<Event> {
        let held = |type_: &str| {
            before.conditions.iter().any(|condition| condition.type_ == type_ && condition.status == "True")
        };
        let message = format!("{}: {}", self.ready.reason, self.ready.message);
        let stalls = self.stalled.holds == Some(true) && !held("Stalled");
        let turned = before.phase != Some(self.phase);
        match self.phase {
            AgentPhase::Failed if turned => Some(event(true, "Failed", "Reconcile", &message)),
            AgentPhase::Degraded if turned => Some(event(true, "Degraded", "Reconcile", &message)),
            _ if stalls => {
                let Said { reason, message, .. } = &self.stalled;
                Some(event(true, "Stalled", "Reconcile", &format!("{reason}: {message}")))
            }
            AgentPhase::Running if self.ready.holds == Some(true) && !held("Ready") => {
                Some(event(false, "Running", "Reconcile", &message))
            }
            _ => None,
        }
    }
}
