//! What holds for any input.

use jiff::SignedDuration;
use kgents_api::proposal::{ChangeType, RiskLevel, TestChange};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::of;
use super::*;
use crate::testing::{any_duration, any_float, any_json, secs};

#[derive(Clone, Debug)]
struct Case {
    change: ChangeType,
    before: Value,
    after: Value,
    tests: TestChange,
    others: Vec<SignedDuration>,
    merged: f64,
}

impl Case {
    fn input(&self) -> RiskInput<'_> {
        RiskInput {
            change_type: self.change,
            before: Some(&self.before),
            after: Some(&self.after),
            tests: &self.tests,
            others: Some(&self.others),
            merged_base_24h: Some(self.merged),
        }
    }
}

prop_compose! {
    fn any_case()(
        change in prop::sample::select(ChangeType::ALL),
        before in any_json(),
        after in any_json(),
        added in prop_oneof![any::<i64>(), 0..50_i64],
        removed in prop_oneof![any::<i64>(), 0..50_i64],
        others in prop::collection::vec(prop_oneof![any_duration(), (0..4000_i64).prop_map(secs)], 0..8),
        merged in prop_oneof![any_float(), 0.0..8.0_f64],
    ) -> Case {
        Case { change, before, after, tests: TestChange { added, removed }, others, merged }
    }
}

/// Whether `worse` is no less risky in any respect.
fn no_less(worse: &Risk, risk: &Risk) -> bool {
    worse.base >= risk.base
        && worse.velocity >= risk.velocity
        && worse.cumulative >= risk.cumulative
        && worse.total >= risk.total
        && worse.level >= risk.level
}

proptest! {
    #![proptest_config(crate::testing::config())]

    #[test]
    fn it_is_a_share_and_the_level_is_that_of_the_total(case in any_case(), missing: [bool; 4]) {
        let mut input = case.input();
        input.before = input.before.filter(|_| !missing[0]);
        input.after = input.after.filter(|_| !missing[1]);
        input.others = input.others.filter(|_| !missing[2]);
        input.merged_base_24h = input.merged_base_24h.filter(|_| !missing[3]);
        let risk = of(&input);
        prop_assert!((0.0..=1.0).contains(&risk.total));
        prop_assert!(risk.base >= 0.0 && risk.base.is_finite());
        prop_assert!((0.0..=MAX_VELOCITY).contains(&risk.velocity));
        prop_assert!((0.0..=MAX_CUMULATIVE).contains(&risk.cumulative));
        prop_assert_eq!(risk.level, RiskConfig::default().level(risk.total));
        prop_assert!(risk.reasons.len() >= 3);
        if missing.contains(&true) {
            prop_assert!(risk.level >= RiskLevel::High);
            prop_assert!(risk.reasons.len() > 3);
        }
    }

    #[test]
    fn it_never_falls_when_an_input_worsens(
        case in any_case(),
        heavier in prop::sample::select(ChangeType::ALL),
        by in 0..i64::MAX,
        at in any::<prop::sample::Index>(),
        more in any_float(),
    ) {
        let risk = of(&case.input());
        let holds = |what: &str, worsen: &dyn Fn(&mut Case)| {
            let mut worse = case.clone();
            worsen(&mut worse);
            prop_assert!(no_less(&of(&worse.input()), &risk), "{what}");
            Ok(())
        };
        holds("fewer tests added", &|case| {
            case.tests.added = case.tests.added.saturating_sub(by);
        })?;
        holds("more tests removed", &|case| {
            case.tests.removed = case.tests.removed.saturating_add(by);
        })?;
        holds("one more proposal", &|case| {
            case.others.push(SignedDuration::from_nanos(by));
        })?;
        holds("a younger proposal", &|case| {
            if !case.others.is_empty() {
                let other = at.index(case.others.len());
                let younger = case.others[other].saturating_sub(SignedDuration::from_nanos(by));
                case.others[other] = younger;
            }
        })?;
        holds("a heavier change", &|case| {
            if weight(heavier) >= weight(case.change) {
                case.change = heavier;
            }
        })?;
        holds("more merged", &|case| {
            if more >= case.merged {
                case.merged = more;
            }
        })?;
        holds("one more field that changes", &|case| {
            if let (Value::Object(_), Value::Object(after)) = (&case.before, &mut case.after) {
                after.insert("one more".into(), json!(1));
            }
        })?;
    }

    #[test]
    fn a_figure_that_is_missing_never_lowers_it(case in any_case()) {
        let known = case.input();
        let risk = of(&known);
        let without_others = of(&RiskInput { others: None, ..known });
        prop_assert!(no_less(&without_others, &risk));
        let without_history = of(&RiskInput { merged_base_24h: None, ..known });
        prop_assert!(no_less(&without_history, &risk));
        // The size of a difference has no bound, so one that is unknown counts
        // as no less than the heaviest of no size.
        let unread = of(&RiskInput { before: None, after: None, ..known });
        let unchanged = of(&RiskInput { after: known.before, ..known });
        prop_assert!(no_less(&unread, &unchanged));
        prop_assert!(unread.level >= RiskLevel::High);
    }

    #[test]
    fn any_thresholds_keep_the_order(
        a in any_float(),
        b in any_float(),
        low in any_float(),
        medium in any_float(),
        high in any_float(),
    ) {
        let config = RiskConfig { thresholds: [low, medium, high] };
        let (a, b) = (unit(a), unit(b));
        prop_assert!(config.level(a.min(b)) <= config.level(a.max(b)));
    }
}
