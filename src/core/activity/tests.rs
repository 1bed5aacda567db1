use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{agent, any_float, any_time, noon, secs};

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

/// A meter that heard `events` events, one each `millis`, and when the last was.
fn heard(events: i64, millis: i64) -> (Meter, Timestamp) {
    let mut meter = Meter::default();
    let mut now = noon();
    for event in 0..events {
        now = noon() + SignedDuration::from_millis(event * millis);
        meter.record(now);
    }
    (meter, now)
}

#[test]
fn flow_is_the_events_of_the_last_ten_seconds() {
    for (events, millis, expected) in [
        (1, 0, 0.01),
        (50, 0, 0.5),
        (100, 0, 1.0),
        (10_000, 0, 1.0),
        (1_000, 100, 1.0),
        (500, 200, 0.5),
        (60, 1_000, 0.1),
    ] {
        let (meter, now) = heard(events, millis);
        close(meter.level(now), expected);
    }
}

#[test]
fn pressure_counts_by_the_hundred() {
    for (pressure, expected) in [(0.0, 0.0), (40.0, 0.4), (100.0, 1.0), (1e9, 1.0), (-3.0, 0.0), (f64::NAN, 0.0)] {
        let mut meter = Meter::default();
        meter.set_pressure(noon(), pressure);
        close(meter.level(noon()), expected);
    }
    // The greater of the two is what counts.
    let (mut meter, now) = heard(50, 0);
    meter.set_pressure(now, 20.0);
    close(meter.level(now), 0.5);
    meter.set_pressure(now, 80.0);
    close(meter.level(now), 0.8);
}

#[test]
fn it_halves_each_ten_seconds_when_nothing_arrives() {
    let (meter, now) = heard(100, 0);
    for (later, expected) in [(0, 1.0), (10, 0.5), (20, 0.25), (60, 1.0 / 64.0)] {
        close(meter.level(now + secs(later)), expected);
    }
    let busy_until = meter.falls_to(BUSY_FROM).unwrap();
    assert!((busy_until - (now + secs(10))).get_nanoseconds() < 100);
    assert_eq!(meter.falls_to(1.0), Some(now));
    let (meter, now) = heard(50, 0);
    for (level, seconds) in [(0.25, 10), (0.125, 20), (0.5 / 1024.0, 100)] {
        assert_eq!((meter.falls_to(level).unwrap() - now).get_seconds(), seconds);
    }
    assert_eq!(meter.falls_to(0.0), None);
    assert_eq!(meter.falls_to(f64::NAN), None);
}

#[test]
fn one_event_after_a_burst_does_not_lower_it() {
    let (mut meter, now) = heard(100, 0);
    let later = now + secs(15);
    let before = meter.level(later);
    meter.record(later);
    close(meter.level(later), before);
}

#[test]
fn a_clock_that_steps_back_stands_still() {
    let (mut meter, now) = heard(10, 0);
    close(meter.level(now - secs(60)), 0.1);
    meter.record(now - secs(60));
    close(meter.level(now), 0.11);
}

#[test]
fn the_first_thing_that_holds_is_the_state() {
    let word = |status: serde_json::Value, level, waiting, dreaming| {
        state(&agent(&json!({ "status": status })), level, waiting, dreaming).as_str()
    };
    let running = json!({ "phase": "Running" });
    for (level, expected) in [
        (0.0, "idle"),
        (0.19, "idle"),
        (0.2, "active"),
        (0.49, "active"),
        (0.5, "busy"),
        (1.0, "busy"),
        (f64::NAN, "idle"),
    ] {
        assert_eq!(word(running.clone(), level, false, false), expected);
    }
    assert_eq!(word(running.clone(), 1.0, false, true), "dream");
    assert_eq!(word(running, 1.0, true, true), "waiting");
    for status in
        [json!({ "phase": "Failed" }), json!({ "phase": "Terminating" }), json!({ "cognitiveHealth": "UNRESPONSIVE" })]
    {
        assert_eq!(word(status, 1.0, true, true), "down");
    }
    assert_eq!(word(json!({ "phase": "Degraded", "cognitiveHealth": "DEGRADED" }), 0.3, false, false), "active");
    assert_eq!(word(json!(null), 0.0, false, false), "idle");
}

#[derive(Clone, Debug)]
enum Step {
    Event(Timestamp),
    Pressure(Timestamp, f64),
}

fn any_meter() -> impl Strategy<Value = Meter> {
    let step = prop_oneof![
        any_time().prop_map(Step::Event),
        (any_time(), any_float()).prop_map(|(now, pressure)| Step::Pressure(now, pressure))
    ];
    prop::collection::vec(step, 0..40).prop_map(|steps| {
        let mut meter = Meter::default();
        for step in steps {
            match step {
                Step::Event(now) => meter.record(now),
                Step::Pressure(now, pressure) => meter.set_pressure(now, pressure),
            }
        }
        meter
    })
}

proptest! {
    #![proptest_config(crate::testing::config())]

    #[test]
    fn the_level_is_a_share_and_only_decays(
        meter in any_meter(),
        a in any_time(),
        b in any_time(),
    ) {
        let (early, late) = (meter.level(a.min(b)), meter.level(a.max(b)));
        prop_assert!((0.0..=1.0).contains(&early) && (0.0..=1.0).contains(&late));
        prop_assert!(late <= early);
    }

    #[test]
    fn hearing_something_never_lowers_it(
        mut meter in any_meter(),
        now in any_time(),
        pressure in any_float(),
    ) {
        // A decay in two steps may round otherwise than in one.
        let before = meter.level(now) * (1.0 - 1e-12);
        meter.record(now);
        prop_assert!(meter.level(now) >= before);
        meter.set_pressure(now, pressure);
        prop_assert!(meter.level(now) >= before);
    }

    #[test]
    fn it_has_fallen_when_it_says(meter in any_meter(), level in any_float()) {
        if let Some(moment) = meter.falls_to(level) {
            prop_assert!(meter.level(moment) <= level);
        }
    }
}
