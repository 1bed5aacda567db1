//! NDJSON: each line one change, with its kind, key and revision.

use std::io::Write;

use jiff::Timestamp;
use kgents_core::freshness::Freshness;
use kgents_store::terrarium::{Delta, Fate};
use kgents_store::watch::{Link, Scene, Watch};
use kgents_store::{Key, Kind, Layer, Rung, Terrarium, Thought};
use serde::Serialize;
use serde_json::Value;

use crate::envelope::{Provenance, trust};
use crate::failure::Failure;
use crate::follow::{Follow, News};
use crate::{object, output};

#[derive(Serialize)]
struct ChangeLine<'a> {
    kind: Kind,
    key: &'a Key,
    namespace: &'a str,
    name: &'a str,
    revision: u64,
    change: &'static str,
    #[serde(flatten)]
    provenance: Provenance,
    object: Option<Value>,
}

#[derive(Serialize)]
struct ThoughtLine<'a> {
    kind: &'static str,
    key: String,
    revision: u64,
    #[serde(flatten)]
    provenance: Provenance,
    thought: &'a Thought,
}

#[derive(Serialize)]
struct SourceLine<'a> {
    kind: &'static str,
    key: &'static str,
    revision: u64,
    layer: Option<Layer>,
    as_of: Option<Timestamp>,
    freshness: Option<Freshness>,
    /// The layers that are asked, and how each stands.
    layers: Vec<LayerState<'a>>,
    scene: &'a Scene,
    link: &'a Link,
    kinds: Vec<KindState>,
    events_dropped: u64,
    death: Option<Death<'a>>,
}

/// How one layer stands.
#[derive(Serialize)]
struct LayerState<'a> {
    layer: Layer,
    address: &'a str,
    #[serde(flatten)]
    link: &'a Link,
    notes: &'a [String],
}

impl<'a> LayerState<'a> {
    fn all(terrarium: &'a Terrarium) -> Vec<Self> {
        let asked = Layer::ASKED.into_iter().chain([Layer::Fixture]);
        let state = |layer| {
            let Rung { address, link, notes } = terrarium.rung(layer)?;
            Some(Self { layer, address, link, notes })
        };
        asked.filter_map(state).collect()
    }
}

/// How one kind is heard.
#[derive(Serialize)]
pub(crate) struct KindState {
    kind: Kind,
    layer: Option<Layer>,
    #[serde(flatten)]
    watch: Watch,
}

impl KindState {
    /// How every kind is heard.
    pub(crate) fn all(terrarium: &Terrarium) -> Vec<Self> {
        let state = |kind| Self { kind, layer: terrarium.layer_of(kind), watch: terrarium.watch(kind) };
        Kind::ALL.into_iter().map(state).collect()
    }
}

#[derive(Serialize)]
struct Death<'a> {
    task: &'a str,
    error: &'a str,
}

/// Tells everything as lines of JSON.
#[derive(Default)]
pub(crate) struct Json {
    heard: u64,
}

impl Json {
    /// Tells what one turn brought.
    pub(crate) fn tell(&mut self, out: &mut dyn Write, follow: &Follow, news: &News) -> Result<(), Failure> {
        let terrarium = &follow.terrarium;
        if news.outcome.sources {
            let trust = trust(terrarium, news.now);
            let death = terrarium.death().map(|(task, error)| Death { task, error });
            output::line(
                out,
                &SourceLine {
                    kind: "Source",
                    key: terrarium.layer().map_or("none", Layer::as_str),
                    revision: terrarium.revision(),
                    layer: terrarium.layer(),
                    as_of: trust.map(|(as_of, _)| as_of),
                    freshness: trust.map(|(_, freshness)| freshness),
                    layers: LayerState::all(terrarium),
                    scene: terrarium.scene(),
                    link: terrarium.link(),
                    kinds: KindState::all(terrarium),
                    events_dropped: terrarium.events_dropped(),
                    death,
                },
            )?;
        }
        for delta in &news.outcome.deltas {
            change(out, follow, news, delta)?;
        }
        if news.outcome.thoughts {
            let (new, heard) = super::new_thoughts(terrarium, self.heard);
            self.heard = heard;
            for thought in new {
                let line = ThoughtLine {
                    kind: "Thought",
                    key: thought.seq.to_string(),
                    revision: terrarium.revision(),
                    provenance: Provenance::of(terrarium, Kind::Event, news.now),
                    thought,
                };
                output::line(out, &line)?;
            }
        }
        Ok(())
    }
}

/// Tells one change.
pub(crate) fn change(out: &mut dyn Write, follow: &Follow, news: &News, delta: &Delta) -> Result<(), Failure> {
    if follow.is_history(delta.kind, &delta.key) {
        return Ok(());
    }
    let object = match delta.fate {
        Fate::Deleted => None,
        _ => object_of(follow, news, delta),
    };
    output::line(out, &line(follow, delta, object, news.now))
}

fn line<'a>(follow: &Follow, delta: &'a Delta, object: Option<Value>, now: Timestamp) -> ChangeLine<'a> {
    ChangeLine {
        kind: delta.kind,
        key: &delta.key,
        namespace: delta.key.namespace(),
        name: delta.key.name(),
        revision: delta.revision,
        change: delta.fate.as_str(),
        provenance: match delta.fate {
            Fate::Faded => Provenance::of(&follow.terrarium, delta.kind, now),
            Fate::Applied | Fate::Deleted => Provenance::heard(&follow.terrarium, delta.kind, now),
        },
        object,
    }
}

/// The object of a change: as it came, else as it is held.
pub(crate) fn object_of(follow: &Follow, news: &News, delta: &Delta) -> Option<Value> {
    let came = news.changes.get(&(delta.kind, delta.key.clone())).and_then(|change| change.now.as_ref());
    match came {
        Some(decoded) => Some(decoded.object.to_json()),
        None => object::json(&follow.terrarium, delta.kind, &delta.key),
    }
}
