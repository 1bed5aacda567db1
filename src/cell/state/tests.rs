use super::*;

fn folder() -> (tempfile::TempDir, Folder) {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::at(temp.path());
    (temp, folder)
}

#[test]
fn what_was_put_is_got_listed_and_deleted() {
    let (_temp, folder) = folder();
    let large = vec![7; LARGEST];
    for (key, value) in [("a", &b""[..]), ("b.1_x-y", b"two\nlines"), ("large", &large)] {
        assert_eq!(folder.put(key, value).unwrap(), Put::New, "{key}");
        assert_eq!(folder.get(key).unwrap(), value, "{key}");
    }
    assert_eq!(folder.put("a", b"again").unwrap(), Put::Replaced);
    assert_eq!(folder.get("a").unwrap(), b"again");
    assert_eq!(folder.keys().unwrap(), ["a", "b.1_x-y", "large"]);
    folder.delete("a").unwrap();
    assert!(matches!(folder.get("a"), Err(StateError::Missing { .. })));
    assert!(matches!(folder.delete("a"), Err(StateError::Missing { .. })));
    assert_eq!(folder.keys().unwrap(), ["b.1_x-y", "large"]);
}

#[test]
fn no_key_leaves_the_folder() {
    let (_temp, folder) = folder();
    let long = "x".repeat(LONGEST_KEY + 1);
    for key in ["", ".", "..", ".hidden", "../x", "a/b", "A", "ä", "a b", "a\0", &long] {
        assert!(matches!(folder.put(key, b"x"), Err(StateError::BadKey { .. })), "{key:?}");
        assert!(matches!(folder.get(key), Err(StateError::BadKey { .. })), "{key:?}");
        assert!(matches!(folder.delete(key), Err(StateError::BadKey { .. })), "{key:?}");
    }
    assert!(folder.put(&"x".repeat(LONGEST_KEY), b"").is_ok());
}

#[test]
fn a_value_that_is_too_large_changes_nothing() {
    let (_temp, folder) = folder();
    folder.put("a", b"old").unwrap();
    let error = folder.put("a", &vec![0; LARGEST + 1]).unwrap_err();
    assert!(error.to_string().contains("1048576 bytes"), "{error}");
    assert_eq!(folder.get("a").unwrap(), b"old");
}

#[test]
fn a_torn_file_says_what_is_wrong_and_can_be_put_right() {
    let (temp, folder) = folder();
    let path = temp.path().join("a");
    folder.put("a", b"0123456789").unwrap();
    let whole = fs::read(&path).unwrap();
    let (mut flipped, mut long) = (whole.clone(), whole.clone());
    *flipped.last_mut().unwrap() ^= 1;
    long.push(b'x');
    for (bytes, expected) in [
        (&whole[..0], "only 0 bytes"),
        (&whole[..20], "only 20 bytes"),
        (&whole[..whole.len() - 4], "6 of its 10 bytes"),
        (&long, "11 of its 10 bytes"),
        (&flipped, "SHA-256"),
        (&b"hello\nworld"[..], "does not begin with 'kgents-state 1'"),
        (&[b'\n'; 200][..], "does not begin"),
        (&vec![0; LARGEST + 200], "more than were ever written"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = folder.get("a").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.hint(), Some("PUT the value again, or DELETE the key"));
    }
    assert_eq!(folder.keys().unwrap(), ["a"], "it is there, torn as it is");
    folder.put("a", b"new").unwrap();
    assert_eq!(folder.get("a").unwrap(), b"new");
}

#[test]
fn unfinished_files_are_no_keys_and_go_when_they_are_old() {
    let (temp, folder) = folder();
    for name in ["old", "new"] {
        fs::write(temp.path().join(format!("{UNFINISHED}{name}")), "half").unwrap();
    }
    let old = File::options().write(true).open(temp.path().join(format!("{UNFINISHED}old"))).unwrap();
    let written = old.metadata().unwrap().modified().unwrap();
    old.set_modified(written - ABANDONED * 2).unwrap();
    fs::create_dir(temp.path().join("lost")).unwrap();
    assert_eq!(folder.keys().unwrap(), [""; 0]);
    folder.tidy();
    let left: Vec<_> = fs::read_dir(temp.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    folder.check().unwrap();
}

#[test]
fn a_folder_that_is_not_there_is_said() {
    let (temp, _) = folder();
    let folder = Folder::at(&temp.path().join("none"));
    folder.tidy();
    let errors = [folder.check().unwrap_err(), folder.keys().unwrap_err(), folder.put("a", b"").unwrap_err()];
    for error in errors {
        assert!(error.to_string().contains("/none"), "{error}");
        assert!(error.hint().unwrap().contains("KGENTS_STATE_PATH"));
    }
    assert!(matches!(folder.get("a"), Err(StateError::Missing { .. })));
}

/// `/dev/full` answers every write as a full disk does.
#[test]
fn a_full_disk_is_told_apart() {
    let (_temp, folder) = folder();
    let error = File::options().write(true).open("/dev/full").unwrap().write_all(b"x").unwrap_err();
    let error = folder.refused("written", &folder.path, error);
    assert!(matches!(error, StateError::Full { .. }), "{error}");
    assert!(error.to_string().contains("untouched"), "{error}");
}
