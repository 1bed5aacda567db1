//! Conditions whose transition times are kept.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kgents_api::Condition;

/// What a condition should say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// Its type.
    pub(super) type_: &'static str,
    /// Whether it holds; `None` is Unknown.
    pub(super) holds: Option<bool>,
    /// A word in CamelCase.
    pub(super) reason: String,
    /// A sentence without counters, times and noise.
    pub(super) message: String,
}

/// The conditions of a status: those of the present status that are said again
/// keep their transition time as long as their status stays.
pub(super) fn conditions(
    said: Vec<Said>,
    present: &[Condition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<Condition> {
    said.into_iter()
        .map(|Said { type_, holds, reason, message }| {
            let status = match holds {
                Some(true) => "True",
                Some(false) => "False",
                None => "Unknown",
            };
            let before = present.iter().find(|condition| condition.type_ == type_ && condition.status == status);
            Condition {
                last_transition_time: before.map_or(Time(now), |condition| condition.last_transition_time.clone()),
                message,
                observed_generation: generation,
                reason,
                status: status.to_owned(),
                type_: type_.to_owned(),
            }
        })
        .collect()
}
