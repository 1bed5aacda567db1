//! The objects of one kind, and which of two versions stands.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::Timestamp;

use super::graves::Graves;
use super::{Place, Source};
use crate::intake::{Content, Object};

/// An object of a kind.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) uid: String,
    version: Option<u64>,
    pub(super) content: Content,
    /// In which list it came last, or was written by us.
    seen: u64,
    /// During or after which list a request of ours brought it.
    answered: Option<u64>,
    /// Until when it is believed, where no watch tells of it.
    pub(super) until: Option<Timestamp>,
}

/// What became of an object that was put.
pub(super) enum Put {
    /// It is older than what is known.
    Ignored,
    /// Nothing of it changed that matters.
    Same,
    /// It was not known.
    New,
    /// It was known as this.
    Changed(Slot),
}

/// The objects of one kind.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    objects: HashMap<Place, Slot>,
    /// Counts lists.
    epoch: u64,
    is_synced: bool,
    /// Up to which version lists and watches have told everything.
    heard: Option<u64>,
    graves: Graves,
}

impl Shelf {
    pub(super) fn get(&self, place: &Place) -> Option<&Slot> {
        self.objects.get(place)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = &Place> {
        self.objects.keys()
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// There is no such kind: nobody has to wait for it.
    pub(super) fn wait_no_more(&mut self) {
        self.is_synced = true;
    }

    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.epoch += 1;
    }

    /// The list is complete: takes out what it did not hold. What a request of
    /// ours brought meanwhile is kept if it is newer than the list.
    pub(super) fn end(&mut self, version: Option<u64>) -> Vec<(Place, Slot)> {
        self.is_synced = true;
        // Not the greater of the two: another etcd may stand there now.
        self.heard = version;
        let epoch = self.epoch;
        let is_newer = |slot: &Slot| slot.answered == Some(epoch) && is_newer(slot.version, version);
        let stays = |slot: &Slot| slot.seen == epoch || is_newer(slot);
        self.objects.extract_if(|_, slot| !stays(slot)).collect()
    }

    pub(super) fn put(&mut self, object: Object, source: Source, is_watched: impl Fn(&Content) -> bool) -> Put {
        let Object { namespace, name, uid, version, content } = object;
        if self.graves.holds(&uid) {
            return Put::Ignored;
        }
        if source == Source::Heard {
            self.heard = self.heard.max(version);
        }
        let (epoch, heard) = (self.epoch, self.heard);
        let mut entry = match self.objects.entry((namespace, name)) {
            Entry::Occupied(entry) => entry,
            Entry::Vacant(entry) => {
                // The watch is past that version already, and the object is gone.
                let is_late = matches!(source, Source::Answered { .. }) && version.is_some() && version <= heard;
                if is_late && is_watched(&content) {
                    return Put::Ignored;
                }
                let mut slot = Slot { uid, version, content, seen: 0, answered: None, until: None };
                slot.came(source, epoch, is_watched);
                entry.insert(slot);
                return Put::New;
            }
        };
        let slot = entry.get_mut();
        let is_older = match source {
            // Versions may have gone back if another etcd stands there now:
            // a whole list is believed, but for what we wrote since it began.
            Source::Listed => slot.answered == Some(epoch) && is_newer(slot.version, version),
            Source::Heard | Source::Answered { .. } => is_newer(slot.version, version),
        };
        if is_older {
            if source == Source::Listed {
                slot.seen = epoch;
            }
            return Put::Ignored;
        }
        slot.version = version;
        slot.came(source, epoch, &is_watched);
        if slot.uid == uid && slot.content.is_same(&content) {
            return Put::Same;
        }
        let mut now = Slot { uid, content, ..slot.clone() };
        now.came(source, epoch, is_watched);
        Put::Changed(entry.insert(now))
    }

    /// A watch says that it is gone as of a version.
    pub(super) fn remove(&mut self, place: &Place, version: Option<u64>) -> Option<Slot> {
        self.heard = self.heard.max(version);
        let Entry::Occupied(entry) = self.objects.entry(place.clone()) else { return None };
        // A new object of that name may be known already.
        (!is_newer(entry.get().version, version)).then(|| entry.remove())
    }

    /// The API server says that it is gone for ever.
    pub(super) fn bury(&mut self, place: &Place, uid: &str) -> Option<Slot> {
        self.graves.dig(uid);
        let Entry::Occupied(entry) = self.objects.entry(place.clone()) else { return None };
        (entry.get().uid == uid).then(|| entry.remove())
    }
}

impl Slot {
    fn came(&mut self, source: Source, epoch: u64, is_watched: impl Fn(&Content) -> bool) {
        match source {
            Source::Listed | Source::Heard => (self.seen, self.answered, self.until) = (epoch, None, None),
            Source::Answered { until } => {
                self.answered = Some(epoch);
                self.until = (!is_watched(&self.content)).then_some(until);
            }
        }
    }
}

/// Whether the first is known to be newer than the second.
fn is_newer(one: Option<u64>, two: Option<u64>) -> bool {
    matches!((one, two), (Some(one), Some(two)) if one > two)
}
