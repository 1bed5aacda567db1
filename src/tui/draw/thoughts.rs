//! The thought stream: who, what, how grave; following or frozen.

use std::borrow::Cow;

use kgents_store::thought::{Severity, Thought};
use ratatui::layout::Rect;
use serde_json::Value;

use super::{Pen, counted};
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
        let words: Vec<&str> = app.filters[Pane::Thoughts as usize].filter.words().collect();
        pen.put(x, y, area.right().saturating_sub(1), &in_a_line(&thought.text, &words), style);
        for word in words {
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
    pen.put(x + 1, area.y, area.right(), &in_a_line(&last.text, &[]), pen.theme.fg(Role::Soft));
}

/// A JSON object within a text.
pub(super) struct HeldJson<'a> {
    /// What stands before it.
    pub(super) before: &'a str,
    /// The object itself, as it is written.
    pub(super) json: &'a str,
    /// What it says.
    pub(super) value: Value,
    /// What stands after it.
    pub(super) after: &'a str,
}

/// The first JSON object with fields that a text holds.
pub(super) fn held_json(text: &str) -> Option<HeldJson<'_>> {
    // A brace that begins no object is passed over; not many are tried.
    for (start, _) in text.match_indices('{').take(8) {
        let (before, rest) = text.split_at(start);
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        if let Some(Ok(value)) = values.next()
            && value.as_object().is_some_and(|fields| !fields.is_empty())
        {
            let (json, after) = rest.split_at(values.byte_offset());
            return Some(HeldJson { before, json, value, after });
        }
    }
    None
}

/// JSON that takes more cells than this is folded in a line.
const FOLD_FROM: usize = 24;

/// A thought in one line: JSON in it is folded to how many fields it has,
/// unless one of the words that are looked for stands in it.
pub(super) fn in_a_line<'a>(said: &'a str, words: &[&str]) -> Cow<'a, str> {
    let long = said.len() > FOLD_FROM && said.contains('{');
    let Some(held) = long.then(|| held_json(said)).flatten() else { return text::one_line(said) };
    if text::width(held.json) <= FOLD_FROM || words.iter().any(|word| text::holds(held.json, &word.to_lowercase())) {
        return text::one_line(said);
    }
    let names: Vec<&str> = held.value.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    let mut fold = counted(names.len(), "field", "fields");
    if held.before.trim().is_empty() && held.after.trim().is_empty() {
        // Nothing else tells what it is about: the first names do.
        let more = if names.len() > 2 { ", …" } else { "" };
        fold = format!("{fold}: {}{more}", names.iter().take(2).copied().collect::<Vec<_>>().join(", "));
    }
    Cow::Owned(text::one_line(&format!("{}{{{fold}}}{}", held.before, held.after)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_json_is_folded_in_a_line() {
        let fold = |text: &str| in_a_line(text, &[]).into_owned();
        let object = r#"{"hold":"9f2","invoice":4138,"cents":118200,"until":"payout"}"#;
        assert_eq!(fold(object), "{4 fields: cents, hold, …}");
        assert_eq!(fold(&format!("hold 9f2 {object}\nand on")), "hold 9f2 {4 fields} and on");
        assert_eq!(fold(r#"{"only":"one long text is the whole of it"}"#), "{1 field: only}");
        assert_eq!(in_a_line(object, &["PAYOUT"]), object, "what is looked for is shown");
    }

    #[test]
    fn what_is_short_or_no_json_stays() {
        for text in
            [r#"hold {"a":1}"#, "a set {a, b, c} of many things in braces", "{}", "{ broken json that goes on and on"]
        {
            assert_eq!(in_a_line(text, &[]), text);
        }
    }
}
