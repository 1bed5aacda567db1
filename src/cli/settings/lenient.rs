//! Reading the settings for who looks for what is wrong with them: what is
//! right counts, and the rest is told.

use std::sync::mpsc;
use std::time::Duration;

use super::environment::Env;
use super::file::{self, Place, Problem};
use super::layers::{self, Layer};
use super::{Settings, keys, shown};
use crate::args::Global;
use crate::failure::Failure;

/// What was read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// What holds, as far as it can be read.
    pub(crate) settings: Settings,
    /// Where the file is; `None` without a home.
    pub(crate) place: Option<Place>,
    /// How many keys it sets; `None` if it is not there.
    pub(crate) keys: Option<usize>,
    /// All that is wrong, in the file first.
    pub(crate) problems: Vec<Problem>,
    /// What is odd.
    pub(crate) warnings: Vec<String>,
}

/// Reads everything, aside: a file may be a pipe, or on a slow disk.
///
/// # Errors
/// When the system gives us no thread.
pub(crate) fn read_within(global: &Global, limit: Duration) -> Result<Reading, Failure> {
    let (done, read) = mpsc::sync_channel(1);
    let own = global.clone();
    let env = Env::system();
    let place = Place::of(global.config.as_deref(), &env);
    let look = {
        let place = place.clone();
        move || drop(done.send(self::read(&own, place, &env)))
    };
    std::thread::Builder::new()
        .name("settings".to_owned())
        .spawn(look)
        .map_err(|error| Failure::new(format!("no thread can be started: {error}")))?;
    Ok(read.recv_timeout(limit).unwrap_or_else(|_| {
        let name = place.as_ref().map_or_else(|| "the configuration".to_owned(), |place| shown(&place.path));
        let problem = Problem::new(name, format!("it was not read within {limit:?}"));
        Reading { settings: layers::of_flags(global), place, problems: vec![problem], ..Reading::default() }
    }))
}

/// The same, for as long as it takes.
pub(crate) fn read(global: &Global, place: Option<Place>, env: &Env) -> Reading {
    let mut reading = Reading::default();
    let known = keys::all();
    let text = place.as_ref().and_then(|place| {
        let text = place.read().unwrap_or_else(|problem| {
            reading.problems.push(problem);
            None
        });
        text.map(|text| (text, place))
    });
    let mut from_file = Layer::default();
    if let Some((text, place)) = text {
        let (layer, problems) = file::parse(&text, &place.path, &known, env);
        reading.keys = Some(layer.len());
        reading.problems.extend(problems);
        from_file = layer;
    }
    let (from_env, problems, warnings) = env.layer(&known);
    reading.problems.extend(problems);
    reading.warnings = warnings;
    reading.settings = layers::combine(global, from_file, from_env, env).unwrap_or_else(|problem| {
        reading.problems.push(problem);
        layers::of_flags(global)
    });
    if let Err(Failure::Said { sentence, .. }) = reading.settings.read_token() {
        let (key, problem) = sentence.split_once(": ").unwrap_or(("cortex.token_file", &sentence));
        reading.problems.push(Problem::new(key.to_owned(), problem.to_owned()));
    }
    reading.place = place;
    reading
}
