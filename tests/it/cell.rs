//! The programs that run inside an agent's pod, on this machine.

use std::net::TcpStream;
use std::time::Instant;

use serde_json::Value;

use crate::support::case::{Case, cases};
use crate::support::http::ask;
use crate::support::stream::Stream;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        an_agent_says_who_it_is_logs_json_and_ends_when_told_to,
        a_state_outlives_the_d_gent_that_kept_it,
        a_placeholder_waits,
        a_port_that_is_taken_is_told,
    ]
}

/// Where a program listens, which its log says.
fn address(program: &Stream) -> String {
    let line = program.expect_value("word of where it listens", |line| line["message"] == "listening");
    line["address"].as_str().unwrap().to_owned()
}

fn an_agent_says_who_it_is_logs_json_and_ends_when_told_to() {
    let user = User::new()
        .var("KGENTS_AGENT", "b-gent")
        .var("KGENTS_GENUS", "B")
        .var("KGENTS_SAFEMODE", "1")
        .var("CORTEX_URL", "http://cortex:50051")
        // An agent's own setting, which is none of ours.
        .var("KGENTS_LAYER", "the seventh");
    let state = user.path("state");
    std::fs::create_dir(&state).unwrap();
    let user = user.var("KGENTS_STATE_PATH", state);
    let agent = user.follow(&["agent", "run", "--listen", "127.0.0.1:0"]);
    let address = address(&agent);
    let (status, about) = ask(&address, "GET", "/", "");
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!(status, 200);
    assert_eq!((about["name"].as_str(), about["genus"].as_str()), (Some("b-gent"), Some("B")));
    assert_eq!((about["safemode"].as_bool(), about["cortex"].as_str()), (Some(true), Some("http://cortex:50051")));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(&address, "GET", path, "").0, 200, "{path}");
    }

    // Somebody who holds a connection open does not hold it back.
    let idle = TcpStream::connect(&address).unwrap();
    let began = Instant::now();
    let ran = agent.end();
    assert!(began.elapsed().as_millis() < 1_500, "{:?}\n{ran}", began.elapsed());
    drop(idle);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    for line in ran.stdout.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
}

fn a_state_outlives_the_d_gent_that_kept_it() {
    let user = User::new();
    std::fs::create_dir(user.path("state")).unwrap();
    let user = {
        let state = user.path("state");
        user.var("KGENTS_STATE_PATH", state)
    };
    let start = || user.follow(&["agent", "d-gent", "--listen", "127.0.0.1:0"]);
    let first = start();
    let at = address(&first);
    assert_eq!(ask(&at, "PUT", "/v1/state/plan", "a garden").0, 201);
    first.end().ok();
    let second = start();
    assert_eq!(ask(&address(&second), "GET", "/v1/state/plan", ""), (200, "a garden".to_owned()));
    second.end().ok();
}

fn a_placeholder_waits() {
    let placeholder = User::new().follow(&["agent", "placeholder", "--listen", "127.0.0.1:0"]);
    assert_eq!(ask(&address(&placeholder), "GET", "/readyz", ""), (200, "ok\n".to_owned()));
    placeholder.end().ok();
}

fn a_port_that_is_taken_is_told() {
    let user = User::new();
    let first = user.follow(&["agent", "placeholder", "--listen", "127.0.0.1:0"]);
    let error = user.kgents(&["agent", "placeholder", "--listen", &address(&first)]).fails(1);
    assert!(error.contains("is in use") && error.contains("another address"), "{error}");
    let error = user.kgents(&["agent", "d-gent", "--json"]).fails(2);
    assert!(error.contains("takes no --output"), "{error}");
}
