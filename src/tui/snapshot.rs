//! One frame as text.

use std::fmt::Write;

use jiff::Timestamp;
use kgents_store::Terrarium;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use crate::app::App;
use crate::encode::Encoder;
use crate::{ColourLevel, Options, draw};

/// The frame that a window of `size` columns and rows would show, a line a
/// row; with escape sequences only where there are colours.
pub fn snapshot(terrarium: Terrarium, size: (u16, u16), now: Timestamp, options: &Options) -> String {
    let app = App::over(terrarium, options.look(None), size, now);
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw::draw(&app, &mut buffer);
    if options.colour == ColourLevel::None { plain(&buffer) } else { coloured(&buffer) }
}

/// The cells of a buffer as text, without trailing blanks.
pub(crate) fn plain(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        let mut line = String::new();
        each_cell(row, |cell| line.push_str(cell.symbol()));
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn coloured(buffer: &Buffer) -> String {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        each_cell(row, |cell| encoder.cell(&mut bytes, cell));
        // Each line stands for itself, wherever it is pasted.
        encoder.end(&mut bytes);
        bytes.push(b'\n');
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The cells of a row that hold something of their own: not those behind a
/// wide character.
fn each_cell(row: &[Cell], mut visit: impl FnMut(&Cell)) {
    let mut skip = 0;
    for cell in row {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        visit(cell);
        skip = crate::text::width(cell.symbol()).saturating_sub(1);
    }
}
