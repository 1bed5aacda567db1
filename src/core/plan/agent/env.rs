//! The settings of an agent as environment variables.

use std::collections::BTreeMap;

use super::problems::Problem;

/// What each name begins with.
const PREFIX: &str = "KGENTS_";

/// Names that are given a value by us, now or while the agent is in safe
/// mode, and those that look as if they were.
const RESERVED: [&str; 6] =
    ["KGENTS_AGENT", "KGENTS_GENUS", "KGENTS_STATE_PATH", "KGENTS_SAFEMODE", "KGENTS_CORTEX_URL", "KGENTS_NAMESPACE"];

/// How many bytes all keys and values together may have. Each has to fit, with
/// everything else, into what a process is started with.
const MOST: usize = 128 * 1024;

/// The name of a key: upper case, with `_` for what parts words. `None` for a
/// key without a letter or digit and for one with characters that part nothing:
/// they would be lost, and two keys could become one without being alike.
pub(super) fn name(key: &str) -> Option<String> {
    let letter = |c: char| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => Some(c.to_ascii_uppercase()),
        '-' | '_' | '.' | '/' | ' ' => Some('_'),
        _ => None,
    };
    let name: String = key.chars().map(letter).collect::<Option<_>>()?;
    name.contains(|c| c != '_').then(|| format!("{PREFIX}{name}"))
}

/// All settings, by their names.
pub(super) fn variables(config: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Vec<Problem>> {
    let mut problems = Vec::new();
    let size: usize = config.iter().map(|(key, value)| key.len() + value.len()).sum();
    if size > MOST {
        let message = format!("spec.config is larger than {MOST} bytes");
        problems.push(Problem { reason: "ConfigTooLarge", message });
    }
    let mut keys: BTreeMap<String, &str> = BTreeMap::new();
    for key in config.keys() {
        let shown: String = key.chars().take(80).collect();
        let Some(name) = name(key) else {
            let message = format!(
                "spec.config: the key {shown:?} makes no name of an environment variable: \
                 only letters, digits, '-', '_', '.', '/' and spaces can stand in one"
            );
            problems.push(Problem { reason: "ConfigKeyInvalid", message });
            continue;
        };
        if RESERVED.contains(&name.as_str()) {
            let message = format!("spec.config: the key {shown:?} would set {name}, which is not for settings");
            problems.push(Problem { reason: "ConfigKeyReserved", message });
        } else if let Some(other) = keys.insert(name.clone(), key) {
            let message = format!("spec.config: the keys {other:?} and {shown:?} both make {name}");
            problems.push(Problem { reason: "ConfigKeysCollide", message });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(keys.into_iter().filter_map(|(name, key)| Some((name, literal(config.get(key)?)))).collect())
}

/// The value such that the container sees it as it was written: Kubernetes
/// would put other variables in place of `$(NAME)`, and `$` in place of `$$`.
fn literal(value: &str) -> String {
    if value.contains("$(") || value.contains("$$") { value.replace('$', "$$") } else { value.to_owned() }
}
