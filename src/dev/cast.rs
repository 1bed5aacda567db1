//! Who plays: an agent as its owner wrote it, with its umwelt and its memory.

use kgents_api::agent::{Budget, Health, HealthType, Identity, NetworkPolicy, Resources};
use kgents_api::{AgentSpec, Genus, LABEL_AGENT, LABEL_GENUS, NAMESPACE_AGENTS};
use kgents_store::{Key, Kind};
use serde::Serialize;
use serde_json::{Value, json};

use crate::stage::Stage;

/// What an agent is made of.
#[derive(Clone, Copy)]
pub(crate) struct Role<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) genus: Genus,
    pub(crate) image: &'a str,
    pub(crate) replicas: i32,
    /// The memory limit of the logic container.
    pub(crate) limit: &'a str,
    pub(crate) tokens: i64,
    pub(crate) refill: i64,
    pub(crate) config: &'a [(&'a str, &'a str)],
    pub(crate) peers: &'a [&'a str],
    pub(crate) instructions: &'a str,
    /// Warmth, directness, humour, verbosity.
    pub(crate) persona: [f64; 4],
    pub(crate) affordances: &'a [&'a str],
    /// Type and size of its memory; none is kept in the pod alone.
    pub(crate) memory: Option<(&'a str, &'a str)>,
    /// Its health is asked of its mind.
    pub(crate) minded: bool,
    pub(crate) paused: bool,
}

impl<'a> Role<'a> {
    /// Somebody ordinary.
    pub(crate) const fn of(name: &'a str, genus: Genus, image: &'a str) -> Self {
        Self {
            namespace: NAMESPACE_AGENTS,
            name,
            genus,
            image,
            replicas: 1,
            limit: "256Mi",
            tokens: 30_000,
            refill: 500,
            config: &[],
            peers: &[],
            instructions: "",
            persona: [0.5, 0.6, 0.2, 0.3],
            affordances: &["self.**", "void.pheromone.*"],
            memory: Some(("BICAMERAL", "256Mi")),
            minded: false,
            paused: false,
        }
    }

    pub(crate) fn key(&self) -> Key {
        Key::new(self.namespace, self.name)
    }

    /// The labels of everything that is made for it.
    pub(crate) fn labels(&self) -> Value {
        labels(self.name, self.genus.as_str())
    }

    fn spec(&self) -> Value {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut spec = AgentSpec::of(self.genus);
        spec.image = text(self.image);
        spec.replicas = self.replicas;
        spec.resources = Resources { memory: self.limit.into(), ..Resources::default() };
        spec.identity = Identity { enabled: self.genus == Genus::K };
        spec.config = self.config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        spec.network_policy = NetworkPolicy {
            allow_egress: false,
            allowed_peers: self.peers.iter().map(|peer| (*peer).to_owned()).collect(),
        };
        if self.minded {
            spec.health = Health { type_: HealthType::CognitiveProbe, ..Health::default() };
        } else {
            spec.health = Health { path: text("/healthz"), port: Some(8080), ..Health::default() };
        }
        spec.sidecar.enabled = self.memory.is_some();
        spec.umwelt = Some(format!("{}-umwelt", self.name));
        spec.memory = self.memory.map(|_| format!("{}-memory", self.name));
        spec.instructions = text(self.instructions);
        spec.budget = (self.tokens > 0).then_some(Budget { tokens: self.tokens, refill_per_minute: self.refill });
        spec.paused = self.paused;
        written(&spec)
    }

    /// The agent appears, as its owner applied it.
    pub(crate) fn appears(&self, stage: &mut Stage) {
        stage.make(Kind::Agent, &self.key(), &self.labels(), json!({ "spec": self.spec() }));
    }

    /// What it may sense and do, and what it remembers.
    pub(crate) fn settles(&self, stage: &mut Stage) {
        let [warmth, directness, humor, verbosity] = self.persona;
        let since = stage.stamp();
        let ready = json!([condition("Ready", "True", "Bound", "", &since, 1)]);
        let umwelt = format!("{}-umwelt", self.name);
        let body = json!({
            "spec": {
                "agent": self.name,
                "persona": { "warmth": warmth, "directness": directness, "humor": humor, "verbosity": verbosity },
                "affordances": self.affordances,
                "constraints": { "tokenBudget": self.tokens, "rateLimitPerMinute": 60 },
                "pheromoneSensitivity": { "sense": ["WARNING", "SCARCITY", "REVIEW_REQUEST", "INTENT"] },
                "slopBudget": 0.1,
                "workload": if self.replicas > 1 { "urgent" } else { "routine" },
            },
            "status": { "observedGeneration": 1, "configMapName": umwelt, "conditions": ready.clone() },
        });
        stage.make(Kind::Umwelt, &Key::new(self.namespace, &umwelt), &self.labels(), body);
        let Some((type_, size)) = self.memory else { return };
        let memory = format!("{}-memory", self.name);
        if stage.get(Kind::Memory, &Key::new(self.namespace, &memory)).is_some() {
            // It outlived its last owner of this name.
            return;
        }
        let mut body = json!({
            "spec": {
                "owner": self.name,
                "type": type_,
                "size": size,
                "accessMode": "ReadWriteOnce",
                "retentionPolicy": "RETAIN",
            },
            "status": { "observedGeneration": 1, "conditions": ready },
        });
        if type_ != "EPHEMERAL" {
            body["status"]["claimName"] = json!(memory);
            body["status"]["size"] = json!(size);
        }
        stage.make(Kind::Memory, &Key::new(self.namespace, &memory), &self.labels(), body);
    }

    /// The agent has been here for so many hours, and all is well with it.
    pub(crate) fn lives(&self, stage: &mut Stage) {
        self.appears(stage);
        self.settles(stage);
        crate::cluster::roll_out(stage, &self.key());
        crate::cluster::all_ready(stage, &self.key());
    }
}

/// The labels of everything that is made for an agent.
pub(crate) fn labels(agent: &str, genus: &str) -> Value {
    json!({
        "app.kubernetes.io/managed-by": "kgents-operator",
        "app.kubernetes.io/name": agent,
        "app.kubernetes.io/part-of": "kgents",
        LABEL_AGENT: agent,
        LABEL_GENUS: genus,
    })
}

/// A standard condition.
pub(crate) fn condition(type_: &str, status: &str, reason: &str, message: &str, since: &str, seen: u64) -> Value {
    json!({
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": since,
        "observedGeneration": seen,
    })
}

/// A value of ours as JSON.
pub(crate) fn written<T: Serialize>(value: &T) -> Value {
    // Our types always are JSON.
    serde_json::to_value(value).unwrap_or_default()
}
