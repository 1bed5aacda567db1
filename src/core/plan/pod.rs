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
    /// When a node was found for it.
    pub placed: Option<Timestamp>,
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
            placed: condition(pod, "PodScheduled")
                .filter(|condition| condition["status"] == "True")
                .and_then(|condition| stamp(condition.get("lastTransitionTime"))),
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
        let message = unplaced(&word("message"));
        // A volume takes its time to be made; its claim says what is wrong with it.
        let is_unmade = message.contains("persistentvolumeclaim \"") && message.contains("\" not found");
        let transient = is_unmade || message.contains("unbound immediate PersistentVolumeClaims");
        return Some(Trouble { reason: word("reason"), message, transient, since });
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

/// Reasons of a container that ended before its program ran.
const UNSTARTED: [&str; 3] = ["StartError", "ContainerCannotRun", "RunContainerError"];

/// What is wrong with a container. One that crashes goes round in circles:
/// it waits, runs for a moment, has ended. All of the circle is told alike.
fn container(status: &Value, created: Option<Timestamp>) -> Option<Trouble> {
    let name = status["name"].as_str().unwrap_or_default();
    let is_ready = status["ready"] == true;
    let (now, last) = (&status["state"]["terminated"], &status["lastState"]["terminated"]);
    let end = if now.is_object() { now } else { last };
    let (why, code) = (end["reason"].as_str().unwrap_or("Error"), end["exitCode"].as_i64().unwrap_or_default());
    let waits = status
        .pointer("/state/waiting")
        .map(|waiting| (waiting["reason"].as_str().unwrap_or("Waiting"), waiting["message"].as_str()));
    let backs_off = waits.is_some_and(|(reason, _)| reason == "CrashLoopBackOff");
    let trouble = |reason: &str, message: String, transient: bool, since: Option<Timestamp>| {
        Some(Trouble { reason: reason.to_owned(), message, transient, since })
    };
    let since = if backs_off { created } else { stamp(end.get("finishedAt")).or(created) };
    let is_unstarted = waits.is_some_and(|(reason, _)| reason == "RunContainerError");
    if !is_ready && (is_unstarted || (UNSTARTED.contains(&why) && waits.is_none_or(|_| backs_off))) {
        let message = format!("container {name} cannot be started: its command fails before it runs");
        return trouble("RunContainerError", message, false, since);
    }
    if let Some((reason, message)) = waits.filter(|_| !backs_off) {
        // The kubelet goes from one to the other and back.
        let shown = if reason == "ErrImagePull" { "ImagePullBackOff" } else { reason };
        let transient = STARTING.contains(&reason);
        return trouble(shown, waiting_for(name, shown, &status["image"], message), transient, created);
    }
    if !is_ready && why == "OOMKilled" {
        let message = format!("container {name} needed more memory than its limit and was killed");
        return trouble("OOMKilled", message, false, since);
    }
    let is_again = status["restartCount"].as_i64().is_some_and(|count| count > 1);
    if backs_off || (!is_ready && is_again && code != 0) {
        let message = format!("container {name} ends each time it is started ({why}, exit code {code})");
        return trouble("CrashLoopBackOff", message, false, since);
    }
    if now.is_object() && code != 0 {
        // The kubelet starts it again; if it goes on, it is a crash loop.
        return trouble(why, format!("container {name} ended ({why}, exit code {code})"), true, since);
    }
    None
}

/// The kubelet's message without what differs each time it is said.
fn waiting_for(name: &str, reason: &str, image: &Value, message: Option<&str>) -> String {
    let image = image.as_str().filter(|image| !image.is_empty()).map(|image| format!(" {image}")).unwrap_or_default();
    let steady = message.filter(|_| !reason.contains("BackOff"));
    match (reason, steady) {
        ("ImagePullBackOff", _) => format!("the image{image} of container {name} cannot be pulled"),
        (_, Some(message)) => format!("container {name}: {message}"),
        (_, None) => format!("container {name} waits: {reason}"),
    }
}

/// The scheduler's message without how many nodes there are of each sort:
/// `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had …. preemption: …`.
fn unplaced(message: &str) -> String {
    let Some((_, rest)) = message.split_once("nodes are available: ") else { return message.to_owned() };
    let rest = rest.split(". preemption:").next().unwrap_or(rest).split(". no new claims").next().unwrap_or(rest);
    let without_count =
        |part: &str| part.trim().trim_start_matches(|c: char| c.is_ascii_digit()).trim_start().to_owned();
    let mut parts: Vec<String> = rest.trim_end_matches('.').split(", ").map(without_count).collect();
    parts.sort();
    parts.dedup();
    format!("no node takes it: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(status: &Value) -> (String, String, bool) {
        let pod = json!({ "metadata": { "name": "p", "uid": "u", "creationTimestamp": "2026-01-01T12:00:00Z" }, "status": status });
        let trouble = Pod::read(&pod).trouble.unwrap();
        (trouble.reason, trouble.message, trouble.transient)
    }

    fn waits(reason: &str, message: &str) -> Value {
        json!({ "containerStatuses": [{
            "name": "logic", "image": "bank:2", "ready": false,
            "state": { "waiting": { "reason": reason, "message": message } },
        }] })
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_named_and_told_in_one_sentence() {
        let backing_off = told(&waits("ImagePullBackOff", "Back-off pulling image: 20s"));
        let failing = told(&waits("ErrImagePull", "rpc error: code = NotFound desc = 4711"));
        assert_eq!(backing_off.1, "the image bank:2 of container logic cannot be pulled");
        assert_eq!(backing_off, failing);
        assert!(!backing_off.2);
    }

    #[test]
    fn the_scheduler_is_quoted_without_its_counts() {
        let unscheduled = |message: &str| {
            told(&json!({ "phase": "Pending", "conditions": [
                { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message },
            ] }))
        };
        let (reason, message, transient) = unscheduled(
            "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). \
             preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
        );
        assert_eq!((reason.as_str(), transient), ("Unschedulable", false));
        assert_eq!(message, "no node takes it: Insufficient cpu, node(s) had untolerated taint(s)");
        let (_, message, transient) =
            unscheduled("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found");
        assert!(message.contains("unbound immediate"), "{message}");
        assert!(transient, "a volume takes its time");
        let claim = "0/1 nodes are available: persistentvolumeclaim \"x-memory\" not found. not found";
        assert!(unscheduled(claim).2, "the Memory makes its claim while the pod is there");
    }

    /// A container that has crashed, in each state of its circle.
    fn crashing(restarts: i64, why: &str, code: i64) -> [Value; 3] {
        let end = json!({ "terminated": { "reason": why, "exitCode": code, "finishedAt": "2026-01-01T12:00:01Z" } });
        let states = [
            (json!({ "waiting": { "reason": "CrashLoopBackOff", "message": "back-off 40s" } }), end.clone()),
            (json!({ "running": {} }), end.clone()),
            (end, json!({})),
        ];
        states.map(|(state, last)| {
            json!({ "phase": "Running", "containerStatuses": [{
                "name": "logic", "ready": false, "restartCount": restarts, "state": state, "lastState": last,
            }] })
        })
    }

    #[test]
    fn a_crash_loop_is_told_alike_all_the_way_round() {
        for (why, code, reason, message) in [
            ("Error", 1, "CrashLoopBackOff", "container logic ends each time it is started (Error, exit code 1)"),
            ("OOMKilled", 137, "OOMKilled", "container logic needed more memory than its limit and was killed"),
            (
                "StartError",
                128,
                "RunContainerError",
                "container logic cannot be started: its command fails before it runs",
            ),
        ] {
            for status in crashing(3, why, code) {
                assert_eq!(told(&status), (reason.to_owned(), message.to_owned(), false), "{status}");
            }
        }
        // The first end may be the last.
        let [_, runs, ended] = crashing(1, "Error", 1);
        assert_eq!((told(&runs).0.as_str(), told(&ended).0.as_str()), ("NotReady", "Error"));
        assert!(told(&runs).2 && told(&ended).2);
    }

    #[test]
    fn what_every_start_begins_with_passes() {
        assert!(told(&waits("ContainerCreating", "")).2);
        let (reason, message, transient) = told(&waits("CreateContainerConfigError", "secret \"keys\" not found"));
        assert_eq!((reason.as_str(), transient), ("CreateContainerConfigError", false));
        assert_eq!(message, "container logic: secret \"keys\" not found");
    }
}
