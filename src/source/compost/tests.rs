use super::*;

fn claim(name: &str, labels: &Value) -> Value {
    let mut all = json!({
        "app.kubernetes.io/managed-by": "kgents-operator", "kgents.io/agent": "b-gent",
        "kgents.io/memory": "b-gent-memory", "kgents.io/retention": "COMPOST",
    });
    for (key, value) in labels.as_object().unwrap() {
        all[key] = value.clone();
    }
    json!({
        "metadata": {
            "namespace": "n", "name": name, "uid": format!("uid-{name}"), "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T12:00:00Z", "labels": all,
        },
        "spec": { "resources": { "requests": { "storage": "1Gi" } } },
        "status": { "phase": "Bound", "capacity": { "storage": "2Gi" } },
    })
}

fn memory(name: &str, owner: &str, policy: &str) -> Value {
    json!({
        "apiVersion": "kgents.io/v1", "kind": "Memory",
        "metadata": { "namespace": "n", "name": name, "uid": format!("uid-{name}"), "resourceVersion": "8" },
        "spec": { "owner": owner, "type": "BICAMERAL", "size": "1Gi", "retentionPolicy": policy },
    })
}

fn agents(names: &[&str]) -> BTreeSet<(String, String)> {
    names.iter().map(|name| ("n".to_owned(), (*name).to_owned())).collect()
}

fn names(found: &Compost) -> Vec<&str> {
    found.items.iter().map(|item| item.name.as_str()).collect()
}

#[test]
fn only_what_was_kept_for_compost_by_an_agent_that_is_gone_is_found() {
    let claims = [
        claim("kept", &json!({ "kgents.io/retention": "RETAIN" })),
        claim("foreign", &json!({ "app.kubernetes.io/managed-by": "helm" })),
        claim("nobodys", &json!({ "kgents.io/agent": "" })),
        claim("left", &json!({})),
    ];
    let found = judge(&claims, Vec::new(), &agents(&["c-gent"]));
    assert_eq!(names(&found), ["left"]);
    let left = &found.items[0];
    assert_eq!((left.size.as_deref(), left.agent.as_str(), left.uid.as_str()), (Some("2Gi"), "b-gent", "uid-left"));
    assert_eq!(judge(&claims, Vec::new(), &agents(&["b-gent"])), Compost::default());
    // An agent of that name in another namespace is another one.
    let elsewhere = BTreeSet::from([("m".to_owned(), "b-gent".to_owned())]);
    assert_eq!(names(&judge(&claims, Vec::new(), &elsewhere)), ["left"]);
}

#[test]
fn a_claim_goes_with_its_memory_and_stays_with_it() {
    let claims = [claim("claim", &json!({}))];
    let going = judge(&claims, vec![memory("b-gent-memory", "b-gent", "COMPOST")], &agents(&[]));
    assert_eq!(names(&going), ["b-gent-memory", "claim"]);
    for policy in ["RETAIN", "DELETE"] {
        let staying = judge(&claims, vec![memory("b-gent-memory", "b-gent", policy)], &agents(&[]));
        assert_eq!(staying, Compost::default(), "{policy}");
    }
    // What is shared may have another owner, that lives.
    let shared = judge(&claims, vec![memory("b-gent-memory", "c-gent", "COMPOST")], &agents(&["c-gent"]));
    assert_eq!(shared, Compost::default());
}

#[test]
fn what_cannot_be_read_is_told_and_stays() {
    let mut broken = memory("b-gent-memory", "b-gent", "COMPOST");
    broken["spec"]["retentionPolicy"] = "NEVER".into();
    let mut nameless = claim("x", &json!({}));
    nameless["metadata"]["uid"] = Value::Null;
    let found = judge(&[claim("claim", &json!({})), nameless], vec![broken], &agents(&[]));
    assert_eq!(found.items, []);
    assert_eq!(found.problems.len(), 2, "{:?}", found.problems);
}
