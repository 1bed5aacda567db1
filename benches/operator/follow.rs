//! What happens to objects, with when it was seen: by watches of the bench's
//! own.

use std::time::Instant;

use futures::TryStreamExt;
use jiff::Timestamp;
use kube::Client;
use kube::core::params::{ListParams, WatchParams};
use kube::core::{Request, WatchEvent};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::timeout_at;

use crate::Bench;
use crate::field::Field;

/// Group and resource, as in a path.
pub const AGENTS: &str = "apis/kgents.io/v1 agents";
pub const PHEROMONES: &str = "apis/kgents.io/v1 pheromones";
pub const DEPLOYMENTS: &str = "apis/apps/v1 deployments";

/// Something that happened.
pub struct Seen {
    pub at: Instant,
    /// The same moment by the clock on the wall.
    pub wall: Timestamp,
    /// Of which of the resources that are followed.
    pub of: &'static str,
    pub gone: bool,
    pub thing: Thing,
}

/// What the bench must know of an object.
#[derive(Clone, Deserialize)]
pub struct Thing {
    pub metadata: Meta,
    #[serde(default)]
    pub status: Status,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    pub name: String,
    pub resource_version: String,
    #[serde(default)]
    pub generation: i64,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Status {
    phase: Option<String>,
    ready_replicas: i64,
    observed_generation: i64,
}

impl Thing {
    /// The number in the name of an agent or of its Deployment.
    pub fn number(&self) -> usize {
        let name = &self.metadata.name;
        let number = name.rsplit('-').next().and_then(|digits| digits.parse().ok());
        number.unwrap_or_else(|| panic!("{name} has no number"))
    }

    /// Whether an agent runs.
    pub fn runs(&self) -> bool {
        self.status.phase.as_deref() == Some("Running")
    }

    /// Whether a Deployment is ready as it was written last.
    pub fn is_ready(&self) -> bool {
        self.status.ready_replicas > 0 && self.status.observed_generation >= self.metadata.generation
    }
}

/// Follows resources of a field from the moment at which it is made.
pub struct Follower<'a> {
    bench: &'a Bench,
    seen: Receiver<Seen>,
    _watches: JoinSet<()>,
}

/// How much may wait to be looked at; a watch waits when it is full.
const BOUND: usize = 4_096;

impl<'a> Follower<'a> {
    pub fn start(bench: &'a Bench, field: &Field, resources: &[&'static str]) -> Self {
        let (sender, seen) = channel(BOUND);
        let mut watches = JoinSet::new();
        for &of in resources {
            let (root, plural) = of.split_once(' ').expect("a root and a resource");
            let path = format!("/{root}/namespaces/{}/{plural}", field.garden.namespace);
            let from = bench.runtime.block_on(version(&field.client, &path));
            let (client, sender) = (field.client.clone(), sender.clone());
            watches.spawn_on(follow(client, path, from, of, sender), bench.runtime.handle());
        }
        Self { bench, seen, _watches: watches }
    }

    /// What happens next.
    ///
    /// # Errors
    /// When nothing does until `end`.
    pub fn next(&mut self, end: Instant) -> Result<Seen, String> {
        let next = self.bench.runtime.block_on(async { timeout_at(end.into(), self.seen.recv()).await });
        next.map_err(|_| "that took too long".to_owned())?.ok_or_else(|| "the watch has ended".to_owned())
    }
}

async fn version(client: &Client, path: &str) -> String {
    let request = Request::new(path).list(&ListParams::default().limit(1)).unwrap();
    let list: Value = client.request(request).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

/// Watches again and again from where the watch before ended.
async fn follow(client: Client, path: String, mut from: String, of: &'static str, seen: Sender<Seen>) {
    loop {
        let request = Request::new(&path).watch(&WatchParams::default().disable_bookmarks(), &from).unwrap();
        let events = client.request_events::<Thing>(request).await.unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut events = std::pin::pin!(events);
        // An end and an error are the same here: what was missed comes with the next watch.
        while let Ok(Some(event)) = events.try_next().await {
            let (at, wall) = (Instant::now(), Timestamp::now());
            let (gone, thing) = match event {
                WatchEvent::Added(thing) | WatchEvent::Modified(thing) => (false, thing),
                WatchEvent::Deleted(thing) => (true, thing),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(status) => panic!("{path}: {status:?}"),
            };
            from.clone_from(&thing.metadata.resource_version);
            if seen.send(Seen { at, wall, of, gone, thing }).await.is_err() {
                return;
            }
        }
    }
}
