//! What the Ghost remembers of what is looked at.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use std::time::Duration;

use futures::future::join_all;
use kgents_store::watch::Scene;
use kgents_store::{Control, Kind, Layer};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::error::SourceError;
use crate::ghost::{self, Ghost, Memory};
use crate::kube;
use crate::options::Options;
use crate::rung::Teller;
use crate::stage::Desk;

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
    let folder = folder(options)?;
    let read = move || {
        let nothing = |path: PathBuf, problem: String| SourceError::NoGhost { path, problem };
        let Some(ghost) = tree(&folder, scene.as_ref()) else {
            return Err(nothing(folder, "remembers nothing".to_owned()));
        };
        let memory = ghost.read(namespace.as_deref());
        if memory.kinds.is_empty() && memory.thoughts.is_empty() {
            let of = scene.as_ref().ok().map(|scene| format!(" of {}", scene.context)).unwrap_or_default();
            let problem = match memory.problems.first() {
                Some(problem) => format!("remembers nothing{of} that can be read: {problem}"),
                None => format!("remembers nothing{of}"),
            };
            return Err(nothing(ghost.path().to_owned(), problem));
        }
        Ok((ghost.path().to_owned(), memory))
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(read) => read,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => std::future::pending().await,
    }
}

/// The tree of what these options look at, whether anything was ever written
/// there or not: that of the context; where nobody knows which that is, the
/// first that there is; else the one that the first sync would make.
///
/// # Errors
/// When the Ghost has no folder, or the context that was asked for is not there.
pub fn ghost_tree(options: &Options) -> Result<Ghost, SourceError> {
    let folder = folder(options)?;
    let scene = kube::scene(options);
    match (tree(&folder, scene.as_ref()), scene) {
        (Some(ghost), _) => Ok(ghost),
        (None, Err(error @ SourceError::NoContext { .. })) => Err(error),
        (None, _) => Ok(Ghost::at(&folder)),
    }
}

fn folder(options: &Options) -> Result<PathBuf, SourceError> {
    let homeless = || SourceError::NoGhost { path: "~/.kgents/ghost".into(), problem: "has no home".to_owned() };
    options.ghost.clone().ok_or_else(homeless)
}

/// Tells what the Ghost remembers, for ever.
pub(crate) struct Recaller {
    desk: Desk,
    link: Teller,
    /// Who speaks. What is written while somebody live does is our own.
    speaks: watch::Receiver<Option<Layer>>,
}

impl Recaller {
    pub(crate) fn new(desk: Desk, speaks: watch::Receiver<Option<Layer>>) -> Self {
        let link = Teller::new(Layer::Ghost, desk.bus.clone(), desk.reports.clone());
        Self { desk, link, speaks }
    }

    /// Reads the tree, and again each time that it changes while nobody live
    /// speaks. It never fails: what is wrong is told.
    pub(crate) async fn run(mut self, scene: Result<Scene, SourceError>) -> Infallible {
        loop {
            match recall(&self.desk.options, scene.clone()).await {
                Ok((path, memory)) => self.tell(&path, memory, scene.is_err()).await,
                Err(error) => self.link.down(&error).await,
            }
            self.changed(&scene).await;
        }
    }

    async fn tell(&self, path: &Path, memory: Memory, is_scene: bool) {
        let Memory { scene, kinds, thoughts, thoughts_as_of, problems, .. } = memory;
        if is_scene {
            self.desk.bus.control(Control::Scene(scene)).await;
        }
        self.link.at(&path.display().to_string()).await;
        self.link.notes(problems.iter().map(ToString::to_string).collect()).await;
        // Side by side: a kind that is just being listed delays no other.
        let kinds = kinds.into_iter().map(|(kind, remembered)| {
            let board = self.desk.boards.of(kind);
            async move { board.recall(remembered.objects, remembered.as_of).await }
        });
        join_all(kinds).await;
        if let Some(as_of) = thoughts_as_of {
            self.desk.boards.of(Kind::Event).recall(Vec::new(), as_of).await;
        }
        for thought in &thoughts {
            self.desk.bus.thought(thought);
        }
        self.link.up(String::new(), Duration::ZERO).await;
    }

    /// Waits until the tree changes while nobody live speaks.
    async fn changed(&mut self, scene: &Result<Scene, SourceError>) {
        let Ok(folder) = folder(&self.desk.options) else { return std::future::pending().await };
        let looked = scene.clone();
        let tree = tokio::task::spawn_blocking(move || tree(&folder, looked.as_ref())).await;
        let Ok(Some(ghost)) = tree else { return std::future::pending().await };
        let cancel = CancellationToken::new();
        let _guard = cancel.clone().drop_guard();
        loop {
            let is_live = |speaks: &Option<Layer>| speaks.is_some_and(Layer::is_live);
            // The sender lives as long as we do.
            let _ = self.speaks.wait_for(|speaks| !is_live(speaks)).await;
            let (tell, mut told) = mpsc::channel(1);
            tokio::select! {
                () = ghost::changes(&ghost, tell, cancel.clone()) => {}
                Some(()) = told.recv() => return,
                _ = self.speaks.wait_for(is_live) => {}
            }
        }
    }
}
