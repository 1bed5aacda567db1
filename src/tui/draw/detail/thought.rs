//! A thought in full, with what was thought around it.

use kgents_store::Thought;
use kgents_store::thought::Origin;
use ratatui::text::Span;

use super::super::sheet::Sheet;
use super::super::thoughts::{held_json, severity_role};
use super::{Page, Told, json};
use crate::app::App;
use crate::text;
use crate::theme::Role;

pub(in crate::draw) fn thought(app: &App, thought: &Thought, width: usize) -> Sheet {
    let mut page = Page::new(app, width);
    let role = severity_role(thought.severity).unwrap_or(Role::Text);
    if let Some(held) = held_json(&thought.text) {
        let (before, after) = (held.before.trim(), held.after.trim());
        if !before.is_empty() {
            page.text(role, before);
        }
        page.lines.extend(json::pretty(page.theme, &held.value, width));
        if !after.is_empty() {
            page.text(role, after);
        }
    } else {
        page.text(role, &thought.text);
    }
    page.blank();
    let time = thought.at.to_zoned(app.look.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    let age = page.age(thought.at);
    page.fact("when", &format!("{time}, {age} ago"), Role::Text);
    page.fact("about", &format!("{} {}", thought.kind, thought.key), Role::Text);
    page.maybe("more exactly", thought.about.as_ref().map(ToString::to_string).as_deref());
    page.fact("heard from", source(thought.origin), Role::Text);
    let all = app.terrarium.thoughts();
    let last = all.len().saturating_sub(1);
    let place = all.iter().position(|other| other.seq == thought.seq);
    let near: Vec<&Thought> = {
        let place = place.unwrap_or(last);
        (place.saturating_sub(4)..place + 5).filter_map(|place| all.get(place)).collect()
    };
    page.head(if place.is_some() { "around it" } else { "it is forgotten by now; the newest" });
    let widest = near.iter().map(|other| text::width(&other.who)).max().unwrap_or(0).min(20);
    for other in near {
        page.thought(other, Told::Who(widest));
        if other.seq == thought.seq
            && let Some(line) = page.lines.last_mut()
        {
            // This one, over the whole width.
            let style = page.theme.selected(true);
            for span in &mut line.spans {
                span.style = span.style.patch(style);
            }
            let left = width.saturating_sub(line.width());
            line.push_span(Span::styled(" ".repeat(left), style));
        }
    }
    page.done((*thought.who).to_owned(), "esc back".to_owned())
}

/// Where it was heard, in words.
const fn source(origin: Origin) -> &'static str {
    match origin {
        Origin::Event => "an Event",
        Origin::Phase => "a change of phase",
        Origin::Health => "a change of its mind",
        Origin::Condition => "a change of a condition",
        Origin::Birth => "its first appearance",
        Origin::Death => "its end",
        Origin::Proposal => "what became of a proposal",
    }
}
