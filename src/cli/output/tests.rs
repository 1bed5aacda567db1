use serde_json::Value;

use super::*;
use crate::testing::{noon, text, world};

fn printed(format: Format, kind: Kind) -> String {
    let world = world();
    let keys = object::keys(&world, kind, noon());
    let mut out = Vec::new();
    list(&mut out, format, &world, kind, &keys, several_namespaces(&keys), noon()).unwrap();
    text(out)
}

fn json(kind: Kind) -> Value {
    serde_json::from_str(&printed(Format::Json, kind)).unwrap()
}

fn fields(value: &Value) -> Vec<&String> {
    value.as_object().unwrap().keys().collect()
}

#[test]
fn a_list_is_what_the_contract_says() {
    let list = json(Kind::Agent);
    assert_eq!(fields(&list), ["as_of", "freshness", "items", "layer"]);
    assert_eq!(list["layer"], "kube");
    assert_eq!(list["as_of"], "2026-01-01T12:00:00Z");
    assert_eq!(list["freshness"], "FRESH");
    let items = list["items"].as_array().unwrap();
    for item in [0, 1, 3].map(|place| &items[place]) {
        assert_eq!(fields(item), ["as_of", "freshness", "layer", "object"]);
        assert_eq!(item["object"]["kind"], "Agent");
        assert_eq!(item["object"].pointer("/metadata/managedFields"), None);
    }
    let names: Vec<_> = items.iter().map(|item| item.pointer("/object/metadata/name").unwrap()).collect();
    assert_eq!(names, ["b-gent", "c-gent", "strange", "b-gent"]);
    // What our types cannot read is there as it was sent.
    assert_eq!(items[2].pointer("/object/spec/genus").unwrap(), "ZZ");
    assert!(items[2]["error"].as_str().unwrap().contains("unknown variant"));
}

#[test]
fn pheromones_have_their_intensity_and_the_faded_are_gone() {
    let list = json(Kind::Pheromone);
    let shown: Vec<(&str, Option<f64>)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item.pointer("/object/metadata/name").unwrap().as_str().unwrap(), item["intensity"].as_f64()))
        .collect();
    assert_eq!(shown.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["strong", "weak", "timeless"]);
    assert!((shown[0].1.unwrap() - 0.870_55).abs() < 1e-4 && (shown[1].1.unwrap() - 0.25).abs() < 1e-9, "{shown:?}");
    assert_eq!(shown[2].1, None);
}

#[test]
fn yaml_says_the_same_as_json() {
    for kind in Kind::CUSTOM {
        let yaml: Value = serde_saphyr::from_str(&printed(Format::Yaml, kind)).unwrap();
        assert_eq!(yaml, json(kind));
    }
}

#[test]
fn names_are_those_of_kubectl() {
    assert_eq!(printed(Format::Name, Kind::Proposal), "proposal.kgents.io/b-gent-scale\n");
}

#[test]
fn the_agents_that_need_a_person_come_first() {
    let table = printed(Format::Table, Kind::Agent);
    let lines: Vec<&str> = table.lines().collect();
    let columns: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(columns, ["NAMESPACE", "NAME", "GENUS", "PHASE", "READY", "MIND", "WHY", "AGE"]);
    assert!(
        lines[2].starts_with("kgents-agents   b-gent    B       Running   2/2     —      asks: more work"),
        "{table}"
    );
    assert!(lines[1].contains("c-gent") && lines[1].contains("ImagePullBackOff: told by a test"), "{table}");
    assert!(lines[3].starts_with("other ") && lines[3].contains("AllReady") && lines[3].ends_with("1h"), "{table}");
    assert!(lines[4].contains("strange   cannot be read: unknown variant `ZZ`"), "{table}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn the_strongest_pheromones_come_first_and_the_broken_say_why() {
    let table = printed(Format::Table, Kind::Pheromone);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("NAME ") && lines[0].contains("GONE IN"), "{table}");
    assert!(
        lines[1].starts_with("strong     WARNING   0.87        5m          32m       o-gent   —        disk full"),
        "{table}"
    );
    assert!(lines[3].starts_with("timeless   WARNING   —"), "{table}");
    assert!(lines[3].contains("cannot fade: emittedAt is \"yesterday\""), "{table}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_risk_says_that_it_is_our_own_estimate() {
    let table = printed(Format::Table, Kind::Proposal);
    assert!(table.contains(" est."), "{table}");
    assert!(table.contains("AGENT_SCALE   Agent b-gent"), "{table}");
    let wide = printed(Format::Wide, Kind::Proposal);
    assert!(wide.lines().next().unwrap().ends_with("REASON") && wide.contains("more work"), "{wide}");
}

#[test]
fn an_empty_list_is_a_list() {
    let list = json(Kind::Memory);
    assert_eq!(list["items"], serde_json::json!([]));
    assert_eq!(printed(Format::Name, Kind::Memory), "");
}
