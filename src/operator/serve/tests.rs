use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::metrics::exposition;

/// One that serves, and what it says of its health.
async fn served() -> (SocketAddr, Arc<AtomicBool>, CancellationToken, tokio::task::JoinHandle<std::io::Result<()>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let well = Arc::new(AtomicBool::new(true));
    let (ready, cancel) = (Arc::clone(&well), CancellationToken::new());
    let ready = move || {
        if ready.load(Ordering::Relaxed) { Ok(()) } else { Err("agents are not listed yet".to_owned()) }
    };
    let alive = || Ok(());
    let task = tokio::spawn(serve(listener, Arc::default(), ready, alive, || json!({ "queues": {} }), cancel.clone()));
    (address, well, cancel, task)
}

async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

async fn page(address: SocketAddr, path: &str) -> (String, String) {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")).await
}

#[tokio::test]
async fn every_page_is_there() {
    let (address, well, cancel, task) = served().await;
    let (head, body) = page(address, "/metrics").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{head}");
    assert!(exposition::parse(&body).unwrap().iter().any(|sample| sample.name == "kgents_build_info"), "{body}");
    for path in ["/healthz", "/readyz"] {
        let (head, body) = page(address, path).await;
        assert!(head.starts_with("HTTP/1.1 200") && body == "ok\n", "{head} {body}");
    }
    well.store(false, Ordering::Relaxed);
    let (head, body) = page(address, "/readyz").await;
    assert!(head.starts_with("HTTP/1.1 503") && body == "agents are not listed yet\n", "{head} {body}");
    assert!(page(address, "/healthz").await.0.starts_with("HTTP/1.1 200"));
    let (head, body) = page(address, "/debug/state").await;
    assert!(head.contains("application/json") && body.contains("\"queues\""), "{head} {body}");
    let (head, body) = page(address, "/nothing").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    for path in ["/metrics", "/healthz", "/readyz", "/debug/state"] {
        assert!(body.contains(path), "{body}");
    }
    let head = format!("HEAD /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let (head, body) = ask(address, &head).await;
    assert!(head.starts_with("HTTP/1.1 200") && body.is_empty(), "{head} {body}");
    let post = format!("POST /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    assert!(ask(address, &post).await.0.starts_with("HTTP/1.1 405"));
    cancel.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_state_is_told_to_this_machine_alone() {
    let (address, _, cancel, task) = served().await;
    let rebound = "GET /debug/state HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    let (head, _) = ask(address, rebound).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    cancel.cancel();
    task.await.unwrap().unwrap();
    let pages = Pages {
        metrics: Arc::default(),
        ready: Box::new(|| Ok(())),
        alive: Box::new(|| Ok(())),
        debug: Box::new(|| json!({})),
    };
    let pages = Arc::new(pages);
    for (peer, status) in [
        ("10.0.0.7:1", StatusCode::FORBIDDEN),
        ("[2001:db8::1]:1", StatusCode::FORBIDDEN),
        ("127.0.0.9:1", StatusCode::OK),
        ("[::1]:1", StatusCode::OK),
        ("[::ffff:127.0.0.1]:1", StatusCode::OK),
    ] {
        let peer = ConnectInfo(peer.parse().unwrap());
        assert_eq!(debug_page(State(Arc::clone(&pages)), peer, HeaderMap::new()).await.status(), status, "{peer:?}");
    }
    for here in ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8383", "[::1]", "[::1]:8383"] {
        assert!(is_here(here), "{here}");
    }
    for other in ["", "evil.example:8383", "10.0.0.1:8383", "localhost.evil.example", "127.0.0.1.evil:1", "[2001::1]:1"]
    {
        assert!(!is_here(other), "{other}");
    }
}

#[tokio::test]
async fn who_holds_a_connection_does_not_hold_the_end() {
    let (address, _, cancel, task) = served().await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /metr").await.unwrap();
    page(address, "/healthz").await;
    cancel.cancel();
    tokio::time::timeout(Duration::from_secs(20), task).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn an_operator_is_scraped_and_a_stranger_is_told_apart() {
    use crate::metrics::scrape::{ScrapeError, scrape};
    let limit = Duration::from_secs(10);
    let (address, _, cancel, task) = served().await;
    let samples = scrape(&address.to_string(), limit).await.unwrap();
    assert!(samples.iter().any(|sample| sample.name == "process_resident_memory_bytes"));
    cancel.cancel();
    task.await.unwrap().unwrap();
    assert!(matches!(scrape(&address.to_string(), limit).await, Err(ScrapeError::Io { .. })));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let other = tokio::spawn(async move {
        for answer in ["SSH-2.0-x\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\nno", "HTTP/1.1 200 OK\r\n\r\n<html>"] {
            let (mut stream, _) = listener.accept().await.unwrap();
            // What is left unread would make the end a reset.
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut asked).await.unwrap();
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    assert!(matches!(scrape(&address, limit).await, Err(ScrapeError::Stranger { .. })));
    let error = scrape(&address, limit).await.unwrap_err();
    assert!(error.to_string().contains("404"), "{error}");
    assert!(matches!(scrape(&address, limit).await, Err(ScrapeError::Unreadable { .. })));
    other.await.unwrap();
}
