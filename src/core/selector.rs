//! Label selectors, read before anything is sent, so that a wrong one is a
//! usage error, and matched here where a stream is not filtered by the server.

use std::collections::BTreeMap;

/// A label selector as `kubectl -l` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    text: String,
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// With what is wrong, in a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err(
                "a label selector is missing: write it as app=x, app!=x, 'app in (x, y)', app or '!app'".to_owned()
            );
        }
        let requirements = split(text)?.into_iter().map(requirement).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), requirements })
    }

    /// The selector as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an object with these labels is selected.
    pub fn matches(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        self.requirements.iter().all(|requirement| {
            let value = labels.and_then(|labels| labels.get(&requirement.key));
            let number = || value.and_then(|value| value.parse::<i64>().ok());
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Missing => value.is_none(),
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Above(limit) => number().is_some_and(|number| number > *limit),
                Test::Below(limit) => number().is_some_and(|number| number < *limit),
            }
        })
    }
}

/// Splits at the commas that stand outside parentheses.
fn split(text: &str) -> Result<Vec<&str>, String> {
    let mut parts = Vec::new();
    let (mut start, mut open) = (0, false);
    for (i, c) in text.char_indices() {
        match c {
            '(' if open => return Err("a '(' stands within parentheses".to_owned()),
            '(' => open = true,
            ')' if !open => return Err("a ')' closes nothing".to_owned()),
            ')' => open = false,
            ',' if !open => {
                parts.push(text.get(start..i).unwrap_or_default());
                start = i + 1;
            }
            _ => {}
        }
    }
    if open {
        return Err("a '(' is not closed".to_owned());
    }
    parts.push(text.get(start..).unwrap_or_default());
    Ok(parts)
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let part = part.trim();
    if part.is_empty() {
        return Err("nothing stands beside a ','".to_owned());
    }
    if let Some(set) = part.strip_suffix(')') {
        let (head, values) = set.split_once('(').ok_or("a ')' closes nothing")?;
        let mut words = head.split_whitespace();
        let (key, operator) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let values: Vec<String> =
            values.split(',').map(|value| checked_value(value.trim())).collect::<Result<_, _>>()?;
        let test = match (operator, words.next()) {
            ("in", None) => Test::In(values),
            ("notin", None) => Test::NotIn(values),
            _ => return Err(format!("before the '(' of '{part}' stands neither 'in' nor 'notin'")),
        };
        return Ok(Requirement { key: checked_key(key)?, test });
    }
    if let Some(key) = part.strip_prefix('!') {
        return Ok(Requirement { key: checked_key(key.trim())?, test: Test::Missing });
    }
    let Some(at) = part.find(['=', '!', '<', '>']) else {
        return Ok(Requirement { key: checked_key(part)?, test: Test::Exists });
    };
    let (key, rest) = part.split_at(at);
    let key = checked_key(key.trim())?;
    let equal = |value: &str| checked_value(value.trim()).map(|value| vec![value]);
    let number = |value: &str| {
        let value = value.trim();
        value.parse().map_err(|_| format!("'{value}' is no whole number to compare with"))
    };
    let test = if let Some(value) = rest.strip_prefix("!=") {
        Test::NotIn(equal(value)?)
    } else if let Some(value) = rest.strip_prefix("==").or_else(|| rest.strip_prefix('=')) {
        Test::In(equal(value)?)
    } else if let Some(value) = rest.strip_prefix('>') {
        Test::Above(number(value)?)
    } else if let Some(value) = rest.strip_prefix('<') {
        Test::Below(number(value)?)
    } else {
        return Err(format!("'{part}' compares with none of =, ==, !=, in, notin, > and <"));
    };
    Ok(Requirement { key, test })
}

/// Whether the text is a name as labels have it: at most 63 of letters,
/// digits, '-', '_' and '.', with a letter or digit at both ends.
fn is_name(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 63
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

fn checked_key(key: &str) -> Result<String, String> {
    let (prefix, name) = key.split_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let is_domain = |prefix: &str| {
        prefix.len() <= 253
            && prefix.split('.').all(|label| is_name(label) && !label.contains('_') && label.to_lowercase() == label)
    };
    if is_name(name) && prefix.is_none_or(is_domain) {
        Ok(key.to_owned())
    } else {
        Err(format!("'{key}' is no label key, such as app or kgents.io/genus"))
    }
}

fn checked_value(value: &str) -> Result<String, String> {
    if value.is_empty() || is_name(value) {
        Ok(value.to_owned())
    } else {
        Err(format!("'{value}' is no label value: it has at most 63 letters, digits, '-', '_' and '.'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: BTreeMap<String, String> =
            labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Selector::parse(selector).unwrap().matches(Some(&labels))
    }

    #[test]
    fn selectors_match_as_those_of_kubectl() {
        let labels = [("app", "x"), ("kgents.io/genus", "B"), ("n", "5")];
        for selector in [
            "app=x",
            "app==x",
            "app = x",
            "app",
            "!gone",
            "! gone",
            "gone!=x",
            "app!=y",
            "app in (x, y)",
            "app notin (y,z)",
            "gone notin (y)",
            "app=x,kgents.io/genus=B",
            "n>4",
            "n<6",
            "app in (x),!gone",
        ] {
            assert!(selects(selector, &labels), "{selector}");
        }
        for selector in
            ["app=y", "!app", "gone", "app!=x", "app in (y)", "app notin (x)", "app=x,n>5", "app>1", "gone<1", "app="]
        {
            assert!(!selects(selector, &labels), "{selector}");
        }
        assert!(Selector::parse("!app").unwrap().matches(None));
    }

    #[test]
    fn a_wrong_selector_says_what_is_wrong() {
        for (selector, expected) in [
            ("", "missing"),
            ("app=x,", "beside a ','"),
            ("=x", "no label key"),
            ("app=x y", "no label value"),
            ("app=ü", "no label value"),
            ("app in x", "no label key"),
            ("app within (x)", "neither 'in' nor 'notin'"),
            ("app in (x", "not closed"),
            ("app in x)", "closes nothing"),
            ("app in ((x))", "within parentheses"),
            ("a/b/c=x", "no label key"),
            ("A.b/c", "no label key"),
            ("app!x", "compares with none"),
            ("app>x", "no whole number"),
            ("-app", "no label key"),
        ] {
            let error = Selector::parse(selector).unwrap_err();
            assert!(error.contains(expected), "{selector}: {error}");
        }
        let long = "x".repeat(64);
        assert!(Selector::parse(&long).is_err());
    }
}
