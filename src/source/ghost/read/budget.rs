//! How much is read of one tree.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::layout::{MAX_OBJECTS, MAX_TREE};

/// What may still be read of a tree.
#[derive(Default)]
pub(super) struct Budget {
    objects: AtomicUsize,
    bytes: AtomicUsize,
    /// Files of other users count as well.
    pub(super) anybodys: bool,
}

impl Budget {
    /// All of it, of files of any user or only of ours.
    pub(super) fn of(anybodys: bool) -> Self {
        Self { anybodys, ..Self::default() }
    }

    /// One object more.
    pub(super) fn object(&self) -> Result<(), String> {
        let before = self.objects.fetch_add(1, Ordering::Relaxed);
        if before < MAX_OBJECTS { Ok(()) } else { Err(format!("not read: {MAX_OBJECTS} objects were read before")) }
    }

    /// So many bytes more. Past the bound no file is even opened: an index can
    /// name a large one any number of times.
    pub(super) fn bytes(&self, more: usize) -> Result<(), String> {
        let before = self.bytes.fetch_add(more, Ordering::Relaxed);
        if before.saturating_add(more) <= MAX_TREE {
            Ok(())
        } else {
            Err(format!("not read: the tree is larger than {} MB", MAX_TREE >> 20))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_up_to_its_bounds() {
        let budget = Budget::default();
        assert!((0..MAX_OBJECTS).all(|_| budget.object().is_ok()));
        assert_eq!(budget.object().unwrap_err(), "not read: 100000 objects were read before");
        assert!(budget.bytes(MAX_TREE).is_ok() && budget.bytes(0).is_ok());
        let expected = "not read: the tree is larger than 256 MB";
        assert_eq!(budget.bytes(1).unwrap_err(), expected);
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            super::super::text(folder.path(), "no such file", &budget).unwrap_err(),
            expected,
            "it is not even opened"
        );
    }
}
