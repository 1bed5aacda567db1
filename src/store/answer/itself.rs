//! Answers about an agent itself: what it is, how it is, and why.

use kgents_api::Agent;
use kgents_api::agent::{AgentStatus, HealthType, Mode};
use kgents_core::activity::AgentState;
use kgents_core::attention::Need;

use super::said::{Said, Scene, and, are, capital, clause, condition, count, cut, short, thousands};
use crate::object::{LastEnd, PodFacts};
use crate::view::{self, AgentRow};

/// How many characters of instructions are told.
const MAX_INSTRUCTIONS: usize = 240;

fn agent<'a>(scene: &Scene<'a>) -> &'a Agent {
    &scene.held.held.object
}

fn status<'a>(scene: &Scene<'a>) -> Option<&'a AgentStatus> {
    scene.held.held.object.status.as_ref()
}

/// Phase, pods, activity, and what stands out.
pub(super) fn state(said: &mut Said, scene: &Scene<'_>) {
    let (name, agent) = (scene.name(), agent(scene));
    let phase = status(scene).and_then(|status| status.phase);
    let ready = status(scene).and_then(|status| status.ready_replicas);
    said.read(["status.phase", "status.readyReplicas", "spec.replicas"]);
    let phase = phase.map_or_else(
        || format!("{name} has no phase: no operator has written one"),
        |phase| format!("{name} is {phase}"),
    );
    let wanted = i64::from(agent.spec.replicas);
    let ready = match (ready, wanted) {
        (_, 0) => ", scaled to no pods".to_owned(),
        (Some(ready), _) => format!(", {ready} of {} ready", count(wanted, "pod")),
        (None, _) => String::new(),
    };
    let row = row(scene);
    let doing = row.as_ref().map(|row| format!(" It is {} now.", activity(row.state))).unwrap_or_default();
    said.line(format!("{phase}{ready}.{doing}"));
    if agent.metadata.deletion_timestamp.is_some() {
        said.read(["metadata.deletionTimestamp"]);
        said.line("It is being deleted.");
    }
    if agent.spec.paused {
        said.read(["spec.paused"]);
        said.line("It is paused: nothing of it is reconciled.");
    }
    match agent.spec.mode {
        Mode::Full => {}
        Mode::Placeholder => said.line("Its mode is PLACEHOLDER: an empty stand-in runs in its place."),
        Mode::DryRun => said.line("Its mode is DRY_RUN: nothing is made, only the plan is reported."),
    }
    if agent.spec.mode != Mode::Full {
        said.read(["spec.mode"]);
    }
    if let Some(row) = row.filter(|row| row.bid.need != Need::None) {
        need(said, scene, &row);
    }
}

/// The agent as the list of agents has it.
fn row(scene: &Scene<'_>) -> Option<AgentRow> {
    let proposals = view::proposals_of(scene.terrarium, scene.key, scene.now);
    view::agent(scene.terrarium, scene.key, &proposals, scene.now)
}

const fn activity(state: AgentState) -> &'static str {
    match state {
        AgentState::Busy => "busy",
        AgentState::Active => "active",
        AgentState::Idle => "idle",
        AgentState::Dream => "dreaming",
        AgentState::Waiting => "waiting for a person",
        AgentState::Down => "down",
    }
}

/// Whether it needs a person, and why.
pub(super) fn needs(said: &mut Said, scene: &Scene<'_>) {
    match row(scene) {
        Some(row) if row.bid.need != Need::None => need(said, scene, &row),
        _ => {
            said.read(["status.phase", "status.cognitiveHealth", "proposals", "pheromones"]);
            said.line(format!("{} needs nobody: nothing is broken, asked or strongly signalled.", scene.name()));
        }
    }
}

fn need(said: &mut Said, scene: &Scene<'_>, row: &AgentRow) {
    let reason = clause(&row.bid.reason);
    let name = scene.name();
    let (sentence, fields): (String, &[&str]) = match row.bid.need {
        Need::Decide => (format!("A person must decide soon. {}.", asked(&reason)), &["proposals"]),
        Need::Ask => (format!("{}.", asked(&reason)), &["proposals"]),
        Need::Broken => (
            format!("{name} needs a person: {reason}."),
            &["status.phase", "status.cognitiveHealth", "status.conditions"],
        ),
        Need::Signal => (format!("A strong signal concerns it: {reason}."), &["pheromones"]),
        Need::None => return,
    };
    said.read(fields.iter().copied());
    said.line(sentence);
}

/// What is asked, as a sentence: the reason begins with "asks" where the agent
/// itself asks.
fn asked(reason: &str) -> String {
    if reason.starts_with("asks") { format!("It {reason}") } else { reason.to_owned() }
}

/// What is wrong, by conditions, pods and the Deployment; or why it is well.
pub(super) fn why(said: &mut Said, scene: &Scene<'_>) {
    let name = scene.name();
    said.read(["status.phase", "status.conditions", "pods"]);
    let phase = status(scene).and_then(|status| status.phase);
    let conditions = status(scene).map(|status| status.conditions.as_slice()).unwrap_or_default();
    let mut lines = Vec::new();
    for bad in conditions.iter().filter(|condition| view::is_bad(condition)) {
        let (line, fields) = condition(scene, bad);
        said.read(fields);
        lines.push(line);
    }
    for (key, pod) in scene.terrarium.pods_of(scene.key) {
        let ended = pod.last_end.as_ref().filter(|_| pod.trouble.is_some()).map(|end| self::ended(scene, end));
        if let Some(trouble) = &pod.trouble {
            let ended = ended.map(|ended| format!("; {ended}")).unwrap_or_default();
            lines.push(format!("Pod {}: {}{ended}.", key.name(), clause(trouble)));
        }
    }
    for (key, facts) in scene.terrarium.deployments() {
        let own = key.namespace() == scene.key.namespace() && facts.agent.as_deref() == Some(name);
        if let Some(trouble) = facts.trouble.as_ref().filter(|_| own) {
            said.read(["deployments"]);
            lines.push(format!("Deployment {}: {}.", key.name(), clause(trouble)));
        }
    }
    let phase = phase.map_or_else(|| "has no phase".to_owned(), |phase| format!("is {phase}"));
    if lines.is_empty() {
        let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
        said.line(format!("{name} {phase}. Nothing that is known says that something is wrong."));
        if let Some((line, fields)) = ready.map(|ready| condition(scene, ready)) {
            said.read(fields);
            said.line(line);
        }
        return;
    }
    said.line(format!("{name} {phase}. What is known of why:"));
    said.list(&lines);
}

fn ended(scene: &Scene<'_>, LastEnd { reason, at }: &LastEnd) -> String {
    let ago = at.map(|at| format!(" {}", scene.ago(at))).unwrap_or_default();
    format!("it last ended {}{ago}", short(reason))
}

/// What the probes of its mind say.
pub(super) fn health(said: &mut Said, scene: &Scene<'_>) {
    let (name, health) = (scene.name(), &agent(scene).spec.health);
    said.read(["status.cognitiveHealth", "spec.health.type", "spec.health.probeInterval"]);
    match status(scene).and_then(|status| status.cognitive_health) {
        Some(mind) => said.line(format!("The mind of {name} is {mind}.")),
        None => said.line(format!("How the mind of {name} is, is not known: no operator has written it.")),
    }
    let conditions = status(scene).map(|status| status.conditions.as_slice()).unwrap_or_default();
    let mental = |type_: &str| type_.contains("Health") || type_.contains("Cognitive") || type_.contains("Probe");
    for told in conditions.iter().filter(|condition| mental(&condition.type_)).take(super::said::MAX_ITEMS) {
        let (line, fields) = condition(scene, told);
        said.read(fields);
        said.line(line);
    }
    said.read(["spec.health.unhealthyThreshold"]);
    let asked = match health.type_ {
        HealthType::Http => "Its endpoint is asked over HTTP",
        HealthType::CognitiveProbe => "Its mind is asked two small questions",
    };
    let failures = count(health.unhealthy_threshold.into(), "failure");
    said.line(format!("{asked} each {}; {failures} in a row count.", short(&health.probe_interval)));
}

/// What it may spend. What it has spent nobody measures.
pub(super) fn budget(said: &mut Said, scene: &Scene<'_>) {
    let name = scene.name();
    match &agent(scene).spec.budget {
        None => {
            said.read(["spec.budget"]);
            said.line(format!("No token budget is set for {name}."));
        }
        Some(budget) => {
            said.read(["spec.budget.tokens", "spec.budget.refillPerMinute"]);
            let refill = match budget.refill_per_minute {
                ..=0 => "it does not refill".to_owned(),
                refill => {
                    let minutes = budget.tokens.max(0) / refill + i64::from(budget.tokens.max(0) % refill > 0);
                    format!(
                        "{} flow in each minute, so an empty one is full after {}",
                        thousands(refill),
                        count(minutes, "minute")
                    )
                }
            };
            said.line(format!("The budget of {name} holds {}; {refill}.", count(budget.tokens, "token")));
            said.line("How much of it is left is not known: nobody measures it yet.");
        }
    }
    let umwelt = super::around::umwelt_of(scene).and_then(|(_, held)| held.object.spec.constraints.as_ref());
    if let Some(tokens) = umwelt.and_then(|constraints| constraints.token_budget) {
        said.read(["umwelts"]);
        said.line(format!("Its umwelt allows {}.", count(tokens, "token")));
    }
}

/// Replicas, pods and restarts.
pub(super) fn replicas(said: &mut Said, scene: &Scene<'_>) {
    let (name, wanted) = (scene.name(), i64::from(agent(scene).spec.replicas));
    said.read(["spec.replicas", "status.replicas", "status.readyReplicas", "pods"]);
    let status = status(scene);
    let number = |number: Option<i32>| number.map_or_else(|| "not told".to_owned(), |number| number.to_string());
    let (exist, ready) = (status.and_then(|status| status.replicas), status.and_then(|status| status.ready_replicas));
    let told = match (exist, ready) {
        (None, None) => "how many there are, no operator has written".to_owned(),
        _ => format!("existing: {}, ready: {}", number(exist), number(ready)),
    };
    said.line(format!("{} of {name} {} wanted; {told}.", count(wanted, "pod"), are(wanted)));
    let pods: Vec<_> = scene.terrarium.pods_of(scene.key).collect();
    if pods.is_empty() {
        said.line("No pod of it is known here, so neither are restarts.");
        return;
    }
    let restarts: i64 = pods.iter().map(|(_, pod)| pod.restarts.max(0)).fold(0, i64::saturating_add);
    said.line(format!("{} so far:", capital(&count(restarts, "restart"))));
    let items: Vec<String> =
        pods.into_iter().map(|(key, pod)| format!("{}: {}", key.name(), self::pod(scene, pod))).collect();
    said.list(&items);
}

fn pod(scene: &Scene<'_>, pod: &PodFacts) -> String {
    let mut parts = vec![
        short(&pod.phase),
        format!("{} of {} ready", pod.ready, count(pod.containers as i64, "container")),
        count(pod.restarts, "restart"),
    ];
    parts.extend(pod.node.as_deref().map(|node| format!("on {}", short(node))));
    parts.extend(pod.trouble.as_deref().map(clause));
    parts.extend(pod.last_end.as_ref().map(|end| ended(scene, end)));
    parts.join(", ")
}

/// Its image, and that of its pods where it is another.
pub(super) fn image(said: &mut Said, scene: &Scene<'_>) {
    let name = scene.name();
    said.read(["spec.image"]);
    let image = agent(scene).spec.image.as_deref();
    said.line(match image {
        Some(image) => format!("The image of {name} is {}.", short(image)),
        None => format!("{name} names no image, so the operator's own agent image is to run."),
    });
    let mut other: Vec<&str> = scene
        .terrarium
        .pods_of(scene.key)
        .filter_map(|(_, pod)| pod.image.as_deref())
        .filter(|it| Some(*it) != image)
        .collect();
    other.sort_unstable();
    other.dedup();
    if !other.is_empty() {
        said.read(["pods"]);
        said.line(format!("Its pods run {}.", clause(&and(&other))));
    }
}

/// Its limits. What it uses nobody measures.
pub(super) fn resources(said: &mut Said, scene: &Scene<'_>) {
    let limits = &agent(scene).spec.resources;
    said.read(["spec.resources.cpu", "spec.resources.memory"]);
    said.line(format!(
        "{} may use up to {} CPU and {} memory; half of that is set aside for it.",
        scene.name(),
        short(&limits.cpu.0),
        short(&limits.memory.0)
    ));
    said.line("How much it really uses is not known: nobody measures it yet.");
}

/// What it is told to do.
pub(super) fn instructions(said: &mut Said, scene: &Scene<'_>) {
    let name = scene.name();
    said.read(["spec.instructions"]);
    let text = agent(scene).spec.instructions.as_deref().map(str::trim).filter(|text| !text.is_empty());
    said.line(match text {
        Some(text) => format!("{name} is told: “{}”", cut(text, MAX_INSTRUCTIONS)),
        None => format!("No instructions are set for {name}."),
    });
}

/// Its settings.
pub(super) fn config(said: &mut Said, scene: &Scene<'_>) {
    let (name, config) = (scene.name(), &agent(scene).spec.config);
    said.read(["spec.config"]);
    if config.is_empty() {
        said.line(format!("No settings are set for {name}."));
        return;
    }
    let number = config.len() as i64;
    said.line(format!("{name} has {}:", count(number, "setting")));
    let items: Vec<String> = config.iter().map(|(key, value)| format!("{}={}", short(key), short(value))).collect();
    said.list(&items);
}

/// What sort of worker it is.
pub(super) fn genus(said: &mut Said, scene: &Scene<'_>) {
    let genus = agent(scene).spec.genus;
    said.read(["spec.genus"]);
    let role = genus
        .role()
        .map_or_else(|| "which stands for no fixed role".to_owned(), |role| format!("which stands for {role}"));
    said.line(format!("{} in {} is an agent of genus {genus}, {role}.", scene.name(), scene.key.namespace()));
}

/// How long it has existed.
pub(super) fn age(said: &mut Said, scene: &Scene<'_>) {
    let name = scene.name();
    said.read(["metadata.creationTimestamp"]);
    said.line(match &agent(scene).metadata.creation_timestamp {
        Some(made) => format!("{name} was made {}, at {:.0}.", scene.ago(made.0), made.0),
        None => format!("When {name} was made is not known."),
    });
}
