//! `kgents signal sense`.

use kgents_api::PheromoneType;
use kgents_store::{Key, Kind, Terrarium, view};

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::gather::{self, Look};
use crate::io::Io;
use crate::output::{self, Format, Output};
use crate::runtime::block_on;
use crate::{value, words};

const HELP: &str = "\
Examples:
  kgents signal sense                  # the strongest first
  kgents signal sense --type WARNING --type SCARCITY --above 0.2
  kgents signal sense --target b-gent --json";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only signals of this type; may be given several times.
    #[arg(long = "type", value_name = "TYPE", ignore_case = true, value_parser = super::type_parser())]
    types: Vec<PheromoneType>,
    /// Only what this one emits.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only what this agent may sense: what is meant for it, or for everyone.
    #[arg(long, value_name = "AGENT")]
    target: Option<String>,
    /// Only what is stronger than this now, from 0 to 1.
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = value::share)]
    above: Option<f64>,
    #[command(flatten)]
    output: Output,
}

/// Lists what can be sensed.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let options = global.source();
    let look = block_on(async { gather::look(&options, Kind::Pheromone, None, &[]).await.of(Kind::Pheromone) })?;
    look.warn(Kind::Pheromone, io);
    let code = look.code();
    let Look { terrarium, now, .. } = look;
    let keys = sensed(args, &terrarium, now);
    let format = args.output.format();
    if keys.is_empty() && !matches!(format, Format::Json | Format::Yaml) {
        io.note(format_args!("Nothing to sense in {}.", words::scope(terrarium.scene())));
        return Ok(code);
    }
    let namespaces = global.all_namespaces || output::several_namespaces(&keys);
    output::list(io.out, format, &terrarium, Kind::Pheromone, &keys, namespaces, now)?;
    if matches!(format, Format::Table | Format::Wide) {
        gather::name_layer(&terrarium, Kind::Pheromone, now, io)?;
    }
    Ok(code)
}

fn sensed(args: &Args, terrarium: &Terrarium, now: jiff::Timestamp) -> Vec<Key> {
    view::alive(terrarium, now)
        .into_iter()
        .filter(|(_, held, strength)| {
            let spec = &held.held.object.spec;
            let meant = |agent: &String| spec.target.as_ref().is_none_or(|target| target == agent);
            (args.types.is_empty() || args.types.contains(&spec.type_))
                && args.source.as_ref().is_none_or(|source| *source == spec.source)
                && args.target.as_ref().is_none_or(meant)
                && args.above.is_none_or(|above| *strength > above)
        })
        .map(|(key, ..)| key.clone())
        .collect()
}
