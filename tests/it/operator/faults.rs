//! An API server that refuses, forgets, hangs and dies.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::case::{Case, cases};
use crate::support::cluster::{LIVING, Own};
use crate::support::faults::{Faults, Then};
use crate::support::garden::Garden;
use crate::support::objects::agent;
use crate::support::operator::Operator;
use crate::support::user::User;
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![
        an_api_server_that_dies_and_comes_back_costs_nothing,
        every_second_write_refused_it_still_converges,
        watches_that_break_in_the_middle_of_an_event_lose_nothing,
        a_crd_that_is_taken_away_and_put_back,
        a_namespace_that_is_terminating,
    ]
}

fn an_api_server_that_dies_and_comes_back_costs_nothing(own: Own) {
    let cluster = own.start(&LIVING);
    cluster.install_crds();
    let garden = Garden::on(cluster.clone(), "away");
    let mut operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    let mark = garden.audit.end();
    garden.quiet(mark, Duration::from_secs(6));
    for (down, up) in
        [("kill kube-apiserver", "start kube-apiserver"), ("pause kube-apiserver", "resume kube-apiserver")]
    {
        let restarts = operator.metric("kgents_watch_restarts_total").unwrap_or(0.0);
        cluster.ask(down);
        if down.starts_with("kill") {
            eventually(SOON, "that the operator has noticed", || {
                match operator.metric("kgents_watch_restarts_total") {
                    Some(now) if now > restarts => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            });
        }
        cluster.ask(up);
        let mark = garden.audit.end();
        garden.apply(&[agent(if down.starts_with("kill") { "c-gent" } else { "d-gent" }, "C")]);
        operator.leads();
        garden.phase(if down.starts_with("kill") { "c-gent" } else { "d-gent" }, "Running");
        let writes = garden.quiet(mark, Duration::from_secs(3));
        assert!(writes.iter().all(|call| !call.name.starts_with("b-gent")), "{writes:#?}");
    }
}

fn every_second_write_refused_it_still_converges(garden: &Garden) {
    let faults = Faults::before(garden.kubeconfig(), |asked| {
        let codes = [(409, "Conflict"), (429, "TooManyRequests"), (500, "InternalError"), (503, "ServiceUnavailable")];
        if asked.is_write() && asked.writes_before % 2 == 0 {
            let (code, reason) = codes[asked.writes_before / 2 % codes.len()];
            Then::Refuse(code, reason)
        } else {
            Then::Pass
        }
    });
    let user = User::with_text(&faults.kubeconfig());
    let _operator = Operator::ready(&user, &garden.flags());
    garden.apply(&[agent("b-gent", "B"), agent("c-gent", "C")]);
    garden.phase("b-gent", "Running");
    garden.phase("c-gent", "Running");
    let mark = garden.audit.end();
    garden.quiet(mark, Duration::from_secs(6));
    // Two Agents of nine children, each with a status: no storm.
    assert!(faults.writes() < 120, "{} writes", faults.writes());
}

fn watches_that_break_in_the_middle_of_an_event_lose_nothing(garden: &Garden) {
    // The first two watches of each kind end within the first event or two.
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let faults = Faults::before(garden.kubeconfig(), move |asked| {
        if !asked.is_watch() {
            return Then::Pass;
        }
        let kind = asked.uri.split('?').next().unwrap_or_default().to_owned();
        let count = seen.entry(kind).or_default();
        *count += 1;
        if *count <= 2 { Then::Cut(300 * *count) } else { Then::Pass }
    });
    let user = User::with_text(&faults.kubeconfig());
    let mut operator = Operator::ready(&user, &garden.flags());
    operator.leads();
    garden.apply(&[agent("b-gent", "B"), agent("c-gent", "C"), agent("d-gent", "D")]);
    for name in ["b-gent", "c-gent", "d-gent"] {
        garden.phase(name, "Running");
    }
    garden.kubectl(&["delete", "agent", "c-gent"]).ok();
    garden.gone("deployment", "c-gent");
    // There are twelve kinds, of which most have something to tell.
    assert!(faults.cuts() >= 5, "{} answers were cut", faults.cuts());
}

fn a_crd_that_is_taken_away_and_put_back(own: Own) {
    let cluster = own.start(&LIVING);
    cluster.install_crds();
    let garden = Garden::on(cluster.clone(), "crd");
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    cluster.kubectl(&["delete", "crd", "pheromones.kgents.io", "memories.kgents.io"]).ok();
    garden.apply(&[agent("c-gent", "C")]);
    eventually(SOON, "what is made before the memory", || {
        if garden.has("serviceaccount", "c-gent") { Ok(()) } else { Err(String::new()) }
    });
    cluster.install_crds();
    garden.phase("c-gent", "Running");
    // It runs without its Memory, too.
    eventually(SOON, "the memory that went with its kind", || {
        if garden.has("memory", "b-gent-memory") {
            Ok(())
        } else {
            Err(garden.get("agent", "b-gent")["status"].to_string())
        }
    });
    garden.phase("b-gent", "Running");
}

fn a_namespace_that_is_terminating(garden: &Garden) {
    let place = crate::support::place::Place::on(garden.cluster.clone(), "going");
    let lease = ["--lease-namespace", &garden.namespace];
    let mut operator = Operator::ready(&garden.user, &["-n", &place.namespace, lease[0], lease[1]]);
    operator.leads();
    place.apply(&[serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "stays", "finalizers": ["kgents.io/test"] },
    })]);
    place.apply(&[agent("b-gent", "B")]);
    let mark = garden.audit.end();
    place.kubectl(&["delete", "namespace", &place.namespace, "--wait=false"]).ok();
    eventually(SOON, "that nothing of it is left", || {
        if place.kubectl(&["get", "agents,deployments", "-o", "name"]).ok().is_empty() {
            Ok(())
        } else {
            Err(String::new())
        }
    });
    let writes: Vec<_> =
        garden.audit.writes(mark).into_iter().filter(|call| call.namespace == place.namespace).collect();
    assert!(writes.len() < 60, "a storm: {}", writes.len());
    place.kubectl(&["patch", "configmap", "stays", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).ok();
}
