//! Figures, printed and never judged: `--ignored --nocapture figures`.

use std::time::Instant;

use serde_json::json;
use tempfile::tempdir;

use super::super::Ghost;
use super::super::snapshot::Snapshot;
use super::super::testing::{at, object, take, terrarium};
use super::super::write::Writer;
use kgents_core::freshness::Area;
use kgents_store::{Change, Kind};

/// An agent as they are: with conditions, children and a page of instructions.
fn agent(i: usize, version: u64) -> Change {
    let condition = |type_: &str| {
        json!({
            "type": type_, "status": "True", "reason": "AsExpected", "message": "all that was asked for is there",
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": 3,
        })
    };
    let rest = json!({
        "spec": {
            "genus": "B", "image": "registry.example/kgents/b-gent:1.2.3", "replicas": 2,
            "instructions": "Watch the budget and say so before it runs out. ".repeat(8),
            "config": { "MODE": "careful", "LIMIT": "10000" },
            "budget": { "tokens": 10000, "refillPerMinute": 100 },
        },
        "status": {
            "phase": "Running", "replicas": 2, "readyReplicas": 2, "observedGeneration": 3,
            "conditions": [condition("Ready"), condition("Progressing"), condition("Stalled")],
        },
    });
    object(Kind::Agent, "kgents-agents", &format!("agent-{i}"), version, &rest)
}

#[allow(clippy::disallowed_methods, reason = "figures are what this is for")]
fn clock() -> Instant {
    Instant::now()
}

fn measure(agents: usize) {
    let folder = tempdir().unwrap();
    let mut terrarium = terrarium("garden", (0..agents).map(|i| agent(i, 1)).collect());
    let mut writer = Writer::new(folder.path());
    let mut write = |what: &str, terrarium: &kgents_store::Terrarium, second: i64| {
        let start = clock();
        let snapshot = Snapshot::take(terrarium, Area::ALL, |_| true, at(second));
        let taken = start.elapsed();
        let written = writer.write(&snapshot).unwrap();
        let took = start.elapsed();
        println!(
            "{agents} agents, {what}: {took:.1?} (of it {taken:.1?} the snapshot), {} files, {} kB",
            written.files,
            written.bytes / 1_000
        );
    };
    write("first write", &terrarium, 0);
    take(&mut terrarium, vec![agent(3, 2)]);
    write("one agent changed", &terrarium, 1);
    write("nothing changed", &terrarium, 60);
    drop(writer);
    let mut again = Writer::new(folder.path());
    let start = clock();
    again.write(&Snapshot::take(&terrarium, Area::ALL, |_| true, at(120))).unwrap();
    println!("{agents} agents, another process, nothing changed: {:.1?}", start.elapsed());
    let ghost = Ghost::of(folder.path(), "garden");
    let mut best = None;
    for _ in 0..5 {
        let start = clock();
        let memory = ghost.read(None);
        let took = start.elapsed();
        assert_eq!(memory.kinds[&Kind::Agent].objects.len(), agents);
        best = Some(best.map_or(took, |best| took.min(best)));
    }
    println!("{agents} agents, read: {:.1?}", best.unwrap());
}

#[test]
#[ignore = "prints figures"]
fn figures() {
    for agents in [1_000, 10_000] {
        measure(agents);
    }
}
