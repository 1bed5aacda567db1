//! What a large terrarium costs through the layers: a Cortex over its socket
//! to the real binary, and that binary's Ghost.
//!
//! `cargo bench --bench layers [-- --agents N] [--thoughts N] [--seconds S] [--json]`
//!
//! It prints figures and never fails for one. The Cortex runs in this process
//! and is fed by hand, so that no API server is measured with it; the binary
//! runs as `observe --json`, whose lines tell how far it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a bench that cannot run says why and ends")]
#![allow(clippy::print_stdout, reason = "its output is what it is for")]
#![allow(clippy::disallowed_methods, reason = "a bench asks the clock")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kgents_store::bus::{self, Bus, Change, Control, Novelty, Rung};
use kgents_store::object::decode;
use kgents_store::thought::{Origin, Severity};
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Key, Kind, Layer, Thought};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// How many thoughts are sent before the Cortex may take them in.
const BURST: usize = 2_000;
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(300);

struct Args {
    agents: usize,
    thoughts: usize,
    seconds: u64,
    json: bool,
}

fn args() -> Args {
    let mut args = Args { agents: 10_000, thoughts: 100_000, seconds: 60, json: false };
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        let mut number = || given.next().and_then(|text| text.parse().ok()).expect("a number follows");
        match arg.as_str() {
            "--agents" => args.agents = number(),
            "--thoughts" => args.thoughts = number(),
            "--seconds" => args.seconds = number() as u64,
            "--json" => args.json = true,
            // What cargo adds.
            _ => {}
        }
    }
    args
}

fn agent(i: usize, version: u64) -> Change {
    let json = json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent",
        "metadata": {
            "namespace": "kgents-agents", "name": format!("agent-{i:05}"), "uid": format!("u{i}"),
            "resourceVersion": version.to_string(), "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": { "genus": "B", "image": "kgents/b:1.4.0", "replicas": 1, "config": { "queue": "ledger", "rate": "14" } },
        "status": { "phase": "Running", "readyReplicas": 1, "replicas": 1, "observedGeneration": version },
    });
    let decoded = decode(Kind::Agent, &json.to_string()).unwrap();
    let novelty = if version == 1 { Novelty::Initial } else { Novelty::News };
    Change { kind: Kind::Agent, key: decoded.key.clone(), now: Some(decoded), novelty }
}

async fn feed(bus: Bus, commands: tokio::sync::mpsc::Receiver<Feed>, agents: usize) {
    let link = Link::Up { version: "v1.36.3".into() };
    let scene = Scene { context: "bench".into(), server: String::new(), namespace: None };
    bus.control(Control::Scene(scene)).await;
    bus.control(Control::Rung(Layer::Kube, Rung { address: String::new(), link, notes: Vec::new() })).await;
    bus.control(Control::Speaks(Some(Layer::Kube))).await;
    for i in 0..agents {
        bus.state(agent(i, 1)).await;
    }
    for kind in Kind::ALL {
        let watch = Watch { state: WatchState::Live, as_of: Some(Timestamp::now()), refused: Vec::new() };
        bus.control(Control::Watch(kind, watch)).await;
    }
    let mut commands = commands;
    while let Some(command) = commands.recv().await {
        match command {
            Feed::Thoughts(count) => {
                for i in 0..count {
                    let thought = Thought {
                        seq: 0,
                        at: Timestamp::now(),
                        who: format!("agent-{:05}", i % agents).into(),
                        kind: Kind::Agent,
                        key: Key::new("kgents-agents", &format!("agent-{:05}", i % agents)),
                        about: None,
                        origin: Origin::Event,
                        severity: Severity::Info,
                        text: format!("settled hold {i}: 23.35 €, 412 tokens, {} wait", i % 97).into(),
                    };
                    bus.thought(&thought);
                    if i % BURST == BURST - 1 {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
            }
            Feed::Change(i, version) => bus.state(agent(i, version)).await,
        }
    }
}

enum Feed {
    Thoughts(usize),
    Change(usize, u64),
}

/// The binary, and what it has told.
struct Client {
    child: Child,
    lines: mpsc::Receiver<Value>,
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Client {
    fn start(home: &Path, socket: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_kgents"))
            .args(["observe", "--json", "--layer", "grpc"])
            .env_clear()
            .env("HOME", home)
            .env("KUBECONFIG", "/nowhere")
            .env("KGENTS_CORTEX", format!("unix:{}", socket.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::with_capacity(1 << 20, child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                // Only what is counted is kept: the objects are large.
                let mut value: Value = serde_json::from_str(&line).unwrap();
                value["object"].take();
                if sender.send(value).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// Reads lines until so many of a kind came, or one in which `last` holds.
    fn until(&self, kind: &str, count: usize, last: impl Fn(&Value) -> bool) -> usize {
        let end = Instant::now() + LIMIT;
        let mut seen = 0;
        while seen < count && Instant::now() < end {
            let Ok(line) = self.lines.recv_timeout(LIMIT) else { break };
            if line["kind"] == kind {
                seen += 1;
                if last(&line) {
                    break;
                }
            }
        }
        seen
    }

    /// A figure of `/proc/PID/FILE`, as it stands there.
    fn proc(&self, file: &str, field: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(field)).unwrap_or_default();
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
    }
}

fn main() {
    let args = args();
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("cortex.sock");
    let (commands, receiver) = tokio::sync::mpsc::channel(64);
    let (ready, listens) = mpsc::channel();
    let cancel = CancellationToken::new();
    let server = {
        let (cancel, socket, agents) = (cancel.clone(), socket.clone(), args.agents);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (bus, reader) = bus::new();
                let options = kgents_cortex::Options {
                    listen: Vec::new(),
                    socket: Some(socket),
                    token: None,
                    version: env!("CARGO_PKG_VERSION"),
                    patience: LIMIT,
                };
                let serving = kgents_cortex::serve(reader, options, |_| ready.send(()).unwrap(), cancel);
                tokio::select! {
                    served = serving => served.unwrap(),
                    () = feed(bus, receiver, agents) => {}
                }
            });
        })
    };
    listens.recv_timeout(LIMIT).expect("the Cortex listens");

    let began = Instant::now();
    let client = Client::start(home.path(), &socket);
    let objects = client.until("Agent", args.agents, |_| false);
    let converged = began.elapsed();
    let rss = client.proc("status", "VmHWM");

    let began = Instant::now();
    commands.blocking_send(Feed::Thoughts(args.thoughts)).unwrap();
    let newest = format!("settled hold {}:", args.thoughts - 1);
    let is_newest = |line: &Value| line["thought"]["text"].as_str().is_some_and(|text| text.starts_with(&newest));
    let thoughts = client.until("Thought", args.thoughts, is_newest);
    let thought = began.elapsed();
    let rss_after = client.proc("status", "VmHWM");

    // Ten changes a second, for the Ghost to keep up with; then nothing.
    let minute = |changes: bool| {
        let before = client.proc("io", "write_bytes");
        let end = Instant::now() + Duration::from_secs(args.seconds);
        let mut i = 0;
        while Instant::now() < end {
            if changes {
                commands.blocking_send(Feed::Change(i % args.agents, 2 + i as u64)).unwrap();
                i += 1;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        (client.proc("io", "write_bytes") - before) * 60 / args.seconds.max(1)
    };
    let (busy, quiet) = (minute(true), minute(false));

    let figures = json!({
        "agents": objects, "converged_ms": converged.as_millis() as u64, "rss_kb": rss,
        "thoughts_sent": args.thoughts, "thoughts_told": thoughts, "thoughts_ms": thought.as_millis() as u64,
        "rss_after_kb": rss_after,
        "ghost_bytes_a_minute_at_10_changes_a_second": busy, "ghost_bytes_a_minute_quiet": quiet,
    });
    if args.json {
        println!("{figures}");
    } else {
        println!("through a Cortex on a unix socket, to `observe --json`:");
        for (name, value) in figures.as_object().unwrap() {
            println!("  {name:<46}{value:>14}");
        }
    }
    drop(client);
    cancel.cancel();
    drop(commands);
    server.join().unwrap();
}
