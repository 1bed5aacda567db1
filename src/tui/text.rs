//! Text measured in cells, not bytes.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The cells that a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text in at most `cells`; what is cut ends in `…`.
pub fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    // A text of n bytes never takes more than n cells.
    if text.len() <= cells || width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 0;
    let mut out = String::new();
    for grapheme in text.graphemes(true) {
        let next = used + width(grapheme);
        if next > cells - 1 {
            break;
        }
        used = next;
        out.push_str(grapheme);
    }
    out.truncate(out.trim_end().len());
    out.push('…');
    Cow::Owned(out)
}

/// The text cut in two so that the first piece has at most so many bytes.
pub fn cut(text: &str, bytes: usize) -> (&str, &str) {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.split_at(end)
}

/// A text on one line: each run of white space that holds a line feed or a
/// tab becomes one space.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\t']) {
        Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text whose tabs are spaces, so that each of its cells is seen.
pub fn spaced(text: &str) -> Cow<'_, str> {
    if text.contains('\t') { Cow::Owned(text.replace('\t', "    ")) } else { Cow::Borrowed(text) }
}

/// Whether a text holds another one, which is in lower case, whatever the
/// case of its own letters.
pub fn holds(text: &str, wanted: &str) -> bool {
    let Some(first) = wanted.bytes().next() else { return true };
    if !wanted.is_ascii() {
        return text.to_lowercase().contains(wanted);
    }
    // Without a copy of the text: there may be very many to look through.
    let (bytes, wanted) = (text.as_bytes(), wanted.as_bytes());
    let upper = first.to_ascii_uppercase();
    bytes.len() >= wanted.len()
        && bytes[..=bytes.len() - wanted.len()].iter().enumerate().any(|(at, byte)| {
            (*byte == first || *byte == upper) && bytes[at..at + wanted.len()].eq_ignore_ascii_case(wanted)
        })
}

/// The text broken into lines of at most `cells`, at spaces where there are any.
pub fn wrap(text: &str, cells: usize) -> Vec<String> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            let size = width(word.trim_end());
            if used + size > cells && used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if size <= cells {
                line.push_str(word);
                used += width(word);
                continue;
            }
            // A word that no line holds (or a script without spaces) breaks anywhere.
            for grapheme in word.graphemes(true) {
                let size = width(grapheme);
                if used + size > cells && used > 0 {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push_str(grapheme);
                used += size;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(fit("embedding 312 notes", 10), "embedding…");
        assert_eq!(fit("日本語テキスト", 6), "日本…");
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit("مرحبا بالعالم", 6), "مرحبا…");
    }

    #[test]
    fn a_text_is_found_whatever_its_case() {
        assert!(holds("It FAILED", "failed") && holds("x", "") && holds("ÄRGER", "ärg"));
        assert!(!holds("fail", "failed") && !holds("", "a"));
    }

    #[test]
    fn lines_fold_and_wrap() {
        assert_eq!(one_line("a\n  b\tc"), "a b c");
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a\n\nb", 7), ["a", "", "b"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn never_wider_than_asked(text in ".{0,40}", cells in 0_usize..30) {
            prop_assert!(width(&fit(&text, cells)) <= cells);
            for line in wrap(&text, cells.max(2)) {
                // What cannot be broken may stand out.
                prop_assert!(width(&line) <= cells.max(2) || line.graphemes(true).count() == 1, "{line:?}");
            }
        }
    }
}
