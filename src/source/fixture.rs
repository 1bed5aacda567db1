//! Plays a recorded tree instead of asking anybody.
//!
//! A recording is a Ghost tree and `_meta/timeline.jsonl`. Its stamps are moved
//! so that its last sync is now, unless it says that they stay; then it is as
//! old as it says. Nothing in a file can fail the whole, as with any Ghost.

mod shift;
mod timeline;

use std::convert::Infallible;
use std::future::pending;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use kgents_store::bus::{Bus, Change, Control, Novelty};
use kgents_store::object::Decoded;
use kgents_store::timeline::StepChange;
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Kind, Layer, Rung, Thought, object};
use tokio::time::{Instant, sleep_until};

use self::shift::Shift;
use self::timeline::Timeline;
use crate::clock;
use crate::ghost::{Ghost, HEAD_FILE, Recorded};
use crate::options::{Fixture, Options};

impl Fixture {
    /// Whether there is something to play.
    ///
    /// # Errors
    /// In words: what is missing.
    pub fn check(&self) -> Result<(), String> {
        let path = self.path.display();
        if Ghost::at(&self.path).exists() {
            return Ok(());
        }
        match self.path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(format!("there is no folder {path}")),
            Err(error) => Err(format!("{path} cannot be looked into: {error}")),
            Ok(meta) if !meta.is_dir() => Err(format!("{path} is a file, and a fixture is a folder")),
            Ok(_) => {
                let inside = trees(&self.path);
                let more = if inside.is_empty() { String::new() } else { format!("; try {}", inside.join(", ")) };
                Err(format!("{path} is no fixture: it has no {HEAD_FILE}{more}"))
            }
        }
    }
}

/// The trees in a folder, in case that one of them was meant.
fn trees(folder: &Path) -> Vec<String> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut trees: Vec<String> =
        paths.filter(|path| Ghost::at(path).exists()).map(|path| path.display().to_string()).collect();
    trees.sort();
    trees.truncate(10);
    trees
}

/// Plays a tree, for ever: after the last step it stays as it is.
pub(crate) async fn play(fixture: &Fixture, options: &Options, bus: &Bus) -> Infallible {
    let Fixture { path, speed } = fixture.clone();
    let namespace = options.namespace.clone().filter(|_| !options.all_namespaces);
    let read = tokio::task::spawn_blocking(move || Recording::read(&path, namespace, clock::now()));
    let recording = match read.await {
        Ok(recording) => recording,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => return pending().await,
    };
    let Recording { scene, rung, kinds, thoughts, timeline, shift } = recording;
    let namespace = scene.namespace.clone();
    bus.control(Control::Scene(scene)).await;
    // Who speaks is said last: then all of it is there.
    for (kind, objects, watch) in kinds {
        for object in objects {
            bus.state(change(kind, object, Novelty::Initial)).await;
        }
        bus.control(Control::Watch(kind, watch)).await;
    }
    for thought in &thoughts {
        bus.thought(thought);
    }
    bus.control(Control::Rung(Layer::Fixture, rung)).await;
    bus.control(Control::Speaks(Some(Layer::Fixture))).await;
    if speed > 0.0 {
        follow(&timeline, &shift.at_speed(speed), speed, namespace.as_deref(), bus).await;
    }
    pending().await
}

/// Plays what happens then.
async fn follow(timeline: &Timeline, shift: &Shift, speed: f64, namespace: Option<&str>, bus: &Bus) {
    let start = Instant::now();
    for (offset_ms, line) in timeline.lines() {
        let after = Duration::try_from_secs_f64(offset_ms as f64 / 1_000.0 / speed).ok();
        // What is too far away for any clock never comes.
        let Some(at) = after.and_then(|after| start.checked_add(after)) else { return };
        sleep_until(at).await;
        // Who looks wants to run as well, however fast this is.
        tokio::task::yield_now().await;
        let told = kgents_store::timeline::step(line).and_then(|step| happening(step.change, shift));
        // What cannot be read was told when the timeline was, and is not here.
        if let Ok(happening) = told {
            let is_here = |other: &str| namespace.is_none_or(|namespace| namespace == other);
            match happening {
                Happening::Change(change) if is_here(change.key.namespace()) => bus.state(change).await,
                Happening::Thought(thought) if is_here(thought.key.namespace()) => bus.thought(&thought),
                Happening::Change(_) | Happening::Thought(_) => {}
            }
        }
    }
}

/// What happens, ready to be told.
enum Happening {
    Change(Change),
    Thought(Thought),
}

/// Reads and cleans what a line says.
///
/// # Errors
/// In words: what is wrong with it.
fn happening(said: StepChange, shift: &Shift) -> Result<Happening, String> {
    Ok(match said {
        StepChange::Put { kind, object: mut json } => {
            shift.value(&mut json);
            Happening::Change(change(kind, object::decode(kind, &json.to_string())?, Novelty::News))
        }
        StepChange::Gone { kind, key } => Happening::Change(Change { kind, key, now: None, novelty: Novelty::News }),
        StepChange::Thought(thought) => Happening::Thought(shift.thought(thought.cleaned())),
    })
}

fn change(kind: Kind, object: Decoded, novelty: Novelty) -> Change {
    Change { kind, key: object.key.clone(), now: Some(object), novelty }
}

/// What is played.
struct Recording {
    scene: Scene,
    rung: Rung,
    kinds: Vec<(Kind, Vec<Decoded>, Watch)>,
    thoughts: Vec<Thought>,
    timeline: Timeline,
    shift: Shift,
}

impl Recording {
    /// Reads a tree, as of now. It never fails: what is wrong is a note.
    fn read(path: &Path, namespace: Option<String>, now: Timestamp) -> Self {
        let Recorded { memory, shifts, timeline } = Ghost::at(path).recorded(namespace.as_deref());
        let times = memory.kinds.values().map(|remembered| remembered.as_of).chain(memory.thoughts_as_of);
        let shift = match times.max() {
            Some(moment) if shifts => Shift::between(moment, now),
            _ => Shift::none(),
        };
        let mut notes: Vec<String> = memory.problems.iter().map(ToString::to_string).collect();
        let (timeline, bad) = Timeline::read(timeline);
        notes.extend(bad);
        let folder = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let context = Some(memory.scene.context).filter(|context| !context.is_empty()).unwrap_or(folder);
        let heard = |as_of: Option<Timestamp>| {
            let as_of = as_of.map(|as_of| shift.moved(as_of).min(now));
            // What stays as old as it is is not followed.
            let state = if shifts && as_of.is_some() { WatchState::Live } else { WatchState::Waiting };
            Watch { state, as_of, refused: Vec::new() }
        };
        let mut known = memory.kinds;
        let kinds = Kind::ALL.map(|kind| {
            let remembered = known.remove(&kind);
            let as_of = match kind {
                Kind::Event => memory.thoughts_as_of,
                _ => remembered.as_ref().map(|remembered| remembered.as_of),
            };
            let objects = remembered.map(|remembered| remembered.objects).unwrap_or_default();
            let moved = objects.into_iter().map(|object| shift.object(kind, object)).collect();
            (kind, moved, heard(as_of))
        });
        Self {
            scene: Scene { context, server: String::new(), namespace },
            rung: Rung { address: path.display().to_string(), link: Link::Up { version: String::new() }, notes },
            kinds: kinds.into(),
            thoughts: memory.thoughts.into_iter().map(|thought| shift.thought(thought)).collect(),
            timeline,
            shift,
        }
    }
}

#[cfg(test)]
mod tests;
