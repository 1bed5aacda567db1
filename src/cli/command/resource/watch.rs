//! `-w`: the list, and then a row or a line of JSON on each change.

use std::collections::{HashMap, HashSet};

use kgents_core::selector::Selector;
use kgents_store::terrarium::{Delta, Fate};
use kgents_store::watch::Link;
use kgents_store::{Key, Kind, Novelty};

use crate::failure::{Code, Failure};
use crate::follow::{Follow, News};
use crate::io::Io;
use crate::output::{self, Format};
use crate::stream::json;
use crate::table::{NOTHING, Row, Table};
use crate::{object, rows, words};

/// Follows a kind until the end.
pub(crate) async fn watch(
    kind: Kind,
    format: Format,
    selector: Option<&Selector>,
    mut follow: Follow,
    io: &mut Io<'_>,
) -> Result<Code, Failure> {
    let mut watcher = Watcher { kind, format, table: None, selector, chosen: HashSet::new() };
    let mut link: Option<Link> = None;
    let mut live = false;
    while let Some(news) = follow.next().await {
        if live && news.outcome.sources && link.as_ref() != Some(follow.terrarium.link()) {
            io.note(words::link(follow.terrarium.link()));
        }
        live |= follow.terrarium.watch(kind).state.is_live();
        link = Some(follow.terrarium.link().clone());
        watcher.tell(&follow, &news, io)?;
        io.out.flush()?;
    }
    Ok(Code::Ok)
}

struct Watcher<'a> {
    kind: Kind,
    format: Format,
    table: Option<(Table, bool)>,
    selector: Option<&'a Selector>,
    /// The objects that the selector chose when they were last seen.
    chosen: HashSet<Key>,
}

impl Watcher<'_> {
    fn tell(&mut self, follow: &Follow, news: &News, io: &mut Io<'_>) -> Result<(), Failure> {
        let kind = self.kind;
        let deltas: Vec<&Delta> = news
            .outcome
            .deltas
            .iter()
            .filter(|delta| delta.kind == kind && !follow.is_history(kind, &delta.key))
            .collect();
        let deltas: Vec<&Delta> = deltas.into_iter().filter(|delta| self.is_chosen(delta, news)).collect();
        if deltas.is_empty() {
            return Ok(());
        }
        match self.format {
            Format::Json => deltas.into_iter().try_for_each(|delta| json::change(io.out, follow, news, delta)),
            Format::Yaml => deltas.into_iter().try_for_each(|delta| {
                let Some(object) = json::object_of(follow, news, delta).filter(|_| delta.fate == Fate::Applied) else {
                    return Ok(());
                };
                writeln!(io.out, "---")?;
                output::data(io.out, Format::Yaml, &object)
            }),
            Format::Name => {
                for delta in deltas {
                    writeln!(io.out, "{}", object::name(kind, &delta.key))?;
                }
                Ok(())
            }
            Format::Table | Format::Wide => self.rows(follow, news, &deltas, io),
        }
    }

    /// Whether a change is to be told. The API server filters what is listed,
    /// but what is followed comes unfiltered.
    fn is_chosen(&mut self, delta: &Delta, news: &News) -> bool {
        let Some(selector) = self.selector else { return true };
        let came = news.changes.get(&(delta.kind, delta.key.clone())).and_then(|change| change.now.as_ref());
        if delta.fate == Fate::Deleted {
            return self.chosen.remove(&delta.key);
        }
        let Some(decoded) = came else { return self.chosen.contains(&delta.key) };
        if selector.matches(object::labels(&decoded.object).as_ref()) {
            self.chosen.insert(delta.key.clone());
            true
        } else {
            // One that is no longer chosen is told once more, as it is now, so
            // that nobody takes it for one that still is.
            self.chosen.remove(&delta.key)
        }
    }

    fn rows(&mut self, follow: &Follow, news: &News, deltas: &[&Delta], io: &mut Io<'_>) -> Result<(), Failure> {
        let (kind, wide) = (self.kind, self.format == Format::Wide);
        let scope = follow.terrarium.scene().namespace.is_none();
        let namespaces = self.table.as_ref().map_or(scope, |(_, namespaces)| *namespaces);
        let shown = rows::rows(&follow.terrarium, kind, namespaces, wide, news.now);
        let places: HashMap<&Key, usize> = shown.iter().enumerate().map(|(place, (key, _))| (key, place)).collect();
        let row = |delta: &Delta| {
            let first =
                news.changes.get(&(kind, delta.key.clone())).is_some_and(|change| change.novelty == Novelty::Initial);
            let word = if first { "listed" } else { delta.fate.as_str() };
            let found = places.get(&delta.key).and_then(|place| shown.get(*place)).map(|(_, row)| row.clone());
            with(word, found.unwrap_or_else(|| gone(&delta.key, kind, namespaces, wide)))
        };
        // First lists come in the order of the table, news as they came.
        let mut ordered = deltas.to_vec();
        if self.table.is_none() {
            ordered.sort_by_key(|delta| places.get(&delta.key));
        }
        let rows: Vec<Row> = ordered.into_iter().map(row).collect();
        let fresh = self.table.is_none();
        let (table, _) = self.table.get_or_insert_with(|| {
            let columns: Vec<&'static str> =
                std::iter::once("CHANGE").chain(rows::columns(kind, namespaces, wide)).collect();
            (Table::new(&columns).room_for("applied"), namespaces)
        });
        table.fit(&rows);
        if fresh {
            table.head(io.out)?;
        }
        rows.iter().try_for_each(|row| table.row(io.out, row))?;
        Ok(())
    }
}

fn with(word: &str, row: Row) -> Row {
    let before = |cells: Vec<String>| [vec![word.to_owned()], cells].concat();
    match row {
        Row::Cells(cells) => Row::Cells(before(cells)),
        Row::Note(cells, note) => Row::Note(before(cells), note),
    }
}

/// The row of an object of which nothing is left but its name.
fn gone(key: &Key, kind: Kind, namespaces: bool, wide: bool) -> Row {
    let columns = rows::columns(kind, namespaces, wide);
    let name = usize::from(namespaces);
    let cells = columns.iter().enumerate().map(|(i, _)| match i {
        _ if i == name => key.name().to_owned(),
        0 => key.namespace().to_owned(),
        _ => NOTHING.to_owned(),
    });
    Row::Cells(cells.collect())
}
