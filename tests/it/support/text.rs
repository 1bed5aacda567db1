//! Text that is not meant well.

/// Escape sequences, a bell, a backspace and a bidirectional override.
pub const HOSTILE: &str = "red \u{1b}[31m\u{7} \u{8}\u{202e}txt.exe";

/// Whether a character may reach a terminal.
pub fn is_harmless(c: char) -> bool {
    c == '\n' || !(c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c))
}
