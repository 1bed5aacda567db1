use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use kgents_core::freshness::Freshness;

use super::*;
use crate::object::decode;
use crate::thought::Origin;
use crate::watch::Link;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn object(kind: Kind, name: &str, uid: &str, version: u32, rest: &Value) -> Change {
    let mut json = json!({
        "apiVersion": "kgents.io/v1", "kind": kind.as_str(),
        "metadata": { "namespace": "n", "name": name, "uid": uid, "resourceVersion": version.to_string() },
    });
    for (key, value) in rest.as_object().unwrap() {
        match key.as_str() {
            "labels" => json["metadata"]["labels"] = value.clone(),
            _ => json[key] = value.clone(),
        }
    }
    let now = decode(kind, &json.to_string()).unwrap();
    Change { kind, key: now.key.clone(), now: Some(now), novelty: Novelty::News }
}

fn agent(name: &str, version: u32, phase: &str) -> Change {
    object(Kind::Agent, name, "u", version, &json!({ "spec": { "genus": "B" }, "status": { "phase": phase } }))
}

fn pheromone(name: &str, emitted: i64, ttl: i64) -> Change {
    let spec =
        json!({ "type": "WARNING", "source": "b-gent", "emittedAt": at(emitted).to_string(), "ttlSeconds": ttl });
    object(Kind::Pheromone, name, "u", 1, &json!({ "spec": spec }))
}

fn gone(kind: Kind, name: &str) -> Change {
    Change { kind, key: Key::new("n", name), now: None, novelty: Novelty::News }
}

fn initial(change: Change) -> Change {
    Change { novelty: Novelty::Initial, ..change }
}

fn take(terrarium: &mut Terrarium, second: i64, changes: Vec<Change>) -> Outcome {
    terrarium.apply(Batch { changes, ..Batch::default() }, at(second))
}

fn heard(terrarium: &Terrarium) -> Vec<(Origin, String)> {
    terrarium.thoughts().iter().map(|thought| (thought.origin, format!("{} {}", thought.who, thought.text))).collect()
}

#[test]
fn what_was_there_before_is_no_news_and_what_changes_is() {
    let mut terrarium = Terrarium::default();
    take(&mut terrarium, 0, vec![initial(agent("a", 1, "Pending"))]);
    assert!(terrarium.thoughts().is_empty());
    take(&mut terrarium, 1, vec![agent("a", 2, "Running"), agent("b", 3, "Pending"), gone(Kind::Agent, "b")]);
    let expected = [
        (Origin::Phase, "a phase Pending → Running".to_owned()),
        (Origin::Birth, "b appears: genus B (banker), 1 replica".to_owned()),
        (Origin::Death, "b is gone".to_owned()),
    ];
    assert_eq!(heard(&terrarium), expected);
}

#[test]
fn the_same_version_twice_changes_nothing_and_an_unknown_deletion_is_quiet() {
    let mut terrarium = Terrarium::default();
    take(&mut terrarium, 0, vec![agent("a", 1, "Running")]);
    let revision = terrarium.revision();
    assert!(take(&mut terrarium, 1, vec![agent("a", 1, "Running"), gone(Kind::Agent, "never")]).is_empty());
    assert_eq!(terrarium.revision(), revision);
}

#[test]
fn another_uid_is_a_death_and_a_birth() {
    let mut terrarium = Terrarium::default();
    take(&mut terrarium, 0, vec![initial(agent("a", 1, "Running"))]);
    let other = object(Kind::Agent, "a", "other", 9, &json!({ "spec": { "genus": "D" } }));
    take(&mut terrarium, 1, vec![other]);
    let origins: Vec<_> = heard(&terrarium).into_iter().map(|(origin, _)| origin).collect();
    assert_eq!(origins, [Origin::Death, Origin::Birth]);
}

#[test]
fn a_pheromone_fades_once_and_is_told_once() {
    let mut terrarium = Terrarium::default();
    take(&mut terrarium, 0, vec![pheromone("p", 0, 10)]);
    assert_eq!(terrarium.next_end(), Some(at(10)));
    assert!(terrarium.tick(at(9)).is_empty());
    let outcome = terrarium.tick(at(10));
    assert_eq!(outcome.deltas.iter().map(|delta| delta.fate).collect::<Vec<_>>(), [Fate::Faded]);
    assert!(terrarium.tick(at(11)).is_empty());
    take(&mut terrarium, 12, vec![gone(Kind::Pheromone, "p")]);
    let texts: Vec<_> = heard(&terrarium).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["b-gent emits WARNING 1.00", "b-gent its WARNING has faded"]);
    assert_eq!((terrarium.gone().count(), terrarium.next_end()), (1, None));
}

#[test]
fn a_pheromone_taken_away_early_died_then() {
    let mut terrarium = Terrarium::default();
    take(&mut terrarium, 0, vec![pheromone("p", 0, 600)]);
    take(&mut terrarium, 5, vec![gone(Kind::Pheromone, "p")]);
    assert_eq!(terrarium.gone().map(|gone| gone.died).collect::<Vec<_>>(), [at(5)]);
    assert_eq!(heard(&terrarium).last().unwrap().1, "b-gent its WARNING was taken away");
}

#[test]
fn an_object_that_becomes_unreadable_is_no_longer_what_it_was() {
    let mut terrarium = Terrarium::default();
    take(&mut terrarium, 0, vec![agent("a", 1, "Running")]);
    take(&mut terrarium, 1, vec![object(Kind::Agent, "a", "u", 2, &json!({ "spec": { "genus": 7 } }))]);
    assert_eq!(
        (terrarium.agents().len(), terrarium.unreadable(Kind::Agent).count(), terrarium.count(Kind::Agent)),
        (0, 1, 1)
    );
    take(&mut terrarium, 2, vec![agent("a", 3, "Running")]);
    assert_eq!((terrarium.agents().len(), terrarium.unreadable(Kind::Agent).count()), (1, 0));
    take(&mut terrarium, 3, vec![object(Kind::Agent, "a", "u", 4, &json!({ "spec": {} })), gone(Kind::Agent, "a")]);
    assert_eq!(terrarium.count(Kind::Agent), 0);
}

#[test]
fn an_event_about_a_pod_is_about_its_agent() {
    let mut terrarium = Terrarium::default();
    let labels = json!({ "kgents.io/agent": "a" });
    take(
        &mut terrarium,
        0,
        vec![
            initial(agent("a", 1, "Running")),
            object(Kind::Pod, "a-x-1", "u", 1, &json!({ "labels": labels })),
            object(Kind::Deployment, "a", "u", 1, &json!({ "labels": labels })),
        ],
    );
    for (kind, name) in
        [("Pod", "a-x-1"), ("ReplicaSet", "a-x"), ("Deployment", "a"), ("Agent", "a"), ("Pod", "stranger")]
    {
        let about = json!({ "kind": kind, "namespace": "n", "name": name });
        let event =
            object(Kind::Event, "e", "u", 1, &json!({ "involvedObject": about, "reason": "R", "message": "m" }));
        let Some(Object::Event(event)) = event.now.map(|now| now.object) else { panic!() };
        terrarium.apply(Batch { events: vec![event], ..Batch::default() }, at(1));
    }
    let who: Vec<_> = terrarium.thoughts().iter().map(|thought| &*thought.who).collect();
    assert_eq!(who, ["a", "a", "a", "a", "stranger"]);
    assert_eq!(terrarium.agents().values().next().unwrap().last.as_deref(), Some("R: m"));
    assert_eq!(terrarium.pods_of(&Key::new("n", "a")).count(), 1);
}

#[test]
fn a_watch_that_lives_is_as_of_now_and_one_that_fails_is_as_old_as_its_word() {
    let mut terrarium = Terrarium::default();
    assert_eq!(terrarium.freshness(Kind::Agent, at(0)), None);
    let tell = |terrarium: &mut Terrarium, state: WatchState, link: Link| {
        let watch = Watch { state, as_of: Some(at(0)), refused: Vec::new() };
        let rung = Rung { address: String::new(), link, notes: Vec::new() };
        let speaks = Control::Speaks(Some(Layer::Kube));
        let control = vec![speaks, Control::Rung(Layer::Kube, rung), Control::Watch(Kind::Agent, watch)];
        terrarium.apply(Batch { control, ..Batch::default() }, at(0));
    };
    tell(&mut terrarium, WatchState::Live, Link::Up { version: "v1".into() });
    assert_eq!(terrarium.as_of(Kind::Agent, at(500)), Some(at(500)));
    assert_eq!(terrarium.freshness(Kind::Agent, at(500)), Some(Freshness::Fresh));
    let down = Link::Down { since: at(1), error: "x".into(), hint: String::new() };
    tell(&mut terrarium, WatchState::Failing { since: at(1), error: "x".into() }, down);
    assert_eq!(terrarium.as_of(Kind::Agent, at(500)), Some(at(0)));
    assert_eq!(terrarium.freshness(Kind::Agent, at(500)), Some(Freshness::Old));
    assert!((terrarium.stability(Kind::Agent, at(500)) - 0.5).abs() < 1e-9, "one sync of two was good");
}

#[test]
fn more_than_can_be_kept_is_counted() {
    let mut terrarium = Terrarium::default();
    let many = (0..MAX_OBJECTS + 3)
        .map(|i| initial(object(Kind::Umwelt, &format!("u{i}"), "u", 1, &json!({ "spec": { "agent": "a" } }))));
    take(&mut terrarium, 0, many.collect());
    assert_eq!((terrarium.count(Kind::Umwelt), terrarium.beyond(Kind::Umwelt)), (MAX_OBJECTS, 3));
}

/// Everything that can be asked of the state, for comparison.
fn state(terrarium: &Terrarium) -> BTreeMap<String, String> {
    let agents =
        terrarium.agents().iter().map(|(key, agent)| (format!("agent {key}"), agent.held.resource_version.clone()));
    let pheromones =
        terrarium.pheromones().iter().map(|(key, held)| (format!("ph {key}"), held.held.resource_version.clone()));
    let owner = Key::new("n", "b-gent");
    let signals = terrarium.signals_of(&owner).map(|(key, _)| (format!("signal {key}"), String::new()));
    agents.chain(pheromones).chain(signals).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Any history whose objects end the same gives the same state, and the
    /// indexes hold no one who is gone.
    #[test]
    fn only_the_end_of_a_history_counts(history in prop::collection::vec((0_usize..4, 0_u32..5, any::<bool>()), 0..60)) {
        let mut along = Terrarium::default();
        let mut last: BTreeMap<usize, Change> = BTreeMap::new();
        for (version, (name, action, is_agent)) in history.into_iter().enumerate() {
            let slot = name * 2 + usize::from(is_agent);
            let kind = if is_agent { Kind::Agent } else { Kind::Pheromone };
            let change = if action == 0 {
                gone(kind, &format!("o{name}"))
            } else {
                let version = version as u32 + 1;
                let spec = if is_agent { json!({ "genus": "B" }) } else { json!({ "type": "WARNING", "source": "b-gent", "emittedAt": at(0).to_string() }) };
                object(kind, &format!("o{name}"), &format!("u{}", action / 3), version, &json!({ "spec": spec }))
            };
            take(&mut along, 1, vec![change.clone()]);
            last.insert(slot, change);
        }
        let mut at_once = Terrarium::default();
        take(&mut at_once, 1, last.into_values().collect());
        prop_assert_eq!(state(&along), state(&at_once));
        let alive = along.pheromones().len();
        prop_assert_eq!(along.ends.len(), alive);
        prop_assert_eq!(along.signals_of.values().map(BTreeSet::len).sum::<usize>(), alive);
    }
}
