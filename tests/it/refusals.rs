//! Bad input of all sorts, and what it gets: a clear word, the next command,
//! the right exit code, and nothing half written.

mod credentials;
mod doctor;
mod following;
mod kubeconfig;
mod rights;
mod servers;
mod settings;
mod usage;

use serde_json::Value;

use crate::support::case::Case;
use crate::support::process::Ran;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [
        usage::cases(),
        kubeconfig::cases(),
        servers::cases(),
        settings::cases(),
        credentials::cases(),
        doctor::cases(),
        rights::cases(),
        following::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// It failed.
const FAILED: i32 = 1;
/// It was asked wrongly.
const USAGE: i32 = 2;
/// Nothing that could answer was reached.
const UNREACHABLE: i32 = 4;

/// Commands that ask the API server, each in another way. None of them may
/// leave something half written on standard output.
const ASKING: [&[&str]; 7] = [
    &["agents"],
    &["agents", "--json"],
    &["pheromones", "-o", "yaml"],
    &["proposals", "describe", "x"],
    &["signal", "sense", "--json"],
    &["signal", "emit", "WARNING", "-n", "default"],
    &["crd", "verify"],
];

/// Holds that each of [`ASKING`] fails with this code and these words, and
/// that the command which it names next is one that exists.
#[track_caller]
fn assert_all_refuse(user: &User, code: i32, words: &[&str]) {
    for command in ASKING {
        let ran = user.kgents(&[command, &["--request-timeout", "700ms"]].concat());
        assert_eq!(ran.stdout, "", "{ran}");
        assert_refused(user, ran, code, words);
    }
    assert_status(user, code, words);
}

/// Holds that a command failed with this code and these words, and says in
/// the end what to type next.
#[track_caller]
fn assert_refused(user: &User, ran: Ran, code: i32, words: &[&str]) {
    let said = ran.to_string();
    let stderr = ran.fails(code);
    assert!(stderr.starts_with("error: "), "{said}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in\n{said}");
    }
    let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: "));
    assert_exists(user, hint.unwrap_or_else(|| panic!("no next command\n{said}")));
}

/// Holds that a command of ours exists: it explains itself. Those of others
/// are not on every machine.
#[track_caller]
fn assert_exists(user: &User, command: &str) {
    if let Some(rest) = command.strip_prefix("kgents ") {
        let words: Vec<&str> = rest.split_whitespace().chain(["--help"]).collect();
        user.kgents(&words).ok();
    }
}

/// Holds that `status` says the same: the page on standard output and the
/// error on the other, and as JSON a whole answer.
#[track_caller]
fn assert_status(user: &User, code: i32, words: &[&str]) {
    let limit = ["--request-timeout", "700ms"];
    assert_refused(user, user.kgents(&[&["status"], &limit[..]].concat()), code, words);
    let ran = user.kgents(&[&["status", "--json"], &limit[..]].concat());
    assert_eq!(ran.code, Some(code), "{ran}");
    let status: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{ran}\n{error}"));
    assert_eq!((&status["layer"], &status["freshness"], &status["as_of"]), (&Value::Null, &Value::Null, &Value::Null));
    let layer = crate::support::layer(&status, "kube");
    let error = layer["error"].as_str().unwrap_or_else(|| panic!("{status}"));
    for word in words {
        assert!(error.contains(word), "{word:?} is not in\n{status}");
    }
    assert_eq!((&layer["up"], layer["hint"].is_string()), (&Value::Bool(false), true), "{status}");
    assert_eq!(status["counts"]["agents"], Value::Null, "what is not known is not zero: {status}");
}
