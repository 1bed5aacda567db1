//! Where everything stands in a tree, and the bounds of it.

use kgents_core::freshness::Area;
use kgents_store::Kind;

/// The agents, one file each.
pub(super) const AGENTS: &str = "agents";
pub(super) const INDEX: &str = "agents/_index.json";
pub(super) const ACTIVE: &str = "pheromones/active.json";
pub(super) const BY_TYPE: &str = "pheromones/by_type";
pub(super) const PENDING: &str = "proposals/pending.json";
pub(super) const REJECTED: &str = "proposals/rejected.json";
pub(super) const MERGED: &str = "proposals/merged.json";
pub(super) const STATUS: &str = "cluster/status.json";
pub(super) const THOUGHTS: &str = "thoughts/recent.jsonl";
pub(super) const STABILITY: &str = "_meta/stability_score.json";
pub(super) const SYNC: &str = "_meta/sync.json";
pub(super) const LOCK: &str = "_meta/lock";
/// What happens after the moment of a recording.
pub(super) const TIMELINE: &str = "_meta/timeline.jsonl";
/// The trees of contexts that the root tree does not belong to.
pub(super) const CONTEXTS: &str = "contexts";

/// The area that files below `_meta` say.
pub(super) const META: &str = "meta";

/// Every folder of a tree.
pub(super) const FOLDERS: [&str; 7] = [AGENTS, "pheromones", BY_TYPE, "proposals", "cluster", "thoughts", "_meta"];

/// Files that each write of their area renews, the one that names the context
/// first.
pub(super) const HEADS: [&str; 8] = [SYNC, INDEX, ACTIVE, PENDING, STATUS, REJECTED, MERGED, THOUGHTS];

/// The largest file that is read or written, in bytes.
pub(super) const MAX_FILE: usize = 16 << 20;
/// How many bytes of one tree are read.
pub(super) const MAX_TREE: usize = 256 << 20;
/// How many objects of one tree are read.
pub(super) const MAX_OBJECTS: usize = 100_000;
/// How many thoughts are kept.
pub(super) const MAX_THOUGHTS: usize = 1_000;

/// The kinds that have no file of their own, and what their part of
/// `cluster/status.json` is called.
pub(super) const CLUSTER: [Kind; 4] = [Kind::Deployment, Kind::Pod, Kind::Memory, Kind::Umwelt];

/// The area in which a kind is written. Not [`Kind::area`], which says whose
/// limits of freshness hold: Memories and Umwelts stand with the cluster.
pub(super) const fn area(kind: Kind) -> Area {
    match kind {
        Kind::Agent => Area::Agents,
        Kind::Pheromone => Area::Pheromones,
        Kind::Proposal => Area::Proposals,
        Kind::Memory | Kind::Umwelt | Kind::Deployment | Kind::Pod => Area::Cluster,
        Kind::Event => Area::Thoughts,
    }
}

/// The kinds of an area that are lists of objects.
pub(super) const fn kinds(area: Area) -> &'static [Kind] {
    match area {
        Area::Agents => &[Kind::Agent],
        Area::Pheromones => &[Kind::Pheromone],
        Area::Proposals => &[Kind::Proposal],
        Area::Cluster => &CLUSTER,
        Area::Thoughts => &[],
    }
}
