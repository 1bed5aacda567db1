//! What would be done, told without an operator: the same bodies, applied by
//! hand, leave nothing to do.

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::agent;
use crate::support::place::Place;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        what_is_explained_can_be_applied_and_then_nothing_is_to_be_made,
        a_file_is_explained_before_anything_of_it_is_there,
        who_may_not_read_is_told_and_the_rest_is_planned,
        the_window_shows_the_plan_and_follows_it,
    ]
}

/// Applies what a plan holds, in its order, as the operator would.
fn carry_out(place: &Place, planned: &Value) {
    for apply in planned["plan"]["apply"].as_array().unwrap() {
        let mut body = apply["body"].clone();
        if apply["expect"] == "absent" {
            body["metadata"]["resourceVersion"] = "1".into();
        }
        let manager = format!("--field-manager={}", apply["manager"].as_str().unwrap());
        let args = ["apply", "--server-side", "--force-conflicts", &manager, "-f", "-"];
        place.cluster.kubectl_as(place.kubeconfig(), &args, &body.to_string()).ok();
    }
}

fn explained(place: &Place, object: &str) -> Value {
    place.kgents(&["explain", object, "-o", "json"]).json()
}

fn kinds(planned: &Value) -> Vec<String> {
    let kind = |apply: &Value| apply["child"]["resource"].as_str().unwrap().to_owned();
    planned["plan"]["apply"].as_array().unwrap().iter().map(kind).collect()
}

fn what_is_explained_can_be_applied_and_then_nothing_is_to_be_made(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let text = place.kgents(&["explain", "agent/b-gent"]).ok();
    for line in ["+ NetworkPolicy b-gent", "+ Deployment b-gent", "Planned with"] {
        assert!(text.contains(line), "{line:?} is not in\n{text}");
    }
    let planned = explained(place, "agent/b-gent");
    assert_eq!(planned["missing"], json!([]));
    let made = kinds(&planned);
    let at = |kind: &str| made.iter().position(|one| one == kind).unwrap_or_else(|| panic!("{kind}: {made:?}"));
    assert!(at("NetworkPolicy") < at("Deployment"), "isolation comes before execution: {made:?}");
    carry_out(place, &planned);
    for object in ["memory/b-gent-memory", "umwelt/b-gent-umwelt"] {
        let planned = explained(place, object);
        assert_eq!(kinds(&planned).len(), 1, "{planned}");
        carry_out(place, &planned);
        assert_eq!(kinds(&explained(place, object)), [""; 0]);
    }
    assert_eq!(kinds(&explained(place, "agent/b-gent")), [""; 0]);
    // What somebody changes by hand is what is to be done then.
    place.kubectl(&["scale", "deployment", "b-gent", "--replicas=5"]).ok();
    let text = place.kgents(&["explain", "agent", "b-gent"]).ok();
    assert!(text.contains("~ Deployment b-gent") && text.contains("spec.replicas  5 -> 1"), "{text}");
    place.kgents(&["explain", "agent/b-gent", "--check"]).fails(1);
}

fn a_file_is_explained_before_anything_of_it_is_there(place: &Place) {
    let objects = [agent("one", "B"), json!({ "apiVersion": "v1", "kind": "ConfigMap" }), agent("two", "C")];
    let text: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let path = place.user.file("agents.yaml", &text.join("\n---\n"));
    let ran = place.kgents(&["explain", "-f", path.to_str().unwrap(), "-o", "json"]);
    assert!(ran.stderr.contains("nothing is planned for v1 ConfigMap"), "{ran}");
    let all = ran.json();
    let names: Vec<&str> = all["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(kinds(&all["items"][0]).contains(&"Deployment".to_owned()), "{all}");
    let there = place.kubectl(&["get", "agents", "-o", "name"]).ok();
    assert_eq!(there, "", "nothing was changed");
}

fn who_may_not_read_is_told_and_the_rest_is_planned(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let person = format!("reader-{}", place.namespace);
    let kubeconfig = place.cluster.cert(&person);
    place
        .kubectl(&["create", "role", "reader", "--verb=get,list", "--resource=agents.kgents.io,deployments.apps,pods"])
        .ok();
    place.kubectl(&["create", "rolebinding", "reader", "--role=reader", &format!("--user={person}")]).ok();
    let args =
        ["explain", "agent/b-gent", "-n", &place.namespace, "-o", "json", "--kubeconfig", kubeconfig.to_str().unwrap()];
    let planned = eventually(SOON, "agents may be read", || {
        let ran = place.user.kgents(&args);
        if ran.code == Some(0) { Ok(ran.json()) } else { Err(ran.to_string()) }
    });
    let missing: Vec<&str> =
        planned["missing"].as_array().unwrap().iter().map(|one| one["resource"].as_str().unwrap()).collect();
    assert!(missing.contains(&"networkpolicies") && !missing.contains(&"deployments"), "{missing:?}");
    assert!(kinds(&planned).contains(&"NetworkPolicy".to_owned()));
    assert!(planned["operator"]["problem"].as_str().unwrap().contains("not allowed to get leases"), "{planned}");
}

fn the_window_shows_the_plan_and_follows_it(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let mut window = place.user.window((120, 45), &["observe"]);
    window.expect("b-gent");
    window.key("enter");
    for text in ["NetworkPolicy", "to make"] {
        window.expect(text);
    }
    carry_out(place, &explained(place, "agent/b-gent"));
    // The Deployment is there now, and what was asked for again says so.
    window.expect_screen("a plan without a Deployment to make", |screen| {
        !screen.contents().contains("+ Deployment") && screen.contents().contains("plan")
    });
}
