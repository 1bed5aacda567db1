//! Where everything stands, to the letter, and when it is written.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use kgents_core::freshness::{Area, Freshness};
use kgents_store::bus::Rung;
use kgents_store::watch::{Link, Scene};
use kgents_store::{Batch, Control, Kind, Layer, Object, WatchState};
use serde_json::{Value, json};
use tempfile::tempdir;

use super::super::testing::{
    agent, at, files, garden, gone, json_of, object, pheromone, proposal, take, tell, terrarium, thought, watch,
};
use super::super::{Ghost, Memory, write_once};

/// What is remembered, for comparison.
fn known(memory: &Memory) -> BTreeMap<(Kind, String), (String, Value)> {
    memory
        .kinds
        .iter()
        .flat_map(|(kind, remembered)| {
            remembered.objects.iter().map(|object| {
                let unreadable = if matches!(object.object, Object::Unreadable(_)) { "unreadable " } else { "" };
                let version = format!("{unreadable}{}", object.resource_version);
                ((*kind, object.key.to_string()), (version, object.object.to_json()))
            })
        })
        .collect()
}

#[test]
fn every_file_has_its_place_and_its_envelope() {
    let folder = tempdir().unwrap();
    let mut terrarium = terrarium("garden", garden());
    let thoughts = vec![thought(1, "one\nand a half"), thought(2, "two")];
    terrarium.apply(Batch { thoughts, ..Batch::default() }, at(3));
    let written = write_once(folder.path(), &terrarium, at(10)).unwrap();
    let expected = [
        "_meta/lock",
        "_meta/stability_score.json",
        "_meta/sync.json",
        "agents/_index.json",
        "agents/b-gent.json",
        "agents/d-gent.json",
        "agents/odd.json",
        "agents/team.b-gent.json",
        "cluster/status.json",
        "pheromones/active.json",
        "pheromones/by_type/DREAM.json",
        "pheromones/by_type/WARNING.json",
        "proposals/merged.json",
        "proposals/pending.json",
        "proposals/rejected.json",
        "thoughts/recent.jsonl",
    ];
    assert_eq!(files(folder.path()), expected);
    assert_eq!((written.path.as_path(), written.left.len(), written.removed), (folder.path(), 0, 0));
    let entries: Vec<_> = written.areas.iter().map(|area| (area.area.as_str(), area.entries)).collect();
    let counts = [("agents", 4), ("pheromones", 3), ("proposals", 4), ("cluster", 4), ("thoughts", 4)];
    assert_eq!(entries, counts, "two thoughts were sent, and two objects that cannot be read were told");

    let text = fs::read_to_string(folder.path().join("agents/b-gent.json")).unwrap();
    let head = "{\n  \"schema\": 1,\n  \"area\": \"agents\",\n  \"source\": \"kube\",\n  \"context\": \"garden\",\n  \
                \"as_of\": \"2027-01-15T08:00:10Z\",\n  \"resource_version\": \"7\",\n  \"data\": {\n    \
                \"apiVersion\": \"kgents.io/v1\",\n";
    assert!(text.starts_with(head), "{text}");
    assert!(text.ends_with("\n}\n"), "{text}");
    assert!(text.contains("\n      \"name\": \"b-gent\",\n"), "grep finds it: {text}");

    let of = |file: &str| json_of(&folder.path().join(file));
    assert_eq!(
        of("agents/_index.json")["data"]["agents"][3],
        json!({
            "namespace": "team", "name": "b-gent", "genus": "B", "phase": "Running",
            "file": "team.b-gent.json", "resource_version": "9",
        })
    );
    assert_eq!(of("agents/_index.json")["resource_version"], "10");
    let names = |file: &str| -> Vec<String> {
        let items = of(file)["data"]["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("pheromones/active.json"), ["idea", "smoke", "strange"], "the faded one is left out");
    assert_eq!(names("pheromones/by_type/WARNING.json"), ["smoke"]);
    assert_eq!(names("proposals/pending.json"), ["open"]);
    assert_eq!(names("proposals/rejected.json"), ["agreed"]);
    assert_eq!(names("proposals/merged.json"), ["done", "undone"]);
    let cluster = &of("cluster/status.json")["data"];
    assert_eq!((&cluster["server"], &cluster["version"]), (&json!("https://garden:6443"), &json!("v1.34.1")));
    assert_eq!(cluster["pods"]["as_of"], "2027-01-15T08:00:10Z");
    assert_eq!(
        (&cluster["pods"]["items"][0]["name"], &cluster["pods"]["items"][0]["phase"]),
        (&json!("b-gent-x-1"), &json!("Running"))
    );
    assert_eq!(cluster["deployments"]["items"][0]["wanted"], 2);
    assert_eq!(cluster["umwelts"]["items"][0]["metadata"]["name"], "b-umwelt");
    let lines = fs::read_to_string(folder.path().join("thoughts/recent.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 4);
    assert!(lines.lines().all(|line| line.starts_with("{\"seq\":")), "{lines}");
    let sync = &of("_meta/sync.json")["data"];
    assert_eq!((&sync["context"], &sync["areas"]["agents"]["entries"]), (&json!("garden"), &json!(4)));
    assert_eq!(sync["history"]["agents"], json!([{ "at": "2027-01-15T08:00:10Z", "ok": true, "changed": 0 }]));
    assert_eq!(sync["writer"]["pid"], json!(std::process::id()));
    assert_eq!(of("_meta/stability_score.json")["data"]["agents"], json!(1.0));
    assert_eq!(fs::read(folder.path().join("_meta/lock")).unwrap(), b"", "nobody holds it");
}

#[test]
fn what_was_written_is_read_again() {
    let folder = tempdir().unwrap();
    let strange = "日本語 👩‍👩‍👧 e\u{301} \u{1b}[2J \u{202e} \"quotes\" \\ \u{7f}\ttab\nline";
    let mut changes = garden();
    changes.push(object(
        Kind::Agent,
        "kgents-agents",
        "wide",
        40,
        &json!({ "spec": { "genus": "N", "instructions": strange, "config": { "k": strange } } }),
    ));
    changes.push(object(Kind::Agent, "日本", "ünï/cødé", 41, &json!({ "spec": { "genus": "N" } })));
    let mut terrarium = terrarium("garden", changes);
    terrarium.apply(Batch { thoughts: vec![thought(1, strange).cleaned()], ..Batch::default() }, at(3));
    write_once(folder.path(), &terrarium, at(10)).unwrap();
    let memory = Ghost::of(folder.path(), "garden").read_at(None, at(20)).0;
    assert_eq!(memory.problems, []);
    let mut expected = BTreeMap::new();
    for (key, agent) in terrarium.agents() {
        let object = Object::Agent(agent.held.object.clone());
        expected.insert((Kind::Agent, key.to_string()), (agent.held.resource_version.clone(), object.to_json()));
    }
    let found: BTreeMap<_, _> =
        known(&memory).into_iter().filter(|((kind, key), _)| *kind == Kind::Agent && !key.ends_with("odd")).collect();
    assert_eq!(found, expected);
    let all = known(&memory);
    assert_eq!(all[&(Kind::Agent, "kgents-agents/odd".to_owned())].0, "unreadable 10");
    assert_eq!(all[&(Kind::Pheromone, "kgents-agents/strange".to_owned())].0, "unreadable 4");
    assert_eq!(all[&(Kind::Pod, "kgents-agents/b-gent-x-1".to_owned())].1["agent"], "b-gent");
    let counts: Vec<_> = memory.kinds.iter().map(|(kind, kept)| (*kind, kept.objects.len())).collect();
    let expected = [
        (Kind::Agent, 6),
        (Kind::Pheromone, 3),
        (Kind::Proposal, 4),
        (Kind::Memory, 1),
        (Kind::Umwelt, 1),
        (Kind::Deployment, 1),
        (Kind::Pod, 1),
    ];
    assert_eq!(counts, expected);
    assert!(memory.kinds.values().all(|kept| kept.as_of == at(10)));
    assert_eq!(memory.thoughts.len(), terrarium.thoughts().len());
    let texts =
        |thoughts: &[kgents_store::Thought]| -> Vec<String> { thoughts.iter().map(|t| t.text.to_string()).collect() };
    let said: Vec<_> = terrarium.thoughts().iter().cloned().collect();
    let mut expected = texts(&said);
    let mut found = texts(&memory.thoughts);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!((memory.thoughts_as_of, memory.source), (Some(at(10)), Some(Layer::Kube)));
    let scene = Scene { context: "garden".into(), server: "https://garden:6443".into(), namespace: None };
    assert_eq!(memory.scene, scene);

    let team = Ghost::of(folder.path(), "garden").read_at(Some("team"), at(20)).0;
    assert_eq!(known(&team).into_keys().map(|(_, key)| key).collect::<Vec<_>>(), ["team/b-gent"]);
    assert_eq!((team.thoughts.len(), team.scene.namespace.as_deref()), (0, Some("team")));
    assert_eq!(team.kinds[&Kind::Pod].as_of, at(10), "that there is none is known too");
}

fn inode(path: &Path) -> u64 {
    path.metadata().unwrap().ino()
}

#[test]
fn only_agents_that_changed_are_written_and_those_that_are_gone_go() {
    let folder = tempdir().unwrap();
    let of = |name: &str| folder.path().join("agents").join(format!("{name}.json"));
    let mut terrarium = terrarium("garden", vec![agent("a", 1), agent("b", 1), agent("c", 1)]);
    write_once(folder.path(), &terrarium, at(0)).unwrap();
    let before = ["a", "b", "c"].map(|name| inode(&of(name)));
    fs::write(folder.path().join("agents/notes.json"), "{}").unwrap();
    fs::write(folder.path().join("agents/README"), "mine").unwrap();
    take(&mut terrarium, vec![agent("b", 2), gone(Kind::Agent, "c"), agent("d", 1)]);
    let written = write_once(folder.path(), &terrarium, at(60)).unwrap();
    assert_eq!(written.areas[0].changed, 3);
    assert_eq!(written.removed, 1);
    assert_eq!(inode(&of("a")), before[0], "it did not change");
    assert_ne!(inode(&of("b")), before[1]);
    assert!(!of("c").exists());
    let memory = Ghost::of(folder.path(), "garden").read_at(None, at(60)).0;
    assert_eq!(memory.kinds[&Kind::Agent].as_of, at(60), "the index says how old all of them are");
    assert_eq!(memory.kinds[&Kind::Agent].objects.len(), 3);
    let left: Vec<_> = files(&folder.path().join("agents"));
    assert_eq!(left, ["README", "_index.json", "a.json", "b.json", "d.json", "notes.json"], "notes of others stay");
    // What somebody broke is made whole by the next sync.
    fs::write(of("a"), "{\n  \"schema\": 1,\n  \"area\": \"agents\",\n  \"sour").unwrap();
    assert_eq!(write_once(folder.path(), &terrarium, at(120)).unwrap().areas[0].changed, 1);
    assert_eq!(Ghost::of(folder.path(), "garden").read_at(None, at(120)).0.problems, []);
}

#[test]
fn what_is_not_live_is_left_as_it_stands() {
    let folder = tempdir().unwrap();
    let mut terrarium = terrarium("garden", garden());
    write_once(folder.path(), &terrarium, at(0)).unwrap();
    let before = known(&Ghost::of(folder.path(), "garden").read_at(None, at(1)).0);
    let failing = |error: &str| WatchState::Failing { since: at(5), error: error.to_owned() };
    tell(&mut terrarium, watch(Kind::Agent, failing("refused")));
    tell(&mut terrarium, watch(Kind::Memory, failing("gone")));
    take(
        &mut terrarium,
        vec![gone(Kind::Agent, "b-gent"), gone(Kind::Memory, "b-memory"), gone(Kind::Umwelt, "b-umwelt")],
    );
    let written = write_once(folder.path(), &terrarium, at(60)).unwrap();
    assert_eq!(written.left, [(Area::Agents, "refused".to_owned())]);
    let memory = Ghost::of(folder.path(), "garden").read_at(None, at(60)).0;
    let mut expected = before.clone();
    expected.remove(&(Kind::Umwelt, "kgents-agents/b-umwelt".to_owned()));
    assert_eq!(known(&memory), expected, "of the cluster only what is live was written");
    let as_of = |kind| memory.kinds[&kind].as_of;
    assert_eq!(
        (as_of(Kind::Agent), as_of(Kind::Memory), as_of(Kind::Pod), as_of(Kind::Umwelt)),
        (at(0), at(0), at(60), at(60))
    );
    let status = Ghost::of(folder.path(), "garden").status(at(200));
    let agents = &status.areas[0];
    assert_eq!((agents.error.as_deref(), agents.freshness), (Some("refused"), Some(Freshness::Old)));
    assert!((agents.stability - 0.5).abs() < 1e-9, "{}", agents.stability);

    let down = Link::Down { since: at(61), error: "no route".into(), hint: String::new() };
    let rung = Rung { address: String::new(), link: down, notes: Vec::new() };
    tell(&mut terrarium, Control::Rung(Layer::Kube, rung));
    let text = fs::read_to_string(folder.path().join("_meta/sync.json")).unwrap();
    let written = write_once(folder.path(), &terrarium, at(120)).unwrap();
    assert_eq!((written.areas.len(), written.left.len()), (0, 5));
    assert_eq!(written.left[0].1, "no route");
    assert_eq!(fs::read_to_string(folder.path().join("_meta/sync.json")).unwrap(), text);
}

#[test]
fn a_window_on_one_namespace_writes_nothing_and_nor_does_the_ghost_itself() {
    let folder = tempdir().unwrap();
    let place = folder.path().join("ghost");
    let mut terrarium = terrarium("garden", garden());
    let all = terrarium.scene().clone();
    tell(&mut terrarium, Control::Scene(Scene { namespace: Some("team".to_owned()), ..all.clone() }));
    let written = write_once(&place, &terrarium, at(0)).unwrap();
    assert_eq!(written.left[0].1, "only namespace team is looked at, and the Ghost holds all");
    tell(&mut terrarium, Control::Scene(Scene::default()));
    assert_eq!(write_once(&place, &terrarium, at(0)).unwrap().left[0].1, "no cluster is looked at yet");
    tell(&mut terrarium, Control::Scene(all));
    tell(&mut terrarium, Control::Speaks(Some(Layer::Ghost)));
    assert_eq!(write_once(&place, &terrarium, at(0)).unwrap().left.len(), 5);
    assert!(!place.exists(), "not even a folder");
}

#[test]
fn proposals_and_pheromones_move_between_files_and_thoughts_are_added() {
    let folder = tempdir().unwrap();
    let mut terrarium = terrarium("garden", vec![proposal("p", 1, "Pending"), pheromone("w", "WARNING", 0)]);
    terrarium.apply(Batch { thoughts: vec![thought(1, "first")], ..Batch::default() }, at(1));
    write_once(folder.path(), &terrarium, at(1)).unwrap();
    take(&mut terrarium, vec![proposal("p", 2, "Merged"), gone(Kind::Pheromone, "w"), pheromone("d", "DREAM", 0)]);
    write_once(folder.path(), &terrarium, at(2)).unwrap();
    let by_type = files(&folder.path().join("pheromones/by_type"));
    assert_eq!(by_type, ["DREAM.json"]);
    assert_eq!(json_of(&folder.path().join("proposals/pending.json"))["data"], json!({ "items": [] }));
    // Another process that heard nothing of the first thought.
    let mut other = super::super::testing::terrarium("garden", vec![]);
    other.apply(Batch { thoughts: vec![thought(2, "second"), thought(1, "first")], ..Batch::default() }, at(1));
    write_once(folder.path(), &other, at(3)).unwrap();
    let memory = Ghost::of(folder.path(), "garden").read_at(None, at(3)).0;
    let said: Vec<_> = memory.thoughts.iter().map(|thought| (thought.seq, &*thought.text)).collect();
    assert!(said.contains(&(1, "first")), "it keeps its number: {said:?}");
    assert_eq!(said.iter().filter(|(_, text)| *text == "first").count(), 1);
    assert!(said.iter().any(|(_, text)| *text == "second"));
    // A thousand at most, the newest.
    let many = (0..1_500).map(|second| thought(10 + second, "many")).collect();
    other.apply(Batch { thoughts: many, ..Batch::default() }, at(2_000));
    write_once(folder.path(), &other, at(2_000)).unwrap();
    let memory = Ghost::of(folder.path(), "garden").read_at(None, at(2_000)).0;
    assert_eq!((memory.thoughts.len(), memory.thoughts.last().unwrap().at), (1_000, at(1_509)));
}

#[test]
fn the_status_of_a_tree_that_is_not_there_says_so() {
    let folder = tempdir().unwrap();
    let ghost = Ghost::of(&folder.path().join("none"), "garden");
    let status = ghost.status(at(0));
    assert!(!status.exists && status.problems.is_empty() && status.holder.is_none() && status.last_sync.is_none());
    assert_eq!(status.areas.len(), Area::ALL.len());
    write_once(folder.path(), &terrarium("garden", garden()), at(0)).unwrap();
    let status = Ghost::of(folder.path(), "garden").status(at(40));
    assert_eq!((status.exists, status.context.as_deref(), status.last_sync), (true, Some("garden"), Some(at(0))));
    let agents = serde_json::to_value(&status.areas[0]).unwrap();
    assert_eq!(
        (&agents["area"], &agents["age_seconds"], &agents["freshness"]),
        (&json!("agents"), &json!(40), &json!("FRESH"))
    );
    assert_eq!(agents["entries"], 4);
    assert!(agents["bytes"].as_u64().unwrap() > 1_000);
}
