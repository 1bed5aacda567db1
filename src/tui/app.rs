//! The window's state and how it changes. Pure: messages and the time come
//! in, what to do comes out.

use crossterm::event::{KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kgents_store::view::{self, AgentRow, ProposalRow};
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Terrarium, Thought, WatchState};
use ratatui::layout::Rect;

use crate::action::{self, Action, Place};
use crate::draw::heat;
use crate::field::{Field, field};
use crate::hit::{Hit, HitMap};
use crate::layout::{Layout, Pane, Shape, layout};
use crate::msg::{Effect, Msg, Update};
use crate::select::Selection;
use crate::theme::Theme;

/// What an overlay shows.
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
    /// The keys of a pane.
    Help,
}

impl Subject {
    /// The tabs that the subject has.
    pub fn tabs(&self) -> &'static [&'static str] {
        match self {
            Self::Agent(_) => &["status", "thoughts", "pods", "yaml"],
            Self::Pheromone(_) | Self::Proposal(_) => &["status", "yaml"],
            Self::Thought(_) | Self::Help => &[],
        }
    }
}

/// What lies over the panes.
#[derive(Clone, Debug)]
pub struct Overlay {
    /// What it shows.
    pub subject: Subject,
    /// Which tab of it.
    pub tab: usize,
    /// The first line that shows.
    pub scroll: usize,
}

/// What the panes show, worked out once per change.
#[derive(Debug, Default)]
pub struct Views {
    /// Agents, by attention.
    pub agents: Vec<AgentRow>,
    /// Proposals, by attention.
    pub proposals: Vec<ProposalRow>,
    /// Pheromones that can be sensed, the strongest first.
    pub alive: Vec<(Key, f64)>,
    /// How many agents and proposals need a person.
    pub needs: usize,
    /// How stable the agents are, 0..1.
    pub stability: f64,
    /// What the agents were worked out from.
    agents_of: Basis,
    /// What the proposals were worked out from.
    proposals_of: Basis,
}

/// What a view was worked out from: revision, thoughts heard, minute.
type Basis = Option<(u64, u64, Timestamp)>;

/// What the window is made with.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colours and glyphs.
    pub theme: Theme,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

/// The window.
#[derive(Debug)]
pub struct App {
    pub(crate) terrarium: Terrarium,
    pub(crate) look: Look,
    pub(crate) views: Views,
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) focus: Pane,
    pub(crate) zoom: bool,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) agents: Selection<Key>,
    pub(crate) pheromones: Selection<Key>,
    pub(crate) proposals: Selection<Key>,
    /// The thoughts follow the newest until a person stops them.
    pub(crate) frozen: bool,
    pub(crate) thoughts: Selection<u64>,
    hits: HitMap,
    /// The pheromones as a field, at the width of their pane.
    pub(crate) field: Field,
    field_columns: u16,
    /// The views are older than the terrarium.
    stale: bool,
    /// What is wrong with the settings, while the last good ones stay.
    pub(crate) problem: Option<String>,
}

impl App {
    /// A window of `size` columns and rows over an empty terrarium.
    pub fn new(look: Look, size: (u16, u16), now: Timestamp) -> Self {
        Self {
            terrarium: Terrarium::default(),
            look,
            views: Views::default(),
            now,
            size,
            focus: Pane::Agents,
            zoom: false,
            overlay: None,
            agents: Selection::default(),
            pheromones: Selection::default(),
            proposals: Selection::default(),
            frozen: false,
            thoughts: Selection::default(),
            hits: HitMap::default(),
            field: Field::default(),
            field_columns: 0,
            stale: false,
            problem: None,
        }
    }

    /// A window over a terrarium that is known already.
    pub fn over(terrarium: Terrarium, look: Look, size: (u16, u16), now: Timestamp) -> Self {
        let mut app = Self { terrarium, ..Self::new(look, size, now) };
        app.stale = true;
        app.settle();
        app
    }

    /// The terrarium that the window looks at.
    pub fn terrarium(&self) -> &Terrarium {
        &self.terrarium
    }

    /// Takes in something that happened.
    pub fn update(&mut self, msg: Msg, now: Timestamp) -> Update {
        self.now = now;
        if !matches!(msg, Msg::Batch(_)) {
            // A key means the rows that a person would see now.
            self.settle();
        }
        let mut update = Update::default();
        match msg {
            Msg::Key(event) if event.kind != KeyEventKind::Release => {
                if let Some(action) = action::find(&event, self.place()) {
                    self.act(action, &mut update);
                }
            }
            Msg::Key(_) => {}
            Msg::Mouse(event) => update.redraw = self.mouse(event),
            Msg::Resize(width, height) => {
                self.size = (width, height);
                update.redraw = true;
                update.effects.push(Effect::Repaint);
            }
            Msg::Settings(look, problem) => {
                self.look = *look;
                self.problem = problem;
                update.redraw = true;
            }
            Msg::Batch(batch) => {
                let outcome = self.terrarium.apply(batch, now);
                if !outcome.is_empty() {
                    self.terrarium.tick(now);
                    self.stale = true;
                    update.redraw = true;
                }
            }
            Msg::Wake => {
                self.terrarium.tick(now);
                self.stale = true;
                update.redraw = true;
            }
        }
        update.wake_at = self.terrarium.next_end();
        update
    }

    /// Brings the views up to what is known, once for however many changes
    /// came since the last time, and the cursors into sight.
    pub fn settle(&mut self) {
        let stale = std::mem::take(&mut self.stale);
        if stale {
            self.refresh();
        }
        let columns = self.body(Pane::Pheromones).map_or(0, heat::columns);
        if stale || columns != self.field_columns {
            self.field_columns = columns;
            self.field = field(&self.terrarium, self.now, usize::from(columns));
        }
        self.scroll();
    }

    /// Where keys go at the moment.
    pub(crate) fn place(&self) -> Place {
        Place { overlay: self.overlay.is_some(), bare: self.is_bare(), thoughts: self.focus == Pane::Thoughts }
    }

    /// Remembers where things were drawn, for the mouse.
    pub fn drawn(&mut self, hits: HitMap) {
        self.hits = hits;
    }

    /// Works the views out anew and lets the cursors find their rows.
    fn refresh(&mut self) {
        let (terrarium, now) = (&self.terrarium, self.now);
        let Views { agents, proposals, proposals_of, agents_of, .. } = std::mem::take(&mut self.views);
        // Who needs a person depends on what is known and on ages, which are
        // looked at by the minute. A wake that only dims a cell costs neither.
        let of = |kinds: &[Kind]| {
            let newest = kinds.iter().map(|kind| terrarium.revision_of(*kind)).max().unwrap_or(0);
            Some((newest, terrarium.thoughts().heard(), minute(now)))
        };
        let next = of(&[Kind::Agent, Kind::Proposal]).map(|(revision, _, minute)| (revision, 0, minute));
        let proposals = if next == proposals_of { proposals } else { view::proposals(terrarium, now) };
        let proposals_of = next;
        let next = of(&[Kind::Agent, Kind::Proposal, Kind::Pheromone]);
        // What is busy grows quiet by itself.
        let calm = agents.iter().all(|row| row.level <= 0.0);
        let agents = if next == agents_of && calm { agents } else { view::agents(terrarium, &proposals, now) };
        let agents_of = next;
        let mut alive: Vec<(Key, f64)> =
            view::alive(terrarium, now).into_iter().map(|(key, _, strength)| (key.clone(), strength)).collect();
        // By what is said of them: two that cross unseen must not change places.
        let said = |strength: f64| (strength * 10.0).round() as u8;
        alive.sort_by(|a, b| said(b.1).cmp(&said(a.1)).then_with(|| a.0.cmp(&b.0)));
        self.views = Views {
            needs: view::needs(&agents, &proposals),
            alive,
            // By the minute: it moves with the clock, and never between.
            stability: terrarium.stability(Kind::Agent, minute(now)),
            agents,
            proposals,
            agents_of,
            proposals_of,
        };
        let Views { agents, proposals, alive, .. } = &self.views;
        self.agents.follow(agents.len(), |i| agents[i].key.clone());
        self.proposals.follow(proposals.len(), |i| proposals[i].key.clone());
        self.pheromones.follow(alive.len(), |i| alive[i].0.clone());
        let thoughts = self.terrarium.thoughts();
        if self.frozen {
            self.thoughts.follow(thoughts.len(), |i| thoughts.get(i).map_or(0, |thought| thought.seq));
        } else if let Some(last) = thoughts.len().checked_sub(1) {
            self.thoughts.choose(last, thoughts.len(), |i| thoughts.get(i).map_or(0, |thought| thought.seq));
        }
    }

    /// Where a pane's content stands, if the pane is open.
    fn body(&self, pane: Pane) -> Option<Rect> {
        let (_, area, shape) = self.layout()?.panes.into_iter().find(|(other, _, _)| *other == pane)?;
        match shape {
            Shape::Open => Some(crate::draw::inner(area)),
            Shape::Bare => Some(area),
            Shape::Folded => None,
        }
    }

    /// How many rows a pane shows of its list at the present size.
    fn page(&self, pane: Pane) -> usize {
        let Some(area) = self.body(pane) else { return 1 };
        let rows = if pane == Pane::Pheromones { heat::list_rows(self, area) } else { usize::from(area.height) };
        rows.max(1)
    }

    fn scroll(&mut self) {
        let rows = self.rows();
        for pane in Pane::ALL {
            let page = self.page(pane);
            match pane {
                Pane::Agents => self.agents.scroll(rows[0], page),
                Pane::Pheromones => self.pheromones.scroll(rows[1], page),
                Pane::Proposals => self.proposals.scroll(rows[2], page),
                Pane::Thoughts => self.thoughts.scroll(rows[3], page),
                Pane::Chat => {}
            }
        }
    }

    /// How many rows each pane's list has.
    fn rows(&self) -> [usize; 5] {
        let views = &self.views;
        [views.agents.len(), views.alive.len(), views.proposals.len(), self.terrarium.thoughts().len(), 0]
    }

    /// Where everything stands at the present size.
    pub fn layout(&self) -> Option<Layout> {
        layout(self.size.0, self.size.1, self.focus, self.zoom)
    }

    /// A page instead of the panes: there is nothing to show in them.
    pub fn is_bare(&self) -> bool {
        let empty = self.views.agents.is_empty()
            && self.views.proposals.is_empty()
            && self.views.alive.is_empty()
            && self.terrarium.thoughts().is_empty()
            && Kind::CUSTOM.iter().all(|kind| self.terrarium.unreadable(*kind).next().is_none());
        let known = Kind::CUSTOM.iter().all(|kind| self.terrarium.watch(*kind).state.is_settled());
        empty && (known || matches!(self.terrarium.link(), Link::Down { .. }))
    }

    /// What stands in the way of a kind, if anything does.
    pub fn trouble(&self, kind: Kind) -> Option<WatchState> {
        Some(self.terrarium.watch(kind).state).filter(|state| {
            matches!(state, WatchState::Missing | WatchState::Forbidden { .. } | WatchState::Failing { .. })
        })
    }

    fn act(&mut self, action: Action, update: &mut Update) {
        update.redraw = true;
        match action {
            Action::Quit => update.effects.push(Effect::Quit),
            Action::Suspend => update.effects.push(Effect::Suspend),
            Action::Redraw => update.effects.push(Effect::Repaint),
            Action::Back => self.overlay = None,
            Action::Help => {
                let open = matches!(self.overlay, Some(Overlay { subject: Subject::Help, .. }));
                self.overlay = (!open).then_some(Overlay { subject: Subject::Help, tab: 0, scroll: 0 });
            }
            Action::Open => self.open(),
            Action::NextTab => self.turn(1),
            Action::PreviousTab => self.turn(-1),
            Action::Down => self.step(1),
            Action::Up => self.step(-1),
            Action::PageDown => self.step(self.stride()),
            Action::PageUp => self.step(-self.stride()),
            Action::First => self.step(isize::MIN / 2),
            Action::Last => self.step(isize::MAX / 2),
            Action::FocusAgents => self.focus = Pane::Agents,
            Action::FocusPheromones => self.focus = Pane::Pheromones,
            Action::FocusProposals => self.focus = Pane::Proposals,
            Action::FocusThoughts => self.focus = Pane::Thoughts,
            Action::FocusChat => self.focus = Pane::Chat,
            Action::FocusNext => self.focus_by(1),
            Action::FocusPrevious => self.focus_by(Pane::ALL.len() - 1),
            Action::Zoom => self.zoom = !self.zoom,
            Action::NextNeed => self.next_need(),
            Action::Freeze => {
                self.frozen = !self.frozen;
                self.refresh();
            }
        }
    }

    fn focus_by(&mut self, by: usize) {
        self.focus = Pane::ALL[(self.focus as usize + by) % Pane::ALL.len()];
    }

    fn stride(&self) -> isize {
        let page = match self.overlay {
            Some(_) => usize::from(self.size.1) / 2,
            None => self.page(self.focus),
        };
        isize::try_from(page).unwrap_or(isize::MAX / 2)
    }

    fn turn(&mut self, by: isize) {
        if let Some(overlay) = &mut self.overlay {
            let tabs = overlay.subject.tabs().len().max(1) as isize;
            overlay.tab = (overlay.tab as isize + by).rem_euclid(tabs) as usize;
            overlay.scroll = 0;
        }
    }

    /// Moves the cursor of the focused pane, or scrolls the overlay.
    fn step(&mut self, by: isize) {
        if self.overlay.is_some() {
            let room = crate::draw::overlay_room(self);
            if let Some(overlay) = &mut self.overlay {
                overlay.scroll = overlay.scroll.min(room).saturating_add_signed(by).min(room);
            }
            return;
        }
        let rows = self.rows();
        let views = &self.views;
        match self.focus {
            Pane::Agents => drop(self.agents.step(by, rows[0], |i| views.agents[i].key.clone())),
            Pane::Pheromones => drop(self.pheromones.step(by, rows[1], |i| views.alive[i].0.clone())),
            Pane::Proposals => drop(self.proposals.step(by, rows[2], |i| views.proposals[i].key.clone())),
            Pane::Thoughts => {
                let thoughts = self.terrarium.thoughts();
                self.thoughts.step(by, rows[3], |i| thoughts.get(i).map_or(0, |thought| thought.seq));
                // Looking back stops the stream; coming to its end follows it again.
                self.frozen = self.thoughts.place() + 1 < rows[3];
            }
            Pane::Chat => {}
        }
    }

    fn open(&mut self) {
        let subject = match self.focus {
            Pane::Agents => self.views.agents.get(self.agents.place()).map(|row| Subject::Agent(row.key.clone())),
            Pane::Pheromones => {
                self.views.alive.get(self.pheromones.place()).map(|(key, _)| Subject::Pheromone(key.clone()))
            }
            Pane::Proposals => {
                self.views.proposals.get(self.proposals.place()).map(|row| Subject::Proposal(row.key.clone()))
            }
            Pane::Thoughts => {
                let thought = self.terrarium.thoughts().get(self.thoughts.place());
                thought.map(|thought| Subject::Thought(Box::new(thought.clone())))
            }
            Pane::Chat => None,
        };
        self.overlay = subject.map(|subject| Overlay { subject, tab: 0, scroll: 0 });
    }

    /// Goes to the next row that needs a person: first down the proposals and
    /// agents from where the cursor stands, then around.
    fn next_need(&mut self) {
        let views = &self.views;
        let agents = views.agents.iter().enumerate().filter(|(_, row)| row.bid.need.needs_person());
        let proposals = views.proposals.iter().enumerate().filter(|(_, row)| row.bid.need.needs_person());
        let all: Vec<(Pane, usize)> = agents
            .map(|(place, _)| (Pane::Agents, place))
            .chain(proposals.map(|(place, _)| (Pane::Proposals, place)))
            .collect();
        let here = match self.focus {
            Pane::Agents if self.agents.is_chosen() => Some((Pane::Agents, self.agents.place())),
            Pane::Proposals if self.proposals.is_chosen() => Some((Pane::Proposals, self.proposals.place())),
            _ => None,
        };
        let next = all.iter().find(|target| here.is_none_or(|here| **target > here)).or(all.first()).copied();
        if let Some((pane, place)) = next {
            self.choose(pane, place);
        }
    }

    fn choose(&mut self, pane: Pane, place: usize) {
        self.focus = pane;
        let rows = self.rows();
        let views = &self.views;
        match pane {
            Pane::Agents => self.agents.choose(place, rows[0], |i| views.agents[i].key.clone()),
            Pane::Pheromones => self.pheromones.choose(place, rows[1], |i| views.alive[i].0.clone()),
            Pane::Proposals => self.proposals.choose(place, rows[2], |i| views.proposals[i].key.clone()),
            Pane::Thoughts => {
                let thoughts = self.terrarium.thoughts();
                self.thoughts.choose(place, rows[3], |i| thoughts.get(i).map_or(0, |thought| thought.seq));
                self.frozen = self.thoughts.place() + 1 < rows[3];
            }
            Pane::Chat => {}
        }
    }

    fn mouse(&mut self, event: MouseEvent) -> bool {
        let hit = self.hits.at(event.column, event.row);
        match event.kind {
            MouseEventKind::ScrollDown | MouseEventKind::ScrollUp => {
                if let (None, Some(Hit::Pane(pane) | Hit::Row(pane, _))) = (&self.overlay, hit) {
                    self.focus = pane;
                }
                self.step(if event.kind == MouseEventKind::ScrollDown { 3 } else { -3 });
                true
            }
            MouseEventKind::Down(MouseButton::Left) => {
                match (&mut self.overlay, hit) {
                    (Some(overlay), Some(Hit::Tab(tab))) => (overlay.tab, overlay.scroll) = (tab, 0),
                    (Some(_), Some(Hit::Overlay)) => {}
                    // A click beside an overlay closes it.
                    (Some(_), _) => self.overlay = None,
                    (None, Some(Hit::Pane(pane))) => self.focus = pane,
                    (None, Some(Hit::Row(pane, place))) => {
                        let again = self.focus == pane && self.cursor(pane) == Some(place);
                        self.choose(pane, place);
                        if again {
                            self.open();
                        }
                    }
                    (None, _) => return false,
                }
                true
            }
            _ => false,
        }
    }

    /// Where a pane's cursor stands, if a person put it there.
    fn cursor(&self, pane: Pane) -> Option<usize> {
        match pane {
            Pane::Agents => Some(&self.agents).filter(|s| s.is_chosen()).map(Selection::place),
            Pane::Pheromones => Some(&self.pheromones).filter(|s| s.is_chosen()).map(Selection::place),
            Pane::Proposals => Some(&self.proposals).filter(|s| s.is_chosen()).map(Selection::place),
            Pane::Thoughts => Some(self.thoughts.place()),
            Pane::Chat => None,
        }
    }
}

/// The minute that a moment lies in.
pub(crate) fn minute(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second().div_euclid(60) * 60).unwrap_or(now)
}
