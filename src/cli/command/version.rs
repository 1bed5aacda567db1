//! `kgents version`: ours and the API server's.

use kgents_source::{Client, SourceError};
use serde_json::json;

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::output::{self, Format};
use crate::runtime::block_on;

/// Our version.
pub(crate) const OURS: &str = env!("CARGO_PKG_VERSION");

const HELP: &str = "\
Examples:
  kgents version                       # ours and the API server's
  kgents version --client              # ours alone; asks nobody
  kgents version --json

Ours is printed in any case. When the API server's cannot be had, standard
error says why, and the exit code is 4 if it could not be reached, else 1.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Only our own version.
    #[arg(long)]
    client: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Whether nobody is asked.
    pub(crate) const fn is_client(&self) -> bool {
        self.client
    }
}

/// Prints the versions.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    if args.client {
        if args.json {
            output::data(io.out, Format::Json, &json!({ "client": { "version": OURS } }))?;
        } else {
            writeln!(io.out, "kgents {OURS}")?;
        }
        return Ok(Code::Ok);
    }
    let server =
        block_on(async { Ok(async { Client::connect(&global.source()).await?.server_version().await }.await) })?;
    if args.json {
        let (version, error) = match &server {
            Ok(version) => (Some(version), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let server = version.map(|version| json!({ "version": version }));
        let mut answer = json!({ "client": { "version": OURS }, "server": server });
        if let (Some(error), Some(answer)) = (error, answer.as_object_mut()) {
            answer.insert("error".to_owned(), error.into());
        }
        output::data(io.out, Format::Json, &answer)?;
    } else {
        writeln!(io.out, "kgents {OURS}")?;
        if let Ok(version) = &server {
            writeln!(io.out, "Kubernetes {version}")?;
        }
    }
    match server {
        Ok(_) => Ok(Code::Ok),
        Err(error) => Err(unknown(error)),
    }
}

fn unknown(error: SourceError) -> Failure {
    let sentence = format!("the API server's version is not known: {error}");
    match Failure::from(error) {
        Failure::Said { notes, hint, code, .. } => Failure::Said { sentence, notes, hint, code },
        closed @ Failure::Closed => closed,
    }
}
