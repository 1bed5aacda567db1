//! What the status of an agent says: written when it says something else than
//! before, and not while what it says is about to pass by itself.

use jiff::Timestamp;
use kgents_api::agent::AgentPhase;
use kgents_api::{AgentStatus, Condition};

use super::super::conditions::{Said, conditions};
use super::super::{DeploymentFacts, Plan, Resource, single};
use super::judge::{self, Judged};
use super::walk::Walk;
use super::{About, event, mounts, tell};

/// The conditions that are ours. Others are written by others.
const CONDITIONS: [&str; 7] =
    ["Ready", "Progressing", "Stalled", "Paused", "DryRun", "PeersResolved", "IdentityAvailable"];

/// Of an agent that is reconciled.
pub(super) fn full(about: About<'_>, walk: &Walk, plan: &mut Plan) {
    let mut scene = Scene::of(about);
    if let Some(at) = walk.blocked.as_ref().and_then(|block| block.retry_at) {
        plan.wake(at);
    }
    if walk.retries || (scene.was_taken() && !walk.apply.is_empty()) {
        // What comes of it is told when it is known; until then what was said stands.
        return;
    }
    let mut untold = false;
    let told = walk.blocked.as_ref().filter(|block| match block.since.and_then(|since| about.fresh(since)) {
        Some(until) => {
            plan.wake(until);
            untold = true;
            false
        }
        None => true,
    });
    let judged = judge::judge(about, walk, told, &scene.flux);
    if let Some(until) = scene.flux.until
        && (!judged.is_settled || told.is_some())
    {
        plan.wake(until);
    }
    if !scene.is_first {
        let is_told_already = told.is_some() && scene.says(&judged.ready);
        let waits = untold || (told.is_none() && !judged.is_settled && !scene.is_new) || is_told_already;
        if (scene.flux.until.is_some() || untold) && waits {
            return;
        }
        // That all is well is said when all is written.
        if judged.is_settled && scene.is_new && walk.is_behind() {
            return;
        }
    }
    scene.name_children(walk);
    scene.write(&judged, Vec::new(), plan);
}

/// Of an agent that is left as it is.
pub(super) fn paused(about: About<'_>, walk: &Walk, plan: &mut Plan) {
    let mut scene = Scene::of(about);
    let message = "spec.paused is true: nothing of this agent is changed".to_owned();
    let said = Said { type_: "Paused", holds: Some(true), reason: "Paused".to_owned(), message };
    let judged = judge::as_it_stands(about, &scene.flux, "Paused", "the agent is paused before anything was made");
    if walk.is_behind() {
        // What runs is not what this generation says.
        scene.generation = scene.before.observed_generation;
    }
    scene.write_when_steady(&judged, vec![said], plan);
}

/// Of an agent for which nothing is made.
pub(super) fn dry_run(about: About<'_>, walk: &Walk, plan: &mut Plan) {
    let scene = Scene::of(about);
    let said = |message: String| Said { type_: "DryRun", holds: Some(true), reason: "DryRun".to_owned(), message };
    plan.why.push("spec.mode is DRY_RUN: this is what would be done, and nothing of it is".to_owned());
    plan.why.extend(walk.why.iter().cloned());
    if let (true, Some(block)) = (walk.is_stopped, &walk.blocked) {
        let judged = judge::judge(about, walk, Some(block), &scene.flux);
        scene.write(&judged, vec![said("nothing can be planned for this spec".to_owned())], plan);
        return;
    }
    let would = tell::would(walk);
    if scene.is_new {
        plan.events.push(event(false, "DryRun", "Plan", &would));
    }
    let judged = judge::as_it_stands(about, &scene.flux, "DryRun", "nothing is made: spec.mode is DRY_RUN");
    scene.write_when_steady(
        &judged,
        vec![said("nothing is written: an Event and kgents explain say what would be".to_owned())],
        plan,
    );
}

/// Of an agent that is being deleted: said once, its pods are not counted down.
pub(super) fn terminating(about: About<'_>, plan: &mut Plan) {
    let scene = Scene::of(about);
    let judged = Judged::terminating(&scene.before);
    scene.write(&judged, Vec::new(), plan);
}

/// The moment in which a status is computed.
struct Scene<'a> {
    about: About<'a>,
    /// The present status.
    before: AgentStatus,
    /// There is no status yet.
    is_first: bool,
    /// The present status is that of another generation.
    is_new: bool,
    /// The generation that is claimed.
    generation: Option<i64>,
    flux: Flux,
}

/// What is moving.
pub(super) struct Flux {
    /// Until when what is seen counts as about to pass.
    pub(super) until: Option<Timestamp>,
    /// Whether all pods of this generation were ready once.
    pub(super) was_reached: bool,
}

impl<'a> Scene<'a> {
    fn of(about: About<'a>) -> Self {
        let before = about.agent.status.clone().unwrap_or_default();
        let generation = about.agent.metadata.generation;
        let facts = about.deployment().map(|(_, facts)| facts);
        let pods = about.observed.pods.iter().filter(|pod| !pod.deleting);
        let stamps =
            pods.flat_map(|pod| [pod.created, pod.placed, pod.trouble.as_ref().and_then(|trouble| trouble.since)]);
        let stamps = stamps.chain([facts.and_then(|facts| facts.progressed)]).flatten();
        let until = stamps.filter_map(|stamp| about.fresh(stamp)).max();
        let is_new = before.observed_generation != generation;
        let ready = before.conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
        let was_reached = !is_new && (ready || before.phase == Some(AgentPhase::Degraded));
        Self { about, is_first: before.phase.is_none(), is_new, generation, before, flux: Flux { until, was_reached } }
    }

    /// Whether the present status gives this reason.
    fn says(&self, ready: &Said) -> bool {
        let mut conditions = self.before.conditions.iter();
        !self.is_new
            && conditions.any(|condition| {
                condition.type_ == ready.type_ && condition.reason == ready.reason && condition.message == ready.message
            })
    }

    /// Whether a name was taken when it was last tried. Caches do not hold who
    /// has it, so it looks free until it is tried again.
    fn was_taken(&self) -> bool {
        let taken = |condition: &&Condition| condition.type_ == "Stalled" && condition.reason == "NameTaken";
        !self.is_new && self.before.conditions.iter().any(|condition| taken(&condition))
    }

    /// The children, by the names that they have or will have.
    fn name_children(&mut self, walk: &Walk) {
        if walk.is_stopped {
            return;
        }
        let about = self.about;
        let name = |resource| Some(about.child(resource).name);
        self.before.deployment_name = name(Resource::Deployment);
        self.before.service_name = name(Resource::Service);
        self.before.network_policy_name = name(Resource::NetworkPolicy);
        self.before.service_account_name = name(Resource::ServiceAccount);
        self.before.config_map_name = name(Resource::ConfigMap);
        self.before.memory_name = mounts::memory(about).name;
        self.before.umwelt_name = Some(mounts::umwelt(about).name);
    }

    fn write_when_steady(self, judged: &Judged, special: Vec<Said>, plan: &mut Plan) {
        match self.flux.until {
            Some(until) if !judged.is_settled => {
                plan.wake(until);
                if self.is_new || self.is_first {
                    self.write(judged, special, plan);
                }
            }
            _ => self.write(judged, special, plan),
        }
    }

    /// Writes the status, if it differs, and says what has come about by it.
    fn write(self, judged: &Judged, special: Vec<Said>, plan: &mut Plan) {
        let Self { about, before: names, .. } = &self;
        let present = about.agent.status.clone().unwrap_or_default();
        let mut said = judged.conditions();
        said.extend(special);
        said.extend(peers(*about, plan));
        said.extend(identity(*about));
        let status = AgentStatus {
            observed_generation: self.generation,
            phase: Some(judged.phase),
            replicas: Some(judged.replicas),
            ready_replicas: Some(judged.ready_replicas),
            selector: Some(format!("{}={}", kgents_api::LABEL_AGENT, about.name())),
            // Somebody else's to write.
            cognitive_health: None,
            deployment_name: names.deployment_name.clone(),
            service_name: names.service_name.clone(),
            network_policy_name: names.network_policy_name.clone(),
            service_account_name: names.service_account_name.clone(),
            config_map_name: names.config_map_name.clone(),
            memory_name: names.memory_name.clone(),
            umwelt_name: names.umwelt_name.clone(),
            conditions: conditions(said, &present.conditions, self.generation, about.now),
        };
        plan.why.push(format!("{}: {}", judged.phase, judged.ready.message));
        if let Some(status) = single::status(&status, Some(&ours(&present))) {
            plan.events.extend(judged.turn(&present));
            plan.status = Some(status);
        }
    }
}

/// Of a status what we write.
fn ours(status: &AgentStatus) -> AgentStatus {
    let mut ours = AgentStatus { cognitive_health: None, ..status.clone() };
    ours.conditions.retain(|condition| CONDITIONS.contains(&condition.type_.as_str()));
    ours
}

/// Whether all peers that are named are there. A policy needs none of them, so
/// it is only said; and not while the agent is so new that its peers may be
/// the next objects of the same file.
fn peers(about: About<'_>, plan: &mut Plan) -> Option<Said> {
    let named = about.agent.spec.network_policy.allowed_peers.iter().filter(|peer| !peer.starts_with("genus:"));
    let mut absent: Vec<&str> =
        named.filter(|peer| !about.observed.agents.contains(*peer)).map(String::as_str).collect();
    absent.sort_unstable();
    absent.dedup();
    if about.agent.spec.network_policy.allowed_peers.is_empty() {
        return None;
    }
    if absent.is_empty() {
        let message = "all peers that are named are there".to_owned();
        return Some(Said { type_: "PeersResolved", holds: Some(true), reason: "PeersFound".to_owned(), message });
    }
    if let Some(until) = about.created().and_then(|created| about.fresh(created)) {
        plan.wake(until);
        return None;
    }
    let message = super::cut(&format!("there is no Agent {} in namespace {}", absent.join(", "), about.namespace()));
    Some(Said { type_: "PeersResolved", holds: Some(false), reason: "PeerNotFound".to_owned(), message })
}

fn identity(about: About<'_>) -> Option<Said> {
    let message = "spec.identity: there is no k-gent to run beside the agent yet; it runs without one".to_owned();
    about.agent.spec.identity.enabled.then(|| Said {
        type_: "IdentityAvailable",
        holds: Some(false),
        reason: "NotImplemented".to_owned(),
        message,
    })
}

/// The figures of a Deployment that a status holds.
pub(super) fn figures(facts: Option<&DeploymentFacts>) -> (i32, i32) {
    let figure = |count: i64| i32::try_from(count.max(0)).unwrap_or(i32::MAX);
    facts.map_or((0, 0), |facts| (figure(facts.replicas), figure(facts.ready)))
}
