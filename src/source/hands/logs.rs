//! The lines of a container.

use std::time::Duration;

use futures::io::AsyncBufReadExt;
use kgents_store::key::encoded;
use kgents_store::request::{Answer, Logs};
use kgents_store::{Key, Kind};
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::Voice;
use super::desk::Line;
use super::failure::Failure;
use super::lines::Cutter;
use crate::error::SourceError;
use crate::kube::{Ask, segment, words};

/// How many lines one reply holds at most.
const BATCH: usize = 500;
/// How long a line waits for others to go with.
const GATHER: Duration = Duration::from_millis(50);

/// Reads lines and tells them as they come; the answer is how it ended. While
/// the window does not take them, the API server has to wait with the rest.
pub(super) async fn follow(line: &Line, logs: &Logs, voice: &Voice) -> Result<Answer, Failure> {
    let (namespace, name) = (segment("namespace", logs.pod.namespace())?, segment("name", logs.pod.name())?);
    let container = match &logs.container {
        Some(container) => Some(container.clone()),
        None => first_container(line, &logs.pod).await?,
    };
    let ask = Ask::of("get", Kind::Pod, Some(namespace)).named(name).sub(Some("log"));
    let path = format!("{}/{name}/log?{}", Kind::Pod.path(Some(namespace)), query(logs, container.as_deref()));
    let mut body = match line.wire.stream(&ask, &path).await {
        Ok(body) => body,
        // The pod is there, but has no such lines: not started, or nothing before.
        Err(SourceError::Invalid { message }) => return Ok(Answer::LinesEnd(message)),
        Err(error) => return Err(error.into()),
    };
    let (mut cutter, mut lines) = (Cutter::default(), Vec::new());
    let mut due = Instant::now();
    let broke = loop {
        let bytes = tokio::select! {
            biased;
            () = sleep_until(due), if !lines.is_empty() => None,
            bytes = body.fill_buf() => Some(bytes),
        };
        let is_due = match bytes {
            None => true,
            Some(Ok([])) => break None,
            Some(Ok(bytes)) => {
                if lines.is_empty() {
                    due = Instant::now() + GATHER;
                }
                let taken = cutter.take(bytes, &mut lines, BATCH);
                body.consume_unpin(taken);
                lines.len() >= BATCH
            }
            Some(Err(error)) => break Some(error),
        };
        if is_due && !voice.say(Answer::Lines(std::mem::take(&mut lines))).await {
            return Ok(Answer::LinesEnd("nobody reads on".to_owned()));
        }
    };
    lines.extend(cutter.last());
    if !lines.is_empty() {
        voice.say(Answer::Lines(lines)).await;
    }
    let end = match broke {
        Some(error) => format!("the connection was cut: {}", words::clean(&error.to_string())),
        None if logs.follow => ending(line, &logs.pod, container.as_deref()).await,
        None => "these are all lines up to now".to_owned(),
    };
    Ok(Answer::LinesEnd(end))
}

fn query(logs: &Logs, container: Option<&str>) -> String {
    let mut query = vec![format!("follow={}", logs.follow), format!("previous={}", logs.previous)];
    query.extend(container.map(|container| format!("container={}", encoded(container))));
    query.extend(logs.since_seconds.map(|seconds| format!("sinceSeconds={}", seconds.max(1))));
    // No number of lines is less than none.
    query.push(format!("tailLines={}", logs.tail.max(0)));
    query.join("&")
}

/// The container that is meant where none is named: the one that the pod says
/// is the main one, else its first. `None` where the pod may not be read: then
/// the API server finds it, if there is only one.
async fn first_container(line: &Line, pod: &Key) -> Result<Option<String>, Failure> {
    match read(line, pod).await {
        Ok(pod) => {
            let noted = pod
                .pointer("/metadata/annotations")
                .and_then(|notes| notes.get("kubectl.kubernetes.io/default-container"))
                .and_then(Value::as_str);
            let first = pod.pointer("/spec/containers/0/name").and_then(Value::as_str);
            Ok(noted.or(first).map(str::to_owned))
        }
        Err(SourceError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn read(line: &Line, pod: &Key) -> Result<Value, SourceError> {
    let ask = Ask::of("get", Kind::Pod, Some(pod.namespace())).named(pod.name());
    line.wire.json(&ask, &format!("{}/{}", Kind::Pod.path(Some(pod.namespace())), pod.name())).await
}

/// Why no more lines come, as far as the pod tells it.
async fn ending(line: &Line, pod: &Key, container: Option<&str>) -> String {
    let ended = "the container ended";
    match read(line, pod).await {
        Ok(pod) => state(&pod, container),
        Err(SourceError::NotFound { .. }) => format!("{ended}: the pod is gone"),
        // What is known without it has to do.
        Err(_) => ended.to_owned(),
    }
}

/// How a container stands whose lines have ended.
fn state(pod: &Value, container: Option<&str>) -> String {
    let lists = ["/status/containerStatuses", "/status/initContainerStatuses", "/status/ephemeralContainerStatuses"];
    let mut all = lists.iter().filter_map(|list| pod.pointer(list)?.as_array()).flatten();
    let status = all.find(|status| container.is_none_or(|name| status["name"] == name));
    let now = status.and_then(|status| status.pointer("/state/terminated"));
    // It may have been started again by now.
    let end = now.or_else(|| status.and_then(|status| status.pointer("/lastState/terminated")));
    let Some(end) = end.filter(|end| end.is_object()) else {
        let runs = status.is_some_and(|status| status.pointer("/state/running").is_some_and(Value::is_object));
        let words =
            if runs { "the API server sends no more lines; the container still runs" } else { "the container ended" };
        return words.to_owned();
    };
    let code = end.get("exitCode").and_then(Value::as_i64).map(|code| format!(" with exit code {code}"));
    let reason = end.get("reason").and_then(Value::as_str).map(|reason| format!(" ({reason})"));
    words::clean(&format!("the container ended{}{}", code.unwrap_or_default(), reason.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_that_was_asked_for_is_in_the_query() {
        let mut logs = Logs {
            pod: Key::new("n", "p"),
            container: None,
            previous: false,
            since_seconds: None,
            tail: 100,
            follow: true,
        };
        assert_eq!(query(&logs, None), "follow=true&previous=false&tailLines=100");
        logs = Logs { previous: true, follow: false, since_seconds: Some(0), tail: -1, ..logs };
        let expected = "follow=false&previous=true&container=a%26b&sinceSeconds=1&tailLines=0";
        assert_eq!(query(&logs, Some("a&b")), expected);
    }

    #[test]
    fn the_end_says_how_the_container_ended() {
        let pod = |state: &Value, last: &Value| {
            json!({ "status": { "containerStatuses": [
                { "name": "other", "state": { "terminated": { "exitCode": 9 } } },
                { "name": "logic", "state": state, "lastState": last },
            ] } })
        };
        let ended = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
        let runs = json!({ "running": { "startedAt": "2026-01-01T00:00:00Z" } });
        let logic = Some("logic");
        let oom = "the container ended with exit code 137 (OOMKilled)";
        assert_eq!(state(&pod(&ended, &json!({})), logic), oom);
        assert_eq!(state(&pod(&runs, &ended), logic), oom, "it was started again");
        let still = "the API server sends no more lines; the container still runs";
        assert_eq!(state(&pod(&runs, &json!({})), logic), still);
        assert_eq!(state(&json!({}), None), "the container ended");
    }
}
