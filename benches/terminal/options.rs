//! What can be said to the bench.

use std::path::PathBuf;

use crate::MEASUREMENTS;

pub const HELP: &str = "\
The real binary in a terminal of 160x45, each budget with what was measured beside it.
Every time is from exec, or from a key, to the moment at which the bytes arrive.

cargo bench --bench terminal -- [OPTIONS] [-- COMMAND...]...

  --runs N         starts of each kind [default: 7]
  --only NAME      only this; may be given several times:
                   floor version start objects keys load idle memory soak
  --idle SECONDS   how long nothing happens [default: 30]
  --soak MINUTES   two thousand changes a second for so long [default: not at all]
  --row TEXT       what a COMMAND shows once it has all 1,000 agents
  --write DIR      only write the recording of two thousand changes a second
  --json           one JSON document
  --help           this

Each COMMAND is measured in the same way, with the same KUBECONFIG. A whole frame is
the end of the first synchronized update, of a program that has none the first
screen that stays for 100 ms. Ours hears j and k, another one the arrows down and up.

Examples:
  cargo bench --bench terminal
  cargo bench --bench terminal -- --only start --runs 21
  cargo bench --bench terminal -- --only soak --soak 15
  cargo bench --bench terminal -- -- btm -- top -d 1
  cargo bench --bench terminal -- --json > figures.json
  cargo bench --profile dev --bench terminal -- --only floor   # no figures to keep";

/// What was said.
pub struct Options {
    pub runs: usize,
    pub idle: u64,
    /// Minutes.
    pub soak: f64,
    pub row: Option<String>,
    pub write: Option<PathBuf>,
    pub json: bool,
    pub others: Vec<Vec<String>>,
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
        let mut parts = args.split(|arg| arg == "--");
        let mut given = parts.next().unwrap_or_default().iter();
        let others = parts.filter(|command| !command.is_empty()).map(<[String]>::to_vec).collect();
        let mut options =
            Self { runs: 7, idle: 30, soak: 0.0, row: None, write: None, json: false, others, only: Vec::new() };
        while let Some(arg) = given.next() {
            let mut value = || given.next().cloned().ok_or_else(|| format!("nothing follows {arg}"));
            match arg.as_str() {
                "--help" | "-h" => return Ok(None),
                "--json" => options.json = true,
                "--runs" => options.runs = number(arg, &value()?)?,
                "--idle" => options.idle = number(arg, &value()?)?,
                "--soak" => options.soak = number(arg, &value()?)?,
                "--row" => options.row = Some(value()?),
                "--write" => options.write = Some(value()?.into()),
                "--only" => options.only.push(known(value()?)?),
                _ => return Err(format!("{arg} is no option")),
            }
        }
        if options.runs == 0 {
            return Err("--runs 0 measures nothing".to_owned());
        }
        Ok(Some(options))
    }

    /// Whether this is measured.
    pub fn wants(&self, name: &str) -> bool {
        let asked = self.only.is_empty() || self.only.iter().any(|only| only == name);
        asked && (name != "soak" || self.soak > 0.0)
    }
}

fn number<T: std::str::FromStr>(arg: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{arg} {text}: that is no number"))
}

fn known(name: String) -> Result<String, String> {
    if MEASUREMENTS.iter().any(|(known, _)| *known == name) {
        Ok(name)
    } else {
        Err(format!("nothing is called {name}"))
    }
}
