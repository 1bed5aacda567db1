//! Trees that are played: made once, read on any machine, never kept current.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use kgents_core::freshness::Area;
use kgents_store::Terrarium;

use super::error::GhostError;
use super::layout::{LOCK, SYNC, TIMELINE};
use super::read::Memory;
use super::snapshot::Snapshot;
use super::tree::Ghost;
use super::write::{Writer, Written};
use super::{disk, open};

/// What a recording holds.
pub(crate) struct Recorded {
    /// How it begins, with all times as they stand.
    pub(crate) memory: Memory,
    /// Whether its stamps move when it is played, so that it is of now.
    pub(crate) shifts: bool,
    /// What happens then, as text; or what is wrong with the file.
    pub(crate) timeline: Result<Option<String>, String>,
}

/// The file of a timeline, within a tree.
pub(crate) const TIMELINE_FILE: &str = TIMELINE;
/// The file that every tree has, within it.
pub(crate) const HEAD_FILE: &str = SYNC;

/// Writes what a terrarium knows as a tree to be played: nothing in it says who
/// wrote it, and where, so that the same terrarium gives the same bytes.
/// `timeline` is what happens then; `shift` whether the stamps move when it is
/// played. The folder has no other tree. Blocking.
///
/// # Errors
/// When the disk says no.
pub fn write_recording(
    folder: &Path,
    terrarium: &Terrarium,
    now: Timestamp,
    timeline: &str,
    shift: bool,
) -> Result<Written, GhostError> {
    let written = {
        let mut writer = Writer::recording(folder, shift);
        writer.write(&Snapshot::take(terrarium, Area::ALL, |_| true, now))?
    };
    disk::remove(&folder.join(LOCK))?;
    let place: PathBuf = folder.join(TIMELINE);
    if !timeline.is_empty() {
        disk::Staged::write(&place, timeline.as_bytes())?.publish()?;
    }
    Ok(written)
}

impl Ghost {
    /// Reads everything, or what is in one namespace, to play it. Blocking.
    pub(crate) fn recorded(&self, namespace: Option<&str>) -> Recorded {
        let (memory, ledger) = self.read_as_is(namespace);
        let timeline = open::text_of(&self.path().join(TIMELINE), true);
        Recorded { memory, shifts: ledger.shifts(), timeline }
    }
}
