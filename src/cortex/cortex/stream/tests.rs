//! A reader moved by hand, so that what happens between two steps is known.

use std::collections::BTreeMap;
use std::pin::Pin;

use futures::StreamExt;
use kgents_store::Change;
use kgents_store::bus::Batch;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::log;
use crate::outside::support::{agent, at, gone, initial, object};
use crate::state::Limits;

type Events = Pin<Box<dyn Stream<Item = Result<wire::WatchEvent, Status>> + Send>>;

fn shared() -> Arc<Shared> {
    Arc::new(Shared::new("test", Limits::default(), CancellationToken::new()))
}

fn opened(shared: &Arc<Shared>, since: Option<u64>) -> Events {
    let wants = Wants::of(&wire::WatchRequest::default()).unwrap();
    Box::pin(open(shared.clone(), wants, since, shared.place().unwrap()))
}

fn take(shared: &Shared, changes: Vec<Change>) {
    shared.take(Batch { changes, ..Batch::default() }, at(100_000));
}

fn say(shared: &Shared, numbers: std::ops::Range<i64>) {
    let about = json!({ "kind": "Agent", "namespace": "n", "name": "a" });
    let event = |i: i64| {
        let rest = json!({ "involvedObject": about, "message": i.to_string(), "lastTimestamp": at(i).to_string() });
        match object(Kind::Event, &Key::new("n", "e"), 1, &rest).now.unwrap().object {
            kgents_store::Object::Event(event) => event,
            other => panic!("{other:?}"),
        }
    };
    shared.take(Batch { events: numbers.map(event).collect(), ..Batch::default() }, at(100_000));
}

fn many(numbers: std::ops::Range<usize>, version: u32) -> Vec<Change> {
    numbers.map(|i| initial(agent(&format!("a{i:05}"), version, "Running"))).collect()
}

#[derive(Default)]
struct Known {
    revision: u64,
    /// Versions by name.
    objects: BTreeMap<String, String>,
    thoughts: Vec<u64>,
    /// What came, a letter each.
    order: String,
}

impl Known {
    async fn read(&mut self, events: &mut Events, count: usize) {
        for _ in 0..count {
            let event = events.next().await.unwrap().unwrap();
            assert!(event.revision >= self.revision);
            self.revision = event.revision;
            self.order.push(match event.event.unwrap() {
                Told::Begin(begin) => {
                    if begin.snapshot {
                        self.objects.clear();
                    }
                    if begin.fell_behind { 'F' } else { 'B' }
                }
                Told::Put(put) => {
                    self.objects.insert(put.name, put.resource_version);
                    'p'
                }
                Told::Gone(gone) => {
                    self.objects.remove(&gone.name);
                    'g'
                }
                Told::Thought(thought) => {
                    self.thoughts.push(thought.seq);
                    't'
                }
                Told::Synced(_) => 'S',
                Told::Heard(_) => 'H',
            });
        }
    }

    async fn heard(&mut self, events: &mut Events) {
        while !self.order.ends_with('H') {
            self.read(events, 1).await;
        }
    }

    fn is_as(&self, shared: &Shared) -> bool {
        let state = shared.state();
        let there = state.objects_after(Kind::Agent, None);
        let there = there.map(|(key, held)| (key.name().to_owned(), held.resource_version.clone()));
        self.objects == there.collect() && self.revision == state.log().revision()
    }
}

#[tokio::test]
async fn what_changes_under_a_snapshot_follows_it() {
    let shared = shared();
    take(&shared, many(0..300, 1));
    let mut known = Known::default();
    let mut events = opened(&shared, None);
    known.read(&mut events, 100).await;
    // One that was told, one that was not, a new one in what was told, and
    // one that is told twice.
    take(&shared, vec![gone(Kind::Agent, "a00000"), gone(Kind::Agent, "a00290"), many(250..251, 2).remove(0)]);
    take(&shared, vec![initial(agent("a00001-new", 1, "Running"))]);
    known.heard(&mut events).await;
    assert_eq!(known.order, format!("B{}SH", "p".repeat(299)), "the snapshot ends before what came later");
    known.read(&mut events, 4).await;
    assert!(known.order.ends_with("SHggpp"), "{}", known.order);
    assert!(known.is_as(&shared));
}

#[tokio::test]
async fn a_thought_that_comes_during_a_snapshot_is_told_once() {
    let shared = shared();
    say(&shared, 0..200);
    let mut known = Known::default();
    let mut events = opened(&shared, None);
    known.read(&mut events, 10).await;
    say(&shared, 200..300);
    known.read(&mut events, 300 + 3 - 10).await;
    assert_eq!(known.thoughts, (1..=300).collect::<Vec<_>>());
    assert_eq!(known.order, format!("B{}SH{}", "t".repeat(200), "t".repeat(100)));
}

#[tokio::test]
async fn an_object_that_changed_twice_is_sent_once() {
    let shared = shared();
    take(&shared, many(0..2, 1));
    let mut known = Known::default();
    let mut events = opened(&shared, None);
    known.heard(&mut events).await;
    take(&shared, many(0..1, 2));
    take(&shared, many(1..2, 2));
    take(&shared, many(0..1, 3));
    take(&shared, vec![gone(Kind::Agent, "a00001")]);
    known.read(&mut events, 2).await;
    assert_eq!(known.order, "BppSHpg");
    assert!(known.is_as(&shared));
}

#[tokio::test]
async fn who_falls_behind_while_it_catches_up_begins_again() {
    let shared = shared();
    take(&shared, many(0..200, 1));
    let mut known = Known::default();
    let mut events = opened(&shared, Some(100));
    known.read(&mut events, 20).await;
    let ahead = AHEAD + 1 - 20;
    take(&shared, many(0..log::LENGTH, 2));
    known.read(&mut events, ahead).await;
    assert_eq!(known.order, format!("B{}", "p".repeat(AHEAD)), "what was prepared comes first");
    known.heard(&mut events).await;
    assert!(known.order.contains("pFp"), "it is told");
    assert!(known.is_as(&shared));
}

#[tokio::test]
async fn the_oldest_revision_within_reach_is_enough_and_the_one_before_is_not() {
    let shared = shared();
    take(&shared, many(0..log::LENGTH + 5, 1));
    for (since, sent) in [(5, log::LENGTH), (4, log::LENGTH + 5)] {
        let mut known = Known::default();
        known.heard(&mut opened(&shared, Some(since))).await;
        assert_eq!(known.order.matches('p').count(), sent);
    }
}

#[tokio::test]
async fn a_reader_prepares_only_a_little() {
    let shared = shared();
    take(&shared, many(0..5_000, 1));
    let wants = Wants::of(&wire::WatchRequest::default()).unwrap();
    let mut reader = reader(shared.clone(), wants, None, shared.place().unwrap());
    for _ in 0..200 {
        reader.next().await.unwrap();
        assert!(reader.ready.len() <= AHEAD);
    }
}
