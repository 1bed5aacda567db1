//! An agent's state: a folder with a file for each key.
//!
//! A file is one line, `kgents-state 1 BYTES SHA256`, and the value as it was
//! given. It is written beside the old one, synced and renamed, so a reader
//! finds the one or the other, and the line tells a file that a disk has torn.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use crate::digest;

/// The largest value, in bytes.
pub const LARGEST: usize = 1024 * 1024;
/// How many keys one folder holds.
pub const MOST: usize = 10_000;
/// The longest key, in characters.
pub const LONGEST_KEY: usize = 128;

/// What the first line of each file begins with.
const MAGIC: &str = "kgents-state 1";
/// The longest first line.
const LONGEST_HEAD: usize = 128;
/// What the names of unfinished files begin with. No key does.
const UNFINISHED: &str = ".unfinished-";
/// When an unfinished file is nobody's any more.
const ABANDONED: Duration = Duration::from_secs(3600);

/// What cannot be done with a state.
#[derive(Debug, Error)]
pub enum StateError {
    /// No file can have that name.
    #[error("'{key}' is no key: it has 1 to {LONGEST_KEY} of a-z, 0-9, '.', '_' and '-', and begins with no '.'")]
    BadKey {
        /// What was given.
        key: String,
    },
    /// There is no such key.
    #[error("there is no key '{key}'")]
    Missing {
        /// The key.
        key: String,
    },
    /// The value is too large.
    #[error("the value of '{key}' is larger than {LARGEST} bytes")]
    TooLarge {
        /// The key.
        key: String,
    },
    /// There are too many keys.
    #[error("the state holds {MOST} keys, and no more than that fit")]
    TooMany,
    /// A file is not as it was written.
    #[error("the value of '{key}' is torn: {why}")]
    Torn {
        /// The key.
        key: String,
        /// What is wrong with its file.
        why: String,
    },
    /// The disk is full.
    #[error("{path} is full: {error}; what was there before is untouched")]
    Full {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system refuses.
    #[error("the state {path} cannot be {what}: {error}")]
    Refused {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl StateError {
    /// What to try.
    pub const fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::BadKey { .. } => "PUT /v1/state/my-key",
            Self::Missing { .. } => "GET /v1/state lists the keys",
            Self::TooLarge { .. } => "split it over several keys",
            Self::TooMany => "DELETE those that nobody needs",
            Self::Torn { .. } => "PUT the value again, or DELETE the key",
            Self::Full { .. } => "DELETE keys, or give the Memory a larger size",
            Self::Refused { .. } => {
                "see that KGENTS_STATE_PATH is a folder on a mounted volume which this user (id -u) may write"
            }
        })
    }
}

/// What a write has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// There was no such key.
    New,
    /// There was another value.
    Replaced,
}

/// A folder that holds a state. It need not be there yet.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The state in this folder.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Removes what writers that died have left, an hour ago or earlier: a
    /// shared volume has other writers. What cannot be removed stays.
    pub fn tidy(&self) {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(UNFINISHED)) {
            let written = entry.metadata().and_then(|meta| meta.modified());
            let old = written.is_ok_and(|written| written.elapsed().is_ok_and(|age| age > ABANDONED));
            if old && let Err(error) = fs::remove_file(entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "an unfinished file stays behind");
            }
        }
    }

    /// Whether it can be written to; leaves nothing behind.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), StateError> {
        let path = self.unfinished();
        File::create_new(&path).map_err(|error| self.refused("written", &self.path, error))?;
        fs::remove_file(&path).map_err(|error| self.refused("written", &path, error))
    }

    /// All keys, in their order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn keys(&self) -> Result<Vec<String>, StateError> {
        let entries = fs::read_dir(&self.path).map_err(|error| self.refused("listed", &self.path, error))?;
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        // lost+found is no key of ours: it is a folder.
        let mut keys: Vec<String> =
            names.filter(|name| is_key(name) && self.path.join(name).is_file()).take(MOST).collect();
        keys.sort_unstable();
        Ok(keys)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When there is none, or when its file is torn or cannot be read.
    pub fn get(&self, key: &str) -> Result<Vec<u8>, StateError> {
        let path = self.file(key)?;
        let refused = |error: io::Error| match error.kind() {
            ErrorKind::NotFound => StateError::Missing { key: key.to_owned() },
            _ => self.refused("read", &path, error),
        };
        let torn = |why: String| StateError::Torn { key: key.to_owned(), why };
        let size = fs::metadata(&path).map_err(refused)?.len();
        if size > (LARGEST + LONGEST_HEAD) as u64 {
            return Err(torn(format!("its file has {size} bytes, more than were ever written")));
        }
        value_of(fs::read(&path).map_err(refused)?).map_err(torn)
    }

    /// Writes the value of a key: all of it or nothing.
    ///
    /// # Errors
    /// When it is too large, or when there is no room for it.
    pub fn put(&self, key: &str, value: &[u8]) -> Result<Put, StateError> {
        let path = self.file(key)?;
        if value.len() > LARGEST {
            return Err(StateError::TooLarge { key: key.to_owned() });
        }
        let put = if path.exists() { Put::Replaced } else { Put::New };
        if put == Put::New && self.keys()?.len() >= MOST {
            return Err(StateError::TooMany);
        }
        let unfinished = self.unfinished();
        let written = write(&unfinished, value)
            .and_then(|()| fs::rename(&unfinished, &path))
            // The new name is on the disk when the folder is.
            .and_then(|()| File::open(&self.path)?.sync_all());
        written.map_err(|error| {
            let _ = fs::remove_file(&unfinished);
            self.refused("written", &path, error)
        })?;
        Ok(put)
    }

    /// Removes a key.
    ///
    /// # Errors
    /// When there is none, or when it cannot be removed.
    pub fn delete(&self, key: &str) -> Result<(), StateError> {
        let path = self.file(key)?;
        match fs::remove_file(&path).and_then(|()| File::open(&self.path)?.sync_all()) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(StateError::Missing { key: key.to_owned() }),
            ended => ended.map_err(|error| self.refused("removed", &path, error)),
        }
    }

    fn file(&self, key: &str) -> Result<PathBuf, StateError> {
        if is_key(key) { Ok(self.path.join(key)) } else { Err(StateError::BadKey { key: key.to_owned() }) }
    }

    /// A name that no other writer takes.
    fn unfinished(&self) -> PathBuf {
        self.path.join(format!("{UNFINISHED}{:016x}", fastrand::u64(..)))
    }

    fn refused(&self, what: &'static str, path: &Path, error: io::Error) -> StateError {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StateError::Full { path: self.path.clone(), error },
            _ => StateError::Refused { what, path: path.to_owned(), error },
        }
    }
}

/// Whether a word can be a key. None can leave the folder or be an unfinished
/// file.
fn is_key(word: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=LONGEST_KEY).contains(&word.len()) && word.bytes().all(good) && !word.starts_with('.')
}

fn head(value: &[u8]) -> String {
    format!("{MAGIC} {} {}\n", value.len(), digest::sha256(value))
}

fn write(path: &Path, value: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(head(value).as_bytes())?;
    file.write_all(value)?;
    file.sync_all()
}

/// The value in a file's bytes, or what is wrong with them.
fn value_of(mut bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let Some(end) = bytes.iter().take(LONGEST_HEAD).position(|byte| *byte == b'\n') else {
        return Err(format!("of its file only {} bytes are there, or it is none of ours", bytes.len()));
    };
    let value = bytes.split_off(end + 1);
    if head(&value).as_bytes() == bytes {
        return Ok(value);
    }
    let said = String::from_utf8_lossy(&bytes);
    Err(match said.strip_prefix(MAGIC).and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok()) {
        None => format!("its file does not begin with '{MAGIC}'"),
        Some(size) if size != value.len() => format!("{} of its {size} bytes are there", value.len()),
        Some(_) => "its bytes are not those that were written (another SHA-256)".to_owned(),
    })
}

#[cfg(test)]
mod tests;
