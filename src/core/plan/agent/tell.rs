//! What is said on an agent about the writes to its children: one Event a
//! plan for each sort, with names and paths and never a value, for a value may
//! be a secret.

use super::super::{Apply, Event, Expect};
use super::event;
use super::walk::Walk;

pub(super) fn writes(walk: &Walk) -> Vec<Event> {
    let written = || walk.apply.iter().zip(&walk.others);
    let created: Vec<String> =
        walk.apply.iter().filter(|apply| apply.expect == Expect::Absent).map(|apply| apply.child.to_string()).collect();
    let updated: Vec<String> = written()
        .filter(|(apply, other)| apply.expect != Expect::Absent && other.is_none())
        .map(|(apply, _)| paths(apply))
        .collect();
    let restored: Vec<String> = written()
        .filter_map(|(apply, other)| Some(format!("{} (changed by {})", paths(apply), other.as_ref()?.manager)))
        .collect();
    let deleted: Vec<String> = walk.delete.iter().map(|delete| format!("{} ({})", delete.child, delete.why)).collect();
    let said = |what: Vec<String>, warning, reason, action, how: &str| {
        (!what.is_empty()).then(|| event(warning, reason, action, &format!("{how} {}", what.join(", "))))
    };
    [
        said(created, false, "Created", "Create", "made"),
        said(updated, false, "Updated", "Update", "changed"),
        said(restored, false, "Restored", "Restore", "put back"),
        said(deleted, false, "Deleted", "Delete", "deleted"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A child with the paths of what is written to it.
fn paths(apply: &Apply) -> String {
    let paths: Vec<&str> = apply.changes.iter().map(|change| change.path.as_str()).collect();
    format!("{}: {}", apply.child, paths.join(", "))
}

/// What a dry run would do.
pub(super) fn would(walk: &Walk) -> String {
    let mut said: Vec<String> = Vec::new();
    for apply in &walk.apply {
        said.push(match apply.expect {
            Expect::Absent => format!("make {}", apply.child),
            Expect::Present { .. } => format!("change {}", paths(apply)),
        });
    }
    said.extend(walk.delete.iter().map(|delete| format!("delete {}", delete.child)));
    let would = if said.is_empty() { "would change nothing".to_owned() } else { format!("would {}", said.join(", ")) };
    match &walk.blocked {
        Some(block) => format!("{would}; then it would stop: {}", block.message),
        None => would,
    }
}
