//! The agents: a file each, and the index that says which there are.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use kgents_core::freshness::Area;
use kgents_store::object::Decoded;
use kgents_store::{Kind, Object};
use serde::Serialize;
use serde_json::Value;

use super::super::disk::{self, Staged};
use super::super::envelope::{self, Stamp};
use super::super::error::GhostError;
use super::super::layout::{AGENTS, INDEX};
use super::super::render::{self, digest, fit};
use super::super::snapshot::Snapshot;
use super::super::{name, open};
use super::{Done, Open};

/// How many agents are rendered and staged in one go.
const CHUNK: usize = 512;
/// How often the files are looked after, in case that somebody else changed
/// one.
const LOOK: SignedDuration = SignedDuration::from_secs(30);

/// The files of the agents, as we left them.
#[derive(Default)]
pub(super) struct Herd {
    known: HashMap<String, Known>,
    /// When the files were looked after last.
    looked: Option<Timestamp>,
}

/// One file.
struct Known {
    /// Of which state of which object it was made, if that is certain.
    made_of: Option<u64>,
    /// What it says about its agent.
    body: u64,
    len: u64,
    modified: Option<SystemTime>,
}

#[derive(Serialize)]
struct Index<'a> {
    #[serde(skip_serializing_if = "render::is_zero")]
    left_out: usize,
    agents: &'a [Line],
}

/// What the index says of an agent.
#[derive(Serialize)]
struct Line {
    namespace: String,
    name: String,
    genus: Option<String>,
    phase: Option<String>,
    file: String,
    resource_version: String,
}

impl Line {
    fn of(agent: &Decoded) -> Self {
        let (genus, phase) = match &agent.object {
            Object::Agent(agent) => {
                let phase = agent.status.as_ref().and_then(|status| status.phase);
                (Some(agent.spec.genus.to_string()), phase.map(|phase| phase.to_string()))
            }
            Object::Unreadable(object) => {
                let text = |path| object.raw.pointer(path).and_then(Value::as_str).map(str::to_owned);
                (text("/spec/genus"), text("/status/phase"))
            }
            _ => (None, None),
        };
        Self {
            namespace: agent.key.namespace().to_owned(),
            name: agent.key.name().to_owned(),
            genus,
            phase,
            file: name::agent(&agent.key),
            resource_version: agent.resource_version.clone(),
        }
    }
}

/// A number for the state of an object; `None` if its version does not say it.
fn state(agent: &Decoded) -> Option<u64> {
    (!agent.resource_version.is_empty()).then(|| digest(&(&agent.uid, &agent.resource_version)))
}

impl Herd {
    /// Forgets what is otherwise than we left it, so that it is written again.
    fn look(&mut self, folder: &Path, now: Timestamp) {
        let recent = self.looked.is_some_and(|looked| {
            let age = now.duration_since(looked);
            !age.is_negative() && age < LOOK
        });
        if !recent {
            self.looked = Some(now);
            self.known.retain(|file, known| {
                let meta = folder.join(file).symlink_metadata();
                meta.is_ok_and(|meta| {
                    meta.is_file() && meta.len() == known.len && meta.modified().ok() == known.modified
                })
            });
        }
    }

    /// What stands in a file, of which we know nothing yet.
    fn learn(&mut self, path: &Path, file: &str, context: &str) {
        let Ok(Some(text)) = open::text(path) else { return };
        let (Some(body), Ok(meta)) = (envelope::body(&text, Area::Agents.as_str(), context), path.symlink_metadata())
        else {
            return;
        };
        let known = Known { made_of: None, body: digest(body), len: meta.len(), modified: meta.modified().ok() };
        if meta.is_file() {
            self.known.insert(file.to_owned(), known);
        }
    }
}

impl Open {
    pub(super) fn agents(&mut self, stamp: &Stamp, snapshot: &Snapshot) -> Result<Done, GhostError> {
        let all = snapshot.lists.get(&Kind::Agent).map(Vec::as_slice).unwrap_or_default();
        let folder = self.ghost.path().join(AGENTS);
        let mut done = Done::default();
        let lines: Vec<Line> = all.iter().map(Line::of).collect();
        let version = render::newest(all.iter().map(|agent| agent.resource_version.as_str()));
        let (index, most) = fit(lines.len(), |most, indented| {
            let agents = lines.get(..most).unwrap_or(&lines);
            let data = Index { left_out: render::items_left(lines.len(), most), agents };
            stamp.spaced(Path::new(INDEX), Area::Agents.as_str(), version, data, indented)
        })?;
        let (all, lines) = (all.get(..most).unwrap_or(all), lines.get(..most).unwrap_or(&lines));
        self.herd.look(&folder, stamp.as_of);
        let first = self.herd.known.is_empty();
        for (agents, lines) in all.chunks(CHUNK).zip(lines.chunks(CHUNK)) {
            self.flock(&folder, stamp, agents, lines, &mut done)?;
        }
        done.wrote(self.put(INDEX, &index)?);
        disk::sync(&folder)?;
        // Only now, when no index names them.
        let wanted: HashSet<&str> = lines.iter().map(|line| line.file.as_str()).collect();
        let mut gone: Vec<String> =
            self.herd.known.keys().filter(|file| !wanted.contains(file.as_str())).cloned().collect();
        if first || self.herd.looked == Some(stamp.as_of) {
            let strays = disk::names(&folder).into_iter().filter(|file| !wanted.contains(file.as_str()));
            gone.extend(strays.filter(|file| name::is_agent(file) && is_ours(&folder.join(file))));
        }
        for file in gone {
            done.removed += usize::from(disk::remove(&folder.join(&file))?);
            self.herd.known.remove(&file);
        }
        done.changed += done.removed;
        done.entries = all.len();
        Ok(done)
    }

    /// Writes those of some agents that are not as they stand in their files.
    fn flock(
        &mut self,
        folder: &Path,
        stamp: &Stamp,
        agents: &[Decoded],
        lines: &[Line],
        done: &mut Done,
    ) -> Result<(), GhostError> {
        let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        let mut knowns: Vec<(&str, Known)> = Vec::new();
        for (agent, Line { file, .. }) in agents.iter().zip(lines) {
            let made_of = state(agent);
            if self.herd.known.get(file).is_some_and(|known| made_of.is_some() && known.made_of == made_of) {
                continue;
            }
            let place = folder.join(file);
            let version = &agent.resource_version;
            let bytes = stamp.wrap(&place, Area::Agents.as_str(), version, agent.object.to_json())?;
            let text = std::str::from_utf8(&bytes).unwrap_or_default();
            let body = envelope::body(text, Area::Agents.as_str(), &stamp.context).map_or(0, digest);
            if !self.herd.known.contains_key(file) {
                self.herd.learn(&place, file, &stamp.context);
            }
            match self.herd.known.get_mut(file) {
                Some(known) if known.body == body => known.made_of = made_of,
                _ => {
                    knowns.push((file, Known { made_of, body, len: 0, modified: None }));
                    files.push((place, bytes));
                }
            }
        }
        let staged = Staged::write_all(&files)?;
        for (staged, (file, known)) in staged.into_iter().zip(knowns) {
            let known = Known { len: staged.len, modified: staged.modified, ..known };
            done.wrote(staged.len);
            staged.publish()?;
            self.herd.known.insert(file.to_owned(), known);
            done.changed += 1;
        }
        Ok(())
    }
}

/// Whether a file that no index names is one that we wrote: somebody may keep
/// notes beside the agents.
fn is_ours(path: &Path) -> bool {
    let Ok(Some(text)) = open::text(path) else { return false };
    // Torn ones as well, so the beginning is all that is asked for.
    text.starts_with("{\n  \"schema\": ") && text.lines().nth(2) == Some("  \"area\": \"agents\",")
}
