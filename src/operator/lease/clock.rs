//! The clocks by which a Lease is judged.

use std::fmt::Debug;
use std::time::Duration;

use jiff::Timestamp;

/// The clocks by which a Lease is judged. Tests have their own.
pub trait Clock: Debug + Send + Sync + 'static {
    /// A time that nobody sets and that goes on while the machine sleeps. Only
    /// its differences mean something.
    fn boot(&self) -> Duration;

    /// The wall clock: what is written for people, never decided by.
    fn wall(&self) -> Timestamp;
}

/// The system's clocks.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Clock for System {
    fn boot(&self) -> Duration {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        let now = rustix::time::clock_gettime(clock);
        Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
    }

    #[allow(clippy::disallowed_methods, reason = "the one place in this room that asks the wall clock")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}
