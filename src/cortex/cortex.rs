//! `kgents.cortex.v1.Cortex`: the terrarium, and each change of it.

mod stream;

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use kgents_store::Kind;
use kgents_wire::cortex as wire;
use kgents_wire::cortex::cortex_server::Cortex;
use tonic::{Request, Response, Status};

use crate::state::Shared;
use crate::{clock, convert, nearest};

/// The word that asks for thoughts among the kinds.
const THOUGHT: &str = "Thought";

/// The service.
pub(crate) struct Service(pub(crate) Arc<Shared>);

#[tonic::async_trait]
impl Cortex for Service {
    async fn describe(&self, _: Request<wire::DescribeRequest>) -> Result<Response<wire::DescribeResponse>, Status> {
        let now = clock::now();
        let state = self.0.state();
        let terrarium = state.terrarium();
        Ok(Response::new(wire::DescribeResponse {
            version: self.0.version.to_owned(),
            instance_id: self.0.instance.clone(),
            context: terrarium.scene().context.clone(),
            server: terrarium.scene().server.clone(),
            link: Some(convert::link(terrarium.link())),
            kinds: convert::kinds(terrarium, now),
            revision: state.log().revision(),
        }))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<wire::WatchEvent, Status>> + Send>>;

    async fn watch(&self, request: Request<wire::WatchRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let request = request.into_inner();
        let wants = Wants::of(&request)?;
        let known = request.since_revision > 0 && request.instance_id == self.0.instance;
        let since = known.then_some(request.since_revision);
        let place = self.0.place()?;
        Ok(Response::new(Box::pin(stream::open(self.0.clone(), wants, since, place))))
    }
}

/// What a caller wants to see.
struct Wants {
    /// In the order in which a snapshot tells them.
    kinds: Vec<Kind>,
    thoughts: bool,
    namespace: Option<String>,
}

impl Wants {
    fn of(request: &wire::WatchRequest) -> Result<Self, Status> {
        // Events arrive as thoughts, never as objects.
        let objects = || Kind::ALL.into_iter().filter(|kind| *kind != Kind::Event);
        let all = request.kinds.is_empty();
        let known: Vec<&str> = objects().map(Kind::as_str).chain([THOUGHT]).collect();
        if let Some(word) = request.kinds.iter().find(|word| !known.contains(&word.as_str())) {
            return Err(nearest::unknown("kind", word, &known));
        }
        let asked = |word: &str| all || request.kinds.iter().any(|kind| kind == word);
        Ok(Self {
            kinds: objects().filter(|kind| asked(kind.as_str())).collect(),
            thoughts: asked(THOUGHT),
            namespace: (!request.namespace.is_empty()).then(|| request.namespace.clone()),
        })
    }

    fn covers(&self, namespace: &str) -> bool {
        self.namespace.as_deref().is_none_or(|wanted| wanted == namespace)
    }
}
