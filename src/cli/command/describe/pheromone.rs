//! The page of a pheromone.

use std::io;

use jiff::{SignedDuration, Timestamp};
use kgents_core::decay::Fade;
use kgents_store::{Kind, view};

use super::Scene;
use crate::page::Page;
use crate::value;

/// Writes the page.
pub(super) fn page(scene: &Scene<'_>, page: &mut Page<'_>) -> io::Result<()> {
    let Some(held) = scene.terrarium.pheromones().get(scene.key) else { return Ok(()) };
    let pheromone = &*held.held.object;
    let spec = &pheromone.spec;
    page.field("Type", spec.type_.as_str())?;
    match &held.fade {
        Ok(fade) => fades(scene, page, fade)?,
        Err(error) => page.field("Intensity", format!("not known, it cannot fade: {error}"))?,
    }
    page.field("From", &spec.source)?;
    page.field("For", spec.target.as_deref().unwrap_or("everyone"))?;
    page.some("Ends after", spec.ttl_seconds.map(|seconds| format!("{seconds}s at the latest")))?;
    page.some("Place", spec.position.as_ref().map(|at| format!("{}, {}, {}", at.x, at.y, at.z)))?;
    scene.meta(page, Kind::Pheromone, &pheromone.metadata)?;
    page.text("Payload", &spec.payload.as_ref().map(view::said).unwrap_or_default())
}

fn fades(scene: &Scene<'_>, page: &mut Page<'_>, fade: &Fade) -> io::Result<()> {
    let now = scene.now;
    let gone = fade.gone_at();
    if fade.is_gone(now) {
        page.field("Intensity", "0: it has faded and can no longer be sensed")?;
    } else {
        page.field("Intensity", format!("{:.2} now, {:.2} when it was emitted", fade.intensity(now), fade.initial()))?;
    }
    page.field("Half-life", value::minutes(fade.half_life_minutes()))?;
    let emitted = fade.emitted();
    let ago = if emitted > now {
        "in the future, so it counts as now".to_owned()
    } else {
        format!("{} ago", scene.ago(emitted))
    };
    page.field("Emitted", format!("{emitted:.0} ({ago})"))?;
    let when = if gone == Timestamp::MAX {
        "never".to_owned()
    } else if gone <= now {
        format!("{gone:.0} ({} ago)", scene.ago(gone))
    } else {
        format!("{gone:.0} (in {})", value::until(gone, now))
    };
    page.field("Gone", when)?;
    let ahead: Vec<String> = [0.5, 0.2, 0.1]
        .into_iter()
        .filter_map(|level| Some((level, fade.falls_to(level)?)))
        .filter(|(_, at)| now.duration_since(*at) < SignedDuration::ZERO && *at < gone)
        .map(|(level, at)| format!("{level} in {}", value::until(at, now)))
        .collect();
    page.some("Falls to", Some(ahead.join(", ")))
}
