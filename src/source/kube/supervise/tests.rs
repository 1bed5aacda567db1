//! All of it together against a server that does what it is told.

use kgents_store::bus::{self, Batch, Reader};
use kgents_store::watch::{Link, WatchState};
use kgents_store::{Key, Novelty, Object};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::board::Boards;
use crate::kube::testing::{Answer, Server, line, page, raw, raw_event, status, until, write_kubeconfig};
use crate::options::Options;

/// Somebody who watches, and all that was heard.
struct Watcher {
    reader: Reader,
    heard: Batch,
    cancel: CancellationToken,
    options: Options,
    _folder: tempfile::TempDir,
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Watcher {
    fn new(server: &Server, change: impl FnOnce(&mut Options)) -> Self {
        let (folder, mut options) = server.kubeconfig();
        change(&mut options);
        let (bus, reader) = bus::new();
        let cancel = CancellationToken::new();
        options.layer = Some(Layer::Kube);
        tokio::spawn(crate::watch(options.clone(), bus, cancel.clone()));
        Self { reader, heard: Batch::default(), cancel, options, _folder: folder }
    }

    fn drain(&mut self) {
        let batch = self.reader.drain(usize::MAX);
        self.heard.changes.extend(batch.changes);
        self.heard.events.extend(batch.events);
        self.heard.control.extend(batch.control);
    }

    fn forget(&mut self) {
        self.drain();
        self.heard = Batch::default();
    }

    async fn until<T>(&mut self, what: &str, mut holds: impl FnMut(&Batch) -> Option<T>) -> T {
        until(what, || {
            self.drain();
            holds(&self.heard)
        })
        .await
    }

    /// Waits for a state of the watch of agents.
    async fn agents(&mut self, what: &str, holds: impl Fn(&WatchState) -> bool) -> kgents_store::watch::Watch {
        self.until(what, |heard| agents(heard).filter(|watch| holds(&watch.state)).last().cloned()).await
    }

    async fn change(&mut self, name: &str, version: Option<&str>) -> bool {
        let what = format!("{name} {version:?}");
        self.until(&what, |heard| {
            let mut found = heard.changes.iter().filter(|change| {
                let now = change.now.as_ref().map(|now| now.resource_version.as_str());
                change.key.name() == name && now == version
            });
            found.next().map(|change| change.novelty == Novelty::Initial)
        })
        .await
    }
}

fn agents(heard: &Batch) -> impl Iterator<Item = &kgents_store::watch::Watch> {
    heard.control.iter().filter_map(|control| match control {
        Control::Watch(Kind::Agent, watch) => Some(watch),
        _ => None,
    })
}

/// How a kind is heard now.
fn state(heard: &Batch, kind: Kind) -> Option<WatchState> {
    heard.control.iter().rev().find_map(|control| match control {
        Control::Watch(of, watch) if *of == kind => Some(watch.state.clone()),
        _ => None,
    })
}

fn links(heard: &Batch) -> impl Iterator<Item = &Link> {
    heard.control.iter().filter_map(|control| match control {
        Control::Rung(Layer::Kube, rung) => Some(&rung.link),
        _ => None,
    })
}

fn agent(name: &str, version: u32) -> Value {
    raw(Kind::Agent, "n", name, version)
}

const LIST: &str = "/apis/kgents.io/v1/agents";
const WATCH: &str = "/apis/kgents.io/v1/agents?watch";

fn listed(items: &[Value], version: u32) -> Answer {
    Answer::Text(200, page(items, version, None))
}

async fn serving(items: &[Value], version: u32) -> Server {
    let server = Server::start().await;
    server.on(LIST, listed(items, version)).on(WATCH, Answer::Stream(Vec::new()));
    server
}

#[tokio::test]
async fn the_scene_comes_first_then_state_then_news() {
    let server = serving(&[agent("a", 1)], 5).await;
    server.now(WATCH, Answer::Stream(vec![line("ADDED", &agent("b", 6)), line("DELETED", &agent("a", 7))]));
    let mut watcher = Watcher::new(&server, |_| {});
    let is_scene = |control: &&Control| matches!(control, Control::Scene(_));
    let scene = watcher.until("a scene", |heard| heard.control.iter().find(is_scene).cloned()).await;
    assert!(matches!(scene, Control::Scene(scene) if scene.context == "test" && scene.namespace.is_none()));
    let watch = watcher.agents("agents to be live", WatchState::is_live).await;
    assert!(watch.as_of.is_some());
    assert!(!watcher.change("b", Some("6")).await, "b is news");
    watcher.change("a", None).await;
    watcher
        .until("the link", |heard| {
            links(heard).find(|link| matches!(link, Link::Up { version } if version == "v1.2.3")).cloned()
        })
        .await;
    let missing = watcher
        .until("missing kinds", |heard| {
            let kinds: std::collections::BTreeSet<Kind> = heard
                .control
                .iter()
                .filter_map(|control| match control {
                    Control::Watch(kind, watch) if watch.state == WatchState::Missing => Some(*kind),
                    _ => None,
                })
                .collect();
            (kinds.len() == 7).then_some(kinds)
        })
        .await;
    assert!(!missing.contains(&Kind::Agent));
}

#[tokio::test]
async fn a_watch_that_ends_goes_on_where_it_was() {
    let server = serving(&[agent("a", 1)], 5).await;
    server.now(WATCH, Answer::Ended(vec![line("MODIFIED", &agent("a", 8))]));
    let mark = json!({ "kind": "Agent", "apiVersion": "kgents.io/v1", "metadata": { "resourceVersion": "20" } });
    server.on(WATCH, Answer::Ended(vec![line("BOOKMARK", &mark)]));
    server.on(WATCH, Answer::Stream(vec![line("MODIFIED", &agent("a", 21))]));
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.change("a", Some("21")).await;
    let from = |head: &String| head.contains("watch=true").then(|| head.contains("/agents?")).is_some_and(|is| is);
    let opened: Vec<String> = server.heads().into_iter().filter(from).collect();
    for (head, version) in opened.iter().zip(["5", "8", "20"]) {
        assert!(head.contains(&format!("resourceVersion={version} ")), "{head}");
        assert!(head.contains("allowWatchBookmarks=true") && head.contains("timeoutSeconds=290"), "{head}");
    }
    assert_eq!(server.count(LIST), 1, "nothing was listed again");
    assert_eq!(agents(&watcher.heard).filter(|watch| watch.state.is_live()).count(), 1, "it was live all the time");
}

#[tokio::test]
async fn too_old_a_version_loses_and_doubles_nothing() {
    let server = serving(&[agent("a", 1), agent("b", 2), agent("c", 3)], 5).await;
    let gone = json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old", "status": "Failure" });
    server.now(WATCH, Answer::Stream(vec![line("ERROR", &gone)])).on(WATCH, Answer::Stream(Vec::new()));
    server.on(LIST, listed(&[agent("a", 1), agent("b", 9), agent("d", 8)], 10));
    let mut watcher = Watcher::new(&server, |_| {});
    assert!(watcher.change("a", Some("1")).await, "a was there before us");
    watcher.change("b", Some("9")).await;
    watcher.change("c", None).await;
    assert!(!watcher.change("d", Some("8")).await, "d was born in the gap");
    until("the second watch", || (server.count(WATCH) == 2).then_some(())).await;
    watcher.drain();
    let of = |name: &str| watcher.heard.changes.iter().filter(|change| change.key.name() == name).count();
    assert_eq!(of("a"), 1, "a did not change");
    assert!(of("b") <= 2 && of("c") <= 2 && of("d") == 1);
}

#[tokio::test]
async fn one_bad_object_stops_no_stream() {
    let mut bad = agent("bad", 6);
    bad["spec"] = json!({ "genus": { "deep": 1 } });
    let server = serving(&[agent("a", 1)], 5).await;
    let lines = vec![line("ADDED", &bad), line("ADDED", &json!(5)), line("ADDED", &agent("b", 7))];
    server.now(WATCH, Answer::Stream(lines));
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.change("b", Some("7")).await;
    let bad = watcher.heard.changes.iter().find(|change| change.key.name() == "bad").unwrap();
    assert!(matches!(&bad.now.as_ref().unwrap().object, Object::Unreadable(_)));
    assert_eq!((server.count(LIST), server.count(WATCH)), (1, 1));
}

#[tokio::test]
async fn a_server_that_dies_is_down_and_comes_back_with_the_difference() {
    let server = serving(&[agent("a", 1)], 5).await;
    let port = server.port;
    server.on("/api/v1/pods", listed(&[], 5)).on("/api/v1/pods?watch", Answer::Stream(Vec::new()));
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.agents("agents to be live", WatchState::is_live).await;
    watcher.until("pods to be live", |heard| state(heard, Kind::Pod).filter(WatchState::is_live)).await;
    watcher.until("the link", |heard| links(heard).find(|link| matches!(link, Link::Up { .. })).cloned()).await;
    watcher.forget();
    drop(server);
    let (error, hint) = watcher
        .until("the link to be down", |heard| {
            links(heard).find_map(|link| match link {
                Link::Down { error, hint, .. } => Some((error.clone(), hint.clone())),
                _ => None,
            })
        })
        .await;
    assert!(error.contains(&port.to_string()) && hint.contains("/readyz"), "{error} {hint}");
    let failing = watcher.agents("agents to fail", |state| matches!(state, WatchState::Failing { .. })).await;
    assert!(failing.as_of.is_some());
    for kind in Kind::ALL {
        let failing = |state: &WatchState| matches!(state, WatchState::Failing { .. });
        watcher.until(&format!("{kind} to fail"), |heard| state(heard, kind).filter(failing)).await;
    }
    assert!(watcher.heard.changes.is_empty(), "what was known stays");
    tokio::time::sleep(Duration::from_secs(2)).await;
    watcher.forget();
    let server = Server::start_at(port).await;
    server.on(LIST, listed(&[agent("a", 1), agent("b", 6)], 7)).on(WATCH, Answer::Stream(Vec::new()));
    watcher.agents("agents to be live again", WatchState::is_live).await;
    assert!(!watcher.change("b", Some("6")).await);
    let names: Vec<&str> = watcher.heard.changes.iter().map(|change| change.key.name()).collect();
    assert_eq!(names, ["b"], "only the difference");
}

#[tokio::test]
async fn a_server_that_hangs_is_noticed_under_open_watches() {
    let server = serving(&[agent("a", 1)], 5).await;
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.agents("agents to be live", WatchState::is_live).await;
    server.now("/version", Answer::Hang);
    let failing = watcher.agents("agents to fail", |state| matches!(state, WatchState::Failing { .. })).await;
    assert!(matches!(&failing.state, WatchState::Failing { error, .. } if error.contains("did not answer within 2s")));
    watcher.forget();
    server.now("/version", Answer::Text(200, r#"{"gitVersion": "v2"}"#.into()));
    watcher.agents("agents to be live again", WatchState::is_live).await;
    watcher
        .until("the link", |heard| {
            links(heard).find(|link| matches!(link, Link::Up { version } if version == "v2")).cloned()
        })
        .await;
}

#[tokio::test]
async fn crds_that_are_installed_later_come_alive_by_themselves() {
    let server = Server::start().await;
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.agents("agents to be missing", |state| *state == WatchState::Missing).await;
    server.on(LIST, listed(&[agent("a", 1)], 5)).on(WATCH, Answer::Stream(Vec::new()));
    watcher.agents("agents to be live", WatchState::is_live).await;
    assert!(watcher.change("a", Some("1")).await);
}

#[tokio::test]
async fn where_the_whole_may_not_be_read_its_parts_are() {
    let server = Server::start().await;
    server.on(LIST, status(403, "Forbidden", "no"));
    server.on("/api/v1/namespaces", status(403, "Forbidden", "no"));
    let of = |namespace: &str| format!("/apis/kgents.io/v1/namespaces/{namespace}/agents");
    for namespace in ["kgents-ephemeral", "kgents-system", "default"] {
        server.on(&of(namespace), status(403, "Forbidden", "no"));
    }
    server.on(&of("kgents-agents"), listed(&[raw(Kind::Agent, "kgents-agents", "a", 1)], 5));
    server.on(&format!("{}?watch", of("kgents-agents")), Answer::Stream(Vec::new()));
    let mut watcher = Watcher::new(&server, |_| {});
    let watch = watcher.agents("agents to be live", WatchState::is_live).await;
    assert_eq!(watch.refused, ["default", "kgents-ephemeral", "kgents-system"]);
    watcher.change("a", Some("1")).await;
    assert!(agents(&watcher.heard).all(|watch| !matches!(watch.state, WatchState::Forbidden { .. })));
}

#[tokio::test]
async fn where_nothing_may_be_read_it_says_what_was_refused() {
    let server = Server::start().await;
    for path in [LIST.to_owned(), "/api/v1/namespaces".to_owned()] {
        server.on(&path, status(403, "Forbidden", "no"));
    }
    for namespace in ["kgents-agents", "kgents-ephemeral", "kgents-system", "default"] {
        server.on(&format!("/apis/kgents.io/v1/namespaces/{namespace}/agents"), status(403, "Forbidden", "no"));
    }
    let forbidden = |namespace: Option<&str>| WatchState::Forbidden {
        verb: "list".into(),
        resource: "agents.kgents.io".into(),
        namespace: namespace.map(str::to_owned),
    };
    let mut whole = Watcher::new(&server, |_| {});
    whole.agents("a refusal", |state| *state == forbidden(None)).await;
    let mut part = Watcher::new(&server, |options| options.namespace = Some("default".into()));
    part.agents("a refusal", |state| *state == forbidden(Some("default"))).await;
}

#[tokio::test]
async fn a_refused_watch_is_told_with_its_verb_and_never_as_live() {
    let server = serving(&[agent("a", 1)], 5).await;
    server.now(WATCH, status(403, "Forbidden", "no"));
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.agents("a refusal", |state| matches!(state, WatchState::Forbidden { verb, .. } if verb == "watch")).await;
    watcher.change("a", Some("1")).await;
    assert!(agents(&watcher.heard).all(|watch| !watch.state.is_live()));
}

#[tokio::test]
async fn events_wait_for_pods_and_only_ours_are_told() {
    let server = Server::start().await;
    let pods = "/api/v1/pods";
    server.on(pods, listed(&[raw(Kind::Pod, "n", "p", 1)], 5)).on("/api/v1/pods?watch", Answer::Stream(Vec::new()));
    let pod = |name: &str, version: u32, about: &str| raw_event(name, version, "v1", "Pod", "n", about);
    server.on("/api/v1/events", listed(&[pod("old", 2, "p"), pod("foreign", 3, "q")], 6));
    let news = vec![line("ADDED", &pod("new", 7, "p")), line("DELETED", &pod("old", 8, "p"))];
    server.on("/api/v1/events?watch", Answer::Stream(news));
    let mut watcher = Watcher::new(&server, |_| {});
    let names = watcher
        .until("events", |heard| {
            let names: Vec<String> = heard.events.iter().map(|event| event.key.name().to_owned()).collect();
            (names.len() >= 2).then_some(names)
        })
        .await;
    assert_eq!(names, ["old", "new"]);
    let heads = server.heads();
    let at = |path: &str| heads.iter().position(|head| head.contains(path)).unwrap();
    assert!(at("/api/v1/pods?") < at("/api/v1/events?"));
}

#[tokio::test]
async fn a_kubeconfig_that_changes_underneath_is_followed() {
    let first = serving(&[agent("a", 1), agent("b", 2)], 5).await;
    let second = serving(&[agent("b", 2), agent("c", 3)], 5).await;
    let mut watcher = Watcher::new(&first, |_| {});
    watcher.agents("agents to be live", WatchState::is_live).await;
    watcher.forget();
    let path = watcher.options.kubeconfig.clone().unwrap();
    std::fs::write(&path, "half {").unwrap();
    tokio::time::sleep(LOOK_EVERY + Duration::from_millis(500)).await;
    watcher.drain();
    assert!(watcher.heard.control.is_empty(), "what was good stays: {:?}", watcher.heard.control);
    write_kubeconfig(&path, &format!("http://127.0.0.1:{}", second.port), None);
    watcher.change("c", Some("3")).await;
    watcher.agents("agents to be live", WatchState::is_live).await;
    let changes: Vec<(Key, bool)> =
        watcher.heard.changes.iter().map(|change| (change.key.clone(), change.now.is_some())).collect();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes.contains(&(Key::new("n", "a"), false)));
    let told = |control: &Control| matches!(control, Control::Scene(scene) if scene.server.ends_with(&second.port.to_string()));
    assert!(watcher.heard.control.iter().any(told));
}

#[tokio::test]
async fn new_credentials_are_taken_up_without_a_new_list() {
    let server = serving(&[agent("a", 1)], 5).await;
    let mut watcher = Watcher::new(&server, |_| {});
    watcher.agents("agents to be live", WatchState::is_live).await;
    let path = watcher.options.kubeconfig.clone().unwrap();
    let old = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, old.replace(r#""token":"t""#, r#""token":"n3w""#)).unwrap();
    let renewed = |head: &String| head.to_lowercase().contains("authorization: bearer n3w");
    until("the new token", || server.heads().iter().any(renewed).then_some(())).await;
    assert_eq!((server.count(LIST), server.count(WATCH)), (1, 1));
}

#[tokio::test]
async fn without_a_kubeconfig_it_says_so_and_waits_for_one() {
    let server = serving(&[agent("a", 1)], 5).await;
    let mut path = None;
    let mut watcher = Watcher::new(&server, |options| {
        path.clone_from(&options.kubeconfig);
        std::fs::remove_file(path.as_ref().unwrap()).unwrap();
    });
    let is_down = |link: &&Link| matches!(link, Link::Down { .. });
    let down = watcher.until("the link to be down", |heard| links(heard).find(is_down).cloned()).await;
    assert!(matches!(&down, Link::Down { error, .. } if error.contains("there is no kubeconfig")), "{down:?}");
    write_kubeconfig(&path.unwrap(), &format!("http://127.0.0.1:{}", server.port), None);
    watcher.agents("agents to be live", WatchState::is_live).await;
}

#[tokio::test]
async fn a_task_that_panics_is_told_and_started_again() {
    let (bus, mut reader) = bus::new();
    let boards = Arc::new(Boards::new(&bus));
    let events = Arc::new(EventLog::new(bus.clone(), boards.clone()));
    let server = Server::start().await;
    let (_folder, options) = server.kubeconfig();
    let target = kubeconfig::target(&options, None).unwrap();
    let (wire, _) = connect(&target, Patience::Watch(ANSWER_LIMIT)).await.unwrap();
    let (reports, _inbox) = tokio::sync::mpsc::channel(1);
    let link = Arc::new(Teller::new(Layer::Kube, bus.clone(), reports));
    let session = Arc::new(Session::new(wire, target.scope, None, link, boards, events));
    let mut crew = Crew::new(session.clone(), bus);
    crew.follow();
    session.boards.of(Kind::Agent).live(&None).await;
    let id = crew.followers.spawn(async { panic!("oh\u{1b}[2J") }).id();
    crew.roles.insert(id, Role::Follow(Kind::Agent));
    let before = crew.roles.len();
    crew.keep().await;
    assert_eq!(crew.roles.len(), before, "another took its place");
    let _ = tokio::time::timeout(Duration::from_millis(100), crew.keep()).await;
    let heard = reader.drain(9);
    let died = heard.control.iter().find_map(|control| match control {
        Control::TaskDied { task, error } => Some((task.as_str(), error.as_str())),
        _ => None,
    });
    assert_eq!(died, Some(("kube/agents", "oh␛[2J")));
    let orphaned = |watch: &kgents_store::watch::Watch| matches!(&watch.state, WatchState::Failing { error, .. } if error.contains("our own task died"));
    assert!(agents(&heard).any(orphaned), "it is not live while nobody follows it");
}

#[test]
fn credentials_are_renewed_a_while_before_their_end_but_not_all_the_time() {
    let hour = clock::now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(renewal(hour), hour - RENEW_BEFORE);
    assert!(renewal(clock::now()) > clock::now() + Duration::from_secs(50));
    assert!(renewal(Timestamp::MIN) > clock::now());
}
