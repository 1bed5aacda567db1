//! A daemon to ask, things to tell it, and a client that keeps what it hears.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use kgents_store::bus::{self, Bus, Change, Control, Novelty, Rung};
use kgents_store::object::decode;
use kgents_store::watch::{Layer, Link, Scene, Watch, WatchState};
use kgents_store::{Key, Kind, Object};
use kgents_wire::cortex as wire;
use kgents_wire::cortex::cortex_client::CortexClient;
use kgents_wire::cortex::watch_event::Event as Told;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Status, Streaming};

use crate::server::serve_within;
use crate::state::Limits;
use crate::{Bound, CortexError, Options};

/// Everything that should happen at once has this long; only a hung test needs
/// it.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), what).await.expect("this should have happened by now")
}

pub(crate) struct Daemon {
    pub(crate) bus: Bus,
    pub(crate) bound: Bound,
    pub(crate) cancel: CancellationToken,
    pub(crate) task: JoinHandle<Result<(), CortexError>>,
    pub(crate) dir: TempDir,
}

pub(crate) fn options(dir: &Path, token: Option<&str>) -> Options {
    Options {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        socket: Some(dir.join("run/cortex.sock")),
        token: token.map(str::to_owned),
        version: "0.0.0-test",
        patience: Duration::ZERO,
    }
}

impl Daemon {
    pub(crate) async fn start() -> Self {
        Self::with(Limits::default(), None).await
    }

    pub(crate) async fn with(limits: Limits, token: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = options(dir.path(), token);
        Self::on(dir, limits, options).await.unwrap()
    }

    pub(crate) async fn on(dir: TempDir, limits: Limits, options: Options) -> Result<Self, CortexError> {
        let (bus, reader) = bus::new();
        let cancel = CancellationToken::new();
        let (sender, receiver) = oneshot::channel();
        let ready = |bound: &Bound| sender.send(bound.clone()).unwrap();
        let task = tokio::spawn(serve_within(limits, reader, options, ready, cancel.clone()));
        match soon(receiver).await {
            Ok(bound) => Ok(Self { bus, bound, cancel, task, dir }),
            Err(_) => Err(soon(task).await.unwrap().unwrap_err()),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.bound.socket.clone().unwrap()
    }

    pub(crate) async fn channel(&self) -> Channel {
        // The smallest window there is, so that one who does not read is felt.
        let path = self.path();
        let connect = tower::service_fn(move |_| {
            let path = path.clone();
            async move { UnixStream::connect(path).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://cortex").initial_stream_window_size(65_535);
        soon(endpoint.initial_connection_window_size(65_535).connect_with_connector(connect)).await.unwrap()
    }

    pub(crate) async fn tcp(&self) -> Channel {
        let address = format!("http://{}", self.bound.tcp[0]);
        soon(Endpoint::from_shared(address).unwrap().connect()).await.unwrap()
    }

    pub(crate) async fn cortex(&self) -> CortexClient<Channel> {
        CortexClient::new(self.channel().await)
    }

    pub(crate) async fn describe(&self) -> wire::DescribeResponse {
        soon(self.cortex().await.describe(wire::DescribeRequest {})).await.unwrap().into_inner()
    }

    /// Sends changes, and waits until the last of them is known.
    pub(crate) async fn tell(&self, changes: impl IntoIterator<Item = Change>) {
        let mut client = self.cortex().await;
        let request = wire::WatchRequest { namespace: "marker".to_owned(), ..wire::WatchRequest::default() };
        let mut marks = Client::watch(&mut client, request).await;
        marks.synced().await;
        for change in changes {
            self.bus.state(change).await;
        }
        let mark = Key::new("marker", "mark");
        for change in [initial(object(Kind::Umwelt, &mark, 1, &umwelt())), gone_at(Kind::Umwelt, mark)] {
            self.bus.state(change).await;
            while !matches!(marks.next().await.event, Some(Told::Put(_) | Told::Gone(_))) {}
        }
    }

    /// Says that the API server answers and that every kind is followed.
    pub(crate) async fn live(&self) {
        self.scene("test").await;
        self.bus.control(Control::Speaks(Some(Layer::Kube))).await;
        self.link(Link::Up { version: "v1.34".to_owned() }).await;
        for kind in Kind::ALL {
            self.watch(kind, WatchState::Live).await;
        }
        self.tell([]).await;
    }

    pub(crate) async fn scene(&self, context: &str) {
        let (context, server) = (context.to_owned(), "https://there".to_owned());
        self.bus.control(Control::Scene(Scene { context, server, namespace: None })).await;
    }

    pub(crate) async fn link(&self, link: Link) {
        let rung = Rung { address: String::new(), link, notes: Vec::new() };
        self.bus.control(Control::Rung(Layer::Kube, rung)).await;
    }

    pub(crate) async fn watch(&self, kind: Kind, state: WatchState) {
        self.bus.control(Control::Watch(kind, Watch { state, as_of: None, refused: Vec::new() })).await;
    }

    /// Says what an Event would say about an agent.
    pub(crate) fn event(&self, name: &str, second: i64, message: &str) {
        let about = json!({ "kind": "Agent", "namespace": "n", "name": name });
        let rest = json!({ "involvedObject": about, "message": message, "lastTimestamp": at(second).to_string() });
        let change = object(Kind::Event, &Key::new("n", "e"), 1, &rest);
        let Some(Object::Event(event)) = change.now.map(|now| now.object) else { panic!() };
        self.bus.log(&event);
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(crate) fn object(kind: Kind, key: &Key, version: u32, rest: &Value) -> Change {
    let mut json = json!({
        "apiVersion": "kgents.io/v1", "kind": kind.as_str(),
        "metadata": { "namespace": key.namespace(), "name": key.name(), "uid": "u", "resourceVersion": version.to_string() },
    });
    for (field, value) in rest.as_object().unwrap() {
        json[field] = value.clone();
    }
    let now = decode(kind, &json.to_string()).unwrap();
    Change { kind, key: now.key.clone(), now: Some(now), novelty: Novelty::News }
}

pub(crate) fn agent(name: &str, version: u32, phase: &str) -> Change {
    object(
        Kind::Agent,
        &Key::new("n", name),
        version,
        &json!({ "spec": { "genus": "B" }, "status": { "phase": phase } }),
    )
}

pub(crate) fn pod(name: &str, version: u32, phase: &str) -> Change {
    object(Kind::Pod, &Key::new("n", name), version, &json!({ "status": { "phase": phase } }))
}

pub(crate) fn umwelt() -> Value {
    json!({ "spec": { "agent": "a" } })
}

/// A change without a thought about it.
pub(crate) fn initial(change: Change) -> Change {
    Change { novelty: Novelty::Initial, ..change }
}

pub(crate) fn gone_at(kind: Kind, key: Key) -> Change {
    Change { kind, key, now: None, novelty: Novelty::Told }
}

pub(crate) fn gone(kind: Kind, name: &str) -> Change {
    gone_at(kind, Key::new("n", name))
}

/// A stream, and what it told.
pub(crate) struct Client {
    stream: Streaming<wire::WatchEvent>,
    pub(crate) revision: u64,
    pub(crate) begin: wire::Begin,
    /// Versions by `Kind namespace/name`.
    pub(crate) objects: BTreeMap<String, String>,
    pub(crate) thoughts: Vec<wire::Thought>,
    pub(crate) heard: Vec<wire::Heard>,
    /// How many objects came or went.
    pub(crate) changes: usize,
}

impl Client {
    pub(crate) async fn watch(client: &mut CortexClient<Channel>, request: wire::WatchRequest) -> Self {
        Self::try_watch(client, request).await.unwrap()
    }

    pub(crate) async fn try_watch(
        client: &mut CortexClient<Channel>,
        request: wire::WatchRequest,
    ) -> Result<Self, Status> {
        let stream = soon(client.watch(request)).await?.into_inner();
        Ok(Self {
            stream,
            revision: 0,
            begin: wire::Begin::default(),
            objects: BTreeMap::new(),
            thoughts: Vec::new(),
            heard: Vec::new(),
            changes: 0,
        })
    }

    /// What comes next, once it has been taken in; `None` at the end.
    pub(crate) async fn maybe(&mut self) -> Result<Option<wire::WatchEvent>, Status> {
        let Some(event) = soon(self.stream.message()).await? else { return Ok(None) };
        assert!(event.revision >= self.revision, "{} after {}", event.revision, self.revision);
        self.revision = event.revision;
        match event.event.clone().unwrap() {
            Told::Begin(begin) => {
                if begin.snapshot {
                    self.objects.clear();
                    self.thoughts.clear();
                }
                self.begin = begin;
            }
            Told::Put(put) => {
                self.changes += 1;
                self.objects.insert(format!("{} {}/{}", put.kind, put.namespace, put.name), put.resource_version);
            }
            Told::Gone(gone) => {
                self.changes += 1;
                self.objects.remove(&format!("{} {}/{}", gone.kind, gone.namespace, gone.name));
            }
            Told::Thought(thought) => self.thoughts.push(thought),
            Told::Heard(heard) => self.heard.push(heard),
            Told::Synced(_) => {}
        }
        Ok(Some(event))
    }

    pub(crate) async fn next(&mut self) -> wire::WatchEvent {
        self.maybe().await.unwrap().expect("the stream goes on")
    }

    /// Reads until everything was told.
    pub(crate) async fn synced(&mut self) {
        while !matches!(self.next().await.event, Some(Told::Synced(_))) {}
    }

    /// Reads until something holds.
    pub(crate) async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        while !holds(self) {
            self.next().await;
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.objects.keys().map(String::as_str).collect()
    }
}
