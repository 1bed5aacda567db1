//! Whatever the spec is.

use proptest::prelude::*;

use super::*;
use crate::testing::config;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[a-z][-a-z0-9]{0,8}",
        "[ -~äß$(){}\"'\\\\]{0,12}",
        Just("genus:B".to_owned()),
        Just("b-gent-memory".to_owned()),
        Just("b-gent-umwelt".to_owned()),
    ]
}

fn amount() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec!["100m", "0.5", "1", "1e3", "2Gi", "1500u", "0", "9E", "99E", "-1", "x"])
            .prop_map(|text| json!(text)),
        (0..8).prop_map(|n| json!(n)),
    ]
}

prop_compose! {
    fn any_spec()(
        genus in prop::sample::select(vec!["A", "N", "Psi"]),
        mode in prop::sample::select(vec!["FULL", "FULL", "PLACEHOLDER", "DRY_RUN"]),
        replicas in -1..4_i32,
        words in prop::collection::vec(prop::option::of(word()), 8),
        flags in prop::collection::vec(any::<bool>(), 6),
        amounts in (amount(), amount()),
        config in prop::collection::btree_map(word(), word(), 0..4),
        peers in prop::collection::vec(word(), 0..3),
        interval in prop::sample::select(vec!["30s", "1ms", "0s", "1h1m", "x", ""]),
        port in prop::option::of(-1..70_000_i32),
        labels in prop::collection::btree_map(word(), word(), 0..3),
        tolerations in prop::collection::vec((prop::option::of(word()), prop::option::of(word())), 0..3),
    ) -> Value {
        // Most words are absent most of the time, or no spec is ever good.
        let word = |at: usize| words[at].clone().filter(|_| flags[at % 6]);
        let tolerations: Vec<Value> = tolerations.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        json!({
            "genus": genus, "mode": mode, "replicas": replicas, "paused": flags[0] && flags[1] && flags[2],
            "image": word(0), "entrypoint": word(1), "umwelt": word(2), "memory": word(3), "instructions": word(4),
            "sidecar": { "enabled": flags[0], "image": word(5) }, "identity": { "enabled": flags[1] },
            "resources": { "cpu": amounts.0, "memory": amounts.1 },
            "config": config,
            "networkPolicy": { "allowEgress": flags[2], "allowedPeers": peers },
            "health": { "probeInterval": interval, "port": port, "path": word(6) },
            "podTemplate": {
                "labels": labels, "annotations": labels, "nodeSelector": labels, "tolerations": tolerations,
                "imagePullSecrets": [{ "name": words[7].clone().unwrap_or_default() }, { "name": "a" }, { "name": "a" }],
                "priorityClassName": word(7),
            },
        })
    }
}

/// No value is anywhere that the API server would drop, so that nothing
/// differs for ever.
fn is_kept(path: &str, value: &Value) -> Result<(), String> {
    match value {
        Value::Null => Err(format!("{path} is null")),
        Value::Object(map) => {
            // A toleration that says nothing is refused by the API server.
            let may_be_empty = path.ends_with("tolerations[]");
            if map.is_empty() && !may_be_empty {
                return Err(format!("{path} is empty"));
            }
            map.iter().try_for_each(|(name, inner)| is_kept(&format!("{path}.{name}"), inner))
        }
        Value::Array(list) if list.is_empty() => Err(format!("{path} is empty")),
        Value::Array(list) => list.iter().try_for_each(|inner| is_kept(&format!("{path}[]"), inner)),
        // Maps of free words keep empty ones; fields of their own do not.
        Value::String(text) if text.is_empty() => {
            let maps = [".labels.", ".annotations.", ".nodeSelector.", ".command[]"];
            if maps.iter().any(|map| path.contains(map)) { Ok(()) } else { Err(format!("{path} is blank")) }
        }
        _ => Ok(()),
    }
}

proptest! {
    // Each case is a life of an agent.
    #![proptest_config(ProptestConfig { cases: 48, ..config() })]

    #[test]
    fn a_plan_is_total_the_same_each_time_and_converges(spec in any_spec(), ready in any::<bool>()) {
        let mut world = World::new(with(&spec));
        let named = world.agent.spec.memory.clone().zip(Some(json!({})));
        if ready {
            world.memory = named.map(|(name, spec)| memory(&name, &spec));
            world.umwelt = world.agent.spec.umwelt.clone().map(|name| umwelt(&name, &json!({ "secretRef": "s" })));
        }
        let text = |plan: &Plan| serde_json::to_string(plan).unwrap();
        let plan = world.plan();
        prop_assert_eq!(text(&plan), text(&world.plan()));
        for apply in &plan.apply {
            if let Err(why) = is_kept("", &apply.body) {
                return Err(TestCaseError::fail(format!("{}: {why}", apply.child)));
            }
        }
        world.settle();
        if world.objects.contains_key(&name(Resource::Deployment)) {
            world.run();
            world.settle();
            prop_assert_eq!(world.phase(), "Running");
        }
        // Nothing comes of time alone, once it has passed for long.
        world.pass(3600);
        world.settle();
        let mut last = world.plan();
        while let Some(at) = last.requeue_at.filter(|at| *at > world.now) {
            prop_assert!(last.is_empty());
            world.now = at - SignedDuration::from_nanos(1);
            prop_assert!(world.plan().is_empty());
            if at > noon() + secs(100_000) { break }
            world.now = at;
            world.settle();
            last = world.plan();
        }
    }

    #[test]
    fn time_alone_changes_nothing_before_it_is_planned_again(spec in any_spec(), passed in 0..20_i64) {
        let mut world = World::new(with(&spec));
        world.settle();
        let until = world.plan().requeue_at.unwrap_or(Timestamp::MAX);
        world.pass(passed);
        if world.now < until {
            prop_assert!(world.plan().is_empty(), "{:#?}", world.plan());
        }
    }

    #[test]
    fn a_stop_between_any_two_writes_converges_to_the_same(spec in any_spec(), stop in 0..8_usize) {
        let mut whole = World::new(with(&spec));
        whole.settle();
        let mut broken = World::new(with(&spec));
        let plan = broken.plan();
        for apply in plan.apply.iter().take(stop) {
            broken.apply(apply);
        }
        broken.settle();
        let objects = |world: &World| world.objects.iter().map(|(key, object)| {
            let mut object = object.clone();
            object["metadata"]["uid"] = json!("");
            (key.clone(), object)
        }).collect::<Vec<_>>();
        prop_assert_eq!(objects(&whole), objects(&broken));
        prop_assert_eq!(whole.condition("Ready"), broken.condition("Ready"));
    }
}
