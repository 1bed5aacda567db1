use super::*;

#[test]
fn only_a_tree_of_the_same_name_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("busy");
    assert!(clear(&folder, "fixture/busy").is_ok());
    fs::create_dir(&folder).unwrap();
    assert!(clear(&folder, "fixture/busy").is_ok());
    let notes = folder.join("notes.txt");
    fs::write(&notes, "mine").unwrap();
    assert!(clear(&folder, "fixture/busy").is_err());
    let world = kgents_dev::world("busy").unwrap();
    write_recording(&folder, &terrarium(&world), world.now, "", true).unwrap();
    assert!(clear(&folder, "fixture/other").is_err() && notes.exists());
    assert!(clear(&folder, "fixture/busy").is_ok() && !folder.exists());
}
