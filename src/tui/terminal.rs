//! The only module that writes to the terminal.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste};
use crossterm::queue;
use crossterm::style::{Print, ResetColor};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::encode::Encoder;
use crate::query;

/// Whether the terminal is ours at the moment: a panic must give it back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Clicks, drags and the wheel, in SGR coordinates. Not the movements of an
/// idle mouse (1003), which would wake us for nothing.
const MOUSE: &str = "\u{1b}[?1000h\u{1b}[?1002h\u{1b}[?1006h";

/// A terminal that shows frames.
pub(crate) struct Terminal {
    out: File,
    mouse: bool,
    /// What the terminal shows; `None` when that is not known.
    shown: Option<Buffer>,
    next: Buffer,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Takes the terminal over: raw mode, alternate screen, no cursor.
    pub(crate) fn enter(mouse: bool) -> io::Result<Self> {
        // A descriptor of our own: no line buffering, and no lock that a
        // panicking thread could hold while the hook wants to write.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut terminal = Self { out, mouse, shown: None, next: Buffer::default(), bytes: Vec::new() };
        terminal.take()?;
        Ok(terminal)
    }

    /// Takes the terminal over again, after it was given back.
    pub(crate) fn take(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        TAKEN.store(true, Ordering::SeqCst);
        self.shown = None;
        queue!(self.bytes, EnterAlternateScreen, Hide, EnableBracketedPaste)?;
        if self.mouse {
            queue!(self.bytes, Print(MOUSE))?;
        }
        Ok(())
    }

    /// Gives the terminal back as it was.
    pub(crate) fn give_back(&mut self) -> io::Result<()> {
        self.bytes.clear();
        restore(&mut self.out)
    }

    /// Asks the terminal for the colour behind its text, if it is one that
    /// knows the question; whether it was asked.
    pub(crate) fn ask(&mut self) -> io::Result<bool> {
        let is_known = std::env::var("TERM").is_ok_and(|term| query::can_be_asked(&term));
        if is_known {
            self.out.write_all(query::QUESTION.as_bytes())?;
        }
        Ok(is_known)
    }

    /// Columns and rows; a terminal that does not know has 80 by 24.
    pub(crate) fn size() -> (u16, u16) {
        crossterm::terminal::size().ok().filter(|(w, h)| *w > 0 && *h > 0).unwrap_or((80, 24))
    }

    /// Puts a text into the clipboard of whoever sits before the terminal (OSC
    /// 52), also through SSH, tmux and screen. It goes out with the next frame.
    pub(crate) fn copy(&mut self, text: &str) {
        let inside = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let screen = std::env::var("TERM").is_ok_and(|term| term.starts_with("screen")) && !inside("TMUX");
        clipboard(&mut self.bytes, text, inside("TMUX"), screen);
    }

    /// Forgets what the terminal shows, so that every cell is drawn anew.
    pub(crate) fn forget(&mut self) {
        self.shown = None;
    }

    /// Shows a frame: only the cells that changed, within one synchronized
    /// update, in one write; nothing at all when nothing changed.
    pub(crate) fn show(&mut self, size: (u16, u16), draw: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        let area = Rect::new(0, 0, size.0, size.1);
        self.next.resize(area);
        self.next.reset();
        draw(&mut self.next);
        let known = self.shown.take().filter(|shown| shown.area == area);
        let shown = known.unwrap_or_else(|| unlike_any_frame(area));
        let mut encoder = Encoder::new();
        let before = self.bytes.len();
        queue!(self.bytes, BeginSynchronizedUpdate)?;
        let begun = self.bytes.len();
        encoder.change(&mut self.bytes, &shown, &self.next);
        encoder.end(&mut self.bytes);
        if self.bytes.len() == begun {
            self.bytes.truncate(before);
        } else {
            queue!(self.bytes, EndSynchronizedUpdate)?;
        }
        if !self.bytes.is_empty() {
            let written = self.out.write_all(&self.bytes);
            self.bytes.clear();
            written?;
        }
        // The old frame's cells become the next frame's, so nothing is allocated.
        self.shown = Some(std::mem::replace(&mut self.next, shown));
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nobody is left to tell; the shell's own reset is the last resort.
        let _ = restore(&mut self.out);
    }
}

/// The most that is copied, in bytes: terminals drop what is much longer.
const MAX_COPY: usize = 74_994;

/// Writes the sequence that fills the clipboard, wrapped for what lies between
/// us and the terminal.
fn clipboard(out: &mut Vec<u8>, text: &str, tmux: bool, screen: bool) {
    let (text, _) = crate::text::cut(text, MAX_COPY);
    let mut sequence = String::new();
    // Writing into a string cannot fail.
    let _ = CopyToClipboard::to_clipboard_from(text).write_ansi(&mut sequence);
    if tmux {
        out.extend_from_slice(format!("\u{1b}Ptmux;{}\u{1b}\\", sequence.replace('\u{1b}', "\u{1b}\u{1b}")).as_bytes());
    } else if screen {
        // GNU screen passes on no more than 768 bytes at a time.
        for piece in sequence.as_bytes().chunks(512) {
            out.extend_from_slice(b"\x1bP");
            out.extend_from_slice(piece);
            out.extend_from_slice(b"\x1b\\");
        }
    } else {
        out.extend_from_slice(sequence.as_bytes());
    }
}

/// Cells that no frame has: against them every cell differs.
pub(crate) fn unlike_any_frame(area: Rect) -> Buffer {
    let mut cell = Cell::new("?");
    cell.modifier = Modifier::all();
    Buffer::filled(area, cell)
}

/// Undoes more than was done, so that it is right from any state.
fn restore(out: &mut impl Write) -> io::Result<()> {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut bytes = Vec::new();
    queue!(
        bytes,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        LeaveAlternateScreen,
        Show
    )?;
    let written = out.write_all(&bytes).and_then(|()| out.flush());
    disable_raw_mode()?;
    written
}

/// Lets a panic of the main thread restore the terminal before it is told.
/// One on a worker leaves the window alone: the worker's owner tells of it.
pub(crate) fn install_panic_hook() {
    let main = std::thread::current().id();
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == main {
            if let Ok(out) = io::stdout().as_fd().try_clone_to_owned() {
                // The panic itself is told below, whatever becomes of this.
                let _ = restore(&mut File::from(out));
            }
            tell(info);
        } else if TAKEN.load(Ordering::SeqCst) {
            tracing::error!("{info}");
        } else {
            tell(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::num::NonZero;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};
    use ratatui::style::Style;

    use super::*;

    /// Draws a frame and panics.
    fn panic_in_a_window() {
        install_panic_hook();
        let mut terminal = Terminal::enter(true).unwrap();
        let frame = |buffer: &mut Buffer| buffer.set_style(buffer.area, Style::new().add_modifier(Modifier::BOLD));
        terminal.show((40, 10), frame).unwrap();
        panic!("the roof is on fire");
    }

    #[test]
    fn the_clipboard_is_filled_through_whatever_lies_between() {
        let copied = |tmux, screen| {
            let mut out = Vec::new();
            clipboard(&mut out, "fo", tmux, screen);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(copied(false, false), "\u{1b}]52;c;Zm8=\u{1b}\\");
        assert_eq!(copied(true, false), "\u{1b}Ptmux;\u{1b}\u{1b}]52;c;Zm8=\u{1b}\u{1b}\\\u{1b}\\");
        assert_eq!(copied(false, true), "\u{1b}P\u{1b}]52;c;Zm8=\u{1b}\\\u{1b}\\");
    }

    #[test]
    fn a_panic_gives_the_terminal_back() {
        if std::env::var_os("KGENTS_TEST_PANIC").is_some() {
            return panic_in_a_window();
        }
        // This very test again, in a terminal of its own.
        let pty = native_pty_system().openpty(PtySize { rows: 20, cols: 100, ..PtySize::default() }).unwrap();
        let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
        command.args([
            "--exact",
            "--nocapture",
            "--test-threads=1",
            "terminal::tests::a_panic_gives_the_terminal_back",
        ]);
        command.env("KGENTS_TEST_PANIC", "1");
        command.env("RUST_BACKTRACE", "0");
        let mut child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let mut bytes = Vec::new();
        // A terminal that was hung up reads as an error; what came before counts.
        let _ = reader.read_to_end(&mut bytes);
        assert!(!child.wait().unwrap().success());
        let size = |cells: u16| NonZero::new(cells).unwrap();
        let mut parser = vt100::Parser::new(size(20), size(100), 0);
        parser.process(&bytes);
        let screen = parser.screen();
        assert!(bytes.windows(8).any(|bytes| bytes == b"\x1b[?2026h"), "a frame was drawn");
        assert!(screen.contents().contains("the roof is on fire"), "{}", screen.contents());
        assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste());
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
    }
}
