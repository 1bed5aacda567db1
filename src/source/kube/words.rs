//! Words from outside, made fit for one line of ours.

use kgents_store::sanitize;
use kgents_store::watch::Scene;

use crate::redact;

/// The longest piece of foreign text in a message of ours, in characters.
const MAX: usize = 400;

/// The same where a list of faults is told, of which none may be missing.
const MAX_FAULTS: usize = 4_000;

/// Foreign text as part of a message: cleaned, on one line, cut if long.
pub(crate) fn clean(text: &str) -> String {
    within(MAX, text)
}

/// What the API server finds wrong with an object: cleaned, on one line.
pub(crate) fn faults(text: &str) -> String {
    within(MAX_FAULTS, text)
}

fn within(max: usize, text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = sanitize::text(&line);
    match line.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.into_owned(),
    }
}

/// A scene as it may be shown: names in a kubeconfig may hold anything, and a
/// URL a password.
pub(crate) fn scene(scene: &Scene) -> Scene {
    Scene {
        context: clean(&scene.context),
        server: clean(&redact::userinfo(&scene.server)),
        namespace: scene.namespace.as_deref().map(clean),
    }
}

/// The beginning of an answer that is none, in quotes.
pub(crate) fn beginning(text: &str) -> String {
    let text = clean(text);
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let short: String = text.chars().take(60).collect();
    let dots = if short.len() < text.len() { "…" } else { "" };
    format!("“{short}{dots}”")
}

/// How many letters must be changed, added, left out or swapped with their
/// neighbour to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], j: usize| row.get(j).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&last, j + 1) + 1).min(at(&row, j) + 1).min(at(&last, j) + usize::from(x != y));
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// At most five of the names, the most similar to the wanted one first.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut names: Vec<(usize, &str)> = names
        .into_iter()
        .map(|name| {
            let lower = name.to_lowercase();
            // A part of a long name (an ARN, a zone in front) is nearer than any typing error.
            let part = !wanted.is_empty() && (lower.contains(&wanted) || wanted.contains(&lower));
            (if part { 0 } else { distance(&wanted, &lower) }, name)
        })
        .collect();
    names.sort_unstable();
    names.into_iter().take(5).map(|(_, name)| clean(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_cleaned_joined_and_cut() {
        assert_eq!(clean(" a\n\tb\u{1b}[2J "), "a b␛[2J");
        let long = clean(&"ä".repeat(1_000));
        assert_eq!(long.chars().count(), MAX + 1);
        assert_eq!(beginning(" \n"), "nothing");
        assert_eq!(beginning("<html>"), "“<html>”");
        assert!(beginning(&"x".repeat(100)).ends_with("x…”"));
    }

    #[test]
    fn distances_count_changes_and_swaps() {
        for (a, b, d) in
            [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("prod", "prdo", 1), ("kind", "kid", 1), ("a", "b", 1)]
        {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["staging", "prod", "kind-garden", "arn:aws:eks:eu:1:cluster/prod-eu"];
        assert_eq!(nearest("prdo", names).first().map(String::as_str), Some("prod"));
        assert_eq!(nearest("garden", names).first().map(String::as_str), Some("kind-garden"));
        assert_eq!(nearest("prod-eu", names).first().map(String::as_str), Some("arn:aws:eks:eu:1:cluster/prod-eu"));
    }
}
