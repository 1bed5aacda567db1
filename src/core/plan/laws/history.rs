//! What may happen to a world, in any order.

use super::*;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Somebody makes or changes one of our objects.
    Put(&'static str, &'static str, Value),
    /// Somebody deletes an object.
    Delete(&'static str, &'static str),
    /// Somebody deletes one of the children that there are.
    DeleteChild(usize),
    /// Somebody changes one of the children that there are.
    Edit(usize, Change),
    /// Somebody else's object takes a name, or goes.
    Stranger(&'static str, &'static str, bool),
    /// The operator plans for one of its subjects, and dies after so many writes.
    Reconcile(usize, usize),
    /// Caches catch up, all or those of one kind.
    Sync(Option<&'static str>),
    Control(Controller),
    Restart,
    Pass(i64),
    /// Writes of a kind fail for so many seconds.
    Break(&'static str, Cause, i64),
    /// Volumes can grow, and are bound late.
    Volumes(bool, bool),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    /// A label of ours goes.
    Unlabel(&'static str),
    /// Something of its spec or data is another.
    Spoil,
    /// It gets what is none of our business.
    Decorate,
    /// It loses its owner.
    Disown,
    /// A foreign manager applies what we apply, and something more.
    Share,
}

impl World {
    pub(super) fn act(&mut self, act: &Act) {
        match act {
            Act::Put(kind, name, spec) => self.put(kind, name, spec),
            Act::Delete(kind, name) => {
                self.server.delete(&((*kind).to_owned(), (*name).to_owned()), None, None).unwrap();
            }
            Act::DeleteChild(index) => {
                if let Some(key) = self.child(*index) {
                    self.server.delete(&key, None, None).unwrap();
                }
            }
            Act::Edit(index, change) => self.edit(*index, *change),
            Act::Stranger(kind, name, comes) => self.stranger(kind, name, *comes),
            Act::Reconcile(index, most) => {
                let subjects = self.operator.subjects();
                if !subjects.is_empty() {
                    self.operator.reconcile(&mut self.server, &subjects[index % subjects.len()], *most);
                }
            }
            Act::Sync(None) => self.operator.sync(&self.server),
            Act::Sync(Some(kind)) => self.operator.sync_kind(&self.server, kind),
            Act::Control(controller) => {
                self.server.control(*controller);
            }
            Act::Restart => self.operator.restart(&self.server),
            Act::Pass(seconds) => self.wait(*seconds),
            Act::Break(kind, cause, seconds) => {
                let until = self.server.now + SignedDuration::from_secs(*seconds);
                self.operator.broken.push(operator::Broken { kind, cause: *cause, until });
            }
            Act::Volumes(expandable, binds_late) => {
                (self.server.expandable, self.server.binds_late) = (*expandable, *binds_late);
            }
        }
        self.hold_to_strangers();
    }

    /// One of the objects that the operator made.
    fn child(&self, index: usize) -> Option<Key> {
        let is_child = |key: &&Key| {
            let is_ours =
                self.server.objects[*key]["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kgents-operator";
            is_ours && key.0 != "Pod" && !self.strangers.contains_key(*key)
        };
        let children: Vec<&Key> = self.server.objects.keys().filter(is_child).collect();
        children.get(index % children.len().max(1)).map(|key| (*key).clone())
    }

    fn edit(&mut self, index: usize, change: Change) {
        let Some(key) = self.child(index) else { return };
        let mut object = self.server.objects[&key].clone();
        match change {
            Change::Unlabel(label) => {
                object["metadata"]["labels"].as_object_mut().unwrap().remove(label);
                let is_kept = key.0 == "PersistentVolumeClaim" && object["metadata"]["ownerReferences"][0].is_null();
                // Without its labels nothing says any more that a kept claim is ours.
                if is_kept && matches!(label, "kgents.io/memory" | "app.kubernetes.io/managed-by") {
                    return;
                }
            }
            Change::Spoil => match key.0.as_str() {
                "ConfigMap" => object["data"]["umwelt.yaml"] = "spoiled".into(),
                "Deployment" => object["spec"]["template"]["spec"]["containers"][0]["image"] = "spoiled".into(),
                "Service" => object["spec"]["selector"] = json!({"spoiled": "yes"}),
                "NetworkPolicy" => object["spec"]["ingress"] = json!([{}]),
                _ => object["metadata"]["labels"]["kgents.io/agent"] = "spoiled".into(),
            },
            Change::Decorate => {
                object["metadata"]["annotations"] = json!({"example.org/note": "mine"});
                object["metadata"]["labels"]["example.org/team"] = "red".into();
            }
            Change::Disown => {
                // What has no owner is a stranger, but for what its labels name.
                if key.0 != "PersistentVolumeClaim" {
                    return;
                }
                object["metadata"].as_object_mut().unwrap().remove("ownerReferences");
            }
            Change::Share => {
                let mut body =
                    json!({"kind": key.0, "metadata": {"name": key.1, "annotations": {"example.org/by": "argo"}}});
                body["metadata"]["labels"] = object["metadata"]["labels"].clone();
                self.server.apply("argocd", &body).unwrap();
                return;
            }
        }
        match self.server.update("kubectl-edit", &object) {
            Ok(_) | Err(Cause::Invalid | Cause::AdmissionDenied) => {}
            Err(cause) => panic!("{cause:?}"),
        }
    }

    fn stranger(&mut self, kind: &str, name: &str, comes: bool) {
        let key: Key = (kind.to_owned(), name.to_owned());
        if !comes {
            if self.strangers.remove(&key).is_some() {
                self.server.objects.remove(&key);
            }
        } else if !self.server.objects.contains_key(&key) {
            let mut object = json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": server::NAMESPACE, "labels": {"mine": "yes"}}});
            match kind {
                "ConfigMap" => object["data"] = json!({"a": "b"}),
                "PersistentVolumeClaim" => {
                    object["spec"] =
                        json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
                }
                "Deployment" => {
                    object["spec"] = json!({"replicas": 0, "selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}});
                }
                _ => {}
            }
            let mut made = self.server.update("somebody", &object).unwrap();
            made.as_object_mut().unwrap().remove("status");
            self.strangers.insert(key, made);
        }
    }
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &[T]) -> impl Strategy<Value = T> + use<T> {
    prop::sample::select(all.to_vec())
}

fn memory() -> impl Strategy<Value = Value> {
    let over = one_of(&[
        json!({}),
        json!({"size": "1Gi"}),
        json!({"size": "1024Mi"}),
        json!({"size": "512Mi"}),
        json!({"storageClass": "fast"}),
        json!({"storageClass": "standard"}),
        json!({"accessMode": "ReadWriteMany"}),
        json!({"type": "EPHEMERAL"}),
        json!({"owner": "default"}),
        json!({"backupSchedule": "0 3 * * *", "sharedWith": ["default"]}),
    ]);
    (over, one_of(&["DELETE", "RETAIN", "COMPOST"])).prop_map(|(over, policy)| {
        let mut spec = json!({"owner": "a", "type": "VECTOR", "size": "256Mi", "accessMode": "ReadWriteOnce", "retentionPolicy": policy});
        json_patch::merge(&mut spec, &over);
        spec
    })
}

fn umwelt() -> impl Strategy<Value = Value> {
    one_of(&[
        json!({"agent": "a", "slopBudget": 0.1, "workload": "routine"}),
        json!({"agent": "a", "slopBudget": 0.25, "workload": "urgent", "context": {"b": [1, {"c": null}], "a": "on"}}),
        json!({"agent": "default", "slopBudget": 0.1, "workload": "routine", "affordances": ["world.**"]}),
    ])
}

fn agent() -> impl Strategy<Value = Value> {
    let over = one_of(&[
        json!({}),
        json!({"replicas": 0}),
        json!({"replicas": 3}),
        json!({"sidecar": {"enabled": false}}),
        json!({"identity": {"enabled": true}}),
        json!({"memory": "m"}),
        json!({"umwelt": "u"}),
        json!({"memory": "nowhere", "umwelt": "nowhere"}),
        json!({"paused": true}),
        json!({"mode": "PLACEHOLDER"}),
        json!({"mode": "DRY_RUN"}),
        json!({"networkPolicy": {"allowEgress": true, "allowedPeers": ["default", "genus:D"]}}),
        json!({"config": {"A": "", "b-c": "1"}}),
        json!({"config": {"b.c": "2", "b-c": "1"}}),
        json!({"podTemplate": {"nodeSelector": {"disk": ""}, "labels": {"x": "y"}, "priorityClassName": "high"}}),
    ]);
    let whole = json!({
        "genus": "B", "replicas": 1, "resources": {"cpu": "0.5", "memory": "256Mi"}, "sidecar": {"enabled": true},
        "identity": {"enabled": false}, "paused": false, "mode": "FULL",
    });
    over.prop_map(move |over| {
        let mut spec = whole.clone();
        json_patch::merge(&mut spec, &over);
        spec
    })
}

const KINDS: [&str; 9] = [
    "Agent",
    "Memory",
    "Umwelt",
    "Pod",
    "PersistentVolumeClaim",
    "ConfigMap",
    "Deployment",
    "Service",
    "ServiceAccount",
];

fn act() -> impl Strategy<Value = Act> {
    let taken = [
        ("PersistentVolumeClaim", "m"),
        ("PersistentVolumeClaim", "a-memory"),
        ("ConfigMap", "u"),
        ("ConfigMap", "a-spec"),
        ("Deployment", "a"),
        ("ServiceAccount", "default"),
    ];
    let change = one_of(&[
        Change::Unlabel("kgents.io/memory"),
        Change::Unlabel("kgents.io/agent"),
        Change::Unlabel("app.kubernetes.io/managed-by"),
        Change::Spoil,
        Change::Decorate,
        Change::Disown,
        Change::Share,
    ]);
    let named = one_of(&[
        ("Agent", "a"),
        ("Agent", "default"),
        ("Memory", "m"),
        ("Memory", "a-memory"),
        ("Umwelt", "u"),
        ("Umwelt", "a-umwelt"),
    ]);
    let cause = one_of(&[
        Cause::Conflict,
        Cause::Invalid,
        Cause::RightMissing,
        Cause::QuotaExceeded,
        Cause::NamespaceTerminating,
        Cause::AdmissionDenied,
        Cause::Missing,
        Cause::Throttled,
        Cause::Unavailable,
    ]);
    prop_oneof![
        3 => (one_of(&["m", "a-memory"]), memory()).prop_map(|(name, spec)| Act::Put("Memory", name, spec)),
        2 => (one_of(&["u", "a-umwelt"]), umwelt()).prop_map(|(name, spec)| Act::Put("Umwelt", name, spec)),
        3 => (one_of(&["a", "default"]), agent()).prop_map(|(name, spec)| Act::Put("Agent", name, spec)),
        2 => named.prop_map(|(kind, name)| Act::Delete(kind, name)),
        2 => any::<usize>().prop_map(Act::DeleteChild),
        3 => (any::<usize>(), change).prop_map(|(index, change)| Act::Edit(index, change)),
        1 => (one_of(&taken), any::<bool>()).prop_map(|((kind, name), comes)| Act::Stranger(kind, name, comes)),
        8 => (any::<usize>(), prop_oneof![Just(usize::MAX), 0..6_usize]).prop_map(|(index, most)| Act::Reconcile(index, most)),
        3 => prop_oneof![Just(None), one_of(&KINDS).prop_map(Some)].prop_map(Act::Sync),
        3 => one_of(&Controller::ALL).prop_map(Act::Control),
        1 => Just(Act::Restart),
        2 => one_of(&[1, 4, 6, 61, 700]).prop_map(Act::Pass),
        1 => (one_of(&KINDS), cause, one_of(&[1, 3, 20, 2000])).prop_map(|(kind, cause, seconds)| Act::Break(kind, cause, seconds)),
        1 => any::<(bool, bool)>().prop_map(|(grows, late)| Act::Volumes(grows, late)),
    ]
}

/// Any history.
pub(super) fn history() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(act(), 1..40)
}
