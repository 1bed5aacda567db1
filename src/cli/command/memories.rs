//! `kgents memories`: list, describe, watch, and sweep what was left behind.

use jiff::Timestamp;
use kgents_core::age;
use kgents_source::compost::{Compost, Leftover, Swept};
use kgents_source::{Client, clock};
use kgents_store::{Kind, Layer, sanitize};
use serde_json::{Value, json};

use crate::args::Global;
use crate::command::resource::{self, How};
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::output::{self, Format};
use crate::runtime::block_on;
use crate::table::{NOTHING, Row, Table};

pub(crate) const HELP: &str = "\
Examples:
  kgents memories
  kgents memories describe b-gent-memory
  kgents memory compost                # what agents that are gone left behind
  kgents memory compost --yes          # delete it";

const COMPOST_HELP: &str = "\
Examples:
  kgents memory compost                # show it
  kgents memory compost -A --yes       # delete it
  kgents memory compost -n kgents-agents -o json

Claims and Memories whose retentionPolicy is COMPOST, and whose agent is gone.
Nothing else is touched; what changed since it was listed, or whose agent came
back, is left alone. Without --yes nothing is deleted.

Exit codes: 0 also when there is nothing; 1 when something could not be read or
deleted; 4 when the API server could not be reached.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    how: How,
}

/// What is done.
#[derive(clap::Subcommand, Debug)]
enum Action {
    #[command(flatten)]
    Resource(resource::Action),
    /// Show, or delete, what agents that are gone left behind to be composted.
    #[command(after_help = COMPOST_HELP)]
    Compost {
        /// Delete it.
        #[arg(short, long)]
        yes: bool,
    },
}

/// Does it.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    match &args.action {
        None => resource::act(Kind::Memory, None, &args.how, global, io),
        Some(Action::Resource(action)) => resource::act(Kind::Memory, Some(action), &args.how, global, io),
        Some(Action::Compost { .. }) if !args.how.is_once_and_all() => {
            let said = "'compost' looks at all that was left behind, and takes neither --selector nor --watch";
            Err(Failure::new(said).code(Code::Usage))
        }
        Some(Action::Compost { yes }) => compost(*yes, args.how.format(), global, io),
    }
}

fn compost(yes: bool, format: Format, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let options = global.source();
    if let Some(layer) = options.layer.filter(|layer| *layer != Layer::Kube) {
        return Err(Failure::new(format!("only the Kubernetes API knows what was left behind, not {layer}"))
            .hint("kgents memory compost --layer kube")
            .code(Code::Usage));
    }
    let (found, swept) = block_on(async {
        let client = Client::connect(&options).await?;
        let found = client.compost().await?;
        let mut swept = Vec::new();
        // One after the other: a Memory before its claim.
        for item in found.items.iter().filter(|_| yes) {
            swept.push(client.sweep(item).await.map_err(|error| error.to_string()));
        }
        Ok((found, swept))
    })?;
    let now = clock::now();
    for problem in &found.problems {
        io.note(format_args!("warning: {problem}"));
    }
    match format {
        Format::Json | Format::Yaml => {
            let mut answer = answer(&found, &swept);
            sanitize::value(&mut answer);
            output::data(io.out, format, &answer)?;
        }
        Format::Name => {
            for item in &found.items {
                let line = format!("{}/{}", item.resource.plural(), item.name);
                writeln!(io.out, "{}", sanitize::text(&line))?;
            }
        }
        Format::Table | Format::Wide if found.items.is_empty() => io.note("Nothing was left behind to be composted."),
        Format::Table | Format::Wide => page(&found, &swept, now, io)?,
    }
    let failed = swept.iter().any(Result::is_err) || !found.problems.is_empty();
    if !found.items.is_empty() && !yes {
        io.note("Nothing was deleted. To delete it: kgents memory compost --yes, with the same options.");
    }
    Ok(if failed { Code::Failed } else { Code::Ok })
}

type Outcome = Result<Swept, String>;

/// What became of it, in a word or a sentence.
fn became(outcome: Option<&Outcome>) -> String {
    match outcome {
        None => NOTHING.to_owned(),
        Some(Ok(Swept::Deleted)) => "deleted".to_owned(),
        Some(Ok(Swept::Gone)) => "was gone already".to_owned(),
        Some(Ok(Swept::Changed)) => "left alone: it has changed, or its agent came back".to_owned(),
        Some(Err(problem)) => format!("not deleted: {problem}"),
    }
}

fn page(found: &Compost, swept: &[Outcome], now: Timestamp, io: &mut Io<'_>) -> Result<(), Failure> {
    let row = |(index, item): (usize, &Leftover)| {
        let age = item.created.map_or_else(|| NOTHING.to_owned(), |at| age::text(now.duration_since(at)));
        let mut cells = vec![
            item.namespace.clone(),
            item.resource.kind().to_owned(),
            item.name.clone(),
            item.agent.clone(),
            item.size.clone().unwrap_or_default(),
            age,
        ];
        if !swept.is_empty() {
            cells.push(became(swept.get(index)));
        }
        Row::Cells(cells.iter().map(|cell| sanitize::text(cell).into_owned()).collect())
    };
    let rows: Vec<Row> = found.items.iter().enumerate().map(row).collect();
    let mut columns = vec!["NAMESPACE", "KIND", "NAME", "AGENT", "SIZE", "AGE"];
    if !swept.is_empty() {
        columns.push("RESULT");
    }
    Ok(Table::new(&columns).write(io.out, &rows)?)
}

fn answer(found: &Compost, swept: &[Outcome]) -> Value {
    let item = |(index, item): (usize, &Leftover)| {
        let result = match swept.get(index) {
            None => Value::Null,
            Some(Ok(Swept::Deleted)) => "deleted".into(),
            Some(Ok(Swept::Gone)) => "gone".into(),
            Some(Ok(Swept::Changed)) => "changed".into(),
            Some(Err(_)) => "failed".into(),
        };
        let error = swept.get(index).and_then(|outcome| outcome.as_ref().err());
        json!({
            "kind": item.resource.kind(), "namespace": item.namespace, "name": item.name, "uid": item.uid,
            "agent": item.agent, "size": item.size, "created": item.created, "result": result, "error": error,
        })
    };
    let items: Vec<Value> = found.items.iter().enumerate().map(item).collect();
    json!({ "items": items, "problems": found.problems })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_each_is_told() {
        assert_eq!(became(None), "—");
        assert_eq!(became(Some(&Ok(Swept::Deleted))), "deleted");
        assert_eq!(became(Some(&Ok(Swept::Gone))), "was gone already");
        assert!(became(Some(&Ok(Swept::Changed))).starts_with("left alone"));
        assert_eq!(became(Some(&Err("no".to_owned()))), "not deleted: no");
    }
}
