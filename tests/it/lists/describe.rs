//! `describe`: everything about one object.

use serde_json::json;

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, condition, event, memory, object, pheromone, proposal, umwelt};
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_page_tells_all_of_an_agent,
        a_page_tells_how_a_pheromone_fades,
        a_page_tells_what_a_proposal_would_change,
        memories_and_umwelts_have_pages_too,
        one_object_is_printed_in_each_form,
        an_unknown_name_gets_the_nearest,
        a_name_in_two_namespaces_is_told_apart,
    ]
}

/// Holds that a page has all these words.
#[track_caller]
fn assert_words(page: &str, words: &[&str]) {
    for word in words {
        assert!(page.contains(word), "{word:?} is not in\n{page}");
    }
}

fn a_page_tells_all_of_an_agent(place: &Place) {
    let spec =
        json!({ "genus": "B", "image": "kgents/b:1", "instructions": "keep the books", "config": { "LIMIT": "5" } });
    let mut warning = pheromone("low", "WARNING", 0);
    warning["spec"]["target"] = "b-gent".into();
    warning["spec"]["payload"] = "the disk is full".into();
    let about = ["kgents.io/v1", "Agent", "b-gent"];
    let event = event(&place.namespace, "b-gent.1", about, "Reconciled", "made a Deployment");
    place.apply(&[object("Agent", "b-gent", &spec), warning, proposal("grow", "b-gent"), event]);
    let conditions = [condition("Progressing", "True", "NewPods"), condition("Ready", "False", "ImagePullBackOff")];
    place.set_status("agent", "b-gent", &json!({ "phase": "Degraded", "readyReplicas": 0, "conditions": conditions }));

    let page = place.kgents(&["agents", "describe", "b-gent"]).ok();
    let title = format!("Agent {}/b-gent", place.namespace);
    assert_eq!(page.lines().next(), Some(title.as_str()));
    assert_words(
        &page,
        &["Degraded", "B (banker)", "kgents/b:1", "100m CPU, 256Mi memory", "keep the books", "LIMIT=5"],
    );
    assert_words(&page, &["ImagePullBackOff", "Ready says ImagePullBackOff", "Progressing", "kube FRESH"]);
    assert_words(&page, &["WARNING", "the disk is full", "grow", "AGENT_SCALE", "Reconciled", "made a Deployment"]);
    let place_of = |word: &str| page.find(word).unwrap();
    assert!(place_of("Ready says") < place_of("Progressing says"), "what is wrong comes first:\n{page}");
}

fn a_page_tells_how_a_pheromone_fades(place: &Place) {
    place.apply(&[pheromone("dream", "DREAM", 120), pheromone("gone", "WARNING", 600)]);
    let page = place.kgents(&["pheromones", "describe", "dream"]).ok();
    assert_words(
        &page,
        &["DREAM", "0.50 now, 1.00 when it was emitted", "2h", "o-gent", "everyone", "Falls to", "0.2 in"],
    );
    let page = place.kgents(&["ph", "describe", "gone"]).ok();
    assert_words(&page, &["it has faded", "ago)"]);
}

fn a_page_tells_what_a_proposal_would_change(place: &Place) {
    place.apply(&[agent("b-gent", "B"), proposal("grow", "b-gent")]);
    let approval = json!({ "approver": "ann", "reason": "good", "at": "2026-01-01T00:00:00Z" });
    place.set_status("proposal", "grow", &json!({ "phase": "Reviewing", "approvals": [approval] }));
    let page = place.kgents(&["proposals", "describe", "grow"]).ok();
    assert_words(
        &page,
        &["Reviewing", "AGENT_SCALE of Agent b-gent", "more work than hands", "our own estimate", "base"],
    );
    assert_words(&page, &["ann", "good", "Patch (merge)", "replicas: 2", "Expires"]);
}

fn memories_and_umwelts_have_pages_too(place: &Place) {
    place.apply(&[memory("m", "b-gent"), umwelt("u", "b-gent")]);
    let page = place.kgents(&["memories", "describe", "m"]).ok();
    assert_words(&page, &["Memory ", "b-gent", "VECTOR", "256Mi", "ReadWriteOnce", "RETAIN"]);
    let page = place.kgents(&["umwelts", "describe", "u"]).ok();
    assert_words(&page, &["Umwelt ", "b-gent", "routine", "5000 tokens"]);
}

fn one_object_is_printed_in_each_form(place: &Place) {
    place.apply(&[agent("b-gent", "B"), agent("c-gent", "B")]);
    let describe = |form: &str| place.kgents(&["agents", "describe", "b-gent", "-o", form]);
    let item = describe("json").json();
    let keys: Vec<&str> = item.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["as_of", "freshness", "layer", "object"]);
    assert_eq!(item["object"]["metadata"]["uid"], place.get("agent", "b-gent")["metadata"]["uid"]);
    let from_yaml: serde_json::Value = serde_saphyr::from_str(&describe("yaml").ok()).unwrap();
    assert_eq!(from_yaml["object"], item["object"]);
    assert_eq!(describe("name").ok(), "agent.kgents.io/b-gent\n");
    let by_path = format!("{}/b-gent", place.namespace);
    assert_eq!(place.kgents(&["agents", "describe", &by_path, "-o", "name"]).ok(), "agent.kgents.io/b-gent\n");
}

fn an_unknown_name_gets_the_nearest(place: &Place) {
    place.apply(&[agent("b-gent", "B"), agent("librarian", "L")]);
    let ran = place.kgents(&["agents", "describe", "b-gnet", "--json"]);
    assert_eq!(ran.stdout, "", "{ran}");
    let stderr = ran.fails(1);
    assert_words(&stderr, &["error: there is no agent 'b-gnet'", &place.namespace, "kgents agents describe b-gent"]);
    assert!(!stderr.contains("librarian"), "{stderr}");
    let stderr = place.kgents(&["proposals", "describe", "nothing"]).fails(1);
    assert_words(&stderr, &["error: there is no proposal 'nothing'", "kgents proposals list"]);
}

fn a_name_in_two_namespaces_is_told_apart(place: &Place) {
    let other = Place::on(place.cluster.clone(), "other");
    let name = format!("twin-{}", place.namespace);
    place.apply(&[agent(&name, "B")]);
    other.apply(&[agent(&name, "T")]);
    let stderr = place.kgents(&["agents", "describe", &name, "-A"]).fails(1);
    assert_words(&stderr, &["error:", &place.namespace, &other.namespace, "-n "]);
    // The command that it names is one of those that tell them apart.
    let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: kgents ")).unwrap();
    let words: Vec<&str> = hint.split_whitespace().collect();
    let page = place.kgents(&words).ok();
    assert!(page.starts_with("Agent ") && page.contains(&name), "{page}");
}
