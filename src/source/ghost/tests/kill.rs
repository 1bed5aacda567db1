//! A writer is killed at any moment, and the tree reads whole.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kgents_core::freshness::Area;
use kgents_store::{Kind, Object};
use serde_json::json;
use tempfile::tempdir_in;

use super::super::Ghost;
use super::super::disk::PREFIX;
use super::super::snapshot::Snapshot;
use super::super::testing::{agent_in, at, files, object, pheromone, proposal, terrarium, thought};
use super::super::write::Writer;
use kgents_store::Batch;

/// Set for the process that writes until it is killed.
const TREE: &str = "KGENTS_GHOST_KILLED";
/// How often it is killed.
const KILLS: &str = "KGENTS_KILLS";
/// Where the tree stands. In memory a write is all syscalls and no waiting, so
/// there the kills meet more of them; what is written is the same.
const PLACE: &str = "KGENTS_KILLS_IN";
/// Agents in each version of the tree.
const AGENTS: u64 = 20;

/// A world that is another with each version: some agents go, some come, and
/// all of them say which version it is.
fn snapshot(version: u64) -> Snapshot {
    let version = version.max(1);
    let mut changes: Vec<_> = (0..AGENTS)
        .map(|i| {
            let namespace = if i % 3 == 0 { "team" } else { "kgents-agents" };
            // A third of them stay as they are for a while.
            let since = if i % 3 == 1 { version / 5 + 1 } else { version };
            agent_in(namespace, &format!("agent-{}", (version + i) % (2 * AGENTS)), since)
        })
        .collect();
    let phase = ["Pending", "Approved", "Merged"][version as usize % 3];
    changes.push(proposal(&format!("p{}", version / 3), version, phase));
    changes.push(proposal("always", version, phase));
    changes.push(pheromone(&format!("w{version}"), "WARNING", 0));
    changes.push(object(Kind::Umwelt, "team", "u", version, &json!({ "spec": { "agent": "agent-1" } })));
    let mut terrarium = terrarium("garden", changes);
    let thoughts = vec![thought(version as i64, &format!("version {version}"))];
    terrarium.apply(Batch { thoughts, ..Batch::default() }, at(version as i64));
    Snapshot::take(&terrarium, Area::ALL, |_| true, at(version as i64))
}

/// Not a test: the process that is killed. It does nothing unless asked.
#[test]
fn writer_that_is_killed() {
    let Some(tree) = std::env::var_os(TREE) else { return };
    let start: u64 = std::env::var("KGENTS_GHOST_VERSION").unwrap().parse().unwrap();
    let snapshots: Vec<Snapshot> = (start..start + 8).map(snapshot).collect();
    let mut writer = Writer::new(Path::new(&tree));
    println!("\nready");
    for version in 0.. {
        writer.write(&snapshots[version % snapshots.len()]).unwrap();
    }
}

fn start(tree: &Path, version: u64) -> Child {
    let name = format!("{}::writer_that_is_killed", module_path!());
    let (_, name) = name.split_once("::").unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(TREE, tree)
        .env("KGENTS_GHOST_VERSION", version.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "ready"), "the writer did not start");
    child
}

/// How long three writes take, in microseconds.
#[allow(clippy::disallowed_methods, reason = "kills have to be spread over the time that a write takes")]
fn span(place: &Path) -> u64 {
    let folder = tempdir_in(place).unwrap();
    let mut writer = Writer::new(folder.path());
    let snapshots = [1, 2, 3].map(snapshot);
    let start = std::time::Instant::now();
    for snapshot in &snapshots {
        writer.write(snapshot).unwrap();
    }
    start.elapsed().as_micros() as u64 + 1
}

#[test]
fn a_tree_reads_whole_whenever_its_writer_is_killed() {
    let kills: u64 = std::env::var(KILLS).map_or(60, |kills| kills.parse().unwrap());
    let memory = Path::new("/dev/shm");
    let place = std::env::var_os(PLACE).map_or_else(
        || if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() },
        std::path::PathBuf::from,
    );
    let folder = tempdir_in(&place).unwrap();
    let span = span(&place);
    let tree = folder.path();
    // A walk over the time of a few writes that visits all of it evenly.
    let mut moment = 0_u64;
    let (mut whole, mut half) = (0, 0);
    for kill in 0..kills {
        let mut child = start(tree, kill * 3 + 1);
        moment = (moment + span * 618 / 1_000) % span;
        std::thread::sleep(Duration::from_micros(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        half += u64::from(files(tree).iter().any(|file| file.contains(PREFIX)));
        let memory = Ghost::of(tree, "garden").read_at(None, at(1_000_000)).0;
        assert_eq!(memory.problems, [], "after kill {kill}");
        assert!(memory.scene.context == "garden");
        let Some(agents) = memory.kinds.get(&Kind::Agent) else { continue };
        whole += 1;
        assert_eq!(agents.objects.len() as u64, AGENTS, "after kill {kill}");
        for agent in &agents.objects {
            let Object::Agent(object) = &agent.object else { panic!("{:?}", agent.object) };
            let said = format!("version {} of {}", agent.resource_version, agent.key.name());
            assert_eq!(object.spec.instructions.as_deref(), Some(said.as_str()));
        }
        if let Some(proposals) = memory.kinds.get(&Kind::Proposal) {
            let always = |object: &&kgents_store::object::Decoded| object.key.name() == "always";
            assert_eq!(proposals.objects.iter().filter(always).count(), 1, "after kill {kill}: lost between two files");
        }
    }
    assert!(whole > kills / 2, "{whole} of {kills} kills found a tree: they came too early to say anything");
    // Who comes next sweeps what the killed left, and whole agents stay.
    let mut writer = Writer::new(tree);
    let written = writer.write(&snapshot(7)).unwrap();
    assert_eq!(written.areas.len(), 5);
    assert!(files(tree).iter().all(|file| !file.contains(PREFIX)), "{:?}", files(tree));
    let agents = files(&tree.join("agents")).len() as u64;
    assert_eq!(agents, AGENTS + 1, "no file of an agent that is gone stays");
    println!("{whole} of {kills} kills found a tree, each of them whole; {half} left a half-written file beside it");
}
