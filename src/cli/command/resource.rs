//! `kgents agents|pheromones|proposals|memories|umwelts`: list, describe, watch.

use kgents_core::selector::Selector;
use kgents_store::{Key, Kind, Terrarium};

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::follow::Follow;
use crate::gather::{self, Look};
use crate::io::{self, Io};
use crate::output::{self, Format, Output};
use crate::runtime::block_on;
use crate::{command::describe, object};

mod watch;

pub(crate) const AGENTS_HELP: &str = "\
Examples:
  kgents agents                        # those that need a person come first
  kgents agents -n kgents-agents -o wide
  kgents agents -l kgents.io/genus=B -o json
  kgents agents -w                     # a line on each change, until ctrl-c
  kgents agents describe b-gent

run, d-gent and placeholder are what runs inside an agent's pod.";

pub(crate) const PHEROMONES_HELP: &str = "\
Examples:
  kgents pheromones                    # the strongest first
  kgents pheromones -A -o wide
  kgents pheromones -o json            # each item with its intensity now
  kgents pheromones describe warning-x1y2z3

Strength is computed when it is read. What has faded is gone, so it is left
out of lists even while its object still exists.";

pub(crate) const PROPOSALS_HELP: &str = "\
Examples:
  kgents proposals                     # those that need a person come first
  kgents proposals -o yaml
  kgents proposals -w -o json          # a line of JSON on each change
  kgents proposals describe b-gent-scale

A risk marked `est.` is our own estimate: no operator has written one yet.";

pub(crate) const UMWELTS_HELP: &str = "\
Examples:
  kgents umwelts -o wide
  kgents umwelts describe b-gent-umwelt";

/// What can be said to these commands.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    how: How,
}

/// How it is done.
#[derive(clap::Args, Debug)]
pub(crate) struct How {
    #[command(flatten)]
    output: Output,
    /// Only objects with these labels, such as app=x,tier!=y or 'app in (x, y)'.
    #[arg(short = 'l', long, value_name = "SELECTOR", global = true, value_parser = Selector::parse)]
    selector: Option<Selector>,
    /// Go on and print each change, until interrupted.
    #[arg(short, long, global = true)]
    watch: bool,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Action {
    /// List them (what is done when nothing is said).
    #[command(visible_alias = "ls")]
    List,
    /// Tell everything about one.
    Describe {
        /// Its name, or namespace/name.
        name: String,
    },
}

impl How {
    /// What is printed.
    pub(crate) fn format(&self) -> Format {
        self.output.format()
    }

    /// Whether nothing is said about which objects, and for how long.
    pub(crate) const fn is_once_and_all(&self) -> bool {
        self.selector.is_none() && !self.watch
    }

    /// Whether nothing is said about it.
    pub(crate) const fn is_silent(&self) -> bool {
        self.output.is_silent() && self.selector.is_none() && !self.watch
    }
}

/// Lists, describes or watches objects of a kind.
pub(crate) fn run(kind: Kind, args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    act(kind, args.action.as_ref(), &args.how, global, io)
}

/// The same, for who has more actions than these.
pub(crate) fn act(
    kind: Kind,
    action: Option<&Action>,
    how: &How,
    global: &Global,
    io: &mut Io<'_>,
) -> Result<Code, Failure> {
    let format = how.output.format();
    match action {
        Some(Action::Describe { .. }) if how.watch || how.selector.is_some() => {
            Err(Failure::new("'describe' takes a name, and neither --selector nor --watch").code(Code::Usage))
        }
        Some(Action::Describe { name }) => describe::run(kind, name, format, global, io),
        _ if how.watch => block_on(async {
            // What cannot be listed ends here, as a list would; what breaks
            // later is waited for.
            gather::look(&global.source(), kind, None, &[]).await.of(kind)?;
            let follow = Follow::start(global.source(), io::end());
            watch::watch(kind, format, how.selector.as_ref(), follow, io).await
        }),
        _ => list(kind, format, how.selector.as_ref(), global, io),
    }
}

fn list(
    kind: Kind,
    format: Format,
    selector: Option<&Selector>,
    global: &Global,
    io: &mut Io<'_>,
) -> Result<Code, Failure> {
    let options = global.source();
    let look = block_on(async { gather::look(&options, kind, selector, beside(kind, format)).await.of(kind) })?;
    look.warn(kind, io);
    let code = look.code();
    let Look { terrarium, now, .. } = look;
    let keys = object::keys(&terrarium, kind, now);
    if keys.is_empty() && format != Format::Json && format != Format::Yaml {
        io.note(nothing(&terrarium, kind, selector));
        return Ok(code);
    }
    let namespaces = global.all_namespaces || output::several_namespaces(&keys);
    output::list(io.out, format, &terrarium, kind, &keys, namespaces, now)?;
    if matches!(format, Format::Table | Format::Wide) {
        gather::name_layer(&terrarium, kind, now, io)?;
    }
    Ok(code)
}

/// What a table of a kind needs beside it: agents stand in the order of what
/// presses on them, and a risk depends on its target. Where that may not be
/// read, the table has only less to say.
fn beside(kind: Kind, format: Format) -> &'static [Kind] {
    match (format, kind) {
        (Format::Table | Format::Wide, Kind::Agent) => &[Kind::Pheromone, Kind::Proposal],
        (Format::Table | Format::Wide, Kind::Proposal) => &[Kind::Agent],
        _ => &[],
    }
}

/// That there is nothing, and where.
fn nothing(terrarium: &Terrarium, kind: Kind, selector: Option<&Selector>) -> String {
    let what = if kind == Kind::Pheromone { "pheromones that can be sensed" } else { kind.plural() };
    let place = match &terrarium.scene().namespace {
        Some(namespace) => format!("in namespace {namespace}"),
        None => "in any namespace".to_owned(),
    };
    let which = selector.map(|selector| format!(" with {}", selector.as_str())).unwrap_or_default();
    format!("No {what}{which} {place}.")
}

/// The objects of `name`, which may be `namespace/name`.
pub(crate) fn named(terrarium: &Terrarium, kind: Kind, name: &str) -> Vec<Key> {
    let unreadable = terrarium.unreadable(kind).map(|object| object.key.clone());
    let is_it = |key: &Key| match name.split_once('/') {
        Some((namespace, name)) => key.namespace() == namespace && key.name() == name,
        None => key.name() == name,
    };
    object::every_key(terrarium, kind).into_iter().chain(unreadable).filter(is_it).collect()
}

/// The names that are most like `name`.
pub(crate) fn nearest(terrarium: &Terrarium, kind: Kind, name: &str) -> Vec<String> {
    let name = name.rsplit('/').next().unwrap_or(name);
    let unreadable = terrarium.unreadable(kind).map(|object| object.key.clone());
    let mut near: Vec<(f64, String)> = object::every_key(terrarium, kind)
        .into_iter()
        .chain(unreadable)
        .map(|key| (strsim::jaro_winkler(name, key.name()), key.name().to_owned()))
        .filter(|(likeness, _)| *likeness > 0.75)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests;
