//! Opening things: pages with their tabs, searches and logs; the palette.

use kgents_store::request::{Ask, Logs};
use kgents_store::{Key, Kind, view};
use serde_json::Value;

use super::App;
use super::asks::For;
use crate::action::Action;
use crate::layout::Pane;
use crate::msg::{Effect, Update};
use crate::overlay::{Basis, END, Loaded, LogView, Overlay, Page, SINCE, Subject};
use crate::palette::{Go, Offer, Palette};
use crate::theme::Role;
use crate::{draw, snapshot};

/// How many lines of logs are asked for at first.
const TAIL: i64 = 2_000;

impl App {
    /// The selected row as something to open.
    pub(super) fn subject(&self) -> Option<Subject> {
        match self.focus {
            Pane::Agents => self.views.agents.get(self.agents.place()).map(|row| Subject::Agent(row.key.clone())),
            Pane::Pheromones => match self.cell {
                Some((type_, back)) => {
                    let column = self.field.rows.first()?.cells.len().checked_sub(back + 1)?;
                    let (from, to) = self.field.span(column);
                    Some(Subject::Cell(type_, from, to))
                }
                None => self.views.alive.get(self.pheromones.place()).map(|(key, _)| Subject::Pheromone(key.clone())),
            },
            Pane::Proposals => {
                self.views.proposals.get(self.proposals.place()).map(|row| Subject::Proposal(row.key.clone()))
            }
            Pane::Thoughts => {
                let seq = super::seqs(&self.terrarium, &self.views)(self.thoughts.place());
                let thought = self.terrarium.thoughts().of(seq);
                thought.map(|thought| Subject::Thought(Box::new(thought.clone())))
            }
            Pane::Chat => None,
        }
    }

    /// What is selected, or what the page on top is about.
    pub(super) fn at_hand(&self) -> Option<Subject> {
        match self.overlays.last() {
            Some(Overlay::Page(page)) => Some(page.subject.clone()),
            _ => self.subject(),
        }
    }

    pub(super) fn open(&mut self, update: &mut Update) {
        if let Some(subject) = self.subject() {
            self.open_page(subject, 0, update);
        }
    }

    /// Opens a page at one of its tabs and asks for what it shows besides.
    pub(crate) fn open_page(&mut self, subject: Subject, tab: usize, update: &mut Update) {
        self.overlays.push(Overlay::Page(Box::new(Page::new(subject, tab))));
        self.load(update);
    }

    /// Opens what is selected, or turns its page, at a tab by name.
    pub(super) fn open_tab(&mut self, name: &str, update: &mut Update) {
        if let Some(Overlay::Page(page)) = self.overlays.last() {
            let tab = page.subject.tabs().iter().position(|tab| *tab == name);
            let by = tab.map_or(0, |tab| tab as isize - page.tab as isize);
            self.turn(by, update);
        } else if let Some(subject) = self.subject() {
            let tab = subject.tabs().iter().position(|tab| *tab == name);
            self.open_page(subject, tab.unwrap_or(0), update);
        }
    }

    /// Turns the page on top by so many tabs.
    pub(super) fn turn(&mut self, by: isize, update: &mut Update) {
        if let Some(Overlay::Page(page)) = self.overlays.last_mut() {
            let tabs = page.subject.tabs().len().max(1) as isize;
            page.tab = (page.tab as isize + by).rem_euclid(tabs) as usize;
            page.scroll = page.start();
            page.search.at = 0;
            self.load(update);
        }
    }

    /// Asks for what the tab that shows needs and nobody asked for yet.
    fn load(&mut self, update: &mut Update) {
        // What is asked for now says nothing of the past.
        if self.terrarium.moment().is_some() {
            return;
        }
        let Some(Overlay::Page(page)) = self.overlays.last_mut() else { return };
        let (desk, facts, tab) = (&mut self.desk, &mut page.facts, page.subject.tabs().get(page.tab).copied());
        let is_new = |asked: bool| !asked;
        match (&page.subject, tab) {
            (Subject::Agent(key), Some("status")) if is_new(!matches!(facts.children, Loaded::Not)) => {
                facts.children = Loaded::Asked(desk.ask(Ask::Children(key.clone()), For::Page, update));
                facts.plan.ask(desk, key, Basis::of(self.terrarium.live(), key), self.clock, update);
            }
            (Subject::Agent(_) | Subject::Proposal(_), Some("events"))
                if is_new(!matches!(facts.events, Loaded::Not)) =>
            {
                if let Some((kind, key)) = page.subject.object() {
                    let id = desk.ask(Ask::Events(kind, key.clone()), For::Page, update);
                    facts.events = Loaded::Asked(id);
                }
            }
            // Nobody asks what would become of what is over.
            (Subject::Proposal(key), Some("status"))
                if is_new(!matches!(facts.dry_run, Loaded::Not))
                    && self.terrarium.proposals().get(key).is_some_and(|held| view::phase(&held.object).is_open()) =>
            {
                facts.dry_run = Loaded::Asked(desk.ask(Ask::DryRun(key.clone()), For::Page, update));
            }
            (Subject::Agent(_), Some("logs")) if facts.logs.lines.is_empty() && facts.logs.request.is_none() => {
                facts.logs.stays = true;
                self.tail(update);
            }
            _ => {}
        }
    }

    /// Asks for the logs as the page on top wants them.
    fn tail(&mut self, update: &mut Update) {
        let Some(Overlay::Page(page)) = self.overlays.last_mut() else { return };
        let Subject::Agent(agent) = &page.subject else { return };
        let pods: Vec<&Key> = self.terrarium.pods_of(agent).map(|(pod, _)| pod).collect();
        let logs = &mut page.facts.logs;
        if let Some(id) = logs.request.take() {
            self.desk.cancel(id, update);
        }
        let LogView { pod, previous, since, wraps, .. } = *logs;
        let container = logs.container.take();
        *logs =
            LogView { pod, container: container.clone(), previous, since, wraps, stays: true, ..LogView::default() };
        page.scroll = END;
        let Some(name) = pods.get(pod % pods.len().max(1)) else { return };
        let ask = Logs {
            pod: (*name).clone(),
            container,
            previous,
            since_seconds: SINCE.get(since).copied().flatten(),
            tail: TAIL,
            // What has ended is not followed.
            follow: !previous,
        };
        logs.request = Some(self.desk.ask(Ask::Logs(ask), For::Page, update));
    }

    /// Keys of the logs.
    pub(super) fn logs(&mut self, action: Action, update: &mut Update) {
        let end = draw::page_room(self);
        let Some(Overlay::Page(page)) = self.overlays.last_mut() else { return };
        let Subject::Agent(agent) = &page.subject else { return };
        let pods: Vec<_> = self.terrarium.pods_of(agent).collect();
        let logs = &mut page.facts.logs;
        match action {
            Action::Follow => {
                logs.stays = !logs.stays;
                page.scroll = if logs.stays { END } else { page.scroll.min(end) };
                return;
            }
            Action::Wrap => {
                logs.wraps = !logs.wraps;
                return;
            }
            Action::PreviousRun => logs.previous = !logs.previous,
            Action::Since => logs.since = (logs.since + 1) % SINCE.len(),
            // The containers of a pod in their order, then those of the next pod.
            _ => {
                let Some((_, pod)) = pods.get(logs.pod % pods.len().max(1)) else { return };
                let names = &pod.container_names;
                let place = logs.container.as_ref().and_then(|name| names.iter().position(|other| other == name));
                let next = place.unwrap_or(0) + 1;
                logs.container = names.get(next).cloned();
                if logs.container.is_none() {
                    logs.pod = (logs.pod + 1) % pods.len();
                }
            }
        }
        self.tail(update);
    }

    /// Asks again what a proposal would do.
    pub(super) fn dry_run(&mut self, update: &mut Update) {
        if let Some(Overlay::Page(page)) = self.overlays.last_mut()
            && let Subject::Proposal(key) = &page.subject
        {
            let id = self.desk.ask(Ask::DryRun(key.clone()), For::Page, update);
            page.facts.dry_run = Loaded::Asked(id);
        }
    }

    /// Lets go of what a page that was closed had asked for.
    pub(super) fn close(&mut self, overlay: &Overlay, update: &mut Update) {
        if let Overlay::Page(page) = overlay
            && let Some(id) = page.facts.logs.request
        {
            self.desk.cancel(id, update);
        }
    }

    /// Steps through the matches of a search.
    pub(super) fn step_match(&mut self, by: isize) {
        let count = draw::matches(self).len();
        if let Some(Overlay::Page(page)) = self.overlays.last_mut()
            && count > 0
        {
            page.search.at = (page.search.at as isize + by).rem_euclid(count as isize) as usize;
        }
        self.show_match();
    }

    /// Scrolls to the match that the person stands on.
    pub(super) fn show_match(&mut self) {
        let matches = draw::matches(self);
        if let Some(Overlay::Page(page)) = self.overlays.last_mut()
            && let Some(line) = matches.get(page.search.at)
        {
            page.scroll = line.saturating_sub(3);
            page.facts.logs.stays = false;
        }
    }

    pub(super) fn palette(&mut self) {
        self.offer(Offer::Everything(self.spot()));
    }

    fn offer(&mut self, offer: Offer) {
        let mut palette = Palette::new(offer);
        palette.refresh(&self.terrarium, &self.views, &self.look.keymap);
        self.overlays.push(Overlay::Palette(Box::new(palette)));
    }

    pub(super) fn contexts(&mut self, update: &mut Update) {
        let id = self.desk.ask(Ask::Contexts, For::Palette, update);
        self.offer(Offer::Contexts(Loaded::Asked(id)));
    }

    pub(super) fn namespaces(&mut self, update: &mut Update) {
        let id = self.desk.ask(Ask::Namespaces, For::Palette, update);
        self.offer(Offer::Namespaces(Loaded::Asked(id)));
    }

    /// Goes where the chosen entry of the palette leads.
    pub(super) fn go(&mut self, update: &mut Update) {
        self.settle();
        let Some(Overlay::Palette(palette)) = self.overlays.last() else { return };
        let Some(entry) = palette.entries.get(palette.place) else { return };
        let go = entry.go.clone();
        self.overlays.pop();
        match go {
            Go::Do(action) => self.act(action, update),
            Go::Agent(key) => self.reveal(Pane::Agents, Subject::Agent(key), update),
            Go::Proposal(key) => self.reveal(Pane::Proposals, Subject::Proposal(key), update),
            Go::Pheromone(key) => self.reveal(Pane::Pheromones, Subject::Pheromone(key), update),
            Go::Thought(seq) => {
                let thought = self.terrarium.thoughts().of(seq);
                if let Some(thought) = thought.cloned() {
                    self.open_page(Subject::Thought(Box::new(thought)), 0, update);
                }
            }
            Go::Context(name) => {
                let ask = Ask::Switch { context: Some(name), namespace: None };
                self.desk.ask(ask, For::Switch, update);
            }
            Go::Namespace(namespace) => {
                self.desk.ask(Ask::Switch { context: None, namespace }, For::Switch, update);
            }
        }
    }

    /// Puts the cursor on an object and opens its page.
    fn reveal(&mut self, pane: Pane, subject: Subject, update: &mut Update) {
        // What a page lies over already stays; only among panes the cursor goes along.
        if self.overlays.is_empty()
            && let Some((_, key)) = subject.object()
        {
            let views = &self.views;
            let place = match pane {
                Pane::Agents => views.agents.from(0).position(|row| row.key == *key),
                Pane::Proposals => views.proposals.from(0).position(|row| row.key == *key),
                _ => views.alive.from(0).position(|(other, _)| other == key),
            };
            if let Some(place) = place {
                self.choose(pane, place);
            }
        }
        self.open_page(subject, 0, update);
    }

    /// Copies the name of what is selected, or the text of a thought.
    pub(super) fn copy(&mut self, update: &mut Update) {
        let subject = self.at_hand();
        let text = match &subject {
            Some(Subject::Thought(thought)) => thought.text.to_string(),
            Some(subject) => match subject.object() {
                Some((_, key)) => key.name().to_owned(),
                None => return,
            },
            None => match self.chat.last_answer() {
                Some(text) => text,
                None => return,
            },
        };
        let shown = crate::text::fit(&crate::text::one_line(&text), 40).into_owned();
        self.tell(Role::Sky, format!("Copied “{shown}”."), "");
        update.effects.push(Effect::Copy(text));
    }

    /// Saves the page or the pane as text and, where it has rows, as JSON.
    pub(super) fn save(&mut self, update: &mut Update) {
        let stamp = self.now.to_zoned(self.look.zone.clone()).strftime("%Y%m%d-%H%M%S");
        let (name, text, json) = snapshot::saved(self);
        for (ending, text) in [("txt", Some(text)), ("json", json)] {
            if let Some(text) = text {
                let name = format!("{name}-{stamp}.{ending}");
                self.desk.ask(Ask::Save { name: name.clone(), text }, For::Save(name), update);
            }
        }
    }

    /// An object as JSON.
    pub(crate) fn object(&self, kind: Kind, key: &Key) -> Option<Value> {
        let terrarium = &self.terrarium;
        let value = match kind {
            Kind::Agent => serde_json::to_value(&*terrarium.agents().get(key)?.held.object),
            Kind::Pheromone => serde_json::to_value(&*terrarium.pheromones().get(key)?.held.object),
            _ => serde_json::to_value(&*terrarium.proposals().get(key)?.object),
        };
        value.ok()
    }

    /// How many rows the focused pane has, and the objects behind them.
    pub(crate) fn objects(&self) -> (usize, Value) {
        let objects: Vec<Value> = match self.focus {
            Pane::Agents => self.views.agents.from(0).filter_map(|row| self.object(Kind::Agent, &row.key)).collect(),
            Pane::Pheromones => {
                self.views.alive.from(0).filter_map(|(key, _)| self.object(Kind::Pheromone, key)).collect()
            }
            Pane::Proposals => {
                self.views.proposals.from(0).filter_map(|row| self.object(Kind::Proposal, &row.key)).collect()
            }
            Pane::Thoughts => {
                let seqs = super::seqs(&self.terrarium, &self.views);
                let thoughts = (0..self.thought_count()).filter_map(|place| self.terrarium.thoughts().of(seqs(place)));
                thoughts.filter_map(|thought| serde_json::to_value(thought).ok()).collect()
            }
            Pane::Chat => self.chat.lines().filter_map(|line| serde_json::to_value(line).ok()).collect(),
        };
        (objects.len(), Value::Array(objects))
    }
}
