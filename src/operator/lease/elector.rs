//! The decisions of an election, without IO and without a clock: time comes in.
//!
//! [`Elector::next`] says what to ask the API server, [`Elector::answered`]
//! takes what it said. Only an answer to a question of ours makes a leader or
//! unmakes one; what a watch tells may be old, so it makes us ask at once.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;

use super::{Options, record};

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub(super) enum Next {
    /// Nothing for so long, unless something is heard.
    Wait(Duration),
    /// Ask this.
    Ask(Ask),
}

/// A question to the API server.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub(super) enum Ask {
    Get,
    Create(Lease),
    /// With the resource version that it was made from.
    Update(Lease),
}

/// What the API server said.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one at a time")]
pub(super) enum Answer {
    /// The Lease, as it stands now.
    Lease(Lease),
    /// There is none.
    Missing,
    /// Somebody else wrote or made it meanwhile.
    Conflict,
    /// Anything else, or nothing.
    Failed,
}

/// The state of one replica.
#[derive(Debug)]
pub(super) struct Elector {
    options: Options,
    /// What we know of the Lease, and when we saw it become so.
    seen: Option<Seen>,
    /// While we lead: when the last renewal that went well began.
    renewed: Option<Duration>,
    /// What was just looked up is free, or not there: it may be taken.
    free: bool,
    /// What we lead by is in doubt: look before it is renewed.
    doubt: bool,
    /// When to act again.
    due: Duration,
    /// Steps taken since the last pause.
    hurried: u8,
    /// Whether a watch tells us of changes.
    watched: bool,
    random: fastrand::Rng,
}

#[derive(Clone, Debug)]
struct Seen {
    lease: Lease,
    at: Duration,
}

/// So many steps follow each other at once: look, take, and once more after a
/// conflict. Then there is a pause, whatever others do.
const HURRY: u8 = 4;

impl Elector {
    pub(super) fn new(options: Options, random: fastrand::Rng) -> Self {
        Self {
            options,
            seen: None,
            renewed: None,
            free: false,
            doubt: false,
            due: Duration::ZERO,
            hurried: 0,
            watched: false,
            random,
        }
    }

    /// Until when we lead, if we do.
    pub(super) fn until(&self) -> Option<Duration> {
        self.renewed.map(|renewed| renewed + self.options.duration)
    }

    /// Who holds it, as far as we know.
    pub(super) fn holder(&self) -> Option<&str> {
        record::holder(&self.seen.as_ref()?.lease)
    }

    /// What another holder says in the annotation in which all should agree,
    /// where it says something else than we do.
    pub(super) fn dissent(&self) -> Option<&str> {
        let common = self.options.common.as_ref()?;
        let lease = &self.seen.as_ref()?.lease;
        record::holder(lease).filter(|holder| *holder != self.options.identity)?;
        let theirs = lease.metadata.annotations.as_ref()?.get(common)?;
        let ours = self.options.notes.iter().find(|(name, _)| name == common).map(|(_, note)| note);
        (Some(theirs) != ours).then_some(theirs.as_str())
    }

    /// How long a request that starts at `now` may take: two must fit in before
    /// a leader gives up, and none goes on after it did.
    pub(super) fn patience(&self, now: Duration) -> Duration {
        let limit = self.options.request_limit.min(self.options.deadline() / 2);
        let left = self.renewed.map(|renewed| (renewed + self.options.deadline()).saturating_sub(now));
        left.map_or(limit, |left| limit.min(left))
    }

    /// What to do at `now`. May end our leadership: its time may be over.
    pub(super) fn next(&mut self, now: Duration, wall: Timestamp) -> Next {
        if let Some(renewed) = self.renewed {
            let end = renewed + self.options.deadline();
            if now >= end {
                self.step_down(now);
            } else if now < self.due {
                return Next::Wait(self.due.min(end).saturating_sub(now));
            }
        }
        if now < self.due {
            return Next::Wait(self.due.saturating_sub(now));
        }
        if self.hurried >= HURRY {
            self.pause(now);
            return Next::Wait(self.due.saturating_sub(now));
        }
        self.hurried += 1;
        let free = std::mem::take(&mut self.free);
        Next::Ask(match &self.seen {
            Some(seen) if self.renewed.is_some() && !self.doubt => {
                Ask::Update(record::renewed(&seen.lease, &self.options, wall))
            }
            Some(seen) if free => Ask::Update(record::renewed(&seen.lease, &self.options, wall)),
            None if free => Ask::Create(record::new(&self.options, wall)),
            _ => Ask::Get,
        })
    }

    /// Takes the answer to what was asked at `started`.
    pub(super) fn answered(&mut self, ask: &Ask, started: Duration, answer: Answer, now: Duration) {
        match (ask, answer) {
            (Ask::Get, Answer::Lease(lease)) => {
                self.saw(Some(lease), now);
                self.looked(now);
            }
            (Ask::Get, Answer::Missing) => {
                self.saw(None, now);
                self.step_down(now);
                self.free = true;
            }
            (Ask::Create(_) | Ask::Update(_), Answer::Lease(lease)) => {
                self.saw(Some(lease), now);
                self.renewed = Some(started);
                (self.doubt, self.hurried) = (false, 0);
                self.due = started + self.options.retry;
            }
            (Ask::Create(_) | Ask::Update(_), Answer::Missing | Answer::Conflict) => {
                // Somebody was faster. Who and whether it concerns us is looked up at once.
                self.doubt = true;
                self.due = now;
            }
            (_, Answer::Failed | Answer::Conflict) => self.pause(now),
        }
    }

    /// What follows from having looked.
    fn looked(&mut self, now: Duration) {
        let Some(seen) = &self.seen else { return };
        let holder = record::holder(&seen.lease);
        let is_ours = holder == Some(self.options.identity.as_str());
        self.doubt = false;
        if !is_ours {
            self.step_down(now);
        }
        // One of ours that we do not lead by is one whose answer was lost.
        if is_ours || self.is_free(now) {
            self.free = true;
            self.due = now;
        } else {
            self.pause(now);
        }
    }

    /// What a watch tells; `None` when there is no Lease any more.
    pub(super) fn heard(&mut self, lease: Option<Lease>, now: Duration) {
        self.watched = true;
        if self.renewed.is_some() {
            let ours = lease.as_ref().and_then(record::holder) == Some(self.options.identity.as_str());
            if !ours {
                // It may be older than what made us leader.
                self.doubt = true;
                self.due = now;
            }
            return;
        }
        self.saw(lease, now);
        self.due = if self.is_free(now) { now } else { self.due.max(self.ends().unwrap_or_default()) };
    }

    /// That the watch broke: from now on we look ourselves.
    pub(super) fn deaf(&mut self, now: Duration) {
        if std::mem::replace(&mut self.watched, false) {
            self.due = self.due.min(now + self.options.retry);
        }
    }

    /// The Lease to write so that nobody holds it, if we hold it. We lead no
    /// more from now on.
    pub(super) fn release(&mut self, now: Duration, wall: Timestamp) -> Option<Lease> {
        self.step_down(now);
        let lease = &self.seen.as_ref()?.lease;
        let is_ours = record::holder(lease) == Some(self.options.identity.as_str());
        is_ours.then(|| record::released(lease, wall))
    }

    fn step_down(&mut self, now: Duration) {
        self.renewed = None;
        self.doubt = false;
        self.free = false;
        self.due = now;
    }

    /// Remembers what is known now. Its time begins anew when it changed.
    fn saw(&mut self, lease: Option<Lease>, now: Duration) {
        let same = match (&self.seen, &lease) {
            (Some(seen), Some(lease)) => {
                record::version(&seen.lease) == record::version(lease) && seen.lease.metadata.uid == lease.metadata.uid
            }
            _ => false,
        };
        if !same {
            self.seen = lease.map(|lease| Seen { lease, at: now });
        }
    }

    /// When the time of the present holder is over.
    fn ends(&self) -> Option<Duration> {
        let seen = self.seen.as_ref()?;
        record::holder(&seen.lease)?;
        Some(seen.at + record::duration(&seen.lease, self.options.duration))
    }

    fn is_free(&self, now: Duration) -> bool {
        self.ends().is_none_or(|end| now >= end)
    }

    /// Waits a while: a standby that hears of changes until the holder's time
    /// would be over, any other until the next try.
    fn pause(&mut self, now: Duration) {
        self.hurried = 0;
        let jitter = 1.0 + self.random.f64() * 0.2;
        self.due = now + self.options.retry.mul_f64(jitter);
        if self.watched && self.renewed.is_none() {
            self.due = self.due.max(self.ends().unwrap_or_default());
        }
    }
}
