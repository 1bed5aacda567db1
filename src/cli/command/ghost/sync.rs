//! One look, written down.

use std::path::Path;

use jiff::Timestamp;
use kgents_core::age;
use kgents_core::freshness::Freshness;
use kgents_source::ghost::{self, Ghost, GhostError, Written};
use kgents_source::{Options, clock};
use kgents_store::Terrarium;
use serde_json::json;

use super::page::size;
use crate::command::status;
use crate::failure::{Code, Failure};
use crate::gather;
use crate::io::Io;
use crate::output::{self, Format};
use crate::runtime::block_on;
use crate::table::{Row, Table};

/// Looks at everything once and writes it.
pub(super) fn run(options: &Options, folder: &Path, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let limit = Some(options.timeout());
    let began = clock::now();
    let mut look = block_on(async { Ok(gather::everything(options, limit).await) })?;
    if !look.terrarium.is_live() {
        return Err(gather::blind(&mut look.failures).notes(["the Ghost stays as it is".to_owned()]));
    }
    match ghost::write_once(folder, &look.terrarium, look.now) {
        Ok(written) => tell(&written, &look.terrarium, began, json, io),
        Err(GhostError::Held { path, pid }) => held(&path, pid, json, io),
        Err(error) => Err(Failure::new(error.to_string()).hint("kgents ghost status")),
    }
}

fn tell(
    written: &Written,
    terrarium: &Terrarium,
    began: Timestamp,
    json: bool,
    io: &mut Io<'_>,
) -> Result<Code, Failure> {
    let took = clock::now().duration_since(began).as_millis();
    let code = if written.areas.is_empty() { Code::Failed } else { status::code_of(terrarium) };
    if json {
        let left = |(area, why): &(_, String)| json!({ "area": area, "why": why });
        let answer = json!({
            "path": written.path, "context": terrarium.scene().context, "layer": terrarium.layer(),
            "areas": written.areas, "left": written.left.iter().map(left).collect::<Vec<_>>(),
            "files": written.files, "bytes": written.bytes, "removed": written.removed, "ms": took as i64,
            "held_by": null,
        });
        return output::data(io.out, Format::Json, &answer).map(|()| code);
    }
    if written.areas.is_empty() {
        let notes = written.left.iter().map(|(area, why)| format!("{}: {why}", area.as_str()));
        return Err(Failure::new("nothing was written").notes(notes).hint("kgents status"));
    }
    let layer = terrarium.layer().map_or("", kgents_store::Layer::as_str);
    let Written { path, files, bytes, .. } = written;
    let context = &terrarium.scene().context;
    writeln!(io.out, "{context}, as {layer} has it, in {}", path.display())?;
    writeln!(io.out, "{files} files, {} in {took} ms\n", size(*bytes))?;
    let row = |area: &ghost::AreaWritten| {
        let cells =
            [area.area.as_str().to_owned(), area.entries.to_string(), area.changed.to_string(), size(area.bytes)];
        Row::Cells(cells.into())
    };
    let left = |(area, why): &(kgents_core::freshness::Area, String)| {
        Row::Note(vec![area.as_str().to_owned()], format!("left as it is: {why}"))
    };
    let rows: Vec<Row> = written.areas.iter().map(row).chain(written.left.iter().map(left)).collect();
    Table::new(&["AREA", "ENTRIES", "CHANGED", "WRITTEN"]).write(io.out, &rows)?;
    Ok(code)
}

/// Somebody else writes. That is well if what they write is current.
fn held(path: &Path, pid: Option<u32>, json: bool, io: &mut Io<'_>) -> Result<Code, Failure> {
    let status = Ghost::at(path).status(clock::now());
    let mut known = status.areas.iter().filter(|area| area.exists).peekable();
    let is_current = known.peek().is_some() && known.all(|area| area.freshness.is_some_and(|f| f != Freshness::Old));
    let code = if is_current { Code::Ok } else { Code::Failed };
    if json {
        let answer = json!({
            "path": path, "context": status.context, "layer": null, "areas": [], "left": [],
            "files": 0, "bytes": 0, "removed": 0, "ms": 0, "held_by": pid, "current": is_current,
        });
        return output::data(io.out, Format::Json, &answer).map(|()| code);
    }
    let who = pid.map_or_else(|| "another process".to_owned(), |pid| format!("pid {pid}"));
    let oldest = status.areas.iter().filter_map(|area| area.age).max().map(age::text);
    if is_current {
        let old = oldest.unwrap_or_default();
        writeln!(io.out, "{who} keeps {} current: the oldest of it is {old} old", path.display())?;
        return Ok(code);
    }
    let old = oldest.map_or_else(|| "nothing is there yet".to_owned(), |old| format!("the oldest of it is {old} old"));
    Err(Failure::new(format!("{who} writes {}, and {old}", path.display())).hint("kgents ghost status"))
}
