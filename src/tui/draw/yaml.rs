//! YAML with its keys told from its values.

use ratatui::text::{Line, Span};
use serde::Serialize;

use crate::text;
use crate::theme::{Role, Theme};

/// A value as YAML, a line each.
pub(super) fn lines<T: Serialize>(theme: &Theme, value: &T) -> Vec<Line<'static>> {
    match kgents_api::yaml::to_string(value) {
        Ok(yaml) => yaml.lines().map(|line| colour(theme, line)).collect(),
        Err(error) => vec![Line::from(Span::styled(error, theme.fg(Role::Coral)))],
    }
}

pub(super) fn colour(theme: &Theme, line: &str) -> Line<'static> {
    let body = line.trim_start_matches([' ', '-']);
    let (indent, _) = line.split_at(line.len() - body.len());
    let line = match body.split_once(": ").or_else(|| body.strip_suffix(':').map(|key| (key, ""))) {
        Some((key, value)) if !key.contains(' ') => vec![
            Span::styled(indent.to_owned(), theme.fg(Role::Mute)),
            Span::styled(format!("{key}:"), theme.fg(Role::Sky)),
            Span::styled(if value.is_empty() { String::new() } else { format!(" {value}") }, theme.fg(Role::Text)),
        ],
        _ => vec![
            Span::styled(indent.to_owned(), theme.fg(Role::Mute)),
            Span::styled(body.to_owned(), theme.fg(Role::Text)),
        ],
    };
    Line::from(
        line.into_iter()
            .map(|span| Span::styled(text::one_line(&span.content).into_owned(), span.style))
            .collect::<Vec<_>>(),
    )
}
