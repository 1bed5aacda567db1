//! The integration tests: the real binary, against a real kube-apiserver
//! where one can be had.
//!
//! **To add a test**, write a function in the module of its subject and name it
//! in that module's `cases![…]`. What the function takes says what it needs:
//! - nothing: it runs everywhere;
//! - [`&Place`](support::place::Place): a namespace of its own on the API
//!   server that all tests share. Prefer this one;
//! - [`&Garden`](support::garden::Garden): the same where objects come to life:
//!   controllers and kwok run there, and an operator may;
//! - [`Own`](support::cluster::Own): it starts an API server of its own, because
//!   it kills, pauses or compacts it, or changes what is not in a namespace;
//! - [`&Node`](support::node::Node): a namespace of its own on a cluster that all
//!   such tests share and that runs real pods.
//!
//! A new module gets a `mod` line and its place in [`cases`]. A function, or a
//! module, that is named nowhere is dead code, and dead code does not compile;
//! a file that no `mod` names fails a test in `rooms`.
//!
//! `cargo test --test it -- FILTER` runs some, `--list` names all. A test that
//! needs what cannot be had here is ignored, and standard error says what to do.

#![deny(dead_code, reason = "a test that is not registered must not look like one")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails; clippy's allow-…-in-tests does not reach a test without its harness"
)]
#![allow(clippy::disallowed_methods, reason = "a test asks the clock to know when to give up")]
#![allow(clippy::needless_pass_by_value, reason = "the type of a test's parameter says what it needs")]

mod acts;
mod cell;
mod control;
mod crd;
mod explain;
mod fixtures;
mod ghost;
mod hands;
mod layers;
mod lists;
mod operator;
mod plans;
mod pods;
mod refusals;
mod rooms;
mod support;
mod watch;
mod window;

use std::process::ExitCode;

use libtest_mimic::Arguments;
use support::case::{self, Case, Need};

/// Every test, by subject; the longest first, so that none of them is left to
/// run alone in the end.
fn cases() -> Vec<Case> {
    [
        operator::cases(),
        control::cases(),
        pods::cases(),
        layers::cases(),
        watch::cases(),
        crd::cases(),
        explain::cases(),
        refusals::cases(),
        hands::cases(),
        acts::cases(),
        ghost::cases(),
        fixtures::cases(),
        cell::cases(),
        window::cases(),
        lists::cases(),
        plans::cases(),
        rooms::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn main() -> ExitCode {
    let mut args = Arguments::from_args();
    // A test mostly waits for other processes, so two a core keep it busy.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    args.test_threads.get_or_insert(cores * 2);
    case::catch_panics();

    let cases = cases();
    let lacking: Vec<Need> =
        Need::ALL.into_iter().filter(|need| !args.list && is_lacking(*need, &cases, &args)).collect();
    let is_ignored = |case: &Case| case.need.is_some_and(|need| lacking.contains(&need));
    let trials = cases
        .into_iter()
        .map(|case| {
            let ignored = is_ignored(&case);
            case.trial.with_ignored_flag(ignored)
        })
        .collect();
    libtest_mimic::run(&args, trials).exit_code()
}

/// Whether tests that are to run need what cannot be had here. It is told then.
fn is_lacking(need: Need, cases: &[Case], args: &Arguments) -> bool {
    let count = cases.iter().filter(|case| case.need == Some(need) && !args.is_filtered_out(&case.trial)).count();
    let lack = if count == 0 { None } else { need.lack() };
    if let Some(reason) = &lack {
        support::say(&format!("{count} tests are ignored: {reason}"));
    }
    lack.is_some()
}
