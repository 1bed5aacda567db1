//! Asks the API server from time to time whether it is there: open watches
//! alone do not tell a server that hangs from one that has nothing to say.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::session::Session;
use crate::backoff::Backoff;
use crate::clock;
use crate::error::SourceError;

/// How long between two probes while all is well.
pub(crate) const PROBE_EVERY: Duration = Duration::from_secs(5);
/// How long an answer to a probe may take.
pub(crate) const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// The longest delay between two probes of a server that went away lately: it
/// is likely to come back, and should be seen within a second.
const SOON: Duration = Duration::from_secs(1);
/// How many probes long that holds: about a minute.
const LATELY: u32 = 100;

/// Probes for ever, at once when nudged.
pub(crate) async fn run(session: &Session) {
    let mut backoff = Backoff::default();
    // As if it had failed, so that the first answer is asked for twice.
    let mut failed = 1_u32;
    loop {
        let asked = Instant::now();
        match ask(session).await {
            Ok(version) => {
                backoff.reset();
                session.answers(clock::now());
                session.link.up(version, asked.elapsed()).await;
                if std::mem::take(&mut failed) > 0 {
                    // The ladder wants to hear it twice.
                    continue;
                }
                // A nudge ends the wait. One that came meanwhile does so at once.
                let _ = timeout(PROBE_EVERY, session.nudge.notified()).await;
            }
            Err(error) => {
                failed = failed.saturating_add(1);
                session.silent(&error);
                session.link.down(&error).await;
                let wait = if matches!(error, SourceError::Unauthorized { .. }) {
                    // New credentials may cost a run of a plugin: no hurry.
                    session.renew.notify_one();
                    PROBE_EVERY
                } else if failed < LATELY {
                    backoff.next_delay_within(SOON)
                } else {
                    backoff.next_delay()
                };
                sleep(wait).await;
            }
        }
    }
}

async fn ask(session: &Session) -> Result<String, SourceError> {
    let wire = session.wire().within(PROBE_LIMIT);
    let mut first = None;
    let answer = async {
        match wire.version().await {
            // Perhaps only an old connection, of a server that was started anew.
            Err(error @ SourceError::Connect { .. }) => {
                first = Some(error);
                wire.version().await
            }
            answer => answer,
        }
    };
    match timeout(PROBE_LIMIT, answer).await {
        // It answers; that it keeps its version to itself is no trouble.
        Ok(Err(SourceError::Forbidden { .. })) => Ok("unknown".to_owned()),
        Ok(answer) => answer,
        Err(_) => Err(first.unwrap_or_else(|| wire.too_late())),
    }
}
