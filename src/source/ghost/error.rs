//! What can go wrong when the Ghost is written.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use thiserror::Error;

/// Why the Ghost was not written. What stood there stays.
#[derive(Debug, Error)]
pub enum GhostError {
    /// Another process writes this tree.
    #[error("another process writes {}{}", .path.display(), .pid.map(|pid| format!(": pid {pid}")).unwrap_or_default())]
    Held {
        /// The tree.
        path: PathBuf,
        /// Who writes, where that can be read.
        pid: Option<u32>,
    },
    /// The tree was written by a newer kgents; an older one would break it.
    #[error("{} was written by a newer kgents (schema {schema}): it is left as it is", .path.display())]
    Newer {
        /// The tree.
        path: PathBuf,
        /// The schema that it says.
        schema: u64,
    },
    /// The place of this context's tree holds the tree of another.
    #[error("{} is the tree of another context, {context}: it is left as it is", .path.display())]
    Foreign {
        /// The tree.
        path: PathBuf,
        /// The context that it says.
        context: String,
    },
    /// The disk said no.
    #[error("{}: {}", .path.display(), words(.error))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// Something cannot be said in JSON.
    #[error("{}: {error}", .path.display())]
    Json {
        /// The file that it was for.
        path: PathBuf,
        /// Why not.
        error: serde_json::Error,
    },
}

impl GhostError {
    /// For `map_err`: what the disk said about a path.
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |error| Self::Io { path: path.to_owned(), error }
    }

    /// For `map_err`: what cannot be written into a file.
    pub(super) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self {
        |error| Self::Json { path: path.to_owned(), error }
    }

    /// What sort of error it is, so that each sort is logged once.
    pub(super) fn sort(&self) -> String {
        match self {
            Self::Held { .. } => "held".to_owned(),
            Self::Newer { .. } => "newer".to_owned(),
            Self::Foreign { .. } => "foreign".to_owned(),
            Self::Io { error, .. } => words(error),
            Self::Json { .. } => "json".to_owned(),
        }
    }
}

/// What the disk said, in words and without a number.
pub(super) fn words(error: &io::Error) -> String {
    let known = Errno::from_io_error(error).and_then(|errno| match errno {
        Errno::LOOP => Some("a symlink that leads in a circle"),
        Errno::NOTDIR => Some("a file stands where a folder should be"),
        Errno::ISDIR => Some("a folder, not a file"),
        Errno::NXIO => Some("a socket, not a file"),
        Errno::ACCESS | Errno::PERM => Some("permission denied"),
        Errno::NOSPC | Errno::DQUOT => Some("the disk is full"),
        Errno::ROFS => Some("the disk is read-only"),
        _ => None,
    });
    let text = error.to_string();
    known.map_or_else(
        || text.split_once(" (os error").map_or(text.as_str(), |(words, _)| words).to_lowercase(),
        str::to_owned,
    )
}
