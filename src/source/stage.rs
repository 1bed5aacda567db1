//! The three layers together: who is asked, who follows, who speaks.
//!
//! Each layer is asked all the time whether it answers. Only one at a time
//! follows what is there and tells it: the one that holds the [`Floor`]. What
//! was told stands on the [`Boards`], so that another one that takes the floor
//! tells only the difference, and whoever looks loses nothing.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use kgents_store::bus::Bus;
use kgents_store::watch::Link;
use kgents_store::{Control, Layer, Rung};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::board::Boards;
use crate::ladder::{Answer, Ladder};
use crate::options::Options;
use crate::recall::Recaller;
use crate::rung::{MAX_REPORTS, Report, Reports};
use crate::{fixture, ghost, grpc, kube};

/// The right to tell what is there. One layer has it at a time; it says which
/// one had it last.
pub(crate) type Floor = Arc<Mutex<Option<Layer>>>;

/// How long the Cortex is waited for before the Kubernetes API is listed. A
/// Cortex on this machine answers sooner, and spares the API server the lists.
const HEAD_START: Duration = Duration::from_millis(20);
/// How long the Ghost may take to write what is known at the end.
const LAST_WORDS: Duration = Duration::from_millis(400);

/// Watches everything and tells it on the bus until cancelled.
///
/// It never fails: whatever goes wrong is told as [`Control`] and tried again
/// for ever. Spawn it on a runtime with worker threads, or one of its own; it
/// decodes a lot when it begins.
///
/// With a [`crate::Fixture`] that is played, and nobody is asked.
pub async fn watch(options: Options, bus: Bus, cancel: CancellationToken) {
    if let Some(fixture) = &options.fixture {
        cancel.run_until_cancelled(fixture::play(fixture, &options, &bus)).await;
        return;
    }
    let (bus, keeper) = keep(&options, bus);
    let stage = Box::pin(Stage::new(options, bus).run());
    cancel.run_until_cancelled(stage).await;
    if let Some((keeper, stop)) = keeper {
        // What is known now is written, if the disk lets us.
        stop.cancel();
        if timeout(LAST_WORDS, keeper).await.is_err() {
            tracing::warn!("the disk kept us waiting, so the Ghost has not got the last of it");
        }
    }
}

/// Keeps the Ghost current with what the bus brings, if that is wanted.
fn keep(options: &Options, bus: Bus) -> (Bus, Option<(JoinHandle<()>, CancellationToken)>) {
    let live = options.layer != Some(Layer::Ghost);
    match options.ghost.clone().filter(|_| options.keep_ghost && live) {
        Some(folder) => {
            let (bus, reader) = bus.tapped();
            let stop = CancellationToken::new();
            let keeper = tokio::spawn(ghost::keep(reader, folder, ghost::Keep::default(), stop.clone()));
            (bus, Some((keeper, stop)))
        }
        None => (bus, None),
    }
}

/// What a layer needs to take part.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) options: Options,
    pub(crate) bus: Bus,
    /// What was told, by whomever.
    pub(crate) boards: Arc<Boards>,
    /// Where it says how it answers.
    pub(crate) reports: Reports,
    /// Whether it is to follow what is there, or only to say whether it answers.
    pub(crate) wanted: watch::Receiver<Wanted>,
    pub(crate) floor: Floor,
}

struct Stage {
    options: Options,
    bus: Bus,
    ladder: Ladder,
}

impl Stage {
    fn new(options: Options, bus: Bus) -> Self {
        let ladder = Ladder::new(options.layer);
        Self { options, bus, ladder }
    }

    async fn run(mut self) -> Infallible {
        // Who is asked is known before anybody answers.
        for layer in Layer::ASKED.into_iter().filter(|layer| self.ladder.is_asked(*layer)) {
            let rung = Rung { address: String::new(), link: Link::Connecting, notes: Vec::new() };
            self.bus.control(Control::Rung(layer, rung)).await;
        }
        let scene = kube::scene(&self.options);
        if let Ok(scene) = &scene {
            self.bus.control(Control::Scene(scene.clone())).await;
        }
        let (reports, inbox) = mpsc::channel(MAX_REPORTS);
        let ((wanted, watched), (speaks, heard)) = (watch::channel(Wanted::default()), watch::channel(None));
        let desk = Desk {
            options: self.options.clone(),
            bus: self.bus.clone(),
            boards: Arc::new(Boards::new(&self.bus)),
            reports,
            wanted: watched,
            floor: Floor::default(),
        };
        let is = |layer| self.ladder.is_asked(layer);
        let grpc = asked(is(Layer::Grpc), grpc::Engine::new(desk.clone()).run());
        let kube = asked(is(Layer::Kube), kube::Engine::new(desk.clone()).run());
        let ghost = asked(is(Layer::Ghost), Recaller::new(desk, heard).run(scene));
        tokio::select! {
            biased;
            never = self.judge(inbox, &wanted, &speaks) => never,
            never = ghost => never,
            never = grpc => never,
            never = kube => never,
        }
    }

    /// Hears how the layers answer, and says who speaks and who is to follow.
    async fn judge(
        &mut self,
        mut inbox: mpsc::Receiver<Report>,
        wanted: &watch::Sender<Wanted>,
        says: &watch::Sender<Option<Layer>>,
    ) -> Infallible {
        let head_start = Instant::now() + HEAD_START;
        let mut told = None;
        loop {
            let speaks = self.ladder.speaks();
            if told != Some(speaks) {
                told = Some(speaks);
                says.send_replace(speaks);
                self.bus.control(Control::Speaks(speaks)).await;
            }
            let waits =
                self.ladder.is_asked(Layer::Grpc) && !self.ladder.is_known(Layer::Grpc) && Instant::now() < head_start;
            let next = Wanted { grpc: speaks == Some(Layer::Grpc), kube: speaks != Some(Layer::Grpc) && !waits };
            wanted.send_if_modified(|wanted| std::mem::replace(wanted, next) != next);
            tokio::select! {
                Some((layer, answer)) = inbox.recv() => self.hear(layer, answer),
                () = sleep_until(head_start), if waits => {}
            }
        }
    }

    fn hear(&mut self, layer: Layer, answer: Answer) {
        self.ladder.hear(layer, answer);
        if self.ladder.speaks().is_some_and(Layer::is_live) {
            // What was heard once is remembered from then on.
            self.ladder.hear(Layer::Ghost, Answer::Good(Duration::ZERO));
        }
    }
}

/// Runs what is asked; what is not never ends.
async fn asked(is_asked: bool, engine: impl Future<Output = Infallible>) -> Infallible {
    if is_asked { engine.await } else { std::future::pending().await }
}

/// Who is to follow what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The Cortex.
    pub(crate) grpc: bool,
    /// The Kubernetes API.
    pub(crate) kube: bool,
}
