//! `kgents`: the TLS provider, then the command line; nothing else.
fn main() {}
