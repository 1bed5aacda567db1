//! How soon what a person changes is carried out.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::field::{Field, merge};
use crate::follow::{DEPLOYMENTS, Follower};
use crate::report::{Budget, Unit};
use crate::{Bench, OURS, agents, ms};

/// How long one edit may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How often each agent is edited.
const EACH: usize = 2;

pub fn edit(bench: &mut Bench) {
    let count = bench.options.agents_or(100);
    let group = format!("an edit of config, {count} agents");
    let seen = measure(bench, count);
    bench.put((&group, "to its Deployment", OURS), Unit::Ms, seen, Budget::NONE);
}

/// From the answer to the edit to the Deployment that has it.
fn measure(bench: &Bench, count: usize) -> Result<Vec<f64>, String> {
    let (field, _operator) = Field::settled(bench, "edit", count)?;
    let mut seen = Follower::start(bench, &field, &[DEPLOYMENTS]);
    let mut generations = vec![1; count];
    let mut took = Vec::new();
    for i in 0..count * EACH {
        let number = i % count;
        let patch = json!({ "spec": { "config": { "rate": format!("edit {i}") } } });
        let name = agents::name(number);
        let answer = merge(&field.client, &field.garden.namespace, "agents", &name, &patch);
        bench.runtime.block_on(answer);
        let answered = Instant::now();
        let at = loop {
            let seen = seen.next(answered + LIMIT).map_err(|why| format!("edit {i}: {why}"))?;
            let generation = seen.thing.metadata.generation;
            if seen.thing.number() == number && generation > generations[number] {
                generations[number] = generation;
                break seen.at;
            }
        };
        // The watch may be quicker than the answer.
        took.push(ms(at.saturating_duration_since(answered)));
    }
    Ok(took)
}
