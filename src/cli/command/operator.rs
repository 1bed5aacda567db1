//! `kgents operator`: what makes the cluster what the custom resources say.

use kgents_api::NAMESPACE_SYSTEM;

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;

mod rbac;
mod report;
mod run;
mod status;

const HELP: &str = "\
Examples:
  kgents operator run                          # look after all namespaces, until ctrl-c
  kgents operator run -n kgents-agents         # after this one only
  kgents operator run --once                   # converge, report, end
  kgents operator run --dry-run                # say what would be done, and do nothing
  kgents operator status                       # who leads, and how it goes
  kgents operator rbac | kubectl apply -f -    # the rights that it needs

kgents --operator is the same as kgents operator run.";

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
    /// Watch the cluster and make it what the custom resources say.
    Run(run::Args),
    /// Say which replica leads and how it goes.
    Status(status::Args),
    /// Print the rights that the operator needs, as kubectl applies them.
    Rbac(rbac::Args),
}

impl Args {
    /// Whether it runs until it is told to end, with its log as its output.
    pub(crate) const fn is_run(&self) -> bool {
        matches!(self.action, Action::Run(_))
    }

    /// Whether nothing has to be read for it.
    pub(crate) const fn is_print(&self) -> bool {
        matches!(self.action, Action::Rbac(_))
    }
}

/// Does it.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        Action::Run(args) => run::run(args, global, io),
        Action::Status(args) => status::run(args, global, io),
        Action::Rbac(args) => rbac::run(args, global, io),
    }
}

/// In which form something is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A page for people.
    #[default]
    Table,
    /// JSON.
    Json,
}

/// The namespace of the Lease and of the operator itself.
fn home(flag: Option<&str>, global: &Global) -> String {
    let named = flag.map(str::to_owned).or_else(|| global.settings().operator.lease_namespace.clone());
    named.or_else(crate::pod::namespace).unwrap_or_else(|| NAMESPACE_SYSTEM.to_owned())
}
