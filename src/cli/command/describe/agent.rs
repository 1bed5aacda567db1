//! The page of an agent.

use std::io;

use kgents_api::Agent;
use kgents_api::agent::AgentStatus;
use kgents_store::object::{DeploymentFacts, LastEnd};
use kgents_store::{Key, Kind, view};

use super::Scene;
use crate::page::Page;
use crate::rows;
use crate::table::{NOTHING, Row};

/// Writes the page.
pub(super) fn page(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(held) = scene.terrarium.agents().get(scene.key) else { return Ok(()) };
    let agent = &*held.held.object;
    let status = agent.status.clone().unwrap_or_default();
    let asked = view::proposals(scene.terrarium, scene.now);
    let row = view::agents(scene.terrarium, &asked, scene.now).into_iter().find(|row| row.key == *scene.key);
    let phase = status.phase.map_or("not told by any operator", |phase| phase.as_str());
    page.field("Phase", format!("{phase}, {} ready", rows::ready(agent)))?;
    page.some("Why", row.map(|row| rows::why(&row, agent)).filter(|why| why != NOTHING))?;
    page.some("Mind", status.cognitive_health.map(|health| health.to_string()))?;
    spec(page, agent)?;
    scene.meta(page, Kind::Agent, &agent.metadata)?;
    scene.conditions(page, &status.conditions)?;
    page.text("Instructions", agent.spec.instructions.as_deref().unwrap_or_default())?;
    let config: Vec<String> = agent.spec.config.iter().map(|(name, value)| format!("{name}={value}")).collect();
    page.list("Config", &config)?;
    page.list("Children", &children(scene, &status))?;
    pods(scene, page)?;
    signals(scene, page)?;
    proposals(scene, page)
}

fn spec(page: &mut Page<'_>, agent: &Agent) -> io::Result<()> {
    let spec = &agent.spec;
    let role = spec.genus.role().map(|role| format!(" ({role})")).unwrap_or_default();
    page.field("Genus", format!("{}{role}", spec.genus))?;
    let paused = if spec.paused { ", paused" } else { "" };
    page.field("Mode", format!("{}{paused}", spec.mode))?;
    page.some("Image", spec.image.as_ref())?;
    page.field("Limits", format!("{} CPU, {} memory", spec.resources.cpu, spec.resources.memory))?;
    page.some(
        "Budget",
        spec.budget
            .as_ref()
            .map(|budget| format!("{} tokens, {} more each minute", budget.tokens, budget.refill_per_minute)),
    )?;
    let egress = if spec.network_policy.allow_egress { "the internet" } else { "no address outside" };
    let peers = match spec.network_policy.allowed_peers.as_slice() {
        [] => "no other agent".to_owned(),
        peers => peers.join(", "),
    };
    page.field("May reach", format!("{egress}, {peers}"))
}

fn children(scene: &Scene<'_>, status: &AgentStatus) -> Vec<String> {
    let namespace = scene.key.namespace();
    let named = [
        ("Deployment", &status.deployment_name),
        ("Service", &status.service_name),
        ("NetworkPolicy", &status.network_policy_name),
        ("ServiceAccount", &status.service_account_name),
        ("ConfigMap", &status.config_map_name),
        ("Memory", &status.memory_name),
        ("Umwelt", &status.umwelt_name),
    ];
    named
        .into_iter()
        .filter_map(|(kind, name)| Some((kind, name.as_deref()?)))
        .map(|(kind, name)| match scene.terrarium.deployment(&Key::new(namespace, name)) {
            Some(facts) if kind == "Deployment" => format!("{kind} {name}: {}", deployment(facts)),
            _ => format!("{kind} {name}"),
        })
        .collect()
}

fn deployment(facts: &DeploymentFacts) -> String {
    let trouble = facts.trouble.as_ref().map(|trouble| format!(", {trouble}")).unwrap_or_default();
    format!("{} of {} ready, {} up to date{trouble}", facts.ready, facts.wanted, facts.updated)
}

fn pods(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let rows: Vec<Row> = scene
        .terrarium
        .pods_of(scene.key)
        .map(|(key, pod)| {
            let ended = pod.last_end.as_ref().map(|LastEnd { reason, at }| {
                let ago = at.map(|at| format!(" {} ago", scene.ago(at))).unwrap_or_default();
                format!("last ended {reason}{ago}")
            });
            let why: Vec<String> = pod.trouble.clone().into_iter().chain(ended).collect();
            Row::Cells(vec![
                key.name().to_owned(),
                pod.phase.clone(),
                format!("{}/{}", pod.ready, pod.containers),
                pod.restarts.to_string(),
                pod.node.clone().unwrap_or_default(),
                why.join("; "),
            ])
        })
        .collect();
    page.table("Pods", &["NAME", "PHASE", "READY", "RESTARTS", "NODE", "WHY"], &rows)
}

fn signals(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let own = scene.key.name();
    let signals = view::signals_of(scene.terrarium, scene.key, scene.now);
    let lines: Vec<String> = signals
        .into_iter()
        .map(|(_, held, strength)| {
            let spec = &held.held.object.spec;
            let target = spec.target.as_deref().unwrap_or("everyone");
            let way = if spec.source == own { format!("to {target}") } else { format!("from {}", spec.source) };
            let payload = spec.payload.as_ref().map(|payload| format!(": {}", view::said(payload))).unwrap_or_default();
            format!("{} {strength:.2} {way}{payload}", spec.type_)
        })
        .collect();
    page.list("Signals", &lines)
}

fn proposals(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let own = scene.key.name();
    let lines: Vec<String> = view::proposals(scene.terrarium, scene.now)
        .into_iter()
        .filter_map(|row| {
            let spec = &scene.terrarium.proposals().get(&row.key)?.object.spec;
            let namespace = spec.target.namespace.as_deref().unwrap_or(row.key.namespace());
            let is_target =
                spec.target.kind == "Agent" && spec.target.name == own && namespace == scene.key.namespace();
            let is_own = spec.proposer == own && row.key.namespace() == scene.key.namespace();
            (is_target || is_own).then(|| {
                let target = rows::target(&row.key, &spec.target);
                format!(
                    "{} {} of {target}, {}, risk {}: {}",
                    row.key.name(),
                    spec.change_type,
                    row.phase,
                    rows::risk(&row),
                    row.bid.reason
                )
            })
        })
        .collect();
    page.list("Proposals", &lines)
}
