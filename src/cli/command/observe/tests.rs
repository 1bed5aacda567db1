use kgents_store::bus::Control;
use kgents_store::watch::{Watch, WatchState};

use super::*;
use crate::settings::{Origin, Settings};
use crate::testing::{kube, live, scene, terrarium, up};

#[test]
fn a_snapshot_waits_for_each_kind_or_for_nobody() {
    let mut control: Vec<Control> = Kind::ALL.into_iter().map(live).collect();
    control.extend(up());
    control.push(scene());
    assert!(is_settled(&terrarium(control.clone(), Vec::new())));
    let listing = Watch { state: WatchState::Listing, ..Watch::default() };
    control.push(Control::Watch(Kind::Event, listing));
    assert!(!is_settled(&terrarium(control.clone(), Vec::new())));
    assert!(!is_settled(&Terrarium::default()));
    let down = Link::Down { since: crate::testing::noon(), error: "refused".into(), hint: String::new() };
    control.push(kube(down));
    assert!(is_settled(&terrarium(control, Vec::new())));
}

#[test]
fn a_flag_names_the_theme_before_anything_else_does() {
    let flags = |theme: Option<&str>| Flags {
        no_mouse: false,
        utc: false,
        ascii: false,
        write: false,
        theme: theme.map(Into::into),
    };
    let set = Window { theme: "mono".into(), ..Window::default() };
    assert_eq!(flags(None).over(&set).theme, "mono");
    assert_eq!(flags(Some("light")).over(&set).theme, "light");
    let settings = Settings::default();
    assert_eq!(flags(Some("light")).origin(&settings), Origin::Flag("--theme"));
    assert_eq!(flags(None).origin(&settings), Origin::Default);
}

#[test]
fn motion_is_as_somebody_says_else_less_over_ssh() {
    let env = |ssh: &str| Env::of([("SSH_TTY".into(), ssh.into())]);
    let window = |reduce_motion| Window { reduce_motion, ..Window::default() };
    assert!(calm(&window(None), &env("/dev/pts/3")) && !calm(&window(None), &env("")));
    assert!(!calm(&window(Some(false)), &env("/dev/pts/3")) && calm(&window(Some(true)), &env("")));
}

#[test]
fn a_problem_ends_as_a_sentence_does() {
    assert_eq!(told(&"f:1:2: found 5", "So."), "f:1:2: found 5. So.");
    assert_eq!(told(&"did you mean `x`?", "So."), "did you mean `x`? So.");
}
