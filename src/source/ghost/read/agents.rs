//! The agents: the index says which there are, a file each says the rest.

use std::path::Path;

use jiff::Timestamp;
use kgents_core::freshness::Area;
use kgents_store::object::{self, Decoded};
use kgents_store::{Kind, sanitize};
use serde::Deserialize;

use super::super::layout::{AGENTS, INDEX, MAX_OBJECTS};
use super::super::{disk, envelope, name};
use super::{Budget, Reading};

/// From how many files on two threads read them.
const MANY: usize = 128;
/// How often the index is read again when what it names is not there: whoever
/// writes takes files away just after the index that did not name them.
const TRIES: usize = 3;

#[derive(Deserialize)]
struct Index {
    agents: Vec<Entry>,
}

#[derive(Clone, Deserialize)]
struct Entry {
    namespace: String,
    name: String,
    file: String,
}

/// What the index says.
enum Known {
    /// There is none.
    Nothing,
    /// It cannot be read.
    Bad,
    Good(Vec<Entry>, Timestamp),
}

/// One file: the agent and when it was written; `None` if it is not there.
type Found = Result<Option<(Decoded, Timestamp)>, String>;

impl Reading<'_> {
    pub(super) fn agents(&mut self) {
        for attempt in 1..=TRIES {
            let told = (self.memory.problems.len(), self.untold);
            match self.index() {
                Known::Nothing => return,
                Known::Bad => return self.strays(),
                Known::Good(entries, as_of) => {
                    self.budget = Budget::of(self.budget.anybodys);
                    let found = self.files(&entries);
                    if attempt < TRIES && found.iter().any(|found| matches!(found, Ok(None))) {
                        self.memory.problems.truncate(told.0);
                        self.untold = told.1;
                        continue;
                    }
                    return self.settle(&entries, found, as_of);
                }
            }
        }
    }

    fn index(&mut self) -> Known {
        let before = self.memory.problems.len() + self.untold;
        let Some(text) = self.text(INDEX) else {
            let bad = self.memory.problems.len() + self.untold > before;
            return if bad { Known::Bad } else { Known::Nothing };
        };
        let Some(parsed) = self.envelope(INDEX, &text, Area::Agents.as_str()) else { return Known::Bad };
        match serde_json::from_str::<Index>(parsed.data.get()) {
            Ok(index) => {
                let as_of = self.past(INDEX, parsed.as_of);
                let mut entries = index.agents;
                entries.truncate(MAX_OBJECTS);
                entries.retain(|entry| self.namespace.is_none_or(|namespace| namespace == entry.namespace));
                Known::Good(entries, as_of)
            }
            Err(error) => {
                self.problem(INDEX, &format!("data: {}", envelope::broken(&error)));
                Known::Bad
            }
        }
    }

    fn files(&self, entries: &[Entry]) -> Vec<Found> {
        let (tree, context, budget) = (self.tree, self.context.as_deref(), &self.budget);
        let each = |part: &[Entry]| -> Vec<Found> {
            part.iter()
                .map(|Entry { namespace, name, file }| {
                    if !name::is_agent(file) {
                        return Err(format!("the index names {file}, which is no file of an agent"));
                    }
                    let found = agent(tree, file, context, budget)?;
                    match &found {
                        Some((agent, _)) if (agent.key.namespace(), agent.key.name()) != (namespace, name) => {
                            Err(format!("it is {}, not {namespace}/{name} as the index says", agent.key))
                        }
                        _ => Ok(found),
                    }
                })
                .collect()
        };
        if entries.len() <= MANY {
            return each(entries);
        }
        let (ours, theirs) = entries.split_at(entries.len() / 2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| each(theirs));
            let mut found = each(ours);
            let died = |_| theirs.iter().map(|_| Err("the thread that read it died".to_owned())).collect();
            found.extend(other.join().unwrap_or_else(died));
            found
        })
    }

    fn settle(&mut self, entries: &[Entry], found: Vec<Found>, as_of: Timestamp) {
        let mut agents = Vec::with_capacity(found.len());
        for (entry, found) in entries.iter().zip(found) {
            let what = match found {
                Ok(Some((agent, _))) => {
                    agents.push(agent);
                    continue;
                }
                Ok(None) => "the index names it, but it is not there".to_owned(),
                Err(what) => what,
            };
            // A name that is no name of a file is not shown as one.
            let path = if name::is_agent(&entry.file) { format!("{AGENTS}/{}", entry.file) } else { INDEX.to_owned() };
            self.problem(&path, &what);
        }
        self.remember(Kind::Agent, agents, as_of);
    }

    /// The index is bad: what files there are is what is known, and it is as
    /// old as the oldest of them.
    fn strays(&mut self) {
        let mut files = disk::names(&self.tree.join(AGENTS));
        files.retain(|file| name::is_agent(file));
        files.sort();
        files.truncate(MAX_OBJECTS);
        let mut agents = Vec::new();
        let mut oldest: Option<Timestamp> = None;
        for file in files {
            match agent(self.tree, &file, self.context.as_deref(), &self.budget) {
                Ok(Some((agent, as_of))) => {
                    oldest = Some(oldest.map_or(as_of, |oldest| oldest.min(as_of)));
                    if self.wants(&agent.key) {
                        agents.push(agent);
                    }
                }
                Ok(None) => {}
                Err(what) => self.problem(&format!("{AGENTS}/{file}"), &what),
            }
        }
        if let Some(oldest) = oldest {
            self.remember(Kind::Agent, agents, oldest.min(self.now));
        }
    }
}

/// Reads the file of an agent.
fn agent(tree: &Path, file: &str, context: Option<&str>, budget: &Budget) -> Found {
    let Some(text) = super::text(tree, &format!("{AGENTS}/{file}"), budget)? else { return Ok(None) };
    let parsed = super::envelope(&text, Area::Agents.as_str(), context)?;
    budget.object()?;
    let agent = object::decode(Kind::Agent, parsed.data.get()).map_err(|what| sanitize::text(&what).into_owned())?;
    Ok(Some((agent, parsed.as_of)))
}
