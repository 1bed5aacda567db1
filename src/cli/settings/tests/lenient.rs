//! Reading on past what is wrong.

use super::*;
use crate::settings::lenient;

fn read(text: &str, variables: &[(&str, &str)]) -> lenient::Reading {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).unwrap();
    lenient::read(&flags("-n x"), Some(Place { path, named_by: None }), &env(variables))
}

#[test]
fn what_is_right_counts_and_all_that_is_wrong_is_told() {
    let text = "layer = 'cloud'\n[kube]\ncontext = 'blue'\nnamespce = 'y'\n[cortex]\ntoken_file = '/none'\n";
    let found = read(text, &[("KGENTS_WINDOW_UTC", "often"), ("KGENTS_WINDOW_ASCII", "true")]);
    let kube = &found.settings.kube;
    assert_eq!((kube.context.as_deref(), kube.namespace.as_deref()), (Some("blue"), Some("x")));
    assert!(found.settings.window.ascii && found.settings.layer.is_none());
    let said: Vec<&str> = found.problems.iter().map(|problem| problem.sentence.as_str()).collect();
    assert_eq!(said.len(), 4, "{said:?}");
    assert_eq!(found.problems[3].place, "cortex.token_file");
    assert_eq!(found.keys, Some(2));
}

#[test]
fn where_nothing_can_be_read_the_flags_count() {
    for text in ["[kube", "kube = 5"] {
        let found = read(text, &[]);
        assert_eq!((found.problems.len(), found.settings.kube.namespace.as_deref()), (1, Some("x")), "{text}");
    }
    let found = read("", &[]);
    assert!(found.problems.is_empty() && found.warnings.is_empty());
}

#[cfg(unix)]
#[test]
fn a_pipe_to_which_nobody_writes_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        return;
    }
    let global = flags(&format!("--config {} -n x", pipe.display()));
    let found = lenient::read_within(&global, Duration::from_millis(50)).unwrap();
    assert_eq!(found.problems[0].sentence, "it was not read within 50ms");
    assert_eq!(found.settings.kube.namespace.as_deref(), Some("x"));
}
