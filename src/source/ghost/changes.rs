//! Tells when somebody wrote a tree.
//!
//! Where the kernel tells it costs nothing while nothing happens. Where it
//! cannot (no watches left, a disk over the network, no tree yet) a handful of
//! files is looked at every two seconds.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::disk::PREFIX;
use super::layout::{AGENTS, FOLDERS, HEADS};
use super::tree::Ghost;

/// How long after the first word of a change it is told: a sync changes many
/// files.
const SETTLE: Duration = Duration::from_millis(200);
/// How often files are looked at where nobody tells.
const POLL: Duration = Duration::from_secs(2);
/// How many words of the kernel may wait. One is as good as many.
const MAX_WORDS: usize = 64;

/// What the kernel said.
enum Word {
    /// A file that matters changed.
    Changed,
    /// It cannot say what changed.
    Lost,
}

/// Tells each time that files of a tree change, until cancelled or nobody
/// listens. One word may stand for many changes; one that waits unheard is
/// not repeated.
pub async fn changes(ghost: &Ghost, tell: mpsc::Sender<()>, cancel: CancellationToken) {
    tokio::select! {
        () = cancel.cancelled() => {}
        () = tell.closed() => {}
        () = follow(ghost.path(), &tell, POLL) => {}
    }
}

async fn follow(tree: &Path, tell: &mpsc::Sender<()>, poll: Duration) {
    let (sender, mut words) = mpsc::channel(MAX_WORDS);
    let mut watch = Watch::new(tree, sender);
    let mut seen = look(tree);
    loop {
        let told = watch.settle();
        // What happened before we listened was not told.
        let now = look(tree);
        let mut news = now != seen;
        seen = now;
        if !news {
            tokio::select! {
                word = words.recv() => {
                    tokio::time::sleep(SETTLE).await;
                    let mut changed = matches!(word, Some(Word::Changed));
                    while let Ok(word) = words.try_recv() {
                        changed |= matches!(word, Word::Changed);
                    }
                    let now = look(tree);
                    // A file that was edited in its place is not in the look.
                    news = changed || now != seen;
                    seen = now;
                }
                () = tokio::time::sleep(poll), if !told => continue,
            }
        }
        if news {
            // Full means that a word waits already.
            let _ = tell.try_send(());
        }
    }
}

/// What the kernel was asked to watch.
struct Watch {
    tree: PathBuf,
    watcher: Option<RecommendedWatcher>,
    folders: BTreeMap<PathBuf, (u64, u64)>,
    /// The kernel says nothing about what others write there.
    deaf: bool,
}

impl Watch {
    fn new(tree: &Path, words: mpsc::Sender<Word>) -> Self {
        let hear = move |event: notify::Result<Event>| {
            let word = match event {
                Ok(event) if event.need_rescan() => Word::Lost,
                Ok(event) if matters(&event) => Word::Changed,
                Ok(_) => return,
                Err(_) => Word::Lost,
            };
            let _ = words.try_send(word);
        };
        let watcher = notify::recommended_watcher(hear);
        if let Err(error) = &watcher {
            tracing::debug!(%error, "files cannot be watched, so they are looked at");
        }
        Self { tree: tree.to_owned(), watcher: watcher.ok(), folders: BTreeMap::new(), deaf: is_remote(tree) }
    }

    /// Watches the folders that there are; whether the kernel tells of all.
    fn settle(&mut self) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        let mut all = !self.deaf;
        for folder in std::iter::once(self.tree.clone()).chain(FOLDERS.map(|folder| self.tree.join(folder))) {
            let Ok(meta) = folder.metadata() else {
                self.folders.remove(&folder);
                // The tree itself tells when a folder appears in it.
                all &= folder != self.tree;
                continue;
            };
            let id = (meta.dev(), meta.ino());
            if self.folders.get(&folder) == Some(&id) {
                continue;
            }
            match watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.folders.insert(folder, id);
                }
                Err(error) => {
                    tracing::debug!(%error, folder = %folder.display(), "a folder cannot be watched, so it is looked at");
                    all = false;
                }
            }
        }
        all
    }
}

/// Whether an event can be a change of what is read. Our own reading is one
/// too, and must not make us read again.
fn matters(event: &Event) -> bool {
    let idle = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(PREFIX) || name == "lock" || name == super::layout::CONTEXTS
    };
    let told = event.paths.is_empty() || !event.paths.iter().all(idle);
    told && !matches!(event.kind, EventKind::Access(_))
}

/// What is looked at where nobody tells: every write ends in one of these.
type Look = Vec<Option<(u64, u64, u64, Option<SystemTime>)>>;

fn look(tree: &Path) -> Look {
    let files = HEADS.iter().chain([&AGENTS]);
    files
        .map(|file| {
            let meta = tree.join(file).metadata().ok()?;
            Some((meta.dev(), meta.ino(), meta.len(), meta.modified().ok()))
        })
        .collect()
}

/// Whether a folder is on a disk that others can write without our kernel
/// knowing. One that is not there yet is not asked.
#[cfg(target_os = "linux")]
fn is_remote(folder: &Path) -> bool {
    /// NFS, SMB, CIFS, 9P, FUSE and Ceph, from linux/magic.h.
    const REMOTE: [u32; 6] = [0x6969, 0xfe53_4d42, 0xff53_4d42, 0x0102_1997, 0x6573_5546, 0x00c3_6400];
    let there = folder.ancestors().find(|folder| folder.exists());
    there.and_then(|folder| rustix::fs::statfs(folder).ok()).is_some_and(|stat| {
        // The type has another width on each platform.
        u32::try_from(stat.f_type & 0xffff_ffff).is_ok_and(|magic| REMOTE.contains(&magic))
    })
}

#[cfg(not(target_os = "linux"))]
fn is_remote(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests;
