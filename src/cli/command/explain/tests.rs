use jiff::SignedDuration;
use kgents_core::plan::{self, Apply, Change, Child, Delete, Event, Expect, Plan, Resource, Status};
use kgents_store::Key;
use kgents_store::planned::{Missing, Operator};

use super::*;
use crate::testing::{noon, text as written};

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

#[test]
fn an_object_is_a_kind_and_a_name() {
    for (typed, expected) in [
        ("agent/b-gent", (Kind::Agent, None, "b-gent")),
        ("agents b-gent", (Kind::Agent, None, "b-gent")),
        ("ag n/b-gent", (Kind::Agent, Some("n"), "b-gent")),
        ("Memory/n/m", (Kind::Memory, Some("n"), "m")),
        ("umwelts.kgents.io/u", (Kind::Umwelt, None, "u")),
        ("ph/warning-1", (Kind::Pheromone, None, "warning-1")),
    ] {
        assert_eq!(object_of(&words(typed)).unwrap(), expected, "{typed}");
    }
    for (typed, said) in [
        ("b-gent", "'b-gent' does not say which kind it is"),
        ("proposal/p", "nothing is planned for the kind 'proposal'"),
        ("pod/p", "nothing is planned for the kind 'pod'"),
        ("agent/", "'agent/' holds no name"),
        ("agent n/", "'agent n/' holds no name"),
    ] {
        match object_of(&words(typed)) {
            Err(Failure::Said { sentence, code, .. }) => assert_eq!((sentence.as_str(), code), (said, Code::Usage)),
            other => panic!("{typed}: {other:?}"),
        }
    }
}

#[test]
fn a_file_may_hold_many_objects() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.yaml");
    let file = "---\nkind: Agent\n---\n# nothing\n---\nkind: List\nitems: [{ kind: Memory }, { kind: Umwelt }]\n";
    std::fs::write(&path, file).unwrap();
    let kinds: Vec<Value> = objects(&path).unwrap().iter().map(|object| object["kind"].clone()).collect();
    assert_eq!(kinds, ["Agent", "Memory", "Umwelt"]);
    std::fs::write(&path, "a: [").unwrap();
    assert!(matches!(objects(&path), Err(Failure::Said { sentence, .. }) if sentence.contains("is no YAML")));
    assert!(matches!(objects(&folder.path().join("none")), Err(Failure::Said { .. })));
}

fn child(resource: Resource, name: &str) -> Child {
    Child { resource, namespace: "n".into(), name: name.into() }
}

fn planned() -> Planned {
    let changes = vec![
        Change { path: "spec.replicas".into(), from: Some(json!(1)), to: Some(json!(3)) },
        Change { path: "spec.paused".into(), from: None, to: Some(json!("")) },
        Change { path: "metadata.labels.x".into(), from: Some(json!("a\u{9b}b")), to: None },
    ];
    let apply = |resource, expect, changes, why: &str| Apply {
        child: child(resource, "b"),
        expect,
        body: json!({ "x": "a\u{9b}b" }),
        changes,
        why: why.into(),
    };
    let turned = Change { path: "conditions[Ready].lastTransitionTime".into(), from: None, to: Some(json!("now")) };
    let phase = Change { path: "phase".into(), from: Some(json!("Pending")), to: Some(json!("Running")) };
    let plan = Plan {
        apply: vec![
            apply(Resource::NetworkPolicy, Expect::Absent, Vec::new(), "it is not there"),
            apply(Resource::Deployment, Expect::Present { uid: "u".into() }, changes, "it was edited"),
        ],
        delete: vec![Delete {
            child: child(Resource::Service, "b"),
            uid: "u".into(),
            resource_version: None,
            why: "no longer wanted".into(),
        }],
        status: Some(Status { body: json!({}), changes: vec![turned, phase] }),
        events: vec![Event { warning: true, reason: "Restored", action: "Restore", message: "put\nback".into() }],
        requeue_at: Some(noon() + SignedDuration::from_secs(90)),
        why: vec!["updates Deployment b: it was edited".into(), "Running: all pods are ready".into()],
    };
    let operator = Operator {
        lease_namespace: "kgents-system".into(),
        holder: Some("host-a".into()),
        version: Some("0.1.0".into()),
        renewed: Some(noon() - SignedDuration::from_secs(2)),
        config: Some(plan::Config { agent_image: "x/y:1".into(), ..plan::Config::default() }),
        ..Operator::default()
    };
    let key = Key::new("n", "b");
    Planned { kind: Kind::Agent, key, plan, would: None, operator, missing: Vec::new(), at: noon() }
}

fn page_of(planned: Planned) -> String {
    let mut out = Vec::new();
    page::write(&mut out, &planned.clean(), page::Ink::NONE, noon()).unwrap();
    written(out)
}

#[test]
fn a_plan_is_told_step_by_step_with_why() {
    let expected = "\
Agent n/b
  To do         1 to make, 1 to change, 1 to delete, 1 status to write, 1 to say in an Event
  Operator      operator 0.1.0 leads as host-a, Lease renewed 2s ago
  Planned with  the configuration of operator 0.1.0: agent image x/y:1
  Next look     in 1m, at 2026-01-01T12:01:30Z, if nothing changes before

Steps
  + NetworkPolicy b   it is not there
  ~ Deployment b      it was edited
      spec.replicas  1 -> 3
      spec.paused  (none) -> \"\"
      metadata.labels.x  a\u{fffd}b -> (none)
  - Service b         no longer wanted
  ~ status
      phase  Pending -> Running
  ! Event             Warning Restored: put back

Why
  Running: all pods are ready
";
    assert_eq!(page_of(planned()), expected);
}

#[test]
fn nothing_to_do_is_told_with_why_it_is_as_it_is() {
    let why = vec!["Running: all pods are ready".to_owned()];
    let operator = Operator { lease_namespace: "kgents-system".into(), ..Operator::default() };
    let missing = Missing {
        resource: "services".into(),
        said: "not allowed to list services".into(),
        is_guess: true,
        hint: Some("kubectl auth can-i list services".into()),
    };
    let plan = Plan { why, ..Plan::default() };
    let text = page_of(Planned { plan, operator, missing: vec![missing], ..planned() });
    for line in [
        "To do         nothing\n",
        "Operator      no operator holds the Lease\n                next: kgents operator run\n",
        "Planned with  the defaults, for no operator says how it was started: agent image ",
        "Partial       services: not allowed to list services; try: kubectl auth can-i list services\n",
        "Why\n  Running: all pods are ready\n",
    ] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    assert!(!text.contains("Steps"), "{text}");
}

#[test]
fn what_stands_there_unseen_makes_a_step_a_guess_and_a_dry_run_tells_what_would_be() {
    let missing = Missing { resource: "networkpolicies".into(), said: "no".into(), is_guess: true, hint: None };
    let text = page_of(Planned { missing: vec![missing], would: Some(planned().plan), ..planned() });
    assert!(text.contains("it is not there (what stands there is not known)\n"), "{text}");
    assert!(text.contains("\nSteps if its mode were FULL\n  + NetworkPolicy b"), "{text}");
}

#[test]
fn data_is_exact_and_no_terminal_obeys_it() {
    for format in [Format::Json, Format::Yaml] {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        exact(&mut Io { out: &mut out, err: &mut err }, format, &planned()).unwrap();
        let text = written(out);
        assert!(!text.chars().any(sanitize::is_unsafe), "{text}");
        let back: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(back, serde_json::to_value(planned()).unwrap());
    }
    assert_eq!(escaped("\"a\u{9b}\u{202e}b\""), "\"a\\u009b\\u202eb\"");
}

#[test]
fn colours_are_those_of_a_diff() {
    let mut out = Vec::new();
    page::write(&mut out, &planned().clean(), page::Ink::of(kgents_tui::ColourLevel::Ansi16), noon()).unwrap();
    let text = written(out);
    for piece in ["\u{1b}[32m+ NetworkPolicy b\u{1b}[0m", "\u{1b}[31m- Service b", "\u{1b}[31m1\u{1b}[0m"] {
        assert!(text.contains(piece), "{piece:?} is not in\n{text}");
    }
}
