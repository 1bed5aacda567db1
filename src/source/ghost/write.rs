//! Writing a tree: one writer, and each file whole at any moment.

mod agents;
mod lists;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use kgents_core::freshness::Area;
use kgents_store::{Layer, Terrarium, Thought, sanitize};
use serde::Serialize;

use self::agents::Herd;
use super::envelope::{self, SCHEMA, Stamp};
use super::error::GhostError;
use super::layout::{FOLDERS, INDEX, META, STABILITY, SYNC};
use super::ledger::Ledger;
use super::lock::Lock;
use super::render::Marks;
use super::snapshot::Snapshot;
use super::tree::{self, Ghost, Owner};
use super::{disk, open};

/// How often the scores are written although none changed.
const SCORES: SignedDuration = SignedDuration::from_secs(30);

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Written {
    /// The tree; empty if none was touched.
    pub path: PathBuf,
    /// The areas that were written.
    pub areas: Vec<AreaWritten>,
    /// The areas that were left as they are, and why: nothing live spoke of
    /// them, or only one namespace is looked at.
    pub left: Vec<(Area, String)>,
    /// Files that were written.
    pub files: usize,
    /// Bytes in them.
    pub bytes: u64,
    /// Files of agents that are gone.
    pub removed: usize,
}

/// What was written of one area.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AreaWritten {
    /// Which.
    pub area: Area,
    /// How many entries it has.
    pub entries: usize,
    /// How many of them are new, gone or otherwise than they stood there.
    pub changed: usize,
    /// Bytes that were written for it.
    pub bytes: u64,
}

/// Writes what a terrarium knows once. Only what is live is written: what is
/// not is named in [`Written::left`] and stays as it stands. Blocking; for a
/// terrarium that has taken in all that was sent, for else a list that is
/// called complete is not.
///
/// # Errors
/// When another process writes the tree, or the disk says no. What could be
/// written was.
pub fn write_once(folder: &Path, terrarium: &Terrarium, now: Timestamp) -> Result<Written, GhostError> {
    Writer::new(folder).write(&Snapshot::take(terrarium, Area::ALL, |_| true, now))
}

/// Writes snapshots into the trees of a folder.
pub(super) struct Writer {
    folder: PathBuf,
    open: Option<Open>,
}

/// A tree that is ours to write.
struct Open {
    ghost: Ghost,
    lock: Lock,
    ledger: Ledger,
    /// Whether the tree says whose it is.
    named: bool,
    source: Layer,
    herd: Herd,
    /// What the lists in the files hold.
    marks: BTreeMap<Area, Marks>,
    /// What each file below `by_type` holds; `None` before they were written.
    types: Option<BTreeMap<String, u64>>,
    thoughts: Vec<Thought>,
    scored: Option<(Timestamp, BTreeMap<&'static str, f64>)>,
}

/// What became of an area.
#[derive(Default)]
struct Done {
    entries: usize,
    changed: usize,
    files: usize,
    bytes: u64,
    removed: usize,
}

impl Done {
    fn wrote(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
    }
}

impl Writer {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: None }
    }

    /// Writes a snapshot. Whatever fails, the rest is written.
    pub(super) fn write(&mut self, snapshot: &Snapshot) -> Result<Written, GhostError> {
        let mut written = Written {
            left: snapshot.left.iter().map(|left| (left.area, left.why.clone())).collect(),
            ..Written::default()
        };
        // Word of a failure alone is not worth a new tree, nor another's.
        let same = || self.open.as_ref().is_some_and(|open| open.ghost.context() == Some(&snapshot.context));
        if snapshot.is_empty() && !(same() && snapshot.left.iter().any(|left| left.failed)) {
            return Ok(written);
        }
        let open = self.open(&snapshot.context)?;
        open.ghost.path().clone_into(&mut written.path);
        open.source = snapshot.source.unwrap_or(open.source);
        let stamp = Stamp { source: open.source, context: snapshot.context.clone(), as_of: snapshot.at };
        open.ledger.sign(&snapshot.context, &snapshot.server);
        if !open.named {
            // Whose the tree is stands there before anything else does.
            open.ledger(&stamp, &mut written)?;
            open.named = true;
        }
        let mut failed = None;
        let mut news = false;
        for area in Area::ALL.into_iter().filter(|area| snapshot.has(*area)) {
            news = true;
            // What has just been found for the first time has not changed.
            let first = open.ledger.last(area).is_none_or(|last| last.as_of.is_none());
            match open.area(area, &stamp, snapshot) {
                Ok(Done { entries, changed, files, bytes, removed }) => {
                    open.ledger.good(area, snapshot.at, entries, if first { 0 } else { changed });
                    written.areas.push(AreaWritten { area, entries, changed, bytes });
                    written.files += files;
                    written.bytes += bytes;
                    written.removed += removed;
                }
                Err(error) => {
                    open.ledger.bad(area, snapshot.at, &error.to_string());
                    failed = failed.or(Some(error));
                }
            }
        }
        for left in snapshot.left.iter().filter(|left| left.failed) {
            news |= open.ledger.bad(left.area, snapshot.at, &left.why);
        }
        let meta = if news { open.meta(&stamp, &mut written) } else { Ok(()) };
        match failed {
            Some(error) => Err(error),
            None => meta.map(|()| written),
        }
    }

    /// The tree of a context, locked.
    fn open(&mut self, context: &str) -> Result<&mut Open, GhostError> {
        let ghost = Ghost::of(&self.folder, context);
        let usable = self.open.take().filter(|open| open.ghost == ghost && open.lock.holds());
        let open = match usable {
            Some(open) => open,
            None => Open::take(&self.folder, ghost, context)?,
        };
        Ok(self.open.insert(open))
    }
}

impl Open {
    fn take(folder: &Path, ghost: Ghost, context: &str) -> Result<Self, GhostError> {
        let lock = Self::lock(&ghost)?;
        // Whose the root tree is may have been settled while we came here.
        let now = Ghost::of(folder, context);
        let (ghost, lock) = if now == ghost {
            (ghost, lock)
        } else {
            drop(lock);
            let lock = Self::lock(&now)?;
            (now, lock)
        };
        let path = ghost.path();
        if let Owner::Context(other) = tree::owner(path)
            && other != context
        {
            return Err(GhostError::Foreign { path: path.to_owned(), context: sanitize::text(&other).into_owned() });
        }
        for head in [SYNC, INDEX] {
            let schema = open::text(&path.join(head)).ok().flatten().as_deref().and_then(envelope::schema);
            if let Some(schema) = schema.filter(|schema| *schema > SCHEMA) {
                return Err(GhostError::Newer { path: path.to_owned(), schema });
            }
        }
        disk::sweep(path);
        let text = open::text(&path.join(SYNC)).ok().flatten();
        let parsed = text.as_deref().and_then(|text| envelope::parse(text, META).ok());
        let ledger = parsed.as_ref().and_then(|parsed| serde_json::from_str::<Ledger>(parsed.data.get()).ok());
        let source = parsed.as_ref().and_then(|parsed| parsed.source).unwrap_or(Layer::Kube);
        let named = ledger.is_some();
        let ledger = ledger.unwrap_or_default();
        let marks = lists::remembered(path);
        let thoughts = lists::thoughts(path);
        let herd = Herd::default();
        Ok(Self { ghost, lock, ledger, named, source, herd, marks, types: None, thoughts, scored: None })
    }

    fn lock(ghost: &Ghost) -> Result<Lock, GhostError> {
        for folder in FOLDERS {
            disk::make(&ghost.path().join(folder))?;
        }
        Lock::take(ghost.path())
    }

    fn area(&mut self, area: Area, stamp: &Stamp, snapshot: &Snapshot) -> Result<Done, GhostError> {
        match area {
            Area::Agents => self.agents(stamp, snapshot),
            Area::Pheromones => self.pheromones(stamp, snapshot),
            Area::Proposals => self.proposals(stamp, snapshot),
            Area::Cluster => self.cluster(stamp, snapshot),
            Area::Thoughts => self.hear(snapshot),
        }
    }

    /// Writes one file that is renewed each time.
    fn put(&self, file: &str, bytes: &[u8]) -> Result<u64, GhostError> {
        let staged = disk::Staged::write(&self.ghost.path().join(file), bytes)?;
        let len = staged.len;
        staged.publish()?;
        Ok(len)
    }

    fn meta(&mut self, stamp: &Stamp, written: &mut Written) -> Result<(), GhostError> {
        let scores = self.ledger.scores(stamp.as_of);
        let due = self.scored.as_ref().is_none_or(|(at, old)| {
            let age = stamp.as_of.duration_since(*at);
            *old != scores || age.is_negative() || age >= SCORES
        });
        if due {
            let bytes = stamp.wrap(Path::new(STABILITY), META, "", &scores)?;
            written.bytes += self.put(STABILITY, &bytes)?;
            written.files += 1;
            self.scored = Some((stamp.as_of, scores));
        }
        self.ledger(stamp, written)
    }

    fn ledger(&mut self, stamp: &Stamp, written: &mut Written) -> Result<(), GhostError> {
        let bytes = stamp.wrap(Path::new(SYNC), META, "", &self.ledger)?;
        written.bytes += self.put(SYNC, &bytes)?;
        written.files += 1;
        disk::sync(&self.ghost.path().join("_meta"))
    }
}
