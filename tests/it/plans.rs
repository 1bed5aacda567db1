//! What plans write, on a real API server: it takes every field, gives no
//! warning, and hands back what needs no second write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kgents_api::{Agent, Memory, Umwelt};
use kgents_core::plan::{Config, Expect, Live, Observed, Plan, Resource, Subject, children, plan};
use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::objects::object;
use crate::support::place::Place;
use crate::support::process::Ran;

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![rendered_plans_are_accepted_and_come_back_unchanged, a_create_never_touches_what_is_there]
}

/// Agents by their names: what they are at first, and what of that changes.
fn agents() -> BTreeMap<&'static str, (Value, Value)> {
    let everything = json!({
        "genus": "N", "image": "registry.example:5000/bank:2", "entrypoint": "bank 'serve all'", "replicas": 2,
        "resources": { "cpu": "1500u", "memory": "1.5Gi" }, "config": { "empty": "", "price": "$(a)$$b", "url": "x" },
        "networkPolicy": { "allowEgress": true, "allowedPeers": ["minimal", "genus:F"] },
        "health": { "path": "alive", "port": 9000, "probeInterval": "1500ms", "unhealthyThreshold": 5 },
        "instructions": "on: N\nyes\n", "budget": { "tokens": 5 }, "umwelt": "lab", "memory": "notes",
        "podTemplate": {
            "imagePullSecrets": [{ "name": "b" }, { "name": "a" }, { "name": "a" }], "nodeSelector": { "disk": "" },
            "tolerations": [
                { "key": "gpu", "operator": "Exists", "effect": "", "value": "" },
                { "key": "slow", "value": "yes", "tolerationSeconds": 0, "effect": "NoExecute" },
            ],
            "annotations": { "note": "", "limits": "1.0" }, "labels": { "team": "", "kgents.io/agent": "other" },
            "priorityClassName": "system-node-critical",
        },
    });
    BTreeMap::from([
        ("minimal", (json!({ "genus": "B" }), json!({ "image": "bank", "config": { "a": "b" }, "replicas": 3 }))),
        (
            "everything",
            (everything, json!({ "podTemplate": null, "config": { "url": "" }, "entrypoint": null, "replicas": 1 })),
        ),
        ("one-node", (json!({ "genus": "D", "memory": "one" }), json!({ "memory": "many", "replicas": 2 }))),
        ("many-nodes", (json!({ "genus": "D", "memory": "wide", "replicas": 2 }), json!({ "memory": "narrow" }))),
        ("fleeting", (json!({ "genus": "F", "memory": "gone" }), json!({ "sidecar": { "enabled": false } }))),
        ("alone", (json!({ "genus": "Psi", "sidecar": { "enabled": false } }), json!({ "sidecar": null }))),
        ("stand-in", (json!({ "genus": "Q", "mode": "PLACEHOLDER" }), json!({ "mode": "FULL" }))),
        (
            "zero",
            (
                json!({ "genus": "O", "replicas": 0, "resources": { "cpu": 0, "memory": "0.5" } }),
                json!({ "genus": "P" }),
            ),
        ),
        (LONG, (json!({ "genus": "Y", "replicas": 2 }), json!({ "umwelt": "lab-of-long" }))),
    ])
}

/// A name of 63 characters.
const LONG: &str = "a-name-that-is-as-long-as-a-name-may-be-and-ends-as-late-as-now";

fn named() -> Vec<Value> {
    let memory = |name: &str, owner: &str, spec: Value| {
        let mut memory = object("Memory", name, &json!({ "owner": owner, "type": "VECTOR" }));
        for (field, value) in spec.as_object().unwrap() {
            memory["spec"][field] = value.clone();
        }
        memory
    };
    vec![
        memory("notes", "everything", json!({ "accessMode": "ReadOnlyMany" })),
        memory("one", "one-node", json!({})),
        memory("many", "one-node", json!({ "accessMode": "ReadWriteMany" })),
        memory("wide", "many-nodes", json!({ "accessMode": "ReadWriteMany" })),
        memory("narrow", "many-nodes", json!({ "accessMode": "ReadWriteOncePod" })),
        memory("gone", "fleeting", json!({ "type": "EPHEMERAL", "size": "0.5Gi" })),
        object("Umwelt", "lab", &json!({ "agent": "everything", "secretRef": "keys" })),
        object("Umwelt", "lab-of-long", &json!({ "agent": LONG })),
    ]
}

/// All that is in the namespace, managedFields included.
struct Seen {
    agents: Vec<Agent>,
    objects: Vec<Value>,
}

fn look(place: &Place) -> Seen {
    let kinds = Resource::CHILDREN.map(|resource| format!("{}.{}", resource.plural(), group(resource)));
    let kinds = format!("agents.kgents.io,{}", kinds.map(|kind| kind.trim_end_matches('.').to_owned()).join(","));
    let list = place.kubectl(&["get", &kinds, "--show-managed-fields", "-o", "json"]).json();
    let (agents, objects): (Vec<Value>, Vec<Value>) =
        list["items"].as_array().unwrap().iter().cloned().partition(|item| item["kind"] == "Agent");
    Seen { agents: agents.into_iter().map(|agent| serde_json::from_value(agent).unwrap()).collect(), objects }
}

fn group(resource: Resource) -> &'static str {
    resource.group()
}

impl Seen {
    fn find(&self, kind: &str, name: &str) -> Option<&Value> {
        self.objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    fn observed(&self, agent: &Agent) -> Observed {
        let mut observed = Observed::default();
        for child in children(Subject::Agent(agent)) {
            if let Some(found) = self.find(child.resource.kind(), &child.name) {
                let live = Live::read(child.resource, found).unwrap();
                observed.children.insert((child.resource, child.name), live.into());
            }
        }
        observed.agents = self.agents.iter().filter_map(|agent| agent.metadata.name.clone()).collect();
        let name = agent.metadata.name.as_deref().unwrap();
        let memory = agent.spec.memory.clone().unwrap_or_else(|| format!("{name}-memory"));
        let umwelt = agent.spec.umwelt.clone().unwrap_or_else(|| format!("{name}-umwelt"));
        let memory = self.find("Memory", &memory).cloned();
        let umwelt = self.find("Umwelt", &umwelt).cloned();
        observed.memory = memory.map(|memory| serde_json::from_value::<Memory>(memory).unwrap().into());
        observed.umwelt = umwelt.map(|umwelt| serde_json::from_value::<Umwelt>(umwelt).unwrap().into());
        observed
    }

    fn plans(&self) -> Vec<(Agent, Plan)> {
        let plan =
            |agent: &Agent| plan(Subject::Agent(agent), &self.observed(agent), Timestamp::now(), &Config::default());
        self.agents.iter().map(|agent| (agent.clone(), plan(agent))).collect()
    }
}

/// kubectl with this on its standard input.
fn feed(place: &Place, args: &[&str], objects: &[Value]) -> Ran {
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
    place.cluster.kubectl_as(place.kubeconfig(), args, &list)
}

/// Does what is planned, kind by kind, in the order of a plan.
fn execute(place: &Place, plans: &[(Agent, Plan)]) {
    for resource in Resource::CHILDREN {
        for is_new in [true, false] {
            let bodies: Vec<Value> = plans
                .iter()
                .flat_map(|(_, plan)| &plan.apply)
                .filter(|apply| apply.child.resource == resource && (apply.expect == Expect::Absent) == is_new)
                .map(kgents_core::plan::Apply::wire)
                .collect();
            if bodies.is_empty() {
                continue;
            }
            let manager = format!("--field-manager={}", resource.manager());
            let mut args = vec!["apply", "--server-side", "--validate=strict", &manager, "-f", "-"];
            if !is_new {
                args.push("--force-conflicts");
            }
            let ran = feed(place, &args, &bodies);
            // PodSecurity warns of a template that it would refuse as a pod.
            assert_eq!(ran.stderr, "", "{ran}");
            ran.ok();
        }
    }
    for delete in plans.iter().flat_map(|(_, plan)| &plan.delete) {
        place.kubectl(&["delete", delete.child.resource.plural(), &delete.child.name]).ok();
    }
    for (agent, plan) in plans {
        if let Some(status) = &plan.status {
            let name = agent.metadata.name.as_deref().unwrap();
            let mut written = object("Agent", name, &Value::Null);
            written.as_object_mut().unwrap().remove("spec");
            written["status"] = status.body.clone();
            place.apply_status_as(Resource::STATUS_MANAGER, &written);
        }
    }
}

/// Nothing is left to do, for no agent.
fn assert_done(plans: &[(Agent, Plan)]) {
    for (agent, plan) in plans {
        let name = agent.metadata.name.as_deref().unwrap();
        let differ = plan
            .apply
            .iter()
            .flat_map(|apply| apply.changes.iter().map(|change| format!("{} {change:?}", apply.child)));
        let differ: Vec<String> = differ.collect();
        assert!(plan.is_empty(), "{name}: {differ:#?} {:?} {:?} {:?}", plan.delete, plan.status, plan.events);
    }
}

fn rendered_plans_are_accepted_and_come_back_unchanged(place: &Place) {
    let label = |mode: &str| format!("pod-security.kubernetes.io/{mode}=restricted");
    place.kubectl(&["label", "namespace", &place.namespace, &label("enforce"), &label("warn")]).ok();
    let mut objects = named();
    objects.extend(agents().iter().map(|(name, (spec, _))| object("Agent", name, spec)));
    place.apply(&objects);

    let plans = look(place).plans();
    for (agent, plan) in &plans {
        assert!(
            plan.apply.iter().any(|apply| apply.child.resource == Resource::Deployment),
            "{:?} {plan:#?}",
            agent.metadata.name
        );
    }
    execute(place, &plans);
    let seen = look(place);
    assert_done(&seen.plans());

    // PodSecurity and the API server's own checks of pods, not only of templates.
    let pods: Vec<Value> = seen.objects.iter().filter(|object| object["kind"] == "Deployment").map(pod).collect();
    assert_eq!(pods.len(), agents().len());
    feed(place, &["create", "--dry-run=server", "-f", "-"], &pods).ok();

    for (name, (_, change)) in agents() {
        let patch = json!({ "spec": change }).to_string();
        place.kubectl(&["patch", "agent", name, "--type=merge", "-p", &patch]).ok();
    }
    let plans = look(place).plans();
    execute(place, &plans);
    let seen = look(place);
    assert_done(&seen.plans());
    let gone = ["Umwelt", "PodDisruptionBudget"]
        .map(|kind| (kind, if kind == "Umwelt" { format!("{LONG}-umwelt") } else { "everything".to_owned() }));
    for (kind, name) in gone {
        assert!(seen.find(kind, &name).is_none(), "{kind} {name} is still there");
    }
}

/// A pod of the template of a Deployment.
fn pod(deployment: &Value) -> Value {
    let template = &deployment["spec"]["template"];
    let mut spec = template["spec"].clone();
    // The class is not there to be had by everyone.
    spec.as_object_mut().unwrap().remove("priorityClassName");
    let name = deployment["metadata"]["name"].clone();
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": template["metadata"]["labels"] }, "spec": spec })
}

fn a_create_never_touches_what_is_there(place: &Place) {
    place.apply(&[object("Agent", "default", &json!({ "genus": "B" }))]);
    place.kubectl(&["create", "serviceaccount", "default"]);
    let before = place.get("serviceaccount", "default");
    let agents = look(place).agents;
    // Caches that do not hold the namespace's own account.
    let planned = plan(Subject::Agent(&agents[0]), &Observed::default(), Timestamp::now(), &Config::default());
    let account = &planned.apply[0];
    let manager = format!("--field-manager={}", account.manager());
    let ran = feed(place, &["apply", "--server-side", &manager, "-f", "-"], &[account.wire()]);
    assert_eq!(ran.code, Some(1), "{ran}");
    assert_eq!(place.get("serviceaccount", "default"), before);
    // Once it is seen, it is left alone and said.
    let (_, planned) = look(place).plans().remove(0);
    assert!(planned.apply.is_empty(), "{planned:#?}");
    assert_eq!(planned.status.unwrap().body["conditions"][0]["reason"], "NameTaken");
}
