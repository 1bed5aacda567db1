//! The task that writes Events.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kgents_api::OPERATOR;
use kube::Api;
use kube::api::{Patch as Body, PatchParams, PostParams};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::book::{Book, Patch, Verdict};
use super::{About, Said};
use crate::lease::{Clock, Leadership, clock};
use crate::metrics::Metrics;

const EVENTS: &str = "events";
/// Lengths in bytes that the API server allows.
const LONGEST_NOTE: usize = 1024;
const LONGEST_WORD: usize = 128;
/// How often one is tried that nobody took, and how long is waited before the
/// second time; before each later one twice as long.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
/// Where Events about objects of no namespace stand.
const NO_NAMESPACE: &str = "default";

pub(super) struct Scribe {
    client: kube::Client,
    metrics: Arc<Metrics>,
    limit: Duration,
    leadership: Leadership,
    clock: Arc<dyn Clock>,
    instance: String,
    book: Book,
}

/// What became of a request.
#[derive(Debug, PartialEq)]
enum Sent {
    Done,
    /// What was to be changed is not there any more.
    Gone,
    Failed,
}

impl Scribe {
    pub(super) fn new(client: kube::Client, metrics: Arc<Metrics>, limit: Duration, leadership: Leadership) -> Self {
        // In a pod, its name.
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let instance = if host.is_empty() { OPERATOR.to_owned() } else { cut(&host, LONGEST_WORD).to_owned() };
        Self { client, metrics, limit, leadership, clock: Arc::new(clock::System), instance, book: Book::default() }
    }

    pub(super) async fn run(mut self, mut reader: mpsc::Receiver<Said>, cancel: CancellationToken) {
        loop {
            let now = self.clock.boot();
            let pause = self.book.next().map(|due| due.saturating_sub(now));
            tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                said = reader.recv() => match said {
                    Some(said) => self.say(said, &cancel).await,
                    None => break,
                },
                () = tokio::time::sleep(pause.unwrap_or_default()), if pause.is_some() => {
                    for patch in self.book.due(self.clock.boot(), false) {
                        self.series(patch, &cancel).await;
                    }
                }
            }
        }
        reader.close();
        let limit = self.limit;
        let rest = async {
            while let Some(said) = reader.recv().await {
                self.say(said, &cancel).await;
            }
            for patch in self.book.due(self.clock.boot(), true) {
                self.series(patch, &cancel).await;
            }
        };
        let in_time = tokio::time::timeout(limit, rest).await.is_ok();
        if !in_time {
            tracing::warn!("not every event was written before the end");
        }
    }

    async fn say(&mut self, said: Said, cancel: &CancellationToken) {
        let at = self.clock.wall();
        match self.book.say(&said, self.clock.boot(), at) {
            Verdict::Counted => {}
            Verdict::TooMany => self.dropped(&said.about, "there were too many about this object"),
            Verdict::Create { key, name } => {
                let event = event(&said, name, &self.instance, at);
                let api: Api<Event> = Api::namespaced(self.client.clone(), namespace(&said.about.namespace));
                let params = PostParams::default();
                if self.send(&said.about, "create", cancel, || api.create(&params, &event)).await != Sent::Done {
                    self.book.drop(&key);
                }
            }
        }
    }

    async fn series(&mut self, patch: Patch, cancel: &CancellationToken) {
        let Patch { key, namespace: place, name, count, last } = patch;
        let body = Body::Merge(json!({ "series": { "count": count, "lastObservedTime": MicroTime(last) } }));
        let about = About {
            api_version: String::new(),
            kind: "Event".to_owned(),
            namespace: place.clone(),
            name: name.clone(),
            uid: String::new(),
        };
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace(&place));
        let params = PatchParams::default();
        if self.send(&about, "patch", cancel, || api.patch(&name, &params, &body)).await != Sent::Done {
            // Said once more, it is made anew.
            self.book.drop(&key);
        }
    }

    /// Sends, a few times if nobody takes it, and counts what was not taken.
    async fn send<F: Future<Output = kube::Result<Event>>>(
        &self,
        about: &About,
        verb: &'static str,
        cancel: &CancellationToken,
        request: impl Fn() -> F,
    ) -> Sent {
        let mut pause = PAUSE;
        for tried in 1..=TRIES {
            if !self.leadership.may_write(self.limit) {
                self.dropped(about, "this replica does not lead");
                return Sent::Failed;
            }
            let started = self.clock.boot();
            let sent = tokio::time::timeout(self.limit, request()).await;
            let took = self.clock.boot().saturating_sub(started);
            let (code, problem) = match sent {
                Ok(Ok(_)) => (if verb == "create" { 201 } else { 200 }, String::new()),
                Ok(Err(kube::Error::Api(status))) => (status.code, status.message),
                Ok(Err(error)) => (0, error.to_string()),
                Err(_) => (0, "the API server does not answer in time".to_owned()),
            };
            self.metrics.called(verb, EVENTS, "event", code, took);
            match code {
                200 | 201 => return Sent::Done,
                // The answer to the first try was lost: no other gives this name.
                409 if verb == "create" && tried > 1 => return Sent::Done,
                404 if verb == "patch" => return Sent::Gone,
                0 | 429 | 500.. if tried < TRIES && !cancel.is_cancelled() => {
                    tokio::select! {
                        () = cancel.cancelled() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause *= 2;
                }
                _ => {
                    self.dropped(about, &problem);
                    return Sent::Failed;
                }
            }
        }
        Sent::Failed
    }

    fn dropped(&self, about: &About, why: &str) {
        self.metrics.event_dropped();
        let About { kind, namespace, name, .. } = about;
        tracing::warn!(%kind, %namespace, %name, "an event is not written: {why}");
    }
}

/// The Event as it is made.
pub(super) fn event(said: &Said, name: String, instance: &str, at: Timestamp) -> Event {
    let Said { about: About { api_version, kind, namespace: place, name: object, uid }, event } = said;
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Event {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(namespace(place).to_owned()),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(at)),
        type_: Some(if event.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(cut(event.reason, LONGEST_WORD).to_owned()),
        action: Some(cut(event.action, LONGEST_WORD).to_owned()),
        note: Some(cut(&event.message, LONGEST_NOTE).to_owned()),
        regarding: Some(ObjectReference {
            api_version: text(api_version),
            kind: text(kind),
            namespace: text(place),
            name: text(object),
            uid: text(uid),
            ..ObjectReference::default()
        }),
        reporting_controller: Some(OPERATOR.to_owned()),
        reporting_instance: Some(instance.to_owned()),
        ..Event::default()
    }
}

fn namespace(of_object: &str) -> &str {
    if of_object.is_empty() { NO_NAMESPACE } else { of_object }
}

/// As many bytes of a text as may stand there, ending between two characters.
pub(super) fn cut(text: &str, longest: usize) -> &str {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}
