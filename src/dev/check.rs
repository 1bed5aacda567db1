//! What every world has to keep, and what each of them promises.

mod laws;
mod promises;
mod text;

use std::fmt::Write;
use std::path::Path;
use std::sync::OnceLock;

use jiff::SignedDuration;
use kgents_store::bus::{Batch, Change, Novelty};
use kgents_store::{Key, Terrarium, object};

use super::*;
use crate::rng::fnv;

/// Every world, made once for all tests.
fn all() -> &'static [World] {
    static ALL: OnceLock<Vec<World>> = OnceLock::new();
    ALL.get_or_init(worlds)
}

/// The world of this name.
fn of(name: &str) -> World {
    all().iter().find(|world| world.name == name).unwrap().clone()
}

/// Everything in a world, as text.
fn bytes(world: &World) -> String {
    let mut text = format!("{} {}\n", world.name, world.now);
    for (kind, object) in &world.objects {
        writeln!(text, "{kind} {object}").unwrap();
    }
    for thought in &world.thoughts {
        text.push_str(&serde_json::to_string(thought).unwrap());
        text.push('\n');
    }
    text.push_str(&world.timeline_jsonl());
    text
}

/// The moment of a step.
fn moment(world: &World, step: &Step) -> Timestamp {
    world.now + SignedDuration::from_millis(step.offset_ms as i64)
}

/// The key of a whole object.
fn key(object: &Value) -> Key {
    let text = |field: &str| object["metadata"][field].as_str().unwrap();
    Key::new(text("namespace"), text("name"))
}

/// A terrarium that has read the world as it stood at its moment.
fn opened(world: &World) -> Terrarium {
    let mut terrarium = Terrarium::default();
    let change = |(kind, object): &(Kind, Value)| put(*kind, object, Novelty::Initial);
    let batch = Batch {
        changes: world.objects.iter().map(change).collect(),
        thoughts: world.thoughts.iter().cloned().map(Thought::cleaned).collect(),
        ..Batch::default()
    };
    terrarium.apply(batch, world.now);
    terrarium
}

fn put(kind: Kind, object: &Value, novelty: Novelty) -> Change {
    let decoded = object::decode(kind, &object.to_string()).unwrap();
    Change { kind, key: decoded.key.clone(), now: Some(decoded), novelty }
}

/// Plays the whole timeline, a step at a time, and looks after each.
fn played(world: &World, mut look: impl FnMut(&Terrarium, Timestamp)) -> Terrarium {
    let mut terrarium = opened(world);
    for step in &world.timeline {
        let now = moment(world, step);
        terrarium.tick(now);
        let mut batch = Batch::default();
        match &step.change {
            StepChange::Put { kind, object } => batch.changes.push(put(*kind, object, Novelty::News)),
            StepChange::Gone { kind, key } => {
                batch.changes.push(Change { kind: *kind, key: key.clone(), now: None, novelty: Novelty::News });
            }
            StepChange::Thought(thought) => batch.thoughts.push(thought.clone().cleaned()),
        }
        terrarium.apply(batch, now);
        look(&terrarium, now);
    }
    terrarium
}

#[test]
fn a_world_is_the_same_each_time_and_as_committed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds.txt");
    let line = |world: &World| {
        let World { name, objects, thoughts, timeline, .. } = world;
        let (objects, thoughts, steps) = (objects.len(), thoughts.len(), timeline.len());
        let text = bytes(world);
        format!("{name}: {objects} objects, {thoughts} thoughts, {steps} steps, {:016x}\n", fnv(&text))
    };
    let made: String = all().iter().map(line).collect();
    let again: String = MAKERS.iter().map(|(name, _)| line(&world(name).unwrap())).collect();
    assert_eq!(made, again);
    if std::env::var_os("KGENTS_BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        made, committed,
        "the worlds have changed: if that is meant, run KGENTS_BLESS=1 cargo test -p kgents-dev"
    );
}

#[test]
fn there_are_six_and_no_other() {
    let names: Vec<_> = all().iter().map(|world| world.name).collect();
    assert_eq!(names, ["busy", "empty", "stale", "corrupt", "wide-unicode", "huge"]);
    assert_eq!(world("Busy"), None);
}
