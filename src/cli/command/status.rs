//! `kgents status`: what is there, how well it is heard, what needs a person.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kgents_core::age;
use kgents_core::freshness::{Area, Freshness, freshness};
use kgents_source::{Client, SourceError, clock};
use kgents_store::view::{self, Attention};
use kgents_store::watch::{Link, Scene, WatchState};
use kgents_store::{Kind, Layer, Terrarium, bus};
use serde::Serialize;
use serde_json::Value;

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::gather;
use crate::io::Io;
use crate::output::{self, Format};
use crate::runtime::block_on;
use crate::stream::json::KindState;
use crate::table::one_line;
use crate::{value, words};

mod page;

const HELP: &str = "\
Examples:
  kgents status
  kgents status --json
  kgents status --wait=2m              # until the API server answers
  kgents status -n kgents-agents

Exit codes: 0 also when only some kinds can be read (the trouble is said);
1 when the API server answers but refuses us, or none of our kinds can be read,
as when the CRDs are not installed; 4 when nothing could be reached.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Try again until the API server answers, for a minute or as long as is said.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "60s", value_parser = value::duration)]
    wait: Option<Duration>,
}

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// Prints the status.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let status = block_on(async { Ok(ask(global, args.wait).await) })?;
    if args.json {
        output::data(io.out, Format::Json, &answer(&status.terrarium, status.now))?;
        return Ok(status.code());
    }
    page::write(io.out, &status.terrarium, status.now)?;
    match status.error {
        Some(error) => Err(error.into()),
        None => match code(&status.terrarium) {
            Code::Failed => Err(blind(&status.terrarium)),
            code => Ok(code),
        },
    }
}

/// That none of our kinds can be read.
fn blind(terrarium: &Terrarium) -> Failure {
    let every = |test: fn(&WatchState) -> bool| Kind::CUSTOM.into_iter().all(|kind| test(&terrarium.watch(kind).state));
    if every(|state| matches!(state, WatchState::Missing)) {
        Failure::new("the CRDs of kgents are not installed").hint("kgents crd install")
    } else if every(|state| matches!(state, WatchState::Forbidden { .. })) {
        Failure::new("you are not allowed to read anything of kgents").hint("kubectl auth can-i --list")
    } else {
        Failure::new("none of the kinds of kgents can be read").hint("kgents status --wait")
    }
}

/// What was found.
pub(crate) struct Status {
    pub(crate) terrarium: Terrarium,
    pub(crate) now: Timestamp,
    /// Why the API server did not answer, if it did not.
    error: Option<SourceError>,
    /// It answers, but some of it is not there yet, as when it has just begun.
    unready: bool,
}

async fn ask(global: &Global, wait: Option<Duration>) -> Status {
    let began = clock::now();
    let limit = wait.map(|wait| SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
    let mut pause = PAUSES.0;
    loop {
        let status = once(global).await;
        let waited = status.now.duration_since(began);
        // What it answers when it refuses us will not change by waiting.
        let deaf = status.unready || status.error.as_ref().is_some_and(SourceError::is_unreachable);
        if !deaf || limit.is_none_or(|limit| waited >= limit) {
            return status;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

async fn once(global: &Global) -> Status {
    let options = global.source();
    let client = match Client::connect(&options).await {
        Ok(client) => client,
        Err(error) => return Status::down(kgents_source::scene(&options).unwrap_or_default(), error),
    };
    let look = gather::look(&client, Kind::Agent, None, &Kind::ALL[1..]);
    let (version, look) = tokio::join!(client.server_version(), look);
    match version {
        Ok(version) => Status {
            unready: look.errors.values().any(SourceError::is_unreachable),
            ..Status::up(look.terrarium, version, look.now)
        },
        Err(error) => Status::down(client.scene().clone(), error),
    }
}

impl Status {
    /// The API server answers.
    fn up(mut terrarium: Terrarium, version: String, now: Timestamp) -> Self {
        let control = vec![bus::Control::Link(Link::Up { version })];
        terrarium.apply(bus::Batch { control, ..bus::Batch::default() }, now);
        Self { terrarium, now, error: None, unready: false }
    }

    /// It does not.
    fn down(scene: Scene, error: SourceError) -> Self {
        let now = clock::now();
        let link = Link::Down { since: now, error: error.to_string(), hint: error.hint().unwrap_or_default() };
        let mut terrarium = Terrarium::default();
        let control = vec![bus::Control::Scene(scene), bus::Control::Link(link)];
        terrarium.apply(bus::Batch { control, ..bus::Batch::default() }, now);
        Self { terrarium, now, error: Some(error), unready: false }
    }

    fn code(&self) -> Code {
        match &self.error {
            Some(error) if error.is_unreachable() => Code::Unreachable,
            Some(_) => Code::Failed,
            None => code(&self.terrarium),
        }
    }
}

/// The exit code that what is known deserves: 4 when nothing answers, 1 when
/// the API server answers but none of our kinds can be read.
pub(crate) fn code(terrarium: &Terrarium) -> Code {
    let is_read = |kind: &Kind| terrarium.watch(*kind).as_of.is_some();
    match terrarium.link() {
        Link::Up { .. } if Kind::CUSTOM.iter().any(is_read) => Code::Ok,
        Link::Up { .. } => Code::Failed,
        Link::Connecting | Link::Down { .. } => Code::Unreachable,
    }
}

/// When the oldest of what is shown was verified, and how far all of it can
/// be trusted. `None` when nothing answered.
fn trust(terrarium: &Terrarium, now: Timestamp) -> Option<(Timestamp, Freshness)> {
    if !matches!(terrarium.link(), Link::Up { .. }) {
        return None;
    }
    let read = Kind::ALL.into_iter().filter(|kind| terrarium.watch(*kind).as_of.is_some());
    let as_of = read.clone().filter_map(|kind| terrarium.as_of(kind, now)).min().unwrap_or(now);
    let worst = read.filter_map(|kind| terrarium.freshness(kind, now)).max();
    Some((as_of, worst.unwrap_or_else(|| freshness(Area::Cluster, SignedDuration::ZERO, 0.0))))
}

/// The contract: `{layer, as_of, freshness, layers, counts, attention}`.
#[derive(Serialize)]
struct Answer {
    layer: Option<Layer>,
    as_of: Option<Timestamp>,
    freshness: Option<Freshness>,
    layers: Vec<LayerState>,
    counts: Value,
    attention: Vec<Attention>,
}

/// How one layer stands.
#[derive(Serialize)]
struct LayerState {
    layer: Layer,
    address: Option<String>,
    context: Option<String>,
    /// The one namespace that is read; none for all.
    namespace: Option<String>,
    up: bool,
    version: Option<String>,
    error: Option<String>,
    hint: Option<String>,
    kinds: Vec<KindState>,
}

fn answer(terrarium: &Terrarium, now: Timestamp) -> Answer {
    let trust = trust(terrarium, now);
    Answer {
        layer: trust.map(|_| terrarium.layer()),
        as_of: trust.map(|(as_of, _)| as_of),
        freshness: trust.map(|(_, freshness)| freshness),
        layers: vec![layer(terrarium)],
        counts: counts(terrarium, now),
        attention: view::attention(terrarium, now),
    }
}

fn layer(terrarium: &Terrarium) -> LayerState {
    let scene = terrarium.scene();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (version, error, hint) = match terrarium.link() {
        Link::Up { version } => (some(version), None, None),
        Link::Down { error, hint, .. } => (None, some(error), some(hint)),
        Link::Connecting => (None, Some("no answer yet".to_owned()), None),
    };
    LayerState {
        layer: terrarium.layer(),
        address: some(&scene.server),
        context: some(&scene.context),
        namespace: scene.namespace.clone(),
        up: matches!(terrarium.link(), Link::Up { .. }),
        version,
        error,
        hint,
        kinds: KindState::all(terrarium),
    }
}

/// How much there is. What could not be read is null, not zero.
fn counts(terrarium: &Terrarium, now: Timestamp) -> Value {
    let mut counts = serde_json::to_value(view::counts(terrarium, now)).unwrap_or_default();
    if let Some(counts) = counts.as_object_mut() {
        let unknown = |kind: &Kind| terrarium.watch(*kind).as_of.is_none();
        if Kind::CUSTOM.iter().all(unknown) {
            counts.insert("unreadable".to_owned(), Value::Null);
        }
        for kind in Kind::CUSTOM.into_iter().filter(unknown) {
            for (name, count) in counts.iter_mut() {
                if name == kind.plural() || name.strip_prefix(kind.plural()).is_some_and(|rest| rest.starts_with('_')) {
                    *count = Value::Null;
                }
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests;
