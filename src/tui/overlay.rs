//! What lies over the panes: pages, the palette, dialogs.

use std::collections::VecDeque;

use jiff::Timestamp;
use kgents_api::PheromoneType;
use kgents_store::object::{DeploymentFacts, EventFacts, PodFacts};
use kgents_store::request::{Child, DryRun, Problem, Seen};
use kgents_store::{Key, Kind, Planned, Thought};

use crate::action::Spot;
use crate::edit::Edit;
use crate::palette::Palette;

/// Something over the panes.
#[derive(Clone, Debug)]
pub enum Overlay {
    /// What is known of one thing.
    Page(Box<Page>),
    /// A list to choose from by typing.
    Palette(Box<Palette>),
    /// A change before it is sent.
    Dialog(Box<Dialog>),
}

/// What a page is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// An agent.
    Agent(Key),
    /// A pheromone.
    Pheromone(Key),
    /// A proposal.
    Proposal(Key),
    /// A thought; a copy, for the ring forgets.
    Thought(Box<Thought>),
    /// What was in the air of one type from one moment to another.
    Cell(PheromoneType, Timestamp, Timestamp),
    /// The keys of a place.
    Help(Spot),
}

/// The tabs of an agent's page, by name.
pub const AGENT_TABS: &[&str] = &["status", "thoughts", "pods", "events", "logs", "yaml"];
/// A scroll that stays at the end, however far that is.
pub const END: usize = usize::MAX / 2;
/// The place of the logs among them.
pub const LOGS: usize = 4;

impl Subject {
    /// The tabs that the subject has.
    pub const fn tabs(&self) -> &'static [&'static str] {
        match self {
            Self::Agent(_) => AGENT_TABS,
            Self::Pheromone(_) => &["status", "yaml"],
            Self::Proposal(_) => &["status", "events", "yaml"],
            Self::Thought(_) | Self::Cell(..) | Self::Help(_) => &[],
        }
    }

    /// The object, where it is one.
    pub const fn object(&self) -> Option<(Kind, &Key)> {
        match self {
            Self::Agent(key) => Some((Kind::Agent, key)),
            Self::Pheromone(key) => Some((Kind::Pheromone, key)),
            Self::Proposal(key) => Some((Kind::Proposal, key)),
            Self::Thought(_) | Self::Cell(..) | Self::Help(_) => None,
        }
    }
}

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    /// What it is about.
    pub subject: Subject,
    /// Which tab of it.
    pub tab: usize,
    /// The first line that shows.
    pub scroll: usize,
    /// What is looked for on it.
    pub search: Search,
    /// What was asked for besides.
    pub facts: Facts,
}

impl Page {
    /// A page at one of its tabs.
    pub fn new(subject: Subject, tab: usize) -> Self {
        let mut page = Self { subject, tab, scroll: 0, search: Search::default(), facts: Facts::default() };
        page.scroll = page.start();
        page
    }

    /// Where its tab is first read: what grows at its end, there.
    pub fn start(&self) -> usize {
        if matches!(self.tab_name(), "thoughts" | "events" | "logs") { END } else { 0 }
    }

    /// The name of the tab that shows; empty where there are none.
    pub fn tab_name(&self) -> &'static str {
        self.subject.tabs().get(self.tab).copied().unwrap_or_default()
    }

    /// Where keys go on it.
    pub fn spot(&self) -> Spot {
        match self.subject {
            Subject::Agent(_) if self.tab == LOGS => Spot::Logs,
            Subject::Agent(_) => Spot::AgentPage,
            Subject::Pheromone(_) => Spot::PheromonePage,
            Subject::Proposal(_) => Spot::ProposalPage,
            Subject::Thought(_) | Subject::Cell(..) => Spot::ThoughtPage,
            Subject::Help(_) => Spot::Help,
        }
    }
}

/// What is looked for on a page.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// While it is typed.
    pub edit: Option<Edit>,
    /// The text, in lower case; empty looks for nothing.
    pub text: String,
    /// Which match the person stands on, counted from the top.
    pub at: usize,
}

/// Something that was asked for.
#[derive(Clone, Debug, Default)]
pub enum Loaded<T> {
    /// Nobody asked.
    #[default]
    Not,
    /// Asked for, by this request.
    Asked(u64),
    /// Here it is.
    Here(T),
    /// It cannot be had.
    Failed(Problem),
}

impl<T> Loaded<T> {
    /// Whether this request is to bring it.
    pub fn waits_for(&self, id: u64) -> bool {
        matches!(self, Self::Asked(asked) if *asked == id)
    }
}

/// What a page shows besides what the terrarium holds.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What an agent was made into.
    pub children: Loaded<Vec<Child>>,
    /// The request that brings its children anew; those that are here stay
    /// until then.
    pub children_again: Option<u64>,
    /// What would be done about an agent.
    pub plan: PlanView,
    /// The Events about it, the newest last.
    pub events: Loaded<Vec<EventFacts>>,
    /// What a proposal would do.
    pub dry_run: Loaded<Box<DryRun>>,
    /// The logs.
    pub logs: LogView,
}

/// What would be done about an agent, kept up to date.
#[derive(Clone, Debug, Default)]
pub struct PlanView {
    /// The last that was said.
    pub planned: Option<Box<Planned>>,
    /// Why nothing newer could be said.
    pub problem: Option<Problem>,
    /// The request that brings the next.
    pub request: Option<u64>,
    /// When it was asked for last.
    pub asked: Option<Timestamp>,
    /// What was known of the agent then.
    pub basis: Basis,
}

/// What is known of an agent here, as far as plans for it depend on that:
/// when it changes there is something new to ask for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Basis {
    /// Whether a live layer answers.
    pub live: bool,
    /// The resource versions of the agent and of its Memory and Umwelt.
    pub versions: Vec<String>,
    /// How its Deployment stands.
    pub deployment: Option<DeploymentFacts>,
    /// How its pods stand.
    pub pods: Vec<PodFacts>,
}

/// How many lines of logs a page keeps.
pub const MAX_LINES: usize = 20_000;
/// How many bytes those may have: a line can be long.
pub const MAX_LOG_BYTES: usize = 16 << 20;

/// The choices for how far logs go back, in seconds; `None` is everything.
pub const SINCE: &[Option<i64>] = &[None, Some(60), Some(600), Some(3_600), Some(86_400)];

/// The logs on an agent's page.
#[derive(Clone, Debug, Default)]
pub struct LogView {
    /// The request that brings them, if one runs.
    pub request: Option<u64>,
    /// Which pod, of those in their order.
    pub pod: usize,
    /// Which container; the first if `None`.
    pub container: Option<String>,
    /// Of the container that ran before.
    pub previous: bool,
    /// The place in [`SINCE`].
    pub since: usize,
    /// The page stays at the end while lines come.
    pub stays: bool,
    /// Long lines are broken instead of cut.
    pub wraps: bool,
    /// The last lines.
    pub lines: VecDeque<Box<str>>,
    /// How many bytes those have.
    pub bytes: usize,
    /// Lines that fell off the front.
    pub dropped: u64,
    /// Why no more come.
    pub end: Option<String>,
    /// Why there are none.
    pub problem: Option<Problem>,
}

impl LogView {
    /// Takes lines in; answers how many fell off the front.
    pub fn take(&mut self, lines: Vec<Box<str>>) -> usize {
        self.bytes += lines.iter().map(|line| line.len()).sum::<usize>();
        self.lines.extend(lines);
        let mut fell = 0;
        while self.lines.len() > MAX_LINES || self.bytes > MAX_LOG_BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.bytes -= line.len();
            fell += 1;
        }
        self.dropped += fell as u64;
        fell
    }
}

/// A change before it is sent.
#[derive(Clone, Debug)]
pub struct Dialog {
    /// What it would do.
    pub draft: Draft,
    /// What a person fills in.
    pub fields: Vec<Field>,
    /// The field that is typed into.
    pub field: usize,
    /// Why it cannot be sent as it is.
    pub problem: Option<String>,
    /// It was sent and somebody else had been faster: what is looked at follows
    /// the object until it is sent again.
    pub again: bool,
    /// When it was opened: the moment that is shown in what would be sent.
    pub opened: Timestamp,
    /// The first row that shows of what scrolls, where not all of it shows.
    pub scroll: usize,
}

impl Dialog {
    /// A dialog that was just opened.
    pub fn new(draft: Draft, fields: Vec<Field>, opened: Timestamp) -> Self {
        Self { draft, fields, field: 0, problem: None, again: false, opened, scroll: 0 }
    }
}

/// What a dialog would do.
#[derive(Clone, Debug, PartialEq)]
pub enum Draft {
    /// Approve or reject a proposal.
    Decide {
        /// The proposal.
        proposal: Key,
        /// The version that was looked at.
        seen: Seen,
        /// Approve, or reject.
        approve: bool,
    },
    /// Emit a pheromone into a namespace.
    Emit(String),
    /// Scale an agent.
    Scale(Key),
    /// Delete an object.
    Delete(Kind, Key, Seen),
    /// Allow changes from this window.
    WriteMode,
}

/// A line that a person fills in.
#[derive(Clone, Debug)]
pub struct Field {
    /// What it is.
    pub label: &'static str,
    /// What was typed.
    pub edit: Edit,
    /// What may be typed, in a few words.
    pub hint: String,
}
