//! What can go wrong between us and an API server, in words.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// The API server that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Its URL.
    pub server: String,
    /// The kubeconfig context that names it; empty within a cluster.
    pub context: String,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.server)
    }
}

/// Why a question had no answer. Each says what failed and on what;
/// [`SourceError::hint`] says what to type next. Text that came from outside
/// is cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// There is no kubeconfig, and this is not a pod.
    #[error("there is no kubeconfig: looked for {}", paths(tried))]
    NoKubeconfig {
        /// The files that were looked for.
        tried: Vec<PathBuf>,
    },
    /// The kubeconfig cannot be used.
    #[error("the kubeconfig {} cannot be used: {problem}", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the line where that is known.
        problem: String,
    },
    /// The kubeconfig has no such context, or none is set as the current one.
    #[error("{}", no_context(name.as_deref(), path, near))]
    NoContext {
        /// The context that was asked for; `None` if none was and none is current.
        name: Option<String>,
        /// The kubeconfig.
        path: PathBuf,
        /// Names that are there, the most similar first.
        near: Vec<String>,
    },
    /// The kubeconfig's credential plugin gave no credentials.
    #[error("the credential plugin `{command}` gave no credentials: {problem}")]
    Plugin {
        /// The command with its arguments, as a person types it.
        command: String,
        /// What happened.
        problem: String,
    },
    /// No connection.
    #[error("cannot connect to {origin}: {problem}")]
    Connect {
        /// Who was asked.
        origin: Arc<Origin>,
        /// What happened.
        problem: String,
    },
    /// A connection, but no trust.
    #[error("no secure connection to {origin}: {problem}")]
    Tls {
        /// Who was asked.
        origin: Arc<Origin>,
        /// What is wrong, and with whose certificate.
        problem: String,
    },
    /// No answer in time.
    #[error("{origin} did not answer within {limit:?}")]
    Timeout {
        /// Who was asked.
        origin: Arc<Origin>,
        /// How long we waited.
        limit: Duration,
    },
    /// An answer that nobody can serve us now (429, 502, 503, 504).
    #[error("{origin} is not available now: {code} {message}")]
    Unavailable {
        /// Who was asked.
        origin: Arc<Origin>,
        /// The HTTP status.
        code: u16,
        /// What it said.
        message: String,
    },
    /// An answer that no API server gives.
    #[error("{origin} does not look like a Kubernetes API server: it answered {saw}")]
    NotKubernetes {
        /// Who was asked.
        origin: Arc<Origin>,
        /// The beginning of what it said.
        saw: String,
    },
    /// Nobody listens where a Cortex is looked for.
    #[error("no Cortex listens at {}", tried.join(" or "))]
    NoCortex {
        /// The places that were tried.
        tried: Vec<String>,
    },
    /// Somebody listens where a Cortex is looked for, but is of no use.
    #[error("the Cortex at {address} {problem}")]
    Cortex {
        /// Where.
        address: String,
        /// What is wrong with it, as the rest of the sentence.
        problem: String,
    },
    /// The Ghost knows nothing of use.
    #[error("the Ghost in {} {problem}", path.display())]
    NoGhost {
        /// Its folder.
        path: PathBuf,
        /// What is wrong, as the rest of the sentence.
        problem: String,
    },
    /// The credentials are refused (401).
    #[error("{origin} refuses the credentials: {problem}")]
    Unauthorized {
        /// Who was asked.
        origin: Arc<Origin>,
        /// Why, as far as it is known.
        problem: String,
    },
    /// The credentials are good but do not allow this (403).
    #[error("not allowed to {verb} {resource}{}: {detail}", place(namespace.as_deref()))]
    Forbidden {
        /// Who was asked.
        origin: Arc<Origin>,
        /// What was asked: get, list, watch, create, patch.
        verb: String,
        /// The resource with its group, as RBAC names it.
        resource: String,
        /// Where; `None` for the whole cluster.
        namespace: Option<String>,
        /// What the API server said.
        detail: String,
    },
    /// The API server does not know the resource.
    #[error("the API server does not know {resource}{}", if is_ours(resource) { ": the CRDs are not installed" } else { "" })]
    Missing {
        /// The resource with its group.
        resource: String,
    },
    /// There is no such object.
    #[error("{resource} {name} not found{}", place(namespace.as_deref()))]
    NotFound {
        /// The resource with its group.
        resource: String,
        /// The name that was asked for.
        name: String,
        /// Where; `None` for the whole cluster.
        namespace: Option<String>,
    },
    /// There are several objects of this name.
    #[error("there are several {resource} named {name}, in the namespaces {}", namespaces.join(", "))]
    Ambiguous {
        /// The resource with its group.
        resource: String,
        /// The name that was asked for.
        name: String,
        /// The namespaces that have one.
        namespaces: Vec<String>,
    },
    /// Another object or another writer is in the way (409).
    #[error("{message}")]
    Conflict {
        /// What the API server said.
        message: String,
    },
    /// The API server refuses what was sent (400, 422), or we do before it is.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
    },
    /// What was asked for is too old to be had (410).
    #[error("the API server no longer has this state of {resource}")]
    Expired {
        /// The resource with its group.
        resource: String,
    },
    /// Any other error of the API server.
    #[error("the API server answered {code}: {message}")]
    Api {
        /// The HTTP status.
        code: u16,
        /// What it said.
        message: String,
    },
    /// An answer whose form we do not know.
    #[error("the answer about {what} cannot be read: {problem}")]
    Unreadable {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        problem: String,
    },
    /// CRDs are there but the API server does not serve them yet.
    #[error("not established after {limit:?}: {}{}", names.join(", "), said(problem))]
    NotEstablished {
        /// Names of the CRDs.
        names: Vec<String>,
        /// How long we waited.
        limit: Duration,
        /// What the API server says about the first of them.
        problem: String,
    },
}

impl SourceError {
    /// Whether nobody answered who could have: exit code 4. False when an API
    /// server answered, even if it refused.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::NoKubeconfig { .. }
            | Self::Kubeconfig { .. }
            | Self::Plugin { .. }
            | Self::Connect { .. }
            | Self::Tls { .. }
            | Self::Timeout { .. }
            | Self::Unavailable { .. }
            | Self::NotKubernetes { .. }
            | Self::NoCortex { .. }
            | Self::Cortex { .. }
            | Self::NoGhost { .. } => true,
            Self::NoContext { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Missing { .. }
            | Self::NotFound { .. }
            | Self::Ambiguous { .. }
            | Self::Conflict { .. }
            | Self::Invalid { .. }
            | Self::Expired { .. }
            | Self::Api { .. }
            | Self::Unreadable { .. }
            | Self::NotEstablished { .. } => false,
        }
    }

    /// Whether a memory may stand in for the answer: nobody answered, or only
    /// to say that it does not know us. Who answers and says no is believed.
    pub fn is_silence(&self) -> bool {
        self.is_unreachable() || matches!(self, Self::Unauthorized { .. })
    }

    /// The next command to type, if there is one that helps.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoKubeconfig { .. } => "kgents observe --kubeconfig FILE".to_owned(),
            Self::Kubeconfig { path, .. } => {
                format!("kubectl config view --kubeconfig {}", quoted(&path.to_string_lossy()))
            }
            Self::NoCortex { .. } => "kgents cortex serve".to_owned(),
            Self::Cortex { .. } => "kgents doctor".to_owned(),
            Self::NoGhost { .. } => "kgents ghost sync".to_owned(),
            Self::NoContext { name: Some(_), near, .. } if !near.is_empty() => {
                let near = near.first().map(|name| quoted(name)).unwrap_or_default();
                format!("kgents observe --context {near}")
            }
            Self::NoContext { path, .. } => {
                format!("kubectl config get-contexts --kubeconfig {}", quoted(&path.to_string_lossy()))
            }
            Self::Plugin { command, .. } => command.clone(),
            Self::Connect { origin, .. } | Self::Timeout { origin, .. } | Self::Unavailable { origin, .. } => {
                kubectl("get --raw /readyz", origin)
            }
            Self::Tls { origin, .. } | Self::NotKubernetes { origin, .. } => kubectl("config view --minify", origin),
            Self::Unauthorized { origin, .. } => kubectl("auth whoami", origin),
            Self::Forbidden { origin, verb, resource, namespace, .. } => {
                let scope = match namespace {
                    Some(namespace) => format!("-n {}", quoted(namespace)),
                    None => "-A".to_owned(),
                };
                let (resource, sub) = parts(resource);
                let sub = sub.map(|sub| format!(" --subresource={sub}")).unwrap_or_default();
                kubectl(&format!("auth can-i {verb} {resource}{sub} {scope}"), origin)
            }
            Self::Missing { resource } if is_ours(resource) => "kgents crd install".to_owned(),
            Self::Missing { .. } => "kubectl api-resources".to_owned(),
            Self::NotFound { resource, name, .. } if resource == "namespaces" => {
                format!("kubectl create namespace {}", quoted(name))
            }
            Self::NotFound { resource, .. } => match resource.split_once('.') {
                Some((ours @ ("agents" | "pheromones" | "proposals"), _)) => format!("kgents {ours} list"),
                _ => format!("kubectl get {resource} -A"),
            },
            Self::Ambiguous { resource, name, namespaces } => {
                let namespace = namespaces.first().map(|namespace| quoted(namespace)).unwrap_or_default();
                let (name, plural) = (quoted(name), resource.split('.').next().unwrap_or_default());
                match plural {
                    "agents" | "pheromones" | "proposals" => format!("kgents {plural} describe {name} -n {namespace}"),
                    _ => format!("kubectl get {resource} {name} -n {namespace}"),
                }
            }
            Self::NotEstablished { names, .. } => format!("kubectl describe crd {}", names.join(" ")),
            Self::Conflict { .. }
            | Self::Invalid { .. }
            | Self::Expired { .. }
            | Self::Api { .. }
            | Self::Unreadable { .. } => return None,
        })
    }
}

fn is_ours(resource: &str) -> bool {
    resource.split_once('.').is_some_and(|(_, group)| group == kgents_api::GROUP)
}

/// A resource as we name it, as kubectl takes it: `agents/scale.kgents.io` is
/// the subresource `scale` of `agents.kgents.io`.
pub(crate) fn parts(resource: &str) -> (String, Option<&str>) {
    match resource.split_once('/') {
        Some((plural, rest)) if !plural.is_empty() && !plural.contains('.') => match rest.split_once('.') {
            Some((sub, group)) => (format!("{plural}.{group}"), Some(sub)),
            None => (plural.to_owned(), Some(rest)),
        },
        _ => (resource.to_owned(), None),
    }
}

fn paths(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn place(namespace: Option<&str>) -> String {
    namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default()
}

fn said(problem: &str) -> String {
    if problem.is_empty() { String::new() } else { format!(" ({problem})") }
}

fn no_context(name: Option<&str>, path: &std::path::Path, near: &[String]) -> String {
    let path = path.display();
    let Some(name) = name else {
        return format!("the kubeconfig {path} sets no current context, and none was named");
    };
    if near.is_empty() {
        format!("the kubeconfig {path} has no context {name}, nor any other")
    } else {
        format!("the kubeconfig {path} has no context {name}; it has {}", near.join(", "))
    }
}

/// A command of kubectl, asked of the same API server.
pub(crate) fn kubectl(rest: &str, origin: &Origin) -> String {
    if origin.context.is_empty() {
        format!("kubectl {rest}")
    } else {
        format!("kubectl {rest} --context {}", quoted(&origin.context))
    }
}

/// A word as a POSIX shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Arc<Origin> {
        Arc::new(Origin { server: "https://10.0.0.1:6443".into(), context: "blue moon".into() })
    }

    #[test]
    fn errors_say_what_failed_on_what_and_what_to_type() {
        let resource = || "agents.kgents.io".to_owned();
        let cases = [
            (
                SourceError::NoKubeconfig { tried: vec!["/a".into(), "/b".into()] },
                "there is no kubeconfig: looked for /a, /b",
                Some("kgents observe --kubeconfig FILE"),
            ),
            (
                SourceError::NoContext { name: Some("prd".into()), path: "/c".into(), near: vec!["prod".into()] },
                "the kubeconfig /c has no context prd; it has prod",
                Some("kgents observe --context prod"),
            ),
            (
                SourceError::NoContext { name: None, path: "/c".into(), near: vec!["prod".into()] },
                "the kubeconfig /c sets no current context, and none was named",
                Some("kubectl config get-contexts --kubeconfig /c"),
            ),
            (
                SourceError::Timeout { origin: origin(), limit: Duration::from_secs(5) },
                "https://10.0.0.1:6443 did not answer within 5s",
                Some("kubectl get --raw /readyz --context 'blue moon'"),
            ),
            (
                SourceError::Forbidden {
                    origin: Arc::default(),
                    verb: "list".into(),
                    resource: resource(),
                    namespace: Some("x".into()),
                    detail: "no".into(),
                },
                "not allowed to list agents.kgents.io in namespace x: no",
                Some("kubectl auth can-i list agents.kgents.io -n x"),
            ),
            (
                SourceError::Missing { resource: resource() },
                "the API server does not know agents.kgents.io: the CRDs are not installed",
                Some("kgents crd install"),
            ),
            (
                SourceError::NotFound { resource: resource(), name: "b".into(), namespace: None },
                "agents.kgents.io b not found",
                Some("kgents agents list"),
            ),
            (
                SourceError::Ambiguous {
                    resource: resource(),
                    name: "b".into(),
                    namespaces: vec!["x".into(), "y".into()],
                },
                "there are several agents.kgents.io named b, in the namespaces x, y",
                Some("kgents agents describe b -n x"),
            ),
        ];
        for (error, text, hint) in cases {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.hint().as_deref(), hint, "{text}");
        }
    }

    #[test]
    fn only_who_cannot_be_reached_is_unreachable() {
        assert!(SourceError::NoKubeconfig { tried: Vec::new() }.is_unreachable());
        assert!(SourceError::Unavailable { origin: origin(), code: 503, message: String::new() }.is_unreachable());
        assert!(!SourceError::Missing { resource: String::new() }.is_unreachable());
        assert!(!SourceError::Conflict { message: String::new() }.is_unreachable());
        assert!(!SourceError::Invalid { message: String::new() }.is_unreachable());
    }

    #[test]
    fn a_subresource_is_asked_for_as_kubectl_wants_it() {
        assert_eq!(parts("agents/scale.kgents.io"), ("agents.kgents.io".into(), Some("scale")));
        assert_eq!(parts("pods/log"), ("pods".into(), Some("log")));
        assert_eq!(parts("pods"), ("pods".into(), None));
        assert_eq!(parts("/version"), ("/version".into(), None));
        assert_eq!(parts("a.group/v1"), ("a.group/v1".into(), None));
        let error = SourceError::Forbidden {
            origin: Arc::default(),
            verb: "patch".into(),
            resource: "proposals/status.kgents.io".into(),
            namespace: Some("n".into()),
            detail: "no".into(),
        };
        let hint = "kubectl auth can-i patch proposals.kgents.io --subresource=status -n n";
        assert_eq!(error.hint().as_deref(), Some(hint));
    }

    #[test]
    fn words_are_quoted_for_a_shell_only_if_they_must_be() {
        assert_eq!(quoted("arn:aws:eks/x@y"), "arn:aws:eks/x@y");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
