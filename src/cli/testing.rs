//! What the tests of several modules share.

use jiff::Timestamp;
use kgents_store::bus::{self, Bus, Change, Control, Reader};
use kgents_store::object::decode;
use kgents_store::watch::{Link, Scene, Watch, WatchState};
use kgents_store::{Kind, Layer, Novelty, Rung, Terrarium};
use serde_json::{Value, json};

/// Noon of the first day of 2026: "now" wherever a test needs one.
pub(crate) fn noon() -> Timestamp {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

fn object(kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "kgents.io/v1", "kind": kind,
        "metadata": {
            "namespace": namespace, "name": name, "uid": format!("{namespace}/{name}"), "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T11:00:00Z", "managedFields": [{ "manager": "kubectl" }],
            "labels": { "app": name },
        },
        "spec": spec,
    })
}

/// An agent with a phase.
pub(crate) fn agent(namespace: &str, name: &str, phase: &str) -> Value {
    let mut agent = object("Agent", namespace, name, &json!({ "genus": "B", "replicas": 2 }));
    agent["status"] = json!({
        "phase": phase, "readyReplicas": if phase == "Running" { 2 } else { 0 },
        "conditions": [{
            "type": "Ready", "status": if phase == "Running" { "True" } else { "False" },
            "reason": if phase == "Running" { "AllReady" } else { "ImagePullBackOff" },
            "message": "told by\na test", "lastTransitionTime": "2026-01-01T11:30:00Z",
        }],
    });
    agent
}

/// A WARNING that halves each 5 minutes.
pub(crate) fn pheromone(namespace: &str, name: &str, emitted_at: &str) -> Value {
    let spec = json!({ "type": "WARNING", "source": "o-gent", "emittedAt": emitted_at, "payload": "disk\nfull" });
    object("Pheromone", namespace, name, &spec)
}

/// A proposal to scale `b-gent`.
pub(crate) fn proposal(namespace: &str, name: &str) -> Value {
    let spec = json!({
        "changeType": "AGENT_SCALE", "proposer": "b-gent", "reason": "more work",
        "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "b-gent" },
        "patch": { "type": "merge", "content": { "spec": { "replicas": 5 } } },
    });
    object("Proposal", namespace, name, &spec)
}

/// A change from what an API server sends.
pub(crate) fn change(kind: Kind, object: &Value, initial: bool) -> Change {
    let novelty = if initial { Novelty::Initial } else { Novelty::News };
    let decoded = decode(kind, &object.to_string()).unwrap();
    Change { kind, key: decoded.key.clone(), now: Some(decoded), novelty }
}

/// That a kind was listed at noon and is followed.
pub(crate) fn live(kind: Kind) -> Control {
    Control::Watch(kind, Watch { state: WatchState::Live, as_of: Some(noon()), refused: Vec::new() })
}

/// That the API server answers, and speaks.
pub(crate) fn up() -> Vec<Control> {
    vec![Control::Speaks(Some(Layer::Kube)), kube(Link::Up { version: "v1.36.3".into() })]
}

/// How the API server stands.
pub(crate) fn kube(link: Link) -> Control {
    Control::Rung(Layer::Kube, Rung { address: "https://127.0.0.1:6443".into(), link, notes: Vec::new() })
}

/// What is looked at.
pub(crate) fn scene() -> Control {
    Control::Scene(Scene { context: "test".into(), server: "https://127.0.0.1:6443".into(), namespace: None })
}

/// A bus with all this on it.
pub(crate) async fn loaded(control: Vec<Control>, changes: Vec<Change>) -> (Bus, Reader) {
    let (bus, reader) = bus::new();
    for control in control {
        bus.control(control).await;
    }
    for change in changes {
        bus.state(change).await;
    }
    (bus, reader)
}

/// The same, taken into a terrarium at noon.
pub(crate) fn terrarium(control: Vec<Control>, changes: Vec<Change>) -> Terrarium {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (_, mut reader) = runtime.block_on(loaded(control, changes));
    let mut terrarium = Terrarium::default();
    loop {
        let batch = reader.drain(usize::MAX);
        let more = batch.more;
        terrarium.apply(batch, noon());
        if !more {
            break;
        }
    }
    terrarium.tick(noon());
    terrarium
}

/// A small world: two agents of one name, one broken, one unreadable; a
/// strong, a weak, a faded and a broken pheromone; a proposal.
pub(crate) fn world() -> Terrarium {
    let mut control: Vec<Control> = Kind::ALL.into_iter().map(live).collect();
    control.push(scene());
    control.extend(up());
    let mut timeless = pheromone("kgents-agents", "timeless", "");
    timeless["spec"]["emittedAt"] = "yesterday".into();
    let mut strange = agent("kgents-agents", "strange", "Running");
    strange["spec"]["genus"] = "ZZ".into();
    let changes = vec![
        change(Kind::Agent, &agent("kgents-agents", "b-gent", "Running"), true),
        change(Kind::Agent, &agent("other", "b-gent", "Running"), true),
        change(Kind::Agent, &agent("kgents-agents", "c-gent", "Failed"), true),
        change(Kind::Agent, &strange, true),
        change(Kind::Pheromone, &pheromone("kgents-agents", "weak", "2026-01-01T11:50:00Z"), true),
        change(Kind::Pheromone, &pheromone("kgents-agents", "strong", "2026-01-01T13:59:00+02:00"), true),
        change(Kind::Pheromone, &pheromone("kgents-agents", "faded", "1970-01-01T00:00:00Z"), true),
        change(Kind::Pheromone, &timeless, true),
        change(Kind::Proposal, &proposal("kgents-agents", "b-gent-scale"), true),
    ];
    terrarium(control, changes)
}

/// What was written, as text.
pub(crate) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}
