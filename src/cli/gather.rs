//! One look at the terrarium, through the best layer that answers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kgents_core::age;
use kgents_core::selector::Selector;
use kgents_source::{Ask, Options, SourceError, clock};
use kgents_store::object::{EventFacts, Object};
use kgents_store::{Kind, Layer, Terrarium};

use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::object;

/// What one look found.
pub(crate) struct Look {
    /// The objects, and how each kind and each layer was heard.
    pub(crate) terrarium: Terrarium,
    /// The kinds that could not be listed, and why.
    pub(crate) errors: BTreeMap<Kind, SourceError>,
    /// The layers that did not answer, and why.
    pub(crate) failures: Vec<(Layer, SourceError)>,
    /// Events, where the API server told them.
    pub(crate) events: Vec<Arc<EventFacts>>,
    /// When everything had answered.
    pub(crate) now: Timestamp,
}

/// Lists `main`, filtered by `selector`, and what else is needed to judge it.
pub(crate) async fn look(options: &Options, main: Kind, selector: Option<&Selector>, beside: &[Kind]) -> Look {
    let kinds: Vec<Kind> = std::iter::once(main).chain(beside.iter().copied()).collect();
    let ask = Ask { kinds: &kinds, selector: selector.map(Selector::as_str), version: false, limit: None };
    ask_for(options, &ask, selector).await
}

/// Lists everything, with the version of the API server, within a limit.
pub(crate) async fn everything(options: &Options, limit: Option<Duration>) -> Look {
    let ask = Ask { kinds: &Kind::ALL, selector: None, version: true, limit };
    ask_for(options, &ask, None).await
}

async fn ask_for(options: &Options, ask: &Ask<'_>, selector: Option<&Selector>) -> Look {
    let kgents_source::Look { mut batch, errors, failures, .. } = kgents_source::look(options, ask).await;
    if let Some(selector) = selector {
        // Who is not the API server does not filter.
        let chosen = |change: &kgents_store::Change| {
            let now = change.now.as_ref().filter(|_| ask.kinds.first() == Some(&change.kind));
            now.is_none_or(|now| selector.matches(object::labels(&now.object).as_ref()))
        };
        batch.changes.retain(chosen);
    }
    let event = |change: &kgents_store::Change| match change.now.as_ref().map(|now| &now.object) {
        Some(Object::Event(event)) => Some(event.clone()),
        _ => None,
    };
    let events = batch.changes.iter().filter_map(event).collect();
    let now = clock::now();
    let mut terrarium = Terrarium::default();
    terrarium.apply(batch, now);
    terrarium.tick(now);
    Look { terrarium, errors, failures, events, now }
}

impl Look {
    /// That what was looked for was found, or why it was not.
    pub(crate) fn of(mut self, kind: Kind) -> Result<Self, Failure> {
        if self.terrarium.layer().is_none() {
            return Err(blind(&mut self.failures));
        }
        match self.errors.remove(&kind) {
            Some(error) => Err(error.into()),
            None if self.terrarium.watch(kind).as_of.is_none() => Err(unheard(&self, kind)),
            None => Ok(self),
        }
    }

    /// The exit code that the layer deserves.
    pub(crate) fn code(&self) -> Code {
        code(&self.terrarium)
    }

    /// Says what a reader of the output cannot see there: that it is a memory
    /// and why, what is left out, what is odd about who answered.
    pub(crate) fn warn(&self, kind: Kind, io: &mut Io<'_>) {
        if let Some(words) = memory(&self.terrarium, kind, self.now) {
            io.note(format_args!("warning: {words}"));
            for (layer, error) in &self.failures {
                io.note(format_args!("warning: {layer}: {error}"));
            }
        }
        let rung = self.terrarium.layer().and_then(|layer| self.terrarium.rung(layer));
        for note in rung.map(|rung| rung.notes.as_slice()).unwrap_or_default() {
            io.note(format_args!("warning: {note}"));
        }
        let refused = self.terrarium.watch(kind).refused;
        if !refused.is_empty() {
            io.note(format_args!("warning: {} may not be listed in {}", kind.plural(), refused.join(", ")));
        }
    }
}

/// The exit code that who answered deserves.
pub(crate) fn code(terrarium: &Terrarium) -> Code {
    if terrarium.layer() == Some(Layer::Ghost) { Code::Ghost } else { Code::Ok }
}

/// Says below a table whom it comes from and how old it is: on standard error,
/// so that a pipe gets the table alone. Of a memory that has been said.
pub(crate) fn name_layer(terrarium: &Terrarium, kind: Kind, now: Timestamp, io: &mut Io<'_>) -> Result<(), Failure> {
    let layer = terrarium.layer_of(kind).filter(|layer| *layer != Layer::Ghost);
    if let (Some(layer), Some(as_of), Some(freshness)) =
        (layer, terrarium.as_of(kind, now), terrarium.freshness(kind, now))
    {
        io.out.flush()?;
        let old = age::text(now.duration_since(as_of));
        io.note(format_args!("from {layer}, {freshness}, {old} old"));
    }
    Ok(())
}

/// That what is told of a kind is a memory, and how old it is, if it is one.
fn memory(terrarium: &Terrarium, kind: Kind, now: Timestamp) -> Option<String> {
    if terrarium.layer() != Some(Layer::Ghost) {
        return None;
    }
    let old = age::text(now.duration_since(terrarium.as_of(kind, now)?));
    let freshness = terrarium.freshness(kind, now)?;
    Some(format!("nothing live answers; this is the Ghost, {old} old and {freshness}"))
}

/// That who answered has nothing to say of a kind.
fn unheard(look: &Look, kind: Kind) -> Failure {
    let who = match look.terrarium.layer() {
        Some(Layer::Ghost) => "the Ghost remembers nothing of",
        _ => "the Cortex does not hear",
    };
    Failure::new(format!("{who} {}", kind.plural())).hint("kgents doctor").code(Code::Unreachable)
}

/// That nobody answered, with why in the words of each layer. The Kubernetes
/// API is what most people expect to answer, so its words come first.
pub(crate) fn blind(failures: &mut Vec<(Layer, SourceError)>) -> Failure {
    let main = failures.iter().position(|(layer, _)| *layer == Layer::Kube).unwrap_or(0);
    if failures.is_empty() {
        return Failure::new("nobody was asked").code(Code::Unreachable);
    }
    let (_, error) = failures.remove(main);
    let notes = failures.iter().map(|(layer, error)| format!("{layer}: {error}"));
    Failure::from(error).notes(notes)
}
