//! What the Cortex has told, whether or not anybody was told by us.

use std::collections::{HashMap, HashSet, VecDeque};

use kgents_store::object::Decoded;
use kgents_store::terrarium::MAX_OBJECTS;
use kgents_store::watch::{Link, Watch};
use kgents_store::{Key, Kind, Thought};

use super::read::{Event, Hearing};

/// How many thoughts of before the Cortex spoke are kept for when it does.
const MAX_THOUGHTS: usize = 5_000;

/// The Cortex's state as far as its stream has come.
#[derive(Default)]
pub(crate) struct Mirror {
    instance: String,
    revision: u64,
    objects: HashMap<Kind, HashMap<Key, Decoded>>,
    /// What was there before the snapshot that is under way and is not in it.
    unseen: Option<HashSet<(Kind, Key)>>,
    /// Thoughts that nobody was told yet.
    thoughts: VecDeque<Thought>,
    hearing: Option<Hearing>,
    synced: bool,
    complained: bool,
}

/// What came of an event.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// What is gone because a snapshot does not hold it.
    pub(crate) gone: Vec<(Kind, Key)>,
    /// What is odd about it, the first time.
    pub(crate) note: Option<String>,
}

impl Mirror {
    /// A new stream begins: what is known stays, but is not known to be whole.
    pub(crate) fn restart(&mut self) {
        (self.synced, self.complained) = (false, false);
        self.unseen = None;
        self.hearing = None;
    }

    /// Whether all of it is here, and the Cortex itself has heard all of it.
    pub(crate) fn is_whole(&self) -> bool {
        self.synced && self.hearing.as_ref().is_some_and(|hearing| hearing.is_whole(&Kind::ALL))
    }

    /// Takes in the next event of the stream.
    pub(crate) fn take(&mut self, revision: u64, event: Event) -> Taken {
        let mut taken = Taken::default();
        match event {
            Event::Begin { instance, snapshot } => {
                self.instance = instance;
                if snapshot {
                    let known = |(kind, objects): (&Kind, &HashMap<Key, Decoded>)| {
                        objects.keys().map(|key| (*kind, key.clone())).collect::<Vec<_>>()
                    };
                    self.unseen = Some(self.objects.iter().flat_map(known).collect());
                    // Until it is complete there is nothing to go on from.
                    self.revision = 0;
                }
            }
            Event::Put(kind, object) => {
                let objects = self.objects.entry(kind).or_default();
                if let Some(unseen) = &mut self.unseen {
                    unseen.remove(&(kind, object.key.clone()));
                }
                if objects.len() < MAX_OBJECTS || objects.contains_key(&object.key) {
                    objects.insert(object.key.clone(), *object);
                } else {
                    taken.note = self.complain(format!("it tells of more than {MAX_OBJECTS} {}", kind.plural()));
                }
            }
            Event::Gone(kind, key) => {
                if let Some(objects) = self.objects.get_mut(&kind) {
                    objects.remove(&key);
                }
            }
            Event::Thought(thought) => {
                if self.thoughts.len() >= MAX_THOUGHTS {
                    self.thoughts.pop_front();
                }
                self.thoughts.push_back(*thought);
            }
            Event::Synced => {
                self.synced = true;
                taken.gone = self.unseen.take().into_iter().flatten().collect();
                for (kind, key) in &taken.gone {
                    if let Some(objects) = self.objects.get_mut(kind) {
                        objects.remove(key);
                    }
                }
            }
            Event::Heard(hearing) => self.hearing = Some(*hearing),
            Event::Strange(problem) => taken.note = self.complain(problem),
        }
        if self.unseen.is_none() {
            self.revision = self.revision.max(revision);
        }
        taken
    }

    /// One complaint a stream is enough.
    fn complain(&mut self, problem: String) -> Option<String> {
        (!std::mem::replace(&mut self.complained, true)).then_some(problem)
    }

    /// The version of the API server that the Cortex hears.
    pub(crate) fn version(&self) -> String {
        match self.hearing.as_ref().map(|hearing| &hearing.link) {
            Some(Link::Up { version }) => version.clone(),
            _ => String::new(),
        }
    }

    /// The instance that is mirrored; empty before the first.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// How far its stream has come; 0 while there is no place to go on from.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The objects of a kind.
    pub(crate) fn objects(&self, kind: Kind) -> impl Iterator<Item = &Decoded> {
        self.objects.get(&kind).into_iter().flat_map(HashMap::values)
    }

    /// How the Cortex hears a kind.
    pub(crate) fn watch(&self, kind: Kind) -> Option<&Watch> {
        self.hearing.as_ref()?.kinds.iter().find(|(of, _)| *of == kind).map(|(_, watch)| watch)
    }

    /// The thoughts that nobody was told yet. Now they are.
    pub(crate) fn thoughts(&mut self) -> Vec<Thought> {
        self.thoughts.drain(..).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kube::testing::object;

    fn put(name: &str, version: u32) -> Event {
        Event::Put(Kind::Agent, Box::new(object(Kind::Agent, "n", name, version)))
    }

    fn begin(snapshot: bool) -> Event {
        Event::Begin { instance: "i".into(), snapshot }
    }

    fn names(mirror: &Mirror) -> Vec<String> {
        let mut names: Vec<_> = mirror.objects(Kind::Agent).map(|object| object.key.to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_second_snapshot_takes_away_what_it_does_not_hold() {
        let mut mirror = Mirror::default();
        for event in [begin(true), put("a", 1), put("b", 1)] {
            mirror.take(7, event);
        }
        assert_eq!(mirror.revision(), 0, "half a snapshot is no place to go on from");
        assert!(mirror.take(7, Event::Synced).gone.is_empty());
        assert_eq!((mirror.revision(), mirror.instance()), (7, "i"));
        mirror.take(9, begin(true));
        mirror.take(9, put("b", 2));
        assert_eq!(mirror.take(9, Event::Synced).gone, [(Kind::Agent, Key::new("n", "a"))]);
        assert_eq!((names(&mirror), mirror.revision()), (vec!["n/b".to_owned()], 9));
    }

    #[test]
    fn going_on_keeps_what_was_there() {
        let mut mirror = Mirror::default();
        for event in [begin(true), put("a", 1), Event::Synced] {
            mirror.take(1, event);
        }
        mirror.restart();
        assert!(!mirror.is_whole());
        for (revision, event) in
            [(1, begin(false)), (2, put("b", 2)), (3, Event::Gone(Kind::Agent, Key::new("n", "a")))]
        {
            mirror.take(revision, event);
        }
        assert!(mirror.take(3, Event::Synced).gone.is_empty());
        assert_eq!((names(&mirror), mirror.revision()), (vec!["n/b".to_owned()], 3));
    }

    #[test]
    fn one_who_talks_without_end_fills_no_memory() {
        let mut mirror = Mirror::default();
        let mut notes = 0;
        for i in 0..MAX_OBJECTS + 3 {
            notes += usize::from(mirror.take(1, put(&format!("a{i}"), 1)).note.is_some());
        }
        assert_eq!((mirror.objects(Kind::Agent).count(), notes), (MAX_OBJECTS, 1));
    }
}
