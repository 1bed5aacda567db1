//! What is said, as it grows, and the words that several answers share.

use std::borrow::Cow;

use jiff::Timestamp;
use kgents_api::Condition;
use kgents_core::age;

use super::Answer;
use crate::key::Key;
use crate::terrarium::{HeldAgent, Terrarium};

/// How many characters of a text from outside are quoted.
const MAX_QUOTE: usize = 160;
/// How many items of a list are told; more are counted.
pub(super) const MAX_ITEMS: usize = 5;

/// How a list of what can be asked begins.
#[derive(Clone, Copy)]
pub(super) enum Opening {
    /// Somebody asked for it.
    Asked,
    /// Nothing was asked.
    Empty,
    /// Nothing was understood.
    Lost,
}

/// What an answer about one agent is made from.
pub(super) struct Scene<'a> {
    pub(super) terrarium: &'a Terrarium,
    pub(super) key: &'a Key,
    pub(super) held: &'a HeldAgent,
    pub(super) now: Timestamp,
}

impl Scene<'_> {
    /// How long ago a moment was.
    pub(super) fn ago(&self, at: Timestamp) -> String {
        format!("{} ago", age::text(self.now.duration_since(at)))
    }

    /// In how long a moment will be.
    pub(super) fn until(&self, at: Timestamp) -> String {
        age::until_text(at.duration_since(self.now))
    }

    /// The name of the agent.
    pub(super) fn name(&self) -> &str {
        self.key.name()
    }
}

/// An answer as it grows.
#[derive(Default)]
pub(super) struct Said {
    lines: Vec<String>,
    read: Vec<String>,
}

impl Said {
    /// Adds a paragraph.
    pub(super) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Notes fields that were read.
    pub(super) fn read<F: Into<String>>(&mut self, fields: impl IntoIterator<Item = F>) {
        for field in fields {
            let field = field.into();
            if !self.read.contains(&field) {
                self.read.push(field);
            }
        }
    }

    /// Adds a list under a paragraph: its first items, and how many more.
    pub(super) fn list(&mut self, items: &[String]) {
        self.lines.extend(items.iter().take(MAX_ITEMS).map(|item| format!("  {item}")));
        if items.len() > MAX_ITEMS {
            self.lines.push(format!("  and {} more", items.len() - MAX_ITEMS));
        }
    }

    /// The whole.
    pub(super) fn answer(self, understood: bool) -> Answer {
        Answer { text: self.lines.join("\n"), read: self.read, understood }
    }
}

/// A text from outside on one line, cut where it is long.
pub(super) fn short(text: &str) -> String {
    cut(text, MAX_QUOTE)
}

/// A text on one line of at most so many characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    // No more than could be shown is looked at: a payload may be a megabyte.
    let mut line = String::new();
    let mut space = false;
    let mut count = 0;
    for c in text.trim_start().chars() {
        if c.is_whitespace() {
            space = true;
            continue;
        }
        if count + usize::from(space) >= most {
            line.push('…');
            return line;
        }
        if space {
            line.push(' ');
        }
        line.push(c);
        count += 1 + usize::from(space);
        space = false;
    }
    line
}

/// Without the full stop, for the middle of a sentence.
pub(super) fn clause(text: &str) -> String {
    let text = short(text);
    text.strip_suffix('.').map_or_else(|| text.clone(), str::to_owned)
}

/// `1 pod`, `2 pods`.
pub(super) fn count(number: i64, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{} {word}s", thousands(number)) }
}

/// `is` or `are`.
pub(super) const fn are(number: i64) -> &'static str {
    if number == 1 { "is" } else { "are" }
}

/// A number with a comma each three digits.
pub(super) fn thousands(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn and<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// A condition in words, and the fields that say so.
pub(super) fn condition(scene: &Scene<'_>, condition: &Condition) -> (String, [String; 3]) {
    let Condition { type_, status, reason, message, .. } = condition;
    let since = age::text(scene.now.duration_since(condition.last_transition_time.0));
    let mut why = String::new();
    for part in [reason, message].into_iter().filter(|part| !part.is_empty()) {
        why.push_str(": ");
        why.push_str(&clause(part));
    }
    let fields = ["status", "reason", "message"].map(|field| format!("status.conditions[{type_}].{field}"));
    (format!("{type_} is {status} since {since}{why}."), fields)
}

/// The first letter large.
pub(super) fn capital(text: &str) -> Cow<'_, str> {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) if first.is_lowercase() => Cow::Owned(first.to_uppercase().chain(chars).collect()),
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_kept_on_one_line() {
        assert_eq!(cut("  a\n\n b  ", 10), "a b");
        assert_eq!(cut("abcdef", 3), "abc…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("ab cd", 3), "ab…");
    }

    #[test]
    fn numbers_and_lists_read_well() {
        assert_eq!([0, 999, 1_000, 30_000, -1_234_567].map(thousands), ["0", "999", "1,000", "30,000", "-1,234,567"]);
        assert_eq!(thousands(i64::MIN), "-9,223,372,036,854,775,808");
        assert_eq!(and(&["a", "b", "c"]), "a, b and c");
        assert_eq!((count(1, "pod"), count(2, "pod")), ("1 pod".into(), "2 pods".into()));
    }
}
