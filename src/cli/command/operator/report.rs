//! What `--once` and `--dry-run` came to.

use std::io::Write;

use kgents_operator::Report;
use kgents_store::sanitize;
use serde_json::Value;

use super::Shape;
use crate::failure::Failure;
use crate::io::Io;
use crate::output::{self, Format};
use crate::table::{Row, Table};

/// Prints it.
pub(super) fn print(report: &Report, shape: Shape, io: &mut Io<'_>) -> Result<(), Failure> {
    if shape == Shape::Json {
        let mut value = serde_json::to_value(report)
            .map_err(|error| Failure::new(format!("the answer cannot be written down: {error}")))?;
        sanitize::value(&mut value);
        return output::data::<Value>(io.out, Format::Json, &value);
    }
    page(io.out, report)?;
    Ok(io.out.flush()?)
}

fn page(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
    let row = |(kind, tally): (&&str, &kgents_operator::once::Tally)| {
        let figure = |count: u64| count.to_string();
        Row::Cells(vec![(*kind).to_owned(), figure(tally.objects), figure(tally.healthy), figure(tally.stalled)])
    };
    let rows: Vec<Row> = report.kinds.iter().map(row).collect();
    Table::new(&["KIND", "OBJECTS", "HEALTHY", "STALLED"]).write(out, &rows)?;
    for stalled in &report.stalled {
        let said = format!("{} is stalled ({}): {}", stalled.key, stalled.reason, stalled.message);
        writeln!(out, "{}", sanitize::text(&said))?;
    }
    for planned in &report.plans {
        let plan = &planned.plan;
        writeln!(out, "{}:", sanitize::text(&planned.key.to_string()))?;
        let lines = (plan.apply.iter().map(|apply| format!("apply {}: {}", apply.child, apply.why)))
            .chain(plan.delete.iter().map(|delete| format!("delete {}: {}", delete.child, delete.why)))
            .chain(plan.status.iter().map(|status| {
                let changes: Vec<String> = status.changes.iter().map(ToString::to_string).collect();
                format!("status: {}", changes.join(", "))
            }))
            .chain(plan.events.iter().map(|event| format!("say {}: {}", event.reason, event.message)));
        for line in lines {
            writeln!(out, "  {}", sanitize::text(&line))?;
        }
    }
    let writes: u64 = report.writes.values().sum();
    let each: Vec<String> = report.writes.iter().map(|(what, count)| format!("{count} {what}")).collect();
    let each = if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) };
    writeln!(out, "{writes} writes{each} in {:.1} s", report.seconds)
}
