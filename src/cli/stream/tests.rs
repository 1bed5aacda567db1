use kgents_store::Kind;
use kgents_store::bus::{Bus, Change, Control, Novelty};
use kgents_store::watch::{Link, Watch, WatchState};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::json::Json;
use super::plain::Plain;
use crate::follow::Follow;
use crate::testing::{agent, change, kube, live, loaded, pheromone, scene, text, up};

/// An emission that can be sensed whatever the clock says: it is in the future.
const LATER: &str = "2999-01-01T00:00:00Z";

async fn follow(control: Vec<Control>, changes: Vec<Change>) -> (Bus, Follow) {
    let (bus, reader) = loaded(control, changes).await;
    (bus, Follow::on(reader, CancellationToken::new(), std::future::pending()))
}

fn gone(kind: Kind, object: &Value) -> Change {
    Change { now: None, novelty: Novelty::News, ..change(kind, object, false) }
}

async fn told(json: &mut Json, follow: &mut Follow) -> Vec<Value> {
    let mut out = Vec::new();
    let news = follow.next().await.unwrap();
    json.tell(&mut out, follow, &news).unwrap();
    text(out).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn each_line_is_one_change_with_kind_key_and_revision() {
    let b = agent("ns", "b-gent", "Running");
    let (bus, mut follow) = follow(
        [vec![scene(), live(Kind::Agent)], up()].concat(),
        vec![
            change(Kind::Agent, &b, true),
            change(Kind::Pheromone, &pheromone("ns", "old", "1970-01-01T00:00:00Z"), true),
        ],
    )
    .await;
    let mut json = Json::default();
    let lines = told(&mut json, &mut follow).await;
    let kinds: Vec<&str> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Source", "Agent"], "what faded long ago is not told");
    assert_eq!(lines[0]["key"], "kube");
    assert_eq!(lines[0]["link"]["state"], "up");
    assert_eq!(lines[0]["scene"]["server"], "https://127.0.0.1:6443");
    let agent = &lines[1];
    for (field, value) in
        [("key", "ns/b-gent"), ("namespace", "ns"), ("name", "b-gent"), ("change", "applied"), ("layer", "kube")]
    {
        assert_eq!(agent[field], value);
    }
    assert_eq!(agent["freshness"], "FRESH");
    assert!(agent["as_of"].is_string() && agent["revision"] == 1);
    assert_eq!(agent.pointer("/object/spec/genus").unwrap(), "B");

    bus.state(gone(Kind::Agent, &b)).await;
    let lines = told(&mut json, &mut follow).await;
    assert_eq!((&lines[0]["change"], &lines[0]["object"]), (&"deleted".into(), &Value::Null));
    assert!(lines[0]["revision"].as_u64() > agent["revision"].as_u64());
    let thought = &lines[1];
    assert_eq!((&thought["kind"], &thought["key"]), (&"Thought".into(), &"1".into()));
    assert_eq!(thought["thought"]["who"], "b-gent");
    assert_eq!(thought["thought"]["text"], "is gone");
    assert!(thought["revision"].is_u64());
}

#[tokio::test]
async fn lines_of_text_say_time_kind_key_and_what() {
    let (bus, mut follow) = follow(
        [vec![scene(), live(Kind::Agent)], up()].concat(),
        vec![change(Kind::Agent, &agent("ns", "c-gent", "Failed"), true)],
    )
    .await;
    let mut plain = Plain::new(true);
    let mut say = async |follow: &mut Follow| {
        let mut out = Vec::new();
        let news = follow.next().await.unwrap();
        plain.tell(&mut out, follow, &news).unwrap();
        let clock = |line: &str| {
            line.as_bytes().iter().take(9).map(|b| if b.is_ascii_digit() { '0' } else { *b as char }).collect()
        };
        text(out)
            .lines()
            .map(|line| {
                let (at, rest) = line.split_at(9);
                assert_eq!(std::iter::once(at).map(clock).collect::<Vec<String>>(), ["00:00:00 "]);
                rest.to_owned()
            })
            .collect::<Vec<_>>()
    };
    let lines = say(&mut follow).await;
    assert_eq!(
        lines,
        [
            "Source looking at test (https://127.0.0.1:6443), all namespaces",
            "Source kube connected: Kubernetes v1.36.3",
            "Source kube speaks",
            "Agent ns/c-gent genus B, Failed, ready 0/2, ImagePullBackOff: told by a test",
        ]
    );

    bus.state(change(Kind::Pheromone, &pheromone("ns", "x", LATER), false)).await;
    let lines = say(&mut follow).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("Pheromone ns/x WARNING, 1.00, half-life 5m, gone in "), "{lines:?}");
    assert_eq!(lines[1], "o-gent emits WARNING 1.00: disk full");

    let down = Link::Down { since: follow.began, error: "refused".into(), hint: "kubectl get --raw /readyz".into() };
    let failing =
        Watch { state: WatchState::Failing { since: follow.began, error: "refused".into() }, ..Watch::default() };
    bus.control(kube(down)).await;
    bus.control(Control::Watch(Kind::Agent, failing)).await;
    assert_eq!(say(&mut follow).await, ["Source kube down: refused; try: kubectl get --raw /readyz"]);
    for control in up() {
        bus.control(control).await;
    }
    bus.control(live(Kind::Agent)).await;
    assert_eq!(say(&mut follow).await, ["Source kube connected: Kubernetes v1.36.3"]);
    let missing = Watch { state: WatchState::Missing, ..Watch::default() };
    bus.control(Control::Watch(Kind::Umwelt, missing)).await;
    assert_eq!(say(&mut follow).await, ["Source umwelts not installed; try: kgents crd install"]);
    bus.control(live(Kind::Umwelt)).await;
    assert_eq!(say(&mut follow).await, ["Source umwelts listed"]);
}
