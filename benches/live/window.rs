//! The window in a terminal that notes when each byte arrives.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::it::support::user::{KGENTS, User};

const COLUMNS: u16 = 160;
const ROWS: u16 = 45;
/// The end of a synchronized update: one a frame.
const FRAME: &[u8] = b"\x1b[?2026l";

/// The window and what it wrote.
pub struct Window {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    chunks: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    _master: Box<dyn MasterPty + Send>,
    /// Just before it was started.
    pub started: Instant,
    /// Bytes that it wrote.
    pub bytes: usize,
    /// Frames that it drew.
    pub frames: usize,
}

impl Window {
    /// Starts it.
    pub fn open(user: &User, args: &[&str]) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(KGENTS);
        command.args(args);
        command.env_clear();
        for (name, value) in user.vars() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (sender, chunks) = sync_channel(4_096);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if sender.send((Instant::now(), buffer[..count].to_vec())).is_err() {
                    break;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let cells = |count: u16| NonZero::new(count).unwrap();
        let parser = vt100::Parser::new(cells(ROWS), cells(COLUMNS), 0);
        Self { child, keys, chunks, parser, _master: pair.master, started, bytes: 0, frames: 0 }
    }

    /// Presses keys.
    pub fn key(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits until the screen is as wanted; answers when the bytes arrived
    /// that made it so.
    pub fn until(&mut self, limit: Duration, wanted: impl Fn(&str) -> bool) -> Instant {
        let end = Instant::now() + limit;
        loop {
            let at = self.output_until(end);
            if wanted(&self.parser.screen().contents()) {
                return at;
            }
        }
    }

    /// Waits for output.
    pub fn output(&mut self, limit: Duration) -> Instant {
        self.output_until(Instant::now() + limit)
    }

    fn output_until(&mut self, end: Instant) -> Instant {
        match self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok((at, bytes)) => {
                self.take(&bytes);
                at
            }
            Err(error) => panic!("{error} while waiting; the screen was\n{}", self.parser.screen().contents()),
        }
    }

    /// Reads on for a while.
    pub fn rest(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            match self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok((_, bytes)) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => panic!("the window is gone"),
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.frames += bytes.windows(FRAME.len()).filter(|window| *window == FRAME).count();
        self.parser.process(bytes);
    }

    /// Seconds of CPU that it has used.
    pub fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(self.proc("stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in hundredths (USER_HZ is 100 wherever Linux runs).
        (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
    }

    /// Bytes of resident memory.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.process_id().unwrap())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
