//! What cannot be made, what cannot be read, and what is not looked after.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::cluster::{LIVING, Own};
use crate::support::garden::Garden;
use crate::support::objects::{agent, labelled, object, pheromone};
use crate::support::operator::Operator;
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![
        a_quota_that_refuses_is_told_and_its_end_is_noticed,
        what_cannot_be_read_is_told_on_itself_and_harms_nobody,
        only_what_is_selected_is_looked_after,
        a_stranger_that_goes_makes_room,
        chaos_takes_one_pod_a_minute_from_all_signals_together,
    ]
}

fn a_quota_that_refuses_is_told_and_its_end_is_noticed(garden: &Garden) {
    let operator = garden.operator(&[]);
    garden.kubectl(&["create", "quota", "tight", "--hard=services=0"]).ok();
    eventually(SOON, "that the quota counts", || {
        let quota = garden.get("quota", "tight");
        if quota["status"]["used"]["services"] == "0" { Ok(()) } else { Err(quota["status"].to_string()) }
    });
    let mark = garden.audit.end();
    garden.apply(&[agent("b-gent", "B")]);
    let stalled = garden.condition("agent", "b-gent", "Stalled", "True");
    assert_eq!(stalled["reason"], "QuotaExceeded", "{stalled}");
    assert!(stalled["message"].as_str().unwrap().contains("exceeded quota: tight"), "{stalled}");
    assert!(!garden.has("deployment", "b-gent"), "what comes after a step that failed");

    let state = operator.state();
    assert_eq!(state["faults"][0]["reason"], "QuotaExceeded", "{state:#}");
    assert_eq!(state["faults"][0]["key"], format!("agent {}/b-gent", garden.namespace), "{state:#}");
    assert_eq!(state["synced"], true);
    let watches = state["watches"].as_object().unwrap();
    assert!(watches.len() == 12 && watches.values().all(|watch| watch["state"] == "live"), "{state:#}");

    garden.kubectl(&["delete", "quota", "tight"]).ok();
    garden.phase("b-gent", "Running");
    let refused = garden.writes(mark).iter().filter(|call| call.resource == "services").count();
    assert!(refused < 15, "a storm: {refused}");
}

/// The CRD of agents as an older or newer version may have it: without the
/// list of what a genus may be.
fn loosened(garden: &Garden) -> Value {
    let mut crd = garden.get("crd", "agents.kgents.io");
    for field in ["managedFields", "resourceVersion", "uid"] {
        crd["metadata"].as_object_mut().unwrap().remove(field);
    }
    let spec = &mut crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
    spec["properties"]["genus"] = json!({ "type": "string" });
    crd
}

fn what_cannot_be_read_is_told_on_itself_and_harms_nobody(own: Own) {
    let cluster = own.start(&LIVING);
    cluster.install_crds();
    let garden = Garden::on(cluster.clone(), "odd");
    let _operator = garden.operator(&[]);
    garden.apply(&[agent("c-gent", "C")]);
    garden.phase("c-gent", "Running");
    cluster.kubectl_as(garden.kubeconfig(), &["replace", "-f", "-"], &loosened(&garden).to_string()).ok();
    eventually(SOON, "that the API server takes it", || {
        let ran = garden.apply_text(&agent("b-gent", "ZZ").to_string());
        if ran.code == Some(0) { Ok(()) } else { Err(ran.stderr.clone()) }
    });
    let stalled = garden.condition("agent", "b-gent", "Stalled", "True");
    assert_eq!(stalled["reason"], "Undecodable", "{stalled}");
    assert!(stalled["message"].as_str().unwrap().contains("spec.genus: unknown variant `ZZ`"), "{stalled}");
    eventually(SOON, "an Event about it", || {
        if garden.said("b-gent", "Undecodable").len() == 1 { Ok(()) } else { Err(String::new()) }
    });
    // What was well and cannot be read any more keeps what runs.
    garden.kubectl(&["patch", "agent", "c-gent", "--type=merge", "-p", r#"{"spec":{"genus":"CC"}}"#]).ok();
    garden.condition("agent", "c-gent", "Stalled", "True");
    let status = garden.get("agent", "c-gent")["status"].clone();
    assert_eq!((&status["phase"], &status["observedGeneration"]), (&json!("Running"), &json!(1)), "{status}");
    assert!(garden.has("deployment", "c-gent"));
    // And the others live on.
    garden.apply(&[agent("d-gent", "D")]);
    garden.phase("d-gent", "Running");
    let mark = garden.audit.end();
    garden.quiet(mark, Duration::from_secs(3));
    garden.kubectl(&["patch", "agent", "b-gent", "--type=merge", "-p", r#"{"spec":{"genus":"B"}}"#]).ok();
    garden.phase("b-gent", "Running");
}

fn only_what_is_selected_is_looked_after(garden: &Garden) {
    let _operator = garden.operator(&["-l", "team=red"]);
    garden.apply(&[agent("c-gent", "C"), labelled(agent("b-gent", "B"), "team", "red")]);
    garden.phase("b-gent", "Running");
    let mark = garden.audit.end();
    garden.quiet(mark, Duration::from_secs(2));
    let other = garden.get("agent", "c-gent");
    assert_eq!((other.get("status"), garden.has("serviceaccount", "c-gent")), (None, false));
    // One that is labelled later is found.
    garden.kubectl(&["label", "agent", "c-gent", "team=red"]).ok();
    garden.phase("c-gent", "Running");
}

fn a_stranger_that_goes_makes_room(garden: &Garden) {
    let _operator = garden.operator(&[]);
    garden.kubectl(&["create", "service", "clusterip", "b-gent", "--tcp=80"]).ok();
    garden.apply(&[agent("b-gent", "B")]);
    let stalled = garden.condition("agent", "b-gent", "Stalled", "True");
    assert_eq!(stalled["reason"], "NameTaken", "{stalled}");
    // No watch tells of what is not ours: it is looked at once a minute.
    garden.kubectl(&["delete", "service", "b-gent"]).ok();
    eventually(Duration::from_secs(90), "that the name is free", || {
        let status = garden.get("agent", "b-gent")["status"].clone();
        if status["phase"] == "Running" { Ok(()) } else { Err(status.to_string()) }
    });
}

fn chaos_takes_one_pod_a_minute_from_all_signals_together(own: Own) {
    let cluster = own.start(&LIVING);
    cluster.install_crds();
    cluster.kubectl(&["create", "namespace", "kgents-agents"]).ok();
    let garden = Garden::on(cluster.clone(), "chaos");
    let lease = ["--lease-namespace", &garden.namespace];
    let mut operator = Operator::ready(&garden.user, &["-n", "kgents-agents", "--allow-chaos", lease[0], lease[1]]);
    operator.leads();
    let spec = json!({ "genus": "B", "replicas": 3 });
    let mut all = vec![object("Agent", "b-gent", &spec), pheromone("one", "CHAOS", 0), pheromone("two", "CHAOS", 0)];
    for object in &mut all {
        object["metadata"]["namespace"] = json!("kgents-agents");
        // Long enough to be there in a minute.
        if object["kind"] == "Pheromone" {
            object["spec"]["halfLifeMinutes"] = json!(60);
        }
    }
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": all }).to_string();
    let mark = garden.audit.end();
    cluster.kubectl_as(cluster.kubeconfig(), &["apply", "-f", "-"], &list).ok();
    let deaths = || garden.audit.writes(mark).into_iter().filter(|call| call.verb == "delete").collect::<Vec<_>>();
    eventually(Duration::from_secs(90), "that a pod is taken", || {
        if deaths().is_empty() { Err(String::new()) } else { Ok(()) }
    });
    // Both signals have had their turn once the operator is idle again.
    eventually(SOON, "that nothing is left to do", || {
        let queue = operator.state()["queue"].clone();
        let is_idle = queue["working"] == 0 && queue["ready"]["pheromone"] == 0 && queue["timed"] == 2;
        if is_idle { Ok(()) } else { Err(queue.to_string()) }
    });
    let deaths = deaths();
    assert!(deaths.len() == 1 && deaths[0].resource == "pods", "{deaths:#?}");
}
