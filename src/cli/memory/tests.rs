use super::*;

fn kept(focus: &str) -> Kept {
    serde_json::from_value(serde_json::json!({ "version": 1, "focus": focus })).unwrap()
}

fn memory(names: &[&str], focus: &str) -> Memory {
    names.iter().map(|name| ((*name).to_owned(), kept(focus))).collect()
}

#[test]
fn what_is_written_is_read_beside_what_others_wrote() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/kgents/window.json");
    assert_eq!(read(&path), (Memory::new(), None));
    write(&path, &memory(&["blue", "red"], "agents")).unwrap();
    write(&path, &memory(&["red", "fixture/busy"], "chat")).unwrap();
    let (found, odd) = read(&path);
    assert_eq!((found.len(), odd), (3, None));
    assert_eq!((&found["blue"], &found["red"]), (&kept("agents"), &kept("chat")));
    let left: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left: {left:?}");
}

#[test]
fn the_oldest_contexts_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("window.json");
    for number in 0..70 {
        write(&path, &memory(&[&format!("c{number}")], "agents")).unwrap();
    }
    let (found, _) = read(&path);
    assert_eq!(found.len(), MOST);
    assert!(!found.contains_key("c5") && found.contains_key("c6") && found.contains_key("c69"));
}

#[test]
fn a_torn_or_foreign_file_is_told_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("window.json");
    for (text, problem) in [
        ("{\"version\":1,\"contexts\":[{\"con", "EOF while parsing"),
        ("\u{0}\u{1}", "expected value"),
        ("{\"version\":9,\"contexts\":[]}", "it is of version 9"),
        ("[]", "invalid"),
    ] {
        std::fs::write(&path, text).unwrap();
        let (found, odd) = read(&path);
        let odd = odd.unwrap();
        assert!(found.is_empty() && odd.contains(problem) && odd.contains("window.json"), "{odd}");
    }
    let some = r#"{"version":1,"contexts":[5,{"context":"a","version":1,"focus":"cellar"},
        {"context":"b","version":1,"focus":"chat","new":{}}]}"#;
    std::fs::write(&path, some).unwrap();
    let (found, odd) = read(&path);
    assert_eq!((found, odd.unwrap().contains("2 entries cannot be read")), (memory(&["b"], "chat"), true));
    std::fs::write(&path, "torn").unwrap();
    write(&path, &memory(&["blue"], "agents")).unwrap();
    assert_eq!(read(&path), (memory(&["blue"], "agents"), None));
    std::fs::write(&path, "x".repeat(5 << 20)).unwrap();
    assert!(read(&path).1.unwrap().contains("too large"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(read(&path).1.unwrap().contains("no plain file") && write(&path, &memory(&["b"], "chat")).is_err());
}
