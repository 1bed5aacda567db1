use std::time::Duration;

use kgents_store::watch::{Link, WatchState};
use kgents_store::{Key, Kind};
use kgents_wire::cortex as wire;
use kgents_wire::cortex::watch_event::Event as Told;
use serde_json::json;
use tonic::Code;

use super::support::{Client, Daemon, agent, gone, initial, object, pod, soon, umwelt};
use crate::log;
use crate::state::Limits;

fn everything() -> wire::WatchRequest {
    wire::WatchRequest { namespace: "n".to_owned(), ..wire::WatchRequest::default() }
}

fn since(client: &Client) -> wire::WatchRequest {
    let (since_revision, instance_id) = (client.revision, client.begin.instance_id.clone());
    wire::WatchRequest { since_revision, instance_id, ..everything() }
}

fn word(event: &Told) -> &'static str {
    match event {
        Told::Begin(_) => "begin",
        Told::Put(_) => "put",
        Told::Gone(_) => "gone",
        Told::Thought(_) => "thought",
        Told::Synced(_) => "synced",
        Told::Heard(_) => "heard",
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_each_change() {
    let daemon = Daemon::start().await;
    daemon.live().await;
    daemon.tell([initial(pod("p", 1, "Running")), initial(agent("b", 1, "Running")), agent("a", 1, "Pending")]).await;

    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    let mut order = Vec::new();
    while order.last() != Some(&"heard") {
        order.push(word(&client.next().await.event.unwrap()));
    }
    assert_eq!(order, ["begin", "put", "put", "put", "thought", "synced", "heard"]);
    let begin = &client.begin;
    assert_eq!((begin.snapshot, begin.fell_behind, begin.context.as_str()), (true, false, "test"));
    assert_eq!(client.names(), ["Agent n/a", "Agent n/b", "Pod n/p"]);
    assert_eq!(client.thoughts[0].text, "appears: genus B (banker), 1 replica");
    let heard = &client.heard[0];
    let link = heard.link.as_ref().unwrap();
    assert_eq!((link.state.as_str(), link.version.as_str()), ("up", "v1.34"));
    let kind = heard.kinds.iter().find(|kind| kind.kind == "Agent").unwrap();
    assert_eq!((kind.state.as_str(), &kind.as_of), ("live", &heard.now));

    let before = client.revision;
    daemon.bus.state(agent("a", 2, "Running")).await;
    daemon.bus.state(gone(Kind::Pod, "p")).await;
    client.until(|client| client.changes == 5 && client.thoughts.len() == 2).await;
    assert_eq!(client.names(), ["Agent n/a", "Agent n/b"]);
    assert_eq!(client.objects["Agent n/a"], "2");
    assert_eq!(client.thoughts[1].text, "phase Pending → Running");
    assert_eq!(client.revision, before + 3, "two changes and a thought");
    let described = daemon.describe().await;
    assert_eq!((described.revision, described.instance_id), (client.revision, client.begin.instance_id));
}

#[tokio::test]
async fn objects_arrive_whole() {
    let daemon = Daemon::start().await;
    let change = agent("a", 7, "Running");
    let expected = change.now.clone().unwrap().object.to_json();
    daemon.tell([change, pod("p", 3, "Running")]).await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    let mut puts = Vec::new();
    while puts.len() < 2 {
        if let Some(Told::Put(put)) = client.next().await.event {
            puts.push(put);
        }
    }
    assert_eq!((puts[0].uid.as_str(), puts[0].resource_version.as_str()), ("u", "7"));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&puts[0].json).unwrap(), expected);
    assert_eq!(puts[1].uid, "", "facts have no identity");
    assert_eq!(puts[1].resource_version.len(), 16, "a hash stands for their version");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&puts[1].json).unwrap()["phase"], "Running");
}

#[tokio::test]
async fn who_resumes_is_sent_only_what_changed() {
    let daemon = Daemon::start().await;
    let many = |version| (0..50).map(move |i| initial(agent(&format!("a{i}"), version, "Running")));
    daemon.tell(many(1)).await;
    let mut first = Client::watch(&mut daemon.cortex().await, everything()).await;
    first.synced().await;
    assert_eq!(first.changes, 50);
    let request = since(&first);
    drop(first);

    daemon.tell(many(2).take(3).chain([gone(Kind::Agent, "a40")])).await;
    let mut second = Client::watch(&mut daemon.cortex().await, request).await;
    let mut order = Vec::new();
    while order.last() != Some(&"heard") {
        order.push(word(&second.next().await.event.unwrap()));
    }
    assert_eq!(order, ["begin", "put", "put", "put", "gone", "synced", "heard"]);
    assert!(!second.begin.snapshot);
    assert_eq!(second.names(), ["Agent n/a0", "Agent n/a1", "Agent n/a2"]);

    let mut third = Client::watch(&mut daemon.cortex().await, since(&second)).await;
    third.synced().await;
    assert_eq!((third.changes, third.begin.snapshot), (0, false), "nothing happened, so nothing is sent");
}

#[tokio::test]
async fn who_cannot_resume_gets_a_snapshot() {
    let daemon = Daemon::start().await;
    daemon.tell([initial(agent("a", 1, "Running"))]).await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.synced().await;
    let known = since(&client);
    let foreign = wire::WatchRequest { instance_id: "another".to_owned(), ..known.clone() };
    let future = wire::WatchRequest { since_revision: known.since_revision + 1_000, ..known.clone() };
    for request in [foreign, future] {
        let mut client = Client::watch(&mut daemon.cortex().await, request).await;
        client.synced().await;
        assert_eq!((client.changes, client.begin.snapshot, client.begin.fell_behind), (1, true, false));
    }

    daemon.tell((0..=log::LENGTH).map(|i| initial(agent(&format!("a{i}"), 1, "Running")))).await;
    let mut client = Client::watch(&mut daemon.cortex().await, known).await;
    client.synced().await;
    assert!(client.begin.snapshot, "too much has happened since");
    assert_eq!(client.objects.len(), log::LENGTH + 2);
}

#[tokio::test]
async fn who_does_not_read_is_told_so_and_ends_in_the_same_state() {
    let daemon = Daemon::start().await;
    let mut slow = Client::watch(&mut daemon.cortex().await, everything()).await;
    slow.synced().await;

    let name = |i: usize| Key::new("n", &format!("u{i}"));
    let made = (0..15_000).map(|i| initial(object(Kind::Umwelt, &name(i), 1, &umwelt())));
    let ended = (0..5_000).map(|i| gone(Kind::Umwelt, name(i).name()));
    // First all of the one, else what is made and ended would be no change.
    daemon.tell(made).await;
    daemon.tell(ended).await;

    slow.until(|slow| slow.begin.fell_behind).await;
    assert!(slow.begin.snapshot);
    assert!(slow.changes < 10_000, "{} changes were sent to one who does not read", slow.changes);
    slow.synced().await;
    let mut fresh = Client::watch(&mut daemon.cortex().await, everything()).await;
    fresh.synced().await;
    assert_eq!(fresh.objects.len(), 10_000);
    assert_eq!(slow.objects, fresh.objects);

    daemon.bus.state(gone(Kind::Umwelt, "u14999")).await;
    slow.until(|slow| slow.objects.len() == 9_999).await;
}

#[tokio::test]
async fn thoughts_arrive_once_and_in_order() {
    let daemon = Daemon::start().await;
    daemon.tell([initial(agent("a", 1, "Running"))]).await;
    let mut first = Client::watch(&mut daemon.cortex().await, everything()).await;
    first.synced().await;
    for i in 0..300 {
        daemon.event("a", i, &format!("one {i}"));
    }
    first.until(|client| client.thoughts.len() == 300).await;
    let mut second = Client::watch(&mut daemon.cortex().await, everything()).await;
    // Some are said while the snapshot is on its way.
    second.next().await;
    for i in 300..600 {
        daemon.event("a", i, &format!("one {i}"));
    }
    for mut client in [first, second] {
        client.until(|client| client.thoughts.len() == 600).await;
        let told: Vec<_> = client.thoughts.iter().map(|thought| (thought.seq, thought.text.clone())).collect();
        let expected: Vec<_> = (0..600).map(|i| (i + 1, format!("one {i}"))).collect();
        assert_eq!(told, expected);
        let thought = &client.thoughts[0];
        assert_eq!((thought.kind.as_str(), thought.name.as_str()), ("Agent", "a"));
        assert_eq!((thought.origin.as_str(), thought.severity.as_str()), ("event", "info"));
    }
}

#[tokio::test]
async fn a_snapshot_holds_the_last_thoughts_by_their_time() {
    let daemon = Daemon::start().await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.synced().await;
    for i in 0..5_010 {
        daemon.event("a", 10_000 - i, &format!("one {i}"));
    }
    client.until(|client| client.thoughts.len() == 5_010).await;
    let mut late = Client::watch(&mut daemon.cortex().await, everything()).await;
    late.synced().await;
    let told: Vec<_> = late.thoughts.iter().map(|thought| thought.seq).collect();
    assert_eq!(told, (1..=5_000).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_caller_sees_the_kinds_and_the_namespace_that_it_asked_for() {
    let daemon = Daemon::start().await;
    let elsewhere = object(Kind::Agent, &Key::new("m", "c"), 1, &json!({ "spec": { "genus": "C" } }));
    daemon.tell([agent("a", 1, "Running"), pod("p", 1, "Running"), elsewhere]).await;
    let kinds = |kinds: &[&str], namespace: &str| wire::WatchRequest {
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        namespace: namespace.to_owned(),
        ..wire::WatchRequest::default()
    };
    for (request, objects, thoughts) in [
        (kinds(&["Agent"], "n"), vec!["Agent n/a"], 0),
        (kinds(&["Thought"], "m"), vec![], 1),
        (kinds(&["Pod", "Thought"], ""), vec!["Pod n/p"], 2),
        (kinds(&[], ""), vec!["Agent m/c", "Agent n/a", "Pod n/p"], 2),
    ] {
        let mut client = Client::watch(&mut daemon.cortex().await, request).await;
        client.synced().await;
        assert_eq!((client.names(), client.thoughts.len()), (objects, thoughts));
    }
    for (word, nearest) in [("agents", "Agent"), ("Event", "Agent"), ("thoughts", "Thought")] {
        let refused = Client::try_watch(&mut daemon.cortex().await, kinds(&[word], "")).await.err().unwrap();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(&format!("no such kind: {word:?}")), "{refused}");
        assert!(word == "Event" || refused.message().contains(&format!("nearest is {nearest}")), "{refused}");
    }
}

#[tokio::test]
async fn what_only_repeats_is_no_change() {
    let daemon = Daemon::start().await;
    daemon.tell([pod("p", 1, "Running"), agent("a", 1, "Running")]).await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.synced().await;
    let before = client.changes;
    // The API server counts, but nothing that is kept of the Pod is new.
    daemon.tell([pod("p", 2, "Running"), agent("a", 1, "Running")]).await;
    daemon.tell([pod("p", 3, "Failed")]).await;
    client.until(|client| client.changes > before).await;
    let mut fresh = Client::watch(&mut daemon.cortex().await, everything()).await;
    fresh.synced().await;
    assert_eq!((client.changes, &client.objects), (before + 1, &fresh.objects));
}

#[tokio::test]
async fn a_faded_pheromone_is_a_thought_and_no_change() {
    let daemon = Daemon::start().await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.synced().await;
    let spec = json!({ "spec": { "type": "WARNING", "source": "a", "emittedAt": crate::clock::now().to_string(), "ttlSeconds": 1 } });
    daemon.bus.state(object(Kind::Pheromone, &Key::new("n", "w"), 1, &spec)).await;
    client.until(|client| client.thoughts.iter().any(|thought| thought.origin == "death")).await;
    assert_eq!((client.changes, client.names()), (1, vec!["Pheromone n/w"]));
}

#[tokio::test]
async fn how_the_cluster_is_heard_is_told_when_it_changes_and_every_so_often() {
    let limits = Limits { heard: Duration::from_millis(50), ..Limits::default() };
    let daemon = Daemon::with(limits, None).await;
    daemon.live().await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.until(|client| client.heard.len() >= 4).await;

    let since = super::support::at(0);
    daemon.watch(Kind::Pod, WatchState::Failing { since, error: "no answer".to_owned() }).await;
    daemon
        .watch(
            Kind::Agent,
            WatchState::Forbidden {
                verb: "list".to_owned(),
                resource: "agents.kgents.io".to_owned(),
                namespace: Some("n".to_owned()),
            },
        )
        .await;
    daemon.link(Link::Down { since, error: "refused".to_owned(), hint: "try later".to_owned() }).await;
    let down = |heard: &wire::Heard| heard.link.as_ref().is_some_and(|link| link.state == "down");
    client.until(|client| client.heard.last().is_some_and(down)).await;
    let heard = client.heard.last().unwrap();
    let link = heard.link.as_ref().unwrap();
    assert_eq!((link.error.as_str(), link.hint.as_str()), ("refused", "try later"));
    assert_eq!(link.since.as_ref().unwrap().seconds, since.as_second());
    let kind = |name: &str| heard.kinds.iter().find(|kind| kind.kind == name).unwrap();
    assert_eq!((kind("Pod").state.as_str(), kind("Pod").error.as_str()), ("failing", "no answer"));
    let agents = kind("Agent");
    let words = (agents.state.as_str(), agents.verb.as_str(), agents.namespace.as_str());
    assert_eq!(words, ("forbidden", "list", "n"));
    assert_eq!(kind("Agent").as_of, None, "it was never heard, and it is not said to be");
}

#[tokio::test]
async fn a_change_of_hearing_is_told_without_waiting_for_the_beat() {
    let limits = Limits { heard: Duration::from_secs(3_600), ..Limits::default() };
    let daemon = Daemon::with(limits, None).await;
    daemon.live().await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.until(|client| client.heard.len() == 1).await;
    daemon.watch(Kind::Pod, WatchState::Missing).await;
    assert!(matches!(client.next().await.event, Some(Told::Heard(_))));
}

#[tokio::test]
async fn another_cluster_begins_anew() {
    let daemon = Daemon::start().await;
    daemon.live().await;
    daemon.tell([initial(agent("a", 1, "Running"))]).await;
    let mut client = Client::watch(&mut daemon.cortex().await, everything()).await;
    client.synced().await;
    let known = since(&client);
    daemon.scene("other").await;
    client.until(|client| client.begin.context == "other").await;
    assert_eq!((client.begin.snapshot, client.begin.fell_behind), (true, false));
    let mut second = Client::watch(&mut daemon.cortex().await, known).await;
    second.synced().await;
    assert!(second.begin.snapshot, "what was known is of another cluster");
}

#[tokio::test]
async fn there_are_only_so_many_streams() {
    let daemon = Daemon::with(Limits { streams: 2, ..Limits::default() }, None).await;
    let mut client = daemon.cortex().await;
    let first = Client::watch(&mut client, everything()).await;
    let _second = Client::watch(&mut client, everything()).await;
    let refused = Client::try_watch(&mut client, everything()).await.err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    drop(first);
    // The place is free once the daemon has noticed.
    soon(async {
        while let Err(refused) = Client::try_watch(&mut client, everything()).await {
            assert_eq!(refused.code(), Code::ResourceExhausted);
            tokio::task::yield_now().await;
        }
    })
    .await;
}
