//! Kubeconfigs that are not there, or not right.

use k8s_openapi::ByteString;
use serde_json::json;

use super::{FAILED, UNREACHABLE, assert_all_refuse};
use crate::support::case::{Case, cases};
use crate::support::credentials;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        no_kubeconfig,
        a_kubeconfig_that_is_named_but_not_there,
        a_broken_kubeconfig_is_told_without_its_secrets,
        a_broken_key_is_told_without_its_bytes,
        an_unknown_context_gets_the_nearest,
        a_kubeconfig_without_a_current_context,
        observing_goes_on_and_says_what_is_missing,
    ]
}

const SERVER: &str = "https://127.0.0.1:1";

fn no_kubeconfig() {
    assert_all_refuse(&User::new(), UNREACHABLE, &["no kubeconfig", ".kube/config"]);
}

fn a_kubeconfig_that_is_named_but_not_there() {
    let user = User::with("/no/such/file".as_ref());
    assert_all_refuse(&user, UNREACHABLE, &["no kubeconfig", "/no/such/file"]);
    let user = User::new();
    let stderr = user.kgents(&["agents", "--kubeconfig", "/nor/this"]).fails(UNREACHABLE);
    assert!(stderr.contains("/nor/this"), "{stderr}");
}

fn a_broken_kubeconfig_is_told_without_its_secrets() {
    let secret = "s3cr3t-t0k3n";
    for text in [
        format!("users: [{{ name: me, user: {{ token: {secret}"),
        format!("users:\n- name: me\n  user:\n    token: {secret}\n   exec: 5\n"),
        format!("clusters: 5\ntoken: {secret}\n"),
        credentials::with_user("no url", &json!({ "token": secret })),
        credentials::with_user(SERVER, &json!({ "token": secret }))
            .replace(r#""cluster":"here""#, r#""cluster":"gone""#),
    ] {
        let user = User::with_text(&text);
        assert_all_refuse(&user, UNREACHABLE, &["the kubeconfig ", "cannot be used: "]);
        let ran = user.kgents(&["status"]);
        assert!(!ran.to_string().contains(secret), "{ran}");
    }
    let line =
        User::with_text("current-context: here\nclusters:\n- cluster: [\n").kgents(&["agents"]).fails(UNREACHABLE);
    assert!(line.contains("line "), "it says where: {line}");
}

/// Its lines were joined, and it was cut, on the way here.
fn a_broken_key_is_told_without_its_bytes() {
    let pem = |text: &str| serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap();
    let user = json!({
        "client-certificate-data": pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "client-key-data": pem("-----BEGIN PRIVATE KEY----- SECRET"),
    });
    let ran = User::with_text(&credentials::with_user(SERVER, &user)).kgents(&["agents"]);
    let said = ran.to_string();
    let stderr = ran.fails(UNREACHABLE);
    assert!(stderr.contains("certificates cannot be used") && stderr.contains("hint: "), "{said}");
    let as_numbers = format!("{:?}", "SECRET".as_bytes());
    assert!(!said.contains("SECRET") && !said.contains(as_numbers.trim_matches(['[', ']'])), "{said}");
}

fn an_unknown_context_gets_the_nearest() {
    let user = User::with_text(&credentials::anonymous(SERVER));
    let ran = user.kgents(&["agents", "--context", "heer"]);
    let stderr = ran.fails(FAILED);
    for word in ["error: ", "no context heer", "it has here", "hint: kgents observe --context here"] {
        assert!(stderr.contains(word), "{stderr}");
    }
    // The command that it names exists, and finds the context.
    user.kgents(&["observe", "--context", "here", "--help"]).ok();
}

fn a_kubeconfig_without_a_current_context() {
    let text = credentials::anonymous(SERVER).replace(r#""current-context":"here","#, "");
    assert_all_refuse(&User::with_text(&text), FAILED, &["sets no current context"]);
}

fn observing_goes_on_and_says_what_is_missing() {
    let user = User::new();
    let stream = user.follow(&["observe", "--plain"]);
    stream.expect_words(&["down", "no kubeconfig", "kgents observe --kubeconfig"]);
    let ran = stream.end();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran}");
    let frame = user.kgents(&["observe", "--snapshot"]);
    assert!(frame.stdout.contains("no kubeconfig"), "{frame}");
    assert!(!frame.stdout.contains('\u{1b}'), "no escapes where there is no terminal: {frame}");
    frame.fails(UNREACHABLE);
}
