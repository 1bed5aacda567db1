//! How the Cortex stands.

use std::time::Duration;

use jiff::Timestamp;
use kgents_store::Layer;
use kgents_store::watch::Scene;
use kgents_wire::cortex as wire;
use tokio::time::{Instant, timeout_at};

use super::{LayerCheck, Skew, Standing, skew};
use crate::clock;
use crate::error::SourceError;
use crate::grpc::{self, Cortex, deaf};
use crate::options::Options;

/// A name that no namespace has: of it there is nothing to send.
const NOWHERE: &str = "-";

/// What was found of the Cortex.
pub(super) struct Examined {
    pub(super) check: LayerCheck,
    /// How our clock differs from its, where it says what its clock shows.
    pub(super) clock: Option<Skew>,
}

/// Asks the Cortex, wherever it is looked for.
pub(super) async fn examine(options: &Options, scene: Option<&Scene>, until: Instant, limit: Duration) -> Examined {
    let answer = timeout_at(until, grpc::dial(options, scene)).await;
    match answer.unwrap_or_else(|_| Err(grpc::slow(options, limit))) {
        Ok(cortex) => {
            let standing = match deaf(&cortex, &cortex.hearing.link) {
                Some(error) => Standing::Down(error),
                None => Standing::Up {
                    latency: cortex.took,
                    version: cortex.version.clone(),
                    instance: Some(cortex.instance.clone()),
                },
            };
            let clock = timeout_at(until, ask_the_time(&cortex)).await.ok().flatten();
            let check = LayerCheck {
                layer: Layer::Grpc,
                address: cortex.address.place(),
                context: Some(cortex.scene.context.clone()).filter(|context| !context.is_empty()),
                standing,
                notes: cortex.notes(),
            };
            Examined { check, clock }
        }
        Err(error) => {
            let address = match &error {
                // One of several places: that which has something there.
                SourceError::Cortex { address, .. } => address.clone(),
                _ => grpc::sought(options),
            };
            let standing = Standing::Down(error);
            let check = LayerCheck { layer: Layer::Grpc, address, context: None, standing, notes: Vec::new() };
            Examined { check, clock: None }
        }
    }
}

/// What its clock shows. It says so only in its stream.
async fn ask_the_time(cortex: &Cortex) -> Option<Skew> {
    let sent = clock::now();
    let kinds = vec!["Umwelt".to_owned()];
    let request = wire::WatchRequest { kinds, namespace: NOWHERE.to_owned(), ..wire::WatchRequest::default() };
    let mut stream = cortex.watch(request).await.ok()?;
    loop {
        let event = stream.message().await.ok()??;
        if let Some(wire::watch_event::Event::Heard(heard)) = event.event {
            let now = heard.now?;
            let theirs = Timestamp::new(now.seconds, now.nanos).ok()?;
            return Some(skew(Layer::Grpc, sent, clock::now(), theirs));
        }
    }
}
