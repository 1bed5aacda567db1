//! Operators that run beside a test.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::http;
use super::process::Killed;
use super::user::{KGENTS, User};
use super::wait::{SOON, eventually};

/// An operator. It is killed when this is dropped.
pub struct Operator {
    child: Killed,
    log: PathBuf,
    /// Where its metrics are, as `127.0.0.1:PORT`.
    pub address: String,
}

impl Operator {
    /// Starts one as this user, with these arguments after `operator run`.
    #[track_caller]
    pub fn start(user: &User, args: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let log = user.path(&format!("operator-{port}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let mut all = vec!["operator", "run", "--metrics-addr", &address];
        all.extend(args);
        let mut command = user.command(KGENTS, &all);
        command.stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        Self { child: Killed(command.spawn().unwrap()), log, address }
    }

    /// The same, once it is ready.
    #[track_caller]
    pub fn ready(user: &User, args: &[&str]) -> Self {
        let mut operator = Self::start(user, args);
        operator.wait("/readyz");
        operator
    }

    /// Waits until this path is answered with 200.
    #[track_caller]
    pub fn wait(&mut self, path: &str) {
        eventually(SOON, path, || {
            if let Some(status) = self.child.0.try_wait().unwrap() {
                panic!("the operator has ended ({status}):\n{}", self.log());
            }
            self.get(path).map_err(|error| format!("{error}\n{}", self.log()))
        });
    }

    /// Waits until it writes: it holds the Lease.
    #[track_caller]
    pub fn leads(&mut self) {
        eventually(SOON, "leadership", || match self.metric("leader_election_master_status") {
            Some(held) if held >= 1.0 => Ok(()),
            other => Err(format!("{other:?}\n{}", self.log())),
        });
    }

    /// What it answers at a path, if that is 200.
    pub fn get(&self, path: &str) -> Result<String, String> {
        let (code, body) = http::request(&self.address, "GET", path, "").map_err(|error| error.to_string())?;
        if code == 200 { Ok(body) } else { Err(format!("{code}: {body}")) }
    }

    /// The sum of a metric over all its labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").ok()?;
        let values = text.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let value = match rest.strip_prefix('{') {
                Some(labels) => labels.rsplit_once('}')?.1,
                None => rest.strip_prefix(' ')?,
            };
            value.trim().parse::<f64>().ok()
        });
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// How many requests with this verb it has made.
    #[track_caller]
    pub fn calls(&self, verb: &str) -> u64 {
        let text = self.get("/metrics").unwrap();
        let label = format!("verb=\"{verb}\"");
        let of_verb = text.lines().filter(|line| line.starts_with("kgents_api_calls_total{") && line.contains(&label));
        of_verb.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
    }

    /// What it says of itself.
    #[track_caller]
    pub fn state(&self) -> Value {
        serde_json::from_str(&self.get("/debug/state").unwrap()).unwrap()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.pid() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Kills it at once, as a machine that dies would.
    pub fn dies(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// Waits for its end and gives the exit code, and how long it took.
    #[track_caller]
    pub fn ended(mut self) -> (i32, Duration) {
        let began = Instant::now();
        let child: &mut Child = &mut self.child.0;
        let status = eventually(SOON, "its end", || child.try_wait().unwrap().ok_or_else(String::new));
        (status.code().unwrap_or(-1), began.elapsed())
    }
}
