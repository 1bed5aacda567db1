//! Reading a tree. Nothing that stands in it can fail the whole: what cannot
//! be read is a problem, told in a sentence, and the rest stands.

mod agents;
mod budget;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use kgents_core::age;
use kgents_core::freshness::Area;
use kgents_store::object::{self, Decoded};
use kgents_store::watch::Scene;
use kgents_store::{Key, Kind, Layer, Thought, sanitize};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::budget::Budget;
use super::envelope::{self, Parsed};
use super::layout::{ACTIVE, BY_TYPE, CLUSTER, MAX_THOUGHTS, MERGED, META, PENDING, REJECTED, STATUS, SYNC, THOUGHTS};
use super::ledger::Ledger;
use super::tree::Ghost;
use super::{disk, open};
use crate::clock;

/// How many problems are told one by one.
const MAX_PROBLEMS: usize = 100;
/// How far ahead a clock may be without being told so: none is exact.
const AHEAD: SignedDuration = SignedDuration::from_secs(5);

/// What a tree remembers.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What it is about; the namespace is that of the question.
    pub scene: Scene,
    /// The objects by kind; a kind that is not here was never written.
    pub kinds: BTreeMap<Kind, Remembered>,
    /// The last thoughts, oldest first.
    pub thoughts: Vec<Thought>,
    /// When nothing was missing among them.
    pub thoughts_as_of: Option<Timestamp>,
    /// Where who wrote it had it from.
    pub source: Option<Layer>,
    /// The same by area, as far as files say it.
    pub(super) sources: BTreeMap<String, Layer>,
    /// What cannot be read.
    pub problems: Vec<Problem>,
}

/// The objects of one kind.
#[derive(Clone, Debug)]
pub struct Remembered {
    /// The objects by key, those that our types cannot read among them.
    pub objects: Vec<Decoded>,
    /// When this was so; never later than now.
    pub as_of: Timestamp,
}

/// Something in a tree that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file, within the tree.
    pub path: PathBuf,
    /// What is wrong, in words.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

impl Ghost {
    /// Reads everything, or what is in one namespace. Blocking. It never
    /// fails: what cannot be read is a problem.
    pub fn read(&self, namespace: Option<&str>) -> Memory {
        self.read_at(namespace, clock::now()).0
    }

    pub(super) fn read_at(&self, namespace: Option<&str>, now: Timestamp) -> (Memory, Ledger) {
        self.read_with(namespace, now, Budget::default())
    }

    /// The same of a tree that was named by hand, with all times as they stand.
    pub(super) fn read_as_is(&self, namespace: Option<&str>) -> (Memory, Ledger) {
        self.read_with(namespace, Timestamp::MAX, Budget::of(true))
    }

    fn read_with(&self, namespace: Option<&str>, now: Timestamp, budget: Budget) -> (Memory, Ledger) {
        let mut reading = Reading {
            tree: self.path(),
            namespace,
            now,
            context: self.context().map(str::to_owned),
            budget,
            memory: Memory::default(),
            untold: 0,
        };
        let ledger = reading.ledger();
        reading.agents();
        reading.pheromones();
        reading.proposals();
        reading.cluster();
        reading.thoughts(&ledger);
        (reading.done(&ledger), ledger)
    }
}

/// One reading of a tree.
struct Reading<'a> {
    tree: &'a Path,
    namespace: Option<&'a str>,
    now: Timestamp,
    /// Whose the tree is, once that is known.
    context: Option<String>,
    budget: Budget,
    memory: Memory,
    /// Problems beyond those that are told.
    untold: usize,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Section<'a> {
    as_of: Timestamp,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// What says whose some facts are.
#[derive(Deserialize)]
struct Place {
    namespace: String,
    name: String,
}

impl Reading<'_> {
    fn problem(&mut self, path: &str, what: &str) {
        let problem = Problem { path: PathBuf::from(path), what: sanitize::text(what).into_owned() };
        if self.memory.problems.len() < MAX_PROBLEMS {
            self.memory.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    /// The text of a file, if it is there and can be read.
    fn text(&mut self, path: &str) -> Option<String> {
        let text = text(self.tree, path, &self.budget);
        text.unwrap_or_else(|what| {
            self.problem(path, &what);
            None
        })
    }

    /// The envelope of a file, if it is one and of this context.
    fn envelope<'t>(&mut self, path: &str, text: &'t str, area: &str) -> Option<Parsed<'t>> {
        match envelope(text, area, self.context.as_deref()) {
            Ok(parsed) => {
                self.context.get_or_insert_with(|| parsed.context.clone());
                self.memory.source = self.memory.source.or(parsed.source);
                if let Some(source) = parsed.source {
                    self.memory.sources.entry(area.to_owned()).or_insert(source);
                }
                Some(parsed)
            }
            Err(what) => {
                self.problem(path, &what);
                None
            }
        }
    }

    /// A time that is not later than now; one that is is a problem.
    fn past(&mut self, path: &str, at: Timestamp) -> Timestamp {
        let ahead = at.duration_since(self.now);
        if ahead > AHEAD {
            self.problem(path, &format!("its clock is ahead by {}", age::text(ahead)));
        }
        at.min(self.now)
    }

    fn ledger(&mut self) -> Ledger {
        let Some(text) = self.text(SYNC) else { return Ledger::default() };
        let Some(parsed) = self.envelope(SYNC, &text, META) else { return Ledger::default() };
        self.past(SYNC, parsed.as_of);
        serde_json::from_str(parsed.data.get()).unwrap_or_else(|error| {
            self.problem(SYNC, &format!("data: {}", envelope::broken(&error)));
            Ledger::default()
        })
    }

    fn wants(&self, key: &Key) -> bool {
        self.namespace.is_none_or(|namespace| namespace == key.namespace())
    }

    fn remember(&mut self, kind: Kind, mut objects: Vec<Decoded>, as_of: Timestamp) {
        // Where one stands twice, the first counts.
        objects.sort_by(|a, b| a.key.cmp(&b.key));
        objects.dedup_by(|later, first| later.key == first.key);
        self.memory.kinds.insert(kind, Remembered { objects, as_of });
    }

    /// Decodes the entries of a list; those that cannot be are one problem.
    fn decode(&mut self, path: &str, kind: Kind, items: &[&RawValue]) -> Vec<Decoded> {
        let mut objects = Vec::with_capacity(items.len());
        let (mut bad, mut first) = (0, None);
        for item in items {
            if let Err(what) = self.budget.object() {
                self.problem(path, &what);
                break;
            }
            match decode(kind, item.get()) {
                Ok(object) if self.wants(&object.key) => objects.push(object),
                Ok(_) => {}
                Err(what) => {
                    bad += 1;
                    first = first.or(Some(what));
                }
            }
        }
        if let Some(first) = first {
            let which = if bad == 1 { "an entry".to_owned() } else { format!("{bad} entries") };
            self.problem(path, &format!("{which} cannot be read: {first}"));
        }
        objects
    }

    /// A file that is a list. `None` if it is not there; an empty one if it
    /// cannot be read, and then without a time.
    fn list(&mut self, path: &str, kind: Kind, area: Area) -> Option<(Vec<Decoded>, Option<Timestamp>)> {
        let before = self.memory.problems.len() + self.untold;
        let Some(text) = self.text(path) else {
            let bad = self.memory.problems.len() + self.untold > before;
            return bad.then(|| (Vec::new(), None));
        };
        let nothing = Some((Vec::new(), None));
        let Some(parsed) = self.envelope(path, &text, area.as_str()) else { return nothing };
        match serde_json::from_str::<List>(parsed.data.get()) {
            Ok(list) => {
                let as_of = self.past(path, parsed.as_of);
                Some((self.decode(path, kind, &list.items), Some(as_of)))
            }
            Err(error) => {
                self.problem(path, &format!("data: {}", envelope::broken(&error)));
                nothing
            }
        }
    }

    /// The active pheromones; where their file is bad, those of each type.
    fn pheromones(&mut self) {
        match self.list(ACTIVE, Kind::Pheromone, Area::Pheromones) {
            None => {}
            Some((objects, Some(as_of))) => self.remember(Kind::Pheromone, objects, as_of),
            Some((_, None)) => {
                let mut files: Vec<String> = disk::names(&self.tree.join(BY_TYPE));
                files.retain(|file| file.strip_suffix(".json").is_some_and(|stem| !stem.starts_with('.')));
                files.sort();
                let lists: Vec<_> = files
                    .iter()
                    .filter_map(|file| self.list(&format!("{BY_TYPE}/{file}"), Kind::Pheromone, Area::Pheromones))
                    .collect();
                self.together(Kind::Pheromone, lists);
            }
        }
    }

    /// The three files of proposals. The pending ones are written last, so
    /// without them the first sync was never finished. They are read in the
    /// order in which a proposal goes through them: one that moves meanwhile
    /// is seen twice, but not missed.
    fn proposals(&mut self) {
        let Some(pending) = self.list(PENDING, Kind::Proposal, Area::Proposals) else { return };
        let others = [REJECTED, MERGED].map(|file| self.list(file, Kind::Proposal, Area::Proposals));
        let mut lists: Vec<_> = others.into_iter().flatten().chain([pending]).collect();
        // Between two files a proposal stands in both: the later word counts.
        lists.sort_by_key(|(_, as_of)| std::cmp::Reverse(*as_of));
        self.together(Kind::Proposal, lists);
    }

    /// Several lists of one kind, as old as the oldest that can be read.
    fn together(&mut self, kind: Kind, lists: Vec<(Vec<Decoded>, Option<Timestamp>)>) {
        let as_of = lists.iter().filter_map(|(_, as_of)| *as_of).min();
        if let Some(as_of) = as_of {
            self.remember(kind, lists.into_iter().flat_map(|(objects, _)| objects).collect(), as_of);
        }
    }

    fn cluster(&mut self) {
        let Some(text) = self.text(STATUS) else { return };
        let Some(parsed) = self.envelope(STATUS, &text, Area::Cluster.as_str()) else { return };
        let data = match serde_json::from_str::<BTreeMap<String, &RawValue>>(parsed.data.get()) {
            Ok(data) => data,
            Err(error) => return self.problem(STATUS, &format!("data: {}", envelope::broken(&error))),
        };
        self.past(STATUS, parsed.as_of);
        for kind in CLUSTER {
            let Some(raw) = data.get(kind.plural()) else { continue };
            match serde_json::from_str::<Section>(raw.get()) {
                Ok(section) => {
                    let objects = self.decode(STATUS, kind, &section.items);
                    let as_of = section.as_of.min(self.now);
                    self.remember(kind, objects, as_of);
                }
                Err(error) => self.problem(STATUS, &format!("{}: {}", kind.plural(), envelope::broken(&error))),
            }
        }
    }

    fn thoughts(&mut self, ledger: &Ledger) {
        let Some(text) = self.text(THOUGHTS) else { return };
        let (mut all, bad) = thoughts(&text);
        if bad > 0 {
            let lines = if bad == 1 { "a line".to_owned() } else { format!("{bad} lines") };
            self.problem(THOUGHTS, &format!("{lines} cannot be read"));
        }
        all.retain(|thought| self.wants(&thought.key));
        let written = ledger.last(Area::Thoughts).and_then(|last| last.as_of);
        // Without a word about it they are as old as the newest.
        let as_of = written.or_else(|| all.last().map(|thought| thought.at));
        self.memory.thoughts_as_of = as_of.map(|as_of| as_of.min(self.now));
        self.memory.thoughts = all;
    }

    fn done(mut self, ledger: &Ledger) -> Memory {
        let untold = std::mem::take(&mut self.untold);
        if untold > 0 {
            let what = format!("{untold} more problems are not told");
            self.memory.problems.push(Problem { path: PathBuf::from("."), what });
        }
        let clean = |text: &str| sanitize::text(text).into_owned();
        self.memory.scene = Scene {
            context: clean(self.context.as_deref().unwrap_or_default()),
            server: clean(&ledger.server),
            namespace: self.namespace.map(str::to_owned),
        };
        self.memory
    }
}

/// The text of a file of a tree; `None` if there is none.
fn text(tree: &Path, path: &str, budget: &Budget) -> Result<Option<String>, String> {
    budget.bytes(0)?;
    let Some(text) = open::text_of(&tree.join(path), budget.anybodys)? else { return Ok(None) };
    budget.bytes(text.len())?;
    Ok(Some(text))
}

/// The envelope of a file about an area, of a context if one is given.
fn envelope<'t>(text: &'t str, area: &str, context: Option<&str>) -> Result<Parsed<'t>, String> {
    let parsed = envelope::parse(text, area)?;
    match context {
        Some(context) if context != parsed.context => Err(format!("it is about another context, {}", parsed.context)),
        _ => Ok(parsed),
    }
}

/// Reads one entry of a list.
fn decode(kind: Kind, json: &str) -> Result<Decoded, String> {
    if matches!(kind, Kind::Deployment | Kind::Pod)
        && let Ok(Place { namespace, name }) = serde_json::from_str(json)
    {
        return object::restore(kind, &Key::new(&namespace, &name), "", "", json);
    }
    object::decode(kind, json)
}

/// The last thoughts of a file, and how many lines cannot be read. A last line
/// that was cut off is nobody's fault.
pub(super) fn thoughts(text: &str) -> (Vec<Thought>, usize) {
    let mut all: Vec<Thought> = Vec::new();
    let mut bad = 0;
    for line in text.split_inclusive('\n').filter(|line| !line.trim().is_empty()) {
        match serde_json::from_str::<Thought>(line) {
            Ok(thought) => all.push(thought.cleaned()),
            Err(_) if line.ends_with('\n') => bad += 1,
            Err(_) => {}
        }
    }
    let surplus = all.len().saturating_sub(MAX_THOUGHTS);
    all.drain(..surplus);
    (all, bad)
}
