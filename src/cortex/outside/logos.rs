use futures::stream;
use kgents_store::watch::{Link, WatchState};
use kgents_store::{Key, Kind};
use kgents_wire::logos as wire;
use kgents_wire::logos::logos_client::LogosClient;
use serde_json::json;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::support::{Daemon, agent, at, initial, object, soon};
use crate::log;

async fn logos(daemon: &Daemon) -> LogosClient<Channel> {
    LogosClient::new(daemon.channel().await)
}

async fn status(daemon: &Daemon, components: &[&str]) -> Result<wire::StatusResponse, Status> {
    let components = components.iter().map(|name| (*name).to_owned()).collect();
    let request = wire::StatusRequest { verbose: false, components };
    soon(logos(daemon).await.get_status(request)).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn the_status_says_how_the_cluster_is_heard_and_what_lives_there() {
    let daemon = Daemon::start().await;
    assert_eq!(status(&daemon, &[]).await.unwrap().health, "DOWN", "nothing has answered yet");

    daemon.live().await;
    let home = object(Kind::Agent, &Key::new("kgents-agents", "home"), 1, &json!({ "spec": { "genus": "Psi" } }));
    let signal = |name: &str, intensity: f64| {
        let emitted = crate::clock::now().to_string();
        let spec = json!({ "type": "DREAM", "source": "a", "emittedAt": emitted, "initialIntensity": intensity });
        initial(object(Kind::Pheromone, &Key::new("n", name), 1, &json!({ "spec": spec })))
    };
    let faded = json!({ "spec": { "type": "WARNING", "source": "a", "emittedAt": at(0).to_string() } });
    let faded = initial(object(Kind::Pheromone, &Key::new("n", "old"), 1, &faded));
    let there = [initial(agent("a", 1, "Running")), initial(home), signal("s", 0.25), signal("t", 0.75), faded];
    daemon.tell(there).await;
    daemon.event("a", 5, "hello");
    daemon.tell([]).await;

    let answer = status(&daemon, &[]).await.unwrap();
    assert_eq!(answer.health, "HEALTHY");
    let agents: Vec<_> = answer.agents.iter().map(|a| (a.name.as_str(), a.genus.as_str(), a.status.as_str())).collect();
    assert_eq!(agents, [("home", "Psi", "Unknown"), ("n/a", "B", "Running")]);
    assert_eq!(answer.agents[0].last_active, None);
    assert_eq!(answer.agents[1].last_active.as_ref().unwrap().seconds, at(5).as_second());
    let levels: Vec<_> = answer.pheromone_levels.keys().map(String::as_str).collect();
    assert_eq!(levels, ["DREAM"], "what has faded is not there");
    assert!((answer.pheromone_levels["DREAM"] - 0.75).abs() < 0.01, "the strongest counts");
    assert_eq!(answer.instance_id, daemon.describe().await.instance_id);
    let names: Vec<_> = answer.components.iter().map(|component| component.name.as_str()).collect();
    let kinds = ["agents", "pheromones", "proposals", "memories", "umwelts", "deployments", "pods", "events"];
    assert_eq!(names, [&["kube"], &kinds[..]].concat());
    assert!(answer.components.iter().all(|component| component.healthy));

    daemon.watch(Kind::Pod, WatchState::Missing).await;
    daemon.tell([]).await;
    let answer = status(&daemon, &["pods"]).await.unwrap();
    assert_eq!(answer.health, "HEALTHY", "our own kinds are followed");
    assert_eq!((answer.components.len(), answer.components[0].healthy), (1, false));
    assert_eq!(answer.agents.len(), 2, "the filter is for components");

    daemon.watch(Kind::Agent, WatchState::Failing { since: at(9), error: "no answer".to_owned() }).await;
    daemon.tell([]).await;
    let answer = status(&daemon, &["agents"]).await.unwrap();
    assert_eq!((answer.health.as_str(), answer.components[0].message.as_str()), ("DEGRADED", "no answer"));

    daemon.link(Link::Down { since: at(9), error: "refused".to_owned(), hint: "try later".to_owned() }).await;
    daemon.tell([]).await;
    let answer = status(&daemon, &["kube"]).await.unwrap();
    assert_eq!((answer.health.as_str(), answer.components[0].message.as_str()), ("DOWN", "refused; try later"));

    let refused = status(&daemon, &["agent"]).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("nearest is agents"), "{refused}");
}

async fn observe(daemon: &Daemon, request: wire::ObserveRequest) -> Streaming<wire::ObserveEvent> {
    soon(logos(daemon).await.stream_observe(request)).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<wire::ObserveEvent>) -> wire::ObserveEvent {
    soon(stream.message()).await.unwrap().expect("the stream goes on")
}

#[tokio::test]
async fn observing_tells_every_thought_from_now_on() {
    let daemon = Daemon::start().await;
    daemon.tell([agent("old", 1, "Running")]).await;
    let mut all = observe(&daemon, wire::ObserveRequest::default()).await;
    let phases = wire::ObserveRequest { event_types: vec!["phase".to_owned()], ..wire::ObserveRequest::default() };
    let mut phases = observe(&daemon, phases).await;
    let loud = wire::ObserveRequest { min_significance: 0.9, ..wire::ObserveRequest::default() };
    let mut loud = observe(&daemon, loud).await;
    let focus = |path: &str| wire::ObserveRequest { focus_path: path.to_owned(), ..wire::ObserveRequest::default() };
    let mut on_b = observe(&daemon, focus("b")).await;
    let mut elsewhere = observe(&daemon, focus("m/b")).await;

    daemon.tell([agent("a", 1, "Pending")]).await;
    daemon.tell([agent("a", 2, "Failed")]).await;
    let spec = json!({ "type": "WARNING", "source": "b", "emittedAt": crate::clock::now().to_string() });
    daemon.tell([object(Kind::Pheromone, &Key::new("n", "w"), 1, &json!({ "spec": spec }))]).await;
    daemon.event("b", 1, "over\ntwo lines");
    let deleted =
        kgents_store::Change { novelty: kgents_store::Novelty::News, ..super::support::gone(Kind::Agent, "a") };
    daemon.tell([deleted]).await;

    let mut told = Vec::new();
    for _ in 0..5 {
        let event = next(&mut all).await;
        told.push((event.event_type, event.content, event.source, event.significance));
    }
    let expected = [
        ("birth", "n/a: appears: genus B (banker), 1 replica", "n/a", 0.25),
        ("phase", "n/a: phase Pending → Failed", "n/a", 1.0),
        ("birth", "n/w: b emits WARNING 1.00", "n/w", 0.6),
        ("thought", "n/b: over two lines", "n/b", 0.25),
        ("death", "n/a: is gone", "n/a", 0.25),
    ];
    assert_eq!(told, expected.map(|(a, b, c, d)| (a.to_owned(), b.to_owned(), c.to_owned(), d)));
    assert_eq!(next(&mut phases).await.content, "n/a: phase Pending → Failed");
    assert_eq!(next(&mut loud).await.content, "n/a: phase Pending → Failed");
    assert_eq!(next(&mut on_b).await.content, "n/w: b emits WARNING 1.00", "who speaks counts");
    assert_eq!(next(&mut on_b).await.content, "n/b: over two lines");
    let there = object(Kind::Agent, &Key::new("m", "b"), 1, &json!({ "spec": { "genus": "B" } }));
    daemon.tell([there]).await;
    assert_eq!(next(&mut elsewhere).await.source, "m/b", "and nothing before it");
}

#[tokio::test]
async fn what_cannot_be_observed_is_refused_in_words() {
    let daemon = Daemon::start().await;
    let mut client = logos(&daemon).await;
    for (request, says) in [
        (wire::ObserveRequest { event_types: vec!["births".to_owned()], ..Default::default() }, "nearest is birth"),
        (wire::ObserveRequest { min_significance: 1.5, ..Default::default() }, "from 0 to 1"),
        (wire::ObserveRequest { min_significance: f32::NAN, ..Default::default() }, "from 0 to 1"),
        (wire::ObserveRequest { focus_path: "a/b/c".to_owned(), ..Default::default() }, "NAMESPACE/NAME"),
        (wire::ObserveRequest { focus_path: "/b".to_owned(), ..Default::default() }, "NAMESPACE/NAME"),
    ] {
        let refused = soon(client.stream_observe(request)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(says), "{refused}");
    }
}

#[tokio::test]
async fn an_observer_who_does_not_read_is_told_how_much_it_missed() {
    let daemon = Daemon::start().await;
    let mut stream = observe(&daemon, wire::ObserveRequest::default()).await;
    let all = log::LENGTH + 5_000;
    for i in 0..all {
        daemon.event("a", i as i64, &format!("{i} {}", "x".repeat(500)));
        if i % 1_000 == 999 {
            daemon.tell([]).await;
        }
    }
    let (mut read, mut missed) = (0, 0);
    while read + missed < all {
        let event = next(&mut stream).await;
        if event.event_type == "lost" {
            let (count, rest) = event.content.split_once(' ').unwrap();
            assert!(rest.contains("too slowly"), "{rest}");
            missed += count.parse::<usize>().unwrap();
        } else {
            let number = event.content.split(' ').nth(1).unwrap();
            assert_eq!(number.parse::<usize>().unwrap(), read + missed, "in order, and none unaccounted for");
            read += 1;
        }
    }
    assert!(missed > 0);
}

#[tokio::test]
async fn what_is_not_built_yet_says_what_brings_it() {
    let daemon = Daemon::start().await;
    let mut client = logos(&daemon).await;
    let dream = stream::iter([wire::DreamInput::default()]);
    for (refused, says) in [
        (soon(client.invoke(wire::InvokeRequest::default())).await.err(), "Invoke comes with the AGENTESE table"),
        (soon(client.stream_dreams(dream)).await.err(), "StreamDreams comes with dreams"),
        (soon(client.tithe(wire::TitheRequest::default())).await.err(), "Tithe comes with metabolism"),
        (soon(client.get_map(wire::MapRequest::default())).await.err(), "GetMap comes with the map"),
    ] {
        let refused = refused.unwrap();
        assert_eq!(refused.code(), Code::Unimplemented);
        assert!(refused.message().starts_with(says), "{refused}");
        assert!(refused.message().ends_with("; this build answers GetStatus and StreamObserve"), "{refused}");
    }
}
