//! The Ghost for people.

use std::io::{self, Write};

use jiff::Timestamp;
use kgents_core::age;
use kgents_source::ghost::{AreaStatus, Status};

use crate::table::{NOTHING, Row, Table, one_line};

/// Writes how a tree stands.
pub(super) fn write(out: &mut dyn Write, status: &Status, now: Timestamp) -> io::Result<()> {
    let mut field = |name: &str, value: &str| writeln!(out, "{name:<12}{}", one_line(value));
    if let Some(context) = &status.context {
        field("Context", context)?;
    }
    if !status.server.is_empty() {
        field("Server", &status.server)?;
    }
    field("Tree", &status.path.display().to_string())?;
    let ago = status.last_sync.map(|at| format!("{} ago", age::text(now.duration_since(at))));
    field("Last sync", ago.as_deref().unwrap_or(NOTHING))?;
    let writer = status.holder.map_or_else(|| "nobody".to_owned(), |pid| format!("pid {pid}"));
    field("Writer", &writer)?;
    writeln!(out)?;
    let rows: Vec<Row> = status.areas.iter().map(row).collect();
    Table::new(&["AREA", "ENTRIES", "AGE", "FRESHNESS", "STABILITY", "SIZE", "SOURCE"]).write(out, &rows)?;
    let failed = status.areas.iter().filter_map(|area| Some((area.area, area.error.as_ref()?)));
    let failed = failed.map(|(area, error)| format!("{}: {error}", area.as_str()));
    list(out, "The last sync had no live answer", &failed.collect::<Vec<_>>())?;
    let problems: Vec<String> = status.problems.iter().map(ToString::to_string).collect();
    list(out, "Cannot be read", &problems)
}

fn row(status: &AreaStatus) -> Row {
    let AreaStatus { area, exists, source, age, freshness, stability, entries, bytes, .. } = status;
    let area = area.as_str().to_owned();
    if !exists {
        return Row::Note(vec![area], "never written".to_owned());
    }
    let known = age.is_some();
    let some = |text: String| if known { text } else { String::new() };
    Row::Cells(vec![
        area,
        some(entries.to_string()),
        age.map(age::text).unwrap_or_default(),
        freshness.map(|freshness| freshness.as_str().to_owned()).unwrap_or_default(),
        some(format!("{stability:.2}")),
        size(*bytes),
        source.map(|source| source.as_str().to_owned()).unwrap_or_default(),
    ])
}

fn list(out: &mut dyn Write, title: &str, lines: &[String]) -> io::Result<()> {
    if !lines.is_empty() {
        writeln!(out, "\n{title} ({})", lines.len())?;
    }
    lines.iter().try_for_each(|line| writeln!(out, "  {}", one_line(line)))
}

/// A number of bytes in few characters.
pub(in crate::command) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..10_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        10_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}
