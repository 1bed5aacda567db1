//! `kgents explain`: what the operator would do about an object, and why. The
//! operator itself need not run: it is the same function that decides.

use std::io::Read;
use std::path::{Path, PathBuf};

use kgents_api::crd;
use kgents_source::{Client, clock};
use kgents_store::{Kind, Layer, Planned, sanitize};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::{self, Io};
use crate::output::{self, Format};
use crate::runtime::block_on;

mod page;

const HELP: &str = "\
Examples:
  kgents explain agent/b-gent          # what is to be done about it, and why
  kgents explain agent b-gent -n kgents-agents
  kgents explain memory/b-gent-memory -o yaml
  kgents explain -f b-gent.yaml        # what would be done if this was applied
  kgents explain agent/b-gent --check  # for scripts: is anything to be done?

It reads the cluster and decides as the operator does, with the configuration
that the operator wrote beside its Lease, else with the defaults. Nothing is
changed. -o yaml and -o json hold the whole bodies, to be applied as they are.

Exit codes: 0 it was explained; 1 it could not be, or with --check something is
to be done; 4 nobody could be reached.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The object: KIND/NAME, or KIND NAME. Kinds are agent, memory, umwelt and pheromone.
    #[arg(value_name = "OBJECT", num_args = 1..=2, required_unless_present = "file", conflicts_with = "file")]
    object: Vec<String>,
    /// Objects that need not be there yet, as YAML or JSON; - reads standard input.
    #[arg(short = 'f', long = "filename", value_name = "FILE")]
    file: Option<PathBuf>,
    /// What is printed [default: text].
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Shape>,
    /// The same as --output json.
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// Exit with 1 when something is to be done.
    #[arg(long)]
    check: bool,
    /// Where the operator's Lease is [default: kgents-system, else wherever there is one].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    lease_namespace: Option<String>,
}

/// In which form a plan is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A page for people.
    #[default]
    Text,
    /// YAML, with whole bodies.
    Yaml,
    /// JSON, with whole bodies.
    Json,
}

/// Explains an object, or those of a file.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    if let Some(layer) = global.source().layer.filter(|layer| *layer != Layer::Kube) {
        return Err(Failure::new(format!("{layer} does not know enough to plan with: only the Kubernetes API does"))
            .hint("kgents explain --layer kube"));
    }
    let lease = args.lease_namespace.as_deref();
    let plans = match &args.file {
        None => vec![one(&args.object, lease, global)?],
        Some(path) => drafts(path, lease, global, io)?,
    };
    let shape = if args.json { Shape::Json } else { args.output.unwrap_or_default() };
    match shape {
        Shape::Text => text(&plans, io)?,
        Shape::Json | Shape::Yaml => {
            let format = if shape == Shape::Json { Format::Json } else { Format::Yaml };
            match plans.as_slice() {
                [only] if args.file.is_none() => exact(io, format, only)?,
                all => exact(io, format, &json!({ "items": value(&all)? }))?,
            }
        }
    }
    let to_do = plans.iter().any(|planned| !planned.plan.is_empty());
    Ok(if args.check && to_do { Code::Failed } else { Code::Ok })
}

fn one(object: &[String], lease: Option<&str>, global: &Global) -> Result<Planned, Failure> {
    let (kind, namespace, name) = object_of(object)?;
    let namespace = namespace.or(global.namespace.as_deref());
    block_on(async {
        let client = Client::connect(&global.source()).await?;
        Ok(client.plan(kind, namespace, name, lease).await?)
    })
}

/// A kind, perhaps a namespace, and a name.
type Named<'a> = (Kind, Option<&'a str>, &'a str);

/// Reads `KIND/NAME`, `KIND/NAMESPACE/NAME`, `KIND NAME` and `KIND NAMESPACE/NAME`.
fn object_of(words: &[String]) -> Result<Named<'_>, Failure> {
    let usage = |said: String| Failure::new(said).hint("kgents explain agent/NAME").code(Code::Usage);
    let (kind, name) = match words {
        [both] => both.split_once('/').ok_or_else(|| usage(format!("'{both}' does not say which kind it is")))?,
        [kind, name] => (kind.as_str(), name.as_str()),
        _ => return Err(usage("an object is missing".to_owned())),
    };
    let found = kind_of(kind).ok_or_else(|| usage(format!("nothing is planned for the kind '{kind}'")))?;
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    };
    if name.is_empty() || namespace.is_some_and(str::is_empty) {
        return Err(usage(format!("'{}' holds no name", words.join(" "))));
    }
    Ok((found, namespace, name))
}

/// The kind of a plural, singular, kind or short name, if anything is planned
/// for it.
fn kind_of(word: &str) -> Option<Kind> {
    let word = word.strip_suffix(&format!(".{}", kgents_api::GROUP)).unwrap_or(word);
    let crd = crd::all().into_iter().find(|crd| {
        let names = &crd.spec.names;
        let short = names.short_names.iter().flatten();
        let all = [Some(&names.plural), Some(&names.kind), names.singular.as_ref()];
        all.into_iter().flatten().chain(short).any(|name| name.eq_ignore_ascii_case(word))
    })?;
    Kind::named(&crd.spec.names.kind).filter(|kind| *kind != Kind::Proposal)
}

/// What would be done if what stands in a file was applied.
fn drafts(path: &Path, lease: Option<&str>, global: &Global, io: &mut Io<'_>) -> Result<Vec<Planned>, Failure> {
    let mut known = Vec::new();
    for object in objects(path)? {
        let word = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = kind_of(word("kind")).filter(|_| word("apiVersion") == kgents_api::API_VERSION);
        if let Some(kind) = kind {
            known.push((kind, object));
        } else {
            let (version, kind) = (sanitize::text(word("apiVersion")), sanitize::text(word("kind")));
            io.note(format_args!("note: nothing is planned for {version} {kind}: it is left out"));
        }
    }
    if known.is_empty() {
        return Err(
            Failure::new(format!("there is nothing to explain in {}", shown(path))).hint("kgents explain agent/NAME")
        );
    }
    block_on(async {
        let client = Client::connect(&global.source()).await?;
        let mut plans = Vec::new();
        for (kind, object) in known {
            plans.push(client.plan_draft(kind, &object, lease).await?);
        }
        Ok(plans)
    })
}

/// The objects of a file. What is empty, between two separators, is none.
fn objects(path: &Path) -> Result<Vec<Value>, Failure> {
    let read = if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(path)
    };
    let text = read.map_err(|error| Failure::new(format!("{} cannot be read: {error}", shown(path))))?;
    let objects: Vec<Value> = serde_saphyr::from_multiple(&text)
        .map_err(|error| Failure::new(format!("{} is no YAML: {}", shown(path), sanitize::text(&error.to_string()))))?;
    let mut all = Vec::new();
    for object in objects {
        match object {
            Value::Null => {}
            // As `kubectl get -o yaml` writes more than one.
            Value::Object(mut list) if list.get("kind") == Some(&json!("List")) => {
                if let Some(Value::Array(items)) = list.remove("items") {
                    all.extend(items);
                }
            }
            other => all.push(other),
        }
    }
    Ok(all)
}

fn shown(path: &Path) -> String {
    if path == Path::new("-") { "standard input".to_owned() } else { crate::settings::shown(path) }
}

fn text(plans: &[Planned], io: &mut Io<'_>) -> Result<(), Failure> {
    let ink = if io::is_terminal() { page::Ink::of(io::colour()) } else { page::Ink::NONE };
    for (place, planned) in plans.iter().enumerate() {
        if place > 0 {
            writeln!(io.out)?;
        }
        page::write(io.out, &planned.clone().clean(), ink, clock::now())?;
    }
    Ok(())
}

fn value(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::new(format!("the answer cannot be written down: {error}")))
}

/// Writes a value exactly as it is: what a terminal would obey is escaped, not
/// replaced, so that what is applied from it is what was planned.
fn exact(io: &mut Io<'_>, format: Format, plan: &impl Serialize) -> Result<(), Failure> {
    let mut text = Vec::new();
    output::data(&mut text, format, &value(plan)?)?;
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.chars().any(sanitize::is_unsafe) {
        // YAML would take some of them as they are. JSON is YAML too.
        let mut json = Vec::new();
        output::data(&mut json, Format::Json, &value(plan)?)?;
        text = escaped(&String::from_utf8_lossy(&json));
    }
    Ok(io.out.write_all(text.as_bytes())?)
}

/// JSON in which what is unsafe is escaped. Such a thing stands in strings alone.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if sanitize::is_unsafe(c) {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests;
