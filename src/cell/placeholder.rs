//! `kgents agent placeholder`: stands where an agent will be.

use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::error::CellError;
use crate::http;

/// Says that it lives and is ready, and does nothing else, until stopped.
///
/// # Errors
/// When the listener ends by itself.
pub async fn serve(listener: TcpListener, stop: CancellationToken) -> Result<(), CellError> {
    http::serve(listener, http::alive().route("/readyz", get(|| async { "ok\n" })), stop).await
}

#[cfg(test)]
mod tests {
    use crate::testing::Running;

    #[tokio::test]
    async fn it_lives_is_ready_and_ends_when_told_to() {
        let placeholder = Running::start(super::serve).await;
        for path in ["/healthz", "/readyz", "/startupz"] {
            let answer = placeholder.get(path).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "ok\n"), "{path}");
        }
        let lost = placeholder.get("/nothing").await;
        assert_eq!((lost.status, lost.json()["try"].as_str()), (404, Some("GET / or /healthz")));
        placeholder.end().await;
    }
}
