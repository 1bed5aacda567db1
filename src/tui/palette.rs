//! Go anywhere, do anything, by its name: the palette and the pickers.

use kgents_store::request::{ContextFacts, Problem};
use kgents_store::{Key, Terrarium};
use nucleo_matcher::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::action::{Action, Spot, TABLE};
use crate::edit::Edit;
use crate::keymap::Keymap;
use crate::overlay::Loaded;
use crate::view::Views;

/// What a palette offers.
#[derive(Clone, Debug)]
pub enum Offer {
    /// Actions, agents, proposals, pheromones and thoughts.
    Everything(Spot),
    /// The contexts of the kubeconfig.
    Contexts(Loaded<Vec<ContextFacts>>),
    /// The namespaces.
    Namespaces(Loaded<Vec<String>>),
}

/// Where an entry leads.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Go {
    Do(Action),
    Agent(Key),
    Proposal(Key),
    Pheromone(Key),
    Thought(u64),
    Context(String),
    /// `None` is all of them.
    Namespace(Option<String>),
}

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What sort of thing it is, in a word.
    pub sort: &'static str,
    /// Its name, which is matched.
    pub name: String,
    /// What is said of it.
    pub said: String,
    /// Where it leads.
    pub go: Go,
    /// The characters of the name that were matched.
    pub marks: Vec<u32>,
}

/// How many entries are kept of those that match.
const MOST: usize = 200;
/// How many thoughts are looked at, from the newest.
const THOUGHTS: usize = 500;

/// A list to choose from by typing.
#[derive(Clone, Debug)]
pub struct Palette {
    /// What is typed.
    pub edit: Edit,
    /// What is offered.
    pub offer: Offer,
    /// The entries that match, the best first.
    pub entries: Vec<Entry>,
    /// How many there are in all.
    pub all: usize,
    /// The chosen one.
    pub place: usize,
}

impl Palette {
    /// A palette where nothing was typed yet.
    pub fn new(offer: Offer) -> Self {
        Self { edit: Edit::line(""), offer, entries: Vec::new(), all: 0, place: 0 }
    }

    /// What it is for.
    pub const fn title(&self) -> &'static str {
        match self.offer {
            Offer::Everything(_) => "go to",
            Offer::Contexts(_) => "context",
            Offer::Namespaces(_) => "namespace",
        }
    }

    /// What stands in the way of its list.
    pub const fn problem(&self) -> Option<&Problem> {
        match &self.offer {
            Offer::Contexts(Loaded::Failed(problem)) | Offer::Namespaces(Loaded::Failed(problem)) => Some(problem),
            _ => None,
        }
    }

    /// Moves the choice.
    pub fn step(&mut self, by: isize) {
        self.place = self.place.saturating_add_signed(by).min(self.entries.len().saturating_sub(1));
    }

    /// Works out what matches.
    pub fn refresh(&mut self, terrarium: &Terrarium, views: &Views, keymap: &Keymap) {
        let entries = match &self.offer {
            Offer::Everything(spot) => everything(*spot, terrarium, views, keymap),
            Offer::Contexts(Loaded::Here(contexts)) => contexts.iter().map(context).collect(),
            Offer::Namespaces(loaded) => namespaces(loaded, terrarium),
            Offer::Contexts(_) => Vec::new(),
        };
        self.all = entries.len();
        self.entries = best(entries, &self.edit.text());
        self.place = self.place.min(self.entries.len().saturating_sub(1));
    }
}

/// Those that match, the best first; in their own order where nothing is typed.
fn best(entries: Vec<Entry>, typed: &str) -> Vec<Entry> {
    let typed = typed.trim().trim_start_matches(':');
    if typed.is_empty() {
        return entries.into_iter().take(MOST).collect();
    }
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    // Letters in order stand in nearly every sentence: there the word itself counts.
    let words = Pattern::new(typed, CaseMatching::Ignore, Normalization::Smart, AtomKind::Substring);
    let pattern_of = |entry: &Entry| if matches!(entry.go, Go::Thought(_)) { &words } else { &pattern };
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize, Entry)> = entries
        .into_iter()
        .enumerate()
        .filter_map(|(place, entry)| {
            let score = pattern_of(&entry).score(Utf32Str::new(&entry.name, &mut buffer), &mut matcher)?;
            // What is called exactly so was meant; what was only said comes last.
            let rank = match &entry.go {
                _ if entry.name.eq_ignore_ascii_case(typed) => 20_000,
                Go::Thought(_) => 0,
                _ => 10_000,
            };
            Some((rank + score, place, entry))
        })
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    scored
        .into_iter()
        .take(MOST)
        .map(|(_, _, mut entry)| {
            let mut marks = Vec::new();
            pattern_of(&entry).indices(Utf32Str::new(&entry.name, &mut buffer), &mut matcher, &mut marks);
            marks.sort_unstable();
            entry.marks = marks;
            entry
        })
        .collect()
}

fn entry(sort: &'static str, name: impl Into<String>, said: impl Into<String>, go: Go) -> Entry {
    Entry { sort, name: name.into(), said: said.into(), go, marks: Vec::new() }
}

fn everything(spot: Spot, terrarium: &Terrarium, views: &Views, keymap: &Keymap) -> Vec<Entry> {
    let mut entries = Vec::new();
    let one = terrarium.scene().namespace.is_some();
    let named = |key: &Key| if one { key.name().to_owned() } else { key.to_string() };
    for row in views.agents.all() {
        entries.push(entry("agent", named(&row.key), row.bid.reason.clone(), Go::Agent(row.key.clone())));
    }
    for row in views.proposals.all() {
        let said = format!("{} · {}", row.phase, row.risk.level);
        entries.push(entry("proposal", named(&row.key), said, Go::Proposal(row.key.clone())));
    }
    for row in TABLE.iter().filter(|row| row.works(spot) && !row.help.is_empty() && row.action != Action::Palette) {
        let shown = keymap.shown(row);
        let said = if shown.is_empty() { row.help.to_owned() } else { format!("{shown} · {}", row.help) };
        entries.push(entry("do", row.name, said, Go::Do(row.action)));
    }
    for (key, _) in views.alive.all() {
        let Some(held) = terrarium.pheromones().get(key) else { continue };
        let spec = &held.held.object.spec;
        let said = format!("{} from {}", spec.type_, spec.source);
        entries.push(entry("pheromone", named(key), said, Go::Pheromone(key.clone())));
    }
    for thought in terrarium.thoughts().iter().rev().take(THOUGHTS) {
        let text = crate::text::one_line(&thought.text).into_owned();
        entries.push(entry("thought", text, thought.who.to_string(), Go::Thought(thought.seq)));
    }
    entries
}

fn context(facts: &ContextFacts) -> Entry {
    let ContextFacts { name, server, namespace, current } = facts;
    let mut said = if server.is_empty() { "its cluster is missing".to_owned() } else { server.clone() };
    if let Some(namespace) = namespace {
        said = format!("{said} / {namespace}");
    }
    if *current {
        said = format!("{said} · current");
    }
    entry("context", name.clone(), said, Go::Context(name.clone()))
}

/// All, those that the API server names, and those that anything known lives in.
fn namespaces(loaded: &Loaded<Vec<String>>, terrarium: &Terrarium) -> Vec<Entry> {
    let mut names: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    if let Loaded::Here(listed) = loaded {
        names.extend(listed.iter().map(|name| (name.clone(), 0)));
    }
    for key in terrarium.agents().keys() {
        *names.entry(key.namespace().to_owned()).or_default() += 1;
    }
    let all = entry("namespace", "all namespaces", "everything that you may read", Go::Namespace(None));
    let rest = names.into_iter().map(|(name, agents)| {
        let said = match agents {
            0 => String::new(),
            1 => "1 agent".to_owned(),
            more => format!("{more} agents"),
        };
        entry("namespace", name.clone(), said, Go::Namespace(Some(name)))
    });
    std::iter::once(all).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{garden, now};
    use crate::view::Wishes;

    fn found(typed: &str, spot: Spot) -> Vec<(&'static str, String)> {
        let (terrarium, mut views) = (garden(), Views::default());
        views.refresh(&terrarium, now(), &Wishes::default());
        let mut palette = Palette::new(Offer::Everything(spot));
        palette.edit.paste(typed);
        palette.refresh(&terrarium, &views, &Keymap::default());
        palette.entries.into_iter().map(|entry| (entry.sort, entry.name)).collect()
    }

    #[test]
    fn what_is_called_so_comes_first_and_what_was_only_said_last() {
        assert_eq!(found("write", Spot::Agents)[0], ("do", "write".to_owned()));
        assert_eq!(found(":quit", Spot::Agents)[0], ("do", "quit".to_owned()));
        let found = found("b-gent", Spot::Agents);
        assert_eq!(found[0], ("agent", "b-gent".to_owned()));
        let sorts: Vec<&str> = found.iter().map(|(sort, _)| *sort).collect();
        let first_thought = sorts.iter().position(|sort| *sort == "thought").unwrap();
        assert!(sorts[first_thought..].iter().all(|sort| *sort == "thought"), "{sorts:?}");
    }

    #[test]
    fn only_what_works_there_is_offered() {
        let offers = |spot| found("approve", spot).iter().any(|(sort, name)| *sort == "do" && name == "approve");
        assert!(offers(Spot::Proposals) && !offers(Spot::Agents));
        assert!(found("zzzz", Spot::Agents).is_empty());
    }
}
