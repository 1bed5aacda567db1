//! Timelines as text, and the scripts.

use kgents_store::sanitize::is_unsafe;

use super::*;
use crate::{corrupt, cues, script, stage::Stage, stale};

#[test]
fn every_step_survives_the_way_through_text() {
    for world in all() {
        let text = world.timeline_jsonl();
        let read: Vec<Step> = text.lines().map(|line| step(line).unwrap()).collect();
        assert_eq!(read, world.timeline, "{}", world.name);
    }
}

#[test]
fn a_step_is_written_as_stated() {
    let line = r#"{"offset_ms":1500,"change":{"type":"gone","kind":"Pod","namespace":"n","name":"p"}}"#;
    let read = step(line).unwrap();
    assert_eq!(read, Step { offset_ms: 1500, change: StepChange::Gone { kind: Kind::Pod, key: Key::new("n", "p") } });
    let world = World { timeline: vec![read], ..of("empty") };
    assert_eq!(world.timeline_jsonl(), format!("{line}\n"));
    let busy = of("busy").timeline_jsonl();
    for found in [r#"{"type":"put","kind":"Agent","object":{"#, r#"{"type":"thought","thought":{"#] {
        assert!(busy.contains(found), "{found}");
    }
}

#[test]
fn hostile_lines_are_errors_in_words() {
    let deep = format!(r#"{{"offset_ms":1,"change":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let long = format!(r#"{{"offset_ms":1,"change":{{"type":"{}\u001b[2J"}}}}"#, "x".repeat(100_000));
    for line in [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        "{\"offset_ms\":-1,\"change\":{\"type\":\"gone\"}}",
        r#"{"offset_ms":99999999999,"change":{"type":"gone","kind":"Pod","namespace":"n","name":"p"}}"#,
        r#"{"offset_ms":1,"change":{"type":"put","kind":"Agent","object":{}}}"#,
        r#"{"offset_ms":1,"change":{"type":"put","kind":"Agent","object":{"metadata":{"name":""}}}}"#,
        r#"{"offset_ms":1,"change":{"type":"put","kind":"Ag\u001b[31ment","object":{"metadata":{"name":"a"}}}}"#,
        r#"{"offset_ms":1,"change":{"type":"burn"}}"#,
        r#"{"offset_ms":1,"change":{"type":"thought","thought":{"at":"yesterday"}}}"#,
        &deep,
        &long,
    ] {
        let error = step(line).unwrap_err();
        assert!(error.len() > 10 && error.len() < 2_000 && !error.contains(is_unsafe), "{error:?}");
        assert!(!error.contains('\n'), "{error:?}");
    }
    let line = r#"{"offset_ms":1,"change":{"type":"gone","kind":"Pod","namespace":"n","name":"\u001b[2J"}}"#;
    let StepChange::Gone { key, .. } = step(line).unwrap().change else { panic!() };
    assert_eq!(key.name(), "␛[2J");
}

#[test]
fn every_line_of_every_script_is_acted_out() {
    type Act = fn(&mut Stage, &Key, &str) -> bool;
    let own: Act = |stage, agent, words| busy::act(stage, agent, words) || cues::play(stage, agent, words);
    let small: Act = |stage, agent, words| words.starts_with("propose ") || cues::play(stage, agent, words);
    for (text, act) in [(busy::STORY, own), (busy::AFTER, own), (stale::STORY, small), (corrupt::STORY, small)] {
        let mut last = String::new();
        for line in script::lines(text) {
            let beat = script::Beat::read(line).unwrap_or_else(|| panic!("no line of a script: {line}"));
            let time = line.split(' ').next().unwrap();
            assert!(time >= last.as_str(), "out of order: {line}");
            time.clone_into(&mut last);
            if let Some(words) = beat.cue() {
                let mut stage = Stage::new("empty", NOW, 1, 0);
                assert!(act(&mut stage, &Key::new("n", "a"), words), "no such cue: {line}");
            }
        }
    }
}
