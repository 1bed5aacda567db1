use kgents_store::bus::Control;
use kgents_store::request::Ask;
use kgents_store::watch::Scene;

use super::*;
use crate::frames::look;
use crate::layout::Divider;
use crate::msg::{Effect, Msg};
use crate::testing::{batch, garden, now};

fn app() -> App {
    App::over(garden(), look(), (160, 45), now())
}

/// Word of where we look.
fn scene(app: &mut App, context: &str) {
    let scene = Scene { context: context.into(), server: String::new(), namespace: None };
    app.update(Msg::Batch(batch(Vec::new(), vec![Control::Scene(scene)])), now());
}

fn changed() -> App {
    let mut app = app();
    app.focus = Pane::Proposals;
    app.zoom = true;
    app.sorts[2] = Sort::Risk;
    app.set_filter(Pane::Thoughts, "who:b-gent");
    app.edges.splits.set(Divider::Agents, Some(300));
    app.chat.agent = Some(Key::new("kgents-agents", "b-gent"));
    app
}

#[test]
fn what_is_kept_is_restored_and_survives_the_disk() {
    let kept = changed().kept();
    let text = serde_json::to_string(&kept).unwrap();
    let read: Kept = serde_json::from_str(&text.replace("\"zoom\"", "\"later\":[1],\"zoom\"")).unwrap();
    assert_eq!(read, kept);
    let mut app = app();
    let update = app.restore(&read);
    assert_eq!(app.kept(), kept);
    assert!(
        matches!(update.effects.as_slice(), [Effect::Ask(request)] if matches!(request.ask, Ask::History(_))),
        "{update:?}"
    );
    app.settle();
    assert!(app.thought_count() < app.terrarium.thoughts().len());
    app.restore(&self::app().kept());
    assert_eq!(Kept { talk: None, ..app.kept() }, self::app().kept(), "what is not said is as it is by itself");
}

#[test]
fn what_makes_no_sense_is_left_alone() {
    let mut kept = changed().kept();
    kept.filters.insert(Pane::Agents, "nope:1".to_owned());
    kept.sorts.insert(Pane::Agents, Sort::Strength);
    let mut app = app();
    app.restore(&kept);
    assert_eq!((app.sorts[0], app.filters[0].text.as_str()), (Sort::Attention, ""));
    let mut app = self::app();
    app.restore(&Kept { version: 9, ..kept });
    assert_eq!(app.kept(), self::app().kept());
    assert!(serde_json::from_str::<Kept>(r#"{"version":1,"focus":"cellar"}"#).is_err());
}

#[test]
fn each_context_has_its_own_and_a_switch_saves_one_and_restores_the_other() {
    let mut app = App::new(look(), (160, 45), now());
    let memory = Memory::from([("blue".to_owned(), changed().kept()), ("other".to_owned(), changed().kept())]);
    let mut keeper = Keeper::new(memory, &app);
    assert!(keeper.arrive(&mut app).is_none(), "nobody knows yet where we look");
    scene(&mut app, "red");
    assert!(keeper.arrive(&mut app).is_none(), "nothing is remembered of it");
    app.focus = Pane::Thoughts;
    let red = app.kept();

    keeper.leave(&app);
    app.update(Msg::Elsewhere, now());
    assert!(keeper.arrive(&mut app).is_none());
    scene(&mut app, "blue");
    assert!(keeper.arrive(&mut app).is_some());
    assert_eq!(app.kept(), changed().kept());
    assert!(keeper.arrive(&mut app).is_none(), "once");
    app.zoom = false;

    keeper.leave(&app);
    app.update(Msg::Elsewhere, now());
    scene(&mut app, "red");
    assert!(keeper.arrive(&mut app).is_some());
    assert_eq!(app.focus, Pane::Thoughts);

    let seen = keeper.end(&app);
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["blue", "red"], "what was not looked at is not answered");
    assert!(!seen["blue"].zoom && seen["red"].is_like(&red));
}

#[test]
fn a_key_that_was_pressed_before_the_context_was_known_counts_more() {
    let mut app = App::new(look(), (160, 45), now());
    let mut keeper = Keeper::new(Memory::from([("blue".to_owned(), changed().kept())]), &app);
    app.focus = Pane::Pheromones;
    scene(&mut app, "blue");
    assert!(keeper.arrive(&mut app).is_none());
    assert_eq!(keeper.end(&app)["blue"].focus, Pane::Pheromones);
}
