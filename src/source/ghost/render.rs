//! Objects as the JSON of files.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use kgents_core::freshness::Area;
use kgents_store::Object;
use kgents_store::object::Decoded;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::envelope::Stamp;
use super::error::GhostError;
use super::layout::MAX_FILE;
use std::path::Path;

/// The data of a file that is a list.
#[derive(Serialize)]
struct List<'a> {
    /// Entries for which there was no room.
    #[serde(skip_serializing_if = "is_zero")]
    left_out: usize,
    items: &'a [Item<'a>],
}

/// An object that becomes JSON only while it is written: of ten thousand, one
/// at a time.
#[derive(Clone, Copy)]
pub(super) struct Item<'a>(pub(super) &'a Decoded);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        item(self.0).serialize(serializer)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
pub(super) fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// An object as an entry of a list. Of what Kubernetes calls its own we keep
/// facts, which do not say whose they are.
pub(super) fn item(object: &Decoded) -> Value {
    let mut json = object.object.to_json();
    if let (Object::Deployment(_) | Object::Pod(_), Value::Object(facts)) = (&object.object, &mut json) {
        facts.insert("namespace".to_owned(), object.key.namespace().into());
        facts.insert("name".to_owned(), object.key.name().into());
    }
    json
}

/// A file that is a list, no larger than may be read again.
pub(super) fn list(stamp: &Stamp, file: &Path, area: Area, items: &[Item<'_>]) -> Result<Vec<u8>, GhostError> {
    let version = newest(items.iter().map(|item| item.0.resource_version.as_str()));
    let (bytes, _) = fit(items.len(), |most, indented| {
        let items = items.get(..most).unwrap_or(items);
        let left_out = items_left(items.len(), most);
        stamp.spaced(file, area.as_str(), version, List { left_out, items }, indented)
    })?;
    Ok(bytes)
}

/// How many of so many do not come along.
pub(super) fn items_left(all: usize, most: usize) -> usize {
    all.saturating_sub(most)
}

/// Makes a file that fits: what is too large indented goes on one line, and
/// what is still too large loses its last entries. `render` is told how many
/// entries it may use, and whether to indent; the number used comes back.
pub(super) fn fit(
    count: usize,
    render: impl Fn(usize, bool) -> Result<Vec<u8>, GhostError>,
) -> Result<(Vec<u8>, usize), GhostError> {
    let mut bytes = render(count, true)?;
    if bytes.len() > MAX_FILE {
        bytes = render(count, false)?;
    }
    let mut most = count;
    while bytes.len() > MAX_FILE && most > 0 {
        // As many as fit if all are of one size, and always fewer.
        let share = MAX_FILE as f64 / bytes.len() as f64 * 0.98;
        most = ((most as f64 * share) as usize).min(most - 1);
        bytes = render(most, false)?;
    }
    Ok((bytes, most))
}

/// The newest of resource versions, which are decimal numbers of any length;
/// empty if none is one.
pub(super) fn newest<'a>(versions: impl Iterator<Item = &'a str>) -> &'a str {
    let numbers = versions.filter(|version| !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.max_by_key(|version| (version.len(), *version)).unwrap_or_default()
}

/// What a list held, to count what changed since.
pub(super) type Marks = HashMap<(&'static str, String), u64>;

/// The mark of each entry of a list. `kind` keeps lists in one file apart.
pub(super) fn marks<'a>(kind: &'static str, items: impl Iterator<Item = &'a Value>) -> Marks {
    let text = |item: &Value, path: &str| item.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let part = |item: &Value, what: &str| {
        text(item, &format!("/metadata/{what}")).or_else(|| text(item, &format!("/{what}"))).unwrap_or_default()
    };
    let key = |item: &Value| (kind, format!("{}/{}", part(item, "namespace"), part(item, "name")));
    items.map(|item| (key(item), digest(&item.to_string()))).collect()
}

/// The marks of objects: what [`marks`] says of them once they are written.
pub(super) fn marks_of<'a>(kind: &'static str, objects: impl Iterator<Item = &'a Decoded>) -> Marks {
    let key = |object: &Decoded| (kind, format!("{}/{}", object.key.namespace(), object.key.name()));
    objects.map(|object| (key(object), digest(&item(object).to_string()))).collect()
}

/// How many entries came, went or changed.
pub(super) fn differences(before: &Marks, now: &Marks) -> usize {
    let changed = now.iter().filter(|(key, mark)| before.get(*key) != Some(*mark)).count();
    changed + before.keys().filter(|key| !now.contains_key(*key)).count()
}

/// A number that stands for a text as long as we run.
pub(super) fn digest(what: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_does_not_fit_goes_on_one_line_and_then_loses_its_end() {
        let render =
            |size: usize| move |most: usize, indented: bool| Ok(vec![b' '; most * size * (1 + usize::from(indented))]);
        let (small, kept) = fit(10, render(1)).unwrap();
        assert_eq!((small.len(), kept), (20, 10));
        let (tight, kept) = fit(1_000, render(MAX_FILE / 1_500)).unwrap();
        assert!(tight.len() <= MAX_FILE && kept == 1_000, "{kept}");
        let (cut, kept) = fit(1_000, render(MAX_FILE / 100)).unwrap();
        assert!(cut.len() <= MAX_FILE && (90..=100).contains(&kept), "{kept}");
        assert_eq!(fit(1, render(MAX_FILE + 1)).unwrap().1, 0);
    }

    #[test]
    fn the_newest_version_is_the_largest_number() {
        assert_eq!(newest(["9", "10", "", "x11"].into_iter()), "10");
        assert_eq!(newest(["", "x"].into_iter()), "");
    }

    #[test]
    fn differences_are_counted_by_entry() {
        let of = |version: u32| json!({ "metadata": { "namespace": "n", "name": "a", "resourceVersion": version } });
        let pod = json!({ "namespace": "n", "name": "p", "ready": 1 });
        let before = marks("Agent", [&of(1), &pod].into_iter());
        assert_eq!(differences(&before, &before), 0);
        assert_eq!(differences(&before, &marks("Agent", [&of(2)].into_iter())), 2);
    }
}
