//! Wishes to change something: recognised, and not fulfilled. Talk changes
//! nothing, and says so.

use kgents_api::Agent;

use super::said::{Said, and, thousands};
use super::words::{self, Word};
use crate::key::Key;
use crate::terrarium::Terrarium;
use crate::view;

/// What somebody wants changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    what: What,
    to: Option<i64>,
}

/// The things that people ask to have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Replicas,
    Budget,
    Restart,
    Pause,
    Delete,
    Decide,
    Emit,
    Image,
    Other,
}

/// Verbs at the beginning that ask for a change, and of what, where the rest
/// does not say it.
const VERBS: &[(What, &str)] = &[
    (
        What::Other,
        "increase raise lower reduce decrease set change update add put adjust bump cut double halve grow shrink",
    ),
    (
        What::Other,
        "enable disable allow deny forbid block edit fix repair configure install apply turn switch assign grant",
    ),
    (What::Other, "forget clear reset backup move migrate rename"),
    (What::Replicas, "scale"),
    (What::Restart, "restart reboot bounce rollout reload respawn start launch run"),
    (What::Pause, "pause unpause resume suspend halt stop freeze"),
    (What::Delete, "delete remove kill terminate destroy shutdown drop evict"),
    (What::Decide, "approve reject merge accept refuse decline rollback revert"),
    (What::Emit, "emit send signal broadcast"),
    (What::Image, "upgrade downgrade deploy redeploy"),
];

/// Words about a thing, which outweigh the verb.
const THINGS: &[(What, &str)] = &[
    (What::Decide, "proposal proposals"),
    (What::Budget, "budget token tokens refill"),
    (What::Replicas, "replicas replica pods pod instances copies"),
    (What::Image, "image version tag"),
    (What::Emit, "pheromone signal warning scarcity"),
];

/// The wish in a part of a sentence; `None` where it asks or tells.
pub(super) fn wish(words: &[Word]) -> Option<Wish> {
    let texts: Vec<&str> = words.iter().map(Word::text).collect();
    let start = opening(&texts);
    let rest = texts.get(start..).unwrap_or_default();
    let verb = rest.first().and_then(|first| of(VERBS, first));
    let wanted = wanted(&texts);
    let thing = rest.iter().find_map(|word| of(THINGS, word));
    let what = match (verb, thing) {
        // "Restart the pods", "delete the pods": the verb says what is done.
        (Some(What::Other | What::Image | What::Replicas), Some(thing)) => thing,
        (Some(verb), _) => verb,
        (None, thing) if wanted => thing.unwrap_or(What::Other),
        (None, _) => return None,
    };
    // The last number is where it is to end: "from 2 to 5".
    let to = rest.iter().rev().find_map(|word| words::number(word));
    Some(Wish { what, to })
}

/// How many words of courtesy come before the verb.
fn opening(texts: &[&str]) -> usize {
    let mut place = 0;
    while let Some(text) = texts.get(place) {
        let next = texts.get(place + 1).copied().unwrap_or_default();
        let courtesy = matches!(
            *text,
            "please"
                | "pls"
                | "kindly"
                | "now"
                | "just"
                | "ok"
                | "okay"
                | "hey"
                | "hi"
                | "go"
                | "ahead"
                | "lets"
                | "let"
                | "us"
                | "to"
        );
        if courtesy {
            place += 1;
        } else if matches!(*text, "can" | "could" | "would" | "will" | "may")
            && matches!(next, "you" | "we" | "i" | "someone")
        {
            place += 2;
        } else if *text == "i" && matches!(next, "want" | "need" | "wish" | "d") {
            place += 2;
            // "I want you to restart", "I'd like you to".
            while matches!(texts.get(place), Some(&("you" | "like" | "to" | "it"))) {
                place += 1;
            }
        } else {
            break;
        }
    }
    place
}

/// "I want 5 replicas", "give it more tokens", "make it 3".
fn wanted(texts: &[&str]) -> bool {
    let begins = matches!(
        texts,
        ["i" | "we", "want" | "need", ..] | ["give" | "make", "it" | "him" | "her" | "them" | "yourself", ..]
    );
    let amount = |text: &&str| {
        words::number(text).is_some()
            || matches!(*text, "more" | "less" | "fewer" | "bigger" | "smaller" | "higher" | "lower")
    };
    begins && texts.iter().any(amount)
}

fn of(table: &[(What, &str)], word: &str) -> Option<What> {
    table.iter().find(|(_, words)| words.split(' ').any(|known| known == word)).map(|(what, _)| *what)
}

/// Says what was understood, that nothing was done, and what there is instead.
pub(super) fn tell(said: &mut Said, terrarium: &Terrarium, key: &Key, wish: &Wish) {
    let name = key.name();
    let agent = terrarium.agents().get(key).map(|held| &*held.held.object);
    let understood = understood(said, name, agent, wish);
    said.line(format!("I understood: {understood}. Nothing was changed: talk changes nothing in this build."));
    match wish.what {
        What::Emit => said.line(format!(
            "A signal is emitted with kgents signal emit; kgents signal emit --help has examples. For {name} it takes --target {name}."
        )),
        What::Decide => decide(said, terrarium, key),
        _ => said.line("In the window, ? lists the keys that act on what is selected; kgents --help lists the commands."),
    }
}

/// The wish in words, with what is there now.
fn understood(said: &mut Said, name: &str, agent: Option<&Agent>, wish: &Wish) -> String {
    let to = |unit: &str| wish.to.map(|to| format!(" to {}{unit}", thousands(to))).unwrap_or_default();
    match wish.what {
        What::Replicas => {
            let now = agent.map(|agent| {
                said.read(["spec.replicas"]);
                format!(", which are {} now", thousands(agent.spec.replicas.into()))
            });
            format!("change the replicas of {name}{}{}", to(""), now.unwrap_or_default())
        }
        What::Budget => {
            let now = agent.map(|agent| {
                said.read(["spec.budget.tokens"]);
                let budget = agent.spec.budget.as_ref();
                budget.map_or_else(
                    || ", which has none now".to_owned(),
                    |budget| format!(", which is {} tokens now", thousands(budget.tokens)),
                )
            });
            format!("change the budget of {name}{}{}", to(" tokens"), now.unwrap_or_default())
        }
        What::Restart => format!("restart {name}"),
        What::Pause => {
            let now = agent.map(|agent| {
                said.read(["spec.paused"]);
                if agent.spec.paused { ", which is paused now" } else { ", which is not paused now" }
            });
            format!("pause or go on with {name}{}", now.unwrap_or_default())
        }
        What::Delete => format!("delete {name} or something of it"),
        What::Decide => "decide about a proposal".to_owned(),
        What::Emit => "emit a signal".to_owned(),
        What::Image => {
            let now = agent.and_then(|agent| {
                said.read(["spec.image"]);
                agent.spec.image.as_deref().map(|image| format!(", which is {image} now"))
            });
            format!("change the image of {name}{}", now.unwrap_or_default())
        }
        What::Other => format!("change something of {name}"),
    }
}

/// Which proposals there are to decide about.
fn decide(said: &mut Said, terrarium: &Terrarium, key: &Key) {
    said.read(["proposals"]);
    let concerns = |proposal: &Key, object: &kgents_api::Proposal| {
        object.spec.proposer == key.name() || view::target_agent(proposal, object).is_some_and(|target| target == *key)
    };
    let open: Vec<&str> = terrarium
        .proposals()
        .iter()
        .filter(|(proposal, held)| view::phase(&held.object).is_open() && concerns(proposal, &held.object))
        .map(|(proposal, _)| proposal.name())
        .collect();
    match open.as_slice() {
        [] => said.line(format!("No proposal by or about {} is open.", key.name())),
        [first, ..] => {
            let some = open.get(..super::said::MAX_ITEMS).unwrap_or(&open);
            let more = if some.len() < open.len() { " among others" } else { "" };
            said.line(format!(
                "Open{more}: {}. kgents proposals describe {first} shows what it would change and who must agree.",
                and(some)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::split;
    use super::*;

    fn read(text: &str) -> Option<(What, Option<i64>)> {
        wish(&split(text).0).map(|wish| (wish.what, wish.to))
    }

    #[test]
    fn a_verb_at_the_beginning_is_a_wish() {
        let cases = [
            ("increase budget to 20000", What::Budget, Some(20_000)),
            ("please raise the token budget to 20k", What::Budget, Some(20_000)),
            ("Could you scale to 5", What::Replicas, Some(5)),
            ("scale from 2 to 5 pods", What::Replicas, Some(5)),
            ("set replicas to 3", What::Replicas, Some(3)),
            ("restart", What::Restart, None),
            ("restart your pods", What::Restart, None),
            ("I want you to restart", What::Restart, None),
            ("I want 5 replicas", What::Replicas, Some(5)),
            ("give it more tokens", What::Budget, None),
            ("delete b-gent", What::Delete, None),
            ("approve b-gent-scale", What::Decide, None),
            ("emit a warning", What::Emit, None),
            ("stop", What::Pause, None),
            ("upgrade the image to v2", What::Image, None),
            ("fix it", What::Other, None),
        ];
        for (text, what, to) in cases {
            assert_eq!(read(text), Some((what, to)), "{text}");
        }
    }

    #[test]
    fn a_question_is_no_wish() {
        for text in [
            "why did it restart",
            "how many restarts",
            "what would it cost to scale to 5",
            "who must approve this",
            "can it scale",
            "I want to know the budget",
            "I need to see the state",
            "give me the state",
            "did you emit a warning",
            "when did you stop",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
