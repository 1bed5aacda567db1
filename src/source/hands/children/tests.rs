use serde_json::json;

use super::*;

fn said(kind: &str, item: &Value) -> (String, bool) {
    let sort = SORTS.iter().find(|sort| sort.kind == kind).unwrap();
    let child = child(sort, item);
    (child.said, child.trouble)
}

#[test]
fn each_says_how_it_stands() {
    let meta = json!({ "namespace": "n", "name": "x" });
    let condition =
        |type_: &str, status: &str| json!([{ "type": type_, "status": status, "reason": "R", "message": "m" }]);
    for (kind, item, expected) in [
        ("Deployment", json!({ "spec": { "replicas": 2 }, "status": { "readyReplicas": 1 } }), ("1/2 ready", false)),
        (
            "Deployment",
            json!({ "spec": { "replicas": 2 }, "status": { "conditions": condition("Available", "False") } }),
            ("0/2 ready, R: m", true),
        ),
        (
            "Pod",
            json!({ "spec": { "containers": [{}, {}] }, "status": { "phase": "Running", "containerStatuses": [
                { "ready": true, "restartCount": 2, "lastState": { "terminated": { "reason": "OOMKilled" } } },
            ] } }),
            ("Running, 1/2 ready, 2 restarts, last ended by OOMKilled", false),
        ),
        ("Pod", json!({ "status": { "phase": "Failed" } }), ("Failed, 0/0 ready", true)),
        (
            "Service",
            json!({ "spec": { "type": "ClusterIP", "ports": [{ "port": 8080, "name": "http" }, { "port": 1 }] } }),
            ("ClusterIP, 8080 http, 1", false),
        ),
        ("ServiceAccount", json!({}), ("", false)),
        (
            "PersistentVolumeClaim",
            json!({ "spec": { "resources": { "requests": { "storage": "1Gi" } } }, "status": { "phase": "Pending" } }),
            ("Pending, 1Gi", false),
        ),
        ("PersistentVolumeClaim", json!({ "status": { "phase": "Lost" } }), ("Lost", true)),
        (
            "PodDisruptionBudget",
            json!({ "status": { "currentHealthy": 1, "desiredHealthy": 2, "disruptionsAllowed": 0 } }),
            ("1 healthy, 2 needed, 0 may go", true),
        ),
        (
            "Memory",
            json!({ "status": { "phase": "Bound", "conditions": condition("Ready", "True") } }),
            ("Bound", false),
        ),
        ("Memory", json!({ "status": { "conditions": condition("Ready", "False") } }), ("R, m", true)),
        ("Umwelt", json!({ "status": { "conditions": condition("Stalled", "True") } }), ("R, m", true)),
    ] {
        let mut item = item;
        item["metadata"] = meta.clone();
        let (words, trouble) = said(kind, &item);
        assert_eq!((words.as_str(), trouble), expected, "{kind}: {item}");
    }
}

#[test]
fn what_goes_is_no_trouble() {
    let pod = json!({
        "metadata": { "namespace": "n", "name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z" },
        "status": { "phase": "Failed" },
    });
    assert_eq!(said("Pod", &pod), ("going, Failed, 0/0 ready".into(), false));
}
