//! Which API server, as whom, and how much of it: read from the kubeconfig,
//! or from the pod that we run in.

use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ::kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use futures::FutureExt;
use kgents_store::request::ContextFacts;
use kgents_store::watch::Scene;

use super::{proxy, words};
use crate::error::{Origin, SourceError};
use crate::options::Options;
use crate::redact;

/// Where a pod finds its credentials.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// How much is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One namespace.
    One(String),
    /// Everything that may be read.
    All,
}

impl Scope {
    /// The one namespace, if it is one.
    pub(crate) fn one(&self) -> Option<&str> {
        match self {
            Self::One(namespace) => Some(namespace),
            Self::All => None,
        }
    }
}

/// What was found, before anything is loaded that the scene does not need.
pub(crate) struct Found {
    /// What is looked at.
    pub scene: Scene,
    /// How much of it.
    pub scope: Scope,
    /// The namespace of the context, or of the pod that we run in.
    pub own_namespace: Option<String>,
    place: Place,
    kubeconfig: Kubeconfig,
    authority: Option<PathBuf>,
    /// The cluster itself names a proxy.
    own_proxy: bool,
}

/// All that is needed to connect.
#[derive(Clone)]
pub(crate) struct Target {
    /// What is looked at.
    pub scene: Scene,
    /// How much of it.
    pub scope: Scope,
    /// The namespace of the context, or of the pod that we run in.
    pub own_namespace: Option<String>,
    /// kube's configuration, with nothing of ours set yet.
    pub config: Config,
    /// Files whose change may change all this.
    pub files: Vec<PathBuf>,
    /// Differs when server or credentials differ.
    pub identity: u64,
}

impl Target {
    pub(crate) fn origin(&self) -> Origin {
        let Scene { server, context, .. } = words::scene(&self.scene);
        Origin { server, context }
    }
}

/// Where the configuration comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Files(Vec<PathBuf>),
    Pod,
}

/// Reads the kubeconfig and chooses the context: the one of the options, else
/// the one that was chosen before (`kubectl config use-context` in another
/// terminal must not move a window to another cluster), else the current one.
pub(crate) fn find(options: &Options, chosen: Option<&str>) -> Result<Found, SourceError> {
    match find_place(options)? {
        Place::Pod => Ok(found_pod(options)),
        Place::Files(paths) => found_files(options, chosen, paths),
    }
}

/// Where the configuration is, in this environment.
fn find_place(options: &Options) -> Result<Place, SourceError> {
    let variable = std::env::var_os("KUBECONFIG");
    let home = std::env::home_dir();
    let pod =
        std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() && Path::new(SERVICE_ACCOUNT).join("token").exists();
    place(options.kubeconfig.as_deref(), variable.as_deref(), home.as_deref(), pod)
}

fn place(flag: Option<&Path>, variable: Option<&OsStr>, home: Option<&Path>, pod: bool) -> Result<Place, SourceError> {
    let listed: Vec<PathBuf> = variable
        .map(|paths| std::env::split_paths(paths).filter(|path| !path.as_os_str().is_empty()).collect())
        .unwrap_or_default();
    let tried: Vec<PathBuf> = match flag {
        Some(path) => vec![path.to_owned()],
        None if !listed.is_empty() => listed,
        None => home.map(|home| home.join(".kube").join("config")).into_iter().collect(),
    };
    let there: Vec<PathBuf> = tried.iter().filter(|path| path.exists()).cloned().collect();
    if !there.is_empty() {
        Ok(Place::Files(there))
    } else if pod && flag.is_none() {
        Ok(Place::Pod)
    } else {
        Err(SourceError::NoKubeconfig { tried })
    }
}

fn found_pod(options: &Options) -> Found {
    let own_namespace = std::fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace"))
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    let host = std::env::var("KUBERNETES_SERVICE_HOST").unwrap_or_default();
    let port = std::env::var("KUBERNETES_SERVICE_PORT").unwrap_or_default();
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    // The pod's own namespace is where it lives, not a wish to see nothing else.
    let scope = scope(options, None);
    let scene = Scene {
        context: String::new(),
        server: format!("https://{host}:{port}"),
        namespace: scope.one().map(str::to_owned),
    };
    Found {
        scene,
        scope,
        own_namespace,
        place: Place::Pod,
        kubeconfig: Kubeconfig::default(),
        authority: None,
        own_proxy: false,
    }
}

fn found_files(options: &Options, chosen: Option<&str>, paths: Vec<PathBuf>) -> Result<Found, SourceError> {
    let kubeconfig = read(&paths)?;
    let path = paths.first().cloned().unwrap_or_default();
    let name = options
        .context
        .as_deref()
        .or(chosen)
        .or(kubeconfig.current_context.as_deref())
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let contexts = || kubeconfig.contexts.iter().map(|context| context.name.as_str());
    let Some(name) = name else {
        return Err(SourceError::NoContext { name: None, path, near: words::nearest("", contexts()) });
    };
    let Some(context) = kubeconfig.contexts.iter().find(|context| context.name == name) else {
        let near = words::nearest(&name, contexts());
        return Err(SourceError::NoContext { name: Some(words::clean(&name)), path, near });
    };
    let broken = |problem: String| SourceError::Kubeconfig { path: path.clone(), problem };
    let (cluster, namespace) = match &context.context {
        Some(context) => (context.cluster.clone(), context.namespace.clone().filter(|name| !name.is_empty())),
        None => return Err(broken(format!("the context {} is empty", words::clean(&name)))),
    };
    let Some(named) = kubeconfig.clusters.iter().find(|named| named.name == cluster) else {
        let (name, cluster) = (words::clean(&name), words::clean(&cluster));
        return Err(broken(format!("the context {name} names the cluster {cluster}, which is not in it")));
    };
    let server = named.cluster.as_ref().and_then(|cluster| cluster.server.clone()).unwrap_or_default();
    let authority = named.cluster.as_ref().and_then(|cluster| cluster.certificate_authority.clone());
    let proxy = named.cluster.as_ref().and_then(|cluster| cluster.proxy_url.as_deref());
    let own_proxy = proxy.is_some_and(|proxy| !proxy.is_empty());
    let scheme = server.parse::<http::Uri>().ok().and_then(|uri| uri.scheme_str().map(str::to_owned));
    if !matches!(scheme.as_deref(), Some("https" | "http")) {
        let (cluster, server) = (words::clean(&cluster), words::clean(&redact::userinfo(&server)));
        return Err(broken(format!("the server of the cluster {cluster} is no URL: {server:?}")));
    }
    let scope = scope(options, namespace.as_deref());
    Ok(Found {
        scene: Scene { context: name, server, namespace: scope.one().map(str::to_owned) },
        scope,
        own_namespace: namespace,
        place: Place::Files(paths),
        authority: authority.map(PathBuf::from),
        own_proxy,
        kubeconfig,
    })
}

/// The contexts that there are, in the order of the kubeconfig. One whose
/// cluster is missing is told as well: somebody wrote it down.
pub(crate) fn contexts(options: &Options, chosen: Option<&str>) -> Result<Vec<ContextFacts>, SourceError> {
    let paths = match find_place(options)? {
        Place::Files(paths) => paths,
        Place::Pod => {
            let Found { scene, own_namespace, .. } = found_pod(options);
            let Scene { context: name, server, .. } = words::scene(&scene);
            return Ok(vec![ContextFacts { name, server, namespace: own_namespace, current: true }]);
        }
    };
    let kubeconfig = read(&paths)?;
    let current = options.context.as_deref().or(chosen).or(kubeconfig.current_context.as_deref());
    let contexts = kubeconfig.contexts.iter().map(|named| {
        let context = named.context.as_ref();
        let of = |cluster: &str| kubeconfig.clusters.iter().find(|named| named.name == cluster);
        let cluster = context.and_then(|context| of(&context.cluster)).and_then(|named| named.cluster.as_ref());
        let server = cluster.and_then(|cluster| cluster.server.as_deref()).unwrap_or_default();
        let namespace = context.and_then(|context| context.namespace.as_deref()).filter(|name| !name.is_empty());
        ContextFacts {
            name: words::clean(&named.name),
            server: words::clean(&redact::userinfo(server)),
            namespace: namespace.map(words::clean),
            current: Some(named.name.as_str()) == current,
        }
    });
    Ok(contexts.collect())
}

fn scope(options: &Options, of_context: Option<&str>) -> Scope {
    match (&options.namespace, options.all_namespaces, of_context) {
        (Some(namespace), _, _) => Scope::One(namespace.clone()),
        (None, false, Some(namespace)) => Scope::One(namespace.to_owned()),
        _ => Scope::All,
    }
}

/// Reads and merges the files as kubectl does: the first to say something wins.
fn read(paths: &[PathBuf]) -> Result<Kubeconfig, SourceError> {
    paths.iter().try_fold(Kubeconfig::default(), |merged, path| {
        Kubeconfig::read_from(path)
            .and_then(|next| merged.merge(next))
            .map_err(|error| SourceError::Kubeconfig { path: path.clone(), problem: problem(&error) })
    })
}

/// What is wrong with a kubeconfig. Never with a piece of it: it holds secrets.
fn problem(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::Parse(error) => {
            let text = words::clean(&error.without_snippet().to_string());
            match error.location() {
                Some(at) if !text.contains("line ") => {
                    format!("line {}, column {}: {text}", at.line(), at.column())
                }
                _ => text,
            }
        }
        KubeconfigError::ReadConfig(error, _) => words::clean(&error.to_string()),
        error => words::clean(&error.to_string()),
    }
}

impl Found {
    /// Loads what is needed to connect. Reads files, runs nothing.
    pub(crate) fn load(self, options: &Options) -> Result<Target, SourceError> {
        let Self { scene, scope, own_namespace, place, kubeconfig, authority, own_proxy } = self;
        let (mut config, mut files, path) = match place {
            Place::Pod => {
                let path = PathBuf::from(SERVICE_ACCOUNT);
                let config = Config::incluster().map_err(|error| SourceError::Kubeconfig {
                    path: path.clone(),
                    problem: words::clean(&error.to_string()),
                })?;
                (config, Vec::new(), path)
            }
            Place::Files(paths) => {
                let path = paths.first().cloned().unwrap_or_default();
                let options = KubeConfigOptions { context: Some(scene.context.clone()), ..Default::default() };
                // The function is async in name only.
                let config = Config::from_custom_kubeconfig(kubeconfig, &options)
                    .now_or_never()
                    .unwrap_or(Err(KubeconfigError::CurrentContextNotSet))
                    .map_err(|error| SourceError::Kubeconfig { path: path.clone(), problem: problem(&error) })?;
                (config, paths, path)
            }
        };
        if !own_proxy && config.proxy_url.is_some() && proxy::is_bypassed(&config.cluster_url) {
            config.proxy_url = None;
        }
        let auth = &mut config.auth_info;
        if let Some(user) = &options.as_user {
            auth.impersonate = Some(user.clone());
        }
        if !options.as_groups.is_empty() {
            if auth.impersonate.is_none() {
                let message = "a group can be impersonated only together with a user: add --as USER".to_owned();
                return Err(SourceError::Invalid { message });
            }
            auth.impersonate_groups = Some(options.as_groups.clone());
        }
        files.extend(authority);
        files.extend([&auth.client_certificate, &auth.client_key].into_iter().flatten().map(PathBuf::from));
        let identity = identity(&config).map_err(|problem| SourceError::Kubeconfig { path, problem })?;
        Ok(Target { scene, scope, own_namespace, config, files, identity })
    }
}

/// [`find`] and [`Found::load`].
pub(crate) fn target(options: &Options, chosen: Option<&str>) -> Result<Target, SourceError> {
    find(options, chosen)?.load(options)
}

/// A number that differs when server, trust or credentials differ, whatever
/// else changes in the kubeconfig.
fn identity(config: &Config) -> Result<u64, String> {
    let mut hasher = DefaultHasher::new();
    config.cluster_url.to_string().hash(&mut hasher);
    config.root_cert.hash(&mut hasher);
    config.accept_invalid_certs.hash(&mut hasher);
    config.tls_server_name.hash(&mut hasher);
    config.proxy_url.as_ref().map(ToString::to_string).hash(&mut hasher);
    // As a value, whose keys are sorted: hash maps have no order of their own.
    let auth = serde_json::to_value(&config.auth_info).map_err(|error| error.to_string())?;
    auth.to_string().hash(&mut hasher);
    let auth = &config.auth_info;
    for file in [&auth.client_certificate, &auth.client_key].into_iter().flatten() {
        stamp(Path::new(file)).hash(&mut hasher);
    }
    Ok(hasher.finish())
}

/// When a file was last written and how long it is; `None` if it is not there.
pub(crate) fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

#[cfg(test)]
mod tests;
