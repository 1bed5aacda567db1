//! `StreamObserve`: each thought from now on, as an event.
//!
//! How significant an event is follows from its severity: info 0.25, warn 0.6,
//! asks 0.75 (a person is waited for), error 1. A reader that falls behind the
//! log is sent an event of the type `lost` that says how many thoughts it
//! missed; it passes every filter and has the significance 1.

use std::sync::Arc;

use futures::{Stream, stream};
use kgents_store::Thought;
use kgents_store::thought::{Origin, Severity};
use kgents_wire::logos as wire;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tonic::Status;

use crate::log::Event;
use crate::state::Shared;
use crate::{clock, convert, nearest};

/// The types of events that can be asked for.
const TYPES: [&str; 4] = ["thought", "birth", "death", "phase"];
/// The type of an event that tells of events that were missed.
const LOST: &str = "lost";
/// How much is looked at in one go, so that nobody waits long for the state.
const LOOK: usize = 1_024;

/// What a caller wants to see.
pub(super) struct Wants {
    types: Vec<String>,
    significance: f32,
    focus: Option<Focus>,
}

struct Focus {
    namespace: Option<String>,
    name: String,
}

impl Wants {
    pub(super) fn of(request: wire::ObserveRequest) -> Result<Self, Status> {
        if let Some(word) = request.event_types.iter().find(|word| !TYPES.contains(&word.as_str())) {
            return Err(nearest::unknown("event type", word, &TYPES));
        }
        let significance = request.min_significance;
        if !(0.0..=1.0).contains(&significance) {
            return Err(Status::invalid_argument(format!("min_significance is {significance}: it goes from 0 to 1")));
        }
        let focus = Some(request.focus_path).filter(|path| !path.is_empty());
        Ok(Self { types: request.event_types, significance, focus: focus.as_deref().map(Focus::of).transpose()? })
    }

    fn covers(&self, thought: &Thought) -> bool {
        (self.types.is_empty() || self.types.iter().any(|wanted| wanted == event_type(thought.origin)))
            && significance(thought.severity) >= self.significance
            && self.focus.as_ref().is_none_or(|focus| focus.covers(thought))
    }
}

impl Focus {
    fn of(path: &str) -> Result<Self, Status> {
        let (namespace, name) = path.split_once('/').map_or((None, path), |(namespace, name)| (Some(namespace), name));
        if name.is_empty() || name.contains('/') || namespace.is_some_and(str::is_empty) {
            return Err(Status::invalid_argument("focus_path is NAME or NAMESPACE/NAME"));
        }
        Ok(Self { namespace: namespace.map(str::to_owned), name: name.to_owned() })
    }

    /// A thought is about its object, about who speaks (the agent that emits a
    /// pheromone), and about the pod through which it is about an agent.
    fn covers(&self, thought: &Thought) -> bool {
        let named = thought.key.name() == self.name
            || *thought.who == *self.name
            || thought.about.as_ref().is_some_and(|about| about.name() == self.name);
        named && self.namespace.as_deref().is_none_or(|namespace| namespace == thought.key.namespace())
    }
}

const fn event_type(origin: Origin) -> &'static str {
    match origin {
        Origin::Birth => "birth",
        Origin::Death => "death",
        Origin::Phase | Origin::Health => "phase",
        Origin::Event | Origin::Condition | Origin::Proposal => "thought",
    }
}

const fn significance(severity: Severity) -> f32 {
    match severity {
        Severity::Info => 0.25,
        Severity::Warn => 0.6,
        Severity::Asks => 0.75,
        Severity::Error => 1.0,
    }
}

/// One line that names the object, and who speaks where that is another.
fn content(thought: &Thought) -> String {
    let text = thought.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (key, who) = (&thought.key, &thought.who);
    if **who == *key.name() { format!("{key}: {text}") } else { format!("{key}: {who} {text}") }
}

fn written(thought: &Thought) -> wire::ObserveEvent {
    wire::ObserveEvent {
        event_type: event_type(thought.origin).to_owned(),
        content: content(thought),
        timestamp: Some(convert::stamp(thought.at)),
        source: thought.key.to_string(),
        significance: significance(thought.severity),
    }
}

fn lost(count: u64) -> wire::ObserveEvent {
    let (what, were) = if count == 1 { ("thought", "was") } else { ("thoughts", "were") };
    wire::ObserveEvent {
        event_type: LOST.to_owned(),
        content: format!("{count} {what} {were} lost: this stream was read too slowly"),
        timestamp: Some(convert::stamp(clock::now())),
        source: String::new(),
        significance: 1.0,
    }
}

/// Opens a stream that tells what happens from now on.
pub(super) fn open(
    shared: Arc<Shared>,
    wants: Wants,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<wire::ObserveEvent, Status>> + Send {
    let state = shared.state();
    let (revision, seq) = (state.log().revision(), state.terrarium().thoughts().heard());
    drop(state);
    let reader = Reader { news: shared.news(), shared, wants, revision, seq, _place: place };
    stream::unfold(reader, |mut reader| async move { reader.next().await.map(|event| (Ok(event), reader)) })
}

struct Reader {
    shared: Arc<Shared>,
    wants: Wants,
    /// The revision up to which the log was read.
    revision: u64,
    /// The last thought that was read.
    seq: u64,
    news: watch::Receiver<()>,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    async fn next(&mut self) -> Option<wire::ObserveEvent> {
        loop {
            if self.shared.cancel.is_cancelled() {
                return None;
            }
            self.news.borrow_and_update();
            let before = self.revision;
            if let Some(event) = self.look() {
                return Some(event);
            }
            if self.revision > before {
                continue;
            }
            tokio::select! {
                biased;
                () = self.shared.cancel.cancelled() => return None,
                news = self.news.changed() => news.ok()?,
            }
        }
    }

    /// The next event in the log that is wanted, if it is within reach.
    fn look(&mut self) -> Option<wire::ObserveEvent> {
        let shared = self.shared.clone();
        let state = shared.state();
        let reach = state.log().reach();
        if self.revision < reach {
            self.revision = reach;
            let next = state.log().after(reach).into_iter().flatten().find_map(|(_, event)| match event {
                Event::Thought(thought) => Some(thought.seq),
                _ => None,
            });
            let next = next.unwrap_or_else(|| state.terrarium().thoughts().heard() + 1);
            let missed = next.saturating_sub(self.seq + 1);
            self.seq = next - 1;
            if missed > 0 {
                return Some(lost(missed));
            }
        }
        for (revision, event) in state.log().after(self.revision)?.take(LOOK) {
            self.revision = revision;
            let Event::Thought(thought) = event else { continue };
            self.seq = thought.seq;
            if self.wants.covers(thought) {
                return Some(written(thought));
            }
        }
        None
    }
}
