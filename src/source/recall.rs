//! What the Ghost remembers of what is looked at.

use std::path::{Path, PathBuf};

use kgents_store::watch::Scene;

use crate::error::SourceError;
use crate::ghost::{Ghost, Memory};
use crate::options::Options;

/// The tree of the context that is looked at; where nobody knows which that
/// is, the first one that there is.
pub(crate) fn tree(folder: &Path, scene: Result<&Scene, &SourceError>) -> Option<Ghost> {
    match scene {
        Ok(scene) => Some(Ghost::of(folder, &scene.context)),
        // A context that was asked for and is not there is no other one.
        Err(SourceError::NoContext { .. }) => None,
        Err(_) => Ghost::any(folder),
    }
}

/// Reads the Ghost, aside: its folder may be on a slow disk. An error says why
/// there is nothing.
pub(crate) async fn recall(
    options: &Options,
    scene: Result<Scene, SourceError>,
) -> Result<(PathBuf, Memory), SourceError> {
    let namespace = match &scene {
        Ok(scene) => scene.namespace.clone(),
        Err(_) => options.namespace.clone(),
    };
    let folder = options.ghost.clone().ok_or(SourceError::NoGhost { path: PathBuf::new(), problem: "no folder".into() })?;
    let read = move || {
        let nothing = |problem: String| SourceError::NoGhost { path: folder.clone(), problem };
        let ghost = tree(&folder, scene.as_ref()).ok_or_else(|| nothing("remembers nothing".into()))?;
        let memory = ghost.read(namespace.as_deref());
        if memory.kinds.is_empty() && memory.thoughts.is_empty() {
            let of = scene.as_ref().ok().map(|scene| format!(" of {}", scene.context)).unwrap_or_default();
            let problem = match memory.problems.first() {
                Some(problem) => format!("remembers nothing{of} that can be read: {problem}"),
                None => format!("remembers nothing{of}"),
            };
            return Err(SourceError::NoGhost { path: ghost.path().to_owned(), problem });
        }
        Ok((ghost.path().to_owned(), memory))
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => std::future::pending().await,
    }
}
