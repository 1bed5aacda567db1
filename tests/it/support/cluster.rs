//! Real API servers, started by `tests/cluster/up`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, OnceLock};

use serde::Deserialize;
use serde_json::Value;

use super::audit::Audit;
use super::process::{Ran, run};
use super::wait::{SOON, eventually};

/// The exit code that says that no cluster can be had here.
const LACK: i32 = 77;

/// The kinds that our CRDs define, by plural.
pub const PLURALS: [&str; 5] = ["agents", "pheromones", "memories", "umwelts", "proposals"];

/// An API server with its etcd. They stop when this is dropped, and also when
/// this process is killed: their supervisor's standard input closes then.
pub struct Cluster {
    about: About,
    control: Mutex<Control>,
    supervisor: Child,
}

/// What the supervisor says of what it has started.
#[derive(Deserialize)]
struct About {
    kubeconfig: PathBuf,
    dir: PathBuf,
    kubectl: PathBuf,
    audit_log: Option<PathBuf>,
}

struct Control {
    /// `None` once it is told to stop.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

/// Why no cluster can be had here, with what to do about it; `None` if one can.
/// A cluster that should be there and is broken is no reason to skip a test.
pub fn lack() -> Option<String> {
    lack_with(&[])
}

/// The same for a cluster with more: `args` are those of `tests/cluster/up`.
pub fn lack_with(args: &[&str]) -> Option<String> {
    let ran = run(up(&[&["--check"], args].concat()), "");
    match ran.code {
        Some(0) => None,
        Some(LACK) => Some(ran.stderr.trim().to_owned()),
        _ => panic!("{ran}"),
    }
}

fn up(args: &[&str]) -> Command {
    let mut command = Command::new(super::path("tests/cluster/up"));
    command.args(args);
    command
}

/// The API server that tests share. Our CRDs are installed.
pub fn shared() -> Arc<Cluster> {
    static SHARED: OnceLock<Result<Arc<Cluster>, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| {
        let cluster = Cluster::start(&[])?;
        cluster.install_crds();
        Ok(Arc::new(cluster))
    });
    match started {
        Ok(cluster) => cluster.clone(),
        Err(error) => panic!("{error}"),
    }
}

/// The API server that those tests share whose objects must come to life:
/// controllers, a scheduler and kwok run beside it, and it keeps an audit log.
/// Our CRDs are installed.
pub fn living() -> Arc<Cluster> {
    static SHARED: OnceLock<Result<Arc<Cluster>, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| {
        let cluster = Cluster::start(&LIVING)?;
        cluster.install_crds();
        Ok(Arc::new(cluster))
    });
    match started {
        Ok(cluster) => cluster.clone(),
        Err(error) => panic!("{error}"),
    }
}

/// With what pods come to life.
pub const LIVING: [&str; 4] = ["--with", "controller-manager,scheduler,kwok", "--audit-log", "-"];

/// What a test takes that starts API servers of its own.
pub struct Own(());

impl Own {
    /// For those who run tests and benches.
    pub fn new() -> Self {
        Self(())
    }

    /// Starts one, without our CRDs. `args` are those of `tests/cluster/up`.
    #[track_caller]
    #[expect(clippy::unused_self, reason = "only who says so in its type may start one")]
    pub fn start(&self, args: &[&str]) -> Arc<Cluster> {
        match Cluster::start(args) {
            Ok(cluster) => Arc::new(cluster),
            Err(error) => panic!("{error}"),
        }
    }

    /// Starts one with our CRDs.
    #[track_caller]
    pub fn start_with_crds(&self) -> Arc<Cluster> {
        let cluster = self.start(&[]);
        cluster.install_crds();
        cluster
    }
}

impl Cluster {
    /// Starts one; `args` are those of `tests/cluster/up`.
    pub(super) fn start(args: &[&str]) -> Result<Self, String> {
        let mut supervisor = up(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("tests/cluster/up cannot be run: {error}"))?;
        let stdin = supervisor.stdin.take();
        let mut stdout = BufReader::new(supervisor.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.is_empty() {
            let status = supervisor.wait().unwrap();
            return Err(format!("no cluster: tests/cluster/up said why above ({status})"));
        }
        let about: About = serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))?;
        std::fs::create_dir(about.dir.join("home")).map_err(|error| error.to_string())?;
        Ok(Self { about, control: Mutex::new(Control { stdin, stdout }), supervisor })
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> &Path {
        &self.about.kubeconfig
    }

    /// Its audit log; it was started with one.
    #[track_caller]
    pub fn audit(&self) -> Audit {
        Audit::at(self.about.audit_log.as_deref().expect("started with --audit-log"))
    }

    /// Runs kubectl as the administrator.
    #[track_caller]
    pub fn kubectl(&self, args: &[&str]) -> Ran {
        self.kubectl_as(&self.about.kubeconfig, args, "")
    }

    /// Runs kubectl with another kubeconfig, and this on its standard input.
    #[track_caller]
    pub fn kubectl_as(&self, kubeconfig: &Path, args: &[&str], input: &str) -> Ran {
        let mut command = Command::new(&self.about.kubectl);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = self.about.dir.join("home");
        command.args(args).env_clear().env("PATH", path).env("HOME", home).env("KUBECONFIG", kubeconfig);
        run(command, input)
    }

    /// Gives the supervisor a command (see `tests/cluster/up --help`) and
    /// returns its answer.
    #[track_caller]
    pub fn ask(&self, line: &str) -> Value {
        let mut control = self.control.lock().unwrap();
        writeln!(control.stdin.as_mut().unwrap(), "{line}").unwrap();
        let mut answer = String::new();
        control.stdout.read_line(&mut answer).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{line}: {error}: {answer:?}"));
        assert!(answer["ok"] == true, "{line}: {answer}");
        answer
    }

    /// A kubeconfig for another user; `cert` is what follows that command.
    #[track_caller]
    pub fn cert(&self, cert: &str) -> PathBuf {
        self.ask(&format!("cert {cert}"))["kubeconfig"].as_str().unwrap().into()
    }

    /// Installs our CRDs from `crds/` and waits until they are served.
    #[track_caller]
    pub fn install_crds(&self) {
        let folder = super::path("crds");
        self.kubectl(&["apply", "--server-side", "-f", folder.to_str().unwrap()]).ok();
        for plural in PLURALS {
            // Established comes before the API server serves the path.
            let path = format!("/apis/kgents.io/v1/{plural}");
            eventually(SOON, &path, || {
                let ran = self.kubectl(&["get", "--raw", &path]);
                if ran.code == Some(0) { Ok(()) } else { Err(ran.to_string()) }
            });
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(control) = self.control.get_mut() {
            control.stdin = None;
        }
        let _ = self.supervisor.wait();
    }
}
