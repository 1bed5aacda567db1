//! `kgents signal`: what is emitted is sensed, and what has faded is not.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::pheromone;
use crate::support::place::Place;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        what_is_emitted_is_what_kubectl_and_sense_tell,
        what_is_not_said_is_left_to_the_reader,
        what_has_faded_is_gone_also_when_it_is_read,
        sensing_chooses_by_type_source_target_and_strength,
        what_the_api_server_refuses_is_said,
    ]
}

/// The names of what a list holds.
fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items.map(|item| item["object"]["metadata"]["name"].as_str().unwrap()).collect()
}

fn what_is_emitted_is_what_kubectl_and_sense_tell(place: &Place) {
    let began = Timestamp::now() - SignedDuration::from_secs(1);
    let emitted = place
        .kgents(&[
            "signal",
            "emit",
            "scarcity",
            r#"{"tokens": 12}"#,
            "--source",
            "b-gent",
            "--target",
            "n-gent",
            "--intensity",
            "0.8",
            "--half-life",
            "90s",
            "--ttl",
            "1h",
            "--name",
            "few-tokens",
            "-o",
            "json",
        ])
        .json();
    let spec = place.get("pheromone", "few-tokens")["spec"].clone();
    let mut expected = json!({
        "type": "SCARCITY", "source": "b-gent", "target": "n-gent", "initialIntensity": 0.8,
        "halfLifeMinutes": 1.5, "ttlSeconds": 3600, "payload": { "tokens": 12 },
    });
    expected["emittedAt"] = spec["emittedAt"].clone();
    assert_eq!(spec, expected);
    let at: Timestamp = spec["emittedAt"].as_str().unwrap().parse().unwrap();
    assert!(at >= began && at <= Timestamp::now(), "{at}");
    assert_eq!(emitted["object"]["spec"], spec);

    let sensed = place.kgents(&["signal", "sense", "--json"]).json();
    assert_eq!(names(&sensed), ["few-tokens"]);
    let intensity = sensed["items"][0]["intensity"].as_f64().unwrap();
    assert!(intensity > 0.0 && intensity <= 0.8, "{intensity}");
    let table = place.kgents(&["signal", "sense"]).ok();
    assert!(table.contains("few-tokens") && table.contains("SCARCITY") && table.contains("1.5m"), "{table}");
}

fn what_is_not_said_is_left_to_the_reader(place: &Place) {
    let said = place.kgents(&["signal", "emit", "DREAM", "of sheep"]).ok();
    let name = said.split_whitespace().next().unwrap().strip_prefix("pheromone.kgents.io/").unwrap().to_owned();
    assert!(name.starts_with("dream-"), "{said}");
    for words in ["emitted in", &place.namespace, "by tester", "for everyone", "1.00", "halves each 2h"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let spec = place.get("pheromone", &name)["spec"].clone();
    let fields: Vec<&String> = spec.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["emittedAt", "payload", "source", "type"], "defaults are not written down: {spec}");
}

fn what_has_faded_is_gone_also_when_it_is_read(place: &Place) {
    let mut tiny = pheromone("tiny", "WARNING", 0);
    tiny["spec"]["halfLifeMinutes"] = json!(1e-300);
    let mut ended = pheromone("ended", "DREAM", 10);
    ended["spec"]["ttlSeconds"] = json!(60);
    let mut nothing = pheromone("nothing", "WARNING", 0);
    nothing["spec"]["initialIntensity"] = json!(0);
    place.apply(&[pheromone("fresh", "WARNING", 0), pheromone("faded", "WARNING", 40), tiny, ended, nothing]);
    let there = place.kubectl(&["get", "ph", "-o", "name"]).ok();
    assert_eq!(there.lines().count(), 5, "{there}");
    for command in [&["pheromones", "--json"][..], &["signal", "sense", "--json"]] {
        assert_eq!(names(&place.kgents(command).json()), ["fresh"], "{command:?}");
    }
}

fn sensing_chooses_by_type_source_target_and_strength(place: &Place) {
    let with = |name: &str, type_: &str, minutes: i64, source: &str, target: Option<&str>| {
        let mut object = pheromone(name, type_, minutes);
        object["spec"]["source"] = source.into();
        if let Some(target) = target {
            object["spec"]["target"] = target.into();
        }
        object
    };
    place.apply(&[
        with("loud", "DREAM", 0, "a-gent", None),
        with("quiet", "DREAM", 360, "b-gent", None),
        with("mine", "STATE", 0, "a-gent", Some("n-gent")),
        with("theirs", "STATE", 1, "b-gent", Some("t-gent")),
    ]);
    for (flags, expected) in [
        (&[][..], &["loud", "mine", "theirs", "quiet"][..]),
        (&["--type", "dream"], &["loud", "quiet"]),
        (&["--type", "DREAM", "--type", "STATE"], &["loud", "mine", "theirs", "quiet"]),
        (&["--source", "b-gent"], &["theirs", "quiet"]),
        (&["--target", "n-gent"], &["loud", "mine", "quiet"]),
        (&["--above", "0.5"], &["loud", "mine", "theirs"]),
        (&["--above", "0.5", "--type", "DREAM", "--source", "b-gent"], &[]),
    ] {
        let sensed = place.kgents(&[&["signal", "sense", "--json"], flags].concat()).json();
        let mut sorted = names(&sensed);
        let mut expected = expected.to_vec();
        // Which of two new ones is stronger depends on when the seconds tick.
        sorted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(sorted, expected, "{flags:?}");
        let strengths: Vec<f64> =
            sensed["items"].as_array().unwrap().iter().map(|item| item["intensity"].as_f64().unwrap()).collect();
        assert!(strengths.is_sorted_by(|a, b| a >= b), "the strongest first: {strengths:?}");
    }
}

fn what_the_api_server_refuses_is_said(place: &Place) {
    let ran = place.kgents(&["signal", "emit", "WARNING", "--name", "Not A Name", "--json"]);
    assert_eq!(ran.stdout, "", "{ran}");
    let stderr = ran.fails(1);
    assert!(stderr.starts_with("error: ") && stderr.contains("Not A Name"), "{stderr}");
    let twice = ["signal", "emit", "WARNING", "--name", "twice"];
    place.kgents(&twice).ok();
    let stderr = place.kgents(&twice).fails(1);
    assert!(stderr.contains("already exists"), "{stderr}");
    let stderr = place.kgents(&["signal", "emit", "WARNING", "-n", "no-such-namespace"]).fails(1);
    assert!(stderr.contains("no-such-namespace"), "{stderr}");
}
