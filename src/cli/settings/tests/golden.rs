//! What is printed of the keys, and the example of the README.

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

#[test]
fn the_example_of_the_readme_is_right() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    merged(example, &[], "").unwrap();
}
