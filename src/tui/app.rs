//! The window's state and how it changes. Pure: messages and the time come
//! in, what to do comes out.

mod acts;
mod asks;
mod chat;
mod edges;
pub(crate) mod keys;
mod mouse;
mod moves;
mod pages;
mod plans;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kgents_api::PheromoneType;
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Terrarium, WatchState};
use ratatui::layout::Rect;

use crate::action::Spot;
use crate::app::asks::Desk;
use crate::app::edges::Edges;
use crate::draw::heat;
use crate::edit::Edit;
use crate::field::{Field, field};
use crate::filter::Filter;
use crate::hit::HitMap;
use crate::keymap::Keymap;
use crate::layout::{Layout, Pane, Shape, View, layout};
use crate::msg::{Effect, Msg, Update};
use crate::overlay::Overlay;
use crate::select::Selection;
use crate::theme::{Role, Theme};
use crate::view::{Sort, Views, Wishes};
use crate::world::World;

pub(crate) use crate::app::chat::Chat;
pub(crate) use crate::view::minute;

#[cfg(test)]
thread_local! {
    /// The actions that windows of this thread have done.
    pub(crate) static ACTED: std::cell::RefCell<std::collections::BTreeSet<crate::action::Action>> = const {
        std::cell::RefCell::new(std::collections::BTreeSet::new())
    };
}

/// What the window is made with.
#[derive(Clone, Debug)]
pub struct Look {
    /// Colours and glyphs.
    pub theme: Theme,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// Which key causes what.
    pub keymap: Keymap,
    /// The cluster may be changed from this window without asking first.
    pub write: bool,
    /// What changed glows once, and what landed breathes.
    pub motion: bool,
    /// The layout of small terminals at any size.
    pub compact: bool,
}

/// The filter of a pane.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filtering {
    /// While it is typed.
    pub(crate) edit: Option<Edit>,
    /// The text of the last one that was understood.
    pub(crate) text: String,
    /// That filter.
    pub(crate) filter: Filter,
    /// What is wrong with what is typed.
    pub(crate) problem: Option<String>,
}

/// Something that is said for a while, above the footer.
#[derive(Clone, Debug)]
pub(crate) struct Toast {
    pub(crate) role: Role,
    pub(crate) said: String,
    pub(crate) hint: String,
    pub(crate) until: Timestamp,
}

/// The window.
#[derive(Debug)]
pub struct App {
    pub(crate) terrarium: World,
    pub(crate) look: Look,
    pub(crate) views: Views,
    /// The moment that is shown: now, or one of the past.
    pub(crate) now: Timestamp,
    /// What the clock says.
    clock: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) focus: Pane,
    pub(crate) zoom: bool,
    /// The dividers between the panes.
    pub(crate) edges: Edges,
    /// What lies over the panes, the uppermost last.
    pub(crate) overlays: Vec<Overlay>,
    pub(crate) agents: Selection<Key>,
    pub(crate) pheromones: Selection<Key>,
    pub(crate) proposals: Selection<Key>,
    /// The cell of the field that a person stands on: its type, and how many
    /// columns from the right.
    pub(crate) cell: Option<(PheromoneType, usize)>,
    /// The thoughts follow the newest until a person stops them.
    pub(crate) frozen: bool,
    pub(crate) thoughts: Selection<u64>,
    /// The filters of the four lists, by their pane's place.
    pub(crate) filters: [Filtering; 4],
    /// The orders of agents, pheromones and proposals.
    pub(crate) sorts: [Sort; 3],
    pub(crate) chat: Chat,
    /// Changes may be sent.
    pub(crate) write: bool,
    pub(crate) toast: Option<Toast>,
    /// What was asked for.
    pub(crate) desk: Desk,
    hits: HitMap,
    /// The pheromones as a field, at the width of their pane.
    pub(crate) field: Field,
    field_body: Option<Rect>,
    /// The views are older than the terrarium, or than what is wanted.
    pub(crate) stale: bool,
    /// What is wrong with the settings, while the last good ones stay.
    pub(crate) problem: Option<String>,
}

impl App {
    /// A window of `size` columns and rows over an empty terrarium.
    pub fn new(look: Look, size: (u16, u16), now: Timestamp) -> Self {
        Self {
            terrarium: World::new(Terrarium::default()),
            write: look.write,
            look,
            views: Views::default(),
            now,
            clock: now,
            size,
            focus: Pane::Agents,
            zoom: false,
            edges: Edges::default(),
            overlays: Vec::new(),
            agents: Selection::default(),
            pheromones: Selection::default(),
            proposals: Selection::default(),
            cell: None,
            frozen: false,
            thoughts: Selection::default(),
            filters: <[Filtering; 4]>::default(),
            sorts: [Pane::Agents, Pane::Pheromones, Pane::Proposals].map(|pane| Sort::of(pane)[0]),
            chat: Chat::default(),
            toast: None,
            desk: Desk::default(),
            hits: HitMap::default(),
            field: Field::default(),
            field_body: None,
            stale: false,
            problem: None,
        }
    }

    /// A window over a terrarium that is known already.
    pub fn over(terrarium: Terrarium, look: Look, size: (u16, u16), now: Timestamp) -> Self {
        let mut app = Self { terrarium: World::new(terrarium), ..Self::new(look, size, now) };
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
        self.clock = now;
        self.now = self.terrarium.moment().unwrap_or(now);
        if !matches!(msg, Msg::Batch(_)) {
            // A key means the rows that a person would see now.
            self.settle();
        }
        let mut update = Update::default();
        match msg {
            Msg::Key(event) => self.key(&event, &mut update),
            Msg::Paste(text) => self.paste(&text, &mut update),
            Msg::Mouse(event) => update.redraw = self.mouse(event, &mut update),
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
                if self.terrarium.apply(batch, now) && self.terrarium.moment().is_none() {
                    self.stale = true;
                    update.redraw = true;
                }
            }
            Msg::Reply(reply) => update.redraw = self.reply(reply, &mut update),
            Msg::Elsewhere => self.elsewhere(&mut update),
            Msg::Wake => {
                self.terrarium.tick(now);
                if self.terrarium.moment().is_none() {
                    self.stale = true;
                    update.redraw = true;
                }
            }
        }
        if self.toast.as_ref().is_some_and(|toast| toast.until <= now) {
            self.toast = None;
            update.redraw = true;
        }
        let toast = self.toast.as_ref().map(|toast| toast.until);
        let plan = self.replan(&mut update);
        update.wake_at = self.terrarium.live().next_end().into_iter().chain(toast).chain(plan).min();
        update
    }

    /// Another terrarium is looked at from now on: what was known of the last
    /// one is forgotten, how a person looks stays.
    fn elsewhere(&mut self, update: &mut Update) {
        self.terrarium = World::new(Terrarium::default());
        self.views.forget();
        self.overlays.clear();
        self.agents.release();
        self.pheromones.release();
        self.proposals.release();
        self.thoughts.release();
        self.cell = None;
        self.frozen = false;
        self.chat = Chat::default();
        self.desk.forget();
        self.stale = true;
        update.redraw = true;
    }

    /// Brings the views up to what is known, once for however many changes
    /// came since the last time, and the cursors into sight.
    pub fn settle(&mut self) {
        let stale = std::mem::take(&mut self.stale);
        if stale {
            self.refresh();
        }
        let body = self.body(Pane::Pheromones);
        if stale || body != self.field_body {
            self.field_body = body;
            let mut field = field(&self.terrarium, self.now, usize::from(body.map_or(0, heat::columns)));
            if let Some(body) = body {
                heat::order(&mut field, self, body);
            }
            self.field = field;
        }
        self.scroll();
    }

    /// Where keys go at the moment, while nothing is typed.
    pub(crate) fn spot(&self) -> Spot {
        match self.overlays.last() {
            Some(Overlay::Page(page)) => page.spot(),
            // A palette and a dialog are typed into, so no key gets here.
            Some(Overlay::Palette(_) | Overlay::Dialog(_)) => Spot::Help,
            None if self.is_bare() => Spot::Bare,
            None => match self.focus {
                Pane::Agents => Spot::Agents,
                Pane::Pheromones => Spot::Pheromones,
                Pane::Proposals => Spot::Proposals,
                Pane::Thoughts => Spot::Thoughts,
                Pane::Chat => Spot::Chat,
            },
        }
    }

    /// Remembers where things were drawn, for the mouse.
    pub fn drawn(&mut self, hits: HitMap) {
        self.hits = hits;
    }

    /// Works the views out anew and lets the cursors find their rows.
    fn refresh(&mut self) {
        self.look_again();
        let wishes = Wishes { filters: self.filters.each_ref().map(|filtering| &filtering.filter), sorts: self.sorts };
        self.views.refresh(&self.terrarium, self.now, &wishes);
        let Views { agents, proposals, alive, .. } = &self.views;
        self.agents.follow(agents.len(), |i| agents[i].key.clone());
        self.proposals.follow(proposals.len(), |i| proposals[i].key.clone());
        self.pheromones.follow(alive.len(), |i| alive[i].0.clone());
        let count = self.thought_count();
        let seqs = seqs(&self.terrarium, &self.views);
        if self.frozen {
            self.thoughts.follow(count, seqs);
        } else if let Some(last) = count.checked_sub(1) {
            self.thoughts.choose(last, count, seqs);
        }
        if let Some(Overlay::Palette(palette)) = self.overlays.last_mut() {
            palette.refresh(&self.terrarium, &self.views, &self.look.keymap);
        }
    }

    /// How many thoughts show.
    pub(crate) fn thought_count(&self) -> usize {
        self.views.thoughts.as_ref().map_or_else(|| self.terrarium.thoughts().len(), Vec::len)
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

    /// Where everything stands at the present size.
    pub fn layout(&self) -> Option<Layout> {
        let view = View { focus: self.focus, zoom: self.zoom, compact: self.look.compact };
        layout(self.size.0, self.size.1, view, &self.edges.splits)
    }

    /// A page instead of the panes: there is nothing to show in them.
    pub fn is_bare(&self) -> bool {
        let empty = self.views.agents.all().is_empty()
            && self.views.proposals.all().is_empty()
            && self.views.alive.all().is_empty()
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

    /// Shows the change before, or the next one.
    fn travel(&mut self, back: bool) {
        if !back {
            self.terrarium.later();
        } else if !self.terrarium.earlier(self.clock) {
            let since = self.terrarium.oldest().unwrap_or(self.clock);
            let since = since.to_zoned(self.look.zone.clone()).strftime("%H:%M:%S");
            return self.tell(Role::Sky, format!("No further back: this window remembers since {since}."), "");
        }
        self.arrive();
    }

    /// Stops everything that is shown, or goes on.
    fn freeze(&mut self) {
        match self.terrarium.moment() {
            Some(_) => self.terrarium.release(),
            None => drop(self.terrarium.look(self.clock)),
        }
        self.arrive();
    }

    /// Another moment is shown.
    fn arrive(&mut self) {
        self.now = self.terrarium.moment().unwrap_or(self.clock);
        self.views.travelled();
        self.stale = true;
    }

    /// Says something for a while.
    pub(crate) fn tell(&mut self, role: Role, said: impl Into<String>, hint: impl Into<String>) {
        let long = if matches!(role, Role::Coral | Role::Amber) { 8 } else { 4 };
        let until = self.clock.checked_add(jiff::SignedDuration::from_secs(long)).unwrap_or(Timestamp::MAX);
        self.toast = Some(Toast { role, said: said.into(), hint: hint.into(), until });
    }
}

/// The numbers of the thoughts that show, by their place.
fn seqs<'a>(terrarium: &'a Terrarium, views: &'a Views) -> impl Fn(usize) -> u64 + 'a {
    move |place| match &views.thoughts {
        Some(shown) => shown.get(place).copied().unwrap_or_default(),
        None => terrarium.thoughts().get(place).map_or(0, |thought| thought.seq),
    }
}
