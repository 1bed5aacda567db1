//! What pages ask for, once, and what becomes of the answers.

use kgents_store::request::{Answer, Ask, Logs};

use super::{keys, page};
use crate::app::App;
use crate::frames::pages::{agent, asked, key, lines, open, problem, proposal, reply};
use crate::msg::{Effect, Update};
use crate::overlay::{Loaded, Subject};

/// The one request of an update beside that for a plan; what it cancels stands
/// before it.
fn one(update: &Update) -> (u64, Ask) {
    let mut all = asked(update);
    all.retain(|(_, ask)| !matches!(ask, Ask::Plan(..)));
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn logs(ask: &Ask) -> &Logs {
    match ask {
        Ask::Logs(logs) => logs,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_page_asks_once_for_what_each_tab_needs() {
    let (mut app, update) = agent("status");
    assert_eq!(one(&update).1, Ask::Children(key("b-gent")));
    let all: Vec<Ask> = (0..12).flat_map(|_| asked(&keys(&mut app, "<right>"))).map(|(_, ask)| ask).collect();
    assert_eq!(all.len(), 2, "events and logs, each once in two rounds: {all:?}");
    assert!(matches!(all[0], Ask::Events(..)) && matches!(all[1], Ask::Logs(_)), "{all:?}");
    let (mut app, update) = proposal("migrate");
    assert_eq!(one(&update).1, Ask::DryRun(key("migrate")));
    assert!(matches!(one(&keys(&mut app, "<right>")).1, Ask::Events(..)));
    assert!(asked(&keys(&mut app, "<left>")).is_empty());
    let (mut app, update) = open(Subject::Pheromone(key("meant")), 0);
    assert!(asked(&update).is_empty() && asked(&keys(&mut app, "<right>")).is_empty());
    let (mut app, update) = proposal("settled");
    assert!(asked(&update).is_empty(), "nobody is asked about what is over");
    assert_eq!(one(&keys(&mut app, "d")).1, Ask::DryRun(key("settled")), "but for a person who wants to know");
}

#[test]
fn a_dry_run_is_made_again_and_only_the_last_answer_counts() {
    let (mut app, update) = proposal("migrate");
    let first = one(&update).0;
    let second = asked(&keys(&mut app, "d")).last().unwrap().0;
    assert_ne!(first, second);
    reply(&mut app, first, problem("late"));
    assert!(matches!(page(&app).facts.dry_run, Loaded::Asked(id) if id == second));
    reply(&mut app, second, problem("no"));
    assert!(matches!(page(&app).facts.dry_run, Loaded::Failed(_)));
}

#[test]
fn answers_to_a_page_that_was_closed_are_dropped() {
    let (mut app, update) = agent("status");
    let id = one(&update).0;
    keys(&mut app, "<esc>");
    let late = reply(&mut app, id, Answer::Children(Vec::new()));
    assert!(!late.redraw, "nobody waits for it");
    // A page of the same agent asks anew and is not served by the old answer.
    let mut update = Update::default();
    app.open_page(Subject::Agent(key("b-gent")), 0, &mut update);
    assert_ne!(one(&update).0, id);
    reply(&mut app, id, Answer::Children(Vec::new()));
    assert!(matches!(page(&app).facts.children, Loaded::Asked(_)));
}

fn cancels(update: &Update) -> Vec<u64> {
    let cancel = |effect: &Effect| match effect {
        Effect::Ask(request) => match request.ask {
            Ask::Cancel(id) => Some(id),
            _ => None,
        },
        _ => None,
    };
    update.effects.iter().filter_map(cancel).collect()
}

#[test]
fn esc_cancels_what_is_followed() {
    let (mut app, update) = agent("logs");
    let id = one(&update).0;
    reply(&mut app, id, lines(5));
    assert_eq!(cancels(&keys(&mut app, "<esc>")), [id]);
    assert!(!reply(&mut app, id, lines(5)).redraw);
    let (mut app, update) = agent("logs");
    reply(&mut app, one(&update).0, Answer::LinesEnd("over".into()));
    assert!(cancels(&keys(&mut app, "<esc>")).is_empty(), "what has ended is not cancelled");
}

#[test]
fn each_choice_of_logs_asks_again_and_cancels_what_ran() {
    let (mut app, update) = agent("logs");
    let (mut last, first) = one(&update);
    assert!(logs(&first).follow && logs(&first).container.is_none() && logs(&first).since_seconds.is_none());
    let mut choose = |app: &mut App, word: &str| {
        let update = keys(app, word);
        assert_eq!(cancels(&update), [last], "{word}");
        let (id, ask) = asked(&update).pop().unwrap();
        last = id;
        logs(&ask).clone()
    };
    assert_eq!(choose(&mut app, "s").since_seconds, Some(60));
    let before = choose(&mut app, "p");
    assert!(before.previous && !before.follow && before.since_seconds == Some(60));
    assert!(!choose(&mut app, "p").previous);
    let names: Vec<(String, Option<String>)> =
        (0..6).map(|_| choose(&mut app, "o")).map(|logs| (logs.pod.name().to_owned(), logs.container)).collect();
    let containers: Vec<Option<&str>> = names.iter().map(|(_, name)| name.as_deref()).collect();
    assert_eq!(containers, [Some("k-gent"), Some("d-gent"), None, Some("k-gent"), Some("d-gent"), None]);
    assert_eq!(names[0].0, names[5].0, "round all pods");
    assert_ne!(names[0].0, names[2].0);
}

#[test]
fn logs_freeze_where_one_reads() {
    let (mut app, update) = agent("logs");
    let id = one(&update).0;
    reply(&mut app, id, lines(200));
    keys(&mut app, "<space>");
    let at = page(&app).scroll;
    assert!(at < 200, "a place, not the end");
    reply(&mut app, id, lines(50));
    assert_eq!(page(&app).scroll, at);
    reply(&mut app, id, lines(20_000));
    assert!(page(&app).scroll < at, "what is read moves up with the lines that fall off");
    keys(&mut app, "<space>");
    assert!(page(&app).facts.logs.stays);
    keys(&mut app, "k");
    assert!(!page(&app).facts.logs.stays);
    keys(&mut app, "G");
    assert!(page(&app).facts.logs.stays);
}

#[test]
fn long_lines_are_broken_and_scrolled_by_the_line() {
    let (mut app, update) = agent("logs");
    reply(&mut app, one(&update).0, lines(100));
    keys(&mut app, "w k");
    let end = page(&app).scroll;
    keys(&mut app, "G");
    assert_eq!(page(&app).scroll, end + 1);
    assert!(end > 50, "the last lines fill the page: {end}");
    keys(&mut app, "s");
    assert!(page(&app).facts.logs.wraps, "another choice of lines keeps how they are shown");
}
