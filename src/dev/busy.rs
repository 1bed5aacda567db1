//! A busy day: fourteen agents run a small payments ledger, and one of them
//! falls over an empty setting.

mod asks;
mod bursts;
mod cast;

use kgents_store::Key;

use crate::stage::Stage;
use crate::{NOW, World, cues, script};

const SEED: u64 = 0x0b05_1e57;
/// What happened before 10:30 was so before anybody listened.
const OPENING: i64 = -4 * 60 * 60 * 1_000;

/// What happened until now.
pub(crate) const STORY: &str = include_str!("busy/story.txt");
/// What happens then.
pub(crate) const AFTER: &str = include_str!("busy/after.txt");

pub(crate) fn world() -> World {
    let mut stage = Stage::new("busy", NOW, SEED, OPENING);
    cast::enter(&mut stage);
    script::play(&mut stage, STORY, cue);
    script::play(&mut stage, AFTER, cue);
    stage.finish()
}

fn cue(stage: &mut Stage, agent: &Key, words: &str) {
    if !act(stage, agent, words) {
        cues::play(stage, agent, words);
    }
}

/// The cues that only this world has; false for any other.
pub(crate) fn act(stage: &mut Stage, agent: &Key, words: &str) -> bool {
    let mut words = words.split(' ');
    let cue = words.next().unwrap_or_default();
    match cue {
        "born" => cast::born(stage, agent),
        "propose" => asks::propose(stage, agent.namespace(), words.next().unwrap_or_default()),
        _ => {
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
            let (first, second, third) = (number(), number(), number());
            return bursts::play(stage, agent, cue, [first, second, third]);
        }
    }
    true
}
