//! Activity: what an agent has been doing lately, from the events heard of it.

use std::fmt;

use jiff::Timestamp;
use kgents_api::Agent;
use kgents_api::agent::{AgentPhase, CognitiveHealth};
use serde::{Serialize, Serializer};

use crate::decay::{share_left, time_to};
use crate::unit;

/// From this level on an agent is busy.
pub const BUSY_FROM: f64 = 0.5;
/// From this level on an agent is active.
pub const ACTIVE_FROM: f64 = 0.2;

/// The seconds over which the flow of events is counted.
const WINDOW: usize = 10;
/// The flow, in events per second, that is a level of 1.
const FULL_FLOW: f64 = 10.0;
/// The pressure that is a level of 1.
const FULL_PRESSURE: f64 = 100.0;
/// The seconds in which the level halves when nothing arrives.
const HALF_LIFE: f64 = 10.0;

/// An agent's activity, 0 to 1: `max(flow / 10 per s, pressure / 100)`, where
/// flow is the events of the last 10 s per second. It holds what it reached
/// and lets go of it with a half-life of 10 s, so that neither a pause nor a
/// lower reading makes a bar jump.
///
/// `now` is when something was heard, not when it says that it happened. A
/// clock that steps back counts as one that stands still.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meter {
    /// The level at `at`.
    held: f64,
    at: Timestamp,
    /// Events by second, a ring; beyond 255 a second it makes no difference.
    counts: [u8; WINDOW],
}

impl Meter {
    /// One event was heard.
    pub fn record(&mut self, now: Timestamp) {
        self.advance(now);
        let slot = self.slot(self.at.as_second());
        self.counts[slot] = self.counts[slot].saturating_add(1);
        let events: u32 = self.counts.iter().map(|count| u32::from(*count)).sum();
        let flow = f64::from(events) / WINDOW as f64;
        self.held = self.held.max(unit(flow / FULL_FLOW));
    }

    /// The agent's pressure was read: 0 to 100.
    pub fn set_pressure(&mut self, now: Timestamp, pressure: f64) {
        self.advance(now);
        self.held = self.held.max(unit(pressure / FULL_PRESSURE));
    }

    /// The activity at `now`, 0 to 1.
    pub fn level(&self, now: Timestamp) -> f64 {
        self.held * share_left(now.duration_since(self.at), HALF_LIFE)
    }

    /// When the level will have decayed to `level` if nothing more arrives;
    /// `None` when it never will. What is read then is never above `level`.
    pub fn falls_to(&self, level: f64) -> Option<Timestamp> {
        if self.held <= level {
            return Some(self.at);
        }
        self.at.checked_add(time_to(level / self.held, HALF_LIFE)?).ok()
    }

    /// Lets the time up to `now` pass: the level decays, seconds that left the
    /// window are forgotten.
    fn advance(&mut self, now: Timestamp) {
        if now <= self.at {
            return;
        }
        self.held = self.level(now);
        let (from, to) = (self.at.as_second(), now.as_second());
        if to - from >= WINDOW as i64 {
            self.counts = [0; WINDOW];
        } else {
            for second in from + 1..=to {
                let slot = self.slot(second);
                self.counts[slot] = 0;
            }
        }
        self.at = now;
    }

    fn slot(&self, second: i64) -> usize {
        second.rem_euclid(self.counts.len() as i64) as usize
    }
}

/// What an agent is doing, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentState {
    /// A level of 0.5 or more.
    Busy,
    /// A level of 0.2 or more.
    Active,
    /// Hardly anything.
    Idle,
    /// It looks for patterns in what was.
    Dream,
    /// It waits for a person.
    Waiting,
    /// It cannot work.
    Down,
}

impl AgentState {
    /// The word that is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Active => "active",
            Self::Idle => "idle",
            Self::Dream => "dream",
            Self::Waiting => "waiting",
            Self::Down => "down",
        }
    }

    /// The state of an agent of which only its activity is known.
    pub(crate) fn of_level(level: f64) -> Self {
        if level >= BUSY_FROM {
            Self::Busy
        } else if level >= ACTIVE_FROM {
            Self::Active
        } else {
            Self::Idle
        }
    }
}

/// What an agent is doing. The first that holds counts: it is down (phase
/// Failed or Terminating, or its mind is UNRESPONSIVE), it waits for a person,
/// it dreams, it is busy, active or idle by its level.
pub fn state(agent: &Agent, level: f64, waiting: bool, dreaming: bool) -> AgentState {
    let status = agent.status.as_ref();
    let phase = status.and_then(|status| status.phase);
    let mind = status.and_then(|status| status.cognitive_health);
    if matches!(phase, Some(AgentPhase::Failed | AgentPhase::Terminating))
        || mind == Some(CognitiveHealth::Unresponsive)
    {
        AgentState::Down
    } else if waiting {
        AgentState::Waiting
    } else if dreaming {
        AgentState::Dream
    } else {
        AgentState::of_level(level)
    }
}

impl fmt::Display for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for AgentState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
