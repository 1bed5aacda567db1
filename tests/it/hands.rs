//! What fulfils the requests of a window, on a real API server.

mod acts;
mod questions;

use std::path::Path;
use std::time::Duration;

use kgents_source::{Options, hands};
use kgents_store::request::{Answer, Ask, Problem, Reply, Request, Seen};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::support::case::Case;
use crate::support::place::Place;
use crate::support::wait::SOON;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [acts::cases(), questions::cases()].into_iter().flatten().collect()
}

/// A window that makes requests.
struct Window {
    runtime: tokio::runtime::Runtime,
    requests: mpsc::Sender<Request>,
    replies: mpsc::Receiver<Reply>,
    next: u64,
    cancel: CancellationToken,
}

impl Window {
    /// One whose kubeconfig is this file.
    fn new(kubeconfig: &Path) -> Self {
        Self::with(Options { kubeconfig: Some(kubeconfig.to_owned()), ..Options::default() })
    }

    fn with(options: Options) -> Self {
        // Another test may have done it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ((requests, inbox), (outbox, replies)) = (mpsc::channel(64), mpsc::channel(64));
        let cancel = CancellationToken::new();
        runtime.spawn(hands::serve(options, inbox, outbox, cancel.clone()));
        Self { runtime, requests, replies, next: 0, cancel }
    }

    /// The administrator of a namespace.
    fn of(place: &Place) -> Self {
        Self::new(place.kubeconfig())
    }

    /// Another person, who may do what is granted to them; the namespace in
    /// the name keeps them apart from those of other tests.
    fn person(place: &Place, name: &str) -> (String, Self) {
        let name = format!("{name}-{}", place.namespace);
        let window = Self::new(&place.cluster.cert(&name));
        (name, window)
    }

    #[track_caller]
    fn ask(&mut self, ask: Ask) -> Answer {
        self.next += 1;
        let (id, requests, replies) = (self.next, &self.requests, &mut self.replies);
        self.runtime.block_on(async {
            requests.send(Request { id, ask }).await.unwrap();
            let reply = tokio::time::timeout(SOON, replies.recv()).await.expect("an answer in time").unwrap();
            assert_eq!(reply.id, id, "{reply:?}");
            reply.answer
        })
    }

    #[track_caller]
    fn done(&mut self, ask: Ask) -> String {
        match self.ask(ask) {
            Answer::Done(said) => said,
            other => panic!("not done: {other:?}"),
        }
    }

    #[track_caller]
    fn fails(&mut self, ask: Ask) -> Problem {
        match self.ask(ask) {
            Answer::Failed(problem) => problem,
            other => panic!("this should fail: {other:?}"),
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        self.cancel.cancel();
        let ended = async { while self.replies.recv().await.is_some() {} };
        let limit = Duration::from_secs(5);
        let ended = self.runtime.block_on(async { tokio::time::timeout(limit, ended).await });
        assert!(ended.is_ok() || std::thread::panicking(), "it does not end when it is cancelled");
    }
}

/// What a person sees of an object as it is now.
fn seen(object: &Value) -> Seen {
    let text = |name: &str| object["metadata"][name].as_str().unwrap().to_owned();
    Seen { uid: text("uid"), resource_version: text("resourceVersion") }
}

/// Lets a person do this with these resources in a namespace.
fn grant(place: &Place, person: &str, verbs: &str, resources: &str) {
    let (verbs, resources) = (format!("--verb={verbs}"), format!("--resource={resources}"));
    let (name, subject) = (format!("role-{person}"), format!("--user={person}"));
    place.kubectl(&["create", "role", &name, &verbs, &resources]).ok();
    place.kubectl(&["create", "rolebinding", &name, &format!("--role={name}"), &subject]).ok();
    // The API server's authorizer learns of it a moment later.
    let granted = || {
        let verb = verbs.trim_start_matches("--verb=").split(',').next().unwrap();
        let (resource, sub) = resources
            .trim_start_matches("--resource=")
            .split(',')
            .next()
            .map(|resource| {
                resource.split_once('/').map_or((resource.to_owned(), ""), |(plural, rest)| {
                    let (sub, group) = rest.split_once('.').unwrap_or((rest, ""));
                    (if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }, sub)
                })
            })
            .unwrap();
        let sub = format!("--subresource={sub}");
        let ran = place.kubectl(&["auth", "can-i", verb, &resource, &sub, "--as", person]);
        if ran.stdout.trim() == "yes" { Ok(()) } else { Err(ran.to_string()) }
    };
    crate::support::wait::eventually(SOON, "the right", granted);
}

/// A Proposal that changes an Agent by this patch.
fn patching(name: &str, agent: &str, change: &str, type_: &str, content: &Value) -> Value {
    let mut proposal = crate::support::objects::proposal(name, agent);
    proposal["spec"]["changeType"] = change.into();
    proposal["spec"]["patch"] = json!({ "type": type_, "content": content });
    proposal
}
