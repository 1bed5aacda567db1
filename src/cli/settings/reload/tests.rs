use std::ffi::OsString;
use std::path::Path;

use super::*;
use crate::args::Cli;

/// Writes a file as an editor does: beside it, then over it.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    std::fs::write(&beside, text).unwrap();
    std::fs::rename(beside, path).unwrap();
}

fn reload(path: &Path, line: &str) -> Reload {
    let global = Cli::read(format!("kgents status {line}").split_whitespace()).unwrap().global;
    Reload::with(&global, Env::of([("KGENTS_CONFIG".into(), OsString::from(path))]))
}

#[test]
fn the_last_good_one_stays_and_a_bad_state_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    replace(&path, "window.utc = true");
    let mut reload = reload(&path, "--context flag");
    assert!(reload.again().is_none(), "nothing changed since it was read");

    replace(&path, "window.ascii = true\nkube.context = 'file'");
    let good = reload.again().unwrap().unwrap();
    assert!(good.window.ascii && !good.window.utc);
    assert_eq!(good.kube.context.as_deref(), Some("flag"), "flags still win");
    assert!(reload.again().is_none());

    replace(&path, "window.acsii = true");
    let error = reload.again().unwrap().unwrap_err();
    assert!(error.ends_with("config.toml:1:8: unknown key `window.acsii`; did you mean `window.ascii`?"), "{error}");
    assert!(reload.again().is_none());
    replace(&path, "window.acsii = true\n");
    assert!(reload.again().is_none(), "the same is wrong with it");
    replace(&path, "window.uct = true");
    assert!(reload.again().unwrap().unwrap_err().contains("window.uct"));

    replace(&path, "window.utc = true");
    assert!(reload.again().unwrap().unwrap().window.utc);
    replace(&path, "window.uct = true");
    assert!(reload.again().unwrap().is_err(), "it was right in between");

    std::fs::remove_file(&path).unwrap();
    assert_eq!(reload.again().unwrap().unwrap().window, super::super::Window::default());
    assert!(reload.again().is_none());
    replace(&path, "window.utc = true");
    assert!(reload.again().unwrap().unwrap().window.utc);
}

#[tokio::test]
async fn a_change_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let mut reload = reload(&path, "");
    let interval = Duration::from_millis(5);
    let early = tokio::time::timeout(interval * 4, reload.changed_within(interval)).await;
    assert!(early.is_err(), "nothing changed");
    let ((), ()) = tokio::join!(reload.changed_within(interval), async {
        tokio::time::sleep(interval * 2).await;
        replace(&path, "window.utc = true");
    });
    assert!(reload.again().unwrap().unwrap().window.utc);
}

#[test]
fn a_file_beside_counts_too() {
    let folder = tempfile::tempdir().unwrap();
    let (path, theme) = (folder.path().join("config.toml"), folder.path().join("mine.toml"));
    replace(&path, "window.utc = true");
    let mut reload = reload(&path, "");
    reload.watch(Some(theme.clone()));
    assert!(reload.again().is_none());
    replace(&theme, "base = 'dark'");
    assert!(reload.again().unwrap().unwrap().window.utc);
    reload.watch(Some(theme.clone()));
    assert!(reload.again().is_none());
    reload.watch(None);
    replace(&theme, "base = 'light'");
    assert!(reload.again().is_none(), "it is nobody's any more");
}
