//! The forms in which objects are printed.

use std::collections::HashSet;
use std::io::Write;

use jiff::Timestamp;
use kgents_api::yaml;
use kgents_store::{Key, Kind, Terrarium};
use serde::Serialize;

use crate::envelope::List;
use crate::failure::Failure;
use crate::object;
use crate::rows;
use crate::table::{Row, Table};

/// What is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for people.
    #[default]
    Table,
    /// The same with more columns, and nothing cut.
    Wide,
    /// Names, as kubectl takes them.
    Name,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// The flags that choose what is printed.
#[derive(clap::Args, Clone, Copy, Debug)]
pub(crate) struct Output {
    /// What is printed [default: table].
    #[arg(short, long = "output", value_name = "FORMAT", global = true)]
    output: Option<Format>,
    /// The same as --output json.
    #[arg(long, global = true, conflicts_with = "output")]
    json: bool,
}

impl Output {
    /// Whether no format was chosen.
    pub(crate) const fn is_silent(self) -> bool {
        self.output.is_none() && !self.json
    }

    /// The format that was chosen.
    pub(crate) fn format(self) -> Format {
        if self.json { Format::Json } else { self.output.unwrap_or_default() }
    }
}

/// Writes a value as JSON or, for any other format, as YAML.
///
/// The text is made before anything is written, so that nothing stands there
/// half written.
pub(crate) fn data<T: Serialize>(out: &mut dyn Write, format: Format, value: &T) -> Result<(), Failure> {
    let mut text = match format {
        Format::Json => serde_json::to_string_pretty(value).map_err(|error| error.to_string()),
        _ => yaml::to_string(value),
    }
    .map_err(|error| Failure::new(format!("the answer cannot be written down: {error}")))?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(out.write_all(text.as_bytes())?)
}

/// Writes one value as one line of JSON.
pub(crate) fn line<T: Serialize>(out: &mut dyn Write, value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string(value)
        .map_err(|error| Failure::new(format!("the answer cannot be written down: {error}")))?;
    Ok(writeln!(out, "{text}")?)
}

/// Writes the objects with these keys; in a table they stand in the order of
/// [`rows::rows`], else in that of the keys.
pub(crate) fn list(
    out: &mut dyn Write,
    format: Format,
    terrarium: &Terrarium,
    kind: Kind,
    keys: &[Key],
    namespaces: bool,
    now: Timestamp,
) -> Result<(), Failure> {
    match format {
        Format::Json | Format::Yaml => data(out, format, &List::of(terrarium, kind, keys, now)),
        Format::Name => {
            for key in keys {
                writeln!(out, "{}", object::name(kind, key))?;
            }
            Ok(())
        }
        Format::Table | Format::Wide => {
            let wide = format == Format::Wide;
            let chosen: HashSet<&Key> = keys.iter().collect();
            let rows: Vec<Row> = rows::rows(terrarium, kind, namespaces, wide, now)
                .into_iter()
                .filter(|(key, _)| chosen.contains(key))
                .map(|(_, row)| row)
                .collect();
            Ok(Table::new(&rows::columns(kind, namespaces, wide)).write(out, &rows)?)
        }
    }
}

/// Whether the keys lie in more than one namespace.
pub(crate) fn several_namespaces(keys: &[Key]) -> bool {
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a.namespace() != b.namespace()))
}

#[cfg(test)]
mod tests;
