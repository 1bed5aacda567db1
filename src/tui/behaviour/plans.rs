//! When an open page asks anew what would be done about its agent: when
//! something changed on which that depends, never more than once a second, and
//! never while nothing changes or nobody looks.

use jiff::{SignedDuration, Timestamp};
use kgents_core::plan::Plan;
use kgents_store::request::{Answer, Ask, Reply};
use kgents_store::watch::Link;
use kgents_store::{Change, Kind};
use serde_json::{Value, json};

use super::{keys, page};
use crate::app::App;
use crate::frames::pages::{agent, asked, key, problem};
use crate::frames::plans::{plan, planned, with_plan};
use crate::msg::{Msg, Update};
use crate::testing::{batch, change, kube, now};

fn later(milliseconds: i64) -> Timestamp {
    now() + SignedDuration::from_millis(milliseconds)
}

/// The numbers of the requests for a plan in an update.
fn plans(update: &Update) -> Vec<u64> {
    asked(update).into_iter().filter(|(_, ask)| matches!(ask, Ask::Plan(..))).map(|(id, _)| id).collect()
}

fn changed(app: &mut App, change: Change, at: Timestamp) -> Update {
    app.update(Msg::Batch(batch(vec![change], Vec::new())), at)
}

fn scaled(version: u32, replicas: i32) -> Change {
    change(Kind::Agent, "b-gent", version, json!({ "spec": { "genus": "B", "replicas": replicas } }), false)
}

fn deployment(name: &str, ready: i64) -> Change {
    let body = json!({
        "metadata": { "labels": { "kgents.io/agent": name } },
        "spec": { "replicas": 3 }, "status": { "readyReplicas": ready },
    });
    change(Kind::Deployment, name, ready as u32 + 1, body, false)
}

fn pod(agent: &str, phase: &str) -> Change {
    let body = json!({
        "metadata": { "labels": { "kgents.io/agent": agent } },
        "spec": { "containers": [{ "name": "logic" }] }, "status": { "phase": phase },
    });
    change(Kind::Pod, &format!("{agent}-pod"), 1, body, false)
}

fn answer(app: &mut App, id: u64, answer: Answer, at: Timestamp) -> Update {
    app.update(Msg::Reply(Reply { id, answer }), at)
}

fn said(plan: Plan) -> Answer {
    Answer::Plan(Box::new(planned(plan)))
}

#[test]
fn a_page_that_opens_asks_once_and_then_rests() {
    let (mut app, update) = agent("status");
    assert_eq!(plans(&update).len(), 1);
    assert_eq!(asked(&update)[1].1, Ask::Plan(Kind::Agent, key("b-gent")));
    let update = answer(&mut app, plans(&update)[0], said(Plan::default()), later(40));
    assert!(update.redraw);
    for seconds in [1, 2, 60, 3_600] {
        let update = app.update(Msg::Wake, later(seconds * 1_000));
        assert!(asked(&update).is_empty(), "{update:?}");
        let soon = update.wake_at.filter(|at| *at < later((seconds + 20) * 1_000));
        assert_eq!(soon, None, "nobody is woken to ask again");
    }
}

#[test]
fn what_changes_is_asked_for_at_most_once_a_second() {
    let mut app = with_plan(planned(Plan::default()));
    let update = changed(&mut app, scaled(100, 3), later(200));
    assert!(asked(&update).is_empty());
    assert_eq!(update.wake_at, Some(later(1_000)), "it is remembered until then");
    let update = changed(&mut app, deployment("b-gent", 1), later(900));
    assert!(asked(&update).is_empty());
    let update = app.update(Msg::Wake, later(1_000));
    let id = plans(&update)[0];
    assert!(asked(&update).contains(&(id + 1, Ask::Children(key("b-gent")))), "what was made comes along");
    // While that is on its way nothing else is asked, whatever happens.
    for second in 2..6 {
        assert!(asked(&changed(&mut app, deployment("b-gent", second), later(second * 1_000))).is_empty());
    }
    let update = answer(&mut app, id, said(plan()), later(6_000));
    assert_eq!(plans(&update).len(), 1, "what changed meanwhile is asked for then: {update:?}");
    assert!(page(&app).facts.plan.planned.as_ref().is_some_and(|planned| planned.plan == plan()));
}

#[test]
fn each_thing_that_a_plan_depends_on_counts_and_nothing_else() {
    let asks = |change: Change| {
        let mut app = with_plan(planned(Plan::default()));
        !plans(&changed(&mut app, change, later(2_000))).is_empty()
    };
    let memory = |name: &str| {
        change(
            Kind::Memory,
            name,
            9,
            json!({ "spec": { "owner": "b-gent", "type": "RELATIONAL", "size": "8Gi" } }),
            false,
        )
    };
    let umwelt = |name: &str| change(Kind::Umwelt, name, 9, json!({ "spec": { "agent": "b-gent" } }), false);
    for own in [
        scaled(100, 3),
        deployment("b-gent", 1),
        pod("b-gent", "Failed"),
        memory("b-gent-memory"),
        umwelt("b-gent-umwelt"),
    ] {
        assert!(asks(own.clone()), "{own:?}");
    }
    for other in [deployment("d-gent", 1), pod("d-gent", "Failed"), memory("other"), umwelt("other")] {
        assert!(!asks(other.clone()), "{other:?}");
    }
}

#[test]
fn the_same_plan_again_is_no_reason_to_draw() {
    let mut app = with_plan(planned(plan()));
    let id = plans(&changed(&mut app, deployment("b-gent", 1), later(1_500)))[0];
    let mut same = planned(plan());
    same.at = later(1_600);
    same.operator.renewed = Some(later(1_500));
    assert!(!answer(&mut app, id, Answer::Plan(Box::new(same)), later(1_600)).redraw);
    let id = plans(&changed(&mut app, deployment("b-gent", 2), later(3_500)))[0];
    let mut other = planned(plan());
    other.operator.holder = Some("host-b".into());
    assert!(answer(&mut app, id, Answer::Plan(Box::new(other)), later(3_600)).redraw, "another leads");
}

#[test]
fn a_plan_is_asked_for_again_when_it_says_so_itself() {
    let at = |seconds: i64| Plan { requeue_at: Some(later(seconds * 1_000)), ..Plan::default() };
    let mut app = with_plan(planned(at(90)));
    assert!(asked(&app.update(Msg::Wake, later(89_000))).is_empty());
    assert_eq!(plans(&app.update(Msg::Wake, later(90_000))).len(), 1);
    // One that wants it at once is held back.
    let mut app = with_plan(planned(at(0)));
    let update = app.update(Msg::Wake, later(4_000));
    assert!(asked(&update).is_empty() && update.wake_at <= Some(later(5_000)));
    assert_eq!(plans(&app.update(Msg::Wake, later(5_000))).len(), 1);
}

#[test]
fn nobody_asks_where_nobody_looks() {
    let asks = |app: &mut App| !plans(&changed(app, deployment("b-gent", 1), later(2_000))).is_empty();
    for words in ["<esc>", "<right>", "<esc> <space> <cr>"] {
        let mut app = with_plan(planned(plan()));
        keys(&mut app, words);
        assert!(!asks(&mut app), "{words}");
    }
    let mut app = with_plan(planned(plan()));
    keys(&mut app, "<right>");
    changed(&mut app, deployment("b-gent", 1), later(2_000));
    assert_eq!(plans(&keys(&mut app, "<left>")).len(), 0, "a second is not over by this clock");
    assert_eq!(plans(&app.update(Msg::Wake, later(3_000))).len(), 1, "who comes back sees what is now");
}

#[test]
fn nobody_is_asked_who_does_not_answer_and_asked_again_once_he_does() {
    let mut app = with_plan(planned(plan()));
    let down = Link::Down { error: "no".into(), hint: String::new(), since: now() };
    let link = |app: &mut App, link: Link, at| app.update(Msg::Batch(batch(Vec::new(), vec![kube(link)])), at);
    link(&mut app, down, later(1_000));
    assert!(plans(&changed(&mut app, deployment("b-gent", 1), later(2_000))).is_empty());
    let update = link(&mut app, Link::Up { version: "v1".into() }, later(9_000));
    let id = plans(&update)[0];
    answer(&mut app, id, problem("it went away again"), later(9_100));
    let view = &page(&app).facts.plan;
    assert!(view.problem.is_some() && view.planned.is_some(), "the last good one stays");
    assert!(plans(&app.update(Msg::Wake, later(60_000))).is_empty(), "a failure is not tried on and on");
}

#[test]
fn children_that_are_here_stay_until_newer_ones_come() {
    use crate::overlay::Loaded;
    let mut app = with_plan(planned(plan()));
    let update = changed(&mut app, deployment("b-gent", 1), later(2_000));
    let id = asked(&update).into_iter().find(|(_, ask)| matches!(ask, Ask::Children(_))).unwrap().0;
    let count = |app: &App| match &page(app).facts.children {
        Loaded::Here(children) => children.len(),
        other => panic!("{other:?}"),
    };
    let before = count(&app);
    assert!(before > 0);
    assert!(!answer(&mut app, id, problem("no"), later(2_100)).redraw);
    assert_eq!(count(&app), before);
    let update = changed(&mut app, deployment("b-gent", 2), later(2_200));
    let plan_id = page(&app).facts.plan.request.unwrap();
    assert!(asked(&update).is_empty());
    let update = answer(&mut app, plan_id, said(Plan::default()), later(4_000));
    let id = asked(&update).into_iter().find(|(_, ask)| matches!(ask, Ask::Children(_))).unwrap().0;
    answer(&mut app, id, Answer::Children(Vec::new()), later(4_100));
    assert_eq!(count(&app), 0);
}

/// A value that is as long as a person can type would be shown cut.
#[test]
fn long_values_and_many_steps_are_cut_with_the_command_that_has_the_rest() {
    let mut long = plan();
    let step = long.apply[1].clone();
    long.apply.extend(std::iter::repeat_n(step, 20));
    long.apply[1].changes[0].to = Some(Value::String("x\ty ".repeat(500)));
    let mut app = with_plan(planned(long));
    let text = crate::frames::pages::page(&mut app, (200, 200));
    assert!(text.contains("kgents explain agent/b-gent -n kgents-agents") && text.contains('…'), "{text}");
    assert!(!text.contains('\t'));
}
