//! A question as words.

/// How many characters of a question are read.
pub(super) const MAX_CHARS: usize = 500;
/// How many words of them.
const MAX_WORDS: usize = 100;
/// From how many letters on one slip of the finger is forgiven.
const TYPO_FROM: usize = 5;

/// Words that are spelled as they are meant, though a slip away from one that
/// stands for a topic.
const ORDINARY: &[&str] = &[
    "about",
    "agent",
    "being",
    "could",
    "current",
    "currently",
    "doing",
    "every",
    "first",
    "found",
    "going",
    "great",
    "heard",
    "known",
    "later",
    "least",
    "might",
    "never",
    "other",
    "place",
    "please",
    "quite",
    "right",
    "seems",
    "shall",
    "should",
    "since",
    "small",
    "still",
    "thank",
    "thanks",
    "their",
    "there",
    "these",
    "thing",
    "things",
    "those",
    "today",
    "under",
    "until",
    "where",
    "which",
    "while",
    "whole",
    "would",
    "years",
    "yours",
    "yourself",
];

/// A word, a number or an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Letters, digits and hyphens, small letters only.
    Plain(String),
    /// A name by its mark: `@b-gent`, or `namespace/name`.
    Marked(String),
    /// A comma or the like.
    Comma,
    /// The end of a sentence.
    Stop,
}

impl Word {
    /// The word as it is compared; empty for an end.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Marked(text) => text,
            Self::Comma | Self::Stop => "",
        }
    }
}

/// The words of a question, and whether more was there than is read.
pub(super) fn split(question: &str) -> (Vec<Word>, bool) {
    let mut chars = question.chars();
    let read: Vec<char> = chars.by_ref().take(MAX_CHARS).collect();
    let mut cut = chars.next().is_some();
    let mut words = Vec::new();
    let mut word = String::new();
    for (place, &c) in read.iter().enumerate() {
        let between = |test: fn(&char) -> bool| {
            place > 0 && read.get(place - 1).is_some_and(test) && read.get(place + 1).is_some_and(test)
        };
        match c {
            // 20,000 and 20_000 are one number, v1.2 and 0.5 one word.
            ',' | '_' if between(char::is_ascii_digit) => {}
            '.' if between(|c| c.is_alphanumeric()) => word.push(c),
            '-' | '/' if between(|c| c.is_alphanumeric()) => word.push(c),
            '@' if word.is_empty() => word.push(c),
            _ if c.is_alphanumeric() => word.extend(c.to_lowercase()),
            _ => {
                push(&mut words, &mut word);
                match c {
                    ',' | '&' | '+' => words.push(Word::Comma),
                    '.' | '?' | '!' | ';' | ':' | '\n' => words.push(Word::Stop),
                    _ => {}
                }
            }
        }
    }
    push(&mut words, &mut word);
    if words.len() > MAX_WORDS {
        words.truncate(MAX_WORDS);
        cut = true;
    }
    (words, cut)
}

fn push(words: &mut Vec<Word>, word: &mut String) {
    let text = std::mem::take(word);
    if let Some(name) = text.strip_prefix('@') {
        if !name.is_empty() {
            words.push(Word::Marked(name.to_owned()));
        }
    } else if text.contains('/') {
        words.push(Word::Marked(text));
    } else if !text.is_empty() {
        words.push(Word::Plain(text));
    }
}

/// Whether `word` is meant as `known`: the same, or for a longer one the same
/// but for one slip.
pub(super) fn is_meant(word: &str, known: &str) -> bool {
    word == known || (is_slip(word, known) && !ORDINARY.contains(&word))
}

/// Whether two differ by one letter too many, too few, wrong, or swapped with
/// its neighbour, and both are long enough for that to mean little.
pub(super) fn is_slip(a: &str, b: &str) -> bool {
    // Bytes first: it spares nearly all pairs the rest. A letter has at most four.
    if a.len().min(b.len()) < TYPO_FROM || a.len().abs_diff(b.len()) > 4 {
        return false;
    }
    let (letters, others) = (a.chars().count(), b.chars().count());
    if letters.min(others) < TYPO_FROM || letters.abs_diff(others) > 1 {
        return false;
    }
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (a_from, b_from) = (a.as_str(), b.as_str());
        match (a.next(), b.next()) {
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => {
                let (a_rest, b_rest) = (a.as_str(), b.as_str());
                let mut swapped = || a.next() == Some(y) && b.next() == Some(x) && a.as_str() == b.as_str();
                return a_rest == b_from || a_from == b_rest || a_rest == b_rest || swapped();
            }
            // One has at most one letter more.
            _ => return true,
        }
    }
}

/// A number as people write it: `5`, `20000`, `20k`, `1.5m`.
pub(super) fn number(word: &str) -> Option<i64> {
    let (digits, factor) = match word.strip_suffix('k') {
        Some(digits) => (digits, 1_000.0),
        None => word.strip_suffix('m').map_or((word, 1.0), |digits| (digits, 1_000_000.0)),
    };
    if digits.is_empty() || digits.len() > 12 || !digits.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let number = digits.parse::<f64>().ok()? * factor;
    (number.fract() == 0.0).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(question: &str) -> Vec<String> {
        split(question).0.iter().map(|word| word.text().to_owned()).collect()
    }

    #[test]
    fn numbers_names_and_ends_are_told_apart() {
        assert_eq!(texts("What's  O-GENT's budget?"), ["what", "s", "o-gent", "s", "budget", ""]);
        assert_eq!(texts("to 20,000, v1.2 - a_b"), ["to", "20000", "", "v1.2", "a", "b"]);
        let marked = |name: &str| Word::Marked(name.into());
        assert_eq!(split("@b-gent x/y").0, [marked("b-gent"), marked("x/y")]);
        assert!(split("@ - / ,").0.iter().all(|word| *word == Word::Comma));
    }

    #[test]
    fn one_slip_is_forgiven_and_no_more() {
        for (word, known) in
            [("buget", "budget"), ("budgte", "budget"), ("statis", "status"), ("replicass", "replicas")]
        {
            assert!(is_slip(word, known), "{word}");
        }
        for (word, known) in [("pod", "pods"), ("bugte", "budget"), ("start", "state"), ("there", "three")] {
            assert!(!is_meant(word, known), "{word}");
        }
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        let cases = [("5", Some(5)), ("20k", Some(20_000)), ("1.5m", Some(1_500_000)), ("0.5", None), ("k", None)];
        for (word, expected) in cases {
            assert_eq!(number(word), expected, "{word}");
        }
        assert_eq!([number("1.2.3"), number("b-gent"), number("99999999999999")], [None; 3]);
    }
}
