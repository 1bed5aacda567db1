//! Two thousand changes a second for many minutes: does memory grow, and does
//! a frame come late?

use std::time::{Duration, Instant};

use crate::Bench;
use crate::cortex::Cortex;
use crate::measure_keys::choose;
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
    let soak = run(minutes);
    let get = |figure: fn(&Soak) -> f64| soak.as_ref().map(|soak| vec![figure(soak)]).map_err(Clone::clone);
    let late = soak.as_ref().map(|soak| soak.late.clone()).map_err(Clone::clone);
    bench.put_ours(&group, "a key a second to its frame", Unit::Ms, late, Budget::max(100.0));
    let first = get(|soak| soak.memory[0]);
    bench.put_ours(&group, "memory at first", Unit::Megabytes, first, Budget::NONE);
    bench.put_ours(
        &group,
        "memory at last",
        Unit::Megabytes,
        get(|soak| soak.memory[soak.memory.len() - 1]),
        Budget::NONE,
    );
    let memory = soak.as_ref().map(|soak| soak.memory.clone()).map_err(Clone::clone);
    bench.put_ours(&group, "memory", Unit::Megabytes, memory, Budget::max(60.0));
    bench.put_ours(
        &group,
        "growth after the first tenth",
        Unit::MegabytesPerMinute,
        get(|soak| growth(&soak.memory)),
        Budget::NONE,
    );
    bench.put_ours(&group, "CPU of one core", Unit::Percent, get(|soak| soak.cpu), Budget::NONE);
}

fn run(minutes: f64) -> Result<Soak, String> {
    let cortex = Cortex::start();
    let mut window = Program::ours().open(&cortex.user, &[])?;
    window.until(LIMIT, |screen| screen.contains(world::ALL_AGENTS))?;
    let _flow = cortex.flow();
    let (began, cpu) = (Instant::now(), window.cpu()?);
    let (mut memory, mut late) = (Vec::new(), Vec::new());
    for second in 1..=(minutes * 60.0) as u32 {
        let due = began + Duration::from_secs(1) * second;
        window.rest(due.saturating_duration_since(Instant::now()))?;
        late.push(choose(&mut window, second % 2 == 1)?);
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
