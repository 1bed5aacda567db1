//! A Cortex that does what it is told, well or badly, and what we make of it.

use std::net::SocketAddr;
use std::pin::Pin;

use futures::stream;
use kgents_store::bus::{self, Batch, Reader};
use kgents_store::watch::WatchState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use wire::cortex_server::{Cortex as Service, CortexServer};
use wire::watch_event::Event as Wire;

use super::*;
use crate::kube::testing::{raw, until};

type Events = Pin<Box<dyn futures::Stream<Item = Said> + Send>>;

/// What a fake says on its stream.
type Script = fn() -> Events;

struct Fake {
    version: &'static str,
    context: &'static str,
    script: Script,
}

#[tonic::async_trait]
impl Service for Fake {
    type WatchStream = Events;

    async fn describe(&self, _: Request<wire::DescribeRequest>) -> Result<Response<wire::DescribeResponse>, Status> {
        Ok(Response::new(wire::DescribeResponse {
            version: self.version.into(),
            instance_id: "i".into(),
            context: self.context.into(),
            link: Some(up()),
            ..Default::default()
        }))
    }

    async fn watch(&self, _: Request<wire::WatchRequest>) -> Result<Response<Events>, Status> {
        Ok(Response::new((self.script)()))
    }
}

fn up() -> wire::Link {
    wire::Link { state: "up".into(), version: "v1.36.3".into(), ..Default::default() }
}

type Said = Result<wire::WatchEvent, Status>;

#[allow(clippy::unnecessary_wraps, reason = "a stream is made of results")]
fn event(event: Wire) -> Said {
    Ok(wire::WatchEvent { revision: 1, event: Some(event) })
}

fn begin() -> Said {
    event(Wire::Begin(wire::Begin { instance_id: "i".into(), snapshot: true, ..Default::default() }))
}

fn put(kind: Kind, name: &str, version: u32) -> Said {
    event(Wire::Put(wire::Object {
        kind: kind.as_str().into(),
        namespace: "n".into(),
        name: name.into(),
        uid: format!("n-{name}"),
        resource_version: version.to_string(),
        json: raw(kind, "n", name, version).to_string(),
    }))
}

/// That all of it was said, and is heard well.
fn synced() -> [Said; 2] {
    let live = |kind: Kind| wire::KindState { kind: kind.as_str().into(), state: "live".into(), ..Default::default() };
    let heard = wire::Heard { link: Some(up()), kinds: Kind::ALL.map(live).to_vec(), now: None };
    [event(Wire::Synced(wire::Synced {})), event(Wire::Heard(heard))]
}

/// A stream that says this and then goes on without a word.
fn then_silence(events: Vec<Said>) -> Events {
    use futures::StreamExt;
    Box::pin(stream::iter(events).chain(stream::pending()))
}

async fn serve(fake: Fake) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = stream::unfold(listener, |listener| async move {
        let stream = listener.accept().await.map(|(stream, _)| stream);
        Some((stream, listener))
    });
    let server = tonic::transport::Server::builder().add_service(CortexServer::new(fake));
    tokio::spawn(server.serve_with_incoming(incoming));
    address
}

fn fake(script: Script) -> Fake {
    Fake { version: env!("CARGO_PKG_VERSION"), context: "", script }
}

/// Somebody who asks only the Cortex.
struct Watcher {
    reader: Reader,
    heard: Batch,
    cancel: CancellationToken,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Watcher {
    fn new(address: SocketAddr) -> Self {
        let (bus, reader) = bus::new();
        let cancel = CancellationToken::new();
        let options = Options {
            kubeconfig: Some("/nowhere".into()),
            cortex: Some(address.to_string().parse().unwrap()),
            layer: Some(Layer::Grpc),
            ..Options::default()
        };
        tokio::spawn(crate::watch(options, bus, cancel.clone()));
        Self { reader, heard: Batch::default(), cancel }
    }

    async fn until<T>(&mut self, what: &str, mut holds: impl FnMut(&Batch) -> Option<T>) -> T {
        until(what, || {
            let batch = self.reader.drain(usize::MAX);
            self.heard.changes.extend(batch.changes);
            self.heard.thoughts.extend(batch.thoughts);
            self.heard.control.extend(batch.control);
            holds(&self.heard)
        })
        .await
    }

    /// Why the Cortex is of no use.
    async fn trouble(&mut self) -> String {
        self.until("trouble", |heard| {
            heard.control.iter().find_map(|control| match control {
                Control::Rung(Layer::Grpc, rung) => match &rung.link {
                    Link::Down { error, .. } => Some(error.clone()),
                    _ => None,
                },
                _ => None,
            })
        })
        .await
    }

    async fn speaks(&mut self) {
        let speaks = |control: &Control| matches!(control, Control::Speaks(Some(Layer::Grpc)));
        self.until("it to speak", |heard| heard.control.iter().any(speaks).then_some(())).await;
    }
}

fn names(heard: &Batch) -> Vec<String> {
    let mut names: Vec<_> = heard.changes.iter().map(|change| change.key.name().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_it_says_is_told_and_its_thoughts_are_not_had_twice() {
    let address = serve(fake(|| {
        let thought = wire::Thought {
            at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            who: "a".into(),
            kind: "Agent".into(),
            namespace: "n".into(),
            name: "a".into(),
            origin: "phase".into(),
            severity: "warn".into(),
            text: "phase \u{1b}[2JFailed".into(),
            ..Default::default()
        };
        let mut events = vec![begin(), put(Kind::Agent, "a", 1), event(Wire::Thought(thought))];
        events.extend(synced());
        events.push(put(Kind::Agent, "b", 2));
        events.push(event(Wire::Gone(wire::Gone { kind: "Agent".into(), namespace: "n".into(), name: "a".into() })));
        then_silence(events)
    }))
    .await;
    let mut watcher = Watcher::new(address);
    watcher.speaks().await;
    let live = |control: &Control| matches!(control, Control::Watch(Kind::Agent, watch) if watch.state.is_live());
    watcher.until("agents to be live", |heard| heard.control.iter().any(live).then_some(())).await;
    // Whether a was ever told depends on how soon the Cortex could speak.
    let last = |heard: &Batch, name: &str| {
        heard.changes.iter().rev().find(|change| change.key.name() == name).map(|change| change.now.is_some())
    };
    watcher
        .until("b alone", |heard| (last(heard, "b") == Some(true) && last(heard, "a") != Some(true)).then_some(()))
        .await;
    let thoughts: Vec<_> = watcher.heard.thoughts.iter().map(|thought| (&*thought.text, thought.origin)).collect();
    assert_eq!(thoughts, [("phase ␛[2JFailed", kgents_store::thought::Origin::Phase)]);
    let news = watcher.heard.changes.iter().filter(|change| change.novelty == Novelty::News).count();
    assert_eq!(news, 0, "what the Cortex has thought about is not thought about again");
}

#[tokio::test]
async fn another_version_and_strange_events_are_words_and_no_crash() {
    let address = serve(Fake {
        version: "9.9.9",
        context: "",
        script: || {
            let strange = wire::Object { kind: "Unicorn".into(), json: "{".into(), ..Default::default() };
            let torn = wire::Object { kind: "Agent".into(), json: "{\"metadata\":".into(), ..Default::default() };
            let mut events = vec![begin(), event(Wire::Put(strange)), event(Wire::Put(torn)), put(Kind::Agent, "a", 1)];
            events.push(Ok(wire::WatchEvent { revision: 1, event: None }));
            events.extend(synced());
            then_silence(events)
        },
    })
    .await;
    let mut watcher = Watcher::new(address);
    watcher.speaks().await;
    watcher.until("a", |heard| names(heard).contains(&"a".to_owned()).then_some(())).await;
    let noted = |control: &Control| match control {
        Control::Rung(Layer::Grpc, rung) => rung.notes.first().cloned(),
        _ => None,
    };
    let note = watcher.until("a note", |heard| heard.control.iter().find_map(noted)).await;
    assert_eq!(note, format!("the Cortex is kgents 9.9.9, this is {}", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn one_that_hangs_or_speaks_something_else_is_told_in_words() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    assert_eq!(Watcher::new(address).trouble().await, format!("the Cortex at {address} did not answer within 500ms"));

    for said in ["HTTP/1.1 400 Bad Request\r\n\r\n", "\0\u{1}\u{2}garbage\n", ""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 64]).await;
                let _ = stream.write_all(said.as_bytes()).await;
            }
        });
        let trouble = Watcher::new(address).trouble().await;
        assert!(trouble.starts_with(&format!("the Cortex at {address} does not speak gRPC: ")), "{said:?}: {trouble}");
    }

    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(Watcher::new(free).trouble().await, format!("no Cortex listens at {free}"));
}

#[tokio::test]
async fn one_that_closes_in_the_middle_leaves_what_it_said_with_its_age() {
    let address = serve(fake(|| {
        let mut events = vec![begin(), put(Kind::Agent, "a", 1)];
        events.extend(synced());
        events.push(put(Kind::Agent, "b", 2));
        Box::pin(stream::iter(events))
    }))
    .await;
    let mut watcher = Watcher::new(address);
    let failing = watcher
        .until("agents to fail", |heard| {
            heard.control.iter().find_map(|control| match control {
                Control::Watch(Kind::Agent, watch) if matches!(watch.state, WatchState::Failing { .. }) => {
                    Some(watch.clone())
                }
                _ => None,
            })
        })
        .await;
    assert!(failing.as_of.is_some(), "it says how old what it knows is");
    assert!(!watcher.heard.changes.iter().any(|change| change.now.is_none()), "nobody dies because nobody answers");
    // A stream that ends half-way through its snapshot is no state at all.
    let address = serve(fake(|| Box::pin(stream::iter([begin(), put(Kind::Agent, "half", 1)])))).await;
    let mut watcher = Watcher::new(address);
    assert!(watcher.trouble().await.ends_with("ended the stream"));
    assert!(watcher.heard.changes.is_empty());
}

#[tokio::test]
async fn one_that_looks_at_another_cluster_does_not_speak_for_this_one() {
    let address = serve(Fake { context: "elsewhere", ..fake(|| then_silence(Vec::new())) }).await;
    let options = Options { cortex: Some(address.to_string().parse().unwrap()), ..Options::default() };
    let scene = Scene { context: "here".into(), ..Scene::default() };
    let error = dial(&options, Some(&scene)).await.map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), format!("the Cortex at {address} looks at elsewhere, not at here"));
    assert!(dial(&options, None).await.is_ok(), "who has no context of their own takes what there is");
    let scene = Scene { context: "elsewhere".into(), server: "https://other".into(), namespace: None };
    assert!(
        dial(&options, Some(&scene)).await.is_ok(),
        "who named it means it, by whatever way they reach the cluster"
    );
}
