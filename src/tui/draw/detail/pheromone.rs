//! A pheromone: how strong it is, how it fades, what it says.

use jiff::SignedDuration;
use kgents_api::PheromoneSpec;
use kgents_core::age;
use kgents_core::decay::Fade;
use kgents_store::view::{self, said};
use kgents_store::{Key, Kind};
use serde_json::Value;

use super::super::sheet::{Room, Sheet};
use super::super::yaml;
use super::curve::minutes;
use super::{Page, gone, json};
use crate::app::App;
use crate::overlay::Page as Shown;
use crate::text;
use crate::theme::Role;

/// How many others of its type are told of.
const OTHERS: usize = 8;
/// The widest and the highest that a curve is.
const CURVE: (usize, usize) = (100, 8);

pub(in crate::draw) fn pheromone(app: &App, shown: &Shown, key: &Key, room: Room) -> Sheet {
    let Some(held) = app.terrarium.pheromones().get(key) else { return gone(app, Kind::Pheromone, key, room.width) };
    let spec = &held.held.object.spec;
    let mut page = Page::new(app, room.width);
    if shown.tab_name() == "yaml" {
        page.lines = yaml::lines(page.theme, &*held.held.object);
    } else {
        page.fact("type", spec.type_.as_str(), Role::Text);
        page.fact("from", &spec.source, page.theme.accent(&spec.source));
        match &spec.target {
            Some(target) => page.fact("to", target, page.theme.accent(target)),
            None => page.fact("to", "everyone", Role::Text),
        }
        match &held.fade {
            Ok(fade) => faded(&mut page, spec, fade, room.height),
            Err(error) => page.fact("wrong", error, Role::Coral),
        }
        payload(&mut page, spec);
        others(&mut page, spec, key);
    }
    let right = format!("{} · {} · esc back", spec.type_, page.origin(Kind::Pheromone));
    page.done(key.name().to_owned(), right)
}

/// Strength, times and the curve.
fn faded(page: &mut Page<'_>, spec: &PheromoneSpec, fade: &Fade, height: usize) {
    let emitted = format!("{}, {} ago", page.clock(fade.emitted()), page.age(fade.emitted()));
    let whose = if spec.half_life_minutes.is_some() { "as it says itself" } else { "as its type has it" };
    let half = format!("{} min, {whose}", minutes(fade.half_life_minutes()));
    if fade.is_gone(page.now) {
        let age = page.age(fade.gone_at());
        page.fact("strength", &format!("gone for {age}; the object is still there"), Role::Mute);
    } else {
        let strength = page.strength(fade);
        page.fact("strength", &format!("{strength}, of {:.2} when it was emitted", fade.initial()), Role::Amber);
    }
    page.fact("emitted", &emitted, Role::Text);
    page.fact("half-life", &half, Role::Text);
    if !fade.is_gone(page.now) {
        let end = page.clock(fade.gone_at());
        let left = page.left(fade.gone_at());
        page.fact("gone in", &format!("{left}, at {end}"), Role::Text);
    }
    if let Some(ttl) = spec.ttl_seconds {
        let most = age::until_text(SignedDuration::from_secs(ttl));
        page.fact("lives", &format!("{most} at most, however strong it still is"), Role::Text);
    }
    page.blank();
    // What is above and below the curve shows with it where that can be.
    let (most, least) = (CURVE.1, 4);
    let rows = height.saturating_sub(page.lines.len() + 3).clamp(least, most) / 2 * 2;
    let cells = page.width.saturating_sub(10).clamp(10, CURVE.0);
    page.curve(fade, cells, rows);
}

fn payload(page: &mut Page<'_>, spec: &PheromoneSpec) {
    let Some(payload) = &spec.payload else { return };
    page.head("payload");
    // Many a text is JSON that was put into one.
    let inner = payload.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok()).filter(Value::is_object);
    match (payload.as_str(), inner) {
        (_, Some(value)) => page.lines.extend(json::pretty(page.theme, &value, page.width)),
        (Some(text), None) => page.text(Role::Text, text),
        (None, None) => page.lines.extend(json::pretty(page.theme, payload, page.width)),
    }
}

/// The others of its type that can be sensed, the strongest first.
fn others(page: &mut Page<'_>, spec: &PheromoneSpec, key: &Key) {
    let alive = view::alive(&page.app.terrarium, page.now);
    let all: Vec<_> = alive
        .into_iter()
        .filter(|(other, held, _)| *other != key && held.held.object.spec.type_ == spec.type_)
        .filter_map(|(_, held, _)| Some((&held.held.object.spec, held.fade.as_ref().ok()?)))
        .collect();
    if all.is_empty() {
        return;
    }
    page.head(&format!("other {} that can be sensed", spec.type_));
    let widest = all.iter().take(OTHERS).map(|(other, _)| text::width(&other.source)).max().unwrap_or(0);
    for (other, fade) in all.iter().take(OTHERS) {
        page.signal(&other.source, widest.min(20) + 2, fade, &other.payload.as_ref().map(said).unwrap_or_default());
    }
    if all.len() > OTHERS {
        page.entry(Vec::new(), 6, &format!("{} more", all.len() - OTHERS), Role::Mute);
    }
}
