//! The controllers of a cluster and its kubelets, as far as plans see them.

use serde_json::{Value, json};

use super::server::{Key, NAMESPACE, Server, key_of};
use crate::quantity::Quantity;

/// One thing that goes on by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    /// Deletes what has no owner any more.
    Garbage,
    /// Binds, grows and frees volumes.
    Volumes,
    /// Makes pods of Deployments.
    Deployments,
    /// Makes pods ready.
    Kubelet,
}

impl Controller {
    pub(super) const ALL: [Self; 4] = [Self::Garbage, Self::Volumes, Self::Deployments, Self::Kubelet];
}

impl Server {
    /// Lets a controller work once; whether it did anything.
    pub(super) fn control(&mut self, controller: Controller) -> bool {
        let before = self.objects.clone();
        match controller {
            Controller::Garbage => self.garbage(),
            Controller::Volumes => self.volumes(),
            Controller::Deployments => self.deployments(),
            Controller::Kubelet => self.kubelet(),
        }
        self.objects != before
    }

    /// Lets all controllers work until they have nothing to do.
    pub(super) fn control_all(&mut self) -> bool {
        let mut any = false;
        for _ in 0..50 {
            if !Controller::ALL.map(|controller| self.control(controller)).contains(&true) {
                return any;
            }
            any = true;
        }
        panic!("the controllers find no end: {:#?}", self.objects.keys());
    }

    fn garbage(&mut self) {
        let uids: Vec<Value> = self.objects.values().map(|object| object["metadata"]["uid"].clone()).collect();
        let is_orphan = |object: &Value| {
            let owners = object["metadata"]["ownerReferences"].as_array();
            owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(|owner| !uids.contains(&owner["uid"])))
        };
        let orphans: Vec<Key> = self.objects.values().filter(|object| is_orphan(object)).map(key_of).collect();
        for key in orphans {
            self.delete(&key, None, None).unwrap();
        }
    }

    /// Whether a pod mounts a claim, or one that does not run yet asks for it:
    /// only the first keeps a claim that is to go.
    fn is_used(&self, claim: &str, phase: &str) -> bool {
        let uses = |pod: &Value| {
            if pod["status"]["phase"] != phase {
                return false;
            }
            let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
            volumes.into_iter().any(|volume| volume["persistentVolumeClaim"]["claimName"] == claim)
        };
        self.list("Pod").any(uses)
    }

    fn volumes(&mut self) {
        let claims: Vec<Key> = self.list("PersistentVolumeClaim").map(key_of).collect();
        for key in claims {
            let (mounted, awaited) = (self.is_used(&key.1, "Running"), self.is_used(&key.1, "Pending"));
            let (binds_late, expandable) = (self.binds_late, self.expandable);
            let Some(claim) = self.objects.get_mut(&key) else { continue };
            let asked = claim["spec"]["resources"]["requests"]["storage"].clone();
            if claim["metadata"].get("deletionTimestamp").is_some() {
                if !mounted {
                    self.objects.remove(&key);
                }
                continue;
            }
            let before = claim["status"].clone();
            if before["phase"] == "Pending" && (awaited || !binds_late) {
                claim["status"] = json!({"phase": "Bound", "capacity": {"storage": asked}});
            } else if before["phase"] == "Bound" && expandable {
                let amount = |value: &Value| value.as_str().and_then(Quantity::parse);
                if amount(&before["capacity"]["storage"]) < amount(&asked) {
                    claim["status"]["capacity"]["storage"] = asked;
                }
            }
        }
    }

    fn deployments(&mut self) {
        let keys: Vec<Key> = self.list("Deployment").map(key_of).collect();
        for key in keys {
            let Some(deployment) = self.objects.get(&key).cloned() else { continue };
            let wanted = deployment["spec"]["replicas"].as_u64().unwrap_or(1);
            let template = &deployment["spec"]["template"];
            let hash = hash(&template.to_string());
            let is_ours = |pod: &&Value| pod["metadata"]["ownerReferences"][0]["uid"] == deployment["metadata"]["uid"];
            let pods: Vec<Value> = self.list("Pod").filter(is_ours).cloned().collect();
            for pod in &pods {
                let index = pod["metadata"]["annotations"]["index"].as_u64().unwrap_or(u64::MAX);
                if pod["metadata"]["annotations"]["hash"] != hash.as_str() || index >= wanted {
                    self.objects.remove(&key_of(pod));
                }
            }
            for index in 0..wanted {
                let name = format!("{}-{hash}-{index}", key.1);
                let now = self.now.to_string();
                self.objects.entry(("Pod".to_owned(), name.clone())).or_insert_with(|| {
                    json!({
                        "kind": "Pod", "spec": template["spec"],
                        "metadata": {
                            "name": name, "namespace": NAMESPACE, "uid": format!("{}-{now}", name), "creationTimestamp": now,
                            "labels": template["metadata"]["labels"],
                            "annotations": {"hash": hash, "index": index},
                            "ownerReferences": [{"kind": "ReplicaSet", "name": hash, "uid": deployment["metadata"]["uid"], "controller": true}],
                        },
                        "status": {"phase": "Pending"},
                    })
                });
            }
            let pods: Vec<&Value> = self.list("Pod").filter(is_ours).collect();
            let ready = pods.iter().filter(|pod| pod["status"]["phase"] == "Running").count();
            let done = if ready as u64 == wanted { "NewReplicaSetAvailable" } else { "ReplicaSetUpdated" };
            let before = &deployment["status"]["conditions"][0];
            let moved =
                if before["reason"] == done { before["lastUpdateTime"].clone() } else { self.now.to_string().into() };
            let status = json!({
                "observedGeneration": deployment["metadata"]["generation"], "replicas": pods.len(),
                "updatedReplicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready,
                "conditions": [
                    {"type": "Progressing", "status": "True", "reason": done, "message": "", "lastUpdateTime": moved, "lastTransitionTime": moved},
                    {"type": "Available", "status": if ready as u64 >= wanted { "True" } else { "False" }, "reason": "x", "message": ""},
                ],
            });
            if let Some(live) = self.objects.get_mut(&key) {
                live["status"] = status;
            }
        }
    }

    fn kubelet(&mut self) {
        let now = self.now.to_string();
        let bound: Vec<String> = self
            .list("PersistentVolumeClaim")
            .filter(|claim| claim["status"]["phase"] == "Bound")
            .map(|claim| key_of(claim).1)
            .collect();
        for pod in self.objects.values_mut().filter(|object| object["kind"] == "Pod") {
            let mut claims = pod["spec"]["volumes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str());
            if claims.all(|claim| bound.iter().any(|bound| bound == claim)) && pod["status"]["phase"] == "Pending" {
                pod["status"] = json!({
                    "phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": now}],
                });
            }
        }
    }
}

fn hash(text: &str) -> String {
    let hash = text.bytes().fold(5381_u32, |hash, byte| hash.wrapping_mul(33) ^ u32::from(byte));
    format!("{hash:x}")
}
