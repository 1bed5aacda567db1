//! What would be done about the agent of an open page, and when that is asked
//! for anew: when something changed on which it depends, and never more than
//! once a second. Nothing is asked while nothing changes, or nobody looks.

use jiff::{SignedDuration, Timestamp};
use kgents_store::request::{Answer, Ask};
use kgents_store::{Key, Planned, Terrarium};

use super::App;
use super::asks::{Desk, For};
use crate::msg::Update;
use crate::overlay::{Basis, Loaded, Overlay, PlanView, Subject};

/// How long nothing is asked after something was.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// The same where nothing changed but the time that a plan itself named.
const LONG_PAUSE: SignedDuration = SignedDuration::from_secs(5);

impl Basis {
    /// What is known of an agent.
    pub(super) fn of(terrarium: &Terrarium, key: &Key) -> Self {
        let mut versions = Vec::new();
        if let Some(agent) = terrarium.agents().get(key) {
            versions.push(agent.held.resource_version.clone());
            let (spec, status) = (&agent.held.object.spec, agent.held.object.status.as_ref());
            let named = |own: &Option<String>, made: Option<&String>| {
                own.as_ref().or(made).map(|name| Key::new(key.namespace(), name))
            };
            let memory = named(&spec.memory, status.and_then(|status| status.memory_name.as_ref()));
            let umwelt = named(&spec.umwelt, status.and_then(|status| status.umwelt_name.as_ref()));
            let memory = memory.and_then(|key| terrarium.memories().get(&key)).map(|held| &held.resource_version);
            let umwelt = umwelt.and_then(|key| terrarium.umwelts().get(&key)).map(|held| &held.resource_version);
            versions.extend([memory, umwelt].into_iter().map(|version| version.cloned().unwrap_or_default()));
        }
        Self {
            live: terrarium.is_live(),
            versions,
            deployment: terrarium.deployment(key).cloned(),
            pods: terrarium.pods_of(key).map(|(_, pod)| pod.clone()).collect(),
        }
    }
}

impl PlanView {
    /// Asks for a plan with what is known now.
    pub(super) fn ask(&mut self, desk: &mut Desk, key: &Key, basis: Basis, now: Timestamp, update: &mut Update) {
        self.request = Some(desk.ask(Ask::Plan(kgents_store::Kind::Agent, key.clone()), For::Page, update));
        (self.asked, self.basis) = (Some(now), basis);
    }

    /// Takes the answer in; says whether something else is to be shown.
    pub(super) fn take(&mut self, answer: Answer) -> bool {
        self.request = None;
        match answer {
            Answer::Plan(planned) => {
                let same = self.problem.is_none() && self.planned.as_ref().is_some_and(|old| is_same(old, &planned));
                (self.planned, self.problem) = (Some(planned), None);
                !same
            }
            Answer::Failed(problem) => {
                self.problem = Some(problem);
                true
            }
            _ => false,
        }
    }

    /// When it is to be asked for again, if nothing else changes.
    fn due(&self, basis: &Basis) -> Option<Timestamp> {
        let asked = self.asked?;
        if *basis != self.basis {
            return asked.checked_add(PAUSE).ok();
        }
        // A plan says itself when time alone makes another of it.
        let planned = self.planned.as_ref().filter(|_| self.problem.is_none())?;
        Some(planned.plan.requeue_at?.max(asked.checked_add(LONG_PAUSE).ok()?))
    }
}

/// Whether two plans look alike, whenever they were made.
fn is_same(one: &Planned, other: &Planned) -> bool {
    let (a, b) = (&one.operator, &other.operator);
    let who = (&a.holder, &a.version, a.standing(one.at)) == (&b.holder, &b.version, b.standing(other.at));
    who && one.plan == other.plan && one.missing == other.missing
}

impl App {
    /// Asks again what would be done about the agent whose page is on top, if
    /// it is time; answers when that time comes, if it is known.
    pub(super) fn replan(&mut self, update: &mut Update) -> Option<Timestamp> {
        // What is asked for now says nothing of the past.
        if self.terrarium.moment().is_some() {
            return None;
        }
        let Some(Overlay::Page(page)) = self.overlays.last_mut() else { return None };
        let (Subject::Agent(key), "status") = (&page.subject, page.tab_name()) else { return None };
        let (facts, now) = (&mut page.facts, self.clock);
        if facts.plan.request.is_some() {
            return None;
        }
        if !self.terrarium.live().is_live() {
            // Once somebody live answers again, that is something new.
            facts.plan.basis.live = false;
            return None;
        }
        let basis = Basis::of(self.terrarium.live(), key);
        let due = facts.plan.due(&basis)?;
        if now < due {
            return Some(due);
        }
        facts.plan.ask(&mut self.desk, key, basis, now, update);
        // What was made is told beside it and must not be older.
        if matches!(facts.children, Loaded::Here(_) | Loaded::Failed(_)) && facts.children_again.is_none() {
            facts.children_again = Some(self.desk.ask(Ask::Children(key.clone()), For::Page, update));
        }
        None
    }
}
