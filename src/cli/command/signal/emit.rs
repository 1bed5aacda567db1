//! `kgents signal emit`.

use std::time::Duration;

use jiff::Timestamp;
use kgents_api::{Pheromone, PheromoneSpec, PheromoneType};
use kgents_source::{Client, SourceError, clock};
use kgents_store::bus::{Batch, Change, Novelty, Rung};
use kgents_store::watch::{Link, Watch, WatchState};
use kgents_store::{Kind, Layer, Terrarium, act, bus::Control, view};
use serde_json::Value;

use crate::args::Global;
use crate::envelope::Item;
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::output::{self, Format, Output};
use crate::runtime::block_on;
use crate::{object, value};

const HELP: &str = "\
Examples:
  kgents signal emit WARNING 'the disk is nearly full' --source o-gent
  kgents signal emit scarcity --target b-gent --intensity 0.8 --half-life 5m
  kgents signal emit STATE '{\"tokens\": 1200}' --ttl 1h -o json

A payload that is a JSON object or array is kept as that, any other is text.
It is emitted into the namespace of -n, else that of the context.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// What sort of signal it is.
    #[arg(value_name = "TYPE", ignore_case = true, hide_possible_values = false, value_parser = super::type_parser())]
    type_: PheromoneType,
    /// What it says.
    #[arg(allow_hyphen_values = true)]
    payload: Option<String>,
    /// Who emits it [default: your user name].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    source: Option<String>,
    /// The agent that it is meant for [default: everyone].
    #[arg(long, value_name = "AGENT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    target: Option<String>,
    /// How strong it is, from 0 to 1 [default: 1].
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = value::share)]
    intensity: Option<f64>,
    /// In which time it loses half its strength, such as 5m [default: by its type].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = value::duration)]
    half_life: Option<Duration>,
    /// When it ends however strong it still is, such as 1h [default: never].
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = value::duration)]
    ttl: Option<Duration>,
    /// The name of the object [default: its type and five random signs].
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    name: Option<String>,
    #[command(flatten)]
    output: Output,
}

/// Emits the pheromone and prints what was created.
pub(crate) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let pheromone = pheromone(args, clock::now());
    let decoded = block_on(async {
        let client = Client::connect(&global.source()).await?;
        let namespace = global.namespace.clone().unwrap_or_else(|| client.default_namespace().to_owned());
        client.create_pheromone(&namespace, &pheromone).await.map_err(|error| refused(error, &namespace))
    })?;
    let (now, key) = (clock::now(), decoded.key.clone());
    let change = Change { kind: Kind::Pheromone, key: key.clone(), now: Some(decoded), novelty: Novelty::Initial };
    let watch = Watch { state: WatchState::Live, as_of: Some(now), refused: Vec::new() };
    let mut terrarium = Terrarium::default();
    let rung = Rung { address: String::new(), link: Link::Up { version: String::new() }, notes: Vec::new() };
    let control = vec![
        Control::Speaks(Some(Layer::Kube)),
        Control::Rung(Layer::Kube, rung),
        Control::Watch(Kind::Pheromone, watch),
    ];
    let batch = Batch { changes: vec![change], control, ..Batch::default() };
    terrarium.apply(batch, now);
    match args.output.format() {
        format @ (Format::Json | Format::Yaml) => {
            output::data(io.out, format, &Item::of(&terrarium, Kind::Pheromone, &key, now))?;
        }
        Format::Name => writeln!(io.out, "{}", object::name(Kind::Pheromone, &key))?,
        Format::Table | Format::Wide => {
            let fades = terrarium.pheromones().get(&key).map(|held| match (&held.fade, view::strength(held, now)) {
                (Ok(fade), Some(strength)) => format!(
                    ", {strength:.2}, halves each {}, gone in {}",
                    value::minutes(fade.half_life_minutes()),
                    value::until(fade.gone_at(), now)
                ),
                (Ok(_), None) => ", too weak to be sensed".to_owned(),
                (Err(error), _) => format!(", but cannot fade: {error}"),
            });
            let name = object::name(Kind::Pheromone, &key);
            let (source, place) = (&pheromone.spec.source, key.namespace());
            let target = pheromone.spec.target.as_deref().unwrap_or("everyone");
            writeln!(io.out, "{name} emitted in {place} by {source} for {target}{}", fades.unwrap_or_default())?;
        }
    }
    Ok(Code::Ok)
}

/// Why the API server did not take it. It tells a missing namespace as a
/// missing object.
fn refused(error: SourceError, namespace: &str) -> Failure {
    match &error {
        SourceError::NotFound { resource, .. } if resource.split('.').next() == Some("namespaces") => {
            Failure::new(format!("there is no namespace {namespace}"))
                .hint(format!("kubectl create namespace {namespace}"))
        }
        _ => error.into(),
    }
}

fn pheromone(args: &Args, now: Timestamp) -> Pheromone {
    let spec = PheromoneSpec {
        type_: args.type_,
        source: args.source.clone().unwrap_or_else(user),
        emitted_at: Some(format!("{now:.6}")),
        initial_intensity: args.intensity,
        half_life_minutes: args.half_life.map(|half_life| half_life.as_secs_f64() / 60.0),
        // Whole seconds, and never none: less than a second is still one.
        ttl_seconds: args.ttl.map(|ttl| ttl.as_secs_f64().ceil() as i64),
        target: args.target.clone(),
        payload: args.payload.as_deref().map(payload),
        position: None,
    };
    act::pheromone(args.name.as_deref(), spec)
}

fn payload(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => value,
        _ => Value::String(text.to_owned()),
    }
}

/// Who is at the keyboard, as the environment says it.
fn user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|name| !name.trim().is_empty())
        .unwrap_or_else(|| "kgents".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn made(line: &[&str]) -> Pheromone {
        let line = Line::try_parse_from(["emit"].iter().chain(line)).unwrap();
        pheromone(&line.args, "2026-01-01T12:00:00.123456789Z".parse().unwrap())
    }

    #[test]
    fn what_is_said_is_what_is_sent() {
        let spec = made(&[
            "warning",
            "disk full",
            "--source",
            "o-gent",
            "--target",
            "b-gent",
            "--intensity",
            "0.8",
            "--half-life",
            "90s",
            "--ttl",
            "1500ms",
            "--name",
            "x",
        ]);
        assert_eq!(spec.metadata.name.as_deref(), Some("x"));
        let json = serde_json::to_value(&spec.spec).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "type": "WARNING", "source": "o-gent", "target": "b-gent", "initialIntensity": 0.8,
                "halfLifeMinutes": 1.5, "ttlSeconds": 2, "payload": "disk full",
                "emittedAt": "2026-01-01T12:00:00.123456Z",
            })
        );
    }

    #[test]
    fn what_is_not_said_is_not_sent() {
        let made = made(&["review_request", "--source", "me"]);
        let json = serde_json::to_value(&made.spec).unwrap();
        let fields: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["emittedAt", "source", "type"]);
        assert_eq!(made.metadata.name, None);
        assert_eq!(made.metadata.generate_name.as_deref(), Some("review-request-"));
    }

    #[test]
    fn only_objects_and_arrays_are_json() {
        assert_eq!(payload(r#"{"a": 1}"#), serde_json::json!({ "a": 1 }));
        assert_eq!(payload("[1]"), serde_json::json!([1]));
        for text in ["1", "true", "null", "\"x\"", "{a}", ""] {
            assert_eq!(payload(text), Value::String(text.into()));
        }
    }
}
