//! `kgents agent d-gent`: the sidecar that keeps an agent's state.
//!
//! | | |
//! |---|---|
//! | `GET /v1/state` | the keys, as JSON |
//! | `GET /v1/state/KEY` | the value, as it was put |
//! | `PUT /v1/state/KEY` | 201 for a new key, 204 for another value; on the disk when it is answered |
//! | `DELETE /v1/state/KEY` | 204 |
//! | `/healthz`, `/readyz` | it lives; its folder can be written |
//!
//! What cannot be done is answered with JSON, `error` and `try`, and 400 (no
//! key), 404 (none of that name), 413 (too large), 500 (torn, or refused by the
//! system) or 507 (no room).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::error::CellError;
use crate::http::{self, aside, json_body, refusal};
use crate::state::{Folder, LARGEST, Put, StateError};

/// How many requests for the state are worked on at once, which bounds the
/// memory that their values take; the others wait.
const AT_ONCE: usize = 8;
/// How long a value may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

struct DGent {
    folder: Folder,
    turns: Semaphore,
}

type Shared = State<Arc<DGent>>;

/// Keeps a state in a folder, and answers for it, until stopped.
///
/// # Errors
/// When the listener ends by itself.
pub async fn serve(listener: TcpListener, folder: PathBuf, stop: CancellationToken) -> Result<(), CellError> {
    tracing::info!(state = %folder.display(), "keeping a state");
    let folder = Folder::at(&folder);
    let untidy = folder.clone();
    // Files that nobody needs do no harm if they stay.
    let _ = aside(move || untidy.tidy()).await;
    let routes: Router = Router::new()
        .route("/readyz", get(ready))
        .route("/v1/state", get(list))
        .route("/v1/state/{key}", get(read).put(write).delete(remove))
        .with_state(Arc::new(DGent { folder, turns: Semaphore::new(AT_ONCE) }))
        .merge(http::alive());
    http::serve(listener, routes, stop).await
}

impl DGent {
    /// Does something with the folder, in its turn.
    async fn work<T: Send + 'static>(
        self: Arc<Self>,
        work: impl FnOnce(&Folder) -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, Response> {
        let done = aside(move || work(&self.folder)).await;
        let error = match done {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => error,
            Err(error) => return Err(refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string(), None)),
        };
        let status = match error {
            StateError::BadKey { .. } => StatusCode::BAD_REQUEST,
            StateError::Missing { .. } => StatusCode::NOT_FOUND,
            StateError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            StateError::Full { .. } | StateError::TooMany => StatusCode::INSUFFICIENT_STORAGE,
            StateError::Torn { .. } | StateError::Refused { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if status.is_server_error() {
            tracing::error!(%error, "the state cannot be served");
        }
        Err(refusal(status, &error.to_string(), error.hint()))
    }
}

async fn ready(State(gent): Shared) -> Response {
    match gent.work(Folder::check).await {
        Ok(()) => "ok\n".into_response(),
        // Not ready, whatever the reason is.
        Err(mut response) => {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            response
        }
    }
}

async fn list(State(gent): Shared) -> Response {
    match gent.work(Folder::keys).await {
        Ok(keys) => json_body(&json!({ "keys": keys })).into_response(),
        Err(response) => response,
    }
}

async fn read(State(gent): Shared, Path(key): Path<String>) -> Response {
    let _turn = gent.turns.acquire().await;
    match gent.clone().work(move |folder| folder.get(&key)).await {
        Ok(value) => ([("content-type", "application/octet-stream")], value).into_response(),
        Err(response) => response,
    }
}

async fn write(State(gent): Shared, Path(key): Path<String>, body: Body) -> Response {
    let _turn = gent.turns.acquire().await;
    let value = match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(value)) => value,
        Ok(Err(error)) if is_too_long(&error) => {
            let error = StateError::TooLarge { key };
            return refusal(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string(), error.hint());
        }
        Ok(Err(error)) => {
            let why = format!("the value of '{key}' did not arrive: {error}");
            return refusal(StatusCode::BAD_REQUEST, &why, Some("send it again"));
        }
        Err(_) => {
            let why = format!("the value of '{key}' did not arrive within {PATIENCE:?}");
            return refusal(StatusCode::REQUEST_TIMEOUT, &why, Some("send it again"));
        }
    };
    match gent.clone().work(move |folder| folder.put(&key, &value)).await {
        Ok(Put::New) => StatusCode::CREATED.into_response(),
        Ok(Put::Replaced) => StatusCode::NO_CONTENT.into_response(),
        Err(response) => response,
    }
}

/// Whether a body was cut off because it is too long.
fn is_too_long(error: &axum::Error) -> bool {
    use std::error::Error;
    error.source().is_some_and(|source| source.to_string().contains("length limit"))
}

async fn remove(State(gent): Shared, Path(key): Path<String>) -> Response {
    match gent.work(move |folder| folder.delete(&key)).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(response) => response,
    }
}

#[cfg(test)]
mod tests;
