//! Feeding the terrarium from the bus, turn by turn.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kgents_store::bus::Reader;

use crate::clock;
use crate::state::Shared;

/// How many changes are taken at once, so that answers keep flowing.
const DRAIN: usize = 2_048;
/// The longest sleep; nothing depends on it but clocks that are set.
const LONG: Duration = Duration::from_secs(3_600);

/// Drains the reader into the shared state until it is cancelled.
pub(crate) async fn feed(mut reader: Reader, shared: &Shared) {
    loop {
        let nap = shared.state().next_end().map_or(LONG, |end| nap(end, clock::now()));
        tokio::select! {
            biased;
            () = shared.cancel.cancelled() => return,
            () = reader.changed() => {}
            () = tokio::time::sleep(nap) => {}
        }
        let batch = reader.drain(DRAIN);
        let more = batch.more;
        shared.take(batch, clock::now());
        if more {
            tokio::task::yield_now().await;
        }
    }
}

fn nap(end: Timestamp, now: Timestamp) -> Duration {
    // A hair longer, so that the end has come when we wake.
    let left = end.duration_since(now).saturating_add(SignedDuration::from_millis(1));
    Duration::try_from(left).unwrap_or(Duration::ZERO).min(LONG)
}
