//! How a command ends, and the one place where errors are said.

use std::io::{self, Write};
use std::process::ExitCode;

use kgents_source::SourceError;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// Well.
    Ok = 0,
    /// It failed.
    Failed = 1,
    /// It was asked wrongly.
    Usage = 2,
    /// It was answered, but by the Ghost: nothing live could be reached.
    Ghost = 3,
    /// Nothing that could answer was reached.
    Unreachable = 4,
    /// It was interrupted, and did not wait for its end.
    Interrupted = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// Why a command did not end well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read our output has gone. That is nobody's fault.
    Closed,
    /// Something to say.
    Said {
        /// One sentence.
        sentence: String,
        /// What else there is to know, a line each.
        notes: Vec<String>,
        /// What to type next.
        hint: Option<String>,
        /// The exit code.
        code: Code,
    },
}

impl Failure {
    /// A failure with a sentence.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self::Said { sentence: sentence.into(), notes: Vec::new(), hint: None, code: Code::Failed }
    }

    /// The same failure with what to type next.
    #[must_use]
    pub(crate) fn hint(mut self, next: impl Into<String>) -> Self {
        if let Self::Said { hint, .. } = &mut self {
            *hint = Some(next.into());
        }
        self
    }

    /// The same failure with what else there is to know.
    #[must_use]
    pub(crate) fn notes(mut self, more: impl IntoIterator<Item = String>) -> Self {
        if let Self::Said { notes, .. } = &mut self {
            notes.extend(more);
        }
        self
    }

    /// The same failure with another exit code.
    #[must_use]
    pub(crate) fn code(mut self, other: Code) -> Self {
        if let Self::Said { code, .. } = &mut self {
            *code = other;
        }
        self
    }

    /// Says what went wrong and gives the exit code.
    pub(crate) fn report(&self, err: &mut dyn Write) -> Code {
        match self {
            Self::Closed => Code::Ok,
            Self::Said { sentence, notes, hint, code } => {
                // If not even this can be said, the exit code still says it.
                let _ = writeln!(err, "error: {sentence}");
                for note in notes {
                    let _ = writeln!(err, "note: {note}");
                }
                if let Some(hint) = hint {
                    let _ = writeln!(err, "hint: {hint}");
                }
                *code
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self::Closed
        } else {
            Self::new(format!("the output cannot be written: {error}"))
        }
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let code = if error.is_unreachable() { Code::Unreachable } else { Code::Failed };
        let hint = error.hint();
        Self::Said { sentence: error.to_string(), notes: Vec::new(), hint, code }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(failure: &Failure) -> (String, Code) {
        let mut err = Vec::new();
        let code = failure.report(&mut err);
        (String::from_utf8(err).unwrap(), code)
    }

    #[test]
    fn an_error_is_a_sentence_and_the_next_command() {
        let failure = Failure::new("it broke").hint("kgents status").code(Code::Unreachable);
        assert_eq!(said(&failure), ("error: it broke\nhint: kgents status\n".into(), Code::Unreachable));
        assert_eq!(said(&Failure::new("it broke")), ("error: it broke\n".into(), Code::Failed));
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!(said(&failure), (String::new(), Code::Ok));
        let failure = Failure::from(io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(said(&failure).1, Code::Failed);
    }
}
