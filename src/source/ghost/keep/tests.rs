use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use kgents_store::bus::{self, Bus};
use kgents_store::watch::{Link, Scene};
use kgents_store::{Layer, Novelty, Rung};
use tempfile::tempdir;

use super::super::testing::{agent, at, gone, live, scene, thought, watch as watched};
use super::super::tree::Ghost;
use super::super::write::AreaWritten;
use super::*;

/// A writer that tells what it was given, and waits until it may go on.
struct Slow {
    wrote: Arc<Mutex<Vec<(Instant, Snapshot)>>>,
    gate: Option<Receiver<()>>,
    fail: Arc<AtomicUsize>,
}

#[derive(Clone, Default)]
struct Log {
    wrote: Arc<Mutex<Vec<(Instant, Snapshot)>>>,
    fail: Arc<AtomicUsize>,
}

impl Log {
    fn sink(&self) -> Slow {
        Slow { wrote: self.wrote.clone(), gate: None, fail: self.fail.clone() }
    }

    fn stuck(&self) -> (Slow, SyncSender<()>) {
        let (open, gate) = sync_channel(100);
        (Slow { gate: Some(gate), ..self.sink() }, open)
    }

    /// How often each area was written.
    fn count(&self, area: Area) -> usize {
        self.wrote.lock().unwrap().iter().filter(|(_, snapshot)| snapshot.has(area)).count()
    }

    fn len(&self) -> usize {
        self.wrote.lock().unwrap().len()
    }

    fn agents(&self) -> Vec<usize> {
        let wrote = self.wrote.lock().unwrap();
        wrote.iter().filter_map(|(_, snapshot)| snapshot.lists.get(&Kind::Agent)).map(Vec::len).collect()
    }
}

impl Sink for Slow {
    fn write(&mut self, snapshot: &Snapshot) -> Outcome {
        if let Some(gate) = &self.gate {
            gate.recv().unwrap();
        }
        let areas = Area::ALL.into_iter().filter(|area| snapshot.has(*area));
        let written = areas.map(|area| AreaWritten { area, entries: 0, changed: 0, bytes: 100 }).collect();
        // The objects are shared, so this is no copy of them.
        let copy = Snapshot {
            context: snapshot.context.clone(),
            server: snapshot.server.clone(),
            version: snapshot.version.clone(),
            source: snapshot.source,
            at: snapshot.at,
            lists: snapshot.lists.clone(),
            thoughts: snapshot.thoughts.clone(),
            left: snapshot.left.clone(),
        };
        self.wrote.lock().unwrap().push((Instant::now(), copy));
        if self.fail.load(Ordering::Relaxed) > 0 {
            self.fail.fetch_sub(1, Ordering::Relaxed);
            let error = std::io::Error::other("the disk is on fire");
            return Err(GhostError::Io { path: "x".into(), error });
        }
        Ok(Written { areas: written, ..Written::default() })
    }
}

/// A wall clock that goes as the test's clock does.
fn wall() -> impl Fn() -> Timestamp {
    let start = Instant::now();
    move || at(0) + jiff::SignedDuration::try_from(start.elapsed()).unwrap()
}

struct Run {
    bus: Bus,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

fn run(sink: impl Sink, options: Keep) -> Run {
    let (bus, reader) = bus::new();
    let cancel = CancellationToken::new();
    let task = tokio::spawn(keep_with(reader, sink, options, wall(), cancel.clone()));
    Run { bus, cancel, task }
}

impl Run {
    async fn live(&self) {
        for control in live("garden") {
            self.bus.control(control).await;
        }
    }

    async fn stop(self) {
        self.cancel.cancel();
        self.task.await.unwrap();
    }
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn many_changes_within_a_second_are_two_writes_at_most() {
    let log = Log::default();
    let run = run(log.sink(), Keep::default());
    run.live().await;
    pass(1_500).await;
    assert_eq!(log.count(Area::Agents), 1);
    for i in 0..500 {
        run.bus.state(agent(&format!("a{}", i % 50), i + 1)).await;
        pass(2).await;
    }
    pass(100).await;
    let wrote = log.count(Area::Agents) - 1;
    assert!((1..=2).contains(&wrote), "{wrote} writes");
    assert_eq!(log.count(Area::Proposals), 1, "nothing changed there");
    pass(1_500).await;
    assert_eq!(log.agents().last(), Some(&50));
    run.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_change_is_written_now_and_then_for_its_time_and_once_at_the_end() {
    let log = Log::default();
    let run = run(log.sink(), Keep::default());
    run.live().await;
    pass(95_000).await;
    for area in Area::ALL {
        assert_eq!(log.count(area), 4, "{area}: at 0, 30, 60 and 90 seconds");
    }
    run.bus.state(agent("late", 1)).await;
    run.stop().await;
    assert_eq!((log.count(Area::Cluster), log.agents().last()), (5, Some(&1)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_before_all_that_was_sent_was_taken_in() {
    let log = Log::default();
    let run = run(log.sink(), Keep::default());
    for i in 0..9_000 {
        run.bus.state(agent(&format!("a{i}"), 1)).await;
    }
    run.live().await;
    pass(3_000).await;
    assert_eq!(log.agents(), [9_000], "a list that was called complete is");
    run.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_stops_being_live_is_not_written_but_that_it_did_is() {
    let log = Log::default();
    let run = run(log.sink(), Keep::default());
    run.live().await;
    pass(2_000).await;
    let failing = WatchState::Failing { since: at(2), error: "refused".to_owned() };
    run.bus.control(watched(Kind::Agent, failing)).await;
    run.bus.state(gone(Kind::Agent, "x")).await;
    pass(40_000).await;
    assert_eq!(log.count(Area::Agents), 1);
    assert!(log.count(Area::Proposals) > 1);
    let noted = || {
        let wrote = log.wrote.lock().unwrap();
        wrote
            .iter()
            .any(|(_, snapshot)| snapshot.left.iter().any(|left| left.area == Area::Agents && left.why == "refused"))
    };
    assert!(noted());
    run.bus.control(watched(Kind::Agent, WatchState::Live)).await;
    pass(1_500).await;
    assert_eq!(log.count(Area::Agents), 2, "what comes back is as of now at once");
    let before = log.len();
    let down = Link::Down { since: at(50), error: "no route".into(), hint: String::new() };
    run.bus.control(Control::Rung(Layer::Kube, Rung { address: String::new(), link: down, notes: Vec::new() })).await;
    pass(100_000).await;
    assert_eq!(log.len(), before + 1, "one word that nobody answers, and then silence");
    run.stop().await;
    assert_eq!(log.len(), before + 1);
}

#[tokio::test(start_paused = true)]
async fn another_cluster_is_not_believed_before_it_spoke_for_itself() {
    let log = Log::default();
    let run = run(log.sink(), Keep::default());
    run.live().await;
    pass(1_500).await;
    let before = log.len();
    run.bus.control(scene("other")).await;
    pass(60_000).await;
    assert_eq!(log.len(), before);
    run.bus.control(watched(Kind::Agent, WatchState::Live)).await;
    pass(1_500).await;
    let last =
        log.wrote.lock().unwrap().last().map(|(_, snapshot)| (snapshot.context.clone(), snapshot.has(Area::Proposals)));
    assert_eq!(last, Some(("other".to_owned(), false)));
    run.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_window_on_one_namespace_keeps_nothing_and_says_so() {
    let (told, kept) = watch::channel(Kept::default());
    let log = Log::default();
    let run = run(log.sink(), Keep { told: Some(told), ..Keep::default() });
    run.live().await;
    let scope = Scene { context: "garden".into(), server: "x".into(), namespace: Some("team".into()) };
    run.bus.control(Control::Scene(scope)).await;
    for kind in Kind::ALL {
        run.bus.control(watched(kind, WatchState::Live)).await;
    }
    pass(60_000).await;
    let why = "only namespace team is looked at, and the Ghost holds all".to_owned();
    assert_eq!((log.len(), kept.borrow().clone()), (0, Kept::Barred(why)));
    run.stop().await;
    assert_eq!(log.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_says_no_is_asked_again_later_and_later() {
    let (told, kept) = watch::channel(Kept::default());
    let log = Log::default();
    log.fail.store(4, Ordering::Relaxed);
    let run = run(log.sink(), Keep { told: Some(told), ..Keep::default() });
    run.live().await;
    pass(500).await;
    assert_eq!(*kept.borrow(), Kept::Failing("x: the disk is on fire".to_owned()));
    pass(16_000).await;
    let first = log.wrote.lock().unwrap()[0].0;
    let when: Vec<u64> = log.wrote.lock().unwrap().iter().map(|(when, _)| (*when - first).as_secs()).collect();
    assert_eq!(when, [0, 1, 3, 7, 15]);
    assert!(matches!(*kept.borrow(), Kept::Written(_)));
    assert_eq!(log.count(Area::Agents), 5, "nothing was forgotten");
    run.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_a_sleep_nobody_is_believed_at_once() {
    let mut keeper = Keeper::new(Keep::default(), Instant::now(), at(0));
    keeper.hear(Batch { control: live("garden"), ..Batch::default() }, at(0), Instant::now());
    assert!(keeper.due(Instant::now(), at(0)).is_some());
    keeper.finished(Some(Ok(Written::default())), Instant::now());
    pass(30_000).await;
    // Eight hours passed while the machine's own clock stood still.
    keeper.pass(at(8 * 3_600), Instant::now());
    assert!(keeper.due(Instant::now(), at(8 * 3_600)).is_none());
    pass(WAKING.as_millis() as u64).await;
    keeper.pass(at(8 * 3_600 + 15), Instant::now());
    assert!(keeper.due(Instant::now(), at(8 * 3_600 + 15)).is_some());
}

#[tokio::test]
async fn a_stuck_disk_holds_up_nobody() {
    let log = Log::default();
    let (sink, open) = log.stuck();
    let run = run(sink, Keep { every: Duration::from_millis(10), ..Keep::default() });
    run.live().await;
    // Far more than the bus holds: without a reader the sender would wait.
    let all = async {
        for i in 0..bus::MAX_STATE as u64 + 10_000 {
            let change = gone(Kind::Agent, &format!("g{i}"));
            run.bus.state(change).await;
        }
        for i in 0..100 {
            run.bus.state(agent(&format!("a{i}"), 1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    assert_eq!(log.len(), 0, "the disk is still stuck");
    for _ in 0..20 {
        open.send(()).unwrap();
    }
    tokio::time::timeout(Duration::from_secs(10), async {
        while log.agents().last() != Some(&100) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    assert!(log.count(Area::Agents) <= 3, "what came meanwhile was taken together: {}", log.count(Area::Agents));
    run.stop().await;
}

#[tokio::test]
async fn two_keep_one_tree_and_the_second_takes_over() {
    let folder = tempdir().unwrap();
    let options = |told| Keep {
        every: Duration::from_millis(10),
        retry: Duration::from_millis(20),
        told: Some(told),
        ..Keep::default()
    };
    let start = |name: &'static str| {
        let (bus, reader) = bus::new();
        let (told, kept) = watch::channel(Kept::default());
        let cancel = CancellationToken::new();
        let task = tokio::spawn(keep(reader, folder.path().to_owned(), options(told), cancel.clone()));
        let bus = async move {
            bus.state(agent(name, 1)).await;
            bus.thought(&thought(1, name));
            for control in live("garden") {
                bus.control(control).await;
            }
            bus
        };
        (bus, kept, cancel, task)
    };
    let limit = Duration::from_secs(20);
    let (bus, mut kept, cancel, task) = start("first");
    let _first = bus.await;
    tokio::time::timeout(limit, kept.wait_for(|kept| matches!(kept, Kept::Written(_)))).await.unwrap().unwrap();
    let (bus, mut second, cancel_second, task_second) = start("second");
    let _second = bus.await;
    let held = Kept::Held { pid: Some(std::process::id()) };
    tokio::time::timeout(limit, second.wait_for(|kept| *kept == held)).await.unwrap().unwrap();
    cancel.cancel();
    task.await.unwrap();
    tokio::time::timeout(limit, second.wait_for(|kept| matches!(kept, Kept::Written(_)))).await.unwrap().unwrap();
    cancel_second.cancel();
    task_second.await.unwrap();
    let memory = Ghost::of(folder.path(), "garden").read(None);
    assert_eq!(memory.problems, []);
    let names: Vec<_> = memory.kinds[&Kind::Agent].objects.iter().map(|agent| agent.key.name().to_owned()).collect();
    assert_eq!(names, ["second"]);
    let said: Vec<_> = memory.thoughts.iter().map(|thought| thought.text.to_string()).collect();
    assert_eq!(said, ["first", "second"], "what was remembered is not lost");
}

#[test]
fn births_after_the_first_list_are_thoughts_of_the_keepers_own() {
    let mut keeper = Keeper::new(Keep::default(), Instant::now(), at(0));
    let change = kgents_store::Change { novelty: Novelty::News, ..agent("new", 1) };
    keeper.hear(Batch { control: live("garden"), changes: vec![change], ..Batch::default() }, at(1), Instant::now());
    let snapshot = keeper.due(Instant::now(), at(1)).unwrap();
    assert_eq!(snapshot.thoughts.unwrap().len(), 1);
}
