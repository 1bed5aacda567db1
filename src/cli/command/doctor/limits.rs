//! What the system allows us.

use std::path::Path;
use std::str::FromStr;

use rustix::process::{Resource, getrlimit};
use serde::Serialize;

/// The least that watching files and a few hundred connections need.
pub(super) const WATCHES: u64 = 8_192;
/// See [`WATCHES`].
pub(super) const INSTANCES: u64 = 128;
/// See [`WATCHES`].
pub(super) const FILES: u64 = 1_024;

/// What the system allows us; `None` where that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Limits {
    pub(super) inotify_watches: Option<u64>,
    pub(super) inotify_instances: Option<u64>,
    pub(super) open_files: OpenFiles,
}

/// How many files may be open; null for as many as one likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct OpenFiles {
    pub(super) soft: Option<u64>,
    pub(super) hard: Option<u64>,
}

impl Limits {
    /// What holds for this process; `proc` is where Linux says more.
    pub(super) fn read(proc: &Path) -> Self {
        let inotify = |name: &str| {
            let text = std::fs::read_to_string(proc.join("sys/fs/inotify").join(name)).ok()?;
            u64::from_str(text.trim()).ok()
        };
        let files = getrlimit(Resource::Nofile);
        Self {
            inotify_watches: inotify("max_user_watches"),
            inotify_instances: inotify("max_user_instances"),
            open_files: OpenFiles { soft: files.current, hard: files.maximum },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let limits = Limits::read(folder.path());
        assert_eq!((limits.inotify_watches, limits.inotify_instances), (None, None));
        let inotify = folder.path().join("sys/fs/inotify");
        std::fs::create_dir_all(&inotify).unwrap();
        std::fs::write(inotify.join("max_user_watches"), "100\n").unwrap();
        std::fs::write(inotify.join("max_user_instances"), "many").unwrap();
        let limits = Limits::read(folder.path());
        assert_eq!((limits.inotify_watches, limits.inotify_instances), (Some(100), None));
    }
}
