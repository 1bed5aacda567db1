//! Writes that failed, as plans take them into account.

use jiff::Timestamp;

use super::Child;

/// A write that failed and has not been well since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What could not be written; the subject's own status counts as none.
    pub child: Child,
    /// Why, as far as the subject is concerned.
    pub cause: Cause,
    /// The API server's words. The same failure has the same words.
    pub said: String,
    /// The generation of the subject that was written for.
    pub generation: i64,
    /// When it failed first in a row.
    pub since: Timestamp,
    /// When it may be tried again. A new generation of the subject may at once.
    pub retry_at: Timestamp,
}

impl Fault {
    /// Whether it still stands in the way of a subject of this generation.
    pub fn stands(&self, generation: i64, now: Timestamp) -> bool {
        self.generation == generation && now < self.retry_at
    }
}

/// Why a write failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// 409: somebody else was faster, or what was to be made is there.
    Conflict,
    /// 409: an object of that name is there, and it is not ours.
    Stranger,
    /// 422, 400: the API server does not take it as it is.
    Invalid,
    /// 403: the operator lacks the right.
    RightMissing,
    /// 403: a quota is used up.
    QuotaExceeded,
    /// 403: the namespace is going.
    NamespaceTerminating,
    /// 403, 400: an admission plugin or webhook refused.
    AdmissionDenied,
    /// 404: the kind, or the namespace, is not there.
    Missing,
    /// 429: the API server has too much to do.
    Throttled,
    /// 5xx, or no answer.
    Unavailable,
}

impl Cause {
    /// Whether it passes by itself, so that it is told only once it lasts.
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::Conflict | Self::Throttled | Self::Unavailable)
    }

    /// The reason that stands in a condition.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Conflict => "Conflict",
            Self::Stranger => "NameTaken",
            Self::Invalid => "Invalid",
            Self::RightMissing => "RightMissing",
            Self::QuotaExceeded => "QuotaExceeded",
            Self::NamespaceTerminating => "NamespaceTerminating",
            Self::AdmissionDenied => "AdmissionDenied",
            Self::Missing => "KindOrNamespaceMissing",
            Self::Throttled => "Throttled",
            Self::Unavailable => "ApiServerUnavailable",
        }
    }
}
