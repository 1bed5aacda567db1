use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bus::{Batch, Change, Novelty};
use crate::object::{Object, decode};
use crate::terrarium::{MAX_GONE, Outcome};

const START: i64 = 1_800_000_000;

fn millis(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(START * 1_000 + millis).unwrap()
}

fn second(second: i64) -> Timestamp {
    millis(second * 1_000)
}

fn object(kind: Kind, name: &str, uid: u32, version: usize, rest: &Value) -> Change {
    let mut json = json!({
        "apiVersion": "kgents.io/v1", "kind": kind.as_str(),
        "metadata": { "namespace": "n", "name": name, "uid": format!("u{uid}"), "resourceVersion": version.to_string(),
            "labels": { "kgents.io/agent": format!("a{uid}") } },
    });
    for (field, value) in rest.as_object().unwrap() {
        json[field] = value.clone();
    }
    let now = decode(kind, &json.to_string()).unwrap();
    Change { kind, key: now.key.clone(), now: Some(now), novelty: Novelty::News }
}

fn agent(name: &str, version: usize, phase: &str) -> Change {
    object(Kind::Agent, name, 0, version, &json!({ "spec": { "genus": "B" }, "status": { "phase": phase } }))
}

fn gone(kind: Kind, name: &str) -> Change {
    Change { kind, key: Key::new("n", name), now: None, novelty: Novelty::News }
}

/// A live terrarium whose past is recorded.
struct Live {
    terrarium: Terrarium,
    past: Past,
}

impl Live {
    fn new(cap: usize) -> Self {
        let mut terrarium = Terrarium::default();
        terrarium.record(true);
        Self { terrarium, past: Past::with_cap(cap) }
    }

    fn keep(&mut self, outcome: Outcome, now: Timestamp) {
        self.past.record(outcome.undo, now);
        assert!(self.past.bytes() <= self.past.cap);
        let sum: usize = self.past.steps.iter().map(|step| step.bytes).sum();
        assert_eq!(self.past.bytes(), sum);
    }

    fn take(&mut self, now: Timestamp, changes: Vec<Change>) {
        let outcome = self.terrarium.apply(Batch { changes, ..Batch::default() }, now);
        self.keep(outcome, now);
    }

    fn tick(&mut self, now: Timestamp) {
        let outcome = self.terrarium.tick(now);
        self.keep(outcome, now);
    }
}

/// Everything that a terrarium holds, but thoughts from after a moment.
fn all(terrarium: &Terrarium, moment: Timestamp) -> String {
    format!("{:?}", terrarium.copy_until(end(moment.as_second())))
}

#[test]
fn one_goes_back_change_by_change_and_forward_to_now() {
    let mut live = Live::new(MAX_BYTES);
    assert_eq!((live.past.oldest(), live.past.step_back(second(9))), (None, None));
    assert!(live.past.at(&live.terrarium, second(0)).is_some(), "what never changed was always so");
    live.take(second(10), vec![agent("a", 1, "Pending")]);
    live.take(millis(60_100), vec![agent("a", 2, "Running")]);
    live.take(millis(60_900), vec![agent("a", 3, "Degraded"), agent("b", 1, "Pending")]);
    live.take(second(61), vec![gone(Kind::Agent, "b")]);
    let past = &live.past;
    assert_eq!((past.len(), past.oldest()), (3, Some(second(9))));
    let back: Vec<_> = std::iter::successors(past.step_back(second(200)), |from| past.step_back(*from)).collect();
    assert_eq!(back, [second(60), second(59), second(9)]);
    let forward: Vec<_> =
        std::iter::successors(past.step_forward(second(9)), |from| past.step_forward(*from)).collect();
    assert_eq!(forward, [second(59), second(60)]);
    assert_eq!(past.step_back(millis(60_500)), Some(second(59)));

    let phases = |then: &Then| -> Vec<String> {
        let agents = then.terrarium().agents().values();
        agents.map(|agent| agent.held.object.status.as_ref().unwrap().phase.unwrap().to_string()).collect()
    };
    let mut then = past.at(&live.terrarium, second(60)).unwrap();
    assert_eq!((phases(&then), then.moment()), (vec!["Degraded".into(), "Pending".into()], second(60)));
    assert!(past.go(&mut then, &live.terrarium, second(59)));
    assert_eq!(phases(&then), ["Pending"]);
    assert_eq!(then.terrarium().thoughts().len(), 1, "what was thought later is not known then");
    assert!(past.go(&mut then, &live.terrarium, second(9)));
    assert!(then.terrarium().agents().is_empty() && then.terrarium().heartbeat().is_flat(second(9)));
    assert!(!past.go(&mut then, &live.terrarium, second(8)), "nobody looked then");
    assert_eq!(then.moment(), second(9));
    assert!(past.go(&mut then, &live.terrarium, second(61)));
    assert_eq!(all(then.terrarium(), second(61)), all(&live.terrarium, second(61)));
}

#[test]
fn the_past_stays_right_while_now_goes_on() {
    let mut live = Live::new(MAX_BYTES);
    live.take(second(1), vec![agent("a", 1, "Pending")]);
    live.take(millis(5_100), vec![agent("a", 2, "Running")]);
    let mut then = live.past.at(&live.terrarium, second(1)).unwrap();
    let first = all(then.terrarium(), second(1));
    // The second that was open when the copy was made goes on.
    live.take(millis(5_800), vec![agent("b", 1, "Pending"), agent("a", 3, "Degraded")]);
    live.take(second(7), vec![gone(Kind::Agent, "a")]);
    assert!(live.past.go(&mut then, &live.terrarium, second(5)));
    assert_eq!(then.terrarium().agents().len(), 2);
    assert!(live.past.go(&mut then, &live.terrarium, second(1)));
    assert_eq!(all(then.terrarium(), second(1)), first);
    assert!(live.past.go(&mut then, &live.terrarium, second(7)));
    assert_eq!(all(then.terrarium(), second(7)), all(&live.terrarium, second(7)));
}

#[test]
fn what_was_gone_and_fell_out_comes_back() {
    let mut live = Live::new(1 << 30);
    let signal = |name: usize, emitted: i64| {
        let spec =
            json!({ "type": "WARNING", "source": "a", "emittedAt": second(emitted).to_string(), "ttlSeconds": 1 });
        Change {
            novelty: Novelty::Initial,
            ..object(Kind::Pheromone, &format!("p{name}"), 0, 1, &json!({ "spec": spec }))
        }
    };
    live.take(second(0), (0..MAX_GONE - 2).map(|name| signal(name, 0)).collect());
    live.tick(second(2));
    let before = all(&live.terrarium, second(3));
    live.take(second(4), (0..7).map(|name| signal(MAX_GONE + name, 4)).collect());
    live.tick(second(6));
    assert_eq!(live.terrarium.gone().count(), MAX_GONE);
    let mut then = live.past.at(&live.terrarium, second(3)).unwrap();
    assert!(all(then.terrarium(), second(3)) == before);
    assert!(live.past.go(&mut then, &live.terrarium, second(6)));
    assert!(all(then.terrarium(), second(6)) == all(&live.terrarium, second(6)));
}

#[test]
fn the_oldest_fall_off_and_are_counted() {
    let mut live = Live::new(8_000);
    for i in 0..100 {
        live.take(second(i), vec![agent("a", i as usize, if i % 2 == 0 { "Running" } else { "Pending" })]);
    }
    let past = &live.past;
    assert!(past.len() > 2 && past.forgotten() as usize + past.len() == 100, "{} {}", past.len(), past.forgotten());
    assert_eq!(past.oldest(), Some(second(past.forgotten() as i64 - 1)));
    assert!(past.at(&live.terrarium, second(past.forgotten() as i64 - 2)).is_none());
    // A change larger than the cap leaves no past behind it, nor a wrong one.
    let mut big = agent("a", 1_000, "Failed");
    let Some(Object::Agent(object)) = big.now.as_mut().map(|decoded| &mut decoded.object) else { panic!() };
    Arc::make_mut(object).spec.instructions = Some("x".repeat(10_000));
    live.take(second(200), vec![big]);
    live.take(second(201), vec![gone(Kind::Agent, "a")]);
    live.take(millis(201_500), vec![agent("a", 1, "Running")]);
    assert_eq!((live.past.len(), live.past.bytes()), (0, 0));
    assert!(live.past.at(&live.terrarium, second(200)).is_none());
    live.take(second(202), vec![agent("a", 2, "Failed")]);
    assert_eq!(live.past.oldest(), Some(second(201)));
}

#[test]
fn nothing_is_recorded_unless_wanted() {
    let mut terrarium = Terrarium::default();
    let batch = || Batch { changes: vec![agent("a", 1, "Running")], ..Batch::default() };
    assert!(terrarium.apply(batch(), second(0)).undo.is_empty());
    terrarium.record(true);
    assert!(terrarium.apply(batch(), second(1)).undo.is_empty(), "the same version is no change");
    assert!(terrarium.tick(second(2)).undo.is_empty());
}

/// Something that happens.
#[derive(Clone, Debug)]
struct Op {
    /// Milliseconds since what happened before.
    wait: i64,
    what: usize,
    name: usize,
    uid: u32,
    novelty: Novelty,
}

fn op() -> impl Strategy<Value = Op> {
    let novelty = prop::sample::select(vec![Novelty::Initial, Novelty::News, Novelty::Told]);
    let wait = prop_oneof![4 => 0_i64..700, 2 => 700_i64..4_000, 1 => 4_000_i64..700_000];
    (wait, 0_usize..24, 0_usize..3, 0_u32..2, novelty).prop_map(|(wait, what, name, uid, novelty)| Op {
        wait,
        what,
        name,
        uid,
        novelty,
    })
}

fn batch(op: &Op, version: usize, now: Timestamp) -> Batch {
    let name = format!("a{}", op.name);
    let other = format!("a{}", (op.name + 1) % 3);
    let kinds = [Kind::Agent, Kind::Pheromone, Kind::Proposal, Kind::Memory, Kind::Umwelt, Kind::Deployment, Kind::Pod];
    let put = |kind, rest: &Value| vec![object(kind, &name, op.uid, version, rest)];
    let phase = ["Running", "Degraded", "Failed"][version % 3];
    let mut batch = Batch::default();
    batch.changes = match op.what {
        0..=3 => put(Kind::Agent, &json!({ "spec": { "genus": "B" }, "status": { "phase": phase } })),
        4 => put(Kind::Agent, &json!({ "spec": { "genus": 7 } })),
        5..=8 => {
            let (target, ttl) = (if op.uid == 0 { Value::Null } else { json!(other) }, version % 5);
            put(
                Kind::Pheromone,
                &json!({ "spec": { "type": "WARNING", "source": name, "target": target,
                "emittedAt": now.to_string(), "ttlSeconds": ttl } }),
            )
        }
        9 => put(Kind::Pheromone, &json!({ "spec": { "type": "WARNING", "source": name, "emittedAt": "never" } })),
        10 => put(
            Kind::Proposal,
            &json!({ "spec": { "changeType": "AGENT_SCALE", "proposer": name,
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": other }, "patch": { "type": "merge" } } }),
        ),
        11 => put(Kind::Memory, &json!({ "spec": { "owner": name, "type": "VECTOR" } })),
        12 => put(Kind::Umwelt, &json!({ "spec": { "agent": name } })),
        13 => put(Kind::Deployment, &json!({ "spec": { "replicas": version } })),
        14 => put(Kind::Pod, &json!({ "status": { "phase": phase } })),
        15..=21 => vec![gone(kinds[op.what - 15], &name)],
        22 => {
            let json = json!({ "metadata": { "namespace": "n", "name": format!("e{version}") }, "reason": "Said", "message": format!("{version}"),
                "involvedObject": { "kind": "Pod", "namespace": "n", "name": name } });
            if let Object::Event(event) = decode(Kind::Event, &json.to_string()).unwrap().object {
                batch.events.push(event);
            }
            batch.dropped = op.uid.into();
            Vec::new()
        }
        _ => Vec::new(),
    };
    for change in &mut batch.changes {
        change.novelty = op.novelty;
    }
    batch
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]
    /// Whatever happened, the past is what it was, or out of reach.
    #[test]
    fn the_past_is_what_it_was(
        ops in prop::collection::vec(op(), 1..40),
        cap in prop_oneof![Just(MAX_BYTES), 500_usize..60_000],
        walk in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        looks in any::<prop::sample::Index>(),
    ) {
        let mut live = Live::new(cap);
        // What each second was at its end.
        let mut known: BTreeMap<i64, String> = BTreeMap::new();
        let mut clock = 10_000_i64;
        let mut along: Option<Then> = None;
        let look = looks.index(ops.len());
        // Thoughts are cut by their own time, so the clock does not step back here.
        for (version, op) in ops.iter().enumerate() {
            clock += op.wait;
            let now = millis(clock);
            let outcome = live.terrarium.apply(batch(op, version, now), now);
            live.keep(outcome, now);
            live.tick(now);
            known.insert(now.as_second(), all(&live.terrarium, now));
            if version == look {
                along = live.past.at(&live.terrarium, now);
            }
        }
        let live = live;
        let seconds: Vec<i64> = known.keys().copied().collect();
        for (second, state) in &known {
            let moment = at(*second);
            match live.past.at(&live.terrarium, moment) {
                Some(then) => prop_assert_eq!(&all(then.terrarium(), moment), state),
                // Only what fell off, or the time before the first change.
                None => prop_assert!(live.past.since.is_none_or(|since| *second < since)),
            }
        }
        // One copy, made while it went on, walks to any moment.
        if let Some(mut then) = along {
            for index in walk {
                let second = seconds[index.index(seconds.len())];
                let before = then.moment();
                if live.past.go(&mut then, &live.terrarium, at(second)) {
                    prop_assert_eq!(&all(then.terrarium(), at(second)), &known[&second]);
                } else {
                    prop_assert_eq!(then.moment(), before);
                }
            }
            let last = at(*seconds.last().unwrap());
            prop_assert!(live.past.go(&mut then, &live.terrarium, last) || live.past.is_empty());
        }
        // Steps back end at the oldest moment and steps forward come back.
        let mut from = millis(clock);
        let mut count = 0;
        while let Some(back) = live.past.step_back(from) {
            prop_assert!(back < from);
            prop_assert!(live.past.at(&live.terrarium, back).is_some());
            prop_assert!(live.past.step_forward(back).is_none_or(|forward| forward > back));
            from = back;
            count += 1;
        }
        prop_assert_eq!(count, live.past.len());
        prop_assert!(count == 0 || live.past.oldest() == Some(from));
    }
}
