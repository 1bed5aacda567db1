//! What a change does to its target, whatever its type says.

use std::borrow::Cow;

use serde_json::Value;

const REPLICAS: &str = "/spec/replicas";

/// Fields of our own kinds that name or shape the volume of an agent.
const VOLUME_FIELDS: [&str; 5] =
    ["/spec/memory", "/spec/size", "/spec/storageClass", "/spec/accessMode", "/spec/retentionPolicy"];

/// The settings of an Agent become its environment.
const CONFIG: &str = "/spec/config";

/// Something that a change does, and what it weighs at least.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effect {
    pub(super) weight: f64,
    pub(super) what: Cow<'static, str>,
}

impl Effect {
    /// What may be anything is taken for the heaviest.
    pub(super) const UNKNOWN: Self = Self::new(0.60, "an unknown change");

    const SECRET: Self = Self::new(0.60, "a change of secrets");
    const IMAGE: Self = Self::new(0.50, "a change of image");
    const VOLUME: Self = Self::new(0.40, "a change of volumes");
    const ENV: Self = Self::new(0.30, "a change of environment");

    const fn new(weight: f64, what: &'static str) -> Self {
        Self { weight, what: Cow::Borrowed(what) }
    }

    /// The heaviest effect of a change from `before` to `after`, whose leaves
    /// that differ are `changed`.
    pub(super) fn of(before: &Value, after: &Value, changed: &[String]) -> Option<Self> {
        let secret = !changed.is_empty() && [before, after].iter().any(|object| object["kind"] == "Secret");
        changed
            .iter()
            .filter_map(|pointer| Self::of_field(pointer))
            .chain(secret.then_some(Self::SECRET))
            .chain(Self::of_scale(before, after, changed))
            .max_by(|a, b| a.weight.total_cmp(&b.weight))
    }

    /// Scaling to more than the double, or down.
    fn of_scale(before: &Value, after: &Value, changed: &[String]) -> Option<Self> {
        if !changed.iter().any(|pointer| pointer == REPLICAS) {
            return None;
        }
        let (from, to) = (replicas(before)?, replicas(after)?);
        let (weight, direction) = if to < from {
            (0.40, "down")
        } else if to > 2.0 * from {
            (0.20, "up")
        } else {
            return None;
        };
        Some(Self { weight, what: format!("a scale-{direction} from {from} to {to}").into() })
    }

    /// What touching a field means.
    fn of_field(pointer: &str) -> Option<Self> {
        let names = |matches: fn(&str) -> bool| pointer.split('/').any(matches);
        if names(|name| name.to_ascii_lowercase().contains("secret")) {
            Some(Self::SECRET)
        } else if names(|name| name == "image") {
            Some(Self::IMAGE)
        } else if names(is_volume) || VOLUME_FIELDS.contains(&pointer) {
            Some(Self::VOLUME)
        } else if names(|name| name == "env" || name == "envFrom") || is_config(pointer) {
            Some(Self::ENV)
        } else {
            None
        }
    }
}

/// How many replicas an object asks for; one where it does not say, `None`
/// where there is no object.
fn replicas(object: &Value) -> Option<f64> {
    object.as_object()?;
    Some(object.pointer(REPLICAS).and_then(Value::as_f64).unwrap_or(1.0))
}

fn is_volume(name: &str) -> bool {
    name.starts_with("volume")
        || name.starts_with("persistentVolume")
        || matches!(name, "storageClassName" | "accessModes")
}

fn is_config(pointer: &str) -> bool {
    pointer.strip_prefix(CONFIG).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
