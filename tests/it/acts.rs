//! What a person does in the window, by its keys, and what the API server
//! makes of it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, proposal};
use crate::support::place::Place;
use crate::support::pty::Pty;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_window_is_read_only_until_a_person_says_otherwise,
        a_proposal_is_approved_by_whom_the_api_server_knows,
        a_rejection_has_a_reason,
        who_looked_at_another_version_is_told_and_sees_the_new_one,
        an_agent_is_scaled_and_deleted_by_its_name,
        a_signal_is_emitted,
        an_agent_answers_from_what_is_known_and_its_talk_is_kept,
        another_namespace_is_looked_at_and_the_first_again,
        the_past_is_looked_at,
    ]
}

/// Columns and rows.
const SIZE: (u16, u16) = (120, 40);

/// A window that may change things.
fn writing(place: &Place) -> Pty {
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("K8S");
    window.types(":write");
    window.expect("allow or forbid changes");
    window.key("enter");
    window.expect("Each change is shown before it is sent");
    window.key("enter");
    window.expect("may write");
    window
}

fn get(place: &Place, kind: &str, name: &str) -> Value {
    place.kubectl(&["get", kind, name, "-o", "json"]).json()
}

fn a_window_is_read_only_until_a_person_says_otherwise(place: &Place) {
    place.apply(&[agent("b-gent", "B"), proposal("grow", "b-gent")]);
    let before = get(place, "proposal", "grow");
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("grow");
    window.key("3");
    window.key("a");
    window.expect("This window is read only.");
    window.key("1");
    window.key("S");
    window.expect(":write allows changes");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
    assert_eq!(get(place, "proposal", "grow"), before);
}

fn a_proposal_is_approved_by_whom_the_api_server_knows(place: &Place) {
    place.apply(&[agent("b-gent", "B"), proposal("grow", "b-gent")]);
    let mut window = writing(place);
    window.expect("grow");
    window.key("3");
    window.key("a");
    // What is shown before is what is sent.
    window.expect("as kgents-approval/");
    window.expect("approver: ");
    window.types("seen on my laptop");
    window.key("enter");
    window.expect("approve proposal grow");
    let approvals = eventually(SOON, "the approval", || {
        let status = get(place, "proposal", "grow")["status"]["approvals"].clone();
        if status.is_null() { Err(String::new()) } else { Ok(status) }
    });
    assert_eq!(approvals.as_array().map(Vec::len), Some(1));
    assert_eq!(approvals[0]["reason"], "seen on my laptop");
    window.expect("approves grow");
}

fn a_rejection_has_a_reason(place: &Place) {
    place.apply(&[agent("b-gent", "B"), proposal("grow", "b-gent")]);
    let mut window = writing(place);
    window.expect("grow");
    window.key("3");
    window.key("r");
    window.expect("why not");
    window.key("enter");
    window.expect("Not sent: a rejection has a reason.");
    window.types("not at night");
    window.expect("reason: not at night");
    window.key("enter");
    window.expect("rejects grow");
    assert_eq!(get(place, "proposal", "grow")["status"]["rejections"][0]["reason"], "not at night");
}

fn who_looked_at_another_version_is_told_and_sees_the_new_one(place: &Place) {
    place.apply(&[agent("b-gent", "B"), proposal("grow", "b-gent")]);
    let mut window = writing(place);
    window.expect("grow");
    window.key("3");
    window.key("a");
    window.expect("resourceVersion: ");
    place.set_status("proposal", "grow", &json!({ "phase": "Reviewing" }));
    // The window has heard of it, and the dialog still holds what was looked at.
    window.expect("Reviewing");
    window.key("enter");
    // Shown, and asked again over what stands now.
    window.expect("Not sent: ");
    let now = get(place, "proposal", "grow");
    assert!(now["status"]["approvals"].is_null());
    window.expect(&format!("resourceVersion: {}", now["metadata"]["resourceVersion"]));
    window.key("enter");
    window.expect("approves grow");
}

fn an_agent_is_scaled_and_deleted_by_its_name(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = writing(place);
    window.expect("b-gent");
    window.key("1");
    window.key("S");
    window.expect("b-gent has 1 now.");
    window.key("ctrl-u");
    window.types("250");
    window.key("enter");
    window.expect("replicas are 0 to 100, not `250`");
    window.key("ctrl-u");
    window.types("3");
    window.expect("replicas: 3");
    window.key("enter");
    window.expect("scaled to 3");
    assert_eq!(get(place, "agent", "b-gent")["spec"]["replicas"], 3);
    window.key("ctrl-d");
    window.expect("type its name");
    window.types("b-gen");
    window.key("enter");
    window.expect("Not sent: type `b-gent` to be sure.");
    window.types("t");
    window.expect("preconditions:");
    window.key("enter");
    eventually(SOON, "b-gent gone", || {
        let left = place.kubectl(&["get", "agents", "-o", "name"]).ok();
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
}

fn a_signal_is_emitted(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = writing(place);
    window.expect("b-gent");
    window.key("2");
    window.key("e");
    window.expect("A signal in");
    window.key("ctrl-u");
    window.types("hunger");
    window.key("enter");
    window.expect("`HUNGER` is no type of pheromone");
    window.key("ctrl-u");
    window.types("scarcity");
    window.key("tab");
    window.types("tokens end soon");
    window.expect("payload: tokens end soon");
    window.key("enter");
    window.expect("1 alive");
    let signals = place.kubectl(&["get", "pheromones", "-o", "json"]).json();
    assert_eq!(signals["items"][0]["spec"]["type"], "SCARCITY");
    assert_eq!(signals["items"][0]["spec"]["payload"], "tokens end soon");
}

fn an_agent_answers_from_what_is_known_and_its_talk_is_kept(place: &Place) {
    let mut object = agent("b-gent", "B");
    object["spec"]["budget"] = json!({ "tokens": 30_000, "refillPerMinute": 500 });
    place.apply(&[object]);
    let mut window = place.user.window((160, 45), &["observe"]);
    window.expect("b-gent");
    window.key("t");
    window.types("What is your token budget?");
    window.key("enter");
    window.expect("30,000");
    window.expect("spec.budget.tokens");
    window.key("esc");
    window.expect("⏎ to write");
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
    // The next window remembers what was said.
    let mut window = place.user.window((160, 45), &["observe"]);
    window.expect("b-gent");
    window.key("5");
    window.expect("What is your token budget?");
}

fn another_namespace_is_looked_at_and_the_first_again(place: &Place) {
    place.apply(&[agent("near-gent", "B")]);
    let other = Place::on(place.cluster.clone(), "another");
    other.apply(&[agent("far-gent", "B")]);
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("near-gent");
    for (place, name, gone) in [(&other, "far-gent", "near-gent"), (place, "near-gent", "far-gent")] {
        window.key("N");
        window.expect("all namespaces");
        window.types(&place.namespace);
        // The list comes from the API server: it may be later than the fingers.
        window.expect(&format!("namespace  {}", place.namespace));
        window.key("enter");
        window.expect(name);
        window.refute(gone);
    }
}

fn the_past_is_looked_at(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = place.user.window(SIZE, &["observe"]);
    window.expect("b-gent");
    // What happens within one second is one step.
    let began = Timestamp::now().as_second();
    eventually(
        SOON,
        "another second",
        || if Timestamp::now().as_second() > began { Ok(()) } else { Err(String::new()) },
    );
    place.apply(&[agent("newcomer", "N")]);
    window.expect("newcomer");
    window.key("[");
    window.expect("PAST");
    window.refute("newcomer");
    window.key("]");
    window.expect("newcomer");
    window.key("esc");
    window.refute("PAST");
}
