//! `describe`: everything about one object, on a page.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use kgents_api::{Condition, ObjectMeta, yaml};
use kgents_core::age;
use kgents_store::object::{EventFacts, Unreadable};
use kgents_store::{Key, Kind, Layer, Terrarium, Thought, view};

use crate::args::Global;
use crate::envelope::Item;
use crate::failure::{Code, Failure};
use crate::gather::{self, Look};
use crate::io::Io;
use crate::output::{self, Format};
use crate::page::Page;
use crate::runtime::block_on;
use crate::table::{NOTHING, Row};
use crate::{command::resource, object};

mod agent;
mod pheromone;
mod plain;
mod proposal;

/// How many Events are shown, the newest.
const EVENTS: usize = 10;

/// Describes the object of this name.
pub(crate) fn run(kind: Kind, name: &str, format: Format, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let options = global.source();
    let look = block_on(async { gather::look(&options, kind, None, beside(kind, format)).await.of(kind) })?;
    look.warn(kind, io);
    let code = look.code();
    let Look { terrarium, events, now, .. } = look;
    let key = one(&terrarium, kind, name)?;
    match format {
        Format::Json | Format::Yaml => output::data(io.out, format, &Item::of(&terrarium, kind, &key, now))?,
        Format::Name => writeln!(io.out, "{}", object::name(kind, &key))?,
        Format::Table | Format::Wide => {
            Scene { terrarium: &terrarium, events: &events, key: &key, now }.page(kind, io)?;
        }
    }
    Ok(code)
}

const fn is_page(format: Format) -> bool {
    matches!(format, Format::Table | Format::Wide)
}

/// The kinds that a page tells of beside its own. A page without Events is
/// better than no page.
fn beside(kind: Kind, format: Format) -> &'static [Kind] {
    match kind {
        _ if !is_page(format) => &[],
        Kind::Agent => &[Kind::Pheromone, Kind::Proposal, Kind::Deployment, Kind::Pod, Kind::Event],
        Kind::Proposal => &[Kind::Agent, Kind::Event],
        _ => &[Kind::Event],
    }
}

/// The one object of this name, or what is wrong with the name.
fn one(terrarium: &Terrarium, kind: Kind, name: &str) -> Result<Key, Failure> {
    let mut keys = resource::named(terrarium, kind, name);
    let word = kind.as_str().to_lowercase();
    if keys.len() > 1 {
        let namespaces: Vec<&str> = keys.iter().map(Key::namespace).collect();
        let first = namespaces.first().copied().unwrap_or_default();
        return Err(Failure::new(format!("there is more than one {word} '{name}': in {}", namespaces.join(", ")))
            .hint(format!("kgents {} describe {name} -n {first}", kind.plural())));
    }
    keys.pop().ok_or_else(|| {
        let scene = terrarium.scene();
        let place =
            scene.namespace.as_ref().map_or_else(|| "any namespace".to_owned(), |name| format!("namespace {name}"));
        let near = resource::nearest(terrarium, kind, name);
        let like = if near.is_empty() { String::new() } else { format!("; there is {}", near.join(", ")) };
        let next = near.first().map_or_else(
            || format!("kgents {} list", kind.plural()),
            |near| format!("kgents {} describe {near}", kind.plural()),
        );
        Failure::new(format!("there is no {word} '{name}' in {place}{like}")).hint(next)
    })
}

/// What a page is drawn from.
struct Scene<'a> {
    terrarium: &'a Terrarium,
    events: &'a [Arc<EventFacts>],
    key: &'a Key,
    now: Timestamp,
}

impl Scene<'_> {
    fn page(&self, kind: Kind, io: &mut Io<'_>) -> io::Result<()> {
        let title = format!("{kind} {}", self.key);
        let mut page = Page::new(io.out, &title)?;
        let terrarium = self.terrarium;
        if let Some(object) = terrarium.unreadable(kind).find(|object| object.key == *self.key) {
            return self.unreadable(&mut page, object);
        }
        match kind {
            Kind::Agent => agent::page(self, &mut page)?,
            Kind::Pheromone => pheromone::page(self, &mut page)?,
            Kind::Proposal => proposal::page(self, &mut page)?,
            Kind::Memory => plain::memory(self, &mut page)?,
            Kind::Umwelt => plain::umwelt(self, &mut page)?,
            Kind::Deployment | Kind::Pod | Kind::Event => {}
        }
        self.events(kind, &mut page)
    }

    fn unreadable(&self, page: &mut Page<'_>, object: &Unreadable) -> io::Result<()> {
        page.field("Cannot be read", &object.error)?;
        page.text("Object", &yaml::to_string(&object.raw).unwrap_or_else(|_| object.raw.to_string()))?;
        self.events(object.kind, page)
    }

    /// Age, labels and where the answer comes from.
    fn meta(&self, page: &mut Page<'_>, kind: Kind, meta: &ObjectMeta) -> io::Result<()> {
        let labels = meta.labels.iter().flatten().map(|(name, value)| format!("{name}={value}"));
        page.some("Labels", Some(labels.collect::<Vec<_>>().join(", ")))?;
        if let Some(created) = &meta.creation_timestamp {
            page.field("Created", format!("{} ({} ago)", created.0, self.ago(created.0)))?;
        }
        if let Some(deleted) = &meta.deletion_timestamp {
            page.field(
                "Deleted",
                format!(
                    "{}, waits for {}",
                    deleted.0,
                    meta.finalizers.iter().flatten().cloned().collect::<Vec<_>>().join(", ")
                ),
            )?;
        }
        let freshness = self.terrarium.freshness(kind, self.now).map_or("", |freshness| freshness.as_str());
        let layer = self.terrarium.layer_of(kind).map_or(NOTHING, Layer::as_str);
        page.field("Source", format!("{layer} {freshness}"))
    }

    fn ago(&self, at: Timestamp) -> String {
        age::text(self.now.duration_since(at))
    }

    /// The standard conditions, those that say that something is wrong first.
    fn conditions(&self, page: &mut Page<'_>, conditions: &[Condition]) -> io::Result<()> {
        let mut conditions: Vec<&Condition> = conditions.iter().collect();
        conditions.sort_by_key(|condition| !view::is_bad(condition));
        let rows: Vec<Row> = conditions
            .into_iter()
            .map(|condition| {
                let since = self.ago(condition.last_transition_time.0);
                let Condition { type_, status, reason, message, .. } = condition;
                Row::Cells(vec![type_.clone(), status.clone(), reason.clone(), since, message.clone()])
            })
            .collect();
        page.table("Conditions", &["TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"], &rows)
    }

    /// The newest Events about the object, and for an agent about what it is
    /// made of.
    fn events(&self, kind: Kind, page: &mut Page<'_>) -> io::Result<()> {
        let mut events: Vec<&EventFacts> =
            self.events.iter().map(AsRef::as_ref).filter(|event| self.concerns(kind, event)).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.at));
        let rows: Vec<Row> = events
            .iter()
            .take(EVENTS)
            .map(|event| {
                let times = if event.count > 1 { format!(" (×{})", event.count) } else { String::new() };
                Row::Cells(vec![
                    event.at.map_or_else(|| NOTHING.to_owned(), |at| self.ago(at)),
                    if event.warning { "Warning" } else { "Normal" }.to_owned(),
                    event.reason.clone(),
                    format!("{} {}", event.about_kind, event.about.name()),
                    format!("{}{times}", event.message.trim_end()),
                ])
            })
            .collect();
        if rows.is_empty() {
            return self.thoughts(kind, page);
        }
        page.table("Events", &["AGE", "TYPE", "REASON", "ABOUT", "MESSAGE"], &rows)
    }

    /// The newest thoughts about the object, where there are no Events: the
    /// Cortex and the Ghost tell only those.
    fn thoughts(&self, kind: Kind, page: &mut Page<'_>) -> io::Result<()> {
        let about = |thought: &&Thought| thought.kind == kind && thought.key == *self.key;
        let newest = self.terrarium.thoughts().iter().rev().filter(about).take(EVENTS);
        let rows = newest.map(|thought| Row::Cells(vec![self.ago(thought.at), thought.text.to_string()]));
        page.table("Thoughts", &["AGE", "THOUGHT"], &rows.collect::<Vec<_>>())
    }

    fn concerns(&self, kind: Kind, event: &EventFacts) -> bool {
        let about = &event.about;
        if event.about_kind == kind.as_str() {
            return about == self.key;
        }
        if kind != Kind::Agent || about.namespace() != self.key.namespace() {
            return false;
        }
        match event.about_kind.as_str() {
            "Pod" => self.terrarium.pods_of(self.key).any(|(key, _)| key == about),
            "Deployment" => self.is_own(about),
            "ReplicaSet" => {
                let deployment = about.name().rsplit_once('-').map(|(name, _)| Key::new(about.namespace(), name));
                deployment.is_some_and(|deployment| self.is_own(&deployment))
            }
            _ => false,
        }
    }

    fn is_own(&self, deployment: &Key) -> bool {
        let facts = self.terrarium.deployment(deployment);
        facts.is_some_and(|facts| facts.agent.as_deref() == Some(self.key.name()))
    }
}

#[cfg(test)]
mod tests;
