use clap::Parser;

use super::*;
use crate::args::{Cli, Command};
use crate::testing::text;

/// Runs a command line on a file with this text.
fn run_with(file: &str, line: &str) -> (String, String, u8) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, file).unwrap();
    let name = path.display().to_string();
    let mut cli = Cli::parse_from(["kgents", "--config", &name].into_iter().chain(line.split_whitespace()));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    if cli.command.wants_settings() {
        let place = Place::of(cli.global.config.as_deref(), &Env::default());
        let (settings, _) = crate::settings::merge(&cli.global, place.as_ref(), &Env::default()).unwrap();
        cli.global.set(settings);
    }
    let Command::Config(args) = &cli.command else { panic!("{line}") };
    let ended = run(args, &cli.global, &mut Io { out: &mut out, err: &mut err });
    let code = ended.unwrap_or_else(|failure| failure.report(&mut err));
    (text(out).replace(&name, "FILE"), text(err).replace(&name, "FILE"), code as u8)
}

#[test]
fn it_shows_each_key_its_value_and_who_said_so() {
    let file = "[cortex]\ntoken = 's3cret'\n\n[kube]\ncontext = \"a\\u001b[2Jb\"\n";
    let (out, err, code) = run_with(file, "config -n x");
    assert_eq!((err.as_str(), code), ("", 0));
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    for expected in [
        ["KEY", "VALUE", "FROM"],
        ["layer", "—", "default"],
        ["cortex.token", "(set)", "FILE:2"],
        ["kube.context", "a␛[2Jb", "FILE:5"],
        ["kube.namespace", "x", "--namespace"],
        ["kube.request_timeout", "5s", "default"],
        ["window.mouse", "true", "default"],
    ] {
        assert!(lines.iter().any(|line| line.as_slice() == expected), "{expected:?}: {out}");
    }
    assert_eq!(lines.len(), keys::all().iter().filter(|key| !key.is_chord()).count() + 1);
    assert_eq!(run_with(file, "config show -n x").0, out);
}

#[test]
fn what_it_shows_is_json_too_and_never_a_token() {
    let (out, _, _) = run_with("[cortex]\ntoken = 's3cret'", "config show --json");
    assert!(!out.contains("s3cret"), "{out}");
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(answer["file"], "FILE");
    let settings = answer["settings"].as_array().unwrap();
    let find = |key: &str| settings.iter().find(|setting| setting["key"] == key).unwrap().clone();
    let told = |key: &str| ["value", "from", "at", "default", "variable"].map(|field| find(key)[field].clone());
    let variable = "KGENTS_CORTEX_TOKEN";
    assert_eq!(told("cortex.token"), ["(set)".into(), "file".into(), "FILE:2".into(), Value::Null, variable.into()]);
    assert_eq!(find("cortex.token")["description"], "The token that is sent to it. It is never printed.");
    assert_eq!(told("layer")[..3], [Value::Null, "default".into(), Value::Null]);
    assert_eq!((&told("window.mouse")[0], &told("kube.request_timeout")[3]), (&json!(true), &json!("5s")));
}

#[test]
fn a_check_tells_everything() {
    let bad = "lyer = 'x'\n[window]\nutc = 'yes'";
    let (out, err, code) = run_with(bad, "config check");
    assert_eq!((out.as_str(), code), ("", 1));
    assert_eq!(
        err,
        "error: FILE:1:1: unknown key `lyer`; did you mean `layer`?\n\
         error: FILE:3:7: window.utc: expected true or false, found \"yes\"\n\
         hint: kgents config schema\n"
    );
    let (out, _, code) = run_with(bad, "config check --json");
    let answer: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &answer["problems"][1]["line"], &answer["problems"][1]["column"]), (1, &json!(3), &json!(7)));
    assert_eq!(run_with("window.utc = true", "config check").0, "FILE is right: it sets 1 key\n");
    assert_eq!(run_with("", "config check").0, "FILE is right: it sets 0 keys\n");
    let (_, err, code) = run_with("", "config check /none");
    assert_eq!((err.as_str(), code), ("error: /none: there is no such file, but the command names it\n", 1));
}

#[test]
fn a_check_tells_both_places_of_a_key_that_means_two_things() {
    let file = "[keys]\nzoom = 'x'\n# and\nsort = 'x'\n  open = 's'\nzom = 'f5'\nquit = 'hyper-x'\n";
    let (out, err, code) = run_with(file, "config check");
    assert_eq!((out.as_str(), code), ("", 1));
    assert_eq!(
        err,
        "error: FILE:7:1: quit: no key is called `hyper-x`: write x, X, ctrl-x, alt-x, f5, enter, space or pagedown\n\
         error: FILE:6:1: no action is called `zom`; did you mean `zoom`?\n\
         error: FILE:4:1: x means both `sort` (in [keys], line 4) and `zoom` (in [keys], line 2) in agents\n\
         hint: kgents config keys\n"
    );
    let (_, err, _) = run_with("[window]\nkeymap = 'k9s'\n[keys]\nzoom = 'd'\n", "config check");
    assert!(err.contains("FILE:4:1: d means both `open` (by the keymap k9s) and `zoom` (in [keys], line 4)"), "{err}");
    assert_eq!(run_with("[keys]\nzoom = 'f5'\nquit = []", "config check").0, "FILE is right: it sets 2 keys\n");
}

#[test]
fn the_keys_are_printed_as_they_are_in_force() {
    let find = |out: &str, name: &str| {
        let line = out.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (out, err, code) = run_with("keys.zoom = ['f5', 'space']\nkeys.freeze = []", "config keys");
    assert_eq!((err.as_str(), code), ("", 0));
    assert_eq!(
        find(&out, "zoom"),
        ["zoom", "f5 space", "every pane", "give the focused pane the whole screen, and back"]
    );
    assert_eq!(find(&out, "freeze")[1], "—");
    let (out, err, _) = run_with("keys.zoom = 's'", "config keys");
    assert!(
        err.starts_with("warning: FILE:1: s means both `sort` (by default) and `zoom` (in [keys], line 1)"),
        "{err}"
    );
    assert_eq!(find(&out, "zoom")[1], "z");
    let (out, _, _) = run_with("window.keymap = 'k9s'", "config keys --json");
    let answer: Value = serde_json::from_str(&out).unwrap();
    let yaml = answer["keys"].as_array().unwrap().iter().find(|row| row["action"] == "yaml").unwrap().clone();
    assert_eq!((&yaml["keys"], &yaml["where"][0]), (&json!(["y"]), &json!("agents")));
}

#[test]
fn the_path_and_the_schema_need_no_good_file() {
    assert_eq!(run_with("this is not TOML", "config path"), ("FILE\n".into(), String::new(), 0));
    assert_eq!(run_with("x", "config path --json").0, "{\n  \"exists\": true,\n  \"path\": \"FILE\"\n}\n");
    let schema: Value = serde_json::from_str(&run_with("x", "config schema").0).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn the_themes_are_listed_with_their_colours() {
    let (out, err, code) = run_with("x", "config themes");
    assert_eq!((err.as_str(), code), ("", 0));
    let lines: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["NAME", "FROM", "COLOURS"]);
    assert_eq!(lines[1][..3], ["auto", "kgents", "dark"]);
    for (line, name) in lines[2..].iter().zip(NAMES) {
        assert_eq!((&line[..2], line.len()), (&[name, "kgents"][..], 5), "{line:?}");
    }
    let answer: Value = serde_json::from_str(&run_with("x", "config themes --json").0).unwrap();
    let dark = answer["themes"].as_array().unwrap().iter().find(|theme| theme["name"] == "dark").unwrap().clone();
    assert_eq!(dark["roles"]["moss"], "#7fc77a");
    assert_eq!(dark["ramp"].as_array().map(Vec::len), Some(9));
    assert_eq!((&dark["path"], &dark["problem"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_check_looks_at_the_theme_as_well() {
    let (_, err, code) = run_with("[window]\ntheme = 'drak'", "config check");
    assert_eq!(code, 1);
    assert!(err.starts_with("error: FILE:2: window.theme: there is no theme \"drak\", but auto, dark,"), "{err}");
    assert_eq!(run_with("window.theme = 'light'", "config check").0, "FILE is right: it sets 1 key\n");
}
