//! The Events about one object.

use kgents_store::object::{EventFacts, Object};
use kgents_store::request::Answer;
use kgents_store::{Key, Kind};

use super::desk::Line;
use super::failure::Failure;
use crate::kube::segment;

/// How many Events are kept, the newest. More than that tell nobody anything.
const MAX: usize = 1_000;

/// Lists them. Those of `events.k8s.io` are the same objects, so that the core
/// group is all there is to ask.
pub(super) async fn events(line: &Line, kind: Kind, key: &Key) -> Result<Answer, Failure> {
    let name = segment("name", key.name())?;
    let fields = format!("involvedObject.name={name},involvedObject.kind={}", kind.as_str());
    let (mut events, mut next) = (Vec::new(), None);
    loop {
        let page = line.wire.page(Kind::Event, Some(key.namespace()), None, Some(fields.clone()), next).await?;
        let facts = page.items.into_iter().filter_map(|item| match item.object {
            Object::Event(facts) => Some(std::sync::Arc::unwrap_or_clone(facts)),
            // One that cannot be read says nothing that could be shown.
            _ => None,
        });
        events.extend(facts.filter(|facts| is_about(kind, facts)));
        sort(&mut events);
        next = page.next;
        if next.is_none() {
            return Ok(Answer::Events(events));
        }
    }
}

/// Kinds of other groups can have the same name.
fn is_about(kind: Kind, facts: &EventFacts) -> bool {
    let group = facts.about_version.split_once('/').map_or("", |(group, _)| group);
    facts.about_version.is_empty() || group == kind.group()
}

/// The newest last, and no more than are kept.
fn sort(events: &mut Vec<EventFacts>) {
    events.sort_by(|a, b| (a.at, &a.key).cmp(&(b.at, &b.key)));
    events.drain(..events.len().saturating_sub(MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, at: Option<&str>) -> EventFacts {
        EventFacts {
            key: Key::new("n", name),
            about_kind: "Agent".into(),
            about_version: "kgents.io/v1".into(),
            about: Key::new("n", "a"),
            reason: String::new(),
            message: String::new(),
            warning: false,
            count: 1,
            at: at.map(|at| at.parse().unwrap()),
            component: String::new(),
        }
    }

    #[test]
    fn the_newest_stand_last_and_the_oldest_go_first() {
        let mut events = vec![
            event("b", Some("2026-01-02T00:00:00Z")),
            event("none", None),
            event("a", Some("2026-01-01T00:00:00Z")),
        ];
        sort(&mut events);
        let names: Vec<&str> = events.iter().map(|event| event.key.name()).collect();
        assert_eq!(names, ["none", "a", "b"]);
        let mut many: Vec<EventFacts> = (0..MAX + 5).map(|_| event("old", None)).collect();
        many.push(event("new", Some("2026-01-01T00:00:00Z")));
        sort(&mut many);
        assert_eq!((many.len(), many.last().unwrap().key.name()), (MAX, "new"));
    }

    #[test]
    fn kinds_of_other_groups_are_others() {
        let about = |version: &str| EventFacts { about_version: version.into(), ..event("e", None) };
        assert!(is_about(Kind::Agent, &about("kgents.io/v1")) && is_about(Kind::Agent, &about("")));
        assert!(!is_about(Kind::Agent, &about("other.io/v1")) && !is_about(Kind::Agent, &about("v1")));
        assert!(is_about(Kind::Pod, &about("v1")) && is_about(Kind::Deployment, &about("apps/v1")));
    }
}
