//! What is done about a custom resource that cannot be read: it is told on
//! the object itself, and nothing else is touched.

use jiff::Timestamp;
use kgents_core::plan::{Event, Plan, Status};
use serde_json::json;

use crate::intake::{UNREADABLE, Unreadable};
use crate::key::Controller;

/// What has to be said. The Event is the caller's to say once.
pub(crate) fn plan(controller: Controller, unreadable: &Unreadable, now: Timestamp) -> Plan {
    let Unreadable { uid: _, generation, problem, told, since, status } = unreadable;
    let message = format!("it cannot be read: {problem}");
    let mut plan = Plan { why: vec![message.clone()], ..Plan::default() };
    let is_told = told.as_ref().is_some_and(|(said, of)| *said == message && of == generation);
    if controller.has_status() && !is_told {
        let condition = |type_: &str, status: &str| {
            json!({
                "type": type_, "status": status, "reason": UNREADABLE, "message": message,
                "observedGeneration": generation,
                "lastTransitionTime": since.clone().unwrap_or_else(|| second(now)),
            })
        };
        // What was known before stays, unless it is what cannot be read.
        let mut body = if status.is_object() && !problem.starts_with("status") { status.clone() } else { json!({}) };
        body["conditions"] = json!([condition("Ready", "False"), condition("Stalled", "True")]);
        plan.status = Some(Status { body, changes: Vec::new() });
    }
    plan.events.push(Event { warning: true, reason: UNREADABLE, action: "Read", message });
    plan
}

/// As `metav1.Time` has it: whole seconds.
fn second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_on_the_object_once() {
        let now = "2026-08-01T12:00:00.5Z".parse().unwrap();
        let mut unreadable = Unreadable {
            uid: "u".to_owned(),
            generation: 2,
            problem: "spec.genus: missing".to_owned(),
            told: None,
            since: None,
            status: json!({ "phase": "Running", "observedGeneration": 1, "conditions": [] }),
        };
        let first = plan(Controller::Agent, &unreadable, now);
        let body = first.status.unwrap().body;
        assert_eq!((&body["phase"], &body["observedGeneration"]), (&json!("Running"), &json!(1)));
        assert_eq!(body["conditions"][1]["reason"], "Undecodable");
        assert_eq!(body["conditions"][1]["lastTransitionTime"], "2026-08-01T12:00:00Z");
        let message = body["conditions"][1]["message"].as_str().unwrap().to_owned();
        assert_eq!(message, "it cannot be read: spec.genus: missing");
        unreadable.told = Some((message, 2));
        assert_eq!(plan(Controller::Agent, &unreadable, now).status, None);
        unreadable.generation = 3;
        assert!(plan(Controller::Agent, &unreadable, now).status.is_some());
        let signal = plan(Controller::Pheromone, &unreadable, now);
        assert!(signal.status.is_none() && signal.events[0].warning);
    }
}
