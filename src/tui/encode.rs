//! Cells as bytes for a terminal, as few as will do.

use std::io::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Attributes that show even where nothing is written.
const SHOW_ON_BLANK: Modifier = Modifier::UNDERLINED.union(Modifier::REVERSED).union(Modifier::CROSSED_OUT);

/// Attributes and their SGR numbers (ECMA-48).
const ATTRIBUTES: [(Modifier, u8); 8] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::SLOW_BLINK, 5),
    (Modifier::REVERSED, 7),
    (Modifier::HIDDEN, 8),
    (Modifier::CROSSED_OUT, 9),
];

/// What the terminal's pen and cursor are set to.
#[derive(Debug)]
pub(crate) struct Encoder {
    fg: Color,
    bg: Color,
    modifier: Modifier,
    /// Where the cursor stands, if that is known.
    cursor: Option<(u16, u16)>,
}

impl Encoder {
    /// A pen as after a reset, and a cursor who knows where.
    pub(crate) const fn new() -> Self {
        Self { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty(), cursor: None }
    }

    /// Writes what turns one frame into another of the same size.
    pub(crate) fn change(&mut self, out: &mut Vec<u8>, from: &Buffer, to: &Buffer) {
        let width = usize::from(to.area.width).max(1);
        for (y, (was, is)) in from.content.chunks(width).zip(to.content.chunks(width)).enumerate() {
            // Cells behind a wide character, and cells that a wide character
            // covered before: the terminal blanked those in a colour of its own.
            let (mut covered, mut stale) = (0, 0);
            for (x, (was, is)) in was.iter().zip(is).enumerate() {
                if covered > 0 {
                    covered -= 1;
                    stale = cells(was).max(stale) - 1;
                    continue;
                }
                if stale > 0 || was != is {
                    self.cell_at(out, x as u16, y as u16, is);
                    stale = stale.max(cells(was));
                }
                covered = cells(is) - 1;
                stale = stale.saturating_sub(1);
            }
        }
    }

    /// Writes a cell at a place.
    fn cell_at(&mut self, out: &mut Vec<u8>, x: u16, y: u16, cell: &Cell) {
        match self.cursor {
            Some(at) if at == (x, y) => {}
            Some((from, row)) if row == y && from < x => csi(out, &[x - from], 'C'),
            _ => csi(out, &[y + 1, x + 1], 'H'),
        }
        self.cell(out, cell);
        self.cursor = Some((x + cells(cell) as u16, y));
    }

    /// Writes a cell where the cursor stands.
    pub(crate) fn cell(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        // Of a blank only what is behind it shows, so its ink can stay as it is.
        let blank = cell.symbol() == " ";
        let mask = if blank { SHOW_ON_BLANK } else { Modifier::all() };
        let same_ink = blank || (cell.fg == self.fg && cell.modifier == self.modifier);
        if !same_ink || cell.bg != self.bg || (cell.modifier & mask) != (self.modifier & mask) {
            self.set(out, cell);
        }
        out.extend_from_slice(cell.symbol().as_bytes());
    }

    /// Sets the pen for a cell in one sequence.
    fn set(&mut self, out: &mut Vec<u8>, cell: &Cell) {
        let mut numbers = Numbers::new(out);
        if !cell.modifier.contains(self.modifier) {
            // There is no common way to switch one attribute off.
            numbers.add(&[0]);
            *self = Self { cursor: self.cursor, ..Self::new() };
        }
        for (attribute, number) in ATTRIBUTES {
            if cell.modifier.contains(attribute) && !self.modifier.contains(attribute) {
                numbers.add(&[number]);
            }
        }
        if cell.fg != self.fg {
            numbers.color(cell.fg, 30);
        }
        if cell.bg != self.bg {
            numbers.color(cell.bg, 40);
        }
        numbers.end();
        (self.fg, self.bg, self.modifier) = (cell.fg, cell.bg, cell.modifier);
    }

    /// Leaves the pen as it was found.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) {
        if (self.fg, self.bg, self.modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
            out.extend_from_slice(b"\x1b[0m");
        }
        *self = Self { cursor: self.cursor, ..Self::new() };
    }
}

/// The cells that a cell's symbol takes.
fn cells(cell: &Cell) -> usize {
    let symbol = cell.symbol();
    if symbol.len() == 1 { 1 } else { crate::text::width(symbol).max(1) }
}

/// The numbers of one SGR sequence, as they are written.
struct Numbers<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl<'a> Numbers<'a> {
    fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, begun: false }
    }

    fn add(&mut self, numbers: &[u8]) {
        for number in numbers {
            self.out.extend_from_slice(if self.begun { b";" } else { b"\x1b[" });
            self.begun = true;
            decimal(self.out, u16::from(*number));
        }
    }

    /// Adds a colour; `base` is 30 for ink, 40 for what is behind it.
    fn color(&mut self, color: Color, base: u8) {
        let named = |number: u8| if number < 8 { base + number } else { base + 60 + number - 8 };
        let number = match color {
            Color::Reset => base + 9,
            Color::Rgb(r, g, b) => return self.add(&[base + 8, 2, r, g, b]),
            Color::Indexed(index) => return self.add(&[base + 8, 5, index]),
            Color::Black => named(0),
            Color::Red => named(1),
            Color::Green => named(2),
            Color::Yellow => named(3),
            Color::Blue => named(4),
            Color::Magenta => named(5),
            Color::Cyan => named(6),
            Color::Gray => named(7),
            Color::DarkGray => named(8),
            Color::LightRed => named(9),
            Color::LightGreen => named(10),
            Color::LightYellow => named(11),
            Color::LightBlue => named(12),
            Color::LightMagenta => named(13),
            Color::LightCyan => named(14),
            Color::White => named(15),
        };
        self.add(&[number]);
    }

    fn end(self) {
        if self.begun {
            self.out.push(b'm');
        }
    }
}

fn csi(out: &mut Vec<u8>, numbers: &[u16], end: char) {
    out.extend_from_slice(b"\x1b[");
    for (i, number) in numbers.iter().enumerate() {
        if i > 0 {
            out.push(b';');
        }
        decimal(out, *number);
    }
    out.push(end as u8);
}

fn decimal(out: &mut Vec<u8>, number: u16) {
    // Writing to memory cannot fail.
    let _ = write!(out, "{number}");
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::terminal::unlike_any_frame;

    const SIZE: (u16, u16) = (24, 6);

    fn parser() -> vt100::Parser {
        vt100::Parser::new(NonZero::new(SIZE.1).unwrap(), NonZero::new(SIZE.0).unwrap(), 0)
    }

    fn show(parser: &mut vt100::Parser, from: &Buffer, to: &Buffer) {
        let (mut out, mut encoder) = (Vec::new(), Encoder::new());
        encoder.change(&mut out, from, to);
        encoder.end(&mut out);
        parser.process(&out);
    }

    fn color(color: Color) -> vt100::Color {
        match color {
            Color::Rgb(r, g, b) => vt100::Color::Rgb(r, g, b),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Red => vt100::Color::Idx(1),
            Color::LightCyan => vt100::Color::Idx(14),
            _ => vt100::Color::Default,
        }
    }

    /// The screen of a real parser holds what the buffer says.
    fn check(parser: &vt100::Parser, buffer: &Buffer) {
        for y in 0..SIZE.1 {
            for x in 0..SIZE.0 {
                let (cell, seen) = (buffer.cell((x, y)).unwrap(), parser.screen().cell(y, x).unwrap());
                if seen.is_wide_continuation() {
                    continue;
                }
                let contents = if seen.contents().is_empty() { " " } else { seen.contents() };
                assert_eq!(contents, cell.symbol(), "at {x},{y}");
                assert_eq!(seen.bgcolor(), color(cell.bg), "behind {x},{y}");
                assert_eq!(seen.inverse(), cell.modifier.contains(Modifier::REVERSED), "at {x},{y}");
                assert_eq!(seen.underline(), cell.modifier.contains(Modifier::UNDERLINED), "at {x},{y}");
                if cell.symbol() != " " {
                    assert_eq!(seen.fgcolor(), color(cell.fg), "at {x},{y}");
                    assert_eq!(seen.bold(), cell.modifier.contains(Modifier::BOLD), "at {x},{y}");
                }
            }
        }
    }

    #[test]
    fn a_blank_costs_one_byte_whatever_its_ink() {
        let mut cell = Cell::new(" ");
        cell.fg = Color::Rgb(1, 2, 3);
        let (mut out, mut encoder) = (Vec::new(), Encoder::new());
        encoder.cell_at(&mut out, 0, 0, &cell);
        encoder.end(&mut out);
        assert_eq!(out, b"\x1b[1;1H ");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_terminal_shows_what_was_drawn(
            frames in prop::collection::vec(prop::collection::vec((0_u16..24, 0_u16..6, 0_usize..6, 0_usize..5, 0_usize..5, 0_u16..1024), 0..30), 1..5)
        ) {
            let texts = [" ", "a", "─", "日", "e\u{301}", "xyz"];
            let colors = [Color::Reset, Color::Rgb(9, 200, 30), Color::Indexed(77), Color::Red, Color::LightCyan];
            let kept = Modifier::BOLD | Modifier::REVERSED | Modifier::UNDERLINED | Modifier::ITALIC;
            let mut parser = parser();
            let area = Rect::new(0, 0, SIZE.0, SIZE.1);
            let mut shown = unlike_any_frame(area);
            for puts in frames {
                let mut frame = Buffer::empty(area);
                for (x, y, text, fg, bg, modifier) in puts {
                    let modifier = Modifier::from_bits_truncate(modifier) & kept;
                    let style = Style::new().fg(colors[fg]).bg(colors[bg]).add_modifier(modifier);
                    // As the pen does: no wide character is left cut in half.
                    crate::draw::mend_left(&mut frame, x, y);
                    frame.set_stringn(x, y, texts[text], usize::from(SIZE.0 - x), style);
                }
                show(&mut parser, &shown, &frame);
                check(&parser, &frame);
                shown = frame;
            }
        }
    }
}
