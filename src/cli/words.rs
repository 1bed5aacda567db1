//! How the sources stand, in words.

use kgents_store::Kind;
use kgents_store::watch::{Link, Scene, WatchState};

/// What is looked at.
pub(crate) fn scene(scene: &Scene) -> String {
    let Scene { context, server, .. } = scene;
    let whence = match (context.is_empty(), server.is_empty()) {
        (true, _) => server.clone(),
        (false, true) => context.clone(),
        (false, false) => format!("{context} ({server})"),
    };
    format!("{whence}, {}", scope(scene))
}

/// How much of it is read.
pub(crate) fn scope(scene: &Scene) -> String {
    match &scene.namespace {
        Some(namespace) => format!("namespace {namespace}"),
        None => "all namespaces".to_owned(),
    }
}

/// How the connection stands.
pub(crate) fn link(link: &Link) -> String {
    match link {
        Link::Connecting => "connecting".to_owned(),
        Link::Up { version } if version.is_empty() => "connected".to_owned(),
        Link::Up { version } => format!("connected: Kubernetes {version}"),
        Link::Down { error, hint, .. } if hint.is_empty() => format!("down: {error}"),
        Link::Down { error, hint, .. } => format!("down: {error}; try: {hint}"),
    }
}

/// How a kind is heard.
pub(crate) fn watch(kind: Kind, state: &WatchState) -> String {
    match state {
        WatchState::Waiting => "not asked yet".to_owned(),
        WatchState::Listing => "being listed".to_owned(),
        WatchState::Live => "listed".to_owned(),
        WatchState::Missing if kind.is_custom() => "not installed; try: kgents crd install".to_owned(),
        WatchState::Missing => "the API server does not know this resource".to_owned(),
        WatchState::Forbidden { verb, resource, namespace } => {
            let place = namespace
                .as_ref()
                .map_or_else(|| " in the whole cluster".to_owned(), |namespace| format!(" in namespace {namespace}"));
            format!("you are not allowed to {verb} {resource}{place}")
        }
        WatchState::Failing { error, .. } => format!("no useful answer: {error}"),
    }
}

/// Puts a name to what is said of it, beside others of which the same is said.
pub(crate) fn group<'a>(said: &mut Vec<(String, Vec<&'a str>)>, words: String, name: &'a str) {
    match said.iter_mut().find(|(same, _)| *same == words) {
        Some((_, names)) => names.push(name),
        None => said.push((words, vec![name])),
    }
}
