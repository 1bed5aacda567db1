//! `kgents agents`: the agents of a cluster, and the programs that run inside
//! their pods.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{FalseyValueParser, NonEmptyStringValueParser};
use kgents_api::Genus;
use kgents_cell::{CellError, agent, bind, d_gent, placeholder};
use kgents_store::Kind;
use tokio_util::sync::CancellationToken;

use crate::args::Global;
use crate::command::resource::{self, How};
use crate::command::version::OURS;
use crate::failure::{Code, Failure};
use crate::io::{self, Io};
use crate::runtime::block_on;

const RUN_HELP: &str = "\
Examples:
  kgents agent run --name b-gent --genus B --listen 127.0.0.1:8080 --state /tmp
  KGENTS_AGENT=b-gent KGENTS_GENUS=B kgents agent run
  curl 127.0.0.1:8080/                 # who it is

It is what the operator runs in the container `logic`: / says who it is, /healthz
that it lives, /readyz that its state can be written. It has no mind yet, and
nothing listens on port 50052 (gRPC). Its log is lines of JSON on standard
output; --log-level or KGENTS_LOG says which. It ends at SIGTERM, within a second.";

const D_GENT_HELP: &str = "\
Examples:
  kgents agent d-gent --listen 127.0.0.1:8081 --state /tmp/state
  curl -T plan.md 127.0.0.1:8081/v1/state/plan
  curl 127.0.0.1:8081/v1/state/plan
  curl -X DELETE 127.0.0.1:8081/v1/state/plan
  curl 127.0.0.1:8081/v1/state         # the keys

It is the sidecar that keeps an agent's state. A key has 1 to 128 of a-z, 0-9,
'.', '_' and '-', a value at most 1 MiB; what it has answered is on the disk. It
answers all who reach it: in a pod, those whom the agent's NetworkPolicy lets in.";

const PLACEHOLDER_HELP: &str = "\
Examples:
  kgents agent placeholder --listen 127.0.0.1:8080

It answers /healthz and /readyz with 200, and waits for SIGTERM: what runs while
an agent's mode is PLACEHOLDER.";

/// What can be said to this command.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    how: How,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    #[command(flatten)]
    Resource(resource::Action),
    #[command(flatten)]
    Program(Program),
}

/// A program that runs inside an agent's pod.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Program {
    /// Run an agent: what the container `logic` of its pod does.
    #[command(after_help = RUN_HELP)]
    Run(Run),
    /// Keep an agent's state: what the sidecar `d-gent` does.
    #[command(after_help = D_GENT_HELP)]
    DGent(DGent),
    /// Stand where an agent will be.
    #[command(after_help = PLACEHOLDER_HELP)]
    Placeholder(Placeholder),
}

#[derive(clap::Args, Debug)]
pub(crate) struct Run {
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080", value_parser = address)]
    listen: SocketAddr,
    /// Its name.
    #[arg(long, env = "KGENTS_AGENT", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    name: String,
    /// Its genus: A to Z, Psi or Omega.
    #[arg(long, env = "KGENTS_GENUS", hide_env_values = true)]
    genus: Genus,
    #[command(flatten)]
    state: State,
    /// The file with its spec; it need not be there.
    #[arg(
        long,
        value_name = "FILE",
        env = "KGENTS_SPEC_PATH",
        hide_env_values = true,
        default_value = "/etc/kgents/spec.yaml"
    )]
    spec: PathBuf,
    /// Do only what cannot do harm.
    #[arg(long, env = "KGENTS_SAFEMODE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    safemode: bool,
}

#[derive(clap::Args, Debug)]
pub(crate) struct DGent {
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8081", value_parser = address)]
    listen: SocketAddr,
    #[command(flatten)]
    state: State,
}

#[derive(clap::Args, Debug)]
struct State {
    /// The folder of its state.
    #[arg(
        long = "state",
        value_name = "DIR",
        env = "KGENTS_STATE_PATH",
        hide_env_values = true,
        default_value = "/state"
    )]
    path: PathBuf,
}

#[derive(clap::Args, Debug)]
pub(crate) struct Placeholder {
    /// Where to listen; port 0 is any free one.
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8080", value_parser = address)]
    listen: SocketAddr,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "write it as 0.0.0.0:8080, or [::]:8080 for IPv6".to_owned())
}

impl Args {
    /// The program that is to run, if it is one.
    pub(crate) const fn program(&self) -> Option<&Program> {
        match &self.action {
            Some(Action::Program(program)) => Some(program),
            _ => None,
        }
    }
}

/// Lists, describes or watches agents, or runs what is inside one.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        None => resource::act(Kind::Agent, None, &args.how, global, io),
        Some(Action::Resource(action)) => resource::act(Kind::Agent, Some(action), &args.how, global, io),
        Some(Action::Program(_)) if !args.how.is_silent() => {
            let sentence = "what runs inside a pod takes no --output, --json, --selector or --watch";
            Err(Failure::new(sentence).hint("kgents agents --help").code(Code::Usage))
        }
        Some(Action::Program(program)) => block_on(serve(program)).map(|()| Code::Ok),
    }
}

/// Serves until the program is told to end.
async fn serve(program: &Program) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let listen = match program {
        Program::Run(Run { listen, .. })
        | Program::DGent(DGent { listen, .. })
        | Program::Placeholder(Placeholder { listen }) => *listen,
    };
    let served = async {
        let listener = bind(listen).await?;
        match program {
            Program::Run(run) => agent::serve(listener, options(run), stop.clone()).await,
            Program::DGent(d_gent) => d_gent::serve(listener, d_gent.state.path.clone(), stop.clone()).await,
            Program::Placeholder(_) => placeholder::serve(listener, stop.clone()).await,
        }
    };
    let end = async {
        io::interrupted().await;
        stop.cancel();
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        ended = served => ended,
        () = end => Ok(()),
    };
    ended.map_err(|error: CellError| Failure::new(error.to_string()))
}

fn options(run: &Run) -> agent::Options {
    agent::Options {
        name: run.name.clone(),
        genus: run.genus,
        state: run.state.path.clone(),
        spec: run.spec.clone(),
        // Everybody's variable, so it is no flag of ours.
        cortex: std::env::var("CORTEX_URL").ok().filter(|url| !url.is_empty()),
        safemode: run.safemode,
        version: OURS,
    }
}
