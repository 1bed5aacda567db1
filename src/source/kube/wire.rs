//! Requests and answers, without kube's generics: raw JSON in, decoded
//! objects out.

use std::sync::Arc;
use std::time::Duration;

use ::kube::api::{ListParams, WatchParams};
use ::kube::core::{Request, Status};
use futures::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use http::HeaderValue;
use http::header::ACCEPT_ENCODING;
use jiff::Timestamp;
use kgents_store::Kind;
use kgents_store::object::{Decoded, decode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::explain::{Ask, explain, unreadable};
use crate::clock;
use crate::error::{Origin, SourceError};

/// How many objects one page of a list holds.
pub(crate) const PAGE: u32 = 500;
/// How long the API server is asked to keep a watch open, in seconds. Below
/// the five minutes after which many proxies cut a connection.
const WATCH_SECONDS: u32 = 290;

/// The longest line of a watch, in bytes: many times what etcd can hold.
const MAX_LINE: u64 = 32 * 1024 * 1024;

/// One API server, asked with one set of credentials. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Wire {
    client: ::kube::Client,
    origin: Arc<Origin>,
    limit: Duration,
    certificate_ends: Option<Timestamp>,
}

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its objects, those that have at least a name.
    pub items: Vec<Decoded>,
    /// What is wrong with those that do not.
    pub nameless: Vec<String>,
    /// The resource version of the list.
    pub version: String,
    /// Where the next page begins; `None` if this is the last.
    pub next: Option<String>,
}

/// What a watch says.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An object was made or changed.
    Applied(Box<Decoded>),
    /// An object is gone.
    Deleted(Box<Decoded>),
    /// All up to this resource version has been told.
    Bookmark(String),
    /// Something without a name, whose state nobody can keep.
    Nameless(String),
}

/// A list as it comes. Each object stays raw text until its own turn, so that
/// a bad one spoils nothing but itself.
#[derive(Deserialize)]
struct RawPage {
    metadata: RawMeta,
    #[serde(default)]
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMeta {
    #[serde(default)]
    resource_version: String,
    #[serde(default)]
    r#continue: Option<String>,
}

/// One line of a watch. Not kube's type: that is tagged, and serde can keep
/// raw text in it only if the type comes first.
#[derive(Deserialize)]
struct RawEvent {
    #[serde(rename = "type")]
    type_: String,
    object: Box<RawValue>,
}

#[derive(Deserialize)]
struct RawMark {
    metadata: RawMeta,
}

/// Enough of a `Status` to know it by.
#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "code")]
    _code: u16,
    #[serde(rename = "message")]
    _message: String,
}

impl RawPage {
    fn decoded(self, kind: Kind) -> Page {
        let mut page = Page {
            items: Vec::new(),
            nameless: Vec::new(),
            version: self.metadata.resource_version,
            next: self.metadata.r#continue.filter(|token| !token.is_empty()),
        };
        for item in self.items.unwrap_or_default() {
            match decode(kind, item.get()) {
                Ok(decoded) => page.items.push(decoded),
                Err(problem) => page.nameless.push(problem),
            }
        }
        page
    }
}

impl Wire {
    pub(crate) fn new(client: ::kube::Client, origin: Arc<Origin>, limit: Duration, ends: Option<Timestamp>) -> Self {
        Self { client, origin, limit, certificate_ends: ends }
    }

    /// The same with another time limit for each question.
    pub(crate) fn within(&self, limit: Duration) -> Self {
        Self { limit, ..self.clone() }
    }

    pub(crate) fn client(&self) -> &::kube::Client {
        &self.client
    }

    /// What an error of kube means, said of this API server.
    pub(super) fn explain(&self, error: &::kube::Error, ask: &Ask) -> SourceError {
        let mut error = explain(error, ask, &self.origin);
        if let (SourceError::Unauthorized { problem, .. }, Some(end)) = (&mut error, self.certificate_ends)
            && end <= clock::now()
        {
            *problem = format!("the client certificate expired on {end:.0}");
        }
        error
    }

    /// Awaits an answer of kube, but not for ever.
    pub(crate) async fn answer<T>(
        &self,
        ask: &Ask,
        answer: impl Future<Output = Result<T, ::kube::Error>>,
    ) -> Result<T, SourceError> {
        match tokio::time::timeout(self.limit, answer).await {
            Ok(answer) => answer.map_err(|error| self.explain(&error, ask)),
            Err(_) => Err(self.too_late()),
        }
    }

    /// Whom it speaks to.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How long one question may take.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// That there was no answer in time.
    pub(crate) fn too_late(&self) -> SourceError {
        SourceError::Timeout { origin: self.origin.clone(), limit: self.limit }
    }

    /// Sends a request and reads the answer as text.
    pub(crate) async fn text(&self, ask: &Ask, request: http::Request<Vec<u8>>) -> Result<String, SourceError> {
        self.answer(ask, self.client.request_text(request)).await
    }

    /// Reads an answer as JSON.
    pub(crate) fn read<T: DeserializeOwned>(&self, ask: &Ask, text: &str) -> Result<T, SourceError> {
        serde_json::from_str(text).map_err(|error| unreadable(&error, text, ask, self.origin.clone()))
    }

    /// The API server's version, as it says it.
    pub(crate) async fn version(&self) -> Result<String, SourceError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: String,
        }
        let ask = Ask::new("get", "/version");
        let request = get("/version")?;
        let not_kubernetes = |saw: String| SourceError::NotKubernetes { origin: self.origin.clone(), saw };
        let text = match self.text(&ask, request).await {
            // Every API server has one.
            Err(SourceError::Missing { .. }) => return Err(not_kubernetes("404 to /version".to_owned())),
            text => text?,
        };
        let version: Version = match self.read(&ask, &text) {
            Err(SourceError::Unreadable { .. }) => return Err(not_kubernetes(super::words::beginning(&text))),
            version => version?,
        };
        Ok(super::words::clean(&version.git_version))
    }

    /// One page of a list, decoded on a thread that may block.
    pub(crate) async fn page(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        labels: Option<String>,
        fields: Option<String>,
        next: Option<String>,
    ) -> Result<Page, SourceError> {
        let ask = Ask::of("list", kind, namespace);
        let params = ListParams {
            label_selector: labels,
            field_selector: fields,
            limit: Some(PAGE),
            continue_token: next,
            ..ListParams::default()
        };
        let request = built(Request::new(path(kind, namespace)?).list(&params))?;
        let text = self.text(&ask, request).await?;
        let origin = self.origin.clone();
        let decoded = tokio::task::spawn_blocking(move || match serde_json::from_str::<RawPage>(&text) {
            Ok(page) => Ok(page.decoded(kind)),
            Err(error) => Err(unreadable(&error, &text, &ask, origin.clone())),
        });
        match decoded.await {
            Ok(page) => page,
            // A panic goes on where it is noticed; else the runtime is going down.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => std::future::pending().await,
        }
    }

    /// Opens a watch that tells what happens after a resource version.
    pub(crate) async fn open(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        labels: Option<String>,
        version: &str,
    ) -> Result<BoxStream<'static, Result<Heard, SourceError>>, SourceError> {
        let ask = Ask::of("watch", kind, namespace);
        let params = WatchParams { label_selector: labels, timeout: Some(WATCH_SECONDS), ..WatchParams::default() };
        let mut request = built(Request::new(path(kind, namespace)?).watch(&params, version))?;
        // What is compressed as a whole comes late.
        request.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let body = self.answer(&ask, self.client.request_stream(request)).await?;
        let wire = self.clone();
        let heard = lines(body).map(move |line| wire.heard(kind, &line, &ask));
        Ok(heard.boxed())
    }

    fn heard(&self, kind: Kind, line: &[u8], ask: &Ask) -> Result<Heard, SourceError> {
        let text = String::from_utf8_lossy(line);
        let RawEvent { type_, object } = match serde_json::from_str(&text) {
            Ok(event) => event,
            // Some errors come bare.
            Err(_) if serde_json::from_str::<Refusal>(&text).is_ok() => return Err(self.refusal(&text, ask)),
            Err(_) => self.read(ask, &text)?,
        };
        let named = |heard: fn(Box<Decoded>) -> Heard| match decode(kind, object.get()) {
            Ok(decoded) => heard(Box::new(decoded)),
            Err(problem) => Heard::Nameless(problem),
        };
        Ok(match type_.as_str() {
            "ADDED" | "MODIFIED" => named(Heard::Applied),
            "DELETED" => named(Heard::Deleted),
            "BOOKMARK" => Heard::Bookmark(self.read::<RawMark>(ask, object.get())?.metadata.resource_version),
            "ERROR" => return Err(self.refusal(object.get(), ask)),
            other => Heard::Nameless(format!("a watch event of the unknown type {other:?}")),
        })
    }

    /// A `Status` in the middle of a stream.
    fn refusal(&self, json: &str, ask: &Ask) -> SourceError {
        match self.read::<Status>(ask, json) {
            Ok(status) => self.explain(&::kube::Error::Api(Box::new(status)), ask),
            Err(error) => error,
        }
    }

    /// Names of the namespaces, at most so many.
    pub(crate) async fn namespaces(&self, max: u32) -> Result<Vec<String>, SourceError> {
        #[derive(Deserialize)]
        struct Names {
            items: Vec<Named>,
        }
        #[derive(Deserialize)]
        struct Named {
            metadata: Name,
        }
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        let ask = Ask::new("list", "namespaces");
        let text = self.text(&ask, get(&format!("/api/v1/namespaces?limit={max}"))?).await?;
        let names: Names = self.read(&ask, &text)?;
        Ok(names.items.into_iter().map(|item| item.metadata.name).collect())
    }

    /// One object, raw.
    pub(crate) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<String, SourceError> {
        let ask = Ask::of("get", kind, Some(namespace)).named(name);
        let name = segment("name", name)?;
        let path = format!("{}/{name}", path(kind, Some(namespace))?);
        self.text(&ask, get(&path)?).await
    }
}

/// The lines of a body. It ends with the body, however that ends: who goes on
/// after it finds out soon enough whether anybody is still there.
fn lines(body: impl AsyncBufRead + Send + Unpin + 'static) -> impl Stream<Item = Vec<u8>> + Send {
    stream::unfold(body, |mut body| async move {
        loop {
            let mut line = Vec::new();
            let read = (&mut body).take(MAX_LINE).read_until(b'\n', &mut line).await;
            match read {
                Ok(_) if line.last() != Some(&b'\n') => {
                    if line.len() as u64 >= MAX_LINE {
                        tracing::warn!(bytes = line.len(), "a watch is left: its line has no end");
                    }
                    return None;
                }
                Ok(_) if line.trim_ascii().is_empty() => {}
                Ok(_) => return Some((line, body)),
                Err(error) => {
                    tracing::debug!(%error, "a watch broke off");
                    return None;
                }
            }
        }
    })
}

pub(super) fn get(path: &str) -> Result<http::Request<Vec<u8>>, SourceError> {
    http::Request::get(path).body(Vec::new()).map_err(|error| SourceError::Invalid { message: error.to_string() })
}

fn built(
    request: Result<http::Request<Vec<u8>>, ::kube::core::request::Error>,
) -> Result<http::Request<Vec<u8>>, SourceError> {
    request.map_err(|error| SourceError::Invalid { message: super::words::clean(&error.to_string()) })
}

/// The path of a resource.
pub(crate) fn path(kind: Kind, namespace: Option<&str>) -> Result<String, SourceError> {
    let namespace = namespace.map(|namespace| segment("namespace", namespace)).transpose()?;
    Ok(kind.path(namespace))
}

/// A word that a person typed, as one piece of a path and nothing more.
pub(crate) fn segment<'a>(what: &str, word: &'a str) -> Result<&'a str, SourceError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    if !word.is_empty() && word.chars().all(fits) && !matches!(word, "." | "..") {
        return Ok(word);
    }
    Err(SourceError::Invalid { message: format!("{:?} cannot be a {what}", super::words::clean(word)) })
}

/// Which objects of a kind are ours: all of our own group, and of Kubernetes'
/// own what carries our label. Events carry none.
pub(crate) fn labels_of(kind: Kind) -> Option<&'static str> {
    matches!(kind, Kind::Deployment | Kind::Pod).then_some(kgents_api::LABEL_AGENT)
}

/// Says once more in the log that something has no name.
pub(crate) fn warn_nameless(kind: Kind, problem: &str) {
    tracing::warn!(resource = kind.resource(), problem, "an object without a readable name is left out");
}

#[cfg(test)]
mod tests;
