//! What was found, for people: a line for each, and what to type next.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::{Facts, Finding, OURS, Severity};
use crate::table::one_line;
use crate::words;

/// The areas in the order in which they are shown, each with its title.
const AREAS: [(&str, &str); 9] = [
    ("layers", "Layers"),
    ("rights", "Rights"),
    ("crds", "CRDs"),
    ("operator", "Operator"),
    ("clock", "Clock"),
    ("ghost", "Ghost"),
    ("terminal", "Terminal"),
    ("limits", "Limits"),
    ("config", "Configuration"),
];

/// Writes the page; `safe` makes each text fit to be shown.
pub(super) fn write(
    out: &mut dyn Write,
    facts: &Facts,
    findings: &[Finding],
    glyphs: bool,
    safe: impl Fn(&str) -> String,
) -> io::Result<()> {
    let speaks = facts.checkup.speaks.map_or("nothing", kgents_store::Layer::as_str);
    writeln!(out, "kgents {OURS}, {} {}", std::env::consts::OS, std::env::consts::ARCH)?;
    writeln!(out, "kgents would show: {speaks}")?;
    for (area, title) in AREAS {
        let here: Vec<&Finding> = findings.iter().filter(|finding| finding.area == area).collect();
        if here.is_empty() {
            continue;
        }
        let scope = facts.checkup.scene.as_ref().filter(|_| area == "rights").map(words::scope);
        let scope = scope.map(|scope| format!(" in {scope}")).unwrap_or_default();
        writeln!(out, "\n{title}{}", safe(&one_line(&scope)))?;
        let width = here.iter().map(|finding| finding.name.width()).max().unwrap_or(0);
        for finding in here {
            let text = safe(&one_line(&finding.said(glyphs)));
            let pad = width.saturating_sub(finding.name.width());
            let line = format!("  {}  {}{:pad$}  {text}", mark(finding.severity, glyphs), finding.name, "");
            writeln!(out, "{}", line.trim_end())?;
            if let Some(next) = &finding.next {
                writeln!(out, "      {:width$}  next: {}", "", safe(&one_line(next)))?;
            }
        }
    }
    Ok(())
}

fn mark(severity: Severity, glyphs: bool) -> &'static str {
    match (severity, glyphs) {
        (Severity::Ok, false) => "ok",
        (Severity::Note, false) => "--",
        (Severity::Problem, false) => "!!",
        // As wide as the words, so that both pages look alike.
        (Severity::Ok, true) => "✓ ",
        (Severity::Note, true) => "· ",
        (Severity::Problem, true) => "✗ ",
    }
}
