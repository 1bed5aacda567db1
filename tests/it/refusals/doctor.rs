//! `kgents doctor`, where hardly anything is well: it says so within a second,
//! and says nothing that is secret.

use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{FAILED, UNREACHABLE, assert_exists};
use crate::support::case::{Case, cases};
use crate::support::credentials::{anonymous, with_user};
use crate::support::place::Place;
use crate::support::process::Ran;
use crate::support::servers;
use crate::support::text::{HOSTILE, is_harmless};
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        with_everything_dead_it_takes_no_second,
        with_everything_hung_it_takes_no_second,
        without_a_home_it_says_what_is_missing,
        what_is_asked_for_may_be_one_layer,
        a_bad_configuration_is_told_and_the_rest_is_looked_at,
        a_ghost_that_is_a_file_is_told_as_such,
        no_secret_is_printed,
        what_a_server_says_cannot_touch_the_terminal,
        every_command_of_ours_that_it_names_exists,
        a_terminal_gets_signs_and_its_size,
        where_all_is_well_it_says_so,
        who_may_nothing_sees_each_refusal,
    ]
}

/// As long as all of it may take.
const SECOND: Duration = Duration::from_secs(1);

/// Holds that a command ends within a second. What a busy machine does to one
/// run it does not do to three.
#[track_caller]
fn assert_quick(user: &User, args: &[&str]) -> Ran {
    let mut took = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let ran = user.kgents(args);
        took.push(began.elapsed());
        if began.elapsed() < SECOND {
            return ran;
        }
    }
    panic!("{args:?} took {took:?}");
}

/// What it says as JSON, whatever its exit code.
#[track_caller]
fn answer(ran: &Ran, code: i32) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""), "{ran}");
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{ran}\n{error}"))
}

#[track_caller]
fn assert_says(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stdout.contains(word), "{word:?} is not in\n{ran}");
    }
}

/// One whose Cortex socket and API server accept and never answer.
fn hung(user: &str) -> (User, UnixListener, String) {
    let user = User::with_text(user);
    let socket = user.file("hung.sock", "");
    std::fs::remove_file(&socket).unwrap();
    let listener = UnixListener::bind(&socket).unwrap();
    (user, listener, format!("unix:{}", socket.display()))
}

fn with_everything_dead_it_takes_no_second() {
    let user = User::with_text(&anonymous(servers::NOBODY));
    let ran = assert_quick(&user, &["doctor"]);
    assert_says(
        &ran,
        &["kgents would show: nothing", "no Cortex listens at", "connection refused", "remembers nothing"],
    );
    assert!(ran.stdout.is_ascii(), "plain text where there is no terminal: {ran}");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(UNREACHABLE), ""), "{ran}");

    let answer = answer(&user.kgents(&["doctor", "--json"]), UNREACHABLE);
    let layers: Vec<&Value> = answer["layers"].as_array().unwrap().iter().map(|layer| &layer["layer"]).collect();
    assert_eq!(layers, ["grpc", "kube", "ghost"]);
    assert_eq!((&answer["speaks"], &answer["layers"][1]["up"]), (&Value::Null, &Value::Bool(false)), "{answer}");
    assert!(answer["layers"][1]["hint"].as_str().unwrap().starts_with("kubectl get --raw /readyz"), "{answer}");
    assert_eq!((&answer["clock"]["skew_ms"], &answer["ghost"]["exists"]), (&Value::Null, &Value::Bool(false)));
    assert!(answer["terminal"]["is_terminal"] == false && answer["config"]["good"] == true, "{answer}");
    for finding in answer["findings"].as_array().unwrap() {
        let severity = finding["severity"].as_str().unwrap();
        assert!(["ok", "note", "problem"].contains(&severity) && finding["text"].is_string(), "{finding}");
    }
}

fn with_everything_hung_it_takes_no_second() {
    let (user, _listener, socket) = hung(&anonymous(&servers::silent()));
    let ran = assert_quick(&user, &["doctor", "--cortex", &socket]);
    assert_says(&ran, &["hung.sock did not answer within 500ms", "did not answer within 700ms"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(UNREACHABLE), ""), "{ran}");
    assert_quick(&user, &["doctor", "--cortex", &socket, "--json"]);
    // A plugin that waits for a person is not waited for.
    let exec =
        json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "sleep", "args": ["60"] } });
    let user = User::with_text(&with_user(servers::NOBODY, &exec));
    let ran = assert_quick(&user, &["doctor"]);
    assert_says(&ran, &["the credential plugin `sleep 60` gave no credentials: it did not end within 700ms"]);
}

fn without_a_home_it_says_what_is_missing() {
    let mut user = User::new();
    for name in ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "TERM", "LANG"] {
        user = user.var(name, "");
    }
    let ran = assert_quick(&user, &["doctor"]);
    assert_says(&ran, &["there is no kubeconfig", "there is no home", "none are written: HOME is not set"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(UNREACHABLE), ""), "{ran}");
}

fn what_is_asked_for_may_be_one_layer() {
    let user = User::with_text(&anonymous(servers::NOBODY));
    let answer = answer(&user.kgents(&["doctor", "--json", "--layer", "kube"]), UNREACHABLE);
    let up = ["0", "1", "2"].map(|place| answer.pointer(&format!("/layers/{place}/up")).unwrap().clone());
    assert_eq!(up, [Value::Null, Value::Bool(false), Value::Null]);
    let ran = user.kgents(&["doctor", "--layer", "ghost"]);
    assert_says(&ran, &["not asked: only ghost is"]);
    ran.fails(UNREACHABLE);
}

fn a_bad_configuration_is_told_and_the_rest_is_looked_at() {
    let user = User::with_text(&anonymous(servers::NOBODY));
    let path = user.file("config.toml", "[window]\nutc = \"yes\"\n[kube]\nnamespace = \"mine\"\n");
    let user = user.var("KGENTS_CONFIG", path);
    let ran = user.kgents(&["doctor"]);
    assert_says(&ran, &["config.toml:2:7: window.utc: expected true or false", "next: kgents config schema"]);
    assert_says(&ran, &["Rights in namespace mine", "connection refused"]);
    ran.fails(UNREACHABLE);
    let answer = answer(&user.kgents(&["doctor", "--json"]), UNREACHABLE);
    let problem = &answer["config"]["problems"][0];
    assert_eq!(
        (&answer["config"]["good"], &problem["line"], &problem["column"]),
        (&false.into(), &2.into(), &7.into())
    );
}

fn a_ghost_that_is_a_file_is_told_as_such() {
    let user = User::new();
    let path = user.file("ghost", "boo");
    let name = path.display().to_string();
    let user = user.var("KGENTS_GHOST_DIR", path);
    let ran = user.kgents(&["doctor"]);
    assert_says(&ran, &["is a file, not a folder", "cannot be written there", &format!("next: mv {name} {name}.old")]);
    ran.fails(UNREACHABLE);
}

fn no_secret_is_printed() {
    let secrets = ["s3cr3t-t0k3n", "hunter2", "Y2VydGlmaWNhdGU9PT0"];
    let [token, password, data] = secrets;
    let server = servers::silent().replace("http://", &format!("http://ann:{password}@"));
    let refused = servers::NOBODY.replace("http://", &format!("http://ann:{password}@"));
    let exec = json!({ "exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "sh",
        "args": ["-c", format!("echo token={token} >&2; exit 1"), "--token", token, format!("--password={password}")],
    } });
    for text in [
        with_user(&server, &json!({ "token": token })),
        with_user(&refused, &json!({ "username": "ann", "password": password })),
        with_user(servers::NOBODY, &json!({ "client-certificate-data": data, "client-key-data": data })),
        with_user(servers::NOBODY, &exec),
        with_user("ftp://ann:hunter2@x", &json!({ "token": token })),
        format!("users: [{{ name: me, user: {{ token: {token}"),
    ] {
        let (user, _listener, socket) = hung(&text);
        let user = user.var("KGENTS_CORTEX_TOKEN", token);
        for args in [&["doctor", "--cortex", &socket][..], &["doctor", "--cortex", &socket, "--json"]] {
            let ran = user.kgents(args);
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(secrets.iter().all(|secret| !said.contains(secret)), "{ran}");
            ran.fails(UNREACHABLE);
        }
    }
}

fn what_a_server_says_cannot_touch_the_terminal() {
    let server = servers::answering("503 Service Unavailable", "text/plain", HOSTILE);
    let user = User::with_text(&anonymous(&server.url)).var("LANG", HOSTILE).var("TERM", HOSTILE);
    for args in [&["doctor"][..], &["doctor", "--json"]] {
        let ran = user.kgents(args);
        assert!(ran.stdout.chars().all(is_harmless), "{:?}", ran.stdout);
        assert!(ran.stdout.contains("red ␛[31m␇"), "{ran}");
        ran.fails(UNREACHABLE);
    }
}

fn every_command_of_ours_that_it_names_exists() {
    let bad = User::with_text(&anonymous(servers::NOBODY)).var("KGENTS_LAYER", "cloud").var("LANG", "C");
    let folder = bad.file("log", "");
    let users = [bad.var("XDG_STATE_HOME", folder), User::new(), User::new().var("HOME", ""), User::with_text("{}")];
    for user in &users {
        let ran = user.kgents(&["doctor"]);
        let named: Vec<&str> = ran.stdout.lines().filter_map(|line| line.trim().strip_prefix("next: ")).collect();
        assert!(!named.is_empty(), "{ran}");
        for command in named {
            let first = command.split(" FILE").next().unwrap_or_default();
            assert_exists(user, first.trim_end_matches(" --kubeconfig").trim_end_matches(" --log-file"));
        }
    }
}

fn a_terminal_gets_signs_and_its_size() {
    let user = User::new();
    let window = user.window((100, 50), &["doctor"]);
    let ended = window.ended();
    let screen = ended.screen.contents();
    for words in ["✗   kube", "·   grpc", "✓   size", "100x50", "a terminal"] {
        assert!(screen.contains(words), "{words:?} is not in\n{screen}");
    }
    assert_eq!(ended.code, UNREACHABLE.unsigned_abs());
}

fn where_all_is_well_it_says_so(place: &Place) {
    let answer = place.kgents(&["doctor", "--json", "-A"]).json();
    assert_eq!((&answer["speaks"], &answer["layers"][1]["up"]), (&json!("kube"), &json!(true)), "{answer}");
    assert!(answer["layers"][1]["version"].as_str().unwrap().starts_with("v1."), "{answer}");
    assert!(answer["layers"][1]["latency_ms"].as_u64().unwrap() < 700, "{answer}");
    let rights = answer["rights"].as_array().unwrap();
    assert_eq!(rights.len(), 28);
    for right in rights {
        assert_eq!((&right["allowed"], &right["error"]), (&json!(true), &Value::Null), "{right}");
    }
    let states: Vec<&Value> = answer["crds"].as_array().unwrap().iter().map(|crd| &crd["state"]).collect();
    assert_eq!(states, ["installed"; 5], "{answer}");
    assert!(answer["clock"]["skew_ms"].as_i64().unwrap().abs() <= 2_000, "{answer}");
    assert_eq!(answer["clock"]["of"], "kube");
    let page = place.kgents(&["doctor"]).ok();
    for words in ["kgents would show: kube", "installed, as ours", "as the API server's", "get list watch create"] {
        assert!(page.contains(words), "{words:?} is not in\n{page}");
    }
    assert!(page.contains(&format!("Rights in namespace {}", place.namespace)), "{page}");
    assert_quick(&place.user, &["doctor"]).ok();
}

fn who_may_nothing_sees_each_refusal(place: &Place) {
    let user = User::with(&place.cluster.cert(&format!("patient-{}", place.namespace)));
    let here = ["-n", &place.namespace];
    let ran = user.kgents(&[&["doctor"], &here[..]].concat());
    assert_says(&ran, &["kgents would show: kube", "not: get list watch", "served; you may not see"]);
    let command = format!("next: kubectl auth can-i list agents.kgents.io -n {}", place.namespace);
    assert_says(&ran, &[&command]);
    // Each of them can be typed as it stands.
    for line in ran.stdout.lines().filter_map(|line| line.trim().strip_prefix("next: kubectl ")) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        words.push("--help");
        place.kubectl(&words).ok();
    }
    let answer = answer(&user.kgents(&[&["doctor", "--json"], &here[..]].concat()), FAILED);
    for right in answer["rights"].as_array().unwrap() {
        assert_eq!((&right["allowed"], &right["error"]), (&json!(false), &Value::Null), "{right}");
    }
    assert_eq!(answer["crds"][0]["state"], "served", "{answer}");
    ran.fails(FAILED);
}
