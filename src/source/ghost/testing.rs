//! What the tests share.

use std::path::Path;

use jiff::Timestamp;
use kgents_store::bus::Rung;
use kgents_store::object::decode;
use kgents_store::thought::{Origin, Severity};
use kgents_store::watch::{Link, Scene, Watch};
use kgents_store::{Batch, Change, Control, Key, Kind, Layer, Novelty, Terrarium, Thought, WatchState};
use serde_json::{Value, json};

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

pub(super) fn raw(kind: Kind, namespace: &str, name: &str, version: u64, rest: &Value) -> Value {
    let mut json = json!({
        "apiVersion": "kgents.io/v1", "kind": kind.as_str(),
        "metadata": {
            "namespace": namespace, "name": name, "uid": format!("uid-{name}"), "resourceVersion": version.to_string(),
        },
    });
    for (key, value) in rest.as_object().unwrap() {
        if key == "labels" {
            json["metadata"]["labels"] = value.clone();
        } else {
            json[key] = value.clone();
        }
    }
    json
}

pub(super) fn object(kind: Kind, namespace: &str, name: &str, version: u64, rest: &Value) -> Change {
    let now = decode(kind, &raw(kind, namespace, name, version, rest).to_string()).unwrap();
    Change { kind, key: now.key.clone(), now: Some(now), novelty: Novelty::Initial }
}

pub(super) fn agent_in(namespace: &str, name: &str, version: u64) -> Change {
    let rest = json!({
        "spec": { "genus": "B", "instructions": format!("version {version} of {name}") },
        "status": { "phase": "Running" },
    });
    object(Kind::Agent, namespace, name, version, &rest)
}

pub(super) fn agent(name: &str, version: u64) -> Change {
    agent_in("kgents-agents", name, version)
}

pub(super) fn pheromone(name: &str, type_: &str, emitted: i64) -> Change {
    let spec = json!({ "type": type_, "source": "b-gent", "emittedAt": at(emitted).to_string() });
    object(Kind::Pheromone, "kgents-agents", name, 5, &json!({ "spec": spec }))
}

pub(super) fn proposal(name: &str, version: u64, phase: &str) -> Change {
    let rest = json!({
        "spec": {
            "changeType": "AGENT_SCALE", "proposer": "b-gent",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "b-gent" },
            "patch": { "type": "merge", "content": { "spec": { "replicas": 5 } } },
        },
        "status": { "phase": phase },
    });
    object(Kind::Proposal, "kgents-agents", name, version, &rest)
}

pub(super) fn gone(kind: Kind, name: &str) -> Change {
    Change { kind, key: Key::new("kgents-agents", name), now: None, novelty: Novelty::News }
}

pub(super) fn thought(second: i64, text: &str) -> Thought {
    Thought {
        seq: 0,
        at: at(second),
        who: "b-gent".into(),
        kind: Kind::Agent,
        key: Key::new("kgents-agents", "b-gent"),
        about: None,
        origin: Origin::Event,
        severity: Severity::Info,
        text: text.into(),
    }
}

pub(super) fn scene(context: &str) -> Control {
    Control::Scene(Scene { context: context.to_owned(), server: "https://garden:6443".to_owned(), namespace: None })
}

pub(super) fn watch(kind: Kind, state: WatchState) -> Control {
    Control::Watch(kind, Watch { state, as_of: None, refused: Vec::new() })
}

/// All that a live API server makes the sources say.
pub(super) fn live(context: &str) -> Vec<Control> {
    let link = Link::Up { version: "v1.34.1".to_owned() };
    let rung = Rung { address: "https://garden:6443".to_owned(), link, notes: Vec::new() };
    let mut all = vec![scene(context), Control::Rung(Layer::Kube, rung), Control::Speaks(Some(Layer::Kube))];
    all.extend(Kind::ALL.map(|kind| watch(kind, WatchState::Live)));
    all
}

/// A terrarium that is followed live.
pub(super) fn terrarium(context: &str, changes: Vec<Change>) -> Terrarium {
    let mut terrarium = Terrarium::keeping(1_000);
    terrarium.apply(Batch { control: live(context), changes, ..Batch::default() }, at(0));
    terrarium
}

pub(super) fn take(terrarium: &mut Terrarium, changes: Vec<Change>) {
    terrarium.apply(Batch { changes, ..Batch::default() }, at(0));
}

pub(super) fn tell(terrarium: &mut Terrarium, control: Control) {
    terrarium.apply(Batch { control: vec![control], ..Batch::default() }, at(0));
}

/// A bit of everything.
pub(super) fn garden() -> Vec<Change> {
    let labels = json!({ "kgents.io/agent": "b-gent" });
    let ns = "kgents-agents";
    vec![
        agent("b-gent", 7),
        agent("d-gent", 8),
        agent_in("team", "b-gent", 9),
        object(Kind::Agent, ns, "odd", 10, &json!({ "spec": { "genus": "ZZ" } })),
        pheromone("smoke", "WARNING", 0),
        pheromone("idea", "DREAM", 0),
        pheromone("faded", "WARNING", -1_000_000),
        object(Kind::Pheromone, ns, "strange", 4, &json!({ "spec": { "type": "SMELL", "source": "x" } })),
        proposal("open", 20, "Pending"),
        proposal("agreed", 21, "Approved"),
        proposal("done", 22, "Merged"),
        proposal("undone", 23, "RolledBack"),
        object(Kind::Memory, ns, "b-memory", 30, &json!({ "spec": { "owner": "b-gent", "type": "VECTOR" } })),
        object(Kind::Umwelt, ns, "b-umwelt", 31, &json!({ "spec": { "agent": "b-gent" } })),
        object(Kind::Deployment, ns, "b-gent", 32, &json!({ "labels": labels, "spec": { "replicas": 2 } })),
        object(Kind::Pod, ns, "b-gent-x-1", 33, &json!({ "labels": labels, "status": { "phase": "Running" } })),
    ]
}

/// The JSON of a file.
pub(super) fn json_of(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every file of a tree, by its path within it.
pub(super) fn files(tree: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(tree).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

pub(super) fn is_root() -> bool {
    rustix::process::getuid().is_root()
}
