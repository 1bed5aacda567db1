//! `kgents dev`: makes the files that this repository holds. Hidden, for it is
//! of no use to anybody else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kgents_dev::{TEARS, Tear, TearKind, World};
use kgents_source::ghost::{Ghost, write_recording};
use kgents_store::bus::{Batch, Change, Control, Novelty};
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Kind, Layer, Rung, Terrarium, Thought, object};

use super::ghost::size;
use crate::docs;
use crate::failure::{Code, Failure};
use crate::io::Io;

const HELP: &str = "\
Examples:
  kgents dev fixtures                  # ghost-fixtures/ of this repository anew
  kgents dev fixtures /tmp/fixtures
  kgents dev docs                      # docs/ of this repository anew";

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
    /// Write the worlds that can be played: the same bytes each time.
    #[command(after_help = HELP)]
    Fixtures {
        /// The folder that they are written into, one folder each.
        #[arg(value_name = "DIR", default_value = "ghost-fixtures")]
        dir: PathBuf,
    },
    /// Write the pages that are made from the code: keys, themes, configuration, manual.
    #[command(after_help = HELP)]
    Docs {
        /// The folder that they are written into.
        #[arg(value_name = "DIR", default_value = "docs")]
        dir: PathBuf,
    },
}

/// Makes what was asked for.
pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        Action::Fixtures { dir } => fixtures(dir, io),
        Action::Docs { dir } => write_docs(dir, io),
    }
}

fn write_docs(dir: &Path, io: &mut Io<'_>) -> Result<Code, Failure> {
    let pages = docs::pages()?;
    fs::create_dir_all(dir.join(docs::MAN)).map_err(failed(dir))?;
    for (name, text) in &pages {
        let path = dir.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    writeln!(io.out, "{}: {} pages", dir.display(), pages.len())?;
    Ok(Code::Ok)
}

fn fixtures(dir: &Path, io: &mut Io<'_>) -> Result<Code, Failure> {
    for world in kgents_dev::worlds() {
        let folder = dir.join(world.name);
        clear(&folder, &context(&world))?;
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        // What stays as it is is the one that is old.
        let shift = world.name != "stale";
        let written = write_recording(&folder, &terrarium(&world), world.now, &world.timeline_jsonl(), shift)
            .map_err(|error| Failure::new(error.to_string()))?;
        if world.name == "corrupt" {
            TEARS.iter().try_for_each(|tear| damage(&folder, tear))?;
        }
        let (files, bytes) = (written.files, size(written.bytes));
        writeln!(io.out, "{}: {files} files, {bytes}, {} steps", folder.display(), world.timeline.len())?;
    }
    Ok(Code::Ok)
}

fn failed(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::new(format!("{}: {error}", path.display()))
}

fn context(world: &World) -> String {
    format!("fixture/{}", world.name)
}

/// Takes away the tree that stood there before, and nothing else.
fn clear(folder: &Path, context: &str) -> Result<(), Failure> {
    let is_empty = || folder.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    match folder.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ if Ghost::at(folder).context() == Some(context) => fs::remove_dir_all(folder).map_err(failed(folder)),
        _ if is_empty() => Ok(()),
        _ => Err(Failure::new(format!("{} is there, and is not {context}: it is left as it is", folder.display()))),
    }
}

/// A terrarium that has heard a world up to its moment, from a cluster.
fn terrarium(world: &World) -> Terrarium {
    let scene = Scene { context: context(world), server: String::new(), namespace: None };
    let rung = Rung { address: String::new(), link: Link::Up { version: String::new() }, notes: Vec::new() };
    let live = Watch { state: WatchState::Live, as_of: Some(world.now), refused: Vec::new() };
    let mut control = vec![Control::Scene(scene), Control::Speaks(Some(Layer::Kube)), Control::Rung(Layer::Kube, rung)];
    control.extend(Kind::ALL.map(|kind| Control::Watch(kind, live.clone())));
    let change = |(kind, object): &(Kind, serde_json::Value)| {
        // A world holds nothing without a name; its own tests see to that.
        let decoded = object::decode(*kind, &object.to_string()).ok()?;
        Some(Change { kind: *kind, key: decoded.key.clone(), now: Some(decoded), novelty: Novelty::Initial })
    };
    let changes = world.objects.iter().filter_map(change).collect();
    let thoughts = world.thoughts.iter().cloned().map(Thought::cleaned).collect();
    let mut terrarium = Terrarium::default();
    terrarium.apply(Batch { control, changes, thoughts, ..Batch::default() }, world.now);
    terrarium
}

/// Damages one file of a tree.
fn damage(folder: &Path, tear: &Tear) -> Result<(), Failure> {
    let path = folder.join(tear.path);
    if tear.how == TearKind::Directory {
        fs::remove_file(&path).and_then(|()| fs::create_dir(&path)).map_err(failed(&path))?;
        // Git keeps no folder that is empty.
        let note = path.join("README");
        return fs::write(&note, "A folder stands where a file should be.\n").map_err(failed(&note));
    }
    let bytes = fs::read(&path).map_err(failed(&path))?;
    fs::write(&path, kgents_dev::tear(bytes, &tear.how)).map_err(failed(&path))
}

#[cfg(test)]
mod tests;
