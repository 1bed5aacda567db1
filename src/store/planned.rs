//! What an operator would do about one object, as it is told to people.
//!
//! The plan is [`kgents_core::plan`]'s own. Around it stands what it was made
//! with: whose configuration, and what of the cluster could not be read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kgents_core::age;
use kgents_core::plan::{Apply, Change, Config, Plan, Resource};
use kgents_core::selector::Selector;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::key::{Key, Kind};
use crate::sanitize;

/// The annotation of its Lease in which an operator says its version.
pub const VERSION: &str = "kgents.io/version";
/// In which it says where it serves metrics.
pub const METRICS: &str = "kgents.io/metrics";
/// In which it says its [`Config`], as JSON.
pub const CONFIG: &str = "kgents.io/config";
/// In which it says its [`Scope`], as JSON.
pub const SCOPE: &str = "kgents.io/scope";
/// How long a Lease holds where it does not say so: that of our operator.
const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// What would be done about an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The kind of the object.
    pub kind: Kind,
    /// The object.
    pub key: Key,
    /// What would be done. Of what differs it tells what stands there, whoever
    /// put it there.
    pub plan: Plan,
    /// Of an agent whose mode is DRY_RUN, so that nothing is done: what would
    /// be if its mode were FULL.
    pub would: Option<Plan>,
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

/// Why an object is written, without the differences that stand beside it.
pub fn reason(apply: &Apply) -> &str {
    let differences: Vec<String> = apply.changes.iter().map(ToString::to_string).collect();
    let told = apply.why.strip_suffix(differences.join(", ").as_str()).filter(|_| !differences.is_empty());
    told.map_or(apply.why.as_str(), |why| why.trim_end_matches([':', ' ']))
}

/// What differs in a status as a person wants it told: the phase first, then
/// each condition in words, and nothing that only keeps count.
pub fn told(changes: &[Change]) -> Vec<Change> {
    const BOOKKEEPING: [&str; 2] = ["lastTransitionTime", "observedGeneration"];
    let mut conditions: BTreeMap<String, [Value; 2]> = BTreeMap::new();
    let (mut phase, mut others) = (Vec::new(), Vec::new());
    for change in changes {
        let Change { path, from, to } = change;
        if BOOKKEEPING.iter().any(|name| path.ends_with(name)) {
            continue;
        }
        let Some(rest) = path.strip_prefix("conditions") else {
            if path == "phase" { &mut phase } else { &mut others }.push(change.clone());
            continue;
        };
        for (place, side) in [from, to].into_iter().enumerate() {
            let Some(side) = side else { continue };
            let mut put = |type_: &str, name: Option<&str>| {
                let both = conditions.entry(type_.to_owned()).or_default();
                match name {
                    Some(name) => both[place][name] = side.clone(),
                    None => both[place] = side.clone(),
                }
            };
            match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                Some((type_, field)) => put(type_, field.strip_prefix('.')),
                None => {
                    for condition in side.as_array().into_iter().flatten() {
                        let type_ = condition["type"].as_str().unwrap_or_default();
                        conditions.entry(type_.to_owned()).or_default()[place] = condition.clone();
                    }
                }
            }
        }
    }
    let conditions = conditions.into_iter().map(|(type_, [from, to])| {
        let side = |side: Value| (!side.is_null()).then(|| words(&side));
        Change { path: format!("conditions[{type_}]"), from: side(from), to: side(to) }
    });
    phase.into_iter().chain(conditions).chain(others).collect()
}

/// A condition in words.
fn words(condition: &Value) -> Value {
    let word = |name: &str| condition[name].as_str().unwrap_or_default();
    let begins: Vec<&str> = [word("status"), word("reason")].into_iter().filter(|word| !word.is_empty()).collect();
    let said: Vec<String> = [begins.join(" "), word("message").to_owned()].into();
    said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ").into()
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
        [Some(&mut self.plan), self.would.as_mut()].into_iter().flatten().for_each(plan);
        self
    }
}

fn plan(plan: &mut Plan) {
    let Plan { apply, delete, status, events, requeue_at: _, why } = plan;
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
    for event in events {
        clean(&mut event.message);
    }
    why.iter_mut().for_each(clean);
}

fn clean(text: &mut String) {
    if let Cow::Owned(clean) = sanitize::text(text) {
        *text = clean;
    }
}

fn change(change: &mut Change) {
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
    /// What it looks after, where that is not everything.
    #[serde(skip_serializing_if = "Scope::is_everything")]
    pub scope: Scope,
    /// The namespace of the object that is planned for, where that object is
    /// none of what it looks after.
    #[serde(skip)]
    pub passes_over: Option<String>,
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

/// What an operator looks after. It writes this down beside its Lease.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    /// Its namespace; `None` is all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The labels that its custom resources have, as a selector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
}

impl Scope {
    /// Whether there is nothing that it leaves out.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it holds an object. A selector that this version cannot read
    /// holds none: nobody knows what it means.
    pub fn holds(&self, namespace: &str, labels: Option<&BTreeMap<String, String>>) -> bool {
        let selected = |text: &String| Selector::parse(text).is_ok_and(|selector| selector.matches(labels));
        self.namespace.as_deref().is_none_or(|own| own == namespace) && self.selector.as_ref().is_none_or(selected)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { namespace, selector } = self;
        match (namespace, selector) {
            (None, None) => f.write_str("everything"),
            (Some(namespace), None) => write!(f, "namespace {namespace}"),
            (None, Some(selector)) => write!(f, "what is labelled {selector}"),
            (Some(namespace), Some(selector)) => write!(f, "what is labelled {selector} in namespace {namespace}"),
        }
    }
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
    /// A replica leads, and the object is none of what it looks after.
    Elsewhere,
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
            Some(renewed) if now.duration_since(renewed) <= term => {
                if self.passes_over.is_some() {
                    Standing::Elsewhere
                } else {
                    Standing::Leads
                }
            }
            _ => Standing::Silent,
        }
    }

    /// Who would carry out a plan, in a few words.
    pub fn who(&self, now: Timestamp) -> String {
        let version = self.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        let holder = self.holder.as_deref().unwrap_or_default();
        match self.standing(now) {
            Standing::Leads | Standing::Elsewhere if !self.scope.is_everything() => {
                format!("operator{version} leads as {holder} and looks after {} alone", self.scope)
            }
            Standing::Leads | Standing::Elsewhere => format!("operator{version} leads as {holder}"),
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
    pub fn next(&self, now: Timestamp) -> Option<String> {
        match self.standing(now) {
            Standing::Leads | Standing::Unknown => self.hint.clone(),
            // Of a Lease of its own, for this one is held.
            Standing::Elsewhere => {
                let namespace = self.passes_over.as_deref().unwrap_or_default();
                Some(format!("kgents operator run -n {namespace} --lease-namespace {namespace}"))
            }
            Standing::Silent | Standing::Nobody => Some("kgents operator run".to_owned()),
        }
    }

    /// The configuration to plan with: the operator's, else that of one that
    /// is started without flags.
    pub fn config_or_default(&self) -> Config {
        self.config.clone().unwrap_or_default()
    }
}

/// `{kind, namespace, name, at, operator, config_from, missing, plan, would}`; of
/// a plan each object with its whole body and the field manager that applies it.
impl Serialize for Planned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeStruct};
        let Self { kind, key, plan, would, operator, missing, at } = self;
        let written = |plan: &Plan| {
            let mut json = serde_json::to_value(plan).map_err(S::Error::custom)?;
            if let Some(applies) = json.get_mut("apply").and_then(Value::as_array_mut) {
                for (json, apply) in applies.iter_mut().zip(&plan.apply) {
                    json["manager"] = apply.manager().into();
                }
            }
            Ok(json)
        };
        let mut planned = serializer.serialize_struct("Planned", 9)?;
        planned.serialize_field("kind", kind.as_str())?;
        planned.serialize_field("namespace", key.namespace())?;
        planned.serialize_field("name", key.name())?;
        planned.serialize_field("at", at)?;
        planned.serialize_field("operator", operator)?;
        planned.serialize_field("config_from", if operator.config.is_some() { "operator" } else { "defaults" })?;
        planned.serialize_field("missing", missing)?;
        planned.serialize_field("plan", &written(plan)?)?;
        if let Some(would) = would {
            planned.serialize_field("would", &written(would)?)?;
        }
        planned.end()
    }
}

#[cfg(test)]
mod tests {
    use kgents_core::plan::{Child, Delete, Event, Expect, Status};
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

    #[test]
    fn an_operator_of_some_objects_is_none_for_the_others() {
        let red = BTreeMap::from([("team".to_owned(), "red".to_owned())]);
        let scope = |namespace: Option<&str>, selector: Option<&str>| Scope {
            namespace: namespace.map(str::to_owned),
            selector: selector.map(str::to_owned),
        };
        assert!(Scope::default().holds("n", None));
        assert!(scope(Some("n"), Some("team=red")).holds("n", Some(&red)));
        assert!(!scope(Some("n"), Some("team=red")).holds("m", Some(&red)));
        assert!(!scope(None, Some("team=blue")).holds("n", Some(&red)));
        assert!(!scope(None, Some("in in in")).holds("n", Some(&red)), "what nobody can read holds nothing");

        let now = at("2026-01-01T12:00:00Z");
        let operator = Operator { scope: scope(Some("n"), None), passes_over: Some("m".to_owned()), ..leads() };
        assert_eq!(operator.standing(now), Standing::Elsewhere);
        assert_eq!(operator.who(now), "operator leads as host-a and looks after namespace n alone");
        assert_eq!(operator.next(now).as_deref(), Some("kgents operator run -n m --lease-namespace m"));
        assert_eq!(operator.standing(at("2026-01-01T13:00:00Z")), Standing::Silent);
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
            would: Some(plan.clone()),
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
    fn a_status_is_told_in_words_and_its_phase_first() {
        let ready = |status: &str| json!({ "type": "Ready", "status": status, "reason": "R", "message": "m", "lastTransitionTime": "x" });
        let change = |path: &str, from: Value, to: Value| Change {
            path: path.into(),
            from: Some(from).filter(|value| !value.is_null()),
            to: Some(to).filter(|value| !value.is_null()),
        };
        let first = told(&[
            change("conditions", Value::Null, json!([ready("False"), { "type": "A", "status": "True" }])),
            change("observedGeneration", Value::Null, json!(1)),
            change("phase", Value::Null, json!("Pending")),
        ]);
        assert_eq!(
            first,
            [
                change("phase", Value::Null, json!("Pending")),
                change("conditions[A]", Value::Null, json!("True")),
                change("conditions[Ready]", Value::Null, json!("False R: m")),
            ]
        );
        let next = told(&[
            change("conditions[Ready].message", json!("m"), json!("n")),
            change("conditions[Ready].status", json!("False"), json!("True")),
            change("conditions[Ready].lastTransitionTime", json!("a"), json!("b")),
            change("conditions[Stalled]", ready("True"), Value::Null),
        ]);
        let turned = change("conditions[Ready]", json!("False: m"), json!("True: n"));
        assert_eq!(next, [turned, change("conditions[Stalled]", json!("True R: m"), Value::Null)]);
    }

    #[test]
    fn a_reason_leaves_out_the_differences() {
        let mut apply = planned().plan.apply.remove(0);
        assert_eq!(reason(&apply), "a\u{1b}[31mb");
        let to = |path: &str| Change { path: path.into(), from: None, to: Some(json!(1)) };
        apply.changes = vec![to("a"), to("b")];
        apply.why = "it is not as it should be: a none -> 1, b none -> 1".into();
        assert_eq!(reason(&apply), "it is not as it should be");
        apply.changes.pop();
        assert_eq!(reason(&apply), apply.why);
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
