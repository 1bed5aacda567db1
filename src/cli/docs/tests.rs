use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kgents_tui::theme::Palette;

use super::*;
use crate::settings::{environment::Env, file, keys as known};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

/// `KGENTS_BLESS=1 cargo test` writes the pages anew.
#[test]
fn the_pages_are_the_committed_ones() {
    let folder = repository("docs");
    let pages = pages().unwrap();
    if std::env::var_os("KGENTS_BLESS").is_some() {
        let _ = std::fs::remove_dir_all(folder.join(MAN));
        std::fs::create_dir_all(folder.join(MAN)).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let file = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(file == *text, "docs/{name} is stale: run KGENTS_BLESS=1 cargo test -p kgents-cli");
    }
    let names: BTreeSet<String> = pages.into_iter().map(|(name, _)| name).collect();
    let there = std::fs::read_dir(folder.join(MAN)).unwrap().map(|entry| entry.unwrap().file_name());
    for name in there {
        let name = format!("{MAN}/{}", name.to_str().unwrap());
        assert!(names.contains(&name), "docs/{name} is of a command that there is not");
    }
}

#[test]
fn the_examples_are_right() {
    assert_eq!(Palette::read("example", themes::EXAMPLE).faults, []);
    let path = Path::new("/c/config.toml");
    let home = Env::of([("HOME".into(), "/home/u".into())]);
    let (layer, problems) = file::parse(configuration::EXAMPLE, path, &known::all(), &home);
    assert_eq!(problems, []);
    assert_eq!(crate::keymap::check(configuration::EXAMPLE, path, &layer), []);
    let keys = keys::page();
    let (_, rest) = keys.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let (layer, problems) = file::parse(example, path, &known::all(), &home);
    assert_eq!((problems, crate::keymap::check(example, path, &layer)), (Vec::new(), Vec::new()));
}

#[test]
fn the_readme_leads_to_each_page() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    for page in ["docs/keys.md", "docs/themes.md", "docs/configuration.md", "docs/man"] {
        assert!(readme.contains(&format!("({page})")), "README.md has no link to {page}");
    }
}
