use kgents_api::proposal::RiskLevel;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{agent, any_float, any_time, at, noon, pheromone, proposal};

fn bid(over: &Value, level: RiskLevel) -> Bid {
    proposal_bid(&proposal(over), level, noon())
}

fn condition(type_: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({
        "type": type_, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-01-01T11:58:00Z",
    })
}

fn agent_with(status: &Value) -> Agent {
    agent(&json!({ "status": status }))
}

#[test]
fn what_a_proposal_asks_of_a_person() {
    let cases = [
        (json!({}), RiskLevel::Low, Need::None, 0.0, "merges by itself"),
        (json!({}), RiskLevel::Medium, Need::Ask, 0.4, "needs 1 of t-gent, people"),
        (json!({}), RiskLevel::High, Need::Ask, 0.7, "needs 1 person, not b-gent"),
        (json!({}), RiskLevel::Critical, Need::Decide, 1.0, "needs 2 people, not b-gent"),
        (json!({ "spec": { "urgency": "CRITICAL" } }), RiskLevel::Low, Need::Decide, 1.0, "needs 2 people, not b-gent"),
        (
            json!({ "spec": { "review": { "autoMerge": false } } }),
            RiskLevel::Low,
            Need::Ask,
            0.2,
            "needs 1 of t-gent, people",
        ),
        (
            json!({ "status": { "approvals": [{ "approver": "t-gent" }] } }),
            RiskLevel::Medium,
            Need::None,
            0.0,
            "has the approvals it needs",
        ),
        (
            json!({ "status": { "approvals": [{ "approver": "ann" }] } }),
            RiskLevel::Critical,
            Need::Decide,
            1.0,
            "needs 1 person, not b-gent",
        ),
        (
            json!({ "spec": { "ttlSeconds": 3000 } }),
            RiskLevel::Medium,
            Need::Decide,
            0.9,
            "needs 1 of t-gent, people, expires in 40m",
        ),
        (json!({ "spec": { "ttlSeconds": 3000 } }), RiskLevel::Low, Need::Decide, 0.9, "lacks nothing, expires in 40m"),
        (
            json!({ "spec": { "ttlSeconds": 4200 } }),
            RiskLevel::High,
            Need::Decide,
            0.9,
            "needs 1 person, not b-gent, expires in 1h00",
        ),
        (json!({ "spec": { "ttlSeconds": 4201 } }), RiskLevel::High, Need::Ask, 0.7, "needs 1 person, not b-gent"),
        (json!({ "spec": { "ttlSeconds": 600 } }), RiskLevel::Critical, Need::None, 0.0, "expired"),
    ];
    for (over, level, need, urgency, reason) in cases {
        let found = bid(&over, level);
        assert_eq!((found.need, found.reason.as_str()), (need, reason));
        assert!((found.urgency - urgency).abs() < 1e-12, "{reason}: {}", found.urgency);
        assert_eq!(found.since, at("2026-01-01T11:50:00Z"));
    }
}

#[test]
fn what_is_settled_asks_nothing_and_says_how_it_ended() {
    let cases = [
        (json!({ "phase": "Approved" }), "approved, waits to be applied"),
        (
            json!({ "phase": "Rejected", "rejections": [{ "approver": "ann", "reason": "too much" }] }),
            "rejected by ann: too much",
        ),
        (json!({ "phase": "Rejected" }), "rejected"),
        (json!({ "phase": "Reviewing", "rejections": [{ "approver": "ann" }] }), "rejected by ann"),
        (json!({ "phase": "Merged", "execution": {} }), "merged"),
        (json!({ "phase": "Failed", "execution": { "message": "conflict" } }), "failed: conflict"),
        (json!({ "phase": "RolledBack", "execution": { "message": "pods got worse" } }), "rolled back: pods got worse"),
        (json!({ "phase": "Expired" }), "expired"),
        (json!({ "phase": "Superseded" }), "superseded by a newer proposal"),
    ];
    for (status, reason) in cases {
        let found = bid(&json!({ "status": status }), RiskLevel::Critical);
        assert_eq!((found.need, found.reason.as_str()), (Need::None, reason));
    }
}

#[test]
fn what_was_never_created_does_not_expire() {
    let draft = json!({ "metadata": { "creationTimestamp": null } });
    let found = bid(&draft, RiskLevel::Medium);
    assert_eq!(found.reason, "needs 1 of t-gent, people");
    assert_eq!(found.since, noon());
}

#[test]
fn an_estimate_presses_less_than_an_assessment() {
    let risk = json!({ "base": 0.6, "velocity": 0, "cumulative": 0, "total": 0.6, "level": "HIGH" });
    let assessed = bid(&json!({ "status": { "risk": risk } }), RiskLevel::High);
    let estimated = bid(&json!({}), RiskLevel::High);
    assert_eq!(order(&assessed, &estimated), Ordering::Less);
    assert_eq!(order(&estimated, &bid(&json!({}), RiskLevel::Medium)), Ordering::Less);
}

#[test]
fn a_proposal_expires_its_time_to_live_after_its_creation() {
    let expires = |over: &Value| expires_at(&proposal(over));
    assert_eq!(expires(&json!({})), Some(at("2026-01-02T11:50:00Z")));
    assert_eq!(expires(&json!({ "spec": { "ttlSeconds": -5 } })), Some(at("2026-01-01T11:50:00Z")));
    assert_eq!(expires(&json!({ "spec": { "ttlSeconds": i64::MAX } })), None);
    assert_eq!(expires(&json!({ "metadata": { "creationTimestamp": null } })), None);
}

#[test]
fn a_broken_agent_speaks_in_its_own_words() {
    let ready = condition("Ready", "False", "ImagePullBackOff", "back-off pulling kgents/d:1.4.1");
    let cases = [
        (json!({ "phase": "Failed" }), 1.0, "it failed"),
        (json!({ "phase": "Degraded" }), 0.5, "it is degraded"),
        (json!({ "phase": "Running", "cognitiveHealth": "UNRESPONSIVE" }), 0.8, "its mind does not answer"),
        (json!({ "phase": "Failed", "conditions": [ready] }), 1.0, "ImagePullBackOff: back-off pulling kgents/d:1.4.1"),
        (
            json!({ "phase": "Failed", "conditions": [ready, condition("Stalled", "True", "NameTaken", "")] }),
            1.0,
            "NameTaken",
        ),
        (
            json!({ "phase": "Failed", "conditions": [condition("Progressing", "False", "DeadlineExceeded", "no progress")] }),
            1.0,
            "DeadlineExceeded: no progress",
        ),
        (
            json!({ "phase": "Degraded", "conditions": [
                condition("Stalled", "False", "Reconciled", ""),
                condition("Ready", "True", "Ready", ""),
                condition("CognitiveHealth", "False", "WrongAnswer", "expected 5, got 6"),
            ] }),
            0.5,
            "WrongAnswer: expected 5, got 6",
        ),
    ];
    for (status, urgency, reason) in cases {
        let found = agent_bid(&agent_with(&status), 1.0, &[], &[], noon());
        assert_eq!((found.need, found.reason.as_str()), (Need::Broken, reason));
        assert!((found.urgency - urgency).abs() < 1e-12);
        let since = if status.get("conditions").is_some() { "2026-01-01T11:58:00Z" } else { "2026-01-01T11:00:00Z" };
        assert_eq!(found.since, at(since));
    }
}

#[test]
fn what_the_operator_has_not_seen_again_is_less_sure() {
    let of = |observed: i64| {
        let agent = agent(
            &json!({ "metadata": { "generation": 2 }, "status": { "phase": "Failed", "observedGeneration": observed } }),
        );
        agent_bid(&agent, 0.0, &[], &[], noon()).confidence
    };
    assert!(of(1) < of(2));
}

#[test]
fn only_strong_warnings_and_scarcities_are_signals() {
    let quiet = agent(&json!({}));
    let of = |spec: Value, intensity| {
        let pheromone = pheromone(&json!({ "spec": spec }));
        let found = agent_bid(&quiet, 0.0, &[(&pheromone, intensity)], &[], noon());
        (found.need, found.reason)
    };
    let signal = |reason: &str| (Need::Signal, reason.to_owned());
    let none = (Need::None, "idle".to_owned());
    assert_eq!(of(json!({}), 0.5), signal("WARNING from o-gent"));
    assert_eq!(of(json!({ "payload": " disk at 91 % " }), 0.9), signal("WARNING from o-gent: disk at 91 %"));
    assert_eq!(
        of(json!({ "type": "SCARCITY", "source": "b-gent", "payload": { "tokens": 9 } }), 1.0),
        signal("SCARCITY: {\"tokens\":9}")
    );
    assert_eq!(of(json!({}), 0.49), none);
    assert_eq!(of(json!({}), f64::NAN), none);
    assert_eq!(of(json!({ "type": "CHAOS" }), 1.0), none);
}

#[test]
fn an_agent_that_needs_nobody_says_what_it_does() {
    let cases = [
        (json!({}), 0.7, 1.0, "busy"),
        (json!({ "status": { "phase": "Running" } }), 0.3, 0.5, "active"),
        (json!({}), f64::NAN, 0.0, "idle"),
        (json!({ "spec": { "paused": true } }), 0.0, 0.0, "paused"),
        (json!({ "status": { "phase": "Pending" } }), 0.0, 0.0, "being made"),
        (
            json!({ "status": { "phase": "Pending", "conditions": [condition("Ready", "False", "ContainerCreating", "")] } }),
            0.0,
            0.0,
            "ContainerCreating",
        ),
        (json!({ "status": { "phase": "Terminating", "cognitiveHealth": "UNRESPONSIVE" } }), 0.0, 0.0, "being deleted"),
    ];
    for (over, level, urgency, reason) in cases {
        let found = agent_bid(&agent(&over), level, &[], &[], noon());
        assert_eq!((found.need, found.reason.as_str()), (Need::None, reason));
        assert!((found.urgency - urgency).abs() < 1e-12);
    }
}

#[test]
fn haste_comes_before_breaking_before_asking_before_warning() {
    let broken = agent_with(&json!({ "phase": "Failed" }));
    let well = agent(&json!({}));
    let warning = pheromone(&json!({}));
    let own = proposal(&json!({ "spec": { "reason": "High load" } }));
    let settled = proposal(&json!({ "status": { "phase": "Merged" } }));
    let pressing = proposal(&json!({ "spec": { "proposer": "t-gent", "urgency": "CRITICAL" } }));
    let reason = |agent, signals: &[(&Pheromone, f64)], asks: &[&Proposal]| {
        let asks: Vec<_> = asks.iter().map(|ask| (*ask, RiskLevel::High)).collect();
        agent_bid(agent, 0.0, signals, &asks, noon()).reason
    };
    assert_eq!(reason(&broken, &[(&warning, 1.0)], &[]), "it failed");
    assert_eq!(reason(&broken, &[(&warning, 1.0)], &[&settled]), "it failed");
    assert_eq!(reason(&broken, &[(&warning, 1.0)], &[&own]), "it failed");
    assert_eq!(reason(&well, &[(&warning, 1.0)], &[&own]), "asks: High load; needs 1 person, not b-gent");
    assert_eq!(
        reason(&broken, &[], &[&own, &pressing]),
        "t-gent wants to change it: AGENT_SCALE of b-gent; needs 2 people, not t-gent"
    );
}

#[test]
fn the_longest_waiting_breaks_a_tie() {
    let early = agent(&json!({ "metadata": { "creationTimestamp": "2025-01-01T00:00:00Z" } }));
    let late = agent(&json!({}));
    let unstamped = agent(&json!({ "metadata": { "creationTimestamp": null } }));
    let of = |agent| agent_bid(agent, 0.0, &[], &[], noon());
    assert_eq!(order(&of(&early), &of(&late)), Ordering::Less);
    assert_eq!(order(&of(&late), &of(&unstamped)), Ordering::Less);
    assert_eq!(order(&of(&late), &of(&late)), Ordering::Equal);
}

#[test]
fn a_monstrous_number_outbids_nobody() {
    let bid =
        |urgency, confidence| Bid { need: Need::Signal, urgency, confidence, since: noon(), reason: String::new() };
    assert_eq!(order(&bid(f64::INFINITY, 1e300), &bid(1.0, 1.0)), Ordering::Equal);
    assert_eq!(order(&bid(f64::NAN, 1.0), &bid(0.1, 0.1)), Ordering::Greater);
}

prop_compose! {
    fn any_bid()(
        need in prop::sample::select(&[Need::Decide, Need::Broken, Need::Ask, Need::Signal, Need::None][..]),
        urgency in any_float(),
        confidence in any_float(),
        since in any_time(),
    ) -> Bid {
        Bid { need, urgency, confidence, since, reason: String::new() }
    }
}

proptest! {
    #![proptest_config(crate::testing::config())]

    #[test]
    fn the_order_is_total(a in any_bid(), b in any_bid(), c in any_bid()) {
        prop_assert_eq!(order(&a, &a), Ordering::Equal);
        prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
        if order(&a, &b) == order(&b, &c) {
            prop_assert_eq!(order(&a, &c), order(&a, &b));
        }
        if order(&a, &b).is_le() && order(&b, &c).is_le() {
            prop_assert!(order(&a, &c).is_le());
        }
    }

    #[test]
    fn any_moment_and_number_makes_a_bid(
        now in any_time(),
        created in any_time(),
        ttl: i64,
        level in any_float(),
        intensity in any_float(),
    ) {
        let mut own = proposal(&json!({ "spec": { "ttlSeconds": ttl } }));
        own.metadata.creation_timestamp.as_mut().unwrap().0 = created;
        let warning = pheromone(&json!({ "spec": { "emittedAt": created.to_string() } }));
        for asks in [&[][..], &[(&own, RiskLevel::Medium)]] {
            let found = agent_bid(&agent(&json!({})), level, &[(&warning, intensity)], asks, now);
            prop_assert!((0.0..=1.0).contains(&found.weight()));
            prop_assert!(!found.reason.is_empty());
        }
    }
}
