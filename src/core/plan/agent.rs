//! What is made of an Agent: its children in their order, isolation before
//! execution, and what its status says of them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kgents_api::Agent;
use kgents_api::agent::Mode;

use super::live::Live;
use super::{Child, Config, Event, Facts, Observed, Plan, Resource, TRANSIENT, single};

mod env;
mod judge;
mod mounts;
mod problems;
mod render;
mod status;
mod tell;
#[cfg(test)]
mod tests;
mod walk;

use walk::{Block, Walk};

/// The children of an Agent, in the order in which they are written.
const ORDER: [Resource; 8] = [
    Resource::ServiceAccount,
    Resource::ConfigMap,
    Resource::Umwelt,
    Resource::Memory,
    Resource::NetworkPolicy,
    Resource::Service,
    Resource::PodDisruptionBudget,
    Resource::Deployment,
];

pub(super) fn children(agent: &Agent) -> Vec<Child> {
    ORDER.into_iter().map(|resource| child(agent, resource)).collect()
}

/// The child of this kind. Names are the agent's own where Kubernetes makes
/// other names and labels of them, for those end at 63 characters as the
/// agent's does; names with a suffix may be longer, up to 253.
fn child(agent: &Agent, resource: Resource) -> Child {
    let name = agent.metadata.name.as_deref().unwrap_or_default();
    let name = match resource {
        Resource::ConfigMap => format!("{name}-spec"),
        Resource::Umwelt => format!("{name}-umwelt"),
        Resource::Memory => format!("{name}-memory"),
        _ => name.to_owned(),
    };
    let namespace = agent.metadata.namespace.as_deref().unwrap_or("default").to_owned();
    Child { resource, namespace, name }
}

/// All that a plan for an Agent is computed from.
#[derive(Clone, Copy)]
struct About<'a> {
    agent: &'a Agent,
    observed: &'a Observed,
    now: Timestamp,
    config: &'a Config,
}

impl<'a> About<'a> {
    fn name(&self) -> &'a str {
        self.agent.metadata.name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> &'a str {
        self.agent.metadata.namespace.as_deref().unwrap_or("default")
    }

    fn uid(&self) -> &'a str {
        self.agent.metadata.uid.as_deref().unwrap_or_default()
    }

    fn generation(&self) -> i64 {
        self.agent.metadata.generation.unwrap_or(0)
    }

    fn child(&self, resource: Resource) -> Child {
        child(self.agent, resource)
    }

    fn live(&self, child: &Child) -> Option<&'a Arc<Live>> {
        // The key is looked for by value: a map of tuples takes no borrowed half.
        self.observed.children.get(&(child.resource, child.name.clone()))
    }

    /// Whether this object is controlled by the agent itself, not by an
    /// earlier one of its name.
    fn controls(&self, live: &Live) -> bool {
        !self.uid().is_empty() && live.is_controlled_by(self.uid())
    }

    /// The Deployment of the agent, if it is the agent's.
    fn deployment(&self) -> Option<(&'a Live, &'a super::DeploymentFacts)> {
        let live = self.live(&self.child(Resource::Deployment))?;
        match &live.facts {
            Facts::Deployment(facts) if self.controls(live) => Some((live, facts)),
            _ => None,
        }
    }

    fn created(&self) -> Option<Timestamp> {
        self.agent.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    /// Until when something that began at `since` counts as new. A stamp from
    /// far ahead is that of a clock that jumped, and counts as old: it must
    /// not hold anything back for ever.
    fn fresh(&self, since: Timestamp) -> Option<Timestamp> {
        let until = later(since, TRANSIENT);
        (until > self.now && since <= later(self.now, TRANSIENT)).then_some(until)
    }
}

/// `time` and `by` more, or the end of time.
fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(super) fn plan(agent: &Agent, observed: &Observed, now: Timestamp, config: &Config) -> Plan {
    let about = About { agent, observed, now, config };
    let mut plan = Plan::default();
    if agent.metadata.deletion_timestamp.is_some() {
        plan.why.push("the agent is being deleted: its children go with it, and none is made".to_owned());
        status::terminating(about, &mut plan);
        return plan;
    }
    let walk = match problems::check(about) {
        Ok(checked) => walk::walk(about, &render::wants(about, &checked)),
        Err(found) => Walk::stopped(Block::problem(&found)),
    };
    if agent.spec.paused {
        plan.why.push("spec.paused: nothing is written but the status".to_owned());
        status::paused(about, &walk, &mut plan);
    } else if agent.spec.mode == Mode::DryRun {
        status::dry_run(about, &walk, &mut plan);
    } else {
        status::full(about, &walk, &mut plan);
        plan.events.extend(tell::writes(&walk));
        plan.why.extend(walk.why);
        plan.apply = walk.apply;
        plan.delete = walk.delete;
    }
    plan
}

/// A sentence that fits into an Event, and is short enough for a condition.
fn cut(text: &str) -> String {
    single::cut(text, 1024)
}

fn event(warning: bool, reason: &'static str, action: &'static str, message: &str) -> Event {
    Event { warning, reason, action, message: cut(message) }
}
