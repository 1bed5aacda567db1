//! A small world in which all is well. Its files are damaged after they were
//! written: see [`crate::TEARS`].

use kgents_api::Genus;
use kgents_api::proposal::ChangeType;
use kgents_store::{Key, Kind};
use serde_json::json;

use crate::cast::Role;
use crate::petition::Ask;
use crate::stage::Stage;
use crate::{NOW, World, cues, script};

const SEED: u64 = 0x00c0_2207;
const OPENING: i64 = -60 * 60 * 1_000;

/// What happened before the disk went bad.
pub(crate) const STORY: &str = "
13:35:00 omega-gent . the day: nothing but the close
13:40:10 t-gent * propose t-gent-probes
13:40:14 t-gent * weigh t-gent-probes
13:52:00 ann * reject t-gent-probes Probing every second is a load of its own.
13:55:30 l-gent ~ MEMORY 0.80 30 - the note of the last close is found
14:01:00 n-gent * propose n-gent-style
14:01:04 n-gent * weigh n-gent-style
14:01:11 n-gent * merge n-gent-style applied in 1 s, merged by itself
14:08:20 b-gent ~ SCARCITY 0.85 - - 20,000 tokens are left
14:12:00 k-gent * propose k-gent-egress
14:12:05 k-gent * weigh k-gent-egress
14:20:00 psi-gent ~ DREAM 0.90 - - what is not whole can still be read around
14:24:10 q-gent . job 12 of 40
14:26:30 o-gent ~ WARNING 0.95 15 - input and output errors on the disk of the one who watches
14:27:00 d-gent ~ STATE 0.70 20 - 212 keys, all of them whole here
14:29:20 b-gent . settled 3 holds, 412 tokens
14:30:00 omega-gent . all well as far as I can see
";

pub(crate) fn world() -> World {
    let mut stage = Stage::new("corrupt", NOW, SEED, OPENING);
    stage.until(-3 * 24 * 60 * 60 * 1_000);
    for (name, genus) in [
        ("b-gent", Genus::B),
        ("d-gent", Genus::D),
        ("k-gent", Genus::K),
        ("l-gent", Genus::L),
        ("n-gent", Genus::N),
        ("o-gent", Genus::O),
        ("omega-gent", Genus::Omega),
        ("psi-gent", Genus::Psi),
        ("q-gent", Genus::Q),
        ("t-gent", Genus::T),
    ] {
        let image = "ghcr.io/kgents/agent:1.4.2";
        let instructions = "Do what your letter says, and say what you do.";
        Role { instructions, ..Role::of(name, genus, image) }.lives(&mut stage);
    }
    script::play(&mut stage, STORY, cue);
    stage.finish()
}

fn cue(stage: &mut Stage, agent: &Key, words: &str) {
    let (name, change, target, spec, reason) = match words {
        "propose t-gent-probes" => (
            "t-gent-probes",
            ChangeType::ConfigUpdate,
            "t-gent",
            json!({ "health": { "probeInterval": "1s" } }),
            "Thirty seconds are long when something is wrong.",
        ),
        "propose n-gent-style" => (
            "n-gent-style",
            ChangeType::CodePatch,
            "n-gent",
            json!({ "instructions": "One sentence." }),
            "Nobody reads the second sentence.",
        ),
        "propose k-gent-egress" => (
            "k-gent-egress",
            ChangeType::PolicyUpdate,
            "k-gent",
            json!({ "networkPolicy": { "allowEgress": true } }),
            "The bank's sandbox is outside.",
        ),
        _ => {
            cues::play(stage, agent, words);
            return;
        }
    };
    let patch = json!({ "type": "merge", "content": { "spec": spec } });
    let more =
        if change == ChangeType::CodePatch { json!({ "tests": { "added": 40, "removed": 0 } }) } else { json!({}) };
    Ask { name, change, target: (Kind::Agent, target), patch, proposer: target, reason, more }
        .put(stage, agent.namespace());
}
