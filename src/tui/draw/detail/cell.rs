//! What was in the air behind one cell of the heatmap.

use jiff::Timestamp;
use kgents_api::PheromoneType;
use kgents_core::decay::Fade;
use kgents_store::view::said;
use ratatui::text::Line;

use super::super::sheet::Sheet;
use super::super::{bold, span};
use super::Page;
use crate::app::App;
use crate::text;
use crate::theme::Role;

/// What was in the air of one type within a piece of time.
pub(in crate::draw) fn cell(app: &App, type_: PheromoneType, from: Timestamp, to: Timestamp, width: usize) -> Sheet {
    let mut page = Page::new(app, width);
    let clock = |at: Timestamp| at.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string();
    // As strong as it was at its strongest within the cell.
    let then = |fade: &Fade| fade.intensity(fade.emitted().max(from));
    let within = |fade: &Fade, end: Timestamp| fade.emitted() < to && end > from;
    let mut found: Vec<_> = app
        .terrarium
        .pheromones()
        .values()
        .filter(|held| held.held.object.spec.type_ == type_)
        .filter_map(|held| Some((&held.held.object.spec, held.fade.as_ref().ok()?)))
        .filter(|(_, fade)| within(fade, fade.gone_at()))
        .collect();
    found.sort_by(|a, b| then(b.1).total_cmp(&then(a.1)));
    for (spec, fade) in &found {
        let payload = spec.payload.as_ref().map(said).unwrap_or_default();
        let to = spec.target.as_deref().map(|target| format!(" → {target}")).unwrap_or_default();
        page.lines.push(Line::from(vec![
            bold(page.theme, Role::Amber, format!("{:.2}  ", then(fade))),
            span(page.theme, page.theme.accent(&spec.source), format!("{}{to}  ", spec.source)),
            span(page.theme, Role::Mute, format!("emitted {}  ", clock(fade.emitted()))),
            span(page.theme, Role::Text, text::one_line(&payload).into_owned()),
        ]));
    }
    let mut gone: Vec<_> =
        app.terrarium.gone().filter(|gone| gone.type_ == type_ && within(&gone.fade, gone.died)).collect();
    gone.sort_by(|a, b| then(&b.fade).total_cmp(&then(&a.fade)));
    if !gone.is_empty() {
        page.head("gone since");
        for gone in gone {
            page.lines.push(Line::from(vec![
                bold(page.theme, Role::Amber, format!("{:.2}  ", then(&gone.fade))),
                span(
                    page.theme,
                    Role::Mute,
                    format!("emitted {}, gone {}", clock(gone.fade.emitted()), clock(gone.died)),
                ),
            ]));
        }
    }
    if page.lines.is_empty() {
        page.fact("", "Nothing of this type was in the air.", Role::Soft);
    }
    page.done(format!("{type_} · {} to {}", clock(from), clock(to)), "esc back".to_owned())
}
