//! What the tests of several modules share.

use jiff::{SignedDuration, Timestamp};
use kgents_api::{Agent, Pheromone, Proposal};
use proptest::prelude::*;
use serde_json::{Value, json};

/// How property tests run. Failures are printed and not kept in files: the
/// folder that proptest makes for them would stand in `src/` as a room.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

/// Noon of the first day of 2026, UTC: "now" wherever a test needs one.
pub(crate) fn noon() -> Timestamp {
    at("2026-01-01T12:00:00Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// `base` with `over` laid on it (RFC 7386), read as one of our kinds.
fn read<T: serde::de::DeserializeOwned>(mut base: Value, over: &Value) -> T {
    json_patch::merge(&mut base, over);
    serde_json::from_value(base).unwrap()
}

/// `b-gent`, created an hour before [`noon`].
pub(crate) fn agent(over: &Value) -> Agent {
    let base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent",
        "metadata": { "name": "b-gent", "creationTimestamp": "2026-01-01T11:00:00Z" },
        "spec": { "genus": "B" },
    });
    read(base, over)
}

/// A WARNING of `o-gent`, created at [`noon`].
pub(crate) fn pheromone(over: &Value) -> Pheromone {
    let base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Pheromone",
        "metadata": { "name": "disk", "creationTimestamp": "2026-01-01T12:00:00Z" },
        "spec": { "type": "WARNING", "source": "o-gent" },
    });
    read(base, over)
}

/// `b-gent-scale`: `b-gent` asks for 5 replicas, ten minutes before [`noon`].
pub(crate) fn proposal(over: &Value) -> Proposal {
    let base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Proposal",
        "metadata": { "name": "b-gent-scale", "creationTimestamp": "2026-01-01T11:50:00Z" },
        "spec": {
            "changeType": "AGENT_SCALE",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "b-gent" },
            "patch": { "type": "merge", "content": { "spec": { "replicas": 5 } } },
            "proposer": "b-gent",
        },
    });
    read(base, over)
}

/// Any moment, the ends of time among them.
pub(crate) fn any_time() -> impl Strategy<Value = Timestamp> {
    let (first, last) = (Timestamp::MIN.as_nanosecond(), Timestamp::MAX.as_nanosecond());
    prop_oneof![
        1 => Just(Timestamp::MIN),
        1 => Just(Timestamp::MAX),
        4 => (first..=last).prop_map(|nanos| Timestamp::from_nanosecond(nanos).unwrap()),
        4 => (0..86_400_000_000_000_i64)
            .prop_map(|nanos| noon() + SignedDuration::from_nanos(nanos)),
    ]
}

/// Any duration, the longest both ways among them.
pub(crate) fn any_duration() -> impl Strategy<Value = SignedDuration> {
    prop_oneof![
        1 => Just(SignedDuration::MIN),
        1 => Just(SignedDuration::MAX),
        1 => Just(SignedDuration::ZERO),
        4 => (any::<i64>(), 0..1_000_000_000)
            .prop_map(|(seconds, nanos)| SignedDuration::new(seconds / 2, nanos)),
        4 => (-100_000_i64..1_000_000, 0..1_000_000_000)
            .prop_map(|(seconds, nanos)| SignedDuration::new(seconds, nanos)),
    ]
}

/// Any float at all: NaN, the infinities, subnormals, and often 0 to 1.
pub(crate) fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![proptest::num::f64::ANY, 0.0..=1.0_f64, Just(0.0), Just(-0.0), Just(1.0)]
}

/// Small JSON of every shape.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        "[ab~/]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[ab~/]{1,2}|spec|image|env|replicas|status", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
