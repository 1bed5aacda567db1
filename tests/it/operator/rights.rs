//! The operator under its own account: every right that it uses is granted,
//! and every right that is granted is used.

use std::collections::BTreeSet;
use std::time::Duration;

use kgents_operator::rbac;
use serde_json::{Value, json};

use crate::support::audit::Call;
use crate::support::case::{Case, cases};
use crate::support::cluster::{LIVING, Own};
use crate::support::credentials;
use crate::support::garden::Garden;
use crate::support::objects::{agent, object};
use crate::support::operator::Operator;
use crate::support::user::User;
use crate::support::wait::{SOON, eventually};

pub fn cases() -> Vec<Case> {
    cases![its_own_account_suffices_and_nothing_is_granted_in_vain]
}

fn its_own_account_suffices_and_nothing_is_granted_in_vain(own: Own) {
    let cluster = own.start(&LIVING);
    cluster.install_crds();
    let garden = Garden::on(cluster.clone(), "rights");
    cluster.kubectl(&["create", "namespace", "kgents-system"]).ok();
    cluster.kubectl(&["create", "namespace", "kgents-agents"]).ok();
    let manifests = garden.kgents(&["operator", "rbac", "-o", "yaml"]).ok();
    cluster.kubectl_as(cluster.kubeconfig(), &["apply", "-f", "-"], &manifests).ok();
    let token = cluster.kubectl(&["create", "token", "kgents-operator", "-n", "kgents-system"]).ok();
    let user = User::with_text(&credentials::with_token(
        &std::fs::read_to_string(cluster.kubeconfig()).unwrap(),
        token.trim(),
    ));

    let mark = garden.audit.end();
    let mut operator = Operator::ready(&user, &["--allow-chaos"]);
    operator.leads();
    // A life with everything in it that the operator ever does.
    garden.apply(&[
        agent("b-gent", "B"),
        object("Agent", "many", &json!({ "genus": "M", "replicas": 2 })),
        object("Memory", "brief", &json!({ "owner": "b-gent", "type": "VECTOR", "retentionPolicy": "DELETE" })),
        object("Pheromone", "short", &json!({ "type": "WARNING", "source": "o-gent", "ttlSeconds": 1 })),
    ]);
    garden.phase("b-gent", "Running");
    garden.phase("many", "Running");
    garden.condition("memory", "brief", "Ready", "True");
    garden.gone("pheromone", "short");
    // What is taken away, and what is in the way.
    garden.kubectl(&["scale", "agent/many", "--replicas=1"]).ok();
    garden.gone("poddisruptionbudget", "many");
    garden.apply(&[object("Umwelt", "meadow", &json!({ "agent": "many" }))]);
    garden.apply(&[object("Agent", "many", &json!({ "genus": "M", "umwelt": "meadow" }))]);
    garden.gone("umwelt", "many-umwelt");
    // An automatic Memory for deletion goes when another one is named, and the
    // claim of one that needs none any more.
    let retention = r#"{"spec":{"retentionPolicy":"DELETE"}}"#;
    garden.kubectl(&["patch", "memory", "many-memory", "--type=merge", "-p", retention]).ok();
    eventually(SOON, "that it belongs to its agent", || {
        let owners = garden.get("memory", "many-memory")["metadata"]["ownerReferences"].clone();
        if owners.is_null() { Err(String::new()) } else { Ok(()) }
    });
    let named = json!({ "genus": "M", "umwelt": "meadow", "memory": "other" });
    garden.apply(&[
        object("Memory", "other", &json!({ "owner": "many", "type": "VECTOR" })),
        object("Agent", "many", &named),
    ]);
    garden.gone("memory", "many-memory");
    let none = json!({ "owner": "b-gent", "type": "EPHEMERAL", "retentionPolicy": "DELETE" });
    garden.apply(&[object("Memory", "brief", &none)]);
    garden.gone("pvc", "brief");
    garden.kubectl(&["label", "service", "b-gent", "app.kubernetes.io/managed-by-"]).ok();
    eventually(SOON, "its label", || {
        let live = garden.get("service", "b-gent");
        if live["metadata"]["labels"]["app.kubernetes.io/managed-by"].is_null() { Err(String::new()) } else { Ok(()) }
    });
    // A pod a minute, where agents live by convention.
    let chaos = |mut object: Value| {
        object["metadata"]["namespace"] = json!("kgents-agents");
        object
    };
    cluster.kubectl_as(cluster.kubeconfig(), &["apply", "-f", "-"], &chaos(agent("c-gent", "C")).to_string()).ok();
    eventually(SOON, "a pod to lose", || {
        let ran =
            cluster.kubectl(&["get", "agent", "c-gent", "-n", "kgents-agents", "-o", "jsonpath={.status.phase}"]).ok();
        if ran == "Running" { Ok(()) } else { Err(ran) }
    });
    let storm = object("Pheromone", "storm", &json!({ "type": "CHAOS", "source": "t-gent" }));
    cluster.kubectl_as(cluster.kubeconfig(), &["apply", "-f", "-"], &chaos(storm).to_string()).ok();
    // None in the first minute of a leader: nobody knows when the one before took one.
    eventually(Duration::from_secs(90), "a pod that was deleted", || {
        let deleted = garden
            .audit
            .since(mark)
            .into_iter()
            .any(|call| call.verb == "delete" && call.resource == "pods" && call.agent.starts_with("kgents/"));
        if deleted { Ok(()) } else { Err(String::new()) }
    });
    garden.kubectl(&["delete", "agent", "many"]).ok();
    garden.quiet(mark, Duration::from_secs(2));
    operator.signal(rustix::process::Signal::TERM);
    operator.ended();

    let account = "system:serviceaccount:kgents-system:kgents-operator";
    let calls: Vec<_> = garden.audit.since(mark).into_iter().filter(|call| call.user == account).collect();
    let refused: Vec<_> = calls.iter().filter(|call| call.code == 403).map(Call::short).collect();
    assert!(refused.is_empty(), "{refused:#?}");
    let seen: BTreeSet<(String, String, String)> =
        calls.iter().map(|call| (call.group.clone(), call.resource.clone(), call.verb.clone())).collect();
    for right in rbac::table() {
        for verb in right.verbs {
            let found = seen.contains(&(right.group.to_owned(), right.resource.to_owned(), (*verb).to_owned()));
            assert!(
                found || right.unseen(verb).is_some(),
                "{verb} {}.{} is granted and never used",
                right.resource,
                right.group
            );
        }
    }
}
