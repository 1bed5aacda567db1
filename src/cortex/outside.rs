//! The daemon from outside: a real client over a real socket and real TCP.

mod logos;
mod serving;
pub(crate) mod support;
mod watch;
