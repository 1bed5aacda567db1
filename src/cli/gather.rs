//! One look at the cluster: some kinds listed side by side, into a terrarium.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;
use kgents_source::{Client, SourceError, clock};
use kgents_store::bus::{Batch, Change, Control};
use kgents_store::watch::{Watch, WatchState};
use kgents_store::{Kind, Terrarium};

use crate::io::Io;
use crate::selector::Selector;

/// What one look found.
pub(crate) struct Look {
    /// The objects, and how each kind was heard.
    pub(crate) terrarium: Terrarium,
    /// The kinds that could not be listed, and why.
    pub(crate) errors: BTreeMap<Kind, SourceError>,
    /// When everything had answered.
    pub(crate) now: Timestamp,
}

/// Lists `main`, filtered by `selector`, and what else is needed to judge it.
pub(crate) async fn look(client: &Client, main: Kind, selector: Option<&Selector>, beside: &[Kind]) -> Look {
    let kinds: Vec<Kind> = std::iter::once(main).chain(beside.iter().copied()).collect();
    let lists = kinds.iter().map(|kind| {
        let selector = selector.filter(|_| *kind == main).map(Selector::as_str);
        client.list(*kind, selector)
    });
    let answers = join_all(lists).await;
    let now = clock::now();
    let mut batch = Batch { control: vec![Control::Scene(client.scene().clone())], ..Batch::default() };
    let mut errors = BTreeMap::new();
    for (kind, answer) in kinds.into_iter().zip(answers) {
        let watch = match answer {
            Ok(listed) => {
                batch.changes.extend(listed.items.into_iter().map(|decoded| Change {
                    kind,
                    key: decoded.key.clone(),
                    now: Some(decoded),
                    novelty: Novelty::Initial,
                }));
                Watch { state: WatchState::Live, as_of: Some(listed.as_of), refused: listed.refused }
            }
            Err(error) => {
                let watch = Watch { state: state(&error, now), ..Watch::default() };
                errors.insert(kind, error);
                watch
            }
        };
        batch.control.push(Control::Watch(kind, watch));
    }
    let mut terrarium = Terrarium::default();
    terrarium.apply(batch, now);
    terrarium.tick(now);
    Look { terrarium, errors, now }
}

/// Says which namespaces are left out because they may not be read.
pub(crate) fn note_refused(terrarium: &Terrarium, kind: Kind, io: &mut Io<'_>) {
    let refused = terrarium.watch(kind).refused;
    if !refused.is_empty() {
        io.note(format_args!("warning: {} may not be listed in {}", kind.plural(), refused.join(", ")));
    }
}

/// How a kind is heard that answered with this error.
fn state(error: &SourceError, now: Timestamp) -> WatchState {
    match error {
        SourceError::Missing { .. } => WatchState::Missing,
        SourceError::Forbidden { verb, resource, namespace, .. } => {
            WatchState::Forbidden { verb: verb.clone(), resource: resource.clone(), namespace: namespace.clone() }
        }
        _ => WatchState::Failing { since: now, error: error.to_string() },
    }
}
