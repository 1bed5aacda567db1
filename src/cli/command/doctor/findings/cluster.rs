//! What the API server says of itself, and what it lets us do.

use jiff::SignedDuration;
use kgents_core::age;
use kgents_source::SourceError;
use kgents_source::checkup::{CrdCheck, Right};
use kgents_store::{Kind, Layer};

use super::super::Facts;
use super::{Finding, Severity, finding, is_silent};
use crate::command::crd;

/// How far two clocks may be apart.
const SKEW: SignedDuration = SignedDuration::from_secs(2);

/// What stands where the API server was asked in vain. Why has its own line.
const IN_VAIN: &str = "not known: the API server gives no useful answer";

/// One line for each resource.
pub(super) fn rights(facts: &Facts) -> Vec<Finding> {
    let rights = &facts.checkup.rights;
    let unknown = |right: &&Right| right.answer.is_err();
    if let Some(Err(error)) = rights.first().map(|right| &right.answer)
        && rights.iter().all(|right| unknown(&right))
    {
        let why = if is_silent(facts, Layer::Kube) { IN_VAIN.to_owned() } else { format!("not known: {error}") };
        return vec![finding(Severity::Note, "rights", "all", why)];
    }
    // They come sorted by resource.
    rights.chunk_by(|one, other| one.resource == other.resource).map(|of| row(of, facts)).collect()
}

fn row(rights: &[Right], facts: &Facts) -> Finding {
    let resource = rights.first().map(|right| right.resource.as_str()).unwrap_or_default();
    let name = match (resource.split_once('.'), resource.split_once('/')) {
        (Some((plural, _)), Some((_, subresource))) => format!("{plural}/{subresource}"),
        (Some((plural, _)), None) => plural.to_owned(),
        (None, _) => resource.to_owned(),
    };
    let allowed: Vec<&str> =
        rights.iter().filter(|right| matches!(right.answer, Ok(true))).map(|right| right.verb).collect();
    let refused: Vec<&Right> = rights.iter().filter(|right| matches!(right.answer, Ok(false))).collect();
    let text = allowed.join(" ");
    let unknown = rights.iter().find_map(|right| Some((right.verb, right.answer.as_ref().err()?)));
    let text = match unknown {
        Some((verb, error)) => format!("{text}  {verb} is not known: {error}").trim_start().to_owned(),
        None => text,
    };
    let severity = if refused.is_empty() && unknown.is_none() { Severity::Ok } else { Severity::Note };
    let mut row = finding(severity, "rights", name, text);
    // Of several refusals that of the list weighs most.
    let lists = refused.iter().find(|right| right.verb == "list");
    row.next = lists.or(refused.first()).map(|right| right.check.clone());
    row.refused = refused.iter().map(|right| right.verb).collect();
    let is_ours = Kind::CUSTOM.iter().any(|kind| kind.resource() == resource);
    // What a Cortex reads for us we need not be allowed to read.
    if lists.is_some() && is_ours && facts.checkup.speaks == Some(Layer::Kube) {
        row.severity = Severity::Problem;
        row.blocks = true;
    }
    row
}

/// How one of our CRDs stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum State {
    Installed,
    Missing,
    NotEstablished,
    /// It lacks what ours has, and has nothing else.
    Older,
    Other,
    /// It is served, but may not be compared.
    Served,
    Unknown,
}

impl State {
    pub(in super::super) const fn as_str(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Missing => "missing",
            Self::NotEstablished => "not established",
            Self::Older => "older",
            Self::Other => "other",
            Self::Served => "served",
            Self::Unknown => "unknown",
        }
    }
}

/// How one of our CRDs stands, and what is to be said of it.
pub(in super::super) fn state(check: &CrdCheck) -> (State, String) {
    let found = match (&check.answer, check.is_served) {
        (Ok(found), _) => found.as_deref(),
        (Err(SourceError::Forbidden { .. }), Some(true)) => {
            return (State::Served, "served; you may not see whether it is as ours".to_owned());
        }
        (Err(SourceError::Forbidden { .. }), Some(false)) => None,
        (Err(error), _) => return (State::Unknown, format!("not known: {error}")),
    };
    let Some(verdict) = crd::verdict(&check.name, found) else {
        return (State::Unknown, "this build does not have it".to_owned());
    };
    let places = match verdict.differences.len() {
        1 => "1 place".to_owned(),
        count => format!("{count} places"),
    };
    match &verdict.trouble {
        Some(_) if found.is_none() => (State::Missing, "not installed".to_owned()),
        Some(trouble) => (State::NotEstablished, trouble.clone()),
        None if verdict.is_good() => (State::Installed, "installed, as ours".to_owned()),
        None if verdict.lacks_only() => (State::Older, format!("older than ours: it lacks something in {places}")),
        None => (State::Other, format!("other than ours in {places}")),
    }
}

/// What to type next about a CRD.
pub(in super::super) fn next(check: &CrdCheck, state: State) -> Option<String> {
    match state {
        State::Installed => None,
        State::Served | State::Unknown => check.answer.as_ref().err().and_then(SourceError::hint),
        State::Missing | State::NotEstablished | State::Older | State::Other => Some("kgents crd install".to_owned()),
    }
}

/// One line for each of our CRDs.
pub(super) fn crds(facts: &Facts) -> Vec<Finding> {
    let crds = &facts.checkup.crds;
    let states: Vec<(State, String)> = crds.iter().map(state).collect();
    // What is the same for all is said once.
    if let (Some((first, text)), Some(check)) = (states.first(), crds.first())
        && matches!(first, State::Unknown | State::Served)
        && states.iter().all(|(state, _)| state == first)
    {
        let text = if is_silent(facts, Layer::Kube) { IN_VAIN } else { text };
        let all = finding(Severity::Note, "crds", "all", text);
        let next = if *first == State::Served { next(check, *first) } else { None };
        return vec![Finding { next, ..all }];
    }
    let row = |(check, (state, text)): (&CrdCheck, (State, String))| {
        let blocks = matches!(state, State::Missing | State::NotEstablished);
        let severity = match state {
            State::Installed => Severity::Ok,
            _ if blocks => Severity::Problem,
            _ => Severity::Note,
        };
        let name = check.name.split('.').next().unwrap_or_default();
        Finding { next: next(check, state), blocks, ..finding(severity, "crds", name, text) }
    };
    crds.iter().zip(states).map(row).collect()
}

/// Whether our clock is right enough.
pub(super) fn clock(facts: &Facts) -> Vec<Finding> {
    let of = |severity, text: String| vec![finding(severity, "clock", "clock", text)];
    match &facts.checkup.clock {
        None => of(Severity::Note, "not compared with another: nobody was asked".to_owned()),
        Some(Err(_)) => of(Severity::Note, "not compared with another: nobody answered".to_owned()),
        Some(Ok(skew)) => {
            let whose = if skew.of == Layer::Grpc { "the Cortex'" } else { "the API server's" };
            if skew.by.abs() <= SKEW {
                return of(Severity::Ok, format!("as {whose}"));
            }
            let (by, way) = (age::text(skew.by.abs()), if skew.by.is_negative() { "behind" } else { "ahead of" });
            let text = format!("your clock is {by} {way} {whose}; ages and freshness will be wrong");
            let command = if cfg!(target_os = "macos") {
                "sudo sntp -sS time.apple.com"
            } else {
                "sudo timedatectl set-ntp true"
            };
            of(Severity::Problem, text).into_iter().map(|finding| finding.next(command)).collect()
        }
    }
}
