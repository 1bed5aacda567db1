//! What is printed of the keys, and what the README says of them.

use super::*;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// `KGENTS_BLESS=1 cargo test` writes the file anew.
#[test]
fn the_schema_is_the_committed_one() {
    let path = repository("src/cli/settings/schema.json");
    let schema = format!("{:#}\n", keys::schema());
    if std::env::var_os("KGENTS_BLESS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let file = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(file == schema, "{} is stale: run KGENTS_BLESS=1 cargo test -p kgents-cli", path.display());
}

#[test]
fn every_key_is_described_and_has_its_own_variable() {
    let keys = keys::all();
    let variables: std::collections::BTreeSet<String> =
        keys.iter().flat_map(|key| [Some(key.variable()), key.alias.clone()]).flatten().collect();
    let aliases = keys.iter().filter(|key| key.alias.is_some()).count();
    assert_eq!(variables.len(), keys.len() + aliases);
    for key in keys {
        assert!(key.description.ends_with(['.', '`']), "{}: {:?}", key.full(), key.description);
    }
}

/// The line of the README's table for a key.
fn line(key: &keys::Key) -> String {
    let mut what = key.description.replace('\n', " ");
    if let Some(default) = &key.default {
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        what = format!("{} [default: {default}].", what.trim_end_matches('.'));
    }
    let alias = key.alias.as_ref().map(|alias| format!(" (or `{alias}`)")).unwrap_or_default();
    format!("| `{}`{alias} | {} |", key.full(), what.replace('|', "\\|"))
}

#[test]
fn the_readme_lists_every_key() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let lines: Vec<String> = keys::all().iter().filter(|key| !key.is_chord()).map(line).collect();
    let missing = lines.iter().any(|line| !readme.lines().any(|other| other == line));
    assert!(!missing, "README.md needs these lines:\n{}", lines.join("\n"));
    let listed = readme.lines().filter(|other| other.starts_with("| `") && other.ends_with(". |")).count();
    assert_eq!(listed, lines.len(), "README.md lists keys that there are not");
}

#[test]
fn the_example_of_the_readme_is_right() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    merged(example, &[], "").unwrap();
}
