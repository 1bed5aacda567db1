//! Kubernetes Events: which are about us, and each told once.

use std::collections::{HashSet, VecDeque};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kgents_api::GROUP;
use kgents_store::bus::MAX_LOG;
use kgents_store::object::{Decoded, EventFacts, Object};
use kgents_store::{Bus, Key, Kind};

use crate::board::{Boards, mark};

/// How many Events are remembered as told. More than an hour of them, after
/// which the API server forgets them itself.
const MAX_TOLD: usize = 20_000;
/// How many Events may wait for what they are about to become known.
const MAX_WAITING: usize = 1_000;

/// What was said, and what waits to be.
#[derive(Default)]
struct Inner {
    told: HashSet<u64>,
    order: VecDeque<u64>,
    /// Heard since the last look.
    young: Vec<(u64, Arc<EventFacts>)>,
    /// Looked at once already.
    old: Vec<(u64, Arc<EventFacts>)>,
}

/// Sends Events about our objects down the log lane.
pub(crate) struct EventLog {
    bus: Bus,
    boards: Arc<Boards>,
    inner: Mutex<Inner>,
}

impl EventLog {
    pub(crate) fn new(bus: Bus, boards: Arc<Boards>) -> Self {
        Self { bus, boards, inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a list holds, in the order of time. What is not about us by
    /// now never will be.
    pub(crate) fn listed(&self, mut page: Vec<Decoded>) {
        page.retain(|object| facts(object).is_some_and(|event| self.is_ours(event)));
        page.sort_by_key(|object| facts(object).and_then(|event| event.at));
        // Of a great many the oldest would fall out of the lane anyway.
        let skip = page.len().saturating_sub(MAX_LOG);
        for object in page.into_iter().skip(skip) {
            let mark = mark(&object);
            if let Object::Event(event) = object.object {
                self.tell(mark, &event);
            }
        }
    }

    /// Whether an Event of a list should be kept until the list is complete.
    pub(crate) fn wants(&self, object: &Decoded) -> bool {
        facts(object).is_some_and(|event| self.is_ours(event))
    }

    /// Takes one Event as it comes. It may come before the pod that it is
    /// about: then it waits a little.
    pub(crate) fn heard(&self, object: Decoded) {
        let mark = mark(&object);
        let Object::Event(event) = object.object else { return };
        if self.is_ours(&event) {
            self.tell(mark, &event);
        } else if kind_of(&event).is_some() {
            let mut inner = self.inner();
            if inner.young.len() < MAX_WAITING {
                inner.young.push((mark, event));
            }
        }
    }

    /// Whether Events wait for what they are about.
    pub(crate) fn waits(&self) -> bool {
        let inner = self.inner();
        !inner.young.is_empty() || !inner.old.is_empty()
    }

    /// Looks again at those that wait. Who is looked at twice in vain is not
    /// about us.
    pub(crate) fn look_again(&self) {
        let (old, young) = {
            let mut inner = self.inner();
            (mem::take(&mut inner.old), mem::take(&mut inner.young))
        };
        for (mark, event) in old {
            if self.is_ours(&event) {
                self.tell(mark, &event);
            }
        }
        let mut still = Vec::new();
        for (mark, event) in young {
            if self.is_ours(&event) {
                self.tell(mark, &event);
            } else {
                still.push((mark, event));
            }
        }
        self.inner().old = still;
    }

    fn tell(&self, mark: u64, event: &Arc<EventFacts>) {
        let mut inner = self.inner();
        if !inner.told.insert(mark) {
            return;
        }
        inner.order.push_back(mark);
        if inner.order.len() > MAX_TOLD
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.told.remove(&oldest);
        }
        drop(inner);
        self.bus.log(event);
    }

    fn is_ours(&self, event: &EventFacts) -> bool {
        if event.about_version.split_once('/').is_some_and(|(group, _)| group == GROUP) {
            return true;
        }
        kind_of(event).is_some_and(|(kind, key)| self.boards.of(kind).knows(&key))
    }
}

fn facts(object: &Decoded) -> Option<&EventFacts> {
    match &object.object {
        Object::Event(event) => Some(event),
        _ => None,
    }
}

/// The object whose being ours makes the Event ours. A `ReplicaSet` is named
/// after its Deployment.
fn kind_of(event: &EventFacts) -> Option<(Kind, Key)> {
    match event.about_kind.as_str() {
        "Pod" => Some((Kind::Pod, event.about.clone())),
        "Deployment" => Some((Kind::Deployment, event.about.clone())),
        "ReplicaSet" => {
            let (deployment, _) = event.about.name().rsplit_once('-')?;
            Some((Kind::Deployment, Key::new(event.about.namespace(), deployment)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use kgents_store::Novelty;

    use super::*;
    use crate::kube::testing::{event, object};

    struct Room {
        log: EventLog,
        boards: Arc<Boards>,
        reader: kgents_store::bus::Reader,
    }

    fn room() -> Room {
        let (bus, reader) = kgents_store::bus::new();
        let boards = Arc::new(Boards::new(&bus));
        Room { log: EventLog::new(bus, boards.clone()), boards, reader }
    }

    impl Room {
        fn told(&mut self) -> Vec<String> {
            self.reader.drain(usize::MAX).events.iter().map(|event| event.key.name().to_owned()).collect()
        }
    }

    #[tokio::test]
    async fn events_about_our_objects_are_told_and_others_are_not() {
        let mut room = room();
        room.boards.of(Kind::Pod).apply(object(Kind::Pod, "n", "p", 1), Novelty::Initial).await;
        room.boards.of(Kind::Deployment).apply(object(Kind::Deployment, "n", "b-gent", 1), Novelty::Initial).await;
        room.log.listed(vec![
            event("agent", 1, "kgents.io/v1", "Agent", "n", "any"),
            event("pod", 1, "v1", "Pod", "n", "p"),
            event("set", 1, "apps/v1", "ReplicaSet", "n", "b-gent-5d9f"),
            event("deployment", 1, "apps/v1", "Deployment", "n", "b-gent"),
            event("other-pod", 1, "v1", "Pod", "elsewhere", "p"),
            event("node", 1, "v1", "Node", "", "p"),
            event("like", 1, "kgents.io.example.com/v1", "Agent", "n", "any"),
            event("other-set", 1, "apps/v1", "ReplicaSet", "n", "c-gent-5d9f"),
        ]);
        let mut told = room.told();
        told.sort();
        assert_eq!(told, ["agent", "deployment", "pod", "set"]);
    }

    #[tokio::test]
    async fn each_state_of_each_event_is_told_once_and_in_order() {
        let mut room = room();
        let at = |name: &str, version: u32, at: &str| {
            let mut object = event(name, version, "kgents.io/v1", "Agent", "n", "a");
            if let Object::Event(event) = &mut object.object {
                Arc::make_mut(event).at = Some(at.parse().unwrap());
            }
            object
        };
        let early = at("early", 1, "2026-01-01T00:00:00Z");
        let late = at("late", 1, "2026-01-02T00:00:00Z");
        room.log.listed(vec![late.clone(), early.clone()]);
        assert_eq!(room.told(), ["early", "late"]);
        room.log.listed(vec![early, late.clone()]);
        room.log.heard(late);
        assert!(room.told().is_empty());
        room.log.heard(at("late", 2, "2026-01-03T00:00:00Z"));
        assert_eq!(room.told(), ["late"], "counted up, it is news");
    }

    #[tokio::test]
    async fn an_event_may_come_before_its_pod() {
        let mut room = room();
        room.log.heard(event("scheduled", 1, "v1", "Pod", "n", "p"));
        room.log.heard(event("foreign", 1, "v1", "Pod", "n", "q"));
        assert!(room.told().is_empty() && room.log.waits());
        room.log.look_again();
        room.boards.of(Kind::Pod).apply(object(Kind::Pod, "n", "p", 1), Novelty::News).await;
        room.log.look_again();
        assert_eq!(room.told(), ["scheduled"]);
        assert!(!room.log.waits());
    }

    #[test]
    fn memory_is_bounded() {
        let room = room();
        for n in 0..u32::try_from(MAX_TOLD).unwrap() + 100 {
            room.log.heard(event("e", n, "kgents.io/v1", "Agent", "n", "a"));
        }
        let inner = room.log.inner();
        assert_eq!((inner.told.len(), inner.order.len()), (MAX_TOLD, MAX_TOLD));
    }
}
