//! What the page of an agent says of its plan.

use jiff::SignedDuration;
use kgents_core::plan::{self, Apply, Change, Delete, Expect, Plan, Resource, Status};
use kgents_store::planned::{Missing, Operator};
use kgents_store::request::{Answer, Ask, Reply};
use kgents_store::{Kind, Planned};
use serde_json::{Value, json};

use super::pages::{agent, asked, children, key, page, problem, reply, shown};
use crate::app::App;
use crate::msg::Msg;
use crate::testing::now;

/// A plan with a step of each sort.
pub(crate) fn plan() -> Plan {
    let child =
        |resource: Resource, name: &str| plan::Child { resource, namespace: "kgents-agents".into(), name: name.into() };
    let apply = |resource, name: &str, changes: Vec<Change>, why: &str| Apply {
        child: child(resource, name),
        expect: if changes.is_empty() { Expect::Absent } else { Expect::Present { uid: "u".into() } },
        body: json!({}),
        changes,
        why: why.into(),
    };
    let change = |path: &str, from: Value, to: Value| Change {
        path: path.into(),
        from: Some(from).filter(|value| !value.is_null()),
        to: Some(to).filter(|value| !value.is_null()),
    };
    let logic = "spec.template.spec.containers[logic]";
    Plan {
        apply: vec![
            apply(Resource::NetworkPolicy, "b-gent", Vec::new(), "isolation comes before execution"),
            apply(
                Resource::Deployment,
                "b-gent",
                vec![
                    change("spec.replicas", json!(1), json!(2)),
                    change(&format!("{logic}.image"), json!("kgents/b-gent:1.3.0"), json!("kgents/b-gent:1.4.0")),
                    change(
                        &format!("{logic}.env[KGENTS_MOTTO]"),
                        Value::Null,
                        json!({ "name": "KGENTS_MOTTO", "value": "settle what is certain, hold what is not" }),
                    ),
                    change(&format!("{logic}.env[KGENTS_MODE]"), json!(""), Value::Null),
                ],
                "kubectl-edit changed it: it is put back",
            ),
        ],
        delete: vec![Delete {
            child: child(Resource::PodDisruptionBudget, "b-gent"),
            uid: "u".into(),
            resource_version: None,
            why: "one replica needs none".into(),
        }],
        status: Some(Status {
            body: json!({}),
            changes: vec![
                change("conditions[Ready].lastTransitionTime", json!("a"), json!("b")),
                change("phase", json!("Pending"), json!("Running")),
            ],
        }),
        events: vec![plan::Event {
            warning: true,
            reason: "Restored",
            action: "Restore",
            message: "Deployment b-gent was changed by kubectl-edit and is put back".into(),
        }],
        requeue_at: Some(now() + SignedDuration::from_secs(90)),
        why: vec!["Deployment b-gent differs from what the spec says".into()],
    }
}

/// What is said of an agent with this plan, while an operator leads.
pub(crate) fn planned(plan: Plan) -> Planned {
    let operator = Operator {
        lease_namespace: "kgents-system".into(),
        holder: Some("kgents-operator-7d9f_1f3c".into()),
        version: Some("0.1.0".into()),
        renewed: Some(now() - SignedDuration::from_secs(1)),
        ..Operator::default()
    };
    Planned { kind: Kind::Agent, key: key("b-gent"), plan, would: None, operator, missing: Vec::new(), at: now() }
}

/// A page of an agent with its children, and with what would be done.
#[allow(clippy::needless_pass_by_value, reason = "an answer is made for one request")]
pub(crate) fn with_plan(planned: Planned) -> App {
    let (mut app, update) = agent("status");
    for (id, ask) in asked(&update) {
        let plan = matches!(ask, Ask::Plan(..));
        reply(&mut app, id, if plan { Answer::Plan(Box::new(planned.clone())) } else { children() });
    }
    app
}

#[test]
fn an_agent_tells_what_would_be_done_and_who_would_do_it() {
    shown("agent_plan", with_plan(planned(plan())));
    shown("agent_plan_empty", with_plan(planned(Plan::default())));
    let paused = Plan { why: vec!["the agent is paused: nothing of it is reconciled".into()], ..Plan::default() };
    let missing = Missing {
        resource: "networkpolicies".into(),
        said: "not allowed to list networkpolicies.networking.k8s.io in namespace kgents-agents".into(),
        is_guess: true,
        hint: None,
    };
    let nobody = Operator { lease_namespace: "kgents-system".into(), ..Operator::default() };
    shown("agent_plan_paused", with_plan(Planned { operator: nobody.clone(), ..planned(paused) }));
    shown("agent_plan_nobody", with_plan(Planned { operator: nobody, missing: vec![missing], ..planned(plan()) }));
    let mut elsewhere = planned(Plan::default());
    elsewhere.operator.scope.namespace = Some("kgents-system".into());
    elsewhere.operator.passes_over = Some("kgents-agents".into());
    shown("agent_plan_elsewhere", with_plan(elsewhere));
    let mut ascii = with_plan(planned(plan()));
    ascii.look.theme = crate::theme::Theme::new(crate::theme::ColourLevel::None, true);
    shown("agent_plan_ascii", ascii);
}

#[test]
fn a_plan_that_cannot_be_had_anew_stays_and_is_told_as_old() {
    let mut app = with_plan(planned(plan()));
    let later = now() + SignedDuration::from_secs(130);
    let asked = asked(&app.update(Msg::Wake, later));
    let id = asked.iter().find(|(_, ask)| matches!(ask, Ask::Plan(..))).unwrap().0;
    let reply = Reply { id, answer: problem("https://10.0.0.1:6443 did not answer within 5s") };
    app.update(Msg::Reply(reply), later);
    let text = page(&mut app, (160, 45));
    assert!(text.contains("Deployment") && text.contains("nothing newer is known") && text.contains("did not answer"));
    shown("agent_plan_old", app);
}
