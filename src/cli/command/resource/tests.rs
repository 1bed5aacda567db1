use kgents_store::bus::{Bus, Change, Control, Novelty};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::testing::{agent, change, live, loaded, scene, terrarium, text, up, world};

#[test]
fn an_empty_list_says_what_is_not_there_and_where() {
    let world = terrarium(vec![scene()], Vec::new());
    assert_eq!(nothing(&world, Kind::Agent, None), "No agents in any namespace.");
    let selector = Selector::parse("app=x").unwrap();
    assert_eq!(nothing(&world, Kind::Memory, Some(&selector)), "No memories with app=x in any namespace.");
    let Control::Scene(mut one) = scene() else { panic!() };
    one.namespace = Some("ns".into());
    let world = terrarium(vec![Control::Scene(one)], Vec::new());
    assert_eq!(nothing(&world, Kind::Pheromone, None), "No pheromones that can be sensed in namespace ns.");
}

#[test]
fn names_are_found_with_and_without_their_namespace_and_near_ones_are_named() {
    let world = world();
    assert_eq!(named(&world, Kind::Agent, "b-gent").len(), 2);
    assert_eq!(named(&world, Kind::Agent, "other/b-gent").len(), 1);
    assert_eq!(named(&world, Kind::Agent, "strange").len(), 1, "what cannot be read has a name too");
    assert_eq!(named(&world, Kind::Agent, "x-gent").len(), 0);
    assert_eq!(nearest(&world, Kind::Agent, "b-gemt"), ["b-gent", "c-gent"]);
    assert_eq!(nearest(&world, Kind::Agent, "zzz"), [""; 0]);
}

struct Watched {
    bus: Bus,
    follow: Option<Follow>,
}

impl Watched {
    async fn new(changes: Vec<Change>) -> (Self, tokio::sync::oneshot::Sender<()>) {
        let (end, ended) = tokio::sync::oneshot::channel();
        let (bus, reader) = loaded([vec![scene(), live(Kind::Agent)], up()].concat(), changes).await;
        let follow = Follow::on(reader, CancellationToken::new(), async {
            let _ = ended.await;
        });
        (Self { bus, follow: Some(follow) }, end)
    }

    /// What is printed of the first list and then of these changes.
    async fn print(
        mut self,
        end: tokio::sync::oneshot::Sender<()>,
        format: Format,
        selector: Option<&str>,
        news: Vec<Change>,
    ) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let selector = selector.map(|selector| Selector::parse(selector).unwrap());
        // Both run on this thread, so the one who watches has seen each change
        // when it has had its turns.
        let turns = async || {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
        };
        let feed = async {
            turns().await;
            for change in news {
                self.bus.state(change).await;
                turns().await;
            }
            end.send(()).unwrap();
        };
        let mut io = Io { out: &mut out, err: &mut err };
        let watch = watch::watch(Kind::Agent, format, selector.as_ref(), self.follow.take().unwrap(), &mut io);
        let (ended, ()) = tokio::join!(watch, feed);
        assert_eq!(ended.unwrap(), Code::Ok);
        text(out)
    }
}

fn gone(object: &Value) -> Change {
    Change { now: None, novelty: Novelty::News, ..change(Kind::Agent, object, false) }
}

#[tokio::test]
async fn a_table_that_goes_on_says_what_became_of_each() {
    let (b, c) = (agent("ns", "b-gent", "Running"), agent("ns", "c-gent", "Failed"));
    let (watched, end) = Watched::new(vec![change(Kind::Agent, &b, true), change(Kind::Agent, &c, true)]).await;
    let mut failed = agent("ns", "b-gent", "Failed");
    failed["metadata"]["resourceVersion"] = "8".into();
    let printed = watched.print(end, Format::Table, None, vec![change(Kind::Agent, &failed, false), gone(&c)]).await;
    let lines: Vec<Vec<&str>> = printed.lines().map(|line| line.split_whitespace().take(5).collect()).collect();
    assert_eq!(
        lines,
        [
            ["CHANGE", "NAMESPACE", "NAME", "GENUS", "PHASE"],
            ["listed", "ns", "c-gent", "B", "Failed"],
            ["listed", "ns", "b-gent", "B", "Running"],
            ["applied", "ns", "b-gent", "B", "Failed"],
            ["deleted", "ns", "c-gent", "—", "—"],
        ]
    );
}

#[tokio::test]
async fn a_selector_holds_for_what_comes_later_too() {
    let (b, c) = (agent("ns", "b-gent", "Running"), agent("ns", "c-gent", "Failed"));
    let (watched, end) = Watched::new(vec![change(Kind::Agent, &b, true), change(Kind::Agent, &c, true)]).await;
    let mut other = b.clone();
    other["metadata"]["resourceVersion"] = "8".into();
    other["metadata"]["labels"]["app"] = "other".into();
    let mut again = other.clone();
    again["metadata"]["resourceVersion"] = "9".into();
    let news = vec![change(Kind::Agent, &other, false), change(Kind::Agent, &again, false), gone(&b), gone(&c)];
    let printed = watched.print(end, Format::Json, Some("app=b-gent"), news).await;
    let lines: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = lines.iter().map(|line| line.pointer("/object/metadata/resourceVersion").unwrap()).collect();
    assert_eq!(seen, ["7", "8"], "the change that takes it out of the choice is told, and nothing after it");
}
