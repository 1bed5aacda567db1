use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::any_json;

fn patch(type_: PatchType, content: Value) -> ProposedPatch {
    ProposedPatch { type_, content }
}

fn applied(type_: PatchType, content: Value, target: &Value) -> Result<Value, String> {
    apply(&patch(type_, content), target).map_err(|error| error.to_string())
}

#[test]
fn merge_and_apply_lay_fields_over() {
    let target = json!({ "spec": { "replicas": 2, "image": "a", "list": [1, 2] } });
    for type_ in [PatchType::Merge, PatchType::Apply] {
        let after = applied(type_, json!({ "spec": { "replicas": 5, "image": null, "list": [3] } }), &target);
        assert_eq!(after, Ok(json!({ "spec": { "replicas": 5, "list": [3] } })));
    }
    let made = applied(PatchType::Apply, json!({ "spec": { "genus": "B" } }), &Value::Null);
    assert_eq!(made, Ok(json!({ "spec": { "genus": "B" } })), "an object that is not there yet");
}

#[test]
fn json_operations_act_in_order() {
    let target = json!({ "spec": { "replicas": 2, "peers": ["a"] } });
    let operations = json!([
        { "op": "test", "path": "/spec/replicas", "value": 2 },
        { "op": "replace", "path": "/spec/replicas", "value": 5 },
        { "op": "add", "path": "/spec/peers/-", "value": "b" },
        { "op": "copy", "from": "/spec/peers", "path": "/spec/others" },
        { "op": "move", "from": "/spec/peers", "path": "/spec/friends" },
        { "op": "remove", "path": "/spec/others/0" },
    ]);
    let after = applied(PatchType::Json, operations, &target);
    assert_eq!(after, Ok(json!({ "spec": { "replicas": 5, "friends": ["a", "b"], "others": ["b"] } })));
}

#[test]
fn what_cannot_be_applied_says_why() {
    let target = json!({ "spec": {} });
    let cases = [
        (PatchType::Merge, json!(null), "the content of a patch of type merge must be an object, not null"),
        (PatchType::Apply, json!([]), "the content of a patch of type apply must be an object, not a list"),
        (
            PatchType::Json,
            json!([{ "op": "remove", "path": "/spec/image" }]),
            "operation 1 of the json patch, at '/spec/image': path is invalid",
        ),
        (
            PatchType::Json,
            json!([{ "op": "test", "path": "/spec", "value": {} }, { "op": "test", "path": "/spec", "value": 1 }]),
            "operation 2 of the json patch, at '/spec': value did not match",
        ),
        (
            PatchType::Json,
            json!([{ "op": "replace", "path": "", "value": "x" }]),
            "the patch would turn the object into a string",
        ),
    ];
    for (type_, content, message) in cases {
        assert_eq!(applied(type_, content, &target), Err(message.to_owned()));
    }
    let error = applied(PatchType::Json, json!({ "op": "remove" }), &target).unwrap_err();
    assert!(error.starts_with("the content of a patch of type json must be a list of operations: "), "{error}");
}

#[test]
fn a_patch_cannot_blow_an_object_up() {
    let double: Vec<_> = (0..20).map(|n| json!({ "op": "copy", "from": "", "path": format!("/{n}") })).collect();
    let target = json!({ "a": "x".repeat(1000) });
    let error = applied(PatchType::Json, json!(double), &target).map(|_| ()).unwrap_err();
    assert!(error.contains("copies more than 3145728 bytes"), "{error}");

    let mut path = String::new();
    let dig: Vec<_> = (0..200)
        .map(|_| {
            path.push_str("/a");
            json!({ "op": "add", "path": path, "value": {} })
        })
        .collect();
    let error = applied(PatchType::Json, json!(dig), &json!({})).unwrap_err();
    assert!(error.contains("nested deeper than 128"), "{error}");

    let nested = |wrap: fn(Value) -> Value| (0..100).fold(json!(1), |value, _| wrap(value));
    for deep in [nested(|value| json!([value, 1])), nested(|value| json!({ "a": value, "b": 1 }))] {
        let target = json!({ "a": deep, "b": { "c": {} } });
        let copy = |to: &str| json!([{ "op": "copy", "from": "/a", "path": to }]);
        assert!(applied(PatchType::Json, copy("/b/c/d"), &target).is_ok());
        let inside = format!("/a{}", if deep.is_array() { "/0" } else { "/a" }.repeat(60));
        let error = applied(PatchType::Json, copy(&inside), &target).unwrap_err();
        assert!(error.contains("nested deeper than 128"), "{error}");
    }
}

#[test]
fn leaves_that_differ() {
    let cases = [
        (json!({ "a": 1 }), json!({ "a": 1 }), vec![]),
        (json!({ "a": 1 }), json!({ "a": 2 }), vec!["/a"]),
        (json!({}), json!({ "a": { "b": 1, "c": [] } }), vec!["/a/b", "/a/c"]),
        (json!({ "a": {} }), json!({ "a": { "b": 1 } }), vec!["/a/b"]),
        (json!({ "a": [1, 2, 3] }), json!({ "a": [1, 3] }), vec!["/a/1", "/a/2"]),
        (json!({ "a": 1 }), json!({ "a": { "b": 1 } }), vec!["/a", "/a/b"]),
        (json!({ "a": {} }), json!({ "a": [] }), vec!["/a"]),
        (json!({ "a": {}, "b": [] }), json!({}), vec!["/a", "/b"]),
        (json!({ "a": null }), json!({}), vec!["/a"]),
        (json!({ "kgents.io/x": 1, "~": 1 }), json!({}), vec!["/kgents.io~1x", "/~0"]),
        (Value::Null, json!({ "spec": { "a": 1 } }), vec!["/spec/a"]),
        (json!({ "spec": { "a": 1 } }), Value::Null, vec!["/spec/a"]),
    ];
    for (before, after, expected) in cases {
        assert_eq!(changed_leaves(&before, &after), expected, "{before} to {after}");
    }
}

#[test]
fn what_the_api_server_keeps_is_no_change() {
    let object = |n: i64| {
        json!({
            "metadata": {
                "generation": n,
                "resourceVersion": n.to_string(),
                "managedFields": [{ "manager": n }],
                "labels": { "a": n },
            },
            "status": { "phase": n },
            "spec": { "status": n },
        })
    };
    assert_eq!(changed_leaves(&object(1), &object(2)), ["/metadata/labels/a", "/spec/status"]);
}

proptest! {
    #![proptest_config(crate::testing::config())]

    #[test]
    fn no_leaf_differs_exactly_when_nothing_does(before in any_json(), after in any_json()) {
        let strip = |value: &Value| {
            let mut value = value.clone();
            if let Some(fields) = value.as_object_mut() {
                fields.remove("status");
            }
            value
        };
        let same = strip(&before) == strip(&after)
            || [&before, &after].iter().all(|value| value.is_null());
        if same {
            prop_assert_eq!(changed_leaves(&before, &after), Vec::<String>::new());
        } else if !before.is_null() && !after.is_null() {
            prop_assert!(!changed_leaves(&before, &after).is_empty());
        }
    }

    #[test]
    fn the_way_back_changes_the_same_leaves(before in any_json(), after in any_json()) {
        prop_assert_eq!(changed_leaves(&before, &after), changed_leaves(&after, &before));
    }

    #[test]
    fn each_leaf_stands_once(before in any_json(), after in any_json()) {
        let leaves = changed_leaves(&before, &after);
        let unique: BTreeSet<_> = leaves.iter().collect();
        prop_assert_eq!(unique.len(), leaves.len());
    }

    #[test]
    fn no_patch_panics(
        target in any_json(),
        content in any_json(),
        from in "(/[ab]|/0|/-){0,3}",
        path in "(/[ab]|/0|/-){0,3}",
        value in any_json(),
    ) {
        let operations = ["add", "remove", "replace", "move", "copy", "test"]
            .map(|op| json!([{ "op": op, "from": from, "path": path, "value": value }]));
        for content in operations.into_iter().chain([content]) {
            for type_ in PatchType::ALL {
                if let Ok(after) = apply(&patch(*type_, content.clone()), &target) {
                    prop_assert!(after.is_object());
                }
            }
        }
    }

    #[test]
    fn a_merge_twice_is_a_merge_once(target in any_json(), content in any_json()) {
        let patch = patch(PatchType::Merge, content);
        if let Ok(once) = apply(&patch, &target) {
            prop_assert_eq!(apply(&patch, &once), Ok(once));
        }
    }
}
