//! What every JSON file of a tree is wrapped in.

use std::path::Path;

use jiff::Timestamp;
use kgents_store::Layer;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::error::GhostError;

/// The schema that is written, and the newest that is read.
pub(super) const SCHEMA: u64 = 1;

/// Who wrote what, and when.
#[derive(Serialize)]
pub(super) struct Envelope<'a, T> {
    schema: u64,
    area: &'a str,
    source: &'static str,
    context: &'a str,
    as_of: Timestamp,
    resource_version: &'a str,
    data: T,
}

/// What the envelopes of one write share.
#[derive(Clone, Debug)]
pub(super) struct Stamp {
    pub(super) source: Layer,
    pub(super) context: String,
    pub(super) as_of: Timestamp,
}

impl Stamp {
    /// A file, indented, with a line feed at its end.
    pub(super) fn wrap<T: Serialize>(
        &self,
        file: &Path,
        area: &str,
        resource_version: &str,
        data: T,
    ) -> Result<Vec<u8>, GhostError> {
        self.spaced(file, area, resource_version, data, true)
    }

    /// A file, indented or on one line.
    pub(super) fn spaced<T: Serialize>(
        &self,
        file: &Path,
        area: &str,
        resource_version: &str,
        data: T,
        indented: bool,
    ) -> Result<Vec<u8>, GhostError> {
        let Self { source, context, as_of } = self;
        let envelope =
            Envelope { schema: SCHEMA, area, source: source.as_str(), context, as_of: *as_of, resource_version, data };
        let bytes = if indented { serde_json::to_vec_pretty(&envelope) } else { serde_json::to_vec(&envelope) };
        let mut bytes = bytes.map_err(GhostError::json(file))?;
        bytes.push(b'\n');
        Ok(bytes)
    }
}

/// The part of an agent's file that says something about the agent: from the
/// resource version on. When it was written, and from which layer, is above.
/// `None` if the file is not as we write it.
pub(super) fn body<'a>(text: &'a str, area: &str, context: &str) -> Option<&'a str> {
    let context = serde_json::to_string(context).ok()?;
    let lines: [String; 3] = [
        format!("{{\n  \"schema\": {SCHEMA},\n"),
        format!("  \"area\": \"{area}\",\n"),
        format!("  \"context\": {context},\n"),
    ];
    let rest = text.strip_prefix(lines[0].as_str())?.strip_prefix(lines[1].as_str())?;
    let (_, rest) = rest.strip_prefix("  \"source\": \"")?.split_once('\n')?;
    let rest = rest.strip_prefix(lines[2].as_str())?;
    let (_, body) = rest.strip_prefix("  \"as_of\": \"")?.split_once('\n')?;
    body.starts_with("  \"resource_version\": ").then_some(body)
}

/// An envelope that was read.
pub(super) struct Parsed<'a> {
    pub(super) source: Option<Layer>,
    pub(super) context: String,
    pub(super) as_of: Timestamp,
    pub(super) data: &'a RawValue,
}

#[derive(Deserialize)]
struct Raw<'a> {
    schema: Option<u64>,
    area: Option<String>,
    source: Option<String>,
    context: Option<String>,
    #[serde(borrow)]
    as_of: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Just enough to know whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    schema: Option<u64>,
    context: Option<String>,
}

/// The context that a file says, of whatever schema it is.
pub(super) fn context(text: &str) -> Option<String> {
    serde_json::from_str::<Head>(text).ok()?.context
}

/// The schema that a file says.
pub(super) fn schema(text: &str) -> Option<u64> {
    serde_json::from_str::<Head>(text).ok()?.schema
}

/// Reads an envelope of an area.
///
/// # Errors
/// In words: what is wrong with it.
pub(super) fn parse<'a>(text: &'a str, area: &str) -> Result<Parsed<'a>, String> {
    if text.trim().is_empty() {
        return Err("empty".to_owned());
    }
    if !text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return Err("no file of a Ghost: it is no JSON object".to_owned());
    }
    let raw: Raw = match serde_json::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            // A newer schema may have other types in the same places.
            return match schema(text) {
                Some(schema) if schema > SCHEMA => Err(newer(schema)),
                _ => Err(broken(&error)),
            };
        }
    };
    match raw.schema {
        Some(SCHEMA) => {}
        Some(schema) if schema > SCHEMA => return Err(newer(schema)),
        Some(schema) => return Err(format!("schema {schema} is unknown")),
        None => return Err("no file of a Ghost: it names no schema".to_owned()),
    }
    let lacks = |what: &str| format!("no file of a Ghost: it lacks {what}");
    let own = raw.area.ok_or_else(|| lacks("area"))?;
    if own != area {
        return Err(format!("it is about {own}, not about {area}"));
    }
    let as_of = raw.as_of.ok_or_else(|| lacks("as_of"))?.get();
    let source = match raw.source.as_deref() {
        Some("grpc") => Some(Layer::Grpc),
        // The API on one machine is the Kubernetes API as well.
        Some("kube" | "bottle") => Some(Layer::Kube),
        _ => None,
    };
    Ok(Parsed {
        source,
        context: raw.context.ok_or_else(|| lacks("context"))?,
        as_of: serde_json::from_str(as_of).map_err(|_| format!("as_of is {as_of}, which is no time"))?,
        data: raw.data.ok_or_else(|| lacks("data"))?,
    })
}

fn newer(schema: u64) -> String {
    format!("written by a newer kgents (schema {schema})")
}

/// What is wrong with JSON, and where.
pub(super) fn broken(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    match error.classify() {
        Category::Eof => format!("torn: it ends at {place}"),
        Category::Data => format!("not as expected at {place}: {what}"),
        Category::Syntax | Category::Io => format!("not JSON at {place}: {what}"),
    }
}
