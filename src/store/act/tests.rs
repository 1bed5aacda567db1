use kgents_api::PheromoneType;
use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2026-01-01T12:00:00.5Z".parse().unwrap()
}

fn seen() -> Seen {
    Seen { uid: "u-1".into(), resource_version: "41".into() }
}

fn decide(approve: bool, reason: Option<&str>) -> Act {
    let proposal = Key::new("kgents-agents", "b-gent-scale");
    Act::Decide { proposal, seen: seen(), approve, reason: reason.map(str::to_owned) }
}

fn spec() -> PheromoneSpec {
    PheromoneSpec {
        type_: PheromoneType::ReviewRequest,
        source: "ann".into(),
        emitted_at: None,
        initial_intensity: None,
        half_life_minutes: None,
        ttl_seconds: None,
        target: None,
        payload: Some(json!("N")),
        position: None,
    }
}

#[test]
fn a_decision_is_applied_under_a_manager_of_its_own() {
    let wire = wire(&decide(false, Some("too much")), "ann", now());
    assert_eq!(
        wire.lines(),
        [
            "PATCH /apis/kgents.io/v1/namespaces/kgents-agents/proposals/b-gent-scale/status  as kgents-approval/ann",
            "apiVersion: kgents.io/v1",
            "kind: Proposal",
            "metadata:",
            "  name: b-gent-scale",
            "  namespace: kgents-agents",
            "  resourceVersion: \"41\"",
            "  uid: u-1",
            "status:",
            "  rejections:",
            "  - approver: ann",
            "    at: \"2026-01-01T12:00:00Z\"",
            "    reason: too much",
        ]
    );
    assert_eq!(wire.uri(), format!("{}?fieldManager=kgents-approval%2Fann", wire.path));
    assert_eq!((wire.subresource, wire.content_type), (Some("status"), "application/apply-patch+yaml"));
}

#[test]
fn an_approval_says_nothing_of_rejections_and_needs_no_reason() {
    let body = wire(&decide(true, Some("  ")), "ann", now()).body.unwrap();
    let expected = json!({ "approvals": [{ "approver": "ann", "at": "2026-01-01T12:00:00Z" }] });
    assert_eq!(body["status"], expected);
}

#[test]
fn the_other_acts_are_what_kubectl_would_send() {
    let scale = wire(&Act::Scale { agent: Key::new("n", "b-gent"), replicas: 5 }, "", now());
    assert_eq!(
        scale.lines(),
        ["PATCH /apis/kgents.io/v1/namespaces/n/agents/b-gent/scale  as kgents", "spec:", "  replicas: 5"]
    );
    let delete = wire(&Act::Delete { kind: Kind::Pod, key: Key::new("n", "p"), seen: seen() }, "", now());
    assert_eq!((delete.verb, delete.uri().as_str()), ("DELETE", "/api/v1/namespaces/n/pods/p"));
    let body = delete.body.unwrap();
    assert_eq!(body["preconditions"], json!({ "uid": "u-1" }), "another version is no conflict");
    assert_eq!(body["propagationPolicy"], "Background");
    let emit = wire(&Act::Emit { namespace: "n".into(), spec: Box::new(spec()) }, "", now());
    assert_eq!(
        emit.lines(),
        [
            "POST /apis/kgents.io/v1/namespaces/n/pheromones  as kgents",
            "apiVersion: kgents.io/v1",
            "kind: Pheromone",
            "metadata:",
            "  generateName: review-request-",
            "spec:",
            "  payload: \"N\"",
            "  source: ann",
            "  type: REVIEW_REQUEST",
        ]
    );
}

#[test]
fn sentences_name_what_they_are_about() {
    assert_eq!(sentence(&decide(true, None)), "approve proposal b-gent-scale");
    assert_eq!(sentence(&decide(false, None)), "reject proposal b-gent-scale");
    assert_eq!(sentence(&Act::Scale { agent: Key::new("n", "b-gent"), replicas: 0 }), "scale agent b-gent to 0");
    assert_eq!(sentence(&Act::Emit { namespace: "n".into(), spec: Box::new(spec()) }), "emit REVIEW_REQUEST into n");
    let delete = Act::Delete { kind: Kind::Memory, key: Key::new("n", "m\u{1b}"), seen: seen() };
    assert_eq!(sentence(&delete), "delete memory m␛");
}

#[test]
fn managers_keep_ordinary_names_as_they_are() {
    for user in ["ann", "system:serviceaccount:ns:x", "Ann Doe", "ann@example.com", "änn", "CN=ann,O=x/y"] {
        assert_eq!(approval_manager(user), format!("kgents-approval/{user}"));
    }
    let full = "x".repeat(112);
    assert_eq!(approval_manager(&full).len(), MAX_MANAGER);
    assert!(approval_manager(&full).ends_with('x'));
}

#[test]
fn long_and_odd_names_stay_apart() {
    let long = "y".repeat(300);
    let names = [&long, &format!("{long}z"), "a\u{7}b", "a\nb", "a_b", "ä\u{202e}"].map(approval_manager);
    for (i, name) in names.iter().enumerate() {
        assert!(names.iter().skip(i + 1).all(|other| other != name), "{name}");
    }
}

#[test]
fn what_a_person_typed_cannot_reach_another_path_or_the_terminal() {
    let act = Act::Scale { agent: Key::new("../x", "a/scale?x=y"), replicas: 1 };
    assert_eq!(wire(&act, "", now()).path, "/apis/kgents.io/v1/namespaces/..%2Fx/agents/a%2Fscale%3Fx%3Dy/scale");
    let lines = wire(&decide(false, Some("\u{1b}[2J\u{202e}")), "ann\u{9b}", now()).lines();
    assert!(!lines.iter().any(|line| line.chars().any(|c| c == '\n' || sanitize::is_unsafe(c))), "{lines:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn every_manager_is_one_that_the_api_server_takes(user in any::<String>(), times in 1usize..40) {
        let manager = approval_manager(&user.repeat(times));
        prop_assert!(manager.len() <= MAX_MANAGER, "{manager}");
        prop_assert!(!manager.chars().any(char::is_control), "{manager:?}");
    }
}
