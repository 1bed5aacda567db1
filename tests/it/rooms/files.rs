//! Files that belong to nothing: the compiler does not see them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::support::case::{Case, cases};
use crate::support::{path, root};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![every_source_file_is_part_of_a_crate, every_room_takes_the_lints_of_the_workspace]
}

/// The names of files that cargo knows by itself.
const ROOTS: [&str; 3] = ["lib", "main", "build"];

fn every_source_file_is_part_of_a_crate() {
    let mut files = Vec::new();
    for folder in ["src", "tests/it"] {
        collect(&path(folder), &mut files);
    }
    assert!(files.len() > 50, "the sources were not found");
    let lost: Vec<String> = files
        .iter()
        .filter(|file| !is_declared(file))
        .map(|file| file.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert!(lost.is_empty(), "no `mod` names these files:\n{}", lost.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension() == Some(OsStr::new("rs")) {
            files.push(path);
        }
    }
}

/// Whether a `mod` in the file above names this one: in `folder.rs` beside the
/// folder, or in the root of the crate.
fn is_declared(file: &Path) -> bool {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let folder = file.parent().unwrap();
    let above = folder.with_extension("rs");
    let parents = [above].into_iter().chain(ROOTS.map(|root| folder.join(root).with_extension("rs")));
    let declaration = format!("mod {name};");
    let names_it = |parent: PathBuf| {
        let text = std::fs::read_to_string(parent).unwrap_or_default();
        text.lines().any(|line| {
            line.trim_start_matches("pub").trim_start_matches("(crate)").trim_start_matches("(super)").trim()
                == declaration
        })
    };
    let is_root = ROOTS.contains(&name) || folder.ends_with("examples");
    is_root || parents.into_iter().any(names_it)
}

fn every_room_takes_the_lints_of_the_workspace() {
    let rooms = std::fs::read_dir(path("src")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    for room in rooms {
        let manifest = room.join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
        let name = format!("name = \"kgents-{}\"", room.file_name().unwrap().to_str().unwrap());
        for needed in [name.as_str(), "[lib]\npath = \"lib.rs\"", "[lints]\nworkspace = true"] {
            assert!(text.contains(needed), "{} lacks {needed:?}", manifest.display());
        }
    }
}
