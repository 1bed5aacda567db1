//! Bytes of a container, cut into lines that a terminal can show.

use kgents_store::sanitize;

/// The longest line that is told, in bytes. What is beyond it is left out.
pub(super) const MAX_LINE: usize = 64 * 1024;

/// What stands where the rest of a line was left out.
const CUT: char = '…';

/// Cuts bytes into lines, as they come.
#[derive(Default)]
pub(super) struct Cutter {
    /// The line that has no end yet.
    rest: Vec<u8>,
    /// It was longer than is told.
    is_cut: bool,
}

impl Cutter {
    /// Takes bytes, and adds each line that they end to `lines`, until there
    /// are `max`. Returns how many bytes it took.
    pub(super) fn take(&mut self, bytes: &[u8], lines: &mut Vec<Box<str>>, max: usize) -> usize {
        let mut taken = 0;
        while lines.len() < max {
            let left = bytes.get(taken..).unwrap_or_default();
            let Some(end) = left.iter().position(|byte| *byte == b'\n') else {
                self.keep(left);
                return bytes.len();
            };
            self.keep(left.get(..end).unwrap_or_default());
            taken += end + 1;
            lines.push(self.cut());
        }
        taken
    }

    /// The last line, if it had no end.
    pub(super) fn last(&mut self) -> Option<Box<str>> {
        (!self.rest.is_empty()).then(|| self.cut())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_LINE - self.rest.len();
        self.is_cut |= bytes.len() > room;
        self.rest.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// The line so far, cleaned; the next begins.
    fn cut(&mut self) -> Box<str> {
        let line = self.rest.strip_suffix(b"\r").unwrap_or(&self.rest);
        let mut text = plain(&String::from_utf8_lossy(line));
        // What is replaced may take more room than it did.
        if self.is_cut || text.len() > MAX_LINE {
            let mut end = (MAX_LINE - CUT.len_utf8()).min(text.len());
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            text.push(CUT);
        }
        self.rest.clear();
        self.is_cut = false;
        text.into()
    }
}

/// A line without colours, cleaned. Colours are taken out, not made visible:
/// so many programs write them that nothing else could be read.
fn plain(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && !matches!(c, ';' | ':'));
        if let Some(behind) = end.and_then(|end| after.get(end..)).and_then(|end| end.strip_prefix('m')) {
            rest = behind;
        } else {
            // No colour: it stays, and becomes visible.
            out.push_str("\u{1b}[");
            rest = after;
        }
    }
    out.push_str(rest);
    match sanitize::text(&out) {
        std::borrow::Cow::Borrowed(_) => out,
        std::borrow::Cow::Owned(clean) => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All lines of these pieces, each batch at most `max`.
    fn cut(pieces: &[&[u8]]) -> Vec<String> {
        let (mut cutter, mut lines) = (Cutter::default(), Vec::new());
        for piece in pieces {
            assert_eq!(cutter.take(piece, &mut lines, usize::MAX), piece.len());
        }
        lines.extend(cutter.last());
        lines.into_iter().map(String::from).collect()
    }

    #[test]
    fn lines_come_whole_wherever_the_pieces_end() {
        let text = "one\r\ntwo ä\n\n\tthree".as_bytes();
        let expected = ["one", "two ä", "", "\tthree"];
        assert_eq!(cut(&[text]), expected);
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(cut(&bytes), expected);
        assert_eq!(cut(&[b"", b"x\n", b""]), ["x"]);
    }

    #[test]
    fn no_more_are_taken_than_there_is_room_for() {
        let (mut cutter, mut lines) = (Cutter::default(), Vec::new());
        assert_eq!(cutter.take(b"a\nb\nc\nd", &mut lines, 2), 4);
        assert_eq!(lines.len(), 2);
        lines.clear();
        assert_eq!(cutter.take(b"c\nd", &mut lines, 2), 3);
        assert_eq!((lines.len(), cutter.last().as_deref()), (1, Some("d")));
    }

    #[test]
    fn colours_go_and_what_else_moves_the_cursor_is_seen() {
        assert_eq!(plain("\u{1b}[32mINFO\u{1b}[0m \u{1b}[1;38:5:1mx\u{1b}[m"), "INFO x");
        assert_eq!(plain("\u{1b}[2J\u{1b}[\u{1b}]0;t\u{7} a\rb"), "␛[2J␛[␛]0;t␇ a␍b");
        assert_eq!(plain("50%\u{1b}["), "50%␛[");
    }

    #[test]
    fn garbage_is_no_danger() {
        let garbage: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        for line in cut(&[&garbage]) {
            assert!(!line.chars().any(|c| sanitize::is_unsafe(c) || c == '\n') && line.len() <= MAX_LINE, "{line:?}");
        }
    }

    #[test]
    fn long_lines_are_cut_and_the_next_is_whole() {
        let mut text = "ä".repeat(MAX_LINE).into_bytes();
        text.extend_from_slice(b"\nnext\n");
        let lines = cut(&text.chunks(1000).collect::<Vec<_>>());
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() <= MAX_LINE && lines[0].ends_with("ä…"), "{}", lines[0].len());
        assert_eq!(lines[1], "next");
        let full = "x".repeat(MAX_LINE);
        assert_eq!(cut(&[full.as_bytes(), b"\n"]), [full.as_str()]);
        // Each of these bytes becomes three.
        let lines = cut(&[&vec![0xff; MAX_LINE], b"\n"]);
        assert!(lines[0].len() <= MAX_LINE && lines[0].ends_with('…'));
    }
}
