//! Every request of the operator but those of the watches: limited in time,
//! counted, and a write only while we lead.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use kgents_core::plan::{Apply, Child, Delete, Expect, Resource};
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, Preconditions, ValidationDirective};
use kube::core::{Request as Builder, Status};
use kube::{Client, Error};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::classify::{self, Verdict};
use crate::key::{Key, Kind};
use crate::lease::Leadership;
use crate::metrics::Metrics;

/// Why there is no answer to a request, or none that we wanted.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It was not sent: we do not lead, or are about to end.
    NotNow,
    /// The API server refused.
    Refused(Box<Status>),
    /// No answer came, or none that can be read. A write may have been made.
    Unheard(String),
}

impl Failure {
    /// The code of the answer; 0 without one.
    pub(crate) fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            Self::NotNow | Self::Unheard(_) => 0,
        }
    }

    /// What it means for the object.
    pub(crate) fn verdict(&self) -> Verdict {
        match self {
            Self::Refused(status) => classify::classify(Some(status)),
            Self::NotNow | Self::Unheard(_) => classify::classify(None),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotNow => f.write_str("not sent: this replica does not lead"),
            Self::Refused(status) => write!(f, "{} {}", status.code, classify::clean(&status.message)),
            Self::Unheard(problem) => f.write_str(problem),
        }
    }
}

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    leadership: Leadership,
    metrics: Arc<Metrics>,
    limit: Duration,
    /// Fires when no write may start any more.
    closing: CancellationToken,
}

impl Caller {
    pub(crate) fn new(
        client: Client,
        leadership: Leadership,
        metrics: Arc<Metrics>,
        limit: Duration,
        closing: CancellationToken,
    ) -> Self {
        Self { client, leadership, metrics, limit, closing }
    }

    /// Applies an object and returns it as it is now.
    pub(crate) async fn apply(&self, apply: &Apply) -> Result<Value, Failure> {
        let Child { resource, namespace, name } = &apply.child;
        let (force, reason) = match apply.expect {
            Expect::Absent => (false, "create"),
            Expect::Present { .. } => (true, "change"),
        };
        let params = PatchParams {
            field_manager: Some(apply.manager().to_owned()),
            force,
            field_validation: Some(ValidationDirective::Strict),
            dry_run: false,
        };
        let builder = Builder::new(resource.collection(Some(namespace)));
        let request = builder.patch(name, &params, &Patch::Apply(apply.wire()));
        self.write("patch", resource.plural(), reason, request).await
    }

    /// Applies a status and returns the object as it is now. An object of
    /// another uid is left alone.
    pub(crate) async fn status(&self, key: &Key, uid: &str, body: &Value) -> Result<Value, Failure> {
        let kind = Kind::from(key.controller);
        let object = json!({
            "apiVersion": kgents_api::API_VERSION,
            "kind": key.controller.kind(),
            "metadata": { "namespace": key.namespace, "name": key.name, "uid": uid },
            "status": body,
        });
        let params = PatchParams {
            field_manager: Some(Resource::STATUS_MANAGER.to_owned()),
            force: true,
            field_validation: Some(ValidationDirective::Strict),
            dry_run: false,
        };
        let builder = Builder::new(kind.collection(Some(&key.namespace)));
        let request = builder.patch_subresource("status", &key.name, &params, &Patch::Apply(object));
        self.write("patch", status_of(kind), "status", request).await
    }

    /// Deletes an object. Returns what is left of it while it goes, or a
    /// Status if nothing is.
    pub(crate) async fn delete(&self, delete: &Delete) -> Result<Value, Failure> {
        let Child { resource, namespace, name } = &delete.child;
        let resource_version = delete.resource_version.clone();
        let preconditions = Preconditions { uid: Some(delete.uid.clone()), resource_version };
        let params = DeleteParams::background().preconditions(preconditions);
        let request = Builder::new(resource.collection(Some(namespace))).delete(name, &params);
        self.write("delete", resource.plural(), "delete", request).await
    }

    /// One object as it is now.
    pub(crate) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Result<Value, Failure> {
        let request = Builder::new(kind.collection(Some(namespace))).get(name, &GetParams::default());
        self.send("get", kind.plural(), "conflict", request).await
    }

    async fn write(
        &self,
        verb: &'static str,
        resource: &'static str,
        reason: &'static str,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, Failure> {
        if self.closing.is_cancelled() || !self.leadership.may_write(self.limit) {
            return Err(Failure::NotNow);
        }
        self.send(verb, resource, reason, request).await
    }

    async fn send(
        &self,
        verb: &'static str,
        resource: &'static str,
        reason: &'static str,
        request: Result<Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, Failure> {
        let request = request.map_err(|error| Failure::Unheard(error.to_string()))?;
        let begun = Instant::now();
        let answer = timeout(self.limit, self.client.request::<Value>(request)).await;
        let answer = match answer {
            Ok(Ok(object)) => Ok(object),
            Ok(Err(Error::Api(status))) => Err(Failure::Refused(status)),
            Ok(Err(error)) => Err(Failure::Unheard(classify::clean(&error.to_string()))),
            Err(_) => Err(Failure::Unheard(format!("no answer within {:?}", self.limit))),
        };
        // 200 and 201 are not told apart by the client.
        let code = answer.as_ref().map_or_else(Failure::code, |_| 200);
        self.metrics.called(verb, resource, reason, code, begun.elapsed());
        match &answer {
            Ok(_) => tracing::debug!(verb, resource, reason, "answered"),
            Err(failure) => tracing::debug!(verb, resource, reason, %failure, "refused"),
        }
        answer
    }
}

/// The status of a kind, as RBAC names it.
pub(crate) const fn status_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Agent => "agents/status",
        Kind::Of(Resource::Memory) => "memories/status",
        Kind::Of(Resource::Umwelt) => "umwelts/status",
        Kind::Of(resource) => resource.plural(),
    }
}
