//! A thought in full, with what was thought around it.

use kgents_store::Thought;

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
        for text in [held.before.trim(), held.after.trim()] {
            if !text.is_empty() {
                page.text(role, text);
            }
        }
        page.lines.extend(json::pretty(page.theme, &held.value, width));
    } else {
        page.text(role, &thought.text);
    }
    page.blank();
    let time = thought.at.to_zoned(app.look.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string();
    let age = page.age(thought.at);
    page.fact("when", &format!("{time}, {age} ago"), Role::Text);
    page.fact("about", &format!("{} {}", thought.kind, thought.key), Role::Text);
    page.maybe("more exactly", thought.about.as_ref().map(ToString::to_string).as_deref());
    page.fact("heard from", thought.origin.as_str(), Role::Text);
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
        let first = page.lines.len();
        page.thought(other, Told::Who(widest));
        if other.seq == thought.seq {
            let style = page.theme.selected(true);
            page.lines.iter_mut().skip(first).for_each(|line| {
                line.spans.iter_mut().for_each(|span| {
                    span.style = span.style.patch(style);
                })
            });
        }
    }
    page.done((*thought.who).to_owned(), "esc back".to_owned())
}
