//! A pod, as far as the state of its agent depends on it.

use jiff::Timestamp;
use serde_json::Value;

/// A pod, as far as the state of its agent depends on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is going.
    pub deleting: bool,
    /// What is wrong with it, the worst first found.
    pub trouble: Option<Trouble>,
}

/// What is wrong with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The kubelet's or the scheduler's word, such as `ImagePullBackOff`.
    pub reason: String,
    /// A sentence that stays the same while the trouble is the same: no
    /// counters, no times, no pod names.
    pub message: String,
    /// Whether it is part of every start and passes by itself.
    pub transient: bool,
    /// Since when, where that is known.
    pub since: Option<Timestamp>,
}

impl Pod {
    /// Reads a Pod as the API server sends it. What is missing is taken as
    /// not there yet.
    pub fn read(pod: &Value) -> Self {
        let text = |pointer: &str| pod.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let ready = condition(pod, "Ready").is_some_and(|condition| condition["status"] == "True");
        Self {
            name: text("/metadata/name"),
            uid: text("/metadata/uid"),
            created: stamp(pod.pointer("/metadata/creationTimestamp")),
            ready,
            deleting: pod.pointer("/metadata/deletionTimestamp").is_some(),
            trouble: trouble(pod, ready),
        }
    }
}

fn stamp(value: Option<&Value>) -> Option<Timestamp> {
    value?.as_str()?.parse().ok()
}

fn condition<'a>(pod: &'a Value, type_: &str) -> Option<&'a Value> {
    pod.pointer("/status/conditions")?.as_array()?.iter().find(|condition| condition["type"] == type_)
}

/// Reasons with which every container begins.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

fn trouble(pod: &Value, ready: bool) -> Option<Trouble> {
    let created = stamp(pod.pointer("/metadata/creationTimestamp"));
    let mut found: Option<Trouble> = None;
    let all = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let statuses = all.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    for status in statuses {
        let next = container(status, created);
        let worse = match (&found, &next) {
            (None, _) => true,
            (Some(found), Some(next)) => found.transient && !next.transient,
            (Some(_), None) => false,
        };
        if worse {
            found = next;
        }
    }
    if found.is_some() {
        return found;
    }
    if let Some(scheduled) = condition(pod, "PodScheduled").filter(|condition| condition["status"] == "False") {
        let word = |name: &str| scheduled[name].as_str().unwrap_or_default().to_owned();
        let since = stamp(scheduled.get("lastTransitionTime"));
        return Some(Trouble { reason: word("reason"), message: word("message"), transient: false, since });
    }
    let phase = pod.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
    if phase == "Failed" {
        let word = |pointer: &str, other: &str| {
            pod.pointer(pointer).and_then(Value::as_str).filter(|word| !word.is_empty()).unwrap_or(other).to_owned()
        };
        let (reason, message) = (word("/status/reason", "PodFailed"), word("/status/message", "the pod has failed"));
        return Some(Trouble { reason, message, transient: false, since: created });
    }
    if !ready && phase == "Running" {
        let since = condition(pod, "Ready").and_then(|ready| stamp(ready.get("lastTransitionTime"))).or(created);
        let message = "a container runs and its readiness probe does not answer well".to_owned();
        return Some(Trouble { reason: "NotReady".to_owned(), message, transient: true, since });
    }
    None
}

fn container(status: &Value, created: Option<Timestamp>) -> Option<Trouble> {
    let name = status["name"].as_str().unwrap_or_default();
    let last = &status["lastState"]["terminated"];
    if let Some(waiting) = status.pointer("/state/waiting") {
        let reason = waiting["reason"].as_str().unwrap_or("Waiting");
        let transient = STARTING.contains(&reason);
        // Why it crashed says more than that it waits for its next start.
        let died = last["reason"].as_str().filter(|_| reason == "CrashLoopBackOff");
        let (reason, message) = match died {
            Some("OOMKilled") => (
                "OOMKilled",
                format!("container {name} needed more memory than its limit and is started again and again"),
            ),
            Some(why) => {
                let code = last["exitCode"].as_i64().unwrap_or_default();
                (reason, format!("container {name} ends each time it is started ({why}, exit code {code})"))
            }
            None => (reason, waiting_for(name, reason, waiting["message"].as_str())),
        };
        return Some(Trouble { reason: reason.to_owned(), message, transient, since: created });
    }
    let now = &status["state"]["terminated"];
    if now["reason"] == "OOMKilled" || (status["ready"] == false && last["reason"] == "OOMKilled") {
        let message = format!("container {name} needed more memory than its limit and was killed");
        let end = if now["reason"] == "OOMKilled" { now } else { last };
        let since = stamp(end.get("finishedAt"));
        return Some(Trouble { reason: "OOMKilled".to_owned(), message, transient: false, since });
    }
    let code = now["exitCode"].as_i64().unwrap_or_default();
    if code != 0 {
        let why = now["reason"].as_str().unwrap_or("Error");
        let message = format!("container {name} ended ({why}, exit code {code})");
        let since = stamp(now.get("finishedAt"));
        // The kubelet starts it again; if it goes on, a crash loop says so.
        return Some(Trouble { reason: why.to_owned(), message, transient: true, since });
    }
    None
}

/// The kubelet's message without what differs each time it is said.
fn waiting_for(name: &str, reason: &str, message: Option<&str>) -> String {
    let steady = message.filter(|_| !reason.contains("BackOff"));
    match (steady, reason) {
        (Some(message), _) => format!("container {name}: {message}"),
        (None, "ImagePullBackOff" | "ErrImagePull") => format!("the image of container {name} cannot be pulled"),
        (None, _) => format!("container {name} waits: {reason}"),
    }
}
