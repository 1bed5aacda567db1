//! A text that a person types: one line, or several.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use kgents_store::sanitize;
use ratatui_textarea::{CursorMove, TextArea};

use crate::text;

/// How many bytes may be typed or pasted; the rest of a paste is left out.
pub const MOST: usize = 64 << 10;

/// What a key did to a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// The text is another.
    Changed,
    /// The cursor moved.
    Moved,
    /// Nothing: the key means nothing here.
    Ignored,
}

/// A text with a cursor and its undo.
#[derive(Clone, Debug)]
pub struct Edit {
    area: TextArea<'static>,
    /// Whether it may have several lines.
    several: bool,
}

impl Edit {
    /// A line, with the cursor at its end.
    pub fn line(text: &str) -> Self {
        let mut area = TextArea::new(vec![text::one_line(text).into_owned()]);
        area.move_cursor(CursorMove::End);
        Self { area, several: false }
    }

    /// An empty text of several lines.
    pub fn lines() -> Self {
        Self { area: TextArea::default(), several: true }
    }

    /// What was typed.
    pub fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        self.area.is_empty()
    }

    /// The lines, and where the cursor stands: line and grapheme-safe byte in it.
    pub fn shown(&self) -> (&[String], (usize, usize)) {
        let cursor = self.area.cursor();
        let line = self.area.lines().get(cursor.0).map_or("", String::as_str);
        let byte = line.char_indices().nth(cursor.1).map_or(line.len(), |(byte, _)| byte);
        (self.area.lines(), (cursor.0, byte))
    }

    /// Whether the cursor stands in the first, and in the last line.
    pub fn at_edge(&self) -> (bool, bool) {
        let cursor = self.area.cursor();
        (cursor.0 == 0, cursor.0 + 1 >= self.area.lines().len())
    }

    /// Puts another text in its place, with the cursor at its end; it can be undone.
    pub fn set(&mut self, text: &str) {
        self.area.clear();
        self.area.insert_str(if self.several { text.into() } else { text::one_line(text) });
    }

    /// Takes a key.
    pub fn key(&mut self, event: &KeyEvent) -> Typed {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let room = self.room();
        let area = &mut self.area;
        let moved = |area: &mut TextArea<'_>, by| {
            area.move_cursor(by);
            Typed::Moved
        };
        let changed = |did: bool| if did { Typed::Changed } else { Typed::Moved };
        match (event.code, ctrl, alt) {
            (KeyCode::Char('j'), true, _) | (KeyCode::Enter, _, _) if self.several => {
                area.insert_newline();
                Typed::Changed
            }
            (KeyCode::Char('a'), true, _) | (KeyCode::Home, _, _) => moved(area, CursorMove::Head),
            (KeyCode::Char('e'), true, _) | (KeyCode::End, _, _) => moved(area, CursorMove::End),
            (KeyCode::Char('b'), _, true) | (KeyCode::Left, true, _) => moved(area, CursorMove::WordBack),
            (KeyCode::Char('f'), _, true) | (KeyCode::Right, true, _) => moved(area, CursorMove::WordForward),
            (KeyCode::Char('b'), true, _) | (KeyCode::Left, _, _) => moved(area, CursorMove::Back),
            (KeyCode::Char('f'), true, _) | (KeyCode::Right, _, _) => moved(area, CursorMove::Forward),
            (KeyCode::Up, _, _) if self.several => moved(area, CursorMove::Up),
            (KeyCode::Down, _, _) if self.several => moved(area, CursorMove::Down),
            (KeyCode::Char('w'), true, _) | (KeyCode::Backspace, _, true) => changed(area.delete_word()),
            (KeyCode::Char('u'), true, _) => changed(area.delete_line_by_head()),
            (KeyCode::Char('k'), true, _) => changed(area.delete_line_by_end()),
            // What terminals send for ctrl-_ and ctrl-/.
            (KeyCode::Char('7' | '_' | '/'), true, _) => changed(area.undo()),
            (KeyCode::Char('r'), true, _) => changed(area.redo()),
            (KeyCode::Backspace, _, _) | (KeyCode::Char('h'), true, _) => changed(area.delete_char()),
            (KeyCode::Delete, _, _) => changed(area.delete_next_char()),
            (KeyCode::Char(c), false, false) if !c.is_control() && room >= c.len_utf8() => {
                area.insert_char(c);
                Typed::Changed
            }
            _ => Typed::Ignored,
        }
    }

    /// Takes a pasted text, cleaned; answers how many bytes of it were left out.
    pub fn paste(&mut self, pasted: &str) -> usize {
        let clean = pasted.replace("\r\n", "\n").replace('\r', "\n");
        let (kept, left) = text::cut(&clean, self.room());
        let kept = sanitize::text(kept);
        self.area.insert_str(if self.several { kept } else { text::one_line(&kept) });
        left.len()
    }

    fn room(&self) -> usize {
        let used: usize = self.area.lines().iter().map(|line| line.len() + 1).sum();
        MOST.saturating_sub(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(edit: &mut Edit, code: KeyCode, modifiers: KeyModifiers) -> Typed {
        edit.key(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn a_line_is_typed_and_mended() {
        let mut edit = Edit::line("ab");
        for c in "c日e\u{301}".chars() {
            assert_eq!(press(&mut edit, KeyCode::Char(c), KeyModifiers::NONE), Typed::Changed);
        }
        assert_eq!(edit.text(), "abc日e\u{301}");
        press(&mut edit, KeyCode::Char('w'), KeyModifiers::CONTROL);
        assert_eq!(edit.text(), "");
        press(&mut edit, KeyCode::Char('7'), KeyModifiers::CONTROL);
        assert_eq!(edit.text(), "abc日e\u{301}");
        assert_eq!(press(&mut edit, KeyCode::Up, KeyModifiers::NONE), Typed::Ignored);
        assert_eq!(press(&mut edit, KeyCode::Enter, KeyModifiers::NONE), Typed::Ignored);
    }

    #[test]
    fn a_paste_is_cleaned_and_bounded() {
        let mut edit = Edit::line("");
        assert_eq!(edit.paste("a\r\nb\u{1b}[31mc"), 0);
        assert!(!edit.text().contains(['\n', '\u{1b}']), "{:?}", edit.text());
        let mut edit = Edit::lines();
        let left = edit.paste(&"é\n".repeat(5 << 20));
        assert!(edit.text().len() <= MOST && left > (14 << 20), "{left}");
        assert_eq!(edit.paste("more"), 4);
        assert_eq!(press(&mut edit, KeyCode::Char('x'), KeyModifiers::NONE), Typed::Ignored);
    }

    #[test]
    fn several_lines_have_edges() {
        let mut edit = Edit::lines();
        edit.paste("one\ntwo");
        assert_eq!(edit.at_edge(), (false, true));
        press(&mut edit, KeyCode::Up, KeyModifiers::NONE);
        assert_eq!(edit.at_edge(), (true, false));
        edit.set("three");
        assert_eq!((edit.text().as_str(), edit.at_edge()), ("three", (true, true)));
    }
}
