//! How the Ghost stands, and the disk below it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kgents_store::Layer;
use kgents_store::watch::Scene;
use rustix::fs::{Access, access, statvfs};
use tokio::time::{Instant, timeout_at};

use super::{LayerCheck, Standing};
use crate::clock;
use crate::error::SourceError;
use crate::ghost::{Ghost, Status};
use crate::options::Options;
use crate::recall::tree;

/// What was found of the Ghost.
#[derive(Debug)]
pub struct GhostCheck {
    /// Its tree, or the folder where it would be; `None` without a home.
    pub path: Option<PathBuf>,
    /// How the tree stands; `None` if there is none.
    pub status: Option<Status>,
    /// Why nothing is remembered, if that is so.
    pub error: Option<SourceError>,
    /// Whether it can be written, or could if it were made.
    pub is_writable: Option<bool>,
    /// How many bytes the disk has left for us.
    pub free_bytes: Option<u64>,
    /// How long it took to read.
    pub took: Duration,
}

/// Looks at the Ghost, aside: its folder may be on a slow disk.
pub(super) async fn examine(
    options: &Options,
    scene: Result<Scene, SourceError>,
    until: Instant,
    limit: Duration,
) -> GhostCheck {
    let Some(folder) = options.ghost.clone() else {
        let error = SourceError::NoGhost { path: "~/.kgents/ghost".into(), problem: "has no home".to_owned() };
        return GhostCheck::without(None, error);
    };
    let asked = folder.clone();
    let read = tokio::task::spawn_blocking(move || look(&asked, scene.as_ref()));
    match timeout_at(until, read).await {
        Ok(Ok(check)) => check,
        Ok(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Ok(Err(_)) => std::future::pending().await,
        Err(_) => {
            let error =
                SourceError::NoGhost { path: folder.clone(), problem: format!("was not read within {limit:?}") };
            GhostCheck::without(Some(folder), error)
        }
    }
}

fn look(folder: &Path, scene: Result<&Scene, &SourceError>) -> GhostCheck {
    let began = super::clock();
    let ghost = tree(folder, scene);
    let path = ghost.as_ref().map_or(folder, |ghost| ghost.path()).to_owned();
    // Nobody is shown a tree of which it is not known whose it is; that it is
    // well can be said all the same.
    let is_ours = ghost.is_some();
    let status = ghost.or_else(|| Ghost::any(folder)).map(|ghost| ghost.status(clock::now()));
    let written = status.as_ref().is_some_and(|status| status.areas.iter().any(|area| area.as_of.is_some()));
    let remembers = is_ours && written;
    let nothing = || {
        let problem = status.as_ref().and_then(|status| status.problems.first());
        let problem = match problem {
            _ if folder.exists() && !folder.is_dir() => "is a file, not a folder".to_owned(),
            _ if written => "is that of another context".to_owned(),
            Some(problem) => format!("remembers nothing that can be read: {problem}"),
            None => "remembers nothing".to_owned(),
        };
        SourceError::NoGhost { path: path.clone(), problem }
    };
    let error = (!remembers).then(nothing);
    let ground = path.ancestors().find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    // A file in the way can be written, but nothing can be put into it.
    let is_writable = ground.is_dir() && access(ground, Access::WRITE_OK | Access::EXEC_OK).is_ok();
    let free_bytes = statvfs(ground).ok().map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize));
    GhostCheck {
        path: Some(path),
        status,
        error,
        is_writable: Some(is_writable),
        free_bytes,
        took: super::clock().duration_since(began),
    }
}

impl GhostCheck {
    fn without(path: Option<PathBuf>, error: SourceError) -> Self {
        let (status, is_writable, free_bytes) = (None, None, None);
        Self { path, status, error: Some(error), is_writable, free_bytes, took: Duration::ZERO }
    }

    /// How it stands as a layer.
    pub(super) fn layer(&self, is_asked: bool) -> LayerCheck {
        let standing = match &self.error {
            _ if !is_asked => Standing::NotAsked,
            Some(error) => Standing::Down(error.clone()),
            None => Standing::Up { latency: self.took, version: String::new(), instance: None },
        };
        LayerCheck {
            layer: Layer::Ghost,
            address: self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default(),
            context: self.status.as_ref().and_then(|status| status.context.clone()),
            standing,
            notes: Vec::new(),
        }
    }
}
