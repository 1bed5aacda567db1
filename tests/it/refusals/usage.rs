//! Command lines that are wrong in themselves: nobody is asked anything.

use super::USAGE;
use crate::support::case::{Case, cases};
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![a_wrong_command_line_says_what_is_right, help_and_version_need_nobody]
}

fn a_wrong_command_line_says_what_is_right() {
    let user = User::new();
    for (command, words) in [
        (&["agents", "-o", "xml"][..], &["xml", "table, wide, name, json, yaml"][..]),
        (&["agents", "--json", "-o", "yaml"], &["cannot be used with"]),
        (&["agents", "-l", "=x"], &["no label key"]),
        (&["agents", "-l", "a in (b"], &["not closed"]),
        (&["agents", "-n", "x", "-A"], &["--namespace", "--all-namespaces"]),
        (&["-n", "x", "agents", "-A"], &["--namespace", "--all-namespaces"]),
        (&["agents", "describe"], &["<NAME>"]),
        (&["agents", "describe", "x", "-w"], &["describe"]),
        (&["agnets"], &["agnets", "agents"]),
        (&["observe", "--json", "--plain"], &["cannot be used with"]),
        (&["status", "--request-timeout", "5"], &["unit is missing"]),
        (&["signal", "emit", "WARN"], &["WARN", "METAPHOR, WARNING"]),
        (&["signal", "emit", "WARNING", "--intensity", "2"], &["from 0 to 1"]),
        (&["signal", "emit", "WARNING", "--half-life", "-5m"], &["longer than nothing"]),
        (&["status", "--as-group", "g"], &["--as <USER>"]),
        (&["crd", "print", "agens"], &["agents, pheromones"]),
        (&["man", "nothing"], &["nothing"]),
    ] {
        let ran = user.kgents(command);
        assert_eq!(ran.stdout, "", "{ran}");
        let said = ran.to_string();
        let stderr = ran.fails(USAGE);
        assert!(stderr.starts_with("error: "), "{said}");
        for word in words {
            assert!(stderr.contains(word), "{word:?} is not in\n{said}");
        }
    }
    let nothing = user.kgents(&[]).fails(USAGE);
    assert!(nothing.contains("Usage: kgents"), "{nothing}");
}

fn help_and_version_need_nobody() {
    let user = User::new();
    let version = format!("kgents {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(user.kgents(&["--version"]).ok(), version);
    assert_eq!(user.kgents(&["version", "--client"]).ok(), version);
    let help = user.kgents(&["--help"]).ok();
    for command in ["observe", "status", "agents", "signal", "doctor", "crd", "completions", "man"] {
        assert!(help.contains(&format!("\n  {command}")), "{help}");
        let own = user.kgents(&[command, "--help"]).ok();
        assert!(own.contains("Examples:\n  kgents "), "{own}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(user.kgents(&["completions", shell]).ok().contains("kgents"), "{shell}");
    }
    assert!(user.kgents(&["man"]).ok().contains(".TH"));
}
