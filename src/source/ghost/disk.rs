//! Writing files so that each is whole at any moment.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tempfile::TempPath;

use super::error::GhostError;
use super::layout::FOLDERS;

/// What files that are not whole yet are called.
pub(super) const PREFIX: &str = ".tmp-kgents-";
/// From how many files on they are written side by side.
const MANY: usize = 64;
/// How many write side by side. Syncing waits for the disk, not for us.
const WRITERS: usize = 4;

/// A file that is written and synced beside its place. Dropped, it is gone.
pub(super) struct Staged {
    temporary: TempPath,
    place: PathBuf,
    /// Its size in bytes.
    pub(super) len: u64,
    /// When it was written; renaming does not change it.
    pub(super) modified: Option<SystemTime>,
}

impl Staged {
    /// Writes a file beside its place and syncs it.
    pub(super) fn write(place: &Path, bytes: &[u8]) -> Result<Self, GhostError> {
        let failed = || GhostError::io(place);
        let folder = place.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().prefix(PREFIX).tempfile_in(folder).map_err(failed())?;
        file.write_all(bytes).map_err(failed())?;
        file.as_file().sync_data().map_err(failed())?;
        let modified = file.as_file().metadata().and_then(|meta| meta.modified()).ok();
        // The path without the open file: there may be thousands.
        let temporary = file.into_temp_path();
        Ok(Self { temporary, place: place.to_owned(), len: bytes.len() as u64, modified })
    }

    /// Writes many files. If one fails, all are gone again.
    pub(super) fn write_all(files: &[(PathBuf, Vec<u8>)]) -> Result<Vec<Self>, GhostError> {
        let each = |part: &[(PathBuf, Vec<u8>)]| -> Result<Vec<Self>, GhostError> {
            part.iter().map(|(place, bytes)| Self::write(place, bytes)).collect()
        };
        if files.len() <= MANY {
            return each(files);
        }
        std::thread::scope(|scope| {
            let parts: Vec<_> =
                files.chunks(files.len().div_ceil(WRITERS)).map(|part| scope.spawn(move || each(part))).collect();
            let mut staged = Vec::with_capacity(files.len());
            let mut failed = None;
            for part in parts {
                match part.join() {
                    Ok(Ok(part)) => staged.extend(part),
                    Ok(Err(error)) => failed = failed.or(Some(error)),
                    Err(_) => {
                        let error = io::Error::other("a thread that wrote it died");
                        failed = failed.or(files.first().map(|(place, _)| GhostError::io(place)(error)));
                    }
                }
            }
            failed.map_or(Ok(staged), Err)
        })
    }

    /// Puts the file in its place.
    pub(super) fn publish(self) -> Result<(), GhostError> {
        let Self { temporary, place, .. } = self;
        temporary.persist(&place).map_err(|error| GhostError::Io { path: place, error: error.error })
    }
}

/// Makes the names in a folder last.
pub(super) fn sync(folder: &Path) -> Result<(), GhostError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(GhostError::io(folder))
}

/// Makes a folder and those above it, for nobody but us: agents may be told
/// things that are nobody else's business.
pub(super) fn make(folder: &Path) -> Result<(), GhostError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(GhostError::io(folder))
}

/// Removes a file; whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool, GhostError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(GhostError::io(path)(error)),
    }
}

/// The names in a folder that are text; none if there is no such folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

/// Removes what writers that were killed left half written. Only for who holds
/// the lock, because those who write now have such files too.
pub(super) fn sweep(tree: &Path) {
    for folder in FOLDERS.map(|folder| tree.join(folder)) {
        for name in names(&folder).iter().filter(|name| name.starts_with(PREFIX)) {
            // What cannot be removed is in nobody's way.
            let _ = fs::remove_file(folder.join(name));
        }
    }
}
