//! Work that makes many lines in a short time.

use kgents_store::Key;
use kgents_store::thought::Severity;

use crate::stage::Stage;

const CASES: [&str; 12] = [
    "refund-after-close",
    "rounding-half-cent",
    "two-currencies",
    "empty-invoice",
    "hold-expires",
    "hold-twice",
    "payout-on-holiday",
    "merchant-moves",
    "negative-balance",
    "leap-second",
    "slice-border",
    "journal-balances",
];

/// A burst: `settles COUNT SECONDS`, `tests COUNT SECONDS`, `reads FIRST COUNT
/// SECONDS`. False if it is none of these.
pub(super) fn play(stage: &mut Stage, agent: &Key, cue: &str, figures: [Option<u64>; 3]) -> bool {
    let [Some(first), Some(second), third] = figures else { return false };
    match cue {
        "settles" => burst(stage, agent, first, second, |stage, i| {
            let (cents, tokens) = (120 + stage.rng.below(4_880), 5 + stage.rng.below(6));
            format!("settled hold {:03x}: {}.{:02} €, {tokens} tokens", 0x9f2 + i * 7, cents / 100, cents % 100)
        }),
        "tests" => burst(stage, agent, first, second, |stage, i| {
            let ms = 40 + stage.rng.below(1_800);
            let case = CASES.get(i as usize % CASES.len()).unwrap_or(&"");
            format!("{case} passes on the copy, {ms} ms")
        }),
        "reads" => burst(stage, agent, second, third.unwrap_or(1), |stage, i| {
            let mib = 138 + stage.rng.below(10);
            let wrong = match stage.rng.below(9) {
                0 => "1 difference",
                _ => "no difference",
            };
            format!("slice {} of 83: {wrong}, {mib} MiB", first + i)
        }),
        _ => return false,
    }
    true
}

/// So many lines over so many seconds, at uneven distances.
fn burst(stage: &mut Stage, agent: &Key, count: u64, seconds: u64, mut line: impl FnMut(&mut Stage, u64) -> String) {
    let mean = seconds * 1_000 / count.max(1);
    for i in 0..count {
        let text = line(stage, i);
        stage.think(agent, None, Severity::Info, &text);
        let pause = mean / 2 + stage.rng.below(mean.max(1));
        stage.wait(pause as i64);
    }
}
