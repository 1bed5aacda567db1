use std::ffi::OsString;

use tempfile::TempDir;

use super::*;

/// A home with these themes in its configuration directory.
fn themes(files: &[(&str, &str)]) -> (Themes, TempDir) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/kgents/themes");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let env = Env::of([(OsString::from("HOME"), home.path().into())]);
    (Themes::of(&env), home)
}

fn said(themes: &Themes, name: &str, home: &TempDir) -> String {
    let problem = themes.choose(name, "FILE:3").unwrap_err().to_string();
    problem.replace(&home.path().display().to_string(), "~")
}

#[test]
fn ours_and_ones_own_are_found_by_name() {
    let (themes, _home) = themes(&[("mine.toml", "base = 'light'\n[roles]\nmoss = '#123456'"), ("notes.txt", "")]);
    assert!(themes.find(AUTO).unwrap().is_none());
    for name in NAMES {
        assert_eq!(themes.find(name).unwrap().unwrap().name(), name);
    }
    let mine = themes.find("mine").unwrap().unwrap();
    assert_eq!((mine.name(), mine.rgb(theme::Role::Moss)), ("mine", (0x12, 0x34, 0x56)));
    assert_eq!(themes.own(), ["mine"]);
}

#[test]
fn a_name_of_ours_is_ours() {
    let (themes, _home) = themes(&[("dark.toml", "nonsense"), ("auto.toml", "nonsense"), (".hidden.toml", "")]);
    assert!(themes.find("dark").is_ok() && themes.find("auto").is_ok());
    assert_eq!(themes.own(), Vec::<String>::new());
}

#[test]
fn an_unknown_theme_is_told_with_those_that_there_are() {
    let (themes, home) = themes(&[("mine.toml", "base = 'dark'")]);
    let all = "auto, dark, light, high-contrast, colour-blind, mono and mine";
    for (name, expected) in [
        ("drak", format!("there is no theme \"drak\", but {all}. Did you mean dark?")),
        ("colorblind", format!("there is no theme \"colorblind\", but {all}. Did you mean colour-blind?")),
        ("mien", format!("there is no theme \"mien\", but {all}. Did you mean mine?")),
        ("../../secret", format!("there is no theme \"../../secret\", but {all}.")),
        (".", format!("there is no theme \".\", but {all}.")),
        ("a\u{1b}[2Jb", format!("there is no theme \"a␛[2Jb\", but {all}.")),
    ] {
        assert_eq!(said(&themes, name, &home), format!("FILE:3: window.theme: {expected}"));
    }
    let mut err = Vec::new();
    let code = themes.check_flag("drak").unwrap_err().report(&mut err);
    assert_eq!(code, Code::Usage);
    let expected = format!(
        "error: --theme: there is no theme \"drak\", but {all}. Did you mean dark?\nhint: kgents config themes\n"
    );
    assert_eq!(String::from_utf8(err).unwrap(), expected);
}

#[test]
fn a_bad_file_is_told_by_line_and_column() {
    let (themes, home) = themes(&[
        ("key.toml", "base = 'dark'\n\n[roles]\n  mos = '#123456'"),
        ("lacks.toml", "[roles]\nmoss = '#123456'"),
        ("colour.toml", "base = 'dark'\n[roles]\nmoss = 'green'"),
        ("text.toml", "# ünï\nbase ="),
    ]);
    let told = |name: &str| said(&themes, name, &home);
    let at = |place: &str| format!("~/.config/kgents/themes/{place}");
    assert_eq!(told("key"), at("key.toml:4:3: unknown key `roles.mos`; did you mean `roles.moss`?"));
    let colour = "colour.toml:3:8: roles.moss: expected a colour such as \"#7fc77a\", found \"green\"";
    assert_eq!(told("colour"), at(colour));
    assert!(told("lacks").starts_with(&at("lacks.toml:1:2: roles: there is no bg, raised, line,")));
    assert!(told("text").starts_with(&at("text.toml:2:7: this is not TOML:")), "{}", told("text"));
    // It is not wrong to name it: the window opens and says what is wrong.
    assert!(themes.check_flag("key").is_ok());
}

#[test]
fn without_a_home_there_are_ours() {
    let themes = Themes::of(&Env::default());
    assert!(themes.find("light").unwrap().is_some());
    assert!(matches!(themes.find("mine"), Err(Wrong::Unknown(_))));
}
