//! The runtimes that commands run on.

use std::future::Future;
use std::sync::mpsc;
use std::time::Duration;

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

/// The same on so many threads of its own, for what works on many things at once.
///
/// # Errors
/// What the command says, or that the system gives us no runtime.
pub(crate) fn block_on_workers<T>(
    threads: usize,
    command: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("no runtime can be started: {error}")))?;
    let ended = runtime.block_on(command);
    runtime.shutdown_background();
    ended
}

/// How long what runs aside may take to end before it is left behind.
const GRACE: Duration = Duration::from_millis(500);

/// Something that runs on a thread and a runtime of its own.
pub(crate) struct Aside {
    ended: mpsc::Receiver<()>,
}

/// Runs something aside, on a runtime of its own.
///
/// # Errors
/// When the system gives us no thread.
pub(crate) fn aside(name: &str, task: impl Future<Output = ()> + Send + 'static) -> Result<Aside, Failure> {
    let (done, ended) = mpsc::sync_channel(1);
    let run = move || {
        let ended = block_on(async {
            task.await;
            Ok(())
        });
        if let Err(Failure::Said { sentence, .. }) = ended {
            tracing::error!(error = sentence, "what should run aside cannot");
        }
        let _ = done.send(());
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|error| Failure::new(format!("no thread can be started: {error}")))?;
    Ok(Aside { ended })
}

impl Aside {
    /// Waits a little for it to end; it has been told to.
    pub(crate) fn wait(self) {
        let _ = self.ended.recv_timeout(GRACE);
    }
}
