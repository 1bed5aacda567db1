//! The clap tree: what can be typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::command::{
    agents, completions, config, cortex, crd, dev, doctor, explain, ghost, man, memories, observe, operator, resource,
    signal, status, version,
};
use crate::settings::{Address, Filter, LayerName, Settings};
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
  kgents --operator                    # make it what the custom resources say

Exit codes: 0 well, 1 failed, 2 wrong usage, 3 only the Ghost (the last known
state on disk) answered, 4 nothing could be reached.
Logs go to $XDG_STATE_HOME/kgents, else to ~/.local/state/kgents.
What a global option says may stand in ~/.config/kgents/config.toml or in a
variable too: see kgents config --help.";

/// What every command understands.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The configuration file [default: ~/.config/kgents/config.toml] [env: KGENTS_CONFIG].
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Ask only this layer [default: all three, the best that answers].
    #[arg(long, value_name = "grpc|ghost|kube", global = true, hide_possible_values = true, value_parser = layer_parser())]
    pub(crate) layer: Option<LayerName>,
    /// Where the Cortex is: HOST:PORT, unix:PATH or a URL [env: KGENTS_CORTEX].
    #[arg(long, value_name = "ADDRESS", global = true, value_parser = str::parse::<Address>)]
    pub(crate) cortex: Option<Address>,
    /// The kubeconfig to use [default: $KUBECONFIG, else ~/.kube/config, else in-cluster].
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig to use [default: its current one].
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) context: Option<String>,
    /// The namespace to look at [default: that of the context, else all that you may read].
    #[arg(short, long, value_name = "NAME", global = true, value_parser = NonEmptyStringValueParser::new())]
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
    /// How long one request may take, such as 5s, 500ms or 1m [default: 5s].
    #[arg(long, value_name = "DURATION", global = true, value_parser = value::duration)]
    pub(crate) request_timeout: Option<Duration>,
    /// What is logged, such as debug, or warn,kube=trace for some parts [env: KGENTS_LOG].
    #[arg(long, value_name = "FILTER", global = true, value_parser = filter_parser)]
    pub(crate) log_level: Option<Filter>,
    /// Log to this file instead of a daily one in the state directory.
    #[arg(long, value_name = "PATH", global = true)]
    pub(crate) log_file: Option<PathBuf>,
    /// The flags above, merged with what stands in the file and the
    /// environment. Who wants a value asks here, not the flag.
    #[arg(skip)]
    settings: Settings,
}

impl Global {
    /// Everything that is set, by flag or otherwise.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same, to complete it.
    pub(crate) const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Takes what was read.
    pub(crate) fn set(&mut self, settings: Settings) {
        self.settings = settings;
    }

    /// What is said about where to look.
    pub(crate) fn source(&self) -> kgents_source::Options {
        let kube = &self.settings.kube;
        kgents_source::Options {
            kubeconfig: kube.kubeconfig.clone(),
            context: kube.context.clone(),
            namespace: kube.namespace.clone(),
            all_namespaces: kube.all_namespaces,
            as_user: self.as_user.clone(),
            as_groups: self.as_groups.clone(),
            request_timeout: Some(kube.request_timeout.0),
            layer: self.settings.layer.map(LayerName::layer),
            cortex: self.settings.cortex.address.clone().map(|address| address.0),
            cortex_token: self.settings.cortex_token().map(str::to_owned),
            ghost: self.settings.ghost.dir.clone().or_else(kgents_source::ghost_folder),
            keep_ghost: self.settings.ghost.keep,
            fixture: None,
        }
    }
}

/// Not a `ValueEnum`: the description of each word would turn every `--help`
/// into the long form.
fn layer_parser() -> impl TypedValueParser<Value = LayerName> {
    PossibleValuesParser::new(LayerName::ALL.map(LayerName::as_str)).try_map(|word| word.parse::<LayerName>())
}

fn filter_parser(text: &str) -> Result<Filter, String> {
    Filter::try_from(text.to_owned())
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
    Agents(agents::Args),
    /// List, describe or watch the pheromones that can be sensed, the strongest first.
    #[command(visible_aliases = ["pheromone", "ph"], after_help = resource::PHEROMONES_HELP)]
    Pheromones(resource::Args),
    /// List, describe or watch proposals; those that need a person come first.
    #[command(visible_aliases = ["proposal", "prop"], after_help = resource::PROPOSALS_HELP)]
    Proposals(resource::Args),
    /// List, describe or watch memories; sweep what agents that are gone left behind.
    #[command(visible_aliases = ["memory", "mem"], after_help = memories::HELP)]
    Memories(memories::Args),
    /// List, describe or watch umwelts.
    #[command(visible_aliases = ["umwelt", "uw"], after_help = resource::UMWELTS_HELP)]
    Umwelts(resource::Args),
    /// Emit a pheromone, or sense those that are in the air.
    Signal(signal::Args),
    /// Say what the operator would do about an object, and why.
    Explain(explain::Args),
    /// Say how each layer, your rights, the CRDs and this machine stand, and what to type next.
    Doctor(doctor::Args),
    /// Make the cluster what the custom resources say; see whether somebody does.
    Operator(operator::Args),
    /// Serve the terrarium over gRPC, to this machine or to others.
    Cortex(cortex::Args),
    /// Show, refresh or find the Ghost: the last known state, on disk.
    Ghost(ghost::Args),
    /// Print, install or check the custom resource definitions.
    Crd(crd::Args),
    /// Print our version and the API server's.
    Version(version::Args),
    /// Say what is set, where it comes from and what may be set.
    Config(config::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
    /// Print a manual page, or write all of them into a folder.
    Man(man::Args),
    /// Make the files that the repository of kgents holds.
    #[command(hide = true)]
    Dev(dev::Args),
}

impl Command {
    /// Whether it does as the file and the environment say. The others must
    /// work also when those are bad.
    pub(crate) const fn wants_settings(&self) -> bool {
        match self {
            // The doctor reads them itself, and tells what is wrong with them.
            Self::Completions(_) | Self::Man(_) | Self::Dev(_) | Self::Doctor(_) => false,
            // In a pod KGENTS_<KEY> is the agent's configuration, not ours.
            Self::Agents(args) => args.program().is_none(),
            Self::Version(args) => !args.is_client(),
            Self::Config(args) => args.is_show(),
            Self::Crd(args) => !args.is_print(),
            _ => true,
        }
    }
}

impl Cli {
    /// Reads the arguments.
    ///
    /// Conflicts among global flags are looked for here: clap does not see
    /// them when one stands before the command and the other after it.
    pub(crate) fn read<I, T>(args: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString> + Clone,
    {
        let cli = Self::try_parse_from(with_operator(args.into_iter().map(Into::into)))?;
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

/// `--operator` where a command would stand is `operator run`.
fn with_operator(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    let Some(place) = args.iter().position(|arg| arg == "--operator") else { return args };
    let tree = Cli::command();
    let takes_value = |short: Option<char>, long: Option<&str>| {
        let found = tree.get_arguments().find(|arg| match long {
            Some(long) => arg.get_long() == Some(long),
            None => arg.get_short() == short,
        });
        found.is_some_and(|arg| arg.get_action().takes_values())
    };
    let mut before = args.iter().take(place).skip(1);
    while let Some(arg) = before.next() {
        let Some(flag) = arg.to_str().and_then(|arg| arg.strip_prefix('-')).filter(|flag| !flag.is_empty()) else {
            // A command stands here already.
            return args;
        };
        let wants_next = match flag.strip_prefix('-') {
            // Behind it there are no flags.
            Some("") => return args,
            Some(long) => !long.contains('=') && takes_value(None, Some(long)),
            // Several may stand together; the value of one that takes it is the rest.
            None => match flag.char_indices().find(|(_, short)| takes_value(Some(*short), None)) {
                Some((at, short)) => flag.len() == at + short.len_utf8(),
                None => false,
            },
        };
        // It is the value of the flag before it.
        if wants_next && before.next().is_none() {
            return args;
        }
    }
    args.splice(place..=place, ["operator".into(), "run".into()]);
    args
}

/// A usage error that clap itself cannot find.
pub(crate) fn usage(sentence: &str) -> clap::Error {
    Cli::command().error(clap::error::ErrorKind::ArgumentConflict, sentence)
}

#[cfg(test)]
mod tests;
