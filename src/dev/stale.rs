//! A small world as it was three days before the others: what a Ghost holds
//! when nobody has looked for a long weekend. Its stamps are not moved when it
//! is played, so it is as old as it says.

use jiff::{SignedDuration, Timestamp};
use kgents_api::Genus;
use kgents_api::proposal::ChangeType;
use kgents_store::{Key, Kind};
use serde_json::json;

use crate::cast::Role;
use crate::petition::Ask;
use crate::stage::Stage;
use crate::{NOW, World, cues, script};

const SEED: u64 = 0x57a1e;
const AGE: SignedDuration = SignedDuration::from_hours(3 * 24);
const OPENING: i64 = -60 * 60 * 1_000;

/// What happened on the last day that anybody saw.
pub(crate) const STORY: &str = "
13:31:00 b-gent . bucket of the fleet: 88,000 of 120,000 tokens
13:38:20 l-gent . 204 notes indexed, 3 of them say the same
13:41:10 l-gent ~ MEMORY 0.85 30 - three notes of one incident are merged
13:52:00 o-gent ~ STATE 0.70 40 - node garden-1 at 71 % of its memory
13:58:30 t-gent . ledger suite: 409 of 409
14:02:00 b-gent * propose b-gent-scale
14:02:05 b-gent * weigh b-gent-scale
14:02:10 t-gent ~ REVIEW_REQUEST 0.90 - - b-gent-scale is MEDIUM
14:05:30 n-gent . A quiet day. The banker counted to a hundred and started over.
14:09:00 l-gent * propose l-gent-notes
14:09:04 l-gent * weigh l-gent-notes
14:09:12 l-gent * merge l-gent-notes applied in 1 s, merged by itself
14:12:40 o-gent * crash Error 1
14:12:41 o-gent % BackOff: Back-off restarting failed container logic (×4)
14:18:10 b-gent ~ SCARCITY 0.80 - - 41,000 tokens are left for the fleet
14:22:30 n-gent ~ NARRATIVE 0.75 25 - The watchman closed his eyes and could not open them.
14:26:05 t-gent ~ WARNING 0.95 12 o-gent o-gent does not answer; nobody watches the nodes
14:28:40 b-gent ? two replicas do not drain the queue; who agrees to five?
14:29:10 o-gent % BackOff: Back-off restarting failed container logic (×11)
14:30:00 b-gent . queue 140, drain 11 a second, growth 14 a second
";

pub(crate) fn world() -> World {
    let now = NOW.saturating_sub(AGE).unwrap_or(Timestamp::UNIX_EPOCH);
    let mut stage = Stage::new("stale", now, SEED, OPENING);
    let cast = [
        Role { replicas: 2, tokens: 120_000, ..Role::of("b-gent", Genus::B, "ghcr.io/kgents/b-gent:1.4.1") },
        Role { memory: Some(("VECTOR", "1Gi")), ..Role::of("l-gent", Genus::L, "ghcr.io/kgents/l-gent:1.4.1") },
        Role { tokens: 20_000, ..Role::of("n-gent", Genus::N, "ghcr.io/kgents/n-gent:1.4.1") },
        Role { minded: true, ..Role::of("o-gent", Genus::O, "ghcr.io/kgents/o-gent:1.4.1") },
        Role::of("t-gent", Genus::T, "ghcr.io/kgents/t-gent:1.4.1"),
    ];
    for (days, role) in (2..).zip(cast).collect::<Vec<_>>().into_iter().rev() {
        stage.until(-days * 24 * 60 * 60 * 1_000);
        role.lives(&mut stage);
    }
    script::play(&mut stage, STORY, cue);
    stage.finish()
}

fn cue(stage: &mut Stage, agent: &Key, words: &str) {
    match words {
        "propose b-gent-scale" => Ask {
            name: "b-gent-scale",
            change: ChangeType::AgentScale,
            target: (Kind::Agent, "b-gent"),
            patch: json!({ "type": "merge", "content": { "spec": { "replicas": 5 } } }),
            proposer: "b-gent",
            reason: "High load, queue 140 deep",
            more: json!({}),
        }
        .put(stage, agent.namespace()),
        "propose l-gent-notes" => Ask {
            name: "l-gent-notes",
            change: ChangeType::CodePatch,
            target: (Kind::Agent, "l-gent"),
            patch: json!({ "type": "merge", "content": { "spec": { "instructions": "Merge what says the same." } } }),
            proposer: "l-gent",
            reason: "Three notes say what one could.",
            more: json!({ "urgency": "LOW", "tests": { "added": 5, "removed": 0 } }),
        }
        .put(stage, agent.namespace()),
        _ => {
            cues::play(stage, agent, words);
        }
    }
}
