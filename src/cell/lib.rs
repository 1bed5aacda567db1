//! What runs inside an agent's pod: three small HTTP servers.
//!
//! - [`agent::serve`] is the container `logic`: it says who it is and whether
//!   it can work. It has no mind yet.
//! - [`d_gent::serve`] is the sidecar `d-gent`: it keeps the agent's state in a
//!   folder, a file for each key.
//! - [`placeholder::serve`] stands where an agent will be.
//!
//! All answer `/healthz` (it lives) and `/readyz` (it can do its work), and end
//! within a second of being told to. gRPC on port 50052, which the agent's
//! Service names already, comes with the mind: nobody listens there yet.

pub mod agent;
mod clock;
pub mod d_gent;
mod digest;
mod error;
mod http;
pub mod placeholder;
pub mod state;
#[cfg(test)]
mod testing;

pub use error::CellError;
pub use http::bind;
