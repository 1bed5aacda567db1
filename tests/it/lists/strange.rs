//! Objects as nobody should write them: they are shown with what is wrong,
//! and the rest goes on.

use serde_json::json;

use crate::support::case::{Case, cases};
use crate::support::cluster::Own;
use crate::support::objects::{agent, condition, object, pheromone, proposal};
use crate::support::place::Place;
use crate::support::text;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        an_object_that_cannot_be_read_is_told_and_the_rest_listed,
        text_from_outside_cannot_touch_the_terminal,
        odd_times_are_converted,
    ]
}

fn an_object_that_cannot_be_read_is_told_and_the_rest_listed(own: Own) {
    let place = Place::on(own.start_with_crds(), "unreadable");
    let schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/genus";
    let looser =
        json!([{ "op": "replace", "path": schema, "value": { "x-kubernetes-preserve-unknown-fields": true } }]);
    place.cluster.kubectl(&["patch", "crd", "agents.kgents.io", "--type=json", "-p", &looser.to_string()]).ok();
    // The API server takes a moment to take on a new schema.
    eventually(SOON, "the looser schema", || {
        let ran = place.apply_text(&agent("strange", "Sigma").to_string());
        if ran.code == Some(0) { Ok(()) } else { Err(ran.to_string()) }
    });
    place.apply(&[agent("b-gent", "B"), object("Agent", "stranger", &json!({ "genus": { "is": ["none"] } }))]);

    let table = place.kgents(&["agents"]).ok();
    let row = |name: &str| table.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap_or_default();
    assert!(row("b-gent").contains('B') && !row("b-gent").contains("cannot be read"), "{table}");
    assert!(row("strange").contains("cannot be read") && row("strange").contains("Sigma"), "{table}");
    assert!(row("stranger").contains("cannot be read"), "{table}");

    let list = place.kgents(&["agents", "--json"]).json();
    let items = list["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["object"]["metadata"]["name"] == "strange").unwrap();
    assert_eq!(
        (items.len(), &found["object"]["spec"]["genus"]),
        (3, &json!("Sigma")),
        "it is printed as it is: {list}"
    );

    let page = place.kgents(&["agents", "describe", "strange"]).ok();
    assert!(page.contains("Cannot be read") && page.contains("unknown variant `Sigma`"), "{page}");
    let status = place.kgents(&["status", "--json"]).json();
    assert_eq!((&status["counts"]["agents"], &status["counts"]["unreadable"]), (&json!(1), &json!(2)), "{status}");

    let stream = place.follow(&["observe", "--plain"]);
    stream.expect_words(&["Agent", "b-gent"]);
    stream.expect_words(&["Agent", "/strange", "cannot be read"]);
    // What was strange and is put right is an agent like any other.
    place.kubectl(&["patch", "agent", "strange", "--type=merge", "-p", r#"{"spec":{"genus":"T"}}"#]).ok();
    stream.expect("the agent put right", |line| line.contains("/strange ") && !line.contains("cannot be read"));
    let status = place.kgents(&["status", "--json"]).json();
    assert_eq!((&status["counts"]["agents"], &status["counts"]["unreadable"]), (&json!(2), &json!(1)), "{status}");
}

fn text_from_outside_cannot_touch_the_terminal(place: &Place) {
    let arabic = "لأن العمل كثير";
    let mut asked = proposal("grow", "b-gent");
    asked["spec"]["reason"] = arabic.into();
    let mut loud = pheromone("loud", "WARNING", 0);
    loud["spec"]["payload"] = json!({ "text": text::HOSTILE });
    let mut hostile = condition("Ready", "False", "Broken");
    hostile["message"] = text::HOSTILE.into();
    place.apply(&[object("Agent", "b-gent", &json!({ "genus": "B", "instructions": text::HOSTILE })), asked, loud]);
    place.set_status("agent", "b-gent", &json!({ "phase": "Failed", "conditions": [hostile] }));

    for command in [
        &["agents", "-o", "wide"][..],
        &["agents", "describe", "b-gent"],
        &["agents", "-o", "json"],
        &["agents", "-o", "yaml"],
        &["pheromones", "-o", "wide"],
        &["pheromones", "describe", "loud"],
        &["proposals", "-o", "wide"],
        &["signal", "sense"],
        &["status"],
        &["observe", "--snapshot", "--size", "160x45"],
    ] {
        let printed = place.kgents(command).ok();
        assert!(printed.chars().all(text::is_harmless), "{command:?}: {printed:?}");
    }
    let page = place.kgents(&["agents", "describe", "b-gent"]).ok();
    assert!(page.contains("red ␛[31m␇"), "a sign stands where each was: {page}");
    let wide = place.kgents(&["proposals", "-o", "wide"]).ok();
    assert!(wide.contains(arabic), "{wide}");
}

fn odd_times_are_converted(place: &Place) {
    let at = |name: &str, at: &str| {
        let mut object = pheromone(name, "WARNING", 0);
        object["spec"]["emittedAt"] = at.into();
        object
    };
    let here = jiff::Timestamp::now();
    // The same moment, as a clock eight hours ahead says it.
    let elsewhere = here.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).strftime("%Y-%m-%dT%H:%M:%S+08:00");
    place.apply(&[
        at("elsewhere", &elsewhere.to_string()),
        at("epoch", "1970-01-01T00:00:00Z"),
        at("future", "2099-01-01T00:00:00Z"),
    ]);
    let list = place.kgents(&["pheromones", "--json"]).json();
    let mut strengths: Vec<(&str, f64)> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["object"]["metadata"]["name"].as_str().unwrap(), item["intensity"].as_f64().unwrap()))
        .collect();
    strengths.sort_by_key(|(name, _)| *name);
    assert_eq!(strengths.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["elsewhere", "future"], "{list}");
    for (name, strength) in strengths {
        assert!(strength > 0.8 && strength <= 1.0, "{name} was emitted just now, and has {strength}");
    }
}
