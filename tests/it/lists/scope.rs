//! Which namespaces are looked at.

use serde_json::Value;

use crate::support::case::{Case, cases};
use crate::support::objects::{agent, labelled};
use crate::support::place::Place;
use crate::support::user::User;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![the_flag_then_the_context_then_everything, a_list_of_several_namespaces_names_them]
}

/// Two namespaces with an agent each, that carry a label of this test's own.
fn two(place: &Place) -> (Place, String) {
    let other = Place::on(place.cluster.clone(), "other");
    let only = format!("test={}", place.namespace);
    place.apply(&[labelled(agent("here", "B"), "test", &place.namespace)]);
    other.apply(&[labelled(agent("there", "B"), "test", &place.namespace)]);
    (other, only)
}

fn the_flag_then_the_context_then_everything(place: &Place) {
    let (other, only) = two(place);
    let with_namespace = &place.user;
    let without = User::with(place.cluster.kubeconfig());
    let here = ["here"].as_slice();
    let there = ["there"].as_slice();
    let both = ["here", "there"].as_slice();
    for (user, flags, expected) in [
        (with_namespace, &[][..], here),
        (with_namespace, &["-n", &other.namespace], there),
        (with_namespace, &["--namespace", &place.namespace], here),
        (with_namespace, &["-A"], both),
        (&without, &[], both),
        (&without, &["--all-namespaces"], both),
        (&without, &["-n", &other.namespace], there),
        (&without, &["-n", "no-such-namespace"], &[]),
    ] {
        let list = user.kgents(&[&["agents", "--json", "-l", &only], flags].concat()).json();
        let items = list["items"].as_array().unwrap();
        let name = |item: &Value| item["object"]["metadata"]["name"].as_str().map(str::to_owned);
        let mut names: Vec<String> = items.iter().filter_map(name).collect();
        names.sort();
        assert_eq!(names, expected, "{flags:?}");
    }
}

fn a_list_of_several_namespaces_names_them(place: &Place) {
    let (other, only) = two(place);
    let table = place.kgents(&["agents", "-A", "-l", &only]).ok();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().take(2).collect()).collect();
    assert_eq!(rows[0], ["NAMESPACE", "NAME"], "{table}");
    assert!(
        rows.contains(&vec![&place.namespace, "here"]) && rows.contains(&vec![&other.namespace, "there"]),
        "{table}"
    );
    let table = place.kgents(&["agents", "-l", &only]).ok();
    assert!(table.starts_with("NAME ") && !table.contains("NAMESPACE"), "{table}");
}
