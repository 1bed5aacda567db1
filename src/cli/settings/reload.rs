//! The file while a window is open: read again when it changed.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Env;
use super::file::{Place, Stamp};
use super::{Settings, layers};
use crate::args::Global;

/// How often the file is looked at where nobody is told of its changes.
const INTERVAL: Duration = Duration::from_secs(1);

/// The state of the files.
#[derive(Debug, Default, PartialEq, Eq)]
struct Stamps {
    file: Option<Stamp>,
    beside: Option<Stamp>,
}

/// Reads the file again when it is another. The caller keeps the last good
/// settings; this keeps what was said about a bad file.
#[derive(Debug)]
pub(crate) struct Reload {
    global: Global,
    env: Env,
    place: Option<Place>,
    /// A file that belongs to what is set, such as that of the theme.
    beside: Option<PathBuf>,
    stamps: Stamps,
    /// What was told of the bad state that the file is in.
    told: Option<String>,
}

impl Reload {
    /// For the file that is there now and these flags.
    pub(crate) fn new(global: &Global) -> Self {
        Self::with(global, Env::system())
    }

    fn with(global: &Global, env: Env) -> Self {
        // Once it was there, it may go: then it counts as empty.
        let place = Place::of(global.config.as_deref(), &env).map(|place| Place { named_by: None, ..place });
        let mut reload =
            Self { global: global.clone(), env, place, beside: None, stamps: Stamps::default(), told: None };
        reload.stamps = reload.now();
        reload
    }

    /// Watches this file too, instead of the one that was given before.
    pub(crate) fn watch(&mut self, beside: Option<PathBuf>) {
        if self.beside != beside {
            self.stamps.beside = beside.as_deref().and_then(Stamp::of);
            self.beside = beside;
        }
    }

    /// The settings if the file changed since it was last asked for, or what
    /// is wrong with it. The same wrong is told once.
    pub(crate) fn again(&mut self) -> Option<Result<Settings, String>> {
        let stamps = self.now();
        if stamps == self.stamps {
            return None;
        }
        // Taken before the file is read: what is written meanwhile is seen next time.
        self.stamps = stamps;
        match layers::merge(&self.global, self.place.as_ref(), &self.env) {
            Ok((settings, _)) => {
                self.told = None;
                Some(Ok(settings))
            }
            Err(problem) => {
                let sentence = problem.to_string();
                let is_new = self.told.as_ref() != Some(&sentence);
                self.told = Some(sentence.clone());
                is_new.then_some(Err(sentence))
            }
        }
    }

    /// Waits until the file is another than when it was last asked for. It may
    /// be dropped at any time.
    pub(crate) async fn changed(&self) {
        self.changed_within(INTERVAL).await;
    }

    async fn changed_within(&self, interval: Duration) {
        while self.now() == self.stamps {
            tokio::time::sleep(interval).await;
        }
    }

    fn now(&self) -> Stamps {
        Stamps {
            file: self.place.as_ref().and_then(|place| Stamp::of(&place.path)),
            beside: self.beside.as_deref().and_then(Stamp::of),
        }
    }
}

#[cfg(test)]
mod tests;
