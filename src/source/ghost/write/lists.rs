//! The areas that are lists in few files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use kgents_api::PheromoneType;
use kgents_api::proposal::ProposalPhase;
use kgents_core::freshness::Area;
use kgents_store::object::Decoded;
use kgents_store::{Kind, Object, Thought};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::disk::{self, Staged};
use super::super::envelope::{self, Stamp};
use super::super::error::GhostError;
use super::super::layout::{ACTIVE, BY_TYPE, CLUSTER, MAX_THOUGHTS, MERGED, PENDING, REJECTED, STATUS, THOUGHTS};
use super::super::render::{self, Item, Marks, differences, digest, fit, marks, marks_of};
use super::super::snapshot::{Snapshot, phase};
use super::super::{open, read};
use super::{Done, Open};

/// What the files of the lists hold, to count what changes.
pub(super) fn remembered(tree: &Path) -> BTreeMap<Area, Marks> {
    let of = |area: Area, kind: Kind, files: &[&str]| {
        let mut all = Marks::new();
        for text in files.iter().filter_map(|file| open::text(&tree.join(file)).ok().flatten()) {
            let Ok(parsed) = envelope::parse(&text, area.as_str()) else { continue };
            let Ok(list) = serde_json::from_str::<Items>(parsed.data.get()) else { continue };
            all.extend(marks(kind.as_str(), list.items.iter()));
        }
        (area, all)
    };
    let mut cluster = Marks::new();
    for (kind, section) in sections(tree) {
        let items: Vec<Value> = serde_json::from_str(section.items.get()).unwrap_or_default();
        cluster.extend(marks(kind.as_str(), items.iter()));
    }
    BTreeMap::from([
        of(Area::Pheromones, Kind::Pheromone, &[ACTIVE]),
        of(Area::Proposals, Kind::Proposal, &[MERGED, REJECTED, PENDING]),
        (Area::Cluster, cluster),
    ])
}

#[derive(Deserialize)]
struct Items {
    items: Vec<Value>,
}

/// The thoughts that a tree remembers.
pub(super) fn thoughts(tree: &Path) -> Vec<Thought> {
    let text = open::text(&tree.join(THOUGHTS)).ok().flatten().unwrap_or_default();
    read::thoughts(&text).0
}

/// One kind within `cluster/status.json`, as it stands there.
#[derive(Deserialize)]
struct Kept {
    as_of: Timestamp,
    items: Box<RawValue>,
}

fn sections(tree: &Path) -> BTreeMap<Kind, Kept> {
    let Some(text) = open::text(&tree.join(STATUS)).ok().flatten() else { return BTreeMap::new() };
    let Ok(parsed) = envelope::parse(&text, Area::Cluster.as_str()) else { return BTreeMap::new() };
    let Ok(all) = serde_json::from_str::<BTreeMap<String, &RawValue>>(parsed.data.get()) else {
        return BTreeMap::new();
    };
    let kept = |kind: Kind| Some((kind, serde_json::from_str(all.get(kind.plural())?.get()).ok()?));
    CLUSTER.into_iter().filter_map(kept).collect()
}

/// The data of `cluster/status.json`.
struct Status<'a> {
    server: &'a str,
    version: &'a str,
    sections: &'a BTreeMap<Kind, Section<'a>>,
    /// How many of each kind there is room for.
    most: usize,
}

enum Section<'a> {
    Live(Timestamp, &'a [Value]),
    Kept(&'a Kept),
}

#[derive(Serialize)]
struct Written<'a, T: Serialize + ?Sized> {
    as_of: Timestamp,
    #[serde(skip_serializing_if = "render::is_zero")]
    left_out: usize,
    items: &'a T,
}

impl Serialize for Status<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("server", self.server)?;
        map.serialize_entry("version", self.version)?;
        for kind in CLUSTER {
            match self.sections.get(&kind) {
                Some(Section::Live(as_of, items)) => {
                    let left_out = render::items_left(items.len(), self.most);
                    let items = items.get(..self.most).unwrap_or(items);
                    map.serialize_entry(kind.plural(), &Written { as_of: *as_of, left_out, items })?;
                }
                Some(Section::Kept(kept)) => {
                    let Kept { as_of, items } = *kept;
                    map.serialize_entry(kind.plural(), &Written { as_of: *as_of, left_out: 0, items: &**items })?;
                }
                None => {}
            }
        }
        map.end()
    }
}

/// The objects of a kind.
fn objects(snapshot: &Snapshot, kind: Kind) -> &[Decoded] {
    snapshot.lists.get(&kind).map(Vec::as_slice).unwrap_or_default()
}

impl Open {
    /// Counts what changed in an area, and remembers what there is now.
    fn count(&mut self, area: Area, now: Marks) -> usize {
        let changed = self.marks.get(&area).map_or(now.len(), |before| differences(before, &now));
        self.marks.insert(area, now);
        changed
    }

    pub(super) fn pheromones(&mut self, stamp: &Stamp, snapshot: &Snapshot) -> Result<Done, GhostError> {
        let kind = Kind::Pheromone.as_str();
        let all: Vec<Item<'_>> = objects(snapshot, Kind::Pheromone).iter().map(Item).collect();
        let mut done = Done { entries: all.len(), ..Done::default() };
        let tree = self.ghost.path().to_owned();
        let list = |file: &str, items: &[Item<'_>]| {
            render::list(stamp, Path::new(file), Area::Pheromones, items).map(|bytes| (tree.join(file), bytes))
        };
        let now = marks_of(kind, all.iter().map(|item| item.0));
        let mut files = vec![list(ACTIVE, &all)?];
        let mut by_type: BTreeMap<String, Vec<Item<'_>>> = BTreeMap::new();
        for item in &all {
            if let Object::Pheromone(signal) = &item.0.object {
                by_type.entry(signal.spec.type_.to_string()).or_default().push(*item);
            }
        }
        let mut types = BTreeMap::new();
        for (type_, items) in &by_type {
            let mark = |item: &Item<'_>| now.get(&(kind, format!("{}/{}", item.0.key.namespace(), item.0.key.name())));
            let said = digest(&items.iter().map(mark).collect::<Vec<_>>());
            if self.types.as_ref().and_then(|types| types.get(type_)) != Some(&said) {
                files.push(list(&format!("{BY_TYPE}/{type_}.json"), items)?);
            }
            types.insert(type_.clone(), said);
        }
        let known: BTreeSet<String> = match &self.types {
            Some(types) => types.keys().cloned().collect(),
            None => PheromoneType::ALL.iter().map(ToString::to_string).collect(),
        };
        // Until all of it stands there, nothing is certain about these files.
        self.types = None;
        let only_active = files.len() == 1;
        for staged in Staged::write_all(&files)? {
            done.wrote(staged.len);
            staged.publish()?;
        }
        for type_ in known.iter().filter(|type_| !types.contains_key(*type_)) {
            disk::remove(&tree.join(BY_TYPE).join(format!("{type_}.json")))?;
        }
        if !only_active {
            disk::sync(&tree.join(BY_TYPE))?;
        }
        disk::sync(&tree.join("pheromones"))?;
        self.types = Some(types);
        done.changed = self.count(Area::Pheromones, now);
        Ok(done)
    }

    /// A proposal goes from pending to rejected to merged, and where it goes
    /// to is written before where it goes from: it may stand in two files for
    /// a moment, but never in none.
    pub(super) fn proposals(&mut self, stamp: &Stamp, snapshot: &Snapshot) -> Result<Done, GhostError> {
        let all: Vec<Item<'_>> = objects(snapshot, Kind::Proposal).iter().map(Item).collect();
        let mut done = Done { entries: all.len(), ..Done::default() };
        let file_of = |object: &Object| match phase(object) {
            phase if phase.is_open() => PENDING,
            ProposalPhase::Merged | ProposalPhase::RolledBack => MERGED,
            _ => REJECTED,
        };
        let mut files = Vec::new();
        for file in [MERGED, REJECTED, PENDING] {
            let own = all.iter().copied().filter(|item| file_of(&item.0.object) == file);
            let bytes = render::list(stamp, Path::new(file), Area::Proposals, &own.collect::<Vec<_>>())?;
            files.push((self.ghost.path().join(file), bytes));
        }
        for staged in Staged::write_all(&files)? {
            done.wrote(staged.len);
            staged.publish()?;
        }
        disk::sync(&self.ghost.path().join("proposals"))?;
        let now = marks_of(Kind::Proposal.as_str(), all.iter().map(|item| item.0));
        done.changed = self.count(Area::Proposals, now);
        Ok(done)
    }

    pub(super) fn cluster(&mut self, stamp: &Stamp, snapshot: &Snapshot) -> Result<Done, GhostError> {
        let mut done = Done::default();
        let live: BTreeMap<Kind, Vec<Value>> = CLUSTER
            .into_iter()
            .filter_map(|kind| Some((kind, snapshot.lists.get(&kind)?.iter().map(render::item).collect())))
            .collect();
        let kept = if live.len() < CLUSTER.len() { sections(self.ghost.path()) } else { BTreeMap::new() };
        let mut all: BTreeMap<Kind, Section> = kept.iter().map(|(kind, kept)| (*kind, Section::Kept(kept))).collect();
        all.extend(live.iter().map(|(kind, items)| (*kind, Section::Live(stamp.as_of, items))));
        let longest = live.values().map(Vec::len).max().unwrap_or(0);
        let customs =
            snapshot.lists.iter().filter(|(kind, _)| live.contains_key(kind)).flat_map(|(_, objects)| objects);
        let version = render::newest(customs.map(|object| object.resource_version.as_str()));
        let (bytes, _) = fit(longest, |most, indented| {
            let data = Status { server: &snapshot.server, version: &snapshot.version, sections: &all, most };
            stamp.spaced(Path::new(STATUS), Area::Cluster.as_str(), version, data, indented)
        })?;
        done.wrote(self.put(STATUS, &bytes)?);
        disk::sync(&self.ghost.path().join("cluster"))?;
        let mut now = Marks::new();
        for (kind, items) in &live {
            now.extend(marks(kind.as_str(), items.iter()));
        }
        // What is not live stands as it stood.
        let words: BTreeSet<&str> = live.keys().map(|kind| kind.as_str()).collect();
        let before = self.marks.get(&Area::Cluster).into_iter().flatten();
        now.extend(before.filter(|((kind, _), _)| !words.contains(kind)).map(|(key, mark)| (key.clone(), *mark)));
        done.entries = now.len();
        done.changed = self.count(Area::Cluster, now);
        Ok(done)
    }

    /// Adds the thoughts that are not there yet. When this was true stands in
    /// `_meta/sync.json`, for a line has no room for it.
    pub(super) fn hear(&mut self, snapshot: &Snapshot) -> Result<Done, GhostError> {
        let new = snapshot.thoughts.as_deref().unwrap_or_default();
        let path = self.ghost.path().join(THOUGHTS);
        let (thoughts, changed) = merge(&self.thoughts, new);
        let mut done = Done { entries: thoughts.len(), changed, ..Done::default() };
        if changed > 0 || !path.is_file() {
            let mut bytes = Vec::new();
            for thought in &thoughts {
                serde_json::to_writer(&mut bytes, thought).map_err(GhostError::json(&path))?;
                bytes.push(b'\n');
            }
            done.wrote(self.put(THOUGHTS, &bytes)?);
            disk::sync(&self.ghost.path().join("thoughts"))?;
            self.thoughts = thoughts;
        }
        Ok(done)
    }
}

/// The last thoughts of both, by time, each once; and how many are new. Those
/// that stood there keep their number, new ones go on counting.
fn merge(old: &[Thought], new: &[Thought]) -> (Vec<Thought>, usize) {
    fn what(thought: &Thought) -> impl Ord {
        let Thought { at, kind, key, about, text, .. } = thought;
        (*at, *kind, key.clone(), about.clone(), text.clone())
    }
    let mut known: BTreeSet<_> = old.iter().map(what).collect();
    let mut next = old.iter().map(|thought| thought.seq).max().unwrap_or(0);
    // What is older than all that there is room for is not new either.
    let floor = (old.len() >= MAX_THOUGHTS).then(|| old.first().map(|thought| thought.at)).flatten();
    let mut all = old.to_vec();
    let mut changed = 0;
    for thought in new.iter().filter(|thought| floor.is_none_or(|floor| thought.at >= floor)) {
        if known.insert(what(thought)) {
            next += 1;
            changed += 1;
            all.push(Thought { seq: next, ..thought.clone() });
        }
    }
    all.sort_by_key(|thought| thought.at);
    let surplus = all.len().saturating_sub(MAX_THOUGHTS);
    all.drain(..surplus);
    (all, changed)
}
