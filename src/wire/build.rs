//! Generates the room from `proto/`, without a protoc on the machine.

use std::path::PathBuf;
use std::{env, error, fs};

use prost::Message;

const FILES: [&str; 2] = ["kgents/logos/v1/logos.proto", "kgents/cortex/v1/cortex.proto"];

fn main() -> Result<(), Box<dyn error::Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", proto.display());
    let descriptors = protox::compile(FILES, [&proto])?;
    // For reflection.
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
