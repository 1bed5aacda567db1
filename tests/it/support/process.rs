//! Commands that run to their end.

use std::fmt;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::Value;

use super::wait::{SOON, eventually};

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// What was typed.
    pub line: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// What it wrote on standard output.
    pub stdout: String,
    /// What it wrote on standard error.
    pub stderr: String,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, code, stdout, stderr } = self;
        let code = code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"));
        write!(f, "$ {line}\n{stdout}{stderr}({code})")
    }
}

impl Ran {
    /// Its standard output, if it ended well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert!(self.code == Some(0), "{self}");
        self.stdout
    }

    /// Its standard output as JSON, if it ended well.
    #[track_caller]
    pub fn json(self) -> Value {
        assert!(self.code == Some(0), "{self}");
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{self}\nno JSON: {error}"))
    }

    /// Its standard error, if it ended with this code.
    #[track_caller]
    pub fn fails(self, code: i32) -> String {
        assert!(self.code == Some(code), "exit code {code} was expected\n{self}");
        self.stderr
    }
}

/// Runs a command with this on its standard input, and waits for its end.
#[track_caller]
pub fn run(mut command: Command, input: &str) -> Ran {
    let line = line(&command);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = Killed(child.unwrap_or_else(|error| panic!("{line}: {error}")));
    let (mut stdin, input) = (child.0.stdin.take().unwrap(), input.to_owned());
    // It may end without having read it all.
    thread::spawn(move || stdin.write_all(input.as_bytes()));
    let stdout = reader(child.0.stdout.take().unwrap());
    let stderr = reader(child.0.stderr.take().unwrap());
    let status = eventually(SOON * 2, &format!("the end of {line}"), || {
        child.0.try_wait().unwrap().ok_or_else(|| "it still runs".to_owned())
    });
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    Ran { line, code: status.code(), stdout, stderr }
}

/// A command as a person types it.
pub fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or_default().to_owned();
    let args = command.get_args().map(|arg| arg.to_string_lossy().into_owned());
    std::iter::once(name).chain(args).collect::<Vec<_>>().join(" ")
}

fn reader(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).expect("output is UTF-8")
    })
}

/// A child that does not outlive its test.
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
