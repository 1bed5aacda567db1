//! What is on disk.

use kgents_core::age;
use kgents_core::freshness::Freshness;
use kgents_source::ghost::AreaStatus;

use super::super::Facts;
use super::{Finding, Severity, finding, is_live};
use crate::table::NOTHING;

/// How many files that cannot be read are named.
const NAMED: usize = 10;
/// The disk has little left below so many bytes: a large Ghost and its copy.
const LITTLE: u64 = 100 << 20;

const SYNC: &str = "kgents ghost sync";

/// The tree, its areas, what is wrong in it, and the disk below it.
pub(super) fn all(facts: &Facts) -> Vec<Finding> {
    let ghost = &facts.checkup.ghost;
    let Some(path) = ghost.path.as_ref().map(|path| path.display().to_string()) else {
        return vec![
            finding(Severity::Note, "ghost", "tree", "there is no home to keep it in").next("kgents config --help"),
        ];
    };
    let mut found = Vec::new();
    let status = ghost.status.as_ref();
    let context = status.and_then(|status| status.context.as_ref()).map(|context| format!(", of context {context}"));
    let source = status.and_then(|status| status.source).map(|source| format!(", written from {source}"));
    let whose = format!("{}{}", context.unwrap_or_default(), source.unwrap_or_default());
    found.push(match status.filter(|status| status.exists) {
        Some(_) => finding(Severity::Ok, "ghost", "tree", format!("{path}{whose}")),
        None => finding(Severity::Note, "ghost", "tree", format!("{path}, never written")),
    });
    if let Some(status) = status.filter(|status| status.exists) {
        found.extend(status.areas.iter().map(|area| row(area, facts)));
    }
    if let Some(status) = status {
        let file = |problem: &kgents_source::ghost::Problem| {
            finding(Severity::Problem, "ghost", "file", problem.to_string()).next(SYNC)
        };
        found.extend(status.problems.iter().take(NAMED).map(file));
        if let Some(more) = status.problems.len().checked_sub(NAMED).filter(|more| *more > 0) {
            found.push(
                finding(Severity::Problem, "ghost", "file", format!("and {more} more")).next("kgents ghost status"),
            );
        }
        found.push(match status.holder {
            Some(pid) => finding(Severity::Ok, "ghost", "writer", format!("pid {pid} writes it now")),
            None => finding(Severity::Ok, "ghost", "writer", "nobody writes it now"),
        });
    }
    found.extend(disk(facts, &path));
    found
}

fn row(area: &AreaStatus, facts: &Facts) -> Finding {
    let AreaStatus { area: name, entries, bytes, freshness, age, error, .. } = area;
    let counted = format!("{entries} {}, {}", if *entries == 1 { "entry" } else { "entries" }, self::bytes(*bytes));
    let mut text = match (age, freshness) {
        (Some(age), Some(freshness)) => format!("{counted}, {freshness}, {} old", age::text(*age)),
        _ if area.exists => format!("{counted}, age {NOTHING}"),
        _ => "never written".to_owned(),
    };
    if let Some(error) = error {
        text = format!("{text}; the last sync failed: {error}");
    }
    let old = *freshness != Some(Freshness::Fresh);
    let severity = if old || error.is_some() { Severity::Note } else { Severity::Ok };
    let row = finding(severity, "ghost", name.as_str(), text);
    // Only what is live can make it new.
    if severity == Severity::Note && is_live(facts) { row.next(SYNC) } else { row }
}

fn disk(facts: &Facts, path: &str) -> Option<Finding> {
    let ghost = &facts.checkup.ghost;
    let free = ghost.free_bytes;
    let left = free.map(|free| format!("{} free", bytes(free)));
    let of = |severity, text| finding(severity, "ghost", "disk", text);
    if !ghost.is_writable? {
        let command = match ghost.path.as_deref() {
            Some(path) if path.is_file() => format!("mv {} {}.old", path.display(), path.display()),
            _ => format!("ls -ld {path}"),
        };
        return Some(of(Severity::Problem, "the Ghost cannot be written there".to_owned()).next(command));
    }
    Some(match left {
        Some(left) if free.is_some_and(|free| free < LITTLE) => {
            of(Severity::Problem, format!("only {left}")).next(format!("df -h {path}"))
        }
        Some(left) => of(Severity::Ok, format!("writable, {left}")),
        None => of(Severity::Ok, "writable".to_owned()),
    })
}

/// A size in one or two figures: `12 kB`, `3.4 MB`.
fn bytes(count: u64) -> String {
    let mut size = count as f64;
    for unit in ["bytes", "kB", "MB", "GB"] {
        if size < 1_000.0 {
            let figures = usize::from(unit != "bytes" && size < 10.0);
            return format!("{size:.figures$} {unit}");
        }
        size /= 1_000.0;
    }
    format!("{size:.1} TB")
}

#[cfg(test)]
mod tests {
    #[test]
    fn sizes_are_short() {
        for (count, expected) in
            [(0, "0 bytes"), (999, "999 bytes"), (1_500, "1.5 kB"), (12_345, "12 kB"), (3_400_000_000_000, "3.4 TB")]
        {
            assert_eq!(super::bytes(count), expected);
        }
    }
}
