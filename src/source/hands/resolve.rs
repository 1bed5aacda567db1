//! Where an object stands whose kind is known only by its name.

use kgents_store::Kind;
use kgents_store::key::encoded;
use serde::Deserialize;

use super::desk::Line;
use super::failure::Failure;
use crate::kube::{Ask, segment, words};

/// An object, as its API version and kind name it.
pub(super) struct Place {
    /// Its resource with its group, as RBAC names it.
    pub(super) resource: String,
    /// Where the objects of its kind stand.
    pub(super) collection: String,
    /// Its namespace; `None` for what stands in none.
    pub(super) namespace: Option<String>,
    /// Its name.
    pub(super) name: String,
}

impl Place {
    /// Its own path.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.collection, encoded(&self.name))
    }

    /// A question about it.
    pub(super) fn ask(&self, verb: &'static str) -> Ask {
        let ask = Ask::new(verb, &self.resource).named(&self.name);
        Ask { namespace: self.namespace.clone(), ..ask }
    }
}

#[derive(Deserialize)]
struct Resources {
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    namespaced: bool,
}

/// Finds where an object stands. Asks the API server which resource a kind is,
/// unless it is one of those that we know.
pub(super) async fn resolve(
    line: &Line,
    api_version: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> Result<Place, Failure> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    segment("API version", version)?;
    segment("name", name)?;
    segment("namespace", namespace)?;
    if let Some(known) = Kind::named(kind).filter(|known| known.group() == group && version == "v1") {
        return Ok(Place {
            resource: known.resource(),
            collection: known.path(Some(namespace)),
            namespace: Some(namespace.to_owned()),
            name: name.to_owned(),
        });
    }
    let root = if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{}/{version}", segment("API group", group)?)
    };
    let ask = Ask::new("get", &words::clean(api_version));
    let found: Resources = line.wire.json(&ask, &root).await.and_then(|json| {
        serde_json::from_value(json).map_err(|error| crate::SourceError::Unreadable {
            what: ask.resource.clone(),
            problem: words::clean(&error.to_string()),
        })
    })?;
    let resource = found.resources.into_iter().find(|found| found.kind == kind && !found.name.contains('/'));
    let Some(Resource { name: plural, namespaced, .. }) = resource else {
        let (kind, version) = (words::clean(kind), words::clean(api_version));
        return Err(
            Failure::new(format!("the API server knows no kind {kind} in {version}")).hint("kubectl api-resources")
        );
    };
    let plural = segment("resource", &plural)?.to_owned();
    let (collection, namespace) = if namespaced {
        (format!("{root}/namespaces/{}/{plural}", encoded(namespace)), Some(namespace.to_owned()))
    } else {
        (format!("{root}/{plural}"), None)
    };
    let resource = if group.is_empty() { plural } else { format!("{plural}.{group}") };
    Ok(Place { resource, collection, namespace, name: name.to_owned() })
}
