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
use kgents_store::{Control, Layer};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::board::Boards;
use crate::{grpc, kube};
use crate::ladder::{Answer, Ladder};
use crate::options::Options;
use crate::rung::{MAX_REPORTS, Report};

/// The right to tell what is there. One layer has it at a time; it says which
/// one had it last.
pub(crate) type Floor = Arc<Mutex<Option<Layer>>>;

/// How long the Cortex is waited for before the Kubernetes API is listed. A
/// Cortex on this machine answers sooner, and spares the API server the lists.
const HEAD_START: Duration = Duration::from_millis(20);

/// Watches everything and tells it on the bus until cancelled.
///
/// It never fails: whatever goes wrong is told as [`Control`] and tried again
/// for ever. Spawn it on a runtime with worker threads, or one of its own; it
/// decodes a lot when it begins.
pub async fn watch(options: Options, bus: Bus, cancel: CancellationToken) {
    let stage = Box::pin(Stage::new(options, bus).run());
    cancel.run_until_cancelled(stage).await;
}

struct Stage {
    options: Options,
    bus: Bus,
    boards: Arc<Boards>,
    ladder: Ladder,
    floor: Floor,
}

impl Stage {
    fn new(options: Options, bus: Bus) -> Self {
        let boards = Arc::new(Boards::new(&bus));
        let ladder = Ladder::new(options.layer);
        Self { options, bus, boards, ladder, floor: Floor::default() }
    }

    async fn run(mut self) -> Infallible {
        let scene = kube::scene(&self.options);
        if let Ok(scene) = &scene {
            self.bus.control(Control::Scene(scene.clone())).await;
        }
        let (reports, inbox) = mpsc::channel(MAX_REPORTS);
        let (wanted, _) = watch::channel(Wanted::default());
        let kube = {
            let engine = kube::Engine::new(
                self.options.clone(),
                self.bus.clone(),
                self.boards.clone(),
                reports.clone(),
                wanted.subscribe(),
                self.floor.clone(),
            );
            asked(self.ladder.is_asked(Layer::Kube), engine.run())
        };
        let grpc = {
            let engine = grpc::Engine::new(
                self.options.clone(),
                self.bus.clone(),
                self.boards.clone(),
                reports,
                wanted.subscribe(),
                self.floor.clone(),
            );
            asked(self.ladder.is_asked(Layer::Grpc), engine.run())
        };
        tokio::select! {
            never = self.judge(inbox, &wanted) => never,
            never = kube => never,
            never = grpc => never,
        }
    }

    /// Hears how the layers answer, and says who speaks and who is to follow.
    async fn judge(&mut self, mut inbox: mpsc::Receiver<Report>, wanted: &watch::Sender<Wanted>) -> Infallible {
        let head_start = Instant::now() + HEAD_START;
        let mut told = None;
        loop {
            let speaks = self.ladder.speaks();
            if told != Some(speaks) {
                told = Some(speaks);
                self.bus.control(Control::Speaks(speaks)).await;
            }
            let waits = self.ladder.is_asked(Layer::Grpc)
                && !self.ladder.is_known(Layer::Grpc)
                && Instant::now() < head_start;
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
