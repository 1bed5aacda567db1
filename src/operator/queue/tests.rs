use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn key(n: u8) -> Key {
    Key::new(Controller::ALL[usize::from(n) % 4], "ns", &n.to_string())
}

fn wall(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_key_is_in_it_once_and_comes_again_if_it_was_asked_for_meanwhile() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    assert!(queue.add(key(1), now));
    assert!(!queue.add(key(1), now));
    assert!(queue.add(key(2), now));
    assert_eq!(queue.take(now + Duration::from_secs(3)), Some((key(1), Duration::from_secs(3))));
    assert!(queue.add(key(1), now));
    assert!(!queue.add(key(1), now));
    assert_eq!(queue.take(now).unwrap().0, key(2));
    assert_eq!(queue.take(now), None);
    queue.done(&key(1), End::Well(None), now, 0);
    queue.done(&key(2), End::Well(None), now, 0);
    assert_eq!(queue.take(now).unwrap().0, key(1));
    queue.done(&key(1), End::Well(None), now, 0);
    assert!(queue.is_idle() && queue.slots.is_empty());
    assert_eq!(queue.sleep(now, wall(0)), None);
}

#[tokio::test(start_paused = true)]
async fn many_keys_of_one_controller_do_not_hold_up_the_few_of_another() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let of = |controller, n: usize| Key::new(controller, "ns", &n.to_string());
    for n in 0..100 {
        queue.add(of(Controller::Pheromone, n), now);
    }
    for n in 0..3 {
        queue.add(of(Controller::Agent, n), now);
    }
    queue.add(of(Controller::Memory, 0), now);
    let mut next = || queue.take(now).unwrap().0;
    let first: Vec<Key> = (0..7).map(|_| next()).collect();
    let (agent, memory, pheromone) = (Controller::Agent, Controller::Memory, Controller::Pheromone);
    let wanted = [(agent, 0), (memory, 0), (pheromone, 0), (agent, 1), (pheromone, 1), (agent, 2), (pheromone, 2)];
    assert_eq!(first, wanted.map(|(controller, n)| of(controller, n)));
    assert_eq!(next(), of(pheromone, 3));
}

#[tokio::test(start_paused = true)]
async fn failures_wait_longer_each_time_and_a_success_forgets_them() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    let mut delays = Vec::new();
    for _ in 0..20 {
        queue.add(key(1), now);
        queue.take(now).unwrap();
        delays.push(queue.done(&key(1), End::Badly(None), now, u64::MAX).unwrap().as_millis());
    }
    assert_eq!(delays[..4], [5, 10, 20, 40]);
    assert_eq!(delays[19], 300_000);
    assert!(!queue.is_idle());
    queue.add(key(1), now);
    queue.take(now).unwrap();
    queue.done(&key(1), End::Well(None), now, 0);
    assert!(queue.is_idle() && queue.slots.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_two_moments_counts_and_a_jump_of_the_clock_wakes() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    queue.add(key(1), now);
    queue.take(now);
    queue.done(&key(1), End::Well(Some(wall(1_000))), now, 0);
    queue.at(&key(1), wall(2_000));
    assert_eq!(queue.moments.len(), 1);
    queue.at(&key(1), wall(500));
    assert_eq!(queue.moments.first(), Some(&(wall(500), key(1))));
    // Far away: looked at again within a minute all the same.
    assert_eq!(queue.sleep(now, wall(0)), Some(LOOK_AGAIN));
    assert_eq!(queue.sleep(now, wall(490)), Some(Duration::from_secs(10)));
    assert_eq!(queue.sleep(now, wall(9_000)), Some(Duration::ZERO));
    assert!(queue.wake(now, wall(499)).is_empty());
    assert_eq!(queue.wake(now, wall(3_600)), [key(1)]);
    assert_eq!(queue.take(now).unwrap().0, key(1));
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_timers_cost_next_to_nothing() {
    let (mut queue, now) = (Queue::default(), Instant::now());
    for n in 0..10_000 {
        let key = Key::new(Controller::Pheromone, "ns", &n.to_string());
        queue.add(key.clone(), now);
        queue.take(now);
        queue.done(&key, End::Well(Some(wall(n))), now, 0);
    }
    assert_eq!(queue.waiting(), (0, 10_000));
    assert_eq!(queue.wake(now, wall(4_999)).len(), 5_000);
    assert_eq!((queue.depth(Controller::Pheromone), queue.waiting()), (5_000, (0, 5_000)));
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8),
    Take,
    Done(usize, Option<i64>, bool),
    Pass(u64),
    Jump(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0_u8..6).prop_map(Step::Add),
        Just(Step::Take),
        (0_usize..6, proptest::option::of(0_i64..200), any::<bool>())
            .prop_map(|(which, at, badly)| Step::Done(which, at, badly)),
        (0_u64..100_000).prop_map(Step::Pass),
        (0_i64..200).prop_map(Step::Jump),
    ]
}

proptest! {
    /// Against a model that only knows what must happen: a key that was asked
    /// for is given out, once at a time, and no later than when it is due.
    #[test]
    fn no_key_is_lost_or_worked_on_twice_at_once(steps in proptest::collection::vec(step(), 0..200)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let _guard = runtime.enter();
        let (mut queue, start) = (Queue::default(), Instant::now());
        let (mut millis, mut second) = (0_u64, 0_i64);
        // What must come: with the earliest delay and moment known for it.
        let mut owed: BTreeMap<Key, (Option<Instant>, Option<Timestamp>)> = BTreeMap::new();
        let mut asked: BTreeSet<Key> = BTreeSet::new();
        let mut working: Vec<Key> = Vec::new();
        for step in steps {
            let now = start + Duration::from_millis(millis);
            match step {
                Step::Add(n) => {
                    queue.add(key(n), now);
                    asked.insert(key(n));
                }
                Step::Take => {
                    queue.wake(now, wall(second));
                    for (key, (delay, moment)) in &owed {
                        if delay.is_some_and(|at| at <= now) || moment.is_some_and(|at| at <= wall(second)) {
                            asked.insert(key.clone());
                        }
                    }
                    let free: Vec<&Key> = asked.iter().filter(|key| !working.contains(key)).collect();
                    match queue.take(now) {
                        None => prop_assert!(free.is_empty(), "{free:?} was lost"),
                        Some((key, _)) => {
                            prop_assert!(!working.contains(&key), "{key} twice at once");
                            prop_assert!(asked.remove(&key), "nobody asked for {key}");
                            owed.remove(&key);
                            working.push(key);
                        }
                    }
                }
                Step::Done(which, at, badly) => {
                    if working.is_empty() {
                        continue;
                    }
                    let key = working.remove(which % working.len());
                    let moment = at.map(wall);
                    let end = if badly { End::Badly(moment) } else { End::Well(moment) };
                    let delay = queue.done(&key, end, now, u64::MAX);
                    prop_assert_eq!(delay.is_some(), badly);
                    owed.insert(key, (delay.map(|delay| now + delay), moment));
                }
                Step::Pass(more) => {
                    millis += more;
                    second += i64::try_from(more / 1_000).unwrap();
                }
                Step::Jump(to) => second = to,
            }
            prop_assert_eq!(queue.working(), working.len());
            let depth: usize = Controller::ALL.iter().map(|one| queue.depth(*one)).sum();
            let ready = queue.slots.values().filter(|slot| matches!(slot.place, Place::Ready { .. })).count();
            prop_assert_eq!(depth, ready);
        }
        // In the end everything that was asked for, or waits, is given out.
        let now = start + Duration::from_millis(millis) + CAP;
        for key in working {
            queue.done(&key, End::Well(None), now, 0);
        }
        asked.extend(owed.into_iter().filter(|(_, (delay, at))| delay.is_some() || at.is_some()).map(|(key, _)| key));
        queue.wake(now, wall(1_000_000));
        let mut given = BTreeSet::new();
        while let Some((key, _)) = queue.take(now) {
            given.insert(key);
        }
        prop_assert_eq!(given, asked);
    }
}
