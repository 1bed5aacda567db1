//! What is written while nothing has to be done.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::field::{Field, Who};
use crate::it::support::credentials;
use crate::it::support::operator::Operator;
use crate::it::support::user::User;
use crate::it::support::wait::{SOON, eventually};
use crate::process::Process;
use crate::proxy::Proxy;
use crate::report::{Budget, Unit};
use crate::{Bench, OURS, ms, name_some};

const NOTHING: Budget = Budget::max(0.0);
/// What a hand-over may take, in milliseconds.
const HAND_OVER: Budget = Budget::max(2_000.0);

pub fn rest(bench: &mut Bench) {
    let count = bench.options.agents_or(50);
    let group = format!("writes of a fleet of {count} at rest");
    if let Err(why) = measure(bench, &group, count) {
        bench.put((&group, "all of it", OURS), Unit::Count, Err(why), Budget::NONE);
    }
}

fn measure(bench: &mut Bench, group: &str, count: usize) -> Result<(), String> {
    let field = Field::new(bench, "rest")?;
    // The first operator comes through a wire that can be cut.
    let text = std::fs::read_to_string(field.garden.kubeconfig()).map_err(|error| error.to_string())?;
    let wire = Proxy::before(&bench.runtime, &text);
    let user = User::with_text(&wire.kubeconfig(&text));
    let workers = bench.options.concurrency.to_string();
    let flags: Vec<&str> = field.garden.flags().into_iter().chain(["--concurrency", &workers]).collect();
    let start = field.mark();
    let mut first = Operator::ready(&user, &flags);
    first.leads();
    field.raise(bench, count)?;
    let settled = field.mark();

    let process = Process(first.pid());
    let (mark, cpu, began) = (field.mark(), process.cpu()?, Instant::now());
    // That nothing happens in this time is what is measured.
    std::thread::sleep(Duration::from_secs(bench.options.idle));
    let share = (process.cpu()? - cpu) / began.elapsed().as_secs_f64() * 100.0;
    let reads = field.calls(mark, Who::Operator).iter().filter(|call| !call.is_write() && call.verb != "watch").count();
    put(bench, group, &format!("{} s idle", bench.options.idle), &field, mark);
    bench.put_one(group, "reads meanwhile", Unit::Count, reads as f64, Budget::NONE);
    bench.put_one(group, "CPU of one core meanwhile", Unit::Percent, share, Budget::NONE);

    let watched = |mark: u64| -> BTreeSet<String> {
        let calls = field.calls(mark, Who::Operator).into_iter();
        calls.filter(|call| call.verb == "watch").map(|call| call.resource).collect()
    };
    let (before, mark) = (watched(start), field.mark());
    wire.cut();
    eventually(SOON * 2, "that all is watched again", || {
        let again = watched(mark);
        if again.is_superset(&before) { Ok(()) } else { Err(format!("{again:?} of {before:?}")) }
    });
    field.still(Who::Operator)?;
    put(bench, group, "watches cut", &field, mark);

    let mut second = Operator::ready(&field.garden.user, &flags);
    let (mark, began) = (field.mark(), Instant::now());
    first.signal(Signal::TERM);
    second.leads();
    let took = ms(began.elapsed());
    first.ended();
    field.still(Who::Operator)?;
    put(bench, group, "hand-over", &field, mark);

    let mark = field.mark();
    second.signal(Signal::TERM);
    second.ended();
    let _third = field.operator(bench);
    field.still(Who::Operator)?;
    put(bench, group, "restart", &field, mark);

    let events = field.calls(settled, Who::Operator).iter().filter(|call| call.resource == "events").count();
    bench.put_one(group, "Events in all that time", Unit::Count, events as f64, NOTHING);
    bench.put_one("hand-over", "SIGTERM to the next leader", Unit::Ms, took, HAND_OVER);
    Ok(())
}

/// What was written since `mark`.
fn put(bench: &mut Bench, group: &str, name: &str, field: &Field, mark: u64) {
    let writes = field.writes(mark, Who::Operator);
    name_some(name, &writes);
    bench.put_one(group, name, Unit::Count, writes.len() as f64, NOTHING);
}
