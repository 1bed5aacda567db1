//! The controller-runtime operator that is measured beside: built from `peer/`
//! with the Go in PATH, and kept in the user's cache.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use crate::agents;
use crate::field::Field;
use crate::it::support::process::Killed;
use crate::it::support::{path, say};
use crate::process::Process;

const SOURCES: [&str; 3] = ["go.mod", "go.sum", "main.go"];

/// The binary, built if need be.
///
/// # Errors
/// In words: why there is none here.
pub fn binary() -> Result<PathBuf, String> {
    let folder = path("benches/operator/peer");
    let mut hash = DefaultHasher::new();
    for name in SOURCES {
        std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?.hash(&mut hash);
    }
    let home = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = home("XDG_CACHE_HOME").or_else(|| Some(home("HOME")?.join(".cache")));
    let cache = cache.ok_or("skipped: there is no home to keep it in")?;
    let kept = cache.join(format!("kgents/bench-peer/{:016x}", hash.finish()));
    let binary = kept.join("kgents-bench-peer");
    if binary.exists() {
        return Ok(binary);
    }
    say("builds the controller-runtime operator: some minutes the first time");
    std::fs::create_dir_all(&kept).map_err(|error| error.to_string())?;
    // Whoever looks for it finds all of it or nothing.
    let new = kept.join(format!("new-{}", std::process::id()));
    let mut go = Command::new("go");
    go.args(["build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o"]).arg(&new).arg(".");
    go.current_dir(&folder).env("CGO_ENABLED", "0").env("GOWORK", "off").stdin(Stdio::null());
    let ran = go.output().map_err(|error| format!("skipped: it is built with Go, and go cannot be run: {error}"))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(format!("skipped: go build failed: {}", said.lines().last().unwrap_or_default()));
    }
    std::fs::rename(&new, &binary).map_err(|error| error.to_string())?;
    Ok(binary)
}

/// One that runs, and ends when this is dropped.
pub struct Peer {
    child: Killed,
    log: PathBuf,
}

impl Peer {
    /// One of this field, its caches filled.
    ///
    /// # Errors
    /// With its last words.
    pub fn start(binary: &Path, field: &Field, workers: usize) -> Result<Self, String> {
        let user = &field.garden.user;
        let template = user.file("template.json", &agents::template().to_string());
        let log = user.path("peer.log");
        let mut command = user.command(binary, &["--namespace", &field.garden.namespace]);
        command.arg("--workers").arg(workers.to_string()).arg("--template").arg(template);
        let file = std::fs::File::create(&log).map_err(|error| error.to_string())?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn();
        let mut peer = Self { child: Killed(child.map_err(|error| error.to_string())?), log };
        let stdout = peer.child.0.stdout.take().ok_or("it has no standard output")?;
        let (sender, ready) = sync_channel(1);
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(stdout).read_line(&mut line);
            sender.send(read.is_ok() && line == "ready\n")
        });
        match ready.recv_timeout(Duration::from_secs(60)) {
            Ok(true) => Ok(peer),
            _ => Err(format!("it was never ready: {}", peer.last_words())),
        }
    }

    /// The last lines that it said.
    pub fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(3).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }

    pub fn process(&self) -> Process {
        Process(self.child.0.id())
    }
}
