//! How a tree stands, for who looks after it.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use kgents_core::freshness::{self, Area, Freshness};
use kgents_store::{Kind, Layer};
use serde::{Serialize, Serializer};

use super::layout::{self, ACTIVE, AGENTS, INDEX, META, PENDING, STATUS, THOUGHTS};
use super::ledger::Ledger;
use super::read::{Memory, Problem};
use super::tree::Ghost;
use super::{disk, lock};

/// How a tree stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The tree.
    pub path: PathBuf,
    /// Whether anything was ever written there.
    pub exists: bool,
    /// The context that it is about, where that is known.
    pub context: Option<String>,
    /// URL of its API server; empty if that is not known.
    pub server: String,
    /// Where who wrote it had it from.
    pub source: Option<Layer>,
    /// When it was written last, whichever area.
    pub last_sync: Option<Timestamp>,
    /// The pid of who writes it now.
    pub holder: Option<u32>,
    /// How each area stands, in the order of [`Area::ALL`].
    pub areas: Vec<AreaStatus>,
    /// What cannot be read.
    pub problems: Vec<Problem>,
}

/// How one area of a tree stands.
#[derive(Clone, Debug, Serialize)]
pub struct AreaStatus {
    /// Which.
    pub area: Area,
    /// Whether it was ever written.
    pub exists: bool,
    /// Where who wrote it had it from, as far as that is known.
    pub source: Option<Layer>,
    /// When what it says was so.
    pub as_of: Option<Timestamp>,
    /// How long ago that is; in JSON in seconds.
    #[serde(rename = "age_seconds", serialize_with = "seconds")]
    pub age: Option<SignedDuration>,
    /// How far it can be trusted.
    pub freshness: Option<Freshness>,
    /// How calm it is, 0..1.
    pub stability: f64,
    /// Why the last sync had no live answer, if it had none.
    pub error: Option<String>,
    /// How many entries it has.
    pub entries: usize,
    /// How many bytes its files have.
    pub bytes: u64,
}

#[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn seconds<S: Serializer>(age: &Option<SignedDuration>, serializer: S) -> Result<S::Ok, S::Error> {
    age.map(|age| age.as_secs()).serialize(serializer)
}

impl Ghost {
    /// How the tree stands. Reads all of it; blocking.
    pub fn status(&self, now: Timestamp) -> Status {
        let (memory, ledger) = self.read_at(None, now);
        let areas: Vec<AreaStatus> = Area::ALL.into_iter().map(|area| self.area(area, &memory, &ledger, now)).collect();
        let context = Some(memory.scene.context.clone()).filter(|context| !context.is_empty());
        Status {
            path: self.path().to_owned(),
            exists: areas.iter().any(|area| area.exists),
            context: context.or_else(|| self.context().map(str::to_owned)),
            server: memory.scene.server,
            source: memory.source,
            last_sync: areas.iter().filter_map(|area| area.as_of).max(),
            holder: lock::holder(self.path()),
            areas,
            problems: memory.problems,
        }
    }

    fn area(&self, area: Area, memory: &Memory, ledger: &Ledger, now: Timestamp) -> AreaStatus {
        let kinds = || layout::kinds(area).iter().filter_map(|kind: &Kind| memory.kinds.get(kind));
        let head = match area {
            Area::Agents => INDEX,
            Area::Pheromones => ACTIVE,
            Area::Proposals => PENDING,
            Area::Cluster => STATUS,
            Area::Thoughts => THOUGHTS,
        };
        let (as_of, entries) = if area == Area::Thoughts {
            (memory.thoughts_as_of, memory.thoughts.len())
        } else {
            (kinds().map(|kind| kind.as_of).min(), kinds().map(|kind| kind.objects.len()).sum())
        };
        let age = as_of.map(|as_of| now.duration_since(as_of).max(SignedDuration::ZERO));
        let stability = ledger.stability(area, now);
        let exists = self.path().join(head).symlink_metadata().is_ok();
        // A line of thought has no room for it; whoever wrote last says it.
        let said = if area == Area::Thoughts { META } else { area.as_str() };
        AreaStatus {
            area,
            exists,
            source: memory.sources.get(said).copied().filter(|_| exists),
            as_of,
            age,
            freshness: age.map(|age| freshness::freshness(area, age, stability)),
            stability,
            error: ledger.last(area).and_then(|last| last.error.clone()),
            entries,
            bytes: self.bytes(area),
        }
    }

    fn bytes(&self, area: Area) -> u64 {
        let folders: &[&str] = match area {
            Area::Agents => &[AGENTS],
            Area::Pheromones => &["pheromones", layout::BY_TYPE],
            Area::Proposals => &["proposals"],
            Area::Cluster => &["cluster"],
            Area::Thoughts => &["thoughts"],
        };
        folders.iter().map(|folder| size(&self.path().join(folder))).sum()
    }
}

/// The bytes of the files in a folder.
fn size(folder: &Path) -> u64 {
    let metas = disk::names(folder).into_iter().filter_map(|name| folder.join(name).symlink_metadata().ok());
    metas.filter(std::fs::Metadata::is_file).map(|meta| meta.len()).sum()
}
