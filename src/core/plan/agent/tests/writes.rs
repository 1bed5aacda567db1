//! What is written to the children.

use super::*;
use crate::plan::Expect;

#[test]
fn children_are_made_in_their_order_and_then_nothing_is_left_to_do() {
    let mut world = World::new(with(&json!({ "replicas": 2 })));
    let plan = world.step();
    let order: Vec<Resource> = children(Subject::Agent(&world.agent)).into_iter().map(|child| child.resource).collect();
    assert_eq!(resources(&plan), order);
    assert!(plan.apply.iter().all(|apply| apply.expect == Expect::Absent && apply.changes.is_empty()));
    assert_eq!(
        said(&plan),
        ["Created: made ServiceAccount b-gent, ConfigMap b-gent-spec, Umwelt b-gent-umwelt, Memory b-gent-memory, \
             NetworkPolicy b-gent, Service b-gent, PodDisruptionBudget b-gent, Deployment b-gent"]
    );
    let plan = world.plan();
    assert!(plan.is_empty(), "{plan:#?}");
}

#[test]
fn what_goes_with_the_agent_says_so_and_what_outlives_it_does_not() {
    let plan = first(&json!({}));
    for apply in &plan.apply {
        let owners = &apply.body["metadata"]["ownerReferences"];
        if apply.child.resource == Resource::Memory {
            assert!(owners.is_null(), "{owners}");
        } else {
            let owner = json!([{
                "apiVersion": "kgents.io/v1", "kind": "Agent", "name": "b-gent", "uid": "u",
                "controller": true, "blockOwnerDeletion": true,
            }]);
            assert_eq!(*owners, owner, "{}", apply.child);
        }
    }
    // An agent that is only looked at, from a file, owns nothing.
    let mut agent = with(&json!({}));
    agent.metadata.uid = None;
    let plan = World::new(agent).plan();
    assert!(plan.apply.iter().all(|apply| apply.body["metadata"]["ownerReferences"].is_null()));
}

#[test]
fn a_memory_goes_with_the_agent_once_its_own_policy_says_so() {
    let mut world = World::running(with(&json!({})));
    let memory = world.objects.get_mut(&name(Resource::Memory)).unwrap();
    memory["spec"]["retentionPolicy"] = json!("DELETE");
    let plan = world.step();
    assert_eq!(resources(&plan), [Resource::Memory]);
    assert_eq!(plan.apply[0].body["metadata"]["ownerReferences"][0]["uid"], "u");
    world.settle();
    // And not any more when it says otherwise.
    world.objects.get_mut(&name(Resource::Memory)).unwrap()["spec"]["retentionPolicy"] = json!("COMPOST");
    let plan = world.step();
    assert!(plan.apply[0].body["metadata"]["ownerReferences"].is_null());
    world.settle();
}

#[test]
fn a_kept_memory_is_taken_back_by_the_next_agent_of_its_name() {
    let mut world = World::running(with(&json!({})));
    let kept = world.objects.remove(&name(Resource::Memory)).unwrap();
    let mut next = World::new(agent(&json!({ "metadata": { "uid": "u2" } })));
    next.objects.insert(name(Resource::Memory), kept);
    let plan = next.step();
    assert!(!resources(&plan).contains(&Resource::Memory), "{plan:#?}");
    next.settle();
    // Also when somebody took its labels, for our manager made it for this owner.
    world = next;
    let memory = world.objects.get_mut(&name(Resource::Memory)).unwrap();
    memory["metadata"]["labels"] = json!({});
    let plan = world.step();
    assert_eq!(resources(&plan), [Resource::Memory]);
    assert_eq!(
        plan.apply[0].expect,
        Expect::Present { uid: world.objects[&name(Resource::Memory)]["metadata"]["uid"].as_str().unwrap().to_owned() }
    );
    world.settle();
}

#[test]
fn a_stranger_is_left_alone_and_what_comes_after_it_is_not_made() {
    for (at, resource) in super::super::ORDER.into_iter().enumerate() {
        let mut world = World::new(with(&json!({ "replicas": 2 })));
        world.stranger(resource);
        let before = world.objects[&name(resource)].clone();
        let plan = world.step();
        assert_eq!(resources(&plan), super::super::ORDER[..at], "{resource}");
        world.settle();
        assert_eq!(world.objects[&name(resource)], before);
        assert_eq!(world.condition("Stalled").unwrap(), "True NameTaken");
        assert_eq!(world.phase(), "Failed");
        assert!(world.plan().requeue_at.is_some(), "nobody tells when the name is free");
        assert!(world.message("Ready").contains(&super::super::child(&world.agent, resource).to_string()));
    }
}

#[test]
fn an_agent_called_default_does_not_take_the_account_of_its_namespace() {
    let mut world = World::new(agent(&json!({ "metadata": { "name": "default" } })));
    let account = json!({ "metadata": { "name": "default", "uid": "of-the-namespace" } });
    world.objects.insert((Resource::ServiceAccount, "default".to_owned()), account.clone());
    world.settle();
    assert_eq!(world.objects.len(), 1);
    assert_eq!(world.objects[&(Resource::ServiceAccount, "default".to_owned())], account);
    assert_eq!(
        world.message("Stalled"),
        "ServiceAccount default is there already and was made by somebody else; it is left as it is"
    );
}

#[test]
fn what_another_controls_is_named_with_its_controller() {
    let mut world = World::new(with(&json!({})));
    world.stranger(Resource::Service);
    world.objects.get_mut(&name(Resource::Service)).unwrap()["metadata"]["ownerReferences"] =
        json!([{ "kind": "Rollout", "name": "shop", "uid": "r", "controller": true }]);
    world.settle();
    assert_eq!(
        world.message("Stalled"),
        "Service b-gent is there already and belongs to Rollout shop; it is left as it is"
    );
}

#[test]
fn what_an_earlier_agent_of_the_name_left_is_waited_for() {
    let old = World::running(with(&json!({})));
    let mut world = World::new(agent(&json!({ "metadata": { "uid": "u2" } })));
    world.objects = old.objects;
    world.settle();
    assert_eq!(world.condition("Stalled").unwrap(), "False NoTrouble");
    assert_eq!(world.phase(), "Pending");
    world.pass(5);
    world.settle();
    assert_eq!(world.condition("Progressing").unwrap(), "True ChildTerminating");
    world.objects.retain(|(resource, _), _| *resource == Resource::Memory);
    world.settle();
    world.run();
    world.settle();
    assert_eq!(world.phase(), "Running");
}

#[test]
fn a_child_that_is_going_is_waited_for() {
    let mut world = World::running(with(&json!({})));
    world.objects.get_mut(&name(Resource::NetworkPolicy)).unwrap()["metadata"]["deletionTimestamp"] =
        json!("2026-01-01T12:00:00Z");
    world.spec(&json!({ "config": { "a": "b" } }));
    let plan = world.step();
    assert_eq!(resources(&plan), [Resource::ConfigMap]);
    world.objects.remove(&name(Resource::NetworkPolicy));
    let plan = world.step();
    assert_eq!(resources(&plan), [Resource::NetworkPolicy, Resource::Deployment]);
    world.settle();
}

#[test]
fn only_what_a_change_is_about_is_written() {
    for (change, wanted) in [
        (json!({ "replicas": 1 }), vec![]),
        (json!({ "replicas": 3 }), vec![Resource::PodDisruptionBudget, Resource::Deployment]),
        (json!({ "replicas": 0 }), vec![Resource::Deployment]),
        (json!({ "instructions": "be kind" }), vec![Resource::ConfigMap]),
        (json!({ "budget": { "tokens": 5 } }), vec![Resource::ConfigMap]),
        (json!({ "config": { "level": "3" } }), vec![Resource::ConfigMap, Resource::Deployment]),
        (json!({ "networkPolicy": { "allowEgress": true } }), vec![Resource::ConfigMap, Resource::NetworkPolicy]),
        (json!({ "reconciliation": { "sequential": false } }), vec![]),
        (json!({ "resources": { "cpu": "0.1" } }), vec![Resource::ConfigMap]),
    ] {
        let mut world = World::running(with(&json!({})));
        world.spec(&change);
        let plan = world.step();
        assert_eq!(resources(&plan), wanted, "{change}");
        assert!(said(&plan).iter().all(|said| !said.starts_with("Restored")), "{:?}", said(&plan));
        world.settle();
    }
}

#[test]
fn scaling_changes_no_template() {
    let template = |replicas: i32| {
        body(&first(&json!({ "replicas": replicas })), Resource::Deployment)["spec"]["template"].clone()
    };
    assert_eq!(template(1), template(100));
}

#[test]
fn what_is_not_needed_any_more_is_deleted_if_it_is_ours() {
    let mut world = World::running(with(&json!({ "replicas": 2 })));
    world.spec(&json!({ "replicas": 1, "umwelt": "shared" }));
    world.umwelt = Some(umwelt("shared", &json!({})));
    let plan = world.step();
    let deleted: Vec<String> = plan.delete.iter().map(|delete| delete.child.to_string()).collect();
    assert_eq!(deleted, ["Umwelt b-gent-umwelt", "PodDisruptionBudget b-gent"]);
    world.settle();
    // Not what has its name and is somebody else's.
    let mut world = World::running(with(&json!({})));
    world.stranger(Resource::PodDisruptionBudget);
    assert!(world.plan().is_empty());
}

#[test]
fn a_memory_that_is_not_needed_goes_only_if_its_policy_is_delete() {
    for (policy, goes) in [("DELETE", true), ("RETAIN", false), ("COMPOST", false)] {
        let mut world = World::running(with(&json!({})));
        world.objects.get_mut(&name(Resource::Memory)).unwrap()["spec"]["retentionPolicy"] = json!(policy);
        world.settle();
        world.spec(&json!({ "sidecar": { "enabled": false } }));
        let plan = world.plan();
        assert_eq!(!plan.delete.is_empty(), goes, "{policy}");
        if !goes {
            assert!(plan.why.iter().any(|why| why.contains("is kept")), "{:?}", plan.why);
        }
        world.settle();
        assert_eq!(world.objects.contains_key(&name(Resource::Memory)), !goes, "{policy}");
    }
}

#[test]
fn a_memory_whose_policy_changes_while_it_is_not_needed_is_let_go_not_deleted() {
    let mut world = World::running(with(&json!({})));
    world.objects.get_mut(&name(Resource::Memory)).unwrap()["spec"]["retentionPolicy"] = json!("DELETE");
    world.settle();
    world.objects.get_mut(&name(Resource::Memory)).unwrap()["spec"]["retentionPolicy"] = json!("RETAIN");
    world.spec(&json!({ "memory": "other" }));
    world.memory = Some(memory("other", &json!({})));
    let plan = world.step();
    assert_eq!(plan.delete, []);
    world.settle();
    assert!(world.objects[&name(Resource::Memory)]["metadata"]["ownerReferences"].is_null());
}

#[test]
fn what_somebody_changes_is_put_back_and_told_with_who_did_it() {
    let mut world = World::running(with(&json!({})));
    let (key, edited) = (
        name(Resource::Deployment),
        json!({
            "manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T12:00:07Z",
            "fieldsV1": { "f:spec": { "f:replicas": {} } },
        }),
    );
    let deployment = world.objects.get_mut(&key).unwrap();
    deployment["spec"]["replicas"] = json!(7);
    deployment["metadata"]["managedFields"].as_array_mut().unwrap().push(edited.clone());
    let plan = world.step();
    assert_eq!(said(&plan), ["Restored: put back Deployment b-gent: spec.replicas (changed by kubectl-edit)"]);
    assert_eq!(world.objects[&key]["spec"]["replicas"], 1);
    // What comes from a new spec is our own doing, whoever edited before.
    let deployment = world.objects.get_mut(&key).unwrap();
    deployment["metadata"]["managedFields"].as_array_mut().unwrap().push(edited);
    world.run();
    world.settle();
    world.spec(&json!({ "image": "bank:2" }));
    let plan = world.step();
    assert!(
        said(&plan)[0].starts_with(
            "Updated: changed ConfigMap b-gent-spec: data.spec.yaml, Deployment b-gent: spec.template.spec.containers"
        ),
        "{:?}",
        said(&plan)
    );
}

#[test]
fn who_only_annotates_has_changed_nothing() {
    let mut world = World::running(with(&json!({})));
    let noted = json!({
        "manager": "kube-controller-manager", "operation": "Update", "time": "2026-01-01T12:00:07Z",
        "fieldsV1": { "f:metadata": { "f:annotations": { ".": {}, "f:deployment.kubernetes.io/revision": {} } } },
    });
    let deployment = world.objects.get_mut(&name(Resource::Deployment)).unwrap();
    deployment["spec"]["replicas"] = json!(7);
    deployment["metadata"]["managedFields"].as_array_mut().unwrap().push(noted);
    assert!(said(&world.plan())[0].starts_with("Updated"));
}

#[test]
fn events_name_paths_and_no_values_and_fit() {
    let config: Map<String, Value> = (0..400).map(|n| (format!("key{n}"), json!("geheim"))).collect();
    let mut world = World::running(with(&json!({})));
    world.spec(&json!({ "config": config }));
    for event in world.plan().events {
        assert!(event.message.len() <= 1024 && !event.message.contains("geheim"), "{event:?}");
    }
}

#[test]
fn a_fault_stops_what_comes_after_it_until_it_may_be_tried_again() {
    let mut world = World::new(with(&json!({})));
    world.fault(Resource::Service, Cause::QuotaExceeded, "exceeded quota: services");
    let plan = world.step();
    assert_eq!(resources(&plan).last(), Some(&Resource::NetworkPolicy));
    assert_eq!(plan.requeue_at, Some(world.now + secs(60)));
    assert_eq!(world.condition("Stalled").unwrap(), "True QuotaExceeded");
    assert_eq!(world.message("Ready"), "Service b-gent: exceeded quota: services");
    assert_eq!(world.phase(), "Failed");
    world.settle();
    let writes = world.writes;
    world.pass(60);
    let plan = world.plan();
    assert_eq!(resources(&plan), [Resource::Service, Resource::Deployment], "it is tried again");
    assert_eq!(plan.status, None, "what was said stands until it is known how that went");
    world.faults[0].retry_at = world.now + secs(600);
    world.settle();
    assert_eq!(world.writes, writes, "the same failure is not told twice");
    world.spec(&json!({ "instructions": "again" }));
    assert_eq!(
        resources(&world.plan()),
        [Resource::ConfigMap, Resource::Service, Resource::Deployment],
        "a new generation may at once"
    );
}

#[test]
fn a_fault_that_passes_by_itself_is_told_only_once_it_lasts() {
    let mut world = World::new(with(&json!({})));
    world.fault(Resource::Service, Cause::Unavailable, "no answer");
    world.settle();
    assert_eq!((world.phase().as_str(), world.condition("Stalled").unwrap().as_str()), ("Pending", "False NoTrouble"));
    assert_eq!(world.plan().requeue_at, Some(world.now + secs(5)));
    world.pass(4);
    assert!(world.plan().is_empty());
    world.pass(1);
    world.settle();
    assert_eq!(world.condition("Stalled").unwrap(), "True ApiServerUnavailable");
    world.faults.clear();
    world.settle();
    world.run();
    world.settle();
    assert_eq!(world.condition("Stalled").unwrap(), "False NoTrouble");
}

#[test]
fn a_fault_of_what_is_as_it_should_be_stops_nothing() {
    let mut world = World::running(with(&json!({})));
    world.fault(Resource::ServiceAccount, Cause::RightMissing, "forbidden");
    assert!(world.plan().is_empty());
}

#[test]
fn pods_wait_for_an_umwelt_and_a_memory_that_are_named_and_not_there() {
    let mut world = World::new(with(&json!({ "umwelt": "lab", "memory": "notes" })));
    world.settle();
    assert!(!world.objects.contains_key(&name(Resource::Deployment)));
    assert_eq!(world.condition("Ready").unwrap(), "False Deploying", "it may be the next object of the same file");
    world.pass(5);
    world.settle();
    assert_eq!(world.condition("Ready").unwrap(), "False UmweltNotFound");
    assert_eq!((world.condition("Stalled").unwrap().as_str(), world.phase().as_str()), ("False NoTrouble", "Pending"));
    world.umwelt = Some(umwelt("lab", &json!({ "secretRef": "keys" })));
    world.settle();
    assert_eq!(world.condition("Ready").unwrap(), "False MemoryNotFound");
    world.memory = Some(memory("notes", &json!({})));
    let plan = world.step();
    let logic = &body(&plan, Resource::Deployment)["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(logic["envFrom"], json!([{ "secretRef": { "name": "keys" } }]));
}

#[test]
fn what_is_another_agents_is_not_used() {
    for (spec, reason) in [(json!({ "memory": "m" }), "MemoryOfAnother"), (json!({ "umwelt": "m" }), "UmweltOfAnother")]
    {
        let mut world = World::new(with(&spec));
        world.memory = Some(memory("m", &json!({ "owner": "other" })));
        world.umwelt = Some(umwelt("m", &json!({ "agent": "other" })));
        world.settle();
        assert_eq!(world.condition("Stalled").unwrap(), format!("True {reason}"));
        assert!(!world.objects.contains_key(&name(Resource::Deployment)));
    }
}

#[test]
fn who_names_the_automatic_memory_gets_it_whoever_made_it() {
    let mut world = World::new(with(&json!({ "memory": "b-gent-memory" })));
    world.step();
    assert!(world.objects.contains_key(&name(Resource::Memory)));
    let mut world = World::new(with(&json!({ "memory": "b-gent-memory" })));
    world.stranger(Resource::Memory);
    world.memory = Some(memory("b-gent-memory", &json!({})));
    let plan = world.step();
    assert!(!resources(&plan).contains(&Resource::Memory) && resources(&plan).contains(&Resource::Deployment));
}

#[test]
fn a_name_of_63_characters_fits_everywhere() {
    let long = "a".repeat(63);
    let mut world = World::new(agent(&json!({ "metadata": { "name": long }, "spec": { "replicas": 2 } })));
    let plan = world.step();
    assert_eq!(plan.apply.len(), 8);
    for apply in &plan.apply {
        for (label, value) in apply.body["metadata"]["labels"].as_object().unwrap() {
            assert!(value.as_str().unwrap().len() <= 63, "{} {label}", apply.child);
        }
        let most = if [Resource::Service, Resource::Deployment].contains(&apply.child.resource) { 63 } else { 253 };
        assert!(apply.child.name.len() <= most, "{}", apply.child);
    }
}
