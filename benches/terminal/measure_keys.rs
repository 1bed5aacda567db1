//! From a key to what it does, at rest and while two thousand changes a second
//! come.

use std::time::{Duration, Instant};

use crate::cortex::Cortex;
use crate::it::support::user::User;
use crate::programs::Program;
use crate::pty::Window;
use crate::report::{Budget, Unit};
use crate::{Bench, ms, story, world};

/// Keys pressed.
const KEYS: usize = 200;
/// Between two keys: longer than any pause that is made between frames.
const PAUSE: Duration = Duration::from_millis(40);
/// How long a key may take before it is said to do nothing.
const LIMIT: Duration = Duration::from_secs(2);
/// How long a window may take to be there.
const OPEN: Duration = Duration::from_secs(20);
/// How long changes come in a recording: it takes at most 100,000.
pub const RECORDED: Duration = Duration::from_secs(45);

/// At rest: any output is the answer.
pub fn keys(bench: &mut Bench) {
    let group = "200 keys at rest";
    let budget = Budget { median: Some(0.6), p95: Some(1.5), max: None };
    let seen = bench.each_on_server(at_rest);
    bench.put_all(group, "key to output, API server", Unit::Ms, seen, budget);
    let seen = at_rest(&Program::ours(), &Cortex::start().user);
    bench.put_ours(group, "key to output, Cortex", Unit::Ms, seen, budget);
}

fn at_rest(program: &Program, user: &User) -> Result<Vec<f64>, String> {
    let mut window = program.open(user, &[])?;
    if program.is_ours() {
        window.until(OPEN, |screen| screen.contains(world::ALL_AGENTS))?;
    }
    window.settle(Duration::from_secs(1), Duration::from_secs(5))?;
    let (mut times, mut mute) = (Vec::new(), 0);
    for i in 0..KEYS {
        window.rest(PAUSE)?;
        let pressed = Instant::now();
        if program.is_ours() {
            window.key(if i % 2 == 0 { "j" } else { "k" });
        } else {
            window.arrow(i % 2 == 0);
        }
        match window.next(pressed + Duration::from_millis(250)) {
            Some(at) => times.push(ms(at.saturating_duration_since(pressed))),
            None => mute += 1,
        }
        if mute > 5 {
            return Err(format!("{mute} of {} keys drew nothing", i + 1));
        }
    }
    Ok(times)
}

/// Under load, when output comes all the time: the answer to a key is that
/// another agent is chosen.
pub fn load(bench: &mut Bench) {
    let folder = tempfile::tempdir().unwrap();
    story::record(folder.path(), RECORDED);
    let args = world::fixture_args(folder.path());
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let user = User::new();
    let seen = Program::ours().open(&user, &args).and_then(under_load);
    put(bench, "2,000 changes a second, recorded", &seen);
    let cortex = Cortex::start();
    let seen = Program::ours().open(&cortex.user, &[]).and_then(|mut window| {
        window.until(OPEN, |screen| screen.contains(world::ALL_AGENTS))?;
        let flow = cortex.flow();
        let began = Instant::now();
        let load = under_load(window);
        let (told, lasted) = (flow.stop(), began.elapsed().as_secs_f64());
        load.map(|load| Load { rate: Some(told as f64 / lasted), ..load })
    });
    put(bench, "2,000 changes a second, by a Cortex", &seen);
}

/// What was seen under load.
struct Load {
    keys: Vec<f64>,
    /// Frames in each whole second.
    frames: Vec<f64>,
    cpu: f64,
    /// Changes that were told in a second, where that can be known.
    rate: Option<f64>,
}

fn under_load(mut window: Window) -> Result<Load, String> {
    window.until(OPEN, |screen| screen.contains(world::ALL_AGENTS))?;
    window.rest(Duration::from_secs(3))?;
    let (began, cpu) = (Instant::now(), window.cpu()?);
    let (mut keys, mut frames) = (Vec::new(), Vec::new());
    let (mut second, mut before) = (began, window.frames);
    for i in 0..KEYS {
        window.rest(PAUSE)?;
        keys.push(choose(&mut window, i % 2 == 0)?);
        if second.elapsed() >= Duration::from_secs(1) {
            frames.push((window.frames - before) as f64 / second.elapsed().as_secs_f64());
            (second, before) = (Instant::now(), window.frames);
        }
    }
    let cpu = (window.cpu()? - cpu) / began.elapsed().as_secs_f64() * 100.0;
    Ok(Load { keys, frames, cpu, rate: None })
}

/// Chooses the next agent or the one before; answers after how many
/// milliseconds it was.
pub fn choose(window: &mut Window, down: bool) -> Result<f64, String> {
    let before = chosen(&window.screen()).ok_or("no agent is chosen")?;
    let pressed = Instant::now();
    window.key(if down { "j" } else { "k" });
    let at = window.until(LIMIT, |screen| chosen(screen).is_some_and(|name| name != before))?;
    Ok(ms(at.saturating_duration_since(pressed)))
}

/// The name of the agent that is chosen: of its row after mark and glyph.
fn chosen(screen: &str) -> Option<String> {
    let row = screen.lines().find_map(|line| line.strip_prefix("│▌"))?;
    row.split_whitespace().nth(1).map(str::to_owned)
}

fn put(bench: &mut Bench, group: &str, load: &Result<Load, String>) {
    let budget = Budget { median: None, p95: Some(10.0), max: None };
    let get = |figure: fn(&Load) -> Vec<f64>| load.as_ref().map(figure).map_err(Clone::clone);
    bench.put_ours(group, "key to the agent it chooses", Unit::Ms, get(|load| load.keys.clone()), budget);
    bench.put_ours(group, "frames a second", Unit::Count, get(|load| load.frames.clone()), Budget::max(60.0));
    bench.put_ours(group, "CPU of one core", Unit::Percent, get(|load| vec![load.cpu]), Budget::NONE);
    if let Ok(Load { rate: Some(rate), .. }) = *load {
        bench.put_ours(group, "changes told a second", Unit::Count, Ok(vec![rate]), Budget::NONE);
    }
}
