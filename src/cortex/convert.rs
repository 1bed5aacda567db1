//! What is held, as it stands on the wire.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use kgents_store::thought::Severity;
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Object, Terrarium, Thought, WatchState};
use kgents_wire::cortex as wire;

use crate::state::Held;

/// A moment.
pub(crate) fn stamp(at: Timestamp) -> prost_types::Timestamp {
    // The wire counts nanoseconds forward from the second, before 1970 too.
    let nanos = at.as_nanosecond();
    let second = 1_000_000_000;
    prost_types::Timestamp { seconds: nanos.div_euclid(second) as i64, nanos: nanos.rem_euclid(second) as i32 }
}

/// An object. Kubernetes' own kinds are few facts of an object, so their
/// version is that of the facts: a hash of their JSON, and there is no uid.
pub(crate) fn object(kind: Kind, key: &Key, held: &Held) -> wire::Object {
    let json = held.object.to_json().to_string();
    let (uid, resource_version) = match &held.object {
        Object::Deployment(_) | Object::Pod(_) => {
            let mut hasher = DefaultHasher::new();
            json.hash(&mut hasher);
            (String::new(), format!("{:016x}", hasher.finish()))
        }
        _ => (held.uid.clone(), held.resource_version.clone()),
    };
    let (namespace, name) = (key.namespace().to_owned(), key.name().to_owned());
    wire::Object { kind: kind.as_str().to_owned(), namespace, name, uid, resource_version, json }
}

/// An object that is gone.
pub(crate) fn gone(kind: Kind, key: &Key) -> wire::Gone {
    wire::Gone { kind: kind.as_str().to_owned(), namespace: key.namespace().to_owned(), name: key.name().to_owned() }
}

/// A thought.
pub(crate) fn thought(thought: &Thought) -> wire::Thought {
    wire::Thought {
        seq: thought.seq,
        at: Some(stamp(thought.at)),
        who: thought.who.to_string(),
        kind: thought.kind.as_str().to_owned(),
        namespace: thought.key.namespace().to_owned(),
        name: thought.key.name().to_owned(),
        origin: thought.origin.as_str().to_owned(),
        severity: severity(thought.severity).to_owned(),
        text: thought.text.to_string(),
        about: thought.about.as_ref().map(Key::to_string).unwrap_or_default(),
    }
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Asks => "asks",
        Severity::Warn => "warn",
        Severity::Error => "error",
    }
}

/// How the API server is heard.
pub(crate) fn link(link: &Link) -> wire::Link {
    match link {
        Link::Connecting => wire::Link { state: "connecting".to_owned(), ..wire::Link::default() },
        Link::Up { version } => {
            wire::Link { state: "up".to_owned(), version: version.clone(), ..wire::Link::default() }
        }
        Link::Down { since, error, hint } => wire::Link {
            state: "down".to_owned(),
            error: error.clone(),
            hint: hint.clone(),
            since: Some(stamp(*since)),
            ..wire::Link::default()
        },
    }
}

/// How each kind is heard.
pub(crate) fn kinds(terrarium: &Terrarium, now: Timestamp) -> Vec<wire::KindState> {
    Kind::ALL.into_iter().map(|kind| kind_state(terrarium, kind, now)).collect()
}

fn kind_state(terrarium: &Terrarium, kind: Kind, now: Timestamp) -> wire::KindState {
    let watch = terrarium.watch(kind);
    let mut state = wire::KindState {
        kind: kind.as_str().to_owned(),
        as_of: terrarium.as_of(kind, now).map(stamp),
        refused: watch.refused,
        ..wire::KindState::default()
    };
    let word = match watch.state {
        WatchState::Waiting => "waiting",
        WatchState::Listing => "listing",
        WatchState::Live => "live",
        WatchState::Missing => "missing",
        WatchState::Forbidden { verb, namespace, .. } => {
            (state.verb, state.namespace) = (verb, namespace.unwrap_or_default());
            "forbidden"
        }
        WatchState::Failing { since, error } => {
            (state.since, state.error) = (Some(stamp(since)), error);
            "failing"
        }
    };
    word.clone_into(&mut state.state);
    state
}

/// How everything is heard at this moment.
pub(crate) fn heard(terrarium: &Terrarium, now: Timestamp) -> wire::Heard {
    wire::Heard { link: Some(link(terrarium.link())), kinds: kinds(terrarium, now), now: Some(stamp(now)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_1970_counts_its_nanoseconds_forward() {
        let at = Timestamp::from_nanosecond(-1).unwrap();
        assert_eq!(stamp(at), prost_types::Timestamp { seconds: -1, nanos: 999_999_999 });
    }
}
