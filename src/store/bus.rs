//! The bus between the sources and those who look, in three lanes.
//!
//! - **State**: the latest change per object. A burst on one object coalesces;
//!   a deletion is never lost. Bounded: past [`MAX_STATE`] objects the sender
//!   waits.
//! - **Log**: Events and thoughts, in a ring of [`MAX_LOG`]. Past it the oldest
//!   is dropped and counted.
//! - **Control**: how the sources stand. [`MAX_CONTROL`] at most, awaited.
//!
//! A bus may have more than one reader ([`Bus::tapped`]), each with lanes of
//! its own.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc};

use crate::key::{Key, Kind};
use crate::object::{Decoded, EventFacts};
use crate::thought::Thought;
use crate::watch::{Layer, Link, Scene, Watch};

/// How many objects may wait in the state lane.
pub const MAX_STATE: usize = 50_000;
/// How many Events and thoughts may wait in the log lane.
pub const MAX_LOG: usize = 10_000;
/// How many changes a reader takes at once, so that whatever else it does
/// keeps flowing.
pub const TURN: usize = 2_048;
/// How many messages may wait in the control lane.
pub const MAX_CONTROL: usize = 64;

/// What happened to one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its key.
    pub key: Key,
    /// The object as it is now; `None` when it is gone.
    pub now: Option<Decoded>,
    /// Whether it is news.
    pub novelty: Novelty,
}

/// Whether a change is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// Part of a first list: it was so before we looked.
    Initial,
    /// It happens now.
    News,
    /// It happens now, and whoever sends it sends the thought about it as well.
    Told,
}

/// How the sources stand.
#[derive(Clone, Debug)]
pub enum Control {
    /// What is looked at.
    Scene(Scene),
    /// Which layer speaks; `None` while none has anything to say.
    Speaks(Option<Layer>),
    /// How one layer stands.
    Rung(Layer, Rung),
    /// How a kind is heard.
    Watch(Kind, Watch),
    /// A task of ours ended that should not have.
    TaskDied {
        /// The task's name.
        task: String,
        /// What it said.
        error: String,
    },
}

/// How one layer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Where it is: a URL, a socket, a folder. Empty when that is not known.
    pub address: String,
    /// Whether it answers.
    pub link: Link,
    /// What is wrong with it that does not stop it, a sentence each: files
    /// that cannot be read, another version.
    pub notes: Vec<String>,
}

/// What was drained in one go.
#[derive(Debug, Default)]
pub struct Batch {
    /// Changes of objects, each object once.
    pub changes: Vec<Change>,
    /// Events, oldest first.
    pub events: Vec<Arc<EventFacts>>,
    /// Thoughts that somebody else had, oldest first. Their `seq` is not ours.
    pub thoughts: Vec<Thought>,
    /// Events and thoughts that were dropped since the last drain.
    pub dropped: u64,
    /// How the sources stand, in order.
    pub control: Vec<Control>,
    /// Whether more waits.
    pub more: bool,
}

#[derive(Default)]
struct Lanes {
    state: HashMap<(Kind, Key), Change>,
    order: VecDeque<(Kind, Key)>,
    log: VecDeque<Said>,
    dropped: u64,
}

#[derive(Clone)]
enum Said {
    Event(Arc<EventFacts>),
    Thought(Thought),
}

#[derive(Default)]
struct Shared {
    lanes: Mutex<Lanes>,
    news: Notify,
    room: Notify,
    /// The reader is gone: nothing is kept for it.
    closed: AtomicBool,
}

impl Shared {
    /// A panic while the lock was held cannot leave the lanes half changed in
    /// a way that matters, so poison is ignored.
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    async fn state(&self, change: Change) {
        loop {
            let room = self.room.notified();
            {
                let mut lanes = self.lanes();
                if self.is_closed() {
                    return;
                }
                let id = (change.kind, change.key.clone());
                let full = lanes.state.len() >= MAX_STATE;
                if let Some(waiting) = lanes.state.get_mut(&id) {
                    // Still unseen: what was there before we looked stays no news.
                    let first = waiting.novelty == Novelty::Initial;
                    *waiting = Change { novelty: if first { Novelty::Initial } else { change.novelty }, ..change };
                    return;
                }
                if !full {
                    lanes.order.push_back(id.clone());
                    lanes.state.insert(id, change);
                    drop(lanes);
                    self.news.notify_one();
                    return;
                }
            }
            room.await;
        }
    }

    fn log(&self, said: Said) {
        let mut lanes = self.lanes();
        if self.is_closed() {
            return;
        }
        if lanes.log.len() >= MAX_LOG {
            lanes.log.pop_front();
            lanes.dropped += 1;
        }
        lanes.log.push_back(said);
        drop(lanes);
        self.news.notify_one();
    }
}

/// The sending end. Cheap to clone.
#[derive(Clone)]
pub struct Bus {
    outs: Arc<[Out]>,
}

/// A receiving end.
pub struct Reader {
    shared: Arc<Shared>,
    control: mpsc::Receiver<Control>,
}

/// A bus and its reader.
pub fn new() -> (Bus, Reader) {
    let (out, reader) = lanes();
    (Bus { outs: [out].into() }, reader)
}

type Out = (Arc<Shared>, mpsc::Sender<Control>);

fn lanes() -> (Out, Reader) {
    let shared = Arc::new(Shared::default());
    let (sender, receiver) = mpsc::channel(MAX_CONTROL);
    ((shared.clone(), sender), Reader { shared, control: receiver })
}

impl Bus {
    /// The same bus with one more reader, which hears what is sent through the
    /// bus returned. The slowest reader holds up the sender, so each has to
    /// drain whatever else it does.
    #[must_use]
    pub fn tapped(&self) -> (Self, Reader) {
        let (out, reader) = lanes();
        (Self { outs: self.outs.iter().cloned().chain([out]).collect() }, reader)
    }

    /// Puts a change into the state lane, over an older one of the same
    /// object. Waits while [`MAX_STATE`] other objects wait. A reader that is
    /// gone is no error, for then nobody wants to know.
    pub async fn state(&self, change: Change) {
        if let Some(((last, _), others)) = self.outs.split_last() {
            for (out, _) in others {
                out.state(change.clone()).await;
            }
            last.state(change).await;
        }
    }

    /// Puts an Event into the log lane; the oldest falls out when it is full.
    pub fn log(&self, event: &Arc<EventFacts>) {
        self.outs.iter().for_each(|(out, _)| out.log(Said::Event(event.clone())));
    }

    /// Puts a thought that somebody else had into the log lane; the oldest
    /// falls out when it is full.
    pub fn thought(&self, thought: &Thought) {
        self.outs.iter().for_each(|(out, _)| out.log(Said::Thought(thought.clone())));
    }

    /// Sends word of how a source stands. Waits while the lane is full.
    pub async fn control(&self, control: Control) {
        for (out, sender) in self.outs.iter() {
            if sender.send(control.clone()).await.is_ok() {
                out.news.notify_one();
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut lanes = self.shared.lanes();
        self.shared.closed.store(true, Ordering::Release);
        *lanes = Lanes::default();
        drop(lanes);
        self.shared.room.notify_waiters();
    }
}

impl Reader {
    /// Waits until something may be there to drain.
    pub async fn changed(&self) {
        self.shared.news.notified().await;
    }

    /// Takes what waits: all control, and at most `max` changes and `max`
    /// Events and thoughts.
    pub fn drain(&mut self, max: usize) -> Batch {
        let mut batch = Batch::default();
        // Control before state: what a source said before it sent state must
        // be known before that state is read, not the other way round.
        while let Ok(control) = self.control.try_recv() {
            batch.control.push(control);
        }
        let mut lanes = self.shared.lanes();
        while batch.changes.len() < max {
            let Some(id) = lanes.order.pop_front() else { break };
            batch.changes.extend(lanes.state.remove(&id));
        }
        // Events speak of Pods and Deployments, so those are known first.
        let count = if lanes.state.is_empty() { lanes.log.len().min(max) } else { 0 };
        for said in lanes.log.drain(..count) {
            match said {
                Said::Event(event) => batch.events.push(event),
                Said::Thought(thought) => batch.thoughts.push(thought),
            }
        }
        batch.dropped = std::mem::take(&mut lanes.dropped);
        batch.more = !lanes.state.is_empty() || !lanes.log.is_empty();
        drop(lanes);
        if batch.more {
            self.shared.news.notify_one();
        }
        if !batch.changes.is_empty() {
            self.shared.room.notify_waiters();
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::decode;

    fn change(name: &str, version: u32, initial: bool) -> Change {
        let json = format!(
            r#"{{"metadata":{{"namespace":"n","name":"{name}","uid":"u","resourceVersion":"{version}"}},"spec":{{"genus":"B"}}}}"#
        );
        let decoded = decode(Kind::Agent, &json).unwrap();
        Change {
            kind: Kind::Agent,
            key: decoded.key.clone(),
            now: Some(decoded),
            novelty: if initial { Novelty::Initial } else { Novelty::News },
        }
    }

    fn gone(name: &str) -> Change {
        Change { kind: Kind::Agent, key: Key::new("n", name), now: None, novelty: Novelty::News }
    }

    fn versions(batch: &Batch) -> Vec<(String, Option<String>)> {
        batch
            .changes
            .iter()
            .map(|c| (c.key.name().to_owned(), c.now.as_ref().map(|d| d.resource_version.clone())))
            .collect()
    }

    #[tokio::test]
    async fn the_latest_wins_and_a_deletion_is_never_lost() {
        let (bus, mut reader) = new();
        bus.state(change("a", 1, true)).await;
        bus.state(change("b", 1, true)).await;
        bus.state(change("a", 2, false)).await;
        bus.state(gone("b")).await;
        let batch = reader.drain(10);
        assert_eq!(versions(&batch), [("a".into(), Some("2".into())), ("b".into(), None)]);
        assert_eq!(batch.changes[0].novelty, Novelty::Initial, "nobody saw it yet, so it is not born now");
        assert!(!batch.more);
    }

    #[tokio::test]
    async fn a_full_state_lane_makes_the_sender_wait_and_loses_nothing() {
        let (bus, mut reader) = new();
        for i in 0..MAX_STATE {
            bus.state(change(&format!("a{i}"), 1, true)).await;
        }
        bus.state(change("a0", 2, true)).await;
        let sender = tokio::spawn({
            let bus = bus.clone();
            async move { bus.state(gone("late")).await }
        });
        tokio::task::yield_now().await;
        assert!(!sender.is_finished());
        assert_eq!(reader.drain(10).changes.len(), 10);
        sender.await.unwrap();
        let mut rest = Vec::new();
        loop {
            let batch = reader.drain(2_048);
            rest.extend(versions(&batch));
            if !batch.more {
                break;
            }
        }
        assert_eq!(rest.len(), MAX_STATE - 10 + 1);
        assert_eq!(rest.last(), Some(&("late".into(), None)));
    }

    #[tokio::test]
    async fn the_log_lane_drops_the_oldest_and_counts() {
        let (bus, mut reader) = new();
        let event = |i: usize| {
            let json = format!(r#"{{"metadata":{{"namespace":"n","name":"e{i}"}},"message":"{i}"}}"#);
            match decode(Kind::Event, &json).unwrap().object {
                crate::Object::Event(event) => event,
                other => panic!("{other:?}"),
            }
        };
        for i in 0..MAX_LOG + 5 {
            bus.log(&event(i));
        }
        let batch = reader.drain(3);
        assert_eq!((batch.events[0].message.as_str(), batch.dropped, batch.more), ("5", 5, true));
        reader.changed().await;
        assert_eq!(reader.drain(usize::MAX).dropped, 0);
    }

    #[tokio::test]
    async fn control_is_bounded_and_a_missing_reader_is_no_error() {
        let (bus, reader) = new();
        drop(reader);
        for _ in 0..MAX_CONTROL * 2 {
            bus.control(Control::Scene(Scene::default())).await;
        }
    }

    #[tokio::test]
    async fn every_reader_hears_everything_and_one_that_is_gone_holds_up_nobody() {
        let (bus, mut first) = new();
        let (bus, second) = bus.tapped();
        bus.state(change("a", 1, true)).await;
        drop(second);
        for i in 0..=MAX_STATE / 100 {
            bus.state(change(&format!("b{i}"), 1, true)).await;
        }
        assert_eq!(first.drain(usize::MAX).changes.len(), 2 + MAX_STATE / 100);
        assert!(bus.outs[1].0.lanes().state.is_empty(), "nothing is kept for it");
    }
}
