//! The clap tree: what can be typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::command::{completions, crd, man, observe, resource, signal, status, version};
use crate::value;

/// See, talk to, steer and trust Kubernetes-native agents from a terminal.
#[derive(Debug, Parser)]
#[command(name = "kgents", version, arg_required_else_help = true, after_help = HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const HELP: &str = "\
Examples:
  kgents observe                       # watch everything that you may see
  kgents status                        # what is there, and what needs you
  kgents agents -n kgents-agents       # the agents of a namespace
  kgents crd install                   # prepare a cluster for kgents

Exit codes: 0 well, 1 failed, 2 wrong usage, 3 only the Ghost (the last known
state on disk) answered, 4 nothing could be reached.
Logs go to $XDG_STATE_HOME/kgents, else to ~/.local/state/kgents.";

/// What every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The kubeconfig to use [default: $KUBECONFIG, else ~/.kube/config, else in-cluster].
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use [default: its current one].
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) context: Option<String>,
    /// The namespace to look at [default: that of the context, else all that you may read].
    #[arg(short, long, value_name = "NAME", global = true, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) namespace: Option<String>,
    /// Look at all namespaces.
    #[arg(short = 'A', long, global = true)]
    pub(crate) all_namespaces: bool,
    /// Act as this user.
    #[arg(long = "as", value_name = "USER", global = true)]
    pub(crate) as_user: Option<String>,
    /// Act as a member of this group; may be given several times, with --as.
    #[arg(long = "as-group", value_name = "GROUP", global = true)]
    pub(crate) as_groups: Vec<String>,
    /// How long one request may take, such as 5s, 500ms or 1m.
    #[arg(long, value_name = "DURATION", global = true, default_value = "5s", value_parser = value::duration)]
    pub(crate) request_timeout: Duration,
    /// What is logged, such as debug, or warn,kube=trace for some parts.
    #[arg(long, value_name = "FILTER", global = true, env = "KGENTS_LOG", hide_env_values = true, value_parser = crate::log::filter)]
    pub(crate) log_level: Option<String>,
    /// Log to this file instead of a daily one in the state directory.
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) log_file: Option<PathBuf>,
}

impl Global {
    /// What the flags say about where to look.
    pub(crate) fn source(&self) -> kgents_source::Options {
        kgents_source::Options {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            namespace: self.namespace.clone(),
            all_namespaces: self.all_namespaces,
            as_user: self.as_user.clone(),
            as_groups: self.as_groups.clone(),
            request_timeout: Some(self.request_timeout),
            ..kgents_source::Options::default()
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch the terrarium: a window, lines of text or a stream of JSON.
    Observe(observe::Args),
    /// Say what is there, how well it is heard and what needs a person.
    Status(status::Args),
    /// List, describe or watch agents; those that need a person come first.
    #[command(visible_aliases = ["agent", "ag"], after_help = resource::AGENTS_HELP)]
    Agents(resource::Args),
    /// List, describe or watch the pheromones that can be sensed, the strongest first.
    #[command(visible_aliases = ["pheromone", "ph"], after_help = resource::PHEROMONES_HELP)]
    Pheromones(resource::Args),
    /// List, describe or watch proposals; those that need a person come first.
    #[command(visible_aliases = ["proposal", "prop"], after_help = resource::PROPOSALS_HELP)]
    Proposals(resource::Args),
    /// List, describe or watch memories.
    #[command(visible_aliases = ["memory", "mem"], after_help = resource::MEMORIES_HELP)]
    Memories(resource::Args),
    /// List, describe or watch umwelts.
    #[command(visible_aliases = ["umwelt", "uw"], after_help = resource::UMWELTS_HELP)]
    Umwelts(resource::Args),
    /// Emit a pheromone, or sense those that are in the air.
    Signal(signal::Args),
    /// Print, install or check the custom resource definitions.
    Crd(crd::Args),
    /// Print our version and the API server's.
    Version(version::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
    /// Print a manual page, or write all of them into a folder.
    Man(man::Args),
}

impl Cli {
    /// Reads the arguments.
    ///
    /// Conflicts among global flags are looked for here: clap does not see
    /// them when one stands before the command and the other after it.
    pub(crate) fn read<I, T>(args: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<std::ffi::OsString> + Clone,
    {
        let cli = Self::try_parse_from(args)?;
        let global = &cli.global;
        if global.namespace.is_some() && global.all_namespaces {
            return Err(usage("'--namespace <NAME>' cannot be used with '--all-namespaces'"));
        }
        if global.as_user.is_none() && !global.as_groups.is_empty() {
            return Err(usage("'--as-group <GROUP>' needs '--as <USER>'"));
        }
        Ok(cli)
    }
}

/// A usage error that clap itself cannot find.
pub(crate) fn usage(sentence: &str) -> clap::Error {
    Cli::command().error(clap::error::ErrorKind::ArgumentConflict, sentence)
}

#[cfg(test)]
mod tests;
