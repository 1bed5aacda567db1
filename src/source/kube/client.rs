//! Single questions, for the command line: retries off, a time limit on each.

use std::time::Duration;

use ::kube::Api;
use ::kube::api::{Patch, PatchParams};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, CustomResourceDefinitionCondition,
};
use kgents_api::{NAMESPACE_AGENTS, Pheromone};
use kgents_store::object::{Decoded, decode};
use kgents_store::planned::Operator;
use kgents_store::watch::Scene;
use kgents_store::{Key, Kind, Planned, act};
use serde_json::Value;

use super::connect::{Patience, connect};
use super::explain::Ask;
use super::kubeconfig::{self, Scope};
use super::namespaces;
use super::wire::{Wire, labels_of, segment, warn_nameless};
use super::words;
use crate::clock;
use crate::compost::{self, Compost, Leftover, Swept};
use crate::error::SourceError;
use crate::options::Options;
use crate::plan;

/// CRDs, as RBAC names them.
pub(super) const CRDS: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// Under which name CRDs are installed.
const CRD_MANAGER: &str = "kgents-crd";
/// How many namespaces are asked at once.
const AT_ONCE: usize = 8;
/// How often a list is begun anew when it grew too old between two pages.
const MAX_RESTARTS: usize = 3;
/// How long between two looks at a CRD that is not established yet.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Asks an API server single questions.
#[derive(Clone)]
pub struct Client {
    wire: Wire,
    scene: Scene,
    scope: Scope,
    own_namespace: Option<String>,
}

/// The answer to a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The objects, by namespace and name.
    pub items: Vec<Decoded>,
    /// When the API server said so.
    pub as_of: Timestamp,
    /// Namespaces that may not be read, where others may.
    pub refused: Vec<String>,
}

impl Client {
    /// Reads the kubeconfig and makes a client. Runs the credential plugin if
    /// there is one, but does not ask the API server anything yet.
    ///
    /// # Errors
    /// When the kubeconfig or its credentials cannot be used.
    pub async fn connect(options: &Options) -> Result<Self, SourceError> {
        let target = kubeconfig::target(options, None)?;
        let (wire, _) = connect(&target, Patience::Question(options.timeout())).await?;
        let super::kubeconfig::Target { scene, scope, own_namespace, .. } = target;
        Ok(Self { wire, scene: words::scene(&scene), scope, own_namespace })
    }

    /// What is looked at.
    pub fn scene(&self) -> &Scene {
        &self.scene
    }

    /// Where new objects go: the namespace of the flag, else of the context,
    /// else where agents live by convention.
    pub fn default_namespace(&self) -> &str {
        match &self.scope {
            Scope::One(namespace) => namespace,
            Scope::All => self.own_namespace.as_deref().unwrap_or(NAMESPACE_AGENTS),
        }
    }

    /// The API server's version, as it says it.
    ///
    /// # Errors
    /// When there is no such answer.
    pub async fn server_version(&self) -> Result<String, SourceError> {
        self.wire.version().await
    }

    /// All objects of a kind that are ours and may be read. The selector is a
    /// label selector as kubectl takes it.
    ///
    /// # Errors
    /// When there is no answer, or nothing of it may be read.
    pub async fn list(&self, kind: Kind, selector: Option<&str>) -> Result<Listed, SourceError> {
        let own = labels_of(kind).map(str::to_owned);
        let given = selector.filter(|selector| !selector.trim().is_empty()).map(str::to_owned);
        let labels: Vec<String> = own.into_iter().chain(given).collect();
        let labels = (!labels.is_empty()).then(|| labels.join(","));
        self.list_by(kind, labels.as_deref(), None).await
    }

    async fn list_by(&self, kind: Kind, labels: Option<&str>, fields: Option<&str>) -> Result<Listed, SourceError> {
        let within = match &self.scope {
            Scope::One(namespace) => Some(namespace.as_str()),
            Scope::All => None,
        };
        match self.list_in(kind, within, labels, fields).await {
            Err(refusal @ SourceError::Forbidden { .. }) if within.is_none() => {
                self.list_readable(kind, labels, fields, refusal).await
            }
            listed => listed,
        }
    }

    /// What may be read of a cluster that may not be read as a whole.
    async fn list_readable(
        &self,
        kind: Kind,
        labels: Option<&str>,
        fields: Option<&str>,
        refusal: SourceError,
    ) -> Result<Listed, SourceError> {
        let names = namespaces::candidates(&self.wire, self.own_namespace.as_deref()).await;
        let answers: Vec<_> = stream::iter(names)
            .map(|name| async move {
                let listed = self.list_in(kind, Some(&name), labels, fields).await;
                (name, listed)
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        let mut all: Option<Listed> = None;
        let mut refused = Vec::new();
        for (name, answer) in answers {
            match answer {
                Ok(listed) => match &mut all {
                    Some(all) => {
                        all.items.extend(listed.items);
                        all.as_of = all.as_of.min(listed.as_of);
                    }
                    None => all = Some(listed),
                },
                Err(SourceError::Forbidden { .. }) => refused.push(name),
                Err(error) => return Err(error),
            }
        }
        let mut all = all.ok_or(refusal)?;
        all.items.sort_by(|a, b| a.key.cmp(&b.key));
        refused.sort();
        all.refused = refused;
        Ok(all)
    }

    async fn list_in(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Listed, SourceError> {
        let mut restarts = 0;
        'anew: loop {
            let mut listed = Listed { items: Vec::new(), as_of: clock::now(), refused: Vec::new() };
            let mut next = None;
            loop {
                let (labels, fields) = (labels.map(str::to_owned), fields.map(str::to_owned));
                let page = match self.wire.page(kind, namespace, labels, fields, next).await {
                    Err(SourceError::Expired { .. }) if restarts < MAX_RESTARTS => {
                        restarts += 1;
                        continue 'anew;
                    }
                    page => page?,
                };
                for problem in &page.nameless {
                    warn_nameless(kind, problem);
                }
                listed.items.extend(page.items);
                next = page.next;
                if next.is_none() {
                    return Ok(listed);
                }
            }
        }
    }

    /// One object by its name. Without a namespace it is looked for wherever
    /// this client looks.
    ///
    /// # Errors
    /// When there is none, or more than one, or no answer.
    pub async fn get(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Result<Decoded, SourceError> {
        let namespace = match (namespace, &self.scope) {
            (Some(namespace), _) => namespace,
            (None, Scope::One(namespace)) => namespace.as_str(),
            (None, Scope::All) => return self.find(kind, name).await,
        };
        let json = self.wire.get(kind, namespace, name).await?;
        self.decoded("get", kind, &json)
    }

    async fn find(&self, kind: Kind, name: &str) -> Result<Decoded, SourceError> {
        let field = format!("metadata.name={}", segment("name", name)?);
        let mut found = self.list_by(kind, None, Some(&field)).await?.items;
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            (Some(last), false) => {
                found.push(last);
                let namespaces = found.iter().map(|object| object.key.namespace().to_owned()).collect();
                Err(SourceError::Ambiguous { resource: kind.resource(), name: name.to_owned(), namespaces })
            }
            (None, _) => {
                Err(SourceError::NotFound { resource: kind.resource(), name: name.to_owned(), namespace: None })
            }
        }
    }

    fn decoded(&self, verb: &'static str, kind: Kind, json: &str) -> Result<Decoded, SourceError> {
        // First as JSON at all: a page for a browser is no unreadable object.
        let ask = Ask::of(verb, kind, None);
        self.wire.read::<serde::de::IgnoredAny>(&ask, json)?;
        decode(kind, json)
            .map_err(|problem| SourceError::Unreadable { what: kind.resource(), problem: words::clean(&problem) })
    }

    /// What an operator would do about one object, looked for as by
    /// [`Client::get`]; who would do it, by its Lease in `lease` or where that
    /// is by convention.
    ///
    /// # Errors
    /// When there is no such object, or more than one, or no answer. What else
    /// cannot be read is told in [`Planned::missing`].
    pub async fn plan(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        lease: Option<&str>,
    ) -> Result<Planned, SourceError> {
        let key = match (namespace, &self.scope) {
            (Some(namespace), _) => Key::new(namespace, name),
            (None, Scope::One(namespace)) => Key::new(namespace, name),
            (None, Scope::All) => self.find(kind, name).await?.key,
        };
        plan::planned(&self.wire, kind, &key, lease).await
    }

    /// What an operator would do once this object was applied. It goes where it
    /// says, else where new objects go.
    ///
    /// # Errors
    /// When it cannot be read or has no name, or there is no answer.
    pub async fn plan_draft(&self, kind: Kind, draft: &Value, lease: Option<&str>) -> Result<Planned, SourceError> {
        let text = |pointer: &str| draft.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let Some(name) = text("/metadata/name") else {
            return Err(SourceError::Invalid {
                message: format!("a {kind} without metadata.name cannot be planned for"),
            });
        };
        let key = Key::new(text("/metadata/namespace").unwrap_or_else(|| self.default_namespace()), name);
        plan::drafted(&self.wire, kind, &key, draft, lease).await
    }

    /// Who makes the cluster what the custom resources say, by its Lease in
    /// `lease` or where that is by convention. What cannot be learned of it
    /// says why.
    pub async fn operator(&self, lease: Option<&str>) -> Operator {
        plan::operator(&self.wire, lease).await
    }

    /// What agents that are gone left behind to be composted.
    ///
    /// # Errors
    /// When there is no answer, or something of it may not be read: then it is
    /// not known which agents live.
    pub async fn compost(&self) -> Result<Compost, SourceError> {
        let within = match &self.scope {
            Scope::One(namespace) => Some(namespace.as_str()),
            Scope::All => None,
        };
        compost::find(&self.wire, within).await
    }

    /// Deletes something that was left behind, if it is still as it was listed
    /// and its agent is still gone.
    ///
    /// # Errors
    /// When the API server refuses it or does not answer.
    pub async fn sweep(&self, item: &Leftover) -> Result<Swept, SourceError> {
        compost::sweep(&self.wire, item).await
    }

    /// Makes a pheromone and returns it as the API server keeps it.
    ///
    /// # Errors
    /// When the API server refuses it or does not answer. After a time-out
    /// nobody knows whether it was made.
    pub async fn create_pheromone(&self, namespace: &str, object: &Pheromone) -> Result<Decoded, SourceError> {
        segment("namespace", namespace)?;
        let ask = Ask::of("create", Kind::Pheromone, Some(namespace));
        let json = self.wire.perform(&ask, &act::emit(namespace, object)).await.map_err(|undone| undone.error)?;
        self.decoded("create", Kind::Pheromone, &json)
    }

    #[cfg(test)]
    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    async fn crd(&self, name: &str) -> Result<Option<CustomResourceDefinition>, SourceError> {
        crd(&self.wire, name).await
    }

    /// Our CRDs that are installed, in the order of [`kgents_api::crd::all`].
    ///
    /// # Errors
    /// When they may not be read or there is no answer.
    pub async fn crds(&self) -> Result<Vec<CustomResourceDefinition>, SourceError> {
        let names: Vec<String> = kgents_api::crd::all().into_iter().filter_map(|crd| crd.metadata.name).collect();
        let found = try_join_all(names.iter().map(|name| self.crd(name))).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Installs a CRD or brings it to this state: server-side apply, forced.
    ///
    /// # Errors
    /// When the API server refuses it or does not answer.
    pub async fn install_crd(&self, crd: &CustomResourceDefinition) -> Result<(), SourceError> {
        let name = crd.metadata.name.as_deref().unwrap_or_default();
        let ask = Ask::new("patch", CRDS).named(name);
        let (api, params, patch) = (crd_api(&self.wire), PatchParams::apply(CRD_MANAGER).force(), Patch::Apply(crd));
        self.wire.answer(&ask, api.patch(name, &params, &patch)).await.map(drop)
    }

    /// Waits until the API server serves these CRDs.
    ///
    /// # Errors
    /// When one is refused, or not served within the limit, or there is no answer.
    pub async fn wait_established(&self, names: &[String], limit: Duration) -> Result<(), SourceError> {
        let mut missing: Vec<String> = names.to_vec();
        let mut problem = String::new();
        let wait = async {
            loop {
                let found = try_join_all(missing.iter().map(|name| self.crd(name))).await?;
                let mut later = Vec::new();
                problem.clear();
                for (name, crd) in missing.drain(..).zip(found) {
                    match established(crd.as_ref()) {
                        Ok(()) => {}
                        Err(why) => {
                            if later.is_empty() {
                                problem = why;
                            }
                            later.push(name);
                        }
                    }
                }
                missing = later;
                if missing.is_empty() {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        match tokio::time::timeout(limit, wait).await {
            Ok(done) => done,
            Err(_) => Err(SourceError::NotEstablished { names: missing, limit, problem }),
        }
    }
}

fn crd_api(wire: &Wire) -> Api<CustomResourceDefinition> {
    Api::all(wire.client().clone())
}

/// A CRD, if it is installed.
pub(super) async fn crd(wire: &Wire, name: &str) -> Result<Option<CustomResourceDefinition>, SourceError> {
    let ask = Ask::new("get", CRDS).named(name);
    wire.answer(&ask, crd_api(wire).get_opt(name)).await
}

/// Whether a CRD is served, or why not.
fn established(crd: Option<&CustomResourceDefinition>) -> Result<(), String> {
    let Some(crd) = crd else { return Err("it is not installed".to_owned()) };
    let conditions = crd.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let is = |type_: &str, status: &str| conditions.iter().find(|found| found.type_ == type_ && found.status == status);
    if is("Established", "True").is_some() && is("Terminating", "True").is_none() {
        return Ok(());
    }
    let why = is("Terminating", "True").or_else(|| is("NamesAccepted", "False"));
    let said =
        |condition: &CustomResourceDefinitionCondition| words::clean(condition.message.as_deref().unwrap_or_default());
    Err(why.map(said).unwrap_or_default())
}
