//! Following the cluster: the source feeds the bus, and here it is drained
//! into a terrarium, turn by turn.

use std::collections::HashMap;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Duration;

use futures::FutureExt;
use jiff::Timestamp;
use kgents_source::{Options, clock};
use kgents_store::bus::{self, Bus, Change, Control, Reader};
use kgents_store::terrarium::Outcome;
use kgents_store::{Key, Kind, Terrarium};
use tokio_util::sync::CancellationToken;

/// The first and the longest pause before a source that died is started anew.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Runs the source until it is cancelled. If it dies, that is told, and it is
/// started anew after a pause.
pub(crate) async fn supervise(options: Options, bus: Bus, cancel: CancellationToken) {
    let mut pause = PAUSES.0;
    loop {
        let source = Box::pin(kgents_source::watch(options.clone(), bus.clone(), cancel.clone()));
        let error = match AssertUnwindSafe(source).catch_unwind().await {
            Ok(()) if cancel.is_cancelled() => return,
            Ok(()) => "it ended by itself".to_owned(),
            Err(panic) => {
                let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
            }
        };
        tracing::error!(%error, "the source died");
        bus.control(Control::TaskDied { task: "source".to_owned(), error }).await;
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
        }
    }
}

/// What one turn brought.
pub(crate) struct News {
    /// The changes as they came, by object.
    pub(crate) changes: HashMap<(Kind, Key), Change>,
    /// What they did.
    pub(crate) outcome: Outcome,
    /// When.
    pub(crate) now: Timestamp,
    /// More waits already.
    pub(crate) more: bool,
}

/// One who follows.
pub(crate) struct Follow {
    /// What is known.
    pub(crate) terrarium: Terrarium,
    /// When it began to follow.
    pub(crate) began: Timestamp,
    reader: Reader,
    cancel: CancellationToken,
    end: Pin<Box<dyn Future<Output = ()>>>,
}

impl Follow {
    /// Starts to follow, within a tokio runtime, until `end` is over.
    pub(crate) fn start(options: Options, end: impl Future<Output = ()> + 'static) -> Self {
        let (bus, reader) = bus::new();
        let cancel = CancellationToken::new();
        tokio::spawn(supervise(options, bus, cancel.clone()));
        Self::on(reader, cancel, end)
    }

    /// Follows what comes out of a bus.
    pub(crate) fn on(reader: Reader, cancel: CancellationToken, end: impl Future<Output = ()> + 'static) -> Self {
        Self { terrarium: Terrarium::default(), began: clock::now(), reader, cancel, end: Box::pin(end) }
    }

    /// Waits for news; `None` at the end.
    pub(crate) async fn next(&mut self) -> Option<News> {
        loop {
            let nap = self.terrarium.nap(clock::now());
            tokio::select! {
                biased;
                () = &mut self.end => return None,
                () = self.reader.changed() => {}
                () = tokio::time::sleep(nap) => {}
            }
            let now = clock::now();
            let batch = self.reader.drain(bus::TURN);
            let more = batch.more;
            let changes =
                batch.changes.iter().map(|change| ((change.kind, change.key.clone()), change.clone())).collect();
            let mut outcome = self.terrarium.apply(batch, now);
            let faded = self.terrarium.tick(now);
            outcome.deltas.extend(faded.deltas);
            outcome.thoughts |= faded.thoughts;
            if !outcome.is_empty() {
                return Some(News { changes, outcome, now, more });
            }
        }
    }

    /// Whether a pheromone had faded before we began to look. Such a one was
    /// never there for us, so nothing is told of it.
    pub(crate) fn is_history(&self, kind: Kind, key: &Key) -> bool {
        kind == Kind::Pheromone
            && self
                .terrarium
                .pheromones()
                .get(key)
                .is_some_and(|held| held.fade.as_ref().is_ok_and(|fade| fade.gone_at() <= self.began))
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}
