//! One question: who answers it, how quickly, and with which exit code.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Garden;
use crate::support::case::{Case, cases};
use crate::support::cluster::Own;
use crate::support::objects::{agent, labelled, pheromone};
use crate::support::servers::{Mode, silent_socket};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        the_best_layer_that_answers_is_named_with_its_age,
        what_is_hung_costs_no_more_than_its_budget,
        one_context_is_never_shown_as_another,
        with_nothing_at_all_each_layer_says_why,
    ]
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["object"]["metadata"]["name"].as_str().unwrap()).collect()
}

fn the_best_layer_that_answers_is_named_with_its_age(own: Own) {
    let objects = [labelled(agent("a-gent", "B"), "tier", "x"), agent("b-gent", "T"), pheromone("p", "DREAM", 1)];
    let garden = Garden::new(own.start_with_crds(), &objects);
    let user = &garden.user;
    let look = |args: &[&str], code: i32, layer: &str| -> Value {
        let ran = user.kgents(args);
        assert_eq!(ran.code, Some(code), "{ran}");
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{ran}"));
        assert_eq!(answer["layer"], layer, "{ran}");
        assert!(answer["as_of"].is_string() && answer["freshness"].is_string(), "{ran}");
        answer
    };
    let all = |code: i32, layer: &str| {
        let status = look(&["status", "--json"], code, layer);
        assert_eq!(status["counts"]["agents"], json!(2), "{status}");
        let list = look(&["agents", "-o", "json"], code, layer);
        assert_eq!(names(&list), ["a-gent", "b-gent"]);
        for item in list["items"].as_array().unwrap() {
            assert_eq!((&item["layer"], &item["freshness"]), (&json!(layer), &json!("FRESH")), "{item}");
        }
        // Who is not the API server does not filter, so we do.
        assert_eq!(names(&look(&["agents", "-l", "tier=x", "-o", "json"], code, layer)), ["a-gent"]);
        assert_eq!(names(&look(&["pheromones", "-o", "json"], code, layer)), ["p"]);
        let table = user.kgents(&["agents"]);
        let said = if code == 3 { "this is the Ghost, " } else { &format!("from {layer}, FRESH, ") };
        assert!(table.stdout.contains("b-gent") && table.stderr.contains(said), "{table}");
        let page = user.kgents(&["agents", "describe", "b-gent"]);
        assert_eq!(page.code, Some(code), "{page}");
        assert!(page.stdout.contains(&format!("Source        {layer} FRESH")), "{page}");
    };
    let cortex = garden.cortex();
    all(0, "grpc");
    drop(cortex);
    all(0, "kube");
    // Only the tree says it now, and why nobody else does.
    garden.gate.set(Mode::Closed);
    all(3, "ghost");
    let ran = user.kgents(&["agents"]);
    assert!(ran.stderr.contains("this is the Ghost") && ran.stderr.contains("no Cortex listens"), "{ran}");
    // A pinned layer answers or nobody does.
    user.kgents(&["agents", "--layer", "kube"]).fails(4);
    assert_eq!(user.kgents(&["agents", "--layer", "ghost"]).code, Some(3));
    assert!(user.kgents(&["agents", "--layer", "grpc"]).fails(4).contains("kgents cortex serve"));
    // What changes something goes to the API server or nowhere.
    user.kgents(&["signal", "emit", "WARNING", "hello"]).fails(4);
}

fn what_is_hung_costs_no_more_than_its_budget(own: Own) {
    let garden = Garden::new(own.start_with_crds(), &[agent("a-gent", "B")]);
    let socket = garden.user.path("hung.sock");
    let _hung = silent_socket(&socket);
    let user = garden.user.var("KGENTS_CORTEX", format!("unix:{}", socket.display()));
    // Twice the budget, for a machine that is busy with other tests.
    let within = |limit: Duration, args: &[&str], code: i32| {
        let began = Instant::now();
        let ran = user.kgents(args);
        let took = began.elapsed();
        assert_eq!(ran.code, Some(code), "{ran}");
        assert!(took < limit, "{took:?} is too long\n{ran}");
        ran
    };
    // The Cortex hangs and the API server answers.
    within(Duration::from_millis(1_200), &["status"], 0);
    garden.gate.set(Mode::Hung);
    let ran = within(Duration::from_millis(1_200), &["status"], 3);
    assert!(ran.stderr.contains("did not answer within"), "{ran}");
    let ran = within(Duration::from_millis(2_500), &["agents", "--request-timeout", "1s"], 3);
    assert!(ran.stdout.contains("a-gent"), "{ran}");
    std::fs::remove_dir_all(user.path(".kgents/ghost")).unwrap();
    within(Duration::from_millis(1_200), &["status"], 4);
    // Who refuses the connection is not waited for.
    garden.gate.set(Mode::Closed);
    within(Duration::from_millis(1_200), &["agents"], 4);
}

fn one_context_is_never_shown_as_another(own: Own) {
    let garden = Garden::new(own.start_with_crds(), &[agent("a-gent", "B")]);
    let user = &garden.user;
    user.kgents(&["status"]).ok();
    let text = std::fs::read_to_string(user.path("kubeconfig")).unwrap();
    let other = user.file("other", &text.replace("terrarium-test", "elsewhere"));
    garden.gate.set(Mode::Closed);
    assert_eq!(user.kgents(&["agents"]).code, Some(3));
    let ran = user.kgents(&["agents", "--kubeconfig", other.to_str().unwrap()]);
    assert!(ran.code == Some(4) && !ran.stdout.contains("a-gent"), "{ran}");
    // A Cortex that looks at another cluster does not speak for this one.
    garden.gate.set(Mode::Open);
    let _cortex = garden.cortex();
    let ran = user.kgents(&["status", "--json", "--kubeconfig", other.to_str().unwrap()]);
    assert_eq!(ran.json()["layer"], "kube");
    let ran = user.kgents(&["status", "--layer", "grpc", "--kubeconfig", other.to_str().unwrap()]);
    assert!(ran.fails(4).contains("looks at terrarium-test, not at elsewhere"));
    // And each has a tree of its own from then on.
    assert!(user.path(".kgents/ghost/contexts/elsewhere/agents/_index.json").is_file());
}

fn with_nothing_at_all_each_layer_says_why() {
    let user = crate::support::user::User::new();
    let said = user.kgents(&["agents"]).fails(4);
    for words in ["no kubeconfig", "no Cortex listens at", "the Ghost in", "hint: "] {
        assert!(said.contains(words), "{words}:\n{said}");
    }
    let status: Value = serde_json::from_str(&user.kgents(&["status", "--json"]).stdout).unwrap();
    assert_eq!(status["layer"], Value::Null);
    let layers: Vec<_> =
        status["layers"].as_array().unwrap().iter().map(|layer| (&layer["layer"], &layer["up"])).collect();
    assert_eq!(json!(layers), json!([["grpc", false], ["kube", false], ["ghost", false]]), "{status}");
}
