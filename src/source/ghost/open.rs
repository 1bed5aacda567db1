//! Opening a file that anybody may have put there.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::error::words;
use super::layout::MAX_FILE;

/// The text of a file; `None` if there is no such file.
///
/// # Errors
/// In words: what it is instead of a file of ours that can be read.
pub(super) fn text(path: &Path) -> Result<Option<String>, String> {
    text_of(path, false)
}

/// The same; `anybodys` lets it belong to any user, for what was named by hand.
pub(super) fn text_of(path: &Path, anybodys: bool) -> Result<Option<String>, String> {
    let Some(file) = open(path, anybodys)? else { return Ok(None) };
    let mut bytes = Vec::with_capacity(file.metadata().map_or(0, |meta| meta.len() as usize));
    // One byte more than may be there, to see that it grew meanwhile.
    let read = file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes).map_err(|error| words(&error))?;
    if read > MAX_FILE {
        return Err(too_large(read as u64));
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|error| format!("not text: byte {} is no UTF-8", error.utf8_error().valid_up_to()))
}

/// Opens a regular file, of ours or root's unless anybody's will do. What it is is asked of the open
/// file, so that nobody can change it in between, and nothing that is no file
/// can make us wait.
fn open(path: &Path, anybodys: bool) -> Result<Option<File>, String> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = match OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A symlink to nowhere is not the same as nothing.
            let dangling = path.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
            return if dangling { Err("a symlink that leads nowhere".to_owned()) } else { Ok(None) };
        }
        Err(error) => return Err(words(&error)),
    };
    let meta = file.metadata().map_err(|error| words(&error))?;
    let kind = meta.file_type();
    if !kind.is_file() {
        let what = match () {
            () if kind.is_dir() => "a folder",
            () if kind.is_fifo() => "a fifo",
            () => "a device",
        };
        return Err(format!("{what}, not a file"));
    }
    let us = rustix::process::getuid().as_raw();
    if !anybodys && meta.uid() != us && meta.uid() != 0 {
        return Err(format!("it belongs to another user (uid {}), so it is not trusted", meta.uid()));
    }
    if meta.len() > MAX_FILE as u64 {
        return Err(too_large(meta.len()));
    }
    Ok(Some(file))
}

fn too_large(bytes: u64) -> String {
    format!("too large: {} MB, and at most {} MB are read", bytes.div_ceil(1 << 20), MAX_FILE >> 20)
}
