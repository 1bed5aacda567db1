//! The filter language: words, `key:value`, `!not`.
//!
//! A row stays when every term holds. A word is looked for in the row's text,
//! and fuzzily in its name (letters in order). `key:value` looks in one field;
//! `>`, `>=`, `<` and `<=` before a number compare. `!` turns a term around;
//! quotes hold spaces together.

use std::borrow::Cow;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A filter that was understood.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    terms: Vec<Term>,
    /// Tells one filter from another.
    id: u64,
}

#[derive(Clone, Debug)]
struct Term {
    not: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Word(String),
    Holds { key: &'static str, value: String },
    Compares { key: &'static str, sign: Sign, number: f64 },
}

#[derive(Clone, Copy, Debug)]
enum Sign {
    More,
    MoreOrEqual,
    Less,
    LessOrEqual,
}

/// What is wrong with a filter, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The byte at which the wrong term begins.
    pub at: usize,
    /// What is wrong, in words.
    pub said: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.said)
    }
}

/// A row as the filter sees it.
pub trait Fields {
    /// Its name.
    fn name(&self) -> Cow<'_, str>;
    /// All that is shown of it, as one text.
    fn text(&self) -> Cow<'_, str>;
    /// One field, as text or as a number in text.
    fn field(&self, key: &str) -> Option<Cow<'_, str>>;
}

impl Filter {
    /// Reads a filter. `keys` are those that the rows have.
    ///
    /// # Errors
    /// The first term that cannot be understood.
    pub fn parse(text: &str, keys: &[&'static str]) -> Result<Self, Wrong> {
        let mut terms = Vec::new();
        for (at, term) in tokens(text)? {
            let (not, body) = term.strip_prefix('!').map_or((false, term.as_str()), |rest| (true, rest));
            let wrong = |said: String| Err(Wrong { at, said });
            if body.is_empty() {
                return wrong("`!` turns a term around: write !idle".to_owned());
            }
            let key = body
                .split_once(':')
                .filter(|(key, _)| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphabetic() || c == '-'));
            let Some((key, value)) = key else {
                let word = body.trim_matches('"').to_lowercase();
                terms.push(Term { not, test: Test::Word(word) });
                continue;
            };
            let Some(key) = keys.iter().find(|known| known.eq_ignore_ascii_case(key)) else {
                let near = keys.iter().map(|known| (strsim::levenshtein(&key.to_lowercase(), known), known)).min();
                return wrong(match near {
                    Some((distance, near)) if distance <= 2 => format!("no key `{key}`; did you mean `{near}:`?"),
                    _ => format!("no key `{key}`: there are {}", keys.join(", ")),
                });
            };
            let value = value.trim_matches('"');
            if value.is_empty() {
                return wrong(format!("`{key}:` wants a value"));
            }
            let signs = [(">=", Sign::MoreOrEqual), ("<=", Sign::LessOrEqual), (">", Sign::More), ("<", Sign::Less)];
            let compared = signs.into_iter().find_map(|(sign, what)| Some((what, value.strip_prefix(sign)?)));
            let what = match compared {
                Some((sign, number)) => match number.parse::<f64>() {
                    Ok(number) if number.is_finite() => Test::Compares { key, sign, number },
                    _ => return wrong(format!("`{number}` is no number")),
                },
                None => Test::Holds { key, value: value.to_lowercase() },
            };
            terms.push(Term { not, test: what });
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Ok(Self { terms, id: hasher.finish() })
    }

    /// The same number for the same text within one run.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Whether every row stays.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row stays.
    pub fn keeps(&self, row: &impl Fields) -> bool {
        self.terms.iter().all(|term| term.not != term.test.holds(row))
    }

    /// The words that are looked for, to mark them where they stand.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.test {
            Test::Word(word) if !term.not => Some(word.as_str()),
            _ => None,
        })
    }
}

impl Test {
    fn holds(&self, row: &impl Fields) -> bool {
        match self {
            Self::Word(word) => row.text().to_lowercase().contains(word) || in_order(word, &row.name()),
            Self::Holds { key, value } => {
                row.field(key).is_some_and(|field| field.to_lowercase().contains(value.as_str()))
            }
            Self::Compares { key, sign, number } => {
                let Some(field) = row.field(key).and_then(|field| field.parse::<f64>().ok()) else { return false };
                match sign {
                    Sign::More => field > *number,
                    Sign::MoreOrEqual => field >= *number,
                    Sign::Less => field < *number,
                    Sign::LessOrEqual => field <= *number,
                }
            }
        }
    }
}

/// Whether the letters of a word stand in a name in this order.
fn in_order(word: &str, name: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    word.chars().all(|wanted| letters.any(|letter| letter == wanted))
}

/// Terms with where they begin; quotes hold spaces together.
fn tokens(text: &str) -> Result<Vec<(usize, String)>, Wrong> {
    let mut tokens = Vec::new();
    let mut token: Option<(usize, String)> = None;
    let mut quoted = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() && quoted.is_none() {
            tokens.extend(token.take());
            continue;
        }
        if c == '"' {
            quoted = if quoted.is_some() { None } else { Some(at) };
        }
        token.get_or_insert_with(|| (at, String::new())).1.push(c);
    }
    if let Some(at) = quoted {
        return Err(Wrong { at, said: "a quote is open".to_owned() });
    }
    tokens.extend(token);
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    struct Row(&'static str, &'static str, &'static [(&'static str, &'static str)]);

    impl Fields for Row {
        fn name(&self) -> Cow<'_, str> {
            self.0.into()
        }
        fn text(&self) -> Cow<'_, str> {
            format!("{} {}", self.0, self.1).into()
        }
        fn field(&self, key: &str) -> Option<Cow<'_, str>> {
            self.2.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).into())
        }
    }

    const KEYS: &[&str] = &["phase", "risk", "name"];

    fn keeps(filter: &str) -> bool {
        let row = Row("billing-gent", "settling 14 holds", &[("phase", "Running"), ("risk", "0.33")]);
        Filter::parse(filter, KEYS).unwrap().keeps(&row)
    }

    #[test]
    fn every_term_must_hold() {
        for kept in [
            "",
            "bill",
            "HOLDS",
            "blgt",
            "phase:run",
            "!phase:failed",
            "risk:>0.3 risk:<=.33",
            "\"14 holds\"",
            "bill phase:running",
            "phase:\"running\"",
        ] {
            assert!(keeps(kept), "{kept}");
        }
        for gone in ["zzz", "!bill", "phase:failed", "risk:>0.33", "name:x", "bill zzz", "!\"14 holds\""] {
            assert!(!keeps(gone), "{gone}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let wrong = |text| Filter::parse(text, KEYS).unwrap_err();
        assert_eq!(wrong("a phas:x"), Wrong { at: 2, said: "no key `phas`; did you mean `phase:`?".into() });
        assert_eq!(wrong("colour:x").said, "no key `colour`: there are phase, risk, name");
        assert_eq!(wrong("phase:").said, "`phase:` wants a value");
        assert_eq!(wrong("risk:>x").said, "`x` is no number");
        assert_eq!(wrong("!").said, "`!` turns a term around: write !idle");
        assert_eq!(wrong("a \"b c"), Wrong { at: 2, said: "a quote is open".into() });
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_text_is_a_filter_or_is_wrong(text in ".{0,40}") {
            match Filter::parse(&text, KEYS) {
                Ok(filter) => { filter.keeps(&Row("n", "t", &[])); }
                Err(wrong) => prop_assert!(wrong.at < text.len() && !wrong.said.is_empty()),
            }
        }
    }
}
