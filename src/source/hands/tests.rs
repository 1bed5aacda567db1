//! Requests against servers that misbehave, and the order in which they are
//! worked on.

mod logs;

use kgents_store::request::{Act, Logs, Seen};
use kgents_store::{Key, Kind};
use tokio::task::JoinHandle;

use super::*;
use crate::kube::testing::{Answer as Heard, Server, page, status, until, write_kubeconfig};

const EVENTS: &str = "/api/v1/namespaces/n/events";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const AGENT: &str = "/apis/kgents.io/v1/namespaces/n/agents/b-gent";

/// A window before a server.
struct Window {
    server: Server,
    folder: tempfile::TempDir,
    requests: Option<mpsc::Sender<Request>>,
    replies: mpsc::Receiver<Reply>,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

impl Window {
    async fn open() -> Self {
        Self::with_room(64).await
    }

    /// One that takes so many replies before it has to look at them.
    async fn with_room(room: usize) -> Self {
        let server = Server::start().await;
        let (folder, options) = server.kubeconfig();
        let ((requests, inbox), (outbox, replies)) = (mpsc::channel(2_000), mpsc::channel(room));
        let cancel = CancellationToken::new();
        let task = tokio::spawn(serve(options, inbox, outbox, cancel.clone()));
        Self { server, folder, requests: Some(requests), replies, cancel, task }
    }

    async fn send(&self, id: u64, ask: Ask) {
        self.requests.as_ref().unwrap().send(Request { id, ask }).await.unwrap();
    }

    async fn hear(&mut self) -> (u64, Answer) {
        let reply = timeout(Duration::from_secs(10), self.replies.recv()).await.expect("a reply in time").unwrap();
        (reply.id, reply.answer)
    }

    /// What is answered to a single request.
    async fn ask(&mut self, id: u64, ask: Ask) -> Answer {
        self.send(id, ask).await;
        let (heard, answer) = self.hear().await;
        assert_eq!(heard, id, "{answer:?}");
        answer
    }

    /// Waits until the server was asked so many times for a path.
    async fn asked(&self, path: &str, times: usize) {
        until(path, || (self.server.count(path) >= times).then_some(())).await;
    }

    fn is_silent(&mut self) -> bool {
        self.replies.try_recv().is_err()
    }
}

fn events() -> Ask {
    Ask::Events(Kind::Pod, Key::new("n", "p"))
}

fn delete() -> Ask {
    let seen = Seen { uid: "u".into(), resource_version: "1".into() };
    Ask::Act(Act::Delete { kind: Kind::Agent, key: Key::new("n", "b-gent"), seen })
}

fn review(user: &str) -> Heard {
    Heard::Text(201, serde_json::json!({ "status": { "userInfo": { "username": user } } }).to_string())
}

fn said(answer: Answer) -> String {
    match answer {
        Answer::Failed(problem) => problem.said,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_that_hangs_delays_nobody() {
    let mut window = Window::open().await;
    window.server.on(EVENTS, Heard::Hang).on(REVIEWS, review("ann"));
    window.send(1, events()).await;
    window.asked(EVENTS, 1).await;
    assert_eq!(window.ask(2, Ask::WhoAmI).await, Answer::You("ann".into()));
    assert_eq!(window.ask(3, Ask::WhoAmI).await, Answer::You("ann".into()));
    assert_eq!(window.server.count(REVIEWS), 1, "it is asked once for each connection");
}

#[tokio::test]
async fn who_comes_when_all_hands_are_full_waits_for_a_turn() {
    let mut window = Window::open().await;
    window.server.on(EVENTS, Heard::Hang).on(REVIEWS, review("ann"));
    for id in 0..AT_ONCE as u64 {
        window.send(id, events()).await;
    }
    window.asked(EVENTS, AT_ONCE).await;
    window.send(100, Ask::WhoAmI).await;
    window.send(101, Ask::WhoAmI).await;
    window.send(102, events()).await;
    // One that waits can be taken back, and is never begun.
    window.send(103, Ask::Cancel(100)).await;
    window.send(104, Ask::Cancel(102)).await;
    assert!(window.is_silent());
    window.send(105, Ask::Cancel(3)).await;
    assert_eq!(window.hear().await, (101, Answer::You("ann".into())));
    assert_eq!((window.server.count(EVENTS), window.is_silent()), (AT_ONCE, true));
}

#[tokio::test]
async fn requests_beyond_all_measure_are_told_so() {
    let mut window = Window::open().await;
    window.server.on(EVENTS, Heard::Hang);
    for id in 0..=(AT_ONCE + MAX_WAITING) as u64 {
        window.send(id, events()).await;
    }
    let (id, answer) = window.hear().await;
    assert_eq!(id, (AT_ONCE + MAX_WAITING) as u64);
    assert!(said(answer).contains("1000 requests wait already"));
}

#[tokio::test]
async fn a_request_that_was_cancelled_is_answered_no_more() {
    let mut window = Window::open().await;
    window.server.on(EVENTS, Heard::Hang).on(AGENT, Heard::Hang).on(REVIEWS, review("ann"));
    window.send(1, events()).await;
    window.send(2, delete()).await;
    window.asked(AGENT, 1).await;
    for (id, taken) in [(3, 1), (4, 2), (5, 99)] {
        window.send(id, Ask::Cancel(taken)).await;
    }
    assert_eq!(window.ask(6, Ask::WhoAmI).await, Answer::You("ann".into()));
    window.server.cut();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(window.is_silent());
    assert_eq!(window.server.count(AGENT), 1, "an act is sent once");
}

#[tokio::test]
async fn an_act_is_sent_once_whatever_happens() {
    let mut window = Window::open().await;
    let answers = [
        (status(503, "ServiceUnavailable", "not now"), false),
        (status(429, "TooManyRequests", "slow down"), false),
        (status(500, "InternalError", "etcdserver: request timed out"), true),
        (Heard::Text(502, "bad gateway".into()), true),
        (Heard::Raw(Vec::new()), true),
        (Heard::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".to_vec()), true),
    ];
    for (id, (answer, unknown)) in (1..).zip(answers) {
        window.server.now(AGENT, answer);
        let words = said(window.ask(id, delete()).await);
        assert_eq!(words.contains("it is not known whether it was done"), unknown, "{words}");
        assert_eq!(window.server.count(AGENT), usize::try_from(id).unwrap());
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_undoes_nothing() {
    let mut window = Window::open().await;
    window.server.on(AGENT, Heard::Text(200, "so be it".into()));
    assert_eq!(window.ask(1, delete()).await, Answer::Done("agent b-gent deleted".into()));
}

#[tokio::test]
async fn credentials_that_are_refused_are_read_again_for_the_next() {
    let mut window = Window::open().await;
    window.server.on(REVIEWS, review("ann")).on(EVENTS, status(401, "Unauthorized", "expired"));
    assert_eq!(window.ask(1, Ask::WhoAmI).await, Answer::You("ann".into()));
    assert!(said(window.ask(2, events()).await).contains("refuses the credentials"));
    window.server.now(REVIEWS, review("bob"));
    assert_eq!(window.ask(3, Ask::WhoAmI).await, Answer::You("bob".into()), "it connects anew");
    assert_eq!(window.server.count(EVENTS), 1, "and asks nothing twice");
}

#[tokio::test]
async fn a_kubeconfig_that_changes_is_read_again() {
    let mut window = Window::open().await;
    window.server.on(REVIEWS, review("ann"));
    assert_eq!(window.ask(1, Ask::WhoAmI).await, Answer::You("ann".into()));
    let other = Server::start().await;
    other.on(REVIEWS, review("bob"));
    write_kubeconfig(&window.folder.path().join("config"), &format!("http://localhost:{}", other.port), None);
    assert_eq!(window.ask(2, Ask::WhoAmI).await, Answer::You("bob".into()));
    std::fs::remove_file(window.folder.path().join("config")).unwrap();
    assert!(said(window.ask(3, Ask::WhoAmI).await).contains("there is no kubeconfig"));
}

#[tokio::test]
async fn what_is_not_ours_to_do_is_refused() {
    let mut window = Window::open().await;
    let switch = Ask::Switch { context: None, namespace: Some("x".into()) };
    assert!(said(window.ask(1, switch).await).contains("starting anew"));
    window.server.on(EVENTS, Heard::Text(200, page(&[], 1, None)));
    assert_eq!(window.ask(2, events()).await, Answer::Events(Vec::new()));
    let strange = Ask::Events(Kind::Pod, Key::new("n", "p,x=y"));
    assert!(said(window.ask(3, strange).await).contains("cannot be a name"));
}

#[tokio::test]
async fn all_ends_when_it_is_cancelled_or_nobody_can_ask_any_more() {
    for closes in [false, true] {
        let mut window = Window::open().await;
        window.server.on(EVENTS, Heard::Hang).on(AGENT, Heard::Hang);
        window.send(1, events()).await;
        window.send(2, delete()).await;
        window.asked(EVENTS, 1).await;
        window.asked(AGENT, 1).await;
        if closes {
            window.requests = None;
        } else {
            window.cancel.cancel();
        }
        timeout(LAST_WORDS * 4, &mut window.task).await.expect("an end in time").unwrap();
        assert!(window.is_silent());
    }
}

#[tokio::test]
async fn an_act_on_its_way_may_arrive_although_all_ends() {
    let mut window = Window::open().await;
    window.server.on(AGENT, Heard::Hang);
    window.send(1, delete()).await;
    window.asked(AGENT, 1).await;
    window.requests = None;
    tokio::time::sleep(Duration::from_millis(5)).await;
    window.server.cut();
    let words = said(window.hear().await.1);
    assert!(words.contains("it is not known whether it was done"), "{words}");
    timeout(LAST_WORDS * 4, &mut window.task).await.expect("an end in time").unwrap();
}
