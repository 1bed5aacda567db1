//! What stands in a Lease.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};

use super::Options;

/// Who holds it; `None` when nobody does.
pub(super) fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref().filter(|holder| !holder.is_empty())
}

/// How long its holder keeps it without a renewal.
pub(super) fn duration(lease: &Lease, otherwise: Duration) -> Duration {
    let seconds = lease.spec.as_ref().and_then(|spec| spec.lease_duration_seconds);
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(otherwise, Duration::from_secs)
}

pub(super) fn version(lease: &Lease) -> &str {
    lease.metadata.resource_version.as_deref().unwrap_or_default()
}

/// One as it is made, where there is none.
pub(super) fn new(options: &Options, now: Timestamp) -> Lease {
    let metadata = ObjectMeta {
        name: Some(options.name.clone()),
        namespace: Some(options.namespace.clone()),
        ..ObjectMeta::default()
    };
    renewed(&Lease { metadata, spec: None }, options, now)
}

/// The same, held by us from now on. What others wrote beside is kept, and
/// its resource version too: an update of anything newer is refused.
pub(super) fn renewed(lease: &Lease, options: &Options, now: Timestamp) -> Lease {
    let old = lease.spec.as_ref();
    let is_ours = holder(lease) == Some(options.identity.as_str());
    let transitions = old.and_then(|spec| spec.lease_transitions).unwrap_or_default();
    let acquired = old.and_then(|spec| spec.acquire_time.clone()).filter(|_| is_ours);
    // As client-go counts: from 0 where there was no Lease.
    let changes_hands = !is_ours && old.is_some();
    let spec = LeaseSpec {
        holder_identity: Some(options.identity.clone()),
        lease_duration_seconds: Some(seconds(options.duration)),
        acquire_time: Some(acquired.unwrap_or(MicroTime(now))),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(transitions.saturating_add(i32::from(changes_hands))),
        ..old.cloned().unwrap_or_default()
    };
    let mut metadata = lease.metadata.clone();
    metadata.managed_fields = None;
    let mut notes: BTreeMap<String, String> = metadata.annotations.unwrap_or_default();
    notes.extend(options.notes.iter().cloned());
    metadata.annotations = Some(notes).filter(|notes| !notes.is_empty());
    Lease { metadata, spec: Some(spec) }
}

/// The same, held by nobody. As client-go does it: a duration of one second,
/// for those who look only at times.
pub(super) fn released(lease: &Lease, now: Timestamp) -> Lease {
    let old = lease.spec.clone().unwrap_or_default();
    let spec = LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(1),
        acquire_time: Some(MicroTime(now)),
        renew_time: Some(MicroTime(now)),
        ..old
    };
    let mut metadata = lease.metadata.clone();
    metadata.managed_fields = None;
    Lease { metadata, spec: Some(spec) }
}

/// In whole seconds, rounded up: others must not think it shorter than we do.
fn seconds(duration: Duration) -> i32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX).max(1)
}
