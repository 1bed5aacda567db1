//! What holds in every world.

use std::collections::BTreeMap;

use kgents_api::LABEL_AGENT;
use kgents_store::Object;

use super::*;

/// Every text in a value that is a stamp.
fn stamps(value: &Value, found: &mut Vec<Timestamp>) {
    match value {
        Value::String(text) => found.extend(text.parse::<Timestamp>()),
        Value::Array(items) => items.iter().for_each(|item| stamps(item, found)),
        Value::Object(fields) => fields.values().for_each(|item| stamps(item, found)),
        _ => {}
    }
}

fn newest(value: &Value) -> Option<Timestamp> {
    let mut found = Vec::new();
    stamps(value, &mut found);
    found.into_iter().max()
}

#[test]
fn now_is_the_newest_stamp_and_no_step_is_ahead_of_its_moment() {
    for world in all() {
        let of_objects = world.objects.iter().filter_map(|(_, object)| newest(object));
        let last = of_objects.chain(world.thoughts.iter().map(|thought| thought.at)).max();
        assert_eq!(last.unwrap_or(world.now), world.now, "{}", world.name);
        assert!(world.thoughts.is_sorted_by_key(|thought| thought.at), "{}", world.name);
        for step in &world.timeline {
            let moment = moment(world, step);
            match &step.change {
                StepChange::Put { object, .. } => assert!(newest(object) <= Some(moment), "{object}"),
                StepChange::Thought(thought) => assert_eq!(thought.at, moment),
                StepChange::Gone { .. } => {}
            }
        }
    }
}

#[test]
fn thoughts_are_counted_on_through_the_timeline() {
    for world in all() {
        let later = world.timeline.iter().filter_map(|step| match &step.change {
            StepChange::Thought(thought) => Some(thought.seq),
            _ => None,
        });
        let seqs = world.thoughts.iter().map(|thought| thought.seq).chain(later);
        assert!(seqs.zip(1..).all(|(seq, place)| seq == place), "{}", world.name);
    }
}

#[test]
fn offsets_ascend_and_end_within_a_day() {
    for world in all() {
        assert!(world.timeline.is_sorted_by_key(|step| step.offset_ms), "{}", world.name);
        assert!(world.timeline.iter().all(|step| step.offset_ms <= MAX_OFFSET_MS));
    }
}

#[test]
fn every_object_is_readable_and_stands_in_order() {
    for world in all() {
        let keys: Vec<_> = world.objects.iter().map(|(kind, object)| (*kind, key(object))).collect();
        assert!(keys.is_sorted() && keys.windows(2).all(|pair| pair[0] != pair[1]), "{}", world.name);
        let later = world.timeline.iter().filter_map(|step| match &step.change {
            StepChange::Put { kind, object } => Some((*kind, object)),
            _ => None,
        });
        for (kind, object) in world.objects.iter().map(|(kind, object)| (*kind, object)).chain(later) {
            assert_eq!(object["kind"], kind.as_str());
            let decoded = object::decode(kind, &object.to_string()).unwrap();
            assert!(!matches!(decoded.object, Object::Unreadable(_)), "{:?}", decoded.object);
        }
    }
}

/// A change of an object, judged by what it was before.
fn follows(old: &Value, new: &Value) {
    let meta = |field: &str| (&old["metadata"][field], &new["metadata"][field]);
    for field in ["uid", "creationTimestamp", "labels"] {
        let (was, is) = meta(field);
        assert_eq!(was, is, "{new}");
    }
    let number = |value: &Value| value.as_u64().unwrap_or(1);
    let (was, is) = meta("generation");
    let respecified = u64::from(old["spec"] != new["spec"] && new["kind"] != "Pod");
    assert_eq!(number(is), number(was) + respecified, "{new}");
    if new["kind"] == "Proposal" {
        assert_eq!(old["spec"], new["spec"], "a proposal cannot be edited");
    }
    let conditions = |object: &Value| object["status"]["conditions"].as_array().cloned().unwrap_or_default();
    for now in conditions(new) {
        let before = conditions(old).into_iter().find(|known| known["type"] == now["type"]);
        if let Some(before) = before.filter(|before| before["status"] == now["status"]) {
            assert_eq!(before["lastTransitionTime"], now["lastTransitionTime"], "{now} of {}", key(new));
        }
    }
}

#[test]
fn each_put_follows_from_the_object_before_it() {
    for world in all() {
        let mut held: BTreeMap<(Kind, Key), Value> =
            world.objects.iter().map(|(kind, object)| ((*kind, key(object)), object.clone())).collect();
        let version =
            |object: &Value| -> u64 { object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap() };
        let mut newest = held.values().map(version).max().unwrap_or(0);
        for step in &world.timeline {
            match &step.change {
                StepChange::Put { kind, object } => {
                    assert!(version(object) > newest, "{} of {}", step.offset_ms, world.name);
                    newest = version(object);
                    if let Some(old) = held.insert((*kind, key(object)), object.clone()) {
                        follows(&old, object);
                    }
                }
                StepChange::Gone { kind, key } => {
                    assert!(held.remove(&(*kind, key.clone())).is_some(), "{kind} {key} was not there");
                }
                StepChange::Thought(_) => {}
            }
        }
        // What the terrarium holds in the end is what was put and not taken away.
        let terrarium = played(world, |_, _| {});
        for kind in Kind::ALL {
            let count = held.keys().filter(|(held, _)| *held == kind).count();
            assert_eq!(terrarium.count(kind), count, "{kind} of {}", world.name);
            assert_eq!(terrarium.unreadable(kind).count(), 0);
        }
        consistent(world, held);
    }
}

/// Whether what is said of an agent agrees with what runs it.
fn consistent(world: &World, held: BTreeMap<(Kind, Key), Value>) {
    let start: BTreeMap<_, _> =
        world.objects.iter().map(|(kind, object)| ((*kind, key(object)), object.clone())).collect();
    for objects in [start, held] {
        for ((kind, key), object) in &objects {
            let agent = object["metadata"]["labels"][LABEL_AGENT].as_str().unwrap_or_default();
            let agent = Key::new(key.namespace(), agent);
            let is_there = objects.contains_key(&(Kind::Agent, agent.clone()));
            match kind {
                Kind::Pod | Kind::Deployment | Kind::Umwelt => assert!(is_there, "{kind} {key} has no agent"),
                Kind::Agent if objects.contains_key(&(Kind::Deployment, key.clone())) => {
                    let deployment = &objects[&(Kind::Deployment, key.clone())];
                    let ready = &object["status"]["readyReplicas"];
                    assert_eq!(deployment["status"]["readyReplicas"], *ready, "{key}");
                    assert_eq!(deployment["spec"]["replicas"], object["spec"]["replicas"], "{key}");
                    assert_eq!(object["status"]["observedGeneration"], object["metadata"]["generation"], "{key}");
                    let pods = objects.iter().filter(|((kind, pod), object)| {
                        *kind == Kind::Pod
                            && pod.namespace() == key.namespace()
                            && object["metadata"]["labels"][LABEL_AGENT] == key.name()
                    });
                    let count = pods.filter(|(_, pod)| pod["status"]["conditions"][1]["status"] == "True").count();
                    assert_eq!(*ready, count, "{key}");
                }
                _ => {}
            }
        }
    }
}

/// Whether a text is a DNS label, as RFC 1123 has it.
fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.len() <= 63 && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether a text may be the value of a label.
fn is_label_value(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    text.len() <= 63 && text.chars().all(inner) && edge(text.chars().next()) && edge(text.chars().next_back())
}

#[test]
fn names_and_labels_are_what_kubernetes_demands() {
    for world in all() {
        let puts = world.timeline.iter().filter_map(|step| match &step.change {
            StepChange::Put { kind, object } => Some((*kind, object)),
            _ => None,
        });
        let mut uids = BTreeMap::new();
        for (kind, object) in world.objects.iter().map(|(kind, object)| (*kind, object)).chain(puts) {
            let key = key(object);
            assert!(is_label(key.namespace()), "{key}");
            let name = key.name();
            assert!(name.len() <= 253 && name.split('.').all(|part| is_label(part) || part.len() > 63), "{key}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'), "{key}");
            if kind == Kind::Agent {
                assert!(is_label(name) && name.starts_with(|c: char| c.is_ascii_lowercase()), "{key}");
            }
            for (label, value) in object["metadata"]["labels"].as_object().into_iter().flatten() {
                let value = value.as_str().unwrap();
                assert!(is_label_value(value), "{label}: {value}");
                assert!(is_label_value(label.rsplit('/').next().unwrap()), "{label}");
            }
            let uid = object["metadata"]["uid"].as_str().unwrap().to_owned();
            let owner = uids.insert(uid, (kind, key.clone()));
            assert!(owner.is_none_or(|owner| owner == (kind, key)), "two objects share a uid");
        }
    }
}
