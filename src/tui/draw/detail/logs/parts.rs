//! What of a log line is told apart: how grave it is, and what it says. The
//! line itself stays as it came.

use std::ops::Range;

use ratatui::text::Span;

use super::super::span;
use crate::theme::{Role, Theme};

/// A line with its parts in their colours.
pub(super) fn dress(theme: &Theme, line: &str) -> Vec<Span<'static>> {
    let mut parts = parts(line);
    parts.sort_by_key(|(range, _)| range.start);
    let base = if parts.iter().any(|(_, role)| *role == Role::Text) { Role::Mute } else { Role::Text };
    let mut spans = Vec::new();
    let mut at = 0;
    let piece = |range: Range<usize>| line.get(range).unwrap_or_default().to_owned();
    for (range, role) in parts {
        if range.start < at {
            continue;
        }
        spans.push(span(theme, base, piece(at..range.start)));
        at = range.end;
        spans.push(span(theme, role, piece(range)));
    }
    spans.push(span(theme, base, piece(at..line.len())));
    spans.retain(|span| !span.content.is_empty());
    spans
}

/// The level and the message of a line, where they can be told: of JSON and
/// of `key=value` by their names, else a word in capitals near the beginning.
fn parts(line: &str) -> Vec<(Range<usize>, Role)> {
    let fields = if line.trim_start().starts_with('{') { json(line) } else { pairs(line) };
    let mut parts = Vec::new();
    for (name, value) in fields {
        match line.get(name).map(str::to_ascii_lowercase).as_deref() {
            Some("level" | "lvl" | "severity") => {
                let role = line.get(value.clone()).and_then(level);
                parts.extend(role.map(|role| (value, role)));
            }
            Some("msg" | "message") => parts.push((value, Role::Text)),
            _ => {}
        }
    }
    if parts.is_empty() {
        parts.extend(word(line));
    }
    parts
}

/// What colour a level has.
fn level(word: &str) -> Option<Role> {
    match word.to_ascii_lowercase().as_str() {
        "trace" | "debug" => Some(Role::Plum),
        "info" | "notice" => Some(Role::Moss),
        "warn" | "warning" => Some(Role::Amber),
        "err" | "error" | "fatal" | "critical" | "panic" | "crit" => Some(Role::Coral),
        _ => None,
    }
}

/// How far a level stands from the beginning at most.
const NEAR: usize = 64;

/// A level as a word of its own in capitals, near the beginning.
fn word(line: &str) -> Option<(Range<usize>, Role)> {
    let mut start = 0;
    for piece in line.split_inclusive(|c: char| !c.is_ascii_alphabetic()) {
        let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphabetic());
        if word.len() > 2
            && word.bytes().all(|byte| byte.is_ascii_uppercase())
            && let Some(role) = level(word)
        {
            return Some((start..start + word.len(), role));
        }
        start += piece.len();
        if start > NEAR {
            break;
        }
    }
    None
}

/// Names and values of a JSON object's own fields; values without quotes.
fn json(line: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let bytes = line.as_bytes();
    let (mut fields, mut depth, mut at) = (Vec::new(), 0_usize, 0);
    let mut name: Option<Range<usize>> = None;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let start = at + 1;
                at = start;
                while bytes.get(at).is_some_and(|byte| *byte != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                let text = start..at.min(bytes.len());
                let rest = bytes.get(at + 1..).unwrap_or_default();
                let colon = rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':');
                if depth == 1 && colon {
                    name = Some(text);
                } else if depth == 1
                    && let Some(name) = name.take()
                {
                    fields.push((name, text));
                }
            }
            b',' if depth == 1 => name = None,
            _ => {}
        }
        at += 1;
    }
    fields
}

/// Names and values of `key=value` pairs; values without quotes.
fn pairs(line: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let bytes = line.as_bytes();
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(offset) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'=')) {
        let equal = at + offset;
        let letters = bytes[at..equal].iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let (name, mut start) = (equal - letters..equal, equal + 1);
        let quoted = bytes.get(start) == Some(&b'"');
        start += usize::from(quoted);
        let ends = |byte: u8| if quoted { byte == b'"' } else { byte == b' ' };
        let mut end = start;
        while bytes.get(end).is_some_and(|byte| !ends(*byte)) {
            end += if quoted && bytes[end] == b'\\' { 2 } else { 1 };
        }
        let end = end.min(bytes.len());
        if letters > 0 {
            fields.push((name, start..end));
        }
        at = end.max(equal + 1);
    }
    fields
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::theme::ColourLevel;

    fn told(line: &str) -> Vec<(&str, Role)> {
        parts(line).into_iter().map(|(range, role)| (line.get(range).unwrap(), role)).collect()
    }

    #[test]
    fn level_and_message_are_told_apart() {
        assert_eq!(
            told(r#"{"ts":1.5,"level":"warn","msg":"queue \"full\"","deep":{"level":"error"}}"#),
            [("warn", Role::Amber), (r#"queue \"full\""#, Role::Text)]
        );
        assert_eq!(
            told(r#"time=2026-01-01 level=ERROR msg="no room" x=1"#),
            [("ERROR", Role::Coral), ("no room", Role::Text)]
        );
        assert_eq!(told("2026-01-01T00:00:00Z INFO settled"), [("INFO", Role::Moss)]);
        assert_eq!(told("[WARN] low"), [("WARN", Role::Amber)]);
        assert_eq!(told("an ordinary line of information"), []);
        assert_eq!(told(r#"{"level": 30, "message": "x"}"#), [("x", Role::Text)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn nothing_of_a_line_is_lost(line in r#"[{}\[\]":,=\\ a-zäWARN]{0,40}"#) {
            let spans = dress(&Theme::new(ColourLevel::True, false), &line);
            let whole: String = spans.iter().map(|span| span.content.as_ref()).collect();
            prop_assert_eq!(whole, line);
        }
    }
}
