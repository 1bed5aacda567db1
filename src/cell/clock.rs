//! The clock of this room.

use jiff::Timestamp;

/// What the wall clock says.
#[allow(clippy::disallowed_methods, reason = "the one place in this room that asks the clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
