//! The loop: what happens goes into the app, what it answers is done, and a
//! frame is shown when something visible changed. No ticks: it sleeps until
//! a key, word from a source, a signal, or the next moment that was asked for.

use std::io;
use std::time::{Duration, Instant};

use crossterm::event::Event;
use jiff::Timestamp;
use kgents_store::bus::{Reader, TURN};
use kgents_store::request::{Answer, Problem, Reply, Request};
use rustix::process::{Signal, kill_current_process_group};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant as Deadline, sleep_until};

use crate::app::App;
use crate::draw;
use crate::hit::HitMap;
use crate::input::Input;
use crate::kept::{Keeper, Memory};
use crate::msg::{Effect, Msg, Update};
use crate::query::{Heard, Query};
use crate::terminal::{Terminal, install_panic_hook};
use crate::{Background, Options, Settings};

/// A key draws at once unless a frame was drawn less than this ago.
const KEY_PACE: Duration = Duration::from_millis(8);
/// Data draws once in this time when it goes on and on: 30 frames a second.
const DATA_PACE: Duration = Duration::from_millis(33);
/// Frames that data may have at the pace of keys before it is held to its own,
/// so that the first answers and a lone change show at once.
const BURST: f64 = 8.0;
/// A storm of sizes is waited out for this long.
const RESIZE_PACE: Duration = Duration::from_millis(16);
/// A wake that is further away than this is looked at again then: a laptop
/// that slept, or a clock that was set, makes it no later.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// What ties the window to those who fulfil its requests.
#[derive(Debug)]
pub struct Wires {
    /// Where requests go. A full channel is a request that was not made.
    pub requests: mpsc::Sender<Request>,
    /// Where answers come from.
    pub replies: mpsc::Receiver<Reply>,
    /// Where another bus comes from when another terrarium is looked at.
    pub readers: mpsc::Receiver<Reader>,
}
/// How long an answer of the terminal is waited for when the window is left
/// right after it was opened.
const LAST_WORD: Duration = Duration::from_millis(100);

/// Why the loop turned.
enum Turn {
    Input(Option<io::Result<Event>>),
    Data,
    Reply(Reply),
    Elsewhere(Reader),
    Settings,
    Timer,
    Suspend,
    Resume,
    End,
}

/// Opens the window on a terminal and stays until the person leaves.
///
/// The first frame is drawn before anything else is waited for. `settings`
/// brings those that change meanwhile. What is remembered of a context is
/// restored when it is known which one is looked at; answers what is to be
/// remembered of those that were.
///
/// # Errors
/// When the terminal cannot be taken over, or no longer be written to.
pub fn run(
    reader: Reader,
    wires: Wires,
    options: &Options,
    settings: watch::Receiver<Settings>,
    memory: Memory,
) -> io::Result<Memory> {
    install_panic_hook();
    let mut terminal = Terminal::enter(options.mouse)?;
    let mut app = App::new(options.look(None), Terminal::size(), clock());
    app.problem.clone_from(&settings.borrow().problem);
    let patience = options.patience;
    let mut window = Window {
        keeper: Keeper::new(memory, &app),
        early: Vec::new(),
        app,
        options: options.clone(),
        query: Query::default(),
        answer: None,
        dirty: Some(instant()),
        drawn: None,
        credit: BURST,
        app_wake: None,
        frame_wake: None,
    };
    let mut reader = reader;
    if !patience.is_zero() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        // Too late is no trouble: the next frame has it.
        let _ = runtime.block_on(async { tokio::time::timeout(patience, remember(&mut window, &mut reader)).await });
    }
    window.draw(&mut terminal)?;
    window.ask(&mut terminal)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(turn(&mut window, &mut terminal, reader, wires, settings));
    let restored = terminal.give_back();
    // A terminal that went away ends the window; that is no error of ours.
    match ended {
        Err(error) if is_hangup(&error) => {}
        other => other.and(restored)?,
    }
    Ok(window.keeper.end(&window.app))
}

/// Takes in what is remembered, which comes before anything else, until all of
/// it has come.
async fn remember(window: &mut Window, reader: &mut Reader) {
    loop {
        reader.changed().await;
        let batch = reader.drain(usize::MAX);
        let more = batch.more;
        let effects = window.take_in(Msg::Batch(batch), Duration::ZERO, Duration::ZERO);
        window.early.extend(effects);
        if !more && window.app.terrarium().layer().is_some() {
            return;
        }
    }
}

fn is_hangup(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe)
        || error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

#[allow(clippy::disallowed_methods, reason = "the runtime is where time comes from")]
fn clock() -> Timestamp {
    Timestamp::now()
}

#[allow(clippy::disallowed_methods, reason = "the runtime is where time comes from")]
fn instant() -> Instant {
    Instant::now()
}

struct Window {
    app: App,
    keeper: Keeper,
    /// What was to be done before the loop began.
    early: Vec<Effect>,
    options: Options,
    /// The question for the terminal's background.
    query: Query,
    /// What it answered.
    answer: Option<Background>,
    /// When a frame became due, if one is.
    dirty: Option<Instant>,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
    /// Frames that data may still have at the pace of keys, as of the last frame.
    credit: f64,
    app_wake: Option<Timestamp>,
    frame_wake: Option<Timestamp>,
}

struct SignalSet {
    hangup: Signals,
    interrupt: Signals,
    terminate: Signals,
    stop: Signals,
    go_on: Signals,
}

impl SignalSet {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            go_on: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
        })
    }

    async fn next(&mut self) -> Turn {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Turn::End,
            _ = self.hangup.recv() => Turn::End,
            _ = self.interrupt.recv() => Turn::End,
            _ = self.stop.recv() => Turn::Suspend,
            _ = self.go_on.recv() => Turn::Resume,
        }
    }
}

async fn turn(
    window: &mut Window,
    terminal: &mut Terminal,
    mut reader: Reader,
    mut wires: Wires,
    mut settings: watch::Receiver<Settings>,
) -> io::Result<()> {
    let mut signals = SignalSet::new()?;
    let mut keys = Input::open();
    for effect in std::mem::take(&mut window.early) {
        // Nothing but questions comes from what is remembered.
        if let Effect::Ask(request) = effect {
            let _ = wires.requests.try_send(request);
        }
    }
    loop {
        let due = window.next_due();
        let sleep = async {
            match due {
                Some(due) => sleep_until(Deadline::from_std(due)).await,
                None => std::future::pending().await,
            }
        };
        let next = tokio::select! {
            biased;
            turn = signals.next() => turn,
            event = keys.next() => Turn::Input(event),
            () = sleep => Turn::Timer,
            // Who fulfils requests may end before us; nothing comes from there then.
            Some(reply) = wires.replies.recv() => Turn::Reply(reply),
            Some(reader) = wires.readers.recv() => Turn::Elsewhere(reader),
            () = reader.changed() => Turn::Data,
            // Once nobody can change them any more, they stay.
            Ok(()) = settings.changed() => Turn::Settings,
        };
        let effects = match next {
            Turn::End | Turn::Input(None) => return Ok(()),
            Turn::Suspend => vec![Effect::Suspend],
            // Somebody else may have drawn while we slept.
            Turn::Resume => {
                terminal.take()?;
                vec![Effect::Repaint]
            }
            Turn::Input(Some(event)) => {
                let mut effects = window.input(event?);
                // Keys that came together are drawn together.
                while let Some(event) = keys.ready() {
                    effects.extend(window.input(event?));
                }
                effects
            }
            Turn::Data => {
                let batch = reader.drain(TURN);
                window.take_in(Msg::Batch(batch), Duration::ZERO, window.data_pace())
            }
            Turn::Reply(reply) => window.take_in(Msg::Reply(reply), Duration::ZERO, KEY_PACE),
            Turn::Elsewhere(other) => {
                reader = other;
                window.take_in(Msg::Elsewhere, Duration::ZERO, KEY_PACE)
            }
            Turn::Timer => window.wake(),
            Turn::Settings => {
                let Settings { options, problem } = settings.borrow_and_update().clone();
                window.options = options;
                window.ask(terminal)?;
                window.look_again(problem)
            }
        };
        for effect in effects {
            match effect {
                Effect::Ask(request) => {
                    let id = request.id;
                    if wires.requests.try_send(request).is_err() {
                        let said = "Too much was asked for at once, or nobody is there to ask.".to_owned();
                        let problem = Problem { said, hint: None, conflict: false };
                        let reply = Reply { id, answer: Answer::Failed(problem) };
                        window.take_in(Msg::Reply(reply), Duration::ZERO, KEY_PACE);
                    }
                }
                Effect::Copy(text) => terminal.copy(&text),
                Effect::Quit => {
                    window.hear_out(&mut keys).await;
                    return Ok(());
                }
                Effect::Repaint => {
                    terminal.forget();
                    window.mark(Duration::ZERO, RESIZE_PACE);
                }
                Effect::Suspend => {
                    window.hear_out(&mut keys).await;
                    // It would go on reading the keys of the shell.
                    keys.close().await;
                    terminal.give_back()?;
                    kill_current_process_group(Signal::STOP)?;
                    terminal.take()?;
                    keys = Input::open();
                    let size = Terminal::size();
                    window.take_in(Msg::Resize(size.0, size.1), Duration::ZERO, Duration::ZERO);
                }
            }
        }
        if window.dirty.is_some_and(|due| due <= instant()) {
            window.draw(terminal)?;
        }
    }
}

impl Window {
    fn input(&mut self, event: Event) -> Vec<Effect> {
        let Heard { events, background } = self.query.hear(event, instant());
        let mut effects: Vec<Effect> = events.iter().flat_map(|event| self.take_event(event)).collect();
        if background.is_some() {
            self.answer = background;
            effects.extend(self.look_again(self.app.problem.clone()));
        }
        effects
    }

    fn take_event(&mut self, event: &Event) -> Vec<Effect> {
        match *event {
            Event::Key(key) => self.take_in(Msg::Key(key), Duration::ZERO, KEY_PACE),
            Event::Mouse(mouse) => self.take_in(Msg::Mouse(mouse), Duration::ZERO, KEY_PACE),
            Event::Resize(width, height) => self.take_in(Msg::Resize(width, height), RESIZE_PACE, RESIZE_PACE),
            Event::Paste(ref text) => self.take_in(Msg::Paste(text.clone()), Duration::ZERO, KEY_PACE),
            Event::FocusGained | Event::FocusLost => Vec::new(),
        }
    }

    /// Asks the terminal for its background, once, if that is to decide.
    fn ask(&mut self, terminal: &mut Terminal) -> io::Result<()> {
        if self.query.is_unasked() && self.options.wants_answer() && terminal.ask()? {
            self.query.ask(instant());
        }
        Ok(())
    }

    /// Draws with the settings and the answer as they are now.
    fn look_again(&mut self, problem: Option<String>) -> Vec<Effect> {
        let look = self.options.look(self.answer);
        self.take_in(Msg::Settings(Box::new(look), problem), Duration::ZERO, KEY_PACE)
    }

    /// Waits a moment for an answer that is on its way: it would end on the
    /// command line of the shell.
    async fn hear_out(&mut self, keys: &mut Input) {
        let end = instant() + LAST_WORD;
        while self.query.is_outstanding(instant()) {
            match tokio::time::timeout_at(Deadline::from_std(end), keys.next()).await {
                Ok(Some(Ok(event))) => drop(self.query.hear(event, instant())),
                _ => return,
            }
        }
    }

    /// Hands a message to the app. A frame it asks for is due after `delay`,
    /// and not within `pace` of the last one.
    fn take_in(&mut self, msg: Msg, delay: Duration, pace: Duration) -> Vec<Effect> {
        if matches!(msg, Msg::Elsewhere) {
            self.keeper.leave(&self.app);
        }
        let is_news = matches!(msg, Msg::Batch(_));
        let Update { mut redraw, mut effects, wake_at } = self.app.update(msg, clock());
        self.app_wake = wake_at;
        if is_news && let Some(restored) = self.keeper.arrive(&mut self.app) {
            redraw |= restored.redraw;
            effects.extend(restored.effects);
        }
        if redraw {
            self.mark(delay, pace);
        }
        effects
    }

    fn wake(&mut self) -> Vec<Effect> {
        let now = clock();
        let held = self.query.expire(instant());
        let mut effects: Vec<Effect> = held.iter().flat_map(|event| self.take_event(event)).collect();
        let woken = [self.app_wake, self.frame_wake].into_iter().flatten().any(|at| at <= now);
        if woken {
            effects.extend(self.take_in(Msg::Wake, Duration::ZERO, self.data_pace()));
        }
        effects
    }

    fn mark(&mut self, delay: Duration, pace: Duration) {
        let now = instant();
        let due = (now + delay).max(self.drawn.map_or(now, |drawn| drawn + pace));
        self.dirty = Some(self.dirty.map_or(due, |other| other.min(due)));
    }

    /// Credit grows with the time since the last frame, one a [`DATA_PACE`].
    fn credit(&self) -> f64 {
        let earned = self.drawn.map_or(BURST, |drawn| (instant() - drawn).div_duration_f64(DATA_PACE));
        (self.credit + earned).min(BURST)
    }

    fn data_pace(&self) -> Duration {
        if self.credit() >= 1.0 { KEY_PACE } else { DATA_PACE }
    }

    /// When something is to be done without being asked.
    fn next_due(&self) -> Option<Instant> {
        let now = instant();
        let wall = clock();
        let wake = [self.app_wake, self.frame_wake].into_iter().flatten().min().map(|at| {
            let left = Duration::try_from(at.duration_since(wall)).unwrap_or_default();
            now + left.min(LONGEST_SLEEP)
        });
        [self.dirty, wake, self.query.due()].into_iter().flatten().min()
    }

    fn draw(&mut self, terminal: &mut Terminal) -> io::Result<()> {
        self.app.settle();
        let mut hits = HitMap::default();
        terminal.show(self.app.size, |buffer| hits = draw::draw(&self.app, buffer))?;
        self.frame_wake = hits.wake_at;
        self.app.drawn(hits);
        self.dirty = None;
        self.credit = (self.credit() - 1.0).max(0.0);
        self.drawn = Some(instant());
        Ok(())
    }
}
