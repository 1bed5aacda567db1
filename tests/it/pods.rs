//! Agents in real pods: what only a kubelet proves.

use serde_json::{Value, json};

use crate::support::case::{Case, cases};
use crate::support::http::ask;
use crate::support::node::{IMAGE, Node};
use crate::support::objects::object;
use crate::support::operator::Operator;
use crate::support::process::Ran;
use crate::support::wait::{SOON, eventually};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![
        an_agent_runs_and_can_be_looked_into,
        a_value_outlives_its_pod_and_its_agent,
        what_takes_too_much_memory_is_killed_and_says_so,
        what_ends_each_time_says_so,
    ]
}

const NAME: &str = "b-gent";
const LABEL: &str = "kgents.io/agent=b-gent";

fn operator(node: &Node) -> Operator {
    node.place.operator(&["--agent-image", IMAGE])
}

fn plant(node: &Node, spec: &Value) {
    let mut all = json!({ "genus": "B" });
    for (name, value) in spec.as_object().unwrap() {
        all[name] = value.clone();
    }
    node.place.apply(&[object("Agent", NAME, &all)]);
}

/// It becomes ready, says who it is, and logs, exec and its Service work; it
/// can do no more than it needs.
fn an_agent_runs_and_can_be_looked_into(node: &Node) {
    let _operator = operator(node);
    plant(node, &json!({}));
    let pod = node.ready_pod(LABEL);
    node.place.phase(NAME, "Running");
    let name = pod["metadata"]["name"].as_str().unwrap();
    let within = |container: &str, args: &[&str]| -> Ran {
        node.place.kubectl(&[&["exec", name, "-c", container, "--"], args].concat())
    };

    let about = answer(&pod, 8080, "/");
    let about: Value = serde_json::from_str(&about).unwrap();
    assert_eq!((about["name"].as_str(), about["genus"].as_str()), (Some(NAME), Some("B")), "{about}");
    assert_eq!(about["state"]["problem"], Value::Null, "{about}");
    let digest = within("logic", &["sha256sum", "/etc/kgents/spec.yaml"]).ok();
    let digest = format!("sha256:{}", digest.split(' ').next().unwrap());
    assert_eq!(about["spec"]["digest"].as_str(), Some(digest.as_str()), "{about}");

    for container in ["logic", "d-gent"] {
        let log = node.place.kubectl(&["logs", name, "-c", container]).ok();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines.iter().any(|line| line["message"] == "listening"), "{log}");

        assert_eq!(within(container, &["id", "-u"]).ok().trim(), "1000");
        let refused = within(container, &["touch", "/x"]).fails(1);
        assert!(refused.contains("Read-only file system"), "{refused}");
        within(container, &["ls", "/var/run/secrets"]).fails(1);
        let status = within(container, &["cat", "/proc/self/status"]).ok();
        for line in ["CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
            assert!(status.contains(line), "{line}\n{status}");
        }
    }
    within("logic", &["touch", "/tmp/x"]).ok();

    // There is no DNS here, so its Service is asked by its address; and no wget,
    // for a static busybox falls when it looks up a name.
    let service = node.place.get("service", NAME);
    let ip = service["spec"]["clusterIP"].as_str().unwrap();
    let request = format!("printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' | nc -w 2 {ip} 8080");
    eventually(SOON, "an answer of the Service", || {
        let ran = within("d-gent", &["sh", "-c", &request]);
        if ran.stdout.ends_with("\r\n\r\nok\n") { Ok(()) } else { Err(ran.to_string()) }
    });
}

/// What d-gent was given is there in the next pod, after none for a while, and
/// for the next agent of that name. With the agent goes all but that.
fn a_value_outlives_its_pod_and_its_agent(node: &Node) {
    let _operator = operator(node);
    plant(node, &json!({}));
    let first = node.ready_pod(LABEL);
    assert_eq!(ask(&address(&first, 8081), "PUT", "/v1/state/plan", "a garden").0, 201);

    let name = first["metadata"]["name"].as_str().unwrap();
    node.place.kubectl(&["delete", "pod", name, "--wait=true"]).ok();
    let second = node.ready_pod(LABEL);
    assert_ne!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(answer(&second, 8081, "/v1/state/plan"), "a garden");

    node.place.kubectl(&["scale", "agent", NAME, "--replicas=0"]).ok();
    node.no_pod(LABEL);
    assert_eq!(node.place.condition("agent", NAME, "Ready", "True")["reason"], "ScaledToZero");
    node.place.kubectl(&["scale", "agent", NAME, "--replicas=1"]).ok();
    let third = node.ready_pod(LABEL);
    assert_eq!(answer(&third, 8081, "/v1/state/plan"), "a garden");

    node.place.kubectl(&["delete", "agent", NAME]).ok();
    node.no_pod(LABEL);
    for kind in ["deployment", "service", "networkpolicy", "serviceaccount"] {
        node.place.gone(kind, NAME);
    }
    let left = node.place.kubectl(&["get", "pvc", "-l", LABEL, "-o", "name"]).ok();
    assert_eq!(left.trim(), "persistentvolumeclaim/b-gent-memory");
    plant(node, &json!({}));
    let heir = node.ready_pod(LABEL);
    assert_eq!(answer(&heir, 8081, "/v1/state/plan"), "a garden");
}

/// The kernel kills it, and its Agent says why.
fn what_takes_too_much_memory_is_killed_and_says_so(node: &Node) {
    let _operator = operator(node);
    plant(node, &json!({ "entrypoint": "/bin/busybox tail /dev/zero", "resources": { "memory": "32Mi" } }));
    says(node, &["OOMKilled"], "memory");
}

fn what_ends_each_time_says_so(node: &Node) {
    let _operator = operator(node);
    plant(node, &json!({ "entrypoint": "/bin/busybox false" }));
    says(node, &["CrashLoopBackOff"], "exit code 1");
}

/// Waits until the Agent has failed for this reason, with this word in what it says.
#[track_caller]
fn says(node: &Node, reasons: &[&str], word: &str) {
    eventually(SOON * 2, &format!("{reasons:?} on the Agent"), || {
        let agent = node.place.get("agent", NAME);
        let ready = node.place.condition("agent", NAME, "Ready", "False");
        let is_told = reasons.iter().any(|reason| ready["reason"] == *reason)
            && ready["message"].as_str().unwrap_or_default().contains(word);
        if is_told && agent["status"]["phase"] == "Failed" { Ok(()) } else { Err(agent["status"].to_string()) }
    });
}

/// Where a port of a pod is.
fn address(pod: &Value, port: u16) -> String {
    format!("{}:{port}", pod["status"]["podIP"].as_str().unwrap())
}

/// What is answered at a path of a pod.
#[track_caller]
fn answer(pod: &Value, port: u16, path: &str) -> String {
    let (status, body) = ask(&address(pod, port), "GET", path, "");
    assert_eq!(status, 200, "{path}: {body}");
    body
}
