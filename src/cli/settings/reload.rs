//! The file while a window is open: read again when it changed.

use std::time::Duration;

use super::environment::Env;
use super::file::{Place, Stamp};
use super::{Settings, layers};
use crate::args::Global;

/// How often the file is looked at where nobody is told of its changes.
const INTERVAL: Duration = Duration::from_secs(1);

/// Reads the file again when it is another. The caller keeps the last good
/// settings; this keeps what was said about a bad file.
#[derive(Debug)]
pub(crate) struct Reload {
    global: Global,
    env: Env,
    place: Option<Place>,
    stamp: Option<Stamp>,
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
        let stamp = place.as_ref().and_then(|place| Stamp::of(&place.path));
        Self { global: global.clone(), env, place, stamp, told: None }
    }

    /// The settings if the file changed since it was last asked for, or what
    /// is wrong with it. The same wrong is told once.
    pub(crate) fn again(&mut self) -> Option<Result<Settings, String>> {
        let stamp = self.now();
        if stamp == self.stamp {
            return None;
        }
        // Taken before the file is read: what is written meanwhile is seen next time.
        self.stamp = stamp;
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
        while self.now() == self.stamp {
            tokio::time::sleep(interval).await;
        }
    }

    fn now(&self) -> Option<Stamp> {
        self.place.as_ref().and_then(|place| Stamp::of(&place.path))
    }
}

#[cfg(test)]
mod tests;
