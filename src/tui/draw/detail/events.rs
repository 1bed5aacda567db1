//! The Events about an object, as the API server has them.

use kgents_store::Kind;
use kgents_store::object::EventFacts;
use ratatui::text::Span;

use super::Page;
use crate::overlay::{Facts, Loaded};
use crate::text;
use crate::theme::Role;

/// Cells of the time before a message.
const CLOCK: usize = 10;

pub(super) fn events(page: &mut Page<'_>, kind: Kind, facts: &Facts) {
    match &facts.events {
        Loaded::Not | Loaded::Asked(_) => page.text(Role::Mute, "listening…"),
        Loaded::Failed(problem) => page.problem(kind, problem),
        Loaded::Here(events) if events.is_empty() => {
            page.text(Role::Soft, "No Event is about it. The API server forgets them, by default after an hour.");
        }
        Loaded::Here(events) => events.iter().for_each(|event| entry(page, event)),
    }
}

/// When, what and how often; below it what is said, and at the right by whom.
fn entry(page: &mut Page<'_>, event: &EventFacts) {
    let role = if event.warning { Role::Amber } else { Role::Moss };
    let time = event.at.map_or_else(|| "—".to_owned(), |at| page.clock(at));
    let margin = format!("{} ", page.theme.glyphs.margin);
    let times = if event.count > 1 { format!("  ×{}", event.count) } else { String::new() };
    let left = vec![
        page.span(Role::Mute, format!("{time:<CLOCK$}")),
        page.span(role, margin.clone()),
        page.bold(if event.warning { Role::Amber } else { Role::Text }, event.reason.clone()),
        page.span(Role::Soft, times),
    ];
    let age = event.at.map(|at| format!("{:>4}", page.age(at)));
    let said: Vec<&str> = [Some(event.component.as_str()), age.as_deref()].into_iter().flatten().collect();
    let said = said.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join("  ");
    page.row(left, vec![page.span(Role::Mute, said)]);
    let room = page.width.saturating_sub(CLOCK + 2).max(10);
    for line in text::wrap(event.message.trim(), room) {
        page.push(vec![Span::raw(" ".repeat(CLOCK)), page.span(role, margin.clone()), page.span(Role::Soft, line)]);
    }
}
