//! A file that a window writes beside the person who looks at it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use kgents_store::request::Answer;
use kgents_store::sanitize;

use super::failure::Failure;

/// How many names are tried.
const MAX_TRIES: usize = 1_000;

/// Writes a file into the working directory, never over another.
pub(super) fn save(name: &str, text: &str) -> Result<Answer, Failure> {
    let folder = std::env::current_dir()
        .map_err(|error| Failure::new(format!("{name} cannot be written: there is no working directory: {error}")))?;
    let path = write(&folder, name, text)?;
    Ok(Answer::Done(format!("written to {}", sanitize::text(&path.to_string_lossy()))))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, Failure> {
    if name.is_empty() || matches!(name, "." | "..") || name.contains(['/', '\\']) || name.contains(char::is_control) {
        return Err(Failure::new(format!("{name:?} cannot be the name of a file")));
    }
    for number in 0..MAX_TRIES {
        let path = folder.join(numbered(name, number));
        let said = |error: &std::io::Error| {
            Failure::new(format!("{} cannot be written: {error}", sanitize::text(&path.to_string_lossy())))
        };
        // Who made it a moment ago keeps it, and a link is not followed.
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(said(&error)),
        };
        if let Err(error) = file.write_all(text.as_bytes()) {
            // Half a file is worse than none; if it cannot go either, the error says which it is.
            let _ = std::fs::remove_file(&path);
            return Err(said(&error));
        }
        return Ok(path);
    }
    Err(Failure::new(format!("there are {MAX_TRIES} files named like {name} already")))
}

/// `log.txt`, `log-1.txt`, …: the number stands before the ending.
fn numbered(name: &str, number: usize) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem}-{number}.{ending}"),
        _ => format!("{name}-{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["frame.txt", "frame.txt", "frame.txt", "notes", "notes", ".env", ".env"];
        let written: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let path = write(folder.path(), name, &i.to_string()).unwrap();
                path.file_name().unwrap().to_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(written, ["frame.txt", "frame-1.txt", "frame-2.txt", "notes", "notes-1", ".env", ".env-1"]);
        for (i, name) in written.iter().enumerate() {
            assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), i.to_string());
        }
    }

    #[test]
    fn no_other_folder_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["", ".", "..", "../x", "/etc/x", "a/b", "a\\b", "a\nb", "a\0b"] {
            let failure = write(folder.path(), name, "").unwrap_err();
            assert!(failure.problem.said.contains("cannot be the name of a file"), "{failure:?}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let failure = write(&folder.path().join("none"), "x", "").unwrap_err();
        assert!(failure.problem.said.contains("cannot be written"), "{failure:?}");
        // A link that leads nowhere is a taken name.
        std::os::unix::fs::symlink("/nowhere", folder.path().join("link")).unwrap();
        assert!(write(folder.path(), "link", "").unwrap().ends_with("link-1"));
    }
}
