//! What is remembered of how a person looks at a context, from one window to
//! the next.

use std::collections::BTreeMap;

use kgents_store::Key;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::layout::{Pane, Splits};
use crate::msg::Update;
use crate::view::Sort;

/// The version that is written. What another version wrote is left alone.
const VERSION: u32 = 1;

/// The longest filter that is remembered, in bytes. A longer one was pasted.
const LONGEST: usize = 4 << 10;

/// How a person looks at a context. Fields that nobody knows are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    version: u32,
    focus: Pane,
    #[serde(default)]
    zoom: bool,
    /// The orders that are not a pane's own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sorts: BTreeMap<Pane, Sort>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    filters: BTreeMap<Pane, String>,
    #[serde(default)]
    dividers: Splits,
    /// Whom one talked to last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    talk: Option<Key>,
}

/// What is remembered, by context.
pub type Memory = BTreeMap<String, Kept>;

impl App {
    /// What is to be remembered of how this window is looked at.
    pub fn kept(&self) -> Kept {
        let sorted = Pane::ALL.into_iter().zip(self.sorts).filter(|(pane, sort)| Sort::of(*pane).first() != Some(sort));
        let filtered = Pane::ALL.into_iter().zip(&self.filters);
        let filtered = filtered.filter(|(_, filtering)| (1..=LONGEST).contains(&filtering.text.len()));
        Kept {
            version: VERSION,
            focus: self.focus,
            zoom: self.zoom,
            sorts: sorted.collect(),
            filters: filtered.map(|(pane, filtering)| (pane, filtering.text.clone())).collect(),
            dividers: self.edges.splits,
            talk: self.chat.agent.clone(),
        }
    }

    /// Looks as one looked before. What no longer makes sense is left as it is.
    pub fn restore(&mut self, kept: &Kept) -> Update {
        let mut update = Update { redraw: true, ..Update::default() };
        if kept.version != VERSION {
            return update;
        }
        self.focus = kept.focus;
        self.zoom = kept.zoom;
        self.edges.splits = kept.dividers;
        for (pane, sort) in Pane::ALL.into_iter().zip(&mut self.sorts) {
            let known = kept.sorts.get(&pane).filter(|sort| Sort::of(pane).contains(sort));
            *sort = known.or(Sort::of(pane).first()).copied().unwrap_or(*sort);
        }
        for pane in Pane::ALL {
            let text = kept.filters.get(&pane).map_or("", String::as_str);
            self.set_filter(pane, text);
        }
        if let Some(agent) = &kept.talk {
            self.talk_to(agent.clone(), &mut update);
        }
        self.stale = true;
        update
    }

    /// What the context is remembered under, once it is known.
    pub(crate) fn place(&self) -> Option<&str> {
        let scene = self.terrarium.scene();
        [&scene.context, &scene.server].into_iter().find(|name| !name.is_empty()).map(String::as_str)
    }
}

/// Which context the window looks at, and what is remembered of the others.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    memory: Memory,
    /// What was looked at in this window.
    seen: Memory,
    /// The context as it is known.
    here: Option<String>,
    /// How the window was when the context became another: where it is still
    /// so when that is known, no key has said anything else meanwhile.
    start: Option<Kept>,
}

impl Keeper {
    pub(crate) fn new(memory: Memory, app: &App) -> Self {
        Self { memory, start: Some(app.kept()), ..Self::default() }
    }

    /// Another context may be looked at from now on.
    pub(crate) fn leave(&mut self, app: &App) {
        self.save(app);
        self.start = Some(app.kept());
    }

    /// Looks whether the context is known now, and restores what is remembered
    /// of it.
    pub(crate) fn arrive(&mut self, app: &mut App) -> Option<Update> {
        let place = app.place()?;
        if self.here.as_deref() == Some(place) {
            self.start = None;
            return None;
        }
        let place = place.to_owned();
        let start = match self.start.take() {
            Some(start) => start,
            // The sources found out by themselves that they look elsewhere.
            None => {
                self.save(app);
                app.kept()
            }
        };
        let kept = self.seen.get(&place).or_else(|| self.memory.get(&place)).cloned();
        self.here = Some(place);
        let untouched = start.is_like(&app.kept()) && app.typing().is_none();
        let kept = kept.filter(|kept| untouched && *kept != start)?;
        Some(app.restore(&kept))
    }

    fn save(&mut self, app: &App) {
        if let Some(here) = &self.here {
            self.seen.insert(here.clone(), app.kept());
        }
    }

    /// What is to be remembered of the contexts that were looked at.
    pub(crate) fn end(mut self, app: &App) -> Memory {
        // Between two contexts it is saved already.
        if self.here.as_deref() == app.place() {
            self.save(app);
        }
        self.seen
    }
}

impl Kept {
    /// The same, whomever one talks to: who that is goes with its context.
    fn is_like(&self, other: &Self) -> bool {
        Self { talk: None, ..self.clone() } == Self { talk: None, ..other.clone() }
    }
}

#[cfg(test)]
mod tests;
