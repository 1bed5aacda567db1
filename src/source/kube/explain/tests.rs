//! Against servers that misbehave for real.

use std::time::Duration;

use super::*;
use crate::Client;
use crate::kube::testing::{
    AUTHORITY, Answer, EXPIRED, GOOD, OTHER_AUTHORITY, Server, kubeconfig, provider, status, tls_server,
};
use crate::options::Options;

const AGENTS: &str = "/apis/kgents.io/v1/agents";

/// The error of a list of agents at this server.
async fn error_at(url: &str, authority: Option<&str>) -> SourceError {
    provider();
    let (_folder, options) = kubeconfig(url, authority);
    let options = Options { request_timeout: Some(Duration::from_millis(300)), ..options };
    let client = Client::connect(&options).await.unwrap();
    client.list(Kind::Agent, None).await.unwrap_err()
}

/// The error that this answer to a list of agents becomes.
async fn error_of(answer: Answer) -> SourceError {
    let server = Server::start().await;
    server.on(AGENTS, answer);
    // Without this, a refusal would be one of many namespaces.
    server.on("/api/v1/namespaces", Answer::Text(200, r#"{"items": []}"#.into()));
    error_at(&format!("http://127.0.0.1:{}", server.port), None).await
}

/// A port that nobody listens on.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_refused_connection_is_told_as_such() {
    let error = error_at(&format!("https://127.0.0.1:{}", free_port()), None).await;
    assert!(matches!(&error, SourceError::Connect { problem, .. } if problem == "connection refused"), "{error:?}");
    assert!(error.is_unreachable());
    assert_eq!(error.hint().as_deref(), Some("kubectl get --raw /readyz --context test"));
}

#[tokio::test]
async fn a_name_that_nobody_has_is_told() {
    let error = error_at("https://no-such-host.invalid:6443", None).await;
    // Where nothing resolves at all, it is the time that runs out.
    assert!(matches!(error, SourceError::Connect { .. } | SourceError::Timeout { .. }), "{error:?}");
    assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
}

#[tokio::test]
async fn a_server_that_hangs_is_left_after_the_time_limit() {
    let error = error_of(Answer::Hang).await;
    assert!(matches!(error, SourceError::Timeout { .. }), "{error:?}");
    assert!(error.is_unreachable());
}

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_left_too() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = error_at(&format!("https://127.0.0.1:{port}"), None).await;
    assert!(error.is_unreachable(), "{error:?}");
    let told = matches!(&error, SourceError::Timeout { .. })
        || matches!(&error, SourceError::Connect { problem, .. } if problem == "no connection in time");
    assert!(told, "{error:?}");
}

#[tokio::test]
async fn a_page_for_a_browser_is_no_api_server() {
    for (code, url) in [(200, AGENTS), (404, AGENTS), (403, AGENTS)] {
        let error = error_of(Answer::Text(code, "<html>\u{1b}[2J welcome</html>".into())).await;
        assert!(matches!(error, SourceError::NotKubernetes { .. }), "{code} {url}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("does not look like a Kubernetes API server") && text.contains("<html>␛[2J"), "{text}");
        assert!(error.is_unreachable());
    }
    let error = error_of(Answer::Text(302, "<a href=/login>".into())).await;
    assert!(matches!(error, SourceError::NotKubernetes { .. }), "{error:?}");
}

#[tokio::test]
async fn answers_that_nobody_can_serve_now_are_unavailable() {
    for (code, body) in [(503, "<html>"), (502, ""), (504, "upstream"), (429, "slow down")] {
        let error = error_of(Answer::Text(code, body.into())).await;
        assert!(matches!(&error, SourceError::Unavailable { code: said, .. } if *said == code), "{error:?}");
        assert!(error.is_unreachable());
    }
    let error = error_of(status(503, "ServiceUnavailable", "not ready")).await;
    assert!(error.to_string().ends_with("is not available now: 503 not ready"), "{error}");
}

#[tokio::test]
async fn refusals_say_what_was_refused() {
    let error = error_of(status(401, "Unauthorized", "Unauthorized")).await;
    assert!(matches!(error, SourceError::Unauthorized { .. }), "{error:?}");
    assert_eq!(error.hint().as_deref(), Some("kubectl auth whoami --context test"));
    let error = error_of(status(403, "Forbidden", "User \"jane\" cannot")).await;
    assert_eq!(error.to_string(), "not allowed to list agents.kgents.io: User \"jane\" cannot");
    assert!(!error.is_unreachable());
    let error = error_of(status(422, "Invalid", "spec.genus: no such")).await;
    assert_eq!(error, SourceError::Invalid { message: "spec.genus: no such".into() });
    let error = error_of(status(409, "Conflict", "changed")).await;
    assert_eq!(error, SourceError::Conflict { message: "changed".into() });
    let error = error_of(status(500, "InternalError", "oh")).await;
    assert_eq!(error, SourceError::Api { code: 500, message: "oh".into() });
}

#[tokio::test]
async fn an_unknown_resource_is_missing() {
    for answer in [Answer::Text(404, "404 page not found".into()), status(404, "NotFound", "could not find")] {
        let error = error_of(answer).await;
        assert_eq!(error, SourceError::Missing { resource: "agents.kgents.io".into() });
        assert_eq!(error.hint().as_deref(), Some("kgents crd install"));
    }
}

#[tokio::test]
async fn a_strange_answer_in_json_cannot_be_read() {
    let error = error_of(Answer::Text(200, "[1]".into())).await;
    assert!(matches!(error, SourceError::Unreadable { .. }), "{error:?}");
    let server = Server::start().await;
    server.now("/version", Answer::Text(200, "{\"a\": 1}".into()));
    let (_folder, options) = server.kubeconfig();
    let error = Client::connect(&options).await.unwrap().server_version().await.unwrap_err();
    assert!(matches!(error, SourceError::NotKubernetes { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let at = |port: u16| format!("https://127.0.0.1:{port}");
    let expired = error_at(&at(tls_server(EXPIRED)), Some(AUTHORITY)).await;
    assert!(expired.to_string().ends_with("its certificate has expired"), "{expired}");
    let stranger = error_at(&at(tls_server(GOOD)), Some(OTHER_AUTHORITY)).await;
    assert!(stranger.to_string().contains("an authority that the kubeconfig does not trust"), "{stranger}");
    let name = error_at(&format!("https://localhost:{}", tls_server(GOOD)), Some(AUTHORITY)).await;
    assert!(name.to_string().contains("its certificate is for another name"), "{name}");
    for error in [expired, stranger, name] {
        assert!(matches!(error, SourceError::Tls { .. }) && error.is_unreachable(), "{error:?}");
    }
}

#[tokio::test]
async fn http_and_https_mixed_up_are_told() {
    let server = Server::start().await;
    let error = error_at(&format!("https://127.0.0.1:{}", server.port), None).await;
    assert!(error.is_unreachable(), "{error:?}");
    let error = error_at(&format!("http://127.0.0.1:{}", tls_server(GOOD)), None).await;
    assert!(error.is_unreachable(), "{error:?}");
}

#[tokio::test]
async fn the_proxy_of_a_cluster_is_used() {
    let proxy = Server::start().await;
    let (_folder, options) = kubeconfig("http://10.255.255.1:6443", None);
    let path = options.kubeconfig.clone().unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    config["clusters"][0]["cluster"]["proxy-url"] = format!("http://127.0.0.1:{}", proxy.port).into();
    std::fs::write(&path, config.to_string()).unwrap();
    let client = Client::connect(&options).await.unwrap();
    let error = client.list(Kind::Agent, None).await.unwrap_err();
    assert!(matches!(error, SourceError::Connect { .. }), "{error:?}");
    assert!(proxy.heads()[0].starts_with("CONNECT 10.255.255.1:6443 "), "{:?}", proxy.heads());
}

#[test]
fn the_details_of_a_404_say_what_is_not_there() {
    let status = |kind: &str, name: &str| {
        let details = serde_json::json!({ "name": name, "kind": kind, "group": "kgents.io" });
        serde_json::from_value(serde_json::json!({ "code": 404, "reason": "NotFound", "details": details })).unwrap()
    };
    let ask = Ask::of("get", Kind::Agent, Some("n")).named("b");
    let found = |status: Status| explain(&Error::Api(Box::new(status)), &ask, &Arc::default()).to_string();
    assert_eq!(found(status("agents", "b")), "agents.kgents.io b not found in namespace n");
    assert_eq!(found(status("namespaces", "n")), "namespaces n not found");
    assert!(found(status("", "")).contains("CRDs are not installed"));
}
