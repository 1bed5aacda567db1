//! `kgents observe`: the window, or what stands for it without a terminal.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use kgents_source::{Fixture, clock, hands};
use kgents_store::bus::{self, Bus, Reader};
use kgents_store::request::{Ask, Reply, Request};
use kgents_store::watch::Link;
use kgents_store::{Kind, Layer, Terrarium};
use kgents_tui::keymap::Keymap;
use kgents_tui::{Background, ColourLevel};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::look::{Flags, calm, one, reload, told};
use crate::args::Global;
use crate::command::status;
use crate::failure::{Code, Failure};
use crate::follow::{self, Follow};
use crate::io::{self, Io};
use crate::keymap;
use crate::log;
use crate::memory;
use crate::runtime::{aside, block_on};
use crate::settings::environment::Env;
use crate::settings::{Reload, Window};
use crate::stream::json::Json;
use crate::stream::plain::Plain;
use crate::themes::Themes;
use crate::value::{self, Size};

const HELP: &str = "\
Examples:
  kgents observe                       # the window; ? shows its keys
  kgents observe -n kgents-agents
  kgents observe --plain | grep Failed
  kgents observe --json | jq 'select(.kind == \"Thought\")'
  kgents observe --snapshot --size 160x45
  kgents observe --fixture ghost-fixtures/busy            # without a cluster
  kgents observe --theme light                            # kgents config themes
  kgents observe --write               # approve, scale, emit; kgents config keys
  kgents observe --compact             # one pane at a time, as on a small terminal
  kgents observe --snapshot --compact --size 60x20
  kgents observe --fresh               # as if it were opened for the first time

Without a terminal on standard output, or with TERM=dumb, it is --plain.
A line of --json is one change with kind, key and revision: an object (change
is applied, deleted or faded), a Thought, or how the Source stands. Of
Deployments and Pods `object` holds the few facts that kgents keeps.
The exit code of --snapshot is that of kgents status.
The window remembers of each context its focus, zoom, sort, filters and dividers
in $XDG_STATE_HOME/kgents/window.json, else below ~/.local/state.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// Lines of text on each change instead of the window.
    #[arg(long)]
    plain: bool,
    /// Lines of JSON on each change instead of the window.
    #[arg(long, conflicts_with = "plain")]
    json: bool,
    /// One frame of the window, when everything was listed or failed.
    #[arg(long, conflicts_with_all = ["plain", "json"])]
    snapshot: bool,
    /// Columns and rows of the snapshot [default: the terminal's, else 120x40].
    #[arg(long, value_name = "WxH", requires = "snapshot", value_parser = value::size)]
    size: Option<Size>,
    /// Play this recorded tree instead of asking anybody.
    #[arg(long, value_name = "DIR")]
    fixture: Option<PathBuf>,
    /// How fast it is played: 1 as it happened, 10 ten times as fast, 0 only how it begins [default: 1].
    #[arg(long, value_name = "N", requires = "fixture", value_parser = value::speed)]
    speed: Option<f64>,
    /// Leave the mouse to the terminal.
    #[arg(long)]
    no_mouse: bool,
    /// Times in UTC instead of local ones.
    #[arg(long)]
    utc: bool,
    /// Only ASCII for lines and bars.
    #[arg(long)]
    ascii: bool,
    /// The colours: auto, dark, light, or another of kgents config themes [default: auto].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    theme: Option<String>,
    /// Changes may be sent from the start; :write forbids and allows them.
    #[arg(long)]
    write: bool,
    /// One pane at a time with tabs for the others, whatever the size.
    #[arg(long, conflicts_with_all = ["plain", "json"])]
    compact: bool,
    /// Forget how this context was looked at, and begin anew.
    #[arg(long, conflicts_with_all = ["plain", "json", "snapshot"])]
    fresh: bool,
}

impl Args {
    /// Whether the window is opened: then nothing else may write to the screen.
    pub(crate) fn is_window(&self) -> bool {
        !(self.plain || self.json || self.snapshot) && io::can_draw()
    }

    /// What the flags say of the window.
    fn flags(&self) -> Flags {
        let Self { no_mouse, utc, ascii, write, ref theme, .. } = *self;
        Flags { no_mouse, utc, ascii, write, theme: theme.clone() }
    }

    /// What is set, and what the flags say on top of it.
    fn settings(&self, global: &Global) -> Window {
        self.flags().over(&global.settings().window)
    }

    /// Where to look.
    fn source(&self, global: &Global) -> Result<kgents_source::Options, Failure> {
        let options = global.source();
        let Some(path) = self.fixture.clone() else { return Ok(options) };
        let fixture = Fixture { path, speed: self.speed.unwrap_or(1.0) };
        let hint = "kgents observe --fixture ghost-fixtures/busy";
        fixture.check().map_err(|problem| Failure::new(problem).hint(hint).code(Code::Usage))?;
        // What is set for a cluster says nothing of a recording; what is typed does.
        Ok(kgents_source::Options { namespace: global.namespace.clone(), fixture: Some(fixture), ..options })
    }

    /// How the window is to look, and all that is wrong with what was set,
    /// with what holds meanwhile.
    fn look(&self, global: &Global, colour: ColourLevel) -> (kgents_tui::Options, Vec<(String, &'static str)>) {
        let (flags, env) = (self.flags(), Env::system());
        let window = flags.over(&global.settings().window);
        let reduce_motion = calm(&window, &env);
        let Window { mouse, utc, ascii, theme, write, .. } = window;
        let mut problems = Vec::new();
        let keymap = keymap::of(global.settings()).unwrap_or_else(|wrong| {
            problems.extend(keymap::first(&wrong).map(|first| (first, "The default keys hold meanwhile.")));
            Keymap::default()
        });
        let palette = Themes::of(&env).choose(&theme, flags.origin(global.settings())).unwrap_or_else(|problem| {
            problems.push((problem.to_string(), "The theme follows the terminal meanwhile."));
            None
        });
        let background = std::env::var("COLORFGBG").ok().and_then(|said| Background::of_variable(&said));
        let rest = kgents_tui::Options::default();
        let options = kgents_tui::Options {
            mouse,
            utc,
            colour,
            ascii,
            keymap,
            write,
            palette,
            background,
            reduce_motion,
            compact: self.compact,
            ..rest
        };
        (options, problems)
    }
}

/// Observes until the end.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let source = args.source(global)?;
    if let Some(theme) = &args.theme {
        Themes::of(&Env::system()).check_flag(theme)?;
    }
    if args.is_window() {
        return window(args, global, source);
    }
    if args.snapshot {
        return snapshot(args, global, source, io);
    }
    block_on(async {
        let follow = Follow::start(source, io::end());
        if args.json {
            tell_json(follow, io.out).await
        } else {
            tell_plain(follow, args.settings(global).utc, io.out).await
        }
    })
}

/// Tells each change as a line of text.
async fn tell_plain(mut follow: Follow, utc: bool, out: &mut dyn Write) -> Result<Code, Failure> {
    let mut plain = Plain::new(utc);
    while let Some(news) = follow.next().await {
        plain.tell(out, &follow, &news)?;
        out.flush()?;
    }
    Ok(Code::Ok)
}

/// Tells each change as a line of JSON.
async fn tell_json(mut follow: Follow, out: &mut dyn Write) -> Result<Code, Failure> {
    let mut json = Json::default();
    while let Some(news) = follow.next().await {
        json.tell(out, &follow, &news)?;
        out.flush()?;
    }
    Ok(Code::Ok)
}

/// How long the first frame waits for what the Ghost remembers, which is read
/// within that if there is not too much of it.
const PATIENCE_FOR_GHOST: Duration = Duration::from_millis(6);

/// Opens the window on this thread; the source runs on another.
fn window(args: &Args, global: &Global, options: kgents_source::Options) -> Result<Code, Failure> {
    let (bus, reader) = bus::new();
    let cancel = CancellationToken::new();
    let remembers = options.remembers();
    let patience = if remembers { PATIENCE_FOR_GHOST } else { Duration::ZERO };
    // Before it is opened: what is written from now on is seen.
    let mut file = Reload::new(global);
    file.watch(Themes::of(&Env::system()).file(&args.settings(global).theme));
    let (look, problems) = args.look(global, io::colour());
    let look = kgents_tui::Options { patience, ..look };
    let problem = one(problems.iter().map(|(problem, meanwhile)| told(problem, meanwhile)));
    let first = kgents_tui::Settings { options: look.clone(), problem };
    let (changes, settings) = watch::channel(first);
    let file_of_memory = memory::path();
    let (remembered, odd) = match file_of_memory.as_deref().filter(|_| !args.fresh) {
        Some(path) => memory::read(path),
        None => (kgents_tui::Memory::new(), None),
    };
    let (wires, ends) = wires();
    let source = {
        let (cancel, global, flags, look) = (cancel.clone(), global.clone(), args.flags(), look.clone());
        aside("source", async move {
            // Beside the work: opening a log takes longer than reading a small
            // Ghost, which is wanted in the first frame.
            let log = tokio::task::spawn_blocking(move || {
                let log = log::start(&global, None);
                if let Some(odd) = odd {
                    tracing::warn!("{odd}");
                }
                log
            });
            tokio::select! {
                () = behind(options, bus, ends, cancel) => {}
                () = reload(file, flags, look, changes) => {}
            }
            // What was said last is written before we go.
            drop(log.await);
        })?
    };
    let shown = kgents_tui::run(reader, wires, &look, settings, remembered);
    if let (Ok(seen), Some(path)) = (&shown, file_of_memory)
        && let Err(problem) = memory::write(&path, seen)
    {
        tracing::warn!("{problem}");
    }
    cancel.cancel();
    source.wait();
    shown
        .map(|_| Code::Ok)
        .map_err(|error| Failure::new(format!("the window cannot be shown: {error}")).hint("kgents observe --plain"))
}

/// The far ends of the window's wires.
struct Ends {
    requests: mpsc::Receiver<Request>,
    replies: mpsc::Sender<Reply>,
    readers: mpsc::Sender<Reader>,
}

/// How many requests or answers wait at most.
const WAITING: usize = 64;

fn wires() -> (kgents_tui::Wires, Ends) {
    let (to_us, requests) = mpsc::channel(WAITING);
    let (replies, to_window) = mpsc::channel(WAITING);
    let (readers, from_us) = mpsc::channel(1);
    (kgents_tui::Wires { requests: to_us, replies: to_window, readers: from_us }, Ends { requests, replies, readers })
}

/// What is behind the window: the layers, and who fulfils its requests. A
/// switch to another context or namespace begins both anew.
async fn behind(mut options: kgents_source::Options, mut bus: Bus, mut ends: Ends, cancel: CancellationToken) {
    loop {
        let here = cancel.child_token();
        let (forward, requests) = mpsc::channel(WAITING);
        let hands = hands::serve(options.clone(), requests, ends.replies.clone(), here.clone());
        let layers = follow::supervise(options.clone(), bus, here.clone());
        let switch = async {
            while let Some(request) = ends.requests.recv().await {
                match request.ask {
                    Ask::Switch { context, namespace } => return Some((context, namespace)),
                    // Who fulfils them ends only with us.
                    _ => drop(forward.send(request).await),
                }
            }
            // The window is gone, or going: what is under way comes to its end.
            cancel.cancelled().await;
            None
        };
        let end_at_switch = async {
            let next = switch.await;
            here.cancel();
            next
        };
        let ((), (), next) = tokio::join!(hands, layers, end_at_switch);
        let Some((context, namespace)) = next else { return };
        if context.is_some() {
            options.context = context;
            // A Cortex that was named, or a Ghost, speaks for the context it was named for.
            options.cortex = None;
        }
        options.all_namespaces = namespace.is_none();
        options.namespace = namespace;
        let (next_bus, reader) = bus::new();
        bus = next_bus;
        if ends.readers.send(reader).await.is_err() {
            return;
        }
    }
}

/// How long a snapshot waits for the first lists.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it waits for a recording, which comes for certain.
const PATIENCE_FOR_FIXTURE: Duration = Duration::from_secs(60);
/// The size of a snapshot where nothing says another.
const SIZE: Size = Size(120, 40);

fn snapshot(args: &Args, global: &Global, source: kgents_source::Options, io: &mut Io<'_>) -> Result<Code, Failure> {
    let patience = if args.fixture.is_some() { PATIENCE_FOR_FIXTURE } else { PATIENCE };
    let terrarium = block_on(async {
        let end = async move {
            tokio::select! {
                () = io::end() => {}
                () = tokio::time::sleep(patience) => {}
            }
        };
        let frame = settle(Follow::start(source, end));
        Ok(frame.await)
    })?;
    let is_terminal = io::is_terminal();
    let colour = if is_terminal { io::colour() } else { ColourLevel::None };
    let own = || terminal_size::terminal_size_of(std::io::stdout()).map(|(width, height)| Size(width.0, height.0));
    let Size(width, height) = args.size.or_else(own).unwrap_or(SIZE);
    // A recording is what was asked for, whatever is in it.
    let code = if args.fixture.is_some() { Code::Ok } else { status::code_of(&terrarium) };
    let (look, problems) = args.look(global, colour);
    for (problem, _) in problems {
        io.note(format_args!("warning: {problem}"));
    }
    let frame = kgents_tui::snapshot(terrarium, (width, height), clock::now(), &look);
    io.out.write_all(frame.as_bytes())?;
    Ok(code)
}

/// Follows until each kind has listed or failed and nothing waits.
async fn settle(mut follow: Follow) -> Terrarium {
    while let Some(news) = follow.next().await {
        if !news.more && is_settled(&follow.terrarium) {
            break;
        }
    }
    std::mem::take(&mut follow.terrarium)
}

/// Whether nothing more is to be expected soon: who speaks live has told every
/// kind, or each layer has had its chance.
fn is_settled(terrarium: &Terrarium) -> bool {
    if terrarium.layer() == Some(Layer::Fixture) {
        // All of it is there before it speaks.
        return true;
    }
    if terrarium.is_live() {
        return Kind::ALL.into_iter().all(|kind| terrarium.watch(kind).state.is_settled());
    }
    let mut asked = Layer::ASKED.into_iter().filter_map(|layer| Some((layer, &terrarium.rung(layer)?.link))).peekable();
    // One that has just answered for the first time is about to speak.
    let had_its_chance = |(layer, link): (Layer, &Link)| match link {
        Link::Connecting => false,
        Link::Up { .. } => !layer.is_live(),
        Link::Down { .. } => true,
    };
    asked.peek().is_some() && asked.all(had_its_chance)
}

mod look;
#[cfg(test)]
mod tests;
