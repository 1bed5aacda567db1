//! Text from outside, made safe for a terminal.
//!
//! Agents, files and the API may hold any text. What could move the cursor,
//! change colours or turn the reading order around is replaced by a visible
//! sign before it enters the store, so that nothing behind the store has to
//! think about it. Line feed and tab stay: they are layout, and who draws one
//! line replaces them there.

use std::borrow::Cow;

use serde_json::Value;

/// Whether a character may not reach a terminal.
///
/// C0 and C1 controls but line feed and tab, DEL, the bidirectional
/// embeddings, overrides and isolates of Unicode TR9, and the line and
/// paragraph separators. Marks (LRM, RLM, ALM) and joiners stay: scripts and
/// emoji need them.
pub fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\0'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fff9}'..='\u{fffb}' | '\u{feff}')
}

/// The sign that stands for an unsafe character: the control picture of a C0
/// control, else the replacement character.
fn sign(c: char) -> char {
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// The text with each unsafe character replaced; borrowed when there is none.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { sign(c) } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Cleans every string and key of a JSON value in place.
pub fn value(json: &mut Value) {
    match json {
        Value::String(string) => {
            if let Cow::Owned(clean) = text(string) {
                *string = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(value),
        Value::Object(map) => {
            if map.keys().any(|key| key.chars().any(is_unsafe)) {
                *map = std::mem::take(map).into_iter().map(|(key, item)| (text(&key).into_owned(), item)).collect();
            }
            map.values_mut().for_each(value);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether JSON text might hold an unsafe character, written out or escaped.
///
/// One pass over the bytes that may say yes too often but never no too often:
/// it spares clean objects, which are nearly all, a second parse.
pub fn is_suspicious(json: &str) -> bool {
    let bytes = json.as_bytes();
    for (i, &byte) in bytes.iter().enumerate() {
        match byte {
            // An escape other than \" \\ \/ \n \t.
            b'\\' if matches!(bytes.get(i + 1), Some(b'b' | b'f' | b'r' | b'u')) => return true,
            // DEL, the lead byte of C1, of U+2000..U+2FFF (general punctuation
            // only) and of U+F000..U+FFFF.
            0x7f | 0xef => return true,
            0xc2 if bytes.get(i + 1).is_some_and(|next| *next < 0xa0) => return true,
            0xe2 if matches!(bytes.get(i + 1), Some(0x80 | 0x81)) => {
                // … – — “ ” ‘ ’ are ordinary; only the lines and directions are not.
                if matches!(
                    (bytes.get(i + 1), bytes.get(i + 2)),
                    (Some(0x80), Some(0xa8..=0xae)) | (Some(0x81), Some(0xa6..=0xa9))
                ) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_and_overrides_become_signs_and_scripts_stay() {
        assert_eq!(text("\u{1b}[31mred\u{7}"), "␛[31mred␇");
        assert_eq!(text("a\u{202e}b\u{9b}c\u{7f}"), "a\u{fffd}b\u{fffd}c␡");
        for kept in ["مرحبا", "line\none\ttab", "👩‍👩‍👧", "日本語…“x”", "e\u{301}"] {
            assert!(matches!(text(kept), Cow::Borrowed(_)), "{kept}");
        }
    }

    #[test]
    fn keys_are_cleaned_too() {
        let mut json = serde_json::json!({ "a\u{1b}": ["\u{202e}", 1, null] });
        value(&mut json);
        assert_eq!(json, serde_json::json!({ "a␛": ["\u{fffd}", 1, null] }));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn nothing_unsafe_is_left(string in any::<String>()) {
            prop_assert!(!text(&string).chars().any(is_unsafe));
        }

        #[test]
        fn what_is_unsafe_is_suspicious(string in any::<String>(), c in any::<char>()) {
            let string = format!("{string}{c}");
            if string.chars().any(is_unsafe) {
                prop_assert!(is_suspicious(&serde_json::to_string(&string).unwrap()));
            }
        }
    }
}
