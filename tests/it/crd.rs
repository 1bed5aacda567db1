//! The custom resource definitions on a real API server: installing and
//! checking them, and what they let in.

mod apply;
mod install;
mod kubectl;
mod refused;

use crate::support::case::Case;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    [install::cases(), kubectl::cases(), refused::cases(), apply::cases()].into_iter().flatten().collect()
}
