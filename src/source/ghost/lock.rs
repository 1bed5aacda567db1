//! One writer at a time.
//!
//! The lock is the kernel's, on an open file, so it goes with its holder
//! however that ends. What the file says is for people.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::error::GhostError;
use super::layout::LOCK;
use super::open;

/// Held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of a tree, whose folders there are.
    ///
    /// # Errors
    /// [`GhostError::Held`] when another has it.
    pub(super) fn take(tree: &Path) -> Result<Self, GhostError> {
        let path = tree.join(LOCK);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32)
            .open(&path)
            .map_err(GhostError::io(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(GhostError::Held { path: tree.to_owned(), pid: pid(&path) }),
            Err(TryLockError::Error(error)) => return Err(GhostError::io(&path)(error)),
        }
        let said = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| writeln!(file, "{}", std::process::id()));
        said.map_err(GhostError::io(&path))?;
        Ok(Self { file, path })
    }

    /// Whether the file that is locked is still the one that others would
    /// lock, and not one that somebody removed.
    pub(super) fn holds(&self) -> bool {
        let same = |ours: std::fs::Metadata, theirs: std::fs::Metadata| {
            (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
        };
        self.file.metadata().ok().zip(self.path.metadata().ok()).is_some_and(|(ours, theirs)| same(ours, theirs))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Nobody's pid stands where nobody writes. Closing gives up the lock.
        let _ = self.file.set_len(0);
    }
}

fn pid(path: &Path) -> Option<u32> {
    open::text(path).ok()??.trim().parse().ok()
}

/// Who writes a tree now; `None` if nobody does.
pub(super) fn holder(tree: &Path) -> Option<u32> {
    let path = tree.join(LOCK);
    // Whom the file does not name is not asked for: a look at the lock could
    // be in the way of somebody who wants it.
    let pid = pid(&path)?;
    let free = File::open(&path).is_ok_and(|file| file.try_lock_shared().is_ok());
    (!free).then_some(pid)
}
