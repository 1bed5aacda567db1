//! `cargo bench --bench terminal`: the real binary in a real terminal, each
//! budget with what was measured beside it. `-- --help` tells the options.
//!
//! It never fails for a figure: one that is missed is marked, and one that
//! cannot be had says why.

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

mod cortex;
mod measure_floor;
mod measure_idle;
mod measure_keys;
mod measure_soak;
mod measure_start;
mod options;
mod programs;
mod pty;
mod story;
mod world;

#[path = "../report.rs"]
mod report;

#[path = "../../tests/it"]
mod it {
    pub(crate) mod support;
}

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use it::support::place::Place;
use it::support::user::User;
use options::Options;
use programs::Program;
use report::{Budget, Report, Unit};
use serde_json::json;

type Measure = fn(&mut Bench);

/// What is measured, by the name that `--only` takes, in this order.
const MEASUREMENTS: [(&str, Measure); 9] = [
    ("floor", measure_floor::floor),
    ("version", measure_floor::version),
    ("start", measure_start::starts),
    ("objects", measure_start::objects),
    ("keys", measure_keys::keys),
    ("load", measure_keys::load),
    ("idle", measure_idle::idle),
    ("memory", measure_idle::memory),
    ("soak", measure_soak::soak),
];

/// A run of the bench.
pub struct Bench {
    pub options: Options,
    /// Ours first.
    pub programs: Vec<Program>,
    pub report: Report,
    /// Made when it is first needed.
    place: OnceCell<Result<Place, String>>,
}

fn main() {
    let options = match Options::read(std::env::args().skip(1).collect()) {
        Ok(Some(options)) => options,
        Ok(None) => return println!("{}", options::HELP),
        Err(problem) => return println!("{problem}; `--help` tells the options"),
    };
    if let Some(folder) = &options.write {
        story::record(folder, measure_keys::RECORDED);
        return println!("kgents observe --fixture {}", folder.display());
    }
    let mut programs = vec![Program::ours()];
    programs.extend(options.others.iter().map(|command| Program::other(command)));
    let (head, about) = about(&programs);
    let mut bench = Bench { report: Report::new(head, about, options.json), options, programs, place: OnceCell::new() };
    for (name, measure) in MEASUREMENTS {
        if bench.options.wants(name) {
            it::support::say(&format!("measures {name}"));
            // A helper of the tests that gives up ends one measurement, not all.
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| measure(&mut bench))) {
                let why = panic.downcast_ref::<String>().map(String::as_str);
                let why = why.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it gave up");
                bench.put_ours(name, "all of it", Unit::Count, Err(why.to_owned()), Budget::NONE);
            }
        }
    }
    bench.report.print();
}

impl Bench {
    /// The namespace on the API server that has a thousand agents.
    ///
    /// # Errors
    /// In words: why there is none here.
    pub fn place(&self) -> Result<&Place, String> {
        self.place.get_or_init(world::place).as_ref().map_err(Clone::clone)
    }

    /// Does the same with each program on the API server.
    pub fn each_on_server<T>(&self, look: impl Fn(&Program, &User) -> Result<T, String>) -> Vec<Result<T, String>> {
        let on_server = |program| self.place().and_then(|place| look(program, &place.user));
        self.programs.iter().map(on_server).collect()
    }

    /// Puts down a figure of each program; the budget is ours.
    pub fn put_all(
        &mut self,
        group: &str,
        name: &str,
        unit: Unit,
        seen: Vec<Result<Vec<f64>, String>>,
        budget: Budget,
    ) {
        for (program, seen) in self.programs.iter().zip(seen) {
            let budget = if program.is_ours() { budget } else { Budget::NONE };
            self.report.put((group, name, &program.name), unit, seen, budget);
        }
    }

    /// Puts down a figure of ours.
    pub fn put_ours(&mut self, group: &str, name: &str, unit: Unit, seen: Result<Vec<f64>, String>, budget: Budget) {
        self.report.put((group, name, &self.programs[0].name), unit, seen, budget);
    }
}

/// What the figures were measured on: for people, and for programs.
fn about(programs: &[Program]) -> (String, serde_json::Value) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Vec<f64> = load.split(' ').take(3).filter_map(|number| number.parse().ok()).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    let names: Vec<&str> = programs.iter().map(|program| program.name.as_str()).collect();
    let [columns, rows] = pty::SIZE;
    let busy = load.first().copied().unwrap_or(0.0);
    let head = format!(
        "{} in a terminal of {columns}x{rows}, {profile} build; {cores} cores, load average {busy} at the start: \
         whatever else runs here is in the figures",
        names.join(", ")
    );
    let about = json!({
        "programs": names, "columns": columns, "rows": rows, "profile": profile, "cores": cores, "load_average": load,
    });
    (head, about)
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
