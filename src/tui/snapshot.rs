//! One frame as text.

use std::fmt::Write;

use jiff::Timestamp;
use kgents_store::Terrarium;
use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::prelude::CrosstermBackend;

use crate::app::App;
use crate::terminal::unlike_any_frame;
use crate::{ColourLevel, Options, draw};

/// The frame that a window of `size` columns and rows would show, a line a
/// row; with escape sequences only where there are colours.
pub fn snapshot(terrarium: Terrarium, size: (u16, u16), now: Timestamp, options: &Options) -> String {
    let app = App::over(terrarium, options.look(), size, now);
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw::draw(&app, &mut buffer);
    if options.colour == ColourLevel::None { plain(&buffer) } else { coloured(&buffer) }
}

/// The cells of a buffer as text, without trailing blanks.
pub(crate) fn plain(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(buffer.area.width).max(1)) {
        let mut line = String::new();
        let mut skip = 0;
        for cell in row {
            // The cell behind a wide character holds nothing of its own.
            if skip > 0 {
                skip -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            skip = crate::text::width(cell.symbol()).saturating_sub(1);
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn coloured(buffer: &Buffer) -> String {
    let mut text = String::new();
    let empty = Buffer::empty(Rect::new(0, 0, buffer.area.width, 1));
    for y in 0..buffer.area.height {
        let mut bytes = Vec::new();
        let row = (0..buffer.area.width).filter_map(|x| Some((x, 0, buffer.cell((x, y))?)));
        // A row of its own, so that no cursor movement between rows is needed.
        let mut line = empty.clone();
        for (x, _, cell) in row {
            if let Some(place) = line.cell_mut((x, 0)) {
                *place = cell.clone();
            }
        }
        let blank = unlike_any_frame(line.area);
        let drawn = CrosstermBackend::new(&mut bytes).draw(blank.diff(&line).into_iter());
        if drawn.is_ok() {
            let line = String::from_utf8_lossy(&bytes);
            // The backend begins by placing the cursor; a line of text does not.
            text.push_str(line.strip_prefix("\u{1b}[1;1H").unwrap_or(&line));
        }
        text.push('\n');
    }
    text
}
