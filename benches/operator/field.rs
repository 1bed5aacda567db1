//! An API server with a namespace in which agents are raised, and what is
//! asked of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::http::Request;
use kgents_core::plan::Apply;
use kube::Client;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::Bench;
use crate::agents;
use crate::follow::{AGENTS, Follower, Seen};
use crate::it::support::audit::Call;
use crate::it::support::cluster::{self, Own};
use crate::it::support::garden::Garden;
use crate::it::support::operator::Operator;

/// As whom the bench asks, so that it is told apart in the audit log.
const BENCH: &str = "bench";
/// How long nothing may be written before all is said to be done: longer than
/// what passes by itself is kept out of a status.
const STILL: Duration = Duration::from_secs(8);
/// How long one waits for that.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// A namespace on an API server of its own, which ends with it: no fleet is in
/// the way of the next one.
pub struct Field {
    pub garden: Garden,
    /// The bench's own.
    pub client: Client,
}

/// Whose requests are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Operator,
    Bare,
    Peer,
}

impl Field {
    /// A new one.
    ///
    /// # Errors
    /// In words: why there is none here.
    pub fn new(bench: &Bench, name: &str) -> Result<Self, String> {
        if let Some(lack) = cluster::lack() {
            return Err(format!("skipped: {lack}"));
        }
        let cluster = Own::new().start(&cluster::LIVING);
        cluster.install_crds();
        let kubeconfig = cluster.cert(&format!("{BENCH} system:masters"));
        let options = kgents_source::Options { kubeconfig: Some(kubeconfig), ..Default::default() };
        let opened = bench.runtime.block_on(kgents_source::open(&options));
        let (client, _) = opened.map_err(|error| error.to_string())?;
        Ok(Self { garden: Garden::on(cluster, name), client })
    }

    /// One with so many agents that an operator has brought to rest.
    ///
    /// # Errors
    /// In words: why there is none here.
    pub fn settled(bench: &Bench, name: &str, count: usize) -> Result<(Self, Operator), String> {
        let field = Self::new(bench, name)?;
        let operator = field.operator(bench);
        field.raise(bench, count)?;
        Ok((field, operator))
    }

    /// An operator that leads, with as many workers as are asked for.
    pub fn operator(&self, bench: &Bench) -> Operator {
        self.garden.operator(&["--concurrency", &bench.options.concurrency.to_string()])
    }

    /// Makes so many agents and waits until all run and nothing is written.
    ///
    /// # Errors
    /// In words: how far it came.
    pub fn raise(&self, bench: &Bench, count: usize) -> Result<(), String> {
        let mut seen = Follower::start(bench, self, &[AGENTS]);
        let planted = bench.runtime.spawn(self.planting(bench.options.concurrency, count));
        let mut running = vec![false; count];
        let end = Instant::now() + limit(count);
        while running.contains(&false) {
            let so_far = running.iter().filter(|running| **running).count();
            let Seen { thing, .. } = seen.next(end).map_err(|why| format!("{so_far} of {count} run: {why}"))?;
            running[thing.number()] = thing.runs();
        }
        bench.runtime.block_on(planted).map_err(|error| error.to_string())?;
        self.still(Who::Operator)
    }

    /// Posts agents, at most `width` at once.
    pub fn planting(&self, width: usize, count: usize) -> impl Future<Output = ()> + Send + use<> {
        let (client, namespace) = (self.client.clone(), self.garden.namespace.clone());
        side_by_side(width, count, move |i| {
            let (client, namespace) = (client.clone(), namespace.clone());
            async move { drop(post(&client, &namespace, "agents", &agents::agent(i)).await) }
        })
    }

    /// Where the audit log ends now.
    pub fn mark(&self) -> u64 {
        self.garden.audit.end()
    }

    /// What was asked for since `mark`; Leases are not told.
    pub fn calls(&self, mark: u64, who: Who) -> Vec<Call> {
        self.garden.audit.since(mark).into_iter().filter(|call| who.is(call) && call.resource != "leases").collect()
    }

    /// What was written since `mark`; Leases and Events are not told.
    pub fn writes(&self, mark: u64, who: Who) -> Vec<Call> {
        self.calls(mark, who).into_iter().filter(|call| call.is_write() && call.resource != "events").collect()
    }

    /// Waits until nothing was written for a while.
    ///
    /// # Errors
    /// With the last write, if that does not come.
    pub fn still(&self, who: Who) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        let (mut since, mut mark) = (Instant::now(), self.mark());
        while since.elapsed() < STILL {
            std::thread::sleep(PAUSE);
            let next = self.mark();
            if let Some(last) = self.writes(mark, who).last() {
                since = Instant::now();
                if since > end {
                    return Err(format!("it does not come to rest: {}", last.short()));
                }
            }
            mark = next;
        }
        Ok(())
    }
}

impl Who {
    fn is(self, call: &Call) -> bool {
        match self {
            Self::Operator => call.user != BENCH && call.agent.starts_with("kgents/"),
            // The agents are what it is given, not what it makes.
            Self::Bare => call.user == BENCH && call.resource != "agents",
            Self::Peer => call.agent.starts_with("kgents-bench-peer"),
        }
    }
}

/// How long so many agents may take.
pub fn limit(count: usize) -> Duration {
    Duration::from_secs(120) + Duration::from_millis(500) * count as u32
}

/// How often each verb and resource was asked for.
pub fn counts(calls: &[Call]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(format!("{} {}", call.verb, call.resource)).or_default() += 1;
    }
    counts
}

/// Does something so often, at most `width` at once.
pub async fn side_by_side<F: Future<Output = ()> + Send + 'static>(
    width: usize,
    count: usize,
    act: impl Fn(usize) -> F + Send + Sync + 'static,
) {
    let (next, act) = (Arc::new(AtomicUsize::new(0)), Arc::new(act));
    let mut workers = JoinSet::new();
    for _ in 0..width.min(count) {
        let (next, act) = (next.clone(), act.clone());
        workers.spawn(async move {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                if i >= count {
                    break;
                }
                act(i).await;
            }
        });
    }
    // A panic in one of them is ours.
    workers.join_all().await;
}

/// Makes one of our objects and gives what the API server made of it.
pub async fn post(client: &Client, namespace: &str, plural: &str, object: &Value) -> Value {
    let uri = format!("/apis/kgents.io/v1/namespaces/{namespace}/{plural}");
    let request = Request::post(&uri).header("Content-Type", "application/json");
    send(client, request.body(object.to_string().into_bytes()).unwrap()).await
}

/// Merges something into one of our objects.
pub async fn merge(client: &Client, namespace: &str, plural: &str, name: &str, patch: &Value) -> Value {
    let uri = format!("/apis/kgents.io/v1/namespaces/{namespace}/{plural}/{name}");
    let request = Request::patch(&uri).header("Content-Type", "application/merge-patch+json");
    send(client, request.body(patch.to_string().into_bytes()).unwrap()).await
}

/// Applies a child server-side as the operator does.
pub async fn apply(client: &Client, apply: &Apply) -> Value {
    let path = apply.child.resource.path(&apply.child.namespace, &apply.child.name);
    let uri = format!("{path}?fieldManager={}&force=true", apply.manager().replace('/', "%2F"));
    let request = Request::patch(&uri).header("Content-Type", "application/apply-patch+yaml");
    send(client, request.body(apply.wire().to_string().into_bytes()).unwrap()).await
}

async fn send(client: &Client, request: Request<Vec<u8>>) -> Value {
    let what = format!("{} {}", request.method(), request.uri());
    client.request(request).await.unwrap_or_else(|error| panic!("{what}: {error}"))
}
