//! A cursor over rows that come, go and move: kept by identity, never by place.

/// The cursor of one pane.
#[derive(Clone, Debug)]
pub struct Selection<K> {
    /// The row that a person chose; until they do, the cursor stays on the
    /// first row, whichever that is.
    chosen: Option<K>,
    /// Where that row stood last, for its neighbour to take over.
    place: usize,
    /// The first row that shows.
    offset: usize,
}

impl<K> Default for Selection<K> {
    fn default() -> Self {
        Self { chosen: None, place: 0, offset: 0 }
    }
}

impl<K: Clone + PartialEq> Selection<K> {
    /// Where the cursor stands.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The first row that shows.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether a person chose a row.
    pub fn is_chosen(&self) -> bool {
        self.chosen.is_some()
    }

    /// Forgets the choice: the cursor goes back to the first row.
    pub fn release(&mut self) {
        *self = Self::default();
    }

    /// Finds the chosen row again after the rows changed. When it is gone, the
    /// row that stands in its place takes over.
    pub fn follow(&mut self, rows: usize, key_at: impl Fn(usize) -> K) {
        let Some(chosen) = &self.chosen else {
            self.place = 0;
            return;
        };
        if rows == 0 {
            self.place = 0;
            return;
        }
        // Most rows stay where they are.
        let here = Some(self.place).filter(|place| *place < rows && key_at(*place) == *chosen);
        if let Some(place) = here.or_else(|| (0..rows).find(|place| key_at(*place) == *chosen)) {
            // The row keeps its line on the screen when those above it change.
            let line = self.place.saturating_sub(self.offset);
            self.place = place;
            self.offset = place.saturating_sub(line);
        } else {
            self.place = self.place.min(rows - 1);
            self.chosen = Some(key_at(self.place));
        }
    }

    /// Chooses the row at a place.
    pub fn choose(&mut self, place: usize, rows: usize, key_at: impl Fn(usize) -> K) {
        if rows > 0 {
            self.place = place.min(rows - 1);
            self.chosen = Some(key_at(self.place));
        }
    }

    /// Moves the cursor; false if it stood at the end already.
    pub fn step(&mut self, by: isize, rows: usize, key_at: impl Fn(usize) -> K) -> bool {
        let (was, had) = (self.place, self.chosen.is_some());
        self.choose(self.place.saturating_add_signed(by), rows, key_at);
        self.place != was || !had
    }

    /// Scrolls so that the cursor shows on a page of `page` rows, and no
    /// emptier than need be.
    pub fn scroll(&mut self, rows: usize, page: usize) {
        let page = page.max(1);
        self.offset =
            self.offset.min(self.place).max((self.place + 1).saturating_sub(page)).min(rows.saturating_sub(page));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(rows: &[u32]) -> impl Fn(usize) -> u32 + '_ {
        |i| rows[i]
    }

    #[test]
    fn a_row_that_moves_takes_the_cursor_along() {
        let mut selection = Selection::default();
        selection.choose(1, 3, at(&[10, 20, 30]));
        selection.follow(4, at(&[5, 10, 30, 20]));
        assert_eq!(selection.place(), 3);
        selection.follow(3, at(&[5, 10, 30]));
        assert_eq!(selection.place(), 2, "its neighbour takes over");
        selection.follow(3, at(&[30, 5, 10]));
        assert_eq!(selection.place(), 0, "and is followed from then on");
    }

    #[test]
    fn until_a_person_chooses_the_cursor_stays_first() {
        let mut selection = Selection::default();
        selection.follow(2, at(&[1, 2]));
        selection.follow(3, at(&[9, 1, 2]));
        assert_eq!((selection.place(), selection.is_chosen()), (0, false));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_cursor_always_shows(ops in prop::collection::vec((0_usize..5, -50_isize..50, prop::collection::vec(0_u32..40, 0..40), 0_usize..12), 0..40)) {
            let mut selection = Selection::default();
            for (op, by, mut rows, page) in ops {
                rows.dedup();
                selection.follow(rows.len(), at(&rows));
                if op == 0 { selection.step(by, rows.len(), at(&rows)); }
                selection.scroll(rows.len(), page);
                let (place, offset) = (selection.place(), selection.offset());
                prop_assert!(rows.is_empty() || place < rows.len());
                prop_assert!(offset <= place && place < offset + page.max(1));
            }
        }
    }
}
