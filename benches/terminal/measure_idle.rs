//! What is written and worked while nothing happens, and what memory is held.

use std::time::{Duration, Instant};

use crate::Bench;
use crate::cortex::Cortex;
use crate::it::support::user::User;
use crate::programs::Program;
use crate::pty::Window;
use crate::report::{Budget, Unit};
use crate::world;

const LIMIT: Duration = Duration::from_secs(60);
/// Ages step each second until they are ten seconds old.
const SETTLE: Duration = Duration::from_secs(12);
/// How many pheromones and thoughts a window that has seen much has seen.
const PHEROMONES: u64 = 10_000;
const THOUGHTS: u64 = 100_000;
/// Thoughts that are told at once.
const BURST: u64 = 4_000;

struct Idle {
    bytes: f64,
    /// Of a program that marks them.
    frames: Option<f64>,
    cpu: f64,
}

/// Nothing happens.
pub fn idle(bench: &mut Bench) {
    let time = Duration::from_secs(bench.options.idle);
    let group = format!("{} s idle, 1,000 agents, API server", bench.options.idle);
    let seen = bench.each_on_server(|program, user| watch(program, user, time));
    put(bench, &group, &seen);
    let cortex = Cortex::start();
    let group = format!("{} s idle, 1,000 agents, Cortex", bench.options.idle);
    put(bench, &group, &[watch(&Program::ours(), &cortex.user, time)]);
}

fn watch(program: &Program, user: &User, time: Duration) -> Result<Idle, String> {
    let mut window = opened(program, user)?;
    window.rest(SETTLE)?;
    let (bytes, frames, cpu) = (window.bytes, window.frames, window.cpu()?);
    let began = Instant::now();
    window.rest(time)?;
    let cpu = (window.cpu()? - cpu) / began.elapsed().as_secs_f64() * 100.0;
    let drawn = (window.frames - frames) as f64;
    Ok(Idle { bytes: (window.bytes - bytes) as f64, frames: (window.frames > 0).then_some(drawn), cpu })
}

/// A window that shows all agents; of another program one that is still.
fn opened(program: &Program, user: &User) -> Result<Window, String> {
    let mut window = program.open(user, &[])?;
    if program.is_ours() {
        window.until(LIMIT, |screen| screen.contains(world::ALL_AGENTS))?;
    }
    Ok(window)
}

fn put(bench: &mut Bench, group: &str, seen: &[Result<Idle, String>]) {
    let get = |figure: fn(&Idle) -> Option<f64>| {
        let figure = |idle: &Idle| Ok(vec![figure(idle).ok_or("it marks no frames")?]);
        seen.iter().map(|idle| idle.as_ref().map_err(Clone::clone).and_then(figure)).collect()
    };
    bench.put_all(group, "written", Unit::Bytes, get(|idle| Some(idle.bytes)), Budget::max(0.0));
    bench.put_all(group, "frames", Unit::Count, get(|idle| idle.frames), Budget::max(0.0));
    bench.put_all(group, "CPU of one core", Unit::Percent, get(|idle| Some(idle.cpu)), Budget::max(0.1));
}

/// What is held.
pub fn memory(bench: &mut Bench) {
    let group = "resident memory";
    let megabytes = |window: &Window| window.memory().map(|bytes| vec![bytes as f64 / 1e6]);
    let few = Budget::max(35.0);
    let settled = |program: &Program, user: &User| {
        let mut window = opened(program, user)?;
        window.rest(Duration::from_secs(3))?;
        megabytes(&window)
    };
    let seen = bench.each_on_server(settled);
    bench.put_all(group, "1,000 agents, API server", Unit::Megabytes, seen, few);
    let cortex = Cortex::start();
    bench.put_ours(group, "1,000 agents, Cortex", Unit::Megabytes, settled(&Program::ours(), &cortex.user), few);
    let much = opened(&Program::ours(), &cortex.user).and_then(|mut window| {
        cortex.pheromones(PHEROMONES);
        window.until(LIMIT, |screen| screen.contains(&format!("{PHEROMONES} alive")))?;
        // Part by part, as the window has seen the part before.
        for first in (0..THOUGHTS).step_by(BURST as usize) {
            cortex.thoughts(first..first + BURST);
            window.until(LIMIT, |screen| screen.contains(&format!("· {} heard", first + BURST)))?;
        }
        window.rest(Duration::from_secs(3))?;
        megabytes(&window)
    });
    let name = "and 10,000 ph., 100,000 th.";
    bench.put_ours(group, name, Unit::Megabytes, much, Budget::max(60.0));
}
