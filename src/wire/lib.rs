//! The messages and services of `proto/`, generated. Shapes, units and
//! meaning stand in the proto files.

#![allow(missing_docs, clippy::all, clippy::pedantic)]

/// The daemon that answers AGENTESE paths.
pub mod logos {
    tonic::include_proto!("kgents.logos.v1");
}

/// The Cortex's view of a terrarium.
pub mod cortex {
    tonic::include_proto!("kgents.cortex.v1");
}

/// The encoded descriptors of both services, for reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
