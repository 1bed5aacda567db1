use jiff::Timestamp;

use super::book::{BURST, Book, EVERY, MOST, REFILL, Verdict, WINDOW};
use super::scribe::{cut, event};
use super::*;

const S: Duration = Duration::from_secs(1);

fn said(uid: &str, message: &str) -> Said {
    let about = About {
        api_version: "kgents.io/v1".to_owned(),
        kind: "Agent".to_owned(),
        namespace: "kgents-agents".to_owned(),
        name: "b-gent".to_owned(),
        uid: uid.to_owned(),
    };
    Said {
        about,
        event: plan::Event { warning: true, reason: "Restored", action: "Restore", message: message.to_owned() },
    }
}

fn at(now: Duration) -> Timestamp {
    let noon: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    noon + now
}

fn made(verdict: Verdict) -> String {
    match verdict {
        Verdict::Create { name, .. } => name,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_said_again_becomes_a_series() {
    let mut book = Book::default();
    let name = made(book.say(&said("u", "a"), S, at(S)));
    assert!(name.starts_with("b-gent."), "{name}");
    assert_eq!(book.next(), None);
    for second in 2..8 {
        assert_eq!(book.say(&said("u", "a"), second * S, at(second * S)), Verdict::Counted);
    }
    // At most one write in ten seconds, and with the newest count and time.
    assert_eq!(book.next(), Some(S + EVERY));
    assert_eq!(book.due(10 * S, false), []);
    let patches = book.due(S + EVERY, false);
    assert_eq!(patches.len(), 1);
    assert_eq!((patches[0].name.as_str(), patches[0].count, patches[0].last), (name.as_str(), 7, at(7 * S)));
    assert_eq!((book.next(), book.due(60 * S, false)), (None, Vec::new()));
    // Another sentence, another object, or a long silence: another Event.
    made(book.say(&said("u", "b"), 61 * S, at(61 * S)));
    made(book.say(&said("v", "a"), 61 * S, at(61 * S)));
    assert_ne!(made(book.say(&said("u", "a"), 7 * S + WINDOW, at(7 * S + WINDOW))), name);
}

#[test]
fn at_the_end_nothing_waits() {
    let mut book = Book::default();
    made(book.say(&said("u", "a"), S, at(S)));
    book.say(&said("u", "a"), S, at(S));
    assert_eq!(book.due(S, true).len(), 1);
    assert_eq!(book.due(S, true), []);
}

#[test]
fn each_object_has_a_bucket() {
    let mut book = Book::default();
    let burst = BURST as u32;
    for number in 0..burst {
        made(book.say(&said("u", &number.to_string()), S, at(S)));
    }
    assert_eq!(book.say(&said("u", "more"), S, at(S)), Verdict::TooMany);
    made(book.say(&said("v", "other"), S, at(S)));
    // A series of an object without tokens waits for one.
    assert_eq!(book.say(&said("u", "0"), 2 * S, at(2 * S)), Verdict::Counted);
    assert_eq!(book.due(60 * S, false), []);
    assert_eq!(book.next(), Some(S + REFILL));
    assert_eq!(book.due(S + REFILL, false).len(), 1);
    assert_eq!(book.say(&said("u", "more"), S + REFILL, at(S)), Verdict::TooMany);
}

#[test]
fn an_event_that_could_not_be_made_is_made_the_next_time() {
    let mut book = Book::default();
    let Verdict::Create { key, .. } = book.say(&said("u", "a"), S, at(S)) else { panic!() };
    book.drop(&key);
    made(book.say(&said("u", "a"), 2 * S, at(2 * S)));
}

#[test]
fn a_storm_fills_no_memory() {
    let mut book = Book::default();
    for number in 0..3 * MOST {
        book.say(&said(&number.to_string(), "a"), S, at(S));
        book.say(&said("one", &number.to_string()), S, at(S));
    }
    let (series, buckets) = book.sizes();
    assert!(series <= MOST && buckets <= MOST, "{series} {buckets}");
}

#[test]
fn what_is_too_long_is_cut_between_two_characters() {
    assert_eq!(cut("日本語", 7), "日本");
    assert_eq!(cut("abc", 3), "abc");
    let long = "日".repeat(400);
    let event = event(&said("u", &long), "b-gent.1".to_owned(), "host", at(S));
    assert_eq!(event.note.as_ref().map(String::len), Some(1023));
    let json = serde_json::to_value(&event).unwrap();
    assert_eq!(json["eventTime"], "2026-01-01T12:00:01.000000Z");
    assert_eq!((json["type"].as_str(), json["action"].as_str()), (Some("Warning"), Some("Restore")));
    assert_eq!(json["regarding"]["uid"], "u");
    assert_eq!(json["reportingController"], "kgents-operator");
    let mut nowhere = said("u", "a");
    nowhere.about.namespace.clear();
    let json = serde_json::to_value(super::scribe::event(&nowhere, "x".to_owned(), "host", at(S))).unwrap();
    assert_eq!((json["metadata"]["namespace"].as_str(), json["regarding"].get("namespace")), (Some("default"), None));
}
