//! The Cortex as a source.
//!
//! While the Cortex does not speak it is asked whether it answers, and its
//! stream is read into a mirror, so that it can take over at once when the
//! ladder says so. When it does, the mirror is told, and then each change.

mod address;
mod dial;
mod mirror;
mod read;

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;
use kgents_store::watch::{Link, Scene};
use kgents_store::{Control, Key, Kind, Layer, Novelty};
use kgents_wire::cortex as wire;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{sleep, timeout};
use tonic::Streaming;

pub use address::{Address, DEFAULT_PORT, default_socket};
pub(crate) use dial::{Cortex, dial};
use mirror::Mirror;
pub(crate) use read::{Event, event};

use crate::backoff::Backoff;
use crate::board::Part;
use crate::clock;
use crate::error::SourceError;
use crate::kube;
use crate::options::Options;
use crate::rung::Teller;
use crate::stage::Desk;

/// How long a stream may take to begin.
const BEGIN_LIMIT: Duration = Duration::from_secs(5);
/// How long a stream may be silent: it says how it hears every 10 seconds.
const SILENCE: Duration = Duration::from_secs(25);

/// What outlives connections.
pub(crate) struct Engine {
    desk: Desk,
    link: Teller,
    mirror: Mirror,
}

impl Engine {
    pub(crate) fn new(desk: Desk) -> Self {
        let link = Teller::new(Layer::Grpc, desk.bus.clone(), desk.reports.clone());
        Self { desk, link, mirror: Mirror::default() }
    }

    /// Reads the stream, for ever. It never fails: whatever goes wrong is told
    /// and tried again.
    pub(crate) async fn run(mut self) -> Infallible {
        let mut backoff = Backoff::default();
        loop {
            let scene = kube::scene(&self.desk.options).ok();
            let error = match dial(&self.desk.options, scene.as_ref()).await {
                Ok(cortex) => self.session(&cortex, scene.as_ref(), &mut backoff).await,
                Err(error) => error,
            };
            tracing::debug!(%error, "no Cortex");
            self.link.down(&error).await;
            sleep(backoff.next_delay()).await;
        }
    }

    /// One connection, until it ends, with why.
    async fn session(&mut self, cortex: &Cortex, scene: Option<&Scene>, backoff: &mut Backoff) -> SourceError {
        self.link.at(&cortex.address.place()).await;
        if let Some(error) = deaf(cortex, &cortex.hearing.link) {
            return error;
        }
        self.link.notes(cortex.notes()).await;
        if scene.is_none() {
            let namespace = self.desk.options.namespace.clone();
            self.desk.bus.control(Control::Scene(Scene { namespace, ..cortex.scene.clone() })).await;
        }
        let namespace = self.namespace(scene);
        let request = wire::WatchRequest {
            kinds: Vec::new(),
            namespace: namespace.clone().unwrap_or_default(),
            since_revision: self.mirror.revision(),
            instance_id: self.mirror.instance().to_owned(),
        };
        let mut stream = match cortex.watch(request).await {
            Ok(stream) => stream,
            Err(error) => return error,
        };
        let version = match self.warm(cortex, &mut stream).await {
            Ok(version) => version,
            Err(error) => return error,
        };
        backoff.reset();
        // It has answered twice: when it said who it is, and with all of it.
        self.link.up(version, cortex.took).await;
        self.link.good();
        loop {
            let mut floor = match self.wait(cortex, &mut stream).await {
                Ok(floor) => floor,
                Err(error) => return error,
            };
            let history = floor.replace(Layer::Grpc).is_none_or(|before| before == Layer::Grpc);
            self.take_over(&namespace, history).await;
            let mut last = clock::now();
            if let Err(error) = self.speak(cortex, &mut stream, &namespace, &mut last).await {
                for kind in Kind::ALL {
                    self.desk.boards.of(kind).failing(&namespace, error.to_string(), Some(last)).await;
                }
                return error;
            }
        }
    }

    /// The one namespace that is looked at.
    fn namespace(&self, scene: Option<&Scene>) -> Option<String> {
        match scene {
            Some(scene) => scene.namespace.clone(),
            None => self.desk.options.namespace.clone(),
        }
    }

    /// Reads the stream until the mirror holds all of it.
    /// Answers its API server's version.
    async fn warm(&mut self, cortex: &Cortex, stream: &mut Streaming<wire::WatchEvent>) -> Result<String, SourceError> {
        self.mirror.restart();
        let mut limit = BEGIN_LIMIT;
        while !self.mirror.is_whole() {
            let (revision, event) = next(cortex, stream, limit).await?;
            limit = SILENCE;
            if let Event::Heard(hearing) = &event
                && !hearing.is_whole(&Kind::ALL)
            {
                // It has just started. Nobody waits for it.
                self.link.down(&cortex.trouble("has not heard all of its cluster yet".to_owned())).await;
            }
            self.reflect(cortex, revision, event)?;
        }
        Ok(self.mirror.version())
    }

    /// Reads on until it is our turn to speak.
    async fn wait(
        &mut self,
        cortex: &Cortex,
        stream: &mut Streaming<wire::WatchEvent>,
    ) -> Result<OwnedMutexGuard<Option<Layer>>, SourceError> {
        let mut wanted = self.desk.wanted.clone();
        loop {
            let is_wanted = wanted.borrow_and_update().grpc;
            tokio::select! {
                biased;
                floor = self.desk.floor.clone().lock_owned(), if is_wanted => return Ok(floor),
                // The sender lives as long as we do.
                _ = wanted.changed() => {}
                event = next(cortex, stream, SILENCE) => {
                    let (revision, event) = event?;
                    self.reflect(cortex, revision, event)?;
                }
            }
        }
    }

    /// Takes an event into the mirror, and answers what is gone by it. An
    /// error when the Cortex no longer hears its cluster.
    fn reflect(&mut self, cortex: &Cortex, revision: u64, event: Event) -> Result<Vec<(Kind, Key)>, SourceError> {
        if let Event::Heard(hearing) = &event
            && let Some(error) = deaf(cortex, &hearing.link)
        {
            return Err(error);
        }
        let taken = self.mirror.take(revision, event);
        if let Some(note) = taken.note {
            tracing::warn!(note, "the Cortex");
        }
        Ok(taken.gone)
    }

    /// Tells the whole mirror, of which most is known already; what was thought
    /// before, unless another layer told of that time.
    async fn take_over(&mut self, part: &Part, history: bool) {
        self.desk.boards.restart(part.as_deref()).await;
        for kind in Kind::ALL {
            let board = self.desk.boards.of(kind);
            let _listing = board.listing().await;
            // What changed while another layer spoke, or nobody, the Cortex
            // has thought about already.
            let novelty = if board.was_listed(part) { Novelty::Told } else { Novelty::Initial };
            let mut seen = HashSet::new();
            for object in self.mirror.objects(kind) {
                seen.insert(object.key.clone());
                board.apply(object.clone(), novelty).await;
            }
            board.listed(part, &seen, novelty).await;
            if let Some(watch) = self.mirror.watch(kind) {
                board.heard(part, watch.clone()).await;
            }
        }
        for thought in self.mirror.thoughts() {
            if history {
                self.desk.bus.thought(&thought);
            }
        }
    }

    /// Tells each change as it comes, until somebody else is to speak. `last`
    /// is when the Cortex was heard last.
    async fn speak(
        &mut self,
        cortex: &Cortex,
        stream: &mut Streaming<wire::WatchEvent>,
        part: &Part,
        last: &mut Timestamp,
    ) -> Result<(), SourceError> {
        let mut wanted = self.desk.wanted.clone();
        while wanted.borrow_and_update().grpc {
            let (revision, event) = tokio::select! {
                biased;
                // The sender lives as long as we do.
                _ = wanted.changed() => continue,
                event = next(cortex, stream, SILENCE) => event?,
            };
            *last = clock::now();
            match &event {
                Event::Put(kind, object) => self.desk.boards.of(*kind).apply((**object).clone(), Novelty::Told).await,
                Event::Gone(kind, key) => self.desk.boards.of(*kind).delete(key, Novelty::Told).await,
                Event::Thought(thought) => self.desk.bus.thought(thought),
                Event::Heard(hearing) => {
                    for (kind, watch) in &hearing.kinds {
                        self.desk.boards.of(*kind).heard(part, watch.clone()).await;
                    }
                }
                Event::Begin { .. } | Event::Synced | Event::Strange(_) => {}
            }
            for (kind, key) in self.reflect(cortex, revision, event)? {
                self.desk.boards.of(kind).delete(&key, Novelty::Told).await;
            }
            // They have been told.
            self.mirror.thoughts();
        }
        Ok(())
    }
}

/// That a Cortex does not hear its cluster, if it does not.
pub(crate) fn deaf(cortex: &Cortex, link: &Link) -> Option<SourceError> {
    match link {
        Link::Down { error, .. } => Some(cortex.trouble(format!("does not hear its cluster: {error}"))),
        Link::Up { .. } | Link::Connecting => None,
    }
}

/// That the Cortex, wherever it is looked for, keeps us waiting.
pub(crate) fn slow(options: &Options, limit: Duration) -> SourceError {
    SourceError::Cortex { address: sought(options), problem: format!("did not answer within {limit:?}") }
}

/// Where a Cortex is looked for.
pub(crate) fn sought(options: &Options) -> String {
    let places = address::places(options.cortex.as_ref());
    places.iter().map(Address::place).collect::<Vec<_>>().join(" or ")
}

/// The next event of a stream, with the revision that it brings.
pub(crate) async fn next(
    cortex: &Cortex,
    stream: &mut Streaming<wire::WatchEvent>,
    limit: Duration,
) -> Result<(u64, Event), SourceError> {
    match timeout(limit, stream.message()).await {
        Ok(Ok(Some(event))) => Ok((event.revision, self::event(event))),
        Ok(Ok(None)) => Err(cortex.trouble("ended the stream".to_owned())),
        Ok(Err(status)) => Err(cortex.error(&status)),
        Err(_) => Err(cortex.trouble(format!("has said nothing for {limit:?}"))),
    }
}

#[cfg(test)]
mod tests;
