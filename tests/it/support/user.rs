//! Someone at a keyboard, with a home of their own and the real binary.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{Ran, run};
use super::pty::Pty;
use super::stream::Stream;

/// The binary under test.
pub const KGENTS: &str = env!("CARGO_BIN_EXE_kgents");

/// A user. Nothing of the environment that the tests run in reaches the
/// commands, but PATH.
pub struct User {
    home: TempDir,
    vars: Vec<(String, OsString)>,
}

impl User {
    /// One who has no kubeconfig.
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut vars: Vec<(String, OsString)> = vec![
            ("PATH".into(), std::env::var_os("PATH").unwrap_or_default()),
            ("HOME".into(), home.path().into()),
            ("USER".into(), "tester".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("TZ".into(), "UTC".into()),
            ("TERM".into(), "xterm-256color".into()),
            // A backtrace scrolls the message out of a small screen.
            ("RUST_BACKTRACE".into(), "0".into()),
        ];
        for (name, folder) in [
            ("XDG_CONFIG_HOME", ".config"),
            ("XDG_CACHE_HOME", ".cache"),
            ("XDG_DATA_HOME", ".local/share"),
            ("XDG_STATE_HOME", ".local/state"),
        ] {
            vars.push((name.into(), home.path().join(folder).into()));
        }
        Self { home, vars }
    }

    /// One whose KUBECONFIG is this file.
    pub fn with(kubeconfig: &Path) -> Self {
        Self::new().var("KUBECONFIG", kubeconfig)
    }

    /// One whose KUBECONFIG is a file with this in it.
    pub fn with_text(kubeconfig: &str) -> Self {
        let user = Self::new();
        let path = user.file("kubeconfig", kubeconfig);
        user.var("KUBECONFIG", path)
    }

    /// The same with a variable set.
    pub fn var(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.vars.retain(|(other, _)| other != name);
        self.vars.push((name.to_owned(), value.into()));
        self
    }

    /// Writes a file into the home and returns its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A place in the home, whether or not something is there.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The environment of what this user runs.
    pub fn vars(&self) -> &[(String, OsString)] {
        &self.vars
    }

    /// A command of this user that is not run yet.
    pub fn command(&self, program: impl AsRef<Path>, args: &[&str]) -> Command {
        let mut command = Command::new(program.as_ref());
        command.args(args).env_clear().envs(self.vars.iter().cloned()).current_dir(self.home.path());
        command
    }

    /// Runs kgents.
    #[track_caller]
    pub fn kgents(&self, args: &[&str]) -> Ran {
        run(self.command(KGENTS, args), "")
    }

    /// Runs kgents without waiting for its end.
    #[track_caller]
    pub fn follow(&self, args: &[&str]) -> Stream {
        Stream::start(self.command(KGENTS, args))
    }

    /// Runs kgents in a terminal of so many columns and rows.
    #[track_caller]
    pub fn window(&self, size: (u16, u16), args: &[&str]) -> Pty {
        Pty::open(self, size, args)
    }
}
