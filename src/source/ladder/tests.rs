//! Every sequence of answers up to a length, against what was promised.

use super::*;

const GOOD: Answer = Answer::Good(Duration::from_millis(3));
const BAD: Answer = Answer::Bad;

fn slow(layer: Layer) -> Answer {
    Answer::Good(budget(layer).saturating_add(Duration::from_millis(1)))
}

/// What may happen next: each live layer up, down or slow, the Ghost up or down.
fn events() -> Vec<(Layer, Answer)> {
    let live = |layer| [(layer, GOOD), (layer, BAD), (layer, slow(layer))];
    let ghost = [(Layer::Ghost, GOOD), (Layer::Ghost, BAD)];
    live(Layer::Grpc).into_iter().chain(live(Layer::Kube)).chain(ghost).collect()
}

/// How many good answers in a row a layer ended with.
fn in_a_row(history: &[(Layer, Answer)], layer: Layer) -> usize {
    history.iter().rev().filter(|(of, _)| *of == layer).take_while(|(_, answer)| *answer == GOOD).count()
}

fn told(history: &[(Layer, Answer)], pinned: Option<Layer>) -> Ladder {
    let mut ladder = Ladder::new(pinned);
    for (layer, answer) in history {
        ladder.hear(*layer, *answer);
    }
    ladder
}

/// Who looks at a sequence.
type Visit<'a> = dyn FnMut(&[(Layer, Answer)], &Ladder, Option<Layer>) + 'a;

/// Visits every sequence of up to `depth` events, each with the ladder that
/// heard it and who spoke before the last event.
fn every(history: &mut Vec<(Layer, Answer)>, ladder: &Ladder, depth: usize, visit: &mut Visit<'_>) {
    if depth == 0 {
        return;
    }
    for event in events() {
        let mut next = ladder.clone();
        next.hear(event.0, event.1);
        history.push(event);
        visit(history, &next, ladder.speaks());
        every(history, &next, depth - 1, visit);
        history.pop();
    }
}

#[test]
fn who_speaks_follows_from_what_was_heard() {
    let mut seen = 0_u32;
    every(&mut Vec::new(), &Ladder::new(None), 6, &mut |history, ladder, before| {
        seen += 1;
        let up = |layer: Layer| in_a_row(history, layer) >= if layer.is_live() { 2 } else { 1 };
        let best = Layer::ASKED.into_iter().find(|layer| up(*layer));
        assert_eq!(ladder.speaks(), best, "{history:?}");
        // A climb took two good answers of the layer; a fall took a failure of
        // the one that spoke, and no more than that one.
        if ladder.speaks() != before {
            let (layer, answer) = *history.last().unwrap();
            let climbed = ladder.speaks().is_some_and(|now| before.is_none_or(|before| now < before));
            if climbed {
                assert_eq!((ladder.speaks(), answer), (Some(layer), GOOD), "{history:?}");
            } else {
                assert_eq!(before, Some(layer), "{history:?}");
                assert_ne!(answer, GOOD, "{history:?}");
            }
        }
    });
    assert_eq!(seen, (1..=6).map(|n| 8_u32.pow(n)).sum::<u32>());
}

#[test]
fn whatever_happened_it_ends_on_the_best_layer_that_stays_up() {
    every(&mut Vec::new(), &Ladder::new(None), 4, &mut |history, ladder, _| {
        for up in [vec![Layer::Grpc], vec![Layer::Kube], vec![Layer::Ghost], Layer::ASKED.to_vec(), Vec::new()] {
            let mut ladder = ladder.clone();
            for _ in 0..2 {
                for layer in Layer::ASKED {
                    ladder.hear(layer, if up.contains(&layer) { GOOD } else { BAD });
                }
            }
            assert_eq!(ladder.speaks(), up.first().copied(), "{history:?} and then {up:?}");
        }
    });
}

#[test]
fn a_layer_that_flaps_never_speaks_and_a_slow_one_counts_as_down() {
    let mut ladder = told(&[(Layer::Ghost, GOOD)], None);
    for _ in 0..100 {
        for answer in [GOOD, BAD, GOOD, slow(Layer::Grpc)] {
            ladder.hear(Layer::Grpc, answer);
            assert_eq!(ladder.speaks(), Some(Layer::Ghost));
        }
    }
    assert!(!Layer::Ghost.is_live());
}

#[test]
fn a_pinned_layer_speaks_or_nobody_does() {
    for pinned in Layer::ASKED {
        every(&mut Vec::new(), &Ladder::new(Some(pinned)), 4, &mut |history, ladder, _| {
            assert!(ladder.speaks().is_none_or(|speaks| speaks == pinned), "{history:?}");
        });
        assert_eq!(told(&[(pinned, GOOD), (pinned, GOOD)], Some(pinned)).speaks(), Some(pinned));
    }
}
