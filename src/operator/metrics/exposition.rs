//! The text format in which metrics are shown, read back.
//!
//! Sources: the OpenMetrics 1.0 specification, "Text format", and Prometheus'
//! "Exposition formats", text-based format 0.0.4. Both are read: comments,
//! exemplars and time stamps are passed over.

use std::collections::BTreeMap;

/// One line: a name, its labels and a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Such as `workqueue_adds_total`.
    pub name: String,
    /// Such as `name` to `agent`.
    pub labels: BTreeMap<String, String>,
    /// The value. `NaN` and infinities are as they are written.
    pub value: f64,
}

/// The first line that is none of the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the metrics cannot be read: {problem}")]
pub struct Unreadable {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Reads all samples, in their order.
///
/// # Errors
/// At the first line that is neither a sample nor a comment.
pub fn parse(text: &str) -> Result<Vec<Sample>, Unreadable> {
    let mut samples = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let read = sample(line).map_err(|problem| Unreadable { line: index + 1, problem })?;
        samples.push(read);
    }
    Ok(samples)
}

/// The sum of all samples of a name whose labels hold these.
pub fn sum(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> f64 {
    let fits = |sample: &&Sample| {
        sample.name == name && labels.iter().all(|(key, value)| sample.labels.get(*key).is_some_and(|has| has == value))
    };
    // Not `sum`: of nothing that is -0.
    samples.iter().filter(fits).fold(0.0, |sum, sample| sum + sample.value)
}

fn sample(line: &str) -> Result<Sample, &'static str> {
    let end = line.find(['{', ' ', '\t']).ok_or("there is no value")?;
    let (name, rest) = line.split_at_checked(end).ok_or("there is no name")?;
    if !is_name(name, true) {
        return Err("this is no name");
    }
    let rest = rest.trim_start_matches([' ', '\t']);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // A time stamp may follow, and behind `#` an exemplar.
    let value = rest.split([' ', '\t']).find(|word| !word.is_empty()).ok_or("there is no value")?;
    Ok(Sample { name: name.to_owned(), labels, value: number(value)? })
}

/// Labels up to their closing brace, and what follows.
fn labels(mut rest: &str) -> Result<(BTreeMap<String, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok((labels, rest));
        }
        let (name, after) = rest.split_once('=').ok_or("a label has no value")?;
        let name = name.trim_matches([' ', '\t']);
        if !is_name(name, false) {
            return Err("a label has no name");
        }
        let after = after.trim_start_matches([' ', '\t']).strip_prefix('"').ok_or("a label's value has no quotes")?;
        let (value, after) = quoted(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("a label is there twice");
        }
        let after = after.trim_start_matches([' ', '\t']);
        rest = match after.strip_prefix(',') {
            Some(rest) => rest,
            None if after.starts_with('}') => after,
            None => return Err("between labels there is no comma"),
        };
    }
}

/// Text up to the closing quote, and what follows.
fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next().ok_or("a label's value does not end")? {
            '"' => return Ok((value, chars.as_str())),
            '\\' => match chars.next().ok_or("a label's value does not end")? {
                'n' => value.push('\n'),
                // Only \\ and \" are said to be there; any other stands for itself.
                escaped @ ('\\' | '"') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            plain => value.push(plain),
        }
    }
}

fn number(word: &str) -> Result<f64, &'static str> {
    match word {
        "+Inf" | "Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        // Rust reads words such as `infinity` too.
        _ if word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => {
            word.parse().map_err(|_| "the value is no number")
        }
        _ => Err("the value is no number"),
    }
}

fn is_name(word: &str, colons: bool) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || (colons && byte == b':');
    let mut bytes = word.bytes();
    bytes.next().is_some_and(letter) && bytes.all(|byte| letter(byte) || byte.is_ascii_digit())
}
