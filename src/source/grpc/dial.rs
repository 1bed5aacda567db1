//! Reaching a Cortex: the socket, then the port, within the budget.

use std::error::Error;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use kgents_store::watch::Scene;
use kgents_wire::cortex as wire;
use kgents_wire::cortex::cortex_client::CortexClient;
use tokio::net::UnixStream;
use tokio::time::{Instant, timeout_at};
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tower::service_fn;

use super::address::{Address, places};
use super::read::{Hearing, hearing};
use crate::error::SourceError;
use crate::kube::words;
use crate::ladder;
use crate::options::Options;

/// How often a silent connection is asked whether it is alive.
const ALIVE_EVERY: Duration = Duration::from_secs(2);
/// How long it may take to say so.
const ALIVE_LIMIT: Duration = Duration::from_millis(500);

/// A Cortex that answered.
pub(crate) struct Cortex {
    pub(crate) address: Address,
    client: CortexClient<Channel>,
    token: Option<AsciiMetadataValue>,
    /// Its version of kgents.
    pub(crate) version: String,
    /// Which start of it this is.
    pub(crate) instance: String,
    /// What it looks at.
    pub(crate) scene: Scene,
    /// How it hears that.
    pub(crate) hearing: Hearing,
    /// How long it took to reach it.
    pub(crate) took: Duration,
}

/// Reaches the first place where a Cortex answers that looks at the cluster
/// that is meant.
///
/// # Errors
/// Why none does: what is said of the last place that had something there.
pub(crate) async fn dial(options: &Options, scene: Option<&Scene>) -> Result<Cortex, SourceError> {
    let places = places(options.cortex.as_ref());
    let asked = clock();
    let until = asked + ladder::budget(kgents_store::Layer::Grpc);
    let mut worst = None;
    for address in &places {
        let answer = timeout_at(until, hello(address, options, asked)).await;
        let problem = match answer {
            Ok(Ok(cortex)) => match unfit(&cortex, options, scene) {
                None => return Ok(cortex),
                Some(problem) => problem,
            },
            Ok(Err(Trouble::Nobody)) => continue,
            Ok(Err(Trouble::Said(problem))) => problem,
            // No time is left for the places that follow.
            Err(_) => {
                let problem = format!("did not answer within {:?}", ladder::budget(kgents_store::Layer::Grpc));
                return Err(SourceError::Cortex { address: address.place(), problem });
            }
        };
        worst = Some(SourceError::Cortex { address: address.place(), problem });
    }
    Err(worst.unwrap_or_else(|| SourceError::NoCortex { tried: places.iter().map(Address::place).collect() }))
}

/// Why a Cortex that answers is of no use; `None` if it is. One that was named
/// is believed to be meant if its context is ours, or if it has none, as within
/// a cluster. One that was only found has to look at the same server as well:
/// many a context is called `default`.
fn unfit(cortex: &Cortex, options: &Options, scene: Option<&Scene>) -> Option<String> {
    let (theirs, ours) = (&cortex.scene, scene?);
    let named = options.cortex.is_some();
    let same_context = theirs.context == ours.context || named && theirs.context.is_empty();
    if same_context && (named || theirs.server == ours.server) {
        return None;
    }
    Some(if theirs.context == ours.context {
        format!("looks at {} at {}, not at {}", theirs.context, theirs.server, ours.server)
    } else if theirs.context.is_empty() {
        format!("looks at {}, not at {}", theirs.server, ours.context)
    } else {
        format!("looks at {}, not at {}", theirs.context, ours.context)
    })
}

/// Why there is no Cortex at a place.
enum Trouble {
    /// Nobody listens there.
    Nobody,
    /// Somebody does, but.
    Said(String),
}

async fn hello(address: &Address, options: &Options, asked: Instant) -> Result<Cortex, Trouble> {
    let channel = connect(address).await?;
    // Over a socket the file's rights decide.
    let token = options.cortex_token.as_ref().filter(|_| matches!(address, Address::Tcp { .. }));
    let token = token.map(|token| format!("Bearer {token}").parse::<AsciiMetadataValue>()).transpose();
    let token = token.map_err(|_| Trouble::Said("cannot be sent the token: it is not plain text".to_owned()))?;
    let mut client = CortexClient::new(channel);
    let request = authorised(wire::DescribeRequest {}, token.as_ref());
    let described = client.describe(request).await.map_err(|status| Trouble::Said(said(&status)))?.into_inner();
    let scene =
        Scene { context: words::clean(&described.context), server: words::clean(&described.server), namespace: None };
    let hearing = hearing(described.link.as_ref(), &described.kinds);
    let (version, took) = (words::clean(&described.version), asked.elapsed());
    let instance = words::clean(&described.instance_id);
    Ok(Cortex { address: address.clone(), client, token, version, instance, scene, hearing, took })
}

fn authorised<T>(message: T, token: Option<&AsciiMetadataValue>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", token.clone());
    }
    request
}

async fn connect(address: &Address) -> Result<Channel, Trouble> {
    let alive = |endpoint: Endpoint| {
        endpoint
            .user_agent(concat!("kgents/", env!("CARGO_PKG_VERSION")))
            .map(|endpoint| {
                endpoint
                    .http2_keep_alive_interval(ALIVE_EVERY)
                    .keep_alive_timeout(ALIVE_LIMIT)
                    .keep_alive_while_idle(true)
            })
            .map_err(|error| Trouble::Said(because(&error)))
    };
    match address {
        Address::Unix(path) => {
            // First by hand: then it is known whether anybody is there.
            let stream = UnixStream::connect(path).await.map_err(|error| refused(&error))?;
            let mut once = Some(TokioIo::new(stream));
            // A connection that breaks is dialled anew, with all its questions.
            let again = || std::io::Error::from(std::io::ErrorKind::NotConnected);
            let connector = service_fn(move |_| std::future::ready(once.take().ok_or_else(again)));
            let endpoint = alive(Endpoint::from_static("http://cortex"))?;
            endpoint.connect_with_connector(connector).await.map_err(|error| Trouble::Said(because(&error)))
        }
        Address::Tcp { tls: true, .. } => Err(Trouble::Said(
            "speaks TLS, which this build does not to a Cortex: reach it through a tunnel".to_owned(),
        )),
        Address::Tcp { host, port, tls: false } => {
            let url = format!("http://{host}:{port}");
            let endpoint = Endpoint::from_shared(url).map_err(|error| Trouble::Said(because(&error)))?;
            alive(endpoint)?.connect().await.map_err(|error| match io_of(&error) {
                Some(error) => refused(error),
                None => Trouble::Said(because(&error)),
            })
        }
    }
}

fn refused(error: &std::io::Error) -> Trouble {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    match error.kind() {
        NotFound | ConnectionRefused => Trouble::Nobody,
        _ => Trouble::Said(format!("cannot be reached: {error}")),
    }
}

/// An error and what lies below it.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The error of the system below an error, if there is one.
fn io_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a std::io::Error> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// The innermost words of an error that has none of its own.
fn because(error: &(dyn Error + 'static)) -> String {
    let innermost = chain(error).last().map(ToString::to_string).unwrap_or_default();
    format!("does not speak gRPC: {}", words::clean(&innermost))
}

/// What a status says, as the rest of a sentence about the Cortex.
fn said(status: &Status) -> String {
    let message = words::clean(status.message());
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => format!("refuses the token: {message}"),
        Code::Unimplemented => "is not a Cortex: it does not know kgents.cortex.v1".to_owned(),
        _ if status.source().is_some() => because(status),
        code => format!("answered {code:?}: {message}"),
    }
}

#[allow(clippy::disallowed_methods, reason = "a budget is kept by the monotonic clock")]
fn clock() -> Instant {
    Instant::now()
}

impl Cortex {
    /// The stream of what is there: all of it, or what changed since a
    /// revision of an instance.
    pub(crate) async fn watch(
        &self,
        request: wire::WatchRequest,
    ) -> Result<tonic::Streaming<wire::WatchEvent>, SourceError> {
        let request = authorised(request, self.token.as_ref());
        self.client.clone().watch(request).await.map(tonic::Response::into_inner).map_err(|status| self.error(&status))
    }

    /// What is wrong, as an error about this Cortex.
    pub(crate) fn error(&self, status: &Status) -> SourceError {
        self.trouble(said(status))
    }

    /// The same, in words: the rest of a sentence about it.
    pub(crate) fn trouble(&self, problem: String) -> SourceError {
        SourceError::Cortex { address: self.address.place(), problem }
    }

    /// What is odd about it that does not stop anybody.
    pub(crate) fn notes(&self) -> Vec<String> {
        let ours = env!("CARGO_PKG_VERSION");
        let other = (self.version != ours).then(|| format!("the Cortex is kgents {}, this is {ours}", self.version));
        other.into_iter().collect()
    }
}
