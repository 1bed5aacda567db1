//! `_meta/sync.json`: whose tree it is, and how each area was written lately.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kgents_core::freshness::{self, Area};
use serde::{Deserialize, Serialize};

/// How many syncs of an area are remembered.
const SYNCS: usize = 20;
/// Writes closer than this are one sync, so that the history tells of minutes
/// and not of the last seconds.
const APART: SignedDuration = SignedDuration::from_secs(30);
/// How far back a change counts against stability.
const RECENT: SignedDuration = SignedDuration::from_mins(5);

/// What `_meta/sync.json` holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ledger {
    /// Name of the context that the tree belongs to.
    pub(super) context: String,
    /// URL of its API server.
    pub(super) server: String,
    /// The last sync by area.
    areas: BTreeMap<String, Last>,
    /// The last syncs by area, the newest last.
    history: BTreeMap<String, Vec<Sync>>,
    /// Who wrote last; nobody wrote a recording.
    #[serde(skip_serializing_if = "Option::is_none")]
    writer: Option<Writer>,
    /// Of a recording, that its stamps stay as they are when it is played.
    #[serde(skip_serializing_if = "Option::is_none")]
    shift: Option<bool>,
}

/// How an area stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Last {
    /// When what is there was true.
    pub(super) as_of: Option<Timestamp>,
    /// Whether the last attempt had a live answer.
    pub(super) ok: bool,
    /// Why it had none.
    pub(super) error: Option<String>,
    /// How many entries there are.
    pub(super) entries: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sync {
    at: Timestamp,
    ok: bool,
    #[serde(default)]
    changed: usize,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Writer {
    pid: u32,
    version: Option<String>,
}

impl Ledger {
    /// What this process writes from now on.
    pub(super) fn sign(&mut self, context: &str, server: &str) {
        context.clone_into(&mut self.context);
        server.clone_into(&mut self.server);
        self.writer = Some(Writer { pid: std::process::id(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) });
    }

    /// This is a recording: the same whoever writes it, and whether its stamps
    /// move when it is played.
    pub(super) fn recorded(&mut self, shift: bool) {
        self.writer = None;
        self.shift = (!shift).then_some(false);
    }

    /// Whether its stamps move when it is played.
    pub(super) fn shifts(&self) -> bool {
        self.shift != Some(false)
    }

    /// How an area stands; `None` if it was never written.
    pub(super) fn last(&self, area: Area) -> Option<&Last> {
        self.areas.get(area.as_str())
    }

    /// An area was written, so many of its entries otherwise than before.
    pub(super) fn good(&mut self, area: Area, at: Timestamp, entries: usize, changed: usize) {
        self.areas.insert(area.as_str().to_owned(), Last { as_of: Some(at), ok: true, error: None, entries });
        self.record(area, Sync { at, ok: true, changed });
    }

    /// An area had no live answer; what is there stays as old as it is.
    /// Whether that is news.
    pub(super) fn bad(&mut self, area: Area, at: Timestamp, error: &str) -> bool {
        let last = self.areas.entry(area.as_str().to_owned()).or_default();
        if !last.ok && last.error.as_deref() == Some(error) {
            return false;
        }
        last.ok = false;
        last.error = Some(error.to_owned());
        self.record(area, Sync { at, ok: false, changed: 0 });
        true
    }

    fn record(&mut self, area: Area, sync: Sync) {
        let history = self.history.entry(area.as_str().to_owned()).or_default();
        match history.last_mut() {
            Some(last) if last.ok == sync.ok && near(last.at, sync.at) => last.changed += sync.changed,
            _ => history.push(sync),
        }
        let old = history.len().saturating_sub(SYNCS);
        history.drain(..old);
    }

    /// How calm an area is, 0..1 (`core::freshness`).
    pub(super) fn stability(&self, area: Area, now: Timestamp) -> f64 {
        let history = self.history.get(area.as_str()).map(Vec::as_slice).unwrap_or_default();
        let syncs: Vec<bool> = history.iter().map(|sync| sync.ok).collect();
        let recent = history.iter().filter(|sync| now.duration_since(sync.at) < RECENT);
        let changed: usize = recent.map(|sync| sync.changed).sum();
        let entries = self.last(area).map_or(0, |last| last.entries);
        freshness::stability(&syncs, changed as f64 / entries.max(1) as f64)
    }

    /// The scores of all areas that were ever written, for people.
    pub(super) fn scores(&self, now: Timestamp) -> BTreeMap<&'static str, f64> {
        let known = Area::ALL.into_iter().filter(|area| self.last(*area).is_some());
        known.map(|area| (area.as_str(), (self.stability(area, now) * 1_000.0).round() / 1_000.0)).collect()
    }
}

/// Whether two moments make one sync. A clock that was set back makes two.
fn near(before: Timestamp, now: Timestamp) -> bool {
    let apart = now.duration_since(before);
    !apart.is_negative() && apart < APART
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn syncs_that_are_close_are_one_and_only_the_last_are_kept() {
        let mut ledger = Ledger::default();
        for second in 0..60 {
            ledger.good(Area::Agents, at(second), 10, 1);
        }
        let history = &ledger.history["agents"];
        assert_eq!(history.iter().map(|sync| sync.changed).collect::<Vec<_>>(), [30, 30]);
        for minute in 1..100 {
            ledger.good(Area::Agents, at(60 * minute), 10, 0);
        }
        assert_eq!(ledger.history["agents"].len(), SYNCS);
        assert!((ledger.stability(Area::Agents, at(60 * 99)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_failure_is_told_once_and_leaves_the_age() {
        let mut ledger = Ledger::default();
        ledger.good(Area::Agents, at(0), 4, 4);
        assert!((ledger.stability(Area::Agents, at(1)) - 0.0).abs() < 1e-9, "all of it has just changed");
        assert!(ledger.bad(Area::Agents, at(400), "refused"));
        assert!(!ledger.bad(Area::Agents, at(500), "refused"));
        let last = ledger.last(Area::Agents).unwrap();
        assert_eq!((last.as_of, last.ok, last.entries), (Some(at(0)), false, 4));
        assert!((ledger.stability(Area::Agents, at(500)) - 0.5).abs() < 1e-9);
    }
}
