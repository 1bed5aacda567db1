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

/// What shows of the page or pane in front, to be saved: a name, its text, and
/// its objects as JSON where it has any.
pub(crate) fn saved(app: &App) -> (String, String, Option<String>) {
    if let Some((name, lines, object)) = draw::page_text(app) {
        let text = lines.iter().fold(String::new(), |text, line| text + line.trim_end() + "\n");
        return (name, text, object.map(|object| pretty(&object)));
    }
    // The pane as it is drawn when it has room for all of its rows.
    let (rows, objects) = app.objects();
    let height = u16::try_from(rows + 24).unwrap_or(u16::MAX).clamp(app.size.1, 4_000);
    let size = (app.size.0.max(120), height);
    let mut buffer = Buffer::empty(Rect::new(0, 0, size.0, size.1));
    draw::pane_alone(app, &mut buffer);
    (app.focus.title().to_owned(), plain(&buffer).trim_end().to_owned() + "\n", Some(pretty(&objects)))
}

fn pretty(value: &serde_json::Value) -> String {
    // A value always has a text.
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
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
