//! What a person changes.

use jiff::Timestamp;
use kgents_api::{PheromoneSpec, PheromoneType};
use kgents_source::Options;
use kgents_store::request::{Act, Ask, Seen};
use kgents_store::{Key, Kind, Layer, act};
use serde_json::{Value, json};

use super::{Window, grant, seen};
use crate::support::case::{Case, cases};
use crate::support::objects::{agent, proposal};
use crate::support::place::Place;
use crate::support::servers;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        an_approval_is_written_under_a_manager_of_its_own,
        two_people_stand_side_by_side,
        who_changes_their_mind_takes_back_what_they_said,
        what_changed_since_it_was_looked_at_is_a_conflict,
        another_object_of_the_same_name_is_a_conflict,
        without_the_right_the_verb_and_the_resource_are_named,
        odd_and_long_names_may_decide,
        an_agent_is_scaled,
        only_what_was_looked_at_is_deleted,
        what_waits_for_a_finalizer_is_said_to_go,
        a_signal_is_emitted,
        what_is_gone_is_said_to_be_gone,
        an_act_without_an_answer_is_not_known_to_be_undone,
        nobody_there_is_certainly_not_done,
        a_memory_cannot_be_changed,
    ]
}

fn decide(place: &Place, object: &Value, approve: bool, reason: Option<&str>) -> Ask {
    let name = object["metadata"]["name"].as_str().unwrap();
    let proposal = Key::new(&place.namespace, name);
    Ask::Act(Act::Decide { proposal, seen: seen(object), approve, reason: reason.map(str::to_owned) })
}

/// The managers of the status of an object.
fn managers(place: &Place, name: &str) -> Vec<String> {
    let object = place.kubectl(&["get", "proposal", name, "-o", "json", "--show-managed-fields"]).json();
    let fields = object["metadata"]["managedFields"].as_array().unwrap().clone();
    let of_status = fields.iter().filter(|field| field["subresource"] == "status");
    of_status.map(|field| field["manager"].as_str().unwrap().to_owned()).collect()
}

fn approvers(object: &Value, list: &str) -> Vec<String> {
    let list = object["status"][list].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|decision| decision["approver"].as_str().unwrap().to_owned()).collect()
}

fn an_approval_is_written_under_a_manager_of_its_own(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    let began = Timestamp::now().as_second();
    let (ann, mut window) = Window::person(place, "ann");
    grant(place, &ann, "patch", "proposals.kgents.io/status");
    let said = window.done(decide(place, &place.get("proposal", "p"), true, Some("more hands")));
    let after = place.get("proposal", "p");
    let version = after["metadata"]["resourceVersion"].as_str().unwrap();
    assert_eq!(said, format!("approved as {ann}; resource version {version}"));
    let approval = &after["status"]["approvals"][0];
    assert_eq!((approval["approver"].as_str(), approval["reason"].as_str()), (Some(ann.as_str()), Some("more hands")));
    let at: Timestamp = approval["at"].as_str().unwrap().parse().unwrap();
    assert!((began..=Timestamp::now().as_second()).contains(&at.as_second()), "{at}");
    assert_eq!(managers(place, "p"), [format!("kgents-approval/{ann}")]);
}

fn two_people_stand_side_by_side(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    let (ann, mut first) = Window::person(place, "ann");
    let (bob, mut second) = Window::person(place, "bob");
    for person in [&ann, &bob] {
        grant(place, person, "patch", "proposals.kgents.io/status");
    }
    first.done(decide(place, &place.get("proposal", "p"), true, None));
    second.done(decide(place, &place.get("proposal", "p"), false, Some("too many")));
    let after = place.get("proposal", "p");
    assert_eq!((approvers(&after, "approvals"), approvers(&after, "rejections")), (vec![ann], vec![bob.clone()]));
    second.done(decide(place, &after, true, None));
    let after = place.get("proposal", "p");
    assert_eq!(approvers(&after, "approvals").len(), 2, "{after}");
    assert_eq!(approvers(&after, "rejections"), [""; 0], "{after}");
}

fn who_changes_their_mind_takes_back_what_they_said(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    // What the operator wrote stays.
    place.apply_status_as(
        "kgents-operator/proposal",
        &json!({
            "apiVersion": "kgents.io/v1", "kind": "Proposal", "metadata": { "name": "p" },
            "status": { "phase": "Reviewing" },
        }),
    );
    let mut window = Window::of(place);
    let me = match window.ask(Ask::WhoAmI) {
        kgents_store::request::Answer::You(me) => me,
        other => panic!("{other:?}"),
    };
    for (approve, reason) in [(true, None), (false, Some("no")), (false, Some("still no")), (true, None)] {
        let said = window.done(decide(place, &place.get("proposal", "p"), approve, reason));
        assert!(said.starts_with(if approve { "approved as " } else { "rejected as " }), "{said}");
        let after = place.get("proposal", "p");
        let (list, other) = if approve { ("approvals", "rejections") } else { ("rejections", "approvals") };
        assert_eq!((approvers(&after, list), approvers(&after, other)), (vec![me.clone()], vec![]), "{after}");
        assert_eq!(after["status"][list][0]["reason"].as_str(), reason);
        assert_eq!(after["status"]["phase"], "Reviewing");
    }
}

fn what_changed_since_it_was_looked_at_is_a_conflict(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    let before = place.get("proposal", "p");
    place.set_status("proposal", "p", &json!({ "phase": "Reviewing" }));
    let problem = Window::of(place).fails(decide(place, &before, true, None));
    assert!(problem.conflict && problem.said.contains("proposal p was changed since you looked at it"), "{problem:?}");
    assert_eq!(approvers(&place.get("proposal", "p"), "approvals"), [""; 0]);
}

fn another_object_of_the_same_name_is_a_conflict(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    let before = place.get("proposal", "p");
    place.kubectl(&["delete", "proposal", "p"]).ok();
    place.apply(&[proposal("p", "n-gent")]);
    let mut window = Window::of(place);
    let problem = window.fails(decide(place, &before, true, None));
    assert!(problem.conflict, "{problem:?}");
    assert_eq!(approvers(&place.get("proposal", "p"), "approvals"), [""; 0]);
    // Who does not say what they saw decides nothing.
    let proposal = Key::new(&place.namespace, "p");
    let blind = Act::Decide { proposal, seen: Seen::default(), approve: true, reason: None };
    assert!(window.fails(Ask::Act(blind)).said.contains("not known which version"));
}

fn without_the_right_the_verb_and_the_resource_are_named(place: &Place) {
    place.apply(&[proposal("p", "b-gent"), agent("b-gent", "B")]);
    let (_, mut window) = Window::person(place, "nobody");
    let (namespace, key) = (&place.namespace, Key::new(&place.namespace, "b-gent"));
    let object = place.get("proposal", "p");
    let emit = Act::Emit { namespace: namespace.clone(), spec: Box::new(spec()) };
    let delete = Act::Delete { kind: Kind::Agent, key: key.clone(), seen: seen(&place.get("agent", "b-gent")) };
    for (ask, verb, resource, can_i) in [
        (
            decide(place, &object, true, None),
            "patch",
            "proposals/status.kgents.io",
            "proposals.kgents.io --subresource=status",
        ),
        (
            Ask::Act(Act::Scale { agent: key, replicas: 2 }),
            "patch",
            "agents/scale.kgents.io",
            "agents.kgents.io --subresource=scale",
        ),
        (Ask::Act(emit), "create", "pheromones.kgents.io", "pheromones.kgents.io"),
        (Ask::Act(delete), "delete", "agents.kgents.io", "agents.kgents.io"),
    ] {
        let problem = window.fails(ask);
        let words = format!("not allowed to {verb} {resource} in namespace {namespace}");
        assert!(problem.said.contains(&words) && !problem.conflict, "{words}: {problem:?}");
        let hint = problem.hint.unwrap();
        assert!(hint.contains(&format!("auth can-i {verb} {can_i} -n {namespace}")), "{hint}");
    }
}

fn odd_and_long_names_may_decide(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    let long = format!("CN=Ann Ä. O'Neil,OU={}", "x".repeat(200));
    let account = format!("system:serviceaccount:{}:x", place.namespace);
    for user in [account.as_str(), &long, "ann\u{202e}@example.com"] {
        let options = Options {
            kubeconfig: Some(place.kubeconfig().to_owned()),
            as_user: Some(user.to_owned()),
            as_groups: vec!["system:masters".into()],
            ..Options::default()
        };
        let said = Window::with(options).ask(decide(place, &place.get("proposal", "p"), true, None));
        if user.is_ascii() {
            assert!(matches!(&said, kgents_store::request::Answer::Done(_)), "{user}: {said:?}");
            assert!(approvers(&place.get("proposal", "p"), "approvals").contains(&user.to_owned()));
        }
    }
    // What a header of HTTP cannot say, a certificate can.
    for manager in [long.as_str(), "ann\u{202e}@example.com", "ä\tb", &"ü".repeat(90)].map(act::approval_manager) {
        let status = json!({
            "apiVersion": "kgents.io/v1", "kind": "Proposal", "metadata": { "name": "p" },
            "status": { "approvals": [{ "approver": manager }] },
        });
        place.apply_status_as(&manager, &status);
        assert!(managers(place, "p").contains(&manager), "{manager}");
    }
}

fn an_agent_is_scaled(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = Window::of(place);
    let scale = |replicas| Ask::Act(Act::Scale { agent: Key::new(&place.namespace, "b-gent"), replicas });
    assert_eq!(window.done(scale(5)), "scaled to 5, was 1");
    assert_eq!(window.done(scale(0)), "scaled to 0, was 5");
    assert_eq!(place.get("agent", "b-gent")["spec"]["replicas"], 0);
    let problem = window.fails(scale(-1));
    assert!(problem.said.contains("spec.replicas") && !problem.conflict, "{problem:?}");
    // Who may only change it does not learn what it was.
    let (person, mut window) = Window::person(place, "scaler");
    grant(place, &person, "patch", "agents.kgents.io/scale");
    assert_eq!(window.done(scale(2)), "scaled to 2");
}

fn only_what_was_looked_at_is_deleted(place: &Place) {
    place.apply(&[agent("b-gent", "B"), agent("n-gent", "N")]);
    let delete =
        |name: &str, seen| Ask::Act(Act::Delete { kind: Kind::Agent, key: Key::new(&place.namespace, name), seen });
    let other = seen(&place.get("agent", "n-gent"));
    let mut window = Window::of(place);
    let problem = window.fails(delete("b-gent", other));
    assert!(problem.conflict && problem.said.contains("another agent b-gent"), "{problem:?}");
    let before = seen(&place.get("agent", "b-gent"));
    place.kubectl(&["label", "agent", "b-gent", "a=b"]).ok();
    assert_eq!(window.done(delete("b-gent", before.clone())), "agent b-gent deleted", "another version is no conflict");
    let problem = window.fails(delete("b-gent", before));
    assert!(problem.said.contains("agent b-gent is gone") && !problem.conflict, "{problem:?}");
    place.get("agent", "n-gent");
}

fn what_waits_for_a_finalizer_is_said_to_go(place: &Place) {
    let mut held = agent("b-gent", "B");
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    place.apply(&[held]);
    let (key, seen) = (Key::new(&place.namespace, "b-gent"), seen(&place.get("agent", "b-gent")));
    let said = Window::of(place).done(Ask::Act(Act::Delete { kind: Kind::Agent, key, seen }));
    assert_eq!(said, "agent b-gent is going; it waits for example.com/hold");
    place.kubectl(&["patch", "agent", "b-gent", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#]).ok();
}

fn spec() -> PheromoneSpec {
    PheromoneSpec {
        type_: PheromoneType::ReviewRequest,
        source: "ann".into(),
        emitted_at: None,
        initial_intensity: Some(0.8),
        half_life_minutes: None,
        ttl_seconds: None,
        target: Some("b-gent".into()),
        payload: Some(json!({ "N": "on" })),
        position: None,
    }
}

fn a_signal_is_emitted(place: &Place) {
    let emit = |namespace: &str| Ask::Act(Act::Emit { namespace: namespace.to_owned(), spec: Box::new(spec()) });
    let mut window = Window::of(place);
    let said = window.done(emit(&place.namespace));
    let name = said.split(' ').nth(1).unwrap();
    assert_eq!(said, format!("emitted {name} in {}", place.namespace));
    assert!(name.starts_with("review-request-"), "{name}");
    assert_eq!(place.get("pheromone", name)["spec"], json!(spec()));
    let problem = window.fails(emit("no-such-namespace"));
    assert_eq!(problem.said, "there is no namespace no-such-namespace");
    assert_eq!(problem.hint.as_deref(), Some("kubectl create namespace no-such-namespace"));
    let problem = window.fails(emit("../kube-system"));
    assert!(problem.said.contains("cannot be a namespace"), "{problem:?}");
}

fn what_is_gone_is_said_to_be_gone(place: &Place) {
    place.apply(&[proposal("p", "b-gent")]);
    let before = place.get("proposal", "p");
    place.kubectl(&["delete", "proposal", "p"]).ok();
    let mut window = Window::of(place);
    let problem = window.fails(decide(place, &before, true, None));
    assert!(problem.said.contains("proposal p is gone") && !problem.conflict, "{problem:?}");
    assert_eq!(problem.hint.as_deref(), Some("kgents proposals list"));
    let problem = window.fails(Ask::Act(Act::Scale { agent: Key::new(&place.namespace, "x"), replicas: 1 }));
    assert!(problem.said.contains("agent x is gone"), "{problem:?}");
}

/// A window whose API server is this URL.
fn at(url: &str) -> (tempfile::TempDir, Window) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    std::fs::write(&path, crate::support::credentials::anonymous(url)).unwrap();
    let limit = Some(std::time::Duration::from_millis(300));
    let options = Options { kubeconfig: Some(path), request_timeout: limit, ..Options::default() };
    (folder, Window::with(options))
}

fn deletion() -> Ask {
    let seen = Seen { uid: "u".into(), resource_version: "1".into() };
    Ask::Act(Act::Delete { kind: Kind::Agent, key: Key::new("n", "b-gent"), seen })
}

fn an_act_without_an_answer_is_not_known_to_be_undone() {
    let (_folder, mut window) = at(&servers::silent());
    let problem = window.fails(deletion());
    let words = "did not answer within 300ms: it is not known whether it was done (delete agent b-gent)";
    assert!(problem.said.contains(words), "{problem:?}");
    assert_eq!(problem.hint.as_deref(), Some("kubectl get agents.kgents.io b-gent -n n -o yaml --context here"));
    // A gateway speaks of itself, not of what is behind it. And nothing is sent twice.
    let gateway = servers::answering("504 Gateway Timeout", "text/plain", "upstream");
    let (_folder, mut window) = at(&gateway.url);
    let problem = window.fails(deletion());
    assert!(problem.said.contains("it is not known whether it was done"), "{problem:?}");
    let sent: Vec<String> = gateway.heads().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
    assert_eq!(sent, ["DELETE /apis/kgents.io/v1/namespaces/n/agents/b-gent HTTP/1.1"]);
}

fn nobody_there_is_certainly_not_done() {
    let (_folder, mut window) = at(servers::NOBODY);
    let problem = window.fails(deletion());
    assert_eq!(problem.said, format!("cannot connect to {}: connection refused", servers::NOBODY));
}

fn a_memory_cannot_be_changed() {
    let mut window = Window::with(Options { layer: Some(Layer::Ghost), ..Options::default() });
    assert_eq!(window.fails(deletion()).said, "the Ghost, a memory, cannot be changed");
    let fixture = kgents_source::Fixture { path: "/nowhere".into(), speed: 0.0 };
    let mut window = Window::with(Options { fixture: Some(fixture), ..Options::default() });
    assert_eq!(window.fails(deletion()).said, "a recording cannot be changed");
    let key = Key::new("n", "x");
    let asks = [Ask::Children(key.clone()), Ask::DryRun(key.clone()), Ask::Plan(Kind::Agent, key)];
    for ask in [Ask::WhoAmI, Ask::Namespaces].into_iter().chain(asks) {
        assert!(window.fails(ask).said.starts_with("a recording "), "it asks nobody");
    }
}
