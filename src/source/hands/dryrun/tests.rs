use super::*;

fn proposal(change: &str, type_: &str, content: &Value) -> Proposal {
    serde_json::from_value(json!({
        "apiVersion": "kgents.io/v1", "kind": "Proposal", "metadata": { "name": "x", "namespace": "n" },
        "spec": {
            "changeType": change, "proposer": "o-gent",
            "target": { "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "b-gent" },
            "patch": { "type": type_, "content": content },
        },
    }))
    .unwrap()
}

fn place() -> Place {
    Place {
        resource: "agents.kgents.io".into(),
        collection: "/apis/kgents.io/v1/namespaces/n/agents".into(),
        namespace: Some("n".into()),
        name: "b-gent".into(),
    }
}

#[test]
fn nothing_is_ever_sent_without_being_a_try() {
    for change in ChangeType::ALL {
        for type_ in PatchType::ALL {
            for is_missing in [true, false] {
                let proposal = proposal(change.as_str(), type_.as_str(), &json!({ "spec": {} }));
                let (wire, _) = attempt(&proposal, &place(), is_missing);
                let in_query = wire.uri().contains("dryRun=All");
                assert!(in_query, "{change} {type_}: {}", wire.uri());
                if wire.verb == "DELETE" {
                    assert_eq!(wire.body.unwrap()["dryRun"], json!(["All"]), "{change} {type_}");
                }
            }
        }
    }
}

#[test]
fn each_patch_is_sent_as_what_it_is() {
    let content = json!({ "spec": { "replicas": 2 } });
    let (wire, verb) = attempt(&proposal("AGENT_SCALE", "merge", &content), &place(), false);
    assert_eq!((wire.verb, verb, wire.content_type), ("PATCH", "patch", "application/merge-patch+json"));
    assert_eq!(wire.body, Some(content.clone()));
    let uri = "/apis/kgents.io/v1/namespaces/n/agents/b-gent?fieldManager=kgents-operator%2Fproposal&dryRun=All";
    assert_eq!(wire.uri(), uri);
    let (wire, _) = attempt(&proposal("AGENT_SCALE", "apply", &content), &place(), false);
    assert_eq!((wire.uri(), wire.content_type), (format!("{uri}&force=true"), "application/apply-patch+yaml"));
    let whole = json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent", "metadata": { "name": "b-gent", "namespace": "n" },
        "spec": { "replicas": 2 },
    });
    assert_eq!(wire.body, Some(whole.clone()), "what it does not say of itself, the target says");
    let (wire, verb) = attempt(&proposal("AGENT_DEPLOY", "merge", &content), &place(), true);
    assert_eq!((wire.verb, verb, wire.body), ("POST", "create", Some(whole)));
    let (wire, verb) = attempt(&proposal("AGENT_SCALE", "merge", &content), &place(), true);
    assert_eq!((wire.verb, verb), ("PATCH", "patch"), "only a deployment makes what is not there");
    let (wire, verb) = attempt(&proposal("MEMORY_DELETE", "merge", &content), &place(), false);
    assert_eq!((wire.verb, verb), ("DELETE", "delete"));
    let (wire, _) = attempt(&proposal("CODE_PATCH", "json", &json!([])), &place(), false);
    assert_eq!((wire.content_type, wire.body), ("application/json-patch+json", Some(json!([]))));
}

#[test]
fn both_sides_are_shown_without_bookkeeping() {
    let object = |replicas: i64, version: &str| {
        json!({
            "kind": "Agent", "spec": { "replicas": replicas, "instructions": "\u{1b}[2J" }, "status": { "phase": "Running" },
            "metadata": { "name": "b", "uid": "u", "resourceVersion": version, "generation": 3, "managedFields": [] },
        })
    };
    let (before, after) = shown(object(1, "1"), object(2, "2"));
    assert_eq!(before["metadata"], json!({ "name": "b", "uid": "u" }));
    assert_eq!(before["metadata"], after["metadata"]);
    assert_eq!(
        after,
        json!({
            "kind": "Agent", "metadata": { "name": "b", "uid": "u" },
            "spec": { "replicas": 2, "instructions": "␛[2J" },
        })
    );
    assert_eq!(shown(Value::Null, Value::Null), (Value::Null, Value::Null));
}

#[test]
fn a_secret_stays_one() {
    let secret = |password: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "data": { "user": "YW5u", "password": password },
            "metadata": { "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{…}" } },
        })
    };
    let (before, after) = shown(secret("b2xk"), secret("bmV3"));
    assert_eq!(before["data"], json!({ "user": "***", "password": "*** (before)" }));
    assert_eq!(after["data"], json!({ "user": "***", "password": "*** (after)" }));
    assert_eq!(after["metadata"]["annotations"], json!({}));
    let (_, made) = shown(Value::Null, secret("bmV3"));
    assert_eq!(made["data"]["password"], "*** (after)");
}
