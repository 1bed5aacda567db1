use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::intake;

fn agent(name: &str, uid: &str, version: u64, spec: &Value) -> Object {
    read(Kind::Agent, name, uid, version, &json!({}), "spec", spec)
}

fn read(kind: Kind, name: &str, uid: &str, version: u64, labels: &Value, field: &str, content: &Value) -> Object {
    let object = json!({
        "metadata": { "namespace": "ns", "name": name, "uid": uid, "resourceVersion": version.to_string(),
            "labels": labels, "generation": 1 },
        field: content,
    });
    intake::read(kind, object).unwrap()
}

const SERVICE: Kind = Kind::Of(Resource::Service);

/// A Service that is made for agent `a`; `mark` is what may differ.
fn service(uid: &str, version: u64, mark: &str) -> Object {
    let labels = json!({ "app.kubernetes.io/managed-by": "kgents-operator", "kgents.io/agent": "a", "mark": mark });
    read(SERVICE, "a", uid, version, &labels, "spec", &json!({}))
}

fn mark(world: &World) -> Option<String> {
    let seen = world.observe(&key("a"))?;
    Some(seen.observed.children.get(&(Resource::Service, "a".to_owned()))?.labels["mark"].clone())
}

fn key(name: &str) -> Key {
    Key::new(Controller::Agent, "ns", name)
}

fn until() -> Timestamp {
    Timestamp::from_second(1_000).unwrap()
}

fn answered() -> Source {
    Source::Answered { until: until() }
}

/// A world with agent `a`.
fn world() -> World {
    let world = World::new(None);
    world.put(Kind::Agent, agent("a", "ua", 1, &json!({ "genus": "B" })), Source::Heard);
    world
}

#[test]
fn a_change_of_a_child_asks_for_its_owner_and_a_new_version_alone_for_nobody() {
    let world = world();
    assert_eq!(world.put(SERVICE, service("us", 5, "x"), Source::Heard), [key("a")]);
    assert!(world.put(SERVICE, service("us", 6, "x"), Source::Heard).is_empty());
    assert_eq!(world.put(SERVICE, service("us", 7, "y"), Source::Heard), [key("a")]);
    assert_eq!(mark(&world).as_deref(), Some("y"));
    assert_eq!(world.remove(SERVICE, &service("us", 8, "y")), [key("a")]);
    assert_eq!(mark(&world), None);
}

#[test]
fn an_answer_is_not_undone_by_an_older_event() {
    let world = world();
    world.put(SERVICE, service("us", 5, "old"), Source::Heard);
    world.put(SERVICE, service("us", 9, "ours"), answered());
    for older in [5, 7, 8] {
        assert!(world.put(SERVICE, service("us", older, "old"), Source::Heard).is_empty());
    }
    assert_eq!(mark(&world).as_deref(), Some("ours"));
    world.put(SERVICE, service("us", 10, "theirs"), Source::Heard);
    assert_eq!(mark(&world).as_deref(), Some("theirs"));
    // And an answer that comes late does not undo what was heard.
    world.put(SERVICE, service("us", 9, "ours"), answered());
    assert_eq!(mark(&world).as_deref(), Some("theirs"));
}

#[test]
fn what_is_deleted_is_not_brought_back_by_who_is_late() {
    let world = world();
    world.put(SERVICE, service("us", 5, "x"), Source::Heard);
    world.bury(SERVICE, "ns", "a", "us");
    assert!(world.put(SERVICE, service("us", 6, "x"), Source::Heard).is_empty());
    assert!(world.put(SERVICE, service("us", 6, "x"), Source::Listed).is_empty());
    assert_eq!(mark(&world), None);
    // A new one of that name is another one, and its life is its own.
    world.put(SERVICE, service("new", 9, "new"), answered());
    assert!(world.remove(SERVICE, &service("us", 7, "x")).is_empty());
    assert!(world.bury(SERVICE, "ns", "a", "us").is_empty());
    assert_eq!(mark(&world).as_deref(), Some("new"));
    // Heard of birth and death before the answer to the birth came.
    let world = self::world();
    world.put(SERVICE, service("us", 5, "x"), Source::Heard);
    world.remove(SERVICE, &service("us", 6, "x"));
    world.put(SERVICE, service("us", 5, "x"), answered());
    assert_eq!(mark(&world), None);
}

#[test]
fn what_only_lost_its_label_is_seen_when_it_is_asked_for() {
    let world = world();
    world.put(SERVICE, service("us", 5, "x"), Source::Heard);
    world.remove(SERVICE, &service("us", 6, "x"));
    let labels = json!({ "kgents.io/agent": "a", "mark": "bare" });
    let bare = read(SERVICE, "a", "us", 6, &labels, "spec", &json!({}));
    assert_eq!(world.put(SERVICE, bare, answered()), [key("a")]);
    assert_eq!(mark(&world).as_deref(), Some("bare"));
    let seen = world.observe(&key("a")).unwrap();
    assert_eq!(
        seen.unwatched.iter().map(|(child, at)| (child.name.as_str(), *at)).collect::<Vec<_>>(),
        [("a", until())]
    );
    // Once we put the label back, the watch tells of it again.
    world.put(SERVICE, service("us", 7, "back"), answered());
    assert!(world.observe(&key("a")).unwrap().unwatched.is_empty());
}

#[test]
fn a_broken_watch_takes_nothing_away_until_the_list_is_complete() {
    let world = world();
    world.put(SERVICE, service("us", 5, "x"), Source::Heard);
    world.listing(SERVICE);
    assert_eq!(mark(&world).as_deref(), Some("x"));
    // The list breaks off and begins anew.
    world.listing(SERVICE);
    assert_eq!(mark(&world).as_deref(), Some("x"));
    assert_eq!(world.listed(SERVICE, Some(20)), [key("a")]);
    assert_eq!(mark(&world), None);

    // What we made while it went on is newer than the list, or it would be in it.
    for (made, stays) in [(25, true), (15, false)] {
        let world = self::world();
        world.listing(SERVICE);
        world.put(SERVICE, service("us", made, "ours"), answered());
        world.listed(SERVICE, Some(20));
        assert_eq!(mark(&world).is_some(), stays, "{made}");
    }
    // A page of the list that is older than our write, and one of another etcd.
    let world = self::world();
    world.listing(SERVICE);
    world.put(SERVICE, service("us", 25, "ours"), answered());
    world.put(SERVICE, service("us", 5, "old"), Source::Listed);
    world.listed(SERVICE, Some(20));
    assert_eq!(mark(&world).as_deref(), Some("ours"));
    world.listing(SERVICE);
    world.put(SERVICE, service("us", 3, "restored"), Source::Listed);
    world.listed(SERVICE, Some(4));
    assert_eq!(mark(&world).as_deref(), Some("restored"));
}

#[test]
fn it_is_synced_once_every_kind_was_listed_or_is_known_not_to_be_there() {
    let world = World::new(None);
    for kind in Kind::ALL {
        assert!(!world.is_synced());
        if kind == SERVICE {
            world.missing(kind);
        } else {
            world.listing(kind);
            world.listed(kind, Some(1));
        }
    }
    assert!(world.is_synced());
}

#[test]
fn who_names_another_is_asked_when_that_comes_and_goes() {
    let world = World::new(None);
    let spec = json!({ "genus": "B", "memory": "shared", "networkPolicy": { "allowedPeers": ["b", "genus:D"] } });
    world.put(Kind::Agent, agent("a", "ua", 1, &spec), Source::Heard);
    let memory = Kind::Of(Resource::Memory);
    let shared = |version: u64, size: &str| {
        let spec = json!({ "owner": "b", "type": "BICAMERAL", "size": size });
        read(memory, "shared", "um", version, &json!({}), "spec", &spec)
    };
    let shared_key = Key::new(Controller::Memory, "ns", "shared");
    assert_eq!(world.put(memory, shared(2, "1Gi"), Source::Heard), [key("a"), shared_key.clone()]);
    assert_eq!(world.put(memory, shared(3, "2Gi"), Source::Heard), [key("a"), shared_key.clone()]);
    let seen = world.observe(&key("a")).unwrap();
    assert_eq!(seen.observed.memory.unwrap().spec.size.0, "2Gi");
    assert!(seen.observed.agents.is_empty());

    // The peer, and the owner of the Memory.
    let b = |version: u64, replicas: i32| agent("b", "ub", version, &json!({ "genus": "D", "replicas": replicas }));
    assert_eq!(world.put(Kind::Agent, b(4, 1), Source::Heard), [key("a"), key("b"), shared_key.clone()]);
    assert_eq!(world.put(Kind::Agent, b(5, 2), Source::Heard), [key("b")], "that it changes concerns nobody else");
    assert!(world.observe(&key("a")).unwrap().observed.agents.contains("b"));
    assert!(world.observe(&shared_key).unwrap().observed.agents.contains("b"));
    assert_eq!(world.remove(Kind::Agent, &b(6, 2)), [key("a"), key("b"), shared_key]);

    // Once it names another, it is not asked any more.
    world.put(Kind::Agent, agent("a", "ua", 7, &json!({ "genus": "B" })), Source::Heard);
    assert_eq!(world.put(memory, shared(8, "3Gi"), Source::Heard), [Key::new(Controller::Memory, "ns", "shared")]);
}

#[test]
fn pods_are_those_with_the_label() {
    let world = world();
    let pods = Kind::Of(Resource::Pod);
    let pod = |name: &str, version: u64, of: &str| {
        read(pods, name, name, version, &json!({ "kgents.io/agent": of }), "status", &json!({ "phase": "Running" }))
    };
    assert_eq!(world.put(pods, pod("p", 2, "a"), Source::Heard), [key("a")]);
    world.put(pods, pod("q", 3, "b"), Source::Heard);
    let names = |world: &World| {
        let seen = world.observe(&key("a")).unwrap();
        seen.observed.pods.iter().map(|pod| pod.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&world), ["p"]);
    assert_eq!(world.put(pods, pod("p", 4, "b"), Source::Heard), [key("a"), key("b")]);
    assert!(names(&world).is_empty());
    let chaos = json!({ "type": "CHAOS", "source": "me" });
    let signals = Kind::Of(Resource::Pheromone);
    world.put(signals, read(signals, "c", "uc", 9, &json!({}), "spec", &chaos), Source::Heard);
    let seen = world.observe(&Key::new(Controller::Pheromone, "ns", "c")).unwrap();
    assert_eq!(seen.observed.pods.len(), 2);
}

#[test]
fn only_what_is_selected_or_made_for_it_is_looked_after() {
    let world = World::new(Some(Selector::parse("team=x").unwrap()));
    let agent = |name: &str, team: &str| {
        read(Kind::Agent, name, name, 1, &json!({ "team": team }), "spec", &json!({ "genus": "B" }))
    };
    world.put(Kind::Agent, agent("a", "x"), Source::Heard);
    world.put(Kind::Agent, agent("b", "y"), Source::Heard);
    let umwelts = Kind::Of(Resource::Umwelt);
    let umwelt = |name: &str, of: &str, by: &str| {
        let labels = json!({ "kgents.io/agent": of, "app.kubernetes.io/managed-by": by });
        read(umwelts, name, name, 1, &labels, "spec", &json!({ "agent": of }))
    };
    world.put(umwelts, umwelt("a-umwelt", "a", "kgents-operator"), Source::Heard);
    world.put(umwelts, umwelt("b-umwelt", "b", "kgents-operator"), Source::Heard);
    world.put(umwelts, umwelt("own", "a", "somebody"), Source::Heard);
    let names: Vec<String> = world.keys().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["agent ns/a", "umwelt ns/a-umwelt"]);
    assert!(world.observe(&key("b")).is_none());
}

#[test]
fn faults_count_in_a_row_and_go_with_their_object() {
    let world = world();
    let child = Child { resource: Resource::Service, namespace: "ns".to_owned(), name: "a".to_owned() };
    let fault = |second: i64, generation: i64| Fault {
        child: child.clone(),
        cause: plan::Cause::QuotaExceeded,
        said: "no".to_owned(),
        generation,
        since: Timestamp::from_second(second).unwrap(),
        retry_at: Timestamp::MIN,
    };
    let rows = std::cell::RefCell::new(Vec::new());
    for (second, generation) in [(10, 1), (20, 1), (30, 1), (40, 2)] {
        world.fail(&key("a"), fault(second, generation), |row| {
            rows.borrow_mut().push(row);
            Timestamp::from_second(second + 5).unwrap()
        });
    }
    assert_eq!(rows.into_inner(), [0, 1, 2, 0]);
    let faults = world.observe(&key("a")).unwrap().observed.faults;
    assert_eq!((faults.len(), faults[0].since.as_second(), faults[0].retry_at.as_second()), (1, 10, 45));
    world.well(&key("a"), &child);
    assert!(world.observe(&key("a")).unwrap().observed.faults.is_empty());
    world.fail(&key("a"), fault(50, 2), |_| Timestamp::MAX);
    world.remove(Kind::Agent, &agent("a", "ua", 9, &json!({ "genus": "B" })));
    assert!(world.faults().is_empty());
}

#[test]
fn an_api_server_in_trouble_is_one_fault_whatever_it_says() {
    let world = world();
    let child = Child { resource: Resource::Service, namespace: "ns".to_owned(), name: "a".to_owned() };
    let mut told = Vec::new();
    for cause in [Cause::Conflict, Cause::Unavailable, Cause::Throttled, Cause::Conflict, Cause::Invalid] {
        let said = cause.reason().to_owned();
        let (since, retry_at) = (Timestamp::MIN, Timestamp::MAX);
        let fault = Fault { child: child.clone(), cause, said, generation: 1, since, retry_at };
        let fault = world.fail(&key("a"), fault, |row| Timestamp::from_second(row.into()).unwrap());
        told.push((fault.said, fault.retry_at.as_second()));
    }
    let told: Vec<(&str, i64)> = told.iter().map(|(said, row)| (said.as_str(), *row)).collect();
    let away = "ApiServerUnavailable";
    assert_eq!(told, [("Conflict", 0), (away, 0), (away, 1), (away, 2), ("Invalid", 0)]);
}

#[test]
fn a_kind_that_comes_back_forgives_who_could_not_write_it() {
    let world = world();
    let child = Child { resource: Resource::Service, namespace: "ns".to_owned(), name: "a".to_owned() };
    let fault = Fault {
        child,
        cause: Cause::Missing,
        said: "no such kind".to_owned(),
        generation: 1,
        since: Timestamp::MIN,
        retry_at: Timestamp::MAX,
    };
    world.fail(&key("a"), fault.clone(), |_| Timestamp::MAX);
    world.listing(Kind::Of(Resource::Deployment));
    assert!(world.listed(Kind::Of(Resource::Deployment), Some(2)).is_empty());
    assert_eq!(world.faults(), [(key("a"), fault)]);
    world.listing(SERVICE);
    assert_eq!(world.listed(SERVICE, Some(3)), [key("a")]);
    assert!(world.faults().is_empty());
}

/// What happens on an API server to one Service: its versions in order.
#[derive(Clone, Debug)]
enum Act {
    Write(u8),
    Delete,
}

proptest! {
    /// Whatever is written by us and by others, however late our own answers
    /// are laid over it, and wherever the watch is broken and listed anew: once
    /// the watch has caught up, the world is the API server's.
    #[test]
    fn the_world_ends_as_the_api_server(
        acts in proptest::collection::vec(prop_oneof![4 => (0_u8..4).prop_map(Act::Write), 1 => Just(Act::Delete)], 1..30),
        ours in proptest::collection::vec(any::<bool>(), 30),
        late in proptest::collection::vec(0_usize..6, 30),
        relist in proptest::collection::vec(0_u8..8, 30),
    ) {
        let world = world();
        world.listing(SERVICE);
        world.listed(SERVICE, Some(1));
        // (version, object or its death)
        let mut history: Vec<(u64, bool, Object)> = Vec::new();
        let (mut uid, mut alive, mut version) = (0_u32, None::<Object>, 10_u64);
        for act in &acts {
            version += 1;
            match act {
                Act::Write(mark) => {
                    if alive.is_none() {
                        uid += 1;
                    }
                    let object = service(&format!("u{uid}"), version, &mark.to_string());
                    alive = Some(object.clone());
                    history.push((version, true, object));
                }
                Act::Delete => {
                    if let Some(mut object) = alive.take() {
                        object.version = Some(version);
                        history.push((version, false, object));
                    }
                }
            }
        }
        // Answers to our writes come some events late, or early.
        let mut answers: Vec<(usize, Object, bool)> = history
            .iter()
            .enumerate()
            .filter(|(at, _)| ours[at % ours.len()])
            .map(|(at, (_, lives, object))| ((at + late[at % late.len()]).saturating_sub(2), object.clone(), *lives))
            .collect();
        let mut told = 0;
        for (at, (_, lives, object)) in history.iter().enumerate() {
            let (now, later): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(due, ..)| *due <= at);
            answers = later;
            for (_, object, lives) in now {
                if lives {
                    world.put(SERVICE, object, answered());
                } else {
                    world.bury(SERVICE, "ns", "a", &object.uid);
                }
            }
            if relist[at % relist.len()] == 0 {
                // The watch broke: what it did not tell comes in a list.
                world.listing(SERVICE);
                if *lives {
                    world.put(SERVICE, object.clone(), Source::Listed);
                }
                world.listed(SERVICE, object.version);
                told = at + 1;
            } else if at >= told {
                if *lives {
                    world.put(SERVICE, object.clone(), Source::Heard);
                } else {
                    world.remove(SERVICE, object);
                }
            }
        }
        for (_, object, lives) in answers {
            if lives {
                world.put(SERVICE, object, answered());
            } else {
                world.bury(SERVICE, "ns", "a", &object.uid);
            }
        }
        let expected = alive.and_then(|object| object.content.live().map(|live| live.labels["mark"].clone()));
        prop_assert_eq!(mark(&world), expected);
        // Nothing is left behind in the indexes.
        let inner = world.lock();
        let tied: usize = inner.tied.values().map(BTreeSet::len).sum();
        prop_assert_eq!(tied, inner.shelves[&SERVICE].len());
    }
}
