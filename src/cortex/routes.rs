//! Which service answers a call, once the caller is let in.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use kgents_wire::cortex::cortex_server::CortexServer;
use kgents_wire::logos::logos_server::LogosServer;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::NamedService;
use tonic_health::ServingStatus;
use tonic_reflection::server::{Builder, Error};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

use crate::auth::Gate;
use crate::state::Shared;
use crate::{cortex, logos};

/// The largest request that is read, in bytes.
const MAX_REQUEST: usize = 4 << 20;

type Route = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// All services behind one gate.
#[derive(Clone)]
pub(crate) struct Routes {
    gate: Gate,
    services: Arc<Vec<(&'static str, Route)>>,
}

impl Routes {
    /// The services, open to everybody.
    pub(crate) async fn new(shared: &Arc<Shared>) -> Result<Self, Error> {
        let cortex = CortexServer::new(cortex::Service(shared.clone())).max_decoding_message_size(MAX_REQUEST);
        let logos = LogosServer::new(logos::Service(shared.clone())).max_decoding_message_size(MAX_REQUEST);
        // Whether the daemon serves; how well it hears the cluster is another
        // question, which GetStatus answers.
        let (reporter, health) = tonic_health::server::health_reporter();
        for name in [name(&cortex), name(&logos)] {
            reporter.set_service_status(name, ServingStatus::Serving).await;
        }
        let described = || {
            Builder::configure()
                .register_encoded_file_descriptor_set(kgents_wire::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        let services = vec![
            route(cortex),
            route(logos),
            route(health),
            route(described().build_v1()?),
            route(described().build_v1alpha()?),
        ];
        Ok(Self { gate: Gate::new(None), services: Arc::new(services) })
    }

    /// The same services behind a gate.
    pub(crate) fn behind(&self, gate: Gate) -> Self {
        Self { gate, services: self.services.clone() }
    }
}

const fn name<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

fn route<S>(service: S) -> (&'static str, Route)
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + NamedService,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    (S::NAME, BoxCloneSyncService::new(service))
}

impl Service<Request<Body>> for Routes {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if let Err(refused) = self.gate.check(request.headers()) {
            return Box::pin(ready(Ok(refused.into_http())));
        }
        let asked = request.uri().path().split('/').nth(1).unwrap_or_default();
        match self.services.iter().find(|(name, _)| *name == asked) {
            Some((_, service)) => Box::pin(service.clone().oneshot(request)),
            None => Box::pin(ready(Ok(Status::unimplemented("the Cortex has no such service").into_http()))),
        }
    }
}
