//! What the terminal can do, as far as that is known without asking it: an
//! answer that comes late would end on somebody's command line.

use std::fs::File;
use std::io;

use kgents_tui::ColourLevel;
use rustix::termios::tcgetwinsize;
use serde::Serialize;

/// What is known of the terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Terminal {
    /// Whether standard output is one.
    #[serde(rename = "is_terminal")]
    pub(super) is_drawn_on: bool,
    pub(super) columns: Option<u16>,
    pub(super) rows: Option<u16>,
    pub(super) term: Option<String>,
    /// none, 16, 256 or 24 bits.
    pub(super) colours: &'static str,
    /// What says so.
    pub(super) colours_because: String,
    pub(super) is_unicode: bool,
    /// What says so.
    pub(super) unicode_because: String,
    /// Whether a frame can be shown as a whole: yes, no or unknown.
    pub(super) synchronized_updates: &'static str,
    /// tmux, screen or zellij.
    pub(super) multiplexer: Option<&'static str>,
    pub(super) is_ssh: bool,
}

/// Terminals that show a frame as a whole, by the beginning of their name.
const SYNCHRONIZED: [&str; 10] =
    ["alacritty", "contour", "foot", "ghostty", "iTerm", "kitty", "mintty", "rio", "wezterm", "WezTerm"];
/// Those that do not.
const NOT_SYNCHRONIZED: [&str; 5] = ["Apple_Terminal", "linux", "dumb", "vt", "rxvt"];

/// Columns and rows of standard output, else of the terminal that we belong to.
/// A terminal may say that it has none.
pub(super) fn size() -> Option<(u16, u16)> {
    let found = tcgetwinsize(io::stdout()).or_else(|error| {
        let terminal = File::open("/dev/tty").map_err(|_| error)?;
        tcgetwinsize(terminal)
    });
    found.ok().map(|size| (size.ws_col, size.ws_row))
}

impl Terminal {
    /// What the environment says. A variable that is empty counts as none.
    pub(super) fn of(env: &impl Fn(&str) -> Option<String>, is_terminal: bool, size: Option<(u16, u16)>) -> Self {
        let (colours, colours_because) = colours(env);
        let (is_unicode, unicode_because) = unicode(env);
        Self {
            is_drawn_on: is_terminal,
            columns: size.map(|(columns, _)| columns),
            rows: size.map(|(_, rows)| rows),
            term: env("TERM"),
            colours,
            colours_because,
            is_unicode,
            unicode_because,
            synchronized_updates: synchronized(env),
            multiplexer: multiplexer(env),
            is_ssh: env("SSH_CONNECTION").is_some(),
        }
    }
}

/// How many colours the window uses, and why. The window itself decides; this
/// only finds the variable that it went by.
fn colours(env: &impl Fn(&str) -> Option<String>) -> (&'static str, String) {
    let said = |name: &str| match env(name) {
        Some(value) => format!("{name}={value}"),
        None => format!("{name} is not set"),
    };
    match kgents_tui::colour_level(env) {
        ColourLevel::None if env("NO_COLOR").is_some() => ("none", said("NO_COLOR")),
        ColourLevel::None => ("none", said("TERM")),
        ColourLevel::Ansi16 => ("16", said("TERM")),
        ColourLevel::Ansi256 => ("256", said("TERM")),
        ColourLevel::True if env("COLORTERM").is_some() => ("24 bits", said("COLORTERM")),
        ColourLevel::True => ("24 bits", said("TERM")),
    }
}

/// Whether text is UTF-8: the first of these that is set says so.
fn unicode(env: &impl Fn(&str) -> Option<String>) -> (bool, String) {
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let Some((name, value)) = names.into_iter().find_map(|name| Some((name, env(name)?))) else {
        return (false, "none of LC_ALL, LC_CTYPE and LANG is set".to_owned());
    };
    let upper = value.to_ascii_uppercase();
    (upper.contains("UTF-8") || upper.contains("UTF8"), format!("{name}={value}"))
}

fn synchronized(env: &impl Fn(&str) -> Option<String>) -> &'static str {
    // What lies behind a multiplexer is not seen from here.
    if multiplexer(env).is_some() {
        return "unknown";
    }
    let term = env("TERM").unwrap_or_default();
    let program = env("TERM_PROGRAM");
    let name = program.as_deref().unwrap_or_else(|| term.strip_prefix("xterm-").unwrap_or(&term));
    let is = |known: &[&str]| known.iter().any(|known| name.starts_with(known));
    match () {
        () if is(&SYNCHRONIZED) => "yes",
        () if is(&NOT_SYNCHRONIZED) => "no",
        () => "unknown",
    }
}

fn multiplexer(env: &impl Fn(&str) -> Option<String>) -> Option<&'static str> {
    let known = [("TMUX", "tmux"), ("STY", "screen"), ("ZELLIJ", "zellij")];
    known.into_iter().find(|(variable, _)| env(variable).is_some()).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(pairs: &[(&str, &str)]) -> Terminal {
        let env = |name: &str| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned());
        Terminal::of(&env, true, Some((0, 0)))
    }

    #[test]
    fn each_fact_says_what_it_comes_from() {
        let said = |pairs: &[(&str, &str)]| {
            let found = terminal(pairs);
            (found.colours, found.colours_because)
        };
        for (pairs, level, because) in [
            (&[("TERM", "xterm"), ("COLORTERM", "truecolor")][..], "24 bits", "COLORTERM=truecolor"),
            (&[("TERM", "xterm-direct")], "24 bits", "TERM=xterm-direct"),
            (&[("TERM", "xterm-256color")], "256", "TERM=xterm-256color"),
            (&[("TERM", "linux")], "16", "TERM=linux"),
            (&[("TERM", "xterm"), ("NO_COLOR", "1")], "none", "NO_COLOR=1"),
            (&[], "none", "TERM is not set"),
        ] {
            assert_eq!(said(pairs), (level, because.to_owned()));
        }
        let utf = |pairs: &[(&str, &str)]| {
            let found = terminal(pairs);
            (found.is_unicode, found.unicode_because)
        };
        assert_eq!(utf(&[("LANG", "de_DE.UTF-8")]), (true, "LANG=de_DE.UTF-8".to_owned()));
        assert_eq!(utf(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "C")]), (false, "LC_ALL=C".to_owned()));
        assert!(!utf(&[]).0);
    }

    #[test]
    fn only_what_is_known_is_said_of_frames() {
        for (pairs, expected) in [
            (&[("TERM", "xterm-kitty")][..], "yes"),
            (&[("TERM", "foot-extra")], "yes"),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], "yes"),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal")], "no"),
            (&[("TERM", "linux")], "no"),
            (&[("TERM", "xterm-256color")], "unknown"),
            (&[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x")], "unknown"),
            (&[], "unknown"),
        ] {
            assert_eq!(terminal(pairs).synchronized_updates, expected, "{pairs:?}");
        }
        assert_eq!(terminal(&[("ZELLIJ", "0")]).multiplexer, Some("zellij"));
        assert!(terminal(&[("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")]).is_ssh);
    }
}
