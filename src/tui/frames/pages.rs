//! The pages over the panes, with what was asked for, while it is asked for,
//! and where it cannot be had. Only the page itself is kept: the panes behind
//! it have frames of their own.

use insta::assert_snapshot;
use jiff::SignedDuration;
use kgents_store::bus::Control;
use kgents_store::object::EventFacts;
use kgents_store::request::{Answer, Ask, Child, DryRun, Problem, Reply};
use kgents_store::watch::{Watch, WatchState};
use kgents_store::{Key, Kind, Layer, Terrarium};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::{Value, json};

use super::{draw, look};
use crate::app::App;
use crate::behaviour::keys;
use crate::hit::Hit;
use crate::msg::{Effect, Msg, Update};
use crate::overlay::{Overlay, Page, Subject};
use crate::snapshot::plain;
use crate::testing::{ago, batch, change, garden, merge, now};

/// The garden with more in it: pods, an umwelt, a memory, proposals of every
/// sort, Events with JSON.
pub(crate) fn furnished() -> Terrarium {
    let mut terrarium = garden();
    let spec = json!({
        "genus": "B", "replicas": 2, "budget": { "tokens": 30_000, "refillPerMinute": 500 },
        "image": "kgents/b-gent:1.4.0", "umwelt": "b-gent-umwelt", "memory": "b-gent-memory",
        "instructions": "Keep the books. Settle what is certain, hold what is not, and say which is which.",
        "networkPolicy": { "allowedPeers": ["k-gent", "genus:O"] },
    });
    let status = json!({
        "phase": "Running", "readyReplicas": 1, "replicas": 2, "cognitiveHealth": "HEALTHY",
        "deploymentName": "b-gent", "serviceName": "b-gent", "serviceAccountName": "b-gent",
        "configMapName": "b-gent-spec", "networkPolicyName": "b-gent", "memoryName": "b-gent-memory",
        "umweltName": "b-gent-umwelt",
        "conditions": [
            { "type": "Ready", "status": "False", "reason": "PodsNotReady", "message": "1 of 2 pods is ready", "lastTransitionTime": ago(38) },
            { "type": "Progressing", "status": "True", "reason": "Rolling", "message": "", "lastTransitionTime": ago(172_800) },
        ],
    });
    let signal = |name: &str, rest: Value| {
        let mut spec = json!({ "type": "WARNING", "source": "o-gent", "emittedAt": ago(20), "initialIntensity": 0.9 });
        merge(&mut spec, rest);
        change(Kind::Pheromone, name, 1, json!({ "spec": spec }), true)
    };
    let event = |name: &str, seconds: i64, message: &str| {
        let body = json!({
            "involvedObject": { "apiVersion": "kgents.io/v1", "kind": "Agent", "namespace": "kgents-agents", "name": "b-gent" },
            "reason": "Thought", "message": message, "type": "Normal", "lastTimestamp": ago(seconds),
        });
        change(Kind::Event, name, 1, body, false)
    };
    let changes = vec![
        change(Kind::Agent, "b-gent", 40, json!({ "spec": spec, "status": status }), true),
        change(
            Kind::Umwelt,
            "b-gent-umwelt",
            1,
            json!({ "spec": { "agent": "b-gent", "affordances": ["world.**", "void.pheromone.*"], "persona": { "warmth": 0.4, "directness": 0.8 } } }),
            true,
        ),
        change(
            Kind::Memory,
            "b-gent-memory",
            1,
            json!({ "spec": { "owner": "b-gent", "type": "RELATIONAL", "size": "4Gi" } }),
            true,
        ),
        pod("b-gent-7c9d5f8b6c-x2x8p", true),
        pod("b-gent-7c9d5f8b6c-qm4tz", false),
        signal(
            "meant",
            json!({ "target": "b-gent", "ttlSeconds": 900, "payload": { "disk": { "node": "garden-1", "used": 0.91 }, "grows": [1, 2, 4], "note": "compost soon" } }),
        ),
        signal("unread", json!({ "emittedAt": "yesterday" })),
        event("json", 9, r#"{"hold":"9f2","invoice":4138,"cents":118200,"until":"payout"}"#),
        event("held", 4, r#"hold 9f2 {"invoice":4138,"cents":118200,"until":"payout"} stays"#),
    ];
    let changes = changes.into_iter().chain(proposals()).collect();
    terrarium.apply(batch(changes, Vec::new()), now());
    terrarium.tick(now());
    terrarium
}

fn pod(name: &str, well: bool) -> kgents_store::Change {
    let state = if well {
        json!({})
    } else {
        json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting" } })
    };
    let last =
        if well { json!({}) } else { json!({ "terminated": { "reason": "OOMKilled", "finishedAt": ago(260) } }) };
    let body = json!({
        "metadata": { "labels": { "kgents.io/agent": "b-gent" } },
        "spec": {
            "nodeName": "garden-1",
            "containers": [{ "name": "logic", "image": "kgents/b-gent:1.4.0" }, { "name": "k-gent" }],
            "initContainers": [{ "name": "d-gent" }],
        },
        "status": { "phase": "Running", "containerStatuses": [
            { "ready": well, "restartCount": if well { 0 } else { 8 }, "state": state, "lastState": last },
            { "ready": true, "restartCount": 0 },
        ] },
    });
    change(Kind::Pod, name, 1, body, true)
}

/// Proposals of every sort.
fn proposals() -> Vec<kgents_store::Change> {
    let proposal = |name: &str, rest: Value| {
        let mut body = json!({ "spec": {
            "changeType": "CONFIG_UPDATE", "proposer": "l-gent", "reason": "Because it has to be.",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "b-gent" },
            "patch": { "type": "merge", "content": { "spec": { "budget": { "tokens": 20_000 } } } },
        } });
        merge(&mut body, rest);
        change(Kind::Proposal, name, 1, body, true)
    };
    let decided = json!({ "status": {
        "phase": "Reviewing",
        "risk": { "base": 0.72, "velocity": 0.09, "cumulative": 0.04, "total": 0.85, "level": "CRITICAL",
            "reasons": ["MEMORY_MIGRATE weighs 0.60, 3 fields change", "1 other proposal in the last hour", "0.91 of base risk merged in the last 24 hours"] },
        "approvals": [{ "approver": "ann", "at": ago(3_700), "reason": "Restored on staging. One more pair of eyes, please." }],
        "conditions": [
            { "type": "Validated", "status": "True", "reason": "DryRunAccepted", "message": "", "lastTransitionTime": ago(3_900) },
            { "type": "Applied", "status": "False", "reason": "TargetPaused", "message": "it merges when the pause ends", "lastTransitionTime": ago(120) },
        ],
        "validation": { "checkedAt": ago(3_900), "dryRun": "accepted", "rule": "replicas-doubling asks for a reviewer" },
    } });
    let mut migrate = json!({ "spec": {
        "changeType": "MEMORY_MIGRATE", "urgency": "HIGH", "evidence": { "rehearsed": 2, "downtime": "40 s" },
        "tests": { "added": 14, "removed": 1 },
        "target": { "kind": "Memory", "name": "b-gent-memory" },
        "patch": { "content": { "spec": { "budget": null, "size": "8Gi", "storageClass": "fast-ssd" } } },
        "review": { "requiredReviewers": ["bob"], "autoMerge": false },
    } });
    merge(&mut migrate, decided);
    vec![
        proposal("budget", json!({})),
        proposal("migrate", migrate),
        proposal(
            "end-of-q",
            json!({ "spec": { "changeType": "AGENT_DELETE", "target": { "name": "q-gent" }, "patch": { "content": {} } } }),
        ),
        proposal(
            "unfit",
            json!({ "spec": { "patch": { "type": "json", "content": [{ "op": "test", "path": "/spec/paused", "value": true }] } } }),
        ),
        proposal(
            "far",
            json!({ "spec": { "target": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "cortex" } } }),
        ),
        proposal(
            "settled",
            json!({ "status": {
                "phase": "Merged",
                "risk": { "base": 0.2, "velocity": 0.0, "cumulative": 0.0, "total": 0.2, "level": "LOW", "reasons": ["CONFIG_UPDATE weighs 0.20"] },
                "execution": { "appliedAt": ago(5_000), "inversePatch": { "spec": {} }, "message": "applied in 40 ms" },
                "rejections": [{ "approver": "ann" }],
            } }),
        ),
    ]
}

/// A page over the furnished garden, and what it asked for.
pub(crate) fn open(subject: Subject, tab: usize) -> (App, Update) {
    let mut app = App::over(furnished(), look(), (160, 45), now());
    let mut update = Update::default();
    app.open_page(subject, tab, &mut update);
    (app, update)
}

pub(crate) fn key(name: &str) -> Key {
    Key::new("kgents-agents", name)
}

pub(crate) fn agent(tab: &str) -> (App, Update) {
    let place = crate::overlay::AGENT_TABS.iter().position(|name| *name == tab).unwrap();
    open(Subject::Agent(key("b-gent")), place)
}

pub(crate) fn proposal(name: &str) -> (App, Update) {
    open(Subject::Proposal(key(name)), 0)
}

/// The requests of an update, without those that cancel.
pub(crate) fn asked(update: &Update) -> Vec<(u64, Ask)> {
    let of = |effect: &Effect| match effect {
        Effect::Ask(request) => Some((request.id, request.ask.clone())),
        _ => None,
    };
    update.effects.iter().filter_map(of).collect()
}

pub(crate) fn reply(app: &mut App, id: u64, answer: Answer) -> Update {
    app.update(Msg::Reply(Reply { id, answer }), now())
}

/// Answers the one request of an update; of the two of an agent's page that for
/// its children, or both where there is nothing to be had.
#[allow(clippy::needless_pass_by_value, reason = "an answer is made for one request")]
fn answered((mut app, update): (App, Update), answer: Answer) -> App {
    let asked = asked(&update);
    let failed = matches!(answer, Answer::Failed(_));
    assert_eq!(asked.iter().filter(|(_, ask)| !matches!(ask, Ask::Plan(..))).count(), 1, "{asked:?}");
    for (id, _) in asked.iter().filter(|(_, ask)| failed || !matches!(ask, Ask::Plan(..))) {
        reply(&mut app, *id, answer.clone());
    }
    app
}

pub(crate) fn problem(said: &str) -> Answer {
    Answer::Failed(Problem {
        said: said.to_owned(),
        hint: Some("kubectl auth can-i get agents".into()),
        conflict: false,
    })
}

/// The cells of the page alone, as text.
pub(crate) fn page(app: &mut App, size: (u16, u16)) -> String {
    app.update(Msg::Resize(size.0, size.1), now());
    let (buffer, area) = cells(app);
    let mut only = Buffer::empty(Rect { x: 0, y: 0, ..area });
    for y in 0..area.height {
        for x in 0..area.width {
            only[(x, y)] = buffer[(area.x + x, area.y + y)].clone();
        }
    }
    plain(&only)
}

/// A frame, and where in it the page lies.
pub(crate) fn cells(app: &mut App) -> (Buffer, Rect) {
    let area = Rect::new(0, 0, app.size.0, app.size.1);
    let mut buffer = Buffer::empty(area);
    let hits = draw(app, &mut buffer);
    let on = |x: u16, y: u16| matches!(hits.at(x, y), Some(Hit::Overlay | Hit::Tab(_)));
    let rows: Vec<u16> = (0..area.height).filter(|y| on(area.width / 2, *y)).collect();
    let columns: Vec<u16> = (0..area.width).filter(|x| on(*x, rows[0])).collect();
    let page = Rect::new(columns[0], rows[0], columns.len() as u16, rows.len() as u16);
    (buffer, page)
}

/// Both sizes that matter, one under the other.
fn both(app: &mut App) -> String {
    let text = [page(app, (160, 45)), page(app, (80, 24))].join("\n");
    assert!(!text.contains(['\u{1b}', '\t']), "{text}");
    text
}

pub(super) fn shown(name: &str, mut app: App) {
    insta::with_settings!({ snapshot_path => "../snapshots" }, {
        assert_snapshot!(format!("page_{name}"), both(&mut app));
    });
}

pub(super) fn children() -> Answer {
    let child = |kind: &str, name: &str, said: &str, trouble: bool, seconds: i64| Child {
        kind: kind.into(),
        name: name.into(),
        said: said.into(),
        trouble,
        made: (seconds > 0).then(|| now() - SignedDuration::from_secs(seconds)),
    };
    Answer::Children(vec![
        child("Deployment", "b-gent", "1 of 2 ready", true, 172_800),
        child("Pod", "b-gent-7c9d5f8b6c-x2x8p", "Running", false, 7_000),
        child(
            "Pod",
            "b-gent-7c9d5f8b6c-qm4tz",
            "CrashLoopBackOff: back-off 5m0s restarting failed container=logic",
            true,
            260,
        ),
        child("Service", "b-gent", "ClusterIP 10.0.0.7, 8080 50052", false, 172_800),
        child("ConfigMap", "b-gent-spec", "", false, 172_800),
        child("NetworkPolicy", "", "you may not list networkpolicies in kgents-agents", true, 0),
    ])
}

fn events() -> Answer {
    let event = |seconds: i64, reason: &str, message: &str, warning: bool, count: i64| EventFacts {
        key: key("e"),
        about_kind: "Agent".into(),
        about_version: "kgents.io/v1".into(),
        about: key("b-gent"),
        reason: reason.into(),
        message: message.into(),
        warning,
        count,
        at: (seconds > 0).then(|| now() - SignedDuration::from_secs(seconds)),
        component: "kgents-operator".into(),
    };
    let long = "Back-off 5m0s restarting failed container=logic pod=b-gent-7c9d5f8b6c-qm4tz_kgents-agents(2d7f5a); the logic ends with OOMKilled each time it reads the quarter";
    Answer::Events(vec![
        event(0, "Planned", "7 objects would be applied", false, 1),
        event(7_100, "Created", "made the Deployment b-gent", false, 1),
        event(38, "BackOff", long, true, 36),
    ])
}

pub(crate) fn lines(count: usize) -> Answer {
    let line = |i: usize| match i % 5 {
        0 => format!(r#"{{"ts":{i},"level":"info","msg":"settled hold {i}","tokens":{}}}"#, i * 7),
        1 => format!("2026-03-14T14:02:{:02}Z WARN queue of holds at {i}", i % 60),
        2 => format!("level=error msg=\"no room for {i}\" invoice={i}"),
        3 => format!("{i} {}", "a long line that goes on and on ".repeat(8)),
        _ => format!("\tat settle (ledger.rs:{i})"),
    };
    Answer::Lines((0..count).map(|i| line(i).into()).collect())
}

#[test]
fn an_agent_tells_what_it_was_made_into() {
    shown("agent_listening", agent("status").0);
    shown("agent_children", answered(agent("status"), children()));
    shown("agent_failed", answered(agent("status"), problem("you may not list deployments in kgents-agents")));
    shown("agent_childless", answered(agent("status"), Answer::Children(Vec::new())));
}

#[test]
fn the_other_tabs_of_an_agent() {
    for tab in ["thoughts", "pods", "yaml"] {
        shown(&format!("agent_{tab}"), agent(tab).0);
    }
    shown("agent_podless", open(Subject::Agent(key("d-gent")), 2).0);
    shown("agent_gone", open(Subject::Agent(key("nobody")), 0).0);
    shown("events_listening", agent("events").0);
    shown("events", answered(agent("events"), events()));
    shown("events_none", answered(agent("events"), Answer::Events(Vec::new())));
    shown("events_failed", answered(agent("events"), problem("you may not list events in kgents-agents")));
}

#[test]
fn logs_follow_freeze_end_and_fail() {
    shown("logs_listening", agent("logs").0);
    shown("logs", answered(agent("logs"), lines(2_000)));
    let mut app = answered(agent("logs"), lines(100));
    keys(&mut app, "k k k");
    let shown_at = page(&mut app, (160, 45));
    let id = 1;
    reply(&mut app, id, lines(7));
    shown("logs_frozen", app);
    assert!(shown_at.contains("frozen, 3 newer"), "{shown_at}");
    let mut app = answered(agent("logs"), lines(3));
    reply(&mut app, id, Answer::LinesEnd("the container ended with exit code 137 (OOMKilled)".into()));
    shown("logs_ended", app);
    shown("logs_failed", answered(agent("logs"), problem("you may not get pods/log in kgents-agents")));
    let mut app = answered(agent("logs"), lines(60));
    keys(&mut app, "w");
    shown("logs_wrapped", app);
    let mut app = agent("logs").0;
    keys(&mut app, "p s s o o");
    shown("logs_chosen", app);
}

#[test]
fn a_proposal_shows_what_would_change() {
    shown("proposal_asking", proposal("migrate").0);
    let before = json!({ "apiVersion": "kgents.io/v1", "kind": "Memory", "metadata": { "name": "b-gent-memory" },
        "spec": { "accessMode": "ReadWriteOnce", "owner": "b-gent", "retentionPolicy": "RETAIN", "size": "4Gi", "type": "RELATIONAL" } });
    let mut after = before.clone();
    merge(&mut after, json!({ "spec": { "size": "8Gi", "storageClass": "fast-ssd" } }));
    let run = |before: Value, after: Value| {
        let target = "kgents.io/v1 Memory b-gent-memory".to_owned();
        Answer::DryRun(Box::new(DryRun { target, before, after, at: now() - SignedDuration::from_secs(2) }))
    };
    shown("proposal", answered(proposal("migrate"), run(before.clone(), after.clone())));
    shown("proposal_same", answered(proposal("budget"), run(before.clone(), before.clone())));
    shown("proposal_made", answered(proposal("budget"), run(Value::Null, after)));
    shown("proposal_deleted", answered(proposal("end-of-q"), run(before, Value::Null)));
    shown(
        "proposal_refused",
        answered(proposal("budget"), problem("the API server refuses it: spec.budget.tokens: Invalid value: 20000")),
    );
    shown("proposal_unfit", answered(proposal("unfit"), problem("the API server refuses it: the test failed")));
    shown("proposal_far", answered(proposal("far"), problem("you may not get deployments.apps in kgents-agents")));
    shown("proposal_settled", proposal("settled").0);
    shown("proposal_events", open(Subject::Proposal(key("migrate")), 1).0);
    shown("proposal_yaml", open(Subject::Proposal(key("migrate")), 2).0);
}

#[test]
fn a_recording_is_told_as_one() {
    let watch = Watch { state: WatchState::Live, as_of: Some(now()), refused: Vec::new() };
    let mut control = vec![Control::Speaks(Some(Layer::Fixture))];
    control.extend(Kind::ALL.map(|kind| Control::Watch(kind, watch.clone())));
    let recorded = |(mut app, update): (App, Update), said: &str| {
        app.update(Msg::Batch(batch(Vec::new(), control.clone())), now());
        let hint = Some("kgents observe --layer kube".to_owned());
        let problem = Problem { said: said.to_owned(), hint, conflict: false };
        answered((app, update), Answer::Failed(problem))
    };
    let said = "a recording cannot say what a patch would change: only an API server can";
    shown("recorded_proposal", recorded(proposal("migrate"), said));
    shown("recorded_deletion", recorded(proposal("end-of-q"), said));
    shown("recorded_agent", recorded(agent("status"), "a recording does not hold what an agent was made into"));
    shown("recorded_logs", recorded(agent("logs"), "a recording holds no logs"));
}

#[test]
fn a_pheromone_fades_along_a_curve() {
    shown("pheromone", open(Subject::Pheromone(key("meant")), 0).0);
    shown("pheromone_text", open(Subject::Pheromone(key("disk-1")), 0).0);
    shown("pheromone_unread", open(Subject::Pheromone(key("unread")), 0).0);
    shown("pheromone_yaml", open(Subject::Pheromone(key("meant")), 1).0);
    let mut ascii = open(Subject::Pheromone(key("meant")), 0).0;
    ascii.look.theme = crate::theme::Theme::new(crate::theme::ColourLevel::None, true);
    shown("pheromone_ascii", ascii);
}

#[test]
fn a_thought_is_told_in_full() {
    let app = App::over(furnished(), look(), (160, 45), now());
    let thought = |begins: &str| {
        let found = app.terrarium.thoughts().iter().find(|thought| thought.text.contains(begins)).unwrap();
        open(Subject::Thought(Box::new(found.clone())), 0).0
    };
    shown("thought", thought("high load"));
    shown("thought_json", thought("stays"));
}

#[test]
fn what_stands_in_capitals_is_found_in_yaml() {
    let mut app = agent("yaml").0;
    keys(&mut app, "/ R U N N I N G <cr>");
    shown("search", app);
}

/// The page says when it changes: between two wakes none of its cells does.
#[test]
fn between_two_wakes_no_cell_of_a_page_changes() {
    let run = DryRun { target: "x".into(), before: json!({ "a": 1 }), after: json!({ "a": 2 }), at: now() };
    let pages = vec![
        answered(agent("status"), children()),
        answered(agent("events"), events()),
        agent("pods").0,
        answered(proposal("migrate"), Answer::DryRun(Box::new(run))),
        answered(proposal("budget"), problem("no")),
        open(Subject::Pheromone(key("meant")), 0).0,
        open(Subject::Pheromone(key("disk-1")), 0).0,
    ];
    for mut app in pages {
        let mut at = now();
        for _ in 0..80 {
            let update = app.update(Msg::Wake, at);
            let mut buffer = Buffer::empty(Rect::new(0, 0, 160, 45));
            let frame = draw(&mut app, &mut buffer).wake_at;
            let wake = [update.wake_at, frame].into_iter().flatten().min().unwrap();
            let just_before = wake - SignedDuration::from_millis(2);
            if just_before > at + SignedDuration::from_millis(100) {
                let (before, area) = cells(&mut app);
                app.update(Msg::Wake, just_before);
                let (after, _) = cells(&mut app);
                let inside = |x: u16, y: u16| area.contains((x, y).into());
                let changes: Vec<_> = before
                    .diff(&after)
                    .into_iter()
                    .filter(|(x, y, _)| inside(*x, *y))
                    .map(|(x, y, cell)| (x, y, cell.symbol().to_owned()))
                    .collect();
                assert!(changes.is_empty(), "at {at}, before {wake}: {changes:?}\n{}", plain(&before));
            }
            at = wake;
        }
    }
}

/// However many lines there are, no more are made than show.
#[test]
fn logs_of_any_length_are_drawn_by_the_slice() {
    let mut app = answered(agent("logs"), lines(25_000));
    let Some(Overlay::Page(shown)) = app.overlays.last() else { panic!() };
    let Page { facts, .. } = &**shown;
    assert_eq!((facts.logs.lines.len(), facts.logs.dropped), (20_000, 5_000));
    let text = page(&mut app, (160, 45));
    assert!(text.contains("20,000 lines, 5,000 before are gone") && text.contains("of 20,000"), "{text}");
    keys(&mut app, "g");
    assert!(page(&mut app, (160, 45)).contains("settled hold 5000"));
    keys(&mut app, "/ h o l d <space> 2 4 9 9 5 <cr>");
    let text = page(&mut app, (160, 45));
    assert!(text.contains("settled hold 24995") && text.contains("1 of 1"), "{text}");
}
