//! Logs as a kubelet sends them, and as it should not.

use super::*;

const POD: &str = "/api/v1/namespaces/n/pods/p";
const LOG: &str = "/api/v1/namespaces/n/pods/p/log";

fn logs(follow: bool) -> Ask {
    Ask::Logs(Logs {
        pod: Key::new("n", "p"),
        container: Some("logic".into()),
        previous: false,
        since_seconds: None,
        tail: 100,
        follow,
    })
}

/// A pod whose container `logic` is in this state.
fn pod(state: &serde_json::Value) -> Heard {
    let pod = serde_json::json!({
        "metadata": { "name": "p", "annotations": { "kubectl.kubernetes.io/default-container": "logic" } },
        "spec": { "containers": [{ "name": "side" }, { "name": "logic" }] },
        "status": { "containerStatuses": [{ "name": "logic", "state": state }] },
    });
    Heard::Text(200, pod.to_string())
}

impl Window {
    /// All lines of one request, by batch, and how they ended.
    async fn lines(&mut self, id: u64) -> (Vec<Vec<String>>, String) {
        let mut batches = Vec::new();
        loop {
            match self.hear().await {
                (heard, Answer::Lines(lines)) if heard == id => {
                    batches.push(lines.into_iter().map(String::from).collect());
                }
                (heard, Answer::LinesEnd(end)) if heard == id => return (batches, end),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn lines_come_as_they_are_written_until_nobody_wants_them() {
    let mut window = Window::open().await;
    let pieces = ["one\ntw", "o\n", "\u{1b}[31mred\u{1b}[0m\u{7}\n"].map(str::to_owned);
    window.server.on(LOG, Heard::Stream(pieces.to_vec())).on(REVIEWS, review("ann"));
    window.send(1, logs(true)).await;
    let mut all = Vec::new();
    while all.len() < 3 {
        match window.hear().await {
            (1, Answer::Lines(lines)) => all.extend(lines),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(all.iter().map(|line| &**line).collect::<Vec<_>>(), ["one", "two", "red␇"]);
    let head = window.server.heads().pop().unwrap();
    assert!(head.contains("follow=true&previous=false&container=logic&tailLines=100"), "{head}");
    assert_eq!(window.ask(2, Ask::WhoAmI).await, Answer::You("ann".into()));
    window.send(3, Ask::Cancel(1)).await;
    assert_eq!(window.ask(4, Ask::WhoAmI).await, Answer::You("ann".into()));
    window.server.cut();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(window.is_silent(), "not even that it ended");
}

#[tokio::test]
async fn the_end_of_a_container_is_told_with_its_reason() {
    let mut window = Window::open().await;
    let ended = serde_json::json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
    window.server.on(LOG, Heard::Ended(vec!["last words".into()])).on(POD, pod(&ended));
    window.send(1, logs(true)).await;
    let (batches, end) = window.lines(1).await;
    assert_eq!(batches, [["last words"]], "a last line needs no end");
    assert_eq!(end, "the container ended with exit code 137 (OOMKilled)");
    window.send(2, logs(false)).await;
    assert_eq!(window.lines(2).await.1, "these are all lines up to now");
    window.server.now(POD, status(404, "NotFound", "no such pod"));
    window.send(3, logs(true)).await;
    assert_eq!(window.lines(3).await.1, "the container ended");
}

#[tokio::test]
async fn the_main_container_is_taken_where_none_is_named() {
    let mut window = Window::open().await;
    window.server.on(LOG, Heard::Ended(Vec::new())).on(POD, pod(&serde_json::json!({})));
    let Ask::Logs(named) = logs(false) else { panic!() };
    let unnamed = Ask::Logs(Logs { container: None, ..named });
    window.send(1, unnamed.clone()).await;
    assert_eq!(window.lines(1).await.0, Vec::<Vec<String>>::new());
    let head = window.server.heads().pop().unwrap();
    assert!(head.contains("container=logic"), "the one that the pod calls its own: {head}");
    window.server.now(POD, status(403, "Forbidden", "no"));
    window.send(2, unnamed).await;
    window.lines(2).await;
    let head = window.server.heads().pop().unwrap();
    assert!(head.contains("/log?") && !head.contains("container="), "the API server chooses: {head}");
}

#[tokio::test]
async fn a_log_that_is_cut_in_the_middle_says_so() {
    let mut window = Window::open().await;
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let cut = [&head[..], b"8\r\none\ntwo\n\r\nff\r\nhalf a l"].concat();
    window.server.on(LOG, Heard::Raw(cut));
    for follow in [true, false] {
        window.send(u64::from(follow), logs(follow)).await;
        let (batches, end) = window.lines(u64::from(follow)).await;
        assert_eq!(batches.concat(), ["one", "two", "half a l"]);
        assert!(end.starts_with("the connection was cut"), "{end}");
    }
}

#[tokio::test]
async fn garbage_is_cleaned_and_long_lines_are_cut() {
    let mut window = Window::open().await;
    let mut body: Vec<u8> = (0..=255u8).filter(|byte| *byte != b'\n').collect();
    body.extend_from_slice(b"\n\0\0\n");
    body.extend(std::iter::repeat_n(b'x', 100_000));
    body.extend_from_slice(b"\nnext\n");
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    window.server.on(LOG, Heard::Raw([head.as_bytes(), &body].concat()));
    window.send(1, logs(false)).await;
    let lines = window.lines(1).await.0.concat();
    assert_eq!((lines.len(), lines[1].as_str(), lines[3].as_str()), (4, "␀␀", "next"));
    assert!(lines[2].len() <= crate::hands::lines::MAX_LINE && lines[2].ends_with("x…"));
    assert!(!lines.concat().chars().any(kgents_store::sanitize::is_unsafe));
}

#[tokio::test]
async fn what_the_api_server_says_instead_of_lines_is_told() {
    let mut window = Window::open().await;
    let words = "previous terminated container \"logic\" in pod \"p\" not found";
    window.server.on(LOG, status(400, "BadRequest", words));
    window.send(1, logs(false)).await;
    assert_eq!(window.hear().await, (1, Answer::LinesEnd(words.into())));
    window.server.now(LOG, status(403, "Forbidden", "User ann cannot"));
    let words = said(window.ask(2, logs(true)).await);
    assert!(words.contains("not allowed to get pods/log in namespace n"), "{words}");
    window.server.now(LOG, status(500, "InternalError", "dial tcp: no route to host"));
    assert!(said(window.ask(3, logs(true)).await).contains("no route to host"));
}

#[tokio::test]
async fn a_flood_waits_for_who_reads_and_nothing_is_lost() {
    let mut window = Window::with_room(1).await;
    let flood: Vec<String> = (0..10_000).map(|n| format!("line {n}")).collect();
    let pieces = flood.chunks(500).map(|piece| piece.join("\n") + "\n");
    window.server.on(LOG, Heard::Ended(pieces.collect()));
    window.send(1, logs(false)).await;
    window.asked(LOG, 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(window.replies.len(), 1, "the rest waits");
    let (batches, _) = window.lines(1).await;
    assert!(batches.iter().all(|batch| (1..=500).contains(&batch.len())), "no batch is larger, and none is empty");
    assert!(batches.len() <= 40, "{} batches for 10000 lines", batches.len());
    assert_eq!(batches.concat(), flood);
}
