use kgents_store::bus::{self, Reader};

use super::*;
use crate::kube::testing::object;

fn agent(name: &str, version: u32) -> Decoded {
    object(Kind::Agent, "n", name, version)
}

fn key(name: &str) -> Key {
    Key::new("n", name)
}

/// What the bus was told of objects: name, version or death, news or not.
fn told(reader: &mut Reader) -> Vec<(String, Option<String>, bool)> {
    let mut told: Vec<_> = reader
        .drain(usize::MAX)
        .changes
        .into_iter()
        .map(|change| {
            (change.key.to_string(), change.now.map(|now| now.resource_version), change.novelty == Novelty::Initial)
        })
        .collect();
    told.sort();
    told
}

fn states(reader: &mut Reader) -> Vec<Watch> {
    let control = reader.drain(usize::MAX).control.into_iter();
    control
        .filter_map(|control| match control {
            Control::Watch(Kind::Agent, watch) => Some(watch),
            _ => None,
        })
        .collect()
}

fn board() -> (Board, Reader) {
    let (bus, reader) = bus::new();
    (Board::new(Kind::Agent, bus), reader)
}

#[tokio::test]
async fn after_a_gap_only_the_difference_is_told() {
    let (board, mut reader) = board();
    for name in ["a", "b", "c"] {
        board.apply(agent(name, 1), Novelty::Initial).await;
    }
    board.listed(&None, &["a", "b", "c"].map(key).into(), Novelty::News).await;
    assert_eq!(told(&mut reader).len(), 3);
    assert!(board.was_listed(&None));
    // The list after the gap: a as it was, b changed, c gone, d new.
    for object in [agent("a", 1), agent("b", 2), agent("d", 3)] {
        board.apply(object, Novelty::News).await;
    }
    board.listed(&None, &["a", "b", "d"].map(key).into(), Novelty::News).await;
    let expected = [("n/b", Some("2")), ("n/c", None), ("n/d", Some("3"))];
    let expected = expected.map(|(key, version)| (key.to_owned(), version.map(str::to_owned), false));
    assert_eq!(told(&mut reader), expected);
    board.delete(&key("c"), Novelty::News).await;
    assert!(told(&mut reader).is_empty(), "nobody dies twice");
}

#[tokio::test]
async fn the_same_name_with_another_uid_is_another_object() {
    let (board, mut reader) = board();
    board.apply(agent("a", 1), Novelty::Initial).await;
    let mut other = agent("a", 1);
    other.uid = "other".into();
    told(&mut reader);
    board.apply(other, Novelty::News).await;
    assert_eq!(told(&mut reader).len(), 1);
}

#[tokio::test]
async fn a_list_of_one_namespace_says_nothing_about_another() {
    let (board, mut reader) = board();
    board.apply(object(Kind::Agent, "x", "a", 1), Novelty::Initial).await;
    board.apply(object(Kind::Agent, "y", "a", 1), Novelty::Initial).await;
    told(&mut reader);
    board.listed(&Some("x".into()), &HashSet::new(), Novelty::News).await;
    assert_eq!(told(&mut reader), [("x/a".to_owned(), None, false)]);
    board.restart(Some("z")).await;
    assert_eq!(told(&mut reader), [("y/a".to_owned(), None, false)], "outside of the new scope");
}

#[tokio::test]
async fn a_state_is_told_when_it_changes_and_only_then() {
    let (board, mut reader) = board();
    let part = None;
    board.begin(&part).await;
    board.begin(&part).await;
    board.live(&part).await;
    board.live(&part).await;
    board.verified(&part);
    board.failing(&part, "gone".into(), None).await;
    board.failing(&part, "gone".into(), None).await;
    let states = states(&mut reader);
    let words: Vec<String> = states.iter().map(|watch| format!("{:?}", watch.state)).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert_eq!((states[0].state.clone(), states[0].as_of), (WatchState::Listing, None));
    assert!(states[1].state.is_live() && states[1].as_of.is_some());
    assert!(matches!(&states[2].state, WatchState::Failing { error, .. } if error == "gone"));
    assert!(states[2].as_of >= states[1].as_of);
}

#[tokio::test]
async fn a_failure_lasts_since_its_beginning_and_was_verified_at_the_last_probe() {
    let (board, mut reader) = board();
    board.live(&None).await;
    let probed = clock::now().saturating_add(jiff::SignedDuration::from_secs(3)).unwrap();
    board.failing(&None, "one".into(), Some(probed)).await;
    board.failing(&None, "two".into(), Some(Timestamp::MAX)).await;
    let states = states(&mut reader);
    let (WatchState::Failing { since: one, .. }, WatchState::Failing { since: two, error }) =
        (&states[1].state, &states[2].state)
    else {
        panic!("{states:?}")
    };
    assert_eq!((one, error.as_str()), (two, "two"));
    assert_eq!((states[1].as_of, states[2].as_of), (Some(probed), Some(probed)));
}

#[tokio::test]
async fn of_several_parts_the_worst_is_told() {
    let (board, mut reader) = board();
    let [x, y, z] = ["x", "y", "z"].map(|name| Some(name.to_owned()));
    for part in [&x, &y, &z] {
        board.begin(part).await;
    }
    board.live(&x).await;
    board.refuse("y").await;
    assert_eq!(states(&mut reader).len(), 1, "still listing");
    board.live(&z).await;
    let live = states(&mut reader);
    assert_eq!(
        (live.len(), live[0].state.clone(), live[0].refused.clone()),
        (1, WatchState::Live, vec!["y".to_owned()])
    );
    board.failing(&z, "oh".into(), None).await;
    board.live(&z).await;
    let after = states(&mut reader);
    assert!(matches!(after[0].state, WatchState::Failing { .. }) && after[1].state.is_live());
}

#[tokio::test]
async fn an_answer_is_good_or_bad_but_no_silence() {
    let (board, _reader) = board();
    let answered = board.answered();
    let mut answered = std::pin::pin!(answered);
    board.begin(&None).await;
    board.failing(&None, "silence".into(), None).await;
    assert!(futures::poll!(&mut answered).is_pending());
    board.denied(&None, WatchState::Missing).await;
    assert!(futures::poll!(&mut answered).is_ready());
}

#[test]
fn every_kind_has_its_own_board() {
    let (bus, _reader) = bus::new();
    let boards = Boards::new(&bus);
    for kind in Kind::ALL {
        assert_eq!(boards.of(kind).kind, kind);
    }
}
