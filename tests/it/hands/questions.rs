//! What a person asks.

use kgents_source::Options;
use kgents_store::request::{Answer, Ask, Child, DryRun, Logs};
use kgents_store::{Key, Kind};
use serde_json::{Value, json};

use super::{Window, grant, patching};
use crate::support::case::{Case, cases};
use crate::support::objects::{agent, event, labelled, memory, umwelt};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        who_one_is,
        a_dry_run_shows_both_sides_and_changes_nothing,
        what_would_be_made_and_what_would_go,
        kinds_that_are_not_ours_are_found,
        what_would_not_be_accepted_is_said_in_words,
        what_an_agent_was_made_into,
        what_may_not_be_listed_is_said_and_the_rest_is_shown,
        events_about_one_object,
        namespaces_that_may_be_read,
        contexts_need_no_cluster,
        a_pod_that_is_not_there_has_no_log,
    ]
}

fn who_one_is(place: &Place) {
    let (ann, mut window) = Window::person(place, "ann");
    assert_eq!(window.ask(Ask::WhoAmI), Answer::You(ann));
    let Answer::You(admin) = Window::of(place).ask(Ask::WhoAmI) else { panic!() };
    assert!(!admin.is_empty());
}

impl Window {
    #[track_caller]
    fn dry_run(&mut self, place: &Place, name: &str) -> DryRun {
        match self.ask(Ask::DryRun(Key::new(&place.namespace, name))) {
            Answer::DryRun(run) => *run,
            other => panic!("{other:?}"),
        }
    }
}

fn a_dry_run_shows_both_sides_and_changes_nothing(place: &Place) {
    let scale = json!({ "spec": { "replicas": 3 } });
    place.apply(&[
        agent("b-gent", "B"),
        patching("merge", "b-gent", "AGENT_SCALE", "merge", &scale),
        patching(
            "json",
            "b-gent",
            "AGENT_SCALE",
            "json",
            &json!([{ "op": "replace", "path": "/spec/replicas", "value": 3 }]),
        ),
        patching("apply", "b-gent", "AGENT_SCALE", "apply", &scale),
    ]);
    place.set_status("agent", "b-gent", &json!({ "phase": "Running" }));
    let before = place.get("agent", "b-gent");
    let mut window = Window::of(place);
    for name in ["merge", "json", "apply"] {
        let run = window.dry_run(place, name);
        assert_eq!(run.target, "kgents.io/v1 Agent b-gent");
        assert_eq!((&run.before["spec"]["replicas"], &run.after["spec"]["replicas"]), (&json!(1), &json!(3)), "{name}");
        let mut undone = run.after.clone();
        undone["spec"]["replicas"] = json!(1);
        assert_eq!(undone, run.before, "{name}: nothing else differs");
        assert_eq!((run.before.get("status"), run.before["metadata"].get("managedFields")), (None, None));
    }
    assert_eq!(place.get("agent", "b-gent"), before, "nothing was changed");
}

fn what_would_be_made_and_what_would_go(place: &Place) {
    let new = json!({ "spec": { "genus": "N" } });
    place.apply(&[
        agent("b-gent", "B"),
        patching("merge", "new", "AGENT_DEPLOY", "merge", &new),
        patching("apply", "new", "AGENT_DEPLOY", "apply", &new),
        patching("delete", "b-gent", "AGENT_DELETE", "merge", &Value::Null),
        patching("none", "none", "AGENT_SCALE", "merge", &json!({ "spec": { "replicas": 3 } })),
    ]);
    let mut window = Window::of(place);
    for name in ["merge", "apply"] {
        let run = window.dry_run(place, name);
        assert_eq!((&run.before, &run.after["spec"]["genus"]), (&Value::Null, &json!("N")), "{name}");
        assert_eq!(run.after["spec"]["replicas"], 1, "{name}: defaults are those of the API server");
    }
    let run = window.dry_run(place, "delete");
    assert_eq!((&run.before["spec"]["genus"], &run.after), (&json!("B"), &Value::Null));
    let problem = window.fails(Ask::DryRun(Key::new(&place.namespace, "none")));
    assert!(problem.said.contains("agents.kgents.io none not found"), "{problem:?}");
    let there = place.kubectl(&["get", "agents", "-o", "name"]).ok();
    assert_eq!(there, "agent.kgents.io/b-gent\n");
}

fn kinds_that_are_not_ours_are_found(place: &Place) {
    let target = |name: &str, version: &str, kind: &str, object: &str| {
        let mut proposal = patching(name, object, "CONFIG_UPDATE", "merge", &json!({ "data": { "a": "Yg==" } }));
        proposal["spec"]["target"]["apiVersion"] = version.into();
        proposal["spec"]["target"]["kind"] = kind.into();
        proposal
    };
    place.apply(&[
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c" }, "data": { "a": "b" } }),
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "a": "YQ==", "c": "YQ==" } }),
        target("map", "v1", "ConfigMap", "c"),
        target("secret", "v1", "Secret", "s"),
        target("policy", "networking.k8s.io/v1", "NetworkPolicy", "x"),
        target("unknown", "v1", "Gadget", "x"),
        target("group", "no.such.group/v1", "Gadget", "x"),
        target("role", "rbac.authorization.k8s.io/v1", "ClusterRole", "view"),
    ]);
    let mut window = Window::of(place);
    let run = window.dry_run(place, "map");
    assert_eq!((&run.before["data"]["a"], &run.after["data"]["a"]), (&json!("b"), &json!("Yg==")));
    let run = window.dry_run(place, "secret");
    assert_eq!(run.before["data"], json!({ "a": "*** (before)", "c": "***" }));
    assert_eq!(run.after["data"], json!({ "a": "*** (after)", "c": "***" }));
    let run = window.dry_run(place, "role");
    assert_eq!(run.before["metadata"]["name"], "view", "it stands in no namespace");
    for (name, words) in [
        ("policy", "networkpolicies.networking.k8s.io x not found"),
        ("unknown", "knows no kind Gadget in v1"),
        ("group", "no.such.group/v1"),
    ] {
        let problem = window.fails(Ask::DryRun(Key::new(&place.namespace, name)));
        assert!(problem.said.contains(words), "{words}: {problem:?}");
    }
}

fn what_would_not_be_accepted_is_said_in_words(place: &Place) {
    place.apply(&[
        agent("b-gent", "B"),
        patching("invalid", "b-gent", "AGENT_SCALE", "merge", &json!({ "spec": { "replicas": 1000, "genus": "ZZ" } })),
        patching(
            "test",
            "b-gent",
            "AGENT_SCALE",
            "json",
            &json!([{ "op": "test", "path": "/spec/replicas", "value": 9 }]),
        ),
    ]);
    let mut window = Window::of(place);
    let problem = window.fails(Ask::DryRun(Key::new(&place.namespace, "invalid")));
    for words in ["spec.replicas", "spec.genus", "100"] {
        assert!(problem.said.contains(words) && !problem.conflict, "{words}: {problem:?}");
    }
    let problem = window.fails(Ask::DryRun(Key::new(&place.namespace, "test")));
    assert!(problem.said.contains("/spec/replicas"), "{problem:?}");
    let problem = window.fails(Ask::DryRun(Key::new(&place.namespace, "nothing")));
    assert!(problem.said.contains("proposals.kgents.io nothing not found"), "{problem:?}");
    // Who may read and not change cannot try either.
    let (reader, mut window) = Window::person(place, "reader");
    grant(place, &reader, "get", "agents.kgents.io,proposals.kgents.io");
    let problem = window.fails(Ask::DryRun(Key::new(&place.namespace, "invalid")));
    assert!(problem.said.contains("not allowed to patch agents.kgents.io"), "{problem:?}");
}

/// What an agent is made into, as far as an API server alone takes it.
fn made(namespace: &str) -> Vec<Value> {
    let labels = json!({ "kgents.io/agent": "b-gent" });
    let pod =
        json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "logic", "image": "x" }] } });
    let mut objects = vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount" }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "data": { "agent.json": "{}" } }),
        json!({ "apiVersion": "v1", "kind": "Service", "spec": { "ports": [{ "name": "http", "port": 8080 }] } }),
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "spec": {
            "replicas": 2, "selector": { "matchLabels": labels }, "template": pod,
        } }),
        json!({ "apiVersion": "v1", "kind": "Pod", "spec": {
            "serviceAccountName": "b-gent", "containers": pod["spec"]["containers"],
        } }),
        json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": { "podSelector": {} } }),
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "256Mi" } },
        } }),
        json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": { "minAvailable": 1 } }),
        memory("b-gent", "b-gent"),
        umwelt("b-gent", "b-gent"),
    ];
    for object in &mut objects {
        object["metadata"] = json!({ "name": "b-gent", "namespace": namespace, "labels": labels });
    }
    objects
}

impl Window {
    #[track_caller]
    fn children(&mut self, place: &Place) -> Vec<Child> {
        match self.ask(Ask::Children(Key::new(&place.namespace, "b-gent"))) {
            Answer::Children(children) => children,
            other => panic!("{other:?}"),
        }
    }
}

const KINDS: [&str; 10] = [
    "Deployment",
    "Pod",
    "Service",
    "ServiceAccount",
    "ConfigMap",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "Memory",
    "Umwelt",
];

fn what_an_agent_was_made_into(place: &Place) {
    let mut window = Window::of(place);
    assert_eq!(window.children(place), []);
    place.apply(&made(&place.namespace));
    place.apply(&[labelled(memory("other", "n-gent"), "kgents.io/agent", "n-gent")]);
    let children = window.children(place);
    let kinds: Vec<&str> = children.iter().map(|child| child.kind.as_str()).collect();
    assert_eq!(kinds, KINDS);
    for child in &children {
        assert_eq!((child.name.as_str(), child.trouble), ("b-gent", false), "{child:?}");
        assert!(child.made.is_some(), "{child:?}");
    }
    let said = |kind: &str| children.iter().find(|child| child.kind == kind).unwrap().said.as_str();
    assert_eq!(said("Deployment"), "0/2 ready");
    assert_eq!(said("Pod"), "Pending, 0/1 ready");
    assert_eq!(said("Service"), "ClusterIP, 8080 http");
    assert_eq!(said("PersistentVolumeClaim"), "Pending, 256Mi");
}

fn what_may_not_be_listed_is_said_and_the_rest_is_shown(place: &Place) {
    place.apply(&made(&place.namespace));
    let (person, mut window) = Window::person(place, "half");
    grant(place, &person, "list", "deployments.apps,pods");
    let children = window.children(place);
    assert_eq!(children.len(), KINDS.len());
    for child in &children {
        let may = matches!(child.kind.as_str(), "Deployment" | "Pod");
        assert_eq!((child.trouble, child.name.is_empty()), (!may, !may), "{child:?}");
        assert_eq!(child.said.contains("not allowed to list "), !may, "{child:?}");
    }
    let memory = children.iter().find(|child| child.kind == "Memory").unwrap();
    let words = format!("not allowed to list memories.kgents.io in namespace {}", place.namespace);
    assert!(memory.said.contains(&words), "{memory:?}");
}

fn events_about_one_object(place: &Place) {
    let namespace = &place.namespace;
    let mut window = Window::of(place);
    let ask = Ask::Events(Kind::Agent, Key::new(namespace, "b-gent"));
    assert_eq!(window.ask(ask.clone()), Answer::Events(Vec::new()));
    let about = |name: &str, kind: &str, version: &str, reason: &str| {
        event(namespace, name, [version, kind, "b-gent"], reason, "said \u{1b}[2J so")
    };
    let mut old = about("old", "Agent", "kgents.io/v1", "Planned");
    old["lastTimestamp"] = json!("2026-01-01T00:00:00Z");
    place.apply(&[
        about("new", "Agent", "kgents.io/v1", "Scaled"),
        old,
        about("pod", "Pod", "v1", "Started"),
        about("foreign", "Agent", "other.io/v1", "Other"),
        json!({
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": "series", "namespace": namespace },
            "regarding": { "apiVersion": "kgents.io/v1", "kind": "Agent", "namespace": namespace, "name": "b-gent" },
            "reason": "Newest", "note": "so", "type": "Warning", "action": "x", "eventTime": "2099-01-01T00:00:00.000000Z",
            "reportingController": "kgents-operator", "reportingInstance": "0",
        }),
    ]);
    let Answer::Events(events) = window.ask(ask) else { panic!() };
    let reasons: Vec<&str> = events.iter().map(|event| event.reason.as_str()).collect();
    assert_eq!(reasons, ["Planned", "Scaled", "Newest"], "the newest last");
    assert_eq!(events[0].message, "said ␛[2J so");
    assert!(events[2].warning && events[2].component == "kgents-operator", "{:?}", events[2]);
    let Answer::Events(events) = window.ask(Ask::Events(Kind::Pod, Key::new(namespace, "b-gent"))) else { panic!() };
    assert_eq!(events.len(), 1);
    let (_, mut window) = Window::person(place, "nobody");
    let problem = window.fails(Ask::Events(Kind::Pod, Key::new(namespace, "b-gent")));
    assert!(problem.said.contains("not allowed to list events"), "{problem:?}");
}

fn namespaces_that_may_be_read(place: &Place) {
    let Answer::Namespaces(names) = Window::of(place).ask(Ask::Namespaces) else { panic!() };
    assert!(names.contains(&place.namespace) && names.contains(&"kube-system".to_owned()), "{names:?}");
    assert!(names.is_sorted(), "{names:?}");
    let (person, mut window) = Window::person(place, "local");
    let problem = window.fails(Ask::Namespaces);
    assert!(problem.said.contains("not allowed to list namespaces"), "{problem:?}");
    grant(place, &person, "list", "agents.kgents.io");
    let options = Options {
        kubeconfig: Some(place.cluster.cert(&person)),
        namespace: Some(place.namespace.clone()),
        ..Options::default()
    };
    let answer = Window::with(options).ask(Ask::Namespaces);
    assert_eq!(answer, Answer::Namespaces(vec![place.namespace.clone()]), "only what may be read");
}

fn contexts_need_no_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kubeconfig");
    let text = json!({
        "current-context": "b",
        "contexts": [
            { "name": "b", "context": { "cluster": "one", "user": "me", "namespace": "here" } },
            { "name": "a", "context": { "cluster": "gone", "user": "me" } },
            { "name": "c", "context": { "cluster": "two", "user": "me", "namespace": "" } },
        ],
        "clusters": [
            { "name": "one", "cluster": { "server": "https://10.0.0.1:6443" } },
            { "name": "two", "cluster": { "server": "https://ann:secret@two.example" } },
        ],
        "users": [],
    });
    std::fs::write(&path, text.to_string()).unwrap();
    let contexts = |options: Options| match Window::with(options).ask(Ask::Contexts) {
        Answer::Contexts(contexts) => contexts,
        other => panic!("{other:?}"),
    };
    let options = Options { kubeconfig: Some(path.clone()), ..Options::default() };
    let found = contexts(options.clone());
    let names: Vec<(&str, bool)> = found.iter().map(|found| (found.name.as_str(), found.current)).collect();
    assert_eq!(names, [("b", true), ("a", false), ("c", false)], "in the order of the file");
    assert_eq!((found[0].server.as_str(), found[0].namespace.as_deref()), ("https://10.0.0.1:6443", Some("here")));
    assert_eq!((found[1].server.as_str(), found[1].namespace.as_deref()), ("", None));
    assert_eq!((found[2].server.as_str(), found[2].namespace.as_deref()), ("https://(redacted)@two.example", None));
    let other = contexts(Options { context: Some("c".into()), ..options });
    assert!(other[2].current && !other[0].current, "the context that was asked for is the current one");
    let none = Options { kubeconfig: Some(folder.path().join("none")), ..Options::default() };
    let problem = Window::with(none).fails(Ask::Contexts);
    assert!(problem.said.contains("there is no kubeconfig"), "{problem:?}");
}

fn a_pod_that_is_not_there_has_no_log(place: &Place) {
    let logs = |container: Option<&str>| {
        Ask::Logs(Logs {
            pod: Key::new(&place.namespace, "none"),
            container: container.map(str::to_owned),
            previous: false,
            since_seconds: None,
            tail: 10,
            follow: true,
        })
    };
    let mut window = Window::of(place);
    for container in [None, Some("logic")] {
        let problem = window.fails(logs(container));
        assert!(problem.said.contains("pods none not found"), "{problem:?}");
    }
    let (_, mut window) = Window::person(place, "nobody");
    let problem = window.fails(logs(None));
    assert!(problem.said.contains("not allowed to get pods/log"), "{problem:?}");
    assert!(problem.hint.unwrap().contains("auth can-i get pods --subresource=log"));
}
