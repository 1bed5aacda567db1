use kgents_api::proposal::{RiskLevel, RiskStatus};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::magnitude;
use super::super::tests::close;
use super::*;
use crate::testing::{any_float, any_json, any_time, noon, proposal};

fn estimated(proposal: &Proposal, target: Option<&Value>, others: &[&Proposal]) -> Risk {
    estimate(proposal, target, others, noon(), &RiskConfig::default())
}

fn b_gent() -> Value {
    json!({
        "kind": "Agent",
        "metadata": { "name": "b-gent" },
        "spec": { "genus": "B", "replicas": 2, "image": "a" },
    })
}

#[test]
fn an_estimate_applies_the_patch_to_what_is_there() {
    let risk = estimated(&proposal(&json!({})), Some(&b_gent()), &[]);
    close(risk.total, 0.22);
    assert_eq!(risk.reasons[0], "a scale-up from 2 to 5 weighs 0.20, 1 field changes");

    // Against what is there already, the patch changes nothing.
    let five = json!({ "spec": { "replicas": 5 } });
    close(estimated(&proposal(&json!({})), Some(&five), &[]).base, 0.10);

    let delete = proposal(&json!({ "spec": { "changeType": "AGENT_DELETE", "patch": { "content": null } } }));
    let risk = estimated(&delete, Some(&b_gent()), &[]);
    close(risk.base, 0.70 * magnitude(5));

    let deploy = proposal(&json!({ "spec": { "changeType": "AGENT_DEPLOY" } }));
    close(estimated(&deploy, Some(&Value::Null), &[]).base, 0.30 * 1.1);
}

#[test]
fn an_estimate_says_why_it_cannot_know() {
    let risk = estimated(&proposal(&json!({})), None, &[]);
    assert_eq!(risk.level, RiskLevel::High);

    let broken = proposal(
        &json!({ "spec": { "patch": { "type": "json", "content": [{ "op": "remove", "path": "/spec/x" }] } } }),
    );
    let risk = estimated(&broken, Some(&b_gent()), &[]);
    assert_eq!(risk.level, RiskLevel::High);
    assert_eq!(
        risk.reasons[3..],
        [
            "at least HIGH: the patch could not be applied",
            "operation 1 of the json patch, at '/spec/x': path is invalid",
        ]
    );

    let merged = other("a", "11:59:00Z", &json!({ "phase": "Merged" }));
    let risk = estimated(&proposal(&json!({})), Some(&b_gent()), &[&merged]);
    assert_eq!(risk.level, RiskLevel::High);
    assert_eq!(risk.reasons[4], "a was merged without a base risk");
}

/// Another proposal, made on the first of January.
fn other(name: &str, created: &str, status: &Value) -> Proposal {
    proposal(&json!({
        "metadata": { "name": name, "creationTimestamp": format!("2026-01-01T{created}") },
        "status": status,
    }))
}

fn base(base: f64) -> Value {
    json!({ "base": base, "velocity": 0, "cumulative": 0, "total": base, "level": "LOW" })
}

#[test]
fn an_estimate_reads_haste_and_history_from_the_others() {
    let own = proposal(&json!({}));
    let others = [
        other("a", "11:30:00Z", &json!(null)),
        other("b", "11:30:00Z", &json!({ "phase": "Rejected" })),
        other(
            "c",
            "09:00:00Z",
            &json!({ "phase": "Merged", "risk": base(0.4), "execution": { "appliedAt": "2026-01-01T11:00:00Z" } }),
        ),
        other(
            "d",
            "09:00:00Z",
            &json!({ "phase": "RolledBack", "risk": base(0.4), "execution": { "appliedAt": "2025-12-31T12:00:01Z" } }),
        ),
        other(
            "e",
            "09:00:00Z",
            &json!({ "phase": "Merged", "risk": base(9.0), "execution": { "appliedAt": "2025-12-31T12:00:00Z" } }),
        ),
        other("f", "09:00:00Z", &json!({ "phase": "Approved", "risk": base(9.0) })),
        // Unstamped, it was applied before it could expire: long ago.
        proposal(
            &json!({ "metadata": { "name": "g", "creationTimestamp": "2025-06-01T00:00:00Z" }, "status": { "phase": "Merged" } }),
        ),
        own.clone(),
    ];
    let others: Vec<&Proposal> = others.iter().collect();
    let risk = estimated(&own, Some(&b_gent()), &others);
    close(risk.velocity, 0.1);
    close(risk.cumulative, 0.05 * 0.8);
    assert_eq!(risk.reasons[1], "2 other proposals in the last hour");
}

#[test]
fn a_namesake_with_another_uid_is_another() {
    let with_uid = |uid: &str| proposal(&json!({ "metadata": { "uid": uid } }));
    let own = with_uid("1");
    close(estimated(&own, Some(&b_gent()), &[&own]).velocity, 0.0);
    close(estimated(&own, Some(&b_gent()), &[&with_uid("2")]).velocity, 0.1 * 50.0 / 60.0);
}

proptest! {
    #![proptest_config(crate::testing::config())]

    #[test]
    fn any_estimate_is_a_share(
        created in any_time(),
        now in any_time(),
        content in any_json(),
        target in prop::option::of(any_json()),
        base in any_float(),
        applied in any_time(),
    ) {
        let own = proposal(&json!({ "spec": { "patch": { "content": content } } }));
        let status = json!({ "phase": "Merged", "execution": { "appliedAt": applied.to_string() } });
        let mut other = other("a", "11:00:00Z", &status);
        other.metadata.creation_timestamp.as_mut().unwrap().0 = created;
        other.status.as_mut().unwrap().risk = Some(RiskStatus {
            base,
            velocity: 0.0,
            cumulative: 0.0,
            total: 0.0,
            level: RiskLevel::Low,
            reasons: vec![],
        });
        let risk = estimate(&own, target.as_ref(), &[&other], now, &RiskConfig::default());
        prop_assert!((0.0..=1.0).contains(&risk.total));
        prop_assert_eq!(risk.level, RiskConfig::default().level(risk.total));
    }
}
