//! Waiting, with an end to patience. No test sleeps and hopes.

use std::time::{Duration, Instant};

/// How long something that happens at once may take on a machine that is busy
/// with other things. A test that passes never waits for this long.
pub const SOON: Duration = Duration::from_secs(30);

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until there is something, and returns it. Past the
/// limit it fails with `what` was waited for and why the last look was in vain.
#[track_caller]
pub fn eventually<T>(limit: Duration, what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + limit;
    loop {
        match look() {
            Ok(found) => return found,
            Err(why) => assert!(Instant::now() < end, "not within {limit:?}: {what}\n{why}"),
        }
        std::thread::sleep(PAUSE);
    }
}
