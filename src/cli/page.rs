//! Pages for people: a title, fields, sections.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::table::{Row, Table};

/// Cells of the names of fields.
const NAMES: usize = 14;

/// A page under way.
pub(crate) struct Page<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    /// A page with a title.
    pub(crate) fn new(out: &'a mut dyn Write, title: &str) -> io::Result<Self> {
        writeln!(out, "{title}")?;
        Ok(Self { out })
    }

    /// A field. A text of several lines stands below its name.
    pub(crate) fn field(&mut self, name: &str, value: impl AsRef<str>) -> io::Result<()> {
        let value = value.as_ref().trim_end();
        let pad = NAMES.saturating_sub(name.width()).max(1);
        let mut lines = value.lines();
        writeln!(self.out, "  {name}{:pad$}{}", "", lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| writeln!(self.out, "  {:NAMES$}{line}", ""))
    }

    /// A field that is left out where there is nothing to say.
    pub(crate) fn some(&mut self, name: &str, value: Option<impl AsRef<str>>) -> io::Result<()> {
        match value {
            Some(value) if !value.as_ref().trim().is_empty() => self.field(name, value),
            _ => Ok(()),
        }
    }

    /// A section with a table, left out when there are no rows.
    pub(crate) fn table(&mut self, title: &str, columns: &[&'static str], rows: &[Row]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{title}")?;
        let mut text = Vec::new();
        Table::new(columns).write(&mut text, rows)?;
        String::from_utf8_lossy(&text).lines().try_for_each(|line| writeln!(self.out, "  {line}"))
    }

    /// A section with sentences, left out when there are none.
    pub(crate) fn list(&mut self, title: &str, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{title}")?;
        lines.iter().try_for_each(|line| writeln!(self.out, "  {}", crate::table::one_line(line)))
    }

    /// A section with a text of several lines, left out when there is none.
    pub(crate) fn text(&mut self, title: &str, text: &str) -> io::Result<()> {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "\n{title}")?;
        lines.iter().try_for_each(|line| writeln!(self.out, "  {line}"))
    }
}
