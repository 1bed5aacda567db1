use jiff::{SignedDuration, Timestamp};
use kgents_api::PheromoneType;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::{any_float, any_time, at, noon, pheromone, secs};

fn fade(initial: f64, half_life_minutes: f64) -> Fade {
    Fade::new(initial, half_life_minutes, noon(), None).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    noon() + secs(seconds)
}

#[track_caller]
fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[test]
fn half_lives_by_type() {
    for t in PheromoneType::ALL {
        let expected = match t {
            PheromoneType::Warning => 5.0,
            PheromoneType::Scarcity => 15.0,
            PheromoneType::ReviewRequest => 60.0,
            PheromoneType::Dream => 120.0,
            _ => 10.0,
        };
        close(default_half_life_minutes(*t), expected);
        let fade = Fade::of(&pheromone(&json!({ "spec": { "type": t } }))).unwrap();
        close(fade.half_life_minutes(), expected);
    }
}

#[test]
fn half_is_left_after_each_half_life() {
    let fade = fade(0.8, 10.0);
    for (minutes, expected) in [(0, 0.8), (5, 0.8 * 0.5_f64.sqrt()), (10, 0.4), (20, 0.2), (60, 0.0125)] {
        close(fade.intensity(after(minutes * 60)), expected);
    }
}

#[test]
fn it_is_gone_below_one_hundredth() {
    // 5 min * log2(100) = 33 min 13.2 s, the "gone in 33m" of a fresh WARNING.
    let fade = Fade::of(&pheromone(&json!({}))).unwrap();
    let gone = fade.gone_at();
    assert_eq!(gone.duration_since(noon()).as_secs(), 33 * 60 + 13);
    assert!(fade.is_gone(gone));
    close(fade.intensity(gone), 0.0);
    let before = gone - SignedDuration::from_nanos(2);
    assert!(!fade.is_gone(before));
    close(fade.intensity(before), 0.01);
}

#[test]
fn at_the_limit_it_is_there_for_an_instant_and_below_never() {
    let limit = fade(0.01, 10.0);
    close(limit.intensity(noon()), 0.01);
    assert_eq!(limit.gone_at(), noon() + SignedDuration::from_nanos(1));
    assert_eq!(limit.falls_to(0.01), Some(noon()));
    for initial in [0.0, -0.0, 5e-324, 0.009_999] {
        let never = fade(initial, 10.0);
        assert_eq!(never.gone_at(), noon());
        assert!(never.is_gone(noon()) && never.is_gone(Timestamp::MIN));
    }
}

#[test]
fn the_time_to_live_ends_it_however_strong() {
    let fade = |ttl| Fade::new(1.0, 10.0, noon(), Some(ttl)).unwrap();
    close(fade(60).intensity(after(59)), 0.5_f64.powf(59.0 / 600.0));
    close(fade(60).intensity(after(60)), 0.0);
    assert_eq!(fade(60).gone_at(), after(60));
    assert_eq!(fade(60).falls_to(0.5), Some(after(60)));
    assert_eq!(fade(3600).falls_to(0.001), Some(after(3600)));
    assert!(fade(0).is_gone(noon()) && fade(0).is_gone(after(-5)));
    // One that is longer than the decay changes nothing, however long.
    assert_eq!(fade(i64::MAX).gone_at(), self::fade(1.0, 10.0).gone_at());
}

#[test]
fn a_stamp_from_the_future_counts_as_now() {
    let fade = Fade::new(0.7, 10.0, at("2099-01-01T00:00:00Z"), None).unwrap();
    close(fade.intensity(noon()), 0.7);
    close(fade.intensity(Timestamp::MIN), 0.7);
}

#[test]
fn extreme_half_lives() {
    for half_life in [1e-300, 5e-324] {
        let shortest = fade(1.0, half_life);
        close(shortest.intensity(noon()), 1.0);
        assert_eq!(shortest.gone_at(), noon() + SignedDuration::from_nanos(1));
    }
    let longest = fade(1.0, f64::MAX);
    close(longest.intensity(Timestamp::MAX), 1.0);
    assert_eq!(longest.gone_at(), Timestamp::MAX);
    assert_eq!(longest.falls_to(0.5), None);
}

#[test]
fn rounding_never_wakes_a_sleeper_too_early() {
    // Some two hundred years: where a rounding error is longer than a nanosecond.
    for half_life in [5.0, 1e8] {
        let fade = fade(1.0, half_life);
        for level in (10..1000).map(|level| f64::from(level) / 1000.0) {
            assert!(fade.intensity(fade.falls_to(level).unwrap()) <= level);
        }
    }
}

#[test]
fn emitted_at_is_read_with_its_offset() {
    let emitted =
        |text: &str| Fade::of(&pheromone(&json!({ "spec": { "emittedAt": text } }))).map(|fade| fade.emitted());
    assert_eq!(emitted("2026-01-01T12:00:00+05:30"), Ok(at("2026-01-01T06:30:00Z")));
    assert_eq!(emitted("1970-01-01T00:00:00Z"), Ok(Timestamp::UNIX_EPOCH));
    assert_eq!(emitted("2099-12-31T23:59:59.5-01:00"), Ok(at("2100-01-01T00:59:59.5Z")));
    let unstamped = Fade::of(&pheromone(&json!({}))).unwrap();
    assert_eq!(unstamped.emitted(), noon(), "else the creation counts");
}

#[test]
fn what_is_wrong_is_said_with_field_and_value() {
    let cases = [
        (json!({ "initialIntensity": 1.5 }), "initialIntensity is 1.5: it must be a number from 0 to 1"),
        (json!({ "initialIntensity": -0.1 }), "initialIntensity is -0.1: it must be a number from 0 to 1"),
        (json!({ "halfLifeMinutes": 0 }), "halfLifeMinutes is 0.0: it must be a number greater than 0"),
        (json!({ "halfLifeMinutes": -5e-300 }), "halfLifeMinutes is -5e-300: it must be a number greater than 0"),
        (json!({ "ttlSeconds": -1 }), "ttlSeconds is -1: it must not be negative"),
        (
            json!({ "emittedAt": "2026-01-01T12:00:00" }),
            "emittedAt is \"2026-01-01T12:00:00\": it must be a time with its offset, such as 2026-01-01T12:00:00Z",
        ),
    ];
    for (spec, message) in cases {
        let error = Fade::of(&pheromone(&json!({ "spec": spec }))).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let unstamped = pheromone(&json!({ "metadata": { "creationTimestamp": null } }));
    assert_eq!(Fade::of(&unstamped), Err(FadeError::NoStamp));
    for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Fade::new(wrong, 10.0, noon(), None).is_err());
        assert!(Fade::new(1.0, wrong, noon(), None).is_err());
    }
}

/// Any fade that can be made, of every length from an instant to for ever.
fn any_fade() -> impl Strategy<Value = Fade> {
    let half_life = prop_oneof![(-300.0..300.0_f64).prop_map(f64::exp2), Just(5e-324), Just(f64::MAX), 1.0..1e4];
    let initial = prop_oneof![0.0..=1.0_f64, Just(0.01), Just(1.0), Just(0.0)];
    (initial, half_life, any_time(), prop::option::of(0..i64::MAX))
        .prop_map(|(initial, half_life, emitted, ttl)| Fade::new(initial, half_life, emitted, ttl).unwrap())
}

proptest! {
    #![proptest_config(crate::testing::config())]

    #[test]
    fn every_number_makes_a_fade_or_an_error(
        i in any_float(),
        h in any_float(),
        emitted in any_time(),
        ttl: Option<i64>,
        now in any_time(),
    ) {
        if let Ok(fade) = Fade::new(i, h, emitted, ttl) {
            let found = fade.intensity(now);
            prop_assert!(found == 0.0 || (GONE_BELOW..=1.0).contains(&found), "{found}");
            prop_assert!(found <= fade.initial());
        }
    }

    #[test]
    fn it_never_rises_with_time(fade in any_fade(), a in any_time(), b in any_time()) {
        prop_assert!(fade.intensity(a.max(b)) <= fade.intensity(a.min(b)));
    }

    #[test]
    fn it_composes(
        initial in 0.5..=1.0_f64,
        half_life in 1.0..1e3_f64,
        a in 0..20_000_i64,
        b in 0..20_000_i64,
    ) {
        // What is left after a + b is what is left of I(a) after b.
        let whole = fade(initial, half_life);
        let rest = Fade::new(whole.intensity(after(a)), half_life, after(a), None);
        if whole.is_gone(after(a + b)) {
            prop_assert!(rest.unwrap().intensity(after(a + b)) <= GONE_BELOW);
        } else {
            close(rest.unwrap().intensity(after(a + b)), whole.intensity(after(a + b)));
        }
    }

    #[test]
    fn gone_at_is_where_it_begins_to_be_gone(fade in any_fade(), now in any_time()) {
        let gone = fade.gone_at();
        if gone < Timestamp::MAX {
            prop_assert!(fade.is_gone(gone));
            prop_assert!(fade.intensity(gone) == 0.0);
        }
        if now >= fade.emitted() && now < gone {
            prop_assert!(!fade.is_gone(now));
        }
    }

    #[test]
    fn it_has_fallen_when_it_says(fade in any_fade(), level in any_float(), early in 0..i64::MAX) {
        match fade.falls_to(level) {
            Some(moment) => {
                prop_assert!(fade.intensity(moment) <= level);
                // Before that it is stronger, but for what rounding takes.
                let earlier = moment
                    .checked_sub(SignedDuration::from_nanos(early))
                    .unwrap_or(fade.emitted())
                    .max(fade.emitted());
                if earlier < moment {
                    prop_assert!(fade.intensity(earlier) >= level * (1.0 - 1e-12));
                }
            }
            None => prop_assert!(level.is_nan() || fade.intensity(Timestamp::MAX) > level),
        }
    }
}
