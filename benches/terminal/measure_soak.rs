//! Two thousand changes a second for many minutes: does memory grow, and does
//! a frame come late?

use std::time::{Duration, Instant};

use crate::Bench;
use crate::cortex::Cortex;
use crate::measure_keys::{choose, go_to_the_middle};
use crate::programs::Program;
use crate::report::{Budget, Unit};
use crate::world;

const LIMIT: Duration = Duration::from_secs(60);

/// What was seen, a sample a second.
struct Soak {
    memory: Vec<f64>,
    late: Vec<f64>,
    cpu: f64,
}

/// As many minutes as were asked for.
pub fn soak(bench: &mut Bench) {
    let minutes = bench.options.soak;
    let group = format!("{minutes} min of 2,000 changes a second");
    let soak = match run(minutes) {
        Ok(soak) => soak,
        Err(why) => return bench.put_ours(&group, "all of it", Unit::Count, Err(why), Budget::NONE),
    };
    let (first, last) = (soak.memory.first().copied(), soak.memory.last().copied());
    let mut put = |name, unit, seen: Vec<f64>, budget| bench.put_ours(&group, name, unit, Ok(seen), budget);
    put("a key a second to its frame", Unit::Ms, soak.late, Budget::max(100.0));
    put("memory at first", Unit::Megabytes, first.into_iter().collect(), Budget::NONE);
    put("memory at last", Unit::Megabytes, last.into_iter().collect(), Budget::NONE);
    put("memory of each second", Unit::Megabytes, soak.memory.clone(), Budget::max(60.0));
    put("growth after the first tenth", Unit::MegabytesPerMinute, vec![growth(&soak.memory)], Budget::NONE);
    put("CPU of one core", Unit::Percent, vec![soak.cpu], Budget::NONE);
}

fn run(minutes: f64) -> Result<Soak, String> {
    let cortex = Cortex::start();
    let mut window = Program::ours().open(&cortex.user, &[])?;
    window.until(LIMIT, |screen| screen.contains(world::ALL_AGENTS))?;
    let _flow = cortex.flow();
    go_to_the_middle(&mut window)?;
    let (began, cpu) = (Instant::now(), window.cpu()?);
    let (mut memory, mut late) = (Vec::new(), Vec::new());
    for second in 1..=(minutes * 60.0) as u32 {
        let due = began + Duration::from_secs(1) * second;
        window.rest(due.saturating_duration_since(Instant::now()))?;
        late.push(choose(&mut window)?);
        memory.push(window.memory()? as f64 / 1e6);
    }
    let cpu = (window.cpu()? - cpu) / began.elapsed().as_secs_f64() * 100.0;
    Ok(Soak { memory, late, cpu })
}

/// Growth a minute of what was sampled each second, by least squares, without
/// the first tenth, in which everything fills for the first time.
fn growth(samples: &[f64]) -> f64 {
    let samples = &samples[samples.len() / 10..];
    let count = samples.len() as f64;
    let (mean_x, mean_y) = ((count - 1.0) / 2.0, samples.iter().sum::<f64>() / count);
    let (mut over, mut under) = (0.0, 0.0);
    for (i, sample) in samples.iter().enumerate() {
        let x = i as f64 - mean_x;
        over += x * (sample - mean_y);
        under += x * x;
    }
    // Of one sample nothing can be said.
    if under == 0.0 { 0.0 } else { over / under * 60.0 }
}
