use std::collections::BTreeSet;

use kgents_core::plan::Resource;

use super::*;

/// `(group, resource, verb)` of the rules in an object.
fn granted(role: &Value) -> BTreeSet<(String, String, String)> {
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut all = BTreeSet::new();
    for rule in role["rules"].as_array().unwrap() {
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                all.extend(texts(&rule["verbs"]).into_iter().map(|verb| (group.clone(), resource.clone(), verb)));
            }
        }
    }
    all
}

#[test]
fn each_child_of_a_plan_may_be_written() {
    let all = granted(&manifests("h", None).unwrap()[1]);
    for resource in Resource::CHILDREN {
        for verb in CHILD {
            let right = (resource.group().to_owned(), resource.plural().to_owned(), (*verb).to_owned());
            assert!(all.contains(&right), "{right:?}");
        }
    }
    for resource in [Resource::Pod, Resource::Pheromone] {
        assert!(all.contains(&(resource.group().to_owned(), resource.plural().to_owned(), "delete".to_owned())));
    }
    assert!(!all.iter().any(|(_, resource, verb)| {
        resource.contains('*') || verb.contains('*') || ["impersonate", "bind", "escalate"].contains(&verb.as_str())
    }));
}

#[test]
fn no_row_is_there_twice_and_each_says_why() {
    let mut seen = BTreeSet::new();
    for right in table() {
        assert!(!right.why.is_empty() && !right.verbs.is_empty());
        for verb in right.verbs {
            assert!(seen.insert((right.group, right.resource, *verb)), "{right:?}");
        }
    }
}

#[test]
fn one_namespace_needs_nothing_of_the_cluster() {
    let kinds = |home: &str, only: Option<&str>| -> Vec<String> {
        let all = manifests(home, only).unwrap();
        let place = |object: &Value| object["metadata"]["namespace"].as_str().unwrap_or("-").to_owned();
        all.iter().map(|object| format!("{} {}", object["kind"].as_str().unwrap(), place(object))).collect()
    };
    assert_eq!(
        kinds("sys", None),
        ["ServiceAccount sys", "ClusterRole -", "ClusterRoleBinding -", "Role sys", "RoleBinding sys"]
    );
    assert_eq!(
        kinds("sys", Some("garden")),
        ["ServiceAccount sys", "Role garden", "RoleBinding garden", "Role sys", "RoleBinding sys"]
    );
    let whole = manifests("sys", None).unwrap();
    let one = manifests("sys", Some("garden")).unwrap();
    assert_eq!(whole[1]["rules"], one[1]["rules"]);
    // Also where both are one namespace no two objects have one name.
    let same = manifests("sys", Some("sys")).unwrap();
    let names: BTreeSet<String> =
        same.iter().map(|object| format!("{}/{}", object["kind"], object["metadata"]["name"])).collect();
    assert_eq!(names.len(), same.len());
}
