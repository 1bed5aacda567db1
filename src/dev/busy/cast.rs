//! The agents of the busy day.

use kgents_api::Genus;
use kgents_store::Key;

use crate::cast::Role;
use crate::cluster;
use crate::stage::Stage;

const HOUR: i64 = 60 * 60 * 1_000;
const EPHEMERAL: &str = "kgents-ephemeral";

/// Everybody, with the hours that each has been here; the one who comes during
/// the story has none.
const CAST: [(i64, Role<'static>); 14] = [
    (
        31 * 24,
        Role {
            tokens: 60_000,
            refill: 800,
            peers: &["genus:B", "q-gent", "d-gent"],
            instructions: "Keep the day. Decide what runs, in which order, and what waits. Ask a person before anything that cannot be undone.",
            persona: [0.4, 0.9, 0.1, 0.2],
            affordances: &["world.**", "self.**", "void.pheromone.*", "time.trace.witness"],
            ..Role::of("omega-gent", Genus::Omega, "ghcr.io/kgents/omega-gent:1.4.2")
        },
    ),
    (
        31 * 24 - 1,
        Role {
            paused: true,
            limit: "512Mi",
            memory: Some(("BICAMERAL", "4Gi")),
            instructions: "Keep the state of everybody. Never answer from memory what the volume can answer.",
            config: &[("SYNC_EVERY", "30s")],
            peers: &["genus:B", "k-gent", "l-gent"],
            ..Role::of("d-gent", Genus::D, "ghcr.io/kgents/d-gent:1.4.2")
        },
    ),
    (
        30 * 24,
        Role {
            tokens: 240_000,
            refill: 4_000,
            replicas: 2,
            limit: "384Mi",
            config: &[("SETTLE_BATCH", "64"), ("CURRENCY", "EUR")],
            peers: &["billing", "d-gent", "omega-gent"],
            instructions: "Keep the tokens and the holds. Settle what is due, hold what is not, and say early when it will not last.",
            persona: [0.3, 0.8, 0.1, 0.2],
            ..Role::of("b-gent", Genus::B, "ghcr.io/kgents/b-gent:1.4.2")
        },
    ),
    (
        29 * 24,
        Role {
            limit: "512Mi",
            memory: Some(("VECTOR", "2Gi")),
            config: &[("RECALL_TOP_K", "8"), ("EMBED_BATCH", "26")],
            peers: &["d-gent", "t-gent"],
            instructions: "Read every note, find what belongs together, and tell what was known before it is learned twice.",
            persona: [0.6, 0.4, 0.2, 0.6],
            ..Role::of("l-gent", Genus::L, "ghcr.io/kgents/l-gent:1.4.2")
        },
    ),
    (
        28 * 24,
        Role {
            minded: true,
            instructions: "Watch nodes, queues and minds. Warn once, with the figure that made you.",
            affordances: &["world.**", "void.pheromone.*"],
            persona: [0.3, 0.9, 0.0, 0.1],
            ..Role::of("o-gent", Genus::O, "ghcr.io/kgents/o-gent:1.4.2")
        },
    ),
    (
        28 * 24 - 2,
        Role {
            tokens: 45_000,
            limit: "512Mi",
            peers: &["q-gent", "billing", "l-gent"],
            instructions: "Try everything on a copy first. A proposal that only moves a fault is no mend: say so.",
            affordances: &["self.**"],
            persona: [0.4, 1.0, 0.3, 0.3],
            ..Role::of("t-gent", Genus::T, "ghcr.io/kgents/t-gent:1.4.2")
        },
    ),
    (
        21 * 24,
        Role {
            config: &[("SLICE_ROWS", ""), ("BANK_FILE", "s3://bank/2025-q4.mt940")],
            memory: Some(("EPHEMERAL", "256Mi")),
            peers: &["omega-gent", "d-gent"],
            instructions: "Run what runs once and throw the machine away. The quarter has to equal the bank's file to the cent.",
            ..Role::of("q-gent", Genus::Q, "ghcr.io/kgents/q-gent:1.4.2")
        },
    ),
    (
        20 * 24,
        Role {
            tokens: 10_000,
            refill: 100,
            minded: true,
            config: &[("LANGUAGES", "de,en,es,fr,it,nl,pl,pt,sv")],
            peers: &["b-gent", "d-gent", "billing"],
            instructions: "Speak with merchants as somebody who has time. Never promise a date that b-gent has not named.",
            persona: [0.9, 0.5, 0.4, 0.5],
            ..Role::of("k-gent", Genus::K, "ghcr.io/kgents/k-gent:1.4.2")
        },
    ),
    (
        14 * 24,
        Role {
            tokens: 20_000,
            refill: 200,
            instructions: "Tell what happened so that somebody who slept through it can laugh about it.",
            persona: [0.8, 0.3, 0.8, 0.5],
            ..Role::of("n-gent", Genus::N, "ghcr.io/kgents/n-gent:1.4.2")
        },
    ),
    (
        9 * 24,
        Role {
            tokens: 20_000,
            refill: 200,
            instructions: "Write the minutes: what was decided, by whom, and what it costs. Nothing else.",
            persona: [0.4, 0.7, 0.0, 0.1],
            ..Role::of("scribe", Genus::N, "ghcr.io/kgents/n-gent:1.4.2")
        },
    ),
    (
        6 * 24,
        Role {
            instructions: "Look for the shape that two things share. One worth telling a night is enough.",
            persona: [0.7, 0.2, 0.6, 0.6],
            ..Role::of("psi-gent", Genus::Psi, "ghcr.io/kgents/psi-gent:1.4.2")
        },
    ),
    (
        30,
        Role {
            namespace: EPHEMERAL,
            memory: None,
            minded: true,
            tokens: 15_000,
            instructions: "Compile what the others write. You live until the branch is merged.",
            ..Role::of("forge-3", Genus::F, "ghcr.io/kgents/f-gent:1.4.2")
        },
    ),
    (
        5,
        Role {
            namespace: EPHEMERAL,
            memory: None,
            tokens: 8_000,
            instructions: "Replay fifteen days of the ledger and compare. Then go.",
            ..Role::of("replay-7", Genus::Q, "ghcr.io/kgents/q-gent:1.4.2")
        },
    ),
    (
        0,
        Role {
            replicas: 2,
            tokens: 40_000,
            refill: 400,
            config: &[("SCHEMA", "41"), ("FIRST_INVOICE", "4100")],
            memory: Some(("RELATIONAL", "1Gi")),
            peers: &["b-gent", "k-gent", "d-gent"],
            instructions: "Write the invoices, send them, and mend those that come back.",
            persona: [0.5, 0.7, 0.1, 0.2],
            ..Role::of("billing", Genus::B, "ghcr.io/kgents/billing:1.5.0")
        },
    ),
];

/// Those who were here before the story.
pub(super) fn enter(stage: &mut Stage) {
    for (hours, role) in CAST.iter().filter(|(hours, _)| *hours > 0) {
        stage.until(-hours * HOUR + 400);
        role.lives(stage);
    }
}

/// Somebody comes: the agent appears, and its pods are being made.
pub(super) fn born(stage: &mut Stage, agent: &Key) {
    let Some((_, role)) = CAST.iter().find(|(_, role)| role.key() == *agent) else { return };
    role.appears(stage);
    stage.wait(300);
    role.settles(stage);
    cluster::roll_out(stage, agent);
}
