//! Serving, from the first connection to the last.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, Stream, future, stream};
use kgents_store::bus::Reader;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use crate::auth::Gate;
use crate::error::CortexError;
use crate::feed;
use crate::listen::{self, Bound, Options};
use crate::routes::Routes;
use crate::state::{Limits, Shared};

/// How often a silent connection is asked whether it still lives, and how long
/// the answer may take.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(20));
/// How many calls one connection may have open.
const MAX_CALLS: u32 = 128;
/// The largest set of headers, in bytes.
const MAX_HEADERS: u32 = 16 << 10;
/// How long connections may take to end; the whole end takes half a second.
pub(crate) const GRACE: Duration = Duration::from_millis(300);
/// How long to wait after an accept that failed, as when no file descriptor
/// is left.
const PAUSE: Duration = Duration::from_millis(100);

/// Binds, waits for a while until the cluster was heard, listens, tells where
/// through `ready`, follows what comes out of the bus and
/// answers until it is cancelled. Then all streams end, the socket file is
/// removed, and it returns within half a second.
///
/// # Errors
/// When it cannot listen where it should, or must not without a token. A
/// socket that cannot be used is only a warning if there is a TCP address.
pub async fn serve(
    reader: Reader,
    options: Options,
    ready: impl FnOnce(&Bound),
    cancel: CancellationToken,
) -> Result<(), CortexError> {
    serve_within(Limits::default(), reader, options, ready, cancel).await
}

pub(crate) async fn serve_within(
    limits: Limits,
    reader: Reader,
    options: Options,
    ready: impl FnOnce(&Bound),
    cancel: CancellationToken,
) -> Result<(), CortexError> {
    let ears = listen::bind(&options).await?;
    let stopped = |error: &dyn std::error::Error| CortexError::Stopped { why: error.to_string() };
    // Streams end however this function does.
    let cancel = cancel.child_token();
    let _end = cancel.clone().drop_guard();
    let shared = Arc::new(Shared::new(options.version, limits, cancel.clone()));
    let open = Routes::new(&shared).await.map_err(|error| stopped(&error))?;
    let guarded = open.behind(Gate::new(options.token.as_deref()));
    let mut feeding = pin!(feed::feed(reader, &shared));
    tokio::select! {
        biased;
        () = cancel.cancelled() => return Ok(()),
        () = &mut feeding => return Ok(()),
        () = shared.until_heard() => {}
        () = tokio::time::sleep(options.patience) => {}
    }
    let ears = ears.listen()?;
    ready(&ears.bound);

    let mut listeners: Vec<_> = Vec::new();
    for listener in ears.tcp {
        listeners.push(answer(tcp(listener), guarded.clone(), cancel.clone()).boxed());
    }
    let mut file = None;
    if let Some((listener, socket)) = ears.socket {
        file = Some(socket);
        listeners.push(answer(unix(listener), open, cancel.clone()).boxed());
    }
    let mut answering = future::try_join_all(listeners);
    // Until it is cancelled: nothing of this ends by itself.
    let ended = tokio::select! {
        biased;
        () = cancel.cancelled() => None,
        () = feeding => None,
        ended = &mut answering => Some(ended),
    };
    drop(file);
    if let Some(ended) = ended {
        return ended.map(drop).map_err(|error| stopped(&error));
    }
    // What somebody still holds open by then ends with the runtime.
    let _ = tokio::time::timeout(GRACE, answering).await;
    Ok(())
}

/// Answers those who come in until it is cancelled and all have gone.
async fn answer<S>(
    incoming: impl Stream<Item = io::Result<S>>,
    routes: Routes,
    cancel: CancellationToken,
) -> Result<(), tonic::transport::Error>
where
    S: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .max_concurrent_streams(MAX_CALLS)
        .http2_max_header_list_size(MAX_HEADERS)
        .serve_with_incoming_shutdown(routes, incoming, cancel.cancelled_owned())
        .await
}

fn tcp(listener: TcpListener) -> impl Stream<Item = io::Result<tokio::net::TcpStream>> {
    stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => {
                    // Small answers should not wait for larger ones.
                    let _ = connection.set_nodelay(true);
                    return Some((Ok(connection), listener));
                }
                Err(error) => refuse(&error).await,
            }
        }
    })
}

fn unix(listener: UnixListener) -> impl Stream<Item = io::Result<tokio::net::UnixStream>> {
    stream::unfold(listener, |listener| async move {
        loop {
            match listener.accept().await {
                Ok((connection, _)) => return Some((Ok(connection), listener)),
                Err(error) => refuse(&error).await,
            }
        }
    })
}

async fn refuse(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(PAUSE).await;
}
