//! `kgents ghost`: how the last known state on disk stands, and bringing it
//! up to date.

use std::path::PathBuf;
use std::time::Duration;

use kgents_source::ghost::Ghost;
use kgents_source::{Options, SourceError, clock};
use kgents_store::Layer;
use serde_json::json;

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::output::{self, Format};
use crate::value;

mod daemon;
mod page;
mod sync;

pub(super) use page::size;

const HELP: &str = "\
Examples:
  kgents ghost status                  # how old each area is, and what cannot be read
  kgents ghost sync                    # write what there is now
  kgents ghost sync --daemon           # and go on doing so
  jq .data.spec \"$(kgents ghost path)\"/agents/b-gent.json

The Ghost is a folder of JSON files, $KGENTS_GHOST_DIR or ~/.kgents/ghost. Every
command that finds nothing live reads it; observe keeps it current meanwhile.";

const STATUS_HELP: &str = "\
Examples:
  kgents ghost status
  kgents ghost status --context kind-garden
  kgents ghost status --json | jq '.areas[] | select(.freshness == \"OLD\")'

Exit codes: 0 when all of it can be read, 1 when something cannot, 4 when there
is nothing.";

const SYNC_HELP: &str = "\
Examples:
  kgents ghost sync
  kgents ghost sync --layer kube
  kgents ghost sync --daemon --interval 30s

It looks at all namespaces that you may read, whatever namespace is set
otherwise. Only what is live is written; what nobody answers for stays as it is.
One process writes at a time: where another keeps the tree current, that is well.
The daemon ends at ctrl-c or SIGTERM, and writes once more what it knows.";

const PATH_HELP: &str = "\
Examples:
  kgents ghost path
  grep -rl CrashLoopBackOff \"$(kgents ghost path)\"";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Say how old each area is, how far it can be trusted and what cannot be read.
    #[command(after_help = STATUS_HELP)]
    Status,
    /// Write what there is now, of all namespaces.
    #[command(after_help = SYNC_HELP)]
    Sync(Sync),
    /// Print the folder of the context that is looked at.
    #[command(after_help = PATH_HELP)]
    Path,
}

#[derive(clap::Args, Clone, Copy, Debug)]
struct Sync {
    /// Follow what there is, and keep the Ghost current until stopped.
    #[arg(long)]
    daemon: bool,
    /// How often an area is written at most, such as 30s [default: 1s].
    #[arg(long, value_name = "DURATION", requires = "daemon", value_parser = interval)]
    interval: Option<Duration>,
}

/// The shortest time between two writes of one area.
const SHORTEST: Duration = Duration::from_secs(1);

fn interval(text: &str) -> Result<Duration, String> {
    match value::duration(text)? {
        interval if interval < SHORTEST => Err("an area is written once a second at most".to_owned()),
        interval => Ok(interval),
    }
}

/// Shows, syncs or finds.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        Action::Status => status(args.json, global, io),
        Action::Path => path(args.json, global, io),
        Action::Sync(sync) => {
            let (options, folder) = whole(global)?;
            if sync.daemon {
                daemon::run(options, folder, sync.interval.unwrap_or(SHORTEST), args.json, io)
            } else {
                sync::run(&options, &folder, args.json, io)
            }
        }
    }
}

/// How to look at everything, and where that is written.
fn whole(global: &Global) -> Result<(Options, PathBuf), Failure> {
    let refuse = |sentence: &str| Err(Failure::new(sentence).hint("kgents ghost sync").code(Code::Usage));
    if global.namespace.is_some() {
        return refuse("the Ghost holds all namespaces, so a sync takes no --namespace");
    }
    let options = Options { namespace: None, all_namespaces: true, keep_ghost: false, ..global.source() };
    if options.layer == Some(Layer::Ghost) {
        return refuse("only what is live is written, and the Ghost is not");
    }
    let folder = options.ghost.clone().ok_or_else(homeless)?;
    Ok((options, folder))
}

fn homeless() -> Failure {
    SourceError::NoGhost { path: "~/.kgents/ghost".into(), problem: "has no home".to_owned() }.into()
}

fn tree(global: &Global) -> Result<Ghost, Failure> {
    Ok(kgents_source::ghost_tree(&global.source())?)
}

fn path(json: bool, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let ghost = tree(global)?;
    if json {
        let answer = json!({ "path": ghost.path(), "context": ghost.context(), "exists": ghost.exists() });
        return output::data(io.out, Format::Json, &answer).map(|()| Code::Ok);
    }
    writeln!(io.out, "{}", ghost.path().display())?;
    if !ghost.exists() {
        io.note("nothing was written there yet");
    }
    Ok(Code::Ok)
}

fn status(json: bool, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let ghost = tree(global)?;
    let now = clock::now();
    let status = ghost.status(now);
    let code = match (status.exists, status.problems.is_empty()) {
        (_, false) => Code::Failed,
        (true, true) => Code::Ok,
        (false, true) => Code::Unreachable,
    };
    if json {
        return output::data(io.out, Format::Json, &status).map(|()| code);
    }
    if code == Code::Unreachable {
        let of = status.context.map(|context| format!(" of {context}")).unwrap_or_default();
        let path = status.path.display();
        return Err(Failure::new(format!("the Ghost {path} remembers nothing{of}"))
            .hint("kgents ghost sync")
            .code(Code::Unreachable));
    }
    page::write(io.out, &status, now)?;
    Ok(code)
}

#[cfg(test)]
mod tests;
