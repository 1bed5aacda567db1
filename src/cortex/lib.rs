//! The Cortex: the daemon that answers over gRPC.
//!
//! [`serve`] drains one reader of the bus into a terrarium of its own and
//! answers `kgents.cortex.v1.Cortex`, `kgents.logos.v1.Logos`,
//! `grpc.health.v1.Health` and reflection (v1 and v1alpha) on TCP addresses
//! and on a unix socket.
//!
//! **Who may ask.** With a token, every call over TCP needs it, those to
//! health and reflection too. Over the socket no token is asked for: its file
//! belongs to one user.
//!
//! **What a reader costs.** Each stream is a cursor over one change log of
//! 10,000 events, produced as fast as it is read, so one who
//! does not read holds a few dozen objects and no more.

mod auth;
mod clock;
mod convert;
mod cortex;
mod error;
mod feed;
mod listen;
mod log;
mod logos;
mod nearest;
mod routes;
mod server;
mod state;

// Not called tests: cargo would take that folder for integration tests.
#[cfg(test)]
mod outside;

pub use error::CortexError;
pub use listen::{Bound, Options};
pub use server::serve;
