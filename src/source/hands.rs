//! What fulfils the requests of a window: acts, questions, logs, files.
//!
//! Each request is a task of its own, so that one that hangs delays nobody.
//! Nothing is ever tried again: an act is sent once, and what is not known
//! afterwards is said to be unknown.

mod acts;
mod answer;
mod chat;
mod children;
mod desk;
mod dryrun;
mod events;
mod failure;
mod lines;
mod logs;
mod places;
mod plan;
mod resolve;
mod save;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use kgents_store::request::{Answer, Ask, Problem, Reply, Request};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::options::Options;
use answer::fulfil;
use desk::Desk;

/// How many requests are worked on at once.
const AT_ONCE: usize = 32;
/// How many more may wait for their turn. A window that asks for more than
/// that is told so.
const MAX_WAITING: usize = 1_000;
/// How long an act that is on its way may take when all else ends.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Fulfils requests until `cancel` fires or nobody can make more of them.
///
/// It connects when the first request needs an API server, and keeps the
/// connection. A request is answered once, but for logs that are followed:
/// lines come until [`Answer::LinesEnd`]. After [`Ask::Cancel`] a request is
/// answered no more; an act that was sent already is not taken back by that.
///
/// Who does not take replies stops those who have some, and nobody else.
///
/// At the end, all that reads stops at once. What changes something and has
/// begun has half a second to be done.
pub async fn serve(
    options: Options,
    mut requests: mpsc::Receiver<Request>,
    replies: mpsc::Sender<Reply>,
    cancel: CancellationToken,
) {
    let mut crew = Crew::new(options, replies.clone());
    loop {
        tokio::select! {
            biased;
            () = cancel.cancelled() => break,
            () = replies.closed() => break,
            Some(done) = crew.tasks.join_next() => crew.done(done),
            request = requests.recv() => match request {
                Some(request) => crew.take(request),
                None => break,
            },
        }
    }
    crew.end().await;
}

/// Who answers a request, until nobody wants to hear more of it.
pub(super) struct Voice {
    id: u64,
    replies: mpsc::Sender<Reply>,
    hush: CancellationToken,
}

impl Voice {
    /// Answers. Waits while the window has not taken earlier replies; says
    /// whether this one was wanted.
    pub(super) async fn say(&self, answer: Answer) -> bool {
        let reply = Reply { id: self.id, answer };
        tokio::select! {
            biased;
            () = self.hush.cancelled() => false,
            sent = self.replies.send(reply) => sent.is_ok(),
        }
    }
}

/// The tasks, and what waits to become one.
struct Crew {
    desk: Arc<Desk>,
    replies: mpsc::Sender<Reply>,
    tasks: JoinSet<u64>,
    /// By which each request is told that nobody listens, from when it came.
    hushes: HashMap<u64, CancellationToken>,
    waiting: VecDeque<Request>,
    /// Ends all that only reads.
    stop: CancellationToken,
}

impl Crew {
    fn new(options: Options, replies: mpsc::Sender<Reply>) -> Self {
        Self {
            desk: Arc::new(Desk::new(options)),
            replies,
            tasks: JoinSet::new(),
            hushes: HashMap::new(),
            waiting: VecDeque::new(),
            stop: CancellationToken::new(),
        }
    }

    fn take(&mut self, request: Request) {
        if let Ask::Cancel(id) = request.ask {
            self.waiting.retain(|waiting| waiting.id != id);
            if let Some(hush) = self.hushes.get(&id) {
                hush.cancel();
            }
        } else if self.tasks.len() < AT_ONCE {
            self.start(request);
        } else if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(request);
        } else {
            let said = format!("{MAX_WAITING} requests wait already: this one was not begun");
            let answer = Answer::Failed(Problem { said, hint: None, conflict: false });
            if self.replies.try_send(Reply { id: request.id, answer }).is_err() {
                tracing::warn!(id = request.id, "a request too many, from a window that takes no replies");
            }
        }
    }

    fn start(&mut self, request: Request) {
        let Request { id, ask } = request;
        // What changes something is not stopped in the middle: nobody would
        // know how far it came.
        let stays = matches!(ask, Ask::Act(_) | Ask::Say(..) | Ask::Save { .. });
        let (hush, stop, desk) = (CancellationToken::new(), self.stop.clone(), self.desk.clone());
        self.hushes.insert(id, hush.clone());
        let voice = Voice { id, replies: self.replies.clone(), hush: hush.clone() };
        let work = async move {
            if AssertUnwindSafe(fulfil(&desk, ask, &voice)).catch_unwind().await.is_err() {
                let said = "kgents broke while it worked on this: it is not known how far it came".to_owned();
                let hint = Some("kgents doctor".to_owned());
                voice.say(Answer::Failed(Problem { said, hint, conflict: false })).await;
            }
        };
        self.tasks.spawn(async move {
            if stays {
                work.await;
            } else {
                tokio::select! {
                    () = hush.cancelled() => {}
                    () = stop.cancelled() => {}
                    () = work => {}
                }
            }
            id
        });
    }

    /// A task has ended: the next may begin.
    fn done(&mut self, done: Result<u64, tokio::task::JoinError>) {
        match done {
            Ok(id) => drop(self.hushes.remove(&id)),
            Err(error) => tracing::error!(%error, "a request ended as it should not"),
        }
        if self.tasks.len() < AT_ONCE
            && let Some(request) = self.waiting.pop_front()
        {
            self.start(request);
        }
    }

    async fn end(mut self) {
        self.stop.cancel();
        let rest = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(LAST_WORDS, rest).await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "ended before all was answered that was asked for");
        }
    }
}
