//! `kgents status`: what is there, how well it is heard, what needs a person.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kgents_core::age;
use kgents_core::freshness::Freshness;
use kgents_source::{SourceError, clock, ghost};
use kgents_store::view::{self, Attention};
use kgents_store::watch::{Link, WatchState};
use kgents_store::{Kind, Layer, Terrarium};
use serde::Serialize;
use serde_json::Value;

use crate::args::Global;
use crate::envelope::trust;
use crate::failure::{Code, Failure};
use crate::gather::{self, Look};
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
  kgents status --wait=2m              # until something live answers
  kgents status -n kgents-agents

Exit codes: 0 also when only some kinds can be read (the trouble is said);
1 when the API server answers but refuses us, or none of our kinds can be read,
as when the CRDs are not installed; 3 when only the Ghost answers; 4 when nothing
does. What is hung is waited for no longer than half a second.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Try again until something live answers, for a minute or as long as is said.
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "60s", value_parser = value::duration)]
    wait: Option<Duration>,
}

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));
/// How long a live answer may take where nobody waits for one: what is hung
/// costs no more than this.
const PATIENCE: Duration = Duration::from_millis(500);

/// Prints the status.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let mut look = block_on(async { Ok(ask(global, args.wait).await) })?;
    if args.json {
        output::data(io.out, Format::Json, &answer(&look.terrarium, look.now))?;
        remember(global, &look, io)?;
        return Ok(code(&look));
    }
    page::write(io.out, &look.terrarium, look.now)?;
    remember(global, &look, io)?;
    if look.terrarium.layer().is_none() {
        return Err(gather::blind(&mut look.failures));
    }
    look.warn(Kind::Agent, io);
    match code(&look) {
        Code::Failed => Err(blind(&look.terrarium)),
        code => Ok(code),
    }
}

/// Gives a live answer to the Ghost. Nobody waits for that: what was asked for
/// is printed first, and what goes wrong is logged.
fn remember(global: &Global, look: &Look, io: &mut Io<'_>) -> Result<(), Failure> {
    io.out.flush()?;
    let options = global.source();
    let folder = options.ghost.filter(|_| options.keep_ghost && look.terrarium.is_live());
    if let Some(folder) = folder
        && let Err(error) = ghost::write_once(&folder, &look.terrarium, look.now)
    {
        tracing::warn!(%error, "the Ghost has not got this answer");
    }
    Ok(())
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

async fn ask(global: &Global, wait: Option<Duration>) -> Look {
    let began = clock::now();
    let limit = wait.map(|wait| SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX));
    let patience = if wait.is_some() { None } else { Some(PATIENCE) };
    let options = global.source();
    let mut pause = PAUSES.0;
    loop {
        let look = gather::everything(&options, patience).await;
        let waited = look.now.duration_since(began);
        if !is_deaf(&look) || limit.is_none_or(|limit| waited >= limit) {
            return look;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSES.1);
    }
}

/// Whether waiting may help: nothing live answers, or some of it is not there
/// yet, as when it has just begun. Who refuses us will not change its mind.
fn is_deaf(look: &Look) -> bool {
    match look.terrarium.layer() {
        Some(layer) if layer.is_live() => look.errors.values().any(SourceError::is_unreachable),
        Some(_) => true,
        None => look.failures.iter().all(|(_, error)| error.is_unreachable()),
    }
}

/// The exit code of what was found.
fn code(look: &Look) -> Code {
    let refused = look.failures.iter().any(|(_, error)| !error.is_unreachable());
    match code_of(&look.terrarium) {
        Code::Unreachable if refused => Code::Failed,
        code => code,
    }
}

/// The exit code that what is known deserves: 4 when nobody answers, 3 when
/// only the Ghost does, 1 when none of our kinds can be read.
pub(crate) fn code_of(terrarium: &Terrarium) -> Code {
    let is_read = |kind: &Kind| terrarium.watch(*kind).as_of.is_some();
    match terrarium.layer() {
        None => Code::Unreachable,
        Some(_) if !Kind::CUSTOM.iter().any(is_read) => Code::Failed,
        Some(_) => gather::code(terrarium),
    }
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
    /// Whether it answers; null where there was no need to ask.
    up: Option<bool>,
    version: Option<String>,
    error: Option<String>,
    hint: Option<String>,
    kinds: Vec<KindState>,
}

fn answer(terrarium: &Terrarium, now: Timestamp) -> Answer {
    let trust = trust(terrarium, now);
    Answer {
        layer: terrarium.layer(),
        as_of: trust.map(|(as_of, _)| as_of),
        freshness: trust.map(|(_, freshness)| freshness),
        layers: layers(terrarium),
        counts: counts(terrarium, now),
        attention: view::attention(terrarium, now),
    }
}

/// How each layer stands, the best first. The kinds stand with who answered.
fn layers(terrarium: &Terrarium) -> Vec<LayerState> {
    let speaks = terrarium.layer();
    let fixture = speaks.filter(|layer| *layer == Layer::Fixture);
    Layer::ASKED.into_iter().chain(fixture).map(|layer| state(terrarium, layer, speaks == Some(layer))).collect()
}

fn state(terrarium: &Terrarium, layer: Layer, speaks: bool) -> LayerState {
    let scene = terrarium.scene();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let rung = terrarium.rung(layer);
    let (up, version, error, hint) = match rung.map(|rung| &rung.link) {
        Some(Link::Up { version }) => (Some(true), some(version), None, None),
        Some(Link::Down { error, hint, .. }) => (Some(false), None, some(error), some(hint)),
        Some(Link::Connecting) | None => (None, None, None, None),
    };
    let address = rung.and_then(|rung| some(&rung.address));
    LayerState {
        layer,
        address: address.or_else(|| some(&scene.server).filter(|_| layer == Layer::Kube)),
        context: some(&scene.context),
        namespace: scene.namespace.clone(),
        up,
        version,
        error,
        hint,
        kinds: if speaks { KindState::all(terrarium) } else { Vec::new() },
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
