//! The command line: what can be typed, and what is printed. It asks the
//! other rooms and decides nothing itself.

use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use kgents_store::Kind;

mod args;
mod command;
mod docs;
mod envelope;
mod failure;
mod follow;
mod gather;
mod io;
mod keymap;
mod log;
mod memory;
mod object;
mod output;
mod page;
mod pod;
mod rows;
mod runtime;
mod settings;
mod stream;
mod table;
#[cfg(test)]
mod testing;
mod themes;
mod value;
mod words;

use args::{Cli, Command};
use failure::{Code, Failure};
use io::Io;

/// Runs one command line, the program's name first, and gives its exit code:
/// 0 well, 1 failed, 2 wrong usage, 3 answered from memory, 4 nothing could be
/// reached.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if is_version(&args) {
        let _ = writeln!(std::io::stdout(), "kgents {}", command::version::OURS);
        return Code::Ok.into();
    }
    let mut cli = match Cli::read(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help, version or a usage error, each with its stream and code. A
            // reader that has gone is no error.
            let _ = error.print();
            return if error.use_stderr() { Code::Usage.into() } else { Code::Ok.into() };
        }
    };
    let mut out = BufWriter::new(std::io::stdout());
    let mut err = std::io::stderr();
    if let Err(failure) = configure(&mut cli, &mut err) {
        return failure.report(&mut err).into();
    }
    let _log = start_log(&cli, &mut err);
    let ended = {
        let mut io = Io { out: &mut out, err: &mut err };
        dispatch(&cli, &mut io)
    };
    let flushed = out.flush().map_err(Failure::from);
    // What a dropped buffer could not write it would try to write again.
    let _ = out.into_parts();
    match ended.and_then(|code| flushed.map(|()| code)) {
        Ok(code) => code.into(),
        Err(failure) => failure.report(&mut err).into(),
    }
}

/// Whether nothing but our version is asked for. It is what installers and
/// prompts ask most, and the whole tree of commands need not be built for it.
fn is_version(args: &[OsString]) -> bool {
    matches!(args, [_, only] if only == "--version" || only == "-V")
}

/// Reads the settings, for the commands that do as they say.
fn configure(cli: &mut Cli, err: &mut dyn Write) -> Result<(), Failure> {
    let global = &cli.global;
    let settings = if cli.command.wants_settings() { settings::load(global, err)? } else { settings::of_flags(global) };
    cli.global.set(settings);
    if cli.command.wants_settings() { cli.global.settings_mut().read_token() } else { Ok(()) }
}

/// Starts logging for the commands that have something to log.
fn start_log(cli: &Cli, err: &mut dyn Write) -> Option<tracing_appender::non_blocking::WorkerGuard> {
    match &cli.command {
        Command::Completions(_)
        | Command::Man(_)
        | Command::Version(_)
        | Command::Config(_)
        | Command::Dev(_)
        | Command::Doctor(_) => None,
        // Whoever runs pods reads what they write.
        Command::Agents(args) if args.program().is_some() => {
            log::to_stdout(&cli.global, err);
            None
        }
        Command::Operator(args) if args.is_print() => None,
        // The window starts it beside its first frame.
        Command::Observe(args) if args.is_window() => None,
        Command::Operator(args) if args.is_run() => log::start_aloud(&cli.global, err),
        _ => log::start(&cli.global, Some(err)),
    }
}

fn dispatch(cli: &Cli, io: &mut Io<'_>) -> Result<Code, Failure> {
    let global = &cli.global;
    match &cli.command {
        Command::Observe(args) => command::observe::run(args, global, io),
        Command::Status(args) => command::status::run(args, global, io),
        Command::Agents(args) => command::agents::run(args, global, io),
        Command::Pheromones(args) => command::resource::run(Kind::Pheromone, args, global, io),
        Command::Proposals(args) => command::resource::run(Kind::Proposal, args, global, io),
        Command::Memories(args) => command::memories::run(args, global, io),
        Command::Umwelts(args) => command::resource::run(Kind::Umwelt, args, global, io),
        Command::Signal(args) => command::signal::run(args, global, io),
        Command::Explain(args) => command::explain::run(args, global, io),
        Command::Doctor(args) => command::doctor::run(args, global, io),
        Command::Operator(args) => command::operator::run(args, global, io),
        Command::Cortex(args) => command::cortex::run(args, global, io),
        Command::Ghost(args) => command::ghost::run(args, global, io),
        Command::Crd(args) => command::crd::run(args, global, io),
        Command::Version(args) => command::version::run(args, global, io),
        Command::Config(args) => command::config::run(args, global, io),
        Command::Completions(args) => command::completions::run(args, io),
        Command::Man(args) => command::man::run(args, io),
        Command::Dev(args) => command::dev::run(args, io),
    }
}
