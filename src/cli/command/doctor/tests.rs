use std::sync::Arc;

use jiff::SignedDuration;
use kgents_source::SourceError;
use kgents_source::checkup::{CrdCheck, GhostCheck, LayerCheck, OperatorCheck, Right, Skew, Standing};
use kgents_source::error::Origin;
use kgents_store::Layer;
use kgents_store::planned::Operator;
use kgents_store::watch::Scene;
use serde_json::{Value, json};

use super::*;
use crate::testing::{noon, text};

fn layer(layer: Layer, address: &str, standing: Standing) -> LayerCheck {
    LayerCheck { layer, address: address.to_owned(), context: None, standing, notes: Vec::new() }
}

fn up(version: &str) -> Standing {
    Standing::Up { latency: Duration::from_millis(12), version: version.to_owned(), instance: None }
}

fn right(resource: &str, verb: &'static str, allowed: bool) -> Right {
    let check = format!("kubectl auth can-i {verb} {resource} -n x");
    Right { resource: resource.to_owned(), verb, namespace: Some("x".to_owned()), answer: Ok(allowed), check }
}

fn installed(change: impl Fn(&mut Value)) -> Vec<CrdCheck> {
    let check = |crd: k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition| {
        let name = crd.metadata.name.clone().unwrap();
        let mut crd = serde_json::to_value(crd).unwrap();
        crd["status"] =
            json!({ "conditions": [{ "type": "Established", "status": "True", "lastTransitionTime": null }] });
        change(&mut crd);
        CrdCheck { name, answer: Ok(Some(Box::new(serde_json::from_value(crd).unwrap()))), is_served: Some(true) }
    };
    kgents_api::crd::all().into_iter().map(check).collect()
}

/// An operator of our version that renews its Lease.
fn leads() -> OperatorCheck {
    let operator = Operator {
        lease_namespace: "kgents-system".to_owned(),
        holder: Some("host-a".to_owned()),
        version: Some(OURS.to_owned()),
        renewed: Some(noon()),
        ..Operator::default()
    };
    OperatorCheck { operator, at: noon() + SignedDuration::from_secs(2) }
}

/// A cluster in which all is well.
fn well() -> Facts {
    let none = SourceError::NoCortex { tried: vec!["/run/cortex.sock".to_owned()] };
    let nothing = SourceError::NoGhost { path: "/g".into(), problem: "remembers nothing".to_owned() };
    let ghost = GhostCheck {
        path: Some("/g".into()),
        status: None,
        error: Some(nothing.clone()),
        is_writable: Some(true),
        free_bytes: Some(5_000_000_000),
        took: Duration::ZERO,
    };
    let checkup = Checkup {
        scene: Some(Scene { namespace: Some("x".to_owned()), ..Scene::default() }),
        layers: vec![
            layer(Layer::Grpc, "/run/cortex.sock", Standing::Down(none)),
            layer(Layer::Kube, "https://10.0.0.1:6443", up("v1.36.3")),
            layer(Layer::Ghost, "/g", Standing::Down(nothing)),
        ],
        speaks: Some(Layer::Kube),
        rights: ["get", "list", "watch"].map(|verb| right("agents.kgents.io", verb, true)).into(),
        crds: installed(|_| {}),
        operator: Some(leads()),
        clock: Some(Ok(Skew { of: Layer::Kube, by: SignedDuration::from_millis(300) })),
        ghost,
    };
    let env = |name: &str| (name == "TERM").then(|| "xterm-256color".to_owned());
    Facts {
        checkup,
        config: Reading::default(),
        log: Ok("/s/kgents".into()),
        terminal: Terminal::of(&env, false, None),
        limits: Limits {
            inotify_watches: Some(8_192),
            inotify_instances: None,
            open_files: limits::OpenFiles { soft: Some(256), hard: Some(4_096) },
        },
        pinned: None,
    }
}

fn page(facts: &Facts, glyphs: bool) -> String {
    let mut out = Vec::new();
    let safe = Safe { token: None };
    page::write(&mut out, facts, &findings::all(facts), glyphs, |text| safe.text(text)).unwrap();
    text(out)
}

fn code_of(facts: &Facts) -> Code {
    code(facts, &findings::all(facts))
}

/// The words of each line of a page.
#[track_caller]
fn assert_says(facts: &Facts, lines: &[&str]) {
    let page = page(facts, false);
    let squeezed = page.split_whitespace().collect::<Vec<_>>().join(" ");
    for line in lines {
        assert!(squeezed.contains(line), "{line:?} is not in\n{page}");
    }
}

#[test]
fn where_all_is_well_it_says_so_line_by_line() {
    let facts = well();
    assert_eq!(code_of(&facts), Code::Ok);
    assert_says(
        &facts,
        &[
            "kgents would show: kube",
            "-- grpc no Cortex listens at /run/cortex.sock next: kgents cortex serve",
            "ok kube https://10.0.0.1:6443 in 12 ms, Kubernetes v1.36.3",
            "-- ghost the Ghost in /g remembers nothing next: kgents ghost sync",
            "Rights in namespace x ok agents get list watch",
            "ok proposals installed, as ours",
            "ok clock as the API server's",
            "ok disk writable, 5.0 GB free",
            "ok inotify watches 8192",
            "-- inotify instances not known on this system",
            "-- open files 256, at most 4096; 1024 are wanted next: ulimit -n 4096",
            "ok logs /s/kgents",
        ],
    );
    let page = page(&facts, false);
    assert!(page.is_ascii() && !page.contains("!!"), "{page}");
}

#[test]
fn an_operator_is_told_with_its_leader_and_its_age() {
    let with = |change: fn(&mut OperatorCheck)| {
        let mut facts = well();
        change(facts.checkup.operator.as_mut().unwrap());
        facts
    };
    let ours = format!("ok leader operator {OURS} leads as host-a, Lease in kgents-system renewed 2s ago");
    assert_says(&well(), &[&ours]);
    let older = with(|check| check.operator.version = Some("0.0.1".to_owned()));
    assert_says(&older, &["!! version operator 0.0.1 is not of this version"]);
    assert_eq!(code_of(&older), Code::Ok, "it is in nobody's way who reads");
    let silent = with(|check| check.at += SignedDuration::from_mins(5));
    assert_says(&silent, &["holds the Lease as host-a and renewed it last 5m ago", "next: kgents operator run"]);
    let nobody = with(|check| check.operator.holder = None);
    assert_says(&nobody, &["-- leader no operator holds the Lease in kgents-system next: kgents operator run"]);
    let refused = with(|check| {
        check.operator.is_unknown = true;
        check.operator.problem = Some("not allowed to get leases.coordination.k8s.io".to_owned());
        check.operator.hint = Some("kubectl auth can-i get leases".to_owned());
    });
    assert_says(&refused, &["-- leader not known: not allowed to get leases", "next: kubectl auth can-i get leases"]);
    assert_eq!(code_of(&refused), Code::Ok);
    let answer = json::answer(&silent, &[]);
    let operator = &answer["operator"];
    assert_eq!((&operator["standing"], &operator["holder"]), (&json!("silent"), &json!("host-a")));
    assert_eq!((&operator["lease_namespace"], &operator["version"]), (&json!("kgents-system"), &json!(OURS)));
    assert_eq!(operator["renewed"], "2026-01-01T12:00:00Z");
}

#[test]
fn signs_are_for_terminals_that_show_them() {
    let mut facts = well();
    facts.checkup.rights[1].answer = Ok(false);
    let page = page(&facts, true);
    for line in ["  ✓   kube", "  ·   grpc", "  ✗   agents  get watch  ✗ list"] {
        assert!(page.contains(line), "{line:?} is not in\n{page}");
    }
}

#[test]
fn what_is_refused_is_named_with_the_command_that_asks() {
    let mut facts = well();
    facts.checkup.rights[1].answer = Ok(false);
    facts.checkup.rights.push(right("pods", "list", false));
    assert_says(
        &facts,
        &[
            "!! agents get watch not: list next: kubectl auth can-i list agents.kgents.io -n x",
            "-- pods not: list next: kubectl auth can-i list pods -n x",
        ],
    );
    assert_eq!(code_of(&facts), Code::Failed);
    // What a Cortex reads for us we need not be allowed to read.
    facts.checkup.speaks = Some(Layer::Grpc);
    assert_eq!(code_of(&facts), Code::Ok);
    facts.checkup.rights.truncate(1);
    facts.checkup.rights[0].answer = Err(SourceError::Invalid { message: "no idea".to_owned() });
    assert_says(&facts, &["-- all not known: no idea"]);
}

#[test]
fn each_state_of_a_crd_is_told() {
    let mut facts = well();
    facts.checkup.crds[0].answer = Ok(None);
    facts.checkup.crds[1] = installed(|crd| crd["status"] = Value::Null).remove(1);
    facts.checkup.crds[2] = installed(|crd| crd["spec"]["names"]["shortNames"] = Value::Null).remove(2);
    facts.checkup.crds[3] = installed(|crd| crd["spec"]["scope"] = json!("Cluster")).remove(3);
    let refused = SourceError::Forbidden {
        origin: Arc::default(),
        verb: "get".to_owned(),
        resource: "customresourcedefinitions.apiextensions.k8s.io".to_owned(),
        namespace: None,
        detail: "no".to_owned(),
    };
    facts.checkup.crds[4].answer = Err(refused.clone());
    let states: Vec<&str> = facts.checkup.crds.iter().map(|crd| findings::cluster::state(crd).0.as_str()).collect();
    assert_eq!(states, ["missing", "not established", "older", "other", "served"]);
    assert_says(
        &facts,
        &[
            "!! agents not installed next: kgents crd install",
            "older than ours: it lacks something in 1 place next: kgents crd install",
            "-- proposals served; you may not see whether it is as ours next: kubectl auth can-i get customres",
        ],
    );
    assert_eq!(code_of(&facts), Code::Failed);
    // Who may not look at CRDs may see that they are not served.
    facts.checkup.crds[4].is_served = Some(false);
    assert_eq!(findings::cluster::state(&facts.checkup.crds[4]).0.as_str(), "missing");
    // One that only differs is in nobody's way.
    facts.checkup.crds = installed(|crd| crd["spec"]["scope"] = json!("Cluster"));
    assert_eq!(code_of(&facts), Code::Ok);
}

#[test]
fn clocks_that_differ_are_told_from_two_seconds_on() {
    let mut facts = well();
    let mut said = |milliseconds| {
        facts.checkup.clock = Some(Ok(Skew { of: Layer::Kube, by: SignedDuration::from_millis(milliseconds) }));
        findings::all(&facts).into_iter().find(|finding| finding.area == "clock").unwrap().text
    };
    assert_eq!((said(2_000), said(-2_000)), ("as the API server's".to_owned(), "as the API server's".to_owned()));
    assert_eq!(said(-185_000), "your clock is 3m behind the API server's; ages and freshness will be wrong");
    assert_eq!(said(7_300_000), "your clock is 2h ahead of the API server's; ages and freshness will be wrong");
}

#[test]
fn a_terminal_without_a_size_is_told_as_such() {
    let mut facts = well();
    facts.terminal = Terminal::of(&|_| None, true, Some((0, 0)));
    assert_says(&facts, &["-- size 0x0: the terminal does not say how large it is next: stty rows 40 columns 120"]);
    facts.terminal = Terminal::of(&|_| None, true, Some((60, 20)));
    assert_says(&facts, &["-- size 60x20: the window wants 80x24", "-- TERM not set: no window can be drawn"]);
}

#[test]
fn the_code_says_who_would_answer() {
    let mut facts = well();
    facts.checkup.speaks = Some(Layer::Ghost);
    facts.checkup.crds[0].answer = Ok(None);
    assert_eq!(code_of(&facts), Code::Ghost);
    facts.checkup.speaks = None;
    assert_eq!(code_of(&facts), Code::Unreachable);
}

#[test]
fn what_hangs_names_a_command_that_does_not() {
    let mut facts = well();
    let hung = SourceError::Cortex { address: "/c".to_owned(), problem: "did not answer within 500ms".to_owned() };
    facts.checkup.layers[0].standing = Standing::Down(hung);
    assert_says(&facts, &["!! grpc the Cortex at /c did not answer within 500ms next: kgents status --layer kube"]);
    let origin = Arc::new(Origin { server: "https://a:b@c".to_owned(), context: "blue".to_owned() });
    let late = SourceError::Timeout { origin, limit: LIMIT };
    facts.checkup.layers[1].standing = Standing::Down(late.clone());
    for right in &mut facts.checkup.rights {
        right.answer = Err(late.clone());
    }
    for crd in &mut facts.checkup.crds {
        crd.answer = Err(late.clone());
    }
    facts.checkup.speaks = None;
    assert_says(
        &facts,
        &[
            "within 500ms next: kgents cortex serve",
            "!! kube https://(redacted)@c did not answer within 700ms next: kubectl get --raw /readyz --context blue",
            "-- all not known: the API server gives no useful answer CRDs -- all not known: the API server gives",
        ],
    );
}

#[test]
fn json_has_a_place_for_each_thing() {
    let facts = well();
    let answer = json::answer(&facts, &findings::all(&facts));
    let fields =
        ["version", "speaks", "layers", "rights", "crds", "clock", "ghost", "terminal", "limits", "config", "findings"];
    assert!(fields.iter().all(|field| !answer[field].is_null()), "{answer}");
    assert_eq!(
        answer["layers"][1],
        json!({
            "layer": "kube", "address": "https://10.0.0.1:6443", "context": null, "up": true, "latency_ms": 12,
            "version": "v1.36.3", "instance": null, "error": null, "hint": null, "notes": [],
        })
    );
    assert_eq!(
        answer["rights"][1],
        json!({
            "resource": "agents.kgents.io", "verb": "list", "namespace": "x", "allowed": true, "error": null, "hint": null,
        })
    );
    assert_eq!((&answer["clock"]["skew_ms"], &answer["crds"][0]["state"]), (&json!(300), &json!("installed")));
    assert_eq!((&answer["ghost"]["exists"], &answer["ghost"]["writable"]), (&json!(false), &json!(true)));
    assert_eq!(
        answer["findings"][0],
        json!({
            "severity": "note", "area": "layers", "text": "grpc: no Cortex listens at /run/cortex.sock",
            "next": "kgents cortex serve",
        })
    );
}

#[test]
fn a_token_that_is_known_is_never_printed() {
    let safe = Safe { token: Some("s3cret") };
    let mut value = json!({ "a": ["it says xs3crety\u{1b}[2J", 5, null] });
    safe.value(&mut value);
    assert_eq!(value, json!({ "a": ["it says x(redacted)y␛[2J", 5, null] }));
}
