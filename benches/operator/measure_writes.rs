//! What it costs the API server to have a new agent.

use crate::field::{Field, Who, counts};
use crate::it::support::audit::Call;
use crate::report::{Budget, Unit};
use crate::{Bench, OURS, agents, name_some};

/// Statuses that may be written twice for a new agent: when there is something
/// to say and when it runs.
const TWICE: [&str; 2] = ["agents/status", "memories/status"];

pub fn writes(bench: &mut Bench) {
    let count = bench.options.agents_or(20);
    let group = format!("a new healthy agent, of {count}");
    let field = match Field::new(bench, "writes") {
        Ok(field) => field,
        Err(why) => return bench.put((&group, "all of it", OURS), Unit::Number, Err(why), Budget::NONE),
    };
    let _operator = field.operator(bench);
    let mark = field.mark();
    if let Err(why) = field.raise(bench, count) {
        return bench.put((&group, "all of it", OURS), Unit::Number, Err(why), Budget::NONE);
    }
    let calls = field.calls(mark, Who::Operator);
    let each = |count_of: usize| count_of as f64 / count as f64;
    let (writes, reads): (Vec<_>, Vec<_>) = calls.into_iter().partition(Call::is_write);
    let (events, writes): (Vec<_>, Vec<_>) = writes.into_iter().partition(|call| call.resource == "events");
    for (what, times) in counts(&writes) {
        let most = match what.split_once(' ') {
            Some((_, resource)) if TWICE.contains(&resource) => 2,
            // As often as there is such a child: once where there is none, for that is a status.
            Some((_, resource)) => agents::plurals().filter(|plural| *plural == resource).count().max(1),
            None => 0,
        };
        bench.put_one(&group, &what, Unit::Number, each(times), Budget::max(most as f64));
    }
    bench.put_one(&group, "all writes", Unit::Number, each(writes.len()), Budget::NONE);
    let refused = writes.iter().filter(|call| call.code >= 400).count();
    bench.put_one(&group, "of them refused", Unit::Number, each(refused), Budget::max(0.0));
    bench.put_one(&group, "Events", Unit::Number, each(events.len()), Budget::NONE);
    name_some("reads", &reads);
    bench.put_one(&group, "reads", Unit::Number, each(reads.len()), Budget::max(0.0));
}
