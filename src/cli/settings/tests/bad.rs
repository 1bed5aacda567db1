//! What is wrong, and the exact words for it.

use super::*;

/// Files with the one thing that is wrong with each.
const FILES: &[(&str, &str)] = &[
    // Keys that there are not.
    ("lyer = 'kube'", "1:1: unknown key `lyer`; did you mean `layer`?"),
    ("\n\nLayer = 'kube'", "3:1: unknown key `Layer`; did you mean `layer`?"),
    ("utc = true", "1:1: unknown key `utc`; did you mean `window.utc`?"),
    ("[window]\n\tmose = true", "2:2: unknown key `window.mose`; did you mean `window.mouse`?"),
    ("[kube]\nrequest-timeout = '5s'", "2:1: unknown key `kube.request-timeout`; did you mean `kube.request_timeout`?"),
    ("[window]\ncontext = 'x'", "2:1: unknown key `window.context`; did you mean `kube.context`?"),
    ("[windw]\nutc = true", "1:2: unknown table `windw`; did you mean `window`?"),
    ("wondow.utc = true", "1:1: unknown table `wondow`; did you mean `window`?"),
    (
        "[kube.cache]\nx = 1",
        "1:7: unknown table `kube.cache`; there is all_namespaces, context, kubeconfig, namespace and request_timeout",
    ),
    ("fish = 1", "1:1: unknown key `fish`; there is layer, cortex, ghost, keys, kube, log, operator and window"),
    (
        "\"a\\u001b[2J\\nb\" = 1",
        "1:1: unknown key `a␛[2J b`; there is layer, cortex, ghost, keys, kube, log, operator and window",
    ),
    ("é.x = 1", "1:1: this is not TOML: invalid unquoted key, expected letters, numbers, `-`, `_`"),
    ("zoom = 'f5'", "1:1: unknown key `zoom`; did you mean `keys.zoom`?"),
    // Values of another type.
    ("[keys]\nzoom = 5", "2:8: keys.zoom: expected a key such as \"f5\", or a list of keys, found 5"),
    ("[keys]\nzoom = ['x', 5]", "2:8: keys.zoom: expected a key such as \"f5\", or a list of keys, found an array"),
    ("[keys]\nzoom = ''", "2:8: keys.zoom: expected a key such as \"f5\", or a list of keys, found an empty text"),
    ("[keys]\nx.y = 'z'", "2:1: keys.x: expected a key such as \"f5\", or a list of keys, found a table"),
    ("[window]\nkeymap = 'vi'", "2:10: window.keymap: expected default or k9s, found \"vi\""),
    ("[window]\nreduce_motion = 'no'", "2:17: window.reduce_motion: expected true or false, found \"no\""),
    ("[window]\nutc = \"yes\"", "2:7: window.utc: expected true or false, found \"yes\""),
    ("[window]\nutc = 1", "2:7: window.utc: expected true or false, found 1"),
    ("window = true", "1:10: window: expected a table, found true"),
    ("[[window]]\nutc = true", "1:1: window: expected a table, found an array"),
    ("[layer]\n", "1:1: layer: expected grpc, ghost or kube, found a table"),
    ("layer = ['kube']", "1:9: layer: expected grpc, ghost or kube, found an array"),
    ("[kube]\ncontext = 5", "2:11: kube.context: expected a text, found 5"),
    ("[kube]\ncontext = 1.50", "2:11: kube.context: expected a text, found 1.50"),
    ("[kube]\ncontext = 2026-01-01", "2:11: kube.context: expected a text, found 2026-01-01"),
    ("[kube]\ncontext = true", "2:11: kube.context: expected a text, found true"),
    ("[kube]\nnamespace = ''", "2:13: kube.namespace: expected a text such as \"kgents-agents\", found an empty text"),
    ("[kube]\nrequest_timeout = 5", "2:19: kube.request_timeout: expected a text such as \"5s\", found 5"),
    ("[ghost]\ndir = {}", "2:7: ghost.dir: expected a text such as \"~/.kgents/ghost\", found a table"),
    ("[operator]\nconcurrency = 0", "2:15: operator.concurrency: expected a whole number from 1 to 1024, found 0"),
    ("[operator]\nconcurrency = 1.5", "2:15: operator.concurrency: expected a whole number from 1 to 1024, found 1.5"),
    (
        "[operator]\nconcurrency = '8'",
        "2:15: operator.concurrency: expected a whole number from 1 to 1024, found \"8\"",
    ),
    (
        "[operator]\nmetrics_addr = '127.0.0.1'",
        "2:16: operator.metrics_addr: invalid socket address; write it as 127.0.0.1:8383, or as none; found \"127.0.0.1\"",
    ),
    ("[cortex]\ntoken = 12345", "2:9: cortex.token: expected a text, found a number"),
    // Values of the right type.
    ("layer = 'grcp'", "1:9: layer: expected grpc, ghost or kube, found \"grcp\"; did you mean grpc?"),
    ("layer = 'cloud'", "1:9: layer: expected grpc, ghost or kube, found \"cloud\""),
    (
        "[kube]\nrequest_timeout = '5'",
        "2:19: kube.request_timeout: a unit is missing: write it as 500ms, 5s, 1m or 1h30m; found \"5\"",
    ),
    (
        "[kube]\nrequest_timeout = '0s'",
        "2:19: kube.request_timeout: a duration is longer than nothing: write it as 500ms, 5s, 1m or 1h30m; found \"0s\"",
    ),
    (
        "[kube]\nrequest_timeout = \"5 p\\u001b\"",
        "2:19: kube.request_timeout: 'p␛' is no unit of time: write it as 500ms, 5s, 1m or 1h30m; found \"5 p␛\"",
    ),
    (
        "[cortex]\naddress = 'cortex:x'",
        "2:11: cortex.address: a port is a number from 1 to 65535: write it as 127.0.0.1:50051, unix:/run/cortex.sock or https://host:port; found \"cortex:x\"",
    ),
    (
        "[cortex]\ntoken = 'a b'",
        "2:9: cortex.token: a token has no spaces, line feeds or other characters than visible ASCII",
    ),
    (
        "[log]\nlevel = 'kgents=loud'",
        "2:9: log.level: error parsing level filter: expected one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", or a number 0-5; write it as debug, or as kgents_source=trace,warn; found \"kgents=loud\"",
    ),
    ("layer = \"\\u001b]0;x\\u0007\\u202e\"", "1:9: layer: expected grpc, ghost or kube, found \"␛]0;x␇\u{fffd}\""),
    // Values that contradict each other.
    ("[kube]\nall_namespaces = true\nnamespace = 'x'", "3:13: kube.namespace cannot be used with kube.all_namespaces"),
    ("[cortex]\ntoken = 'x'\ntoken_file = 'y'", "3:14: cortex.token_file cannot be used with cortex.token"),
    // What is not TOML.
    ("layer = kube", "1:9: this is not TOML: string values must be quoted, expected literal string"),
    ("[kube\ncontext = 'x'", "1:6: this is not TOML: unclosed table, expected `]`"),
    ("# ünï\nlayer = 'kube' x", "2:16: this is not TOML: unexpected key or value, expected newline, `#`"),
    ("layer = 'kube'\nlayer = 'grpc'", "2:1: this is not TOML: duplicate key"),
    ("ghost.dir = 'a'\n[ghost]\nkeep = true", "2:2: this is not TOML: duplicate key"),
    ("layer", "1:6: this is not TOML: key with no value, expected `=`"),
    ("\u{1b}[2J", "1:2: this is not TOML: key with no value, expected `=`"),
];

#[test]
fn each_bad_file_is_told_with_its_place() {
    let mut wrong = Vec::new();
    for (text, expected) in FILES {
        let expected = format!("/c/config.toml:{expected}");
        match merged(text, &[], "") {
            Err(error) if error == expected => {}
            other => wrong.push(format!("{text:?}\n    is {other:?}\n    not {expected}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_check_tells_all_that_is_wrong_in_the_order_of_the_file() {
    let text = "[window]\nutc = 1\nmose = true\n[kube]\ncontext = 'x'\n[cortex]\naddress = 'x:'\n[log]\nlvel = 'x'";
    let (layer, problems) = file::parse(text, Path::new("/f"), &keys::all(), &env(&[]));
    let lines: Vec<_> = problems.iter().map(|problem| problem.position.unwrap()).collect();
    assert_eq!(lines, [(2, 7), (3, 1), (7, 11), (9, 1)], "{:?}", told(&problems));
    assert_eq!(layer.len(), 1);
}

#[test]
fn bad_variables_are_told_by_name() {
    for (variables, expected) in [
        (&[("KGENTS_WINDOW_UTC", "yes")][..], "KGENTS_WINDOW_UTC: expected true or false, found \"yes\""),
        (&[("KGENTS_LAYER", "true")], "KGENTS_LAYER: expected grpc, ghost or kube, found \"true\""),
        (
            &[("KGENTS_KUBE_REQUEST_TIMEOUT", "5")],
            "KGENTS_KUBE_REQUEST_TIMEOUT: a unit is missing: write it as 500ms, 5s, 1m or 1h30m; found \"5\"",
        ),
        (
            &[("KGENTS_LOG", "kgents=loud")],
            "KGENTS_LOG: error parsing level filter: expected one of \"off\", \"error\", \"warn\", \"info\", \"debug\", \"trace\", or a number 0-5; write it as debug, or as kgents_source=trace,warn; found \"kgents=loud\"",
        ),
        (
            &[("KGENTS_KUBE_NAMESPACE", "x"), ("KGENTS_KUBE_ALL_NAMESPACES", "true")],
            "the environment: KGENTS_KUBE_ALL_NAMESPACES cannot be used with KGENTS_KUBE_NAMESPACE",
        ),
    ] {
        assert_eq!(merged("", variables, "").unwrap_err(), expected);
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf_8_is_told() {
    use std::os::unix::ffi::OsStringExt;
    let env = Env::of([("KGENTS_LAYER".into(), OsString::from_vec(b"\xff".to_vec()))]);
    let problem = layers::merge_text(&flags(""), None, &env).unwrap_err();
    assert_eq!(problem.to_string(), "KGENTS_LAYER: this is not UTF-8");
}

#[test]
fn a_problem_is_wrong_usage_and_names_the_next_command() {
    let said = |text: &str, variables: &[(&str, &str)]| {
        let place = Place { path: "/c/config.toml".into(), named_by: None };
        let problem = layers::merge_text(&flags(""), Some((text, &place)), &env(variables)).unwrap_err();
        let mut err = Vec::new();
        let code = layers::refused(&problem).report(&mut err);
        (String::from_utf8(err).unwrap(), code as u8)
    };
    let (text, code) = said("lyer = 1", &[]);
    assert_eq!(
        (text.as_str(), code),
        (
            "error: /c/config.toml:1:1: unknown key `lyer`; did you mean `layer`?\nhint: kgents config schema\n",
            crate::failure::Code::Usage as u8
        )
    );
    assert!(said("", &[("KGENTS_LAYER", "x")]).0.ends_with("hint: kgents config schema\n"));
    let missing = Place { path: "none.toml".into(), named_by: Some("--config") }.read().unwrap_err();
    let mut err = Vec::new();
    layers::refused(&missing).report(&mut err);
    assert_eq!(err, b"error: none.toml: there is no such file, but --config names it\n", "no key would help");
}
