//! What comes over the wire, as what we hold.

use jiff::Timestamp;
use kgents_store::object::{self, Decoded};
use kgents_store::thought::{Origin, Severity};
use kgents_store::watch::{Link, Watch, WatchState};
use kgents_store::{Key, Kind, Thought};
use kgents_wire::cortex::{self as wire, watch_event};
use serde::de::DeserializeOwned;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::clock;
use crate::kube::words;

/// One event of a Watch stream.
#[derive(Debug)]
pub(crate) enum Event {
    Begin {
        instance: String,
        snapshot: bool,
    },
    Put(Kind, Box<Decoded>),
    Gone(Kind, Key),
    Thought(Box<Thought>),
    Synced,
    Heard(Box<Hearing>),
    /// Something that this build does not know, or that cannot be read.
    Strange(String),
}

/// How a Cortex hears its cluster.
#[derive(Clone, Debug)]
pub(crate) struct Hearing {
    pub(crate) link: Link,
    pub(crate) kinds: Vec<(Kind, Watch)>,
}

impl Hearing {
    /// Whether the cluster answers and each of these kinds has been listed or
    /// refused.
    pub(crate) fn is_whole(&self, kinds: &[Kind]) -> bool {
        let settled = |kind: &Kind| self.kinds.iter().any(|(of, watch)| of == kind && watch.state.is_settled());
        matches!(self.link, Link::Up { .. }) && kinds.iter().all(settled)
    }
}

/// Reads an event.
pub(crate) fn event(event: wire::WatchEvent) -> Event {
    use watch_event::Event as Wire;
    match event.event {
        Some(Wire::Begin(begin)) => Event::Begin { instance: begin.instance_id, snapshot: begin.snapshot },
        Some(Wire::Put(object)) => put(&object).unwrap_or_else(Event::Strange),
        Some(Wire::Gone(gone)) => match Kind::named(&gone.kind) {
            Some(kind) => Event::Gone(kind, Key::new(&words::clean(&gone.namespace), &words::clean(&gone.name))),
            None => Event::Strange(format!(
                "it tells of a kind that this build does not know: {}",
                words::clean(&gone.kind)
            )),
        },
        Some(Wire::Thought(thought)) => self::thought(thought).unwrap_or_else(Event::Strange),
        Some(Wire::Synced(_)) => Event::Synced,
        Some(Wire::Heard(heard)) => Event::Heard(Box::new(hearing(heard.link.as_ref(), &heard.kinds))),
        None => Event::Strange("it sends events that this build does not know".to_owned()),
    }
}

fn put(wire: &wire::Object) -> Result<Event, String> {
    let kind = Kind::named(&wire.kind)
        .ok_or_else(|| format!("it tells of a kind that this build does not know: {}", words::clean(&wire.kind)))?;
    let key = Key::new(&wire.namespace, &wire.name);
    let decoded = object::restore(kind, &key, &wire.uid, &wire.resource_version, &wire.json)
        .map_err(|problem| format!("a {kind} of it cannot be read: {}", words::clean(&problem)))?;
    Ok(Event::Put(kind, Box::new(decoded)))
}

fn thought(wire: wire::Thought) -> Result<Event, String> {
    let at = wire.at.as_ref().and_then(time).ok_or("a thought of it has no time")?;
    let kind = Kind::named(&wire.kind).ok_or("a thought of it is about a kind that this build does not know")?;
    let thought = Thought {
        seq: 0,
        // Its clock may be ahead of ours; nothing was heard later than now.
        at: at.min(clock::now()),
        who: wire.who.into(),
        kind,
        key: Key::new(&wire.namespace, &wire.name),
        about: wire.about.split_once('/').map(|(namespace, name)| Key::new(namespace, name)),
        origin: word::<Origin>(&wire.origin).unwrap_or(Origin::Event),
        severity: word::<Severity>(&wire.severity).unwrap_or(Severity::Info),
        text: wire.text.into(),
    };
    Ok(Event::Thought(Box::new(thought.cleaned())))
}

/// One of a set of words, by its name.
fn word<T: DeserializeOwned>(word: &str) -> Option<T> {
    let word: StrDeserializer<'_, WordError> = word.into_deserializer();
    T::deserialize(word).ok()
}

/// How a Cortex hears its cluster.
pub(crate) fn hearing(link: Option<&wire::Link>, kinds: &[wire::KindState]) -> Hearing {
    let kinds = kinds.iter().filter_map(|kind| Some((Kind::named(&kind.kind)?, watch(kind)))).collect();
    Hearing { link: self::link(link), kinds }
}

fn link(wire: Option<&wire::Link>) -> Link {
    let Some(wire) = wire else { return Link::Connecting };
    match wire.state.as_str() {
        "up" => Link::Up { version: words::clean(&wire.version) },
        "down" => Link::Down {
            since: wire.since.as_ref().and_then(time).unwrap_or_else(clock::now),
            error: words::clean(&wire.error),
            hint: words::clean(&wire.hint),
        },
        _ => Link::Connecting,
    }
}

fn watch(wire: &wire::KindState) -> Watch {
    let since = || wire.since.as_ref().and_then(time).unwrap_or_else(clock::now);
    let state = match wire.state.as_str() {
        "live" => WatchState::Live,
        "listing" => WatchState::Listing,
        "missing" => WatchState::Missing,
        "forbidden" => WatchState::Forbidden {
            verb: words::clean(&wire.verb),
            resource: Kind::named(&wire.kind).map(Kind::resource).unwrap_or_default(),
            namespace: Some(words::clean(&wire.namespace)).filter(|namespace| !namespace.is_empty()),
        },
        "failing" => WatchState::Failing { since: since(), error: words::clean(&wire.error) },
        _ => WatchState::Waiting,
    };
    let now = clock::now();
    Watch {
        state,
        as_of: wire.as_of.as_ref().and_then(time).map(|at| at.min(now)),
        refused: wire.refused.iter().map(|name| words::clean(name)).collect(),
    }
}

fn time(wire: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(wire.seconds, wire.nanos).ok()
}
