//! What is counted, under the names that controller-runtime and client-go gave
//! it where they have them. No label ever holds an object's name.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub mod exposition;
mod memory;
pub mod scrape;

/// The media type of what [`Metrics::render`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the Lease is called in `leader_election_master_status`.
const LEASE: &str = "kgents-operator";

/// The counters of one operator. Shared by an `Arc`.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Family<Reconcile, Counter>,
    reconcile_errors: Family<Controller, Counter>,
    reconcile_time: Family<Controller, Histogram>,
    active_workers: Family<Controller, Gauge>,
    max_workers: Family<Controller, Gauge>,
    depth: Family<Queue, Gauge>,
    adds: Family<Queue, Counter>,
    retries: Family<Queue, Counter>,
    waited: Family<Queue, Histogram>,
    worked: Family<Queue, Histogram>,
    leads: Family<Queue, Gauge>,
    requests: Family<Request, Counter>,
    request_time: Family<Verb, Histogram>,
    calls: Family<Call, Counter>,
    watch_restarts: Family<Resource, Counter>,
    events_dropped: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Reconcile {
    controller: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Controller {
    controller: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Queue {
    name: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    code: String,
    method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Verb {
    verb: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    verb: &'static str,
    resource: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Resource {
    resource: &'static str,
}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Outcome {
    Success,
    /// To be done again at a computed moment.
    RequeueAfter,
    Error,
}

impl Outcome {
    /// The word of controller-runtime.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::RequeueAfter => "requeue_after",
            Self::Error => "error",
        }
    }
}

/// From 1 ms to about 65 s.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 9))
}

impl Default for Metrics {
    fn default() -> Self {
        let timed = || Family::new_with_constructor(seconds as fn() -> Histogram);
        let mut this = Self {
            registry: Registry::default(),
            reconciles: Family::default(),
            reconcile_errors: Family::default(),
            reconcile_time: timed(),
            active_workers: Family::default(),
            max_workers: Family::default(),
            depth: Family::default(),
            adds: Family::default(),
            retries: Family::default(),
            waited: Family::new_with_constructor(seconds as fn() -> Histogram),
            worked: Family::new_with_constructor(seconds as fn() -> Histogram),
            leads: Family::default(),
            requests: Family::default(),
            request_time: Family::new_with_constructor(seconds as fn() -> Histogram),
            calls: Family::default(),
            watch_restarts: Family::default(),
            events_dropped: Counter::default(),
        };
        this.register();
        this
    }
}

impl Metrics {
    /// Gives each its name. The library itself puts `_total` behind the name of
    /// a counter and `_info` behind that of an info.
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "controller_runtime_reconcile",
            "Reconciles by controller and result",
            self.reconciles.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_errors",
            "Reconciles that failed, by controller",
            self.reconcile_errors.clone(),
        );
        registry.register(
            "controller_runtime_reconcile_time_seconds",
            "How long a reconcile took",
            self.reconcile_time.clone(),
        );
        registry.register(
            "controller_runtime_active_workers",
            "Workers that are busy, by controller",
            self.active_workers.clone(),
        );
        registry.register(
            "controller_runtime_max_concurrent_reconciles",
            "Workers that may be busy at once, by controller",
            self.max_workers.clone(),
        );
        registry.register("workqueue_depth", "Keys that wait", self.depth.clone());
        registry.register("workqueue_adds", "Keys that were put in", self.adds.clone());
        registry.register("workqueue_retries", "Keys that failed and are tried again", self.retries.clone());
        registry.register("workqueue_queue_duration_seconds", "How long a key waited", self.waited.clone());
        registry.register("workqueue_work_duration_seconds", "How long a key was worked on", self.worked.clone());
        registry.register("leader_election_master_status", "1 where this replica leads, else 0", self.leads.clone());
        registry.register(
            "rest_client_requests",
            "Requests to the API server by HTTP status and method",
            self.requests.clone(),
        );
        registry.register(
            "rest_client_request_duration_seconds",
            "How long a request to the API server took",
            self.request_time.clone(),
        );
        registry.register(
            "kgents_api_calls",
            "Requests to the API server by verb, resource and why they were made",
            self.calls.clone(),
        );
        registry.register("kgents_watch_restarts", "Watches that broke, by resource", self.watch_restarts.clone());
        registry.register(
            "kgents_events_dropped",
            "Events that were not written: too many, or nobody took them",
            self.events_dropped.clone(),
        );
        registry.register("kgents_build", "What runs here", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        registry.register_collector(Box::new(memory::Memory));
    }

    /// A reconcile of a key of this controller (`agent`, `memory`, …) ended.
    pub fn reconciled(&self, controller: &'static str, outcome: Outcome, took: Duration) {
        self.reconciles.get_or_create(&Reconcile { controller, result: outcome.as_str() }).inc();
        if outcome == Outcome::Error {
            self.reconcile_errors.get_or_create(&Controller { controller }).inc();
        }
        self.reconcile_time.get_or_create(&Controller { controller }).observe(took.as_secs_f64());
        self.worked.get_or_create(&Queue { name: controller }).observe(took.as_secs_f64());
    }

    /// A key was put into the queue of this controller, that holds `depth` now.
    pub fn queued(&self, controller: &'static str, depth: usize) {
        self.adds.get_or_create(&Queue { name: controller }).inc();
        self.depth.get_or_create(&Queue { name: controller }).set(count(depth));
    }

    /// A key was taken out, after it waited so long.
    pub fn taken(&self, controller: &'static str, depth: usize, waited: Duration) {
        self.depth.get_or_create(&Queue { name: controller }).set(count(depth));
        self.waited.get_or_create(&Queue { name: controller }).observe(waited.as_secs_f64());
    }

    /// A key failed and will be tried again.
    pub fn retried(&self, controller: &'static str) {
        self.retries.get_or_create(&Queue { name: controller }).inc();
    }

    /// So many workers are busy.
    pub fn busy(&self, controller: &'static str, workers: usize) {
        self.active_workers.get_or_create(&Controller { controller }).set(count(workers));
    }

    /// So many workers may be busy at once.
    pub fn workers(&self, controller: &'static str, most: usize) {
        self.max_workers.get_or_create(&Controller { controller }).set(count(most));
        // Shown as 0 from the start, so that a rate over it is right.
        drop(self.active_workers.get_or_create(&Controller { controller }));
        drop(self.reconcile_errors.get_or_create(&Controller { controller }));
        drop(self.depth.get_or_create(&Queue { name: controller }));
    }

    /// A request was answered, or not (`code` 0): verb and resource as RBAC
    /// names them, the reason why it was made (`create`, `drift`, `status`, …).
    pub fn called(&self, verb: &'static str, resource: &'static str, reason: &'static str, code: u16, took: Duration) {
        // client-go's word where there is no answer.
        let code = if code == 0 { "<error>".to_owned() } else { code.to_string() };
        self.requests.get_or_create(&Request { code, method: method(verb) }).inc();
        self.request_time.get_or_create(&Verb { verb }).observe(took.as_secs_f64());
        self.calls.get_or_create(&Call { verb, resource, reason }).inc();
    }

    /// A watch of this resource broke.
    pub fn watch_broke(&self, resource: &'static str) {
        self.watch_restarts.get_or_create(&Resource { resource }).inc();
    }

    /// Whether we lead.
    pub fn leads(&self, leads: bool) {
        self.leads.get_or_create(&Queue { name: LEASE }).set(i64::from(leads));
    }

    /// An Event was not written.
    pub fn event_dropped(&self) {
        self.events_dropped.inc();
    }

    /// So many Events were not written until now.
    pub fn events_dropped(&self) -> u64 {
        self.events_dropped.get()
    }

    /// In the text format of `OpenMetrics`, which Prometheus reads.
    pub fn render(&self) -> String {
        let mut text = String::new();
        if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            // A string takes everything: only a metric of ours that is none can do this.
            tracing::error!(%error, "the metrics cannot be written down");
        }
        text
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The HTTP method of a verb of RBAC.
fn method(verb: &str) -> &'static str {
    match verb {
        "create" => "POST",
        "update" => "PUT",
        "patch" | "apply" => "PATCH",
        "delete" | "deletecollection" => "DELETE",
        _ => "GET",
    }
}

#[cfg(test)]
mod tests;
