//! From exec to the first bytes, the first text and the first whole frame, and
//! to a thousand agents.

use std::time::{Duration, Instant};

use crate::pty::Window;
use crate::report::{Budget, Unit};
use crate::world::{self, World};
use crate::{Bench, ms};

/// How long a start may take.
const LIMIT: Duration = Duration::from_secs(10);
/// A screen is whole when it stays as it is for so long, of a program whose
/// frames have no end that can be seen.
const STILL: Duration = Duration::from_millis(100);
/// What a whole frame of ours may take, in milliseconds.
const FRAME: Budget = Budget::median(5.0);

/// A start: milliseconds after exec.
struct Start {
    bytes: f64,
    text: f64,
    whole: f64,
}

impl Start {
    fn watch(window: &mut Window) -> Result<Self, String> {
        let end = window.started + LIMIT;
        let (mut bytes, mut text, mut last) = (None, None, None);
        let whole = loop {
            let patience = if text.is_some() { STILL } else { LIMIT };
            let next = window.next(end.min(Instant::now() + patience));
            let Some(at) = next else { break last };
            let after = ms(at - window.started);
            bytes.get_or_insert(after);
            last = Some(after);
            if window.has_text() {
                text.get_or_insert(after);
                if window.frames > 0 {
                    break last;
                }
            }
            if at >= end {
                break None;
            }
        };
        let text = text.ok_or("no text on the screen")?;
        let whole = whole.ok_or("its screen was never still for 100 ms")?;
        Ok(Self { bytes: bytes.unwrap_or(text), text, whole })
    }
}

/// A figure a run, or what went wrong first.
type Figures = Result<Vec<f64>, String>;

fn add(figures: &mut Figures, figure: Result<f64, String>) {
    match (figures.as_mut(), figure) {
        (Ok(figures), Ok(figure)) => figures.push(figure),
        (Ok(_), Err(why)) => *figures = Err(why),
        (Err(_), _) => {}
    }
}

/// A start in every world.
pub fn starts(bench: &mut Bench) {
    for world in world::worlds() {
        in_world(bench, &world);
    }
}

fn in_world(bench: &mut Bench, world: &World) {
    let group = format!("start: {}", world.name);
    let none = || bench.programs.iter().map(|_| Ok(Vec::new())).collect::<Vec<Figures>>();
    let mut seen = [none(), none(), none()];
    let (mut shown, mut blank): (Figures, Figures) = (Ok(Vec::new()), Ok(Vec::new()));
    for _ in 0..bench.options.runs {
        for (i, program) in bench.programs.iter().enumerate() {
            if !(program.is_ours() || world.for_all) {
                continue;
            }
            let args: Vec<&str> = world.args.iter().map(String::as_str).collect();
            let mut window = program.open(&world.user, &args);
            let start = window.as_mut().map_err(|why| why.clone()).and_then(Start::watch);
            let get = |figure: fn(&Start) -> f64| start.as_ref().map(figure).map_err(Clone::clone);
            add(&mut seen[0][i], get(|start| start.bytes));
            add(&mut seen[1][i], get(|start| start.text));
            add(&mut seen[2][i], get(|start| start.whole));
            if let (Ok(mut window), Ok(start), Some(text), true) = (window, &start, world.shows, program.is_ours()) {
                let at_once = window.screen().contains(text);
                add(&mut blank, Ok(if at_once { 0.0 } else { 1.0 }));
                // What never came took as long as it was waited for.
                let later = |window: &mut Window| match window.until(LIMIT, |screen| screen.contains(text)) {
                    Ok(at) => ms(at - window.started),
                    Err(_) => ms(LIMIT),
                };
                let later = if at_once { start.whole } else { later(&mut window) };
                add(&mut shown, Ok(later));
            }
        }
    }
    let budget = if world.promised { FRAME } else { Budget::NONE };
    for (name, mut figures) in ["first bytes", "first text", "whole frame"].into_iter().zip(seen) {
        let budget = if name == "whole frame" { budget } else { Budget::NONE };
        if !world.for_all {
            figures.truncate(1);
        }
        bench.put_all(&group, name, Unit::Ms, figures, budget);
    }
    if world.shows.is_some() {
        bench.put_ours(&group, "all agents on the screen", Unit::Ms, shown, budget);
        let none_blank = if world.promised { Budget::max(0.0) } else { Budget::NONE };
        bench.put_ours(
            &group,
            "first frames without them",
            Unit::Count,
            blank.map(|runs| vec![runs.iter().sum()]),
            none_blank,
        );
    }
}

/// A thousand agents from a real API server.
pub fn objects(bench: &mut Bench) {
    let group = "1,000 agents on the API server";
    let seen = bench.each_on_server(|program, user| {
        let row = if program.is_ours() { Some(world::ALL_AGENTS) } else { bench.options.row.as_deref() };
        let row = row.ok_or("--row does not say which text it shows then")?;
        let once = |_| {
            // What an earlier window remembered would be on the screen at once.
            let _ = std::fs::remove_dir_all(user.path(".kgents"));
            let mut window = program.open(user, &[])?;
            let at = window.until(LIMIT, |screen| screen.contains(row))?;
            Ok(ms(at - window.started))
        };
        (0..bench.options.runs).map(once).collect()
    });
    bench.put_all(group, "on the screen", Unit::Ms, seen, Budget::median(80.0));
}
