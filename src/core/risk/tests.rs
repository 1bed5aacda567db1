use jiff::SignedDuration;
use kgents_api::proposal::{ChangeType, RiskLevel, RiskStatus, TestChange};
use serde_json::{Value, json};

use super::*;

const NO_TESTS: TestChange = TestChange { added: 0, removed: 0 };

fn input<'a>(change_type: ChangeType, before: &'a Value, after: &'a Value) -> RiskInput<'a> {
    RiskInput {
        change_type,
        before: Some(before),
        after: Some(after),
        tests: &NO_TESTS,
        others: Some(&[]),
        merged_base_24h: Some(0.0),
    }
}

pub(super) fn of(input: &RiskInput) -> Risk {
    risk(input, &RiskConfig::default())
}

#[track_caller]
pub(super) fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[test]
fn weights_by_type() {
    let expected = [0.10, 0.10, 0.20, 0.30, 0.30, 0.30, 0.40, 0.40, 0.50, 0.50, 0.60, 0.60, 0.70, 0.80, 0.90];
    assert_eq!(ChangeType::ALL.len(), expected.len());
    for (change, expected) in ChangeType::ALL.iter().zip(expected) {
        close(weight(*change), expected);
    }
}

#[test]
fn magnitude_grows_with_the_leaves() {
    for (leaves, expected) in [(0, 1.0), (1, 1.1), (3, 1.2), (7, 1.3), (1023, 2.0)] {
        close(magnitude(leaves), expected);
    }
    assert!(magnitude(usize::MAX).is_finite());
}

#[test]
fn tests_make_it_lighter_and_their_loss_heavier() {
    let cases = [
        (0, 0, 1.0),
        (5, 5, 1.0),
        (1, 0, 0.95),
        (7, 0, 0.85),
        (10, 3, 0.85),
        (1023, 0, 0.5),
        (i64::MAX, 0, 0.5),
        (0, 1, 1.1),
        (0, 7, 1.3),
        (0, 31, 1.5),
        (0, i64::MAX, 1.5),
        (i64::MIN, 0, 1.0),
        (-9, i64::MIN, 1.0),
    ];
    for (added, removed, expected) in cases {
        close(tests_factor(&TestChange { added, removed }), expected);
    }
}

#[test]
fn velocity_counts_the_last_hour_and_the_youngest_most() {
    let minutes = SignedDuration::from_mins;
    close(velocity(&[]), 0.0);
    assert!(velocity(&[]).is_sign_positive());
    close(velocity(&[minutes(0)]), 0.1);
    close(velocity(&[minutes(30), minutes(45)]), 0.05 + 0.025);
    close(velocity(&[minutes(60), SignedDuration::MAX]), 0.0);
    close(velocity(&[minutes(-5), SignedDuration::MIN]), 0.2);
    close(velocity(&[minutes(0); 9]), 0.5);
}

#[test]
fn cumulative_counts_the_last_day() {
    for (merged, expected) in
        [(0.0, 0.0), (0.82, 0.041), (6.0, 0.3), (f64::INFINITY, 0.3), (-4.0, 0.0), (f64::NAN, 0.3)]
    {
        close(cumulative(merged), expected);
    }
}

#[test]
fn what_the_change_does_outweighs_its_name() {
    let agent = |spec: Value| json!({ "kind": "Agent", "spec": spec });
    let cases = [
        (json!({ "replicas": 2 }), json!({ "replicas": 4 }), 0.10, "CODE_PATCH"),
        (json!({ "replicas": 2 }), json!({ "replicas": 5 }), 0.20, "a scale-up from 2 to 5"),
        (json!({}), json!({ "replicas": 1 }), 0.10, "CODE_PATCH"),
        (json!({}), json!({ "replicas": 0, "genus": "B" }), 0.40, "a scale-down from 1 to 0"),
        (json!({}), json!({ "storageClassName": "fast" }), 0.40, "a change of volumes"),
        (json!({}), json!({ "replicas": 3 }), 0.20, "a scale-up from 1 to 3"),
        (json!({ "replicas": 0 }), json!({ "replicas": 1 }), 0.20, "a scale-up from 0 to 1"),
        (json!({ "replicas": 2 }), json!({}), 0.40, "a scale-down from 2 to 1"),
        (json!({ "replicas": 2 }), json!({ "replicas": 0 }), 0.40, "a scale-down from 2 to 0"),
        (json!({}), json!({ "image": "b" }), 0.50, "a change of image"),
        (json!({}), json!({ "sidecar": { "image": "b" } }), 0.50, "a change of image"),
        (json!({}), json!({ "containers": [{ "env": [{ "name": "A" }] }] }), 0.30, "a change of environment"),
        (json!({ "config": {} }), json!({ "config": { "MODEL": "b" } }), 0.30, "a change of environment"),
        (json!({}), json!({ "configuration": 1 }), 0.10, "CODE_PATCH"),
        (json!({}), json!({ "volumes": [{ "name": "a" }] }), 0.40, "a change of volumes"),
        (json!({ "memory": "a" }), json!({ "memory": "b" }), 0.40, "a change of volumes"),
        (json!({ "resources": { "memory": "1Gi" } }), json!({ "resources": { "memory": "2Gi" } }), 0.10, "CODE_PATCH"),
        (json!({}), json!({ "secretRef": "b" }), 0.60, "a change of secrets"),
        (json!({}), json!({ "config": { "CLIENT_SECRET": "b" }, "image": "b" }), 0.60, "a change of secrets"),
    ];
    for (before, after, weight, what) in cases {
        let (before, after) = (agent(before), agent(after));
        let risk = of(&input(ChangeType::CodePatch, &before, &after));
        let leaves = changed_leaves(&before, &after).len();
        close(risk.base, weight * magnitude(leaves));
        assert!(risk.reasons[0].starts_with(&format!("{what} weighs {weight:.2}, ")), "{:?}", risk.reasons);
    }
}

#[test]
fn any_change_of_a_secret_weighs_as_one() {
    let secret = |value: &str| json!({ "kind": "Secret", "data": { "a": value } });
    close(of(&input(ChangeType::ConfigUpdate, &secret("a"), &secret("b"))).base, 0.60 * 1.1);
    close(of(&input(ChangeType::ConfigUpdate, &secret("a"), &secret("a"))).base, 0.20);
    let made = of(&input(ChangeType::ConfigUpdate, &Value::Null, &secret("a")));
    close(made.base, 0.60 * magnitude(2));
}

#[test]
fn a_name_that_is_heavier_stands() {
    let (before, after) = (json!({ "spec": { "image": "a" } }), Value::Null);
    let risk = of(&input(ChangeType::AgentDelete, &before, &after));
    close(risk.base, 0.70 * 1.1);
    assert_eq!(
        risk.reasons,
        [
            "AGENT_DELETE weighs 0.70, 1 field changes",
            "no other proposal in the last hour",
            "nothing merged in the last 24 hours",
        ]
    );
}

#[test]
fn levels_reach_up_to_their_thresholds() {
    let config = RiskConfig::default();
    let cases = [
        (0.0, RiskLevel::Low),
        (0.2, RiskLevel::Low),
        (0.200_001, RiskLevel::Medium),
        (0.5, RiskLevel::Medium),
        (0.51, RiskLevel::High),
        (0.8, RiskLevel::High),
        (0.81, RiskLevel::Critical),
        (1.0, RiskLevel::Critical),
    ];
    for (total, level) in cases {
        assert_eq!(config.level(total), level, "{total}");
    }
}

#[test]
fn the_parts_make_the_sum_and_say_why() {
    let (before, after) = (json!({ "spec": { "replicas": 2 } }), json!({ "spec": { "replicas": 5 } }));
    let tests = TestChange { added: 7, removed: 0 };
    let others = [SignedDuration::from_mins(6), SignedDuration::from_mins(60)];
    let risk = of(&RiskInput {
        tests: &tests,
        others: Some(&others),
        merged_base_24h: Some(0.8),
        ..input(ChangeType::AgentScale, &before, &after)
    });
    close(risk.base, 0.20 * 1.1 * 0.85);
    close(risk.velocity, 0.09);
    close(risk.cumulative, 0.04);
    close(risk.total, risk.base + risk.velocity + risk.cumulative);
    assert_eq!(risk.level, RiskLevel::Medium);
    assert_eq!(
        risk.reasons,
        [
            "a scale-up from 2 to 5 weighs 0.20, 1 field changes, 7 tests more",
            "1 other proposal in the last hour",
            "0.80 of base risk merged in the last 24 hours",
        ]
    );
    let status = RiskStatus::from(risk.clone());
    assert_eq!(Risk::from(status), risk);
}

#[test]
fn a_missing_figure_makes_it_high_and_says_so() {
    let same = json!({ "spec": {} });
    let full = input(ChangeType::CodePatch, &same, &same);
    let cases = [
        (RiskInput { before: None, after: None, ..full }, 0.60, "at least HIGH: the target could not be read"),
        (RiskInput { after: None, ..full }, 0.60, "at least HIGH: the patch could not be applied"),
        (RiskInput { others: None, ..full }, 0.60, "at least HIGH: the other proposals could not be read"),
        (
            RiskInput { merged_base_24h: None, ..full },
            0.51,
            "at least HIGH: what was merged in the last 24 hours is not known",
        ),
        (
            RiskInput { merged_base_24h: Some(f64::NAN), ..full },
            0.51,
            "at least HIGH: what was merged in the last 24 hours is not known",
        ),
    ];
    for (input, total, reason) in cases {
        let risk = of(&input);
        close(risk.total, total);
        assert_eq!(risk.level, RiskLevel::High);
        assert_eq!(risk.reasons[3..], [reason]);
    }
    let nothing = RiskInput { before: None, after: None, others: None, merged_base_24h: None, ..full };
    assert_eq!(of(&nothing).level, RiskLevel::Critical);
    assert_eq!(of(&nothing).reasons[0], "an unknown change weighs 0.60");
}
