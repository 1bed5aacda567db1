//! `kgents completions`: a completion script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::failure::{Code, Failure};
use crate::io::Io;

const HELP: &str = "\
Examples:
  kgents completions bash              # bash: add `source <(kgents completions bash)` to ~/.bashrc
  kgents completions zsh               # zsh: write it to a file _kgents in your $fpath
  kgents completions fish              # fish: write it to ~/.config/fish/completions/kgents.fish";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &Args, io: &mut Io<'_>) -> Result<Code, Failure> {
    // The generator panics when it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "kgents", &mut script);
    io.out.write_all(&script)?;
    Ok(Code::Ok)
}
