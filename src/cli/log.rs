//! Where logs go: to a file, never to the screen; those of the operator, which
//! has nothing else to say, to standard error.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

use crate::args::Global;
use crate::settings::Filter;

/// What is logged when nobody says: our own news, the warnings of others. Of
/// a failed request we tell ourselves; kube's client would tell each once more.
const DEFAULT: &str = "warn,kgents=info,kube_client=off";
/// What says what is logged.
const VARIABLE: &str = "KGENTS_LOG";
/// How many days of logs are kept.
const KEPT: usize = 7;

/// Reads a filter; it is kept as text because only the set-up needs more.
pub(crate) fn filter(text: &str) -> Result<String, String> {
    EnvFilter::builder()
        .parse(text)
        .map(|_| text.to_owned())
        .map_err(|error| format!("{error}; write it as debug, or as kgents_source=trace,warn"))
}

/// Starts logging. The guard writes out what waits when it is dropped.
///
/// A log that cannot be written is no failure. Where somebody asked for one
/// and `err` is free to be written to, it is said there.
pub(crate) fn start(global: &Global, err: Option<&mut dyn Write>) -> Option<WorkerGuard> {
    let log = &global.settings().log;
    match open(log.file.as_deref()) {
        Ok(file) => {
            let filter = EnvFilter::builder().parse_lossy(log.level.as_ref().map_or(DEFAULT, |Filter(level)| level));
            // Blocking would make a frame wait for a slow disk.
            let (writer, guard) = tracing_appender::non_blocking(file);
            let started =
                tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(writer).try_init();
            started.is_ok().then_some(guard)
        }
        Err(error) => {
            let asked = log.level.is_some() || log.file.is_some();
            if let Some(err) = err.filter(|_| asked) {
                let _ = writeln!(err, "warning: no log is written: {error}");
            }
            None
        }
    }
}

/// Logs to standard output, a line of JSON each, as whoever runs containers
/// expects it. A filter that cannot be read is told, and the usual one holds.
pub(crate) fn to_stdout(global: &Global, err: &mut dyn Write) {
    let said = global.log_level.as_ref().map(|Filter(level)| level.clone()).or_else(|| std::env::var(VARIABLE).ok());
    let read = said.map(|level| filter(&level).map_err(|why| format!("{level:?} is no log filter: {why}")));
    let level = match &read {
        Some(Ok(level)) => level,
        Some(Err(why)) => {
            let _ = writeln!(err, "warning: {why}");
            DEFAULT
        }
        None => DEFAULT,
    };
    // It fails when there is a log already.
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(EnvFilter::builder().parse_lossy(level))
        .with_writer(std::io::stdout)
        .try_init();
}

/// Starts logging to standard error, for what runs until it is told to end and
/// has nothing else to say: for people on a terminal, else, and in a pod, a
/// line of JSON each. A file that is named takes its place.
pub(crate) fn start_aloud(global: &Global, err: &mut dyn Write) -> Option<WorkerGuard> {
    let log = &global.settings().log;
    if log.file.is_some() {
        return start(global, Some(err));
    }
    let filter = EnvFilter::builder().parse_lossy(log.level.as_ref().map_or(DEFAULT, |Filter(level)| level));
    // Who does not read what we say must not hold us.
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    let started = if std::io::stderr().is_terminal() && !crate::pod::is_here() {
        let colour = std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        builder.compact().with_ansi(colour).try_init()
    } else {
        builder.json().flatten_event(true).with_ansi(false).with_span_list(false).try_init()
    };
    started.is_ok().then_some(guard)
}

fn open(file: Option<&Path>) -> Result<Box<dyn Write + Send>, String> {
    if let Some(path) = file {
        let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
        return match opened {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => Err(format!("{}: {error}", path.display())),
        };
    }
    let folder = system_folder()?;
    // The appender writes to standard error when it cannot look for old files.
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::read_dir(&folder))
        .map_err(|error| format!("{}: {error}", folder.display()))?;
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("kgents")
        .filename_suffix("log")
        .max_log_files(KEPT)
        .build(&folder)
        .map(|file| Box::new(file) as Box<dyn Write + Send>)
        .map_err(|error| format!("{}: {error}", folder.display()))
}

/// Where logs go: the file that was named, else the folder of the daily ones.
///
/// # Errors
/// Why there is none.
pub(crate) fn place(global: &Global) -> Result<PathBuf, String> {
    global.settings().log.file.clone().map_or_else(system_folder, Ok)
}

/// The state directory, where logs go and what the window remembers.
///
/// # Errors
/// Why there is none.
pub(crate) fn system_folder() -> Result<PathBuf, String> {
    folder(|name| std::env::var_os(name).map(PathBuf::from)).ok_or_else(|| "HOME is not set".to_owned())
}

/// The state directory. As the XDG specification has it, a relative path
/// counts as none.
fn folder(env: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|state| state.join("kgents"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_rust_log_is() {
        for good in ["debug", "warn,kgents_source=trace", "off", "kgents_source[span]=debug"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        let error = filter("kgents_source=loud").unwrap_err();
        assert!(error.contains("kgents_source=trace"), "{error}");
    }

    #[test]
    fn the_state_directory_is_that_of_xdg() {
        let env = |state: Option<&str>, home: Option<&str>| {
            folder(|name| match name {
                "XDG_STATE_HOME" => state.map(PathBuf::from),
                _ => home.map(PathBuf::from),
            })
        };
        assert_eq!(env(Some("/s"), Some("/h")), Some("/s/kgents".into()));
        assert_eq!(env(Some("s"), Some("/h")), Some("/h/.local/state/kgents".into()));
        assert_eq!(env(None, None), None);
    }

    #[test]
    fn a_file_that_cannot_be_written_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let error = open(Some(&folder.path().join("none/x.log"))).err().unwrap();
        assert!(error.contains("none/x.log"), "{error}");
        assert!(open(Some(&folder.path().join("x.log"))).is_ok());
    }
}
