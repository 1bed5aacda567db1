//! One writes, whatever happens to it.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::case::{Case, cases};
use crate::support::garden::Garden;
use crate::support::objects::agent;
use crate::support::operator::Operator;
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![
        a_standby_is_ready_and_takes_over_at_once_when_the_leader_ends,
        a_standby_takes_over_from_one_that_was_killed,
        one_that_was_frozen_writes_nothing_when_it_wakes,
        a_lease_that_somebody_took_is_lost,
        who_leads_for_some_objects_is_none_for_the_others,
    ]
}

fn lease(garden: &Garden) -> Value {
    garden.get("lease", "kgents-operator")
}

fn holder(garden: &Garden) -> String {
    lease(garden)["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
}

/// A leader, and one that waits.
fn two(garden: &Garden) -> (Operator, Operator) {
    let first = garden.operator(&[]);
    let second = Operator::ready(&garden.user, &garden.flags());
    assert_eq!(second.metric("leader_election_master_status"), Some(0.0));
    (first, second)
}

fn a_standby_is_ready_and_takes_over_at_once_when_the_leader_ends(garden: &Garden) {
    let (first, mut second) = two(garden);
    let before = holder(garden);
    let began = Instant::now();
    first.signal(Signal::TERM);
    second.leads();
    let took = began.elapsed();
    let (code, _) = first.ended();
    assert_eq!(code, 0);
    assert!(took < Duration::from_secs(2), "the hand-over took {took:?}");
    assert_ne!(holder(garden), before);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
}

fn a_standby_takes_over_from_one_that_was_killed(garden: &Garden) {
    let (first, mut second) = two(garden);
    first.dies();
    garden.apply(&[agent("b-gent", "B")]);
    second.leads();
    garden.phase("b-gent", "Running");
}

fn one_that_was_frozen_writes_nothing_when_it_wakes(garden: &Garden) {
    let (first, mut second) = two(garden);
    let was = holder(garden);
    first.signal(Signal::STOP);
    garden.apply(&[agent("b-gent", "B")]);
    second.leads();
    garden.phase("b-gent", "Running");
    let mark = garden.audit.end();
    // The frozen one has heard of none of this.
    garden.quiet(mark, Duration::from_secs(6));
    garden.kubectl(&["delete", "networkpolicy", "b-gent"]).ok();
    let mark = garden.audit.end();
    first.signal(Signal::CONT);
    let writes = garden.quiet(mark, Duration::from_secs(5));
    assert_ne!(holder(garden), was);
    assert_eq!(first.metric("leader_election_master_status"), Some(0.0));
    // Only one of them put it back, though both saw that it was missing.
    assert!(writes.iter().filter(|call| call.resource == "networkpolicies").count() <= 1, "{writes:#?}");
    assert_eq!(first.calls("patch"), 0, "{writes:#?}");
    assert!(second.calls("patch") > 0);
}

fn a_lease_that_somebody_took_is_lost(garden: &Garden) {
    let operator = garden.operator(&[]);
    garden
        .kubectl(&[
            "patch",
            "lease",
            "kgents-operator",
            "--type=merge",
            "-p",
            r#"{"spec":{"holderIdentity":"somebody"}}"#,
        ])
        .ok();
    eventually(SOON, "that it leads no more", || match operator.metric("leader_election_master_status") {
        Some(held) if held < 1.0 => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

fn who_leads_for_some_objects_is_none_for_the_others(garden: &Garden) {
    let _first = garden.operator(&["-l", "team=red"]);
    // It would look after all of the namespace, and never gets to.
    let second = Operator::ready(&garden.user, &garden.flags());
    eventually(SOON, "a warning", || {
        let log = second.log();
        if log.contains("is done by nobody") { Ok(()) } else { Err(log) }
    });
    garden.apply(&[agent("b-gent", "B")]);
    let own = garden.namespace.as_str();
    let explain = || garden.kgents(&["explain", "agent/b-gent", "-n", own, "--lease-namespace", own]).ok();
    let said = explain();
    assert!(said.contains("looks after what is labelled team=red in namespace"), "{said}");
    assert!(said.contains(&format!("next: kgents operator run -n {own} --lease-namespace {own}")), "{said}");
    garden.kubectl(&["label", "agent", "b-gent", "team=red"]).ok();
    garden.phase("b-gent", "Running");
    let said = explain();
    assert!(!said.contains("next:"), "{said}");
}
