use kgents_store::Rung;
use kgents_store::bus::Control;
use kgents_store::watch::Watch;

use super::*;
use crate::testing::{agent, change, live, noon, proposal, scene, terrarium, text, up};

fn state(kind: Kind, state: WatchState) -> Control {
    Control::Watch(kind, Watch { state, ..Watch::default() })
}

fn whole() -> Terrarium {
    let mut control: Vec<Control> = Kind::ALL.into_iter().map(live).collect();
    control.extend(up());
    control.push(scene());
    let changes = vec![
        change(Kind::Agent, &agent("kgents-agents", "b-gent", "Running"), true),
        change(Kind::Agent, &agent("kgents-agents", "c-gent", "Failed"), true),
        change(Kind::Proposal, &proposal("kgents-agents", "b-gent-scale"), true),
    ];
    terrarium(control, changes)
}

fn json(terrarium: &Terrarium) -> Value {
    serde_json::to_value(answer(terrarium, noon())).unwrap()
}

fn fields(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

fn page(terrarium: &Terrarium) -> String {
    let mut out = Vec::new();
    page::write(&mut out, terrarium, noon()).unwrap();
    text(out)
}

#[test]
fn the_answer_is_what_the_contract_says() {
    let answer = json(&whole());
    assert_eq!(fields(&answer), ["as_of", "attention", "counts", "freshness", "layer", "layers"]);
    assert_eq!((answer["layer"].as_str(), answer["freshness"].as_str()), (Some("kube"), Some("FRESH")));
    assert_eq!(answer["as_of"], "2026-01-01T12:00:00Z");
    let words: Vec<_> =
        answer["layers"].as_array().unwrap().iter().map(|layer| (&layer["layer"], &layer["up"])).collect();
    assert_eq!(serde_json::json!(words), serde_json::json!([["grpc", null], ["kube", true], ["ghost", null]]));
    let layer = &answer["layers"][1];
    assert_eq!(layer["address"], "https://127.0.0.1:6443");
    assert_eq!(layer["context"], "test");
    assert_eq!((layer["up"].as_bool(), layer["version"].as_str()), (Some(true), Some("v1.36.3")));
    assert_eq!(layer["kinds"].as_array().unwrap().len(), Kind::ALL.len());
    assert_eq!(layer["kinds"][0]["kind"], "Agent");
    assert_eq!(layer["kinds"][0]["state"], "live");
    let counts = &answer["counts"];
    assert_eq!((counts["agents"].as_u64(), counts["pheromones"].as_u64()), (Some(2), Some(0)));
    assert_eq!(counts["agents_by_phase"], serde_json::json!({ "Failed": 1, "Running": 1 }));
    assert_eq!(counts["proposals_open"], 1);
    let needs: Vec<_> =
        answer["attention"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!(needs, ["c-gent", "b-gent-scale"]);
    assert_eq!(code_of(&whole()), Code::Ok);
}

#[test]
fn what_could_not_be_read_is_null_and_not_zero() {
    let forbidden = WatchState::Forbidden { verb: "list".into(), resource: "agents.kgents.io".into(), namespace: None };
    let mut control = vec![scene(), state(Kind::Agent, forbidden), state(Kind::Umwelt, WatchState::Missing)];
    control.push(live(Kind::Proposal));
    control.extend(up());
    let terrarium = terrarium(control, Vec::new());
    let counts = json(&terrarium)["counts"].clone();
    assert_eq!((&counts["agents"], &counts["agents_by_phase"]), (&Value::Null, &Value::Null));
    assert_eq!((&counts["proposals"], &counts["proposals_open"]), (&serde_json::json!(0), &serde_json::json!(0)));
    assert_eq!(code_of(&terrarium), Code::Ok);
    let page = page(&terrarium);
    assert!(page.contains("Agents          —\n"), "{page}");
    assert!(page.contains("agents: you are not allowed to list agents.kgents.io in the whole cluster"), "{page}");
    assert!(page.contains("umwelts: not installed; try: kgents crd install"), "{page}");
}

#[test]
fn missing_crds_are_a_failure_with_the_next_command() {
    let mut control: Vec<Control> = Kind::CUSTOM.into_iter().map(|kind| state(kind, WatchState::Missing)).collect();
    control.extend(up());
    control.extend([scene(), live(Kind::Pod)]);
    let terrarium = terrarium(control, Vec::new());
    assert_eq!(code_of(&terrarium), Code::Failed);
    let mut err = Vec::new();
    blind(&terrarium).report(&mut err);
    assert!(text(err).ends_with("hint: kgents crd install\n"));
    assert!(
        page(&terrarium)
            .contains("agents, pheromones, proposals, memories, umwelts: not installed; try: kgents crd install")
    );
}

#[test]
fn when_nothing_answers_nothing_is_claimed() {
    let error = SourceError::NoKubeconfig { tried: vec!["/none".into()] };
    let down = Link::Down { since: noon(), error: error.to_string(), hint: error.hint().unwrap_or_default() };
    let status = Look {
        terrarium: terrarium(
            vec![Control::Rung(Layer::Kube, Rung { address: String::new(), link: down, notes: Vec::new() })],
            Vec::new(),
        ),
        errors: std::collections::BTreeMap::new(),
        failures: vec![(Layer::Kube, error)],
        events: Vec::new(),
        now: noon(),
    };
    let answer = json(&status.terrarium);
    assert_eq!((&answer["layer"], &answer["as_of"], &answer["freshness"]), (&Value::Null, &Value::Null, &Value::Null));
    let layer = &answer["layers"][1];
    assert_eq!(layer["layer"], "kube");
    assert_eq!(
        (layer["up"].as_bool(), &layer["address"], &layer["version"]),
        (Some(false), &Value::Null, &Value::Null)
    );
    assert!(layer["error"].as_str().unwrap().contains("/none"));
    assert!(layer["hint"].is_string());
    assert_eq!(answer["counts"]["agents"], Value::Null);
    assert_eq!(answer["attention"], serde_json::json!([]));
    assert_eq!(code(&status), Code::Unreachable);
    assert_eq!(page(&status.terrarium), "Layer       nobody answers\n");
}

#[test]
fn the_page_says_what_there_is_and_who_needs_a_person() {
    let page = page(&whole());
    for line in [
        "Context     test\n",
        "Scope       all namespaces\n",
        "Layer       kube FRESH, 0s old; Kubernetes v1.36.3\n",
        "Agents          2   1 Failed, 1 Running\n",
        "Pheromones      0\n",
        "Proposals       1   1 open: 1 Pending\n",
        "Needs you (2)\n",
        "  Agent kgents-agents/c-gent: ImagePullBackOff: told by a test (30m)\n",
    ] {
        assert!(page.contains(line), "{line:?} is not in\n{page}");
    }
    assert!(!page.contains("Trouble"), "{page}");
}
