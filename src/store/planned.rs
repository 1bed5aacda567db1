//! What an operator would do about one object, as it is told to people.
//!
//! The plan is [`kgents_core::plan`]'s own. Around it stands what it was made
//! with: whose configuration, and what of the cluster could not be read.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use kgents_core::age;
use kgents_core::plan::{Config, Plan, Resource};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::key::{Key, Kind};
use crate::sanitize;

/// How long a Lease holds where it does not say so: that of our operator.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// What would be done about an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The kind of the object.
    pub kind: Kind,
    /// The object.
    pub key: Key,
    /// What would be done.
    pub plan: Plan,
    /// Who would do it, and with whose configuration it was planned.
    pub operator: Operator,
    /// What could not be read. It was planned as if nothing stood there.
    pub missing: Vec<Missing>,
    /// When what it was planned with was read.
    pub at: Timestamp,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The resource, as RBAC names it, such as `networkpolicies`.
    pub resource: String,
    /// Why, in a sentence.
    pub said: String,
    /// What stands there of this kind is not known at all, so that what is
    /// planned for it is a guess.
    pub is_guess: bool,
    /// The next command to type, if one helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Planned {
    /// Whether what stands there of this kind could not be read, so that what
    /// is planned for it is a guess.
    pub fn is_guess(&self, resource: Resource) -> bool {
        self.missing.iter().any(|missing| missing.is_guess && missing.resource == resource.plural())
    }

    /// Makes everything that came from outside fit for a terminal. What is
    /// applied is taken from the plan before that.
    #[must_use]
    pub fn clean(mut self) -> Self {
        let Plan { apply, delete, status, events, requeue_at: _, why } = &mut self.plan;
        for apply in apply {
            sanitize::value(&mut apply.body);
            clean(&mut apply.why);
            apply.changes.iter_mut().for_each(change);
        }
        for delete in delete {
            clean(&mut delete.child.name);
            clean(&mut delete.why);
        }
        if let Some(status) = status {
            sanitize::value(&mut status.body);
            status.changes.iter_mut().for_each(change);
        }
        events.iter_mut().for_each(|event| clean(&mut event.message));
        why.iter_mut().for_each(clean);
        self
    }
}

fn clean(text: &mut String) {
    if let Cow::Owned(clean) = sanitize::text(text) {
        *text = clean;
    }
}

fn change(change: &mut kgents_core::plan::Change) {
    clean(&mut change.path);
    for side in [&mut change.from, &mut change.to] {
        side.iter_mut().for_each(sanitize::value);
    }
}

/// Who makes the cluster what the custom resources say, as its Lease tells.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Operator {
    /// The namespace in which its Lease stands, or was looked for.
    pub lease_namespace: String,
    /// Who holds the Lease: a replica's identity. `None` if nobody does.
    pub holder: Option<String>,
    /// The version of who holds it, or held it last.
    pub version: Option<String>,
    /// When who holds it took it, by its clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acquired: Option<Timestamp>,
    /// How often it has changed hands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transitions: Option<i64>,
    /// When it was renewed last, by the clock of who holds it.
    pub renewed: Option<Timestamp>,
    /// How long it holds after that.
    #[serde(rename = "lease_seconds", serialize_with = "seconds", skip_serializing_if = "Option::is_none")]
    pub duration: Option<SignedDuration>,
    /// Where who holds it serves its metrics.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// What it was started with, as far as plans depend on it; `None` if
    /// nobody ever wrote it down, or it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<Config>,
    /// Why some of this is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The next command to type about that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The Lease itself could not be read: nothing is known of who holds it.
    #[serde(skip)]
    pub is_unknown: bool,
}

#[allow(clippy::ref_option, reason = "serde asks for a reference")]
fn seconds<S: Serializer>(duration: &Option<SignedDuration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs()).serialize(serializer)
}

/// Whether somebody would carry out a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// A replica leads.
    Leads,
    /// A replica holds the Lease and has not renewed it in time.
    Silent,
    /// Nobody holds the Lease, or there is none.
    Nobody,
    /// The Lease cannot be read.
    Unknown,
}

impl Operator {
    /// Whether somebody would carry out a plan, by the clock that `now` comes
    /// from.
    pub fn standing(&self, now: Timestamp) -> Standing {
        if self.is_unknown {
            return Standing::Unknown;
        }
        if self.holder.is_none() {
            return Standing::Nobody;
        }
        // Who leads renews every few seconds; twice the term leaves room for
        // clocks that differ a little.
        let term = self.duration.unwrap_or(LEASE) * 2;
        match self.renewed {
            Some(renewed) if now.duration_since(renewed) <= term => Standing::Leads,
            _ => Standing::Silent,
        }
    }

    /// Who would carry out a plan, in a few words.
    pub fn who(&self, now: Timestamp) -> String {
        let version = self.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let holder = self.holder.as_deref().unwrap_or_default();
        match self.standing(now) {
            Standing::Leads => format!("operator{version} leads as {holder}"),
            Standing::Silent => {
                let renewed = self.renewed.map(|at| age::text(now.duration_since(at)));
                let since = renewed
                    .map_or_else(|| "has never renewed it".to_owned(), |age| format!("renewed it last {age} ago"));
                format!("operator{version} holds the Lease as {holder} and {since}")
            }
            Standing::Nobody => "no operator holds the Lease".to_owned(),
            Standing::Unknown => "whether an operator runs is not known".to_owned(),
        }
    }

    /// The next command to type, where nobody would carry out a plan.
    pub fn next(&self, now: Timestamp) -> Option<&str> {
        match self.standing(now) {
            Standing::Leads | Standing::Unknown => self.hint.as_deref(),
            Standing::Silent | Standing::Nobody => Some("kgents operator run"),
        }
    }

    /// The configuration to plan with: the operator's, else that of one that
    /// is started without flags.
    pub fn config_or_default(&self) -> Config {
        self.config.clone().unwrap_or_default()
    }
}

/// `{kind, namespace, name, plan, operator, config_from, missing, at}`; of the
/// plan each object with its whole body and the field manager that applies it.
impl Serialize for Planned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeStruct};
        let Self { kind, key, plan, operator, missing, at } = self;
        let mut plan_json = serde_json::to_value(plan).map_err(S::Error::custom)?;
        if let Some(applies) = plan_json.get_mut("apply").and_then(Value::as_array_mut) {
            for (json, apply) in applies.iter_mut().zip(&plan.apply) {
                json["manager"] = apply.manager().into();
            }
        }
        let mut planned = serializer.serialize_struct("Planned", 8)?;
        planned.serialize_field("kind", kind.as_str())?;
        planned.serialize_field("namespace", key.namespace())?;
        planned.serialize_field("name", key.name())?;
        planned.serialize_field("at", at)?;
        planned.serialize_field("operator", operator)?;
        planned.serialize_field("config_from", if operator.config.is_some() { "operator" } else { "defaults" })?;
        planned.serialize_field("missing", missing)?;
        planned.serialize_field("plan", &plan_json)?;
        planned.end()
    }
}

#[cfg(test)]
mod tests {
    use kgents_core::plan::{Apply, Change, Child, Delete, Event, Expect, Status};
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn leads() -> Operator {
        Operator {
            lease_namespace: "kgents-system".into(),
            holder: Some("host-a".into()),
            renewed: Some(at("2026-01-01T12:00:00Z")),
            duration: Some(SignedDuration::from_secs(10)),
            ..Operator::default()
        }
    }

    #[test]
    fn who_does_not_renew_in_time_is_silent() {
        let operator = leads();
        for (now, standing) in [
            ("2026-01-01T11:59:00Z", Standing::Leads),
            ("2026-01-01T12:00:20Z", Standing::Leads),
            ("2026-01-01T12:00:21Z", Standing::Silent),
        ] {
            assert_eq!(operator.standing(at(now)), standing, "{now}");
        }
        let now = at("2026-01-01T12:00:00Z");
        assert_eq!(Operator { renewed: None, ..leads() }.standing(now), Standing::Silent);
        assert_eq!(Operator { holder: None, ..leads() }.standing(now), Standing::Nobody);
        assert_eq!(Operator { is_unknown: true, ..leads() }.standing(now), Standing::Unknown);
    }

    fn planned() -> Planned {
        let child = Child { resource: Resource::Service, namespace: "n".into(), name: "x".into() };
        let bad = "a\u{1b}[31mb";
        let change = Change { path: bad.into(), from: Some(json!(bad)), to: Some(json!({ bad: [bad] })) };
        let plan = Plan {
            apply: vec![Apply {
                child: child.clone(),
                expect: Expect::Absent,
                body: json!({ "x": bad }),
                changes: vec![change.clone()],
                why: bad.into(),
            }],
            delete: vec![Delete { child, uid: "u".into(), resource_version: None, why: bad.into() }],
            status: Some(Status { body: json!({ "message": bad }), changes: vec![change] }),
            events: vec![Event { warning: true, reason: "R", action: "A", message: bad.into() }],
            requeue_at: None,
            why: vec![bad.into()],
        };
        let missing = Missing { resource: "services".into(), said: "no".into(), is_guess: true, hint: None };
        Planned {
            kind: Kind::Agent,
            key: Key::new("n", "x"),
            plan,
            operator: leads(),
            missing: vec![missing],
            at: at("2026-01-01T12:00:00Z"),
        }
    }

    #[test]
    fn nothing_unsafe_is_left_of_a_plan_that_is_shown() {
        let json = serde_json::to_string(&planned().clean()).unwrap();
        assert!(json.contains('␛') && !json.contains("u001b"), "{json}");
    }

    #[test]
    fn a_plan_is_told_whole_to_programs() {
        let planned = planned();
        let json = serde_json::to_value(&planned).unwrap();
        assert_eq!(json["plan"]["apply"][0]["manager"], "kgents-operator/service");
        assert_eq!(json["plan"]["apply"][0]["body"], planned.plan.apply[0].body);
        assert_eq!(
            (json["config_from"].as_str(), json["operator"]["lease_seconds"].as_i64()),
            (Some("defaults"), Some(10))
        );
        assert!(planned.is_guess(Resource::Service) && !planned.is_guess(Resource::Deployment));
    }
}
