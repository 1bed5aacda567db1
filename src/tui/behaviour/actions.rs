//! Every action of the table, caused by its key, with what it does.

use std::collections::BTreeSet;

use kgents_store::Kind;
use kgents_store::request::{Answer, Ask, Reply};
use serde_json::json;

use super::{app, keys, page, press};
use crate::action::{Action, TABLE};
use crate::app::{ACTED, App};
use crate::layout::Pane;
use crate::msg::{Effect, Msg};
use crate::overlay::{Draft, Loaded, Overlay, Subject};
use crate::palette::Offer;
use crate::testing::{batch, change, now};
use crate::view::Sort;

/// A window after keys, and what it asked for on the way.
struct Seen {
    app: App,
    effects: Vec<Effect>,
}

impl Seen {
    /// Whether something was asked for.
    fn asked(&self, wanted: impl Fn(&Ask) -> bool) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Ask(request) if wanted(&request.ask)))
    }

    fn tab(&self) -> &'static str {
        page(&self.app).tab_name()
    }

    fn draft(&self) -> &Draft {
        match self.app.overlays.last() {
            Some(Overlay::Dialog(dialog)) => &dialog.draft,
            other => panic!("{other:?}"),
        }
    }

    /// How many columns the agents have.
    fn agents(&self) -> u16 {
        self.app.layout().unwrap().panes[0].1.width
    }
}

/// What is done, the keys for it, and what holds afterwards. Before them stand
/// the keys that lead there; `w` at their front allows changes.
type Sequence = (&'static str, &'static str, fn(&Seen) -> bool);

const SEQUENCES: &[Sequence] = &[
    ("focus by number", "2 3", |seen| seen.app.focus == Pane::Proposals),
    ("and back", "4 5 1", |seen| seen.app.focus == Pane::Agents),
    ("the next pane", "<tab> <tab>", |seen| seen.app.focus == Pane::Proposals),
    ("the pane before", "<s-tab>", |seen| seen.app.focus == Pane::Chat),
    ("down and up", "j j j k", |seen| seen.app.agents.place() == 2),
    ("a page down", "<pgdn>", |seen| seen.app.agents.place() > 5),
    ("and up", "G <pgup>", |seen| seen.app.agents.place() < 5),
    ("the last row", "G", |seen| seen.app.agents.place() == 11),
    ("the first row", "G g", |seen| seen.app.agents.place() == 0),
    ("open", "<cr>", |seen| matches!(page(&seen.app).subject, Subject::Agent(_))),
    ("write to an agent", "5 <cr> h i", |seen| seen.app.chat.typing && seen.app.chat.edit.text() == "hi"),
    ("cells of the field", "2 <right> <left> <left>", |seen| seen.app.cell.is_some_and(|(_, back)| back == 2)),
    ("talk to the next agent", "5 <right>", |seen| {
        seen.app.chat.agent.as_ref() == Some(&seen.app.views.agents[1].key)
            && seen.asked(|ask| matches!(ask, Ask::History(_)))
    }),
    ("talk to the agent before", "5 <left>", |seen| {
        seen.app.chat.agent.as_ref() == Some(&seen.app.views.agents[11].key)
    }),
    ("the next tab", "<cr> <right>", |seen| page(&seen.app).tab == 1),
    ("the previous tab", "<cr> <left>", |seen| seen.tab() == "yaml"),
    ("filter", "/ b - g <cr>", |seen| seen.app.views.agents.len() < 12 && seen.app.filters[0].text == "b-g"),
    ("search", "<cr> <left> / k g e n t s <cr>", |seen| page(&seen.app).search.text == "kgents"),
    ("the next match", "<cr> <left> / k g e n t s <cr> n", |seen| page(&seen.app).search.at == 1),
    ("the match before", "<cr> <left> / k g e n t s <cr> n n N", |seen| page(&seen.app).search.at == 1),
    ("sort", "s", |seen| seen.app.sorts[0] == Sort::Name),
    ("the next that needs a person", "n", |seen| seen.app.agents.is_chosen()),
    ("approve", "w 3 a", |seen| matches!(seen.draft(), Draft::Decide { approve: true, .. })),
    ("approve, read only", "3 a", |seen| seen.app.overlays.is_empty() && seen.app.toast.is_some()),
    ("reject", "w 3 r", |seen| matches!(seen.draft(), Draft::Decide { approve: false, .. })),
    ("dry run again", "3 <cr> d", |seen| {
        seen.effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Ask(request) if matches!(request.ask, Ask::DryRun(_))))
            .count()
            == 2
    }),
    ("talk", "t", |seen| seen.app.focus == Pane::Chat && seen.app.chat.typing),
    ("logs", "l", |seen| seen.tab() == "logs" && seen.asked(|ask| matches!(ask, Ask::Logs(_)))),
    ("stop following", "l <space>", |seen| !page(&seen.app).facts.logs.stays),
    ("the run before", "l p", |seen| seen.asked(|ask| matches!(ask, Ask::Logs(logs) if logs.previous && !logs.follow))),
    ("the next container", "l o", |seen| {
        seen.asked(|ask| matches!(ask, Ask::Logs(logs) if logs.container.as_deref() == Some("mirror")))
    }),
    ("long lines are broken", "l w", |seen| page(&seen.app).facts.logs.wraps),
    ("since when", "l s", |seen| seen.asked(|ask| matches!(ask, Ask::Logs(logs) if logs.since_seconds == Some(60)))),
    ("yaml", "3 Y", |seen| seen.tab() == "yaml" && matches!(page(&seen.app).subject, Subject::Proposal(_))),
    ("emit", "w 2 e", |seen| matches!(seen.draft(), Draft::Emit(_))),
    ("scale", "w S", |seen| matches!(seen.draft(), Draft::Scale(_))),
    ("delete", "w c-d", |seen| matches!(seen.draft(), Draft::Delete(Kind::Agent, ..))),
    ("freeze the thoughts", "4 <space>", |seen| seen.app.frozen),
    ("freeze all", "<space>", |seen| seen.app.terrarium.moment().is_some()),
    ("back in time", "[", |seen| seen.app.terrarium.moment().is_some()),
    ("and forward", "[ ] ] ] ] ] ] ] ]", |seen| seen.app.terrarium.moment().is_none()),
    ("zoom", "3 z", |seen| seen.app.layout().unwrap().panes.len() == 1),
    ("larger", "> >", |seen| seen.agents() == Seen { app: app(), effects: Vec::new() }.agents() + 8),
    ("smaller", "<", |seen| seen.agents() == Seen { app: app(), effects: Vec::new() }.agents() - 4),
    ("contexts", "c", |seen| offers(seen, |offer| matches!(offer, Offer::Contexts(Loaded::Here(_))))),
    ("namespaces", "N", |seen| offers(seen, |offer| matches!(offer, Offer::Namespaces(Loaded::Here(_))))),
    ("allow changes", ": w r i t e <cr> <cr>", |seen| seen.app.write),
    ("forbid them again", "w : w r i t e <cr>", |seen| !seen.app.write),
    ("copy", "y", |seen| seen.effects.iter().any(|effect| matches!(effect, Effect::Copy(_)))),
    ("save", "c-s", |seen| seen.asked(|ask| matches!(ask, Ask::Save { .. }))),
    ("back", "z <esc>", |seen| !seen.app.zoom),
    ("the palette", ":", |seen| offers(seen, |offer| matches!(offer, Offer::Everything(_)))),
    ("help", "?", |seen| matches!(page(&seen.app).subject, Subject::Help(_))),
    ("draw anew", "c-l", |seen| seen.effects == [Effect::Repaint]),
    ("suspend", "c-z", |seen| seen.effects == [Effect::Suspend]),
    ("quit", "q", |seen| seen.effects == [Effect::Quit]),
];

fn offers(seen: &Seen, wanted: impl Fn(&Offer) -> bool) -> bool {
    matches!(seen.app.overlays.last(), Some(Overlay::Palette(palette)) if wanted(&palette.offer))
}

/// A garden whose first agent has a pod of two containers.
fn garden_with_a_pod() -> App {
    let mut app = app();
    let first = app.views.agents[0].key.name().to_owned();
    let pod = json!({
        "apiVersion": "v1",
        "metadata": { "labels": { "kgents.io/agent": first } },
        "spec": { "containers": [{ "name": "logic" }, { "name": "mirror" }] },
        "status": { "phase": "Running" },
    });
    app.update(Msg::Batch(batch(vec![change(Kind::Pod, "pod-1", 1, pod, false)], Vec::new())), now());
    app.settle();
    app
}

/// What whoever fulfils requests would answer at once.
fn answer(ask: &Ask) -> Option<Answer> {
    match ask {
        Ask::Contexts => Some(Answer::Contexts(Vec::new())),
        Ask::Namespaces => Some(Answer::Namespaces(vec!["kgents-agents".to_owned()])),
        Ask::WhoAmI => Some(Answer::You("ada".to_owned())),
        Ask::History(_) => Some(Answer::History(Vec::new())),
        _ => None,
    }
}

fn play(words: &str) -> Seen {
    let mut app = garden_with_a_pod();
    let words = match words.strip_prefix("w ") {
        Some(words) => {
            keys(&mut app, ": w r i t e <cr> <cr>");
            words
        }
        None => words,
    };
    let mut effects = Vec::new();
    for word in words.split_whitespace() {
        let update = app.update(Msg::Key(press(word)), now());
        for effect in &update.effects {
            if let Effect::Ask(request) = effect
                && let Some(answer) = answer(&request.ask)
            {
                app.update(Msg::Reply(Reply { id: request.id, answer }), now());
            }
        }
        effects.extend(update.effects);
        app.settle();
    }
    Seen { app, effects }
}

#[test]
fn every_action_is_caused_by_its_key_and_does_something() {
    ACTED.take();
    for (what, words, holds) in SEQUENCES {
        let seen = play(words);
        assert!(holds(&seen), "{what}: {words}\n{:?}\n{:?}", seen.effects, seen.app.overlays.last());
    }
    let acted = ACTED.take();
    let missing: Vec<Action> =
        TABLE.iter().map(|row| row.action).collect::<BTreeSet<_>>().difference(&acted).copied().collect();
    assert!(missing.is_empty(), "no sequence has {missing:?}");
}
