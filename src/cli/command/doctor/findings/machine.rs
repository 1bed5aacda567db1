//! The terminal and the system.

use super::super::limits::{FILES, INSTANCES, Limits, WATCHES};
use super::super::terminal::Terminal;
use super::{Finding, Severity, finding};

/// The smallest terminal in which everything has its place.
const SMALL: (u16, u16) = (80, 24);

/// What the terminal can do.
pub(super) fn terminal(terminal: &Terminal) -> Vec<Finding> {
    let of = |severity, name: &str, text: String| finding(severity, "terminal", name, text);
    let size = match (terminal.columns, terminal.rows) {
        (Some(0), _) | (_, Some(0)) => {
            of(Severity::Note, "size", "0x0: the terminal does not say how large it is".to_owned())
                .next("stty rows 40 columns 120")
        }
        (Some(columns), Some(rows)) if columns < SMALL.0 || rows < SMALL.1 => {
            of(Severity::Note, "size", format!("{columns}x{rows}: the window wants {}x{}", SMALL.0, SMALL.1))
        }
        (Some(columns), Some(rows)) => of(Severity::Ok, "size", format!("{columns}x{rows}")),
        _ => of(Severity::Note, "size", "not known: there is no terminal".to_owned()),
    };
    let output = if terminal.is_drawn_on { "a terminal" } else { "no terminal: it is written as plain text" };
    let term = terminal.term.as_deref().unwrap_or("not set");
    let colours = format!("{} ({})", terminal.colours, terminal.colours_because);
    let unicode = &terminal.unicode_because;
    let mut found = vec![
        size,
        of(Severity::Ok, "output", output.to_owned()),
        match &terminal.term {
            Some(term) if term != "dumb" => of(Severity::Ok, "TERM", term.clone()),
            _ => {
                of(Severity::Note, "TERM", format!("{term}: no window can be drawn")).next("export TERM=xterm-256color")
            }
        },
        of(if terminal.colours == "none" { Severity::Note } else { Severity::Ok }, "colours", colours),
        if terminal.is_unicode {
            of(Severity::Ok, "unicode", format!("yes ({unicode})"))
        } else {
            of(Severity::Note, "unicode", format!("no ({unicode})")).next("kgents observe --ascii")
        },
    ];
    let frames = terminal.synchronized_updates;
    found.push(of(if frames == "no" { Severity::Note } else { Severity::Ok }, "whole frames", frames.to_owned()));
    let between: Vec<&str> = terminal.multiplexer.into_iter().chain(terminal.is_ssh.then_some("SSH")).collect();
    let between = if between.is_empty() { "nothing".to_owned() } else { between.join(" and ") };
    found.push(of(Severity::Ok, "between", between));
    found
}

/// What the system allows us.
pub(super) fn limits(limits: &Limits) -> Vec<Finding> {
    let inotify = |name: &str, key: &str, value: Option<u64>, least: u64, wanted: u64| match value {
        None => finding(Severity::Note, "limits", name, "not known on this system"),
        Some(value) if value < least => finding(
            Severity::Note,
            "limits",
            name,
            format!("{value}, and {least} are wanted; files are polled instead"),
        )
        .next(format!("sudo sysctl fs.inotify.{key}={wanted}")),
        Some(value) => finding(Severity::Ok, "limits", name, value.to_string()),
    };
    let said = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string());
    let (soft, hard) = (limits.open_files.soft, limits.open_files.hard);
    let both = format!("{}, at most {}", said(soft), said(hard));
    let files = if soft.is_some_and(|soft| soft < FILES) {
        let command = if hard.is_some_and(|hard| hard < FILES) {
            "sudo prlimit --pid $$ --nofile=65536:65536".to_owned()
        } else {
            format!("ulimit -n {}", hard.unwrap_or(65_536).min(65_536))
        };
        finding(Severity::Note, "limits", "open files", format!("{both}; {FILES} are wanted")).next(command)
    } else {
        finding(Severity::Ok, "limits", "open files", both)
    };
    vec![
        inotify("inotify watches", "max_user_watches", limits.inotify_watches, WATCHES, 524_288),
        inotify("inotify instances", "max_user_instances", limits.inotify_instances, INSTANCES, 512),
        files,
    ]
}
