use std::sync::Mutex;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use proptest::prelude::*;

use super::elector::{Answer, Ask, Elector, Next};
use super::*;

const S: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

fn options(identity: &str) -> Options {
    Options {
        namespace: "kgents-system".to_owned(),
        name: "kgents-operator".to_owned(),
        identity: identity.to_owned(),
        duration: Options::DURATION,
        retry: 2 * S,
        request_limit: 5 * S,
        notes: vec![("kgents.io/version".to_owned(), "1".to_owned()), ("scope".to_owned(), "{}".to_owned())],
        common: Some("scope".to_owned()),
    }
}

fn elector(identity: &str) -> Elector {
    Elector::new(options(identity), fastrand::Rng::with_seed(7))
}

/// The wall clock is never decided by: here it is always wrong.
fn wall() -> Timestamp {
    "1970-01-01T00:00:00Z".parse().unwrap()
}

/// What an API server does with Leases.
#[derive(Default)]
struct Server {
    lease: Option<Lease>,
    version: u64,
}

impl Server {
    fn take(&mut self, ask: &Ask) -> Answer {
        match (ask, &self.lease) {
            (Ask::Get, Some(lease)) => Answer::Lease(lease.clone()),
            (Ask::Get | Ask::Update(_), None) => Answer::Missing,
            (Ask::Create(lease), None) => self.put(lease.clone()),
            (Ask::Update(lease), Some(now)) if record::version(lease) == record::version(now) => {
                self.put(lease.clone())
            }
            (Ask::Create(_) | Ask::Update(_), Some(_)) => Answer::Conflict,
        }
    }

    fn put(&mut self, mut lease: Lease) -> Answer {
        self.version += 1;
        lease.metadata.resource_version = Some(self.version.to_string());
        self.lease = Some(lease.clone());
        Answer::Lease(lease)
    }

    fn edit(&mut self, change: impl FnOnce(&mut Lease)) {
        let mut lease = self.lease.clone().unwrap();
        change(&mut lease);
        self.put(lease);
    }

    fn holder(&self) -> Option<&str> {
        record::holder(self.lease.as_ref()?)
    }
}

/// Lets one act until it waits; gives how long.
fn settle(elector: &mut Elector, server: &mut Server, now: Duration) -> Duration {
    for _ in 0..10 {
        match elector.next(now, wall()) {
            Next::Wait(pause) => return pause,
            Next::Ask(ask) => {
                let answer = server.take(&ask);
                elector.answered(&ask, now, answer, now);
            }
        }
    }
    panic!("it never waits");
}

#[test]
fn the_first_makes_the_lease_and_renews_it() {
    let (mut one, mut server) = (elector("one"), Server::default());
    assert_eq!(settle(&mut one, &mut server, 100 * S), 2 * S);
    assert_eq!(one.until(), Some(115 * S));
    let lease = server.lease.clone().unwrap();
    assert_eq!(lease.metadata.annotations.unwrap()["kgents.io/version"], "1");
    let spec = lease.spec.unwrap();
    assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(15), Some(0)));
    assert_eq!((spec.acquire_time.unwrap().0, spec.renew_time.unwrap().0), (wall(), wall()));
    assert_eq!(settle(&mut one, &mut server, 102 * S), 2 * S);
    assert_eq!((one.until(), server.version), (Some(117 * S), 2));
}

#[test]
fn a_standby_takes_it_when_it_saw_no_change_for_the_whole_duration() {
    let (mut one, mut two, mut server) = (elector("one"), elector("two"), Server::default());
    settle(&mut one, &mut server, S);
    // The clocks of two machines have nothing to do with each other.
    let off = 5_000 * S;
    let mut now = 10 * S;
    let first_seen = now;
    loop {
        let pause = settle(&mut two, &mut server, off + now);
        if server.holder() == Some("two") {
            break;
        }
        assert!(pause >= 2 * S && pause <= 2400 * MS, "{pause:?}");
        now += pause;
    }
    assert!(now >= first_seen + 15 * S && now < first_seen + 18 * S, "{now:?}");
    assert_eq!(server.lease.as_ref().unwrap().spec.as_ref().unwrap().lease_transitions, Some(1));
    // The old one, when it wakes, has long stopped and finds another.
    assert_eq!(one.until(), Some(16 * S));
    settle(&mut one, &mut server, 60 * S);
    assert_eq!((one.until(), one.holder()), (None, Some("two")));
}

#[test]
fn a_standby_that_hears_asks_nothing_until_the_time_is_over_or_it_is_free() {
    let (mut one, mut two, mut server) = (elector("one"), elector("two"), Server::default());
    settle(&mut one, &mut server, S);
    settle(&mut two, &mut server, S);
    for second in [3, 5, 7] {
        settle(&mut one, &mut server, second * S);
        two.heard(server.lease.clone(), second * S);
        assert_eq!(two.next(second * S, wall()), Next::Wait(15 * S), "at {second}");
    }
    let lease = one.release(8 * S, wall()).unwrap();
    assert_eq!(one.until(), None);
    server.take(&Ask::Update(lease));
    let spec = server.lease.as_ref().unwrap().spec.clone().unwrap();
    assert_eq!((spec.holder_identity.as_deref(), spec.lease_duration_seconds), (Some(""), Some(1)));
    two.heard(server.lease.clone(), 8 * S);
    assert_eq!(settle(&mut two, &mut server, 8 * S), 2 * S);
    assert_eq!((server.holder(), two.until()), (Some("two"), Some(23 * S)));
    let spec = server.lease.as_ref().unwrap().spec.clone().unwrap();
    assert_eq!((spec.lease_duration_seconds, spec.lease_transitions), (Some(15), Some(1)));
}

#[test]
fn a_standby_whose_watch_breaks_looks_itself() {
    let (mut one, mut two, mut server) = (elector("one"), elector("two"), Server::default());
    settle(&mut one, &mut server, S);
    two.heard(server.lease.clone(), S);
    assert_eq!(two.next(S, wall()), Next::Wait(15 * S));
    two.deaf(4 * S);
    assert_eq!(two.next(4 * S, wall()), Next::Wait(2 * S));
    assert_eq!(two.next(6 * S, wall()), Next::Ask(Ask::Get));
}

#[test]
fn a_leader_that_cannot_renew_stops_after_two_thirds_of_the_time() {
    let (mut one, mut server) = (elector("one"), Server::default());
    settle(&mut one, &mut server, Duration::ZERO);
    let mut now = Duration::ZERO;
    while one.until().is_some() {
        match one.next(now, wall()) {
            Next::Wait(pause) => now += pause,
            Next::Ask(ask) => {
                assert!(one.until().is_none() || now + one.patience(now) <= 10 * S);
                assert!(one.patience(now) <= 5 * S);
                one.answered(&ask, now, Answer::Failed, now);
            }
        }
    }
    assert_eq!(now, 10 * S);
    // It goes on trying, and what is still its own it has at once.
    settle(&mut one, &mut server, 60 * S);
    assert_eq!(one.until(), Some(75 * S));
    assert_eq!(server.lease.unwrap().spec.unwrap().lease_transitions, Some(0));
}

#[test]
fn a_clock_that_jumps_an_hour_makes_nobody_two_leaders() {
    let (mut one, mut two, mut server) = (elector("one"), elector("two"), Server::default());
    settle(&mut one, &mut server, S);
    settle(&mut two, &mut server, S);
    settle(&mut one, &mut server, 3 * S);
    // The standby's machine slept for an hour, the leader's did not: the
    // record has changed since, so its time begins anew.
    settle(&mut two, &mut server, 3_600 * S);
    assert_eq!((two.until(), server.holder()), (None, Some("one")));
    // The leader's machine slept: it leads no more before it is told so.
    assert!(one.until().unwrap() < 3_600 * S);
    assert!(matches!(one.next(3_600 * S, wall()), Next::Ask(Ask::Get)));
    assert_eq!(one.until(), None);
}

#[test]
fn an_answer_that_comes_late_counts_from_when_it_was_asked() {
    let (mut one, mut server) = (elector("one"), Server::default());
    let Next::Ask(get) = one.next(S, wall()) else { panic!() };
    one.answered(&get, S, server.take(&get), S);
    let Next::Ask(create) = one.next(S, wall()) else { panic!() };
    one.answered(&create, S, server.take(&create), 20 * S);
    assert_eq!(one.until(), Some(16 * S));
    one.next(20 * S, wall());
    assert_eq!(one.until(), None);
}

#[test]
fn a_lease_that_is_deleted_or_edited_by_hand_is_lost_once_it_is_seen() {
    let (mut one, mut server) = (elector("one"), Server::default());
    settle(&mut one, &mut server, S);
    server.edit(|lease| lease.spec.as_mut().unwrap().holder_identity = Some("hand".to_owned()));
    one.heard(server.lease.clone(), 2 * S);
    settle(&mut one, &mut server, 2 * S);
    assert_eq!((one.until(), one.holder()), (None, Some("hand")));
    // Whoever it is, it does not renew: after the whole time it is ours again.
    settle(&mut one, &mut server, 17 * S);
    assert_eq!((one.until(), server.holder()), (Some(32 * S), Some("one")));

    server.lease = None;
    let Next::Ask(update @ Ask::Update(_)) = one.next(19 * S, wall()) else { panic!() };
    one.answered(&update, 19 * S, server.take(&update), 19 * S);
    let Next::Ask(get @ Ask::Get) = one.next(19 * S, wall()) else { panic!() };
    one.answered(&get, 19 * S, server.take(&get), 19 * S);
    assert_eq!(one.until(), None);
    settle(&mut one, &mut server, 19 * S);
    assert_eq!(one.until(), Some(34 * S));
}

#[test]
fn what_others_write_beside_is_kept_and_costs_no_leadership() {
    let (mut one, mut server) = (elector("one"), Server::default());
    settle(&mut one, &mut server, S);
    server.edit(|lease| {
        lease.metadata.annotations.as_mut().unwrap().insert("a".to_owned(), "b".to_owned());
        lease.metadata.annotations.as_mut().unwrap().insert("kgents.io/version".to_owned(), "0".to_owned());
    });
    one.heard(server.lease.clone(), 2 * S);
    assert_eq!(settle(&mut one, &mut server, 3 * S), 2 * S);
    assert_eq!(one.until(), Some(18 * S));
    let notes = server.lease.unwrap().metadata.annotations.unwrap();
    assert_eq!((notes["a"].as_str(), notes["kgents.io/version"].as_str()), ("b", "1"));
}

#[test]
fn who_waits_for_one_that_does_other_work_knows_it() {
    let (mut one, mut two, mut server) = (elector("one"), elector("two"), Server::default());
    settle(&mut one, &mut server, S);
    settle(&mut two, &mut server, 2 * S);
    assert_eq!((two.dissent(), one.dissent()), (None, None));
    let mut say = |scope: Option<&str>, two: &mut Elector| {
        server.edit(|lease| {
            let notes = lease.metadata.annotations.as_mut().unwrap();
            notes.remove("scope");
            notes.extend(scope.map(|scope| ("scope".to_owned(), scope.to_owned())));
        });
        two.heard(server.lease.clone(), 3 * S);
        two.dissent().map(str::to_owned)
    };
    assert_eq!(say(Some(r#"{"namespace":"n"}"#), &mut two).as_deref(), Some(r#"{"namespace":"n"}"#));
    assert_eq!(say(None, &mut two), None, "an older version does not say");
}

#[test]
fn old_news_unmakes_no_leader() {
    let (mut one, mut two, mut server) = (elector("one"), elector("two"), Server::default());
    settle(&mut one, &mut server, S);
    let old = server.lease.clone();
    server.take(&Ask::Update(one.release(2 * S, wall()).unwrap()));
    settle(&mut two, &mut server, 2 * S);
    assert!(two.until().is_some());
    two.heard(old, 2 * S);
    settle(&mut two, &mut server, 2 * S);
    assert!(two.until().is_some());
}

#[test]
fn writers_that_are_always_faster_make_no_storm() {
    let (mut one, mut server) = (elector("one"), Server::default());
    settle(&mut one, &mut server, S);
    let mut asked = 0;
    while let Next::Ask(ask) = one.next(3 * S, wall()) {
        asked += 1;
        assert!(asked < 10);
        server.edit(|_| {});
        let answer = if ask == Ask::Get { server.take(&ask) } else { Answer::Conflict };
        one.answered(&ask, 3 * S, answer, 3 * S);
    }
    assert_eq!(asked, 4);
}

#[derive(Debug, Default)]
struct Hand(Mutex<Duration>);

impl Hand {
    fn set(&self, time: Duration) {
        *self.0.lock().unwrap() = time;
    }
}

impl Clock for Hand {
    fn boot(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wall(&self) -> Timestamp {
        wall()
    }
}

#[test]
fn no_write_starts_that_could_end_after_the_lease() {
    let clock = Arc::new(Hand::default());
    let leadership = Leadership::new(Arc::clone(&clock) as Arc<dyn Clock>);
    assert!(!leadership.may_write(Duration::ZERO));
    leadership.shared.lead(15 * S);
    assert!(leadership.may_write(5 * S) && leadership.leads());
    clock.set(10 * S);
    assert!(!leadership.may_write(5 * S) && leadership.may_write(4 * S));
    // A process that stood still is told nothing, and knows all the same.
    clock.set(3_600 * S);
    assert!(!leadership.may_write(Duration::ZERO) && leadership.leads());
    assert!(Leadership::always().may_write(3_600 * S));
}

#[tokio::test]
async fn who_waits_is_told_of_each_change() {
    let leadership = Leadership::new(Arc::new(Hand::default()));
    leadership.lost().await;
    let (led, lost) = (leadership.clone(), leadership.clone());
    let led = tokio::spawn(async move { led.led().await });
    leadership.shared.lead(S);
    led.await.unwrap();
    let lost = tokio::spawn(async move { lost.lost().await });
    tokio::task::yield_now().await;
    // It leads again before the other looks.
    leadership.shared.follow();
    leadership.shared.lead(S);
    lost.await.unwrap();
    Leadership::always().led().await;
}

/// A process of the model: its clock runs from a start of its own; while it
/// stands still its time goes on and it does nothing.
struct Process {
    elector: Elector,
    offset: Duration,
    frozen_until: Duration,
    /// What is on its way: the question, when it was asked, the answer once the
    /// server gave it, and when that arrives.
    flying: Option<(Ask, Duration, Option<Answer>, Duration)>,
}

impl Process {
    fn may_write(&self, now: Duration) -> bool {
        self.elector.until().is_some_and(|until| self.offset + now < until)
    }
}

#[derive(Clone, Debug)]
enum Happening {
    /// Time passes, in milliseconds.
    Pass(u64),
    /// A process stands still, for so many milliseconds.
    Freeze(usize, u64),
    /// A request of a process takes so long each way; or is lost on its way.
    Slow(usize, u64, bool),
    /// The answer is lost.
    Deafen(usize),
    /// A watch tells a process what stands there now.
    Tell(usize),
    /// A process ends well, and begins anew.
    Restart(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => (1_u64..4_000).prop_map(Happening::Pass),
        1 => (0_usize..3, 100_u64..40_000).prop_map(|(who, long)| Happening::Freeze(who, long)),
        2 => (0_usize..3, 0_u64..6_000, any::<bool>()).prop_map(|(who, long, lost)| Happening::Slow(who, long, lost)),
        1 => (0_usize..3).prop_map(Happening::Deafen),
        3 => (0_usize..3).prop_map(Happening::Tell),
        1 => (0_usize..3).prop_map(Happening::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Whatever is slow, lost, frozen or restarted: never two that may write.
    #[test]
    fn there_are_never_two(happenings in proptest::collection::vec(happening(), 1..120)) {
        let mut server = Server::default();
        let mut processes: Vec<Process> = (0..3_u32)
            .map(|number| Process {
                elector: elector(&format!("p{number}")),
                offset: number * 1_000 * S,
                frozen_until: Duration::ZERO,
                flying: None,
            })
            .collect();
        let mut now = Duration::ZERO;
        let mut delay = [(Duration::ZERO, false); 3];
        for happening in happenings {
            let mut left = Duration::ZERO;
            match happening {
                Happening::Pass(long) => left = Duration::from_millis(long),
                Happening::Freeze(who, long) => processes[who].frozen_until = now + Duration::from_millis(long),
                Happening::Slow(who, long, lost) => delay[who] = (Duration::from_millis(long), lost),
                Happening::Deafen(who) => {
                    let process = &mut processes[who];
                    process.elector.deaf(process.offset + now);
                }
                Happening::Tell(who) if now >= processes[who].frozen_until => {
                    let process = &mut processes[who];
                    process.elector.heard(server.lease.clone(), process.offset + now);
                }
                Happening::Tell(_) => {}
                Happening::Restart(who) => {
                    let process = &mut processes[who];
                    if process.flying.is_none() && now >= process.frozen_until {
                        if let Some(lease) = process.elector.release(process.offset + now, wall()) {
                            server.take(&Ask::Update(lease));
                        }
                        process.elector = elector(&format!("p{who}-{}", now.as_nanos()));
                    }
                }
            }
            let end = now + left;
            while now <= end {
                for (who, process) in processes.iter_mut().enumerate() {
                    // The server answers half way, also to one that stands still.
                    if let Some((ask, started, answer, arrives)) = &mut process.flying
                        && answer.is_none()
                        && 2 * (process.offset + now) >= *started + *arrives
                    {
                        *answer = Some(server.take(ask));
                    }
                    if now < process.frozen_until {
                        continue;
                    }
                    let local = process.offset + now;
                    if let Some((ask, started, answer, arrives)) = process.flying.take() {
                        if local < arrives {
                            process.flying = Some((ask, started, answer, arrives));
                            continue;
                        }
                        let answer = answer.filter(|_| !delay[who].1).unwrap_or(Answer::Failed);
                        process.elector.answered(&ask, started, answer, local);
                    }
                    if let Next::Ask(ask) = process.elector.next(local, wall()) {
                        process.flying = Some((ask, local, None, local + delay[who].0));
                    }
                }
                let writers = processes.iter().filter(|process| process.may_write(now)).count();
                prop_assert!(writers <= 1, "{writers} may write at {now:?}");
                now += 50 * MS;
            }
        }
    }
}
