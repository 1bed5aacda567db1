//! Why something was not done, as a window is told.

use kgents_store::request::Problem;

use crate::error::SourceError;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Failure {
    /// What is told.
    pub(super) problem: Problem,
    /// The connection is of no use any more: the next request makes another.
    pub(super) broken: bool,
}

impl Failure {
    /// One that says this.
    pub(super) fn new(said: impl Into<String>) -> Self {
        Self { problem: Problem { said: said.into(), hint: None, conflict: false }, broken: false }
    }

    /// The same, with the next command to type.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.problem.hint = Some(hint.into());
        self
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let conflict = matches!(error, SourceError::Conflict { .. });
        // Whatever breaks on the way, the client opens a new connection for the
        // next request. Credentials and trust it has only from its beginning.
        let broken = matches!(error, SourceError::Unauthorized { .. } | SourceError::Tls { .. });
        Self { problem: Problem { said: error.to_string(), hint: error.hint(), conflict }, broken }
    }
}
