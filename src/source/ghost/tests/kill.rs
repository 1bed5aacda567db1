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

/// Versions in the life of a proposal.
const LIFE: u64 = 30;

/// A world that is another with each version: some agents go, some come, and
/// all of them say which version they are of. One proposal lives through its
/// phases while the one before it is merged.
fn snapshot(version: u64) -> Snapshot {
    let mut changes: Vec<_> = (0..AGENTS)
        .map(|i| {
            let namespace = if i % 3 == 0 { "team" } else { "kgents-agents" };
            // A third of them stay as they are for a while.
            let since = if i % 3 == 1 { version / 5 + 1 } else { version };
            agent_in(namespace, &format!("agent-{}", (version + i) % (2 * AGENTS)), since)
        })
        .collect();
    let phase = ["Pending", "Approved", "Merged"][(version % LIFE * 3 / LIFE) as usize];
    changes.push(proposal(&life(version), version, phase));
    changes.push(proposal(&life(version.saturating_sub(LIFE)), version, "Merged"));
    changes.push(pheromone(&format!("w{version}"), "WARNING", 0));
    changes.push(object(Kind::Umwelt, "team", "u", version, &json!({ "spec": { "agent": "agent-1" } })));
    let mut terrarium = terrarium("garden", changes);
    let thoughts = vec![thought(version as i64, &format!("version {version}"))];
    terrarium.apply(Batch { thoughts, ..Batch::default() }, at(version as i64));
    Snapshot::take(&terrarium, Area::ALL, |_| true, at(version as i64))
}

fn life(version: u64) -> String {
    format!("life-{}", version / LIFE)
}

/// The version with which that process begins.
const VERSION: &str = "KGENTS_GHOST_VERSION";
/// How many versions the process writes before it ends by itself.
const VERSIONS: &str = "KGENTS_GHOST_VERSIONS";

/// Not a test: the process that is killed. It does nothing unless asked.
#[test]
fn writer_that_is_killed() {
    let Some(tree) = std::env::var_os(TREE) else { return };
    let start: u64 = std::env::var(VERSION).unwrap().parse().unwrap();
    let most = std::env::var(VERSIONS).map_or(u64::MAX - start, |most| most.parse().unwrap());
    let first = snapshot(start);
    let mut writer = Writer::new(Path::new(&tree));
    println!("\nready");
    writer.write(&first).unwrap();
    for version in start + 1..start + most {
        writer.write(&snapshot(version)).unwrap();
    }
}

/// How the process that writes is called, within these tests.
fn arguments() -> [String; 4] {
    let name = format!("{}::writer_that_is_killed", module_path!());
    let (_, name) = name.split_once("::").unwrap();
    ["--exact", name, "--nocapture", "--test-threads=1"].map(str::to_owned)
}

fn start(tree: &Path, version: u64) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(arguments())
        .env(TREE, tree)
        .env(VERSION, version.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "ready"), "the writer did not start");
    child
}

/// Everything in the tree is whole and says what it should. The newest version
/// in it; `None` if there is nothing yet.
fn whole(tree: &Path, when: &str) -> Option<u64> {
    let memory = Ghost::of(tree, "garden").read_at(None, at(1_000_000)).0;
    assert_eq!(memory.problems, [], "{when}");
    let agents = memory.kinds.get(&Kind::Agent)?;
    assert_eq!(memory.scene.context, "garden");
    assert_eq!(agents.objects.len() as u64, AGENTS, "{when}");
    let mut newest = 0;
    for agent in &agents.objects {
        let Object::Agent(object) = &agent.object else { panic!("{:?}", agent.object) };
        let said = format!("version {} of {}", agent.resource_version, agent.key.name());
        assert_eq!(object.spec.instructions.as_deref(), Some(said.as_str()), "{when}");
        newest = newest.max(agent.resource_version.parse().unwrap());
    }
    if let Some(proposals) = memory.kinds.get(&Kind::Proposal) {
        // Proposals are written after agents.
        let alive = life(newest.max(1) - 1);
        let found = proposals.objects.iter().any(|proposal| proposal.key.name() == alive);
        assert!(found, "{when}: {alive} was lost between two files");
    }
    Some(newest)
}

/// How long six writes take, in microseconds.
#[allow(clippy::disallowed_methods, reason = "kills have to be spread over the time that a write takes")]
fn span(place: &Path) -> u64 {
    let folder = tempdir_in(place).unwrap();
    let mut writer = Writer::new(folder.path());
    let snapshots = [1, 2, 3].map(snapshot);
    let start = std::time::Instant::now();
    for snapshot in &snapshots {
        writer.write(snapshot).unwrap();
    }
    2 * start.elapsed().as_micros() as u64 + 1
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
    let (mut found, mut half, mut newest) = (0, 0, 1);
    for kill in 0..kills {
        let mut child = start(tree, newest);
        moment = (moment + span * 618 / 1_000) % span;
        std::thread::sleep(Duration::from_micros(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        half += u64::from(files(tree).iter().any(|file| file.contains(PREFIX)));
        if let Some(version) = whole(tree, &format!("after kill {kill}")) {
            found += 1;
            newest = version;
        }
    }
    assert!(found > kills / 2, "{found} of {kills} kills found a tree: they came too early to say anything");
    // Who comes next sweeps what the killed left, and whole agents stay.
    let mut writer = Writer::new(tree);
    let written = writer.write(&snapshot(newest + 1)).unwrap();
    assert_eq!(written.areas.len(), 5);
    assert!(files(tree).iter().all(|file| !file.contains(PREFIX)), "{:?}", files(tree));
    let agents = files(&tree.join("agents")).len() as u64;
    assert_eq!(agents, AGENTS + 1, "no file of an agent that is gone stays");
    println!(
        "{found} of {kills} kills found a tree, each of them whole, at the end version {newest}; \
         {half} left a half-written file beside it"
    );
}

/// Calls that change what is on the disk, or that stand between those that do.
const CALLS: [&str; 12] = [
    "mkdir",
    "openat",
    "flock",
    "ftruncate",
    "write",
    "fdatasync",
    "fsync",
    "close",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
];

#[test]
#[ignore = "takes a minute or two, and needs strace"]
fn a_tree_reads_whole_at_whichever_call_its_writer_is_killed() {
    let memory = Path::new("/dev/shm");
    let folder = tempdir_in(if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }).unwrap();
    // Once from nothing, once over a tree that is there.
    for there in [false, true] {
        let mut kills = 0;
        for call in CALLS {
            for count in 1.. {
                let tree = folder.path().join(format!("{there}-{call}-{count}"));
                if there {
                    Writer::new(&tree).write(&snapshot(1)).unwrap();
                }
                let kill = format!("inject=?{call}:signal=SIGKILL:when={count}");
                let status = Command::new("strace")
                    .args(["-f", "-o", "/dev/null", "-e", &format!("trace=?{call}"), "-e", &kill])
                    .arg(std::env::current_exe().unwrap())
                    .args(arguments())
                    .env(TREE, &tree)
                    .env(VERSION, "2")
                    .env(VERSIONS, "1")
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .status();
                let Ok(status) = status else {
                    eprintln!("skipped: there is no strace");
                    return;
                };
                let found = whole(&tree, &format!("killed at {call} {count}"));
                assert!(found.is_some() || !there, "what was there is still there");
                std::fs::remove_dir_all(&tree).unwrap_or_default();
                if status.success() {
                    // There are not so many of these calls, so nobody was killed.
                    assert_eq!(found, Some(2));
                    break;
                }
                kills += 1;
            }
        }
        println!("killed at each of {kills} calls, {}", if there { "over an older tree" } else { "from nothing" });
    }
}

#[test]
fn who_reads_while_another_writes_finds_it_whole() {
    let folder = tempdir_in(std::env::temp_dir()).unwrap();
    let tree = folder.path();
    let mut writer = Writer::new(tree);
    writer.write(&snapshot(1)).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for version in 2..40 {
                writer.write(&snapshot(version)).unwrap();
            }
        });
        let mut reads = 0;
        while !writing.is_finished() {
            reads += 1;
            assert!(whole(tree, &format!("reading {reads}")).is_some());
        }
        assert!(reads > 10, "{reads}");
    });
}
