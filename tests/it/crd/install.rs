//! `kgents crd print|install|verify|diff`.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::cluster::{Cluster, Own, PLURALS};
use crate::support::objects::agent;
use crate::support::path;
use crate::support::place::Place;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        what_is_printed_is_what_stands_in_the_folder,
        an_empty_cluster_is_prepared_checked_and_repaired,
        what_is_printed_can_be_installed_by_kubectl,
    ]
}

fn what_is_printed_is_what_stands_in_the_folder() {
    let file = |plural: &str| std::fs::read_to_string(path(&format!("crds/{plural}.yaml"))).unwrap();
    let all = PLURALS.map(|plural| format!("---\n{}", file(plural))).concat();
    let user = User::new();
    assert_eq!(user.kgents(&["crd", "print"]).ok(), all);
    for spelling in ["proposals", "Proposal", "prop", "proposals.kgents.io"] {
        assert_eq!(user.kgents(&["crd", "print", spelling]).ok(), format!("---\n{}", file("proposals")), "{spelling}");
    }
}

fn an_empty_cluster_is_prepared_checked_and_repaired(own: Own) {
    let cluster = own.start(&[]);
    let user = User::with(cluster.kubeconfig());
    nothing_works_and_says_what_to_do(&user);
    let observer = user.follow(&["observe", "--plain"]);
    observer.expect_words(&["Source ", "agents", "not installed", "kgents crd install"]);
    installing_ends_when_all_are_established(&cluster, &user);
    installing_again_changes_nothing(&user);
    Place::on(cluster.clone(), "observed").apply(&[agent("b-gent", "B")]);
    observer.expect_words(&["Agent", "/b-gent "]);
    an_edit_is_told_and_undone(&cluster, &user);
}

fn nothing_works_and_says_what_to_do(user: &User) {
    let verified = user.kgents(&["crd", "verify"]);
    for plural in PLURALS {
        assert!(verified.stdout.contains(&format!("{plural}.kgents.io: not installed")), "{verified}");
    }
    let stderr = verified.fails(1);
    assert!(stderr.contains("error: 5 of 5 CRDs") && stderr.contains("kgents crd install"), "{stderr}");
    for command in [&["agents"][..], &["pheromones", "--json"], &["proposals", "-w"], &["signal", "sense"], &["status"]]
    {
        let ran = user.kgents(command);
        assert!(!command.contains(&"--json") || ran.stdout.is_empty(), "{ran}");
        let stderr = ran.fails(1);
        assert!(stderr.contains("not installed") && stderr.contains("kgents crd install"), "{command:?}: {stderr}");
    }
    let emitted = user.kgents(&["signal", "emit", "WARNING", "-n", "default"]).fails(1);
    assert!(emitted.contains("kgents crd install"), "{emitted}");
}

fn installing_ends_when_all_are_established(cluster: &Cluster, user: &User) {
    let said = user.kgents(&["crd", "install"]).ok();
    let crds = cluster.kubectl(&["get", "crd", "-o", "json"]).json();
    let established = |crd: &&Value| {
        let conditions = crd["status"]["conditions"].as_array().unwrap();
        conditions.iter().any(|condition| condition["type"] == "Established" && condition["status"] == "True")
    };
    let mut names: Vec<&str> = crds["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(established)
        .filter_map(|crd| crd["metadata"]["name"].as_str())
        .collect();
    let mut expected = PLURALS.map(|plural| format!("{plural}.kgents.io"));
    names.sort_unstable();
    expected.sort();
    assert_eq!(names, expected);
    for name in expected {
        assert!(said.contains(&format!("{name} created")), "{said}");
    }
    let verified = user.kgents(&["crd", "verify"]).ok();
    assert_eq!(verified.matches("established, as ours").count(), 5, "{verified}");
    assert_eq!(user.kgents(&["crd", "diff"]).ok(), "");
}

fn installing_again_changes_nothing(user: &User) {
    let said = user.kgents(&["crd", "install"]).ok();
    assert_eq!(said.matches(" unchanged\n").count(), 5, "{said}");
}

fn an_edit_is_told_and_undone(cluster: &Cluster, user: &User) {
    let schema = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    let patch = json!([
        { "op": "replace", "path": format!("{schema}/replicas/maximum"), "value": 7 },
        { "op": "add", "path": format!("{schema}/colour"), "value": { "type": "string" } },
    ]);
    let patch = patch.to_string();
    cluster.kubectl(&["patch", "crd", "agents.kgents.io", "--type=json", "-p", &patch]).ok();

    let told = user.kgents(&["crd", "diff"]);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{told}");
    let is_told = |path: &str, change: &str| {
        lines.iter().any(|line| {
            line.starts_with("agents.kgents.io: spec.versions[v1]") && line.contains(path) && line.ends_with(change)
        })
    };
    assert!(is_told("properties.replicas.maximum: ", "100.0 → 7.0"), "{told}");
    assert!(is_told("properties.colour: ", r#"(absent) → {"type":"string"}"#), "{told}");
    told.fails(1);

    let verified = user.kgents(&["crd", "verify"]);
    assert!(verified.stdout.contains("agents.kgents.io: differs from ours in 2 places"), "{verified}");
    assert!(verified.fails(1).contains("1 of 5 CRDs"));

    let said = user.kgents(&["crd", "install"]).ok();
    assert!(said.contains("agents.kgents.io updated") && said.contains("umwelts.kgents.io unchanged"), "{said}");
    user.kgents(&["crd", "verify"]).ok();
}

fn what_is_printed_can_be_installed_by_kubectl(own: Own) {
    let cluster = own.start(&[]);
    let user = User::with(cluster.kubeconfig());
    let printed = user.kgents(&["crd", "print"]).ok();
    apply(&cluster, cluster.kubeconfig(), &printed);
    let wait = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=30s"];
    cluster.kubectl(&wait).ok();
    user.kgents(&["crd", "verify"]).ok();
}

fn apply(cluster: &Cluster, kubeconfig: &Path, yaml: &str) {
    cluster.kubectl_as(kubeconfig, &["apply", "--server-side", "-f", "-"], yaml).ok();
}
