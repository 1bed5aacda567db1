use kgents_core::plan::{Expect, Resource};
use kgents_store::planned::{Operator, Standing};
use serde_json::json;

use super::*;
use crate::kube::Client;
use crate::kube::testing::{Answer, Server, page, status};

const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/kgents-system/leases/kgents-operator";
const LEASES: &str = "/apis/coordination.k8s.io/v1/leases";

fn text(value: &Value) -> Answer {
    Answer::Text(200, value.to_string())
}

fn absent(plural: &str, name: &str) -> Answer {
    let body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
        "reason": "NotFound", "message": format!("{plural} {name:?} not found"),
        "details": { "name": name, "kind": plural },
    });
    Answer::Text(404, body.to_string())
}

fn forbidden() -> Answer {
    status(403, "Forbidden", "you may not")
}

fn agent(spec: &Value) -> Value {
    json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent",
        "metadata": { "namespace": "n", "name": "x", "uid": "u-1", "generation": 1, "resourceVersion": "7" },
        "spec": spec,
    })
}

fn lease(config: &str) -> Value {
    json!({
        "metadata": { "namespace": "kgents-system", "name": "kgents-operator", "annotations": {
            "kgents.io/version": "9.9.9", "kgents.io/config": config, "kgents.io/metrics": "10.0.0.7:8081",
        } },
        "spec": { "holderIdentity": "host\u{1b}-a", "leaseDurationSeconds": 10, "renewTime": "2026-01-01T12:00:00.123456Z" },
    })
}

/// A server with an agent `x` in `n`, around which nothing stands.
async fn server(spec: &Value) -> (Server, Client, tempfile::TempDir) {
    let server = Server::start().await;
    let (folder, options) = server.kubeconfig();
    let object = agent(spec);
    server.on("/apis/kgents.io/v1/namespaces/n/agents/x", text(&object));
    for resource in Resource::CHILDREN.into_iter().chain([Resource::Pod]) {
        server.on(&resource.collection(Some("n")), Answer::Text(200, page(&[], 1, None)));
    }
    let own = Own::read(Kind::Agent, &object).unwrap();
    for child in plan::children(own.subject()) {
        server.on(&child.resource.path("n", &child.name), absent(child.resource.plural(), &child.name));
    }
    server.on(LEASE, absent("leases", "kgents-operator"));
    server.on(LEASES, Answer::Text(200, page(&[], 1, None)));
    let client = Client::connect(&options).await.unwrap();
    (server, client, folder)
}

async fn plan(client: &Client) -> Planned {
    Box::pin(client.plan(Kind::Agent, Some("n"), "x", None)).await.unwrap()
}

fn made(planned: &Planned) -> Vec<String> {
    let of = |apply: &plan::Apply| (apply.expect == Expect::Absent).then(|| apply.child.to_string());
    planned.plan.apply.iter().filter_map(of).collect()
}

#[tokio::test]
async fn what_is_not_there_is_planned_with_the_configuration_of_the_lease() {
    let (server, client, _folder) = server(&json!({ "genus": "B" })).await;
    let config = plan::Config { agent_image: "registry/own:7".into(), ..plan::Config::default() };
    server.now(LEASE, text(&lease(&serde_json::to_string(&config).unwrap())));
    let planned = plan(&client).await;
    let made = made(&planned);
    for child in ["ServiceAccount x", "ConfigMap x-spec", "NetworkPolicy x", "Service x", "Deployment x"] {
        assert!(made.iter().any(|one| one == child), "{child} is not in {made:?}");
    }
    let json = serde_json::to_string(&planned.plan).unwrap();
    assert!(json.contains("registry/own:7"), "{json}");
    assert_eq!(planned.missing, []);
    let Operator { holder, version, metrics, renewed, .. } = &planned.operator;
    assert_eq!(
        (holder.as_deref(), version.as_deref(), metrics.as_deref()),
        (Some("host␛-a"), Some("9.9.9"), Some("10.0.0.7:8081"))
    );
    assert_eq!(renewed.map(|at| at.to_string()).as_deref(), Some("2026-01-01T12:00:00.123456Z"));
    assert_eq!(planned.operator.standing(planned.at), Standing::Silent);
    let lists = server.heads().into_iter().filter(|head| head.contains("labelSelector=kgents.io%2Fagent%3Dx")).count();
    assert_eq!(lists, Resource::CHILDREN.len() + 1, "each child and the pods, once");
}

#[tokio::test]
async fn who_leads_for_others_is_told_as_such() {
    let (server, client, _folder) = server(&json!({ "genus": "B" })).await;
    for (scope, standing) in [
        (r#"{"namespace":"n"}"#, Standing::Leads),
        (r#"{"namespace":"m"}"#, Standing::Elsewhere),
        (r#"{"selector":"team=red"}"#, Standing::Elsewhere),
    ] {
        let mut lease = lease("{}");
        lease["metadata"]["annotations"]["kgents.io/scope"] = scope.into();
        lease["spec"]["renewTime"] = crate::clock::now().to_string().into();
        server.now(LEASE, text(&lease));
        let planned = plan(&client).await;
        assert_eq!(planned.operator.standing(planned.at), standing, "{scope}");
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_told_and_its_step_is_a_guess() {
    let (server, client, _folder) = server(&json!({ "genus": "B" })).await;
    server.now("/apis/networking.k8s.io/v1/namespaces/n/networkpolicies", forbidden());
    server.now("/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/x", forbidden());
    // Of services only those may not be listed that bear other names.
    server.now("/api/v1/namespaces/n/services", forbidden());
    server.now(LEASE, forbidden());
    let planned = plan(&client).await;
    let missing: Vec<(&str, bool)> =
        planned.missing.iter().map(|missing| (missing.resource.as_str(), missing.is_guess)).collect();
    assert_eq!(missing, [("networkpolicies", true), ("services", false)]);
    assert!(planned.missing[0].said.contains("not allowed to get networkpolicies.networking.k8s.io"), "{planned:?}");
    assert!(planned.missing[0].hint.is_some());
    assert!(planned.is_guess(Resource::NetworkPolicy) && !planned.is_guess(Resource::Service));
    assert!(made(&planned).contains(&"NetworkPolicy x".to_owned()));
    assert_eq!(planned.operator.standing(planned.at), Standing::Unknown);
    assert!(planned.operator.problem.unwrap().contains("not allowed to get leases.coordination.k8s.io"));
}

#[tokio::test]
async fn what_stands_there_is_found_by_label_and_peers_by_name() {
    let spec = json!({ "genus": "B", "networkPolicy": { "allowedPeers": ["y", "z", "genus:K", "../agents"] } });
    let (server, client, _folder) = server(&spec).await;
    let stranger =
        json!({ "metadata": { "namespace": "n", "name": "x", "uid": "u-9", "labels": { "kgents.io/agent": "x" } } });
    server.now("/api/v1/namespaces/n/services", Answer::Text(200, page(&[stranger], 1, None)));
    server.on("/apis/kgents.io/v1/namespaces/n/agents/y", text(&agent(&json!({ "genus": "K" }))));
    server.on("/apis/kgents.io/v1/namespaces/n/agents/z", absent("agents", "z"));
    let planned = plan(&client).await;
    assert_eq!(planned.missing, []);
    assert_eq!(server.count("/api/v1/namespaces/n/services/x"), 0, "it was in the list");
    let made = made(&planned);
    assert!(!made.contains(&"Service x".to_owned()), "a stranger's Service is not taken: {made:?}");
    assert!(server.heads().iter().all(|head| !head.contains("..")));
    assert_eq!(server.count("/apis/kgents.io/v1/namespaces/n/agents/z"), 1);
}

#[tokio::test]
async fn what_somebody_else_made_of_a_field_is_told() {
    let (server, client, _folder) = server(&json!({ "genus": "B", "replicas": 2 })).await;
    let wanted = plan(&client).await.plan.apply;
    let wanted = wanted.iter().find(|apply| apply.child.resource == Resource::Deployment).unwrap();
    // All is ours but the replicas, which somebody scaled.
    let mut live = wanted.body.clone();
    live["spec"]["replicas"] = 7.into();
    live["metadata"]["uid"] = "u-d".into();
    let mut fields = fields(&wanted.body);
    fields["f:spec"].as_object_mut().unwrap().remove("f:replicas");
    live["metadata"]["managedFields"] = json!([
        { "manager": "kgents-operator/deployment", "operation": "Apply", "fieldsV1": fields },
        { "manager": "kubectl", "operation": "Update", "fieldsV1": { "f:spec": { "f:replicas": {} } } },
    ]);
    server.now("/apis/apps/v1/namespaces/n/deployments", Answer::Text(200, page(&[live], 1, None)));
    let planned = plan(&client).await;
    let changed: Vec<_> = planned.plan.apply.iter().filter(|apply| apply.expect != Expect::Absent).collect();
    assert_eq!(changed.len(), 1, "{:?}", planned.plan.why);
    let told: Vec<String> = changed[0].changes.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["spec.replicas 7 -> 2"]);
    assert!(!changed[0].why.contains("->"), "{}", changed[0].why);
}

/// The fields of a body, as managedFields hold them: lists as a whole.
fn fields(body: &Value) -> Value {
    let of = |map: &serde_json::Map<String, Value>, skip: &[&str]| -> serde_json::Map<String, Value> {
        let field = |(name, value): (&String, &Value)| (format!("f:{name}"), fields(value));
        map.iter().filter(|(name, _)| !skip.contains(&name.as_str())).map(field).collect()
    };
    match body {
        Value::Object(map) if map.contains_key("apiVersion") && map.contains_key("metadata") => {
            let mut all = of(map, &["apiVersion", "kind"]);
            let metadata = map["metadata"].as_object().unwrap();
            all.insert("f:metadata".to_owned(), of(metadata, &["name", "namespace"]).into());
            all.into()
        }
        Value::Object(map) => of(map, &[]).into(),
        _ => json!({}),
    }
}

#[tokio::test]
async fn a_lease_is_found_beside_an_operator_in_a_pod() {
    let (server, client, _folder) = server(&json!({ "genus": "B" })).await;
    let at = |namespace: &str, renewed: &str| {
        let mut lease = lease("{\"version\": 2}");
        (lease["metadata"]["namespace"], lease["spec"]["renewTime"]) = (namespace.into(), renewed.into());
        lease
    };
    let both = [at("old", "2026-01-01T10:00:00Z"), at("new", "2026-01-01T11:00:00Z")];
    server.now(LEASES, Answer::Text(200, page(&both, 1, None)));
    let operator = client.operator(None).await;
    assert_eq!(operator.lease_namespace, "new");
    // What another version wrote is no reason to know nothing.
    assert!(operator.config.is_none() && operator.problem.unwrap().contains("cannot be read by this version"));
    let named = client.operator(Some("kgents-system")).await;
    assert_eq!((named.lease_namespace.as_str(), named.holder), ("kgents-system", None));
    server.now(LEASES, forbidden());
    assert_eq!(client.operator(None).await.standing(crate::clock::now()), Standing::Nobody);
}

#[tokio::test]
async fn a_draft_is_planned_as_if_it_was_applied() {
    let (server, client, _folder) = server(&json!({ "genus": "B" })).await;
    let draft = json!({
        "apiVersion": "kgents.io/v1", "kind": "Agent", "metadata": { "namespace": "n", "name": "x" },
        "spec": { "genus": "B", "replicas": 2 },
    });
    let planned = Box::pin(client.plan_draft(Kind::Agent, &draft, None)).await.unwrap();
    let owner = planned.plan.apply[0].body.pointer("/metadata/ownerReferences/0/uid").and_then(Value::as_str);
    assert_eq!(owner, Some("u-1"), "it is the live one, with another spec");
    assert!(made(&planned).contains(&"PodDisruptionBudget x".to_owned()), "{planned:?}");
    server.now("/apis/kgents.io/v1/namespaces/n/agents/x", absent("agents", "x"));
    let planned = Box::pin(client.plan_draft(Kind::Agent, &draft, None)).await.unwrap();
    assert!(made(&planned).contains(&"Deployment x".to_owned()), "{planned:?}");
    let nameless = Box::pin(client.plan_draft(Kind::Agent, &json!({ "spec": {} }), None)).await;
    assert!(nameless.unwrap_err().to_string().contains("without metadata.name"));
}

#[tokio::test]
async fn a_dry_run_tells_also_what_would_be() {
    let (_server, client, _folder) = server(&json!({ "genus": "B", "mode": "DRY_RUN" })).await;
    let planned = plan(&client).await;
    assert!(planned.plan.apply.is_empty());
    assert!(planned.would.unwrap().apply.iter().any(|apply| apply.child.resource == Resource::Deployment));
}

#[tokio::test]
async fn what_cannot_be_planned_for_says_why() {
    let (server, client, _folder) = server(&json!({ "genus": "B" })).await;
    server.now("/apis/kgents.io/v1/namespaces/n/agents/x", text(&agent(&json!({ "genus": "ZZ" }))));
    let unreadable = Box::pin(client.plan(Kind::Agent, Some("n"), "x", None)).await.unwrap_err().to_string();
    assert!(unreadable.contains("agents.kgents.io") && unreadable.contains("ZZ"), "{unreadable}");
    server.on("/apis/kgents.io/v1/namespaces/n/proposals/p", text(&json!({})));
    let proposal = Box::pin(client.plan(Kind::Proposal, Some("n"), "p", None)).await.unwrap_err().to_string();
    assert_eq!(proposal, "the operator plans nothing for a Proposal");
}
