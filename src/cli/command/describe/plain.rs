//! The pages of memories and umwelts.

use std::io;

use kgents_api::yaml;
use kgents_store::Kind;

use super::Scene;
use crate::page::Page;

/// Writes the page of a memory.
pub(super) fn memory(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(held) = scene.terrarium.memories().get(scene.key) else { return Ok(()) };
    let memory = &*held.object;
    let (spec, status) = (&memory.spec, memory.status.clone().unwrap_or_default());
    page.field("Owner", &spec.owner)?;
    page.field("Type", spec.type_.as_str())?;
    let real = status.size.map(|size| format!(", really {size}")).unwrap_or_default();
    page.field("Size", format!("{}{real}", spec.size))?;
    page.field("Access", spec.access_mode.as_str())?;
    page.field("Retention", spec.retention_policy.as_str())?;
    page.some("Class", spec.storage_class.as_ref())?;
    page.some("Claim", status.claim_name.as_ref())?;
    page.some("Read by", Some(spec.shared_with.join(", ")))?;
    page.some("Written by", Some(spec.write_access.join(", ")))?;
    page.some("Backup", spec.backup_schedule.as_ref())?;
    scene.meta(page, Kind::Memory, &memory.metadata)?;
    scene.conditions(page, &status.conditions)
}

/// Writes the page of an umwelt.
pub(super) fn umwelt(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(held) = scene.terrarium.umwelts().get(scene.key) else { return Ok(()) };
    let umwelt = &*held.object;
    let (spec, status) = (&umwelt.spec, umwelt.status.clone().unwrap_or_default());
    page.field("Agent", &spec.agent)?;
    page.field("Workload", spec.workload.as_str())?;
    page.field("Slop", spec.slop_budget.to_string())?;
    if let Some(persona) = &spec.persona {
        let traits = [
            ("warmth", persona.warmth),
            ("directness", persona.directness),
            ("humor", persona.humor),
            ("verbosity", persona.verbosity),
        ];
        let said = traits.into_iter().filter_map(|(name, figure)| Some(format!("{name} {}", figure?)));
        page.some("Persona", Some(said.collect::<Vec<_>>().join(", ")))?;
    }
    if let Some(limits) = &spec.constraints {
        let figures = [
            ("tokens", limits.token_budget),
            ("MiB of memory", limits.memory_budget_mb),
            ("thousandths of a core", limits.cpu_budget_millicores),
            ("calls a minute", limits.rate_limit_per_minute),
        ];
        let said = figures.into_iter().filter_map(|(name, figure)| Some(format!("{} {name}", figure?)));
        page.some("Limits", Some(said.collect::<Vec<_>>().join(", ")))?;
    }
    if let Some(sensitivity) = &spec.pheromone_sensitivity {
        let words = |types: &[kgents_api::PheromoneType]| {
            types.iter().map(|type_| type_.as_str()).collect::<Vec<_>>().join(", ")
        };
        page.some("Senses", Some(words(&sensitivity.sense)))?;
        page.some("May emit", Some(words(&sensitivity.emit)))?;
    }
    page.some("Secret", spec.secret_ref.as_ref())?;
    page.some("ConfigMap", status.config_map_name.as_ref())?;
    scene.meta(page, Kind::Umwelt, &umwelt.metadata)?;
    scene.conditions(page, &status.conditions)?;
    page.list("Affordances", &spec.affordances)?;
    match &spec.context {
        Some(context) => {
            let value = serde_json::Value::Object(context.clone());
            page.text("Context", &yaml::to_string(&value).unwrap_or_else(|_| value.to_string()))
        }
        None => Ok(()),
    }
}
