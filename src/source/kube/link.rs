//! How the connection as a whole stands, told when it changes.

use kgents_store::watch::Link;
use kgents_store::{Bus, Control};
use tokio::sync::Mutex;

use crate::clock;
use crate::error::SourceError;

/// Tells the bus how the connection stands.
pub(crate) struct Teller {
    bus: Bus,
    told: Mutex<Option<Link>>,
}

impl Teller {
    pub(crate) fn new(bus: Bus) -> Self {
        Self { bus, told: Mutex::new(None) }
    }

    pub(crate) async fn up(&self, version: String) {
        self.tell(|_| Link::Up { version }).await;
    }

    /// It is down. Since when is what the first failure says; why may change.
    pub(crate) async fn down(&self, error: &SourceError) {
        self.tell(|was| Link::Down {
            since: match was {
                Some(Link::Down { since, .. }) => *since,
                _ => clock::now(),
            },
            error: error.to_string(),
            hint: error.hint().unwrap_or_default(),
        })
        .await;
    }

    /// The lock is held while the bus may make us wait, so that what is told
    /// last is what is true.
    async fn tell(&self, next: impl FnOnce(Option<&Link>) -> Link) {
        let mut told = self.told.lock().await;
        let next = next(told.as_ref());
        if told.as_ref() != Some(&next) {
            *told = Some(next.clone());
            self.bus.control(Control::Link(next)).await;
        }
    }
}
