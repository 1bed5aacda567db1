//! The Ghost as a whole: what is written is what is read.

mod bad;
mod figures;
mod kill;
mod layout;
mod owners;
