//! Uids of objects that are gone, so that nothing brings them back.

use std::collections::{HashSet, VecDeque};

/// How many are remembered. What is late is late by moments, not by thousands
/// of deletions.
const MOST: usize = 16_384;

/// Uids of objects that are gone.
#[derive(Debug, Default)]
pub(super) struct Graves {
    gone: HashSet<String>,
    order: VecDeque<String>,
}

impl Graves {
    /// An object is gone. No uid is given twice.
    pub(super) fn dig(&mut self, uid: &str) {
        if self.gone.insert(uid.to_owned()) {
            self.order.push_back(uid.to_owned());
        }
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.gone.remove(&oldest);
        }
    }

    /// Whether an object is known to be gone.
    pub(super) fn holds(&self, uid: &str) -> bool {
        self.gone.contains(uid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_stays_gone_and_the_oldest_are_forgotten() {
        let mut graves = Graves::default();
        graves.dig("a");
        graves.dig("a");
        assert!(graves.holds("a") && !graves.holds("b"));
        for n in 0..MOST {
            graves.dig(&n.to_string());
        }
        assert!(!graves.holds("a") && graves.holds("0"));
        assert_eq!((graves.gone.len(), graves.order.len()), (MOST, MOST));
    }
}
