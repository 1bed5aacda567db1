use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use super::environment::Env;
use super::file::{Place, Problem};
use super::*;
use crate::args::{Cli, Global};

mod bad;
mod golden;
mod lenient;
mod place;

fn env(variables: &[(&str, &str)]) -> Env {
    let home = [("HOME", "/home/u")];
    Env::of(home.iter().chain(variables).map(|(name, value)| (OsString::from(name), OsString::from(value))))
}

fn flags(line: &str) -> Global {
    Cli::read(format!("kgents {line} status").split_whitespace()).unwrap().global
}

/// Merges the text of a file, variables and flags.
fn merged(text: &str, variables: &[(&str, &str)], line: &str) -> Result<(Settings, Vec<String>), String> {
    let place = Place { path: "/c/config.toml".into(), named_by: None };
    layers::merge_text(&flags(line), Some((text, &place)), &env(variables)).map_err(|problem| problem.to_string())
}

fn settings(text: &str, variables: &[(&str, &str)], line: &str) -> Settings {
    merged(text, variables, line).unwrap().0
}

/// A file that sets every key.
const FULL: &str = r#"
layer = "ghost"
[kube]
kubeconfig = "~/kube"
context = "garden"
namespace = "kgents-agents"
all_namespaces = false
request_timeout = "1m30s"
[cortex]
address = "unix:/run/cortex.sock"
token = "s3cret"
[ghost]
dir = "/var/ghost"
keep = false
[window]
mouse = false
utc = true
ascii = true
theme = "light"
write = true
keymap = "k9s"
reduce_motion = false
[keys]
zoom = "f5"
quit = ["q", "ctrl-q"]
next-pane = []
[log]
level = "warn,kube=trace"
file = "kgents.log"
[operator]
agent_image = "a/b:1"
cortex_url = "http://c:1"
metrics_addr = "none"
concurrency = 4
lease_namespace = "garden"
allow_chaos = true
"#;

#[test]
fn every_key_of_the_file_is_read() {
    let settings = settings(FULL, &[], "");
    let expected = Settings {
        secret: None,
        layer: Some(LayerName::Ghost),
        kube: Kube {
            kubeconfig: Some("/home/u/kube".into()),
            context: Some("garden".into()),
            namespace: Some("kgents-agents".into()),
            all_namespaces: false,
            request_timeout: Limit(Duration::from_secs(90)),
        },
        cortex: Cortex {
            address: Some(Address(kgents_source::grpc::Address::Unix("/run/cortex.sock".into()))),
            token: Some(Token::try_from("s3cret".to_owned()).unwrap()),
            token_file: None,
        },
        ghost: Ghost { dir: Some("/var/ghost".into()), keep: false },
        window: Window {
            mouse: false,
            utc: true,
            ascii: true,
            theme: "light".into(),
            write: true,
            keymap: KeymapName::K9s,
            reduce_motion: Some(false),
        },
        keys: chords(&[("zoom", &["f5"]), ("quit", &["q", "ctrl-q"]), ("next-pane", &[])]),
        log: Log { level: Some(Filter("warn,kube=trace".into())), file: Some("/c/kgents.log".into()) },
        operator: Operator {
            agent_image: Some("a/b:1".into()),
            cortex_url: Some("http://c:1".into()),
            metrics_addr: Some(MetricsAddr(None)),
            concurrency: Workers(4),
            lease_namespace: Some("garden".into()),
            allow_chaos: true,
        },
        origins: settings.origins.clone(),
    };
    assert_eq!(settings, expected);
    assert_eq!(settings.cortex.token.as_ref().map(Token::reveal), Some("s3cret"));
    let unsaid: Vec<String> = keys::all()
        .iter()
        .filter(|key| !key.is_chord())
        .map(keys::Key::full)
        .filter(|key| *settings.origin(key) == Origin::Default)
        .collect();
    assert_eq!(unsaid, ["cortex.token_file"]);
    assert_eq!(settings.origin("keys.quit").to_string(), "/c/config.toml:25");
    assert_eq!(settings.origin("kube.context").to_string(), "/c/config.toml:5");
}

fn chords(of: &[(&str, &[&str])]) -> Chords {
    let own = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
    Chords(of.iter().map(|(name, keys)| ((*name).to_owned(), own(keys))).collect())
}

#[test]
fn the_operator_s_own_are_read_from_variables_too() {
    let variables = [("KGENTS_OPERATOR_CONCURRENCY", "3"), ("KGENTS_OPERATOR_METRICS_ADDR", ":9")];
    let found = settings("", &variables, "").operator;
    assert_eq!(
        (found.concurrency, found.metrics_addr),
        (Workers(3), Some(MetricsAddr(Some(([127, 0, 0, 1], 9).into()))))
    );
    let error = merged("", &[("KGENTS_OPERATOR_CONCURRENCY", "many")], "").unwrap_err();
    assert_eq!(error, "KGENTS_OPERATOR_CONCURRENCY: expected a whole number from 1 to 1024, found many");
}

#[test]
fn keys_of_the_keyboard_are_overruled_one_by_one_and_may_have_any_name() {
    let text = "[keys]\nzoom = 'f5'\nsort = 'f6'\n'a.b c' = 'x'\n";
    let found = settings(text, &[("KGENTS_KEYS_ZOOM", "f7 ctrl-z"), ("KGENTS_KEYS_NEXT_PANE", "f8")], "");
    let expected = [("zoom", &["f7", "ctrl-z"][..]), ("sort", &["f6"]), ("a.b c", &["x"]), ("next-pane", &["f8"])];
    assert_eq!(found.keys, chords(&expected));
    assert_eq!(found.origin("keys.zoom").to_string(), "KGENTS_KEYS_ZOOM");
}

#[test]
fn a_file_may_be_empty_or_hold_little_in_any_form() {
    let none = Settings::default();
    for text in ["", "\n# nothing\n", "\u{feff}", "[kube]\n[window]\n"] {
        assert_eq!(settings(text, &[], ""), none, "{text:?}");
    }
    for text in ["window.utc = true", "window = { utc = true }", "\u{feff}[window]\r\nutc = true\r\n"] {
        assert!(settings(text, &[], "").window.utc, "{text:?}");
    }
}

#[test]
fn flags_win_over_variables_and_these_over_the_file_and_that_over_the_defaults() {
    let text = "layer = 'kube'\n[kube]\ncontext = 'file'\nrequest_timeout = '1s'\n[log]\nlevel = 'info'\n";
    let variables = [
        ("KGENTS_LAYER", "ghost"),
        ("KGENTS_KUBE_CONTEXT", "variable"),
        ("KGENTS_KUBE_REQUEST_TIMEOUT", "2s"),
        ("KGENTS_LOG", "debug"),
    ];
    let line = "--layer grpc --context flag --request-timeout 5s --log-level trace";
    let told = |text: &str, variables: &[(&str, &str)], line: &str| {
        let settings = settings(text, variables, line);
        let from =
            ["layer", "kube.context", "kube.request_timeout", "log.level"].map(|key| settings.origin(key).word());
        assert!(from.windows(2).all(|pair| pair[0] == pair[1]), "{from:?}");
        let values = [
            settings.layer.map_or("—", LayerName::as_str).to_owned(),
            settings.kube.context.unwrap_or("—".into()),
            String::from(settings.kube.request_timeout),
            settings.log.level.map_or("—".into(), String::from),
        ];
        format!("{}: {}", from[0], values.join(" "))
    };
    assert_eq!(told("", &[], ""), "default: — — 5s —");
    assert_eq!(told(text, &[], ""), "file: kube file 1s info");
    assert_eq!(told(text, &variables, ""), "environment: ghost variable 2s debug");
    // That a flag says what the default is does not make it one.
    assert_eq!(told(text, &variables, line), "flag: grpc flag 5s trace");
    assert_eq!(told("", &variables, ""), "environment: ghost variable 2s debug");
    assert_eq!(told("", &[], line), "flag: grpc flag 5s trace");
}

#[test]
fn each_key_has_a_variable() {
    let variables = [
        ("KGENTS_WINDOW_MOUSE", "false"),
        ("KGENTS_WINDOW_UTC", "true"),
        ("KGENTS_WINDOW_THEME", "mono"),
        ("KGENTS_WINDOW_WRITE", "true"),
        ("KGENTS_WINDOW_KEYMAP", "k9s"),
        ("KGENTS_WINDOW_REDUCE_MOTION", "true"),
        ("KGENTS_CORTEX_TOKEN_FILE", "token"),
        ("KGENTS_GHOST_DIR", "/g"),
        ("KGENTS_KUBE_ALL_NAMESPACES", "true"),
        // One that is empty is none.
        ("KGENTS_KUBE_CONTEXT", ""),
    ];
    let read = settings("[window]\nutc = false\nascii = true", &variables, "");
    assert_eq!(
        read.window,
        Window {
            mouse: false,
            utc: true,
            ascii: true,
            theme: "mono".into(),
            write: true,
            keymap: KeymapName::K9s,
            reduce_motion: Some(true),
        }
    );
    // Beside what would they lie? Beside where one is.
    assert_eq!(read.cortex.token_file.as_deref(), Some(Path::new("token")));
    assert_eq!((read.ghost.dir.as_deref(), read.kube.all_namespaces), (Some(Path::new("/g")), true));
    assert_eq!(*read.origin("kube.context"), Origin::Default);
    for (variables, expected) in [
        (vec![("KGENTS_CORTEX", "a:1")], "a:1"),
        (vec![("KGENTS_CORTEX_ADDRESS", "b:2")], "b:2"),
        (vec![("KGENTS_CORTEX", "a:1"), ("KGENTS_CORTEX_ADDRESS", "b:2")], "b:2"),
    ] {
        let address = settings("", &variables, "").cortex.address;
        assert_eq!(address.map(String::from).as_deref(), Some(expected), "{variables:?}");
    }
}

#[test]
fn of_what_contradicts_itself_the_later_layer_counts() {
    let scope = |text: &str, variables: &[(&str, &str)], line: &str| {
        let kube = settings(text, variables, line).kube;
        (kube.namespace, kube.all_namespaces)
    };
    let (one, all) = ((Some("x".to_owned()), false), (None, true));
    assert_eq!(scope("kube.namespace = 'x'", &[], "-A"), all);
    assert_eq!(scope("kube.all_namespaces = true", &[], "-n x"), one);
    assert_eq!(scope("kube.all_namespaces = true", &[("KGENTS_KUBE_NAMESPACE", "x")], ""), one);
    assert_eq!(scope("", &[("KGENTS_KUBE_NAMESPACE", "x")], "-A"), all);
    assert_eq!(scope("[kube]\nnamespace = 'x'\nall_namespaces = false", &[], ""), one);
    let token = settings("cortex.token = 'x'", &[("KGENTS_CORTEX_TOKEN_FILE", "/t")], "").cortex;
    assert_eq!((token.token, token.token_file), (None, Some("/t".into())));
    let token = settings("cortex.token_file = '/t'", &[("KGENTS_CORTEX_TOKEN", "x")], "").cortex;
    assert_eq!((token.token.is_some(), token.token_file), (true, None));
}

#[test]
fn the_kubeconfig_of_the_shell_counts_more_than_that_of_the_file() {
    let shell = [("KUBECONFIG", "/a:/b")];
    let read = settings("kube.kubeconfig = '/f'", &shell, "");
    assert_eq!((read.kube.kubeconfig.clone(), read.origin("kube.kubeconfig").to_string()), (None, "KUBECONFIG".into()));
    let ours = [shell[0], ("KGENTS_KUBE_KUBECONFIG", "/v")];
    assert_eq!(settings("kube.kubeconfig = '/f'", &ours, "").kube.kubeconfig, Some("/v".into()));
    assert_eq!(settings("kube.kubeconfig = '/f'", &shell, "--kubeconfig /x").kube.kubeconfig, Some("/x".into()));
}

#[test]
fn a_token_is_never_printed() {
    let read = settings("cortex.token = 's3cret'", &[], "");
    for text in [format!("{read:?}"), serde_json::to_string(&read).unwrap()] {
        assert!(text.contains("(set)") && !text.contains("s3cret"), "{text}");
    }
    for (text, variables) in [
        ("cortex.token = 's3cret '", &[][..]),
        ("cortex.token = 's3cret\u{a0}'", &[]),
        ("cortex.token = ['s3cret']", &[]),
        ("cortex.token = 53", &[]),
        ("[cortex]\ntoken = 's3cret'\ntoken_file = '/x'", &[]),
        ("", &[("KGENTS_CORTEX_TOKEN", "s3cret\n")]),
        ("cortex.address = 'https://me:s3cret@host'", &[]),
        ("cortex.token = 's3cret", &[]),
    ] {
        let error = merged(text, variables, "").unwrap_err();
        assert!(!error.contains("s3cret") && !error.contains("53"), "{error}");
    }
}

#[test]
fn a_variable_that_is_nearly_one_of_ours_warns() {
    for (name, expected) in [
        ("KGENTS_WINDOW_UCT", Some("KGENTS_WINDOW_UTC")),
        ("KGENTS_LAYR", Some("KGENTS_LAYER")),
        ("KGENTS_CONFG", Some("KGENTS_CONFIG")),
        ("KGENTS_LOG_LEVELS", Some("KGENTS_LOG_LEVEL")),
        ("KGENTS_FAVOURITE_FISH", None),
        ("KGENTS_CORTEX_SERVICE_HOST", None),
        ("KGENTS_BLESS", None),
        ("KGENTS_TEST_UTC", None),
        ("KGENTS_PTY_LOG", None),
        ("KGENTS_AGENT", None),
        ("KGENTS_GENUS", None),
        ("KGENTS_STATE_PATH", None),
        ("KGENTS_SAFEMODE", None),
        ("OTHER_LAYER", None),
    ] {
        let (read, warnings) = merged("", &[(name, "x")], "").unwrap();
        assert_eq!(read, Settings::default(), "{name}");
        let expected = expected.map(|near| format!("{name} means nothing; did you mean {near}?"));
        assert_eq!(warnings, Vec::from_iter(expected), "{name}");
    }
}

#[test]
fn without_a_file_and_variables_flags_are_all_there_is() {
    let global = flags("--context x");
    let (read, warnings) = layers::merge_text(&global, None, &env(&[])).unwrap();
    assert_eq!((&read, warnings.len()), (&of_flags(&global), 0));
    assert_eq!(read.kube.context.as_deref(), Some("x"));
    assert_eq!(read.origin("kube.context").to_string(), "--context");
}

#[test]
fn addresses_are_read_and_written() {
    let read = |text: &str| text.parse::<Address>().map(String::from);
    for (text, expected) in [
        ("127.0.0.1:50051", "127.0.0.1:50051"),
        ("http://cortex:50051/", "cortex:50051"),
        ("http://cortex", "cortex:50051"),
        ("cortex", "cortex:50051"),
        ("[::1]", "[::1]:50051"),
        ("https://cortex.example.org", "https://cortex.example.org:443"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("https://[::1]", "https://[::1]:443"),
        ("[::1]:50051", "[::1]:50051"),
        ("unix:/run/c.sock", "unix:/run/c.sock"),
        ("unix:///run/c.sock", "unix:/run/c.sock"),
    ] {
        assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, expected) in [
        ("::1:50051", "that is no host"),
        ("cortex:0", "a port is a number"),
        ("cortex:65536", "a port is a number"),
        ("cortex:", "a port is a number"),
        (":50051", "that is no host"),
        ("a b:1", "that is no host"),
        ("unix:c.sock", "absolute path"),
        ("ftp://cortex", "neither http nor https"),
        ("https://cortex/x", "no path"),
        ("https://me:pw@cortex", "no user"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.contains(expected) && error.contains("127.0.0.1:50051"), "{text}: {error}");
    }
}

fn told(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
