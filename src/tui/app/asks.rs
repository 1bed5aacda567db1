//! What was asked for, and what becomes of the answers.

use std::collections::BTreeMap;

use kgents_store::Key;
use kgents_store::request::{Answer, Ask, Reply, Request};

use super::App;
use crate::msg::{Effect, Update};
use crate::overlay::{Dialog, END, Facts, Loaded, Overlay};
use crate::palette::Offer;
use crate::theme::Role;

/// What a request is for.
#[derive(Clone, Debug)]
pub(crate) enum For {
    /// A change; what it does, in words, and the dialog that it came from.
    Act(String, Box<Dialog>),
    /// A file; its name.
    Save(String),
    /// Who we are, for the dialogs.
    Who,
    /// The talk with an agent.
    Talk(Key),
    /// A line of talk that was written down.
    Said,
    /// The page on top, or one under it: whoever asked with this number.
    Page,
    /// The palette.
    Palette,
    /// Another terrarium.
    Switch,
}

/// The requests that were made and are not answered for good.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    last: u64,
    open: BTreeMap<u64, For>,
    /// As whom the API server knows us.
    pub(crate) user: Option<String>,
}

/// How many requests are waited for; of more the oldest are forgotten.
const MOST: usize = 256;

impl Desk {
    /// Makes a request; answers its number.
    pub(crate) fn ask(&mut self, ask: Ask, what: For, update: &mut Update) -> u64 {
        self.last += 1;
        self.open.insert(self.last, what);
        while self.open.len() > MOST {
            self.open.pop_first();
        }
        update.effects.push(Effect::Ask(Request { id: self.last, ask }));
        self.last
    }

    /// Wants no more answers to a request.
    pub(crate) fn cancel(&mut self, id: u64, update: &mut Update) {
        if self.open.remove(&id).is_some() {
            update.effects.push(Effect::Ask(Request { id: self.last + 1, ask: Ask::Cancel(id) }));
            self.last += 1;
        }
    }

    /// Forgets everything: what comes now is an answer about somewhere else.
    /// Changes that were sent are waited for all the same.
    pub(crate) fn forget(&mut self) {
        self.open.retain(|_, what| matches!(what, For::Act(..) | For::Save(_)));
        self.user = None;
    }
}

impl App {
    /// Takes in an answer; one that nobody waits for any more is dropped here
    /// and nowhere else.
    pub(super) fn reply(&mut self, reply: Reply, update: &mut Update) -> bool {
        let Reply { id, answer } = reply;
        let more = matches!(answer, Answer::Lines(_));
        let what = if more { self.desk.open.get(&id).cloned() } else { self.desk.open.remove(&id) };
        let Some(what) = what else { return false };
        match (what, answer) {
            (For::Act(did, _), Answer::Done(said)) => self.tell(Role::Moss, format!("{did}: {said}."), ""),
            (For::Act(_, dialog), Answer::Failed(problem)) if problem.conflict => {
                self.ask_again(dialog, &problem.said);
            }
            (For::Act(did, _), Answer::Failed(problem)) => {
                self.tell(Role::Coral, format!("{did}: {}", problem.said), problem.hint.unwrap_or_default());
            }
            (For::Save(_), Answer::Done(said)) => self.tell(Role::Moss, said, ""),
            (For::Save(name), Answer::Failed(problem)) => {
                self.tell(Role::Coral, format!("{name}: {}", problem.said), problem.hint.unwrap_or_default());
            }
            (For::Who, Answer::You(user)) => self.desk.user = Some(user),
            (For::Who, Answer::Failed(problem)) => {
                if let Some(Overlay::Dialog(dialog)) = self.overlays.last_mut() {
                    dialog.fail(problem.said.trim_end_matches('.').to_owned());
                }
            }
            (For::Talk(agent), Answer::History(lines)) => self.chat.remember(&agent, lines),
            (For::Said | For::Talk(_), Answer::Failed(problem)) => {
                self.tell(Role::Amber, format!("The talk is not written down: {}", problem.said), "");
            }
            (For::Switch, Answer::Failed(problem)) => {
                self.tell(Role::Coral, problem.said, problem.hint.unwrap_or_default());
            }
            (For::Palette, answer) => self.offered(answer),
            (For::Page, answer) => return self.page_fact(id, answer, update),
            _ => return false,
        }
        true
    }

    fn offered(&mut self, answer: Answer) {
        if let Some(Overlay::Palette(palette)) = self.overlays.last_mut() {
            match (&mut palette.offer, answer) {
                (Offer::Contexts(loaded), Answer::Contexts(contexts)) => *loaded = Loaded::Here(contexts),
                (Offer::Namespaces(loaded), Answer::Namespaces(names)) => *loaded = Loaded::Here(names),
                (Offer::Contexts(loaded), Answer::Failed(problem)) => *loaded = Loaded::Failed(problem),
                (Offer::Namespaces(loaded), Answer::Failed(problem)) => *loaded = Loaded::Failed(problem),
                _ => {}
            }
        }
        self.stale = true;
    }

    /// Lays an answer into the page that asked for it.
    fn page_fact(&mut self, id: u64, answer: Answer, update: &mut Update) -> bool {
        let asked = |facts: &Facts| {
            facts.children.waits_for(id)
                || facts.children_again == Some(id)
                || facts.plan.request == Some(id)
                || facts.events.waits_for(id)
                || facts.dry_run.waits_for(id)
                || facts.logs.request == Some(id)
        };
        let page = self.overlays.iter_mut().find_map(|overlay| match overlay {
            Overlay::Page(page) if asked(&page.facts) => Some(page),
            _ => None,
        });
        let Some(page) = page else {
            self.desk.cancel(id, update);
            return false;
        };
        let facts = &mut page.facts;
        if facts.plan.request == Some(id) {
            return facts.plan.take(answer);
        }
        let again = facts.children_again == Some(id);
        if again {
            facts.children_again = None;
        }
        match answer {
            Answer::Children(children) => facts.children = Loaded::Here(children),
            // Those that are here are better than none; the plan beside them
            // says how old it is.
            Answer::Failed(_) if again => return false,
            Answer::Events(events) => facts.events = Loaded::Here(events),
            Answer::DryRun(dry_run) => facts.dry_run = Loaded::Here(dry_run),
            Answer::Lines(lines) => {
                let fell = facts.logs.take(lines);
                // What is read stays under the eye while lines fall off the front.
                page.scroll = if facts.logs.stays { END } else { page.scroll.saturating_sub(fell) };
            }
            Answer::LinesEnd(why) => (facts.logs.end, facts.logs.request) = (Some(why), None),
            Answer::Failed(problem) if facts.children.waits_for(id) => facts.children = Loaded::Failed(problem),
            Answer::Failed(problem) if facts.events.waits_for(id) => facts.events = Loaded::Failed(problem),
            Answer::Failed(problem) if facts.dry_run.waits_for(id) => facts.dry_run = Loaded::Failed(problem),
            Answer::Failed(problem) => (facts.logs.problem, facts.logs.request) = (Some(problem), None),
            _ => return false,
        }
        true
    }
}
