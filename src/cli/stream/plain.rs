//! Lines of text: time, kind, key and what; thoughts as time, who and text.

use std::collections::BTreeMap;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kgents_core::age;
use kgents_store::object::Object;
use kgents_store::terrarium::{Delta, Fate};
use kgents_store::watch::{Link, Scene, WatchState};
use kgents_store::{Key, Kind, Layer, Terrarium};

use crate::envelope::trust;
use crate::failure::Failure;
use crate::follow::{Follow, News};
use crate::rows;
use crate::table::{Row, one_line};
use crate::words;

/// Tells everything as lines of text.
pub(crate) struct Plain {
    zone: TimeZone,
    heard: u64,
    dropped: u64,
    deaths: u64,
    scene: Option<Scene>,
    links: BTreeMap<Layer, Link>,
    speaks: Option<Layer>,
    /// What is told to be wrong with a kind.
    troubles: BTreeMap<Kind, WatchState>,
}

impl Plain {
    /// Tells in local time, or in UTC.
    pub(crate) fn new(utc: bool) -> Self {
        Self {
            zone: if utc { TimeZone::UTC } else { TimeZone::system() },
            heard: 0,
            dropped: 0,
            deaths: 0,
            scene: None,
            links: BTreeMap::new(),
            speaks: None,
            troubles: BTreeMap::new(),
        }
    }

    fn clock(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Tells what one turn brought.
    pub(crate) fn tell(&mut self, out: &mut dyn Write, follow: &Follow, news: &News) -> Result<(), Failure> {
        let terrarium = &follow.terrarium;
        if news.outcome.sources {
            self.sources(out, terrarium, news.now)?;
        }
        let lines = Lines::of(follow, news);
        let at = self.clock(news.now);
        for delta in news.outcome.deltas.iter().filter(|delta| !follow.is_history(delta.kind, &delta.key)) {
            writeln!(out, "{at} {} {} {}", delta.kind, delta.key, one_line(&lines.what(delta)))?;
        }
        if news.outcome.thoughts {
            let (new, heard) = super::new_thoughts(terrarium, self.heard);
            for thought in new {
                writeln!(out, "{} {} {}", self.clock(thought.at), thought.who, one_line(&thought.text))?;
            }
            self.heard = heard;
            let dropped = terrarium.events_dropped();
            if dropped > self.dropped {
                writeln!(
                    out,
                    "{at} Source {} {} Events were dropped",
                    terrarium.layer().map_or("none", Layer::as_str),
                    dropped - self.dropped
                )?;
                self.dropped = dropped;
            }
        }
        Ok(())
    }

    /// Tells which layers answer, and who speaks.
    fn layers(&mut self, out: &mut dyn Write, terrarium: &Terrarium, now: Timestamp) -> io::Result<()> {
        let at = self.clock(now);
        for layer in Layer::ASKED {
            let Some(link) = terrarium.rung(layer).map(|rung| &rung.link) else { continue };
            let before = self.links.insert(layer, link.clone());
            // That there is no Cortex or nothing to remember is no news where
            // there is another layer to ask.
            let other = layer != Layer::Kube && terrarium.rung(Layer::Kube).is_some();
            let was_up = matches!(before, Some(Link::Up { .. }));
            let quiet = match link {
                Link::Connecting => true,
                Link::Up { .. } => layer == Layer::Ghost,
                Link::Down { .. } => other && !was_up,
            };
            if !quiet && before.as_ref() != Some(link) {
                writeln!(out, "{at} Source {layer} {}", one_line(&words::link(link)))?;
            }
        }
        let speaks = terrarium.layer();
        if self.speaks != speaks {
            let said = match (speaks, trust(terrarium, now)) {
                (Some(Layer::Ghost), Some((as_of, freshness))) => {
                    format!("ghost speaks: {} old, {freshness}", age::text(now.duration_since(as_of)))
                }
                (Some(layer), _) => format!("{layer} speaks"),
                (None, _) => "none speaks".to_owned(),
            };
            writeln!(out, "{at} Source {said}")?;
            self.speaks = speaks;
        }
        Ok(())
    }

    /// Tells how it is now otherwise with the sources.
    fn sources(&mut self, out: &mut dyn Write, terrarium: &Terrarium, now: Timestamp) -> io::Result<()> {
        let at = self.clock(now);
        let scene = terrarium.scene();
        if *scene != Scene::default() && self.scene.as_ref() != Some(scene) {
            writeln!(out, "{at} Source looking at {}", words::scene(scene))?;
            self.scene = Some(scene.clone());
        }
        self.layers(out, terrarium, now)?;
        let link = terrarium.link();
        let layer = terrarium.layer().map_or("none", Layer::as_str);
        // Kinds of which the same is to be said share a line.
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for kind in Kind::ALL {
            let state = terrarium.watch(kind).state;
            // That a kind is heard goes without saying unless it was not; that
            // none is when nobody answers has been said of the link.
            let tell = match &state {
                WatchState::Waiting | WatchState::Listing => false,
                WatchState::Live => self.troubles.remove(&kind).is_some(),
                WatchState::Failing { .. } if !matches!(link, Link::Up { .. }) => false,
                _ => self.troubles.insert(kind, state.clone()).as_ref() != Some(&state),
            };
            if tell {
                words::group(&mut said, words::watch(kind, &state), kind.plural());
            }
        }
        for (words, kinds) in said {
            writeln!(out, "{at} Source {} {}", kinds.join(","), one_line(&words))?;
        }
        if let Some((task, error)) = terrarium.death().filter(|_| terrarium.died() > self.deaths) {
            writeln!(out, "{at} Source {layer} the task {task} died and is started anew: {}", one_line(error))?;
        }
        self.deaths = terrarium.died();
        Ok(())
    }
}

/// The rows of the kinds that changed, looked up by key.
struct Lines {
    rows: BTreeMap<(Kind, Key), String>,
    facts: BTreeMap<(Kind, Key), String>,
}

impl Lines {
    fn of(follow: &Follow, news: &News) -> Self {
        let changed = |kind: Kind| news.outcome.deltas.iter().any(|delta| delta.kind == kind);
        let mut rows = BTreeMap::new();
        for kind in Kind::CUSTOM.into_iter().filter(|kind| changed(*kind)) {
            let columns = rows::columns(kind, false, false);
            for (key, row) in rows::rows(&follow.terrarium, kind, false, false, news.now) {
                rows.insert((kind, key), sentence(&columns, &row));
            }
        }
        let facts = news
            .changes
            .iter()
            .filter_map(|(id, change)| Some((id.clone(), fact(&change.now.as_ref()?.object)?)))
            .collect();
        Self { rows, facts }
    }

    fn what(&self, delta: &Delta) -> String {
        let id = (delta.kind, delta.key.clone());
        match delta.fate {
            Fate::Deleted => "deleted".to_owned(),
            Fate::Faded => "faded".to_owned(),
            Fate::Applied => self.rows.get(&id).or_else(|| self.facts.get(&id)).cloned().unwrap_or_default(),
        }
    }
}

/// A row as words: the name is told already, the age would be out of date.
fn sentence(columns: &[&str], row: &Row) -> String {
    match row {
        Row::Note(_, note) => note.clone(),
        Row::Cells(cells) => columns
            .iter()
            .zip(cells)
            .filter(|(column, cell)| !matches!(**column, "NAME" | "AGE") && *cell != crate::table::NOTHING)
            .map(|(column, cell)| match *column {
                "PHASE" | "TYPE" | "CHANGE" | "PAYLOAD" | "WHY" | "NEEDS" | "INTENSITY" => cell.clone(),
                "TARGET" => format!("to {cell}"),
                "SOURCE" | "OWNER" | "AGENT" => format!("of {cell}"),
                other => format!("{} {cell}", other.to_lowercase()),
            })
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn fact(object: &Object) -> Option<String> {
    let with = |text: String, trouble: &Option<String>| match trouble {
        Some(trouble) => format!("{text}, {trouble}"),
        None => text,
    };
    match object {
        Object::Deployment(facts) => Some(with(
            format!("{} of {} ready, {} up to date", facts.ready, facts.wanted, facts.updated),
            &facts.trouble,
        )),
        Object::Pod(facts) => {
            let (ready, all) = (facts.ready, facts.containers);
            let restarts = match facts.restarts {
                0 => String::new(),
                1 => ", 1 restart".to_owned(),
                count => format!(", {count} restarts"),
            };
            Some(with(format!("{}, {ready} of {all} ready{restarts}", facts.phase), &facts.trouble))
        }
        _ => None,
    }
}
