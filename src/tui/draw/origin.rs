//! Where what is shown comes from and how far it can be trusted, in a word or
//! two. Never live what is not; what is old is dim besides.

use jiff::Timestamp;
use kgents_core::freshness::{Freshness, limit};
use kgents_store::{Kind, Layer};
use ratatui::layout::Rect;

use super::{Pen, age_of};
use crate::app::App;
use crate::theme::Role;

/// A layer with its age, and when it will be said otherwise.
pub(super) struct Origin {
    /// The layer's badge, with the age and how fresh that is where it is not live.
    pub(super) text: String,
    /// Its colour.
    pub(super) role: Role,
    /// How far it can be trusted.
    pub(super) freshness: Freshness,
    /// When the text changes by itself.
    pub(super) wake_at: Option<Timestamp>,
}

/// Where what is shown of a kind comes from; `None` if nothing is known of it.
pub(super) fn of(app: &App, kind: Kind) -> Option<Origin> {
    let layer = app.terrarium.layer_of(kind)?;
    // A fixture that is as old as it says is no more live than a memory.
    let ages = layer == Layer::Ghost || layer == Layer::Fixture && !app.terrarium.watch(kind).state.is_live();
    if !ages {
        let role = if layer == Layer::Fixture { Role::Sky } else { Role::Mute };
        return Some(Origin { text: layer.badge().to_owned(), role, freshness: Freshness::Fresh, wake_at: None });
    }
    Some(remembered(app, layer, kind, app.terrarium.as_of(kind, app.now)?))
}

/// A memory of a kind as of a moment. How fresh it is looked at by the
/// minute, as stability is.
fn remembered(app: &App, layer: Layer, kind: Kind, as_of: Timestamp) -> Origin {
    let (age, next) = age_of(app.now, as_of);
    let freshness = app.terrarium.freshness(kind, app.now).unwrap_or(Freshness::Old);
    let text = match freshness {
        Freshness::Fresh => format!("{} {age}", layer.badge()),
        freshness => format!("{} {age} {freshness}", layer.badge()),
    };
    let limit = limit(kind.area(), app.terrarium.stability(kind, app.now));
    let steps = [limit, limit.saturating_add(limit)].into_iter().filter_map(|step| as_of.checked_add(step).ok());
    let wake_at = steps.filter(|step| *step > app.now).chain([next]).min();
    let own = if layer == Layer::Fixture { Role::Sky } else { Role::Plum };
    let role = if freshness == Freshness::Old { Role::Mute } else { own };
    Origin { text, role, freshness, wake_at }
}

/// The memory as a whole: as old as the oldest that it has of our own kinds.
pub(super) fn memory(app: &App) -> Option<Origin> {
    let ages = |kind: &Kind| !app.terrarium.watch(*kind).state.is_live() || app.terrarium.layer() == Some(Layer::Ghost);
    let known = Kind::CUSTOM.into_iter().filter(ages);
    let oldest = known.filter_map(|kind| Some((app.terrarium.watch(kind).as_of?, kind))).min();
    let (as_of, kind) = oldest?;
    Some(remembered(app, app.terrarium.layer().unwrap_or(Layer::Ghost), kind, as_of))
}

/// The same as a text alone, for who has a place for the wake of their own.
pub(super) fn text(app: &App, kind: Kind) -> (String, Option<Timestamp>) {
    of(app, kind).map_or_else(|| ("—".to_owned(), None), |origin| (origin.text, origin.wake_at))
}

/// Dims what is old.
pub(super) fn dim(pen: &mut Pen<'_>, area: Rect, freshness: Freshness) {
    if freshness != Freshness::Old {
        return;
    }
    let area = area.intersection(pen.buffer.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = pen.buffer.cell_mut((x, y)) {
                let aged = pen.theme.aged(cell.style());
                cell.set_style(aged);
            }
        }
    }
}
