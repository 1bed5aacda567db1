//! Pheromones that live and die: one delete each, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kgents_api::Pheromone;
use kgents_core::decay::Fade;
use serde_json::{Value, json};

use crate::field::{Field, Who, post, side_by_side};
use crate::follow::{Follower, PHEROMONES};
use crate::it::support::audit::Call;
use crate::it::support::objects::object;
use crate::process::Process;
use crate::report::{Budget, Unit};
use crate::{Bench, OURS, agents, name_some};

/// Seconds after which the first one is gone.
const FIRST: f64 = 15.0;
/// How long one may outlive its moment before the bench gives up.
const LATE: Duration = Duration::from_secs(60);

pub fn pheromones(bench: &mut Bench) {
    let group = format!("{} pheromones in {} min", bench.options.pheromones, bench.options.minutes);
    if let Err(why) = measure(bench, &group) {
        bench.put((&group, "all of it", OURS), Unit::Count, Err(why), Budget::NONE);
    }
}

fn measure(bench: &mut Bench, group: &str) -> Result<(), String> {
    let count = bench.options.pheromones;
    let longest = (bench.options.minutes * 60.0).max(FIRST);
    let field = Field::new(bench, "pheromones")?;
    let operator = field.operator(bench);
    let mark = field.mark();
    let moments: Arc<Mutex<BTreeMap<String, Timestamp>>> = Arc::default();
    let mut gone = Vec::new();
    {
        let mut seen = Follower::start(bench, &field, &[PHEROMONES]);
        let (client, namespace) = (field.client.clone(), field.garden.namespace.clone());
        let told = moments.clone();
        // Posted beside, for the first may be gone before the last is there.
        let posted = bench.runtime.spawn(side_by_side(bench.options.concurrency, count, move |i| {
            // Evenly spread, in no order.
            let share = (i * 7_919 % count) as f64 / count as f64;
            let seconds = FIRST + (longest - FIRST) * share;
            let pheromone = pheromone(i, seconds);
            let fade = Fade::of(&agents::read::<Pheromone>(&pheromone)).unwrap();
            told.lock().unwrap().insert(name(i), fade.gone_at());
            let (client, namespace) = (client.clone(), namespace.clone());
            async move { drop(post(&client, &namespace, "pheromones", &pheromone).await) }
        }));
        let end = Instant::now() + Duration::from_secs_f64(longest) + LATE;
        while gone.len() < count {
            let next = seen.next(end).map_err(|why| format!("{} of {count} are gone: {why}", gone.len()))?;
            if next.gone {
                gone.push((next.thing.metadata.name, next.wall));
            }
        }
        bench.runtime.block_on(posted).map_err(|error| error.to_string())?;
    }
    field.still(Who::Operator)?;
    let moments = moments.lock().unwrap();
    let late = gone.iter().map(|(name, at)| at.duration_since(moments[name]).as_secs_f64() * 1e3).collect();
    bench.put((group, "deleted after its moment", OURS), Unit::Ms, Ok(late), Budget::NONE);

    let calls = field.calls(mark, Who::Operator);
    let mut deletes: BTreeMap<&str, usize> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.resource == "pheromones" && call.verb == "delete") {
        *deletes.entry(&call.name).or_default() += 1;
    }
    let each: Vec<f64> = moments.keys().map(|name| deletes.get(name.as_str()).copied().unwrap_or(0) as f64).collect();
    bench.put((group, "deletes of each", OURS), Unit::Count, Ok(each), Budget::max(1.0));
    let (writes, others): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.is_write());
    // A watch ends after some minutes and goes on where it was.
    let (watches, reads): (Vec<_>, Vec<_>) = others.into_iter().partition(|call| call.verb == "watch");
    let is_delete = |call: &Call| call.verb == "delete" && call.resource == "pheromones";
    let other: Vec<&Call> = writes.into_iter().filter(|call| !is_delete(call)).collect();
    name_some("other writes", other.iter().copied());
    name_some("reads", reads.iter().copied());
    bench.put_one(group, "other writes, Events too", Unit::Count, other.len() as f64, Budget::max(0.0));
    bench.put_one(group, "reads", Unit::Count, reads.len() as f64, Budget::max(0.0));
    bench.put_one(group, "watches that went on", Unit::Count, watches.len() as f64, Budget::NONE);
    let process = Process(operator.pid());
    bench.put((group, "CPU", OURS), Unit::Seconds, process.cpu().map(|cpu| vec![cpu]), Budget::NONE);
    Ok(())
}

fn name(i: usize) -> String {
    format!("pheromone-{i:05}")
}

/// One that is gone after so many seconds from now.
fn pheromone(i: usize, seconds: f64) -> Value {
    // Full strength fades to a hundredth.
    let half_life = seconds / 60.0 / 100_f64.log2();
    let types = ["WARNING", "MEMORY", "NARRATIVE", "STATE", "INTENT"];
    let spec = json!({
        "type": types[i % types.len()], "source": "b-gent", "halfLifeMinutes": half_life,
        "emittedAt": Timestamp::now().to_string(), "payload": { "ledger": i },
    });
    object("Pheromone", &name(i), &spec)
}
