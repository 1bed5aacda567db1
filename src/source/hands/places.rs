//! Where one could look: contexts and namespaces.

use futures::stream::{self, StreamExt};
use kgents_store::request::{Answer, ContextFacts};
use kgents_store::{Kind, sanitize};

use super::desk::{Desk, Line};
use super::failure::Failure;
use crate::error::SourceError;
use crate::kube::{Access, kubeconfig, namespaces};

/// How many namespaces are asked about at once.
const AT_ONCE: usize = 8;

/// The contexts of the kubeconfig.
pub(super) async fn contexts(desk: &Desk) -> Result<Answer, Failure> {
    let (options, chosen) = (desk.options.clone(), desk.chosen().map(str::to_owned));
    let read = tokio::task::spawn_blocking(move || kubeconfig::contexts(&options, chosen.as_deref()));
    let contexts: Vec<ContextFacts> = match read.await {
        Ok(contexts) => contexts?,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => std::future::pending().await,
    };
    Ok(Answer::Contexts(contexts))
}

/// The namespaces, or where they may not be listed those that may be read of
/// the ones that are likely.
pub(super) async fn namespaces(line: &Line) -> Result<Answer, Failure> {
    let refusal = match line.wire.all_namespaces().await {
        Ok(names) => return Ok(answered(names)),
        Err(error @ SourceError::Forbidden { .. }) => error,
        Err(error) => return Err(error.into()),
    };
    let likely = namespaces::likely(line.scope.one().or(line.own_namespace.as_deref()));
    let allowed: Vec<Result<Option<String>, SourceError>> = stream::iter(likely)
        .map(|name| async move {
            let access = Access {
                group: Kind::Agent.group(),
                resource: Kind::Agent.plural(),
                subresource: "",
                verb: "list",
                namespace: Some(&name),
            };
            let may = line.wire.may(&access).await?;
            Ok(may.then_some(name))
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    let names: Vec<String> = allowed.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
    if names.is_empty() {
        return Err(refusal.into());
    }
    Ok(answered(names))
}

fn answered(mut names: Vec<String>) -> Answer {
    for name in &mut names {
        *name = sanitize::text(name).into_owned();
    }
    names.sort();
    names.dedup();
    Answer::Namespaces(names)
}
