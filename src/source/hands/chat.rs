//! The talk with an agent, one line of JSON each, the newest last. Several
//! windows may add to one file: each addition is one write at its end.

use std::ffi::OsString;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use kgents_store::request::{Answer, ChatLine};
use kgents_store::{Key, sanitize};

use super::failure::Failure;
use crate::ghost;

/// How much of a history is read, from its end.
const MAX_BYTES: u64 = 256 * 1024;
/// How many lines of it are told.
const MAX_LINES: usize = 500;

/// The last lines of talk with an agent.
pub(super) fn history(agent: &Key) -> Result<Answer, Failure> {
    read(&file(agent)?).map(Answer::History)
}

/// Adds lines to the talk with an agent.
pub(super) fn say(agent: &Key, lines: &[ChatLine]) -> Result<Answer, Failure> {
    let path = file(agent)?;
    append(&path, lines)?;
    Ok(Answer::Done(format!("kept in {}", sanitize::text(&path.to_string_lossy()))))
}

/// The file of an agent, named as in the Ghost.
fn file(agent: &Key) -> Result<PathBuf, Failure> {
    let folder = folder(|name| std::env::var_os(name), std::env::home_dir());
    let folder = folder.ok_or_else(|| {
        Failure::new("there is no home to keep talk in: set KGENTS_CHAT_DIR").hint("export KGENTS_CHAT_DIR=FOLDER")
    })?;
    Ok(folder.join(format!("{}.jsonl", ghost::stem(agent))))
}

fn folder(variable: impl Fn(&str) -> Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let set = variable("KGENTS_CHAT_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| home.map(|home| home.join(".kgents/chat")))
}

/// Reads the end of a history. What is no line of talk is left out: it may be
/// torn, or somebody else's.
fn read(path: &Path) -> Result<Vec<ChatLine>, Failure> {
    let failed = |error: &io::Error| trouble("read", path, error);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(&error)),
    };
    let length = file.metadata().map_err(|error| failed(&error))?.len();
    let skipped = length.saturating_sub(MAX_BYTES);
    file.seek(SeekFrom::Start(skipped)).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if skipped > 0 {
        // The first is only the end of one.
        lines.next();
    }
    let mut talk: Vec<ChatLine> = lines.filter_map(line).collect();
    talk.drain(..talk.len().saturating_sub(MAX_LINES));
    Ok(talk)
}

fn line(bytes: &[u8]) -> Option<ChatLine> {
    let ChatLine { at, who, text, read } = serde_json::from_slice(bytes).ok()?;
    let clean = |text: String| sanitize::text(&text).into_owned();
    Some(ChatLine { at, who: clean(who), text: clean(text), read: read.into_iter().map(clean).collect() })
}

/// Adds lines in one write. Where the last line was torn, they begin on a new one.
fn append(path: &Path, lines: &[ChatLine]) -> Result<(), Failure> {
    let failed = |error: &io::Error| trouble("written", path, error);
    if lines.is_empty() {
        return Ok(());
    }
    let mut bytes = Vec::new();
    for line in lines {
        serde_json::to_writer(&mut bytes, line).map_err(|error| failed(&error.into()))?;
        bytes.push(b'\n');
    }
    if let Some(folder) = path.parent() {
        // What people say to their agents is theirs alone.
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| failed(&error))?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(|error| failed(&error))?;
    if is_torn(&mut file).map_err(|error| failed(&error))? {
        bytes.insert(0, b'\n');
    }
    file.write_all(&bytes).map_err(|error| failed(&error))
}

/// Whether the last line has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

fn trouble(done: &str, path: &Path, error: &io::Error) -> Failure {
    let path = path.to_string_lossy();
    Failure::new(format!("{} cannot be {done}: {error}", sanitize::text(&path)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn said(text: &str) -> ChatLine {
        ChatLine { at: "2026-01-01T00:00:00Z".parse().unwrap(), who: "you".into(), text: text.into(), read: Vec::new() }
    }

    fn texts(path: &Path) -> Vec<String> {
        read(path).unwrap().into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn what_is_said_is_read_again() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/chat/b-gent.jsonl");
        assert!(texts(&path).is_empty(), "nobody has said anything yet");
        let answer = ChatLine { read: vec!["status.phase".into()], who: "b-gent".into(), ..said("fine\n\u{1b}[2J") };
        append(&path, &[said("how are you?"), answer]).unwrap();
        append(&path, &[]).unwrap();
        append(&path, &[said("good")]).unwrap();
        let talk = read(&path).unwrap();
        assert_eq!(talk[0], said("how are you?"));
        assert_eq!((talk[1].text.as_str(), talk[1].read[0].as_str()), ("fine\n␛[2J", "status.phase"));
        assert_eq!(talk[2].text, "good");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 3, "one line each");
    }

    #[test]
    fn a_torn_line_is_skipped_and_spoils_no_other() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.jsonl");
        append(&path, &[said("one")]).unwrap();
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"not json\n{\"at\": \"2026-01-01T00:00:00Z\", \"who\": \"y").unwrap();
        assert_eq!(texts(&path), ["one"]);
        append(&path, &[said("two")]).unwrap();
        assert_eq!(texts(&path), ["one", "two"]);
        file.write_all(b"\xff\xfe\n").unwrap();
        assert_eq!(texts(&path), ["one", "two"]);
    }

    #[test]
    fn of_a_long_talk_the_end_is_read() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.jsonl");
        let lines: Vec<ChatLine> = (0..2_000).map(|n| said(&n.to_string())).collect();
        append(&path, &lines).unwrap();
        let talk = texts(&path);
        assert_eq!((talk.len(), talk.first().unwrap().as_str(), talk.last().unwrap().as_str()), (500, "1500", "1999"));
        let long = "x".repeat(10_000);
        append(&path, &(0..100).map(|_| said(&long)).collect::<Vec<_>>()).unwrap();
        let talk = texts(&path);
        assert!((20..=26).contains(&talk.len()) && talk.iter().all(|text| *text == long), "{}", talk.len());
    }

    #[test]
    fn windows_side_by_side_lose_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.jsonl");
        std::thread::scope(|scope| {
            for window in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    for n in 0..50 {
                        append(path, &[said(&format!("{window} {n}")), said("and more")]).unwrap();
                    }
                });
            }
        });
        assert_eq!(texts(&path).len(), 400);
    }

    #[test]
    fn the_file_is_named_as_in_the_ghost() {
        let variable = |name: &str| (name == "KGENTS_CHAT_DIR").then(|| "/elsewhere".into());
        assert_eq!(folder(variable, Some("/home/a".into())), Some("/elsewhere".into()));
        assert_eq!(folder(|_| None, Some("/home/a".into())), Some("/home/a/.kgents/chat".into()));
        assert_eq!(folder(|_| Some("".into()), None), None);
        assert_eq!(ghost::stem(&Key::new("kgents-agents", "b-gent")), "b-gent");
        assert_eq!(ghost::stem(&Key::new("team", "../x")), "team.%2E%2E%2Fx");
    }

    #[test]
    fn what_cannot_be_read_or_written_is_said() {
        let home = tempfile::tempdir().unwrap();
        let failure = read(home.path()).unwrap_err();
        assert!(failure.problem.said.contains("cannot be read"), "{failure:?}");
        let file = home.path().join("file");
        std::fs::write(&file, "").unwrap();
        let failure = append(&file.join("x.jsonl"), &[said("")]).unwrap_err();
        assert!(failure.problem.said.contains("cannot be written"), "{failure:?}");
    }
}
