//! `kgents.logos.v1.Logos`, as far as this build answers it.

mod observe;
mod status;

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use kgents_wire::logos as wire;
use kgents_wire::logos::logos_server::Logos;
use tonic::{Request, Response, Status, Streaming};

use crate::state::Shared;

/// The service.
pub(crate) struct Service(pub(crate) Arc<Shared>);

/// What a call that is not built yet answers: what will bring it.
fn comes_with(what: &str, brings: &str) -> Status {
    Status::unimplemented(format!("{what} comes with {brings}; this build answers GetStatus and StreamObserve"))
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl Logos for Service {
    async fn invoke(&self, _: Request<wire::InvokeRequest>) -> Result<Response<wire::InvokeResponse>, Status> {
        Err(comes_with("Invoke", "the AGENTESE table"))
    }

    async fn get_status(
        &self,
        request: Request<wire::StatusRequest>,
    ) -> Result<Response<wire::StatusResponse>, Status> {
        status::of(&self.0, &request.into_inner()).map(Response::new)
    }

    type StreamObserveStream = Answers<wire::ObserveEvent>;

    async fn stream_observe(
        &self,
        request: Request<wire::ObserveRequest>,
    ) -> Result<Response<Self::StreamObserveStream>, Status> {
        let wants = observe::Wants::of(request.into_inner())?;
        let place = self.0.place()?;
        Ok(Response::new(Box::pin(observe::open(self.0.clone(), wants, place))))
    }

    type StreamDreamsStream = Answers<wire::DreamOutput>;

    async fn stream_dreams(
        &self,
        _: Request<Streaming<wire::DreamInput>>,
    ) -> Result<Response<Self::StreamDreamsStream>, Status> {
        Err(comes_with("StreamDreams", "dreams, which look for patterns in recorded history"))
    }

    async fn tithe(&self, _: Request<wire::TitheRequest>) -> Result<Response<wire::TitheResponse>, Status> {
        Err(comes_with("Tithe", "metabolism, which measures the pressure to discharge"))
    }

    async fn get_map(&self, _: Request<wire::MapRequest>) -> Result<Response<wire::HoloMap>, Status> {
        Err(comes_with("GetMap", "the map of the terrarium"))
    }
}
