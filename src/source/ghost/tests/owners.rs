//! Whose tree it is, and who writes it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use kgents_store::Kind;
use serde_json::json;
use tempfile::tempdir;

use super::super::lock::{self, Lock};
use super::super::snapshot::Snapshot;
use super::super::testing::{agent, at, garden, json_of, terrarium};
use super::super::write::Writer;
use super::super::{Ghost, GhostError, folder, write_once};
use kgents_core::freshness::Area;

#[test]
fn the_folder_is_where_the_environment_says() {
    let of = |set: &'static [(&str, &str)]| {
        folder(move |name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    };
    assert_eq!(of(&[("KGENTS_GHOST_DIR", "/g"), ("HOME", "/h")]), Some(PathBuf::from("/g")));
    assert_eq!(of(&[("KGENTS_GHOST_DIR", ""), ("HOME", "/h")]), Some(PathBuf::from("/h/.kgents/ghost")));
    assert_eq!(of(&[]), None);
}

#[test]
fn the_first_context_has_the_root_tree_and_others_theirs() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    assert_eq!(Ghost::any(path), None);
    assert_eq!(Ghost::of(path, "anything").path(), path);
    write_once(path, &terrarium("garden", garden()), at(0)).unwrap();
    let arn = "arn:aws:eks:eu:1:cluster/x";
    let other = write_once(path, &terrarium(arn, vec![agent("only", 1)]), at(0)).unwrap();
    assert_eq!(other.path, path.join("contexts/arn%3Aaws%3Aeks%3Aeu%3A1%3Acluster%2Fx"));
    assert_eq!(json_of(&other.path.join("_meta/sync.json"))["context"], arn);
    let read = |ghost: Ghost| ghost.read_at(None, at(1)).0;
    let agents = |context: &str| read(Ghost::of(path, context)).kinds[&Kind::Agent].objects.len();
    assert_eq!((agents("garden"), agents(arn)), (4, 1));
    assert!(read(Ghost::of(path, "third")).kinds.is_empty(), "one context's Ghost is never shown as another's");
    let any = Ghost::any(path).unwrap();
    assert_eq!((any.path(), any.context()), (path, Some("garden")));
    assert_eq!(Ghost::at(&other.path).context(), Some(arn));
    assert_eq!(read(Ghost::at(&other.path)).kinds[&Kind::Agent].objects.len(), 1);
    // Whose the root tree is can still be told without the file that says it.
    fs::remove_file(path.join("_meta/sync.json")).unwrap();
    assert_eq!(Ghost::of(path, "garden").path(), path);
    assert_ne!(Ghost::of(path, "third").path(), path);
}

#[test]
fn files_of_another_context_are_not_shown() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    write_once(path, &terrarium("garden", vec![agent("a", 1), agent("b", 1)]), at(0)).unwrap();
    let other = write_once(path, &terrarium("other", vec![agent("b", 9)]), at(0)).unwrap().path;
    fs::copy(other.join("agents/b.json"), path.join("agents/b.json")).unwrap();
    fs::copy(other.join("proposals/pending.json"), path.join("proposals/pending.json")).unwrap();
    let memory = Ghost::of(path, "garden").read_at(None, at(1)).0;
    let said: Vec<_> = memory.problems.iter().map(ToString::to_string).collect();
    let expected = [
        "agents/b.json: it is about another context, other",
        "proposals/pending.json: it is about another context, other",
    ];
    assert_eq!(said, expected);
    assert_eq!(memory.kinds[&Kind::Agent].objects.len(), 1);
    // A folder below contexts that is somebody else's is not written.
    let wrong = path.join("contexts/third");
    fs::create_dir_all(wrong.join("_meta")).unwrap();
    fs::copy(other.join("_meta/sync.json"), wrong.join("_meta/sync.json")).unwrap();
    let error = write_once(path, &terrarium("third", vec![]), at(0)).unwrap_err();
    assert!(error.to_string().ends_with("is the tree of another context, other: it is left as it is"), "{error}");
}

fn all(path: &Path, writer: &mut Writer, name: &str) -> Result<(), GhostError> {
    let snapshot = Snapshot::take(&terrarium("garden", vec![agent(name, 1)]), Area::ALL, |_| true, at(0));
    let written = writer.write(&snapshot)?;
    assert_eq!(written.path, path);
    Ok(())
}

#[test]
fn one_writes_and_the_other_takes_over_when_the_first_is_gone() {
    let folder = tempdir().unwrap();
    let path = folder.path();
    let (mut first, mut second) = (Writer::new(path), Writer::new(path));
    all(path, &mut first, "first").unwrap();
    let error = all(path, &mut second, "second").unwrap_err();
    let expected = format!("another process writes {}: pid {}", path.display(), std::process::id());
    assert_eq!(error.to_string(), expected);
    assert_eq!(Ghost::of(path, "garden").status(at(0)).holder, Some(std::process::id()));
    // What a writer that was killed left behind is swept by the next.
    fs::write(path.join("agents/.tmp-kgents-x"), "half").unwrap();
    drop(first);
    assert_eq!(lock::holder(path), None);
    all(path, &mut second, "second").unwrap();
    assert!(path.join("agents/second.json").exists() && !path.join("agents/first.json").exists());
    assert!(!path.join("agents/.tmp-kgents-x").exists());
}

#[test]
fn a_tree_that_was_removed_is_made_anew_and_its_lock_with_it() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ghost");
    let mut writer = Writer::new(&path);
    all(&path, &mut writer, "a").unwrap();
    fs::remove_dir_all(&path).unwrap();
    let mut other = Writer::new(&path);
    all(&path, &mut other, "b").unwrap();
    assert!(matches!(all(&path, &mut writer, "a"), Err(GhostError::Held { .. })), "the lock is another file now");
    drop(other);
    all(&path, &mut writer, "a").unwrap();
    assert_eq!(Ghost::of(&path, "garden").read_at(None, at(0)).0.problems, []);
}

#[test]
fn a_tree_of_a_newer_kgents_is_left_alone() {
    let folder = tempdir().unwrap();
    write_once(folder.path(), &terrarium("garden", garden()), at(0)).unwrap();
    let sync = folder.path().join("_meta/sync.json");
    let mut json = json_of(&sync);
    json["schema"] = json!(99);
    fs::write(&sync, json.to_string()).unwrap();
    let error = write_once(folder.path(), &terrarium("garden", vec![]), at(1)).unwrap_err();
    assert!(error.to_string().ends_with("was written by a newer kgents (schema 99): it is left as it is"), "{error}");
    assert!(Lock::take(folder.path()).is_ok(), "and nobody holds it");
}
