//! Servers that do not answer as an API server does.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{UNREACHABLE, assert_all_refuse};
use crate::support::case::{Case, cases};
use crate::support::credentials::anonymous;
use crate::support::servers::{self, Server};
use crate::support::text::{HOSTILE, is_harmless};
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        a_port_at_which_nobody_listens,
        a_server_that_never_answers_costs_no_more_than_was_allowed,
        a_server_that_is_not_available,
        a_page_for_a_browser,
        json_that_is_no_answer,
        tls_that_is_none,
        observing_tells_each_and_goes_on,
        what_a_server_says_cannot_touch_the_terminal,
        requests_say_who_asks_and_for_whom,
    ]
}

/// A user whose API server this is said to be.
fn user(server: &Server) -> User {
    User::with_text(&anonymous(&server.url))
}

fn a_port_at_which_nobody_listens() {
    let user = User::with_text(&anonymous(servers::NOBODY));
    assert_all_refuse(&user, UNREACHABLE, &["cannot connect to http://127.0.0.1:", "connection refused"]);
}

fn a_server_that_never_answers_costs_no_more_than_was_allowed() {
    let user = User::with_text(&anonymous(&servers::silent()));
    assert_all_refuse(&user, UNREACHABLE, &["did not answer within "]);
    let began = Instant::now();
    let stderr = user.kgents(&["agents", "--request-timeout", "100ms"]).fails(UNREACHABLE);
    assert!(stderr.contains("did not answer within 100ms"), "{stderr}");
    // Far more than it should need, far less than for ever.
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}

fn a_server_that_is_not_available() {
    let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"etcd is on holiday","code":503}"#;
    let server = servers::answering("503 Service Unavailable", "application/json", status);
    assert_all_refuse(&user(&server), UNREACHABLE, &["is not available now: 503", "etcd is on holiday"]);
    let server = servers::answering("503 Service Unavailable", "text/html", "<html>no healthy upstream</html>");
    assert_all_refuse(&user(&server), UNREACHABLE, &["is not available now: 503", "no healthy upstream"]);
}

fn a_page_for_a_browser() {
    for status in ["200 OK", "403 Forbidden", "404 Not Found"] {
        let server = servers::answering(status, "text/html", "<!doctype html><title>Log in</title>");
        let user = user(&server);
        assert_all_refuse(&user, UNREACHABLE, &["does not look like a Kubernetes API server"]);
        let stderr = user.kgents(&["agents"]).fails(UNREACHABLE);
        assert!(stderr.contains("<!doctype html>"), "it says what it saw: {stderr}");
    }
}

fn json_that_is_no_answer() {
    let server = servers::answering("200 OK", "application/json", r#"{"kind": "Agent"#);
    let words = ["does not look like a Kubernetes API server"];
    assert_all_refuse(&user(&server), UNREACHABLE, &words);
}

fn tls_that_is_none() {
    let server = servers::answering("400 Bad Request", "text/plain", "speak up");
    let user = User::with_text(&anonymous(&server.url.replace("http://", "https://")));
    assert_all_refuse(&user, UNREACHABLE, &["no secure connection to", "http://"]);
}

fn observing_tells_each_and_goes_on() {
    let html = servers::answering("200 OK", "text/html", "<html>");
    for (url, words) in [
        (servers::NOBODY.to_owned(), "connection refused"),
        (servers::silent(), "did not answer"),
        (html.url, "does not look like"),
    ] {
        let user = User::with_text(&anonymous(&url));
        let stream = user.follow(&["observe", "--plain"]);
        stream.expect_words(&["down: ", words]);
        let ran = stream.end();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    }
}

fn what_a_server_says_cannot_touch_the_terminal() {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "message": HOSTILE, "code": 403 });
    let version = json!({ "gitVersion": HOSTILE, "major": "1", "minor": "36" });
    for (code, kind, body) in [
        ("403 Forbidden", "application/json", status.to_string()),
        ("503 Service Unavailable", "text/plain", HOSTILE.to_owned()),
        ("200 OK", "text/plain", HOSTILE.to_owned()),
        ("200 OK", "application/json", version.to_string()),
    ] {
        let server = servers::answering(code, kind, &body);
        let user = user(&server);
        let commands = [&["agents"][..], &["status"], &["status", "--json"], &["version"], &["observe", "--snapshot"]];
        let said = commands.map(|command| user.kgents(command).to_string());
        for text in &said {
            assert!(text.chars().all(is_harmless), "{text:?}");
        }
        assert!(said.iter().any(|text| text.contains("red ␛[31m␇")), "a sign stands where each was: {said:?}");
    }
}

fn requests_say_who_asks_and_for_whom() {
    let server = servers::answering("503 Service Unavailable", "text/plain", "");
    user(&server).kgents(&["agents", "--as", "ann", "--as-group", "a", "--as-group", "b"]).fails(UNREACHABLE);
    let heads = server.heads();
    assert_eq!(heads.len(), 3, "each kind that the table needs is asked once, and not again: {heads:?}");
    for head in heads {
        let agent = format!("user-agent: kgents/{}\r\n", env!("CARGO_PKG_VERSION"));
        for header in [&agent, "impersonate-user: ann\r\n", "impersonate-group: a\r\n", "impersonate-group: b\r\n"] {
            assert!(head.contains(header), "{header:?} is not in {head}");
        }
    }
}
