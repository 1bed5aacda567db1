//! The thought stream: who, what, how grave; following or frozen.

use kgents_store::thought::{Severity, Thought};
use ratatui::layout::Rect;

use super::Pen;
use crate::app::App;
use crate::layout::Pane;
use crate::text;
use crate::theme::{Role, Theme};

pub(super) fn count(app: &App) -> String {
    let thoughts = app.terrarium.thoughts();
    let state = if app.frozen {
        let newer = app.thought_count().saturating_sub(app.thoughts.place() + 1);
        format!("frozen, {newer} newer")
    } else {
        "following".to_owned()
    };
    let dropped = app.terrarium.events_dropped() + thoughts.forgotten();
    format!("{state} · {} heard · {dropped} dropped", thoughts.heard())
}

/// The colour of a severity; `None` for the ordinary.
pub(super) const fn severity_role(severity: Severity) -> Option<Role> {
    match severity {
        Severity::Info => None,
        Severity::Asks | Severity::Warn => Some(Role::Amber),
        Severity::Error => Some(Role::Coral),
    }
}

/// The hue of whom a thought is about.
pub(super) fn who_role(theme: &Theme, thought: &Thought) -> Role {
    theme.accent(&thought.who)
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect) {
    let app = pen.app;
    let thoughts = app.terrarium.thoughts();
    if thoughts.is_empty() {
        pen.put(area.x + 2, area.y, area.right(), "Silence so far.", pen.theme.fg(Role::Mute));
        return;
    }
    let height = usize::from(area.height);
    let first = app.thoughts.offset();
    let count = app.thought_count();
    if count == 0 {
        pen.put(area.x + 2, area.y, area.right(), "No thought matches the filter.", pen.theme.fg(Role::Mute));
        return;
    }
    let at = |place: usize| match &app.views.thoughts {
        Some(shown) => thoughts.of(*shown.get(place)?),
        None => thoughts.get(place),
    };
    let shown: Vec<(usize, &Thought)> =
        (first..(first + height).min(count)).filter_map(|place| Some((place, at(place)?))).collect();
    // The newest stands at the bottom, as in a terminal.
    let top = area.bottom() - shown.len() as u16;
    let clock = if area.width >= 44 { 8 } else { 0 };
    let widest = shown.iter().map(|(_, thought)| text::width(&thought.who)).max().unwrap_or(0);
    let who_width = widest.min(20).min(usize::from(area.width) / 4).max(6) as u16;
    let recent = count.saturating_sub(6);
    for ((place, thought), y) in shown.iter().zip(top..area.bottom()) {
        let line = Rect { y, height: 1, ..area };
        let selected = *place == app.thoughts.place() && app.focus == Pane::Thoughts && app.frozen;
        pen.row(Pane::Thoughts, *place, line, selected);
        let mut x = area.x + 1;
        if clock > 0 {
            let time = thought.at.to_zoned(app.look.zone.clone()).strftime("%H:%M:%S").to_string();
            pen.put(x, y, area.right(), &time, pen.theme.fg(Role::Mute));
            x += clock + 2;
        }
        pen.put(x, y, x + who_width, &thought.who, pen.theme.bold(who_role(pen.theme, thought)));
        x += who_width + 1;
        let role = severity_role(thought.severity);
        pen.put(x, y, area.right(), pen.theme.glyphs.margin, pen.theme.fg(role.unwrap_or(Role::Line)));
        x += 2;
        let style = match thought.severity {
            Severity::Error => pen.theme.fg(Role::Coral),
            _ if *place >= recent => pen.theme.fg(Role::Text),
            _ => pen.theme.fg(Role::Soft),
        };
        pen.put(x, y, area.right().saturating_sub(1), &text::one_line(&thought.text), style);
        for word in app.filters[Pane::Thoughts as usize].filter.words() {
            pen.mark(line, word, false);
        }
    }
}

pub(super) fn folded(pen: &mut Pen<'_>, area: Rect) {
    let x = pen.fold(Pane::Thoughts, area);
    let Some(last) = pen.app.terrarium.thoughts().iter().next_back() else {
        pen.put(x, area.y, area.right(), "silence so far", pen.theme.fg(Role::Mute));
        return;
    };
    let x = pen.put(x, area.y, area.right(), &last.who, pen.theme.bold(who_role(pen.theme, last)));
    pen.put(x + 1, area.y, area.right(), &text::one_line(&last.text), pen.theme.fg(Role::Soft));
}
