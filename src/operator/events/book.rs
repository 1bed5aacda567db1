//! What was said, and what may be written: no IO and no clock.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Said;

/// What is said again within this time of the last time belongs to the same
/// series (client-go's `finishTime`).
pub(super) const WINDOW: Duration = Duration::from_secs(6 * 60);
/// A series is written no more often.
pub(super) const EVERY: Duration = Duration::from_secs(10);
/// So many Events about one object at once (client-go's `EventSourceObjectSpamFilter`),
pub(super) const BURST: f64 = 25.0;
/// and then one in so much time.
pub(super) const REFILL: Duration = Duration::from_secs(300);
/// How many series, and how many objects, are remembered. The oldest are
/// forgotten first.
pub(super) const MOST: usize = 4096;

/// What makes two Events the same one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    uid: String,
    warning: bool,
    reason: &'static str,
    action: &'static str,
    message: String,
}

impl Key {
    fn of(said: &Said) -> Self {
        let Said { about, event } = said;
        Self {
            uid: about.uid.clone(),
            warning: event.warning,
            reason: event.reason,
            action: event.action,
            message: event.message.clone(),
        }
    }
}

#[derive(Debug)]
struct Series {
    namespace: String,
    name: String,
    count: i32,
    /// When it was said last, by both clocks.
    seen: Duration,
    at: Timestamp,
    /// When it was written last; what is newer than that waits.
    written: Duration,
    waits: bool,
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl Bucket {
    fn fill(&mut self, now: Duration) {
        let gained = now.saturating_sub(self.at).as_secs_f64() / REFILL.as_secs_f64();
        self.tokens = (self.tokens + gained).min(BURST);
        self.at = now;
    }

    /// When there is a token.
    fn ready(&self) -> Duration {
        self.at + REFILL.mul_f64((1.0 - self.tokens).max(0.0))
    }
}

/// What to do about what was said.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Make an Event of this name.
    Create { key: Key, name: String },
    /// It is counted and written later.
    Counted,
    /// There are too many about this object.
    TooMany,
}

/// A series to write.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Patch {
    pub(super) key: Key,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) count: i32,
    pub(super) last: Timestamp,
}

/// What was said lately.
#[derive(Debug, Default)]
pub(super) struct Book {
    series: HashMap<Key, Series>,
    buckets: HashMap<String, Bucket>,
}

impl Book {
    /// Takes note of what is said.
    pub(super) fn say(&mut self, said: &Said, now: Duration, at: Timestamp) -> Verdict {
        let key = Key::of(said);
        if let Some(series) = self.series.get_mut(&key)
            && now.saturating_sub(series.seen) < WINDOW
        {
            series.count = series.count.saturating_add(1);
            (series.seen, series.at, series.waits) = (now, at, true);
            return Verdict::Counted;
        }
        self.forget(now);
        if !self.pay(&key.uid, now) {
            return Verdict::TooMany;
        }
        // As client-go names them: unlike any other, and in the order of time.
        let name = format!("{}.{:x}", said.about.name, at.as_nanosecond());
        let namespace = said.about.namespace.clone();
        let series = Series { namespace, name: name.clone(), count: 1, seen: now, at, written: now, waits: false };
        self.series.insert(key.clone(), series);
        Verdict::Create { key, name }
    }

    /// The series that are to be written now; all that wait if it is the end.
    pub(super) fn due(&mut self, now: Duration, is_end: bool) -> Vec<Patch> {
        let waiting =
            self.series.iter().filter(|(_, series)| series.waits && (is_end || now >= series.written + EVERY));
        let mut keys: Vec<Key> = waiting.map(|(key, _)| key.clone()).collect();
        keys.retain(|key| self.pay(&key.uid, now));
        let patch = |key: Key| {
            let series = self.series.get_mut(&key)?;
            (series.written, series.waits) = (now, false);
            let (namespace, name) = (series.namespace.clone(), series.name.clone());
            Some(Patch { namespace, name, count: series.count, last: series.at, key })
        };
        keys.into_iter().filter_map(patch).collect()
    }

    /// When something is due, if anything waits.
    pub(super) fn next(&self) -> Option<Duration> {
        let due = |(key, series): (&Key, &Series)| {
            let token = self.buckets.get(&key.uid).map(Bucket::ready).unwrap_or_default();
            (series.written + EVERY).max(token)
        };
        self.series.iter().filter(|(_, series)| series.waits).map(due).min()
    }

    /// Forgets a series: its Event could not be made, or is gone.
    pub(super) fn drop(&mut self, key: &Key) {
        self.series.remove(key);
    }

    /// Takes a token of an object, if there is one.
    fn pay(&mut self, uid: &str, now: Duration) -> bool {
        let bucket = self.buckets.entry(uid.to_owned()).or_insert(Bucket { tokens: BURST, at: now });
        bucket.fill(now);
        let pays = bucket.tokens >= 1.0;
        bucket.tokens -= f64::from(u8::from(pays));
        pays
    }

    /// How many series and how many objects it holds.
    #[cfg(test)]
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.series.len(), self.buckets.len())
    }

    fn forget(&mut self, now: Duration) {
        if self.series.len() >= MOST {
            self.series.retain(|_, series| series.waits || now.saturating_sub(series.seen) < WINDOW);
            shrink(&mut self.series, |series| series.seen);
        }
        if self.buckets.len() >= MOST {
            self.buckets.retain(|_, bucket| {
                bucket.fill(now);
                bucket.tokens < BURST
            });
            shrink(&mut self.buckets, Bucket::ready);
        }
    }
}

/// Halves what is too large, so that it is not done for each one more.
fn shrink<K: Clone + std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, age: impl Fn(&V) -> Duration) {
    if map.len() < MOST {
        return;
    }
    let mut ages: Vec<Duration> = map.values().map(&age).collect();
    let middle = ages.len() / 2;
    let (_, middle, _) = ages.select_nth_unstable(middle);
    let middle = *middle;
    map.retain(|_, value| age(value) > middle);
}
