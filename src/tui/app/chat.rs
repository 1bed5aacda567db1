//! Talking to agents: whom, what is typed, what was said.

use std::collections::{BTreeMap, VecDeque};

use crossterm::event::{KeyCode, KeyEvent};
use kgents_store::Key;
use kgents_store::answer::answer;
use kgents_store::request::{Ask, ChatLine};

use super::App;
use super::asks::For;
use crate::edit::Edit;
use crate::layout::Pane;
use crate::msg::Update;
use crate::overlay::Subject;

/// How many lines of a talk are kept.
const MOST_LINES: usize = 500;
/// How many talks are kept.
const MOST_TALKS: usize = 64;

/// The chat pane.
#[derive(Debug)]
pub(crate) struct Chat {
    /// Whom one talks to.
    pub(crate) agent: Option<Key>,
    /// The composer.
    pub(crate) edit: Edit,
    /// Keys go into the composer.
    pub(crate) typing: bool,
    /// What was said, by agent.
    talks: BTreeMap<Key, VecDeque<ChatLine>>,
    /// How many of the last lines are scrolled away.
    pub(crate) back: usize,
    /// Which of the own lines stands in the composer, from the newest; what
    /// was typed before is kept beside it.
    recalled: Option<(usize, String)>,
}

impl Default for Chat {
    fn default() -> Self {
        Self { agent: None, edit: Edit::lines(), typing: false, talks: BTreeMap::new(), back: 0, recalled: None }
    }
}

impl Chat {
    /// What was said with the present agent, the oldest first.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = &ChatLine> {
        self.agent.as_ref().and_then(|agent| self.talks.get(agent)).into_iter().flatten()
    }

    /// Lays what is written down before what was said since.
    pub(super) fn remember(&mut self, agent: &Key, lines: Vec<ChatLine>) {
        let talk = self.talks.entry(agent.clone()).or_default();
        for line in lines.into_iter().rev() {
            talk.push_front(line);
        }
        while talk.len() > MOST_LINES {
            talk.pop_front();
        }
    }

    pub(super) fn last_answer(&self) -> Option<String> {
        self.lines().next_back().map(|line| line.text.clone())
    }

    pub(super) fn step(&mut self, by: isize) {
        self.back = self.back.saturating_add_signed(by.saturating_neg()).min(MOST_LINES * 20);
    }
}

impl App {
    /// Goes to the chat pane; with nobody chosen, with the selected agent.
    pub(super) fn focus_chat(&mut self, update: &mut Update) {
        if self.chat.agent.is_none()
            && let Some(row) = self.views.agents.get(self.agents.place())
        {
            let key = row.key.clone();
            self.talk_to(key, update);
        }
        self.focus = Pane::Chat;
    }

    /// Talks to the agent that is selected, or whose page is open.
    pub(super) fn talk(&mut self, update: &mut Update) {
        let Some(Subject::Agent(key)) = self.at_hand() else { return };
        while let Some(overlay) = self.overlays.pop() {
            self.close(&overlay, update);
        }
        self.talk_to(key, update);
        self.focus = Pane::Chat;
        self.chat.typing = true;
    }

    pub(super) fn talk_to_next(&mut self, by: isize, update: &mut Update) {
        let agents = &self.views.agents;
        if agents.is_empty() {
            return;
        }
        let here = self.chat.agent.as_ref().and_then(|key| agents.from(0).position(|row| row.key == *key));
        let next = here.map_or(0, |here| (here as isize + by).rem_euclid(agents.len() as isize) as usize);
        let key = agents[next].key.clone();
        self.talk_to(key, update);
    }

    pub(crate) fn talk_to(&mut self, key: Key, update: &mut Update) {
        if !self.chat.talks.contains_key(&key) {
            while self.chat.talks.len() >= MOST_TALKS {
                self.chat.talks.pop_first();
            }
            self.chat.talks.insert(key.clone(), VecDeque::new());
            self.desk.ask(Ask::History(key.clone()), For::Talk(key.clone()), update);
        }
        self.chat.back = 0;
        self.chat.recalled = None;
        self.chat.agent = Some(key);
    }

    /// Sends what is in the composer.
    pub(super) fn say(&mut self, update: &mut Update) {
        let Some(agent) = self.chat.agent.clone() else { return };
        let text = self.chat.edit.text().trim().to_owned();
        if text.is_empty() {
            return;
        }
        let answer = answer(&self.terrarium, &agent, &text, self.now);
        let line = |who: &str, text: String, read| ChatLine { at: self.now, who: who.to_owned(), text, read };
        let said = vec![line("you", text, Vec::new()), line(agent.name(), answer.text, answer.read)];
        let talk = self.chat.talks.entry(agent.clone()).or_default();
        talk.extend(said.iter().cloned());
        while talk.len() > MOST_LINES {
            talk.pop_front();
        }
        self.chat.edit = Edit::lines();
        self.chat.back = 0;
        self.chat.recalled = None;
        self.desk.ask(Ask::Say(agent, said), For::Said, update);
    }

    /// Brings back what was said before, at the first line and the last; false
    /// when the cursor moves within the text instead.
    pub(super) fn recall(&mut self, event: &KeyEvent) -> bool {
        let up = matches!(event.code, KeyCode::Up | KeyCode::Char('p'));
        let (first, last) = self.chat.edit.at_edge();
        let plain = matches!(event.code, KeyCode::Up | KeyCode::Down);
        if plain && !(if up { first } else { last }) {
            return false;
        }
        let own: Vec<String> =
            self.chat.lines().filter(|line| line.who == "you").map(|line| line.text.clone()).collect();
        let chat = &mut self.chat;
        let next = match (&chat.recalled, up) {
            (None, true) => Some(0),
            (None, false) => return true,
            (Some((place, _)), true) => Some((place + 1).min(own.len().saturating_sub(1))),
            (Some((0, _)), false) => None,
            (Some((place, _)), false) => Some(place - 1),
        };
        let typed = chat.recalled.take().map_or_else(|| chat.edit.text(), |(_, typed)| typed);
        match next.and_then(|place| Some((place, own.iter().rev().nth(place)?))) {
            Some((place, text)) => {
                chat.edit.set(text);
                chat.recalled = Some((place, typed));
            }
            None => chat.edit.set(&typed),
        }
        true
    }
}
