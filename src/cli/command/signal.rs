//! `kgents signal`: emit a pheromone, sense those in the air.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use kgents_api::PheromoneType;

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;

pub(crate) mod emit;
pub(crate) mod sense;

const HELP: &str = "\
Examples:
  kgents signal emit WARNING 'the disk is nearly full' --source o-gent
  kgents signal sense --type WARNING --above 0.2";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Emit a pheromone: create it, now.
    Emit(emit::Args),
    /// List what can be sensed now, the strongest first. Sensing never writes.
    Sense(sense::Args),
}

/// Emits or senses.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        Action::Emit(args) => emit::run(args, global, io),
        Action::Sense(args) => sense::run(args, global, io),
    }
}

/// Reads a type of pheromone in any case; a wrong one gets the list of words.
fn type_parser() -> impl TypedValueParser<Value = PheromoneType> {
    let words = PheromoneType::ALL.iter().map(|type_| type_.as_str());
    PossibleValuesParser::new(words).try_map(|word| word.parse::<PheromoneType>())
}
