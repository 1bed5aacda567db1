//! The recorded worlds: they are as they are made, and they can be played.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::case::{Case, cases};
use crate::support::path;
use crate::support::user::User;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        they_are_as_committed,
        each_begins_as_what_it_is,
        each_is_played_to_its_end,
        the_window_plays_one,
        lines_of_text_tell_one,
        what_is_no_fixture_is_wrong_usage,
    ]
}

/// The worlds, and what the first frame of each has to say.
const WORLDS: [(&str, &[&str]); 6] = [
    ("busy", &["omega-gent", "14 · by attention", "REVIEW_REQUEST", "need you"]),
    ("empty", &["Nothing grows here yet."]),
    ("stale", &["OLD", "b-gent", "Nothing is in the air."]),
    (
        "corrupt",
        &[
            "agents/{b-gent,d-gent,l-gent,n-gent,o-gent,t-gent}.json",
            "proposals/{rejected,merged}.json",
            "1 unreadable",
        ],
    ),
    ("wide-unicode", &["hanzi", "預算不", "3 unreadable"]),
    ("huge", &["500 · by attention", "five hundred of us"]),
];

/// Where a world lies.
fn world(name: &str) -> String {
    path("ghost-fixtures").join(name).to_str().unwrap().to_owned()
}

fn they_are_as_committed() {
    let user = User::new();
    let committed = path("ghost-fixtures");
    if std::env::var_os("KGENTS_BLESS").is_some() {
        user.kgents(&["dev", "fixtures", committed.to_str().unwrap()]).ok();
    }
    let made = tempfile::tempdir().unwrap();
    user.kgents(&["dev", "fixtures", made.path().to_str().unwrap()]).ok();
    let (made, committed) = (files(made.path()), files(&committed));
    let other: Vec<_> =
        made.keys().chain(committed.keys()).filter(|file| made.get(*file) != committed.get(*file)).collect();
    assert!(
        other.is_empty(),
        "they differ: if that is meant, run KGENTS_BLESS=1 cargo test --test it -- they_are_as_committed\n{other:?}"
    );
    let bytes = |name: &str| -> usize {
        made.iter().filter(|(file, _)| file.starts_with(name)).map(|(_, bytes)| bytes.len()).sum()
    };
    assert!(bytes("huge") < 6_000_000, "a repository is no place for {} bytes", bytes("huge"));
    for (file, bytes) in &made {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("\"pid\"") && !file.ends_with("lock"), "{} says who wrote it", file.display());
    }
}

/// Every file below a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn each_begins_as_what_it_is() {
    let user = User::new();
    for (name, words) in WORLDS {
        for speed in ["0", "1000"] {
            let ran = user.kgents(&[
                "observe",
                "--fixture",
                &world(name),
                "--speed",
                speed,
                "--snapshot",
                "--size",
                "160x45",
            ]);
            let frame = ran.ok();
            let header = frame.lines().next().unwrap_or_default();
            assert!(header.contains("FIXTURE"), "{name}:\n{frame}");
            assert_eq!(header.contains(" OLD"), name == "stale", "only what is old says so\n{frame}");
            assert!(!frame.contains('\u{1b}'), "{name}:\n{frame}");
            // What a world says when it begins may have scrolled away.
            for word in words.iter().filter(|_| speed == "0") {
                assert!(frame.contains(word), "{word:?} is not in {name}:\n{frame}");
            }
        }
    }
    let frame = user.kgents(&["observe", "--fixture", &world("busy"), "--snapshot", "-n", "kgents-ephemeral"]).ok();
    assert!(frame.contains("forge-3") && !frame.contains("omega-gent"), "{frame}");
    let before = files(&path("ghost-fixtures"));
    assert!(before.keys().all(|file| !file.ends_with("lock")), "nobody keeps a fixture");
}

fn each_is_played_to_its_end() {
    let user = User::new();
    for (name, _) in WORLDS {
        let stream = user.follow(&["observe", "--fixture", &world(name), "--speed", "1000", "--json"]);
        let source =
            stream.expect_value("word of the source", |line| line["layer"] == "fixture" && line["kind"] == "Source");
        assert_eq!(source["scene"]["context"], format!("fixture/{name}"), "{source}");
        let notes = source["layers"][0]["notes"].to_string();
        assert_eq!(notes.contains("agents/n-gent.json: a folder, not a file"), name == "corrupt", "{notes}");
        let phases = |lines: Vec<Value>| {
            let phase = |line: &Value| Some(line["object"].get("status")?["phase"].as_str()?.to_owned());
            lines.iter().filter(|line| line["kind"] == "Agent").filter_map(phase).collect::<Vec<_>>()
        };
        if let Some(last) = last_put(name) {
            let (uid, version) = (&last["metadata"]["uid"], &last["metadata"]["resourceVersion"]);
            stream.expect_value(&format!("the last change of {name}"), |line| {
                let meta = &line["object"]["metadata"];
                // Of what Kubernetes calls its own only facts are told.
                &meta["uid"] == uid && &meta["resourceVersion"] == version
                    || last["kind"] == "Pod" && line["kind"] == "Pod"
            });
        }
        let values = stream.values();
        assert!(
            values.iter().all(|line| line.get("layer").is_none_or(|layer| layer == "fixture")),
            "{}",
            stream.so_far()
        );
        if name == "wide-unicode" {
            let phases = phases(values);
            for phase in ["Pending", "Running", "Degraded", "Failed", "Terminating"] {
                assert!(phases.iter().any(|found| found == phase), "no agent is {phase}: {phases:?}");
            }
        }
        let ended = stream.end();
        assert!(ended.code == Some(0) && ended.stderr.is_empty(), "{ended}");
    }
}

/// The object of the last line of a world's timeline that puts one.
fn last_put(name: &str) -> Option<Value> {
    let text = fs::read_to_string(Path::new(&world(name)).join("_meta/timeline.jsonl")).ok()?;
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.rev().find(|line| line["change"]["type"] == "put").map(|mut line| line["change"]["object"].take())
}

fn the_window_plays_one() {
    let user = User::new();
    let mut window = user.window((160, 45), &["observe", "--fixture", &world("busy"), "--speed", "20"]);
    for words in ["FIXTURE", "fixture/busy", "q-gent"] {
        window.expect(words);
    }
    // Five minutes at twenty times the speed: this is how they end.
    window.expect("3 open · 11 in all");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn lines_of_text_tell_one() {
    let user = User::new();
    let stream = user.follow(&["observe", "--fixture", &world("corrupt"), "--plain"]);
    stream.expect_words(&["Source looking at fixture/corrupt"]);
    stream.expect_words(&["Source fixture agents/b-gent.json: torn"]);
    eventually(SOON, "all of it", || {
        let lines = stream.lines();
        let named = |word: &str| lines.iter().filter(|line| line.contains(word)).count();
        if named("proposals/merged.json: written by a newer kgents") == 1 { Ok(()) } else { Err(stream.so_far()) }
    });
    stream.end().ok();
}

fn what_is_no_fixture_is_wrong_usage() {
    let user = User::new();
    let all = path("ghost-fixtures");
    let said = user.kgents(&["observe", "--plain", "--fixture", all.to_str().unwrap()]).fails(2);
    assert!(said.contains("it has no _meta/sync.json; try ") && said.contains("ghost-fixtures/busy"), "{said}");
    let said = user.kgents(&["observe", "--snapshot", "--fixture", "/nowhere"]).fails(2);
    assert!(said.contains("there is no folder /nowhere"), "{said}");
    let said = user.kgents(&["observe", "--speed", "2"]).fails(2);
    assert!(said.contains("--fixture"), "{said}");
    let said = user.kgents(&["observe", "--fixture", &world("busy"), "--speed=-1"]).fails(2);
    assert!(said.contains("0 or more"), "{said}");
    for line in [&["status", "--fixture", "x"][..], &["agents", "--fixture", "x"]] {
        user.kgents(line).fails(2);
    }
    assert!(!user.kgents(&["--help"]).ok().contains("  dev "), "it is of no use to anybody else");
}
