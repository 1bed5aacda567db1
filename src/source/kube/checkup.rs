//! How the API server stands, what we may do there and what it has of ours.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures::future::join_all;
use kgents_store::watch::Scene;
use kgents_store::{Kind, Layer};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use super::client::{CRDS, crd};
use super::connect::{Patience, build};
use super::facts::Access;
use super::kubeconfig::{self, Target};
use super::wire::Wire;
use super::{plugin, words};
use crate::checkup::{self, CrdCheck, OperatorCheck, Right, Skew, Standing, skew_in_seconds};
use crate::clock;
use crate::error::{Origin, SourceError, kubectl, quoted};
use crate::options::Options;
use crate::plan::operator;

/// How many requests may be under way.
const AT_ONCE: usize = 16;
/// How long all else waits for the first answer. Of a server that refuses
/// connections nothing else is asked then, and its latency is measured before
/// all the connections are made that the rest needs.
const HEAD_START: Duration = Duration::from_millis(150);
/// What one does to see something.
const READING: [&str; 3] = ["get", "list", "watch"];

/// What the kubeconfig says.
pub(crate) struct Aim {
    /// What is looked at.
    pub(crate) scene: Result<Scene, SourceError>,
    target: Result<Box<Target>, SourceError>,
}

/// What was found of the API server.
pub(crate) struct Examined {
    pub(crate) standing: Standing,
    pub(crate) rights: Vec<Right>,
    pub(crate) crds: Vec<CrdCheck>,
    pub(crate) operator: Option<OperatorCheck>,
    pub(crate) clock: Option<Result<Skew, SourceError>>,
}

/// Reads the kubeconfig, aside: it may be a pipe, or on a slow disk.
pub(crate) async fn aim(options: &Options, limit: Duration) -> Aim {
    let own = options.clone();
    let read = tokio::task::spawn_blocking(move || match kubeconfig::find(&own, None) {
        Ok(found) => Aim { scene: Ok(words::scene(&found.scene)), target: found.load(&own).map(Box::new) },
        Err(error) => Aim { scene: Err(error.clone()), target: Err(error) },
    });
    match timeout(limit, read).await {
        Ok(Ok(aim)) => aim,
        Ok(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Ok(Err(_)) => std::future::pending().await,
        Err(_) => {
            let listed = std::env::var_os("KUBECONFIG");
            let listed = listed.and_then(|paths| std::env::split_paths(&paths).next());
            let path = options.kubeconfig.clone().or(listed).unwrap_or_else(|| PathBuf::from("~/.kube/config"));
            let error = SourceError::Kubeconfig { path, problem: format!("it was not read within {limit:?}") };
            Aim { scene: Err(error.clone()), target: Err(error) }
        }
    }
}

/// Asks the API server everything at once. What has no answer in time says so,
/// and takes nothing from the rest.
pub(crate) async fn examine(options: &Options, aim: Aim, until: Instant, limit: Duration) -> Examined {
    match connect(aim, until, limit).await {
        // Many answers are awaited at once: they have no place on a stack.
        Ok((wire, target)) => Box::pin(ask(options, &wire, &target, until)).await,
        Err(error) => {
            let standing = Standing::Down(error.clone());
            Examined { standing, rights: Vec::new(), crds: Vec::new(), operator: None, clock: Some(Err(error)) }
        }
    }
}

async fn connect(aim: Aim, until: Instant, limit: Duration) -> Result<(Wire, Box<Target>), SourceError> {
    let mut target = aim.target?;
    let command = plugin::command_of(&target.config);
    let late = |problem: &str| match &command {
        Some(command) => SourceError::Plugin { command: command.clone(), problem: format!("{problem} {limit:?}") },
        None => SourceError::Timeout { origin: target.origin().into(), limit },
    };
    let late = (late("it did not end within"), late("its certificates were not read within"));
    timeout_at(until, plugin::settle(&mut target.config)).await.unwrap_or(Err(late.0))?;
    // It reads files, and those of a system's certificates take their time.
    let built =
        tokio::task::spawn_blocking(move || build(&target, Patience::Question(limit)).map(|wire| (wire, target)));
    match timeout_at(until, built).await {
        Ok(Ok(built)) => built,
        Ok(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Ok(Err(_)) => std::future::pending().await,
        Err(_) => Err(late.1),
    }
}

async fn ask(options: &Options, wire: &Wire, target: &Target, until: Instant) -> Examined {
    let origin = target.origin();
    let began = checkup::clock();
    let mut version = pin!(async {
        let version = timeout_at(until, wire.version()).await.unwrap_or_else(|_| Err(wire.too_late()));
        (version, checkup::clock().duration_since(began))
    });
    let early = timeout(HEAD_START, &mut version).await.ok();
    let lost = early.as_ref().and_then(|(version, _)| version.as_ref().err()).filter(|error| error.is_silence());
    let asking = Asking { wire, until, turns: Semaphore::new(AT_ONCE), lost: lost.cloned() };
    let asking = &asking;
    let rights = join_all(questions(target.scope.one()).into_iter().map(|question| {
        let check = question.command(options, &origin);
        async move {
            let answer = asking.answer(wire.may(&question.access())).await;
            let Question { resource, verb, namespace, .. } = question;
            Right { resource, verb, namespace, answer, check }
        }
    }));
    let crds = join_all(Kind::CUSTOM.map(Kind::resource).into_iter().map(|name| async move {
        let answer = asking.answer(crd(wire, &name)).await.map(|crd| crd.map(Box::new));
        CrdCheck { name, answer, is_served: None }
    }));
    let version = async {
        match early {
            Some(version) => version,
            None => version.await,
        }
    };
    let operator = asking.answer(async { Ok(operator(wire, None).await) });
    // In this order they take their turns.
    let ((version, latency), clock, served, mut crds, rights, operator) = tokio::join!(
        version,
        asking.answer(skew(wire)),
        asking.answer(wire.served(kgents_api::GROUP)),
        crds,
        rights,
        Box::pin(operator)
    );
    let served = match served {
        Ok(names) => Some(names),
        Err(SourceError::Missing { .. }) => Some(Vec::new()),
        Err(_) => None,
    };
    for crd in &mut crds {
        let plural = crd.name.split('.').next().unwrap_or_default();
        crd.is_served = served.as_ref().map(|names| names.iter().any(|name| name == plural));
    }
    let standing = match version {
        Ok(version) => Standing::Up { latency, version, instance: None },
        // It answers; that it keeps its version to itself is no trouble.
        Err(SourceError::Forbidden { .. }) => Standing::Up { latency, version: String::new(), instance: None },
        Err(error) => Standing::Down(error),
    };
    let ahead = clock.as_ref().map(|skew| skew.by).unwrap_or_default();
    let at = clock::now().checked_sub(ahead).unwrap_or_else(|_| clock::now());
    let operator = operator.ok().map(|operator| OperatorCheck { operator, at });
    Examined { standing, rights, crds, operator, clock: Some(clock) }
}

/// What all questions share.
struct Asking<'a> {
    wire: &'a Wire,
    until: Instant,
    turns: Semaphore,
    /// Why there is no use in asking, if there is none.
    lost: Option<SourceError>,
}

impl Asking<'_> {
    /// An answer, when it is its turn to be asked for, if it comes in time.
    async fn answer<T>(&self, answer: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
        if let Some(error) = &self.lost {
            return Err(error.clone());
        }
        let answer = async {
            // The semaphore is never closed.
            let _turn = self.turns.acquire().await;
            answer.await
        };
        timeout_at(self.until, answer).await.unwrap_or_else(|_| Err(self.wire.too_late()))
    }
}

async fn skew(wire: &Wire) -> Result<Skew, SourceError> {
    let sent = clock::now();
    let date = wire.date().await?;
    Ok(skew_in_seconds(Layer::Kube, sent, clock::now(), date))
}

/// One thing that we may be allowed to do.
struct Question {
    group: &'static str,
    plural: &'static str,
    subresource: &'static str,
    resource: String,
    verb: &'static str,
    namespace: Option<String>,
}

impl Question {
    fn access(&self) -> Access<'_> {
        let Self { group, plural, subresource, verb, namespace, .. } = self;
        Access { group, resource: plural, subresource, verb, namespace: namespace.as_deref() }
    }

    /// The same question as a person types it.
    fn command(&self, options: &Options, origin: &Origin) -> String {
        let resource =
            if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) };
        let subresource = Some(self.subresource).filter(|name| !name.is_empty());
        let place = match &self.namespace {
            Some(namespace) => Some(format!("-n {}", quoted(namespace))),
            None => (resource != CRDS).then(|| "-A".to_owned()),
        };
        let mut words = vec![format!("auth can-i {} {resource}", self.verb)];
        words.extend(subresource.map(|name| format!("--subresource={name}")));
        words.extend(place);
        words.extend(options.as_user.iter().map(|user| format!("--as {}", quoted(user))));
        words.extend(options.as_groups.iter().map(|group| format!("--as-group {}", quoted(group))));
        kubectl(&words.join(" "), origin)
    }
}

/// Everything that kgents does, by resource.
fn questions(namespace: Option<&str>) -> Vec<Question> {
    let mut all = Vec::new();
    for kind in Kind::ALL {
        let more: &[&'static str] = if kind == Kind::Pheromone { &["create"] } else { &[] };
        for verb in READING.iter().chain(more) {
            all.push(Question {
                group: kind.group(),
                plural: kind.plural(),
                subresource: "",
                resource: kind.resource(),
                verb,
                namespace: namespace.map(str::to_owned),
            });
        }
        // Deciding is writing to the status.
        if kind == Kind::Proposal {
            all.push(Question {
                group: kind.group(),
                plural: kind.plural(),
                subresource: "status",
                resource: format!("{}/status", kind.resource()),
                verb: "patch",
                namespace: namespace.map(str::to_owned),
            });
        }
    }
    let (plural, group) = CRDS.split_once('.').unwrap_or_default();
    for verb in ["create", "patch"] {
        let (resource, subresource, namespace) = (CRDS.to_owned(), "", None);
        all.push(Question { group, plural, subresource, resource, verb, namespace });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_question_has_a_command_that_asks_the_same() {
        let options = Options { as_user: Some("ann b".into()), ..Options::default() };
        let origin = Origin { server: String::new(), context: "blue".into() };
        let command = |resource: &str, verb: &str, namespace: Option<&str>| {
            let all = questions(namespace);
            let found = all.iter().find(|question| question.resource == resource && question.verb == verb).unwrap();
            found.command(&options, &origin)
        };
        for (resource, verb, namespace, expected) in [
            ("agents.kgents.io", "list", None, "list agents.kgents.io -A"),
            ("pheromones.kgents.io", "create", Some("x"), "create pheromones.kgents.io -n x"),
            ("proposals.kgents.io/status", "patch", Some("x"), "patch proposals.kgents.io --subresource=status -n x"),
            ("deployments.apps", "watch", None, "watch deployments.apps -A"),
            ("pods", "get", Some("x"), "get pods -n x"),
            (CRDS, "patch", Some("x"), "patch customresourcedefinitions.apiextensions.k8s.io"),
        ] {
            let expected = format!("kubectl auth can-i {expected} --as 'ann b' --context blue");
            assert_eq!(command(resource, verb, namespace), expected);
        }
        assert_eq!(questions(None).len(), 8 * 3 + 1 + 1 + 2);
    }
}
