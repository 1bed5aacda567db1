//! What must hold of an agent in a real pod.

use serde_json::{Value, json};

use super::Gardener;
use crate::support::http::ask;
use crate::support::node::Node;
use crate::support::process::Ran;
use crate::support::wait::{SOON, eventually};

const NAME: &str = "b-gent";
const LABEL: &str = "kgents.io/agent=b-gent";

/// It becomes ready, says who it is, and logs, exec and its Service work; it
/// can do no more than it needs.
#[track_caller]
pub fn runs_and_can_be_looked_into(node: &Node, gardener: &dyn Gardener) {
    gardener.plant(node, NAME, &json!({}));
    let pod = node.ready_pod(LABEL);
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

/// What d-gent was given is there in the next pod, also after none for a while.
#[track_caller]
pub fn a_value_outlives_its_pod(node: &Node, gardener: &dyn Gardener) {
    gardener.plant(node, NAME, &json!({}));
    let first = node.ready_pod(LABEL);
    assert_eq!(ask(&address(&first, 8081), "PUT", "/v1/state/plan", "a garden").0, 201);

    let name = first["metadata"]["name"].as_str().unwrap();
    node.place.kubectl(&["delete", "pod", name, "--wait=true"]).ok();
    let second = node.ready_pod(LABEL);
    assert_ne!(second["metadata"]["uid"], first["metadata"]["uid"]);
    assert_eq!(answer(&second, 8081, "/v1/state/plan"), "a garden");

    gardener.scale(node, NAME, 0);
    node.no_pod(LABEL);
    gardener.scale(node, NAME, 1);
    let third = node.ready_pod(LABEL);
    assert_eq!(answer(&third, 8081, "/v1/state/plan"), "a garden");
}

/// The kernel kills it, and its pod says why.
#[track_caller]
pub fn what_takes_too_much_memory_is_killed_and_says_so(node: &Node, gardener: &dyn Gardener) {
    let greedy = json!({ "entrypoint": "exec tail /dev/zero", "resources": { "memory": "32Mi" } });
    gardener.plant(node, NAME, &greedy);
    eventually(SOON * 2, "a container that was killed for its memory", || {
        let pods = node.pods(LABEL);
        let states: Vec<&Value> = pods.iter().flat_map(states_of_logic).collect();
        let killed = states.iter().any(|state| state["terminated"]["reason"] == "OOMKilled");
        if killed { Ok(()) } else { Err(format!("{states:?}")) }
    });
}

/// The states that the container `logic` of a pod is in and was in.
fn states_of_logic(pod: &Value) -> Vec<&Value> {
    let containers = pod["status"]["containerStatuses"].as_array().into_iter().flatten();
    let logic = containers.filter(|container| container["name"] == "logic");
    logic.flat_map(|logic| [&logic["state"], &logic["lastState"]]).collect()
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
