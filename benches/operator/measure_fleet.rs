//! How long a fleet takes from created to running, beside a client that only
//! posts and beside an operator as it is usually written.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use crate::field::{Field, Who, limit, side_by_side};
use crate::follow::{AGENTS, DEPLOYMENTS, Follower};
use crate::it::support::audit::Call;
use crate::it::support::say;
use crate::peer::{self, Peer};
use crate::process::Process;
use crate::report::{Budget, Unit};
use crate::{Bench, OURS, bare, tried};

/// How much longer than the bare client it may take.
const GOAL: Budget = Budget::median(1.3);
const SIZES: [usize; 2] = [200, 1_000];

/// Who raises a fleet.
#[derive(Clone)]
enum Program {
    Ours,
    Bare,
    Peer(PathBuf),
}

/// A fleet that was raised. Seconds are from before the first agent was posted.
struct Raised {
    /// Until the last Deployment was there.
    made: f64,
    /// Until all agents were Running; of the bare client, that says no phase,
    /// until all Deployments were ready.
    running: f64,
    /// Writes until then.
    writes: f64,
    /// Writes until nothing was written any more.
    all_writes: f64,
    cost: Option<Cost>,
}

/// What its process has cost.
struct Cost {
    /// Megabytes.
    peak: f64,
    resident: f64,
    /// Seconds.
    cpu: f64,
}

pub fn fleet(bench: &mut Bench) {
    let mut programs = vec![Ok(Program::Ours), Ok(Program::Bare)];
    programs.push(if bench.options.peer {
        peer::binary().map(Program::Peer)
    } else {
        Err("skipped: --peer was not said".to_owned())
    });
    let sizes = bench.options.agents.map_or(SIZES.to_vec(), |agents| vec![agents]);
    for count in sizes {
        let mut seen: Vec<Vec<Result<Raised, String>>> = programs.iter().map(|_| Vec::new()).collect();
        for run in 0..bench.options.runs {
            let mut order: Vec<usize> = (0..programs.len()).collect();
            if run % 2 == 1 {
                order.reverse();
            }
            for i in order {
                let raised = programs[i].clone().and_then(|program| {
                    say(&format!("a fleet of {count}, run {}: {}", run + 1, program.name()));
                    tried(|| raise(bench, &program, count)).and_then(|raised| raised)
                });
                seen[i].push(raised);
            }
        }
        put(bench, count, &seen);
    }
}

impl Program {
    fn name(&self) -> &'static str {
        NAMES[match self {
            Self::Ours => 0,
            Self::Bare => 1,
            Self::Peer(_) => 2,
        }]
    }
}

/// Their names, in the order of [`fleet`].
const NAMES: [&str; 3] = [OURS, "bare", "peer"];

fn raise(bench: &Bench, program: &Program, count: usize) -> Result<Raised, String> {
    let field = Field::new(bench, program.name())?;
    let (mut operator, mut peer) = (None, None);
    let (who, process) = match program {
        Program::Ours => {
            let operator = operator.insert(field.operator(bench));
            (Who::Operator, Some(Process(operator.pid())))
        }
        Program::Bare => (Who::Bare, None),
        Program::Peer(binary) => {
            let peer = peer.insert(Peer::start(binary, &field, bench.options.concurrency)?);
            (Who::Peer, Some(peer.process()))
        }
    };
    let words = || match (&operator, &peer) {
        (_, Some(peer)) => peer.last_words(),
        (Some(operator), _) => operator.log().lines().last().unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    };
    let mut seen = Follower::start(bench, &field, &[AGENTS, DEPLOYMENTS]);
    let cpu = process.map(Process::cpu).transpose()?;
    let (mark, began) = (field.mark(), Instant::now());
    let planted = if matches!(program, Program::Bare) {
        let (client, namespace) = (field.client.clone(), field.garden.namespace.clone());
        let one = move |i| bare::raise(client.clone(), namespace.clone(), i);
        bench.runtime.spawn(side_by_side(bench.options.concurrency, count, one))
    } else {
        bench.runtime.spawn(field.planting(bench.options.concurrency, count))
    };

    let mut stands = vec![Stand::default(); count];
    let has_phase = !matches!(program, Program::Bare);
    let (mut made, mut last) = (began, began);
    let end = began + limit(count);
    while !stands.iter().all(|stand| stand.is_done(has_phase)) {
        let next = seen.next(end).map_err(|why| {
            let done = stands.iter().filter(|stand| stand.is_done(has_phase)).count();
            format!("{done} of {count} run: {why}; {}", words())
        })?;
        let stand = &mut stands[next.thing.number()];
        if next.of == AGENTS {
            stand.runs = next.thing.runs();
        } else {
            if !stand.made {
                (stand.made, made) = (true, next.at);
            }
            stand.ready = next.thing.is_ready();
        }
        last = next.at;
    }
    let cost = match (process, cpu) {
        (Some(process), Some(before)) => Some(Cost {
            peak: process.megabytes("VmHWM")?,
            resident: process.megabytes("VmRSS")?,
            cpu: process.cpu()? - before,
        }),
        _ => None,
    };
    let writes = field.writes(mark, who).len() as f64;
    bench.runtime.block_on(planted).map_err(|error| error.to_string())?;
    field.still(who)?;
    let all = field.writes(mark, who);
    tell(&all, count);
    let all_writes = all.len() as f64;
    let after = |at: Instant| at.duration_since(began).as_secs_f64();
    Ok(Raised { made: after(made), running: after(last), writes, all_writes, cost })
}

/// Says on standard error what was written how often, for each agent.
fn tell(writes: &[Call], count: usize) {
    let mut tally = BTreeMap::<(&str, &str, u64), u32>::new();
    for Call { verb, resource, code, .. } in writes {
        *tally.entry((resource, verb, *code)).or_default() += 1;
    }
    let each = |often: u32| f64::from(often) / count as f64;
    let parts =
        tally.iter().map(|((resource, verb, code), often)| format!("{verb} {resource} ({code}) {:.2}", each(*often)));
    say(&format!("writes an agent: {}", parts.collect::<Vec<_>>().join(", ")));
}

/// How far an agent is.
#[derive(Clone, Copy, Default)]
struct Stand {
    made: bool,
    ready: bool,
    runs: bool,
}

impl Stand {
    fn is_done(self, has_phase: bool) -> bool {
        self.ready && (self.runs || !has_phase)
    }
}

type Told = fn(&Raised) -> f64;
type Figure<'a> = &'a dyn Fn(&Raised) -> Option<f64>;

fn put(bench: &mut Bench, count: usize, seen: &[Vec<Result<Raised, String>>]) {
    let group = format!("a fleet of {count}");
    let figures: [(&str, Unit, Figure<'_>); 7] = [
        ("posted to all running", Unit::Seconds, &|raised| Some(raised.running)),
        ("posted to all Deployments", Unit::Seconds, &|raised| Some(raised.made)),
        ("writes a second", Unit::Rate, &|raised| Some(raised.writes / raised.running)),
        ("writes an agent", Unit::Number, &|raised| Some(raised.all_writes / count as f64)),
        ("CPU", Unit::Seconds, &|raised| Some(raised.cost.as_ref()?.cpu)),
        ("memory, peak", Unit::Megabytes, &|raised| Some(raised.cost.as_ref()?.peak)),
        ("memory, all running", Unit::Megabytes, &|raised| Some(raised.cost.as_ref()?.resident)),
    ];
    for (place, (name, unit, figure)) in figures.iter().enumerate() {
        for (program, runs) in NAMES.iter().zip(seen) {
            let all: Result<Vec<Option<f64>>, String> =
                runs.iter().map(|run| run.as_ref().map(figure).map_err(Clone::clone)).collect();
            // A program that is not there says so once.
            if all.is_err() && place > 0 {
                continue;
            }
            let all = all.map(|all| all.into_iter().flatten().collect::<Vec<f64>>());
            if all.as_ref().is_ok_and(Vec::is_empty) {
                continue;
            }
            bench.put((&group, name, program), *unit, all, Budget::NONE);
        }
    }
    // Run by run, for what else the machine does changes.
    let to_bare = |figure: Told, whose: usize| -> Result<Vec<f64>, String> {
        let pairs = seen[whose].iter().zip(&seen[1]);
        let ratio = |(one, bare): (&Result<Raised, String>, &Result<Raised, String>)| {
            let (one, bare) = (one.as_ref().map_err(Clone::clone)?, bare.as_ref().map_err(Clone::clone)?);
            Ok(figure(one) / figure(bare))
        };
        pairs.map(ratio).collect()
    };
    let ratios: [(&str, Told, Budget); 2] = [
        ("as long as bare, all running", |raised| raised.running, GOAL),
        ("as long as bare, a write", |raised| raised.running / raised.writes, Budget::NONE),
    ];
    for (name, figure, budget) in ratios {
        for (whose, program) in NAMES.iter().enumerate() {
            let ratio = to_bare(figure, whose);
            if whose != 1 && (whose == 0 || ratio.is_ok()) {
                let budget = if whose == 0 { budget } else { Budget::NONE };
                bench.put((&group, name, program), Unit::Number, ratio, budget);
            }
        }
    }
}
