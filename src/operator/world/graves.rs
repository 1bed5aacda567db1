//! Uids of objects that are gone, so that nothing brings them back.

use std::collections::{HashMap, VecDeque};

/// How many are remembered. What is late is late by moments, not by thousands
/// of deletions.
const MOST: usize = 16_384;

/// Uids of objects that are gone.
#[derive(Debug, Default)]
pub(super) struct Graves {
    /// Up to which version it is gone; `None` for ever.
    gone: HashMap<String, Option<u64>>,
    order: VecDeque<String>,
}

impl Graves {
    /// An object is gone: for ever, or as of a version, where a watch with a
    /// label selector also says so of one that only lost the label.
    pub(super) fn dig(&mut self, uid: &str, version: Option<u64>) {
        if self.gone.insert(uid.to_owned(), version).is_none() {
            self.order.push_back(uid.to_owned());
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.gone.remove(&oldest);
            }
        }
    }

    /// Whether this version of an object is known to be gone.
    pub(super) fn holds(&self, uid: &str, version: Option<u64>) -> bool {
        match self.gone.get(uid) {
            None => false,
            Some(None) => true,
            Some(Some(until)) => version.is_some_and(|version| version <= *until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_stays_gone_up_to_its_version_and_the_oldest_are_forgotten() {
        let mut graves = Graves::default();
        graves.dig("a", None);
        graves.dig("b", Some(5));
        assert!(graves.holds("a", Some(9)) && graves.holds("b", Some(5)) && !graves.holds("b", Some(6)));
        assert!(!graves.holds("c", Some(1)));
        for n in 0..MOST {
            graves.dig(&n.to_string(), None);
        }
        assert!(!graves.holds("a", Some(9)) && graves.holds("0", None));
        assert_eq!((graves.gone.len(), graves.order.len()), (MOST, MOST));
    }
}
