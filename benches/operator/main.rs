//! `cargo bench --bench operator`: the real operator on a real API server, each
//! budget with what was measured beside it. `-- --help` tells the options.
//!
//! What was written is counted by the API server, in its audit log. It never
//! fails for a figure: one that is missed is marked, and one that cannot be had
//! says why.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    dead_code,
    unused_imports,
    unused_macros,
    missing_docs,
    reason = "a bench asks the clock, prints, and gives up aloud; it uses a part of the test support"
)]

mod agents;
mod bare;
mod field;
mod follow;
mod measure_edit;
mod measure_fleet;
mod measure_pheromones;
mod measure_plans;
mod measure_rest;
mod measure_writes;
mod options;
mod peer;
mod process;
mod proxy;

#[path = "../report.rs"]
mod report;

#[path = "../../tests/it"]
mod it {
    pub(crate) mod support;
}

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use it::support::audit::Call;
use options::Options;
use report::{Budget, Report, Unit};
use serde_json::json;
use tokio::runtime::Runtime;

type Measure = fn(&mut Bench);

/// What is measured, by the name that `--only` takes, in this order.
const MEASUREMENTS: [(&str, Measure); 6] = [
    ("plans", measure_plans::plans),
    ("writes", measure_writes::writes),
    ("rest", measure_rest::rest),
    ("edit", measure_edit::edit),
    ("pheromones", measure_pheromones::pheromones),
    ("fleet", measure_fleet::fleet),
];

/// Whose figures they are.
pub const OURS: &str = "kgents";

/// A run of the bench.
pub struct Bench {
    pub options: Options,
    pub report: Report,
    /// What the bench itself sends is sent from here.
    pub runtime: Runtime,
}

fn main() {
    let options = match Options::read(std::env::args().skip(1).collect()) {
        Ok(Some(options)) => options,
        Ok(None) => return println!("{}", options::HELP),
        Err(problem) => return println!("{problem}; `--help` tells the options"),
    };
    // Another part of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (head, about) = about(&options);
    let mut bench = Bench { report: Report::new(head, about, options.json), options, runtime };
    for (name, measure) in MEASUREMENTS {
        if bench.options.wants(name) {
            it::support::say(&format!("measures {name}"));
            if let Err(why) = tried(|| measure(&mut bench)) {
                bench.put((name, "all of it", OURS), Unit::Count, Err(why), Budget::NONE);
            }
        }
    }
    bench.report.print();
}

impl Bench {
    /// Puts a figure down: group, name, and whose it is.
    pub fn put(&mut self, place: (&str, &str, &str), unit: Unit, seen: Result<Vec<f64>, String>, budget: Budget) {
        self.report.put(place, unit, seen, budget);
    }

    /// Puts down a single figure of ours.
    pub fn put_one(&mut self, group: &str, name: &str, unit: Unit, figure: f64, budget: Budget) {
        self.put((group, name, OURS), unit, Ok(vec![figure]), budget);
    }
}

/// Milliseconds.
pub fn ms(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Does something that may give up, as the helpers of the tests do: that ends
/// one measurement, not all.
pub fn tried<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|panic: Box<dyn Any + Send>| {
        let why = panic.downcast_ref::<String>().map(String::as_str);
        let why = why.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it gave up");
        // Beside figures there is room for a line; all of it was said on standard error.
        why.lines().map(str::trim).filter(|line| !line.is_empty()).take(2).collect::<Vec<_>>().join(" / ")
    })
}

/// Names on standard error the first of what should not have been asked for.
pub fn name_some<'a>(what: &str, calls: impl IntoIterator<Item = &'a Call>) {
    for call in calls.into_iter().take(5) {
        it::support::say(&format!("{what}: {}", call.short()));
    }
}

/// What the figures were measured on: for people, and for programs.
fn about(options: &Options) -> (String, serde_json::Value) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<f64> = load.split(' ').take(3).filter_map(|number| number.parse().ok()).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let busy = load.first().copied().unwrap_or(0.0);
    let workers = options.concurrency;
    let head = format!(
        "{profile} build, {workers} workers; {cores} cores, load average {busy} at the start: the API server, its \
         controllers and whatever else runs here are in the figures"
    );
    let about = json!({ "profile": profile, "workers": workers, "cores": cores, "load_average": load });
    (head, about)
}
