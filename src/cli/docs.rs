//! The pages of `docs/` that are made from the code. A test holds that they
//! are as they would be made now.

use std::fmt::Write;

use crate::command::man;
use crate::failure::Failure;

mod configuration;
mod keys;
mod themes;

/// The folder of the manual pages among them.
pub(crate) const MAN: &str = "man";

/// Every page: where it stands below the folder, and its text.
///
/// # Errors
/// When a manual page cannot be made.
pub(crate) fn pages() -> Result<Vec<(String, String)>, Failure> {
    let mut pages = vec![
        ("configuration.md".to_owned(), configuration::page()),
        ("keys.md".to_owned(), keys::page()),
        ("themes.md".to_owned(), themes::page()),
    ];
    for (name, text) in man::pages()? {
        pages.push((format!("{MAN}/{name}"), text));
    }
    Ok(pages)
}

/// What each of the Markdown pages says of its origin, where no reader sees it.
const ORIGIN: &str = "<!-- Made by `kgents dev docs` from the code: change it there. -->";

/// A table of Markdown.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = String::new();
    let mut line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    line(&head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>());
    line(&vec!["---".to_owned(); head.len()]);
    rows.into_iter().for_each(|row| line(&row));
    text
}

/// As code; nothing where there is nothing.
fn code(text: &str) -> String {
    match text {
        "" => String::new(),
        // A tick in ticks needs more of them.
        _ if text.contains('`') => format!("`` {text} ``"),
        _ => format!("`{text}`"),
    }
}

#[cfg(test)]
mod tests;
