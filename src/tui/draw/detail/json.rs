//! JSON with its keys told from its values.

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::super::span;
use crate::text;
use crate::theme::{Role, Theme};

/// A value over as many lines as it needs. What has room in one line stays in
/// one; what no line holds is broken.
pub(super) fn pretty(theme: &Theme, value: &Value, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    write(theme, value, 0, Vec::new(), "", width, &mut lines);
    lines
}

/// Writes a value after what begins its line, and what ends it.
fn write(
    theme: &Theme,
    value: &Value,
    depth: usize,
    mut line: Vec<Span<'static>>,
    end: &str,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let begun: usize = line.iter().map(Span::width).sum();
    let (open, close, items): (&str, &str, Vec<(Option<&String>, &Value)>) = match value {
        Value::Object(fields) if !fields.is_empty() => {
            ("{", "}", fields.iter().map(|(key, item)| (Some(key), item)).collect())
        }
        Value::Array(list) if !list.is_empty() => ("[", "]", list.iter().map(|item| (None, item)).collect()),
        scalar => {
            line.push(span(theme, role(scalar), plain(scalar)));
            line.push(span(theme, Role::Mute, end));
            let rows = super::broken(line, width, begun.min(width / 2));
            return lines.extend(rows.into_iter().map(Line::from));
        }
    };
    let short = items.iter().all(|(_, item)| !item.is_object() && !item.is_array());
    if short && depth > 0 {
        let mut row = line.clone();
        row.push(span(theme, Role::Mute, open));
        for (place, (key, item)) in items.iter().enumerate() {
            if place > 0 {
                row.push(span(theme, Role::Mute, ", "));
            }
            row.extend(key.map(|key| span(theme, Role::Sky, format!("{}: ", text::one_line(key)))));
            row.push(span(theme, role(item), plain(item)));
        }
        row.push(span(theme, Role::Mute, format!("{close}{end}")));
        if super::width(&row) <= width {
            return lines.push(Line::from(row));
        }
    }
    line.push(span(theme, Role::Mute, open));
    lines.push(Line::from(line));
    let indent = "  ".repeat((depth + 1).min(width / 4));
    let count = items.len();
    for (place, (key, item)) in items.into_iter().enumerate() {
        let mut line = vec![Span::raw(indent.clone())];
        line.extend(key.map(|key| span(theme, Role::Sky, format!("{}: ", text::one_line(key)))));
        write(theme, item, depth + 1, line, if place + 1 < count { "," } else { "" }, width, lines);
    }
    let indent = "  ".repeat(depth.min(width / 4));
    lines.push(Line::from(vec![Span::raw(indent), span(theme, Role::Mute, format!("{close}{end}"))]));
}

fn plain(value: &Value) -> String {
    text::one_line(&value.to_string()).into_owned()
}

const fn role(value: &Value) -> Role {
    match value {
        Value::Null => Role::Mute,
        Value::Bool(_) | Value::Number(_) => Role::Amber,
        _ => Role::Text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::theme::ColourLevel;

    fn shown(value: &Value, width: usize) -> Vec<String> {
        pretty(&Theme::new(ColourLevel::True, false), value, width).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn json_stands_over_lines() {
        let value = json!({ "hold": "9f2", "load": [1, 2], "deep": { "list": [{ "a": null }] }, "empty": {} });
        assert_eq!(
            shown(&value, 40),
            [
                "{",
                "  deep: {",
                "    list: [",
                "      {a: null}",
                "    ]",
                "  },",
                "  empty: {},",
                "  hold: \"9f2\",",
                "  load: [1, 2]",
                "}",
            ]
        );
        assert_eq!(shown(&json!(3), 40), ["3"]);
    }

    #[test]
    fn no_line_is_wider_than_its_room() {
        let value =
            json!({ "a long key of its own": "and a text that is longer than a line can be", "l": [1, 2, 3, 4, 5] });
        for line in shown(&value, 24) {
            assert!(text::width(&line) <= 24, "{line}");
        }
    }
}
