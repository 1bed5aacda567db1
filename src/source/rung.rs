//! How one layer stands, told to the bus when it changes and to the ladder at
//! each answer.

use std::time::Duration;

use kgents_store::watch::Link;
use kgents_store::{Bus, Control, Layer, Rung};
use tokio::sync::{Mutex, mpsc};

use crate::clock;
use crate::error::SourceError;
use crate::ladder::Answer;

/// What a layer's probe or list had for an answer.
pub(crate) type Report = (Layer, Answer);

/// Where reports go: to the ladder.
pub(crate) type Reports = mpsc::Sender<Report>;

/// How many reports may wait for the ladder; past that one is as good as none.
pub(crate) const MAX_REPORTS: usize = 64;

/// Tells how a layer stands.
pub(crate) struct Teller {
    layer: Layer,
    bus: Bus,
    told: Mutex<Rung>,
    reports: Reports,
}

impl Teller {
    pub(crate) fn new(layer: Layer, bus: Bus, reports: Reports) -> Self {
        let told = Mutex::new(Rung { address: String::new(), link: Link::Connecting, notes: Vec::new() });
        Self { layer, bus, told, reports }
    }

    /// Where the layer is looked for.
    pub(crate) async fn at(&self, address: &str) {
        self.tell(|rung| address.clone_into(&mut rung.address)).await;
    }

    /// What is wrong with it that does not stop it.
    pub(crate) async fn notes(&self, notes: Vec<String>) {
        self.tell(|rung| rung.notes = notes).await;
    }

    /// It answers, and took so long for it.
    pub(crate) async fn up(&self, version: String, took: Duration) {
        self.report(Answer::Good(took));
        self.tell(|rung| rung.link = Link::Up { version }).await;
    }

    /// Something that it was asked was answered beside the probes.
    pub(crate) fn good(&self) {
        self.report(Answer::Good(Duration::ZERO));
    }

    /// It is down. Since when is what the first failure says; why may change.
    pub(crate) async fn down(&self, error: &SourceError) {
        self.report(Answer::Bad);
        self.tell(|rung| {
            rung.link = Link::Down {
                since: match rung.link {
                    Link::Down { since, .. } => since,
                    _ => clock::now(),
                },
                error: error.to_string(),
                hint: error.hint().unwrap_or_default(),
            };
        })
        .await;
    }

    fn report(&self, answer: Answer) {
        // Who has so many reports waiting will not miss one: the newest of a
        // layer that goes on answering says the same.
        let _ = self.reports.try_send((self.layer, answer));
    }

    /// The lock is held while the bus may make us wait, so that what is told
    /// last is what is true.
    async fn tell(&self, change: impl FnOnce(&mut Rung)) {
        let mut told = self.told.lock().await;
        let before = told.clone();
        change(&mut told);
        if *told != before {
            self.bus.control(Control::Rung(self.layer, told.clone())).await;
        }
    }
}
