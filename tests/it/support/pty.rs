//! The real binary in a terminal. Every step waits on the screen, and prints
//! it when it fails.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use vt100::{Parser, Screen};

use super::user::{KGENTS, User};
use super::wait::{SOON, eventually};

/// A terminal in which kgents runs.
pub struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    shown: Arc<Mutex<Shown>>,
}

/// What the left button does.
#[derive(Clone, Copy, Debug)]
pub enum Mouse {
    Press,
    Drag,
    Release,
}

/// What was written to the terminal.
struct Shown {
    parser: Parser,
    bytes: usize,
    /// The last of them, as they came.
    raw: Vec<u8>,
    last: Instant,
}

/// How many bytes are kept as they came.
const RAW: usize = 256 << 10;

/// How it ended.
pub struct Ended {
    /// The exit code; 1 if a signal ended it.
    pub code: u32,
    /// What the terminal shows afterwards.
    pub screen: Screen,
}

impl Pty {
    #[track_caller]
    pub(super) fn open(user: &User, (columns, rows): (u16, u16), args: &[&str]) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(KGENTS);
        command.args(args);
        command.env_clear();
        for (name, value) in user.vars() {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        // Else the terminal would not be closed when kgents closes it.
        drop(pair.slave);
        let keys = pair.master.take_writer().unwrap();
        let parser = Parser::new(cells(rows), cells(columns), 0);
        let shown = Arc::new(Mutex::new(Shown { parser, bytes: 0, raw: Vec::new(), last: Instant::now() }));
        show(pair.master.try_clone_reader().unwrap(), shown.clone());
        Self { child, master: pair.master, keys, shown }
    }

    /// Presses a key: a character, or `enter`, `esc`, `tab`, `up`, `down`, `ctrl-x`.
    pub fn key(&mut self, name: &str) {
        let bytes = match name {
            "enter" => "\r".to_owned(),
            "esc" => "\x1b".to_owned(),
            "tab" => "\t".to_owned(),
            "up" => "\x1b[A".to_owned(),
            "down" => "\x1b[B".to_owned(),
            _ => match name.strip_prefix("ctrl-") {
                Some(letter) => letter.bytes().map(|byte| char::from(byte & 0x1f)).collect(),
                None => name.to_owned(),
            },
        };
        self.types(&bytes);
    }

    /// Types a text.
    pub fn types(&mut self, text: &str) {
        self.keys.write_all(text.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn expect_screen(&self, what: &str, wanted: impl Fn(&Screen) -> bool) {
        eventually(SOON, what, || {
            // A copy, so that what is wanted may ask the terminal more.
            let screen = self.shown.lock().unwrap().parser.screen().clone();
            if wanted(&screen) { Ok(()) } else { Err(screen.contents()) }
        });
    }

    /// Waits until a text stands on the screen.
    #[track_caller]
    pub fn expect(&self, text: &str) {
        self.expect_screen(&format!("{text:?} on the screen"), |screen| screen.contents().contains(text));
    }

    /// Waits until a text no longer stands on the screen.
    #[track_caller]
    pub fn refute(&self, text: &str) {
        self.expect_screen(&format!("{text:?} gone from the screen"), |screen| !screen.contents().contains(text));
    }

    /// Waits until these bytes were written: what a terminal does not show.
    #[track_caller]
    pub fn expect_bytes(&self, bytes: &str) {
        self.expect_screen(&format!("{bytes:?} on the wire"), |_| {
            let shown = self.shown.lock().unwrap();
            shown.raw.windows(bytes.len()).any(|window| window == bytes.as_bytes())
        });
    }

    /// Presses, moves or releases the left button at a cell, counted from 0,
    /// as a terminal tells it.
    pub fn mouse(&mut self, what: Mouse, column: u16, row: u16) {
        let (button, end) = match what {
            Mouse::Press => (0, 'M'),
            Mouse::Drag => (32, 'M'),
            Mouse::Release => (0, 'm'),
        };
        self.types(&format!("\u{1b}[<{button};{};{}{end}", column + 1, row + 1));
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        // Before the program knows: what it draws then has the new size.
        self.shown.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// Waits until nothing was written for so long, and returns how many
    /// bytes have been written by then.
    #[track_caller]
    pub fn wait_quiet(&self, quiet: Duration) -> usize {
        eventually(SOON + quiet, &format!("silence for {quiet:?}"), || {
            let shown = self.shown.lock().unwrap();
            if shown.last.elapsed() >= quiet { Ok(shown.bytes) } else { Err(shown.parser.screen().contents()) }
        })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = self.child.process_id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        kill_process(id.expect("it runs"), signal).unwrap();
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.shown.lock().unwrap().parser.screen().contents()
    }

    /// How many bytes have been written to the terminal.
    pub fn bytes_written(&self) -> usize {
        self.shown.lock().unwrap().bytes
    }

    /// Waits for its end.
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        let status =
            eventually(SOON, "the end of the window", || self.child.try_wait().unwrap().ok_or_else(|| self.screen()));
        // The reader lets go of its half when it has read the last byte.
        eventually(SOON, "the last byte of the window", || {
            if Arc::strong_count(&self.shown) == 1 { Ok(()) } else { Err(self.screen()) }
        });
        let screen = self.shown.lock().unwrap().parser.screen().clone();
        Ended { code: status.exit_code(), screen }
    }
}

impl Ended {
    /// Holds that the terminal is as it was before.
    #[track_caller]
    pub fn is_restored(&self) -> &Self {
        let screen = &self.screen;
        let modes = [
            ("the alternate screen", screen.alternate_screen()),
            ("a hidden cursor", screen.hide_cursor()),
            ("bracketed paste", screen.bracketed_paste()),
            ("mouse reports", screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None),
        ];
        for (mode, left) in modes {
            assert!(!left, "it leaves {mode} behind:\n{}", screen.contents());
        }
        self
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn show(mut reader: Box<dyn Read + Send>, shown: Arc<Mutex<Shown>>) {
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        // On Linux the end of a terminal is an error.
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            let mut shown = shown.lock().unwrap();
            shown.parser.process(&buffer[..count]);
            shown.bytes += count;
            shown.raw.extend_from_slice(&buffer[..count]);
            let old = shown.raw.len().saturating_sub(RAW);
            shown.raw.drain(..old);
            shown.last = Instant::now();
        }
    });
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has at least one cell")
}
