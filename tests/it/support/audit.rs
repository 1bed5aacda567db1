//! What an API server was asked, by its audit log.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The audit log of one API server.
pub struct Audit {
    path: PathBuf,
}

/// One request that was answered. A watch counts when it has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The verb, as RBAC names it.
    pub verb: String,
    /// The API group; empty for the core group.
    pub group: String,
    /// The resource, with its subresource after a slash.
    pub resource: String,
    /// The namespace; empty for all.
    pub namespace: String,
    /// The name; empty for a collection.
    pub name: String,
    /// The user's name.
    pub user: String,
    /// The program.
    pub agent: String,
    /// The HTTP status.
    pub code: u64,
    /// The path and query.
    pub uri: String,
}

impl Call {
    /// Whether something may be changed by it.
    pub fn is_write(&self) -> bool {
        !["get", "list", "watch"].contains(&self.verb.as_str())
    }

    /// As `patch deployments x`.
    pub fn short(&self) -> String {
        format!("{} {} {} ({})", self.verb, self.resource, self.name, self.code)
    }
}

impl Audit {
    /// The log in this file, which an API server writes.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where the log ends now. What was answered before stands before it, but
    /// for a line that is being written.
    pub fn end(&self) -> u64 {
        let Ok(mut file) = std::fs::File::open(&self.path) else { return 0 };
        let length = file.metadata().unwrap().len();
        // A mark in the middle of a line would tear it; no line is longer than this.
        let start = length.saturating_sub(1 << 16);
        file.seek(SeekFrom::Start(start)).unwrap();
        let mut tail = Vec::new();
        file.take(length - start).read_to_end(&mut tail).unwrap();
        start + tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline as u64 + 1)
    }

    /// What was answered since `mark`, in order.
    pub fn since(&self, mark: u64) -> Vec<Call> {
        let mut file = std::fs::File::open(&self.path).unwrap();
        file.seek(SeekFrom::Start(mark)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        // The last line may not be whole yet; then it is told the next time.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().filter_map(|line| call(&serde_json::from_str(line).unwrap())).collect()
    }

    /// What kgents changed since `mark`, but for its Events and its Lease.
    pub fn writes(&self, mark: u64) -> Vec<Call> {
        let aside = ["events", "leases"];
        let ours = |call: &Call| {
            call.agent.starts_with("kgents/") && call.is_write() && !aside.contains(&call.resource.as_str())
        };
        self.since(mark).into_iter().filter(ours).collect()
    }
}

fn call(entry: &Value) -> Option<Call> {
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let verb = text("/verb");
    // A watch has a second line when it ends.
    if verb == "watch" && text("/stage") != "ResponseStarted" {
        return None;
    }
    let resource = match text("/objectRef/subresource").as_str() {
        "" => text("/objectRef/resource"),
        sub => format!("{}/{sub}", text("/objectRef/resource")),
    };
    Some(Call {
        verb,
        group: text("/objectRef/apiGroup"),
        resource,
        namespace: text("/objectRef/namespace"),
        name: text("/objectRef/name"),
        user: text("/user/username"),
        agent: text("/userAgent"),
        code: entry.pointer("/responseStatus/code").and_then(Value::as_u64).unwrap_or(0),
        uri: text("/requestURI"),
    })
}
