//! Commands that go on and on, and what they have said so far.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::process::{Killed, Ran, line};
use super::wait::{SOON, eventually};

/// A command that is running.
pub struct Stream {
    line: String,
    child: Killed,
    stdout: Lines,
    stderr: Lines,
}

/// How many lines the message of a failure shows, and how much of each.
const SHOWN: usize = 25;
const WIDTH: usize = 240;

type Lines = Arc<Mutex<Vec<String>>>;

impl Stream {
    /// Starts a command.
    #[track_caller]
    pub fn start(mut command: Command) -> Self {
        let line = line(&command);
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = Killed(child.unwrap_or_else(|error| panic!("{line}: {error}")));
        let stdout = collect(child.0.stdout.take().unwrap());
        let stderr = collect(child.0.stderr.take().unwrap());
        Self { line, child, stdout, stderr }
    }

    /// All lines of its standard output so far.
    pub fn lines(&self) -> Vec<String> {
        self.stdout.lock().unwrap().clone()
    }

    /// The same as JSON, a value a line.
    #[track_caller]
    pub fn values(&self) -> Vec<Value> {
        let read = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.lines().iter().map(read).collect()
    }

    /// Waits for a line that is as wanted.
    #[track_caller]
    pub fn expect(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        eventually(SOON, what, || self.lines().into_iter().find(|line| wanted(line)).ok_or_else(|| self.so_far()))
    }

    /// Waits for a line that holds all these words.
    #[track_caller]
    pub fn expect_words(&self, words: &[&str]) -> String {
        let what = format!("a line with {}", words.join(" and "));
        self.expect(&what, |line| words.iter().all(|word| line.contains(word)))
    }

    /// Waits for a line of JSON that is as wanted.
    #[track_caller]
    pub fn expect_value(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(SOON, what, || self.values().into_iter().find(|value| wanted(value)).ok_or_else(|| self.so_far()))
    }

    /// What it has said lately, for the message of a failure.
    pub fn so_far(&self) -> String {
        let (stdout, stderr) = (self.stdout.lock().unwrap(), self.stderr.lock().unwrap());
        let older = stdout.len().saturating_sub(SHOWN);
        let short = |line: &String| line.chars().take(WIDTH).chain(['\n']).collect::<String>();
        let lately: String = stdout.iter().skip(older).chain(stderr.iter()).map(short).collect();
        format!("$ {}\n({older} lines before)\n{lately}", self.line)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child.0), signal).unwrap();
    }

    /// Tells it to end, and waits until it has.
    #[track_caller]
    pub fn end(self) -> Ran {
        self.signal(Signal::TERM);
        self.ended()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(mut self) -> Ran {
        let what = format!("the end of {}", self.line);
        let status = eventually(SOON, &what, || self.child.0.try_wait().unwrap().ok_or_else(|| self.so_far()));
        // The readers hold the other reference until they have read it all.
        for lines in [&self.stdout, &self.stderr] {
            eventually(SOON, &what, || (Arc::strong_count(lines) == 1).then_some(()).ok_or_else(|| self.so_far()));
        }
        let text = |lines: &Lines| lines.lock().unwrap().iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        Ran { line: self.line, code: status.code(), stdout: text(&self.stdout), stderr: text(&self.stderr) }
    }
}

fn collect(pipe: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let kept = lines.clone();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines() {
            kept.lock().unwrap().push(line.expect("output is UTF-8"));
        }
    });
    lines
}
