//! Each layer is killed and comes back under an open window.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;

use super::{AGENTS, Garden};
use crate::support::case::{Case, cases};
use crate::support::cluster::Own;
use crate::support::objects::agent;
use crate::support::pty::Pty;
use crate::support::servers::Mode;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        each_layer_falls_and_comes_back_in_every_order,
        with_everything_gone_the_ghost_is_there_at_once,
        a_cortex_that_is_frozen_or_deaf_is_left,
    ]
}

/// Who the header says speaks.
#[track_caller]
fn expect_badge(window: &Pty, badge: &str) {
    window.expect_screen(&format!("{badge} in the header"), |screen| {
        let header = screen.contents().lines().next().unwrap_or_default().to_owned();
        let said = |word: &str| header.split_whitespace().any(|other| other == word);
        said(badge) && ["LIVE", "K8S", "GHOST"].iter().all(|word| *word == badge || !said(word))
    });
}

/// The age that the header says, in seconds.
fn age(window: &Pty) -> Option<u64> {
    let header = window.screen().lines().next()?.to_owned();
    let rest = header.split("GHOST ").nth(1)?.split_whitespace().next()?.to_owned();
    let (number, unit) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
    let number: u64 = number.parse().ok()?;
    Some(if unit.starts_with('m') { number * 60 } else { number })
}

/// Holds that the cursor is where a person put it, and nobody is missing.
#[track_caller]
fn assert_kept(window: &Pty, chosen: &str, all: &[String]) {
    window.expect_screen(&format!("the cursor on {chosen}, and all of {all:?}"), |screen| {
        let text = screen.contents();
        text.lines().any(|line| line.contains('▌') && line.contains(chosen))
            && all.iter().all(|name| text.contains(name))
    });
}

/// What is done to a layer.
#[derive(Clone, Copy, Debug)]
enum Blow {
    KillCortex,
    StartCortex,
    ShutGate(Mode),
    OpenGate,
}

fn each_layer_falls_and_comes_back_in_every_order(own: Own) {
    use Blow::{KillCortex, OpenGate, ShutGate, StartCortex};

    let names: Vec<String> = ["a-gent", "b-gent", "c-gent"].map(str::to_owned).to_vec();
    let agents: Vec<_> = names.iter().map(|name| agent(name, "B")).collect();
    let garden = Garden::new(own.start_with_crds(), &agents);
    let mut cortex = Some(garden.cortex());
    let mut window = garden.user.window((200, 50), &["observe"]);
    expect_badge(&window, "LIVE");
    assert_kept(&window, "a-gent", &names);
    window.key("down");
    assert_kept(&window, "b-gent", &names);

    // Every way from each of the four states of the two live layers.
    let walk = [
        (KillCortex, "K8S"),
        (ShutGate(Mode::Closed), "GHOST"),
        (StartCortex, "LIVE"),
        (KillCortex, "GHOST"),
        (OpenGate, "K8S"),
        (StartCortex, "LIVE"),
        (ShutGate(Mode::Hung), "LIVE"),
        (OpenGate, "LIVE"),
        (ShutGate(Mode::Closed), "LIVE"),
        (KillCortex, "GHOST"),
        (StartCortex, "LIVE"),
        (KillCortex, "GHOST"),
        (OpenGate, "K8S"),
        (ShutGate(Mode::Hung), "GHOST"),
        (OpenGate, "K8S"),
        (StartCortex, "LIVE"),
    ];
    let mut all = names;
    let mut fell = Instant::now();
    for (step, (blow, badge)) in walk.into_iter().enumerate() {
        if step == walk.len() / 2 {
            // A Ghost that cannot be written any more changes nothing on the screen.
            let folder = garden.user.path(".kgents/ghost");
            std::fs::remove_dir_all(&folder).unwrap();
            std::fs::write(&folder, "in the way").unwrap();
        }
        match blow {
            KillCortex => {
                let cortex = cortex.take().unwrap();
                cortex.signal(Signal::KILL);
                drop(cortex);
            }
            StartCortex => cortex = Some(garden.cortex()),
            ShutGate(mode) => garden.gate.set(mode),
            OpenGate => garden.gate.set(Mode::Open),
        }
        let before = std::mem::replace(&mut fell, Instant::now());
        expect_badge(&window, badge);
        assert_kept(&window, "b-gent", &all);
        if badge == "GHOST" {
            // Born while nobody looks. It comes with whoever climbs back.
            let unseen = format!("born-{step}");
            garden.plant(&[agent(&unseen, "N")]);
            assert!(!window.screen().contains(&unseen), "{}", window.screen());
            let most = before.elapsed().as_secs() + 2;
            assert!(age(&window).is_some_and(|age| age <= most), "not older than {most} s:\n{}", window.screen());
            all.push(unseen);
        } else {
            let news = format!("n{step}");
            garden
                .cluster
                .kubectl(&["annotate", "agent", "-n", AGENTS, "c-gent", &format!("news={news}"), "--overwrite"])
                .ok();
            garden.plant(&[agent(&news, "N")]);
            window.expect(&format!("{news} "));
            all.push(news);
        }
    }
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn with_everything_gone_the_ghost_is_there_at_once(own: Own) {
    let garden = Garden::new(own.start_with_crds(), &[agent("a-gent", "B"), agent("b-gent", "T")]);
    garden.user.kgents(&["status"]).ok();
    for mode in [Mode::Closed, Mode::Hung] {
        garden.gate.set(mode);
        let mut window = garden.user.window((120, 40), &["observe"]);
        expect_badge(&window, "GHOST");
        for text in ["a-gent", "b-gent"] {
            window.expect(text);
        }
        window.expect(if mode == Mode::Hung { "did not answer" } else { "Silent since" });
        window.key("q");
        assert_eq!(window.ended().is_restored().code, 0);
    }
    // With no kubeconfig at all the Ghost says whose it is.
    let user = garden.user.var("KUBECONFIG", "/nowhere");
    let window = user.window((120, 40), &["observe"]);
    window.expect("terrarium-test");
    expect_badge(&window, "GHOST");
    window.expect("b-gent");
}

fn a_cortex_that_is_frozen_or_deaf_is_left(own: Own) {
    let garden = Garden::new(own.start_with_crds(), &[agent("a-gent", "B")]);
    let cortex = garden.cortex();
    let window = garden.user.window((200, 50), &["observe"]);
    expect_badge(&window, "LIVE");
    cortex.signal(Signal::STOP);
    expect_badge(&window, "K8S");
    garden.plant(&[agent("meanwhile", "N")]);
    window.expect("meanwhile");
    cortex.signal(Signal::CONT);
    expect_badge(&window, "LIVE");
    // It answers, but hears nothing itself: what it says is no longer live.
    garden.cluster.ask("kill kube-apiserver");
    expect_badge(&window, "GHOST");
    assert!(window.screen().contains("meanwhile"), "{}", window.screen());
    garden.cluster.ask("start kube-apiserver");
    expect_badge(&window, "LIVE");
    let phase = json!({ "status": { "phase": "Failed" } }).to_string();
    let patch = ["patch", "agent", "-n", AGENTS, "a-gent", "--subresource=status", "--type=merge", "-p", &phase];
    garden.cluster.kubectl(&patch).ok();
    window.expect("Failed");
}
