//! Keys, clicks, sizes and pastes as they come from the terminal.

use std::io;

use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Events that wait until the window takes them; of more, the terminal keeps
/// what it has not given yet.
const WAITING: usize = 256;

/// What a person does at the terminal.
///
/// A task of its own asks for it: asking while crossterm's thread reads makes
/// the asker spin for its lock, and a window turns far more often than a
/// person types.
pub(crate) struct Input {
    events: mpsc::Receiver<io::Result<Event>>,
    task: JoinHandle<()>,
}

impl Input {
    /// Listens, within a runtime.
    pub(crate) fn open() -> Self {
        let (send, events) = mpsc::channel(WAITING);
        let task = tokio::spawn(async move {
            let mut stream = EventStream::new();
            while let Some(event) = stream.next().await {
                if send.send(event).await.is_err() {
                    return;
                }
            }
        });
        Self { events, task }
    }

    /// The next event; `None` when there will be none.
    pub(crate) async fn next(&mut self) -> Option<io::Result<Event>> {
        self.events.recv().await
    }

    /// The next event if it is there already.
    pub(crate) fn ready(&mut self) -> Option<io::Result<Event>> {
        self.events.try_recv().ok()
    }

    /// Lets go of the terminal: whoever has it next reads their own keys.
    pub(crate) async fn close(self) {
        self.task.abort();
        // Ended or aborted, it holds nothing any more.
        let _ = self.task.await;
    }
}
