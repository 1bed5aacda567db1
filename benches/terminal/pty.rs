//! A program in a terminal that notes when each byte arrives.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::it::support::user::User;

/// Columns and rows of the terminal.
pub const SIZE: [u16; 2] = [160, 45];
/// The end of a synchronized update: one a frame.
const FRAME: &[u8] = b"\x1b[?2026l";
/// What a terminal is asked, and what ours answers: some programs wait for it
/// before they draw.
const ANSWERS: [(&[u8], &[u8]); 5] = [
    (b"\x1b[6n", b"\x1b[1;1R"),
    (b"\x1b[c", b"\x1b[?62;22c"),
    (b"\x1b[0c", b"\x1b[?62;22c"),
    (b"\x1b]11;?\x07", b"\x1b]11;rgb:1111/1111/1111\x07"),
    (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:1111/1111/1111\x1b\\"),
];
/// What of one read may be the beginning of a sequence that ends in the next.
const CARRY: usize = 8;

type Keys = Arc<Mutex<Box<dyn Write + Send>>>;

/// A program and what it wrote.
pub struct Window {
    child: Box<dyn Child + Send + Sync>,
    keys: Keys,
    chunks: Receiver<(Instant, Vec<u8>)>,
    parser: vt100::Parser,
    tail: Vec<u8>,
    _master: Box<dyn MasterPty + Send>,
    /// Just before it was started.
    pub started: Instant,
    /// Bytes that it wrote.
    pub bytes: usize,
    /// Frames that it drew, as synchronized updates.
    pub frames: usize,
}

impl Window {
    /// Starts it.
    ///
    /// # Errors
    /// In words: why it cannot be started.
    pub fn open<S: AsRef<str>>(user: &User, command: &[S]) -> Result<Self, String> {
        let [cols, rows] = SIZE;
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).map_err(|error| error.to_string())?;
        let words = command.iter().map(|word| word.as_ref().into()).collect();
        let mut command = CommandBuilder::from_argv(words);
        command.env_clear();
        for (name, value) in user.vars() {
            command.env(name, value);
        }
        command.env("COLORTERM", "truecolor");
        command.cwd(std::env::current_dir().map_err(|error| error.to_string())?);
        let reader = pair.master.try_clone_reader().map_err(|error| error.to_string())?;
        let keys: Keys = Arc::new(Mutex::new(pair.master.take_writer().map_err(|error| error.to_string())?));
        let (sender, chunks) = sync_channel(4_096);
        let answers = keys.clone();
        std::thread::spawn(move || listen(reader, &answers, &sender));
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).map_err(|error| format!("{error:#}"))?;
        drop(pair.slave);
        let cells = |count: u16| NonZero::new(count).unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        let tail = Vec::new();
        Ok(Self { child, keys, chunks, parser, tail, _master: pair.master, started, bytes: 0, frames: 0 })
    }

    /// Presses keys.
    pub fn key(&self, keys: &str) {
        let mut out = self.keys.lock().unwrap();
        // Who has ended hears no keys: what is waited for then says so.
        let _ = out.write_all(keys.as_bytes()).and_then(|()| out.flush());
    }

    /// Presses the arrow down or up, as this program asked to hear it.
    pub fn arrow(&self, down: bool) {
        let mode = if self.parser.screen().application_cursor() { 'O' } else { '[' };
        self.key(&format!("\x1b{mode}{}", if down { 'B' } else { 'A' }));
    }

    /// Waits until the screen is as wanted; answers when the bytes arrived
    /// that made it so.
    ///
    /// # Errors
    /// In words, with what stood on the screen instead.
    pub fn until(&mut self, limit: Duration, wanted: impl Fn(&str) -> bool) -> Result<Instant, String> {
        let end = Instant::now() + limit;
        loop {
            let at = self.next(end).ok_or_else(|| {
                let screen = self.screen();
                let line = screen.lines().find(|line| !line.trim().is_empty()).unwrap_or("nothing").trim();
                format!("not within {} s; the screen begins with: {line}", limit.as_secs())
            })?;
            if wanted(&self.screen()) {
                return Ok(at);
            }
        }
    }

    /// Waits for output, which is taken in; `None` if none comes until then.
    pub fn next(&mut self, end: Instant) -> Option<Instant> {
        let (at, bytes) = self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())).ok()?;
        self.take(&bytes);
        Some(at)
    }

    /// Reads on for a while.
    ///
    /// # Errors
    /// When it has ended.
    pub fn rest(&mut self, time: Duration) -> Result<(), String> {
        let end = Instant::now() + time;
        loop {
            match self.chunks.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok((_, bytes)) => self.take(&bytes),
                Err(RecvTimeoutError::Timeout) => return Ok(()),
                Err(RecvTimeoutError::Disconnected) => return Err("it has ended".to_owned()),
            }
        }
    }

    /// Reads on until nothing came for so long, or the limit is reached.
    ///
    /// # Errors
    /// When it has ended.
    pub fn settle(&mut self, quiet: Duration, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            let before = self.bytes;
            self.rest(quiet)?;
            if self.bytes == before {
                break;
            }
        }
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.parser.process(bytes);
        self.tail.extend_from_slice(bytes);
        self.frames += count(&self.tail, FRAME);
        // Short of a whole sequence, so that none is counted twice.
        let keep = self.tail.len().min(FRAME.len() - 1);
        self.tail.drain(..self.tail.len() - keep);
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.parser.screen().contents()
    }

    /// Whether anything stands on the screen.
    pub fn has_text(&self) -> bool {
        !self.screen().trim().is_empty()
    }

    /// Seconds of CPU that it has used.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<f64, String> {
        let stat = self.proc("stat")?;
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        // utime and stime, in hundredths (USER_HZ is 100 wherever Linux runs).
        Ok((fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0)
    }

    /// Bytes of resident memory.
    ///
    /// # Errors
    /// When it has ended.
    pub fn memory(&self) -> Result<u64, String> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("it has ended")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024)
    }

    fn proc(&self, file: &str) -> Result<String, String> {
        let id = self.child.process_id().ok_or("it has ended")?;
        std::fs::read_to_string(format!("/proc/{id}/{file}")).map_err(|_| "it has ended".to_owned())
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Stamps what comes, and answers what a terminal is asked.
fn listen(mut reader: Box<dyn Read + Send>, keys: &Keys, chunks: &SyncSender<(Instant, Vec<u8>)>) {
    let mut buffer = vec![0; 1 << 16];
    let mut tail: Vec<u8> = Vec::new();
    // On Linux the end of a terminal is an error.
    while let Ok(read @ 1..) = reader.read(&mut buffer) {
        let at = Instant::now();
        let bytes = &buffer[..read];
        let carried = tail.len();
        tail.extend_from_slice(bytes);
        for (question, answer) in ANSWERS {
            // One that lies wholly in what was carried over was answered then.
            for _ in count(&tail[..carried], question)..count(&tail, question) {
                let _ = keys.lock().unwrap().write_all(answer);
            }
        }
        tail.drain(..tail.len().saturating_sub(CARRY));
        if chunks.send((at, bytes.to_vec())).is_err() {
            break;
        }
    }
}

/// How often a sequence stands in these bytes.
fn count(bytes: &[u8], sequence: &[u8]) -> usize {
    bytes.windows(sequence.len()).filter(|window| *window == sequence).count()
}
