use jiff::SignedDuration;
use kgents_api::{LABEL_AGENT, Memory};
use serde_json::json;

use super::*;
use crate::plan::laws::fields;
use crate::plan::{Fault, Subject, plan as plan_of};
use crate::testing::noon;

fn memory(over: &Value) -> Memory {
    let mut base = json!({
        "apiVersion": "kgents.io/v1", "kind": "Memory",
        "metadata": {"name": "m", "namespace": "kgents-agents", "uid": "u-1", "generation": 1},
        "spec": {"owner": "a", "type": "VECTOR"},
    });
    json_patch::merge(&mut base, over);
    serde_json::from_value(base).unwrap()
}

/// The claim that the memory's first plan makes, as the server has it then.
fn made(memory: &Memory, over: &Value) -> Value {
    let mut claim = run(memory, &Observed::default()).apply.remove(0).body;
    let fields = fields::to_json(&fields::set_of(&claim));
    let size = claim["spec"]["resources"]["requests"]["storage"].clone();
    json_patch::merge(
        &mut claim,
        &json!({
            "metadata": {
                "uid": "c-1", "creationTimestamp": "2026-01-01T11:00:00Z",
                "managedFields": [{"manager": Resource::PersistentVolumeClaim.manager(), "operation": "Apply", "fieldsV1": fields}],
            },
            "status": {"phase": "Bound", "capacity": {"storage": size}},
        }),
    );
    if claim["spec"].get("storageClassName").is_none() {
        claim["spec"]["storageClassName"] = "standard".into();
    }
    json_patch::merge(&mut claim, over);
    claim
}

fn seen(claim: &Value) -> Observed {
    let live = Live::read(Resource::PersistentVolumeClaim, claim).unwrap();
    let mut observed = Observed::default();
    observed.children.insert((Resource::PersistentVolumeClaim, "m".to_owned()), live.into());
    observed
}

fn run(memory: &Memory, observed: &Observed) -> Plan {
    plan_of(Subject::Memory(memory), observed, noon(), &Config::default())
}

fn said<'a>(plan: &'a Plan, type_: &str) -> &'a Value {
    let conditions = plan.status.as_ref().unwrap().body["conditions"].as_array().unwrap();
    conditions.iter().find(|condition| condition["type"] == type_).unwrap_or(&Value::Null)
}

fn changes(plan: &Plan) -> Vec<String> {
    plan.apply.iter().flat_map(|apply| &apply.changes).map(ToString::to_string).collect()
}

#[test]
fn a_claim_is_made_and_told_of_once_it_is_bound() {
    let memory = memory(&json!({"spec": {"storageClass": "fast", "size": "1Gi"}}));
    let first = run(&memory, &Observed::default());
    assert_eq!(
        first.apply[0].body,
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "m", "namespace": "kgents-agents", "labels": {
                "app.kubernetes.io/name": "a", "app.kubernetes.io/part-of": "kgents",
                "app.kubernetes.io/managed-by": "kgents-operator",
                "kgents.io/agent": "a", "kgents.io/memory": "m", "kgents.io/retention": "RETAIN",
            }},
            "spec": {
                "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
                "resources": {"requests": {"storage": "1Gi"}},
            },
        })
    );
    assert_eq!((first.apply[0].expect.clone(), first.status, first.delete), (Expect::Absent, None, vec![]));

    let bound = run(&memory, &seen(&made(&memory, &json!({}))));
    assert_eq!(bound.apply, []);
    let status = &bound.status.as_ref().unwrap().body;
    assert_eq!((&status["claimName"], &status["size"]), (&json!("m"), &json!("1Gi")));
    assert_eq!(said(&bound, "Ready")["status"], "True");
    assert_eq!(bound.requeue_at, None);
}

#[test]
fn a_new_claim_has_five_seconds_to_be_bound_before_a_word_is_said() {
    let memory = memory(&json!({}));
    let at = |created: &str| {
        let claim = made(&memory, &json!({"metadata": {"creationTimestamp": created}, "status": {"phase": "Pending"}}));
        run(&memory, &seen(&claim))
    };
    let young = at("2026-01-01T11:59:57Z");
    assert!(young.is_empty());
    assert_eq!(young.requeue_at, Some(noon() + SignedDuration::from_secs(2)));
    for old in ["2026-01-01T11:59:55Z", "2026-01-01T13:00:00Z"] {
        let old = at(old);
        assert_eq!(said(&old, "Ready")["reason"], "WaitingForBinding");
        assert_eq!(said(&old, "Stalled")["status"], "False");
        assert_eq!(old.requeue_at, None);
    }
}

#[test]
fn only_delete_gives_the_claim_an_owner_and_a_change_of_mind_takes_it_back() {
    let keep = memory(&json!({}));
    let dies = memory(&json!({"spec": {"retentionPolicy": "DELETE"}}));
    assert_eq!(
        changes(&run(&dies, &seen(&made(&keep, &json!({}))))),
        [
            "metadata.labels.kgents.io/retention RETAIN -> DELETE",
            r#"metadata.ownerReferences none -> [{"apiVersion":"kgents.io/v1","controller":true,"kind":"Memo…"#,
        ]
    );
    let back = run(&keep, &seen(&made(&dies, &json!({}))));
    assert_eq!(back.apply[0].body["metadata"].get("ownerReferences"), None);
    assert_eq!(changes(&back).len(), 2);
}

#[test]
fn a_claim_is_taken_back_by_its_labels_and_nothing_else_is_ours() {
    let new = memory(&json!({"metadata": {"uid": "u-2"}, "spec": {"owner": "b"}}));
    let old = memory(&json!({}));
    let plan = run(&new, &seen(&made(&old, &json!({}))));
    assert_eq!(plan.apply[0].expect, Expect::Present { uid: "c-1".to_owned() });

    let owner = |kind: &str, uid: &str| json!({"metadata": {"ownerReferences": [{"kind": kind, "name": "m", "uid": uid, "controller": true}]}});
    for stranger in [
        json!({"metadata": {"labels": {"kgents.io/memory": null}}}),
        json!({"metadata": {"labels": {"kgents.io/memory": "other"}}}),
        json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}),
        owner("StatefulSet", "s"),
        owner("Memory", "u-0"),
    ] {
        let plan = run(&new, &seen(&made(&old, &stranger)));
        assert_eq!((plan.apply.len(), plan.delete.len()), (0, 0), "{stranger}");
        assert_eq!(said(&plan, "Stalled")["reason"], "NameTaken");
        assert_eq!(said(&plan, "Ready")["status"], "False");
        assert_eq!(plan.requeue_at, Some(noon() + SignedDuration::from_mins(10)));
        assert_eq!(plan.status.unwrap().body.get("claimName"), None);
    }
    // One that is controlled by us is ours whatever its labels are.
    let mine = made(&old, &owner("Memory", "u-2"));
    let mut bare = mine;
    bare["metadata"]["labels"] = json!({});
    assert_eq!(run(&new, &seen(&bare)).apply.len(), 1);
}

#[test]
fn a_volume_grows_when_it_is_bound_and_never_shrinks() {
    let small = memory(&json!({"spec": {"size": "1Gi"}}));
    let with = |size: &str, claim: &Value| run(&memory(&json!({"spec": {"size": size}})), &seen(claim));
    let bound = made(&small, &json!({}));
    assert_eq!(changes(&with("2Gi", &bound)), ["spec.resources.requests.storage 1Gi -> 2Gi"]);
    assert!(with("1024Mi", &bound).apply.is_empty());
    let shrunk = with("512Mi", &bound);
    assert!(shrunk.apply.is_empty());
    assert_eq!(said(&shrunk, "Resized")["reason"], "ShrinkRefused");
    assert_eq!(said(&shrunk, "Ready")["status"], "True");
    let later = with("2Gi", &made(&small, &json!({"status": {"phase": "Pending", "capacity": null}})));
    assert!(later.apply.is_empty());
    assert_eq!(said(&later, "Resized")["reason"], "WaitingForBinding");
    // Asked for, and not there yet: whoever grows it has the word.
    let mut growing = bound;
    growing["spec"]["resources"]["requests"]["storage"] = "2Gi".into();
    growing["status"]["conditions"] =
        json!([{"type": "FileSystemResizePending", "status": "True", "message": "restart a pod"}]);
    let growing = with("2Gi", &growing);
    assert!(growing.apply.is_empty());
    assert_eq!(said(&growing, "Resized")["message"], "the volume is to grow to 2Gi: restart a pod");
}

fn fault(cause: Cause, ago: i64, again: i64) -> Fault {
    Fault {
        child: claim(&memory(&json!({}))),
        cause,
        said: "no room".to_owned(),
        generation: 1,
        since: noon() - SignedDuration::from_secs(ago),
        retry_at: noon() + SignedDuration::from_secs(again),
    }
}

#[test]
fn a_refusal_is_told_with_the_servers_words_and_not_tried_again_before_its_time() {
    let small = made(&memory(&json!({})), &json!({}));
    let mut observed = seen(&small);
    observed.faults = vec![fault(Cause::AdmissionDenied, 1, 600)];
    let big = memory(&json!({"spec": {"size": "2Gi"}}));
    let refused = run(&big, &observed);
    assert!(refused.apply.is_empty());
    assert_eq!(said(&refused, "Resized")["reason"], "AdmissionDenied");
    let words = "PersistentVolumeClaim m could not be written: no room";
    assert_eq!(
        (&said(&refused, "Resized")["message"], &said(&refused, "Stalled")["message"]),
        (&json!(words), &json!(words))
    );
    assert_eq!(said(&refused, "Ready")["status"], "True");
    assert_eq!(refused.requeue_at, Some(noon() + SignedDuration::from_secs(600)));

    // Its time has come: it is tried, and what is said stays until it is known how it went.
    observed.faults = vec![fault(Cause::AdmissionDenied, 600, 0)];
    let mut told = big.clone();
    told.status = serde_json::from_value(refused.status.unwrap().body).unwrap();
    let again = run(&told, &observed);
    assert_eq!((again.apply.len(), again.status), (1, None));
    // What was refused of another generation is no hindrance.
    let next = memory(&json!({"metadata": {"generation": 2}, "spec": {"size": "2Gi"}}));
    observed.faults = vec![fault(Cause::AdmissionDenied, 1, 600)];
    assert_eq!(run(&next, &observed).apply.len(), 1);
}

#[test]
fn what_passes_by_itself_is_told_after_five_seconds() {
    let memory = memory(&json!({}));
    let with = |fault: Fault| run(&memory, &Observed { faults: vec![fault], ..Observed::default() });
    let young = with(fault(Cause::Unavailable, 1, 30));
    assert!(young.is_empty());
    assert_eq!(young.requeue_at, Some(noon() + SignedDuration::from_secs(4)));
    let old = with(fault(Cause::Unavailable, 5, 30));
    assert_eq!(said(&old, "Stalled")["reason"], "ApiServerUnavailable");
    let quota = with(fault(Cause::QuotaExceeded, 0, 30));
    assert_eq!(said(&quota, "Ready")["reason"], "QuotaExceeded");
}

#[test]
fn what_never_changes_is_left_and_said() {
    let first = memory(&json!({"spec": {"storageClass": "slow"}}));
    let claim = made(&first, &json!({}));
    let other = memory(&json!({"spec": {"storageClass": "fast", "accessMode": "ReadWriteMany"}}));
    let plan = run(&other, &seen(&claim));
    assert!(plan.apply.is_empty());
    assert_eq!(
        said(&plan, "ClaimMatches")["message"],
        "the storage class is slow, not fast; the access mode is ReadWriteOnce, not ReadWriteMany: \
         that of a claim never changes, only a new one has another"
    );
    // Named no more, it stays ours; never named, it never was.
    let unnamed = memory(&json!({}));
    assert!(run(&unnamed, &seen(&claim)).apply.is_empty());
    assert!(run(&unnamed, &seen(&made(&unnamed, &json!({})))).apply.is_empty());
}

#[test]
fn ephemeral_has_no_claim_and_takes_only_one_that_was_to_die() {
    let ephemeral = |policy: &str| memory(&json!({"spec": {"type": "EPHEMERAL", "retentionPolicy": policy}}));
    let fresh = run(&ephemeral("DELETE"), &Observed::default());
    assert_eq!((fresh.apply.len(), &said(&fresh, "Ready")["reason"]), (0, &json!("Ephemeral")));

    let kept = made(&memory(&json!({})), &json!({}));
    let dying = made(&memory(&json!({"spec": {"retentionPolicy": "DELETE"}})), &json!({}));
    let gone = run(&ephemeral("DELETE"), &seen(&dying));
    assert_eq!((gone.delete[0].uid.as_str(), gone.delete.len(), gone.apply.len()), ("c-1", 1, 0));
    for policy in ["DELETE", "RETAIN", "COMPOST"] {
        let plan = run(&ephemeral(policy), &seen(&kept));
        assert_eq!((plan.delete.len(), plan.apply.len()), (0, 0), "{policy}");
    }
    let spared = run(&ephemeral("RETAIN"), &seen(&dying));
    assert_eq!(spared.delete, []);
    assert_eq!(spared.apply[0].body["metadata"].get("ownerReferences"), None);
}

#[test]
fn what_is_not_built_says_so() {
    let memory = memory(&json!({"spec": {"backupSchedule": "0 3 * * *", "writeAccess": ["b"]}}));
    let plan = run(&memory, &seen(&made(&memory, &json!({}))));
    for (type_, message) in
        [("BackupScheduled", "backupSchedule has no effect yet"), ("Shared", "writeAccess has no effect yet")]
    {
        assert_eq!(
            (&said(&plan, type_)["reason"], &said(&plan, type_)["message"]),
            (&json!("NotImplemented"), &json!(message))
        );
    }
}

#[test]
fn a_change_by_hand_is_put_back_and_said_with_its_maker() {
    let mut memory = memory(&json!({}));
    let mut claim = made(&memory, &json!({}));
    memory.status = serde_json::from_value(run(&memory, &seen(&claim)).status.unwrap().body).unwrap();
    claim["metadata"]["labels"][LABEL_AGENT] = "b".into();
    claim["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap()
        .push(json!({"manager": "kubectl-edit", "operation": "Update"}));
    let plan = run(&memory, &seen(&claim));
    assert_eq!(plan.apply.len(), 1);
    assert_eq!(
        plan.events[0].message,
        "PersistentVolumeClaim m was changed by kubectl-edit and is put back: metadata.labels.kgents.io/agent b -> a"
    );
    let gone = run(&memory, &Observed::default());
    assert_eq!((gone.events[0].reason, gone.events[0].warning), ("ClaimGone", true));
}

#[test]
fn only_compost_without_an_owner_is_swept() {
    let read = |policy: &str, over: &Value| {
        let claim = made(&memory(&json!({"spec": {"retentionPolicy": policy}})), over);
        Live::read(Resource::PersistentVolumeClaim, &claim).unwrap()
    };
    assert!(sweepable(&read("COMPOST", &json!({})), false));
    assert!(!sweepable(&read("COMPOST", &json!({})), true));
    assert!(!sweepable(&read("RETAIN", &json!({})), false));
    assert!(!sweepable(&read("DELETE", &json!({})), false));
    let going = json!({"metadata": {"deletionTimestamp": "2026-01-01T11:30:00Z"}});
    assert!(!sweepable(&read("COMPOST", &going), false));
    let foreign = json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}});
    assert!(!sweepable(&read("COMPOST", &foreign), false));
    let compost = memory(&json!({"spec": {"retentionPolicy": "COMPOST"}}));
    assert!(is_compost(&compost, false) && !is_compost(&compost, true) && !is_compost(&memory(&json!({})), false));
}
