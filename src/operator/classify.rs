//! What an error of the API server means for the object that was written.
//!
//! Codes and structured reasons decide wherever the API server gives them. It
//! gives none that tell a missing right, a quota and an admission plugin
//! apart: there its words decide, and what is not known is an admission.

use std::time::Duration;

use kgents_core::plan::Cause;
use kube::core::Status;
use kube::core::response::StatusDetails;

/// The longest message that is kept, in characters.
const LONGEST: usize = 400;

/// What an error means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why.
    pub cause: Cause,
    /// The API server's words, the same for the same failure.
    pub said: String,
    /// How long the API server asks us to wait.
    pub retry_after: Option<Duration>,
}

/// What an error means. Without a status there was no answer.
pub fn classify(status: Option<&Status>) -> Verdict {
    let Some(status) = status else {
        let said = "the API server does not answer".to_owned();
        return Verdict { cause: Cause::Unavailable, said, retry_after: None };
    };
    let details = status.details.as_ref();
    let wait = details.map_or(0, |details| details.retry_after_seconds);
    let cause = match status.code {
        404 => Cause::Missing,
        409 => Cause::Conflict,
        429 => Cause::Throttled,
        401 => Cause::RightMissing,
        403 => forbidden(&status.message, details),
        // A request that is too large, or of a type that is not taken, is as
        // wrong the next time.
        400 | 405 | 406 | 413 | 415 | 422 => invalid(details),
        _ => Cause::Unavailable,
    };
    let retry_after = (wait > 0).then(|| Duration::from_secs(u64::from(wait)));
    // A path that is not there at all is answered by no more than that.
    let is_no_path = cause == Cause::Missing && details.is_none_or(|details| details.name.is_empty());
    let said = if is_no_path {
        "the API server does not serve this kind; is its CRD installed (kgents crd install)?".to_owned()
    } else {
        words(cause, &status.message)
    };
    Verdict { cause, said, retry_after }
}

/// A 422 tells of a namespace that is going in some versions, too.
fn invalid(details: Option<&StatusDetails>) -> Cause {
    if is_terminating(details) { Cause::NamespaceTerminating } else { Cause::Invalid }
}

fn is_terminating(details: Option<&StatusDetails>) -> bool {
    details.is_some_and(|details| details.causes.iter().any(|cause| cause.reason == "NamespaceTerminating"))
}

fn forbidden(message: &str, details: Option<&StatusDetails>) -> Cause {
    if is_terminating(details) {
        Cause::NamespaceTerminating
    } else if message.contains("is forbidden: exceeded quota: ") {
        Cause::QuotaExceeded
    } else if message.contains("is forbidden: User \"") && message.contains("\" cannot ") {
        Cause::RightMissing
    } else {
        Cause::AdmissionDenied
    }
}

fn words(cause: Cause, message: &str) -> String {
    match cause {
        // Versions and uids of two writers who met.
        Cause::Conflict => "somebody else changed it at the same moment".to_owned(),
        // What is used up changes by itself with each pod of anybody's.
        Cause::QuotaExceeded => {
            let parts = message.split(", ").filter(|part| !part.starts_with("used: "));
            clean(&parts.collect::<Vec<_>>().join(", "))
        }
        Cause::Throttled if message.is_empty() => "the API server has too much to do".to_owned(),
        Cause::Unavailable if message.is_empty() => "the API server cannot serve now".to_owned(),
        _ => clean(message),
    }
}

/// Foreign text as part of a message: one line, without what could move a
/// cursor, without uids, cut if long.
pub(crate) fn clean(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.map(without_uid).collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !is_steering(*c)).collect();
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// What turns the reading order around, or starts a new line.
fn is_steering(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// A word in which a uid is no more than that.
fn without_uid(word: &str) -> String {
    let is_uid = |part: &str| {
        let lengths: Vec<usize> = part.split('-').map(str::len).collect();
        lengths == [8, 4, 4, 4, 12] && part.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
    };
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if is_uid(bare) { word.replace(bare, "(uid)") } else { word.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn verdict(status: &Value) -> Verdict {
        classify(Some(&serde_json::from_value(status.clone()).unwrap()))
    }

    fn forbidden(message: &str, details: &Value) -> Verdict {
        verdict(&json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "reason": "Forbidden", "code": 403, "message": message, "details": details }))
    }

    /// As API servers of version 1.36 said them.
    #[test]
    fn a_403_is_told_apart() {
        let details = json!({ "name": "b", "kind": "pods" });
        let quota = forbidden(
            "persistentvolumeclaims \"b-memory\" is forbidden: exceeded quota: q, requested: requests.storage=256Mi, \
             used: requests.storage=1Gi, limited: requests.storage=1Gi",
            &details,
        );
        assert_eq!(quota.cause, Cause::QuotaExceeded);
        assert_eq!(
            quota.said,
            "persistentvolumeclaims \"b-memory\" is forbidden: exceeded quota: q, requested: requests.storage=256Mi, \
             limited: requests.storage=1Gi"
        );
        let right = forbidden(
            "deployments.apps \"b\" is forbidden: User \"system:serviceaccount:kgents-system:kgents-operator\" cannot \
             patch resource \"deployments\" in API group \"apps\" in the namespace \"x\"",
            &json!({ "name": "b", "group": "apps", "kind": "deployments" }),
        );
        assert_eq!(right.cause, Cause::RightMissing);
        let going = forbidden(
            "configmaps \"b-spec\" is forbidden: unable to create new content in namespace x because it is being terminated",
            &json!({ "name": "b-spec", "kind": "configmaps",
                "causes": [{ "reason": "NamespaceTerminating", "message": "namespace x is being terminated",
                    "field": "metadata.namespace" }] }),
        );
        assert_eq!(going.cause, Cause::NamespaceTerminating);
        for denied in [
            "pods \"b\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false",
            "pods \"b\" is forbidden: maximum cpu usage per Container is 1, but limit is 2",
            "admission webhook \"deny.example.com\" denied the request: no agents on Fridays",
        ] {
            assert_eq!(forbidden(denied, &details).cause, Cause::AdmissionDenied, "{denied}");
        }
    }

    #[test]
    fn codes_decide_elsewhere() {
        for (code, cause) in [
            (400, Cause::Invalid),
            (401, Cause::RightMissing),
            (404, Cause::Missing),
            (409, Cause::Conflict),
            (413, Cause::Invalid),
            (422, Cause::Invalid),
            (429, Cause::Throttled),
            (500, Cause::Unavailable),
            (503, Cause::Unavailable),
            (504, Cause::Unavailable),
        ] {
            assert_eq!(verdict(&json!({ "code": code, "message": "m" })).cause, cause, "{code}");
        }
        let gone =
            verdict(&json!({ "code": 404, "message": "404 page not found", "reason": "Failed to parse error data" }));
        assert!(gone.said.starts_with("the API server does not serve this kind"), "{}", gone.said);
        let place = json!({ "code": 404, "reason": "NotFound", "message": "namespaces \"x\" not found",
            "details": { "name": "x", "kind": "namespaces" } });
        assert_eq!(verdict(&place).said, "namespaces \"x\" not found");
        let wait = verdict(&json!({ "code": 429, "reason": "TooManyRequests", "details": { "retryAfterSeconds": 7 },
            "message": "too many requests, please try again later" }));
        assert_eq!(wait.retry_after, Some(Duration::from_secs(7)));
        assert_eq!((classify(None).cause, classify(None).retry_after), (Cause::Unavailable, None));
    }

    #[test]
    fn words_are_the_same_for_the_same_failure() {
        let uid = "Precondition failed: UID in precondition: 0f3a2f6e-7f0e-4e53-8a3c-2d7c7a3b1c11, UID in object meta:";
        assert_eq!(clean(uid), "Precondition failed: UID in precondition: (uid), UID in object meta:");
        assert_eq!(clean(" a\n\tb\u{1b}[2J\u{202e} "), "a b [2J");
        assert_eq!(clean(&"ä".repeat(1_000)).chars().count(), LONGEST + 1);
        let conflict = verdict(&json!({ "code": 409, "message": "the object has been modified (uid 1)" }));
        assert_eq!(conflict.said, "somebody else changed it at the same moment");
    }
}
