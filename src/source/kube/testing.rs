//! What tests of this room share: objects, certificates, and a server that
//! says what it is told to.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use kgents_store::Kind;
use kgents_store::object::{Decoded, decode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::options::Options;

/// A certificate for 127.0.0.1 that ended in 2020, signed by [`AUTHORITY`].
pub(crate) const EXPIRED: &str = include_str!("testing/expired.pem");
/// A certificate for 127.0.0.1 that is good until 2099, signed by [`AUTHORITY`].
pub(crate) const GOOD: &str = include_str!("testing/good.pem");
/// The key of both.
pub(crate) const KEY: &str = include_str!("testing/key.pem");
/// Who signed them.
pub(crate) const AUTHORITY: &str = include_str!("testing/authority.pem");
/// Who did not.
pub(crate) const OTHER_AUTHORITY: &str = include_str!("testing/other_authority.pem");

/// Installs the TLS provider, as main does in the binary.
pub(crate) fn provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The JSON of an object as an API server sends it.
pub(crate) fn raw(kind: Kind, namespace: &str, name: &str, version: u32) -> Value {
    let mut object = json!({
        "metadata": {
            "namespace": namespace, "name": name, "uid": format!("{namespace}-{name}"),
            "resourceVersion": version.to_string(),
            "managedFields": [{ "manager": "m", "operation": "Update" }],
        },
    });
    if kind == Kind::Agent {
        object["spec"] = json!({ "genus": "B" });
    }
    object
}

pub(crate) fn object(kind: Kind, namespace: &str, name: &str, version: u32) -> Decoded {
    decode(kind, &raw(kind, namespace, name, version).to_string()).unwrap()
}

/// An Event in `default` about something.
pub(crate) fn event(name: &str, version: u32, api: &str, kind: &str, namespace: &str, about: &str) -> Decoded {
    decode(Kind::Event, &raw_event(name, version, api, kind, namespace, about).to_string()).unwrap()
}

pub(crate) fn raw_event(name: &str, version: u32, api: &str, kind: &str, namespace: &str, about: &str) -> Value {
    let mut event = raw(Kind::Event, "default", name, version);
    event["involvedObject"] = json!({ "apiVersion": api, "kind": kind, "namespace": namespace, "name": about });
    event["lastTimestamp"] = json!("2026-01-01T00:00:00Z");
    event
}

/// A page of a list.
pub(crate) fn page(items: &[Value], version: u32, next: Option<&str>) -> String {
    json!({
        "kind": "List", "apiVersion": "v1",
        "metadata": { "resourceVersion": version.to_string(), "continue": next },
        "items": items,
    })
    .to_string()
}

/// A `Status` as an API server refuses with.
pub(crate) fn status(code: u16, reason: &str, message: &str) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "code": code, "reason": reason, "message": message,
    });
    Answer::Text(code, body.to_string())
}

/// One line of a watch.
pub(crate) fn line(type_: &str, object: &Value) -> String {
    format!("{}\n", json!({ "type": type_, "object": object }))
}

/// What a server answers to one request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status code and a body.
    Text(u16, String),
    /// A watch: these pieces, then silence until [`Server::cut`].
    Stream(Vec<String>),
    /// A watch: these pieces, then the end.
    Ended(Vec<String>),
    /// These bytes as they are, head and all, then the end of the connection.
    Raw(Vec<u8>),
    /// Nothing at all.
    Hang,
}

/// A server on a port of its own that answers each path with what was set for
/// it. Queries count as `?watch` or nothing, and `&continue=...`.
pub(crate) struct Server {
    /// Where it listens.
    pub port: u16,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    answers: Mutex<Vec<(String, VecDeque<Answer>)>>,
    heads: Mutex<Vec<String>>,
    cut: Notify,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_at(0).await
    }

    pub(crate) async fn start_at(port: u16) -> Self {
        provider();
        let state = Arc::new(State::default());
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(serve(listener, state.clone()));
        let server = Self { port, state, task };
        server.on("/version", Answer::Text(200, r#"{"gitVersion": "v1.2.3"}"#.into()));
        server
    }

    /// Sets the next answer for a path; the last one set stays.
    pub(crate) fn on(&self, path: &str, answer: Answer) -> &Self {
        let mut answers = self.state.answers.lock().unwrap();
        match answers.iter_mut().find(|(known, _)| known == path) {
            Some((_, queue)) => queue.push_back(answer),
            None => answers.push((path.to_owned(), [answer].into())),
        }
        self
    }

    /// Forgets what was set for a path, and sets this.
    pub(crate) fn now(&self, path: &str, answer: Answer) -> &Self {
        self.state.answers.lock().unwrap().retain(|(known, _)| known != path);
        self.on(path, answer)
    }

    /// Ends every open stream.
    pub(crate) fn cut(&self) {
        self.state.cut.notify_waiters();
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.heads.lock().unwrap().clone()
    }

    /// How many requests came for a path.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.heads().iter().filter(|head| short(head) == path).count()
    }

    /// A kubeconfig for this server.
    pub(crate) fn kubeconfig(&self) -> (tempfile::TempDir, Options) {
        kubeconfig(&format!("http://127.0.0.1:{}", self.port), None)
    }
}

/// A kubeconfig for a server, with the text of a certificate authority.
pub(crate) fn kubeconfig(server: &str, authority: Option<&str>) -> (tempfile::TempDir, Options) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    write_kubeconfig(&path, server, authority);
    (folder, Options { kubeconfig: Some(path), ..Options::default() })
}

pub(crate) fn write_kubeconfig(path: &PathBuf, server: &str, authority: Option<&str>) {
    let ca = authority.map(|pem| {
        let file = path.with_file_name("ca.pem");
        std::fs::write(&file, pem).unwrap();
        file
    });
    let config = json!({
        "current-context": "test",
        "contexts": [{ "name": "test", "context": { "cluster": "c", "user": "u" } }],
        "clusters": [{ "name": "c", "cluster": { "server": server, "certificate-authority": ca } }],
        "users": [{ "name": "u", "user": { "token": "t" } }],
    });
    std::fs::write(path, config.to_string()).unwrap();
}

/// The path of a request as answers are set for it.
fn short(head: &str) -> String {
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let watch = if query.contains("watch=true") { "?watch" } else { "" };
    let next = query.split('&').find(|pair| pair.starts_with("continue=")).map(|pair| format!("&{pair}"));
    format!("{path}{watch}{}", next.unwrap_or_default())
}

async fn serve(listener: TcpListener, state: Arc<State>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(connection(stream, state.clone()));
    }
}

async fn connection(mut stream: TcpStream, state: Arc<State>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = short(&head);
    state.heads.lock().unwrap().push(head);
    let answer = {
        let mut answers = state.answers.lock().unwrap();
        answers
            .iter_mut()
            .find(|(known, _)| *known == path)
            .and_then(|(_, queue)| if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() })
    };
    let cut = state.cut.notified();
    match answer {
        None => {
            let _ = stream.write_all(&response(404, "404 page not found")).await;
        }
        Some(Answer::Text(code, body)) => {
            let _ = stream.write_all(&response(code, &body)).await;
        }
        Some(Answer::Raw(bytes)) => {
            let _ = stream.write_all(&bytes).await;
        }
        Some(Answer::Hang) => cut.await,
        Some(Answer::Stream(pieces)) => {
            send_pieces(&mut stream, &pieces).await;
            cut.await;
        }
        Some(Answer::Ended(pieces)) => {
            send_pieces(&mut stream, &pieces).await;
            let _ = stream.write_all(b"0\r\n\r\n").await;
        }
    }
}

async fn send_pieces(stream: &mut TcpStream, pieces: &[String]) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let _ = stream.write_all(head.as_bytes()).await;
    for piece in pieces {
        let _ = stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await;
    }
}

fn response(code: u16, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// A TLS server with this certificate that answers nothing; its port.
pub(crate) fn tls_server(certificate: &str) -> u16 {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    provider();
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let config = Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = stream;
            let mut tls = rustls::Stream::new(&mut connection, &mut stream);
            let mut buffer = [0; 1024];
            let _ = tls.read(&mut buffer).and_then(|_| tls.write_all(b""));
        }
    });
    port
}

/// Waits until something holds; fails after ten seconds.
pub(crate) async fn until<T>(what: &str, mut holds: impl FnMut() -> Option<T>) -> T {
    let wait = async {
        loop {
            if let Some(found) = holds() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(10), wait).await;
    found.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}
