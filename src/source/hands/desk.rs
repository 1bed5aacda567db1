//! The connection that all requests share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use kgents_store::Layer;
use serde_json::json;
use tokio::sync::{Mutex, OnceCell};

use crate::clock;
use crate::error::SourceError;
use crate::kube::kubeconfig::{self, Scope, Target};
use crate::kube::{Ask, Patience, Wire, connect};
use crate::options::Options;

/// What all requests share.
pub(super) struct Desk {
    pub(super) options: Options,
    /// The context, chosen once: `kubectl config use-context` in another
    /// terminal must not move an act to another cluster.
    chosen: Option<String>,
    line: Mutex<Option<Arc<Line>>>,
}

/// A connection to an API server.
pub(super) struct Line {
    /// The API server.
    pub(super) wire: Wire,
    /// The one namespace that is looked at.
    pub(super) scope: Scope,
    /// The namespace of the context, or of the pod that we run in.
    pub(super) own_namespace: Option<String>,
    user: OnceCell<String>,
    expires: Option<Timestamp>,
    files: Vec<(PathBuf, Stamp)>,
}

type Stamp = Option<(SystemTime, u64)>;

impl Desk {
    pub(super) fn new(options: Options) -> Self {
        // Without a kubeconfig there is nothing to choose yet; whoever needs it is told.
        let chosen = kubeconfig::find(&options, None).ok().map(|found| found.scene.context);
        Self { options, chosen, line: Mutex::default() }
    }

    /// The context that was chosen, if there is one.
    pub(super) fn chosen(&self) -> Option<&str> {
        self.chosen.as_deref()
    }

    /// Why no API server is ever asked; `None` if one is.
    pub(super) fn memory(&self) -> Option<&'static str> {
        if self.options.fixture.is_some() {
            Some("a recording")
        } else if self.options.layer == Some(Layer::Ghost) {
            Some("the Ghost, a memory,")
        } else {
            None
        }
    }

    /// The connection. Made when it is first needed, and anew when the
    /// kubeconfig has changed, its credentials have ended, or it was of no use.
    pub(super) async fn line(&self) -> Result<Arc<Line>, SourceError> {
        let mut line = self.line.lock().await;
        if let Some(line) = line.as_ref().filter(|line| line.is_fresh(clock::now())) {
            return Ok(line.clone());
        }
        let target = kubeconfig::target(&self.options, self.chosen())?;
        let new = Arc::new(Line::open(target, &self.options).await?);
        *line = Some(new.clone());
        Ok(new)
    }

    /// Takes a connection away that is of no use, unless there is another already.
    pub(super) async fn forget(&self, broken: &Arc<Line>) {
        let mut line = self.line.lock().await;
        if line.as_ref().is_some_and(|line| Arc::ptr_eq(line, broken)) {
            *line = None;
        }
    }
}

impl Line {
    async fn open(target: Target, options: &Options) -> Result<Self, SourceError> {
        let files: Vec<(PathBuf, Stamp)> =
            target.files.iter().map(|path| (path.clone(), kubeconfig::stamp(path))).collect();
        // Logs are followed for hours: each question has its own time limit.
        let (wire, expires) = connect(&target, Patience::Watch(options.timeout())).await?;
        let Target { scope, own_namespace, .. } = target;
        Ok(Self { wire, scope, own_namespace, user: OnceCell::new(), expires, files })
    }

    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
            && self.files.iter().all(|(path, stamp)| kubeconfig::stamp(path) == *stamp)
    }

    /// As whom the API server knows us, as it writes it. Asked once.
    pub(super) async fn user(&self) -> Result<&str, SourceError> {
        let user = self.user.get_or_try_init(async || {
            let ask = Ask::new("create", "selfsubjectreviews.authentication.k8s.io");
            let review = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
            let answer = self.wire.post(&ask, "/apis/authentication.k8s.io/v1/selfsubjectreviews", &review).await?;
            let name = answer.pointer("/status/userInfo/username").and_then(serde_json::Value::as_str);
            name.filter(|name| !name.is_empty()).map(str::to_owned).ok_or_else(|| SourceError::Unreadable {
                what: ask.resource.clone(),
                problem: "it does not say who we are".to_owned(),
            })
        });
        user.await.map(String::as_str)
    }
}
