//! What the servers share.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::CellError;

/// How long requests that are under way at the end may still take.
const GRACE: Duration = Duration::from_millis(800);

/// Begins to listen; port 0 is any free one.
///
/// # Errors
/// When the address is taken or not ours to take.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, CellError> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => CellError::InUse { address },
        _ => CellError::Bind { address, error },
    })
}

/// Routes that say that the server lives.
pub(crate) fn alive() -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/startupz", get(|| async { "ok\n" })).fallback(
        || async { refusal(StatusCode::NOT_FOUND, "there is nothing at this path", Some("GET / or /healthz")) },
    )
}

/// Serves until stopped. What is under way then is finished, if it takes less
/// than [`GRACE`].
pub(crate) async fn serve(listener: TcpListener, routes: Router, stop: CancellationToken) -> Result<(), CellError> {
    let address = listener.local_addr().unwrap_or_else(|_| ([0, 0, 0, 0], 0).into());
    tracing::info!(%address, "listening");
    let served = axum::serve(listener, routes).with_graceful_shutdown(stop.clone().cancelled_owned());
    let late = async {
        stop.cancelled().await;
        tracing::info!("told to end");
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = served.into_future() => ended.map_err(|error| CellError::Stopped { address, error })?,
        () = late => tracing::warn!("requests were cut off: they took too long"),
    }
    tracing::info!("ended");
    Ok(())
}

/// What is answered when something cannot be done: why, and what to try.
pub(crate) fn refusal(status: StatusCode, why: &str, hint: Option<&str>) -> Response {
    let mut body = json!({ "error": why });
    if let Some(hint) = hint {
        body["try"] = hint.into();
    }
    (status, json_body(&body)).into_response()
}

/// A JSON document for people and jq alike.
pub(crate) fn json_body(value: &Value) -> impl IntoResponse + use<> {
    ([("content-type", "application/json")], format!("{value:#}\n"))
}

/// Runs something that waits for a disk, aside.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| io::Error::other(format!("a task ended: {error}")))
}
