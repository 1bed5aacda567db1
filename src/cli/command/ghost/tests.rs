use kgents_source::ghost::write_once;

use super::*;
use crate::testing::{noon, text, world};

#[test]
fn sizes_are_short() {
    for (bytes, text) in [(0, "0 B"), (999, "999 B"), (1_234, "1.2 kB"), (41_999, "41 kB"), (12_345_678, "12.3 MB")] {
        assert_eq!(page::size(bytes), text);
    }
}

#[test]
fn an_interval_is_no_shorter_than_a_second() {
    assert_eq!(interval("1s"), Ok(Duration::from_secs(1)));
    assert!(interval("999ms").unwrap_err().contains("once a second"));
    assert!(interval("5").unwrap_err().contains("unit"));
}

#[test]
fn the_page_says_each_area_and_each_bad_file() {
    let folder = tempfile::tempdir().unwrap();
    write_once(folder.path(), &world(), noon()).unwrap();
    std::fs::write(folder.path().join("agents/b-gent.json"), "{\"schema\": 1,").unwrap();
    let now = noon() + jiff::SignedDuration::from_mins(3);
    let status = Ghost::at(folder.path()).status(now);
    let mut out = Vec::new();
    page::write(&mut out, &status, now).unwrap();
    let page = text(out);
    for words in ["Context     test", "Last sync   3m ago", "Writer      nobody", "agents/b-gent.json: torn"] {
        assert!(page.contains(words), "{words:?} is not in\n{page}");
    }
    let agents: Vec<&str> = page.lines().find(|line| line.starts_with("agents")).unwrap().split_whitespace().collect();
    assert_eq!(agents[..4], ["agents", "3", "3m", "STALE"], "{page}");
    assert!(agents.ends_with(&["kube"]), "{page}");
    assert!(page.contains("proposals    1         3m    FRESH"), "{page}");
}
