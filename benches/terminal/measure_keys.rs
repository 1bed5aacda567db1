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
/// The row of the first agent that is in view.
const FIRST_ROW: usize = 3;
/// How long a window may take to be there.
const OPEN: Duration = Duration::from_secs(20);
/// How long changes come in a recording: a file of it may have 16 MB.
pub const RECORDED: Duration = Duration::from_secs(20);
/// How far down the list the keys begin, where an agent has others around it.
const MIDDLE: usize = 100;

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
    go_to_the_middle(&mut window)?;
    if window.screen().contains(" 0 heard") {
        return Err("no change comes".to_owned());
    }
    let (began, cpu) = (Instant::now(), window.cpu()?);
    let (mut keys, mut frames) = (Vec::new(), Vec::new());
    let (mut second, mut before) = (began, window.frames);
    for _ in 0..KEYS {
        window.rest(PAUSE)?;
        keys.push(choose(&mut window)?);
        if second.elapsed() >= Duration::from_secs(1) {
            frames.push((window.frames - before) as f64 / second.elapsed().as_secs_f64());
            (second, before) = (Instant::now(), window.frames);
        }
    }
    let cpu = (window.cpu()? - cpu) / began.elapsed().as_secs_f64() * 100.0;
    Ok(Load { keys, frames, cpu, rate: None })
}

/// Goes to where there are agents above and below, and lets the window warm up.
pub fn go_to_the_middle(window: &mut Window) -> Result<(), String> {
    window.key(&"j".repeat(MIDDLE));
    window.rest(Duration::from_secs(3))
}

/// Chooses another agent; answers after how many milliseconds it was. A key
/// that does nothing took as long as is waited for it.
pub fn choose(window: &mut Window) -> Result<f64, String> {
    let (row, before) = chosen(&window.screen()).ok_or("no agent is chosen")?;
    // Up from wherever it is, so that whatever the order does there is one.
    let key = if row == FIRST_ROW { "j" } else { "k" };
    let pressed = Instant::now();
    window.key(key);
    while let Some(at) = window.next(pressed + LIMIT) {
        if chosen(&window.screen()).is_some_and(|(_, name)| name != before) {
            return Ok(ms(at.saturating_duration_since(pressed)));
        }
    }
    // One that has ended has no CPU time.
    window.cpu().map(|_| ms(LIMIT))
}

/// The row and the name of the agent that is chosen: after mark and glyph.
fn chosen(screen: &str) -> Option<(usize, String)> {
    let (row, line) = screen.lines().enumerate().find_map(|(row, line)| Some((row, line.strip_prefix("│▌")?)))?;
    Some((row, line.split_whitespace().nth(1)?.to_owned()))
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
