//! What is sent once and never again, and what is read as it comes.

use std::error::Error as StdError;
use std::pin::Pin;

use ::kube::Error;
use ::kube::client::AuthError;
use futures::io::AsyncBufRead;
use http::HeaderValue;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use hyper_util::client::legacy::Error as Transport;
use kgents_store::act;
use kgents_store::key::encoded;
use serde_json::Value;

use super::explain::Ask;
use super::wire::{PAGE, Wire, get};
use crate::error::SourceError;

/// Lists whose items are metadata and nothing else.
const NAMES_ONLY: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// How many namespaces are told of. Nobody chooses from more by hand.
const MAX_NAMESPACES: usize = 10_000;

/// Why a change was not made, as far as it is known.
#[derive(Clone, Debug)]
pub(crate) struct Undone {
    /// What happened.
    pub error: SourceError,
    /// It may have been made all the same: it was sent, and no answer came
    /// that says no.
    pub perhaps_done: bool,
}

impl Undone {
    /// Nothing was sent.
    pub(crate) fn unsent(error: SourceError) -> Self {
        Self { error, perhaps_done: false }
    }
}

impl Wire {
    /// Sends a change, once, and returns what the API server made of it, raw.
    pub(crate) async fn perform(&self, ask: &Ask, act: &act::Wire) -> Result<String, Undone> {
        let body = act.body.as_ref().map(Value::to_string).unwrap_or_default().into_bytes();
        let request = http::Request::builder()
            .method(act.verb)
            .uri(act.uri())
            .header(CONTENT_TYPE, act.content_type)
            .body(body)
            .map_err(|error| Undone::unsent(SourceError::Invalid { message: error.to_string() }))?;
        match tokio::time::timeout(self.limit(), self.client().request_text(request)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(Undone { perhaps_done: is_perhaps_done(&error), error: self.explain(&error, ask) }),
            Err(_) => Err(Undone { error: self.too_late(), perhaps_done: true }),
        }
    }

    /// What stands at a path, as JSON.
    pub(crate) async fn json(&self, ask: &Ask, path: &str) -> Result<Value, SourceError> {
        let text = self.text(ask, get(path)?).await?;
        self.read(ask, &text)
    }

    /// Asks a question that takes a body, and changes nothing.
    pub(crate) async fn post(&self, ask: &Ask, path: &str, body: &Value) -> Result<Value, SourceError> {
        let request = http::Request::post(path)
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string().into_bytes())
            .map_err(|error| SourceError::Invalid { message: error.to_string() })?;
        let text = self.text(ask, request).await?;
        self.read(ask, &text)
    }

    /// Deletes what stands at a path.
    pub(crate) async fn delete(&self, ask: &Ask, path: &str, options: &Value) -> Result<(), SourceError> {
        let request = http::Request::delete(path)
            .header(CONTENT_TYPE, "application/json")
            .body(options.to_string().into_bytes())
            .map_err(|error| SourceError::Invalid { message: error.to_string() })?;
        self.text(ask, request).await.map(drop)
    }

    /// A list at a path, of which only names are wanted.
    pub(crate) async fn names(&self, ask: &Ask, path: &str) -> Result<Value, SourceError> {
        let mut request = get(path)?;
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static(NAMES_ONLY));
        let text = self.text(ask, request).await?;
        self.read(ask, &text)
    }

    /// The names of all namespaces.
    pub(crate) async fn all_namespaces(&self) -> Result<Vec<String>, SourceError> {
        let ask = Ask::new("list", "namespaces");
        let (mut names, mut next) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/namespaces?limit={PAGE}&continue={}", encoded(&next));
            let page = self.names(&ask, &path).await?;
            let items = page.pointer("/items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let name = |item: &Value| item.pointer("/metadata/name").and_then(Value::as_str).map(str::to_owned);
            names.extend(items.iter().filter_map(name));
            page.pointer("/metadata/continue").and_then(Value::as_str).unwrap_or_default().clone_into(&mut next);
            if next.is_empty() || names.len() >= MAX_NAMESPACES {
                return Ok(names);
            }
        }
    }

    /// Opens what stands at a path and is read as it comes, however long that
    /// takes. Only its beginning has a time limit.
    pub(crate) async fn stream(&self, ask: &Ask, path: &str) -> Result<Pin<Box<dyn AsyncBufRead + Send>>, SourceError> {
        let mut request = get(path)?;
        // What is compressed as a whole comes late.
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let body = self.answer(ask, self.client().request_stream(request)).await?;
        Ok(Box::pin(body))
    }
}

/// Whether a change may have been made although there was an error. Only who
/// answers and says no, or was never reached, has certainly not made it.
fn is_perhaps_done(error: &Error) -> bool {
    // A gateway's 502 and 504 speak of themselves; a 500 can come after the write.
    if let Error::Api(status) = error {
        return status.code >= 500 && status.code != 503;
    }
    let mut link: Option<&(dyn StdError + 'static)> = Some(error);
    // Stacks are a handful deep; a cycle must not hang us.
    for _ in 0..16 {
        let Some(error) = link else { break };
        if error.downcast_ref::<Transport>().is_some_and(Transport::is_connect) || error.is::<AuthError>() {
            return false;
        }
        link = error.source();
    }
    true
}
