//! What a question asks, of whom.

use super::change::{self, Wish};
use super::name::{Named, Names, unjoined};
use super::topic::{self, Subject};
use super::words::Word;
use crate::key::Key;
use crate::terrarium::Terrarium;

/// How many words of what was not understood are quoted.
const MAX_QUOTED: usize = 8;

/// One part of what was asked, in the order of the question.
#[derive(Debug)]
pub(super) enum Piece {
    /// A topic of an agent.
    About(Key, Subject),
    /// A wish to change something.
    Wish(Key, Wish),
    /// A name that no agent has.
    Nobody(String),
    /// A name that agents of several namespaces have.
    Several(String, Vec<String>),
    /// Words that mean nothing here.
    Unknown(String),
}

/// A part of a sentence between two commas or the like.
#[derive(Debug, Default)]
struct Part {
    agents: Vec<Key>,
    subjects: Vec<Subject>,
    wish: Option<Wish>,
    /// Names that are nobody's or several agents'.
    strangers: Vec<Piece>,
    /// It says "you", so it is about the agent that is asked.
    you: bool,
    /// It says "it", so it is about the agent that was named before.
    it: bool,
    /// It begins as a question does.
    asks: bool,
    /// Words that mean nothing here and are not mere filling.
    unknown: Vec<String>,
}

impl Part {
    fn says_something(&self) -> bool {
        !self.subjects.is_empty() || self.wish.is_some()
    }
}

/// Reads a question that is put to `agent`.
pub(super) fn read(terrarium: &Terrarium, agent: &Key, words: &[Word]) -> Vec<Piece> {
    let words = unjoined(terrarium, words);
    let names = Names::of(terrarium, agent, &words);
    let mut pieces = Vec::new();
    // Whom "it" means, from one sentence to the next.
    let mut carried: Vec<Key> = Vec::new();
    for sentence in words.split(|word| *word == Word::Stop).filter(|sentence| !sentence.is_empty()) {
        let parts: Vec<Part> = split(sentence).map(|part| part_of(&names, part)).collect();
        pieces.extend(sentence_of(agent, join(parts), &mut carried));
    }
    pieces
}

/// Parts of a sentence: between commas and the word "and", where that is not
/// part of a phrase.
fn split(sentence: &[Word]) -> impl Iterator<Item = &[Word]> {
    let is_and = |word: &Word| matches!(word.text(), "and" | "plus" | "also" | "then");
    let mut rest = sentence;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut place = 0;
        while let Some(word) = rest.get(place) {
            if *word == Word::Comma || is_and(word) {
                break;
            }
            place += topic::find(rest.get(place..).unwrap_or_default()).map_or(1, |(_, length)| length);
        }
        let (part, after) = rest.split_at(place.min(rest.len()));
        rest = after.get(1..).unwrap_or_default();
        Some(part)
    })
    .filter(|part| !part.is_empty())
}

fn part_of(names: &Names, words: &[Word]) -> Part {
    let asks = words.first().is_some_and(|word| {
        matches!(
            word.text(),
            "what" | "who" | "whom" | "which" | "when" | "where" | "how" | "why" | "is" | "are" | "do" | "does"
        )
    });
    let mut part = Part { wish: change::wish(words), asks, ..Part::default() };
    let mut place = 0;
    while let Some(word) = words.get(place) {
        let text = word.text();
        match names.get(text) {
            Some(Named::One(key)) => {
                if !part.agents.contains(key) {
                    part.agents.push(key.clone());
                }
                place += 1;
                continue;
            }
            Some(Named::None) => {
                part.strangers.push(Piece::Nobody(text.to_owned()));
                place += 1;
                continue;
            }
            Some(Named::Several(namespaces)) => {
                part.strangers.push(Piece::Several(text.to_owned(), namespaces.clone()));
                place += 1;
                continue;
            }
            None => {}
        }
        part.you |= matches!(text, "you" | "your" | "yours" | "yourself");
        part.it |= matches!(text, "it" | "its" | "he" | "his" | "she" | "her" | "they" | "their" | "them");
        if let Some((subjects, length)) = topic::find(words.get(place..).unwrap_or_default()) {
            for subject in subjects {
                if !part.subjects.contains(subject) {
                    part.subjects.push(*subject);
                }
            }
            let said = words.get(place..place + length).unwrap_or_default();
            part.you |= said.iter().any(|word| matches!(word.text(), "you" | "your"));
            place += length;
        } else {
            if !is_filling(text) {
                part.unknown.push(text.to_owned());
            }
            place += 1;
        }
    }
    let perhaps = part.subjects.contains(&Subject::Perhaps);
    let who = part.subjects.contains(&Subject::PerhapsWho);
    part.subjects.retain(|subject| !matches!(subject, Subject::Perhaps | Subject::PerhapsWho));
    if part.subjects.is_empty() && (part.unknown.is_empty() || !part.agents.is_empty()) {
        part.subjects.extend(perhaps.then_some(Subject::State));
        part.subjects.extend(who.then_some(Subject::Genus));
    }
    // "What do you know about o-gent" asks for no list of questions.
    if part.subjects == [Subject::Help] && !part.agents.is_empty() {
        part.subjects = vec![Subject::State];
    }
    if part.subjects.contains(&Subject::Why) {
        // "Why are you down" asks for one thing.
        part.subjects.retain(|subject| *subject != Subject::State);
    }
    part
}

/// A name alone belongs to what was said before it ("of a and b"), or to what
/// comes after it ("a and b: state").
fn join(parts: Vec<Part>) -> Vec<Part> {
    let mut joined: Vec<Part> = Vec::new();
    for mut part in parts {
        let bare = !part.says_something() && part.unknown.is_empty();
        let last_is_bare = joined.last().is_some_and(|last| !last.says_something() && !last.agents.is_empty());
        match joined.last_mut() {
            Some(last) if bare || (last_is_bare && !part.it) => {
                let (first, second) = (std::mem::take(&mut last.agents), std::mem::take(&mut part.agents));
                last.agents = first.into_iter().chain(second).collect();
                last.strangers.append(&mut part.strangers);
                last.subjects.append(&mut part.subjects);
                last.unknown.append(&mut part.unknown);
                last.wish = last.wish.take().or(part.wish);
                last.you |= part.you;
            }
            _ => joined.push(part),
        }
    }
    joined
}

fn sentence_of(agent: &Key, parts: Vec<Part>, carried: &mut Vec<Key>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut named: Vec<Vec<Key>> = parts.iter().map(|part| part.agents.clone()).collect();
    // "Budget and image of o-gent": the name that comes counts, where none was
    // before and the part does not say whom it means.
    let mut next: Vec<Key> = Vec::new();
    for (agents, part) in named.iter_mut().zip(&parts).rev() {
        if agents.is_empty() && !part.you && !part.it && part.strangers.is_empty() {
            agents.clone_from(&next);
        }
        next.clone_from(agents);
    }
    // "How are you, old friend": what is said beside a question is no question.
    let some = parts.iter().any(|part| part.says_something() || !part.agents.is_empty());
    let first = parts.iter().position(|part| !part.agents.is_empty()).unwrap_or(0);
    for (place, (mut part, coming)) in parts.into_iter().zip(named).enumerate() {
        let agents = if !part.agents.is_empty() {
            part.agents.clone()
        } else if part.you {
            vec![agent.clone()]
        } else if !part.strangers.is_empty() {
            Vec::new()
        } else if place < first && !coming.is_empty() && !part.it {
            coming
        } else if carried.is_empty() {
            vec![agent.clone()]
        } else {
            carried.clone()
        };
        if !agents.is_empty() {
            carried.clone_from(&agents);
        }
        let strange = !part.strangers.is_empty();
        pieces.append(&mut part.strangers);
        if let Some(wish) = part.wish {
            pieces.extend(agents.iter().map(|agent| Piece::Wish(agent.clone(), wish.clone())));
            continue;
        }
        if part.subjects.is_empty() {
            if !part.agents.is_empty() {
                // A name and nothing else asks how that agent is.
                part.subjects.push(Subject::State);
            } else if !part.unknown.is_empty() && !strange && (part.asks || !some) {
                part.unknown.truncate(MAX_QUOTED);
                pieces.push(Piece::Unknown(part.unknown.join(" ")));
            }
        }
        for agent in &agents {
            let about = part.subjects.iter().map(|subject| Piece::About(agent.clone(), *subject));
            pieces.extend(about);
        }
    }
    pieces
}

/// Words that say nothing by themselves.
pub(super) fn is_filling(word: &str) -> bool {
    matches!(
        word,
        "" | "a"
            | "an"
            | "the"
            | "i"
            | "me"
            | "my"
            | "we"
            | "us"
            | "is"
            | "are"
            | "am"
            | "was"
            | "were"
            | "be"
            | "been"
            | "do"
            | "does"
            | "did"
            | "has"
            | "have"
            | "had"
            | "can"
            | "could"
            | "will"
            | "would"
            | "should"
            | "may"
            | "might"
            | "must"
            | "to"
            | "of"
            | "in"
            | "on"
            | "at"
            | "for"
            | "from"
            | "with"
            | "by"
            | "about"
            | "or"
            | "not"
            | "no"
            | "yes"
            | "so"
            | "now"
            | "this"
            | "that"
            | "these"
            | "those"
            | "there"
            | "here"
            | "what"
            | "which"
            | "who"
            | "whom"
            | "how"
            | "when"
            | "where"
            | "much"
            | "many"
            | "any"
            | "some"
            | "all"
            | "s"
            | "t"
            | "re"
            | "please"
            | "pls"
            | "tell"
            | "show"
            | "give"
            | "list"
            | "get"
            | "let"
            | "know"
            | "see"
            | "thanks"
            | "thank"
            | "you"
            | "your"
            | "yours"
            | "yourself"
            | "it"
            | "its"
            | "he"
            | "his"
            | "she"
            | "her"
            | "they"
            | "their"
            | "them"
            | "agent"
            | "today"
            | "currently"
            | "current"
            | "just"
            | "still"
            | "too"
            | "say"
            | "dear"
            | "but"
            | "if"
            | "as"
            | "than"
            | "more"
            | "other"
    )
}
