//! The runtime of one-shot commands.

use std::future::Future;

use crate::failure::Failure;

/// Runs a command to its end on this thread.
///
/// # Errors
/// What the command says, or that the system gives us no runtime.
pub(crate) fn block_on<T>(command: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no runtime can be started: {error}")))?;
    let ended = runtime.block_on(command);
    // Name resolution may hang in a thread of its own; nobody waits for it.
    runtime.shutdown_background();
    ended
}
