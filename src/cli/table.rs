//! Tables and the text that stands in them.

use std::borrow::Cow;
use std::io::{self, Write};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands where there is nothing to say.
pub(crate) const NOTHING: &str = "—";
/// Cells between two columns.
const GAP: usize = 3;

/// The text on one line: white space that holds a line feed or a tab becomes
/// one space.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\t']) {
        Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text in at most `cells` cells; what is cut ends in `…`.
pub(crate) fn cut(text: &str, cells: usize) -> Cow<'_, str> {
    if text.width() <= cells {
        return Cow::Borrowed(text);
    }
    let mut used = 0;
    let mut kept = String::new();
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used >= cells {
            break;
        }
        kept.push_str(grapheme);
    }
    kept.truncate(kept.trim_end().len());
    kept.push('…');
    Cow::Owned(kept)
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A text for each column.
    Cells(Vec<String>),
    /// Texts for the first columns, and then a sentence in place of the rest.
    Note(Vec<String>, String),
}

impl Row {
    fn cells(&self) -> &[String] {
        match self {
            Self::Cells(cells) | Self::Note(cells, _) => cells,
        }
    }
}

/// Columns with their widths. The widths only grow, so rows that come later
/// stand under those that came before as well as can be.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<&'static str>,
    widths: Vec<usize>,
}

impl Table {
    /// A table with these columns.
    pub(crate) fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), widths: columns.iter().map(|column| column.width()).collect() }
    }

    /// Makes room in the first column for a text that may come.
    #[must_use]
    pub(crate) fn room_for(mut self, text: &str) -> Self {
        if let Some(width) = self.widths.first_mut() {
            *width = (*width).max(text.width());
        }
        self
    }

    /// Makes room for rows.
    pub(crate) fn fit(&mut self, rows: &[Row]) {
        for row in rows {
            for (width, cell) in self.widths.iter_mut().zip(row.cells()) {
                *width = (*width).max(one_line(cell).width());
            }
        }
    }

    /// Writes the line of headings.
    pub(crate) fn head(&self, out: &mut dyn Write) -> io::Result<()> {
        let cells: Vec<String> = self.columns.iter().map(|column| (*column).to_owned()).collect();
        self.row(out, &Row::Cells(cells))
    }

    /// Writes one row.
    pub(crate) fn row(&self, out: &mut dyn Write, row: &Row) -> io::Result<()> {
        let mut line = String::new();
        for (width, cell) in self.widths.iter().zip(row.cells()) {
            let cell = one_line(cell);
            let cell: &str = if cell.is_empty() { NOTHING } else { &cell };
            line.push_str(cell);
            let pad = width.saturating_sub(cell.width()) + GAP;
            line.extend(std::iter::repeat_n(' ', pad));
        }
        if let Row::Note(_, note) = row {
            line.push_str(&one_line(note));
        }
        writeln!(out, "{}", line.trim_end())
    }

    /// Writes the headings and all rows.
    pub(crate) fn write(mut self, out: &mut dyn Write, rows: &[Row]) -> io::Result<()> {
        self.fit(rows);
        self.head(out)?;
        rows.iter().try_for_each(|row| self.row(out, row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(cells: &[&str]) -> Row {
        Row::Cells(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    fn text(rows: &[Row]) -> String {
        let mut out = Vec::new();
        Table::new(&["NAME", "TYPE", "WHY"]).write(&mut out, rows).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_stand_under_each_other_whatever_the_script() {
        let table = text(&[
            cells(&["b-gent", "x", "two\n  lines\there"]),
            cells(&["日本語のエージェント", "y", ""]),
            cells(&["مرحبا", "👩‍👩‍👧", "e\u{301}"]),
        ]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "NAME                   TYPE   WHY");
        assert_eq!(lines[1], "b-gent                 x      two lines here");
        assert_eq!(lines[2], "日本語のエージェント   y      —");
        for line in &lines[1..] {
            let head: String = line
                .graphemes(true)
                .scan(0, |used, g| {
                    *used += g.width();
                    Some((*used, g))
                })
                .take_while(|(used, _)| *used <= 23)
                .map(|(_, g)| g)
                .collect();
            assert!(head.ends_with("   "), "{line:?}");
        }
        assert!(lines.iter().all(|line| line.trim_end() == *line));
    }

    #[test]
    fn a_note_widens_no_column_that_it_does_not_fill() {
        let table =
            text(&[Row::Note(vec!["broken".into()], "cannot be read: spec.genus".into()), cells(&["a", "b", "c"])]);
        assert_eq!(table, "NAME     TYPE   WHY\nbroken   cannot be read: spec.genus\na        b      c\n");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(cut("embedding", 9), "embedding");
        assert_eq!(cut("embedding notes", 10), "embedding…");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
    }
}
