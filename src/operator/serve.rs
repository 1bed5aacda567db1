//! Metrics, health and the operator's own state over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::{self, Metrics};

/// How long those who still read their answer are waited for at the end.
const GRACE: Duration = Duration::from_millis(500);

/// What is there, for whoever asks for something else.
const PATHS: &str = "There is no such page. There are:
/metrics      what is counted, for Prometheus
/healthz      whether this process makes progress
/readyz       whether it can do its work; a standby can
/debug/state  queues, leases, watches, last errors; only from this machine
";

type Health = Box<dyn Fn() -> Result<(), String> + Send + Sync>;

struct Pages {
    metrics: Arc<Metrics>,
    ready: Health,
    alive: Health,
    debug: Box<dyn Fn() -> Value + Send + Sync>,
}

/// Answers `/metrics`, `/healthz`, `/readyz` and, to loopback only,
/// `/debug/state`, until `cancel` fires. `ready` and `alive` say in words what
/// is wrong. None of them may block.
///
/// # Errors
///
/// What the listener gives.
pub async fn serve(
    listener: TcpListener,
    metrics: Arc<Metrics>,
    ready: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    alive: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    debug: impl Fn() -> Value + Send + Sync + 'static,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let pages = Pages { metrics, ready: Box::new(ready), alive: Box::new(alive), debug: Box::new(debug) };
    answer(listener, pages, cancel).await
}

async fn answer(listener: TcpListener, pages: Pages, cancel: CancellationToken) -> std::io::Result<()> {
    let router = Router::new()
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(alive_page))
        .route("/readyz", get(ready_page))
        .route("/debug/state", get(debug_page))
        .fallback(|| async { (StatusCode::NOT_FOUND, PATHS) })
        .with_state(Arc::new(pages));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let over = cancel.clone();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move { over.cancelled().await });
    tokio::select! {
        ended = server.into_future() => ended,
        // Who reads for ever does not keep us.
        () = async { cancel.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
    }
}

async fn metrics_page(State(pages): State<Arc<Pages>>) -> Response {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], pages.metrics.render()).into_response()
}

async fn alive_page(State(pages): State<Arc<Pages>>) -> Response {
    health((pages.alive)())
}

async fn ready_page(State(pages): State<Arc<Pages>>) -> Response {
    health((pages.ready)())
}

fn health(well: Result<(), String>) -> Response {
    let fresh = [(CACHE_CONTROL, "no-store")];
    match well {
        Ok(()) => (fresh, "ok\n").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, fresh, format!("{why}\n")).into_response(),
    }
}

async fn debug_page(
    State(pages): State<Arc<Pages>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Response {
    // A page in a browser on this machine could name us by a name of its own:
    // what it calls us must be this machine too.
    let called = headers.get(HOST).and_then(|host| host.to_str().ok());
    if !peer.ip().to_canonical().is_loopback() || !called.is_none_or(is_here) {
        return (StatusCode::FORBIDDEN, "Only from this machine: kubectl port-forward, or a shell in the pod.\n")
            .into_response();
    }
    let mut text = serde_json::to_string_pretty(&(pages.debug)()).unwrap_or_else(|error| format!("\"{error}\""));
    text.push('\n');
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// Whether a `Host` names this machine.
fn is_here(host: &str) -> bool {
    let name = match host.parse::<SocketAddr>() {
        Ok(address) => return address.ip().to_canonical().is_loopback(),
        Err(_) => host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name),
    };
    let address = name.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    address.map_or_else(|_| name.eq_ignore_ascii_case("localhost"), |address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
