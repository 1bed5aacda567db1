use std::fs;

use tempfile::tempdir;

use super::super::testing::{agent, at, garden, take, terrarium};
use super::super::write_once;
use super::*;

const LONG: Duration = Duration::from_secs(20);
/// Long enough for a word that should not come.
const QUIET: Duration = Duration::from_millis(700);

async fn told(words: &mut mpsc::Receiver<()>) -> bool {
    tokio::time::timeout(LONG, words.recv()).await.is_ok_and(|word| word.is_some())
}

async fn quiet(words: &mut mpsc::Receiver<()>) -> bool {
    tokio::time::timeout(QUIET, words.recv()).await.is_err()
}

#[tokio::test]
async fn a_write_is_told_once_and_reading_is_none() {
    let folder = tempdir().unwrap();
    let mut terrarium = terrarium("garden", garden());
    write_once(folder.path(), &terrarium, at(0)).unwrap();
    let ghost = Ghost::of(folder.path(), "garden");
    let (tell, mut words) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let task = tokio::spawn({
        let (ghost, cancel) = (ghost.clone(), cancel.clone());
        async move { changes(&ghost, tell, cancel).await }
    });
    assert!(quiet(&mut words).await);
    take(&mut terrarium, vec![agent("new", 1)]);
    write_once(folder.path(), &terrarium, at(1)).unwrap();
    assert!(told(&mut words).await);
    assert_eq!(ghost.read(None).kinds.len(), 7);
    assert!(quiet(&mut words).await, "our own reading and the lock are no change");
    // A file that somebody edits in its place.
    fs::write(folder.path().join("agents/new.json"), "spoiled").unwrap();
    assert!(told(&mut words).await);
    // A tree that is removed and made anew.
    fs::remove_dir_all(folder.path().join("agents")).unwrap();
    assert!(told(&mut words).await);
    while !quiet(&mut words).await {}
    write_once(folder.path(), &terrarium, at(2)).unwrap();
    assert!(told(&mut words).await);
    while !quiet(&mut words).await {}
    fs::write(folder.path().join("agents/new.json"), "spoiled again").unwrap();
    assert!(told(&mut words).await, "the folder that was made anew is watched too");
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_tree_that_is_not_there_yet_is_found_by_looking() {
    let folder = tempdir().unwrap();
    let place = folder.path().join("a/b");
    let (tell, mut words) = mpsc::channel(1);
    let task = tokio::spawn({
        let place = place.clone();
        async move { follow(&place, &tell, Duration::from_millis(20)).await }
    });
    assert!(quiet(&mut words).await);
    write_once(&place, &terrarium("garden", garden()), at(0)).unwrap();
    assert!(told(&mut words).await);
    task.abort();
}

#[test]
fn where_nobody_tells_the_heads_are_looked_at() {
    let folder = tempdir().unwrap();
    let mut terrarium = terrarium("garden", garden());
    write_once(folder.path(), &terrarium, at(0)).unwrap();
    let before = look(folder.path());
    assert_eq!(before, look(folder.path()));
    take(&mut terrarium, vec![agent("b-gent", 50)]);
    write_once(folder.path(), &terrarium, at(1)).unwrap();
    assert_ne!(before, look(folder.path()));
}
