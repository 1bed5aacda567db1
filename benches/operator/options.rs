//! What can be said to the bench.

use crate::MEASUREMENTS;

pub const HELP: &str = "\
The real operator on a real API server with controllers, a scheduler and pods that
run without containers. What was written is counted in the API server's audit log.

cargo bench --bench operator -- [OPTIONS]

  --only NAME      only this; may be given several times:
                   plans writes rest edit pheromones fleet
  --agents N       how many agents there are [default: 20 for writes, 50 for rest,
                   100 for edit, 200 and then 1,000 for fleet]
  --concurrency N  agents that are worked on at once, by each program [default: 16]
  --runs N         how often each program raises a fleet; the order turns round each
                   time [default: 3]
  --idle SECONDS   how long a fleet is left alone [default: 70]
  --minutes M      how long pheromones live and die [default: 2]
  --pheromones N   how many [default: 1000]
  --peer           build the controller-runtime operator in benches/operator/peer
                   with the Go in PATH (minutes, once) and measure it beside
  --json           one JSON document
  --help           this

The bare client posts the same objects as the operator with the same concurrency, and
watches nothing: the goal is to take at most 1.3 times as long as it does.

Examples:
  cargo bench --bench operator
  cargo bench --bench operator -- --only fleet --peer --runs 5
  cargo bench --bench operator -- --only pheromones --minutes 10
  cargo bench --bench operator -- --json > figures.json
  cargo bench --profile dev --bench operator -- --agents 20   # no figures to keep";

/// What was said.
pub struct Options {
    pub agents: Option<usize>,
    pub concurrency: usize,
    pub runs: usize,
    /// Seconds.
    pub idle: u64,
    pub minutes: f64,
    pub pheromones: usize,
    pub peer: bool,
    pub json: bool,
    only: Vec<String>,
}

impl Options {
    /// Reads the arguments; `None` when help is asked for.
    ///
    /// # Errors
    /// In words: what is wrong with them.
    pub fn read(mut args: Vec<String>) -> Result<Option<Self>, String> {
        // What cargo adds, behind all else.
        if args.last().is_some_and(|last| last == "--bench") {
            args.pop();
        }
        let mut given = args.iter();
        let mut options = Self {
            agents: None,
            concurrency: 16,
            runs: 3,
            idle: 70,
            minutes: 2.0,
            pheromones: 1_000,
            peer: false,
            json: false,
            only: Vec::new(),
        };
        while let Some(arg) = given.next() {
            let mut value = || given.next().cloned().ok_or_else(|| format!("nothing follows {arg}"));
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
                "--json" => options.json = true,
                "--peer" => options.peer = true,
                "--agents" => options.agents = Some(some(arg, &value()?)?),
                "--concurrency" => options.concurrency = some(arg, &value()?)?,
                "--runs" => options.runs = some(arg, &value()?)?,
                "--idle" => options.idle = number(arg, &value()?)?,
                "--minutes" => options.minutes = number(arg, &value()?)?,
                "--pheromones" => options.pheromones = some(arg, &value()?)?,
                "--only" => options.only.push(known(value()?)?),
                _ => return Err(format!("{arg} is no option")),
            }
        }
        Ok(Some(options))
    }

    /// Whether this is measured.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// How many agents, where nobody said.
    pub fn agents_or(&self, default: usize) -> usize {
        self.agents.unwrap_or(default)
    }
}

fn number<T: std::str::FromStr>(arg: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{arg} {text}: that is no number"))
}

fn some(arg: &str, text: &str) -> Result<usize, String> {
    match number(arg, text)? {
        0 => Err(format!("{arg} 0 measures nothing")),
        some => Ok(some),
    }
}

fn known(name: String) -> Result<String, String> {
    if MEASUREMENTS.iter().any(|(known, _)| *known == name) {
        Ok(name)
    } else {
        Err(format!("nothing is called {name}"))
    }
}
