//! Answers about agents from what the terrarium knows, without a model.
//!
//! A question is read as far as it goes: words and phrases of a fixed table
//! stand for topics ([`topics`]), names of agents say whom it is about, a verb
//! at the beginning makes it a wish to change something. Each topic is told in
//! a few sentences, each with the fields that it was read from. What is not
//! known is said to be not known, and what is not understood too.

mod around;
mod change;
mod itself;
mod name;
mod read;
mod said;
mod topic;
mod words;

use jiff::Timestamp;
use kgents_core::age;

use crate::key::{Key, Kind};
use crate::terrarium::Terrarium;
use crate::watch::Layer;
use read::Piece;
use said::Said;
use topic::Subject;
pub use topic::{Topic, topics};

/// How many pairs of agent and topic one answer treats; more are counted.
const MAX_TOLD: usize = 12;

/// What is said to a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Sentences, a paragraph a line.
    pub text: String,
    /// The fields that it was read from, such as `status.phase` or `thoughts`,
    /// each once: paths within the Agent, or the plural of another kind.
    pub read: Vec<String>,
    /// Whether anything of the question was understood.
    pub understood: bool,
}

/// Answers a question put to `agent`, at `now`.
///
/// Only the first 500 characters of it are read, so the time that it takes
/// does not depend on its length; the answer says so.
pub fn answer(terrarium: &Terrarium, agent: &Key, question: &str, now: Timestamp) -> Answer {
    let (words, cut) = words::split(question);
    let asked = read::read(terrarium, agent, &words);
    let mut said = Said::default();
    let mut told: Vec<(Key, Subject)> = Vec::new();
    let mut more = 0_usize;
    let empty = asked.is_empty();
    let understood = asked.iter().any(|piece| !matches!(piece, Piece::Unknown(_)));
    for piece in asked {
        match piece {
            Piece::About(key, subject) => {
                if told.contains(&(key.clone(), subject)) {
                    continue;
                }
                if told.len() >= MAX_TOLD {
                    more += 1;
                    continue;
                }
                tell(&mut said, terrarium, &key, subject, now);
                told.push((key, subject));
            }
            Piece::Wish(key, wish) => change::tell(&mut said, terrarium, &key, &wish),
            Piece::Nobody(name) => {
                said.line(format!("There is no agent called {name} in {}.", agent.namespace()));
            }
            Piece::Several(name, namespaces) => {
                let first = namespaces.first().cloned().unwrap_or_default();
                let all = namespaces.join(", ");
                said.line(format!("There is more than one agent called {name}: in {all}. Write {first}/{name}."));
            }
            // Where nothing was understood, that is said once, with what can be asked.
            Piece::Unknown(text) if understood => said.line(format!("I did not understand “{text}”.")),
            Piece::Unknown(_) => {}
        }
    }
    if more > 0 {
        said.line(format!("That is much at once: {more} more were left out. Ask for them again."));
    }
    if !understood {
        help(&mut said, agent, if empty { said::Opening::Empty } else { said::Opening::Lost });
    }
    if cut {
        said.line("The question is long: only its beginning was read.");
    }
    if !told.is_empty() {
        memory_note(&mut said, terrarium, now);
    }
    said.answer(understood)
}

/// Tells one thing about one agent.
fn tell(said: &mut Said, terrarium: &Terrarium, key: &Key, subject: Subject, now: Timestamp) {
    match subject {
        Subject::Help => return help(said, key, said::Opening::Asked),
        Subject::Agents => return around::agents(said, terrarium, key),
        _ => {}
    }
    let Some(held) = terrarium.agents().get(key) else { return missing(said, terrarium, key) };
    let scene = said::Scene { terrarium, key, held, now };
    match subject {
        Subject::State => itself::state(said, &scene),
        Subject::Why => itself::why(said, &scene),
        Subject::Needs => itself::needs(said, &scene),
        Subject::Health => itself::health(said, &scene),
        Subject::Budget => itself::budget(said, &scene),
        Subject::Replicas => itself::replicas(said, &scene),
        Subject::Image => itself::image(said, &scene),
        Subject::Resources => itself::resources(said, &scene),
        Subject::Instructions => itself::instructions(said, &scene),
        Subject::Config => itself::config(said, &scene),
        Subject::Genus => itself::genus(said, &scene),
        Subject::Age => itself::age(said, &scene),
        Subject::Signals => around::signals(said, &scene),
        Subject::Proposals => around::proposals(said, &scene),
        Subject::Thoughts => around::thoughts(said, &scene),
        Subject::Peers => around::peers(said, &scene),
        Subject::Umwelt => around::umwelt(said, &scene),
        Subject::Memory => around::memory(said, &scene),
        Subject::Agents | Subject::Help | Subject::Perhaps | Subject::PerhapsWho => {}
    }
}

/// The agent is not there, or cannot be read.
fn missing(said: &mut Said, terrarium: &Terrarium, key: &Key) {
    let broken = terrarium.unreadable(Kind::Agent).find(|object| object.key == *key);
    match broken {
        Some(object) => {
            let error = said::short(&object.error);
            said.line(format!("The object of {} cannot be read: {error}.", key.name()));
        }
        None => said.line(format!("No agent {} is known in {}.", key.name(), key.namespace())),
    }
}

/// What can be asked, each with an example.
fn help(said: &mut Said, key: &Key, opening: said::Opening) {
    let name = key.name();
    said.line(match opening {
        said::Opening::Asked => format!("Without a model, I answer from what is known of {name} and around it. Ask:"),
        said::Opening::Empty => format!("Ask me something. Without a model, I answer from what is known of {name}:"),
        said::Opening::Lost => {
            format!("I do not know how to answer that. I answer from what is known of {name}, without a model. Ask:")
        }
    });
    for topic in topics() {
        said.line(format!("  {}: {}", topic.name, topic.example));
    }
}

/// What is remembered is not called live.
fn memory_note(said: &mut Said, terrarium: &Terrarium, now: Timestamp) {
    if terrarium.layer_of(Kind::Agent) == Some(Layer::Ghost) {
        let age = terrarium.as_of(Kind::Agent, now).map(|as_of| age::text(now.duration_since(as_of)));
        let age = age.map(|age| format!(" {age} ago")).unwrap_or_default();
        said.line(format!("Nobody answers live at the moment: this is what was last known{age}."));
    }
}

#[cfg(test)]
mod tests;
