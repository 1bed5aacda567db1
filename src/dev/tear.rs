//! How the files of the corrupt world are damaged after they were written.

use serde_json::Value;

/// What is done to one file of a Ghost tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tear {
    /// The file, from the root of the tree.
    pub path: &'static str,
    /// What is done to it.
    pub how: TearKind,
}

/// A way to damage a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TearKind {
    /// Cut off after so many bytes, as by a full disk.
    Cut(usize),
    /// Of a schema that is not known yet.
    Schema(u64),
    /// No JSON at all.
    NotJson,
    /// A directory stands in its place. This is no change of bytes.
    Directory,
    /// Nothing in it.
    Empty,
    /// Written for another context.
    Context(&'static str),
    /// The envelope is whole, but our types cannot read the object in it.
    Unreadable,
    /// Whole, with text that would move the cursor, change the title and turn
    /// the reading order around.
    Hostile,
}

/// What stands in a file instead of JSON.
const NOT_JSON: &[u8] = b"<html><body>502 Bad Gateway\x1b[2J\xff\xfe</body></html>\n";

/// Text that no terminal may see: the title, a cleared screen, the right-to-left
/// override, a bell and a NUL.
const HOSTILE: &str = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\u{202e}\u{9b}5m\u{0}\r";

/// The fields that hold text of agents.
const SPOKEN: [&str; 5] = ["instructions", "message", "payload", "reason", "text"];

/// What is done to the corrupt world. Every path is one that its Ghost tree
/// has; what is not named here stays whole.
pub const TEARS: &[Tear] = &[
    Tear { path: "agents/b-gent.json", how: TearKind::Cut(200) },
    Tear { path: "agents/d-gent.json", how: TearKind::Schema(99) },
    Tear { path: "agents/l-gent.json", how: TearKind::NotJson },
    Tear { path: "agents/n-gent.json", how: TearKind::Directory },
    Tear { path: "agents/o-gent.json", how: TearKind::Empty },
    Tear { path: "agents/t-gent.json", how: TearKind::Context("somebody-elses-cluster") },
    Tear { path: "agents/q-gent.json", how: TearKind::Unreadable },
    Tear { path: "agents/k-gent.json", how: TearKind::Hostile },
    Tear { path: "pheromones/by_type/WARNING.json", how: TearKind::Cut(1) },
    Tear { path: "pheromones/by_type/SCARCITY.json", how: TearKind::Directory },
    Tear { path: "proposals/rejected.json", how: TearKind::NotJson },
    Tear { path: "proposals/merged.json", how: TearKind::Schema(99) },
    Tear { path: "proposals/pending.json", how: TearKind::Hostile },
    Tear { path: "thoughts/recent.jsonl", how: TearKind::Cut(900) },
    Tear { path: "_meta/stability_score.json", how: TearKind::Empty },
];

/// The bytes of a file after the damage. A directory has none: the writer
/// makes it.
///
/// Damage to a field needs JSON, one document or one a line; where `bytes` are
/// none they stay as they are.
pub fn tear(mut bytes: Vec<u8>, how: &TearKind) -> Vec<u8> {
    match how {
        TearKind::Cut(at) => {
            bytes.truncate(*at);
            bytes
        }
        TearKind::Empty | TearKind::Directory => Vec::new(),
        TearKind::NotJson => NOT_JSON.to_vec(),
        TearKind::Schema(version) => envelope(bytes, "schema", &Value::from(*version)),
        TearKind::Context(name) => envelope(bytes, "context", &Value::from(*name)),
        TearKind::Unreadable => rewrite(bytes, &mut |field, value| {
            if field == "genus" {
                *value = Value::from("ZZ");
            }
        }),
        TearKind::Hostile => rewrite(bytes, &mut |field, value| {
            if SPOKEN.contains(&field)
                && let Value::String(text) = value
            {
                text.insert_str(0, HOSTILE);
            }
        }),
    }
}

/// Replaces a field of the outermost object only.
fn envelope(bytes: Vec<u8>, field: &str, value: &Value) -> Vec<u8> {
    let Ok(Value::Object(mut object)) = serde_json::from_slice(&bytes) else { return bytes };
    object.insert(field.to_owned(), value.clone());
    indented(&Value::Object(object))
}

/// Hands every field of every object to `change`.
fn rewrite(bytes: Vec<u8>, change: &mut dyn FnMut(&str, &mut Value)) -> Vec<u8> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) {
        walk(&mut value, change);
        return indented(&value);
    }
    let mut lines = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(mut value) = serde_json::from_slice::<Value>(line) else { return bytes };
        walk(&mut value, change);
        lines.extend(value.to_string().into_bytes());
        lines.push(b'\n');
    }
    lines
}

fn walk(value: &mut Value, change: &mut dyn FnMut(&str, &mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        Value::Object(fields) => {
            for (field, value) in fields {
                change(field, value);
                walk(value, change);
            }
        }
        _ => {}
    }
}

/// As the Ghost writes: indented, with a line feed at the end.
fn indented(value: &Value) -> Vec<u8> {
    // A value that was read can be written.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn file() -> Vec<u8> {
        let data = json!({ "spec": { "genus": "B", "instructions": "settle" }, "schema": 7 });
        indented(&json!({ "schema": 1, "context": "garden", "data": data }))
    }

    fn torn(how: TearKind) -> Value {
        serde_json::from_slice(&tear(file(), &how)).unwrap()
    }

    #[test]
    fn each_tear_does_what_it_says() {
        assert_eq!(tear(file(), &TearKind::Cut(3)), file()[..3]);
        assert_eq!(tear(b"ab".to_vec(), &TearKind::Cut(3)), b"ab");
        assert!(tear(file(), &TearKind::Empty).is_empty());
        assert!(serde_json::from_slice::<Value>(&tear(file(), &TearKind::NotJson)).is_err());
        assert_eq!(torn(TearKind::Schema(99))["schema"], 99);
        assert_eq!(torn(TearKind::Schema(99))["data"]["schema"], 7, "only the envelope's");
        assert_eq!(torn(TearKind::Context("other"))["context"], "other");
        assert_eq!(torn(TearKind::Unreadable)["data"]["spec"]["genus"], "ZZ");
        let hostile = torn(TearKind::Hostile);
        let text = hostile["data"]["spec"]["instructions"].as_str().unwrap();
        assert!(text.starts_with('\u{1b}') && text.ends_with("settle"));
        let lines = tear(b"{\"text\":\"a\"}\n{\"text\":\"b\"}\n".to_vec(), &TearKind::Hostile);
        assert_eq!(String::from_utf8(lines).unwrap().lines().count(), 2);
    }

    #[test]
    fn every_path_is_named_once() {
        let mut paths: Vec<_> = TEARS.iter().map(|tear| tear.path).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths.len(), TEARS.len());
    }
}
