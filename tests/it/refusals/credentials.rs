//! Credentials that are not good, and plugins that make trouble.

use super::{ASKING, FAILED, UNREACHABLE, assert_all_refuse, assert_refused};
use crate::support::case::{Case, cases};
use crate::support::credentials::{anonymous, from_plugin, through_proxy};
use crate::support::objects::agent;
use crate::support::place::Place;
use crate::support::process::run;
use crate::support::servers;
use crate::support::user::{KGENTS, User};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        an_expired_certificate_is_told_as_such,
        a_plugin_that_talks_and_listens_disturbs_nobody,
        a_plugin_that_fails_is_told_with_what_it_said,
        a_plugin_that_is_not_installed,
        a_proxy_is_used,
        every_command_of_kubectl_that_is_named_exists,
    ]
}

fn an_expired_certificate_is_told_as_such(place: &Place) {
    let user = User::with(&place.cluster.cert("--expired ann"));
    assert_all_refuse(&user, FAILED, &["refuses the credentials", "the client certificate expired on "]);
}

/// The plugin of a person who is an administrator.
fn plugin(place: &Place, script: &str) -> User {
    let kubeconfig = std::fs::read_to_string(place.kubeconfig()).unwrap();
    User::with_text(&from_plugin(&kubeconfig, script))
}

fn a_plugin_that_talks_and_listens_disturbs_nobody(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    // It would wait for ever for a person who types, and takes what it gets.
    let user =
        plugin(place, r#"echo "please log in" >&2; typed=$(cat); test -z "$typed" || exit 9; printf %s "$ANSWER""#);
    let ran = run(user.command(KGENTS, &["agents", "-o", "name"]), "these keys are not for the plugin\n");
    assert_eq!(ran.stderr, "", "{ran}");
    assert_eq!(ran.ok(), "agent.kgents.io/b-gent\n");

    let mut window = user.window((100, 30), &["observe"]);
    window.expect("b-gent");
    assert!(!window.screen().contains("please log in"), "{}", window.screen());
    window.key("q");
    assert_eq!(window.ended().is_restored().code, 0);
}

fn a_plugin_that_fails_is_told_with_what_it_said(place: &Place) {
    let user = plugin(place, "echo token has run out >&2; exit 3");
    assert_all_refuse(&user, UNREACHABLE, &["credential plugin", "exit status: 3", "token has run out"]);
    let user = plugin(place, "echo '{}'");
    assert_refused(&user, user.kgents(&["agents"]), UNREACHABLE, &["credential plugin", "holds no status"]);
}

fn a_plugin_that_is_not_installed(place: &Place) {
    let kubeconfig = std::fs::read_to_string(place.kubeconfig()).unwrap();
    let text = from_plugin(&kubeconfig, "").replace(r#""command":"sh""#, r#""command":"kgents-no-such-plugin""#);
    let user = User::with_text(&text);
    assert_all_refuse(&user, UNREACHABLE, &["kgents-no-such-plugin", "cannot be started"]);
}

fn a_proxy_is_used(place: &Place) {
    place.apply(&[agent("b-gent", "B")]);
    let kubeconfig = std::fs::read_to_string(place.kubeconfig()).unwrap();
    let proxy = servers::proxy();
    let user = User::with_text(&through_proxy(&kubeconfig, &proxy.url));
    assert_eq!(user.kgents(&["agents", "-o", "name"]).ok(), "agent.kgents.io/b-gent\n");
    let heads = proxy.heads();
    assert!(heads.iter().any(|head| head.starts_with("CONNECT 127.0.0.1:")), "{heads:?}");

    let nobody = User::with_text(&through_proxy(&kubeconfig, servers::NOBODY));
    assert_refused(&nobody, nobody.kgents(&["agents"]), UNREACHABLE, &["cannot connect to"]);
}

/// The other tests of this subject hold that our own exist.
fn every_command_of_kubectl_that_is_named_exists(place: &Place) {
    let html = servers::answering("200 OK", "text/html", "<html>");
    let users = [
        User::with_text(&anonymous(servers::NOBODY)),
        User::with_text(&anonymous(&html.url)),
        User::with_text("clusters: 5"),
        User::with_text("{}"),
        User::with(&place.cluster.cert("--expired ann")),
        User::with(&place.cluster.cert("nobody")),
    ];
    let mut named = 0;
    for (user, command) in users.iter().flat_map(|user| ASKING.map(|command| (user, command))) {
        let stderr = user.kgents(command).stderr;
        let Some(line) = stderr.lines().find_map(|line| line.strip_prefix("hint: kubectl ")) else { continue };
        let words: Vec<&str> = line.split_whitespace().chain(["--help"]).collect();
        place.kubectl(&words).ok();
        named += 1;
    }
    assert!(named >= users.len(), "hardly any command was named: {named}");
}
