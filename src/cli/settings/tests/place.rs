//! Where the file is, and files that cannot be read.

use tempfile::tempdir;

use super::*;

fn place(flag: Option<&str>, variables: &[(&str, &str)]) -> Option<(String, Option<&'static str>)> {
    let env = Env::of(variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
    Place::of(flag.map(Path::new), &env).map(|place| (place.path.display().to_string(), place.named_by))
}

#[test]
fn the_file_is_the_named_one_else_that_of_xdg_else_that_of_the_home() {
    let (home, xdg, own) = (("HOME", "/h"), ("XDG_CONFIG_HOME", "/x"), ("KGENTS_CONFIG", "k.toml"));
    let some = |path: &str, by| Some((path.to_owned(), by));
    assert_eq!(place(Some("f.toml"), &[home, xdg, own]), some("f.toml", Some("--config")));
    assert_eq!(place(None, &[home, xdg, own]), some("k.toml", Some("KGENTS_CONFIG")));
    assert_eq!(place(None, &[home, xdg, ("KGENTS_CONFIG", "")]), some("/x/kgents/config.toml", None));
    assert_eq!(place(None, &[home, ("XDG_CONFIG_HOME", "x")]), some("/h/.config/kgents/config.toml", None));
    assert_eq!(place(None, &[home]), some("/h/.config/kgents/config.toml", None));
    assert_eq!(place(None, &[("HOME", "h")]), None);
    assert_eq!(place(None, &[]), None);
}

#[test]
fn what_cannot_be_read_is_a_sentence() {
    let folder = tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("folder")).unwrap();
    std::fs::write(path("huge"), "#".repeat(1024 * 1024 + 1)).unwrap();
    std::fs::write(path("large"), "#".repeat(1024 * 1024)).unwrap();
    std::fs::write(path("latin"), b"layer = 'kube'\n# \xc3\xbc \xfc").unwrap();
    let read = |name: &str, named_by| {
        let read = Place { path: path(name), named_by }.read();
        read.map_err(|problem| problem.to_string().replace(&format!("{}/", folder.path().display()), ""))
    };
    assert_eq!(read("none", None), Ok(None));
    assert_eq!(read("large/none", None), Ok(None));
    for (by, expected) in [
        ("--config", "none: there is no such file, but --config names it"),
        ("KGENTS_CONFIG", "none: there is no such file, but KGENTS_CONFIG names it"),
    ] {
        assert_eq!(read("none", Some(by)).unwrap_err(), expected);
    }
    assert_eq!(read("folder", None).unwrap_err(), "folder: this is a folder, not a file");
    assert_eq!(read("huge", None).unwrap_err(), "huge: this is larger than 1 MiB, so it is no configuration");
    assert!(read("large", None).is_ok());
    assert_eq!(read("latin", None).unwrap_err(), "latin:2:5: this is not UTF-8");
}

#[cfg(unix)]
#[test]
fn strange_files_hold_nobody_up() {
    let at = |path: &str, named_by| Place { path: path.into(), named_by }.read().map_err(|problem| problem.sentence);
    assert_eq!(at("/dev/null", Some("--config")), Ok(Some(String::new())));
    assert_eq!(at("/dev/null", None).unwrap_err(), "this is no plain file");
    assert!(at("/dev/zero", Some("--config")).unwrap_err().contains("1 MiB"));
    let folder = tempdir().unwrap();
    let link = folder.path().join("loop");
    std::os::unix::fs::symlink(&link, &link).unwrap();
    let error = Place { path: link, named_by: None }.read().unwrap_err().to_string();
    assert!(error.contains("/loop: "), "{error}");
}
