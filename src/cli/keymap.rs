//! The keymap that is set, and what is wrong with it.

use std::path::Path;

use kgents_tui::keymap::Keymap;

use crate::settings::file::Problem;
use crate::settings::layers::Layer;
use crate::settings::{KeymapName, Origin, Settings, shown};

/// The keymap that holds by these settings.
///
/// # Errors
/// All that is wrong with it; at least one thing is.
pub(crate) fn of(settings: &Settings) -> Result<Keymap, Vec<Problem>> {
    let origin = |name: &str| settings.origin(&full(name));
    Keymap::of(settings.window.keymap.as_str(), &settings.keys.0, |name| said(origin(name))).map_err(|wrongs| {
        let problem = |wrong: kgents_tui::keymap::Wrong| {
            let place = wrong.names.first().map_or_else(|| "window.keymap".to_owned(), |name| origin(name).to_string());
            Problem::new(place, wrong.sentence)
        };
        wrongs.into_iter().map(problem).collect()
    })
}

/// What is wrong with the keys in the text of a file, each by line and column.
pub(crate) fn check(text: &str, path: &Path, layer: &Layer) -> Vec<Problem> {
    let preset = layer.text("window.keymap").map_or(KeymapName::Default.as_str(), |(name, _)| name);
    let place = |name: &str| said(layer.origin(&full(name)).unwrap_or(&Origin::Default));
    let Err(wrongs) = Keymap::of(preset, &layer.chords().collect(), place) else { return Vec::new() };
    let problem = |wrong: kgents_tui::keymap::Wrong| {
        // Of two the later one, as who reads on meets it.
        let offset = wrong.names.iter().filter_map(|name| layer.offset(&full(name))).max();
        let problem = Problem { hint: Some("kgents config keys"), ..Problem::new(shown(path), wrong.sentence) };
        match offset {
            Some(offset) => problem.at(text, offset),
            None => problem,
        }
    };
    wrongs.into_iter().map(problem).collect()
}

/// The first problem as a sentence that tells of the others too.
pub(crate) fn first(problems: &[Problem]) -> Option<String> {
    let first = problems.first()?;
    Some(match problems.len() {
        1 => first.to_string(),
        all => format!("{first} (and {} more)", all - 1),
    })
}

fn full(name: &str) -> String {
    format!("keys.{name}")
}

/// Where keys of a person's own stand, in a few words.
fn said(origin: &Origin) -> String {
    match origin {
        Origin::File(_, line) => format!("in [keys], line {line}"),
        other => other.to_string(),
    }
}
