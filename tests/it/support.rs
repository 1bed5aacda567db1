//! What the tests stand on.

pub mod audit;
pub mod case;
pub mod cluster;
pub mod credentials;
pub mod faults;
pub mod garden;
pub mod http;
pub mod node;
pub mod objects;
pub mod operator;
pub mod place;
pub mod process;
pub mod pty;
pub mod servers;
pub mod stream;
pub mod text;
pub mod user;
pub mod wait;

use std::io::Write;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file or folder of the repository.
pub fn path(inside: &str) -> PathBuf {
    root().join(inside)
}

/// Says something on standard error, beside the results of the tests.
pub fn say(text: &str) {
    // Without a reader there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "it: {text}");
}

/// How a layer stands, in what `kgents status --json` says.
pub fn layer<'a>(status: &'a serde_json::Value, name: &str) -> &'a serde_json::Value {
    let layers = status["layers"].as_array().unwrap();
    layers.iter().find(|layer| layer["layer"] == name).unwrap_or_else(|| panic!("no layer {name}: {status}"))
}
