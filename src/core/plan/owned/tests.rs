use serde_json::json;

use super::*;

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

fn ours(live: &Value) -> Value {
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
