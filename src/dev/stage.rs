//! Where a world is acted out: a clock that only goes forward, and the objects
//! as an API server would hold them at that moment.
//!
//! Before the world's moment, what happens is heard by a real terrarium, whose
//! thoughts are then the world's. After it, what happens becomes the timeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kgents_api::API_VERSION;
use kgents_core::decay::Fade;
use kgents_store::bus::{Batch, Change, Novelty};
use kgents_store::thought::{Origin, Severity};
use kgents_store::{Key, Kind, Object, Terrarium, Thought, object};
use serde_json::{Value, json};

use crate::rng::{Rng, fnv};
use crate::{Step, StepChange, World};

/// How long after a pheromone has faded its object is deleted.
const SWEEP_MS: i64 = 400;

/// A world in the making.
pub(crate) struct Stage {
    name: &'static str,
    now: Timestamp,
    /// Milliseconds after `now`.
    at: i64,
    /// What happens before this moment was so before anybody listened.
    opening: i64,
    pub(crate) rng: Rng,
    /// The revision of the whole store, as etcd counts it.
    version: u64,
    objects: BTreeMap<(Kind, Key), Value>,
    /// How often an object of a name was made, for its uid.
    births: BTreeMap<(Kind, Key), u32>,
    /// Living pheromones by the moment at which their object is deleted.
    ends: BTreeSet<(i64, Key)>,
    terrarium: Terrarium,
    /// What was when the world's moment came; `None` before.
    moment: Option<Moment>,
    /// The number of the last thought.
    heard: u64,
    steps: Vec<Step>,
}

struct Moment {
    objects: Vec<(Kind, Value)>,
    thoughts: Vec<Thought>,
}

impl Stage {
    /// An empty stage for a world. Nobody listens before `opening`
    /// milliseconds after `now` (so it is negative).
    pub(crate) fn new(name: &'static str, now: Timestamp, seed: u64, opening: i64) -> Self {
        Self {
            name,
            now,
            at: i64::MIN / 2,
            opening,
            rng: Rng::seeded(seed),
            version: 41_200,
            objects: BTreeMap::new(),
            births: BTreeMap::new(),
            ends: BTreeSet::new(),
            terrarium: Terrarium::default(),
            moment: None,
            heard: 0,
            steps: Vec::new(),
        }
    }

    /// The world as it was at its moment, and what happened since.
    pub(crate) fn finish(mut self) -> World {
        self.until(0);
        let Moment { objects, thoughts } = self.moment.unwrap_or_else(|| Moment::of(&self.objects, &self.terrarium));
        World { name: self.name, now: self.now, objects, thoughts, timeline: self.steps }
    }

    /// Milliseconds after the world's moment.
    pub(crate) const fn offset(&self) -> i64 {
        self.at
    }

    /// What the clock says.
    pub(crate) fn clock(&self) -> Timestamp {
        self.now.saturating_add(SignedDuration::from_millis(self.at)).unwrap_or(self.now)
    }

    /// The clock in whole seconds, as the API server stamps.
    pub(crate) fn stamp(&self) -> String {
        Timestamp::from_second(self.clock().as_second()).unwrap_or(self.now).to_string()
    }

    /// Lets time pass up to `offset` milliseconds after the world's moment.
    /// Pheromones that fade on the way are deleted, as the operator does it.
    pub(crate) fn until(&mut self, offset: i64) {
        if offset > 0 && self.moment.is_none() {
            self.until(0);
            let moment = Moment::of(&self.objects, &self.terrarium);
            self.heard = moment.thoughts.len() as u64;
            self.moment = Some(moment);
        }
        while let Some((end, key)) = self.ends.first().filter(|(end, _)| *end <= offset).cloned() {
            self.advance(end);
            self.remove(Kind::Pheromone, &key);
        }
        self.advance(offset);
    }

    fn advance(&mut self, offset: i64) {
        self.at = self.at.max(offset);
        if self.moment.is_none() {
            let clock = self.clock();
            self.terrarium.tick(clock);
        }
    }

    /// Lets some milliseconds pass.
    pub(crate) fn wait(&mut self, ms: i64) {
        self.until(self.at + ms);
    }

    /// An object as it is now.
    pub(crate) fn get(&self, kind: Kind, key: &Key) -> Option<&Value> {
        self.objects.get(&(kind, key.clone()))
    }

    /// The objects of a kind, by key.
    pub(crate) fn all(&self, kind: Kind) -> impl Iterator<Item = (&Key, &Value)> {
        let from = (kind, Key::new("", ""));
        let all = self.objects.range(from..).take_while(move |((found, _), _)| *found == kind);
        all.map(|((_, key), object)| (key, object))
    }

    /// Makes an object: `body` is all but what the API server adds.
    pub(crate) fn make(&mut self, kind: Kind, key: &Key, labels: &Value, body: Value) {
        let births = self.births.entry((kind, key.clone())).or_default();
        *births += 1;
        let uid = Rng::seeded(fnv(&format!("{}/{kind}/{key}/{births}", self.name))).uid();
        let mut metadata = json!({
            "name": key.name(),
            "namespace": key.namespace(),
            "uid": uid,
            "creationTimestamp": self.stamp(),
        });
        if kind != Kind::Pod {
            metadata["generation"] = json!(1);
        }
        if labels.as_object().is_some_and(|labels| !labels.is_empty()) {
            metadata["labels"] = labels.clone();
        }
        let mut object = body;
        object["apiVersion"] = json!(match kind {
            Kind::Deployment => "apps/v1",
            Kind::Pod | Kind::Event => "v1",
            _ => API_VERSION,
        });
        object["kind"] = json!(kind.as_str());
        // A body may say more of its metadata, such as who owns it.
        if let (Some(more), Some(own)) = (object["metadata"].as_object().cloned(), metadata.as_object_mut()) {
            own.extend(more);
        }
        object["metadata"] = metadata;
        self.put(kind, key, object);
    }

    /// Changes an object that is there. What changes nothing is not written; a
    /// change of the spec is another generation.
    pub(crate) fn edit(&mut self, kind: Kind, key: &Key, change: impl FnOnce(&mut Value)) {
        let Some(old) = self.get(kind, key) else { return };
        let mut object = old.clone();
        change(&mut object);
        if object == *old {
            return;
        }
        if object["spec"] != old["spec"] && kind != Kind::Pod {
            let generation = old["metadata"]["generation"].as_u64().unwrap_or(1);
            object["metadata"]["generation"] = json!(generation + 1);
        }
        self.put(kind, key, object);
    }

    fn put(&mut self, kind: Kind, key: &Key, mut object: Value) {
        self.version += 1 + self.rng.below(24);
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        let old = self.objects.insert((kind, key.clone()), object.clone());
        if kind == Kind::Pheromone {
            self.outlives(key, old.as_ref());
            self.ends.extend(self.end(&object).map(|end| (end, key.clone())));
        }
        self.tell(StepChange::Put { kind, object });
    }

    /// When the object of a pheromone is deleted, in milliseconds after the
    /// world's moment.
    fn end(&self, object: &Value) -> Option<i64> {
        let decoded = object::decode(Kind::Pheromone, &object.to_string()).ok()?;
        let Object::Pheromone(pheromone) = decoded.object else { return None };
        let left = Fade::of(&pheromone).ok()?.gone_at().duration_since(self.now);
        Some(i64::try_from(left.as_millis()).ok()? + SWEEP_MS)
    }

    /// The end of a pheromone as it was need not be waited for any more.
    fn outlives(&mut self, key: &Key, old: Option<&Value>) {
        if let Some(end) = old.and_then(|old| self.end(old)) {
            self.ends.remove(&(end, key.clone()));
        }
    }

    /// Deletes an object.
    pub(crate) fn remove(&mut self, kind: Kind, key: &Key) {
        if let Some(old) = self.objects.remove(&(kind, key.clone())) {
            if kind == Kind::Pheromone {
                self.outlives(key, Some(&old));
            }
            self.version += 1 + self.rng.below(24);
            self.tell(StepChange::Gone { kind, key: key.clone() });
        }
    }

    /// Somebody thinks aloud; `about` is the pod that it is about, if any.
    pub(crate) fn think(&mut self, agent: &Key, about: Option<Key>, severity: Severity, text: &str) {
        self.tell(StepChange::Thought(Thought {
            seq: 0,
            at: self.clock(),
            who: agent.name().into(),
            kind: Kind::Agent,
            key: agent.clone(),
            about,
            origin: Origin::Event,
            severity,
            text: text.into(),
        }));
    }

    /// What happens is heard, or written down for later.
    fn tell(&mut self, change: StepChange) {
        if self.moment.is_some() {
            let change = match change {
                StepChange::Thought(thought) => {
                    self.heard += 1;
                    StepChange::Thought(Thought { seq: self.heard, ..thought })
                }
                other => other,
            };
            self.steps.push(Step { offset_ms: self.at.unsigned_abs(), change });
            return;
        }
        let novelty = if self.at < self.opening { Novelty::Initial } else { Novelty::News };
        let mut batch = Batch::default();
        match change {
            StepChange::Put { kind, object } => {
                if let Ok(decoded) = object::decode(kind, &object.to_string()) {
                    batch.changes.push(Change { kind, key: decoded.key.clone(), now: Some(decoded), novelty });
                }
            }
            StepChange::Gone { kind, key } => batch.changes.push(Change { kind, key, now: None, novelty }),
            StepChange::Thought(thought) => batch.thoughts.push(thought),
        }
        let clock = self.clock();
        self.terrarium.apply(batch, clock);
    }
}

impl Moment {
    fn of(objects: &BTreeMap<(Kind, Key), Value>, terrarium: &Terrarium) -> Self {
        Self {
            objects: objects.iter().map(|((kind, _), object)| (*kind, object.clone())).collect(),
            thoughts: terrarium
                .thoughts()
                .iter()
                .zip(1..)
                .map(|(heard, seq)| Thought { seq, ..heard.clone() })
                .collect(),
        }
    }
}
