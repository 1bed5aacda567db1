//! What the commands print of what is there: tables, JSON, pages, signals.

mod describe;
mod scope;
mod shapes;
mod signals;
mod strange;
mod tables;

use crate::support::case::Case;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [tables::cases(), shapes::cases(), describe::cases(), scope::cases(), signals::cases(), strange::cases()]
        .into_iter()
        .flatten()
        .collect()
}
