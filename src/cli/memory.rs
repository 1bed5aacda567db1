//! What the window remembers of each context: a file in the state directory.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kgents_tui::{Kept, Memory};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::log;

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;
/// How many contexts are remembered; of more the oldest are forgotten.
const MOST: usize = 64;
/// How large the file may be. Ours stay below it.
const LARGEST: u64 = 4 << 20;
/// The name of a context in its entry.
const CONTEXT: &str = "context";

/// The file as it is written: the context that was looked at last stands last.
#[derive(Default, Deserialize, Serialize)]
struct File {
    version: u32,
    contexts: Vec<Value>,
}

/// Where the file is. Without a home there is none.
pub(crate) fn path() -> Option<PathBuf> {
    log::system_folder().ok().map(|folder| folder.join("window.json"))
}

/// What is remembered, and what is wrong with the file: then the rest counts.
pub(crate) fn read(path: &Path) -> (Memory, Option<String>) {
    let file = match load(path) {
        Ok(file) => file,
        Err(problem) => return (Memory::new(), Some(problem)),
    };
    let all = file.contexts.len();
    let entry = |entry: Value| {
        let name = entry.get(CONTEXT)?.as_str()?.to_owned();
        Some((name, serde_json::from_value::<Kept>(entry).ok()?))
    };
    let memory: Memory = file.contexts.into_iter().filter_map(entry).collect();
    let strange = all.saturating_sub(memory.len());
    let problem = (strange > 0).then(|| format!("{}: {strange} entries cannot be read", path.display()));
    (memory, problem)
}

/// Adds what was looked at to what other windows wrote meanwhile.
///
/// # Errors
/// What cannot be done.
pub(crate) fn write(path: &Path, seen: &Memory) -> Result<(), String> {
    if seen.is_empty() {
        return Ok(());
    }
    let told = |error: io::Error| format!("{}: {error}", path.display());
    let mut contexts = load(path).unwrap_or_default().contexts;
    contexts.retain(|entry| {
        let name = entry.get(CONTEXT).and_then(Value::as_str);
        name.is_some_and(|name| !seen.contains_key(name))
    });
    for (name, kept) in seen {
        let mut entry = serde_json::to_value(kept).map_err(|error| told(error.into()))?;
        entry[CONTEXT] = Value::from(name.as_str());
        contexts.push(entry);
    }
    contexts.drain(..contexts.len().saturating_sub(MOST));
    let text = serde_json::to_vec(&File { version: VERSION, contexts }).map_err(|error| told(error.into()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    // Whoever reads meanwhile sees the one or the other, and no half of it.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let written = std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path));
    written.map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        told(error)
    })
}

fn load(path: &Path) -> Result<File, String> {
    let told = |problem: String| format!("{}: {problem}; what is in it is not remembered", path.display());
    // Asked before it is opened: a pipe that nobody writes to would hold us.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(File::default()),
        Err(error) => return Err(told(error.to_string())),
        Ok(found) if !found.is_file() => return Err(told("this is no plain file".to_owned())),
        Ok(_) => {}
    }
    let mut text = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut text));
    read.map_err(|error| told(error.to_string()))?;
    if text.len() as u64 > LARGEST {
        return Err(told("it is too large".to_owned()));
    }
    let file: File = serde_json::from_slice(&text).map_err(|error| told(error.to_string()))?;
    match file.version {
        VERSION => Ok(file),
        other => Err(told(format!("it is of version {other}"))),
    }
}

#[cfg(test)]
mod tests;
