//! What is said to an operator and about it: the commands around it.

use serde_json::json;

use crate::support::case::{Case, cases};
use crate::support::garden::Garden;
use crate::support::objects::object;
use crate::support::operator::Operator;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        the_status_of_an_operator_is_that_of_its_lease_and_its_metrics,
        a_lease_without_a_namespace_is_waited_for_in_words,
        a_lease_that_is_deleted_is_made_again,
        what_was_left_behind_is_shown_and_then_swept,
        its_own_state_is_no_secret_on_this_machine_and_no_page_is_missing,
    ]
}

fn the_status_of_an_operator_is_that_of_its_lease_and_its_metrics(garden: &Garden) {
    let lease = ["--lease-namespace", garden.namespace.as_str()];
    let status = |more: &[&str]| {
        let args: Vec<&str> = ["operator", "status"].into_iter().chain(lease).chain(more.iter().copied()).collect();
        garden.kgents(&args)
    };
    let none = status(&[]);
    assert_eq!(none.code, Some(1), "{none}");
    assert!(none.stderr.contains("no operator holds the Lease"), "{none}");
    assert!(none.stderr.contains("hint: kgents operator run"), "{none}");

    let operator = garden.operator(&["--agent-image", "garden/agent:7"]);
    let page = status(&[]).ok();
    assert!(page.contains("garden/agent:7") && page.contains("reconciles"), "{page}");
    let told = status(&["-o", "json"]).json();
    assert_eq!(told["standing"], "leads");
    assert_eq!(told["config"]["agentImage"], "garden/agent:7");
    assert_eq!(told["metrics"], operator.address.as_str());
    assert!(told["metrics_now"]["api_calls"].as_array().is_some_and(|calls| !calls.is_empty()), "{told}");
    let nowhere = status(&["--metrics-addr", "127.0.0.1:1"]).ok();
    assert!(nowhere.contains("not to be had"), "{nowhere}");

    operator.signal(rustix::process::Signal::TERM);
    assert_eq!(operator.ended().0, 0);
    let given_back = status(&["-o", "json"]);
    assert_eq!(given_back.code, Some(1), "{given_back}");
    assert!(given_back.stdout.contains("\"standing\": \"nobody\""), "{given_back}");
}

fn a_lease_without_a_namespace_is_waited_for_in_words(garden: &Garden) {
    let place = format!("{}-lease", garden.namespace);
    let mut operator = Operator::ready(&garden.user, &["-n", &garden.namespace, "--lease-namespace", &place]);
    eventually(SOON, "the words", || {
        let log = operator.log();
        let words = format!("namespace {place} does not exist: kubectl create namespace {place}");
        if log.contains(&words) { Ok(()) } else { Err(log) }
    });
    garden.kubectl(&["create", "namespace", &place]).ok();
    operator.leads();
    drop(operator);
    garden.kubectl(&["delete", "namespace", &place, "--wait=false"]).ok();
}

fn a_lease_that_is_deleted_is_made_again(garden: &Garden) {
    let mut operator = garden.operator(&[]);
    let uid = || garden.get("lease", "kgents-operator")["metadata"]["uid"].clone();
    let first = uid();
    garden.kubectl(&["delete", "lease", "kgents-operator"]).ok();
    eventually(
        SOON,
        "another Lease",
        || if garden.has("lease", "kgents-operator") { Ok(()) } else { Err(String::new()) },
    );
    operator.leads();
    assert_ne!(uid(), first);
    assert!(operator.log().contains("this replica leads no more"), "{}", operator.log());
}

fn what_was_left_behind_is_shown_and_then_swept(garden: &Garden) {
    let claim = |name: &str, retention: &str, agent: &str| {
        let labels = json!({
            "app.kubernetes.io/managed-by": "kgents-operator", "kgents.io/agent": agent,
            "kgents.io/memory": name, "kgents.io/retention": retention,
        });
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": { "name": name, "labels": labels },
            "spec": { "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Gi" } } },
        })
    };
    let memory = json!({ "owner": "gone", "type": "BICAMERAL", "size": "1Gi", "retentionPolicy": "COMPOST" });
    let lives = json!({ "owner": "b-gent", "type": "BICAMERAL", "size": "1Gi", "retentionPolicy": "COMPOST" });
    garden.apply(&[
        object("Agent", "b-gent", &json!({ "genus": "B" })),
        object("Memory", "left", &memory),
        object("Memory", "used", &lives),
        claim("left", "COMPOST", "gone"),
        claim("alone", "COMPOST", "gone"),
        claim("used", "COMPOST", "b-gent"),
        claim("kept", "RETAIN", "gone"),
    ]);
    let compost = |more: &[&str]| {
        let args: Vec<&str> = ["memory", "compost", "-o", "json"].into_iter().chain(more.iter().copied()).collect();
        garden.kgents(&args)
    };
    let names = |value: serde_json::Value| -> Vec<String> {
        let items = value["items"].as_array().unwrap();
        items
            .iter()
            .map(|item| format!("{} {}", item["kind"].as_str().unwrap(), item["name"].as_str().unwrap()))
            .collect()
    };
    let all = ["Memory left", "PersistentVolumeClaim alone", "PersistentVolumeClaim left"];
    let shown = compost(&[]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stderr.contains("kgents memory compost --yes"), "{shown}");
    assert_eq!(names(shown.json()), all);
    assert!(garden.has("memory", "left") && garden.has("persistentvolumeclaim", "left"));

    let swept = compost(&["--yes"]).json();
    assert!(swept["items"].as_array().unwrap().iter().all(|item| item["result"] == "deleted"), "{swept}");
    assert_eq!(names(swept), all);
    for name in ["left", "alone"] {
        garden.gone("persistentvolumeclaim", name);
    }
    garden.gone("memory", "left");
    for name in ["used", "kept"] {
        assert!(garden.has("persistentvolumeclaim", name), "{name}");
    }
    assert!(garden.has("memory", "used"));
    let nothing = garden.kgents(&["memory", "compost", "--yes"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(0), ""));
    assert!(nothing.stderr.contains("Nothing was left behind"), "{nothing}");
}

fn its_own_state_is_no_secret_on_this_machine_and_no_page_is_missing(garden: &Garden) {
    let operator = garden.operator(&[]);
    for page in ["/metrics", "/healthz", "/readyz", "/debug/state"] {
        operator.get(page).unwrap();
    }
    let missing = operator.get("/nothing").unwrap_err();
    assert!(missing.starts_with("404") && missing.contains("/debug/state"), "{missing}");
    assert_eq!(operator.state()["lease"]["leads"], true);
    // Each line of its log is JSON: here nobody reads it on a terminal.
    for line in operator.log().lines() {
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(read["timestamp"].is_string() && read["level"].is_string(), "{line}");
    }
}
