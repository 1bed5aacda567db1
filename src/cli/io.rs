//! What a command reads from and writes to, so that tests can look at it.

use std::io::{self, IsTerminal, Write};

use kgents_tui::ColourLevel;

/// The two ends that a command writes to.
pub(crate) struct Io<'a> {
    /// Standard output, buffered: who streams flushes.
    pub(crate) out: &'a mut dyn Write,
    /// Standard error.
    pub(crate) err: &'a mut dyn Write,
}

impl Io<'_> {
    /// Says something that is no part of the output.
    pub(crate) fn note(&mut self, text: impl std::fmt::Display) {
        // A note that nobody hears is no reason to fail.
        let _ = writeln!(self.err, "{text}");
    }
}

/// What may be done on standard output.
pub(crate) fn can_draw() -> bool {
    is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How many colours the environment allows.
pub(crate) fn colour() -> ColourLevel {
    kgents_tui::colour_level(|name| std::env::var(name).ok())
}

/// Waits until the program should end: it was interrupted or told to, or who
/// read its output has gone, which is noticed also while nothing is written.
#[cfg(unix)]
pub(crate) async fn end() {
    use std::os::fd::AsFd;

    use tokio::io::Interest;
    use tokio::net::unix::pipe::Sender;

    let closed = async {
        // The descriptor is only waited on, never written to, so it may block.
        // A file cannot be waited on, and cannot be closed by another either.
        let out = io::stdout().as_fd().try_clone_to_owned().and_then(Sender::from_owned_fd_unchecked);
        if let Ok(out) = out
            && out.ready(Interest::ERROR).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = interrupted() => {}
        () = closed => {}
    }
}

/// Waits until the program is interrupted or told to end.
#[cfg(unix)]
pub(crate) async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};

    let heard = |kind: SignalKind| async move {
        match signal(kind) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = heard(SignalKind::interrupt()) => {}
        () = heard(SignalKind::terminate()) => {}
        () = heard(SignalKind::hangup()) => {}
    }
}

/// Waits until the program is interrupted.
#[cfg(not(unix))]
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until the program is interrupted.
#[cfg(not(unix))]
pub(crate) async fn end() {
    interrupted().await;
}
