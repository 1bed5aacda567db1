//! What is measured: ours, and what stands beside it.

use std::path::Path;

use crate::it::support::user::{KGENTS, User};
use crate::pty::Window;

/// A program that draws on a terminal.
pub struct Program {
    /// What it is called in the table.
    pub name: String,
    /// How another one is started; ours takes arguments by what is measured.
    command: Option<Vec<String>>,
}

impl Program {
    /// Ours.
    pub fn ours() -> Self {
        Self { name: "kgents".to_owned(), command: None }
    }

    /// Another, by its command line.
    pub fn other(command: &[String]) -> Self {
        let file = Path::new(&command[0]).file_name().unwrap_or_default();
        Self { name: file.to_string_lossy().into_owned(), command: Some(command.to_owned()) }
    }

    /// Whether it is ours.
    pub fn is_ours(&self) -> bool {
        self.command.is_none()
    }

    /// Starts it in a terminal. What ours is told to observe is not said to
    /// another one.
    pub fn open(&self, user: &User, args: &[&str]) -> Result<Window, String> {
        match &self.command {
            Some(command) => Window::open(user, command),
            None => Window::open(user, &[&[KGENTS, "observe"], args].concat()),
        }
    }

    /// The file that is run.
    pub fn file(&self) -> &str {
        self.command.as_ref().map_or(KGENTS, |command| &command[0])
    }
}
