use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::bus::{Batch, Change, Novelty};
use crate::object::decode;

fn now() -> Timestamp {
    "2026-03-14T14:02:31Z".parse().unwrap()
}

fn ago(seconds: i64) -> String {
    Timestamp::from_second(now().as_second() - seconds).unwrap().to_string()
}

fn change_in(namespace: &str, kind: Kind, name: &str, labels: &Value, body: &Value, novelty: Novelty) -> Change {
    let mut object = json!({
        "apiVersion": "kgents.io/v1", "kind": kind.as_str(),
        "metadata": { "namespace": namespace, "name": name, "uid": format!("{kind}-{name}"), "labels": labels,
            "resourceVersion": body.to_string().len().to_string(), "creationTimestamp": ago(7_200) },
    });
    for (field, value) in body.as_object().unwrap() {
        object[field] = value.clone();
    }
    let now = decode(kind, &object.to_string()).unwrap();
    Change { kind, key: now.key.clone(), now: Some(now), novelty }
}

fn change(kind: Kind, name: &str, body: &Value) -> Change {
    change_in("garden", kind, name, &json!({ "kgents.io/agent": "o-gent" }), body, Novelty::Initial)
}

fn condition(type_: &str, status: &str, reason: &str, message: &str, seconds: i64) -> Value {
    json!({ "type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(seconds) })
}

/// A banker who is well and asks for more, an observer whose mind is not well,
/// a data agent without an operator, and a stranger of the same name elsewhere.
fn garden() -> Terrarium {
    let mut terrarium = Terrarium::default();
    let banker = json!({
        "spec": { "genus": "B", "image": "kgents/b:1.4.0", "replicas": 2, "instructions": "Keep the ledger.\nNever lend.",
            "budget": { "tokens": 30_000, "refillPerMinute": 500 }, "config": { "verbosity": "low" },
            "resources": { "cpu": "500m", "memory": "1Gi" },
            "networkPolicy": { "allowedPeers": ["o-gent", "d-gent", "genus:T", "nobody"] } },
        "status": { "phase": "Running", "replicas": 2, "readyReplicas": 2, "conditions": [
            condition("Ready", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", 600)] },
    });
    let observer = json!({
        "spec": { "genus": "O", "networkPolicy": { "allowEgress": true, "allowedPeers": ["genus:B"] },
            "health": { "type": "COGNITIVE_PROBE" }, "memory": "notes", "umwelt": "lookout" },
        "status": { "phase": "Degraded", "replicas": 1, "readyReplicas": 0, "cognitiveHealth": "DEGRADED", "conditions": [
            condition("Ready", "False", "CrashLoopBackOff", "back-off 5m0s", 40),
            condition("CognitiveHealth", "False", "WrongAnswer", "expected 5, got 6", 38)] },
    });
    let signal = |type_: &str, source: &str, target: Option<&str>, payload: &str| json!({ "spec": { "type": type_, "source": source, "target": target, "emittedAt": ago(300), "payload": payload } });
    let proposal = json!({
        "spec": { "changeType": "AGENT_SCALE", "proposer": "b-gent", "reason": "High load, queue 140 deep",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "o-gent" },
            "patch": { "type": "merge", "content": { "spec": { "replicas": 5 } } } },
        "status": { "phase": "Reviewing", "risk": { "base": 0.2, "velocity": 0.09, "cumulative": 0.04, "total": 0.33, "level": "MEDIUM" } },
    });
    let pod = json!({
        "spec": { "nodeName": "node-1", "containers": [{ "name": "logic", "image": "kgents/o:2" }] },
        "status": { "phase": "Running", "containerStatuses": [{ "name": "logic", "image": "kgents/o:2", "ready": false, "restartCount": 7,
            "state": { "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s" } },
            "lastState": { "terminated": { "reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(70) } } }] },
    });
    let changes = vec![
        change(Kind::Agent, "b-gent", &banker),
        change(Kind::Agent, "o-gent", &observer),
        change(Kind::Agent, "d-gent", &json!({ "spec": { "genus": "D" } })),
        change(Kind::Agent, "image", &json!({ "spec": { "genus": "Z" } })),
        change(Kind::Agent, "torn", &json!({ "spec": { "genus": 7 } })),
        change_in("away", Kind::Agent, "scout", &json!({}), &json!({ "spec": { "genus": "S" } }), Novelty::Initial),
        change(Kind::Pheromone, "disk", &signal("WARNING", "o-gent", None, "disk at 91 %")),
        change(Kind::Pheromone, "tokens", &signal("SCARCITY", "d-gent", Some("b-gent"), "tokens end")),
        change(Kind::Proposal, "o-gent-scale", &proposal),
        change(Kind::Pod, "o-gent-7", &pod),
        change(
            Kind::Memory,
            "notes",
            &json!({ "spec": { "owner": "o-gent", "type": "VECTOR", "sharedWith": ["b-gent"] } }),
        ),
        change(
            Kind::Umwelt,
            "lookout",
            &json!({ "spec": { "agent": "o-gent", "affordances": ["world.**"],
            "pheromoneSensitivity": { "sense": ["WARNING"], "emit": [] } } }),
        ),
    ];
    terrarium.apply(Batch { changes, ..Batch::default() }, now());
    let mut busy = banker;
    busy["status"]["conditions"][0]["reason"] = json!("QueueDrained");
    let changes = vec![change_in("garden", Kind::Agent, "b-gent", &json!({}), &busy, Novelty::News)];
    terrarium.apply(Batch { changes, ..Batch::default() }, now());
    terrarium
}

fn ask(question: &str) -> Answer {
    answer(&garden(), &Key::new("garden", "b-gent"), question, now())
}

#[track_caller]
fn says(question: &str, parts: &[&str]) {
    let answer = ask(question);
    assert!(answer.understood, "{question}: {}", answer.text);
    for part in parts {
        assert!(answer.text.contains(part), "{question}: no “{part}” in: {}", answer.text);
    }
}

#[test]
fn each_topic_is_told_from_what_is_known() {
    let budget: &[&str] = &["30,000 tokens", "500 flow in each minute", "full after 60 minutes", "left is not known"];
    let cases: &[(&str, &[&str])] = &[
        ("How are you?", &["b-gent is Running, 2 of 2 pods ready."]),
        ("status", &["b-gent is Running"]),
        ("what's your current token budget?", budget),
        ("how many tokens are left", budget),
        ("buget?", budget),
        ("How much have you spent?", budget),
        ("is everything OK?", &["b-gent is Running"]),
        ("why?", &["Nothing that is known says that something is wrong", "Ready is True since 10m: QueueDrained"]),
        ("how many replicas", &["2 pods of b-gent are wanted; existing: 2, ready: 2.", "No pod of it is known here"]),
        ("Which image do you run?", &["The image of b-gent is kgents/b:1.4.0."]),
        ("cpu/memory?", &["up to 500m CPU and 1Gi memory", "not known: nobody measures it"]),
        (
            "any signals?",
            &[
                "1 signal concerns b-gent",
                "SCARCITY 0.79 from d-gent, gone in 1h34: tokens end",
                "1 more signal of others",
            ],
        ),
        (
            "which proposals are open",
            &[
                "o-gent-scale: AGENT_SCALE of o-gent, Reviewing, risk 0.33 MEDIUM; needs 1 of t-gent, people; expires in 22h; “High load, queue 140 deep”",
            ],
        ),
        ("what happened lately?", &["What was heard of b-gent last", "0s ago: Ready is True: QueueDrained"]),
        (
            "who may you talk to",
            &[
                "no address outside",
                "o-gent, which names it back",
                "d-gent, which does not name it back",
                "every agent of genus T",
                "nobody, which is not known here",
            ],
        ),
        ("what may you sense and do", &["names no umwelt"]),
        ("memory", &["names no memory"]),
        ("instructions", &["“Keep the ledger. Never lend.”"]),
        ("settings", &["1 setting:", "verbosity=low"]),
        ("how old are you", &["was made 2h ago, at 2026-03-14T12:02:31Z."]),
        ("who are you", &["b-gent in garden is an agent of genus B, which stands for banker."]),
        ("mind?", &["is not known: no operator has written it", "asked over HTTP each 30s; 3 failures"]),
        ("do you need me?", &["It asks: High load, queue 140 deep; needs 1 of t-gent, people"]),
        (
            "which agents are there",
            &["4 agents are known in garden: b-gent, d-gent, image and o-gent.", "1 more in other"],
        ),
        ("help", &["state: How are you?", "budget: What is your token budget?"]),
        ("Hello!", &["Without a model"]),
        ("which image is it running", &["kgents/b:1.4.0"]),
    ];
    for (question, parts) in cases {
        says(question, parts);
    }
    assert!(!ask("which image is it running").text.contains("Running"), "no state was asked");
}

#[test]
fn another_agent_is_answered_for_by_its_name() {
    says(
        "how is o-gent?",
        &["o-gent is Degraded, 0 of 1 pod ready. It is idle now.", "o-gent needs a person: CrashLoopBackOff"],
    );
    says(
        "why is o-gent degraded",
        &[
            "Ready is False since 40s: CrashLoopBackOff: back-off 5m0s",
            "WrongAnswer: expected 5, got 6",
            "Pod o-gent-7: CrashLoopBackOff: back-off 5m0s; it last ended OOMKilled 1m ago",
        ],
    );
    says("pods of O-GENT", &["7 restarts so far", "0 of 1 container ready", "on node-1"]);
    says("@o-gent mind", &["The mind of o-gent is DEGRADED.", "asked two small questions"]);
    says(
        "o-gent's memory?",
        &["keeps the memory notes: VECTOR, 256Mi. When its owner is gone, it is kept.", "shared with b-gent"],
    );
    says("umwelt of o-gent", &["lives in the umwelt lookout", "It may do: world.**.", "It senses WARNING."]);
    says("image of o-gent", &["names no image", "Its pods run kgents/o:2."]);
    says("ogent peers", &["may reach public addresses", "every agent of genus B"]);
    says("d-gent", &["d-gent has no phase: no operator has written one."]);
    says("budget of d-gent", &["No token budget is set for d-gent."]);
    says("how is scout", &["scout has no phase"]);
    says("age of away/scout", &["scout was made"]);
    says("how is torn?", &["The object of torn cannot be read"]);
    says("how is agent mint?", &["There is no agent called mint"]);
    says("how is agent image?", &["image has no phase"]);
    says("how is x-gent?", &["There is no agent called x-gent in garden."]);
    let gone = answer(&garden(), &Key::new("garden", "gone"), "budget?", now());
    assert_eq!((gone.text.as_str(), gone.read.len()), ("No agent gone is known in garden.", 0));
    let torn = answer(&garden(), &Key::new("garden", "torn"), "state", now());
    assert!(torn.text.starts_with("The object of torn cannot be read: "), "{}", torn.text);
}

#[test]
fn several_things_are_answered_in_order_and_of_whom_they_are_asked() {
    let order = |question: &str, parts: &[&str]| {
        let text = ask(question).text;
        let places: Vec<_> = parts.iter().map(|part| text.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{question}: {places:?} in: {text}");
    };
    order("state and budget?", &["b-gent is Running", "The budget of b-gent"]);
    order(
        "budget, image and age of o-gent",
        &["No token budget is set for o-gent", "o-gent names no image", "o-gent was made"],
    );
    order("How is o-gent and its budget?", &["o-gent is Degraded", "No token budget is set for o-gent"]);
    order("How is o-gent? And what is your image?", &["o-gent is Degraded", "The image of b-gent"]);
    order("age of o-gent and d-gent", &["o-gent was made", "d-gent was made"]);
    order("o-gent and d-gent: age", &["o-gent was made", "d-gent was made"]);
    order("How are you? Who is your king?", &["b-gent is Running", "I did not understand “king”."]);
    assert!(!ask("How are you, my old friend?").text.contains("understand"));
    assert_eq!(ask("state state status phase").text, ask("state").text);
}

#[test]
fn what_is_read_is_named() {
    let read = |question: &str| ask(question).read.join(" ");
    assert_eq!(read("budget"), "spec.budget.tokens spec.budget.refillPerMinute");
    assert_eq!(read("budget of d-gent"), "spec.budget");
    assert!(read("why is o-gent down").contains("status.conditions[Ready].reason"));
    assert_eq!(read("signals"), "pheromones");
    assert_eq!(read("thoughts"), "thoughts");
    assert_eq!(read("what is the weather"), "");
}

#[test]
fn a_wish_is_recognised_and_not_fulfilled() {
    says(
        "increase budget to 20000",
        &["change the budget of b-gent to 20,000 tokens, which is 30,000 tokens now", "talk changes nothing"],
    );
    says("scale o-gent to 5", &["change the replicas of o-gent to 5, which are 1 now", "? lists the keys"]);
    says("restart", &["restart b-gent"]);
    says("please approve o-gent-scale", &["Open: o-gent-scale.", "kgents proposals describe o-gent-scale"]);
    says("emit a warning", &["kgents signal emit --help"]);
    says("state and restart", &["b-gent is Running", "Nothing was changed"]);
}

#[test]
fn what_is_not_understood_is_said_and_what_can_be_asked() {
    for question in
        ["what is the weather like", "", "   ", "🦀🦀", "\u{1b}[31m\0\u{202e}", "thanks", "?????", "xyzzy plugh"]
    {
        let answer = ask(question);
        assert!(!answer.understood && answer.read.is_empty(), "{question:?}: {}", answer.text);
        for topic in topics() {
            assert!(answer.text.contains(topic.example), "{question:?}");
        }
    }
    for topic in topics() {
        assert!(ask(topic.example).understood, "{}", topic.example);
    }
}

#[test]
fn a_memory_is_not_called_live() {
    use crate::bus::{Control, Rung};
    use crate::watch::{Link, Watch, WatchState};
    let mut terrarium = garden();
    let as_of = now() - jiff::SignedDuration::from_mins(3);
    let down = Link::Down { since: now(), error: "refused".into(), hint: String::new() };
    let watch = Watch {
        state: WatchState::Failing { since: now(), error: "x".into() },
        as_of: Some(as_of),
        refused: Vec::new(),
    };
    let rung = Rung { address: String::new(), link: down, notes: Vec::new() };
    let control =
        vec![Control::Speaks(Some(Layer::Ghost)), Control::Rung(Layer::Kube, rung), Control::Watch(Kind::Agent, watch)];
    terrarium.apply(Batch { control, ..Batch::default() }, now());
    let text = answer(&terrarium, &Key::new("garden", "b-gent"), "state", now()).text;
    assert!(text.ends_with("Nobody answers live at the moment: this is what was last known 3m ago."), "{text}");
}

#[test]
fn a_huge_question_is_read_to_a_bound() {
    let (garden, agent) = (garden(), Key::new("garden", "b-gent"));
    for unit in ["state ", "a", "x-gent ", "budget and ", "\u{202e}", "🦀", "o-gent, ", "- / @ , ", "\0"] {
        let huge = unit.repeat((10 << 20) / unit.len());
        let answer = answer(&garden, &agent, &huge, now());
        assert!(answer.text.contains("only its beginning was read"), "{unit:?}");
        assert!(answer.text.len() < 20_000, "{unit:?}: {}", answer.text.len());
    }
}

/// Fields of an Agent, as its schema has them, and the plurals of kinds.
fn fields() -> BTreeSet<String> {
    fn walk(schema: &Value, path: &str, fields: &mut BTreeSet<String>) {
        for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            walk(inner, &path, fields);
            walk(&inner["items"], &format!("{path}[]"), fields);
            fields.insert(path);
        }
    }
    let crds = kgents_api::crd::all();
    let agent = crds.iter().find(|crd| crd.spec.names.kind == "Agent").unwrap();
    let schema = serde_json::to_value(&agent.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema).unwrap();
    let mut fields =
        BTreeSet::from(["metadata.creationTimestamp", "metadata.deletionTimestamp", "thoughts"].map(String::from));
    walk(&schema, "", &mut fields);
    fields.extend(Kind::ALL.map(|kind| kind.plural().to_owned()));
    fields
}

fn check(answer: &Answer, fields: &BTreeSet<String>) {
    for field in &answer.read {
        // `conditions[Ready]` is one of `conditions[]`.
        let plain = field.split_once('[').and_then(|(list, rest)| Some((list, rest.split_once(']')?.1)));
        let plain = plain.map_or_else(|| field.clone(), |(list, rest)| format!("{list}[]{rest}"));
        assert!(fields.contains(&plain), "{field} is no field");
    }
    assert!(!answer.text.is_empty() && !answer.text.chars().any(crate::sanitize::is_unsafe), "{:?}", answer.text);
}

#[test]
fn every_field_that_is_read_exists() {
    let (garden, fields) = (garden(), fields());
    for name in ["b-gent", "o-gent", "d-gent"] {
        for topic in topics() {
            let said = answer(&garden, &Key::new("garden", name), topic.example, now());
            assert!(!said.read.is_empty() || topic.name == "help", "{}", topic.name);
            check(&said, &fields);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// Words that mean something, in any order with anything between them.
    #[test]
    fn any_question_is_survived(
        words in prop::collection::vec(prop_oneof![
            prop::sample::select(vec!["state", "budget", "why", "and", ",", "?", "o-gent", "@", "x-gent", "scale", "to", "20,000", "it", "your",
                "how", "is", "restart", "signals", "proposals", "thoughts", "image", "agent", "away/scout", "i want", "more", ":", "mind", "umwelt"]).prop_map(String::from),
            any::<String>(),
        ], 0..20),
        name in prop::sample::select(vec!["b-gent", "o-gent", "d-gent", "torn", "none"]),
        shift in -1_000_000_i64..1_000_000,
    ) {
        thread_local!(static WORLD: (Terrarium, BTreeSet<String>) = (garden(), fields()));
        let now = Timestamp::from_second(now().as_second() + shift).unwrap();
        WORLD.with(|(garden, fields)| check(&answer(garden, &Key::new("garden", name), &words.join(" "), now), fields));
    }
}
