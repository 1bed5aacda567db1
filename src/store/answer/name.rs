//! Names of agents among the words of a question.

use std::collections::BTreeMap;

use super::read::is_filling;
use super::topic;
use super::words::{Word, is_slip};
use crate::key::{Key, Kind};
use crate::terrarium::Terrarium;

/// How many words are compared with every name for a slip of the finger.
const MAX_SIMILAR: usize = 4;

/// `cpu/memory` is two words, unless there is an agent `memory` in `cpu`.
pub(super) fn unjoined(terrarium: &Terrarium, words: &[Word]) -> Vec<Word> {
    let mut plain = Vec::with_capacity(words.len());
    for word in words {
        match word.text().split_once('/') {
            Some((namespace, name)) if !terrarium.agents().contains_key(&Key::new(namespace, name)) => {
                let halves = namespace.split('/').chain(name.split('/')).filter(|half| !half.is_empty());
                plain.extend(halves.map(|half| Word::Plain(half.to_owned())));
            }
            _ => plain.push(word.clone()),
        }
    }
    plain
}

/// What a word that is written like a name stands for.
#[derive(Debug)]
pub(super) enum Named {
    /// An agent.
    One(Key),
    /// Agents of these namespaces.
    Several(Vec<String>),
    /// Nobody.
    None,
}

/// The names of agents among the words of a question.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<String, Named>);

impl Names {
    /// Finds them. A name counts in the namespace of `agent` first.
    pub(super) fn of(terrarium: &Terrarium, agent: &Key, words: &[Word]) -> Self {
        let mut names = BTreeMap::new();
        let mut similar = MAX_SIMILAR;
        let elsewhere = elsewhere(terrarium, agent, words);
        let mut before = "";
        for (place, word) in words.iter().enumerate() {
            let text = word.text();
            let marked = matches!(word, Word::Marked(_)) || before == "agent";
            before = text;
            if text.is_empty() || names.contains_key(text) || is_filling(text) {
                continue;
            }
            // A word that means a topic is a name only where it says so.
            let is_topic = || topic::find(words.get(place..=place).unwrap_or_default()).is_some();
            let hyphen = text.contains('-');
            let mut meant = None;
            if marked || hyphen || !is_topic() {
                meant = exact(terrarium, agent, text, &elsewhere);
            }
            if meant.is_none() && similar > 0 && (marked || !is_topic()) {
                similar -= 1;
                meant = near(terrarium, agent, text, marked || hyphen).map(Named::One);
            }
            // Only what is surely meant as a name is said to be nobody's.
            let like_a_name = marked || text.ends_with("-gent");
            if let Some(meant) = meant.or(like_a_name.then_some(Named::None)) {
                names.insert(text.to_owned(), meant);
            }
        }
        Self(names)
    }

    /// Whom a word names, if it is a name.
    pub(super) fn get(&self, word: &str) -> Option<&Named> {
        self.0.get(word)
    }
}

/// Words that are names of agents in other namespaces, found in one pass.
fn elsewhere<'a>(terrarium: &'a Terrarium, agent: &Key, words: &'a [Word]) -> BTreeMap<&'a str, Vec<&'a Key>> {
    let mut found: BTreeMap<&str, Vec<&Key>> = words.iter().map(|word| (word.text(), Vec::new())).collect();
    for key in terrarium.agents().keys().filter(|key| key.namespace() != agent.namespace()) {
        if let Some(keys) = found.get_mut(key.name()) {
            keys.push(key);
        }
    }
    found
}

/// The agent of this very name: in the namespace of the one that is asked,
/// else in the only other that has one.
fn exact(terrarium: &Terrarium, agent: &Key, name: &str, elsewhere: &BTreeMap<&str, Vec<&Key>>) -> Option<Named> {
    if let Some((namespace, name)) = name.split_once('/') {
        return Some(Named::One(Key::new(namespace, name)));
    }
    let own = Key::new(agent.namespace(), name);
    let torn = || terrarium.unreadable(Kind::Agent).any(|object| object.key == own);
    if own == *agent || terrarium.agents().contains_key(&own) || torn() {
        return Some(Named::One(own));
    }
    match elsewhere.get(name)?.as_slice() {
        [] => None,
        [one] => Some(Named::One((*one).clone())),
        several => Some(Named::Several(several.iter().map(|key| key.namespace().to_owned()).collect())),
    }
}

/// The only agent of the same namespace whose name is the same but for its
/// hyphens, or, where the word is surely a name, one slip away.
fn near(terrarium: &Terrarium, agent: &Key, name: &str, slips: bool) -> Option<Key> {
    let like = |other: &str| {
        if slips { is_slip(name, other) } else { name.chars().eq(other.chars().filter(|c| *c != '-')) }
    };
    let from = Key::new(agent.namespace(), "");
    let own = terrarium.agents().range(from..).map(|(key, _)| key);
    let mut near = own.take_while(|key| key.namespace() == agent.namespace()).filter(|key| like(key.name()));
    let first = near.next()?;
    near.next().is_none().then(|| first.clone())
}
