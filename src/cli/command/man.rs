//! `kgents man`: manual pages.

use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::Cli;
use crate::failure::{Code, Failure};
use crate::io::Io;

const HELP: &str = "\
Examples:
  kgents man | man -l -                # read the page of kgents
  kgents man crd install               # print the page of a command
  kgents man --dir man1                # write all pages into a folder";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The command whose page is printed [default: kgents itself].
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write all pages into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

/// Prints a page, or writes all.
pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Code, Failure> {
    let root = root();
    if let Some(dir) = &args.dir {
        let cannot =
            |error: std::io::Error| Failure::new(format!("the pages cannot be written to {}: {error}", dir.display()));
        std::fs::create_dir_all(dir).map_err(cannot)?;
        let pages = pages()?;
        for (name, text) in &pages {
            std::fs::write(dir.join(name), text).map_err(cannot)?;
        }
        writeln!(io.out, "{} pages written to {}", pages.len(), dir.display())?;
        return Ok(Code::Ok);
    }
    let mut page = &root;
    for name in &args.command {
        let next = page
            .get_subcommands()
            .find(|sub| sub.get_name() == name || sub.get_all_aliases().any(|alias| alias == name));
        page = next.ok_or_else(|| {
            let names: Vec<&str> = page.get_subcommands().map(Command::get_name).collect();
            let known =
                if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
            Failure::new(format!("{} has no command '{name}': {known}", page.get_bin_name().unwrap_or("kgents")))
                .hint("kgents --help")
                .code(Code::Usage)
        })?;
    }
    let mut text = Vec::new();
    man(page.clone()).render(&mut text)?;
    io.out.write_all(&text)?;
    Ok(Code::Ok)
}

/// The whole tree of commands.
fn root() -> Command {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    root
}

/// All pages by the names of their files, in the order of these.
///
/// # Errors
/// When one cannot be made.
pub(crate) fn pages() -> Result<Vec<(String, String)>, Failure> {
    let mut pages = Vec::new();
    add_all(root(), &mut pages)?;
    pages.sort();
    Ok(pages)
}

fn man(command: Command) -> Man {
    Man::new(command).source(format!("kgents {}", env!("CARGO_PKG_VERSION")))
}

fn add_all(command: Command, pages: &mut Vec<(String, String)>) -> Result<(), Failure> {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()).cloned() {
        add_all(sub, pages)?;
    }
    let page = man(command);
    let mut text = Vec::new();
    page.render(&mut text)?;
    pages.push((page.get_filename(), String::from_utf8_lossy(&text).into_owned()));
    Ok(())
}
