//! What is counted, under the names that controller-runtime gave it where it
//! has them. No label ever holds an object's name.

use std::time::Duration;

/// The counters of one operator. Shared by an `Arc`.
#[derive(Debug, Default)]
pub struct Metrics {}

/// How a reconcile ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Outcome {
    Success,
    /// To be done again at a computed moment.
    RequeueAfter,
    Error,
}

impl Metrics {
    /// A reconcile of a key of this controller (`agent`, `memory`, …) ended.
    pub fn reconciled(&self, _controller: &'static str, _outcome: Outcome, _took: Duration) {}
    /// A key was put into the queue of this controller, that holds `depth` now.
    pub fn queued(&self, _controller: &'static str, _depth: usize) {}
    /// A key was taken out, after it waited so long.
    pub fn taken(&self, _controller: &'static str, _depth: usize, _waited: Duration) {}
    /// A key failed and will be tried again.
    pub fn retried(&self, _controller: &'static str) {}
    /// So many workers are busy.
    pub fn busy(&self, _controller: &'static str, _workers: usize) {}
    /// A request was answered, or not (`code` 0): verb and resource as RBAC
    /// names them, the reason why it was made (`create`, `drift`, `status`, …).
    pub fn called(
        &self,
        _verb: &'static str,
        _resource: &'static str,
        _reason: &'static str,
        _code: u16,
        _took: Duration,
    ) {
    }
    /// A watch of this resource broke.
    pub fn watch_broke(&self, _resource: &'static str) {}
    /// Whether we lead.
    pub fn leads(&self, _leads: bool) {}
    /// In the text format of OpenMetrics.
    pub fn render(&self) -> String {
        String::new()
    }
}
