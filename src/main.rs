//! `kgents`: the TLS provider, then the command line; nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    // Fails only when one is installed already, and nobody before us did.
    let _ = rustls::crypto::ring::default_provider().install_default();
    kgents_cli::run(std::env::args_os())
}
