//! What others do to what is ours, and what is not ours.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::garden::Garden;
use crate::support::objects::agent;
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![
        a_child_that_was_edited_is_put_back_and_it_is_said_once,
        what_others_add_is_kept,
        a_deleted_child_comes_back,
        a_child_without_its_labels_gets_them_back,
        a_stranger_of_our_name_is_left_as_it_is,
        an_agent_called_default_takes_no_service_account,
    ]
}

fn a_child_that_was_edited_is_put_back_and_it_is_said_once(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    for image in ["example/evil:1", "example/evil:2"] {
        let set = format!("logic={image}");
        garden.kubectl(&["set", "image", "deployment/b-gent", &set]).ok();
        eventually(SOON, "our image", || {
            let live = garden.get("deployment", "b-gent");
            let image = live["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
            if image.contains("evil") { Err(image) } else { Ok(()) }
        });
    }
    let said = eventually(SOON, "that it was put back", || {
        let said = garden.said("b-gent", "Restored");
        if said.is_empty() { Err(String::new()) } else { Ok(said) }
    });
    assert!(said[0].contains("image"), "{said:?}");
    garden.phase("b-gent", "Running");
}

fn what_others_add_is_kept(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    garden.kubectl(&["annotate", "deployment", "b-gent", "team=blue"]).ok();
    garden.kubectl(&["label", "service", "b-gent", "team=blue"]).ok();
    garden.kubectl(&["label", "agent", "b-gent", "touched=yes"]).ok();
    let mark = garden.audit.end();
    garden.quiet(mark, Duration::from_secs(3));
    assert_eq!(garden.get("deployment", "b-gent")["metadata"]["annotations"]["team"], "blue");
    assert_eq!(garden.get("service", "b-gent")["metadata"]["labels"]["team"], "blue");
}

fn a_deleted_child_comes_back(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    for (kind, name) in [
        ("networkpolicy", "b-gent"),
        ("configmap", "b-gent-spec"),
        ("deployment", "b-gent"),
        ("configmap", "b-gent-umwelt"),
    ] {
        let uid = garden.get(kind, name)["metadata"]["uid"].clone();
        garden.kubectl(&["delete", kind, name]).ok();
        eventually(SOON, &format!("another {kind}"), || {
            let ran = garden.kubectl(&["get", kind, name, "-o", "json"]);
            let now: Value = serde_json::from_str(&ran.stdout).map_err(|error| error.to_string())?;
            if now["metadata"]["uid"] == uid { Err("the old one".into()) } else { Ok(()) }
        });
    }
    garden.phase("b-gent", "Running");
}

fn a_child_without_its_labels_gets_them_back(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    garden.phase("b-gent", "Running");
    let uid = garden.get("service", "b-gent")["metadata"]["uid"].clone();
    garden.kubectl(&["label", "service", "b-gent", "app.kubernetes.io/managed-by-", "kgents.io/agent-"]).ok();
    let back = eventually(SOON, "its labels", || {
        let live = garden.get("service", "b-gent");
        if live["metadata"]["labels"]["kgents.io/agent"] == "b-gent" {
            Ok(live)
        } else {
            Err(live["metadata"].to_string())
        }
    });
    assert_eq!(back["metadata"]["uid"], uid);
}

fn a_stranger_of_our_name_is_left_as_it_is(garden: &Garden) {
    garden.kubectl(&["create", "service", "clusterip", "b-gent", "--tcp=80"]).ok();
    let before = garden.get("service", "b-gent");
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("b-gent", "B")]);
    let stalled = garden.condition("agent", "b-gent", "Stalled", "True");
    assert_eq!(stalled["reason"], "NameTaken");
    assert!(stalled["message"].as_str().unwrap().contains("Service b-gent"), "{stalled}");
    assert!(!garden.has("deployment", "b-gent"));
    assert_eq!(garden.get("service", "b-gent"), before);
    // Once the name is free it goes on.
    garden.kubectl(&["delete", "service", "b-gent"]).ok();
    garden.apply(&[json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent", "metadata": { "name": "b-gent" },
        "spec": { "genus": "B", "replicas": 2 },
    })]);
    garden.phase("b-gent", "Running");
}

fn an_agent_called_default_takes_no_service_account(garden: &Garden) {
    eventually(SOON, "the namespace's own account", || {
        if garden.has("serviceaccount", "default") { Ok(()) } else { Err(String::new()) }
    });
    let before = garden.get("serviceaccount", "default");
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("default", "D")]);
    let stalled = garden.condition("agent", "default", "Stalled", "True");
    assert_eq!(stalled["reason"], "NameTaken");
    assert_eq!(garden.get("serviceaccount", "default"), before);
}
