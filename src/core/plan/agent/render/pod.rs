//! The pods of an agent: the container `logic`, and `d-gent` beside it, which
//! keeps its state. They pass `PodSecurity` *restricted*.
//!
//! `k-gent` is not among them: there is no such program yet, and the condition
//! `IdentityAvailable` says so.

use kgents_api::agent::{AgentSpec, Mode};
use serde_json::Value;

use super::super::About;
use super::super::mounts::{Lives, State};
use super::super::problems::Checked;
use super::{GRPC, HTTP};
use crate::quantity::Quantity;

/// Where the agent reads what it is, and the key of its ConfigMap.
const SPEC_FOLDER: &str = "/etc/kgents";
pub(super) const SPEC_FILE: &str = "spec.yaml";
/// Where the agent reads the world it lives in.
const UMWELT_FOLDER: &str = "/etc/kgents/umwelt";
/// Where the state is.
const STATE_FOLDER: &str = "/state";
/// Where `d-gent` serves the state, within the pod.
const STATE_PORT: i32 = 8081;
/// The user that everything runs as.
const USER: i32 = 1000;

pub(super) fn spec(about: About<'_>, checked: &Checked, state: &State, lives: &Lives) -> Value {
    let spec = &about.agent.spec;
    let has_sidecar = spec.sidecar.enabled && spec.mode != Mode::Placeholder;
    let (kind, source) = state.source();
    let mut volumes = vec![
        object! { "name": "spec", "configMap": object! { "name": about.child(super::Resource::ConfigMap).name } },
        // Without its ConfigMap an agent starts all the same: the Umwelt may
        // be in trouble of its own, which it tells itself.
        object! { "name": "umwelt", "configMap": object! { "name": lives.name.as_str(), "optional": true } },
        object! { "name": "state", kind: source },
        folder("tmp", "1Gi"),
    ];
    if has_sidecar {
        volumes.push(folder("d-gent-tmp", "64Mi"));
    }
    let mut pod = object! {
        "serviceAccountName": about.name(),
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 30,
        "securityContext": object! {
            "runAsNonRoot": true,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": object! { "type": "RuntimeDefault" },
        },
        "containers": [logic(about, checked, lives)],
        "volumes": volumes,
    };
    if has_sidecar {
        pod["initContainers"] = vec![d_gent(about)].into();
    }
    pod
}

impl State {
    /// The kind of the volume, and its source.
    fn source(&self) -> (&'static str, Value) {
        match self {
            Self::Scratch { limit } => ("emptyDir", object! { "sizeLimit": limit.as_str() }),
            Self::Claim { name, read_only: false, .. } => {
                ("persistentVolumeClaim", object! { "claimName": name.as_str() })
            }
            Self::Claim { name, read_only: true, .. } => {
                ("persistentVolumeClaim", object! { "claimName": name.as_str(), "readOnly": true })
            }
        }
    }
}

/// A folder that goes with the pod. Without a limit it could fill the node.
fn folder(name: &str, limit: &str) -> Value {
    object! { "name": name, "emptyDir": object! { "sizeLimit": limit } }
}

fn security() -> Value {
    object! {
        "allowPrivilegeEscalation": false,
        "readOnlyRootFilesystem": true,
        "capabilities": object! { "drop": ["ALL"] },
    }
}

/// The limits, and half of them as requests.
fn resources(cpu: Quantity, memory: Quantity) -> Value {
    let amounts = |cpu: Quantity, memory: Quantity| object! { "cpu": cpu.to_string(), "memory": memory.to_string() };
    object! { "limits": amounts(cpu, memory), "requests": amounts(cpu.half(), memory.half().whole()) }
}

/// When an image is asked for again, said because the API server keeps what it
/// once filled in although the image changes.
fn pull_policy(image: &str) -> &'static str {
    let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map(|(_, tag)| tag);
    match (image.contains('@'), tag) {
        (false, None | Some("latest")) => "Always",
        _ => "IfNotPresent",
    }
}

/// Its name, value and, where it is empty, no value at all: the API server
/// drops an empty one.
fn variable(name: &str, value: &str) -> Value {
    if value.is_empty() {
        object! { "name": name }
    } else {
        object! { "name": name, "value": value }
    }
}

fn own_variables(about: About<'_>) -> Vec<Value> {
    vec![
        variable("KGENTS_AGENT", about.name()),
        variable("KGENTS_GENUS", about.agent.spec.genus.as_str()),
        variable("KGENTS_STATE_PATH", STATE_FOLDER),
        variable("CORTEX_URL", &about.config.cortex_url),
    ]
}

fn logic(about: About<'_>, checked: &Checked, lives: &Lives) -> Value {
    let spec = &about.agent.spec;
    let is_stand_in = spec.mode == Mode::Placeholder;
    let ours = &about.config.agent_image;
    let image = spec.image.as_ref().filter(|_| !is_stand_in).unwrap_or(ours);
    let mut env = own_variables(about);
    env.extend(checked.variables.iter().map(|(name, value)| variable(name, value)));
    let mount = |name: &str, path: &str| object! { "name": name, "mountPath": path };
    let read = |name: &str, path: &str| object! { "name": name, "mountPath": path, "readOnly": true };
    let port = |name: &str, port: i32| object! { "name": name, "containerPort": port, "protocol": "TCP" };
    let mut container = object! {
        "name": "logic",
        "image": image.as_str(),
        "imagePullPolicy": pull_policy(image),
        "env": env,
        "ports": [port("http", HTTP), port("grpc", GRPC)],
        "resources": resources(checked.cpu, checked.memory),
        "securityContext": security(),
        "volumeMounts": [
            read("spec", SPEC_FOLDER),
            read("umwelt", UMWELT_FOLDER),
            mount("state", STATE_FOLDER),
            mount("tmp", "/tmp"),
        ],
    };
    if let Some(secret) = lives.secret.as_ref().filter(|_| !is_stand_in) {
        // A Secret that is not there keeps the pod from starting, and the
        // kubelet says which.
        container["envFrom"] = vec![object! { "secretRef": object! { "name": secret.as_str() } }].into();
    }
    match (&checked.command, &spec.image) {
        _ if is_stand_in => container["args"] = ["agent", "placeholder"].into(),
        (Some(command), _) => container["command"] = command.clone().into(),
        (None, None) => container["args"] = ["agent", "run"].into(),
        (None, Some(_)) => {}
    }
    if !is_stand_in {
        probes(spec, checked.period, &mut container);
    }
    container
}

/// The kubelet's probes. They ask whether the process lives; a
/// `COGNITIVE_PROBE` is asked beside them, not by the kubelet.
fn probes(spec: &AgentSpec, period: i32, container: &mut Value) {
    let port = spec.health.port.unwrap_or(HTTP);
    let probe = |path: &str, period: i32, failures: i32| {
        let path = spec.health.path.as_deref().unwrap_or(path);
        let slash = if path.starts_with('/') { "" } else { "/" };
        get(&format!("{slash}{path}"), port, period, failures)
    };
    let failures = spec.health.unhealthy_threshold.max(1);
    // A minute to start; until then the others do not ask.
    container["startupProbe"] = probe("/healthz", 2, 30);
    container["readinessProbe"] = probe("/readyz", period, failures);
    container["livenessProbe"] = probe("/healthz", period, failures);
}

fn get(path: &str, port: i32, period: i32, failures: i32) -> Value {
    object! {
        "httpGet": object! { "path": path, "port": port },
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }
}

/// A sidecar that starts before the agent and ends after it.
fn d_gent(about: About<'_>) -> Value {
    let image = about.agent.spec.sidecar.image.as_ref().unwrap_or(&about.config.agent_image);
    let amount = |text: &str| Quantity::parse(text).unwrap_or_default();
    object! {
        "name": "d-gent",
        "restartPolicy": "Always",
        "image": image.as_str(),
        "imagePullPolicy": pull_policy(image),
        "args": ["agent", "d-gent"],
        "env": own_variables(about),
        "ports": [object! { "name": "state", "containerPort": STATE_PORT, "protocol": "TCP" }],
        "resources": resources(amount("100m"), amount("128Mi")),
        "securityContext": security(),
        "startupProbe": get("/healthz", STATE_PORT, 1, 60),
        "livenessProbe": get("/healthz", STATE_PORT, 30, 3),
        "volumeMounts": [
            object! { "name": "state", "mountPath": STATE_FOLDER },
            object! { "name": "d-gent-tmp", "mountPath": "/tmp" },
        ],
    }
}
