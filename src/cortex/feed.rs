//! Feeding the terrarium from the bus, turn by turn.

use kgents_store::bus::{Reader, TURN};

use crate::clock;
use crate::state::Shared;

/// Drains the reader into the shared state until it is cancelled.
pub(crate) async fn feed(mut reader: Reader, shared: &Shared) {
    loop {
        let nap = shared.state().terrarium().nap(clock::now());
        tokio::select! {
            biased;
            () = shared.cancel.cancelled() => return,
            () = reader.changed() => {}
            () = tokio::time::sleep(nap) => {}
        }
        let batch = reader.drain(TURN);
        let more = batch.more;
        shared.take(batch, clock::now());
        if more {
            tokio::task::yield_now().await;
        }
    }
}
