//! `kgents operator run`: the operator itself.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::ArgGroup;
use clap::builder::NonEmptyStringValueParser;
use kgents_core::plan::Config;
use kgents_core::selector::Selector;
use kgents_operator::{Ended, OperatorError, Options, lease};
use kgents_store::Layer;
use kgents_store::planned::{self, Scope};
use tokio_util::sync::CancellationToken;

use super::{Shape, home, report};
use crate::args::Global;
use crate::command::version::OURS;
use crate::failure::{Code, Failure};
use crate::io::{self, Io};
use crate::runtime::block_on_workers;
use crate::settings::MetricsAddr;
use crate::{pod, value};

const HELP: &str = "\
Examples:
  kgents operator run                          # look after all namespaces, until ctrl-c
  kgents operator run -n kgents-agents         # after this one only
  kgents operator run -l team=red              # after what has this label only
  kgents operator run --once -o json           # converge, report, end
  kgents operator run --dry-run                # say what would be done, and do nothing
  kgents --operator                            # the same as kgents operator run

Any number may run: one leads and writes, by a Lease named kgents-operator; the
others stand by. At ctrl-c or SIGTERM it finishes what it has begun, gives the
Lease back and ends; a second ctrl-c ends it at once.

It logs to standard error: for people on a terminal, else a line of JSON each.
--log-level says what, --log-file sends it to a file instead.

It serves /metrics, /healthz, /readyz and, to this machine alone, /debug/state.

Exit codes: 0 it was told to end, or --once came to its end and all is well;
1 it failed, or not all is as it should be; 2 it was asked wrongly; 4 the API
server could not be reached as it was said; 130 it was interrupted twice.";

/// Where metrics are served, if nobody says.
const METRICS_PORT: u16 = 8383;
/// How long `--once` tries to converge.
const LIMIT: Duration = Duration::from_secs(5 * 60);
/// How many threads it has.
const THREADS: usize = 2;
/// Shorter would be renewed many times a second.
const SHORTEST_LEASE: Duration = Duration::from_secs(3);

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP, group(ArgGroup::new("ends").args(["once", "dry_run"]).multiple(true)))]
pub(crate) struct Args {
    /// Converge, report and end.
    #[arg(long)]
    once: bool,
    /// Write nothing: say what would be written, and end.
    #[arg(long)]
    dry_run: bool,
    /// How long --once and --dry-run may take until they fail [default: 5m].
    #[arg(long, value_name = "DURATION", value_parser = value::duration, requires = "ends")]
    timeout: Option<Duration>,
    /// How many objects are worked on at once [default: 16].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: Option<u16>,
    /// The namespace of the Lease [default: in a pod its own, else kgents-system].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    lease_namespace: Option<String>,
    /// Write only while it holds the Lease.
    #[arg(long, value_name = "true|false", default_value_t = true, action = clap::ArgAction::Set, hide_possible_values = true)]
    leader_elect: bool,
    /// How long a leader that is not heard of any more keeps the Lease, in whole seconds [default: 15s].
    #[arg(long, value_name = "DURATION", value_parser = lease_duration)]
    lease_duration: Option<Duration>,
    /// Where metrics and health are served: HOST:PORT, or none [default: 127.0.0.1:8383, in a pod 0.0.0.0:8383].
    #[arg(long, value_name = "ADDR|none", value_parser = str::parse::<MetricsAddr>)]
    metrics_addr: Option<MetricsAddr>,
    /// The image of agents that name none, and of our own sidecars [default: that of this version].
    #[arg(long, value_name = "IMAGE", value_parser = NonEmptyStringValueParser::new())]
    agent_image: Option<String>,
    /// Where agents find the Cortex [default: port 50051 of `cortex` in kgents-system].
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    cortex_url: Option<String>,
    /// CHAOS pheromones do what they say: they delete pods.
    #[arg(long)]
    allow_chaos: bool,
    /// Only custom resources with these labels, such as app=x,tier!=y or 'app in (x, y)'.
    #[arg(short = 'l', long, value_name = "SELECTOR", value_parser = Selector::parse)]
    selector: Option<Selector>,
    /// What is printed of what --once and --dry-run came to [default: table].
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Shape>,
}

fn lease_duration(text: &str) -> Result<Duration, String> {
    let duration = value::duration(text)?;
    if duration < SHORTEST_LEASE || duration.subsec_nanos() > 0 {
        return Err(format!("it must be whole seconds, {} or more", SHORTEST_LEASE.as_secs()));
    }
    Ok(duration)
}

/// Runs it to its end.
pub(super) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    if let Some(layer) = global.source().layer.filter(|layer| *layer != Layer::Kube) {
        return Err(Failure::new(format!("an operator works with the Kubernetes API, not with {layer}"))
            .hint("kgents operator run --layer kube")
            .code(Code::Usage));
    }
    let options = options(args, global)?;
    let shape = args.output.unwrap_or_default();
    let cancel = CancellationToken::new();
    let ended = block_on_workers(THREADS, async {
        let mut running = std::pin::pin!(kgents_operator::run(options, cancel.clone()));
        let twice = async {
            io::interrupted().await;
            tracing::info!("told to end: what has begun is finished");
            cancel.cancel();
            io::interrupted().await;
        };
        tokio::select! {
            ended = &mut running => Ok(Some(ended)),
            () = twice => Ok(None),
        }
    })?;
    match ended {
        None => Ok(Code::Interrupted),
        Some(Ok(Ended::Stopped)) => Ok(Code::Ok),
        Some(Ok(Ended::Converged(done))) => {
            report::print(&done, shape, io)?;
            Ok(if done.stalled.is_empty() { Code::Ok } else { Code::Failed })
        }
        Some(Err(error)) => Err(failure(error, shape, io)?),
    }
}

/// What it is started with.
fn options(args: &Args, global: &Global) -> Result<Options, Failure> {
    let settings = &global.settings().operator;
    let home = home(args.lease_namespace.as_deref(), global);
    let defaults = Config::default();
    let config = Config {
        agent_image: args.agent_image.clone().or_else(|| settings.agent_image.clone()).unwrap_or(defaults.agent_image),
        cortex_url: args.cortex_url.clone().or_else(|| settings.cortex_url.clone()).unwrap_or(defaults.cortex_url),
        allow_chaos: args.allow_chaos || settings.allow_chaos,
        system_namespace: defaults.system_namespace,
        dns: defaults.dns,
    };
    let ip = if pod::is_here() { [0, 0, 0, 0] } else { [127, 0, 0, 1] };
    let MetricsAddr(metrics_addr) =
        args.metrics_addr.or(settings.metrics_addr).unwrap_or(MetricsAddr(Some((ip, METRICS_PORT).into())));
    let source = global.source();
    let scope = Scope {
        // Not that of the context: only what somebody says.
        namespace: source.namespace.clone(),
        selector: args.selector.as_ref().map(|selector| selector.as_str().to_owned()),
    };
    let lease = if args.leader_elect {
        Some(lease(home, args.lease_duration, source.timeout(), notes(&config, &scope, metrics_addr)?))
    } else {
        None
    };
    Ok(Options {
        namespace: scope.namespace,
        source,
        selector: scope.selector,
        concurrency: usize::from(args.concurrency.unwrap_or(settings.concurrency.0)),
        lease,
        metrics_addr,
        config,
        once: args.once,
        dry_run: args.dry_run,
        limit: args.timeout.unwrap_or(LIMIT),
    })
}

fn lease(
    namespace: String,
    duration: Option<Duration>,
    request_limit: Duration,
    notes: Vec<(String, String)>,
) -> lease::Options {
    let duration = duration.unwrap_or(lease::Options::DURATION);
    lease::Options {
        namespace,
        name: kgents_api::OPERATOR.to_owned(),
        identity: lease::identity(),
        duration,
        // As client-go's 2 s stand to its 15 s.
        retry: duration * 2 / 15,
        request_limit,
        notes,
        common: Some(planned::SCOPE.to_owned()),
    }
}

/// What the holder writes beside the Lease.
fn notes(config: &Config, scope: &Scope, metrics: Option<SocketAddr>) -> Result<Vec<(String, String)>, Failure> {
    let unwritable = |error| Failure::new(format!("the configuration cannot be written down: {error}"));
    let metrics = metrics.map(|address| reachable(address, pod::address()).to_string()).unwrap_or_default();
    Ok(vec![
        (planned::CONFIG.to_owned(), serde_json::to_string(config).map_err(unwritable)?),
        (planned::SCOPE.to_owned(), serde_json::to_string(scope).map_err(unwritable)?),
        (planned::VERSION.to_owned(), OURS.to_owned()),
        (planned::METRICS.to_owned(), metrics),
    ])
}

/// Where others reach what is served here: on every address of a pod it is
/// the pod's own.
fn reachable(address: SocketAddr, pod: Option<IpAddr>) -> SocketAddr {
    match pod {
        Some(own) if address.ip().is_unspecified() => SocketAddr::new(own, address.port()),
        _ => address,
    }
}

fn failure(error: OperatorError, shape: Shape, io: &mut Io<'_>) -> Result<Failure, Failure> {
    Ok(match error {
        OperatorError::Source(error) => error.into(),
        OperatorError::Selector { .. } => {
            Failure::new(error.to_string()).hint("kgents operator run --help").code(Code::Usage)
        }
        OperatorError::Listen { .. } => {
            Failure::new(error.to_string()).hint("kgents operator run --metrics-addr 127.0.0.1:8384")
        }
        OperatorError::NotConverged { limit, waiting, report } => {
            report::print(&report, shape, io)?;
            Failure::new(format!("not converged within {limit:?}")).notes(waiting).hint("kgents operator status")
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_has_whole_seconds() {
        assert_eq!(lease_duration("15s"), Ok(Duration::from_secs(15)));
        for wrong in ["1s", "3500ms", "0s", "x"] {
            assert!(lease_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_written_beside_the_lease_can_be_read_back() {
        let config = Config { allow_chaos: true, ..Config::default() };
        let scope = Scope { namespace: Some("n".to_owned()), selector: None };
        let notes = notes(&config, &scope, Some(([127, 0, 0, 1], 1).into())).unwrap();
        let note = |name: &str| notes.iter().find(|(note, _)| note == name).unwrap().1.as_str();
        assert_eq!(serde_json::from_str::<Config>(note("kgents.io/config")).unwrap(), config);
        assert_eq!(note("kgents.io/scope"), r#"{"namespace":"n"}"#);
        assert_eq!((note("kgents.io/version"), note("kgents.io/metrics")), (OURS, "127.0.0.1:1"));
        let every: SocketAddr = ([0, 0, 0, 0], 8383).into();
        assert_eq!(reachable(every, "10.0.0.7".parse().ok()).to_string(), "10.0.0.7:8383");
        assert_eq!(reachable(every, None), every);
    }
}
