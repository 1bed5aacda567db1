//! `kgents operator rbac`: the rights that the operator needs.

use clap::builder::NonEmptyStringValueParser;
use kgents_api::yaml;
use kgents_operator::rbac::manifests;
use serde_json::{Value, json};

use super::home;
use crate::args::Global;
use crate::failure::{Code, Failure};
use crate::io::Io;
use crate::output::{self, Format};

const HELP: &str = "\
Examples:
  kubectl create namespace kgents-system
  kgents operator rbac | kubectl apply -f -
  kgents operator rbac -n kgents-agents        # for an operator of one namespace
  kgents operator rbac -o json

A ServiceAccount kgents-operator, what it may do in all namespaces (with -n: in
that one only), and what it may do to its Lease, beside which it lives.";

/// What can be said to it.
#[derive(clap::Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Args {
    /// The namespace of the ServiceAccount and of the Lease [default: kgents-system].
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    lease_namespace: Option<String>,
    /// What is printed [default: yaml].
    #[arg(short, long, value_name = "FORMAT")]
    output: Option<Shape>,
}

/// In which form it is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A YAML document each.
    #[default]
    Yaml,
    /// A List as JSON.
    Json,
}

/// Prints them.
pub(super) fn run(args: &Args, global: &Global, io: &mut Io<'_>) -> Result<Code, Failure> {
    let home = home(args.lease_namespace.as_deref(), global);
    let unwritable = |error: String| Failure::new(format!("the rights cannot be written down: {error}"));
    let all = manifests(&home, global.namespace.as_deref()).map_err(|error| unwritable(error.to_string()))?;
    match args.output.unwrap_or_default() {
        Shape::Json => {
            let list: Value = json!({ "apiVersion": "v1", "kind": "List", "items": all });
            output::data(io.out, Format::Json, &list)?;
        }
        Shape::Yaml => {
            for object in all {
                let text = yaml::to_string(&object).map_err(unwritable)?;
                write!(io.out, "---\n{}\n", text.trim_end())?;
            }
        }
    }
    Ok(Code::Ok)
}
