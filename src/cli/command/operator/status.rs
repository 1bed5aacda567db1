//! `kgents operator status`: who leads, and how it goes.

use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use jiff::Timestamp;
use kgents_core::age;
use kgents_operator::metrics::exposition::{Sample, sum};
use kgents_operator::metrics::scrape::scrape;
use kgents_source::{Client, clock};
use kgents_store::planned::{Operator, Standing};
use kgents_store::sanitize;
use serde_json::{Value, json};

use super::Shape;
use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::output::{self, Format};
use crate::runtime::block_on;
use crate::settings::MetricsAddr;

const HELP: &str = "\
Examples:
  kgents operator status
  kgents operator status -o json
  kgents operator status --lease-namespace garden
  kgents operator status --metrics-addr 127.0.0.1:8384

Who leads is read from the Lease; how it goes from the metrics of who leads,
where they can be reached.

Exit codes: 0 one leads; 1 none does, or that cannot be learned; 4 the API
server could not be reached.";

/// How long the metrics may take: they are beside the point where they cannot
/// be reached, as those of a pod often.
const PATIENCE: Duration = Duration::from_secs(1);

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The namespace of the Lease [default: kgents-system, else wherever there is one].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    lease_namespace: Option<String>,
    /// Where who leads serves its metrics: HOST:PORT, or none [default: what the Lease says].
    #[arg(long, value_name = "ADDR|none", value_parser = str::parse::<MetricsAddr>)]
    metrics_addr: Option<MetricsAddr>,
    /// What is printed [default: table].
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Shape>,
}

/// How it goes, by the metrics.
type Figures = Result<Vec<Sample>, String>;

/// Says it.
pub(super) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let named = args.lease_namespace.as_deref().or(global.settings().operator.lease_namespace.as_deref());
    let (operator, figures) = block_on(async {
        let client = Client::connect(&global.source()).await?;
        let operator = client.operator(named).await;
        // What the Lease says may be empty: then nothing is served.
        let told = operator.metrics.clone().filter(|address| !address.is_empty());
        let address = match args.metrics_addr {
            Some(MetricsAddr(said)) => said.map(|address| address.to_string()),
            None => told,
        };
        let figures = match address {
            Some(address) => Some(scrape(&address, PATIENCE).await.map_err(|error| error.to_string())),
            None => None,
        };
        Ok((operator, figures))
    })?;
    let now = clock::now();
    let standing = operator.standing(now);
    if args.output.unwrap_or_default() == Shape::Json {
        let mut answer = answer(&operator, figures.as_ref(), now)?;
        sanitize::value(&mut answer);
        output::data(io.out, Format::Json, &answer)?;
        return Ok(if standing == Standing::Leads { Code::Ok } else { Code::Failed });
    }
    match standing {
        Standing::Unknown => {
            let problem = operator.problem.clone().unwrap_or_else(|| operator.who(now));
            let failure = Failure::new(format!("whether an operator runs cannot be learned: {problem}"));
            Err(match &operator.hint {
                Some(hint) => failure.hint(hint.clone()),
                None => failure,
            })
        }
        Standing::Nobody => {
            Err(Failure::new(format!("{} in namespace {}", operator.who(now), operator.lease_namespace))
                .hint(operator.next(now).unwrap_or_default()))
        }
        Standing::Leads | Standing::Elsewhere | Standing::Silent => {
            for (name, text) in lines(&operator, figures.as_ref(), now) {
                writeln!(io.out, "{name:<11} {}", sanitize::text(&text))?;
            }
            if standing == Standing::Silent {
                io.out.flush()?;
                return Err(Failure::new(operator.who(now)).hint(operator.next(now).unwrap_or_default()));
            }
            Ok(Code::Ok)
        }
    }
}

/// Names and what is said of them.
fn lines(operator: &Operator, figures: Option<&Figures>, now: Timestamp) -> Vec<(&'static str, String)> {
    let ago = |at: Timestamp| age::text(now.duration_since(at));
    let mut lines = vec![("leader", operator.holder.clone().unwrap_or_default())];
    if let Some(at) = operator.acquired {
        let hands = match operator.transitions {
            None | Some(0) => String::new(),
            Some(1) => "; it changed hands once".to_owned(),
            Some(often) => format!("; it changed hands {often} times"),
        };
        lines.push(("since", format!("{} ago{hands}", ago(at))));
    }
    if let Some(at) = operator.renewed {
        let term = operator.duration.map(|term| format!(" (a Lease of {}s)", term.as_secs())).unwrap_or_default();
        lines.push(("renewed", format!("{} ago{term}", ago(at))));
    }
    lines.push(("lease in", operator.lease_namespace.clone()));
    lines.push(("looks after", operator.scope.to_string()));
    lines.extend(operator.version.clone().map(|version| ("version", version)));
    if let Some(config) = &operator.config {
        let chaos = if config.allow_chaos { "allowed" } else { "forbidden" };
        lines.push(("image", config.agent_image.clone()));
        lines.push(("cortex", config.cortex_url.clone()));
        lines.push(("chaos", chaos.to_owned()));
    }
    lines.extend(operator.problem.clone().map(|problem| ("problem", problem)));
    match figures {
        None => lines.push(("metrics", "none are served".to_owned())),
        Some(Err(problem)) => lines.push(("metrics", format!("not to be had: {problem}"))),
        Some(Ok(samples)) => {
            let total = |name: &str| sum(samples, name, &[]);
            let (reconciles, errors) =
                (total("controller_runtime_reconcile_total"), total("controller_runtime_reconcile_errors_total"));
            lines.push(("reconciles", format!("{reconciles}, {errors} of them failed")));
            lines.push((
                "waiting",
                format!("{}, {} at work", total("workqueue_depth"), total("controller_runtime_active_workers")),
            ));
            let writes: f64 = WRITES.iter().map(|verb| sum(samples, CALLS, &[("verb", verb)])).sum();
            lines.push(("API calls", format!("{}, {writes} of them writes", total(CALLS))));
            let bad = (total("kgents_watch_restarts_total"), total("kgents_events_dropped_total"));
            lines.push(("trouble", format!("{} watches broke, {} events were dropped", bad.0, bad.1)));
            let memory = total("process_resident_memory_bytes") / 1_048_576.0;
            lines.push(("memory", format!("{memory:.1} MiB")));
        }
    }
    lines
}

/// A figure as JSON writes whole numbers. Those of an operator are.
fn count(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 { (value as i64).into() } else { value.into() }
}

const CALLS: &str = "kgents_api_calls_total";
const WRITES: [&str; 4] = ["create", "update", "patch", "delete"];

fn answer(operator: &Operator, figures: Option<&Figures>, now: Timestamp) -> Result<Value, Failure> {
    let unwritable = |error: serde_json::Error| Failure::new(format!("the answer cannot be written down: {error}"));
    let metrics = match figures {
        None => Value::Null,
        Some(Err(problem)) => json!({ "error": problem }),
        Some(Ok(samples)) => {
            let total = |name: &str| count(sum(samples, name, &[]));
            let calls: Vec<Value> = samples
                .iter()
                .filter(|sample| sample.name == CALLS)
                .map(|sample| {
                    let label = |name: &str| sample.labels.get(name).cloned().unwrap_or_default();
                    json!({
                        "verb": label("verb"), "resource": label("resource"), "reason": label("reason"),
                        "count": count(sample.value),
                    })
                })
                .collect();
            json!({
                "reconciles": total("controller_runtime_reconcile_total"),
                "errors": total("controller_runtime_reconcile_errors_total"),
                "waiting": total("workqueue_depth"),
                "active": total("controller_runtime_active_workers"),
                "watch_restarts": total("kgents_watch_restarts_total"),
                "events_dropped": total("kgents_events_dropped_total"),
                "resident_bytes": total("process_resident_memory_bytes"),
                "api_calls": calls,
            })
        }
    };
    let standing = operator.standing(now);
    let mut answer = serde_json::to_value(operator).map_err(unwritable)?;
    if let Some(answer) = answer.as_object_mut() {
        answer.insert("standing".to_owned(), serde_json::to_value(standing).map_err(unwritable)?);
        let age = operator.renewed.map(|at| now.duration_since(at).as_secs_f64());
        answer.insert("renewed_seconds_ago".to_owned(), age.into());
        answer.insert("metrics_now".to_owned(), metrics);
        answer.insert("next".to_owned(), operator.next(now).into());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests;
