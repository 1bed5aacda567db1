//! A proxy before a real API server that answers some requests itself: for
//! faults that a real one does not produce on demand.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use serde_json::json;
use tokio::runtime::Runtime;

use super::credentials;

/// A request before it is passed on.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The HTTP method.
    pub method: Method,
    /// Path and query.
    pub uri: String,
    /// How many writes came before this one; Leases and Events do not count.
    pub writes_before: usize,
}

impl Asked {
    /// Whether it changes something that is neither a Lease nor an Event.
    pub fn is_write(&self) -> bool {
        self.method != Method::GET && !["/leases", "/events"].iter().any(|part| self.uri.contains(part))
    }

    /// Whether it is a watch.
    pub fn is_watch(&self) -> bool {
        self.uri.contains("watch=")
    }
}

/// What becomes of a request.
pub enum Then {
    /// It is passed on.
    Pass,
    /// It is answered with this code and reason, and not passed on.
    Refuse(u16, &'static str),
    /// It is passed on; the answer is cut off after so many bytes.
    Cut(usize),
    /// This is done, and nobody answers: it is not passed on.
    Before(Box<dyn FnOnce() + Send>),
    /// It is passed on, this is done when it was answered, and the answer is lost.
    After(Box<dyn FnOnce() + Send>),
}

type Rule = Box<dyn FnMut(&Asked) -> Then + Send>;

/// The proxy. It ends when this is dropped.
pub struct Faults {
    address: SocketAddr,
    shared: Arc<Shared>,
    _runtime: Runtime,
}

struct Shared {
    client: kube::Client,
    rule: Mutex<Rule>,
    writes: Mutex<usize>,
    cuts: Arc<AtomicUsize>,
}

impl Faults {
    /// One before the API server of this kubeconfig, as its user.
    pub fn before(kubeconfig: &Path, rule: impl FnMut(&Asked) -> Then + Send + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let options = kgents_source::Options { kubeconfig: Some(kubeconfig.to_owned()), ..Default::default() };
        let (client, _) = runtime.block_on(kgents_source::open(&options)).unwrap();
        let shared =
            Arc::new(Shared { client, rule: Mutex::new(Box::new(rule)), writes: Mutex::new(0), cuts: Arc::default() });
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(pass).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, shared, _runtime: runtime }
    }

    /// A kubeconfig that leads here.
    pub fn kubeconfig(&self) -> String {
        credentials::anonymous(&format!("http://{}", self.address))
    }

    /// From now on this rule holds.
    pub fn rule(&self, rule: impl FnMut(&Asked) -> Then + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// How many answers were cut off.
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::Relaxed)
    }

    /// How many writes were asked for; Leases and Events do not count.
    pub fn writes(&self) -> usize {
        *self.shared.writes.lock().unwrap()
    }
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let uri = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    let mut asked = Asked { method: request.method().clone(), uri, writes_before: 0 };
    if asked.is_write() {
        let mut writes = shared.writes.lock().unwrap();
        asked.writes_before = *writes;
        *writes += 1;
    }
    let then = (shared.rule.lock().unwrap())(&asked);
    match then {
        Then::Pass => forward(&shared, request, None).await,
        Then::Cut(after) => forward(&shared, request, Some(after)).await,
        Then::Refuse(code, reason) => refusal(code, reason),
        Then::Before(act) => {
            act();
            std::future::pending().await
        }
        Then::After(act) => {
            drop(forward(&shared, request, None).await);
            act();
            std::future::pending().await
        }
    }
}

fn refusal(code: u16, reason: &str) -> Response {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": reason, "code": code,
        "message": format!("a fault of the test: {reason}"), "details": { "retryAfterSeconds": 1 },
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::RETRY_AFTER, "1")];
    (StatusCode::from_u16(code).unwrap(), headers, status.to_string()).into_response()
}

async fn forward(shared: &Shared, request: Request, cut: Option<usize>) -> Response {
    let (head, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut sent = axum::http::Request::builder().method(head.method).uri(head.uri.path_and_query().unwrap().as_str());
    for name in [header::CONTENT_TYPE, header::ACCEPT, header::USER_AGENT] {
        if let Some(value) = head.headers.get(&name) {
            sent = sent.header(name, value);
        }
    }
    let Ok(answer) = shared.client.send(sent.body(kube::client::Body::from(bytes.to_vec())).unwrap()).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let (head, body) = answer.into_parts();
    let mut headers = HeaderMap::new();
    if let Some(kind) = head.headers.get(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, kind.clone());
    }
    let mut left = cut.unwrap_or(usize::MAX);
    let cuts = shared.cuts.clone();
    let pieces = Body::new(body).into_data_stream().flat_map(move |piece| {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return stream::iter(vec![Err(error)]),
        };
        let piece = piece.slice(..piece.len().min(left));
        left -= piece.len();
        let mut told = vec![Ok(piece)];
        if left == 0 {
            cuts.fetch_add(1, Ordering::Relaxed);
            told.push(Err(axum::Error::new(std::io::Error::other("cut"))));
        }
        stream::iter(told)
    });
    (head.status, headers, Body::from_stream(pieces)).into_response()
}
