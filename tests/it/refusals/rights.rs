//! Users who may do less than all.

use serde_json::{Value, json};

use super::{ASKING, FAILED, assert_refused};
use crate::support::case::{Case, cases};
use crate::support::objects::agent;
use crate::support::place::Place;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        without_any_right_each_command_names_verb_and_resource,
        without_a_right_on_one_kind_the_others_are_shown,
        without_a_right_on_the_whole_the_namespaces_are_shown_that_may_be_read,
        a_right_that_comes_later_is_noticed,
        one_may_act_as_another,
    ]
}

/// A user of this name, who looks at the namespace of the test. No user of
/// another test has the same rights, because the namespace is in the name.
fn user(place: &Place, name: &str) -> (String, User) {
    let name = format!("{name}-{}", place.namespace);
    let user = User::with(&place.cluster.cert(&name));
    (name, user)
}

const VERBS: &str = "--verb=get,list,watch";

/// Lets a user read these resources in a namespace.
fn grant(place: &Place, user: &str, resources: &str) {
    let (resource, subject) = (format!("--resource={resources}"), format!("--user={user}"));
    place.kubectl(&["create", "role", "reader", VERBS, &resource]).ok();
    place.kubectl(&["create", "rolebinding", "reader", "--role=reader", &subject]).ok();
}

/// Lets a user list namespaces and nothing else.
fn grant_namespaces(place: &Place, user: &str) {
    let (role, subject) = (format!("namespaces-{}", place.namespace), format!("--user={user}"));
    place.kubectl(&["create", "clusterrole", &role, "--verb=list", "--resource=namespaces"]).ok();
    place.kubectl(&["create", "clusterrolebinding", &role, &format!("--clusterrole={role}"), &subject]).ok();
}

fn without_any_right_each_command_names_verb_and_resource(place: &Place) {
    let (name, user) = user(place, "nobody");
    for (command, verb, resource) in [
        (&["agents"][..], "list", "agents.kgents.io"),
        (&["pheromones", "--json"], "list", "pheromones.kgents.io"),
        (&["proposals", "describe", "x"], "list", "proposals.kgents.io"),
        (&["memories", "-o", "yaml"], "list", "memories.kgents.io"),
        (&["signal", "sense"], "list", "pheromones.kgents.io"),
        (&["signal", "emit", "WARNING"], "create", "pheromones.kgents.io"),
    ] {
        let ran = user.kgents(&[command, &["-n", &place.namespace]].concat());
        assert_eq!(ran.stdout, "", "{ran}");
        let what = format!("not allowed to {verb} {resource} in namespace {}", place.namespace);
        assert_refused(&user, ran, FAILED, &[&what, &format!("auth can-i {verb} {resource} -n {}", place.namespace)]);
    }
    let crds = "customresourcedefinitions.apiextensions.k8s.io";
    for (command, verb) in [("verify", "get"), ("diff", "get"), ("install", "get")] {
        assert_refused(&user, user.kgents(&["crd", command]), FAILED, &[&format!("not allowed to {verb} {crds}")]);
    }
    // In all namespaces it is the same, said of none in particular.
    for command in ASKING.iter().filter(|command| command[0] != "signal" && command[0] != "crd") {
        let ran = user.kgents(&[command, &["-A"][..]].concat());
        assert_eq!(ran.stdout, "", "{ran}");
        assert_refused(&user, ran, FAILED, &["not allowed to list", ".kgents.io", &name]);
    }
    let status = user.kgents(&["status"]);
    for resource in ["agents.kgents.io", "pheromones.kgents.io", "pods", "events", "deployments.apps"] {
        let line = format!("you are not allowed to list {resource}");
        assert!(status.stdout.contains(&line), "{line} is not in\n{status}");
    }
    status.fails(FAILED);
}

fn without_a_right_on_one_kind_the_others_are_shown(place: &Place) {
    let (name, user) = user(place, "half");
    grant(place, &name, "agents.kgents.io,pheromones.kgents.io,memories.kgents.io,umwelts.kgents.io");
    place.apply(&[agent("b-gent", "B")]);
    let here = ["-n", &place.namespace];
    assert_eq!(user.kgents(&[&["agents", "-o", "name"], &here[..]].concat()).ok(), "agent.kgents.io/b-gent\n");
    // Its table wants proposals too, and does without.
    assert!(user.kgents(&[&["agents"], &here[..]].concat()).ok().contains("b-gent"));
    let ran = user.kgents(&[&["proposals"], &here[..]].concat());
    assert_refused(&user, ran, FAILED, &["not allowed to list proposals.kgents.io in namespace"]);

    let status = user.kgents(&[&["status", "--json"], &here[..]].concat()).json();
    assert_eq!((&status["counts"]["agents"], &status["counts"]["proposals"]), (&json!(1), &Value::Null), "{status}");
    let page = user.kgents(&[&["status"], &here[..]].concat()).ok();
    assert!(page.contains("proposals: you are not allowed to list proposals.kgents.io in namespace"), "{page}");

    let stream = user.follow(&[&["observe", "--plain"], &here[..]].concat());
    stream.expect_words(&["Agent", "b-gent"]);
    stream.expect_words(&["Source proposals", "you are not allowed to list proposals.kgents.io"]);
    let frame = user.kgents(&[&["observe", "--snapshot"], &here[..]].concat()).ok();
    assert!(frame.contains("b-gent"), "{frame}");
}

fn without_a_right_on_the_whole_the_namespaces_are_shown_that_may_be_read(place: &Place) {
    let (name, user) = user(place, "local");
    grant(place, &name, "agents.kgents.io");
    place.apply(&[agent("mine", "B")]);
    let other = Place::on(place.cluster.clone(), "forbidden");
    other.apply(&[agent("theirs", "B")]);
    // Who may not even list namespaces has to name one.
    let ran = user.kgents(&["agents"]);
    assert_refused(&user, ran, FAILED, &["not allowed to list agents.kgents.io"]);
    assert_eq!(user.kgents(&["agents", "-n", &place.namespace, "-o", "name"]).ok(), "agent.kgents.io/mine\n");

    grant_namespaces(place, &name);
    let ran = user.kgents(&["agents", "-o", "name"]);
    assert!(ran.stderr.contains("agents may not be listed in ") && ran.stderr.contains(&other.namespace), "{ran}");
    assert_eq!(ran.ok(), "agent.kgents.io/mine\n");
}

fn a_right_that_comes_later_is_noticed(place: &Place) {
    let (name, user) = user(place, "late");
    place.apply(&[agent("b-gent", "B")]);
    let stream = user.follow(&["observe", "--plain", "-n", &place.namespace]);
    stream.expect_words(&["Source agents", "you are not allowed to list agents.kgents.io"]);
    grant(place, &name, "agents.kgents.io");
    stream.expect_words(&["Agent", "b-gent"]);
}

fn one_may_act_as_another(place: &Place) {
    let (name, _) = user(place, "acted");
    place.apply(&[agent("b-gent", "B")]);
    let acting = place.kgents(&["agents", "--as", &name]);
    assert_refused(&place.user, acting, FAILED, &["not allowed to list agents.kgents.io", &name]);
    grant(place, &name, "agents.kgents.io");
    assert_eq!(place.kgents(&["agents", "--as", &name, "-o", "name"]).ok(), "agent.kgents.io/b-gent\n");
    let masters = ["agents", "-o", "name", "--as", "anyone", "--as-group", "system:masters"];
    assert_eq!(place.kgents(&masters).ok(), "agent.kgents.io/b-gent\n");
}
