use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::plan::laws::fields;
use crate::plan::{Live, Resource};
use crate::testing::{any_json, config};

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "x", "namespace": "n", "labels": {"a": "1", "b": "2"},
            "managedFields": [
                {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:metadata": {"f:labels": {"f:b": {}}}}},
                {"manager": "kgents-operator/deployment", "operation": "Apply", "subresource": "status", "fieldsV1": {}},
                {"manager": "kgents-operator/deployment", "operation": "Apply", "fieldsV1": {
                    "f:metadata": {"f:labels": {"f:a": {}}},
                    "f:spec": {
                        "f:replicas": {},
                        "f:selector": {},
                        "f:template": {"f:spec": {
                            "f:containers": {"k:{\"name\":\"logic\"}": {
                                ".": {}, "f:name": {}, "f:image": {},
                                "f:resources": {"f:limits": {"f:cpu": {}}},
                                "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                            }},
                            "f:volumes": {"k:{\"name\":\"tmp\"}": {".": {}, "f:name": {}, "f:emptyDir": {}}},
                        }},
                    },
                }},
            ],
        },
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"a": "1"}}, "progressDeadlineSeconds": 600,
            "template": {"spec": {
                "containers": [
                    {"name": "injected", "image": "i"},
                    {"name": "logic", "image": "x:1", "imagePullPolicy": "Always", "resources": {"limits": {"cpu": "500m"}},
                     "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]},
                ],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }},
        },
    })
}

fn body() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "n", "labels": {"a": "1"}},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"a": "1"}},
            "template": {"spec": {
                "containers": [{"name": "logic", "image": "x:1", "resources": {"limits": {"cpu": "0.5"}},
                    "ports": [{"containerPort": 80, "protocol": "TCP"}]}],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            }},
        },
    })
}

fn ours(live: &Value) -> String {
    canonical(&project(live, fields_of(live, "kgents-operator/deployment").unwrap()))
}

#[test]
fn what_others_own_and_what_is_only_respelled_is_no_change() {
    assert_eq!(changes(&ours(&deployment()), &wanted(&body())), []);
}

#[test]
fn what_was_changed_taken_or_is_no_longer_wanted_is_found() {
    let mut live = deployment();
    live["spec"]["template"]["spec"]["containers"][1]["image"] = json!("x:2");
    let mut body = body();
    body["spec"]["template"]["spec"].as_object_mut().unwrap().remove("volumes");
    body["spec"]["minReadySeconds"] = json!(3);
    let said: Vec<String> = changes(&ours(&live), &wanted(&body)).iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "spec.minReadySeconds none -> 3",
            "spec.template.spec.containers[logic].image x:2 -> x:1",
            r#"spec.template.spec.volumes [{"emptyDir":{},"name":"tmp"}] -> none"#,
        ]
    );
}

#[test]
fn the_order_of_keyed_lists_is_no_difference_that_of_arguments_is() {
    let one = json!({"env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}], "args": ["a", "b"]});
    let other = json!({"args": ["b", "a"], "env": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]});
    let paths: Vec<String> =
        changes(&canonical(&one), &canonical(&other)).into_iter().map(|change| change.path).collect();
    assert_eq!(paths, ["args"]);
}

#[test]
fn what_the_servers_types_omit_and_numbers_by_value_are_no_difference() {
    // As a server of version 1.36 has it, which owns all of it for us.
    let applied = json!({
        "env": [{"name": "A", "value": ""}], "args": [], "figure": 2.0, "none": null, "labels": {}, "emptyDir": {},
        "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": false}], "resources": {"limits": {}},
    });
    let there = json!({
        "env": [{"name": "A"}], "figure": 2, "emptyDir": {}, "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "resources": {},
    });
    assert_eq!(canonical(&applied), canonical(&there));
    // What people name is no amount, and an empty text of theirs is a text.
    let (one, other) = (json!({"data": {"sizeLimit": "0.5"}}), json!({"data": {"sizeLimit": "500m"}}));
    assert_eq!(changes(&canonical(&one), &canonical(&other)).len(), 1);
    let (one, other) = (json!({"nodeSelector": {"disk": ""}}), json!({"nodeSelector": {}}));
    assert_eq!(changes(&canonical(&one), &canonical(&other)).len(), 1);
    let (one, other) = (json!({"data": {"name": "x", "value": ""}}), json!({"data": {"name": "x"}}));
    assert_eq!(changes(&canonical(&one), &canonical(&other)).len(), 1);
}

#[test]
fn elements_of_the_same_key_hide_no_difference() {
    let list = |last: i64| json!({"x": [{"name": "a", "v": 1}, {"name": "a", "v": last}]});
    assert_eq!(changes(&canonical(&list(2)), &canonical(&list(3))).len(), 1);
}

/// A body of a kind, with lists of every shape that our kinds have.
fn any_body() -> impl Strategy<Value = Value> {
    let names = || prop::collection::btree_set("[a-c]{1,2}", 0..4);
    let containers = (prop::collection::btree_set("[a-c]{1,2}", 1..4), any_json(), "[0-9]{1,3}(m|Mi|)").prop_map(|(names, extra, amount)| {
        let container = |name: &String| {
            json!({
                "name": name, "args": [name, "", "a"], "resources": {"limits": {"cpu": amount, "memory": "1024Mi"}},
                "env": [{"name": "B", "value": ""}, {"name": "A", "value": extra.to_string()}],
                "ports": [{"containerPort": 80, "protocol": "UDP"}, {"containerPort": 80, "protocol": "TCP", "name": "x"}],
                "volumeMounts": [{"mountPath": "/b", "name": "v"}, {"mountPath": "/a", "name": "v"}],
            })
        };
        names.iter().rev().map(container).collect::<Value>()
    });
    (containers, names(), any_json()).prop_map(|(containers, labels, extra)| {
        let labels: Map<String, Value> = labels.into_iter().map(|name| (name, "".into())).collect();
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "x", "namespace": "n", "labels": labels,
                "ownerReferences": [{"uid": "2", "name": "b"}, {"uid": "1", "name": "a", "controller": true}],
            },
            "spec": {"template": {"spec": {"containers": containers, "volumes": [{"name": "v", "emptyDir": {}}]}}},
            // Nothing in it is a keyed list.
            "data": {"text": extra.to_string()}, "more": {"items": [extra]},
        })
    })
}

fn read(object: &Value, fields: &Value) -> Live {
    let mut object = object.clone();
    object["metadata"]["uid"] = "u".into();
    object["metadata"]["managedFields"] =
        json!([{"manager": Resource::Deployment.manager(), "operation": "Apply", "fieldsV1": fields}]);
    Live::read(Resource::Deployment, &object).unwrap()
}

/// Field sets that no server sends, and some that one might.
fn any_fields() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("f:metadata".to_owned()),
        Just("f:spec".to_owned()),
        Just("f:template".to_owned()),
        Just("f:containers".to_owned()),
        Just(r#"k:{"name":"a"}"#.to_owned()),
        Just("i:1".to_owned()),
        Just("i:99999999999999999999999".to_owned()),
        Just("i:-1".to_owned()),
        Just(r#"v:"a""#.to_owned()),
        Just(format!("k:{}", "[".repeat(1000))),
        "[fkvix.]:?[\\[{\"]{0,3}",
    ];
    any_json().prop_recursive(6, 64, 5, move |inner| {
        prop::collection::btree_map(name.clone(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect()))
    })
}

/// The same in another order.
fn turned(value: &Value, is_keyed: bool) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), turned(value, !matches!(name.as_str(), "args" | "items"))))
            .collect(),
        Value::Array(list) if is_keyed => list.iter().rev().map(|item| turned(item, true)).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_applied_differs_in_nothing(body in any_body()) {
        let fields = fields::to_json(&fields::set_of(&body));
        prop_assert_eq!(read(&body, &fields).changes(&body), []);
        let mut turned = turned(&body, true);
        turned["metadata"] = body["metadata"].clone();
        prop_assert_eq!(read(&turned, &fields).changes(&body), []);
    }

    #[test]
    fn what_others_add_differs_in_nothing_and_what_they_change_does(body in any_body()) {
        let fields = fields::to_json(&fields::set_of(&body));
        let mut live = body.clone();
        live["metadata"]["labels"]["theirs"] = "x".into();
        live["spec"]["template"]["spec"]["containers"].as_array_mut().unwrap().insert(0, json!({"name": "zz"}));
        live["spec"]["paused"] = true.into();
        prop_assert_eq!(read(&live, &fields).changes(&body), []);
        live["data"]["text"] = "other".into();
        let found = read(&live, &fields).changes(&body);
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(&found[0].path, "data.text");
    }

    #[test]
    fn whatever_stands_in_managed_fields_it_is_read(body in any_body(), live in any_json(), fields in any_fields(), entries in any_json()) {
        for object in [&body, &json!({"spec": live.clone(), "status": live, "metadata": {}})] {
            let found = read(object, &fields).changes(&body);
            // Texts that differ always have a change to show.
            prop_assert!(found.iter().all(|change| !change.to_string().is_empty()));
        }
        let mut object = body;
        object["metadata"]["uid"] = "u".into();
        for odd in [&entries, &json!([entries]), &json!([{"manager": Resource::Deployment.manager(), "operation": "Apply", "fieldsV1": entries}])] {
            object["metadata"]["managedFields"] = odd.clone();
            object["metadata"]["ownerReferences"] = odd.clone();
            object["metadata"]["labels"] = odd.clone();
            object["status"] = json!({"conditions": odd, "replicas": odd});
            for resource in Resource::CHILDREN {
                prop_assert!(Live::read(resource, &object).is_ok());
            }
        }
    }

    #[test]
    fn texts_are_equal_exactly_when_nothing_is_found(one in any_json(), other in any_json()) {
        let (one, other) = (canonical(&one), canonical(&other));
        prop_assert_eq!(changes(&one, &other).is_empty(), one == other);
        // A text is its own canonical form.
        let again: Value = serde_json::from_str(&one).unwrap();
        prop_assert_eq!(canonical(&again), one);
    }
}

#[test]
fn huge_field_sets_are_read_in_good_time() {
    let names: Vec<String> = (0..20_000).map(|index| format!("f:x{index}")).collect();
    let fields: Map<String, Value> = names.iter().map(|name| (name.clone(), json!({}))).collect();
    let live = read(&json!({"metadata": {}, "spec": {}}), &json!({"f:spec": fields}));
    assert_eq!(live.changes(&json!({"spec": {}})), []);
}

#[test]
fn what_stands_at_the_path_of_a_change_is_found() {
    let object = json!({
        "metadata": { "labels": { "kgents.io/agent": "x", "kgents": { "io/agent": 1 } } },
        "spec": { "replicas": 3, "template": { "spec": { "containers": [
            { "name": "d-gent", "image": "d:1" },
            { "name": "logic", "image": "b:1", "ports": [{ "containerPort": 8080, "protocol": "TCP" }] },
        ] } } },
    });
    let logic = "spec.template.spec.containers[logic]";
    for (path, expected) in [
        ("spec.replicas", json!(3)),
        ("metadata.labels.kgents.io/agent", json!("x")),
        (&format!("{logic}.image"), json!("b:1")),
        (&format!("{logic}.ports[8080/TCP].protocol"), json!("TCP")),
    ] {
        assert_eq!(at(&object, path), Some(&expected), "{path}");
    }
    for path in ["spec.replica", "spec.replicas.x", "spec.template.spec.containers[other].image", "[logic]"] {
        assert_eq!(at(&object, path), None, "{path}");
    }
}
