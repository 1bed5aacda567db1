//! The operator, against a real API server.

mod crash;
mod drift;
mod faults;
mod leader;
mod life;
mod odd;
mod rights;
mod spec;

use crate::support::case::Case;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [
        faults::cases(),
        crash::cases(),
        leader::cases(),
        life::cases(),
        odd::cases(),
        rights::cases(),
        drift::cases(),
        spec::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
