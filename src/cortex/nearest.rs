//! Words that are not known, and those that are.

use tonic::Status;

/// How much of an unknown word is said back.
const ECHO: usize = 64;

/// The answer to a word that is none of the known ones: it names the nearest
/// of them, and all.
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> Status {
    let low = word.to_lowercase();
    let nearest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(&low, &known.to_lowercase()), *known))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
        .unwrap_or_default();
    let word: String = word.chars().take(ECHO).collect();
    Status::invalid_argument(format!(
        "no such {what}: {word:?}; the nearest is {nearest} (known: {})",
        known.join(", ")
    ))
}
